/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signed notes and their keys (C2SP signed-note v1.0.0; spec/log.md, section 1): a text, an empty
 * line, signature lines. Reading is strict, allocates nothing and borrows from the caller's bytes.
 *
 * A key is known by (name, id). Types 01 (Ed25519 over the text) and 04 (timestamped Ed25519
 * cosignature, tlog/cosignature.h) have keys here; all other types are kept as unknown. */
#ifndef CRYPTO_NOTE_H
#define CRYPTO_NOTE_H

#include "crypto/ed25519.h"

enum {
    NOTE_TYPE_ED25519 = 1,
    NOTE_TYPE_ECDSA = 2,
    NOTE_TYPE_COSIGNATURE = 4,
    NOTE_TYPE_SUBTREE = 6, /* ML-DSA-44 */

    NOTE_LINES_MAX = 100,      /* more signature lines are a malformed note */
    NOTE_NAME_MAX = 255,       /* bytes of a key's name */
    NOTE_SIGNATURE_KEPT = 72,  /* decoded bytes kept of a signature: 64, or time and 64 */
    NOTE_VKEY_BYTES_MAX = 4096 /* a verifier key's text */
};

/* A verifier key. `name` borrows from the text (or from whoever filled it in). */
struct note_key {
    struct span name;
    uint32_t id;
    uint8_t type;
    bool known;                   /* type 01 or 04: `public` is set */
    struct ed25519_public public; /* all zero when not known */
};

/* Who signs with a key whose secret is not in this memory (crypto/token.h). */
struct note_device {
    err (*sign)(void *ctx, struct span message, struct ed25519_signature *out, struct fail *f);
    void *ctx;
};

/* A signing key. Holds a secret: keep it in locked memory, wipe it with note_signer_wipe. */
struct note_signer {
    struct note_key key;          /* its name borrows */
    struct ed25519_secret secret; /* all zero with a device */
    struct note_device device;    /* .sign NULL: the secret signs; else borrowed */
};

/* A signature line. Spans borrow from the note. */
struct note_line {
    struct span line; /* whole, from the dash, without its '\n' */
    struct span name;
    uint32_t id;
    size_t n;                           /* bytes of the signature after the key id; > 0 */
    uint8_t bytes[NOTE_SIGNATURE_KEPT]; /* the first n of them; not filled in when n is larger */
};

/* A note's parts, borrowed. */
struct note {
    struct span text;       /* what is signed: with its last '\n' */
    struct span signatures; /* all signature lines, with their last '\n' */
    size_t count;           /* lines filled in by note_split */
};

/* Not empty, at most NOTE_NAME_MAX bytes of UTF-8, no Unicode space, no '+', no control. */
bool note_name_is_valid(struct span name);
/* First four bytes of SHA-256(name || 0A || type || public), big-endian. */
uint32_t note_key_id(struct span name, uint8_t type, struct span public);
/* A key from its parts; type 01 or 04. Borrows name. E_VKEY for another type or a bad name. */
MUST_USE err note_key_make(struct span name, uint8_t type, const struct ed25519_public *public,
                           struct note_key *out, struct fail *f);

/* "name+hex8+base64(type || public)": E_VKEY, also when the id is not the key's (types 01, 04, 06).
 * Other types give known = false. Borrows from `text`. */
MUST_USE err note_vkey_parse(struct span text, struct note_key *out, struct fail *f);
/* Writes a known key. */
void note_vkey_format(const struct note_key *key, struct buf *out);

/* A signer from its parts; type 01 or 04. Borrows name. */
MUST_USE err note_signer_make(struct span name, uint8_t type, const uint8_t seed[32],
                              struct note_signer *out, struct fail *f);
/* "PRIVATE+KEY+name+hex8+base64(type || seed)": E_VKEY. Borrows from `text`. */
MUST_USE err note_skey_parse(struct span text, struct note_signer *out, struct fail *f);
/* Writes the secret key's text (not of a device's key): wipe what `out` held. */
void note_skey_format(const struct note_signer *signer, struct buf *out);
void note_signer_wipe(struct note_signer *signer);
/* The signature over exactly these bytes, by the secret or by the device. A device's signature is
 * handed out only if it holds under the key: E_TOKEN_KEY, or what the device's own failure is. */
MUST_USE err note_signer_sign(const struct note_signer *signer, struct span message,
                              struct ed25519_signature *out, struct fail *f);

/* Only the first step of note_split: valid UTF-8, no control but '\n', cut at the last empty line.
 * The signature part may still be malformed. E_UTF8, E_NOTE. */
MUST_USE err note_cut(struct span bytes, struct note *out, struct fail *f);
/* The structure of a whole note: at least one and at most `max` (<= NOTE_LINES_MAX) lines, into
 * lines[max]. Verifies nothing. E_UTF8 as above, E_BASE64 when a signature is not canonical base64,
 * E_NOTE otherwise. */
MUST_USE err note_split(struct span bytes, struct note *out, struct note_line *lines, size_t max,
                        struct fail *f);
/* The same for lines that stand alone (a witness's answer): "" gives none. */
MUST_USE err note_split_lines(struct span signatures, struct note_line *lines, size_t max,
                              size_t *count, struct fail *f);

static inline bool note_line_is_by(const struct note_line *line, const struct note_key *key) {
    return line->id == key->id && span_eq(line->name, key->name);
}
/* Type 01 only: the line is by this key and its signature holds over `text`. E_SIGNATURE. */
MUST_USE err note_verify(const struct note_key *key, struct span text, const struct note_line *line,
                         struct fail *f);
/* Splits and verifies with the known keys of type 01 among keys[count]: a line by none of them is
 * ignored, a line by one of them that fails is E_SIGNATURE, none that verifies is E_UNSIGNED.
 * lines[max] is filled as by note_split. signed_by[count] (may be NULL) tells which keys signed. */
MUST_USE err note_open(struct span bytes, const struct note_key *keys, size_t count,
                       struct note *out, struct note_line *lines, size_t max, bool *signed_by,
                       struct fail *f);

/* "— name base64(id || signature)\n" */
void note_line_write(struct span name, uint32_t id, struct span signature, struct buf *out);
/* Appends the signature line of a type 01 signer over `text` (which ends in '\n' and is valid note
 * text: E_NOTE, E_UTF8). */
MUST_USE err note_sign_line(const struct note_signer *signer, struct span text, struct buf *out,
                            struct fail *f);
/* Appends a whole note: text, empty line, one line for each of signers[count] (count > 0), sorted
 * bytewise. E_NOTE when two signers are the same key. */
MUST_USE err note_sign(const struct note_signer *const *signers, size_t count, struct span text,
                       struct buf *out, struct fail *f);

#endif
