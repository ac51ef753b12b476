/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/risk.h"

#include <inttypes.h>
#include <math.h>

static const uint64_t *hand_votes(const struct audit_contest *c, const struct audit_hand *h,
                                  size_t g) {
    return h->votes + g * c->choices;
}

static const uint64_t *compared_with(const struct audit_contest *c, const struct audit_hand *h,
                                     size_t g) {
    return h->against ? h->against + g * c->choices : audit_votes(c, g);
}

err audit_hand_check(const struct audit_contest *c, const struct audit_hand *h, size_t *where,
                     struct fail *f) {
    for (size_t g = 0; g < c->batches; g++) {
        if (h->state[g] != AUDIT_COUNTED) continue;
        const uint64_t *v = hand_votes(c, h, g);
        *where = g;
        uint64_t valid = 0;
        for (size_t j = 0; j < c->choices; j++) {
            if (v[j] >= AUDIT_BALLOTS_MAX)
                return fail_set(f, E_RANGE,
                                "batch %zu: a hand count of %" PRIu64 " votes is out of range", g,
                                v[j]);
            valid += v[j];
        }
        bool together = h->against && memcmp(compared_with(c, h, g), audit_votes(c, g),
                                             c->choices * sizeof(uint64_t)) != 0;
        if (!together && valid > c->bound[g])
            return fail_set(f, E_AUDIT_BOUND,
                            "batch %zu holds %" PRIu64 " votes by hand and its bound is %" PRIu64
                            " ballots: the bounds are false; give every batch a bound that holds "
                            "(papers delivered, say) and compute again from the first draw",
                            g, valid, c->bound[g]);
    }
    return OK;
}

int64_t audit_value(const struct assertion *a, const struct audit_contest *c,
                    const struct audit_hand *h, size_t g) {
    if (h->state[g] == AUDIT_LOST) return 0;
    int64_t v;
    if (h->against)
        v = assertion_value(a, c->bound[g], audit_votes(c, g), c->choices) +
            assertion_change(a, compared_with(c, h, g), hand_votes(c, h, g), c->choices);
    else
        v = assertion_value(a, c->bound[g], hand_votes(c, h, g), c->choices);
    return v > 0 ? v : 0;
}

void audit_region_sums(const struct audit_contest *c, const uint64_t *weight,
                       const struct audit_hand *h, struct audit_region_sums *all) {
    size_t regions = c->regions ? c->regions : 1;
    memset(all, 0, (1 + regions) * sizeof *all);
    for (size_t g = 0; g < c->batches; g++) {
        struct audit_region_sums *r = all + 1 + audit_region(c, g);
        r->weight += weight[g];
        r->drawable += weight[g] > 0;
        r->ballots += c->bound[g];
        r->batches++;
        r->uncounted += h->state[g] == AUDIT_UNCOUNTED;
    }
    for (size_t i = 1; i <= regions; i++) {
        all[0].weight += all[i].weight;
        all[0].drawable += all[i].drawable;
        all[0].ballots += all[i].ballots;
        all[0].batches += all[i].batches;
        all[0].uncounted += all[i].uncounted;
    }
}

/* 1 / (largest R/w of the region): with it no clean draw shows more than 1. */
static double unit_of(const struct audit_contest *c, const struct assertion *a,
                      const uint64_t *weight) {
    double most = 0;
    for (size_t g = 0; g < c->batches; g++) {
        if (weight[g] == 0 || !audit_holds(c, a->region, g)) continue;
        int64_t r = assertion_value(a, c->bound[g], audit_votes(c, g), c->choices);
        most = fmax(most, (double)r / (double)weight[g]);
    }
    return most > 0 ? 1 / most : 1;
}

void audit_walk_init(struct audit_walk *w, const struct audit_contest *c, const struct assertion *a,
                     const struct audit_sample *sample, const struct audit_hand *h,
                     const struct audit_region_sums *all, enum bet_method method) {
    const struct audit_region_sums *sums = audit_sums_of(a, all);
    *w = (struct audit_walk){.c = c,
                             .a = a,
                             .sample = sample,
                             .h = h,
                             .null_left = assertion_null(a, sums->ballots),
                             .weight_left = sums->weight,
                             .ballots_left = sums->ballots};
    /* only the bets that know an upper bound of x need its scale */
    bool scaled =
        method == BET_ALPHA || method == BET_AGRAPA || method == BET_KELLY || method == BET_MACRO;
    w->unit = scaled ? unit_of(c, a, sample->weight) : (double)sums->weight;
    double mu = sums->weight ? (double)w->null_left / (double)sums->weight * w->unit : 1;
    struct bet b = bet_comparison(method, scaled ? mu : 0.5);
    mart_init(&w->m, &b);
}

bool audit_walk_next(struct audit_walk *w, int64_t *value) {
    const struct audit_sample *s = w->sample;
    for (; w->at < s->draws; w->at++) {
        uint32_t g = s->draw[w->at];
        if (!audit_holds(w->c, w->a->region, g)) continue;
        if (w->h->state[g] == AUDIT_UNCOUNTED) return false;
        w->at++;
        w->used++;
        int64_t v = *value = audit_value(w->a, w->c, w->h, g);
        double weight = (double)s->weight[g];
        double mu = (double)w->null_left / (double)w->weight_left * w->unit;
        mart_step(&w->m, (double)v / weight * w->unit, mu);
        if (s->replacement) return true;
        w->null_left -= v;
        w->weight_left -= s->weight[g];
        w->ballots_left -= w->c->bound[g];
        /* what is left cannot lift the sum above T */
        if (w->null_left > 0 &&
            (__int128)w->null_left > (__int128)assertion_most(w->a) * (__int128)w->ballots_left)
            mart_end(&w->m);
        if (w->null_left < 0) w->m.impossible = true;
        return true;
    }
    return false;
}

static void full_count(const struct audit_contest *c, const struct assertion *a,
                       const struct audit_hand *h, struct assertion_risk *out) {
    int64_t sum = 0;
    for (size_t g = 0; g < c->batches; g++)
        if (audit_holds(c, a->region, g)) sum += audit_value(a, c, h, g);
    out->counted = sum;
    out->full_count = true;
    out->p = sum > out->null_total ? 0 : 1;
}

err audit_risk(const struct audit_contest *c, const struct assertion *a, size_t n,
               const struct audit_sample *sample, const struct audit_hand *h,
               enum bet_method method, struct arena *scratch, struct assertion_risk *out,
               struct fail *f) {
    if (!sample->order_known && !bet_is_order_free(method))
        return fail_set(f, E_USAGE,
                        "this method depends on the order of the draws: give the seed "
                        "that they were made from (--seed)");
    if (!sample->order_known && !sample->replacement)
        return fail_set(f, E_USAGE,
                        "a sample drawn without replacement needs the order of its draws: give the "
                        "seed (--seed), or say that batches were put back (--with-replacement)");
    size_t regions = c->regions ? c->regions : 1;
    struct audit_region_sums *all = arena_array(scratch, 1 + regions, sizeof *all);
    if (!all) return fail_set(f, E_MEMORY, "no memory for %zu regions", regions);
    audit_region_sums(c, sample->weight, h, all);
    for (size_t j = 0; j < n; j++) {
        struct audit_walk w;
        audit_walk_init(&w, c, &a[j], sample, h, all, method);
        out[j] = (struct assertion_risk){.null_total = w.null_left};
        int64_t value;
        while (audit_walk_next(&w, &value)) out[j].counted += value;
        out[j].draws = w.used;
        out[j].waiting = w.at < sample->draws;
        out[j].p = sample->order_known ? mart_p(&w.m) : mart_p_now(&w.m);
        if (audit_sums_of(&a[j], all)->uncounted == 0) full_count(c, &a[j], h, &out[j]);
    }
    return OK;
}
