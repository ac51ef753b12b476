/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Published vectors of audit software, run as they stand. Sources: ColoradoRLA's
 * PseudoRandomNumberGeneratorTest, Rivest's sampler.py and consistent_sampler, numpy, Arlo's and
 * SHANGRLA's tests, Stark's rlacalc. */
#include "test.h"

#include <math.h>
#include "stats/audit/cards.h"
#include "stats/audit/consistent.h"
#include "stats/audit/macro.h"
#include "stats/audit/martingale.h"
#include "stats/audit/pcg64.h"
#include "stats/audit/sample.h"
#include "stats/audit/size.h"

#define near(a, b, tolerance)                                                                      \
    do {                                                                                           \
        double near_a_ = (a), near_b_ = (b);                                                       \
        if (!(fabs(near_a_ - near_b_) <= (tolerance)))                                             \
            fail_msg("%s = %.17g, wanted %.17g", #a, near_a_, near_b_);                            \
    } while (0)

static void picks_like_colorado_and_rivest(void **state) {
    (void)state;
    struct span seed = SPAN_LIT("3546311556112163624615351222");
    static const uint64_t want[] = {740, 180, 264, 789, 238, 448, 272, 611, 761, 208, 596, 88};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(audit_pick(seed, SPAN_LIT(""), i + 1, 876) + 1, want[i]);
    static const struct {
        const char *seed;
        uint64_t total, want[3];
    } rivest[] = {{"1", 1000, {97, 89, 163}},
                  {"0", 2, {1, 1, 2}},
                  {"0", 1000, {905, 573, 160}},
                  {"0000000000", 1000, {978, 359, 132}},
                  {"snowman: \xe2\x98\x83", 1000, {634, 56, 46}}};
    for (size_t r = 0; r < sizeof rivest / sizeof *rivest; r++)
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(
                audit_pick(span_text(rivest[r].seed), SPAN_LIT(""), i + 1, rivest[r].total) + 1,
                rivest[r].want[i]);
    /* a stratum goes into the text that is hashed */
    assert_int_not_equal(audit_pick(seed, SPAN_LIT("7"), 1, 876), 739);
}

struct ids {
    const char *at[4];
};
static size_t id_of(const void *ctx, uint64_t item, char *out) {
    const struct ids *ids = ctx;
    size_t n = strlen(ids->at[item]);
    memcpy(out, ids->at[item], n);
    return n;
}

static void samples_consistently(void **state) {
    (void)state;
    struct ticket t, next;
    ticket_first(SPAN_LIT("01382438112797316654"), SPAN_LIT("AB-130"), &t);
    assert_string_equal(t.text, "0.2629971412283800841650754429754666359971539552515442558604124528"
                                "7750224561854");
    assert_true(ticket_next(&t, &next));
    assert_true(strcmp(next.text, t.text) > 0);
    struct ids ids = {{"A#2", "B#7", "C#1", "D#4"}};
    static const uint64_t want[] = {3, 2, 2, 1, 0, 2, 3, 1};
    struct consistent_draw first[4], out[8];
    size_t n, drawn;
    consistent_smallest(SPAN_LIT("314159"), id_of, &ids, 0, 4, first, 4, &n);
    assert_int_equal(n, 4);
    consistent_sequence(first, n, true, out, 8, &drawn);
    assert_int_equal(drawn, 8);
    for (size_t i = 0; i < 8; i++) assert_int_equal(out[i].item, want[i]);
    assert_int_equal(out[2].generation, 2);
    /* without replacement each comes once, in the order of first tickets */
    consistent_smallest(SPAN_LIT("314159"), id_of, &ids, 0, 4, first, 4, &n);
    consistent_sequence(first, n, false, out, 8, &drawn);
    assert_int_equal(drawn, 4);
    static const uint64_t once[] = {3, 2, 1, 0};
    for (size_t i = 0; i < 4; i++) assert_int_equal(out[i].item, once[i]);
    /* a subset keeps the order; the two smallest of four are the first two */
    consistent_smallest(SPAN_LIT("314159"), id_of, &ids, 0, 4, first, 2, &n);
    consistent_sequence(first, n, false, out, 8, &drawn);
    assert_int_equal(drawn, 2);
    assert_true(out[0].item == 3 && out[1].item == 2);
}

static void draws_like_numpy(void **state) {
    (void)state;
    struct pcg64 r;
    pcg64_seed_arlo(&r, SPAN_LIT("06712221796172622814"));
    struct pcg64 again = r;
    static const uint64_t want[] = {UINT64_C(781864128211324567), UINT64_C(2940008326811913227),
                                    UINT64_C(922125330064354161)};
    for (size_t i = 0; i < 3; i++) assert_true(pcg64_u64(&r) == want[i]);
    assert_true(pcg64_double(&again) == 0.04238493931976006);
}

static void bounds_errors_like_arlo(void **state) {
    (void)state;
    struct assertion a = assertion_beats(0, 1, AUDIT_EVERYWHERE);
    uint64_t one[] = {48, 83}, two[] = {158, 172};
    near((double)assertion_value(&a, 139, one, 2) / 17453, 0.005958860940812468, 1e-17);
    near((double)assertion_value(&a, 382, two, 2) / 17453, 0.021085200252105654, 1e-17);
    /* Georgia, November 2025: 15 clean draws */
    double taint[15] = {0}, margin = 980470 - 582403;
    near(macro_p(taint, 15, 1 + 1581543 / margin), 0.034476286, 5e-10);
    taint[3] = 1;
    near(macro_p(taint, 15, 1 + 1581543 / margin), 1, 0);
    taint[3] = -1; /* an understatement counts as none */
    near(macro_p(taint, 15, 1 + 1581543 / margin), 0.034476286, 5e-10);
    static const struct {
        double ballots, margin;
        uint64_t first, after;
    } size[] = {{120000, 6000, 30, 26}, {60000, 6000, 16, 12}, {36000, 5400, 11, 7}};
    for (size_t i = 0; i < 3; i++) { /* Arlo adds one to what it computes */
        double u = 1 + size[i].ballots / size[i].margin;
        assert_int_equal(macro_size(u, 0.25) + 1, size[i].first);
        double p = macro_p((double[4]){0}, 4, u);
        assert_int_equal(macro_size(u, 0.25 / p) + 1, size[i].after);
    }
}

static void sizes_of_cards(void **state) {
    (void)state;
    static const double margin[] = {.2, .1, .15, 2 / 15., 1, .4, .2};
    static const uint64_t want[] = {27, 54, 36, 40, 6, 14, 27};
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(
            supersimple_size_from_rates(.1, 1.03905, margin[i], .001, .0001, .001, .0001), want[i]);
    assert_int_equal(supersimple_size(.5, 1.2, .05, 0, 0, 0, 0), 34);
    assert_int_equal(supersimple_size(.1, 1.03905, .2, 0, 0, 0, 0), 24);
    assert_int_equal(supersimple_size(.1, 1.03905, .1, 0, 0, 0, 0), 48);
    assert_int_equal(supersimple_size(.1, 1.03905, .002, 0, 0, 0, 0), 2393);
    assert_true(supersimple_size(.1, 1.03905, .1, 1, 0, 0, 0) > 48);
    assert_true(supersimple_size(.1, 1.03905, .1, 0, 0, 1, 0) < 48);
}

/* What a planner is told: Kenya's majority of 2022 (7,176,141 of 14,213,137 valid votes), by what bounds a
 * box: 14,326,751 ballots cast, or 22,120,458 voters registered. Chosen stations enter nowhere. */
static void sizes_of_a_nation(void **state) {
    (void)state;
    double margin = 2 * 7176141.0 - 14213137;
    uint64_t cast = audit_size_clean(BET_MIXTURE, margin / 14326751, .05);
    uint64_t registered = audit_size_clean(BET_MIXTURE, margin / 22120458, .05);
    assert_in_range(cast, 330, 340);
    assert_in_range(registered, 515, 525);
    /* ln(1/alpha) / ln(1 + v), which is all-in, is less */
    assert_int_equal(audit_size_clean(BET_KAPLAN_MARKOV, margin / 14326751, .05),
                     (uint64_t)ceil(log(20) / log1p(margin / 14326751)));
    assert_true(audit_size_clean(BET_MIXTURE, 0, .05) == UINT64_MAX);
}

static double p_of(const struct bet *b, const double *x, size_t n, double mu, uint64_t cards) {
    struct mart m;
    mart_init(&m, b);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        mart_step(&m, x[i], cards ? ((double)cards * mu - sum) / (double)(cards - i) : mu);
        sum += x[i];
    }
    return mart_p_now(&m);
}

static void bets_like_shangrla(void **state) {
    (void)state;
    static const double ones[] = {1, 1, 1, 1, 1};
    struct bet b = bet_comparison(BET_KAPLAN_MARKOV, .5);
    near(p_of(&b, ones, 5, .5, 0), pow(2, -5), 1e-15);
    b.g = .1;
    near(p_of(&b, ones, 5, .5, 0), pow(1.1 / .6, -5), 1e-15);
    b = bet_comparison(BET_KAPLAN_WALD, .5);
    near(p_of(&b, ones, 5, .5, 0), pow(1.9, -5), 1e-15);
    static const double x[] = {1, 0, 1, 1, .5, 1, 0, 1, 1, 1};
    b = (struct bet){.method = BET_ALPHA, .u = 1, .eta0 = .55, .c = .025, .d = 100, .eps = 1e-15};
    near(p_of(&b, x, 10, .5, 0), .6106939866726301, 1e-13);
    near(p_of(&b, x, 10, .5, 1000), .6056300796507095, 1e-13);
    near(card_overstatement(0, .2, 1), 1 / 1.8, 1e-16);
    near(card_overstatement(-1, .3, 1), 2 / 1.7, 1e-15);
    near(card_overstatement(.5, .1, 1), .5 / 1.9, 1e-16);
    near(card_assort(CARD_WINNER, 2 / 3.), .75, 1e-16);
    near(card_assort(CARD_LOSER, 2 / 3.), 0, 0);
    near(card_assort(CARD_NONE, 2 / 3.), .5, 0);
}

static void kelly_bets_what_theory_says(void **state) {
    (void)state;
    /* two points {1, 0} with rate p of 0: lambda* = (1 - p - mu) / (mu (1 - mu)) */
    for (double p = 0.01; p < 0.3; p += 0.07) {
        struct bet b = {
            .method = BET_KELLY, .u = 1, .d = 100, .points = 2, .at = {1, 0}, .rate = {1 - p, p}};
        struct mart m;
        mart_init(&m, &b);
        double mu = .6;
        near(mart_lambda(&m, mu), (1 - p - mu) / (mu * (1 - mu)), 1e-9);
    }
}

static void ends_of_m(void **state) {
    (void)state;
    for (int k = BET_MIXTURE; k <= BET_MACRO; k++) {
        struct bet b = bet_comparison((enum bet_method)k, .9);
        struct mart m;
        mart_init(&m, &b);
        mart_step(&m, 0, 0); /* mu = 0 and x = 0: nothing changes */
        near(mart_p(&m), 1, 0);
        assert_false(m.impossible);
        mart_step(&m, 1e-9, 0); /* mu = 0 and x > 0 */
        near(mart_p(&m), 0, 0);
        mart_init(&m, &b);
        mart_step(&m, 0, -1e-9); /* more was found than the null allows */
        near(mart_p(&m), 0, 0);
        mart_init(&m, &b);
        for (int i = 0; i < 50; i++) mart_step(&m, 1, .9);
        double before = mart_p(&m);
        assert_true(before < 1);
        mart_end(&m);
        near(mart_p(&m), before, 0); /* what was reached stays valid */
        near(mart_p_now(&m), 1, 0);
        mart_step(&m, 1, .5);
        near(mart_p(&m), before, 0);
    }
    /* ALPHA does not bet where mu is at or above its bound */
    struct bet b = bet_comparison(BET_ALPHA, .9);
    struct mart m;
    mart_init(&m, &b);
    near(mart_lambda(&m, 1), 0, 0);
    near(mart_lambda(&m, 1.2), 0, 0);
}

static void seeds(void **state) {
    (void)state;
    struct fail f;
    must(audit_seed_check(SPAN_LIT("06712221796172622814"), &f));
    refuses(E_AUDIT_SEED, audit_seed_check(SPAN_LIT("0671222179617262281"), &f)); /* 19 */
    refuses(E_AUDIT_SEED, audit_seed_check(SPAN_LIT("0671222179617262281a"), &f));
    refuses(E_AUDIT_SEED, audit_seed_check(SPAN_LIT("06712221796172622814\n"), &f));
    refuses(E_AUDIT_SEED, audit_seed_check(SPAN_LIT(""), &f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picks_like_colorado_and_rivest),
        cmocka_unit_test(samples_consistently),
        cmocka_unit_test(draws_like_numpy),
        cmocka_unit_test(bounds_errors_like_arlo),
        cmocka_unit_test(sizes_of_cards),
        cmocka_unit_test(sizes_of_a_nation),
        cmocka_unit_test(bets_like_shangrla),
        cmocka_unit_test(kelly_bets_what_theory_says),
        cmocka_unit_test(ends_of_m),
        cmocka_unit_test(seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
