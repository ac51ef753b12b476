/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Bounds against brute force: every figures that a doubtful station could have, every set of stations
 * that could be left out. */
#include "test.h"

#include "base/rng.h"
#include "election/materiality.h"

enum { STATIONS = 7, CHOICES = 3 };

struct small {
    struct rule rule;
    struct weighed w;
    struct weighed_station stations[STATIONS];
    uint64_t votes[STATIONS][CHOICES];
};

static void choices_of(struct rule_case *c, uint32_t n) {
    c->choice_count = n;
    c->on_ballot[0] = c->stands[0] = (UINT64_C(1) << n) - 1;
}

/* What the rule says of these figures (station i has votes[i], valid[i]; left out where NULL). */
static struct outcome outcome_of(const struct weighed *w, const uint64_t *const *votes,
                                 const uint64_t *valid) {
    uint64_t sum[STATIONS + 1][CHOICES] = {{0}};
    struct votes all = {0, sum[STATIONS]}, regions[STATIONS];
    for (uint32_t r = 0; r < w->region_count; r++) regions[r] = (struct votes){0, sum[r]};
    for (size_t i = 0; i < w->n; i++) {
        if (!votes[i]) continue;
        for (uint32_t k = 0; k < w->c.choice_count; k++) {
            sum[STATIONS][k] += votes[i][k];
            if (w->stations[i].region != NO_REGION) sum[w->stations[i].region][k] += votes[i][k];
        }
        all.valid += valid[i];
        if (w->stations[i].region != NO_REGION) regions[w->stations[i].region].valid += valid[i];
    }
    struct outcome o;
    rule_outcome(&w->c, &all, regions, w->region_count, &o);
    return o;
}

/* Goes through all figures of the doubtful stations from `at` on; true: one of them changes it. */
static bool can_change(const struct weighed *w, unsigned mask, size_t at, const uint64_t **votes,
                       uint64_t *valid, const struct outcome *now) {
    while (at < w->n && !(w->stations[at].doubts & mask)) at++;
    if (at == w->n) {
        struct outcome o = outcome_of(w, votes, valid);
        return !outcome_equal(&o, now);
    }
    uint64_t v[CHOICES], most = w->stations[at].most;
    const uint64_t *was = votes[at];
    uint64_t was_valid = valid[at];
    votes[at] = v;
    bool found = false;
    for (v[0] = 0; v[0] <= most && !found; v[0]++)
        for (v[1] = 0; v[0] + v[1] <= most && !found; v[1]++)
            for (v[2] = 0; v[0] + v[1] + v[2] <= most && !found; v[2]++) {
                if (w->c.choice_count < 3 && v[2]) break;
                if (w->c.choice_count < 2 && v[1]) break;
                valid[at] = v[0] + v[1] + v[2];
                found = can_change(w, mask, at + 1, votes, valid, now);
            }
    votes[at] = was;
    valid[at] = was_valid;
    return found;
}

static void make(struct small *x, struct rng *g, size_t n, uint64_t size, unsigned doubtful) {
    uint32_t regions = 1 + (uint32_t)rng_below(g, 3);
    memset(x, 0, sizeof *x);
    x->rule = (struct rule){.kind = RULE_PLURALITY, .majority = {1, 2}, .spread_share = {1, 4},
                            .spread_regions = {1, 2}};
    if (rng_below(g, 3)) x->rule.kind = RULE_MAJORITY;
    x->rule.spread = x->rule.kind == RULE_MAJORITY && rng_below(g, 3);
    x->rule.spread_units = regions;
    x->w.c.rule = &x->rule;
    x->w.region_count = x->rule.spread ? regions : 0;
    choices_of(&x->w.c, 2 + (uint32_t)rng_below(g, CHOICES - 1));
    x->w.stations = x->stations;
    x->w.n = n;
    for (size_t i = 0; i < n; i++) {
        struct weighed_station *s = &x->stations[i];
        s->unit = (uint32_t)i;
        s->region = x->rule.spread && rng_below(g, 5) ? (uint32_t)rng_below(g, regions) : NO_REGION;
        s->counted = rng_below(g, 5) > 0;
        for (uint32_t k = 0; k < x->w.c.choice_count; k++) {
            x->votes[i][k] = s->counted ? rng_below(g, k == 0 ? 2 * size : size) : 0;
            s->valid += x->votes[i][k];
        }
        if (s->counted) s->votes = x->votes[i];
        if (rng_below(g, 100) < doubtful || !s->counted) s->doubts = (uint8_t)(1 + rng_below(g, 31));
        s->most = rng_below(g, size);
        if (s->most < s->valid) s->most = s->valid;
    }
}

static void test_bounds(void **state) {
    (void)state;
    struct rng g;
    struct fail f;
    unsigned yes = 0, no = 0, regional = 0;
    rng_init(&g, 2017);
    for (int n = 0; n < 3000; n++) {
        struct small x;
        struct arena a;
        struct materiality m;
        const uint64_t *votes[STATIONS];
        uint64_t valid[STATIONS];
        arena_init(&a, 1 << 20);
        make(&x, &g, 2 + rng_below(&g, 4), 4, 30);
        must(materiality_compute(&x.w, &a, &m, &f));
        for (size_t i = 0; i < x.w.n; i++) {
            votes[i] = x.stations[i].votes;
            valid[i] = x.stations[i].valid;
        }
        struct outcome now = outcome_of(&x.w, votes, valid);
        assert_true(outcome_equal(&now, &m.now));
        for (unsigned d = 0; d < DOUBT_COUNT; d++) {
            unsigned mask = d == DOUBT_ANY ? 31 : 1u << d;
            uint64_t stations = 0;
            for (size_t i = 0; i < x.w.n; i++) stations += (x.stations[i].doubts & mask) != 0;
            assert_int_equal(m.rows[d].stations, stations);
            bool want = can_change(&x.w, mask, 0, votes, valid, &now);
            if (want != m.rows[d].can_change)
                fail_msg("case %d, %s: %s, brute force says %d", n, doubt_name((enum doubt)d),
                         outcome_name(now.kind), want);
            yes += want;
            no += stations && !want;
            regional += m.rows[d].regions_can_change && !m.rows[d].majority_can_change;
        }
        arena_release(&a);
    }
    assert_true(yes > 1000 && no > 500 && regional > 20);
}

static void test_smallest(void **state) {
    (void)state;
    struct rng g;
    struct fail f;
    unsigned exact = 0, bounded = 0;
    rng_init(&g, 2022);
    for (int n = 0; n < 20000; n++) {
        struct small x;
        struct arena a;
        struct smallest best;
        const uint64_t *votes[STATIONS];
        uint64_t valid[STATIONS];
        arena_init(&a, 1 << 20);
        make(&x, &g, 1 + rng_below(&g, STATIONS), 6, 0);
        must(materiality_smallest(&x.w, &a, &best, &f));
        for (size_t i = 0; i < x.w.n; i++) {
            votes[i] = x.stations[i].votes;
            valid[i] = x.stations[i].valid;
        }
        struct outcome now = outcome_of(&x.w, votes, valid);
        unsigned fewest = UINT32_MAX;
        for (unsigned set = 0; set < 1u << x.w.n; set++) {
            const uint64_t *left[STATIONS];
            for (size_t i = 0; i < x.w.n; i++) left[i] = set >> i & 1 ? NULL : votes[i];
            struct outcome o = outcome_of(&x.w, left, valid);
            unsigned size = (unsigned)__builtin_popcount(set);
            if (!outcome_equal(&o, &now) && size < fewest) fewest = size;
        }
        if (now.kind == OUTCOME_NONE || now.kind == OUTCOME_CANNOT_TELL) {
            arena_release(&a);
            continue;
        }
        assert_int_equal(best.none, fewest == UINT32_MAX);
        if (!best.none) {
            if (best.least > fewest || best.most < fewest)
                fail_msg("case %d: %llu to %llu, brute force %u (%s)", n, (unsigned long long)best.least,
                         (unsigned long long)best.most, fewest, outcome_name(now.kind));
            if (now.kind == OUTCOME_ELECTED) assert_int_equal(best.least, best.most);
            /* the set that is listed does it */
            for (uint64_t i = 0; i < best.most; i++) {
                assert_non_null(votes[best.units[i]]);
                votes[best.units[i]] = NULL;
            }
            struct outcome o = outcome_of(&x.w, votes, valid);
            assert_false(outcome_equal(&o, &now));
            exact += best.least == best.most;
            bounded += best.least != best.most;
        }
        arena_release(&a);
    }
    assert_true(exact > 10000 && bounded > 0);
}

static void test_sentence(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct buf b;
    struct materiality m;
    struct rule rule = {.kind = RULE_PLURALITY};
    const uint64_t votes[] = {60, 40};
    struct weighed_station s[] = {{0, NO_REGION, 0, true, 700, 100, votes},
                                  {1, NO_REGION, 1u << DOUBT_OUTSTANDING, false, 19, 0, NULL}};
    struct weighed w = {.c = {.rule = &rule}, .stations = s, .n = 2};
    choices_of(&w.c, 2);
    arena_init(&a, 1 << 20);
    buf_init(&b, 1000);
    must(materiality_compute(&w, &a, &m, &f));
    assert_false(m.rows[DOUBT_ANY].can_change); /* 59 at most against 60 */
    materiality_sentence(&m, &b);
    assert_string_equal(buf_cstr(&b),
                        "1 station with 19 registered voters is outstanding, in question, "
                        "disregarded, postponed or objected to: whatever it gives, it cannot change "
                        "the outcome that the counted figures give. Courts also weigh how the process "
                        "was run.");
    s[1].most = 20; /* a tie is another outcome */
    must(materiality_compute(&w, &a, &m, &f));
    assert_true(m.rows[DOUBT_ANY].can_change && m.rows[DOUBT_OUTSTANDING].can_change &&
                !m.rows[DOUBT_POSTPONED].can_change);
    buf_clear(&b);
    materiality_sentence(&m, &b);
    assert_string_equal(buf_cstr(&b),
                        "1 station with 20 registered voters is outstanding, in question, "
                        "disregarded, postponed or objected to: what it gives can still change "
                        "the outcome that the counted figures give. Courts also weigh how the process "
                        "was run.");
    assert_true(m.choices[0].least == 60 && m.choices[0].most == 80 && m.choices[1].most == 60);
    assert_true(m.valid_least == 100 && m.valid_most == 120);
    s[0].counted = false;
    s[0].doubts = 1;
    must(materiality_compute(&w, &a, &m, &f));
    buf_clear(&b);
    materiality_sentence(&m, &b);
    assert_string_equal(buf_cstr(&b), "No figures are counted yet.");
    buf_release(&b);
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bounds), cmocka_unit_test(test_smallest),
                                       cmocka_unit_test(test_sentence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
