/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Arithmetic and caps: what contradicts itself on one form. Facts; no statistics in it. */
#include <stdlib.h>
#include "stats/forensics/forensics.h"

unsigned fx_station_flags(const struct fx_table *t, uint32_t cap, size_t i) {
    unsigned bad = 0;
    uint32_t valid = fx_valid(t, i), reg = fx_cell(t->registered, i), r = fx_counted(t, i);
    uint32_t rejected = fx_cell(t->rejected, i);
    uint64_t sum = fx_votes_total(t, i);
    if (valid == FX_ABSENT) return FX_BLANK;
    if (t->valid && (t->votes_complete ? sum != valid : sum > valid)) bad |= FX_BAD_SUM;
    if (reg != FX_ABSENT && r > reg) bad |= FX_OVER_REGISTER;
    if (cap && (r > cap || (reg != FX_ABSENT && reg > cap))) bad |= FX_OVER_CAP;
    if (t->issued && t->issued[i] != FX_ABSENT && r > t->issued[i]) bad |= FX_OVER_ISSUED;
    if (reg != FX_ABSENT && reg > 0 && r == reg) bad |= FX_FULL;
    if (reg != FX_ABSENT && reg > 0 && rejected == reg) bad |= FX_ALL_REJECTED;
    if (r == 0) bad |= FX_ALL_ZERO;
    return bad;
}

static int by_unit(const void *x, const void *y, void *ctx) {
    const struct span *u = ctx;
    return span_cmp(u[*(const uint32_t *)x], u[*(const uint32_t *)y]);
}

/* Stations whose code stands on an earlier row too. */
static err doubled_codes(const struct fx_table *t, struct arena *mem, size_t *out, struct fail *f) {
    *out = 0;
    if (!t->unit) return OK;
    uint32_t *ix = arena_array(mem, t->n + 1, sizeof *ix);
    if (!ix) return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    for (size_t i = 0; i < t->n; i++) ix[i] = (uint32_t)i;
    qsort_r(ix, t->n, sizeof *ix, by_unit, (void *)t->unit);
    for (size_t i = 1; i < t->n; i++)
        if (span_eq(t->unit[ix[i]], t->unit[ix[i - 1]])) ++*out;
    return OK;
}

struct tally {
    size_t n, wrong, sum, over_register, over_cap, over_issued, blank, full, all_rejected, zero;
};

static void count(struct tally *y, unsigned bad) {
    y->n++;
    y->sum += (bad & FX_BAD_SUM) != 0;
    y->over_register += (bad & FX_OVER_REGISTER) != 0;
    y->over_cap += (bad & FX_OVER_CAP) != 0;
    y->over_issued += (bad & FX_OVER_ISSUED) != 0;
    y->blank += (bad & FX_BLANK) != 0;
    y->full += (bad & FX_FULL) != 0;
    y->all_rejected += (bad & FX_ALL_REJECTED) != 0;
    y->zero += (bad & FX_ALL_ZERO) != 0;
    y->wrong += (bad & (FX_BAD_SUM | FX_OVER_REGISTER | FX_OVER_CAP | FX_OVER_ISSUED)) != 0;
}

static err report(const struct fx_table *t, const struct tally *y, uint32_t cap, size_t doubled,
                  struct fx_result *r, struct arena *mem, struct fx_list *out, struct fail *f) {
    bool sums = t->valid && t->choices > 0, reg = t->registered != NULL;
    r->n = y->n;
    r->value = (double)y->wrong;
    r->excess = (double)y->wrong;
    r->effect = y->n ? (double)y->wrong / (double)y->n : NAN;
    r->is = y->wrong || y->all_rejected || doubled ? FX_FACT : FX_NOTHING;
    fx_detail(r, "sum_errors", sums ? (double)y->sum : NAN);
    fx_detail(r, "over_register", reg ? (double)y->over_register : NAN);
    fx_detail(r, "exactly_100_percent", reg ? (double)y->full : NAN);
    fx_detail(r, "over_cap", cap ? (double)y->over_cap : NAN);
    fx_detail(r, "over_issued", t->issued ? (double)y->over_issued : NAN);
    fx_detail(r, "blank", (double)y->blank);
    fx_detail(r, "all_zero", (double)y->zero);
    fx_detail(r, "rejected_equals_registered", reg && t->rejected ? (double)y->all_rejected : NAN);
    if (r->level == FX_NATION) fx_detail(r, "doubled_codes", t->unit ? (double)doubled : NAN);
    return fx_list_add(out, mem, r, f);
}

err fx_arithmetic(const struct fx_table *t, uint32_t cap, bool nation_only, struct arena *mem,
                  struct fx_list *out, struct fail *f) {
    struct fx_result base = {.method = FX_ARITHMETIC, .level = FX_NATION, .choice = -1,
                             .value = NAN, .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    struct fx_result r = base;
    struct tally all = {0};
    size_t doubled;
    uint8_t *bad = arena_alloc(mem, t->n + 1);
    if (!bad) return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    for (size_t i = 0; i < t->n; i++) {
        bad[i] = (uint8_t)fx_station_flags(t, cap, i);
        count(&all, bad[i]);
    }
    TRY(doubled_codes(t, mem, &doubled, f));
    TRY(report(t, &all, cap, doubled, &r, mem, out, f));
    for (size_t l = 0; l < t->levels && l < 2 && !nation_only; l++) {
        struct tally *y = arena_array(mem, t->level[l].count + 1, sizeof *y);
        if (!y) return fail_set(f, E_MEMORY, "too many areas for the memory allowed");
        for (size_t i = 0; i < t->n; i++) count(&y[t->level[l].of[i]], bad[i]);
        for (size_t a = 0; a < t->level[l].count; a++) {
            if (y[a].wrong == 0 && y[a].all_rejected == 0) continue;
            r = base;
            r.level = (int)l;
            r.area = (uint32_t)a;
            TRY(report(t, &y[a], cap, 0, &r, mem, out, f));
        }
    }
    return OK;
}
