/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Maps of findings and the report as PDF. */
#include "test.h"

#include "base/rng.h"
#include "service/forensics_pdf.h"
#include "stats/hexmap.h"
#include "stats/maps.h"

enum { N = 1200, AREAS = 3 };
static uint32_t reg[N], valid[N], votes[2 * N], area[N];
static const struct span choice[2] = {{(const uint8_t *)"ann", 3}, {(const uint8_t *)"bo", 2}};
static const struct span names[AREAS] = {{(const uint8_t *)"047/Murang'a", 12},
                                         {(const uint8_t *)"001 / ONE & <CO>", 16},
                                         {(const uint8_t *)"003", 3}};

static const char GEO[] =
    "{\"type\":\"FeatureCollection\",\"features\":["
    "{\"type\":\"Feature\",\"properties\":{\"code\":\"9\",\"name\":\"MURANGA\"},\"geometry\":{\"type\":\"Polygon\","
    "\"coordinates\":[[[36,-1],[37,-1],[37,-2],[36,-1]]]}},"
    "{\"type\":\"Feature\",\"geometry\":{\"coordinates\":[[[[38,-1],[39,-1],[39,-2],[38,-1]]]],\"type\":\"MultiPolygon\"},"
    "\"properties\":{\"code\":\"003\",\"name\":\"THREE\"}},"
    "{\"type\":\"Feature\",\"properties\":{\"code\":\"77\"},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":"
    "[[[37,-1],[38,-1],[38,-2],[37,-1]]]}}]}";

struct world {
    struct arena mem;
    struct fx_table t;
    struct fx_report r;
};

static int setup(void **state) {
    struct world *w = calloc(1, sizeof *w);
    struct fail f;
    struct rng r;
    assert_non_null(w);
    arena_init(&w->mem, (size_t)1 << 28);
    rng_init(&r, 3);
    for (size_t i = 0; i < N; i++) {
        area[i] = (uint32_t)(i * AREAS / N);
        reg[i] = 500;
        valid[i] = 150 + (uint32_t)rng_below(&r, 200);
        votes[i] = valid[i] / 3 + (uint32_t)rng_below(&r, 60);
        votes[N + i] = valid[i] - votes[i];
    }
    valid[5] = 501; /* above the register, and no sum */
    w->t = (struct fx_table){.n = N, .choices = 2, .choice = choice, .registered = reg, .valid = valid, .votes = votes,
                             .votes_complete = true, .levels = 1, .level = {{area, AREAS, names}}};
    struct fx_options o = {.seed = 5};
    must(fx_battery_run(&w->t, &o, &w->mem, &w->r, &f));
    must(fx_battery_finish(&w->r, &w->mem, &f));
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    arena_release(&w->mem);
    free(w);
    return 0;
}

static void shapes_are_read(void **state) {
    struct world *w = *state;
    struct fail f;
    struct map_shapes m;
    must(geojson_read(span_text(GEO), &w->mem, &m, &f));
    assert_int_equal(m.n, 3);
    assert_int_equal(m.points, 12);
    assert_true(span_is(m.shape[1].code, "003"));
    assert_true(m.west == 36 && m.east == 39 && m.north == -1 && m.south == -2);
    static const struct {
        const char *text;
        err code;
    } bad[] = {{"", E_JSON}, {"{}", E_JSON}, {"{\"features\":[]}", E_JSON}, {"[1]", E_JSON},
               {"{\"features\":[{\"geometry\":{\"coordinates\":[[[1,2],[1]]]}}]}", E_JSON},
               {"{\"features\":[{\"geometry\":{\"coordinates\":[[[1,200]]]}}]}", E_RANGE},
               {"{\"features\":[{\"geometry\":{\"coordinates\":[[[1,1e999]]]}}]}", E_JSON},
               {"{\"features\":[{\"geometry\":{\"coordinates\":[[[1,2]]]}}]} x", E_JSON},
               {"{\"features\":[{\"properties\":{\"name\":\"\xff\"}}]}", E_UTF8},
               {"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", E_DEPTH}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(bad[i].code, geojson_read(span_text(bad[i].text), &w->mem, &m, &f));
}

static void areas_find_their_shapes(void **state) {
    struct world *w = *state;
    struct fail f;
    struct map_shapes m;
    uint32_t *of;
    size_t level, matched;
    struct map_area *a;
    must(geojson_read(span_text(GEO), &w->mem, &m, &f));
    must(map_match(&w->r, &m, &w->mem, &level, &of, &matched, &f));
    assert_int_equal(matched, 2);
    assert_int_equal(of[0], 0); /* MURANGA is Murang'a, the last part of the path */
    assert_int_equal(of[1], 2);
    assert_true(of[2] == UINT32_MAX);
    must(map_findings(&w->r, 0, &w->mem, &a, &f));
    assert_true(a[0].shade == MAP_FACT && a[0].facts == 1);
    assert_true(a[1].shade == MAP_NOTHING && a[2].shade == MAP_NOTHING);
    for (int shaped = 0; shaped < 2; shaped++)
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            struct buf b, again;
            bool drawn;
            buf_init(&b, 1 << 20);
            buf_init(&again, 1 << 20);
            must(picture_map(&w->r, shaped ? &m : NULL, (enum lang)lang, &w->mem, &drawn, &b, &f));
            must(picture_map(&w->r, shaped ? &m : NULL, (enum lang)lang, &w->mem, &drawn, &again, &f));
            assert_true(drawn && span_eq(buf_view(&b), buf_view(&again)));
            assert_null(strstr(buf_cstr(&b), "<CO>"));
            if (!shaped) assert_non_null(strstr(buf_cstr(&b), "&lt;CO&gt;"));
            assert_non_null(strstr(buf_cstr(&b), lang == LANG_SW ? "vituo 1 vinajipinga" : "1 stations contradict"));
            buf_release(&b);
            buf_release(&again);
        }
}

static void the_pdf_is_the_same_each_time(void **state) {
    struct world *w = *state;
    struct fail f;
    struct map_shapes m;
    struct buf b[3];
    must(geojson_read(span_text(GEO), &w->mem, &m, &f));
    struct forensics_pdf p = {.report = &w->r, .source = "a test", .simulated = true, .shapes = &m};
    for (int i = 0; i < 3; i++) {
        buf_init(&b[i], 1 << 24);
        must(forensics_pdf(&p, i == 2 ? LANG_SW : LANG_EN, &w->mem, &b[i], &f));
        assert_true(span_starts(buf_view(&b[i]), SPAN_LIT("%PDF-")));
    }
    assert_true(span_eq(buf_view(&b[0]), buf_view(&b[1])));
    assert_false(span_eq(buf_view(&b[0]), buf_view(&b[2])));
    for (int i = 0; i < 3; i++) buf_release(&b[i]);
}

static void a_full_buffer_is_an_error(void **state) {
    struct world *w = *state;
    struct fail f;
    struct buf b;
    struct forensics_pdf p = {.report = &w->r, .source = "a test"};
    buf_init(&b, 2000);
    refuses(E_IO, forensics_pdf(&p, LANG_EN, &w->mem, &b, &f));
    buf_release(&b);
}

static void cartograms_are_hexagons(void **state) {
    struct world *w = *state;
    struct fail f;
    struct map_shapes m;
    static const char good[] = "{\"format\":\"hesabu/map/v1\",\"x\":[[1]],\"levels\":[{\"level\":\"county\",\"hexagons\":"
                               "[[\"001\",8,5],[\"002\",8,6]]},{\"hexagons\":[[\"001001\",1,2]]}]}";
    assert_true(hexmap_is(span_text(good)));
    assert_false(hexmap_is(span_text(GEO)));
    must(hexmap_read(span_text(good), 0, &w->mem, &m, &f));
    assert_true(m.n == 2 && m.points == 12 && span_is(m.shape[1].code, "002"));
    /* row 6 lies lower; row 5, an odd one, half a hexagon to the right */
    assert_true(m.xy[12 + 1] < m.xy[1] && m.xy[12] < m.xy[0]);
    must(hexmap_read(span_text(good), 1, &w->mem, &m, &f));
    assert_true(m.n == 1 && span_is(m.shape[0].code, "001001"));
    refuses(E_NOT_FOUND, hexmap_read(span_text(good), 2, &w->mem, &m, &f));
    static const char *const bad[] = {
        "", "[]", "{\"levels\":{}}", "{\"levels\":[{\"hexagons\":[[\"1\",2]]}]}", "{\"levels\":[{\"hexagons\":[[1,2,3]]}]}",
        "{\"levels\":[{\"hexagons\":[[\"1\",2,-3]]}]}", "{\"levels\":[{\"hexagons\":[[\"1\",2,3,4]]}]}",
        "{\"levels\":[{\"hexagons\":[[\"1\",2,99999]]}]}", "{\"levels\":[{\"hexagons\":[[\"1\",2,3]]}]} {}",
        "{\"levels\":[{\"hexagons\":[[\"1\",2,3]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_JSON, hexmap_read(span_text(bad[i]), 0, &w->mem, &m, &f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cartograms_are_hexagons),
        cmocka_unit_test(shapes_are_read),
        cmocka_unit_test(areas_find_their_shapes),
        cmocka_unit_test(the_pdf_is_the_same_each_time),
        cmocka_unit_test(a_full_buffer_is_an_error),
    };
    return cmocka_run_group_tests_name("forensics_report", tests, setup, teardown);
}
