/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu scan --duplicates: the same paper, photographed for two stations or with two figures. */
#ifndef CLI_SCAN_DUPLICATES_H
#define CLI_SCAN_DUPLICATES_H

#include "paper/scan.h"

/* Reads every file (a folder: the files in it) and prints one JSON line a pair of files that hold
 * the same bytes, or whose signature and stamp zones are alike, then one line of counts. Returns an
 * exit code: 0 nothing to look at, 1 at least one pair of different stations or figures. */
MUST_USE err scan_duplicates(const struct reader *r, char **paths, int n,
                             const struct scan_options *o, int *exit_code, struct fail *f);

#endif
