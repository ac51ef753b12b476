/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Secrets: random bytes, locked memory, wiping, and a secret sealed under a passphrase
 * (Argon2id of RFC 9106, then XSalsa20-Poly1305). Implemented over libsodium. Safe from any thread.
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include "base/bytes.h"

enum {
    SECRET_SALT_BYTES = 16,
    SECRET_NONCE_BYTES = 24,
    SECRET_TAG_BYTES = 16,   /* a box is this much longer than what it holds */
    SECRET_KDF_OPS_MAX = 16, /* bounds on what a key file may ask of this machine */
    SECRET_KDF_KIB_MIN = 8,
    SECRET_KDF_KIB_MAX = 1024 * 1024
};

/* Argon2id's costs: passes and memory. */
struct secret_kdf {
    uint32_t ops, kib;
};
/* Interactive use on a phone or laptop: 3 passes over 64 MiB (about 0.3 s). */
#define SECRET_KDF_DEFAULT ((struct secret_kdf){3, 64 * 1024})

void secret_random(void *out, size_t n);
/* Uniform in 0..n-1 (n > 0). */
uint32_t secret_random_below(uint32_t n);
/* Not removed by the compiler. */
void secret_wipe(void *p, size_t n);
/* Constant time. */
bool secret_eq(const void *a, const void *b, size_t n);

/* Memory between guard pages, kept out of core dumps and (as far as the machine's limits allow) out
 * of swap; wiped when freed. A page or more each: for a few keys, not for thousands. NULL when
 * there is no memory. */
void *secret_alloc(size_t n);
void secret_free(void *p); /* NULL is fine */

/* Seals `plain` under a passphrase into out[plain.n + SECRET_TAG_BYTES] with fresh salt and nonce.
 * E_RANGE for costs out of bounds, E_MEMORY when Argon2 cannot have its memory. */
MUST_USE err secret_seal(struct span plain, struct span passphrase, struct secret_kdf kdf,
                         uint8_t salt[SECRET_SALT_BYTES], uint8_t nonce[SECRET_NONCE_BYTES],
                         uint8_t *out, struct fail *f);
/* Opens into out[box.n - SECRET_TAG_BYTES]; E_PASSPHRASE when it does not open. */
MUST_USE err secret_open(struct span box, struct span passphrase, struct secret_kdf kdf,
                         const uint8_t salt[SECRET_SALT_BYTES],
                         const uint8_t nonce[SECRET_NONCE_BYTES], uint8_t *out, struct fail *f);

#endif
