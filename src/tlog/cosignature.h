/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Cosignatures of checkpoints, type 04 (C2SP tlog-cosignature; spec/log.md, section 4): a witness
 * says "at this time I saw this body, and it extends all that I saw before".
 *
 * Signed is "cosignature/v1\ntime <seconds>\n" || body; the signature is u64be time || 64 bytes. It
 * does not bind the cosigner's name: one key, one cosigner. Type 06 lines are unknown here. */
#ifndef TLOG_COSIGNATURE_H
#define TLOG_COSIGNATURE_H

#include "tlog/checkpoint.h"

#define COSIGNATURE_TIME_MAX ((uint64_t)INT64_MAX)

/* Appends the signature line over a checkpoint's body. `time_s` is unix seconds, 1..2^63-1
 * (E_RANGE). E_CHECKPOINT when the body is none; E_VKEY when the signer is not of type 04. */
MUST_USE err cosignature_sign(const struct note_signer *signer, struct span body, uint64_t time_s,
                              struct buf *out, struct fail *f);
/* The line is by this key (type 04) and holds over the body; *time_s gets its time. E_SIGNATURE. */
MUST_USE err cosignature_verify(const struct note_key *key, struct span body,
                                const struct note_line *line, uint64_t *time_s, struct fail *f);

/* What a key said about a checkpoint. */
struct cosignature {
    bool present;
    uint64_t time_s; /* unix seconds; the earliest where a key signed more than once */
    size_t line;     /* its index in the note's lines */
};
/* Fills out[count], one for each of keys[count]. Lines by none of the keys are ignored; a line by
 * one of them that does not verify is E_SIGNATURE. Keys that are not of type 04 stay absent. */
MUST_USE err cosignatures_collect(struct span body, const struct note_line *lines, size_t n,
                                  const struct note_key *keys, size_t count,
                                  struct cosignature *out, struct fail *f);

#endif
