/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Duplicates: pairs of stations of one small area with the same vector of votes.
 *
 * Null: each station is redrawn about its own figures, total Poisson and votes multinomial, which is
 * independent Poisson counts; P(two stations agree) is then a product of Skellam(0) probabilities,
 * exp(-(sqrt a - sqrt b)^2) i0e(2 sqrt(a b)): expected pairs in closed form, no redraw needed. */
#include <stdlib.h>
#include "stats/forensics/forensics.h"

enum { LEAST_VOTES = 50, MOST_IN_AREA = 5000 };

/* exp(-x) I0(x), Abramowitz and Stegun 9.8.1 and 9.8.2 (relative error below 2e-7). */
static double i0e(double x) {
    if (x < 3.75) {
        double t = x / 3.75, y = t * t;
        return exp(-x) * (1 + y * (3.5156229 + y * (3.0899424 + y * (1.2067492 + y * (.2659732 +
                          y * (.0360768 + y * .0045813))))));
    }
    double y = 3.75 / x;
    return (.39894228 + y * (.01328592 + y * (.00225319 + y * (-.00157565 + y * (.00916281 +
            y * (-.02057706 + y * (.02635537 + y * (-.01647633 + y * .00392377)))))))) / sqrt(x);
}

struct work {
    const struct fx_table *t;
    const float *root; /* [n][choices] square roots of the votes */
    const double *root_total; /* [n] */
    const uint32_t *total;
};

static double chance(const struct work *w, size_t i, size_t j) {
    size_t choices = w->t->choices;
    const float *a = w->root + i * choices, *b = w->root + j * choices;
    double apart = 0, product = 1;
    for (size_t c = 0; c < choices; c++) {
        double d = (double)a[c] - b[c];
        apart += d * d;
        if (apart > 30) return 0;
    }
    for (size_t c = 0; c < choices; c++) product *= i0e(2.0 * a[c] * b[c]);
    return product * exp(-apart);
}

static bool same(const struct fx_table *t, size_t i, size_t j) {
    for (size_t c = 0; c < t->choices; c++)
        if (fx_votes(t, c, i) != fx_votes(t, c, j)) return false;
    return true;
}

static int by_total(const void *x, const void *y, void *ctx) {
    const uint32_t *total = ctx;
    uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
    if (total[i] != total[j]) return total[i] < total[j] ? -1 : 1;
    return (i > j) - (i < j);
}

/* Pairs of one smallest area; stations sorted by total, so that far ones end the inner loop. */
static void area_pairs(const struct work *w, uint32_t *ix, size_t n, double *expected,
                       uint32_t *found) {
    qsort_r(ix, n, sizeof *ix, by_total, (void *)w->total);
    for (size_t k = 0; k < n; k++) {
        for (size_t m = k + 1; m < n; m++) {
            if (w->total[ix[m]] == w->total[ix[k]] && same(w->t, ix[k], ix[m])) (*found)++;
            double gap = w->root_total[ix[m]] - w->root_total[ix[k]];
            if (gap * gap > 30) break;
            *expected += chance(w, ix[k], ix[m]);
        }
    }
}

/* P(X >= x) for X ~ Poisson(mean). */
static double poisson_tail(double mean, uint64_t x) {
    if (x == 0) return 1;
    if ((double)x > mean) { /* sum the upper tail itself: no cancellation */
        double term = exp((double)x * log(mean) - mean - lgamma((double)x + 1)), sum = 0;
        for (uint64_t k = x; term > sum * 1e-17; k++) {
            sum += term;
            term *= mean / (double)(k + 1);
        }
        return sum < 1 ? sum : 1;
    }
    double term = exp(-mean), below = 0;
    for (uint64_t k = 0; k < x; k++) {
        below += term;
        term *= mean / (double)(k + 1);
    }
    return below < 1 ? 1 - below : 0;
}

static err report(struct fx_result *r, size_t n, uint64_t found, double expected, struct arena *mem,
                  struct fx_list *out, struct fail *f) {
    r->n = n;
    r->is = FX_NOTHING;
    r->value = (double)found;
    r->excess = (double)found - expected;
    r->effect = (double)found / (expected > 0 ? expected : NAN);
    r->p = poisson_tail(expected > 0 ? expected : 1e-300, found);
    fx_detail(r, "expected", expected);
    fx_detail(r, "sd", sqrt(expected));
    return fx_list_add(out, mem, r, f);
}

struct per_area {
    double *expected;
    uint32_t *found, *n;
};

static err sum_up(const struct fx_table *t, const struct fx_groups *g, const struct per_area *pa,
                  struct fx_result base, bool nation_only, struct arena *mem, struct fx_list *out,
                  struct fail *f) {
    double expected = 0;
    uint64_t found = 0;
    size_t n = 0;
    for (size_t a = 0; a < g->count; a++) {
        expected += pa->expected[a];
        found += pa->found[a];
        n += pa->n[a];
    }
    struct fx_result r = base;
    TRY(report(&r, n, found, expected, mem, out, f));
    /* Not by smallest area: thousands of tests that expect nothing would only cost power. */
    for (size_t l = 0; (l == 0 || l + 1 < t->levels) && l < 2 && !nation_only; l++) {
        size_t count = t->level[l].count;
        double *e = arena_array(mem, count, sizeof *e);
        uint32_t *x = arena_array(mem, count, sizeof *x), *m = arena_array(mem, count, sizeof *m);
        if (!e || !x || !m) return fail_set(f, E_MEMORY, "too many areas for the memory allowed");
        for (size_t a = 0; a < g->count; a++) {
            if (g->start[a] == g->start[a + 1]) continue;
            uint32_t up = t->level[l].of[g->order[g->start[a]]]; /* areas nest */
            e[up] += pa->expected[a];
            x[up] += pa->found[a];
            m[up] += pa->n[a];
        }
        for (size_t a = 0; a < count; a++) {
            if (m[a] < 2) continue;
            r = base;
            r.level = (int)l;
            r.area = (uint32_t)a;
            TRY(report(&r, m[a], x[a], e[a], mem, out, f));
        }
    }
    return OK;
}

err fx_duplicates(const struct fx_table *t, bool nation_only, struct arena *mem,
                  struct fx_list *out, struct fail *f) {
    struct fx_result base = {.method = FX_DUPLICATES, .level = FX_NATION, .choice = -1,
                             .value = NAN, .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    if (t->levels == 0 || t->choices < 2) {
        base.missing = t->levels == 0 ? "area" : "votes of at least two choices";
        return fx_list_add(out, mem, &base, f);
    }
    struct fx_groups g;
    TRY(fx_group(t, t->levels - 1, mem, &g, f));
    float *root = arena_array(mem, t->n * t->choices + 1, sizeof *root);
    double *root_total = arena_array(mem, t->n + 1, sizeof *root_total);
    uint32_t *total = arena_array(mem, t->n + 1, sizeof *total);
    uint32_t *ix = arena_array(mem, t->n + 1, sizeof *ix);
    struct per_area pa = {arena_array(mem, g.count, sizeof(double)),
                          arena_array(mem, g.count, sizeof(uint32_t)),
                          arena_array(mem, g.count, sizeof(uint32_t))};
    if (!root || !root_total || !total || !ix || !pa.expected || !pa.found || !pa.n)
        return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    for (size_t i = 0; i < t->n; i++) {
        uint64_t sum = fx_votes_total(t, i);
        total[i] = sum > FX_MOST ? FX_ABSENT : (uint32_t)sum;
        root_total[i] = sqrt(total[i]);
        for (size_t c = 0; c < t->choices; c++) {
            uint32_t v = fx_votes(t, c, i);
            root[i * t->choices + c] = v == FX_ABSENT ? 0 : sqrtf((float)v);
        }
    }
    struct work w = {t, root, root_total, total};
    for (size_t a = 0; a < g.count; a++) {
        size_t n = 0;
        for (size_t k = g.start[a]; k < g.start[a + 1]; k++) {
            uint32_t v = total[g.order[k]];
            if (v != FX_ABSENT && v >= LEAST_VOTES) ix[n++] = g.order[k];
        }
        if (n > MOST_IN_AREA) { /* not a small area: pairs among it mean nothing */
            base.missing = "smaller areas (one has more than 5,000 stations)";
            return fx_list_add(out, mem, &base, f);
        }
        pa.n[a] = (uint32_t)n;
        area_pairs(&w, ix, n, &pa.expected[a], &pa.found[a]);
    }
    return sum_up(t, &g, &pa, base, nation_only, mem, out, f);
}

err fx_duplicate_pairs(const struct fx_table *t, struct arena *mem, struct fx_pair *out,
                       size_t most, size_t *n, struct fail *f) {
    *n = 0;
    if (t->levels == 0 || t->choices < 2) return OK;
    struct fx_groups g;
    uint32_t *total = arena_array(mem, t->n + 1, sizeof *total);
    if (!total) return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    TRY(fx_group(t, t->levels - 1, mem, &g, f));
    for (size_t i = 0; i < t->n; i++) {
        uint64_t sum = fx_votes_total(t, i);
        total[i] = sum < FX_MOST ? (uint32_t)sum : FX_MOST;
    }
    for (size_t a = 0; a < g.count; a++) {
        uint32_t *ix = g.order + g.start[a];
        size_t count = g.start[a + 1] - g.start[a];
        if (count > MOST_IN_AREA) return OK;
        qsort_r(ix, count, sizeof *ix, by_total, total);
        for (size_t k = 0; k < count; k++)
            for (size_t m = k + 1; m < count && total[ix[m]] == total[ix[k]]; m++) {
                if (total[ix[k]] < LEAST_VOTES || !same(t, ix[k], ix[m])) continue;
                if (*n == most) return OK;
                out[(*n)++] = (struct fx_pair){ix[k], ix[m]};
            }
    }
    return OK;
}
