/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Drawing batches in integers only: error-bound weights, and k = SHA-256(seed "," i) mod total.
 *
 * The seed is public dice, kept as text. Drawing with probability proportional to weight and
 * passing over repeats is exactly sequential sampling without replacement; anyone can re-do it with
 * sha256sum and bc. The same generator picks ballots in ColoradoRLA and in Rivest's sampler.py (k +
 * 1). */
#ifndef STATS_AUDIT_SAMPLE_H
#define STATS_AUDIT_SAMPLE_H

#include "stats/audit/assorter.h"

enum {
    AUDIT_SEED_DIGITS = 20, /* fewest decimal digits of dice that bind an audit */
    AUDIT_SEED_MAX = 200,   /* bytes */
};
/* Scale of weights: w = ceil(2^20 * R / s). */
#define AUDIT_WEIGHT_ONE ((uint64_t)1 << 20)
/* Drawing stops after this many repeats in a row: what is left is so light that a full count of it
 * is the next step. */
#define AUDIT_REPEATS_MAX ((uint64_t)1 << 22)

/* Dice for a binding audit: E_AUDIT_SEED unless at least 20 and at most 200 decimal digits. */
MUST_USE err audit_seed_check(struct span seed, struct fail *f);

/* SHA-256(seed "," i) mod total, as integers; `stratum` (may be empty) goes between: seed ","
 * stratum "," i. total > 0, seed and stratum at most AUDIT_SEED_MAX bytes each. */
uint64_t audit_pick(struct span seed, struct span stratum, uint64_t i, uint64_t total);

/* w_g = max over the assertions whose region holds g of ceil(2^20 * R_g / s), R_g the assorter
 * value of the reported votes and s = max(kb, q/2). Any positive weights are valid; s = kb alone
 * (the share's numerator) would let "a quarter in each county" outweigh a majority on the same
 * ballots twofold, and a narrow majority would then take tens of times the stations. w[batches];
 * *total their sum. E_OVERFLOW past 2^62. */
MUST_USE err audit_weights(const struct audit_contest *c, const struct assertion *a, size_t n,
                           uint64_t *w, uint64_t *total, struct fail *f);

/* A sampler over committed weights. Plain value; the pointers are borrowed. */
struct audit_sampler {
    const uint64_t *below; /* [n] running sums: batch g holds k with below[g-1] <= k < below[g] */
    size_t n;
    struct span seed, stratum;
    uint64_t next;  /* the next i, from 1 */
    uint8_t *drawn; /* [n] set for batches drawn; NULL samples with replacement */
    uint64_t left;  /* weight not drawn yet */
};
/* below[n] gets the running sums of w; drawn[n] is zeroed. */
void audit_sampler_init(struct audit_sampler *s, const uint64_t *w, size_t n, uint64_t *below,
                        uint8_t *drawn, struct span seed, struct span stratum);
struct audit_pick {
    uint32_t batch;
    uint64_t i, k; /* the draw's number in the hash, and the hash modulo the total */
};
/* The next draw; false when no positive weight is left (or only what AUDIT_REPEATS_MAX gives up).
 */
bool audit_sampler_next(struct audit_sampler *s, struct audit_pick *out);

#endif
