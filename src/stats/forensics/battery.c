/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/forensics/battery.h"

#include <stdlib.h>

static bool left_out(const struct fx_options *o, enum fx_method m) {
    return (o->skip >> m) & 1;
}

err fx_battery_add(struct fx_report *out, const struct fx_result *r, struct arena *mem,
                   struct fail *f) {
    return fx_list_add(&out->list, mem, r, f);
}

/* The choices that are tested: the leader and the strongest other one. */
static size_t contenders(const struct fx_report *r, size_t c[2]) {
    c[0] = r->table->leader;
    c[1] = r->rival;
    return c[0] == c[1] ? 1 : 2;
}

static bool counts_as_test(const struct fx_result *r) {
    switch (r->method) {
    case FX_INTEGERS:
    case FX_COMB:
    case FX_DUPLICATES:
    case FX_CONSTANCY:
    case FX_ROUND: return r->is != FX_NA;
    default: return false;
    }
}

static size_t count_tests(const struct fx_list *l) {
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) n += counts_as_test(&l->at[i]);
    return n;
}

struct fx_kept {
    struct fx_chances *chances;
    struct fx_comb *comb; /* the fine grid */
};

err fx_kept_new(struct arena *mem, struct fx_kept **out, struct fail *f) {
    struct fx_kept *k = *out = arena_alloc(mem, sizeof *k);
    if (!k) return fail_set(f, E_MEMORY, "the memory allowed is used up");
    TRY(fx_chances_new(mem, &k->chances, f));
    return fx_comb_new(false, mem, &k->comb, f);
}

err fx_battery_run(const struct fx_table *t, const struct fx_options *o, struct arena *mem,
                   struct fx_report *out, struct fail *f) {
    *out = (struct fx_report){.table = t, .options = *o, .rival = fx_rival(t)};
    size_t c[2], n = contenders(out, c);
    struct fx_list *l = &out->list;
    if (!left_out(o, FX_ARITHMETIC)) TRY(fx_arithmetic(t, o->cap, o->nation_only, mem, l, f));
    double *turnout = left_out(o, FX_INTEGERS) ? NULL : arena_array(mem, t->n + 1, sizeof *turnout);
    for (size_t i = 0; i < n && !left_out(o, FX_INTEGERS); i++)
        TRY(fx_integers(t, c[i], o->nation_only, turnout, o->kept ? o->kept->chances : NULL, mem, l, f));
    if (!left_out(o, FX_COMB)) {
        struct fx_comb *comb = o->kept && !o->coarse_comb ? o->kept->comb : NULL;
        if (!comb) TRY(fx_comb_new(o->coarse_comb, mem, &comb, f));
        for (size_t i = 0; i < n; i++) TRY(fx_comb(t, comb, c[i], o->nation_only, mem, l, f));
    }
    if (!left_out(o, FX_DUPLICATES)) {
        TRY(fx_duplicates(t, o->nation_only, mem, l, f));
        out->pair = arena_array(mem, FX_LISTED, sizeof *out->pair);
        if (!out->pair) return fail_set(f, E_MEMORY, "the memory allowed is used up");
        TRY(fx_duplicate_pairs(t, mem, out->pair, FX_LISTED, &out->pairs, f));
    }
    if (!left_out(o, FX_LATE)) TRY(fx_late(t, o->seed, mem, l, f));
    if (!left_out(o, FX_ROUND)) TRY(fx_round(t, o->nation_only, mem, l, f));
    if (!left_out(o, FX_CONSTANCY))
        TRY(fx_constancy(t, out->rival, o->seed, o->nation_only, count_tests(l), mem, l, f));
    if (!left_out(o, FX_SHPILKIN)) TRY(fx_shpilkin(t, mem, l, f));
    if (!left_out(o, FX_KLIMEK)) TRY(fx_klimek(t, o->seed, mem, l, f));
    if (!left_out(o, FX_DIGITS)) TRY(fx_digits(t, mem, l, f));
    return OK;
}

static int by_p(const void *x, const void *y) {
    const struct fx_result *a = *(struct fx_result *const *)x, *b = *(struct fx_result *const *)y;
    if (a->p != b->p) return a->p < b->p ? -1 : 1;
    return (a > b) - (a < b);
}

/* Holm (1979): the k-th smallest of m p-values times m - k + 1, made monotone. */
static err holm(struct fx_report *r, struct arena *mem, struct fail *f) {
    struct fx_result **with_p = arena_array(mem, r->list.n + 1, sizeof *with_p);
    if (!with_p) return fail_set(f, E_MEMORY, "too many tests for the memory allowed");
    size_t n = 0;
    r->family = 0;
    for (size_t i = 0; i < r->list.n; i++) {
        struct fx_result *x = &r->list.at[i];
        if (!counts_as_test(x)) continue;
        r->family++;
        if (!isnan(x->p)) with_p[n++] = x;
    }
    if (r->options.looks > 1) r->family *= r->options.looks;
    qsort(with_p, n, sizeof *with_p, by_p);
    double most = 0;
    for (size_t k = 0; k < n; k++) {
        double p = with_p[k]->p * (double)(r->family - k);
        if (p > most) most = p;
        with_p[k]->p_holm = most < 1 ? most : 1;
    }
    return OK;
}

/* Thresholds of docs/forensics.md, "What may be said". */
static void classify(const struct fx_report *r, struct fx_result *x) {
    switch (x->method) {
    case FX_INTEGERS:
        if (x->is == FX_NOTHING && x->value >= 5) x->is = FX_ANOMALY;
        break;
    case FX_COMB:
        if (x->is == FX_NA) break;
        x->excess = x->value - (15 + log((double)r->family));
        if (x->excess >= 0) x->is = FX_ANOMALY;
        break;
    case FX_DUPLICATES:
    case FX_CONSTANCY:
    case FX_ROUND:
        if (x->is == FX_NOTHING && x->p_holm <= .001) x->is = FX_ANOMALY;
        break;
    default: break;
    }
}

static int by_place(const void *x, const void *y) {
    const struct fx_result *a = x, *b = y;
    if (a->method != b->method) return a->method < b->method ? -1 : 1;
    if (a->level != b->level) return a->level < b->level ? -1 : 1;
    if (a->area != b->area) return a->area < b->area ? -1 : 1;
    return (a->choice > b->choice) - (a->choice < b->choice);
}

/* One method-level answer from the tests by area of methods 1 and 2. */
static struct fx_result central(const struct fx_report *r) {
    struct fx_result x = {.method = FX_CENTRAL, .level = FX_NATION, .choice = -1, .value = NAN,
                          .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    size_t tested = 0, comb = 0, integers = 0, near_all = 0;
    double m_low = INFINITY, m_high = -INFINITY;
    for (size_t i = 0; i < r->list.n; i++) {
        const struct fx_result *y = &r->list.at[i];
        if (y->level == FX_NATION || (y->method != FX_INTEGERS && y->method != FX_COMB)) continue;
        tested++;
        if (y->is != FX_ANOMALY) continue;
        if (y->method == FX_INTEGERS) {
            integers++;
            continue;
        }
        comb++;
        double m = fx_get(y, "m");
        if (fx_get(y, "share") >= .75) near_all++;
        if (m < m_low) m_low = m;
        if (m > m_high) m_high = m;
    }
    if (r->table->levels == 0 || tested == 0) {
        x.missing = r->table->levels ? "areas large enough to be tested" : "area";
        return x;
    }
    x.n = tested;
    x.value = (double)(comb + integers);
    x.excess = x.value;
    x.effect = x.value / (double)tested;
    x.is = comb + integers ? FX_ANOMALY : FX_NOTHING;
    fx_detail(&x, "comb_areas", (double)comb);
    fx_detail(&x, "integer_areas", (double)integers);
    fx_detail(&x, "comb_areas_share_near_1", (double)near_all);
    fx_detail(&x, "m_lowest", comb ? m_low : NAN);
    fx_detail(&x, "m_highest", comb ? m_high : NAN);
    return x;
}

err fx_battery_finish(struct fx_report *r, struct arena *mem, struct fail *f) {
    TRY(holm(r, mem, f));
    for (size_t i = 0; i < r->list.n; i++) classify(r, &r->list.at[i]);
    if (!left_out(&r->options, FX_CENTRAL)) {
        struct fx_result x = central(r);
        TRY(fx_list_add(&r->list, mem, &x, f));
    }
    qsort(r->list.at, r->list.n, sizeof *r->list.at, by_place);
    return OK;
}

const struct fx_result *fx_report_nation(const struct fx_report *r, enum fx_method m) {
    for (size_t i = 0; i < r->list.n; i++) {
        const struct fx_result *x = &r->list.at[i];
        if (x->method == m && x->level == FX_NATION &&
            (x->choice < 0 || x->choice == (int)r->table->leader))
            return x;
    }
    return NULL;
}
