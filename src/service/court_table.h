/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a court is told about a contest and is not published: under every doubt the least and the most
 * that each choice can have, and the smallest set of stations without which the outcome is another. */
#ifndef SERVICE_COURT_TABLE_H
#define SERVICE_COURT_TABLE_H

#include "base/arena.h"
#include "election/findings.h"

/* Appends it as CSV with sentences between; `findings` of the same state; works in the arena. */
MUST_USE err court_table(const struct fold *fold, const struct findings *findings, uint32_t contest,
                         unsigned round, struct arena *a, struct buf *out, struct fail *f);

#endif
