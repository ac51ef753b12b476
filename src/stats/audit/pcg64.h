/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* numpy's default generator, to re-check samples that others drew with it: SeedSequence, PCG64
 * (XSL-RR 128/64) and choice(n, p, replace). Floating point: for re-checking only, never to draw.
 *
 * Sources: numpy 1.17+ documentation of SeedSequence and PCG64; M. E. O'Neill, "PCG" (2014). */
#ifndef STATS_AUDIT_PCG64_H
#define STATS_AUDIT_PCG64_H

#include "base/bytes.h"
#include "base/err.h"

struct pcg64 {
    uint64_t state_high, state_low, step_high, step_low;
};

/* Entropy: a non-negative integer, big-endian (leading zero bytes count for nothing). */
void pcg64_seed(struct pcg64 *r, struct span entropy);
/* The generator that Arlo uses: entropy = SHA-256 of the seed's text. */
void pcg64_seed_arlo(struct pcg64 *r, struct span seed);
uint64_t pcg64_u64(struct pcg64 *r);
double pcg64_double(struct pcg64 *r); /* [0, 1) with 53 bits */

/* choice(n, size, replace=True, p): `cumulative`[n] has room for the running sums of p. */
void pcg64_choice(struct pcg64 *r, const double *p, size_t n, double *cumulative, uint32_t *out,
                  size_t size);

#endif
