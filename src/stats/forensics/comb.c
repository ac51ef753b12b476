/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Multiplier comb: if a station's true count x is replaced by floor(m x) or floor(m x + 1/2), some
 * integers cannot be reached and others are reached twice. The histogram of a choice's votes is
 * compared with its own moving average, over factors m, both roundings and shares of stations.
 *
 * Own design: definition and calibration in docs/forensics.md. */
#include "stats/forensics/forensics.h"

enum { FIRST = 20, LAST = 300, WIDTH = LAST - FIRST + 1, HALF = 15, SHARES = 7 };
static const double shares[SHARES] = {.05, .1, .2, .3, .5, .75, .999};

/* One (m, rounding): the integers that are reached not exactly once. */
struct factor {
    double m;
    bool rounded;
    uint16_t from, none, twice; /* in `list`: `none` unreachable ones, then `twice` doubled ones */
};

/* The three values of mu / s for one m and share, and their logarithms. */
struct levels {
    double f1, log0, log1, log2;
};

struct fx_comb {
    bool plain; /* without the last-digit factor */
    struct levels *level; /* [n * SHARES] */
    size_t n;
    struct factor *at;
    uint16_t *list;
    uint32_t *start; /* of each factor's part of the list */
};

/* m = units / 5000, exactly. floor(m x) and floor(m x + 1/2) in integers. */
static uint32_t image_of(uint32_t units, bool rounded, uint32_t x) {
    return (units * x + (rounded ? 2500 : 0)) / 5000;
}

static void reached(uint32_t units, bool rounded, uint8_t c[WIDTH]) {
    memset(c, 0, WIDTH);
    for (uint32_t x = 0; x <= LAST * 2; x++) {
        uint32_t y = image_of(units, rounded, x);
        if (y >= FIRST && y <= LAST) c[y - FIRST]++;
    }
}

err fx_comb_new(bool coarse, struct arena *mem, struct fx_comb **out, struct fail *f) {
    uint32_t step = coarse ? 25 : 1; /* .005 or .0002 */
    size_t most = 2 * 2501;
    struct fx_comb *c = arena_alloc(mem, sizeof *c);
    if (c) {
        c->at = arena_array(mem, most, sizeof *c->at);
        c->start = arena_array(mem, most + 1, sizeof *c->start);
        c->list = arena_array(mem, most * WIDTH, sizeof *c->list);
        c->level = arena_array(mem, most * SHARES, sizeof *c->level);
    }
    if (!c || !c->at || !c->start || !c->list || !c->level)
        return fail_set(f, E_MEMORY, "the multiplier test does not fit in the memory allowed");
    c->plain = coarse;
    uint32_t used = 0;
    for (uint32_t units = 4000; units <= 6500; units += step) {
        if (units >= 4980 && units <= 5020) continue; /* |m - 1| <= .004 is no multiplier */
        for (int rounded = 0; rounded < 2; rounded++) {
            uint8_t times[WIDTH];
            struct factor *q = &c->at[c->n];
            reached(units, rounded, times);
            *q = (struct factor){.m = units / 5000.0, .rounded = rounded};
            c->start[c->n] = used;
            for (uint16_t k = 0; k < WIDTH; k++)
                if (times[k] == 0) c->list[used++] = k, q->none++;
            for (uint16_t k = 0; k < WIDTH; k++)
                if (times[k] >= 2) c->list[used++] = k, q->twice++;
            for (int j = 0; j < SHARES; j++) {
                double p = shares[j], f0 = 1 - p, f1 = f0 + p * q->m, f2 = f0 + 2 * p * q->m;
                c->level[c->n * SHARES + (size_t)j] = (struct levels){f1, log(f0), log(f1), log(f2)};
            }
            c->start[++c->n] = used;
        }
    }
    *out = c;
    return OK;
}

/* The expected histogram s: moving average, then (unless plain) the last-digit factor, which takes
 * up innocent heaping on tens and fives. */
static void baseline(const uint32_t *h, bool plain, double s[WIDTH]) {
    double sum_h[10] = {0}, sum_s[10] = {0}, window = 0;
    for (int k = FIRST - HALF; k < FIRST + HALF; k++) window += h[k];
    for (int k = FIRST; k <= LAST; k++) {
        window += h[k + HALF];
        s[k - FIRST] = window / (2 * HALF + 1);
        window -= h[k - HALF];
        sum_h[k % 10] += h[k];
        sum_s[k % 10] += s[k - FIRST];
    }
    for (int k = FIRST; k <= LAST && !plain; k++)
        if (sum_s[k % 10] > 0) s[k - FIRST] *= sum_h[k % 10] / sum_s[k % 10];
}

void fx_comb_fit(const struct fx_comb *c, const uint32_t *h, struct fx_comb_fit *out) {
    double s[WIDTH], all_h = 0, all_s = 0;
    baseline(h, c->plain, s);
    for (int k = 0; k < WIDTH; k++) {
        all_h += h[FIRST + k];
        all_s += s[k];
    }
    *out = (struct fx_comb_fit){.n = (uint64_t)all_h};
    for (size_t i = 0; i < c->n; i++) {
        const struct factor *q = &c->at[i];
        const uint16_t *none = c->list + c->start[i], *twice = none + q->none;
        double h0 = 0, s0 = 0, h2 = 0, s2 = 0;
        for (int k = 0; k < q->none; k++) h0 += h[FIRST + none[k]], s0 += s[none[k]];
        for (int k = 0; k < q->twice; k++) h2 += h[FIRST + twice[k]], s2 += s[twice[k]];
        double h1 = all_h - h0 - h2, s1 = all_s - s0 - s2;
        for (int j = 0; j < SHARES; j++) {
            /* mu = s (1 - p + p m c): the log-likelihood ratio needs only sums by c = 0, 1, 2 */
            const struct levels *v = &c->level[i * SHARES + (size_t)j];
            double p = shares[j], f0 = 1 - p, f1 = v->f1, f2 = f0 + 2 * p * q->m;
            double d = h0 * v->log0 + h1 * v->log1 + h2 * v->log2 -
                       (s0 * (f0 - 1) + s1 * (f1 - 1) + s2 * (f2 - 1));
            if (d > out->delta) {
                out->delta = d;
                out->m = q->m;
                out->share = p;
                out->rounded = q->rounded;
            }
        }
    }
}

static void histogram(const struct fx_table *t, size_t choice, const uint32_t *order, size_t from,
                      size_t to, uint32_t *h) {
    memset(h, 0, (LAST + HALF + 1) * sizeof *h);
    for (size_t k = from; k < to; k++) {
        uint32_t v = fx_votes(t, choice, order ? order[k] : k);
        if (v <= LAST + HALF) h[v]++;
    }
}

static err test(const struct fx_table *t, const struct fx_comb *c, const uint32_t *order,
                size_t from, size_t to, struct fx_result *r, struct arena *mem, struct fx_list *out,
                struct fail *f) {
    uint32_t h[LAST + HALF + 1];
    size_t in = 0;
    histogram(t, (size_t)r->choice, order, from, to, h);
    for (int k = FIRST; k <= LAST; k++) in += h[k];
    r->n = in;
    if (in < 300) { /* with fewer not even a factor in all stations reaches the threshold */
        if (r->level != FX_NATION) return OK;
        r->missing = "300 forms with 20 to 300 votes";
        return fx_list_add(out, mem, r, f);
    }
    struct fx_comb_fit fit;
    fx_comb_fit(c, h, &fit);
    r->is = FX_NOTHING;
    r->value = fit.delta;
    r->effect = fit.share;
    fx_detail(r, "m", fit.delta > 0 ? fit.m : NAN);
    fx_detail(r, "share", fit.delta > 0 ? fit.share : NAN);
    fx_detail(r, "rounded", fit.delta > 0 ? fit.rounded : NAN);
    return fx_list_add(out, mem, r, f);
}

err fx_comb(const struct fx_table *t, const struct fx_comb *c, size_t choice, bool nation_only,
            struct arena *mem, struct fx_list *out, struct fail *f) {
    struct fx_result base = {.method = FX_COMB, .level = FX_NATION, .choice = (int)choice,
                             .value = NAN, .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    struct fx_result r = base;
    TRY(test(t, c, NULL, 0, t->n, &r, mem, out, f));
    for (size_t l = 0; l < t->levels && l < 2 && !nation_only; l++) {
        struct fx_groups g;
        TRY(fx_group(t, l, mem, &g, f));
        for (size_t a = 0; a < g.count; a++) {
            r = base;
            r.level = (int)l;
            r.area = (uint32_t)a;
            TRY(test(t, c, g.order, g.start[a], g.start[a + 1], &r, mem, out, f));
        }
    }
    return OK;
}
