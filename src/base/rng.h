/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A seeded generator for simulation, demo data and resampling: the same seed gives the same numbers
 * on every machine. Never for keys, nonces or salts (crypto/ has those), never for an audit's sample.
 *
 * xoshiro256** 1.0 by Blackman and Vigna, seeded by SplitMix64 (public domain algorithms). */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed);
/* An independent stream for part `n` of a computation, so that results do not depend on threads. */
void rng_init_stream(struct rng *r, uint64_t seed, uint64_t n);
/* Inline: simulations draw hundreds of millions. */
static inline uint64_t rng_u64(struct rng *r) {
    uint64_t *s = r->s, x = s[1] * 5, result = (x << 7 | x >> 57) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s[3] << 45 | s[3] >> 19;
    return result;
}
/* Uniform in 0..n-1 without bias (n > 0). */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Uniform in [0, 1) with 53 bits. */
double rng_double(struct rng *r);
/* Standard normal (polar method). */
double rng_normal(struct rng *r);

#endif
