/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A record on its way in: taken apart and its signatures checked by the thread that received it, so
 * that the sequencer has only to apply it. */
#ifndef SERVICE_SUBMISSION_H
#define SERVICE_SUBMISSION_H

#include "election/receipt.h"
#include "service/keyring.h"

/* A signature line that holds under this public key. */
struct checked_line {
    uint8_t line;
    uint8_t pub[32];
};

struct receipt {
    err code; /* OK: sequenced, durable; otherwise `fail` says why not */
    bool duplicate;
    uint64_t index;
    struct buf bytes; /* spec/api.yaml, "receipt": the entry and its proof; the callee may take it */
    struct fail fail;
};

struct submission {
    struct buf note;
    struct hash id;
    enum record_type type;
    char signer[128]; /* name of the first known key whose signature holds; "" if none */
    size_t checked_count;
    struct checked_line checked[16];
    void (*done)(void *ctx, struct receipt *r); /* called once, by the sequencer's thread */
    void *ctx;
    struct submission *next;
};

/* Copies the note and checks it: framing, then every line of a known key (and, in a key record, the
 * line of the key that it introduces). E_SIGNATURE when one does not hold, E_SIGNER when none is by
 * a known key. *out is complete even then as far as it goes (for the record of refusals); the caller
 * frees it with submission_free, or hands it to the sequencer, which does. */
MUST_USE err submission_new(struct span note, struct keyring *keys, struct submission **out,
                            struct fail *f);
/* Unchecked: for what the log says itself, and for benchmarks. */
MUST_USE err submission_raw(struct span note, struct submission **out, struct fail *f);
void submission_free(struct submission *s);

#endif
