/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu train --from-log: labelled boxes out of a finished election's forms. */
#ifndef CLI_TRAIN_LOG_H
#define CLI_TRAIN_LOG_H

#include "paper/digit_data.h"

struct train_log_counts {
    uint64_t forms, images, used, boxes;
};

/* Every form whose figures hold (signed by people, with its image in the log) gives the boxes of
 * its digits, from the public versions of its pages, labelled by those figures. contest NULL: all
 * of them. The caller owns *out: digit_set_release. Pages that cannot be read are counted only. */
MUST_USE err train_log_boxes(const char *where, const char *anchor, const char *contest,
                             struct digit_set *out, struct train_log_counts *n, struct fail *f);

#endif
