/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Files sealed to several signing keys (spec/log.md, section 9.1): the holder of any one of them can
 * open the file, nobody else can. Bytes in, bytes out. Safe from any thread. */
#ifndef CRYPTO_SEALED_H
#define CRYPTO_SEALED_H

#include "crypto/hash.h"
#include "crypto/note.h"

enum {
    SEALED_KEYS_MAX = 32,
    SEALED_HEAD_MAX = 16384,
    SEALED_WRAP_BYTES = 80, /* the content's key, sealed to one key */
    SEALED_NONCE_BYTES = 24,
    SEALED_TAG_BYTES = 16
};

/* Appends the sealed form of `content` for keys[count]: 1 to SEALED_KEYS_MAX known keys, each once
 * (E_RANGE). New randomness each time. E_VKEY for a key that nothing can be sealed to. */
MUST_USE err sealed_make(struct span content, const struct note_key *keys, size_t count,
                         struct buf *out, struct fail *f);

/* What stands in the clear. Names borrow from the file. */
struct sealed_head {
    struct hash content; /* SHA-256 of what is inside */
    uint64_t size;
    size_t count;
    struct note_key key[SEALED_KEYS_MAX];
    uint8_t wrapped[SEALED_KEYS_MAX][SEALED_WRAP_BYTES];
    struct span head, body; /* of the file */
};
/* Strict: E_FIELD, E_VKEY, E_BASE64, E_HEX for anything that sealed_make does not write. */
MUST_USE err sealed_parse(struct span file, struct sealed_head *out, struct fail *f);

/* Appends the content. E_NOT_FOUND when the file is not sealed to this key, E_OBJECT when any byte of
 * it has been changed, E_TOKEN_KEY for a key on a token: those only sign. */
MUST_USE err sealed_open(struct span file, const struct note_signer *by, struct buf *out,
                         struct fail *f);

/* What libsodium does of it (sodium.c): sealed box to the key's X25519 form, and
 * XChaCha20-Poly1305. false: no such key; not sealed to it; changed. */
MUST_USE bool sealed_wrap(const struct ed25519_public *to, const uint8_t key[32],
                          uint8_t out[SEALED_WRAP_BYTES]);
MUST_USE bool sealed_unwrap(const struct ed25519_secret *by, const uint8_t box[SEALED_WRAP_BYTES],
                            uint8_t key[32]);
void sealed_encrypt(const uint8_t key[32], const uint8_t nonce[SEALED_NONCE_BYTES],
                    struct span head, struct span content, uint8_t *out);
MUST_USE bool sealed_decrypt(const uint8_t key[32], const uint8_t nonce[SEALED_NONCE_BYTES],
                             struct span head, struct span box, uint8_t *out);

#endif
