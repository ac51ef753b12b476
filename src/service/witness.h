/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A witness: remembers, for each log that it watches, the last checkpoint that it cosigned, and
 * cosigns only what extends it (tlog/witness.h has the rules). HTTP is in http/witness_routes.h.
 *
 * State is one file a log, DIR/<hex SHA-256 of the origin>, replaced durably before any reply: what
 * was said survives kill -9 and power cuts. A folder restored from an old copy cannot be told from a
 * current one; whoever restores a witness must begin with a new key. */
#ifndef SERVICE_WITNESS_H
#define SERVICE_WITNESS_H

#include "crypto/note.h"
#include "tlog/witness.h"

enum { WITNESS_LOGS_MAX = 256 };

struct witness;

struct witness_options {
    const char *dir;
    const struct note_signer *key; /* type 04; borrowed */
    const struct note_key *logs;   /* type 01; their names (the origins) are borrowed */
    size_t log_count;              /* at most WITNESS_LOGS_MAX */
};

/* Makes DIR, locks it, reads what was cosigned. E_LOCKED, E_VKEY, E_CONFIG (an origin twice, none),
 * E_DAMAGED when a state file is not what this witness wrote for this log. */
MUST_USE err witness_open(const struct witness_options *o, struct witness **out, struct fail *f);
void witness_close(struct witness *w); /* NULL is fine */

/* An answer; the body is filled in (at most WITNESS_ANSWER_MAX), the caller releases it. */
struct witness_reply {
    int status;       /* 200, 400, 403, 404, 409, 422; 500 when the state could not be written */
    const char *type; /* static */
    struct buf body;
};
/* POST add-checkpoint. Thread-safe. After a failed write this log is answered 500 until the witness
 * is opened again, because the disk's state is not known. */
void witness_add_checkpoint(struct witness *w, struct span request, struct witness_reply *out);
/* GET <origin id>/checkpoint: the last checkpoint cosigned, with this witness's line. 404. */
void witness_latest(struct witness *w, struct span origin_hex, struct witness_reply *out);

struct witness_status {
    struct span origin; /* borrowed from the options */
    uint64_t size;      /* 0: nothing cosigned yet */
    uint64_t time_s;    /* of the last cosignature, unix; 0: none */
    bool failed;
};
size_t witness_log_count(const struct witness *w);
/* Log i, in the order of the options. */
void witness_status_of(struct witness *w, size_t i, struct witness_status *out);

/* What a state file says, for the key and log that it must be of: "hesabu/witness/v1\n", then the
 * checkpoint with the log's and the witness's signature. E_DAMAGED. Pure. */
MUST_USE err witness_state_parse(struct span bytes, const struct note_key *log,
                                 const struct note_key *witness, struct witness_state *state,
                                 uint64_t *time_s, struct fail *f);

#endif
