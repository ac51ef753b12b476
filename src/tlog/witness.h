/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The rules of the witness protocol (C2SP tlog-witness v1.0.0; spec/log.md, section 7), without
 * I/O: what a witness answers to add-checkpoint, and what a log makes of the answer.
 *
 * A witness: parse; find log and stored state by the origin; decide; on 200 compare-and-set and
 * persist the new state, then cosign, then reply. */
#ifndef TLOG_WITNESS_H
#define TLOG_WITNESS_H

#include "tlog/cosignature.h"
#include "tlog/merkle.h"

enum { WITNESS_PROOF_MAX = 63, WITNESS_REQUEST_MAX = 96 * 1024, WITNESS_ANSWER_MAX = 64 * 1024 };
#define WITNESS_SIZE_TYPE "text/x.tlog.size" /* Content-Type of a 409's body */

/* A request's body, borrowed from its bytes. */
struct witness_request {
    uint64_t old_size;
    size_t count;
    struct hash proof[WITNESS_PROOF_MAX];
    struct span note;             /* the checkpoint, signatures included */
    struct checkpoint checkpoint; /* its body, not yet verified */
};
/* What the witness last cosigned for a log; zeroed (size 0) when it has seen nothing. */
struct witness_state {
    uint64_t size;
    struct hash root; /* meaningful when size > 0 */
};
struct witness_answer {
    int status;       /* 200, 400, 403, 404, 409, 422 */
    const char *type; /* Content-Type: WITNESS_SIZE_TYPE for 409, else text/plain; static */
    char body[408];   /* for all but 200, whose body is cosignature lines: NUL-terminated text */
    struct witness_state next; /* 200: what to persist before replying */
};

/* Structure only; a failure is answered with 400 (E_CHECKPOINT, E_NOTE, E_UTF8, E_BASE64,
 * E_NUMBER). */
MUST_USE err witness_request_parse(struct span body, struct witness_request *out, struct fail *f);
/* Decides about a parsed request. log: the known key of its origin (request->checkpoint.origin),
 * NULL when there is none; state: what is stored for it. */
void witness_decide(const struct witness_request *request, const struct note_key *log,
                    const struct witness_state *state, struct witness_answer *out);

/* The log's side: appends a request's body. E_RANGE past WITNESS_PROOF_MAX hashes. */
MUST_USE err witness_request_format(uint64_t old_size, const struct hash *proof, size_t n,
                                    struct span note, struct buf *out, struct fail *f);
/* A 200's body: verifies the line of this witness over the checkpoint's body and appends it, with
 * its
 * '\n', to *out. E_NETWORK when the body is not signature lines or the witness's line is missing,
 * E_SIGNATURE when it does not verify. *time_s gets the cosignature's time. */
MUST_USE err witness_answer_read(struct span answer, const struct note_key *witness,
                                 struct span checkpoint_body, struct buf *out, uint64_t *time_s,
                                 struct fail *f);
/* A 409's body: "<size>\n". E_NETWORK. */
MUST_USE err witness_conflict_read(struct span answer, uint64_t *size, struct fail *f);

#endif
