/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/audit_law.h"

#include <stdio.h>
#include <string.h>
#include "election/rules.h"

static const struct rule *law_of(const struct audit_log *a) {
    return contest_rule(a->fold, a->plan->contest);
}

static bool is_region(const struct audit_log *a, uint32_t jurisdiction) {
    uint32_t u = fold_unit_by_code(a->fold, span_text(a->list.jurisdiction[jurisdiction]));
    return u != NO_UNIT && rule_is_region(a->fold, law_of(a), u);
}

bool audit_law_spread(const struct audit_log *a, size_t j) {
    const struct assertion *x = &a->t.a[j];
    const struct rule *law = law_of(a);
    return law->spread && (x->kind == ASSERT_AT_LEAST || x->kind == ASSERT_BELOW) &&
           x->region != AUDIT_EVERYWHERE && is_region(a, x->region) &&
           (uint64_t)x->p * law->spread_share.q == (uint64_t)x->q * law->spread_share.p;
}

/* Regions of the rule where the claim is true by hand, a lost box counting against it; in one without
 * votes nobody has a share. */
static uint32_t regions_by_hand(const struct audit_log *a, const struct assertion *claim) {
    const struct audit_contest *c = &a->t.c;
    struct assertion x = assertion_share(claim->kind, claim->winner, claim->p, claim->q, 0);
    uint32_t held = 0;
    for (x.region = 0; x.region < c->regions; x.region++) {
        uint64_t ballots = 0, votes = 0;
        int64_t sum = 0;
        if (!is_region(a, x.region)) continue;
        for (size_t g = 0; g < c->batches; g++) {
            if (!audit_holds(c, x.region, g)) continue;
            ballots += c->bound[g];
            sum += audit_value(&x, c, &a->t.h, g);
            for (size_t k = 0; k < c->choices && a->t.h.state[g] == AUDIT_COUNTED; k++)
                votes += a->t.h.votes[g * c->choices + k];
        }
        held += votes > 0 && sum > assertion_null(&x, ballots);
    }
    return held;
}

/* So many regions must be below the share for the rule to fail. */
static uint32_t regions_to_fail(const struct rule *law) {
    return law->spread_units - rule_regions_needed(law) + 1;
}

bool audit_law_spread_holds(const struct audit_log *a, size_t j) {
    const struct assertion *x = &a->t.a[j];
    const struct rule *law = law_of(a);
    return regions_by_hand(a, x) >= (x->kind == ASSERT_AT_LEAST ? rule_regions_needed(law) : regions_to_fail(law));
}

/* --- what is left out --- */

static size_t missing_stations(const struct audit_log *a, size_t *all) {
    const struct contest *k = fold_contest(a->fold, a->plan->contest);
    size_t listed = 0;
    *all = 0;
    for (uint32_t u = 0; u < fold_unit_count(a->fold); u++)
        *all += unit_is_station(a->fold, u) && unit_within(a->fold, u, k->unit) && !fold_unit(a->fold, u)->closed;
    for (size_t g = 0; g < a->list.contest.batches; g++)
        listed += unit_within(a->fold, a->station[g], k->unit) && !fold_unit(a->fold, a->station[g])->closed;
    return *all > listed ? *all - listed : 0;
}

static bool claims_share(const struct audit_log *a, enum assertion_kind kind, uint32_t choice, struct ratio least) {
    for (size_t j = 0; j < a->t.assertions; j++) {
        const struct assertion *x = &a->t.a[j];
        if (x->kind != kind || x->winner != choice || x->region != AUDIT_EVERYWHERE) continue;
        uint64_t mine = (uint64_t)x->p * least.q, law = (uint64_t)least.p * x->q;
        if (kind == ASSERT_AT_MOST ? mine <= law : mine >= law) return true;
    }
    return false;
}

static bool beats_all(const struct audit_log *a, uint32_t w, uint32_t but) {
    for (uint32_t l = 0; l < a->t.c.choices; l++) {
        bool beaten = l == w || l == but;
        for (size_t j = 0; j < a->t.assertions && !beaten; j++) {
            const struct assertion *x = &a->t.a[j];
            beaten = x->kind == ASSERT_BEATS && x->winner == w && x->loser == l && x->region == AUDIT_EVERYWHERE;
        }
        if (!beaten) return false;
    }
    return true;
}

/* Regions of the law's rule that the assertions claim, without those that may fail. */
static uint32_t regions_claimed(const struct audit_log *a, enum assertion_kind kind, uint32_t choice) {
    uint32_t n = 0, spare = 0;
    for (size_t j = 0; j < a->t.assertions; j++) {
        if (a->t.a[j].kind != kind || a->t.a[j].winner != choice || !audit_law_spread(a, j)) continue;
        spare = a->t.a[j].spare;
        n++;
    }
    return n > spare ? n - spare : 0;
}

static bool covers_elected(const struct audit_log *a, bool majority) {
    const struct rule *law = law_of(a);
    for (uint32_t w = 0; w < a->t.c.choices; w++) {
        bool half = claims_share(a, ASSERT_ABOVE, w, (struct ratio){1, 2});
        if (!majority && (half || beats_all(a, w, w))) return true;
        if (majority && claims_share(a, ASSERT_ABOVE, w, law->majority) &&
            regions_claimed(a, ASSERT_AT_LEAST, w) >= rule_regions_needed(law))
            return true;
    }
    return false;
}

/* Two go on: each beats all others, and neither is elected. */
static bool covers_runoff(const struct audit_log *a) {
    const struct rule *law = law_of(a);
    uint32_t n = (uint32_t)a->t.c.choices;
    for (uint32_t x = 0; x < n; x++)
        for (uint32_t y = 0; y < n; y++) {
            if (x == y || !beats_all(a, x, y) || !beats_all(a, y, x) ||
                !claims_share(a, ASSERT_AT_MOST, y, law->majority))
                continue;
            if (claims_share(a, ASSERT_AT_MOST, x, law->majority) ||
                (law->spread && regions_claimed(a, ASSERT_BELOW, x) >= regions_to_fail(law)))
                return true;
        }
    return false;
}

void audit_law_gap(const struct audit_log *a, char *out, size_t max) {
    const struct rule *law = law_of(a);
    struct rule_case round;
    size_t all, missing = missing_stations(a, &all);
    out[0] = 0;
    rule_case_of(a->fold, a->plan->contest, a->plan->round, &round);
    if (missing) {
        (void)snprintf(out, max, "the committed list lacks %zu of the contest's %zu stations", missing, all);
    } else if (law->kind == RULE_UNKNOWN) {
        (void)snprintf(out, max, "the contest's rule is not known: whether these assertions are its outcome is the "
                                 "reader's to judge");
    } else {
        bool majority = law->kind == RULE_MAJORITY && !round.runoff;
        if (!covers_elected(a, majority) && !(majority && covers_runoff(a)))
            (void)snprintf(out, max, "the assertions are not all that the contest's rule asks of an outcome");
    }
}
