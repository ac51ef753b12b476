/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/rng.h"
#include "stats/pictures.h"

enum { N = 400 };
static uint32_t reg[N], valid[N], votes[2 * N], area[N];
static int64_t when[N];
static struct span names[2], area_name;

static struct fx_table table(void) {
    struct rng r;
    rng_init(&r, 3);
    names[0] = SPAN_LIT("<script>alert(1)</script> & co");
    names[1] = SPAN_LIT("two");
    area_name = SPAN_LIT("\"quoted\" <area>");
    for (size_t i = 0; i < N; i++) {
        reg[i] = 500;
        valid[i] = 200 + (uint32_t)rng_below(&r, 200);
        votes[i] = valid[i] / 2 + (uint32_t)rng_below(&r, 50);
        votes[N + i] = valid[i] - votes[i];
        when[i] = (int64_t)rng_below(&r, 100);
    }
    return (struct fx_table){.n = N, .choices = 2, .choice = names, .registered = reg, .valid = valid,
                             .votes = votes, .votes_complete = true, .time_ms = when, .levels = 1,
                             .level = {{area, 1, &area_name}}};
}

static void page(enum lang lang, struct buf *out) {
    struct fx_table t = table();
    struct arena mem;
    struct fx_report r;
    struct fail f;
    buf_init(out, 1 << 24);
    arena_init(&mem, (size_t)1 << 28);
    struct fx_options o = {.seed = 5};
    must(fx_battery_run(&t, &o, &mem, &r, &f));
    must(fx_battery_finish(&r, &mem, &f));
    must(picture_forensics_html(&r, NULL, lang, &mem, out, &f));
    arena_release(&mem);
}

static void same_input_same_bytes(void **state) {
    (void)state;
    struct buf a, b, sw;
    page(LANG_EN, &a);
    page(LANG_EN, &b);
    page(LANG_SW, &sw);
    assert_true(span_eq(buf_view(&a), buf_view(&b)));
    assert_false(span_eq(buf_view(&a), buf_view(&sw)));
    size_t pictures = 0;
    for (const char *at = buf_cstr(&a); (at = strstr(at, "<svg ")); at++) pictures++;
    assert_int_equal(pictures, 4);
    buf_release(&a);
    buf_release(&b);
    buf_release(&sw);
}

static void names_cannot_break_the_page(void **state) {
    (void)state;
    struct buf a;
    page(LANG_EN, &a);
    const char *text = buf_cstr(&a);
    assert_null(strstr(text, "<script"));
    assert_non_null(strstr(text, "&lt;script&gt;"));
    assert_null(strstr(text, "fraud"));
    buf_release(&a);
}

static void pictures_need_their_columns(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    struct buf b;
    bool drawn = true;
    struct fx_table t = table();
    t.registered = NULL;
    t.time_ms = NULL;
    arena_init(&mem, 1 << 24);
    buf_init(&b, 1 << 22);
    assert_false(picture_cloud(&t, LANG_EN, &b));
    must(picture_arrival(&t, 1, LANG_EN, &mem, &drawn, &b, &f));
    assert_false(drawn);
    assert_int_equal(b.n, 0);
    picture_comb(&t, LANG_EN, &b);
    assert_true(b.n > 1000 && !b.failed);
    struct buf small;
    buf_init(&small, 500);
    picture_comb(&t, LANG_EN, &small);
    refuses(E_MEMORY, buf_ok(&small, &f));
    buf_release(&small);
    buf_release(&b);
    arena_release(&mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_input_same_bytes),
        cmocka_unit_test(names_cannot_break_the_page),
        cmocka_unit_test(pictures_need_their_columns),
    };
    return cmocka_run_group_tests_name("pictures", tests, NULL, NULL);
}
