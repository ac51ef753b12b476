/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "stats/forensics/battery.h"
#include "stats/forensics/draw.h"
#include "stats/forensics/spikes.h"

/* cmocka's assert_float_equal works in single precision. */
#define near(got, want, by)                                                                        \
    do {                                                                                           \
        double near_g_ = (got), near_w_ = (want);                                                  \
        if (!(fabs(near_g_ - near_w_) <= (by)))                                                    \
            fail_msg("%s is %.10g, not %.10g +- %g", #got, near_g_, near_w_, (double)(by));        \
    } while (0)

/* A made-up election: `counties` x `wards` x `stations` each, three choices, times in order of code. */
struct made {
    struct fx_table t;
    struct arena mem;
    uint32_t *registered, *valid, *rejected, *votes;
    int64_t *time_ms;
    uint32_t *area[2];
};

static struct span area_name = {(const uint8_t *)"area", 4};

static void make(struct made *m, uint64_t seed, size_t counties, size_t wards, size_t stations) {
    struct rng r;
    size_t n = counties * wards * stations;
    memset(m, 0, sizeof *m);
    arena_init(&m->mem, (size_t)1 << 30);
    rng_init(&r, seed);
    m->registered = arena_array(&m->mem, n, 4);
    m->valid = arena_array(&m->mem, n, 4);
    m->rejected = arena_array(&m->mem, n, 4);
    m->votes = arena_array(&m->mem, 3 * n, 4);
    m->time_ms = arena_array(&m->mem, n, 8);
    static const struct span choice[3] = {{(const uint8_t *)"one", 3}, {(const uint8_t *)"two", 3},
                                          {(const uint8_t *)"three", 5}};
    struct span *names = arena_array(&m->mem, counties * wards, sizeof *names);
    for (size_t k = 0; k < counties * wards; k++) names[k] = area_name;
    for (int l = 0; l < 2; l++) m->area[l] = arena_array(&m->mem, n, 4);
    for (size_t i = 0; i < n; i++) {
        size_t county = i / (wards * stations);
        double lean = .35 + .3 * (double)(county % 3) / 2 + .05 * rng_normal(&r);
        double share = lean < .05 ? .05 : lean > .9 ? .9 : lean;
        uint32_t reg = 300 + (uint32_t)rng_below(&r, 400);
        uint32_t turnout = draw_binomial(&r, reg, .6 + .1 * rng_double(&r));
        uint32_t bad = draw_binomial(&r, turnout, .01), valid = turnout - bad;
        m->registered[i] = reg;
        m->rejected[i] = bad;
        m->valid[i] = valid;
        m->votes[i] = draw_binomial(&r, valid, share);
        m->votes[n + i] = draw_binomial(&r, valid - m->votes[i], .9);
        m->votes[2 * n + i] = valid - m->votes[i] - m->votes[n + i];
        m->time_ms[i] = (int64_t)(i * 1000);
        m->area[0][i] = (uint32_t)county;
        m->area[1][i] = (uint32_t)(i / stations);
    }
    m->t = (struct fx_table){.n = n, .choices = 3, .leader = 0, .choice = choice,
                             .registered = m->registered, .valid = m->valid, .rejected = m->rejected,
                             .votes = m->votes, .votes_complete = true, .time_ms = m->time_ms,
                             .levels = 2, .level = {{m->area[0], counties, names},
                                                    {m->area[1], counties * wards, names}}};
}

static void run(struct made *m, const struct fx_options *o, struct fx_report *r) {
    struct fail f;
    must(fx_battery_run(&m->t, o, &m->mem, r, &f));
    must(fx_battery_finish(r, &m->mem, &f));
}

/* The sum over all outcomes, straight from the definition. */
static void integer_chance_is_exact(void **state) {
    (void)state;
    static const uint32_t cases[][2] = {{100, 50}, {101, 7}, {250, 249}, {37, 20}, {999, 613},
                                        {2400, 1777}, {13, 1}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        uint32_t n = cases[k][0], a = cases[k][1];
        double p = (double)a / n, sum = 0;
        for (uint32_t x = 0; x <= n; x++) {
            double percent = 100.0 * x / n;
            if (fabs(percent - round(percent)) > .05 + 1e-12) continue;
            sum += exp(lgamma(n + 1.0) - lgamma(x + 1.0) - lgamma(n - x + 1.0) + x * log(p) +
                       (n - x) * log1p(-p));
        }
        near(fx_integer_chance(n, a), sum, 1e-10);
    }
    near(fx_integer_chance(500, 0), 1, 0); /* 0 % for certain */
}

static void innocent_data_give_no_anomaly(void **state) {
    (void)state;
    struct made m;
    struct fx_report r;
    make(&m, 7, 6, 10, 60);
    run(&m, &(struct fx_options){.seed = 1}, &r);
    for (size_t i = 0; i < r.list.n; i++) {
        assert_int_not_equal(r.list.at[i].is, FX_ANOMALY);
        assert_int_not_equal(r.list.at[i].is, FX_FACT);
    }
    assert_true(r.family > 10);
    arena_release(&m.mem);
}

static void multiplier_is_found_with_its_factor(void **state) {
    (void)state;
    struct made m;
    struct fx_report r;
    make(&m, 8, 6, 10, 60);
    for (size_t i = 0; i < m.t.n; i++) m.votes[i] = (uint32_t)floor(1.1025 * m.votes[i]);
    run(&m, &(struct fx_options){.seed = 1, .skip = 1u << FX_ARITHMETIC}, &r);
    const struct fx_result *x = fx_report_nation(&r, FX_COMB);
    assert_int_equal(x->is, FX_ANOMALY);
    near(fx_get(x, "m"), 1.1025, .001);
    assert_true(fx_get(x, "share") >= .75);
    /* the sums no longer hold: a fact */
    run(&m, &(struct fx_options){.seed = 1}, &r);
    assert_int_equal(fx_report_nation(&r, FX_ARITHMETIC)->is, FX_FACT);
    arena_release(&m.mem);
}

static void coarse_grid_misses_what_the_fine_one_finds(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    struct fx_comb *coarse, *fine;
    struct fx_comb_fit a, b;
    uint32_t h[316] = {0};
    make(&m, 9, 4, 10, 100);
    must(fx_comb_new(true, &m.mem, &coarse, &f));
    must(fx_comb_new(false, &m.mem, &fine, &f));
    for (size_t i = 0; i < m.t.n; i++) {
        uint32_t v = (uint32_t)floor(1.1025 * m.votes[i]);
        if (v < 316) h[v]++;
    }
    fx_comb_fit(coarse, h, &a);
    fx_comb_fit(fine, h, &b);
    assert_true(b.delta > a.delta + 20);
    arena_release(&m.mem);
}

static void heaping_is_no_multiplier(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    struct fx_comb *fine;
    struct fx_comb_fit a;
    uint32_t h[316] = {0};
    make(&m, 10, 6, 10, 100);
    must(fx_comb_new(false, &m.mem, &fine, &f));
    for (size_t i = 0; i < m.t.n; i++) {
        uint32_t v = m.votes[i];
        if (i % 20 == 0) v = (v + 5) / 10 * 10;
        if (v < 316) h[v]++;
    }
    fx_comb_fit(fine, h, &a);
    assert_true(a.delta < 15);
    arena_release(&m.mem);
}

static void invented_percentages_are_found(void **state) {
    (void)state;
    struct made m;
    struct fx_report r;
    make(&m, 11, 6, 10, 60);
    for (size_t i = 0; i < m.t.n; i += 8) { /* one station in eight is written down from 70 % and 80 % */
        m.registered[i] = m.registered[i] / 50 * 50;
        uint32_t turnout = 7 * m.registered[i] / 10;
        m.rejected[i] = 0;
        m.valid[i] = turnout;
        m.votes[i] = 8 * turnout / 10;
        m.votes[m.t.n + i] = turnout - m.votes[i];
        m.votes[2 * m.t.n + i] = 0;
    }
    run(&m, &(struct fx_options){.seed = 1}, &r);
    const struct fx_result *x = fx_report_nation(&r, FX_INTEGERS);
    assert_int_equal(x->is, FX_ANOMALY);
    assert_true(x->value > 5 && x->excess > 250 && x->p_holm < .001 && x->p_holm >= x->p);
    arena_release(&m.mem);
}

/* The closed form against redraws. */
static void expected_duplicates_match_redraws(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    struct fx_list l = {0};
    make(&m, 12, 3, 10, 60);
    must(fx_duplicates(&m.t, true, &m.mem, &l, &f));
    double expected = fx_get(&l.at[0], "expected"), mean = 0;
    uint32_t *old = arena_array(&m.mem, 3 * m.t.n, 4);
    memcpy(old, m.votes, 3 * m.t.n * 4);
    struct rng r;
    rng_init(&r, 1);
    enum { TIMES = 400 };
    for (int k = 0; k < TIMES; k++) {
        struct fx_list again = {0};
        for (size_t i = 0; i < 3 * m.t.n; i++) m.votes[i] = draw_poisson(&r, old[i]);
        must(fx_duplicates(&m.t, true, &m.mem, &again, &f));
        mean += again.at[0].value / TIMES;
    }
    near(mean, expected, 4 * sqrt(expected / TIMES) + .02);
    arena_release(&m.mem);
}

static void copied_results_are_found(void **state) {
    (void)state;
    struct made m;
    struct fx_report r;
    make(&m, 13, 6, 10, 60);
    for (size_t i = 0; i < 30; i++)
        for (size_t c = 0; c < 3; c++) m.votes[c * m.t.n + 60 * i + 1] = m.votes[c * m.t.n + 60 * i];
    run(&m, &(struct fx_options){.seed = 1, .skip = 1u << FX_ARITHMETIC}, &r);
    const struct fx_result *x = fx_report_nation(&r, FX_DUPLICATES);
    assert_int_equal(x->is, FX_ANOMALY);
    assert_true(x->value >= 30 && r.pairs == (size_t)x->value);
    arena_release(&m.mem);
}

static void too_constant_a_stream_is_found(void **state) {
    (void)state;
    struct made m;
    struct fx_report r;
    make(&m, 14, 6, 10, 60);
    run(&m, &(struct fx_options){.seed = 1, .nation_only = true}, &r);
    const struct fx_result *x = fx_report_nation(&r, FX_CONSTANCY);
    assert_int_equal(x->is, FX_NOTHING); /* counties one after the other: far from constant */
    assert_true(x->effect > 2);
    /* every station written down with the same share */
    for (size_t i = 0; i < m.t.n; i++) {
        m.votes[i] = (m.valid[i] * 54 + 50) / 100;
        m.votes[m.t.n + i] = m.valid[i] - m.votes[i];
        m.votes[2 * m.t.n + i] = 0;
    }
    /* the same share everywhere has the same variance in every order: mix in two real kinds */
    for (size_t i = 0; i < m.t.n; i++) {
        uint32_t v = m.valid[i] / 4;
        if (i % 2) m.votes[i] -= v, m.votes[m.t.n + i] += v;
        else m.votes[i] += v, m.votes[m.t.n + i] -= v;
    }
    run(&m, &(struct fx_options){.seed = 1, .nation_only = true}, &r);
    x = fx_report_nation(&r, FX_CONSTANCY);
    assert_int_equal(x->is, FX_ANOMALY);
    assert_true(x->effect < .5 && x->p < .001);
    arena_release(&m.mem);
}

static void geography_predicts_a_late_shift(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    struct fx_list l = {0};
    make(&m, 15, 6, 10, 60);
    /* counties of low support come last, but some stations of each ward are early */
    for (size_t i = 0; i < m.t.n; i++)
        m.time_ms[i] = i % 4 == 0 ? (int64_t)i : 100000 + (int64_t)(m.area[0][i] % 3 == 0) * 100000;
    must(fx_late(&m.t, 1, &m.mem, &l, &f));
    const struct fx_result *x = &l.at[0];
    assert_true(fabs(x->value) > 1);
    assert_true(fabs(x->excess) < .3 * fabs(x->value));
    assert_int_equal(x->is, FX_NOTHING);
    arena_release(&m.mem);
}

static void round_totals_are_found(void **state) {
    (void)state;
    struct made m;
    struct fx_report r;
    make(&m, 16, 6, 10, 60);
    uint64_t all = 0, sum[3] = {0};
    for (size_t i = 0; i < m.t.n; i++) all += m.valid[i];
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < m.t.n; i++) sum[c] += m.votes[c * m.t.n + i];
    /* 51.2 % and 44.2 %, the rest follows: move votes between choices of the same station */
    int64_t want = (int64_t)((512 * all + 500) / 1000) - (int64_t)sum[0];
    for (size_t i = 0; want != 0; i = (i + 1) % m.t.n) {
        if (want > 0 && m.votes[m.t.n + i]) m.votes[i]++, m.votes[m.t.n + i]--, want--, sum[1]--;
        if (want < 0 && m.votes[i]) m.votes[i]--, m.votes[m.t.n + i]++, want++, sum[1]++;
    }
    want = (int64_t)((442 * all + 500) / 1000) - (int64_t)sum[1];
    for (size_t i = 0; want != 0; i = (i + 1) % m.t.n) {
        if (want > 0 && m.votes[2 * m.t.n + i]) m.votes[m.t.n + i]++, m.votes[2 * m.t.n + i]--, want--;
        if (want < 0 && m.votes[m.t.n + i]) m.votes[m.t.n + i]--, m.votes[2 * m.t.n + i]++, want++;
    }
    run(&m, &(struct fx_options){.seed = 1, .nation_only = true}, &r);
    const struct fx_result *x = fx_report_nation(&r, FX_ROUND);
    assert_int_equal(x->is, FX_ANOMALY);
    assert_true(x->value >= 2); /* the third follows from the two, up to one vote */
    near(x->p, pow(1000 / (double)all, 2), 1e-9);
    arena_release(&m.mem);
}

static void absent_columns_make_methods_na(void **state) {
    (void)state;
    struct made m;
    struct fx_report r;
    make(&m, 17, 3, 5, 60);
    m.t.registered = m.t.valid = m.t.rejected = NULL;
    m.t.time_ms = NULL;
    m.t.levels = 0;
    run(&m, &(struct fx_options){.seed = 1}, &r);
    static const enum fx_method na[] = {FX_INTEGERS, FX_DUPLICATES, FX_CONSTANCY, FX_LATE, FX_CENTRAL,
                                        FX_SHPILKIN, FX_KLIMEK};
    for (size_t k = 0; k < sizeof na / sizeof *na; k++) {
        const struct fx_result *x = fx_report_nation(&r, na[k]);
        assert_int_equal(x->is, FX_NA);
        assert_non_null(x->missing);
    }
    assert_int_not_equal(fx_report_nation(&r, FX_COMB)->is, FX_NA);
    arena_release(&m.mem);
}

static void resamples_do_not_depend_on_ranges(void **state) {
    (void)state;
    struct made m;
    struct fail f;
    struct fx_spikes fit;
    make(&m, 18, 3, 10, 60);
    must(fx_spikes_fit(&m.t, 5, &m.mem, &fit, &f));
    assert_null(fit.missing);
    enum { R = 40 };
    float *a = calloc(R, FX_SPIKE_BINS * sizeof *a), *b = calloc(R, FX_SPIKE_BINS * sizeof *b);
    assert_non_null(a);
    assert_non_null(b);
    fx_spikes_draw(&fit, 5, 0, R, a);
    fx_spikes_draw(&fit, 5, 17, R, b + 17 * FX_SPIKE_BINS);
    fx_spikes_draw(&fit, 5, 0, 17, b);
    assert_memory_equal(a, b, R * FX_SPIKE_BINS * sizeof *a);
    double scratch[R];
    struct fx_result x;
    fx_spikes_finish(&fit, a, R, &m.t, scratch, &x);
    assert_int_equal(x.is, FX_EXPLORATORY);
    assert_true(x.p > 0 && x.p <= 1 && x.value >= 0);
    free(a);
    free(b);
    arena_release(&m.mem);
}

static void same_seed_same_bytes(void **state) {
    (void)state;
    struct buf a, b;
    struct buf *to[2] = {&a, &b};
    for (int k = 0; k < 2; k++) {
        struct made m;
        struct fx_report r;
        make(&m, 19, 3, 10, 60);
        run(&m, &(struct fx_options){.seed = 3}, &r);
        buf_init(to[k], 1 << 24);
        fx_report_json(&r, LANG_EN, to[k]);
        arena_release(&m.mem);
    }
    assert_true(a.n > 1000 && a.n == b.n && !a.failed);
    assert_memory_equal(a.p, b.p, a.n);
    buf_release(&a);
    buf_release(&b);
}

static void variates_have_their_moments(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 20);
    enum { N = 200000 };
    static const double p[] = {.003, .2, .5, .93};
    for (size_t k = 0; k < 4; k++) {
        double sum = 0, square = 0, mean = 400 * p[k], var = mean * (1 - p[k]);
        for (int i = 0; i < N; i++) {
            double x = draw_binomial(&r, 400, p[k]);
            sum += x;
            square += x * x;
        }
        near(sum / N, mean, 5 * sqrt(var / N));
        near(square / N - sum / N * (sum / N), var, 6 * var * sqrt(2.0 / N) + .01);
    }
    static const double means[] = {.4, 9, 60, 700};
    for (size_t k = 0; k < 4; k++) {
        double sum = 0, square = 0;
        for (int i = 0; i < N; i++) {
            double x = draw_poisson(&r, means[k]);
            sum += x;
            square += x * x;
        }
        near(sum / N, means[k], 5 * sqrt(means[k] / N));
        near(square / N - sum / N * (sum / N), means[k],
                           6 * means[k] * sqrt(3.0 / N) + .01);
    }
    double sum = 0, square = 0;
    for (int i = 0; i < N; i++) {
        double x = draw_beta(&r, 2.5, .7);
        sum += x;
        square += x * x;
    }
    double mean = 2.5 / 3.2, var = 2.5 * .7 / (3.2 * 3.2 * 4.2);
    near(sum / N, mean, 5 * sqrt(var / N));
    near(square / N - sum / N * (sum / N), var, .003);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integer_chance_is_exact),
        cmocka_unit_test(innocent_data_give_no_anomaly),
        cmocka_unit_test(multiplier_is_found_with_its_factor),
        cmocka_unit_test(coarse_grid_misses_what_the_fine_one_finds),
        cmocka_unit_test(heaping_is_no_multiplier),
        cmocka_unit_test(invented_percentages_are_found),
        cmocka_unit_test(expected_duplicates_match_redraws),
        cmocka_unit_test(copied_results_are_found),
        cmocka_unit_test(too_constant_a_stream_is_found),
        cmocka_unit_test(geography_predicts_a_late_shift),
        cmocka_unit_test(round_totals_are_found),
        cmocka_unit_test(absent_columns_make_methods_na),
        cmocka_unit_test(resamples_do_not_depend_on_ranges),
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(variates_have_their_moments),
    };
    return cmocka_run_group_tests_name("forensics", tests, NULL, NULL);
}
