/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Random variates for resampling and simulation, from the project's seeded generator: the same seed
 * gives the same values on every machine with IEEE doubles and a correctly rounded libm. */
#ifndef STATS_FORENSICS_DRAW_H
#define STATS_FORENSICS_DRAW_H

#include "base/rng.h"

/* Gamma(shape, 1), shape > 0: Marsaglia and Tsang 2000. */
double draw_gamma(struct rng *r, double shape);
/* Beta(a, b) as a ratio of gammas; in [0, 1]. */
double draw_beta(struct rng *r, double a, double b);
/* Bin(n, p): inversion for small n p, else transformed rejection (Hormann 1993, BTRS). */
uint32_t draw_binomial(struct rng *r, uint32_t n, double p);
/* Poisson(mean): multiplication for small means, else Hormann 1993 (PTRS). */
uint32_t draw_poisson(struct rng *r, double mean);
/* Uniform in 0..n-1 from 32 bits (multiply and shift; bias below n / 2^32). */
static inline uint32_t draw_below(struct rng *r, uint32_t n) {
    return (uint32_t)(((rng_u64(r) >> 32) * n) >> 32);
}
/* Shuffles ix[0..n) in place (Fisher-Yates). */
void draw_shuffle(struct rng *r, uint32_t *ix, uint32_t n);

#endif
