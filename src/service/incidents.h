/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What was refused, counted until it is written into the log: at most 256 rows, one record in ten
 * minutes, so that refusals cannot flood a permanent log. What waits is kept in a private file, so
 * that a killed process forgets at most its last seconds. Thread-safe. */
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

/* Appends the text of an incident record (keys that the fold does not know become "unknown") and
 * the evidence notes to be stored as public objects; nothing if there is nothing to say. The rows
 * are kept until incidents_written. */
MUST_USE err incidents_take(struct incidents *x, const struct fold *fold, uint64_t ms,
                            struct buf *text, struct span *evidence, size_t max, size_t *count,
                            struct fail *f);
/* The record of the last take is in the log (true) or was given up (false: its rows come again). */
void incidents_written(struct incidents *x, bool logged);

/* What waits, as lines of text: "hesabu incidents v1", "taken <ms of the last take>", then a row a
 * line: code, class, type, key, count, told, first ms, last ms, note in base64 ("-" for what is
 * empty). True if anything changed since the last call; *out is set either way. */
bool incidents_format(struct incidents *x, struct buf *out);
/* Adds the rows of such a text. `logged_ms`: the time of the log's last incident record; if it is
 * that of the last take, what that take told is in the log already and is left out. E_DAMAGED with
 * nothing added if it is no such text. */
MUST_USE err incidents_parse(struct incidents *x, struct span text, uint64_t logged_ms,
                             struct fail *f);
/* The same, kept in a file. Saving: only if anything changed; a failure is told and tried again
 * with the next change. Loading: a file that is not there holds nothing; one that cannot be read is
 * put aside as "<path>.damaged" and told: what waited is no reason not to start. */
void incidents_save(struct incidents *x, const char *path);
MUST_USE err incidents_load(struct incidents *x, const char *path, uint64_t logged_ms,
                            struct fail *f);

#endif
