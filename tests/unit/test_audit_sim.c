/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Simulation under the null: no method may confirm a false outcome more often than the risk limit
 * says, and the machinery must be able to see it when one does. The bench repeats this with 20,000
 * runs. Properties of p on random samples. */
#include "test.h"

#include <math.h>
#include "stats/audit/bound.h"
#include "stats/audit/sample.h"
#include "stats/audit/sim.h"
#include "stats/audit/size.h"

enum { STATIONS = 1500, RUNS = 800, CHOICES = 3, REGIONS = 5, METHODS = 7 };
static const enum bet_method methods[METHODS] = {
    BET_MIXTURE, BET_KAPLAN_MARKOV, BET_KAPLAN_WALD, BET_ALPHA, BET_AGRAPA, BET_KELLY, BET_MACRO};
static const double alpha = 0.05, tail = 0.0005; /* an exact 99.9 % interval */

struct nation {
    uint64_t bound[STATIONS], votes[STATIONS * CHOICES], weight[STATIONS], below[STATIONS];
    uint32_t region[STATIONS];
    struct audit_contest c;
    struct assertion a[8];
    size_t n;
    struct arena arena;
};

static void make_nation(struct nation *t, uint64_t seed, double lead,
                        const struct audit_rule *rule) {
    struct rng r;
    rng_init(&r, seed);
    for (size_t g = 0; g < STATIONS; g++) {
        uint64_t b = 50 + rng_below(&r, 650);
        double w = 0.5 + lead + 0.1 * rng_normal(&r);
        uint64_t won = (uint64_t)((double)b * fmin(fmax(w, 0.02), 0.97));
        t->bound[g] = b;
        t->votes[g * CHOICES] = won;
        t->votes[g * CHOICES + 1] = (b - won) * 9 / 10;
        t->votes[g * CHOICES + 2] = (b - won) / 20;
        t->region[g] = (uint32_t)(g % REGIONS);
    }
    t->c = (struct audit_contest){STATIONS, CHOICES, REGIONS, t->bound, t->votes, t->region};
    arena_init(&t->arena, 1 << 26);
    struct fail f;
    uint32_t winners[CHOICES];
    must(audit_contest_check(&t->c, &f));
    must(audit_assertions(&t->c, rule, &t->arena, t->a, 8, &t->n, winners, &f));
    assert_int_equal(winners[0], 0);
    uint64_t total;
    must(audit_weights(&t->c, t->a, t->n, t->weight, &total, &f));
}

/* The simulation of one assertion: bounds of its own region only. */
struct one {
    struct sim sim;
    uint64_t weight[STATIONS], below[STATIONS];
    int64_t bound[STATIONS], value[STATIONS];
    uint8_t seen[STATIONS];
};

static void make_one(struct one *o, const struct nation *t, size_t j) {
    size_t n = 0;
    uint64_t sum = 0, ballots = 0;
    double most = 0;
    for (size_t g = 0; g < STATIONS; g++) {
        if (!audit_holds(&t->c, t->a[j].region, g)) continue;
        o->weight[n] = t->weight[g];
        o->below[n] = sum += t->weight[g];
        o->bound[n] = assertion_value(&t->a[j], t->bound[g], audit_votes(&t->c, g), CHOICES);
        most = fmax(most, (double)o->bound[n] / (double)o->weight[n]);
        ballots += t->bound[g];
        n++;
    }
    o->sim =
        (struct sim){n, o->weight, o->below, o->value, assertion_null(&t->a[j], ballots), 1 / most};
}

static void null_rates(struct one *o, enum sim_null kind, uint64_t seed, uint64_t runs,
                       uint64_t rejected[METHODS]) {
    memset(rejected, 0, METHODS * sizeof *rejected);
    for (uint64_t run = 0; run < runs; run++) {
        struct rng r;
        rng_init_stream(&r, seed, run);
        if (run % 50 == 0) sim_make_null(kind, o->bound, o->sim.n, o->sim.null_total, &r, o->value);
        uint64_t stop[METHODS];
        sim_run(&o->sim, methods, METHODS, alpha, &r, 900, o->seen, stop);
        for (size_t i = 0; i < METHODS; i++) rejected[i] += stop[i] != UINT64_MAX;
    }
}

static void holds_the_limit(void **state) {
    (void)state;
    static struct nation t;
    static struct one o;
    /* a majority, and a quarter of the votes in three regions */
    make_nation(&t, 20260811, 0.02,
                &(struct audit_rule){.winners = 1, .majority = true, .regions = 3, .p = 1, .q = 4});
    for (size_t j = 0; j < t.n; j++) {
        make_one(&o, &t, j);
        for (int kind = NULL_WHOLE; kind <= NULL_LOST; kind++) {
            uint64_t rejected[METHODS];
            uint64_t runs = j == 0 ? RUNS : RUNS / 4;
            null_rates(&o, (enum sim_null)kind, 1000 * j + (uint64_t)kind, runs, rejected);
            for (size_t i = 0; i < METHODS; i++)
                if (binomial_at_least(runs, rejected[i], alpha) < tail)
                    fail_msg("assertion %zu, null %d, method %zu: %llu of %llu rejected", j, kind,
                             i, (unsigned long long)rejected[i], (unsigned long long)runs);
            /* else the test could not fail: a fraud that sums to T is confirmed now and then */
            if (j == 0 && kind == NULL_WHOLE) assert_true((double)rejected[0] / RUNS > 0.03);
        }
    }
    arena_release(&t.arena);
}

/* The bug of a peer, planted: the product is accumulated twice. */
struct twice {
    double once, both, most;
};
static bool step_twice(void *ctx, double x, double mu) {
    struct twice *t = ctx;
    double factor = 0.1 + 0.9 * x / mu;
    t->once += log(factor);
    t->both += t->once;
    t->most = fmax(t->most, t->both);
    return true;
}
static bool step_once(void *ctx, double x, double mu) {
    struct twice *t = ctx;
    t->once += log(0.1 + 0.9 * x / mu);
    t->most = fmax(t->most, t->once);
    return true;
}

static uint64_t rejects_with(struct one *o, sim_visit *visit) {
    uint64_t rejected = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        struct rng r;
        rng_init_stream(&r, 77, run);
        if (run % 50 == 0)
            sim_make_null(NULL_WHOLE, o->bound, o->sim.n, o->sim.null_total, &r, o->value);
        struct twice t = {0, 0, 0};
        sim_draw(&o->sim, &r, 900, o->seen, visit, &t);
        rejected += t.most >= -log(alpha);
    }
    return rejected;
}

/* A regional rule that fails by as little as it can: of the K counties audited, K - q + 1 are false with
 * sum A = T and the others are true. Its p must keep the limit; the q-th smallest p of the counties by
 * itself, which is what one would think of first, must not. */
static void spare_regions_keep_the_limit(void **state) {
    (void)state;
    enum { CHOSEN = 7, NEED = 4, IN_REGION = 80, TRIALS = 1500 };
    static struct nation t;
    static struct one o;
    make_nation(&t, 20260811, 0.02, &(struct audit_rule){.winners = 1, .majority = true});
    o.sim.n = IN_REGION; /* one county's stations stand for each county's */
    t.c.batches = IN_REGION;
    struct assertion one = assertion_share(ASSERT_AT_LEAST, 0, 1, 4, AUDIT_EVERYWHERE), a[CHOSEN];
    uint64_t total, ballots = 0, joint = 0, naive = 0;
    struct fail f;
    must(audit_weights(&t.c, &one, 1, o.weight, &total, &f));
    for (size_t g = 0; g < IN_REGION; g++) {
        o.below[g] = o.weight[g] + (g ? o.below[g - 1] : 0);
        o.bound[g] = assertion_value(&one, t.bound[g], audit_votes(&t.c, g), CHOICES);
        ballots += t.bound[g];
    }
    o.sim = (struct sim){IN_REGION, o.weight, o.below, o.value, assertion_null(&one, ballots), 1};
    for (uint32_t j = 0; j < CHOSEN; j++)
        a[j] = assertion_share(ASSERT_AT_LEAST, 0, 1, 4, j);
    assert_true(audit_spread(a, CHOSEN, CHOSEN - NEED));
    for (uint64_t run = 0; run < TRIALS; run++) {
        struct rng r;
        rng_init_stream(&r, 4242, run);
        double p[CHOSEN] = {0}; /* the true counties are as clear as can be */
        for (size_t j = NEED - 1; j < CHOSEN; j++) {
            struct twice w = {0, 0, 0}; /* an all-but-all-in bet: it reaches the limit often */
            sim_make_null(NULL_WHOLE, o.bound, IN_REGION, o.sim.null_total, &r, o.value);
            sim_draw(&o.sim, &r, IN_REGION, o.seen, step_once, &w);
            p[j] = fmin(1, exp(-w.most));
        }
        double least = 1;
        for (size_t j = NEED - 1; j < CHOSEN; j++) least = fmin(least, p[j]);
        assert_true(fabs(audit_regional_p(a, p, CHOSEN) - fmin(1, 4 * least)) < 1e-12);
        joint += audit_joint_p(a, p, CHOSEN) <= alpha;
        naive += least <= alpha;
    }
    assert_true(binomial_at_least(TRIALS, joint, alpha) >= tail);
    assert_true(binomial_at_least(TRIALS, naive, alpha) < tail);
    assert_true((double)joint / TRIALS > 0.01); /* else the test could not fail */
    arena_release(&t.arena);
}

static void spare_regions_by_hand(void **state) {
    (void)state;
    struct assertion a[6];
    a[0] = assertion_share(ASSERT_ABOVE, 0, 1, 2, AUDIT_EVERYWHERE);
    for (uint32_t j = 1; j < 6; j++) a[j] = assertion_share(ASSERT_AT_LEAST, 0, 1, 4, j);
    const double p[] = {0.04, 0.5, 0.001, 0.012, 0.02, 1};
    assert_true(audit_spread(a, 6, 0));
    assert_true(audit_joint_p(a, p, 6) == 1 && audit_regional_p(a, p, 6) == 0);
    assert_true(assertion_limit(&a[1], 0.05) == 0.05);
    assert_true(audit_spread(a, 6, 2)); /* three of five: three times the third smallest */
    assert_true(fabs(audit_regional_p(a, p, 6) - 0.06) < 1e-15);
    assert_true(fabs(audit_joint_p(a, p, 6) - 0.06) < 1e-15);
    assert_true(a[0].spare == 0 && fabs(assertion_limit(&a[1], 0.06) - 0.02) < 1e-15);
    assert_true(audit_spread(a, 6, 4)); /* one of five: five times the smallest */
    assert_true(fabs(audit_regional_p(a, p, 6) - 0.005) < 1e-15 && audit_joint_p(a, p, 6) == 0.04);
    assert_false(audit_spread(a, 6, 5));
    assert_true(audit_spread(a, 6, 2));
    bool met[6] = {true, false, true, true, false, false};
    assert_false(audit_all_met(a, met, 6));
    assert_true(audit_settled(a, met, 6, 2) && !audit_settled(a, met, 6, 1));
    met[4] = true;
    assert_true(audit_all_met(a, met, 6) && audit_settled(a, met, 6, 1));
    met[0] = false; /* no county makes up for the majority */
    assert_true(!audit_all_met(a, met, 6) && !audit_settled(a, met, 6, 0));
}

/* Which regions: the largest margins, never those outside, spare ones as many as reach the share. */
static void regions_of_the_rule(void **state) {
    (void)state;
    static struct nation t;
    struct fail f;
    uint32_t winners[CHOICES];
    struct assertion a[16];
    size_t n;
    make_nation(&t, 3, 0.05, &(struct audit_rule){.winners = 1, .majority = true});
    for (size_t g = 0; g < STATIONS; g++) /* region 4 is lost by far */
        if (t.region[g] == 4) t.votes[g * CHOICES] = t.votes[g * CHOICES + 1] / 9;
    bool outside[REGIONS] = {false, true};
    struct audit_rule rule = {.winners = 1, .regions = 2, .p = 1, .q = 4, .spare = 9, .outside = outside};
    must(audit_assertions(&t.c, &rule, &t.arena, a, 16, &n, winners, &f));
    uint32_t seen = 0;
    for (size_t j = 0; j < n; j++)
        if (a[j].region != AUDIT_EVERYWHERE) seen |= 1u << a[j].region, assert_int_equal(a[j].spare, 1);
    assert_int_equal(seen, 1u << 0 | 1u << 2 | 1u << 3);
    rule.regions = 4; /* of four regions one does not reach it */
    refuses(E_AUDIT_OUTCOME, audit_assertions(&t.c, &rule, &t.arena, a, 16, &n, winners, &f));
    rule.regions = 5;
    refuses(E_USAGE, audit_assertions(&t.c, &rule, &t.arena, a, 16, &n, winners, &f));
    /* a run-off because the first fails the rule: one of four below is what is needed, so that four of
     * four are not reached; the second has no majority, and both beat the third */
    rule = (struct audit_rule){.winners = 2, .runoff = true, .regions = 4, .p = 1, .q = 4,
                               .regions_fail = true, .outside = outside};
    must(audit_assertions(&t.c, &rule, &t.arena, a, 16, &n, winners, &f));
    assert_int_equal(n, 4);
    assert_true(a[0].kind == ASSERT_BEATS && a[1].kind == ASSERT_BEATS && a[0].loser == a[1].loser);
    assert_true(a[2].kind == ASSERT_AT_MOST && a[2].winner == winners[1]);
    assert_true(a[3].kind == ASSERT_BELOW && a[3].winner == winners[0] && a[3].region == 4);
    rule.regions_fail = false;
    refuses(E_USAGE, audit_assertions(&t.c, &rule, &t.arena, a, 16, &n, winners, &f));
    arena_release(&t.arena);
}

static void catches_a_planted_bug(void **state) {
    (void)state;
    static struct nation t;
    static struct one o;
    make_nation(&t, 20260811, 0.02, &(struct audit_rule){.winners = 1, .majority = true});
    make_one(&o, &t, 0);
    uint64_t right = rejects_with(&o, step_once), wrong = rejects_with(&o, step_twice);
    assert_true(binomial_at_least(RUNS, right, alpha) >= tail);
    assert_true(binomial_at_least(RUNS, wrong, alpha) < tail);
    arena_release(&t.arena);
}

static void tails_are_exact(void **state) {
    (void)state;
    assert_true(fabs(binomial_at_least(10, 10, 0.5) - pow(2, -10)) < 1e-12);
    assert_true(fabs(binomial_at_least(3, 2, 0.25) - (3 * 0.0625 * 0.75 + 0.015625)) < 1e-12);
    assert_true(fabs(binomial_at_least(50, 0, 0.05) - 1) < 1e-9);
}

/* ---- whole samples ---- */

struct drawn {
    uint32_t draw[STATIONS];
    uint8_t seen[STATIONS], state[STATIONS];
    uint64_t below[STATIONS], hand[STATIONS * CHOICES];
    struct audit_sample sample;
    struct audit_hand h;
};

static void draw_sample(struct drawn *d, const struct nation *t, const char *seed, size_t n) {
    struct audit_sampler s;
    struct audit_pick pick;
    audit_sampler_init(&s, t->weight, STATIONS, d->below, d->seen, span_text(seed), SPAN_LIT(""));
    memset(d->state, 0, sizeof d->state);
    memcpy(d->hand, t->votes, sizeof d->hand);
    size_t k = 0;
    while (k < n && audit_sampler_next(&s, &pick)) {
        d->draw[k++] = pick.batch;
        d->state[pick.batch] = AUDIT_COUNTED;
    }
    d->sample = (struct audit_sample){t->weight, d->draw, k, false, true};
    d->h = (struct audit_hand){d->state, d->hand, NULL};
}

static double worst_p(const struct nation *t, const struct drawn *d, enum bet_method m) {
    struct fail f;
    struct arena mem;
    struct assertion_risk out[8];
    arena_init(&mem, 1 << 24);
    must(audit_risk(&t->c, t->a, t->n, &d->sample, &d->h, m, &mem, out, &f));
    double p = 0;
    for (size_t j = 0; j < t->n; j++) p = fmax(p, out[j].p);
    arena_release(&mem);
    return p;
}

static void fewer_votes_never_lower_p(void **state) {
    (void)state;
    static struct nation t;
    static struct drawn d;
    make_nation(&t, 5, 0.03, &(struct audit_rule){.winners = 1});
    struct rng r;
    rng_init(&r, 99);
    size_t strictly = 0;
    for (int trial = 0; trial < 40; trial++) {
        char seed[32];
        snprintf(seed, sizeof seed, "%020d", trial);
        draw_sample(&d, &t, seed, 60);
        for (int k = BET_MIXTURE; k <= BET_KAPLAN_WALD; k++) {
            double before = worst_p(&t, &d, (enum bet_method)k);
            uint32_t g = d.draw[rng_below(&r, d.sample.draws)];
            uint64_t *won = &d.hand[g * CHOICES], kept = *won, less = rng_below(&r, *won + 1);
            *won -= less;
            double after = worst_p(&t, &d, (enum bet_method)k);
            *won = kept;
            if (after < before - 1e-15)
                fail_msg("method %d: p fell from %g to %g", k, before, after);
            strictly += after > before;
        }
    }
    assert_true(strictly > 20);
    arena_release(&t.arena);
}

static void clean_audits_stop_where_predicted(void **state) {
    (void)state;
    static struct nation t;
    static struct drawn d;
    make_nation(&t, 8, 0.03, &(struct audit_rule){.winners = 1, .majority = true});
    double v = audit_diluted_margin(&t.a[0], &t.c);
    for (int k = BET_MIXTURE; k <= BET_KAPLAN_WALD; k++) {
        uint64_t predicted = audit_size_clean((enum bet_method)k, v, alpha);
        draw_sample(&d, &t, "06712221796172622814", predicted);
        assert_int_equal(d.sample.draws, predicted);
        assert_true(worst_p(&t, &d, (enum bet_method)k) <= alpha);
        /* drawing without replacement saves a little, not much */
        draw_sample(&d, &t, "06712221796172622814", predicted * 4 / 5);
        assert_true(worst_p(&t, &d, (enum bet_method)k) > alpha);
    }
    arena_release(&t.arena);
}

static void lost_boxes_and_wrong_bounds(void **state) {
    (void)state;
    static struct nation t;
    static struct drawn d;
    make_nation(&t, 8, 0.03, &(struct audit_rule){.winners = 1, .majority = true});
    draw_sample(&d, &t, "06712221796172622814", 80);
    double clean = worst_p(&t, &d, BET_MIXTURE);
    d.sample.draws = 10;
    double ten = worst_p(&t, &d, BET_KAPLAN_MARKOV);
    d.sample.draws = 80;
    assert_true(worst_p(&t, &d, BET_KAPLAN_MARKOV) < ten);
    d.state[d.draw[10]] = AUDIT_LOST;
    double lost = worst_p(&t, &d, BET_MIXTURE);
    assert_true(lost > clean && lost < 1);
    /* an all-in bet never recovers from a lost box: p stays where it was before */
    assert_true(worst_p(&t, &d, BET_KAPLAN_MARKOV) == ten);
    d.state[d.draw[10]] = AUDIT_COUNTED;
    struct fail f;
    size_t where = 0;
    must(audit_hand_check(&t.c, &d.h, &where, &f));
    d.hand[d.draw[3] * CHOICES] = t.bound[d.draw[3]] + 1;
    refuses(E_AUDIT_BOUND, audit_hand_check(&t.c, &d.h, &where, &f));
    assert_int_equal(where, d.draw[3]);
    arena_release(&t.arena);
}

static void full_counts_decide(void **state) {
    (void)state;
    static struct nation t;
    static struct drawn d;
    make_nation(&t, 8, 0.03, &(struct audit_rule){.winners = 1, .majority = true});
    draw_sample(&d, &t, "06712221796172622814", STATIONS);
    assert_int_equal(d.sample.draws, STATIONS);
    assert_true(worst_p(&t, &d, BET_MIXTURE) == 0);
    /* the hand count contradicts the report in every station: nothing may confirm it */
    for (size_t g = 0; g < STATIONS; g++) {
        uint64_t *v = &d.hand[g * CHOICES], won = v[0];
        v[0] = v[1];
        v[1] = won;
    }
    for (size_t i = 0; i < METHODS; i++) assert_true(worst_p(&t, &d, methods[i]) == 1);
    arena_release(&t.arena);
}

static void bounds_bracket_the_truth(void **state) {
    (void)state;
    static struct nation t;
    static struct drawn d;
    make_nation(&t, 12, 0.05, &(struct audit_rule){.winners = 1});
    struct fail f;
    uint64_t totals[CHOICES], ballots;
    audit_totals(&t.c, AUDIT_EVERYWHERE, totals, &ballots);
    double before = -1e18;
    for (size_t n = 20; n <= 320; n *= 2) {
        draw_sample(&d, &t, "06712221796172622814", n);
        struct arena mem;
        arena_init(&mem, 1 << 24);
        double votes, share, truth = (double)(totals[0] - totals[1]);
        must(audit_lower_bound(&t.c, &t.a[0], &d.sample, &d.h, BET_MIXTURE, alpha, &mem, &votes,
                               &f));
        assert_true(votes <= truth);
        assert_true(votes >= before);
        before = votes;
        struct assertion_risk risk[8];
        must(audit_risk(&t.c, t.a, t.n, &d.sample, &d.h, BET_MIXTURE, &mem, risk, &f));
        assert_true((votes > 0) == (risk[0].p <= alpha)); /* the two say the same */
        struct assertion majority = assertion_share(ASSERT_ABOVE, 0, 1, 2, AUDIT_EVERYWHERE);
        must(audit_lower_bound(&t.c, &majority, &d.sample, &d.h, BET_MIXTURE, alpha, &mem, &share,
                               &f));
        double valid = (double)(totals[0] + totals[1] + totals[2]);
        assert_true(share <= (double)totals[0] / valid && share > 0.3);
        refuses(E_USAGE, audit_lower_bound(&t.c, &majority, &d.sample, &d.h, BET_ALPHA, alpha, &mem,
                                           &share, &f));
        arena_release(&mem);
    }
    assert_true(before > 0);
    arena_release(&t.arena);
}

static void later_rounds_are_estimated(void **state) {
    (void)state;
    static struct nation t;
    static struct drawn d;
    make_nation(&t, 8, 0.03, &(struct audit_rule){.winners = 1, .majority = true});
    draw_sample(&d, &t, "06712221796172622814", STATIONS);
    struct arena mem;
    struct fail f;
    arena_init(&mem, 1 << 26);
    memset(d.state, 0, sizeof d.state);
    struct size_rounds s = {&t.c, t.a, t.n, &d.sample, &d.h, BET_MIXTURE, alpha, 1};
    uint64_t out[200], plain[200];
    refuses(E_STATE, audit_size_rounds(&s, 0, 200, &mem, out, &f));
    for (size_t i = 0; i < 30; i++) d.state[d.draw[i]] = AUDIT_COUNTED;
    must(audit_size_rounds(&s, 0, 200, &mem, plain, &f));
    struct size_along clean;
    must(audit_size_along(&t.c, t.a, t.n, &d.sample, BET_MIXTURE, alpha, &mem, &clean, &f));
    assert_true(clean.done && clean.retrieved == clean.length);
    assert_int_equal(audit_quantile(plain, 200, 0.9), clean.length); /* clean so far: no spread */
    for (size_t i = 0; i < 30; i += 3) d.hand[d.draw[i] * CHOICES] -= 4;
    must(audit_size_rounds(&s, 0, 200, &mem, out, &f));
    assert_true(audit_quantile(out, 200, 0.5) > clean.length);
    /* parts give the same as the whole */
    must(audit_size_rounds(&s, 100, 200, &mem, plain, &f));
    must(audit_size_rounds(&s, 0, 200, &mem, out, &f));
    assert_memory_equal(out + 100, plain, 100 * sizeof *out);
    arena_release(&mem);
    arena_release(&t.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_the_limit),
        cmocka_unit_test(catches_a_planted_bug),
        cmocka_unit_test(tails_are_exact),
        cmocka_unit_test(spare_regions_keep_the_limit),
        cmocka_unit_test(spare_regions_by_hand),
        cmocka_unit_test(regions_of_the_rule),
        cmocka_unit_test(fewer_votes_never_lower_p),
        cmocka_unit_test(clean_audits_stop_where_predicted),
        cmocka_unit_test(lost_boxes_and_wrong_bounds),
        cmocka_unit_test(full_counts_decide),
        cmocka_unit_test(bounds_bracket_the_truth),
        cmocka_unit_test(later_rounds_are_estimated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
