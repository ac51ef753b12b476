/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* SHA-256 (FIPS 180-4), the one hash of the project: ids, Merkle trees, objects.
 *
 * Hashing cannot fail: where the library below cannot even give a context (the machine is out of
 * memory in a new thread) the process aborts, because carrying on would mean a wrong hash.
 * Safe from any number of threads. A WASM build swaps hash.c and keeps this interface. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/bytes.h"

enum { HASH_BYTES = 32, HASH_HEX_LEN = 64, HASH_BASE64_LEN = 44 };

struct hash {
    uint8_t b[HASH_BYTES];
};

struct hash sha256(struct span s);
/* Of the concatenation, without copying it. */
struct hash sha256_2(struct span a, struct span b);

/* Streaming, for what is too large for one span. The caller owns *out and frees it; after
 * sha256_stream_end the stream is empty and may be used for the next message. */
struct sha256_stream;
MUST_USE err sha256_stream_new(struct sha256_stream **out, struct fail *f);
void sha256_stream_add(struct sha256_stream *s, struct span part);
struct hash sha256_stream_end(struct sha256_stream *s);
/* Of what was added so far; the stream goes on. */
struct hash sha256_stream_now(const struct sha256_stream *s);
void sha256_stream_free(struct sha256_stream *s); /* NULL is fine */

/* Hashes are public: these compare in variable time. */
static inline bool hash_eq(const struct hash *a, const struct hash *b) {
    return memcmp(a->b, b->b, HASH_BYTES) == 0;
}
static inline int hash_cmp(const struct hash *a, const struct hash *b) {
    return memcmp(a->b, b->b, HASH_BYTES);
}
bool hash_is_zero(const struct hash *h);
/* Borrows *h. */
static inline struct span hash_span(const struct hash *h) {
    return (struct span){h->b, HASH_BYTES};
}
/* 64 lowercase digits and a NUL. */
static inline void hash_hex(const struct hash *h, char out[HASH_HEX_LEN + 1]) {
    hex_encode(hash_span(h), out);
}
/* Exactly 64 lowercase digits: E_HEX. */
MUST_USE err hash_from_hex(struct span s, struct hash *out, struct fail *f);
/* Exactly 44 characters of canonical base64: E_BASE64. */
MUST_USE err hash_from_base64(struct span s, struct hash *out, struct fail *f);

#endif
