/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hash.h and ed25519.h in the browser: Debian's own source of libsodium, compiled with the rest, so that
 * the verdict on a signature is the same code as on every other machine. Verifies; holds no secrets, so
 * the few functions of libsodium's that guard secrets are plain here. */
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#include <stdlib.h>
#include <crypto_hash_sha256.h>
#include <crypto_sign_ed25519.h>

/* --- what libsodium's files ask of its utils.c --- */

int sodium_memcmp(const void *a, const void *b, size_t n);
int sodium_is_zero(const unsigned char *p, const size_t n);
void sodium_memzero(void *p, const size_t n);
_Noreturn void sodium_misuse(void);

int sodium_memcmp(const void *a, const void *b, size_t n) {
    return memcmp(a, b, n) ? -1 : 0;
}

int sodium_is_zero(const unsigned char *p, const size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i]) return 0;
    return 1;
}

void sodium_memzero(void *p, const size_t n) {
    memset(p, 0, n);
}

_Noreturn void sodium_misuse(void) {
    abort();
}

/* --- hash.h --- */

struct hash sha256(struct span s) {
    return sha256_2(s, (struct span){NULL, 0});
}

struct hash sha256_2(struct span a, struct span b) {
    crypto_hash_sha256_state state;
    struct hash out;
    (void)crypto_hash_sha256_init(&state);
    if (a.n) (void)crypto_hash_sha256_update(&state, a.p, a.n);
    if (b.n) (void)crypto_hash_sha256_update(&state, b.p, b.n);
    (void)crypto_hash_sha256_final(&state, out.b);
    return out;
}

struct sha256_stream {
    crypto_hash_sha256_state state;
};

err sha256_stream_new(struct sha256_stream **out, struct fail *f) {
    *out = malloc(sizeof **out);
    if (!*out) return fail_set(f, E_MEMORY, "no memory for hashing: free some and try again");
    (void)crypto_hash_sha256_init(&(*out)->state);
    return OK;
}

void sha256_stream_add(struct sha256_stream *s, struct span part) {
    if (part.n) (void)crypto_hash_sha256_update(&s->state, part.p, part.n);
}

struct hash sha256_stream_end(struct sha256_stream *s) {
    struct hash out;
    (void)crypto_hash_sha256_final(&s->state, out.b);
    (void)crypto_hash_sha256_init(&s->state);
    return out;
}

void sha256_stream_free(struct sha256_stream *s) {
    free(s);
}

/* --- ed25519.h: verifying --- */

bool ed25519_verify(const struct ed25519_public *public, const struct ed25519_signature *sig,
                    struct span message) {
    return crypto_sign_ed25519_verify_detached(sig->b, message.p, message.n, public->b) == 0;
}

/* Nothing here signs; note.h's signing half is linked to these and thrown away. */
void ed25519_from_seed(const uint8_t seed[32], struct ed25519_secret *secret,
                       struct ed25519_public *public) {
    (void)seed, (void)secret, (void)public;
    abort();
}

void ed25519_sign(const struct ed25519_secret *secret, struct span message,
                  struct ed25519_signature *out) {
    (void)secret, (void)message, (void)out;
    abort();
}

void secret_wipe(void *p, size_t n) {
    memset(p, 0, n);
}
