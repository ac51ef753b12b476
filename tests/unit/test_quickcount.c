/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <math.h>
#include "base/rng.h"
#include "stats/quickcount.h"

#define near(got, want, by)                                                                        \
    do {                                                                                           \
        double near_g_ = (got), near_w_ = (want);                                                  \
        if (!(fabs(near_g_ - near_w_) <= (by)))                                                    \
            fail_msg("%s is %.10g, not %.10g +- %g", #got, near_g_, near_w_, (double)(by));        \
    } while (0)

/* Published table values. */
static void t_quantiles(void **state) {
    (void)state;
    static const double table[][3] = {{.975, 1, 12.7062}, {.975, 2, 4.3027}, {.975, 5, 2.5706},
                                      {.995, 10, 3.1693}, {.975, 30, 2.0423}, {.995, 120, 2.6174},
                                      {.975, 1e6, 1.95997}, {.995, 3, 5.8409}, {.95, 8, 1.8595}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        near(qc_t_quantile(table[i][0], table[i][1]), table[i][2], 2e-3);
}

static void thin_strata_are_joined(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    arena_init(&mem, 1 << 20);
    static const uint64_t stations[] = {40, 3, 5, 20, 16, 2};
    uint32_t *of;
    size_t n;
    must(qc_collapse(stations, 6, &mem, &of, &n, &f));
    static const uint32_t want[] = {0, 1, 1, 1, 2, 2};
    assert_int_equal(n, 3);
    assert_memory_equal(of, want, sizeof want);
    static const uint64_t tiny[] = {3, 4};
    must(qc_collapse(tiny, 2, &mem, &of, &n, &f));
    assert_int_equal(n, 1);
    assert_int_equal(of[1], 0);
    arena_release(&mem);
}

/* Against numbers worked out by hand. */
static void estimate_is_the_textbook_one(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    struct qc_estimate e;
    arena_init(&mem, 1 << 20);
    static const uint64_t stations[] = {10, 20};
    static const struct qc_item items[] = {
        {0, true, 500, 40, 100}, {0, true, 500, 60, 100}, {1, true, 500, 30, 120}, {1, true, 500, 50, 80}};
    must(qc_estimate(items, 4, stations, 2, &mem, &e, &f));
    /* top = 5*100 + 10*80 = 1300, bottom = 5*200 + 10*200 = 3000 */
    double r = 1300.0 / 3000;
    near(e.ratio, r, 1e-12);
    double d0 = 20, d1 = (30 - r * 120) - (50 - r * 80);
    double v = 100 * .8 * (d0 * d0 / 2) / 2 + 400 * .9 * (d1 * d1 / 2) / 2;
    near(e.se, sqrt(v) / 3000, 1e-12);
    near(e.df, 2, 0);
    assert_null(e.missing);
    near(e.bound_low, 0 > e.ratio - 9.9248 * e.se ? 0 : e.ratio - 9.9248 * e.se, 1e-4);
    arena_release(&mem);
}

static void one_report_is_no_estimate(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    struct qc_estimate e;
    arena_init(&mem, 1 << 20);
    static const uint64_t stations[] = {10, 20};
    static const struct qc_item items[] = {
        {0, true, 500, 40, 100}, {0, false, 500, 0, 0}, {1, true, 500, 30, 120}, {1, true, 500, 50, 80}};
    must(qc_estimate(items, 4, stations, 2, &mem, &e, &f));
    assert_non_null(e.missing);
    assert_true(e.bound_low >= 0 && e.bound_high <= 1 && e.bound_low < e.bound_high);
    struct buf b;
    buf_init(&b, 10000);
    qc_say(&e, SPAN_LIT("A"), .4, LANG_EN, &b);
    assert_non_null(strstr(buf_cstr(&b), "not a random sample"));
    buf_release(&b);
    static const struct qc_item alone[] = {{0, true, 500, 40, 100}, {1, true, 500, 50, 80}};
    must(qc_estimate(alone, 2, stations, 2, &mem, &e, &f));
    assert_non_null(e.missing);
    static const struct qc_item lost[] = {{2, true, 500, 40, 100}};
    refuses(E_RANGE, qc_estimate(lost, 1, stations, 2, &mem, &e, &f));
    arena_release(&mem);
}

enum { FRAME = 2000, STRATA = 10 };
struct world {
    struct span unit[FRAME];
    char code[FRAME][8];
    uint32_t stratum[FRAME], registered[FRAME];
    double a[FRAME], m[FRAME];
    uint64_t stations[STRATA];
    double truth;
};

static void make_world(struct world *w) {
    struct rng r;
    double top = 0, bottom = 0;
    rng_init(&r, 4);
    memset(w->stations, 0, sizeof w->stations);
    for (uint32_t i = 0; i < FRAME; i++) {
        snprintf(w->code[i], sizeof w->code[i], "%05u", i);
        w->unit[i] = span_text(w->code[i]);
        w->stratum[i] = i % STRATA;
        w->stations[i % STRATA]++;
        w->registered[i] = 700;
        w->m[i] = floor(250 + 200 * rng_double(&r));
        double p = .2 + .06 * w->stratum[i] + .08 * rng_normal(&r);
        w->a[i] = floor(w->m[i] * (p < 0 ? 0 : p > 1 ? 1 : p));
        top += w->a[i];
        bottom += w->m[i];
    }
    w->truth = top / bottom;
}

static void intervals_cover_and_bounds_always_do(void **state) {
    (void)state;
    struct fail f;
    static struct world w;
    make_world(&w);
    struct qc_frame frame = {.n = FRAME, .strata = STRATA, .unit = w.unit, .stratum = w.stratum};
    enum { TIMES = 600 };
    int in95 = 0, in99 = 0, biased = 0, bounded = 0;
    for (int k = 0; k < TIMES; k++) {
        struct arena mem;
        uint64_t *sizes;
        uint32_t picked[FRAME];
        static struct qc_item items[FRAME];
        char seed[16];
        size_t n;
        struct qc_estimate e;
        arena_init(&mem, 1 << 22);
        snprintf(seed, sizeof seed, "%d", k);
        must(qc_allocate(w.stations, STRATA, 160, &mem, &sizes, &f));
        must(qc_draw(&frame, sizes, span_text(seed), &mem, picked, &n, &f));
        assert_int_equal(n, 160);
        for (size_t i = 0; i < n; i++)
            items[i] = (struct qc_item){w.stratum[picked[i]], true, 700, w.a[picked[i]], w.m[picked[i]]};
        must(qc_estimate(items, n, w.stations, STRATA, &mem, &e, &f));
        in95 += e.low95 <= w.truth && w.truth <= e.high95;
        in99 += e.low99 <= w.truth && w.truth <= e.high99;
        /* the stations that favour the choice most do not report */
        for (size_t i = 0; i < n; i++) items[i].reported = items[i].a < .55 * items[i].m;
        must(qc_estimate(items, n, w.stations, STRATA, &mem, &e, &f));
        biased += !e.missing && e.low95 <= w.truth && w.truth <= e.high95;
        assert_true(e.bound_low <= e.bound_low95 && e.bound_high95 <= e.bound_high);
        bounded += e.bound_low <= w.truth && w.truth <= e.bound_high;
        arena_release(&mem);
    }
    assert_true(in95 > .92 * TIMES && in95 < .98 * TIMES);
    assert_true(in99 > .97 * TIMES);
    assert_true(biased < .5 * TIMES); /* the interval fails: that is why it is not shown */
    assert_int_equal(bounded, TIMES);
}

static void draws_depend_on_the_seed_only(void **state) {
    (void)state;
    struct fail f;
    static struct world w;
    make_world(&w);
    struct qc_frame frame = {.n = FRAME, .strata = STRATA, .unit = w.unit, .stratum = w.stratum};
    uint64_t sizes[STRATA];
    uint32_t a[FRAME], b[FRAME];
    size_t na, nb;
    struct arena mem;
    arena_init(&mem, 1 << 22);
    for (int h = 0; h < STRATA; h++) sizes[h] = 8;
    must(qc_draw(&frame, sizes, SPAN_LIT("7 1 4"), &mem, a, &na, &f));
    must(qc_draw(&frame, sizes, SPAN_LIT("7 1 4"), &mem, b, &nb, &f));
    assert_int_equal(na, 80);
    assert_memory_equal(a, b, na * sizeof *a);
    must(qc_draw(&frame, sizes, SPAN_LIT("7 1 5"), &mem, b, &nb, &f));
    assert_true(memcmp(a, b, na * sizeof *a) != 0);
    arena_release(&mem);
}

static void plans_reach_their_margin(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    uint64_t stations[STRATA], total, more, *sizes;
    double s2[STRATA], half;
    arena_init(&mem, 1 << 22);
    for (int h = 0; h < STRATA; h++) {
        stations[h] = 500;
        s2[h] = 35 * 35;
    }
    must(qc_plan(stations, s2, STRATA, 350, .02, 1.96, &mem, &total, &sizes, &half, &f));
    assert_true(half <= .02 && half > .018);
    uint64_t *again;
    must(qc_allocate(stations, STRATA, total, &mem, &again, &f)); /* what draw does with the plan */
    assert_memory_equal(sizes, again, sizeof stations);
    for (int h = 0; h < STRATA; h++) assert_true(sizes[h] >= QC_LEAST);
    must(qc_plan(stations, s2, STRATA, 350, .01, 1.96, &mem, &more, &sizes, &half, &f));
    assert_true(more > 3 * total && more < 5 * total);
    refuses(E_RANGE, qc_plan(stations, s2, STRATA, 350, 0, 1.96, &mem, &more, &sizes, &half, &f));
    arena_release(&mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t_quantiles),
        cmocka_unit_test(thin_strata_are_joined),
        cmocka_unit_test(estimate_is_the_textbook_one),
        cmocka_unit_test(one_report_is_no_estimate),
        cmocka_unit_test(intervals_cover_and_bounds_always_do),
        cmocka_unit_test(draws_depend_on_the_seed_only),
        cmocka_unit_test(plans_reach_their_margin),
    };
    return cmocka_run_group_tests_name("quickcount", tests, NULL, NULL);
}
