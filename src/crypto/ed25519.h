/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Ed25519 (RFC 8032, pure). The verdict of libsodium 1.0.18 (strict: canonical S, A and R, neither
 * of small order) is the project's only verdict on a signature; no other library and no batch
 * decides.
 *
 * Secrets are plain values whose place the caller chooses: long-lived ones belong in locked memory
 * (crypto/secret.h), every copy is wiped with secret_wipe. Safe from any thread. */
#ifndef CRYPTO_ED25519_H
#define CRYPTO_ED25519_H

#include "base/bytes.h"

enum { ED25519_SEED_BYTES = 32, ED25519_SIGNATURE_BYTES = 64 };

struct ed25519_public {
    uint8_t b[32];
};
struct ed25519_signature {
    uint8_t b[64];
};
struct ed25519_secret {
    uint8_t b[64]; /* seed || public key */
};

/* The key pair of a 32-byte seed. */
void ed25519_from_seed(const uint8_t seed[32], struct ed25519_secret *secret,
                       struct ed25519_public *public);
/* A new key pair from the machine's random source. */
void ed25519_generate(struct ed25519_secret *secret, struct ed25519_public *public);
struct ed25519_public ed25519_public_of(const struct ed25519_secret *secret);

/* Deterministic (RFC 8032). */
void ed25519_sign(const struct ed25519_secret *secret, struct span message,
                  struct ed25519_signature *out);
bool ed25519_verify(const struct ed25519_public *public, const struct ed25519_signature *sig,
                    struct span message);

#endif
