/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <png.h>

#include "service/form_image.h"

static const struct preset_choice choices[PRESET_CHOICES_MAX] = {
    {{(const uint8_t *)"x", 1}, {(const uint8_t *)"Xaver", 5}, {(const uint8_t *)"party", 5}},
    {{(const uint8_t *)"y", 1}, {(const uint8_t *)"Yasmin", 6}, {NULL, 0}},
};

static struct form_image sample(const uint64_t *votes) {
    return (struct form_image){.election = SPAN_LIT("An election"),
                               .contest = SPAN_LIT("President"),
                               .form = SPAN_LIT("34A"),
                               .notice = SPAN_LIT("SIMULATED. Nobody voted."),
                               .station = SPAN_LIT("SCHOOL"),
                               .code = SPAN_LIT("001001000100102"),
                               .stream = 2,
                               .streams = 4,
                               .areas = {SPAN_LIT("PORT")},
                               .area_levels = {SPAN_LIT("ward")},
                               .area_count = 1,
                               .choices = choices,
                               .choice_count = 2,
                               .votes = votes,
                               .registered = {true, 400},
                               .valid = {true, votes[0] + votes[1]},
                               .agents_present = 3,
                               .agents_signed = 1};
}

static struct buf draw(const struct form_image *m) {
    struct fail f;
    struct buf out;
    buf_init(&out, 1 << 20);
    must(form_image_draw(m, &out, &f));
    return out;
}

/* Grey pixels, a byte each; free them. */
static uint8_t *decode(const struct buf *b, unsigned *width, unsigned *height) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, b->p, b->n));
    image.format = PNG_FORMAT_GRAY;
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(pixels);
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    *width = image.width;
    *height = image.height;
    return pixels;
}

static void it_is_a_png_that_shows_the_figures(void **state) {
    (void)state;
    const uint64_t votes[] = {120, 95}, others[] = {120, 96};
    struct form_image m = sample(votes), o = sample(others);
    struct buf a = draw(&m), b = draw(&m), c = draw(&o);
    assert_true(a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
    assert_non_null(memmem(a.p, a.n, "SIMULATED", 9));
    unsigned w, h, w2, h2;
    uint8_t *p = decode(&a, &w, &h), *q = decode(&c, &w2, &h2);
    assert_true(w == w2 && h == h2 && w >= 300 && h >= 300);
    size_t dark = 0, first = h, last = 0;
    for (size_t i = 0; i < (size_t)w * h; i++) {
        dark += p[i] < 128;
        if (p[i] == q[i]) continue;
        if (i / w < first) first = i / w;
        last = i / w;
        assert_true(i % w > w * 3 / 4); /* only in the column of figures */
    }
    assert_true(dark > w * h / 100 && dark < w * h / 3);
    assert_true(first < last && last < h);
    free(p);
    free(q);
    buf_release(&a);
    buf_release(&b);
    buf_release(&c);
}

static void blanks_stay_blank(void **state) {
    (void)state;
    const uint64_t votes[] = {1, 2};
    struct form_image m = sample(votes), o = sample(votes);
    o.rejected.present = true; /* a zero is not a blank */
    struct buf a = draw(&m), b = draw(&o);
    assert_false(a.n == b.n && memcmp(a.p, b.p, a.n) == 0);
    buf_release(&a);
    buf_release(&b);
}

static void anything_fits(void **state) {
    (void)state;
    struct fail f;
    static char longest[5000];
    static uint64_t votes[PRESET_CHOICES_MAX];
    struct preset_choice wide[PRESET_CHOICES_MAX];
    memset(longest, 'W', sizeof longest);
    for (size_t i = 0; i < PRESET_CHOICES_MAX; i++) {
        votes[i] = UINT64_MAX;
        wide[i].id = wide[i].name = wide[i].party = span_of(longest, 40);
    }
    struct form_image m = sample(votes);
    m.station = m.code = m.election = m.contest = m.form = m.notice = span_of(longest, 5000);
    m.choices = wide;
    m.choice_count = PRESET_CHOICES_MAX;
    m.area_count = PRESET_LEVELS_MAX;
    for (size_t i = 0; i < PRESET_LEVELS_MAX; i++) m.areas[i] = m.area_levels[i] = m.station;
    m.registered = m.valid = m.rejected = (struct preset_cell){true, UINT64_MAX};
    m.agents_present = UINT64_MAX;
    m.copy = true;
    struct buf a = draw(&m);
    unsigned w, h;
    free(decode(&a, &w, &h));
    buf_release(&a);
    struct form_image utf8 = sample(votes);
    utf8.station = SPAN_LIT("\xc3\x89"
                            "COLE \xe5\xad\xa6\xe6\xa0\xa1 \x80\xff");
    utf8.choice_count = 0;
    a = draw(&utf8);
    buf_release(&a);
    buf_init(&a, 500);
    refuses(E_MEMORY, form_image_draw(&m, &a, &f));
    buf_release(&a);
}

static void every_contest_has_its_form(void **state) {
    (void)state;
    struct fail f;
    struct arena a;
    struct preset p;
    struct expansion x;
    struct expand_options o = {.seed = 1, .limit = 3, .all_contests = true};
    static const char *const forms[] = {"34A", "37A", "38A", "39A", "35A", "36A"};
    arena_init(&a, 64 << 20);
    must(preset_load("data/kenya-2017", &a, &p, &f));
    must(expand(&p, &o, &a, &x, &f));
    assert_int_equal(x.figures_count, 18);
    for (uint32_t i = 0; i < x.figures_count; i++) {
        struct form_image m;
        form_image_of(&x, i, &m);
        assert_true(span_is(m.form, forms[i % 6]));
        assert_int_equal(m.area_count, 3);
        assert_true(span_is(m.areas[2], "MOMBASA") && span_is(m.area_levels[0], "ward"));
        assert_true(m.votes == x.figures[i].votes);
        struct buf b = draw(&m);
        assert_true(b.n > 3000 && b.n < 9000);
        buf_release(&b);
    }
    arena_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_png_that_shows_the_figures),
        cmocka_unit_test(blanks_stay_blank),
        cmocka_unit_test(anything_fits),
        cmocka_unit_test(every_contest_has_its_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
