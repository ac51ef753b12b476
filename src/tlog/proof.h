/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Proof files (C2SP tlog-proof; spec/log.md, section 5): one entry's inclusion in a log, verifiable
 * offline with the log's key and a witness policy. Bounded, strict; borrows from its bytes. */
#ifndef TLOG_PROOF_H
#define TLOG_PROOF_H

#include "tlog/merkle.h"
#include "tlog/policy.h"

enum { TLOG_PROOF_HASHES_MAX = 63, TLOG_PROOF_BYTES_MAX = 128 * 1024 };

struct tlog_proof {
    bool has_extra;
    struct span extra_base64; /* unauthenticated; canonical base64 */
    uint64_t index;           /* of the entry, from 0 */
    size_t count;
    struct hash hashes[TLOG_PROOF_HASHES_MAX]; /* leaf to root */
    struct span checkpoint;                    /* the note, verbatim; not looked at by the parser */
};

/* E_PROOF. */
MUST_USE err tlog_proof_parse(struct span bytes, struct tlog_proof *out, struct fail *f);
/* Appends a file. `extra` is raw bytes; extra.p == NULL leaves the line out. E_RANGE past
 * TLOG_PROOF_HASHES_MAX hashes. */
MUST_USE err tlog_proof_format(struct span extra, uint64_t index, const struct hash *hashes,
                               size_t count, struct span checkpoint, struct buf *out,
                               struct fail *f);
/* The entry is in the log with this key, at proof->index, under a checkpoint that this log signed
 * and that meets the policy (NULL: no witnesses are asked). *checkpoint (may be NULL) borrows from
 * the proof; cosignatures (may be NULL) has policy->witness_count rows. Errors of checkpoint_open
 * and policy_check; E_PROOF. */
MUST_USE err tlog_proof_verify(const struct tlog_proof *proof, struct span entry,
                               const struct note_key *log, const struct policy *policy,
                               struct checkpoint *checkpoint, struct cosignature *cosignatures,
                               struct fail *f);

#endif
