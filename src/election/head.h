/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* head.json: what polling clients read. Its first members follow from the log and have one spelling,
 * so that verify can compare them; the rest (clock, witnesses, notes) is the server's word. */
#ifndef ELECTION_HEAD_H
#define ELECTION_HEAD_H

#include "base/bytes.h"
#include "base/json_out.h"
#include "crypto/hash.h"

enum { HEAD_MAX = 65536 };

/* Appends the file's beginning, and gives back the writer for what follows: {"origin":...,"size":...,"root":...,"last_ms":... */
struct json_out head_begin(struct span origin, uint64_t size, const struct hash *root,
                           uint64_t last_ms, struct buf *out);
/* The size that a head.json names: its second member. E_JSON. */
MUST_USE err head_size(struct span bytes, uint64_t *size, struct fail *f);

#endif
