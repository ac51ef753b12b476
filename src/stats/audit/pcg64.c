/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/pcg64.h"

#include "crypto/hash.h"

typedef unsigned __int128 u128;

enum { POOL = 4, WORDS_MAX = 64 };

/* SeedSequence's running constant: each use of `hash` advances it. */
static uint32_t seed_hash(uint32_t value, uint32_t *k) {
    value ^= *k;
    *k *= UINT32_C(0x931e8875);
    value *= *k;
    return value ^ value >> 16;
}

static uint32_t seed_mix(uint32_t x, uint32_t y) {
    uint32_t r = UINT32_C(0xca01f9dd) * x - UINT32_C(0x4973f715) * y;
    return r ^ r >> 16;
}

static void seed_pool(struct span entropy, uint32_t pool[POOL]) {
    while (entropy.n > 0 && entropy.p[0] == 0) entropy = span_from(entropy, 1);
    uint32_t word[WORDS_MAX] = {0}; /* least significant first */
    size_t n = 0;
    for (size_t i = 0; i < entropy.n && i / 4 < WORDS_MAX; i++) {
        word[i / 4] |= (uint32_t)entropy.p[entropy.n - 1 - i] << 8 * (i % 4);
        n = i / 4 + 1;
    }
    uint32_t k = UINT32_C(0x43b0d7e5);
    for (size_t i = 0; i < POOL; i++) pool[i] = seed_hash(i < n ? word[i] : 0, &k);
    for (size_t from = 0; from < POOL; from++)
        for (size_t to = 0; to < POOL; to++)
            if (from != to) pool[to] = seed_mix(pool[to], seed_hash(pool[from], &k));
    for (size_t from = POOL; from < n; from++)
        for (size_t to = 0; to < POOL; to++)
            pool[to] = seed_mix(pool[to], seed_hash(word[from], &k));
}

static u128 make(uint64_t high, uint64_t low) {
    return (u128)high << 64 | low;
}

static void step(struct pcg64 *r) {
    const u128 multiplier = make(UINT64_C(2549297995355413924), UINT64_C(4865540595714422341));
    u128 s = make(r->state_high, r->state_low) * multiplier + make(r->step_high, r->step_low);
    r->state_high = (uint64_t)(s >> 64);
    r->state_low = (uint64_t)s;
}

void pcg64_seed(struct pcg64 *r, struct span entropy) {
    uint32_t pool[POOL], out[8], k = UINT32_C(0x8b51f9dd);
    seed_pool(entropy, pool);
    for (size_t i = 0; i < 8; i++) {
        uint32_t v = pool[i % POOL] ^ k;
        k *= UINT32_C(0x58f38ded);
        v *= k;
        out[i] = v ^ v >> 16;
    }
    uint64_t word[4];
    for (size_t i = 0; i < 4; i++) word[i] = out[2 * i] | (uint64_t)out[2 * i + 1] << 32;
    u128 increment = make(word[2], word[3]) << 1 | 1;
    *r = (struct pcg64){0, 0, (uint64_t)(increment >> 64), (uint64_t)increment};
    step(r);
    u128 s = make(r->state_high, r->state_low) + make(word[0], word[1]);
    r->state_high = (uint64_t)(s >> 64);
    r->state_low = (uint64_t)s;
    step(r);
}

void pcg64_seed_arlo(struct pcg64 *r, struct span seed) {
    struct hash h = sha256(seed);
    pcg64_seed(r, hash_span(&h));
}

uint64_t pcg64_u64(struct pcg64 *r) {
    step(r);
    uint64_t x = r->state_high ^ r->state_low;
    unsigned by = (unsigned)(r->state_high >> 58);
    return x >> by | x << (-by & 63);
}

double pcg64_double(struct pcg64 *r) {
    return (double)(pcg64_u64(r) >> 11) * 0x1p-53;
}

void pcg64_choice(struct pcg64 *r, const double *p, size_t n, double *cumulative, uint32_t *out,
                  size_t size) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) cumulative[i] = sum += p[i];
    for (size_t i = 0; i < n; i++) cumulative[i] /= sum;
    for (size_t i = 0; i < size; i++) {
        double x = pcg64_double(r);
        size_t low = 0, high = n; /* the first whose running sum is above x */
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (cumulative[mid] <= x)
                low = mid + 1;
            else
                high = mid;
        }
        out[i] = (uint32_t)(low < n ? low : n - 1);
    }
}
