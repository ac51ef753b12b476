/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Round-percent totals: every total is the rounded product of a percentage with one decimal place
 * and the number of votes, as when the percentages were there first. */
#include "stats/forensics/forensics.h"

enum { LEAST_VOTES = 20000 };

/* T is round(p V / 1000) for an integer p: |1000 T - p V| <= V/2 for the nearest p is not enough, the
 * rounding of p V/1000 itself must give T: |p V - 1000 T| <= 500. */
static bool is_round(uint64_t total, uint64_t all) {
    uint64_t p = (1000 * total + all / 2) / all;
    uint64_t a = p * all, b = 1000 * total;
    return (a > b ? a - b : b - a) <= 500;
}

/* P(Bin(n, q) >= x). */
static double binomial_tail(size_t n, double q, size_t x) {
    double sum = 0;
    for (size_t k = x; k <= n; k++)
        sum += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) +
                   (double)k * log(q) + (double)(n - k) * log1p(-q));
    return sum < 1 ? sum : 1;
}

static err test(const uint64_t *total, size_t choices, uint64_t stations, struct fx_result *r,
                struct arena *mem, struct fx_list *out, struct fail *f) {
    uint64_t all = 0;
    size_t k = 0, found = 0;
    for (size_t c = 0; c < choices; c++) all += total[c];
    r->n = stations;
    if (choices < 2 || all < LEAST_VOTES) {
        if (r->level != FX_NATION) return OK;
        r->missing = choices < 2 ? "votes of at least two choices" : "20,000 votes";
        return fx_list_add(out, mem, r, f);
    }
    for (size_t c = 0; c < choices; c++) {
        if (total[c] == 0) continue;
        k++;
        found += is_round(total[c], all);
    }
    if (k < 2) {
        if (r->level != FX_NATION) return OK;
        r->missing = "votes of at least two choices";
        return fx_list_add(out, mem, r, f);
    }
    /* The last total follows from the others. */
    size_t free_ones = k - 1, hits = found < free_ones ? found : free_ones;
    r->is = FX_NOTHING;
    r->value = (double)found;
    r->excess = (double)found - (double)k * 1000 / (double)all;
    r->effect = (double)found / (double)k;
    r->p = hits ? binomial_tail(free_ones, 1000 / (double)all, hits) : 1;
    fx_detail(r, "choices", (double)k);
    fx_detail(r, "votes", (double)all);
    return fx_list_add(out, mem, r, f);
}

err fx_round(const struct fx_table *t, bool nation_only, struct arena *mem, struct fx_list *out,
             struct fail *f) {
    struct fx_result base = {.method = FX_ROUND, .level = FX_NATION, .choice = -1, .value = NAN,
                             .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    for (int l = FX_NATION; l < (int)t->levels && l < 2 && (l < 0 || !nation_only); l++) {
        size_t areas = l < 0 ? 1 : t->level[l].count;
        uint64_t *total = arena_array(mem, areas * t->choices + 1, sizeof *total);
        uint64_t *n = arena_array(mem, areas + 1, sizeof *n);
        if (!total || !n) return fail_set(f, E_MEMORY, "too many areas for the memory allowed");
        for (size_t i = 0; i < t->n; i++) {
            size_t a = l < 0 ? 0 : t->level[l].of[i];
            n[a]++;
            for (size_t c = 0; c < t->choices; c++) {
                uint32_t v = fx_votes(t, c, i);
                if (v != FX_ABSENT) total[a * t->choices + c] += v; /* 4e6 stations of 1e9: fits */
            }
        }
        for (size_t a = 0; a < areas; a++) {
            struct fx_result r = base;
            r.level = l;
            r.area = l < 0 ? 0 : (uint32_t)a;
            TRY(test(total + a * t->choices, t->choices, n[a], &r, mem, out, f));
        }
    }
    return OK;
}
