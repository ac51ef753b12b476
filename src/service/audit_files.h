/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What `hesabu audit` reads: the batches as reported, the sample as counted by hand, batches that
 * were counted together. */
#ifndef SERVICE_AUDIT_FILES_H
#define SERVICE_AUDIT_FILES_H

#include "stats/audit/assorter.h"

/* Batches of one contest with their names. Everything lives in `arena`. */
struct audit_batches {
    struct arena *arena;
    struct audit_contest contest;
    const char **choice;       /* [choices] names, as in the header */
    const char **jurisdiction; /* [regions] names in order of appearance */
    struct span *name;         /* [batches] */
    uint32_t *slot;            /* hash table of batch index + 1 */
    size_t slots;
    bool bounds_given;   /* every batch said its ballots */
    size_t listed;       /* batches in the file; one more stands for ballots in no batch */
    struct hash *digest; /* SHA-256 of the file's bytes */
};

/* Columns jurisdiction, batch, ballots, one per choice. `total_ballots` (0: not given): ballots
 * cast in all; those that no batch accounts for become one batch without votes that cannot be
 * drawn, and a file without (or with an empty) ballots column takes the votes as the bound. */
MUST_USE err audit_batches_read(const char *path, uint64_t total_ballots, struct arena *arena,
                                struct audit_batches *out, struct fail *f);
/* The same from bytes; `name` is for messages. Nothing borrows from them afterwards. */
MUST_USE err audit_batches_parse(struct span bytes, const char *name, uint64_t total_ballots,
                                 struct arena *arena, struct audit_batches *out, struct fail *f);
/* Index of a batch; false if there is none of this name. */
bool audit_batch_find(const struct audit_batches *b, struct span jurisdiction, struct span name,
                      uint32_t *out);
const char *audit_batch_jurisdiction(const struct audit_batches *b, size_t batch);

/* Rows of the sample. A row is a batch, or a combined batch counted as one. */
struct audit_row {
    uint32_t batch;   /* the batch, or the first part of a combined one */
    uint32_t group;   /* 0, or the number of the combined batch from 1 */
    uint32_t tickets; /* times drawn; 0: counted without being drawn */
    uint8_t state;    /* enum audit_state */
    uint64_t line;
    uint64_t *votes;   /* [choices] */
    uint64_t *against; /* [choices] the report that the count is compared with */
};
struct audit_rows {
    struct audit_row *row;
    size_t n;
    uint32_t *row_of; /* [batches] row + 1 that holds the batch's count (parts share a row) */
    uint64_t tickets; /* in all */
    bool repeated;    /* a row was drawn more than once, and is not a combined one */
};
/* Columns jurisdiction, batch, tickets, "audit <choice>". Tickets are the numbers in the field, as
 * in "Round 1: 0.85, 0.98"; "EXTRA" is none. Counts left empty: not counted yet; "lost" in each:
 * the box cannot be produced. `combined` may be NULL, else a file with jurisdiction, combined,
 * part. */
MUST_USE err audit_rows_read(const char *path, const char *combined, struct audit_batches *b,
                             struct audit_rows *out, struct fail *f);
/* The same from bytes, without combined batches; `name` is for what is wrong with them. */
MUST_USE err audit_rows_parse(struct span bytes, const char *name, struct audit_batches *b,
                              struct audit_rows *out, struct fail *f);

#endif
