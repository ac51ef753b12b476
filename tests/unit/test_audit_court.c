/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Voiding stations, and strata that draw by themselves, against brute force. */
#include "test.h"

#include <math.h>
#include "base/rng.h"
#include "stats/audit/court.h"
#include "stats/audit/martingale.h"
#include "stats/audit/stratified.h"

enum { N = 12, CHOICES = 3 };

struct tiny {
    uint64_t bound[N], votes[N * CHOICES];
    uint32_t region[N];
    struct audit_contest c;
};

static void make_tiny(struct tiny *t, struct rng *r, uint64_t lead) {
    for (size_t g = 0; g < N; g++) {
        t->votes[g * 3] = lead + rng_below(r, 60);
        t->votes[g * 3 + 1] = rng_below(r, 60);
        t->votes[g * 3 + 2] = rng_below(r, 20);
        t->bound[g] = t->votes[g * 3] + t->votes[g * 3 + 1] + t->votes[g * 3 + 2] + rng_below(r, 9);
        t->region[g] = (uint32_t)(g % 3);
    }
    t->c = (struct audit_contest){N, CHOICES, 3, t->bound, t->votes, t->region};
}

/* Does the outcome hold without the batches of the mask? */
static bool holds(const struct tiny *t, const struct audit_rule *rule, uint32_t winner,
                  unsigned mask) {
    int64_t v[4][CHOICES] = {0}, valid[4] = {0};
    for (size_t g = 0; g < N; g++)
        for (size_t j = 0; j < CHOICES && !(mask >> g & 1); j++) {
            int64_t n = (int64_t)t->votes[g * CHOICES + j];
            v[0][j] += n, valid[0] += n;
            v[1 + t->region[g]][j] += n, valid[1 + t->region[g]] += n;
        }
    for (size_t j = 0; j < CHOICES; j++)
        if (j != winner && v[0][winner] <= v[0][j]) return false;
    if (rule->majority && 2 * v[0][winner] <= valid[0]) return false;
    uint32_t regions = 0;
    for (uint32_t r = 1; r < 4; r++)
        regions += audit_rule_counts(rule, r - 1) && valid[r] > 0 && (int64_t)rule->q * v[r][winner] >= (int64_t)rule->p * valid[r];
    return !rule->regions || (regions >= rule->regions) != rule->regions_fail;
}

static uint64_t brute(const struct tiny *t, const struct audit_rule *rule, uint32_t winner,
                      bool wanted) {
    uint64_t best = UINT64_MAX;
    for (unsigned mask = 0; mask < 1u << N; mask++) {
        uint64_t k = (uint64_t)__builtin_popcount(mask);
        if (k < best && holds(t, rule, winner, mask) == wanted) best = k;
    }
    return best;
}

static unsigned mask_of(const uint32_t *list, uint64_t n) {
    unsigned mask = 0;
    for (uint64_t i = 0; i < n; i++) mask |= 1u << list[i];
    return mask;
}

static void fewest_to_void(void **state) {
    (void)state;
    static const bool outside[] = {false, true, false};
    static const struct audit_rule rules[] = {
        {.winners = 1},
        {.winners = 1, .majority = true},
        {.winners = 1, .majority = true, .regions = 2, .p = 1, .q = 4},
        {.winners = 1, .majority = true, .regions = 2, .p = 2, .q = 5},
        {.winners = 1, .majority = true, .regions = 1, .p = 2, .q = 5, .outside = outside},
        {.winners = 1, .majority = true, .regions = 2, .p = 3, .q = 5, .regions_fail = true}};
    struct rng r;
    struct fail f;
    rng_init(&r, 31);
    size_t looked = 0, bounded = 0;
    for (int trial = 0; trial < 90; trial++) {
        struct tiny t;
        make_tiny(&t, &r, 18);
        const struct audit_rule *rule = &rules[trial % 6];
        if (!holds(&t, rule, 0, 0)) continue;
        struct arena mem;
        arena_init(&mem, 1 << 24);
        struct court_flip flip;
        uint32_t list[N];
        must(court_outcome_fails(&t.c, rule, &mem, list, N, &flip, &f));
        assert_true(flip.possible && flip.least == flip.most);
        assert_int_equal(flip.least, brute(&t, rule, 0, false));
        assert_false(holds(&t, rule, 0, mask_of(list, flip.least)));
        looked++;
        struct audit_rule plain = {.winners = 1, .majority = rule->majority};
        uint64_t least = brute(&t, &plain, 1, true);
        must(court_elects(&t.c, &plain, 1, &mem, list, N, &flip, &f));
        assert_true(flip.possible == (least != UINT64_MAX) || !plain.majority);
        if (flip.possible) {
            assert_true(flip.least <= least && least <= flip.most);
            assert_true(holds(&t, &plain, 1, mask_of(list, flip.most)));
            if (plain.majority) assert_int_equal(flip.least, flip.most);
            bounded++;
        }
        arena_release(&mem);
    }
    assert_true(looked > 45 && bounded > 10);
}

static void strata_by_bisection(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 17);
    for (int trial = 0; trial < 3; trial++) {
        struct stratum_draw draw[2][30];
        struct stratum s[2];
        double null = 0;
        for (int k = 0; k < 2; k++) {
            double weight = 0;
            for (int i = 0; i < 30; i++) {
                draw[k][i].weight = 100 + (double)rng_below(&r, 200);
                draw[k][i].value = draw[k][i].weight - (double)rng_below(&r, 3);
                weight += draw[k][i].weight;
            }
            s[k] = (struct stratum){weight * 10, weight * 20, draw[k], (size_t)(10 + 20 * k)};
            null += weight * 10 / 1.1;
        }
        double share[2], got = stratified_log(s, 2, null, share), best = INFINITY;
        assert_true(fabs(share[0] + share[1] - null) < 1e-6 * null);
        for (int i = 1; i < 8000; i++) {
            double t = null * i / 8000;
            best = fmin(best, stratum_log(&s[0], t, NULL) + stratum_log(&s[1], null - t, NULL));
        }
        if (fabs(got - best) > 1e-4) fail_msg("trial %d: %g, by brute force %g", trial, got, best);
        /* never more than what any one division shows, such as by size */
        double by_size = null * s[0].weight / (s[0].weight + s[1].weight);
        assert_true(got <= stratum_log(&s[0], by_size, NULL) +
                               stratum_log(&s[1], null - by_size, NULL) + 1e-9);
    }
}

static void one_stratum_is_the_plain_test(void **state) {
    (void)state;
    struct stratum_draw d[5] = {{90, 100}, {100, 100}, {80, 90}, {50, 50}, {120, 110}};
    struct stratum s = {5000, 9000, d, 5};
    double null = 4800, left = null, weight = 5000;
    struct bet b = bet_comparison(BET_MIXTURE, 0.5);
    struct mart m;
    mart_init(&m, &b);
    for (int i = 0; i < 5; i++) {
        mart_step(&m, d[i].value / d[i].weight, left / weight);
        left -= d[i].value;
        weight -= d[i].weight;
    }
    assert_true(fabs(stratified_log(&s, 1, null, NULL) - mart_log(&m)) < 1e-9);
    double slope, near = stratum_log(&s, null + 0.01, NULL), here = stratum_log(&s, null, &slope);
    assert_true(fabs((near - here) / 0.01 - slope) < 1e-6);
    assert_true(isinf(stratified_log(&s, 1, 400, NULL))); /* less than was found */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fewest_to_void),
        cmocka_unit_test(strata_by_bisection),
        cmocka_unit_test(one_stratum_is_the_plain_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
