/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A collation form typed off the paper: a CSV with the columns code, registered, rejected, valid and one
 * for each choice's id; the last row, with code TOTAL, has the sums as written. A blank cell is blank on
 * the paper. */
#ifndef CLI_PAPER_ROWS_H
#define CLI_PAPER_ROWS_H

#include "election/compose_law.h"

/* Appends the rows object to *rows; the sums go to k's registered, rejected, valid and votes[] (room
 * for MAX_CHOICES), blank where there is no such row. E_CSV and the reader's codes. */
MUST_USE err paper_rows_read(const char *path, const struct fold *fold, uint32_t contest,
                             unsigned round, struct compose_collation *k, uint64_t *votes,
                             struct buf *rows, struct fail *f);

#endif
