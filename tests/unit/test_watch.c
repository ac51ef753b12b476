/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The live watch: facts as they come, looks at tenths, the closed form of the constancy test. */
#include "test.h"

#include <math.h>
#include "stats/forensics/draw.h"
#include "stats/forensics/watch.h"

enum { N = 4000, AREAS = 40 };

struct world {
    struct arena mem, scratch;
    struct fx_table frame;
    struct watch *w;
    struct watch_event e[WATCH_EVENTS_MOST];
    size_t n;
    int64_t ms;
};

static struct span codes[N], names[AREAS];
static char text[N][12];
static uint32_t registered[N], area[N];
static const struct span choices[3] = {{(const uint8_t *)"ann", 3}, {(const uint8_t *)"bo", 2},
                                       {(const uint8_t *)"cy", 2}};

static int setup(void **state) {
    struct world *x = calloc(1, sizeof *x);
    struct fail f;
    assert_non_null(x);
    arena_init(&x->mem, 1 << 26);
    arena_init(&x->scratch, 1 << 28);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "s%05u", i);
        codes[i] = span_text(text[i]);
        registered[i] = 600;
        area[i] = i / (N / AREAS);
        names[area[i]] = SPAN_LIT("area");
    }
    x->frame = (struct fx_table){.n = N, .choices = 3, .choice = choices, .unit = codes, .registered = registered,
                                 .votes_complete = true, .levels = 1, .level = {{area, AREAS, names}}};
    struct watch_options o = {.burst = 5, .burst_ms = 10000};
    must(watch_new(&x->frame, &o, &x->mem, &x->w, &f));
    *state = x;
    return 0;
}

static int teardown(void **state) {
    struct world *x = *state;
    arena_release(&x->mem);
    arena_release(&x->scratch);
    free(x);
    return 0;
}

/* One result; the events are in x->e[0 .. x->n). */
static void say(struct world *x, uint32_t station, uint32_t a, uint32_t b, uint32_t c, uint32_t valid,
                uint32_t device, bool standing) {
    struct fail f;
    uint32_t votes[3] = {a, b, c};
    struct watch_result r = {.station = station, .device = device, .ms = x->ms += 5000, .standing = standing,
                             .registered = 600, .valid = valid, .rejected = 0, .votes = votes};
    must(watch_add(x->w, &r, x->e, &x->n, &f));
}

static void facts_come_with_the_result(void **state) {
    struct world *x = *state;
    say(x, 0, 200, 100, 10, 310, 0, true);
    assert_int_equal(x->n, 0);
    say(x, 1, 200, 100, 11, 310, 1, true);
    assert_int_equal(x->n, 1);
    assert_true(x->e[0].kind == WATCH_CONTRADICTION && x->e[0].is == FX_FACT);
    assert_true(x->e[0].flags == FX_BAD_SUM && x->e[0].station == 1);
    say(x, 2, 500, 101, 0, 601, 2, true);
    assert_true(x->e[0].flags == FX_OVER_REGISTER && x->e[0].value == 601 && x->e[0].expected == 600);
    say(x, 3, 500, 100, 0, 600, 3, true);
    assert_true(x->n == 1 && x->e[0].flags == FX_FULL && x->e[0].is == FX_NOTHING);
    struct fail f;
    struct watch_result far = {.station = N};
    refuses(E_RANGE, watch_add(x->w, &far, x->e, &x->n, &f));
}

static void a_second_result_takes_the_station_out(void **state) {
    struct world *x = *state;
    say(x, 7, 90, 80, 0, 170, 0, true);
    assert_int_equal(watch_received(x->w), 1);
    say(x, 7, 91, 80, 0, 171, 1, false);
    assert_true(x->n == 1 && x->e[0].kind == WATCH_TWO_RESULTS && x->e[0].is == FX_FACT);
    assert_int_equal(watch_received(x->w), 0);
    say(x, 8, 90, 80, 0, 170, 2, true); /* its votes are gone: no pair with 7 */
    assert_int_equal(x->n, 0);
    say(x, 7, 90, 80, 0, 170, 3, true); /* replaced by a third */
    assert_true(x->n == 1 && x->e[0].kind == WATCH_SAME_VOTES && x->e[0].other == 8);
    assert_int_equal(watch_received(x->w), 2);
    say(x, 7, 90, 80, 1, 171, 3, true); /* corrected: the old figures leave */
    assert_int_equal(x->n, 0);
    assert_int_equal(watch_received(x->w), 2);
    assert_int_equal(watch_table(x->w)->votes[2 * N + 7], 1);
}

static void equal_votes_count_in_one_area_only(void **state) {
    struct world *x = *state;
    say(x, 0, 90, 80, 0, 170, 0, true);
    say(x, N - 1, 90, 80, 0, 170, 1, true);
    assert_int_equal(x->n, 0);
    say(x, 1, 20, 5, 0, 25, 2, true);
    say(x, 2, 20, 5, 0, 25, 3, true); /* too few votes to mean anything */
    assert_int_equal(x->n, 0);
}

static void a_burst_of_one_device_is_one_event(void **state) {
    struct world *x = *state;
    size_t told = 0;
    for (uint32_t i = 0; i < 4; i++) {
        say(x, i, 100 + i, 80, 0, 180 + i, 9, true);
        told += x->n;
    }
    assert_int_equal(told, 0); /* 5 s apart: five take 20 s, the bound is 10 */
    for (uint32_t i = 10; i < 20; i++) {
        x->ms -= 4500; /* half a second apart */
        say(x, i, 100 + i, 70, 0, 170 + i, 9, true);
        for (size_t k = 0; k < x->n; k++) told += x->e[k].kind == WATCH_FAST_DEVICE;
    }
    assert_int_equal(told, 1);
}

/* Votes of a station whose area leans by `lean`. */
static void arrive(struct world *x, struct rng *r, uint32_t i, double lean, double spread) {
    uint32_t valid = 250 + (uint32_t)rng_below(r, 100);
    double p = lean + spread * rng_normal(r);
    uint32_t a = draw_binomial(r, valid, p < .02 ? .02 : p > .98 ? .98 : p), b = draw_binomial(r, valid - a, .9);
    say(x, i, a, b, valid - a - b, valid, UINT32_MAX, true);
}

static size_t looks(struct world *x, enum watch_kind kind, double *value, double *expected) {
    struct fail f;
    size_t found = 0;
    if (!watch_look_due(x->w)) return 0;
    must(watch_look(x->w, &x->scratch, x->e, &x->n, &f));
    for (size_t k = 0; k < x->n; k++) {
        if (x->e[k].kind != kind) continue;
        found++;
        *value = x->e[k].value;
        *expected = x->e[k].expected;
    }
    return found;
}

static void geography_explains_a_late_shift(void **state) {
    struct world *x = *state;
    struct rng r;
    double now = 0, projected = 0;
    size_t seen = 0;
    rng_init(&r, 4);
    /* 20 areas at .7, 20 at .3; of the second half only a few stations come early */
    for (uint32_t k = 0; k < N / 2; k++) {
        arrive(x, &r, k % 20 == 19 ? N / 2 + k : k, k % 20 == 19 ? .3 : .7, .03);
        seen += looks(x, WATCH_SHIFT, &now, &projected);
    }
    assert_int_equal(seen, 5);
    assert_true(now > .65);
    assert_true(projected > .47 && projected < .53);
}

static void an_honest_stream_is_quiet_and_a_smooth_one_is_not(void **state) {
    struct world *x = *state;
    struct rng r;
    double v = 0, m = 0;
    size_t steady = 0, tests = 0, all = 0;
    rng_init(&r, 11);
    for (uint32_t k = 0; k < N; k++) {
        arrive(x, &r, k, area[k] % 2 ? .62 : .38, .05);
        bool due = watch_look_due(x->w);
        if (!due) continue;
        all++;
        steady += looks(x, WATCH_CONSTANT, &v, &m);
        for (size_t i = 0; i < x->n; i++) tests += x->e[i].kind == WATCH_TEST;
    }
    assert_int_equal(all, 10);
    assert_int_equal(steady, 0);
    assert_int_equal(tests, 0);
    /* the same stations, each batch of 200 brought to one share */
    teardown(state);
    setup(state);
    x = *state;
    for (uint32_t k = 0; k < N; k++) {
        uint32_t swing = k / 2 * 37 % 100, back = k % 2 ? 99 - swing : swing;
        say(x, k, 100 + back, 199 - back, 5, 304, UINT32_MAX, true);
        steady += looks(x, WATCH_CONSTANT, &v, &m);
    }
    assert_true(steady >= 5);
    assert_true(v < m / 2);
}

/* Uniform p under a random order, and the mean of the permuted variance. */
static void the_closed_form_is_that_of_permutations(void **state) {
    (void)state;
    enum { STATIONS = 3000, SIZE = 100, TURNS = 2000 };
    static uint32_t lead[STATIONS], both[STATIONS], order[STATIONS], l2[STATIONS], b2[STATIONS];
    struct rng r;
    double sum = 0, v, mean = 0;
    size_t low = 0, tenth = 0;
    rng_init(&r, 5);
    for (uint32_t i = 0; i < STATIONS; i++) {
        both[i] = 100 + (uint32_t)rng_below(&r, 500);
        lead[i] = draw_binomial(&r, both[i], i % 3 ? .7 : .2);
        order[i] = i;
    }
    for (int t = 0; t < TURNS; t++) {
        draw_shuffle(&r, order, STATIONS);
        for (uint32_t i = 0; i < STATIONS; i++) {
            l2[i] = lead[order[i]];
            b2[i] = both[order[i]];
        }
        double p = watch_constancy_p(l2, b2, STATIONS, SIZE, &v, &mean);
        sum += v;
        low += p < .01;
        tenth += p < .1;
    }
    assert_true(fabs(sum / TURNS / mean - 1) < .02);
    assert_true(low > 4 && low < 40); /* 20 expected */
    assert_true(tenth > 150 && tenth < 250);
    assert_true(isnan(watch_constancy_p(lead, both, 900, 100, &v, &mean))); /* fewer than ten batches */
}

static void events_speak_both_languages(void **state) {
    struct world *x = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int kind = 0; kind < WATCH_KINDS; kind++)
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            struct watch_event e = {.kind = (enum watch_kind)kind, .is = FX_FACT, .number = 3, .ms = 5, .station = 1,
                                    .other = 2, .device = 4, .received = 10, .flags = FX_BAD_SUM | FX_FULL,
                                    .method = FX_COMB, .choice = 1, .n = 9, .value = 2, .expected = 3, .p = 1e-5};
            size_t before = b.n;
            watch_json(x->w, &e, SPAN_LIT("device-7"), (enum lang)lang, &b);
            assert_true(b.n > before + 100);
            assert_true(b.p[b.n - 1] == '\n');
        }
    assert_false(b.failed);
    assert_non_null(strstr(buf_cstr(&b), "device-7"));
    assert_non_null(strstr(buf_cstr(&b), "\"event\":\"two_results\",\"class\":\"fact\""));
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_come_with_the_result, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_result_takes_the_station_out, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_votes_count_in_one_area_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_burst_of_one_device_is_one_event, setup, teardown),
        cmocka_unit_test_setup_teardown(geography_explains_a_late_shift, setup, teardown),
        cmocka_unit_test_setup_teardown(an_honest_stream_is_quiet_and_a_smooth_one_is_not, setup, teardown),
        cmocka_unit_test(the_closed_form_is_that_of_permutations),
        cmocka_unit_test_setup_teardown(events_speak_both_languages, setup, teardown),
    };
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
