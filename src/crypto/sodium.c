/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Everything that libsodium does for the project: ed25519.h, secret.h, its part of sealed.h. */
#include "crypto/ed25519.h"
#include "crypto/sealed.h"
#include "crypto/secret.h"

#include <pthread.h>
#include <stdlib.h>
#include <sodium.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare(void) {
    if (sodium_init() < 0) abort(); /* no random source: no key made here could be trusted */
}

static void ready(void) {
    (void)pthread_once(&once, prepare);
}

void ed25519_from_seed(const uint8_t seed[32], struct ed25519_secret *secret,
                       struct ed25519_public *public) {
    ready();
    (void)crypto_sign_seed_keypair(public->b, secret->b, seed);
}

void ed25519_generate(struct ed25519_secret *secret, struct ed25519_public *public) {
    uint8_t seed[ED25519_SEED_BYTES];
    secret_random(seed, sizeof seed);
    ed25519_from_seed(seed, secret, public);
    secret_wipe(seed, sizeof seed);
}

struct ed25519_public ed25519_public_of(const struct ed25519_secret *secret) {
    struct ed25519_public p;
    memcpy(p.b, secret->b + ED25519_SEED_BYTES, sizeof p.b);
    return p;
}

void ed25519_sign(const struct ed25519_secret *secret, struct span message,
                  struct ed25519_signature *out) {
    ready();
    (void)crypto_sign_detached(out->b, NULL, message.p, message.n, secret->b);
}

bool ed25519_verify(const struct ed25519_public *public, const struct ed25519_signature *sig,
                    struct span message) {
    ready();
    return crypto_sign_verify_detached(sig->b, message.p, message.n, public->b) == 0;
}

void secret_random(void *out, size_t n) {
    ready();
    randombytes_buf(out, n);
}

uint32_t secret_random_below(uint32_t n) {
    ready();
    return randombytes_uniform(n);
}

void secret_wipe(void *p, size_t n) {
    sodium_memzero(p, n);
}

bool secret_eq(const void *a, const void *b, size_t n) {
    return sodium_memcmp(a, b, n) == 0;
}

void *secret_alloc(size_t n) {
    ready();
    return sodium_malloc(n);
}

void secret_free(void *p) {
    sodium_free(p);
}

_Static_assert(SECRET_SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES, "salt");
_Static_assert(SECRET_NONCE_BYTES == crypto_secretbox_NONCEBYTES, "nonce");
_Static_assert(SECRET_TAG_BYTES == crypto_secretbox_MACBYTES, "tag");

static err derive(struct span passphrase, struct secret_kdf kdf,
                  const uint8_t salt[SECRET_SALT_BYTES], uint8_t key[crypto_secretbox_KEYBYTES],
                  struct fail *f) {
    ready();
    if (kdf.ops < crypto_pwhash_argon2id_OPSLIMIT_MIN || kdf.ops > SECRET_KDF_OPS_MAX ||
        kdf.kib < SECRET_KDF_KIB_MIN || kdf.kib > SECRET_KDF_KIB_MAX)
        return fail_set(f, E_RANGE,
                        "Argon2id with %u passes over %u KiB is outside what is allowed (1-%d "
                        "passes, %d-%d KiB)",
                        kdf.ops, kdf.kib, SECRET_KDF_OPS_MAX, SECRET_KDF_KIB_MIN,
                        SECRET_KDF_KIB_MAX);
    if (passphrase.n > crypto_pwhash_argon2id_PASSWD_MAX)
        return fail_set(f, E_RANGE, "the passphrase is too long");
    if (crypto_pwhash_argon2id(key, crypto_secretbox_KEYBYTES, (const char *)passphrase.p,
                               passphrase.n, salt, kdf.ops, (size_t)kdf.kib * 1024,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return fail_set(f, E_MEMORY,
                        "no %u MiB of memory for the passphrase's key: close other programs and "
                        "try again",
                        kdf.kib / 1024);
    return OK;
}

err secret_seal(struct span plain, struct span passphrase, struct secret_kdf kdf,
                uint8_t salt[SECRET_SALT_BYTES], uint8_t nonce[SECRET_NONCE_BYTES], uint8_t *out,
                struct fail *f) {
    uint8_t key[crypto_secretbox_KEYBYTES];
    secret_random(salt, SECRET_SALT_BYTES);
    secret_random(nonce, SECRET_NONCE_BYTES);
    TRY(derive(passphrase, kdf, salt, key, f));
    (void)crypto_secretbox_easy(out, plain.p, plain.n, nonce, key);
    secret_wipe(key, sizeof key);
    return OK;
}

err secret_open(struct span box, struct span passphrase, struct secret_kdf kdf,
                const uint8_t salt[SECRET_SALT_BYTES], const uint8_t nonce[SECRET_NONCE_BYTES],
                uint8_t *out, struct fail *f) {
    uint8_t key[crypto_secretbox_KEYBYTES];
    if (box.n < SECRET_TAG_BYTES)
        return fail_set(f, E_PASSPHRASE,
                        "the sealed part is cut short: restore a copy of the file");
    TRY(derive(passphrase, kdf, salt, key, f));
    int bad = crypto_secretbox_open_easy(out, box.p, box.n, nonce, key);
    secret_wipe(key, sizeof key);
    if (bad)
        return fail_set(
            f, E_PASSPHRASE,
            "the passphrase is wrong, or the file is damaged: try the passphrase again");
    return OK;
}

_Static_assert(SEALED_WRAP_BYTES == crypto_box_SEALBYTES + 32, "sealed key");
_Static_assert(SEALED_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(SEALED_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

bool sealed_wrap(const struct ed25519_public *to, const uint8_t key[32],
                 uint8_t out[SEALED_WRAP_BYTES]) {
    uint8_t x[crypto_box_PUBLICKEYBYTES];
    ready();
    return crypto_sign_ed25519_pk_to_curve25519(x, to->b) == 0 &&
           crypto_box_seal(out, key, 32, x) == 0;
}

bool sealed_unwrap(const struct ed25519_secret *by, const uint8_t box[SEALED_WRAP_BYTES],
                   uint8_t key[32]) {
    uint8_t x[crypto_box_PUBLICKEYBYTES], secret[crypto_box_SECRETKEYBYTES];
    ready();
    const struct ed25519_public p = ed25519_public_of(by);
    const bool good = crypto_sign_ed25519_pk_to_curve25519(x, p.b) == 0 &&
                      crypto_sign_ed25519_sk_to_curve25519(secret, by->b) == 0 &&
                      crypto_box_seal_open(key, box, SEALED_WRAP_BYTES, x, secret) == 0;
    secret_wipe(secret, sizeof secret);
    return good;
}

void sealed_encrypt(const uint8_t key[32], const uint8_t nonce[SEALED_NONCE_BYTES],
                    struct span head, struct span content, uint8_t *out) {
    ready();
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, content.p, content.n, head.p,
                                                     head.n, NULL, nonce, key);
}

bool sealed_decrypt(const uint8_t key[32], const uint8_t nonce[SEALED_NONCE_BYTES],
                    struct span head, struct span box, uint8_t *out) {
    ready();
    return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, box.p, box.n, head.p, head.n,
                                                      nonce, key) == 0;
}
