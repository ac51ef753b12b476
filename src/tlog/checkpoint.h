/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Checkpoints: a log's signed promise of size and root (C2SP tlog-checkpoint v1.0.0; spec/log.md,
 * section 2). The body is origin, size and base64 root, a line each; extension lines may follow.
 *
 * Parsed values borrow from the caller's bytes. */
#ifndef TLOG_CHECKPOINT_H
#define TLOG_CHECKPOINT_H

#include "crypto/hash.h"
#include "crypto/note.h"

enum { CHECKPOINT_BYTES_MAX = 64 * 1024 }; /* a whole note, with its cosignatures */

struct checkpoint {
    struct span body; /* the signed text, with its last '\n' */
    struct span origin;
    uint64_t size; /* entries; at most 2^63 - 1 */
    struct hash root;
    struct span extensions; /* lines after the root, each with its '\n'; usually empty */
};

/* A body (not the note): E_CHECKPOINT. */
MUST_USE err checkpoint_parse(struct span body, struct checkpoint *out, struct fail *f);
/* Appends a body. `extensions` is empty or non-empty lines, each ended by '\n'. E_CHECKPOINT when
 * the result would not parse. */
MUST_USE err checkpoint_format(struct span origin, uint64_t size, const struct hash *root,
                               struct span extensions, struct buf *out, struct fail *f);
/* Appends a whole note of a body without extensions, signed by the log (type 01), whose key's name
 * is the origin. */
MUST_USE err checkpoint_sign(const struct note_signer *log, uint64_t size, const struct hash *root,
                             struct buf *out, struct fail *f);
/* A checkpoint note of the log with this key: its signature must verify (E_SIGNATURE, E_UNSIGNED)
 * and its origin be the key's name (E_ORIGIN). Lines of others are kept in lines[max] and not
 * verified. Malformed: E_NOTE, E_UTF8, E_BASE64, E_CHECKPOINT. */
MUST_USE err checkpoint_open(struct span bytes, const struct note_key *log, struct checkpoint *out,
                             struct note *note, struct note_line *lines, size_t max,
                             struct fail *f);
/* SHA-256 of the origin: in hexadecimal, the folder of this log at witnesses and mirrors. */
struct hash checkpoint_origin_id(struct span origin);

#endif
