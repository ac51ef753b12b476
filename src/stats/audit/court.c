/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/court.h"

#include <stdlib.h>

struct effect {
    int64_t by; /* what voiding takes from the margin */
    uint32_t batch;
};

static int by_effect(const void *x, const void *y) {
    const struct effect *a = x, *b = y;
    if (a->by != b->by) return a->by > b->by ? -1 : 1;
    return a->batch < b->batch ? -1 : a->batch > b->batch;
}

/* The region's batches by what they add to the margin; *margin their sum. */
static MUST_USE err effects(const struct audit_contest *c, const struct assertion *a,
                            struct arena *scratch, struct effect **out, size_t *n, int64_t *margin,
                            struct fail *f) {
    struct effect *e = arena_array(scratch, c->batches, sizeof *e);
    if (!e) return fail_set(f, E_MEMORY, "no memory for %zu batches", c->batches);
    *n = 0;
    *margin = 0;
    for (size_t g = 0; g < c->batches; g++) {
        if (!audit_holds(c, a->region, g)) continue;
        int64_t by = assertion_value(a, 0, audit_votes(c, g), c->choices);
        e[(*n)++] = (struct effect){by, (uint32_t)g};
        *margin += by;
    }
    qsort(e, *n, sizeof *e, by_effect);
    *out = e;
    return OK;
}

static void put(const struct audit_contest *c, const struct effect *e, size_t n, uint32_t *list,
                size_t max, struct court_flip *out) {
    out->ballots = 0;
    for (size_t i = 0; i < n; i++) {
        if (list && i < max) list[i] = e[i].batch;
        out->ballots += c->bound[e[i].batch];
    }
}

err court_breaks(const struct audit_contest *c, const struct assertion *a, struct arena *scratch,
                 uint32_t *list, size_t max, struct court_flip *out, struct fail *f) {
    struct effect *e = NULL;
    size_t n = 0, k = 0;
    int64_t margin = 0;
    TRY(effects(c, a, scratch, &e, &n, &margin, f));
    bool at_equality = a->kind == ASSERT_AT_LEAST || a->kind == ASSERT_AT_MOST;
    int64_t goal = at_equality ? -1 : 0; /* false from here down */
    while (margin > goal && k < n && e[k].by > 0) margin -= e[k++].by;
    /* "at least a share" is also false where no valid vote is left */
    bool none_left = margin > goal && a->kind == ASSERT_AT_LEAST;
    if (none_left) k = n;
    /* and "less than a share" stays true there */
    uint64_t left = a->kind == ASSERT_BELOW ? 0 : 1;
    for (size_t i = k; i < n && left == 0; i++)
        for (size_t j = 0; j < c->choices; j++) left += audit_votes(c, e[i].batch)[j];
    *out = (struct court_flip){
        .possible = (margin <= goal && left) || none_left, .least = k, .most = k};
    if (out->possible) put(c, e, k, list, max, out);
    return OK;
}

/* Enough of the cheapest regions that fewer than `regions` reach the share; or, where the outcome is
 * that they do not, that as many reach it. */
static MUST_USE err regions_flip(const struct audit_contest *c, const struct audit_rule *rule,
                                 uint32_t winner, struct arena *scratch, uint32_t *list, size_t max,
                                 struct court_flip *out, struct fail *f) {
    size_t all = c->regions ? c->regions : 1, holding = 0, breakable = 0;
    size_t need =
        rule->regions_fail ? audit_rule_regions(c, rule) - rule->regions + 1 : rule->regions;
    struct effect *cost = arena_array(scratch, all, sizeof *cost);
    if (!cost) return fail_set(f, E_MEMORY, "no memory for %zu regions", all);
    *out = (struct court_flip){.possible = true};
    struct assertion a = assertion_share(rule->regions_fail ? ASSERT_BELOW : ASSERT_AT_LEAST,
                                         winner, rule->p, rule->q, 0);
    for (size_t r = 0; r < all; r++) {
        struct court_flip one;
        a.region = (uint32_t)r;
        if (!audit_rule_counts(rule, (uint32_t)r) || assertion_surplus(&a, c) <= 0) continue;
        TRY(court_breaks(c, &a, scratch, NULL, 0, &one, f));
        holding++;
        if (one.possible) cost[breakable++] = (struct effect){-(int64_t)one.least, (uint32_t)r};
    }
    qsort(cost, breakable, sizeof *cost, by_effect); /* cheapest first */
    out->possible = holding >= need && breakable >= holding - need + 1;
    for (size_t i = 0; out->possible && i < holding - need + 1; i++) {
        struct court_flip one;
        a.region = cost[i].batch;
        size_t at = (size_t)out->least < max ? (size_t)out->least : max;
        TRY(court_breaks(c, &a, scratch, list ? list + at : NULL, max - at, &one, f));
        out->least += one.least;
        out->ballots += one.ballots;
    }
    out->most = out->least;
    return OK;
}

err court_outcome_fails(const struct audit_contest *c, const struct audit_rule *rule,
                        struct arena *scratch, uint32_t *list, size_t max, struct court_flip *out,
                        struct fail *f) {
    struct assertion *a = arena_array(scratch, ASSERTIONS_MAX, sizeof *a);
    uint32_t *winners = arena_array(scratch, c->choices, sizeof *winners);
    if (!a || !winners) return fail_set(f, E_MEMORY, "no memory for assertions");
    size_t n, best = 0;
    TRY(audit_assertions(c, rule, scratch, a, ASSERTIONS_MAX, &n, winners, f));
    *out = (struct court_flip){0};
    for (size_t j = 0; j < n; j++) {
        struct court_flip one;
        if (a[j].region != AUDIT_EVERYWHERE) continue; /* any enough regions will do */
        TRY(court_breaks(c, &a[j], scratch, NULL, 0, &one, f));
        if (!one.possible || (out->possible && one.least >= out->least)) continue;
        *out = one;
        best = j;
    }
    struct court_flip regional = {0};
    if (rule->regions) TRY(regions_flip(c, rule, winners[0], scratch, NULL, 0, &regional, f));
    if (regional.possible && (!out->possible || regional.least < out->least))
        return regions_flip(c, rule, winners[0], scratch, list, max, out, f);
    if (!out->possible) return OK;
    return court_breaks(c, &a[best], scratch, list, max, out, f);
}

/* ---- another choice elected ---- */

/* "choice does not win", as one margin over `other` (a choice) or over all (the majority). */
static int64_t stands_against(const struct audit_contest *c, size_t g, uint32_t choice,
                              uint32_t other, bool majority) {
    const uint64_t *v = audit_votes(c, g);
    if (!majority) return (int64_t)v[other] - (int64_t)v[choice];
    int64_t valid = 0;
    for (size_t j = 0; j < c->choices; j++) valid += (int64_t)v[j];
    return valid - 2 * (int64_t)v[choice];
}

/* Fewest batches that bring one margin below 0; UINT64_MAX if none do. */
static MUST_USE err fewest(const struct audit_contest *c, uint32_t choice, uint32_t other,
                           bool majority, struct arena *scratch, struct effect **order,
                           uint64_t *out, struct fail *f) {
    struct effect *e = arena_array(scratch, c->batches, sizeof *e);
    if (!e) return fail_set(f, E_MEMORY, "no memory for %zu batches", c->batches);
    int64_t margin = 0;
    for (size_t g = 0; g < c->batches; g++) {
        e[g] = (struct effect){stands_against(c, g, choice, other, majority), (uint32_t)g};
        margin += e[g].by;
    }
    qsort(e, c->batches, sizeof *e, by_effect);
    size_t k = 0;
    while (margin >= 0 && k < c->batches && e[k].by > 0) margin -= e[k++].by;
    *out = margin < 0 ? k : UINT64_MAX;
    *order = e;
    return OK;
}

/* Voids one batch after another, each time the one that most helps against whoever leads most. */
static MUST_USE err greedy(const struct audit_contest *c, uint32_t choice, struct arena *scratch,
                           struct effect *taken, uint64_t *count, struct fail *f) {
    int64_t *margin = arena_array(scratch, c->choices, sizeof *margin);
    uint8_t *gone = arena_alloc(scratch, c->batches);
    struct effect **order = arena_array(scratch, c->choices, sizeof *order);
    size_t *at = arena_array(scratch, c->choices, sizeof *at);
    if (!margin || !gone || !order || !at) return fail_set(f, E_MEMORY, "no memory for a search");
    for (uint32_t y = 0; y < c->choices; y++) {
        uint64_t unused;
        if (y == choice) continue;
        TRY(fewest(c, choice, y, false, scratch, &order[y], &unused, f));
        for (size_t g = 0; g < c->batches; g++) margin[y] += order[y][g].by;
    }
    for (*count = 0; *count < c->batches; (*count)++) {
        uint32_t worst = choice;
        for (uint32_t y = 0; y < c->choices; y++)
            if (y != choice && margin[y] >= 0 && (worst == choice || margin[y] > margin[worst]))
                worst = y;
        if (worst == choice) return OK;
        while (at[worst] < c->batches && gone[order[worst][at[worst]].batch]) at[worst]++;
        if (at[worst] == c->batches || order[worst][at[worst]].by <= 0) break;
        struct effect e = order[worst][at[worst]];
        gone[e.batch] = 1;
        taken[*count] = e;
        for (uint32_t y = 0; y < c->choices; y++)
            if (y != choice) margin[y] -= stands_against(c, e.batch, choice, y, false);
    }
    *count = UINT64_MAX;
    return OK;
}

err court_elects(const struct audit_contest *c, const struct audit_rule *rule, uint32_t choice,
                 struct arena *scratch, uint32_t *list, size_t max, struct court_flip *out,
                 struct fail *f) {
    struct effect *order = NULL, *taken = arena_array(scratch, c->batches, sizeof *taken);
    if (!taken) return fail_set(f, E_MEMORY, "no memory for %zu batches", c->batches);
    *out = (struct court_flip){0};
    uint64_t least = 0, most = 0;
    if (rule->majority) { /* one margin: exact */
        TRY(fewest(c, choice, 0, true, scratch, &order, &least, f));
        if (least == UINT64_MAX) return OK;
        *out = (struct court_flip){.possible = true, .least = least, .most = least};
        put(c, order, (size_t)least, list, max, out);
        return OK;
    }
    for (uint32_t y = 0; y < c->choices; y++) {
        uint64_t one;
        if (y == choice) continue;
        TRY(fewest(c, choice, y, false, scratch, &order, &one, f));
        if (one > least) least = one;
    }
    if (least == UINT64_MAX) return OK; /* against one of them it cannot be done at all */
    TRY(greedy(c, choice, scratch, taken, &most, f));
    if (most == UINT64_MAX) return OK;
    *out = (struct court_flip){.possible = true, .least = least, .most = most};
    put(c, taken, (size_t)most, list, max, out);
    return OK;
}
