/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/sample.h"

#include <inttypes.h>
#include "base/text.h"
#include "crypto/hash.h"

typedef unsigned __int128 u128;

err audit_seed_check(struct span seed, struct fail *f) {
    for (size_t i = 0; i < seed.n; i++)
        if (!char_is_digit(seed.p[i]))
            return fail_set(f, E_AUDIT_SEED,
                            "the seed holds a character that is not a digit 0-9 (at position %zu): "
                            "write down the dice as they fell, nothing between them",
                            i + 1);
    if (seed.n < AUDIT_SEED_DIGITS || seed.n > AUDIT_SEED_MAX)
        return fail_set(
            f, E_AUDIT_SEED,
            "the seed has %zu digits; %d to %d are needed: throw more ten-sided dice in "
            "public",
            seed.n, AUDIT_SEED_DIGITS, AUDIT_SEED_MAX);
    return OK;
}

uint64_t audit_pick(struct span seed, struct span stratum, uint64_t i, uint64_t total) {
    uint8_t text[2 * AUDIT_SEED_MAX + 24];
    size_t n = 0;
    for (int part = 0; part < 2; part++) {
        struct span s = part ? stratum : seed;
        if (s.n > AUDIT_SEED_MAX) s.n = AUDIT_SEED_MAX;
        if (part && s.n == 0) break;
        memcpy(text + n, s.p, s.n);
        n += s.n;
        text[n++] = ',';
    }
    uint8_t digits[20];
    size_t d = 0;
    do digits[d++] = (uint8_t)('0' + i % 10);
    while (i /= 10);
    while (d) text[n++] = digits[--d];
    struct hash h = sha256(span_of(text, n));
    u128 rest = 0;
    for (size_t w = 0; w < 4; w++) rest = (rest << 64 | get_u64be(h.b + 8 * w)) % total;
    return (uint64_t)rest;
}

/* Twice the scale s of the header. */
static u128 assertion_scale(const struct assertion *a) {
    return 2 * a->kb > a->q ? (u128)(2 * a->kb) : a->q;
}

err audit_weights(const struct audit_contest *c, const struct assertion *a, size_t n, uint64_t *w,
                  uint64_t *total, struct fail *f) {
    u128 sum = 0;
    for (size_t g = 0; g < c->batches; g++) {
        u128 most = 0;
        uint32_t region = audit_region(c, g);
        for (size_t j = 0; j < n; j++) {
            if (a[j].region != AUDIT_EVERYWHERE && a[j].region != region) continue;
            int64_t r = assertion_value(&a[j], c->bound[g], audit_votes(c, g), c->choices);
            if (r <= 0) continue;
            u128 s = assertion_scale(&a[j]), v = ((u128)r * 2 * AUDIT_WEIGHT_ONE + s - 1) / s;
            if (v > most) most = v;
        }
        if ((sum += most) >= (u128)1 << 62)
            return fail_set(f, E_OVERFLOW,
                            "the sampling weights do not fit in 62 bits at batch %zu", g);
        w[g] = (uint64_t)most;
    }
    *total = (uint64_t)sum;
    return OK;
}

void audit_sampler_init(struct audit_sampler *s, const uint64_t *w, size_t n, uint64_t *below,
                        uint8_t *drawn, struct span seed, struct span stratum) {
    uint64_t sum = 0;
    for (size_t g = 0; g < n; g++) below[g] = sum += w[g];
    if (drawn) memset(drawn, 0, n);
    *s = (struct audit_sampler){below, n, seed, stratum, 1, drawn, sum};
}

bool audit_sampler_next(struct audit_sampler *s, struct audit_pick *out) {
    if (s->n == 0 || s->left == 0) return false;
    uint64_t total = s->below[s->n - 1];
    for (uint64_t tries = 0; tries < AUDIT_REPEATS_MAX; tries++) {
        uint64_t i = s->next++, k = audit_pick(s->seed, s->stratum, i, total);
        size_t low = 0, high = s->n;
        while (low < high) { /* the first g with k < below[g] */
            size_t mid = low + (high - low) / 2;
            if (s->below[mid] <= k)
                low = mid + 1;
            else
                high = mid;
        }
        if (s->drawn && s->drawn[low]) continue;
        if (s->drawn) {
            s->drawn[low] = 1;
            s->left -= s->below[low] - (low ? s->below[low - 1] : 0);
        }
        *out = (struct audit_pick){(uint32_t)low, i, k};
        return true;
    }
    return false;
}
