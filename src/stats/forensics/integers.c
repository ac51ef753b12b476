/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Integer percentages: too many stations whose turnout or leader's share is a whole percentage.
 *
 * Statistic and filters after D. Kobak, S. Shpilkin, M. Pshenichnikov, "Integer percentages as
 * electoral falsification fingerprints", Annals of Applied Statistics 10 (2016); their Monte Carlo
 * null is replaced by the exact binomial one. */
#include "stats/forensics/forensics.h"

/* A hit: |100 x / n - nearest integer| <= .05, in integers: 20 |100 x - k n| <= n. */
static bool is_hit(uint64_t r100, uint32_t n) { /* r100 = 100 x mod n */
    uint64_t away = r100 < n - r100 ? r100 : n - r100;
    return 20 * away <= n;
}

double fx_integer_chance(uint32_t n, uint32_t a) {
    if (n == 0) return 1;
    if (a == 0 || a >= n) return 1;
    double p = (double)a / n, q = 1 - p, odds = p / q, inverse = q / p;
    /* The mode is at a (n p is an integer). Walk outwards with ratios of neighbouring terms. */
    double log_mode = lgamma((double)n + 1) - lgamma((double)a + 1) - lgamma((double)(n - a) + 1) +
                      a * log(p) + (double)(n - a) * log(q);
    double mode = exp(log_mode), sum = 0, term = mode;
    uint32_t step = 100 % n;
    uint32_t at_a = (uint32_t)(100 * (uint64_t)a % n), r = at_a;
    for (uint32_t x = a;; x++) {
        if (is_hit(r, n)) sum += term;
        if (x == n || term < mode * 1e-16) break;
        term *= (double)(n - x) / (double)(x + 1) * odds;
        r += step;
        if (r >= n) r -= n;
    }
    term = mode;
    r = at_a;
    for (uint32_t x = a; x > 0; x--) {
        term *= (double)x / (double)(n - x + 1) * inverse;
        r = r >= step ? r - step : r + n - step;
        if (is_hit(r, n)) sum += term;
        if (term < mode * 1e-16) break;
    }
    return sum < 1 ? sum : 1;
}

enum { KEPT_BELOW = 1024 };
struct fx_chances {
    double at[KEPT_BELOW * (KEPT_BELOW - 1) / 2]; /* of n and a < n; 0: not worked out yet */
};

err fx_chances_new(struct arena *mem, struct fx_chances **out, struct fail *f) {
    *out = arena_alloc(mem, sizeof **out);
    return *out ? OK : fail_set(f, E_MEMORY, "the memory allowed is used up");
}

static double chance(struct fx_chances *kept, uint32_t n, uint32_t a) {
    if (!kept || n >= KEPT_BELOW || a >= n) return fx_integer_chance(n, a);
    double *at = &kept->at[n * (n - 1) / 2 + a];
    if (*at == 0) *at = fx_integer_chance(n, a);
    return *at;
}

/* One station that qualifies. */
struct one {
    float chance;
    uint8_t used, hit;
};

static bool qualifies(uint32_t registered, uint32_t issued, uint32_t counted, uint32_t votes) {
    if (registered == FX_ABSENT || issued == FX_ABSENT || counted == FX_ABSENT || votes == FX_ABSENT)
        return false;
    return counted > 0 && registered >= 100 && 100ull * issued <= 99ull * registered &&
           100ull * votes <= 99ull * counted;
}

static void measure(const struct fx_table *t, size_t choice, size_t i, double *turnout,
                    struct fx_chances *kept, struct one *o, double *p) {
    uint32_t reg = fx_cell(t->registered, i), g = fx_issued(t, i), r = fx_counted(t, i);
    uint32_t v = fx_votes(t, choice, i);
    *o = (struct one){0};
    if (!qualifies(reg, g, r, v) || v > r) return;
    double p1 = turnout && turnout[i] > 0 ? turnout[i] : chance(kept, reg, g);
    double p2 = chance(kept, r, v);
    if (turnout) turnout[i] = p1;
    *p = 1 - (1 - p1) * (1 - p2);
    o->used = 1;
    o->hit = is_hit(100ull * g % reg, reg) || is_hit(100ull * v % r, r);
}

/* P(X >= x) for a sum of independent Bernoullis: Lugannani-Rice with Daniels' second continuity
 * correction (Daniels 1987, "Tail probability approximations"). */
static double upper_tail(const double *p, const uint32_t *ix, size_t n, double x, double mean) {
    x -= .5;
    double lo = -30, hi = 30, s = 0, k = 0, k2 = 0;
    for (int turn = 0; turn < 60; turn++) {
        double e = exp(s), k1 = 0;
        k2 = 0;
        for (size_t j = 0; j < n; j++) {
            double w = p[ix[j]] * e, g = w / (1 - p[ix[j]] + w);
            k1 += g;
            k2 += g * (1 - g);
        }
        if (fabs(k1 - x) < 1e-9 * (1 + fabs(x))) break;
        if (k1 < x)
            lo = s;
        else
            hi = s;
        double next = k2 > 0 ? s + (x - k1) / k2 : lo;
        s = next > lo && next < hi ? next : (lo + hi) / 2;
    }
    double e = exp(s);
    for (size_t j = 0; j < n; j++) k += log1p(p[ix[j]] * (e - 1));
    if (fabs(x - mean) < 1e-6 * (1 + fabs(mean)) || fabs(s) < 1e-7) return .5;
    double w2 = 2 * (s * x - k);
    double w = (s > 0 ? 1 : -1) * sqrt(w2 > 0 ? w2 : 0), u = 2 * sinh(s / 2) * sqrt(k2);
    double tail = .5 * erfc(w / sqrt(2)) + exp(-w * w / 2) / sqrt(2 * M_PI) * (1 / u - 1 / w);
    return tail < 0 ? 0 : tail > 1 ? 1 : tail;
}

/* One test over the stations order[from..to). */
static err test(const struct one *o, const double *p, const uint32_t *order, size_t from, size_t to,
                struct fx_result *r, uint32_t *scratch, struct arena *mem, struct fx_list *out,
                struct fail *f) {
    double hits = 0, mean = 0, variance = 0;
    size_t n = 0;
    for (size_t k = from; k < to; k++) {
        uint32_t i = order[k];
        if (!o[i].used) continue;
        scratch[n++] = i;
        hits += o[i].hit;
        mean += p[i];
        variance += p[i] * (1 - p[i]);
    }
    if (variance < 25) {
        if (r->level != FX_NATION) return OK;
        r->missing = n ? "more stations" : "registered";
        r->n = n;
        return fx_list_add(out, mem, r, f);
    }
    r->n = n;
    r->is = FX_NOTHING;
    r->excess = hits - mean;
    r->value = r->excess / sqrt(variance);
    r->p = upper_tail(p, scratch, n, hits, mean);
    r->effect = r->excess / (double)n;
    fx_detail(r, "hits", hits);
    fx_detail(r, "expected", mean);
    fx_detail(r, "sd", sqrt(variance));
    return fx_list_add(out, mem, r, f);
}

err fx_integers(const struct fx_table *t, size_t choice, bool nation_only, double *turnout,
                struct fx_chances *kept, struct arena *mem, struct fx_list *out, struct fail *f) {
    struct one *o = arena_array(mem, t->n + 1, sizeof *o);
    double *p = arena_array(mem, t->n + 1, sizeof *p);
    uint32_t *all = arena_array(mem, t->n + 1, sizeof *all);
    uint32_t *scratch = arena_array(mem, t->n + 1, sizeof *scratch);
    if (!o || !p || !all || !scratch)
        return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    for (size_t i = 0; i < t->n; i++) {
        all[i] = (uint32_t)i;
        measure(t, choice, i, turnout, kept, &o[i], &p[i]);
    }
    struct fx_result base = {.method = FX_INTEGERS, .level = FX_NATION, .choice = (int)choice,
                             .value = NAN, .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    struct fx_result r = base;
    TRY(test(o, p, all, 0, t->n, &r, scratch, mem, out, f));
    for (size_t l = 0; l < t->levels && l < 2 && !nation_only; l++) {
        struct fx_groups g;
        TRY(fx_group(t, l, mem, &g, f));
        for (size_t a = 0; a < g.count; a++) {
            r = base;
            r.level = (int)l;
            r.area = (uint32_t)a;
            TRY(test(o, p, g.order, g.start[a], g.start[a + 1], &r, scratch, mem, out, f));
        }
    }
    return OK;
}
