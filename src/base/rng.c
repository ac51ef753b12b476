/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/rng.h"

#include <math.h>

static uint64_t splitmix(uint64_t *x) {
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rng_init(struct rng *r, uint64_t seed) {
    rng_init_stream(r, seed, 0);
}

void rng_init_stream(struct rng *r, uint64_t seed, uint64_t n) {
    uint64_t a = seed, b = n;
    uint64_t x = n ? splitmix(&a) ^ splitmix(&b) : seed;
    for (int i = 0; i < 4; i++) r->s[i] = splitmix(&x);
}

uint64_t rng_below(struct rng *r, uint64_t n) {
    uint64_t least = (0 - n) % n; /* values below it would be drawn once too often */
    uint64_t v;
    do v = rng_u64(r);
    while (v < least);
    return v % n;
}

double rng_double(struct rng *r) {
    return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

double rng_normal(struct rng *r) {
    double u, v, q;
    do {
        u = 2 * rng_double(r) - 1;
        v = 2 * rng_double(r) - 1;
        q = u * u + v * v;
    } while (q >= 1 || q == 0);
    return u * sqrt(-2 * log(q) / q);
}
