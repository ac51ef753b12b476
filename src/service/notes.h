/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Gathering signatures: a record's text that is not signed yet, or a note that some have signed, gets
 * further lines. Lines stand in bytewise order, one a key; nothing is verified that no key is given
 * for. Bytes in, bytes out. */
#ifndef SERVICE_NOTES_H
#define SERVICE_NOTES_H

#include "election/record.h"

/* A record on paper's way: signed by nobody yet (split.count 0) or by some. Borrows from the bytes.
 * As record_parse, which knows the text and the bounds; E_NOTE says what was expected. */
MUST_USE err notes_parse(struct span bytes, struct record *out, struct fail *f);

/* Appends the note with the lines of signers[n] added. A line that a signer has put there already
 * stays when it holds (Ed25519 signatures here are deterministic) and is E_SIGNATURE when it does not.
 * E_USAGE for a key of another type than a record's (01). */
MUST_USE err notes_sign(struct span bytes, const struct note_signer *const *signers, size_t n,
                        struct buf *out, struct fail *f);

/* Appends one note with the union of the lines of parts[n] (n > 0). E_NOTE when the texts differ,
 * naming the parts; E_LINES when one key signs in two ways. */
MUST_USE err notes_merge(const struct span *parts, size_t n, struct buf *out, struct fail *f);

/* Every object that the record's JSON names, in order; at most max. `restricted` is what the field's
 * name tells: the originals of forms and people's words are not for the public. */
struct notes_object {
    struct hash id;
    uint64_t size;
    bool restricted;
};
MUST_USE err notes_objects(const struct record *r, struct notes_object *out, size_t max, size_t *n,
                           struct fail *f);

/* A string or number member of the record's JSON at its first level, as it is spelled; .p NULL when
 * there is none. For showing what is signed, never for deciding. */
struct span notes_member(const struct record *r, const char *key);

#endif
