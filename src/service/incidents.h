/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What was refused, counted until it is written into the log: at most 256 rows, one record in ten
 * minutes, so that refusals cannot flood a permanent log. Thread-safe. */
#ifndef SERVICE_INCIDENTS_H
#define SERVICE_INCIDENTS_H

#include "election/fold.h"

struct incidents;
MUST_USE err incidents_new(struct incidents **out, struct fail *f);
void incidents_free(struct incidents *x);

/* One refusal. `signer`: the key whose signature held ("" or unknown to the log: a claim). `note`:
 * the signed note, kept as evidence when proven; else empty. Rows past the bound are counted
 * together. */
void incidents_add(struct incidents *x, err code, const char *signer, bool proven,
                   enum record_type type, struct span note, uint64_t ms);
uint64_t incidents_waiting(struct incidents *x); /* refusals not yet written */
uint64_t incidents_total(struct incidents *x);   /* since start */

/* Appends the text of an incident record (keys that the fold does not know become "unknown") and the
 * evidence notes to be stored as public objects; nothing if there is nothing to say. The rows are
 * kept until incidents_written. */
MUST_USE err incidents_take(struct incidents *x, const struct fold *fold, struct buf *text,
                            struct span *evidence, size_t max, size_t *count, struct fail *f);
/* The record of the last take is in the log (true) or was given up (false: its rows come again). */
void incidents_written(struct incidents *x, bool logged);

#endif
