/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The trust anchor: the few lines that are gazetted and printed on every form (spec/log.md): origin,
 * the log's key, the manifest's id and the witness policy.
 *
 *   hesabu/anchor/v1
 *   origin ORIGIN
 *   log VKEY
 *   manifest HEX
 *   (policy lines, as in tlog/policy.h, to the end) */
#ifndef ELECTION_ANCHOR_H
#define ELECTION_ANCHOR_H

#include "base/bytes.h"
#include "crypto/hash.h"
#include "crypto/note.h"

enum { ANCHOR_BYTES_MAX = 64 * 1024 };

struct anchor {
    struct span origin, log_vkey, policy; /* borrowed from the file's bytes */
    struct note_key log;
    struct hash manifest;
};

/* Strict: E_ANCHOR, E_VKEY, E_HEX. The policy is not parsed here. */
MUST_USE err anchor_parse(struct span bytes, struct anchor *out, struct fail *f);
void anchor_format(struct span origin, struct span log_vkey, const struct hash *manifest,
                   struct span policy, struct buf *out);
/* SHA-256 of the file: what is printed as the anchor's fingerprint. */
struct hash anchor_fingerprint(struct span bytes);

#endif
