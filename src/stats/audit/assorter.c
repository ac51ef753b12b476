/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/assorter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct assertion assertion_beats(uint32_t winner, uint32_t loser, uint32_t region) {
    return (struct assertion){.kind = ASSERT_BEATS,
                              .winner = winner,
                              .loser = loser,
                              .region = region,
                              .p = 1,
                              .q = 1,
                              .kb = 1,
                              .kw = 1,
                              .kl = -1};
}

struct assertion assertion_share(enum assertion_kind kind, uint32_t choice, uint32_t p, uint32_t q,
                                 uint32_t region) {
    struct assertion a = {
        .kind = kind, .winner = choice, .loser = choice, .region = region, .p = p, .q = q};
    if (kind == ASSERT_ABOVE || kind == ASSERT_AT_LEAST) {
        a.kb = p; /* q*w + p*(b - V) */
        a.kv = -(int64_t)p;
        a.kw = q;
    } else {
        a.kb = (int64_t)q - p; /* q*(V - w) + (q-p)*(b - V) */
        a.kv = p;
        a.kw = -(int64_t)q;
    }
    return a;
}

static uint64_t valid_votes(const uint64_t *votes, size_t choices) {
    uint64_t v = 0;
    for (size_t j = 0; j < choices; j++) v += votes[j];
    return v;
}

int64_t assertion_value(const struct assertion *a, uint64_t ballots, const uint64_t *votes,
                        size_t choices) {
    int64_t value = a->kb * (int64_t)ballots + a->kw * (int64_t)votes[a->winner];
    if (a->kl) value += a->kl * (int64_t)votes[a->loser];
    if (a->kv) value += a->kv * (int64_t)valid_votes(votes, choices);
    return value;
}

int64_t assertion_change(const struct assertion *a, const uint64_t *from, const uint64_t *to,
                         size_t choices) {
    return assertion_value(a, 0, to, choices) - assertion_value(a, 0, from, choices);
}

static bool holds_at_equality(const struct assertion *a) {
    return a->kind == ASSERT_AT_LEAST || a->kind == ASSERT_AT_MOST;
}

int64_t assertion_null(const struct assertion *a, uint64_t ballots) {
    return a->kb * (int64_t)ballots - (holds_at_equality(a) ? 1 : 0);
}

int64_t assertion_most(const struct assertion *a) {
    int64_t most = a->kb; /* no valid vote */
    int64_t each[] = {a->kb + a->kv, a->kb + a->kv + a->kw, a->kb + a->kv + a->kl};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        if (each[i] > most) most = each[i];
    return most;
}

int64_t assertion_margin(const struct assertion *a, const struct audit_contest *c) {
    int64_t sum = 0;
    for (size_t g = 0; g < c->batches; g++)
        if (audit_holds(c, a->region, g))
            sum += assertion_value(a, 0, audit_votes(c, g), c->choices);
    return sum;
}

int64_t assertion_surplus(const struct assertion *a, const struct audit_contest *c) {
    return assertion_margin(a, c) + (holds_at_equality(a) ? 1 : 0);
}

/* ---- the assertions of an outcome ---- */

struct region_margin {
    int64_t margin, scale; /* margin / scale is the diluted margin */
    uint32_t region;
};

static int by_margin(const void *x, const void *y) {
    const struct region_margin *a = x, *b = y;
    __int128 l = (__int128)a->margin * b->scale, r = (__int128)b->margin * a->scale;
    if (l != r) return l > r ? -1 : 1;
    return a->region < b->region ? -1 : a->region > b->region;
}

struct builder {
    const struct audit_contest *c;
    struct assertion *out;
    size_t max, n;
    struct fail *f;
};

static MUST_USE err put(struct builder *b, struct assertion a) {
    if (b->n == b->max)
        return fail_set(b->f, E_TOO_LARGE, "the outcome needs more than %zu assertions", b->max);
    if (assertion_surplus(&a, b->c) <= 0)
        return fail_set(
            b->f, E_AUDIT_OUTCOME,
            "the reported figures do not give this outcome (choice %" PRIu32
            "): there is nothing that an audit could confirm; count all ballots or state "
            "the outcome that was declared",
            a.winner + 1);
    b->out[b->n++] = a;
    return OK;
}

bool audit_rule_counts(const struct audit_rule *rule, uint32_t region) {
    return !rule->outside || !rule->outside[region];
}

size_t audit_rule_regions(const struct audit_contest *c, const struct audit_rule *rule) {
    size_t all = c->regions ? c->regions : 1, n = 0;
    for (uint32_t r = 0; r < all; r++) n += audit_rule_counts(rule, r);
    return n;
}

static MUST_USE err put_regions(struct builder *b, const struct audit_rule *rule, uint32_t winner,
                                struct arena *scratch) {
    size_t all = b->c->regions ? b->c->regions : 1, regions = audit_rule_regions(b->c, rule);
    if (rule->regions > regions)
        return fail_set(b->f, E_USAGE, "%" PRIu32 " regions are asked for and there are %zu",
                        rule->regions, regions);
    struct region_margin *m = arena_array(scratch, all, sizeof *m);
    if (!m) return fail_set(b->f, E_MEMORY, "no memory for %zu regions", all);
    enum assertion_kind kind = rule->regions_fail ? ASSERT_BELOW : ASSERT_AT_LEAST;
    struct assertion a = assertion_share(kind, winner, rule->p, rule->q, 0);
    for (size_t r = 0; r < all; r++) m[r].region = (uint32_t)r;
    for (size_t g = 0; g < b->c->batches; g++) {
        struct region_margin *at = &m[audit_region(b->c, g)];
        at->margin += assertion_value(&a, 0, audit_votes(b->c, g), b->c->choices);
        at->scale += a.kb * (int64_t)b->c->bound[g];
    }
    for (uint32_t r = 0; r < all; r++)
        if (m[r].scale == 0 || !audit_rule_counts(rule, r))
            m[r] = (struct region_margin){INT32_MIN, 1, r};
    qsort(m, all, sizeof *m, by_margin);
    /* the rule fails when fewer than `regions` reach the share: all but regions - 1 stay below */
    size_t need = rule->regions_fail ? regions - rule->regions + 1 : rule->regions, first = b->n;
    for (size_t i = 0; i < regions && i < need + rule->spare; i++) {
        a.region = m[i].region;
        if (i >= need && assertion_surplus(&a, b->c) <= 0) break; /* no more spare ones */
        TRY(put(b, a));
    }
    if (!audit_spread(b->out + first, b->n - first, (uint32_t)(b->n - first - need)))
        return fail_set(b->f, E_INTERNAL, "no region is needed");
    return OK;
}

static MUST_USE err rule_check(const struct audit_contest *c, const struct audit_rule *r,
                               struct fail *f) {
    if (r->winners == 0 || r->winners > c->choices)
        return fail_set(f, E_USAGE, "%" PRIu32 " winners are asked for among %zu choices",
                        r->winners, c->choices);
    if ((r->majority || (r->regions && !r->runoff)) && r->winners != 1)
        return fail_set(f, E_USAGE, "a majority and a share in regions are rules for one winner");
    if (r->runoff && (r->winners < 2 || r->majority || (r->regions && !r->regions_fail)))
        return fail_set(f, E_USAGE,
                        "a run-off has two or more who advance, and no majority: give "
                        "--winners 2");
    if (r->regions_fail && (!r->regions || (!r->majority && !r->runoff)))
        return fail_set(f, E_USAGE,
                        "failing the regional rule needs the rule, and the majority or a run-off");
    if (r->spare && !r->regions)
        return fail_set(f, E_USAGE, "spare regions belong to a regional rule");
    if (r->regions && (r->p == 0 || r->p >= r->q || r->q > AUDIT_SHARE_MAX))
        return fail_set(f, E_USAGE, "a share is a fraction P/Q between 0 and 1 with Q up to %d",
                        AUDIT_SHARE_MAX);
    return OK;
}

/* The choices in order of their totals into order[]; ties keep the order of the ballot. */
static void rank(const uint64_t *totals, size_t n, uint32_t *order) {
    for (size_t i = 0; i < n; i++) {
        size_t k = i;
        while (k > 0 && totals[order[k - 1]] < totals[i]) {
            order[k] = order[k - 1];
            k--;
        }
        order[k] = (uint32_t)i;
    }
}

err audit_assertions(const struct audit_contest *c, const struct audit_rule *rule,
                     struct arena *scratch, struct assertion *out, size_t max, size_t *n,
                     uint32_t *winners, struct fail *f) {
    struct builder b = {c, out, max, 0, f};
    *n = 0;
    TRY(rule_check(c, rule, f));
    uint64_t *totals = arena_array(scratch, c->choices, sizeof *totals), ballots;
    uint32_t *order = arena_array(scratch, c->choices, sizeof *order);
    if (!totals || !order) return fail_set(f, E_MEMORY, "no memory for %zu choices", c->choices);
    audit_totals(c, AUDIT_EVERYWHERE, totals, &ballots);
    rank(totals, c->choices, order);
    memcpy(winners, order, rule->winners * sizeof *winners);
    if (rule->winners < c->choices &&
        totals[order[rule->winners - 1]] == totals[order[rule->winners]])
        return fail_set(f, E_AUDIT_OUTCOME,
                        "the reported totals are a tie for the last place (%" PRIu64
                        " votes each): a tie cannot be audited by sampling; count all ballots",
                        totals[order[rule->winners]]);
    if (rule->majority) /* more than half implies more than each other choice */
        TRY(put(&b, assertion_share(ASSERT_ABOVE, order[0], 1, 2, AUDIT_EVERYWHERE)));
    for (uint32_t w = 0; !rule->majority && w < rule->winners; w++)
        for (size_t l = rule->winners; l < c->choices; l++)
            TRY(put(&b, assertion_beats(order[w], order[l], AUDIT_EVERYWHERE)));
    for (uint32_t w = rule->regions_fail; rule->runoff && w < rule->winners; w++)
        TRY(put(&b, assertion_share(ASSERT_AT_MOST, order[w], 1, 2, AUDIT_EVERYWHERE)));
    if (rule->regions) TRY(put_regions(&b, rule, order[0], scratch));
    if (b.n == 0)
        return fail_set(f, E_AUDIT_OUTCOME, "every choice wins: there is nothing to audit");
    *n = b.n;
    return OK;
}

/* ---- all of them together ---- */

/* Assertions of the regional rule that are needed; 0: none carries spare ones. */
static size_t regional_need(const struct assertion *a, size_t n) {
    size_t chosen = 0, spare = 0;
    for (size_t j = 0; j < n; j++) {
        chosen += a[j].spare > 0;
        if (a[j].spare > spare) spare = a[j].spare;
    }
    return chosen > spare ? chosen - spare : chosen;
}

bool audit_spread(struct assertion *a, size_t n, uint32_t spare) {
    size_t chosen = 0;
    for (size_t j = 0; j < n; j++) {
        bool regional = a[j].region != AUDIT_EVERYWHERE &&
                        (a[j].kind == ASSERT_AT_LEAST || a[j].kind == ASSERT_BELOW);
        a[j].spare = regional ? spare : 0;
        chosen += regional;
    }
    return spare == 0 || chosen > spare;
}

double assertion_limit(const struct assertion *a, double limit) {
    return limit / (1 + (double)a->spare);
}

double audit_regional_p(const struct assertion *a, const double *p, size_t n) {
    size_t need = regional_need(a, n);
    double best = 1;
    uint32_t spare = 0;
    if (need == 0) return 0;
    for (size_t j = 0; j < n; j++) {
        size_t below = 0;
        if (!a[j].spare) continue;
        spare = a[j].spare;
        for (size_t i = 0; i < n; i++) below += a[i].spare && p[i] <= p[j];
        if (below >= need && p[j] < best) best = p[j]; /* the need-th smallest */
    }
    double whole = best * (1 + (double)spare);
    return whole < 1 ? whole : 1;
}

double audit_joint_p(const struct assertion *a, const double *p, size_t n) {
    double most = audit_regional_p(a, p, n);
    for (size_t j = 0; j < n; j++)
        if (!a[j].spare && p[j] > most) most = p[j];
    return most;
}

static bool regional_met(const struct assertion *a, const bool *met, size_t n) {
    size_t held = 0;
    for (size_t j = 0; j < n; j++) held += a[j].spare && met[j];
    return held >= regional_need(a, n);
}

bool audit_all_met(const struct assertion *a, const bool *met, size_t n) {
    for (size_t j = 0; j < n; j++)
        if (!a[j].spare && !met[j]) return false;
    return regional_met(a, met, n);
}

bool audit_settled(const struct assertion *a, const bool *met, size_t n, size_t j) {
    return met[j] || (a[j].spare && regional_met(a, met, n));
}

void assertion_name(const struct assertion *a, const char *const *choices, const char *region,
                    char *out, size_t max) {
    const char *w = choices[a->winner];
    static const char *const words[] = {[ASSERT_ABOVE] = "has more than",
                                        [ASSERT_AT_LEAST] = "has at least",
                                        [ASSERT_BELOW] = "has less than",
                                        [ASSERT_AT_MOST] = "has at most"};
    int n = a->kind == ASSERT_BEATS
                ? snprintf(out, max, "%s beats %s", w, choices[a->loser])
                : snprintf(out, max, "%s %s %" PRIu32 "/%" PRIu32 " of the valid votes", w,
                           words[a->kind], a->p, a->q);
    if (region && n > 0 && (size_t)n < max) snprintf(out + n, max - (size_t)n, " in %s", region);
}
