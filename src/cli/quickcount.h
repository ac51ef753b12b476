/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The verbs of hesabu quickcount share their options. */
#ifndef CLI_QUICKCOUNT_H
#define CLI_QUICKCOUNT_H

#include "cli/cli.h"
#include "cli/log_source.h"
#include "service/station_csv.h"
#include "stats/quickcount.h"

struct quick_args {
    const char *columns, *leader, *seed, *margin, *official, *figures, *lang, *assumed, *areas,
        *observers, *pictures;
    struct log_args log; /* instead of a frame, or for the official totals */
    uint64_t size, confidence, cap;
    bool json, at_random;
};

/* plan FRAME.csv; draw FRAME.csv: a CSV of the drawn stations. The frame is NULL with --dir: then all
 * stations of the log's contest, with its register. */
MUST_USE err quick_plan(const struct quick_args *a, const char *frame, struct buf *out,
                        struct fail *f);
MUST_USE err quick_draw(const struct quick_args *a, const char *frame, struct buf *out,
                        struct fail *f);
/* estimate SAMPLE.csv REPORTS.csv; add SAMPLE.csv REPORTS.csv CODE. Without reports (NULL) they are the
 * observation records of the log at --dir; without a code (NULL) every such report is added. */
MUST_USE err quick_estimate(const struct quick_args *a, const char *sample, const char *reports,
                            struct buf *out, struct fail *f);
MUST_USE err quick_add(const struct quick_args *a, const char *sample, const char *reports,
                       const char *code, struct buf *out, struct fail *f);

#endif
