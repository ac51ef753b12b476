/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The portal's pages: nothing foreign becomes markup, every page is made in every language, figures are the
 * state's, and which pages are due. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include "election_fixture.h"
#include "service/page_html.h"
#include "service/portal.h"

static void shows(struct span in, const char *out) {
    struct buf b;
    buf_init(&b, 1 << 16);
    struct html h = {.b = &b, .lang = LANG_EN, .up = ""};
    html_escaped(&h, in);
    assert_string_equal(buf_cstr(&b), out);
    buf_release(&b);
}

static void foreign_text(void **state) {
    (void)state;
    shows(SPAN_LIT("<script>alert('x')</script>"), "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
    shows(SPAN_LIT("\" onload=\"x"), "&quot; onload=&quot;x");
    shows(SPAN_LIT("a & b &amp; `c`"), "a &amp; b &amp;amp; &#96;c&#96;");
    shows(SPAN_LIT("Ng\xc5\xa9g\xc4\xa9"), "Ng\xc5\xa9g\xc4\xa9");
    /* direction overrides and isolates, controls, NUL, line separators, C1 */
    shows(SPAN_LIT("a\xe2\x80\xae" "b"), "a\xef\xbf\xbd" "b");
    shows(SPAN_LIT("a\xe2\x81\xa6" "b"), "a\xef\xbf\xbd" "b");
    shows(SPAN_LIT("a\0b\n"), "a\xef\xbf\xbd" "b\xef\xbf\xbd");
    shows(SPAN_LIT("a\xe2\x80\xa8" "b"), "a\xef\xbf\xbd" "b");
    shows(SPAN_LIT("a\xc2\x9b" "b"), "a\xef\xbf\xbd" "b");
    /* not UTF-8: overlong '<', a surrogate, a sequence cut short */
    shows(SPAN_LIT("\xc0\xbc"), "\xef\xbf\xbd\xef\xbf\xbd");
    shows(SPAN_LIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    shows(SPAN_LIT("<\xe2\x80"), "&lt;\xef\xbf\xbd\xef\xbf\xbd");
}

static void figures(void **state) {
    (void)state;
    static const struct {
        uint64_t part, whole;
        const char *share;
    } cases[] = {{1, 2, "50.00%"},   {0, 7, "0.00%"},    {0, 0, "&ndash;"},
                 {1, 3, "33.33%"},   {2, 3, "66.66%"},   {19999, 20000, "99.99%"},
                 {UINT64_MAX, UINT64_MAX, "100.00%"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b;
        buf_init(&b, 1000);
        struct html h = {.b = &b};
        html_share(&h, cases[i].part, cases[i].whole);
        assert_string_equal(buf_cstr(&b), cases[i].share);
        buf_release(&b);
    }
    struct buf b;
    buf_init(&b, 1000);
    struct html h = {.b = &b};
    html_number(&h, 0);
    html_raw(&h, " ");
    html_number(&h, 999);
    html_raw(&h, " ");
    html_number(&h, 1000);
    html_raw(&h, " ");
    html_number(&h, 19611423);
    assert_string_equal(buf_cstr(&b), "0 999 1,000 19,611,423");
    buf_clear(&b);
    html_clock(&h, 1502213185598, false);
    html_raw(&h, " ");
    html_clock(&h, 1502213185598, true);
    html_raw(&h, " ");
    html_clock(&h, UINT64_MAX, true); /* no year has this: nothing, and no byte of anything else */
    assert_string_equal(buf_cstr(&b), "17:26 17:26:25 &ndash;");
    buf_release(&b);
}

/* A page of a language: no word is empty, and no two languages say the same at length. */
static void plurals(void **state) {
    (void)state;
    for (int l = 0; l < LANG_COUNT; l++)
        for (int w = 0; w < PLURAL_COUNT; w++) {
            const char *one = page_plural((enum page_lang)l, (enum page_plural)w, 1);
            const char *two = page_plural((enum page_lang)l, (enum page_plural)w, 2);
            assert_string_not_equal(one, two);
            assert_ptr_equal(page_plural((enum page_lang)l, (enum page_plural)w, 0), two);
            assert_ptr_equal(page_plural((enum page_lang)l, (enum page_plural)w, 11), two);
        }
    assert_string_equal(page_plural(LANG_EN, P_STATIONS, 1), "station");
    assert_string_equal(page_plural(LANG_SW, P_STATIONS, 21), "vituo");
}

static void words(void **state) {
    (void)state;
    for (int w = 0; w < WORD_COUNT; w++) {
        const char *en = page_word(LANG_EN, (enum page_word)w), *sw = page_word(LANG_SW, (enum page_word)w);
        assert_true(*en && *sw);
        if (strlen(en) > 12) assert_string_not_equal(en, sw);
        assert_null(strchr(en, '<'));
        assert_null(strchr(sw, '<'));
    }
    for (int c = 0; c < FINDING_COUNT; c++) { /* every finding has its sentence */
        struct finding x = {.code = (enum finding_code)c, .a = 41, .b = 43};
        struct buf en, sw;
        buf_init(&en, 1000);
        buf_init(&sw, 1000);
        page_finding(LANG_EN, &x, &en);
        page_finding(LANG_SW, &x, &sw);
        if (strcmp(buf_cstr(&en), buf_cstr(&sw)) == 0) fail_msg("%s is not translated", finding_name(x.code));
        assert_int_equal(strstr(buf_cstr(&en), "41") != NULL, strstr(buf_cstr(&sw), "41") != NULL);
        assert_int_equal(strstr(buf_cstr(&en), "43") != NULL, strstr(buf_cstr(&sw), "43") != NULL);
        buf_release(&en);
        buf_release(&sw);
    }
    for (int t = 0; t < REC_COUNT; t++)
        assert_string_not_equal(page_record_type(LANG_EN, (enum record_type)t),
                                page_record_type(LANG_SW, (enum record_type)t));
    for (unsigned m = 1; m <= 12; m++)
        assert_true(*page_month(LANG_EN, m) && *page_month(LANG_SW, m));
}

/* --- whole pages --- */

struct made {
    char path[PAGE_PATH_MAX];
    bool unit;
    struct buf b;
};
struct made_pages {
    struct made at[512];
    size_t n;
};

static err add(void *ctx, const char *path, bool unit, struct buf **bytes, struct fail *f) {
    struct made_pages *m = ctx;
    (void)f;
    assert_true(m->n < 512);
    struct made *x = &m->at[m->n++];
    (void)snprintf(x->path, sizeof x->path, "%s", path);
    x->unit = unit;
    buf_init(&x->b, 1 << 24);
    *bytes = &x->b;
    return OK;
}

static const char *page_of(struct made_pages *m, const char *path) {
    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->at[i].path, path) == 0) return buf_cstr(&m->at[i].b);
    return NULL;
}

static void drop(struct made_pages *m) {
    for (size_t i = 0; i < m->n; i++) buf_release(&m->at[i].b);
    m->n = 0;
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what)) n++;
    return n;
}

static void is_sound(const struct made *x) {
    struct buf copy = x->b;
    const char *text = buf_cstr(&copy);
    size_t n = strlen(x->path);
    if (n < 5 || strcmp(x->path + n - 5, ".html") != 0) return;
    assert_non_null(strstr(text, "Content-Security-Policy"));
    assert_non_null(strstr(text, "SIMULATED"));
    assert_null(strstr(text, " style="));
    assert_null(strstr(text, "<style"));
    assert_int_equal(count(text, "<script"), count(text, "<script type=\"module\" src="));
    assert_int_equal(count(text, "<table"), count(text, "</table>"));
    assert_int_equal(count(text, "<section"), count(text, "</section>"));
    assert_int_equal(count(text, "<div"), count(text, "</div>"));
    assert_int_equal(count(text, "<bdi>"), count(text, "</bdi>"));
    assert_int_equal(count(text, "<article"), count(text, "</article>"));
    assert_int_equal(count(text, "<ul"), count(text, "</ul>"));
}

static size_t last_with_page_before(const struct fold *s, const struct tally *t, size_t row) {
    while (row > 0 && !results_has_file(s, t, --row)) continue;
    return row;
}

static size_t last_with_page(const struct fold *s, const struct tally *t) {
    return last_with_page_before(s, t, t->n);
}

/* A page as of a later record, in which nothing else changed, says the same; with any other byte changed
 * it does not, and neither does one whose marks are missing. */
static void the_same_page(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct results r;
    struct buf a, b;
    struct fail f;
    buf_init(&a, 1 << 24);
    buf_init(&b, 1 << 24);
    must(results_compute(x->fold, &r, &f));
    struct page_site site = {.fold = x->fold, .results = &r, .size = fold_size(x->fold), .last_ms = fold_last_ms(x->fold), .style = portal_style};
    must(page_unit(&site, LANG_SW, &r.tallies[0], 1, &a, &f));
    site.witnessed = fold_size(x->fold); /* stands in the line about the log only */
    must(page_unit(&site, LANG_SW, &r.tallies[0], 1, &b, &f));
    assert_false(span_eq(buf_view(&a), buf_view(&b)));
    assert_true(page_says_same(buf_view(&a), buf_view(&b)));
    char *size = memmem(b.p, b.n, "data-size=\"", 11);
    assert_non_null(size);
    size[11] = size[11] == '9' ? '8' : '9';
    assert_true(page_says_same(buf_view(&a), buf_view(&b)));
    const char *line = memmem(a.p, a.n, "<p id=\"log\">", 12), *line_end = strstr(line, "</p>");
    const char *of = memmem(a.p, a.n, "data-size=\"", 11);
    size_t seen = 0;
    for (size_t i = 0; i < a.n; i++) { /* each byte counts, but for the two places */
        const char *at = (const char *)a.p + i;
        bool as_of = (at >= of + 11 && at < strchr(of + 11, '"')) || (at >= line + 12 && at < line_end);
        buf_clear(&b);
        buf_span(&b, buf_view(&a));
        b.p[i] ^= 1;
        bool same = page_says_same(buf_view(&a), buf_view(&b));
        /* a byte that becomes a quote or the end of the line cuts elsewhere: never the same by mistake */
        if (same != as_of && !(as_of && !same)) fail_msg("byte %zu: %.40s", i, at);
        seen += same;
    }
    assert_true(seen > 20);
    assert_false(page_says_same(buf_view(&a), span_of(a.p, a.n - 1)));
    assert_false(page_says_same(span_of(a.p, 0), span_of(a.p, 0)));
    assert_false(page_says_same(span_text("x"), span_text("x")));
    buf_release(&a);
    buf_release(&b);
    results_release(&r);
    fx_free(x);
}

/* Pages of the base election, made into memory. */
struct making {
    struct fixture *x;
    struct made_pages *m;
    struct results r;
    struct portal *p;
    struct page_site site;
    struct portal_sink sink;
};

static void making_begin(struct making *k) {
    struct fail f;
    k->x = fx_base();
    k->m = calloc(1, sizeof *k->m);
    assert_non_null(k->m);
    k->sink = (struct portal_sink){add, k->m};
    must(results_compute(k->x->fold, &k->r, &f));
    must(portal_new(NULL, NULL, &k->p, &f));
    k->site = (struct page_site){.fold = k->x->fold, .results = &k->r, .size = fold_size(k->x->fold),
                                 .last_ms = fold_last_ms(k->x->fold), .style = portal_style, .local_proofs = true};
    must(portal_begin(k->p, &k->r, true, &f));
    must(portal_render(k->p, &k->site, SIZE_MAX, &k->sink, &f));
    assert_false(portal_is_pending(k->p));
}

static void making_end(struct making *k) {
    portal_free(k->p);
    results_release(&k->r);
    free(k->m);
    fx_free(k->x);
}

/* In a busy night more changes in each tick than is made: every page has its turn all the same. */
static void every_page_has_its_turn(void **state) {
    (void)state;
    struct making k;
    struct fail f;
    making_begin(&k);
    size_t page = 0, pages = 0;
    for (size_t i = 0; i < k.m->n; i++)
        if (k.m->at[i].unit) page = k.m->at[i].b.n > page ? k.m->at[i].b.n : page;
    drop(k.m);
    const struct tally *t = &k.r.tallies[0];
    for (size_t row = 0; row < t->n; row++) pages += results_has_file(k.x->fold, t, row);
    assert_true(pages > 4);
    uint8_t seen[4096] = {0};
    size_t left = pages, ticks = 0;
    for (; left && ticks < pages; ticks++) { /* a budget of about two pages, and all of them change */
        must(portal_begin(k.p, &k.r, false, &f));
        for (size_t row = 0; row < t->n; row++) portal_mark(k.p, 0, row, true);
        must(portal_render(k.p, &k.site, page * 2 * LANG_COUNT, &k.sink, &f));
        assert_true(portal_is_pending(k.p));
        for (size_t row = 0; row < t->n; row++) {
            char path[PAGE_PATH_MAX];
            if (!results_has_file(k.x->fold, t, row) || seen[row]) continue;
            page_unit_path(k.x->fold, LANG_EN, t, t->rows[row].unit, path);
            if (!page_of(k.m, path)) continue;
            seen[row] = 1;
            left--;
        }
        drop(k.m);
    }
    assert_int_equal(left, 0);
    assert_true(ticks > 1);
    making_end(&k);
}

static void pages_of_the_base(void **state) {
    (void)state;
    struct making k;
    struct fail f;
    making_begin(&k);
    struct fixture *x = k.x;
    struct made_pages *m = k.m;
    for (size_t i = 0; i < m->n; i++) is_sound(&m->at[i]);
    for (size_t t = 0; t < k.r.n; t++) { /* every unit that has data has a page, every station a place on one */
        for (size_t row = 0; row < k.r.tallies[t].n; row++) {
            char path[PAGE_PATH_MAX], id[200];
            uint32_t unit = k.r.tallies[t].rows[row].unit;
            bool own = results_has_file(x->fold, &k.r.tallies[t], row);
            for (int l = 0; l < LANG_COUNT; l++) {
                page_unit_path(x->fold, (enum page_lang)l, &k.r.tallies[t],
                               own ? unit : fold_unit(x->fold, unit)->parent, path);
                const char *text = page_of(m, path);
                assert_non_null(text);
                (void)snprintf(id, sizeof id, "<article class=\"station\" id=\"%.*s\"",
                               SPAN_ARG(fold_unit(x->fold, unit)->code));
                if (!own) assert_int_equal(count(text, id), 1);
            }
        }
    }
    assert_non_null(page_of(m, "index.html"));
    assert_non_null(page_of(m, "sw/petition.html"));
    assert_non_null(page_of(m, portal_style));
    assert_non_null(page_of(m, "search/top.json"));
    drop(m);
    /* nothing changed: the texts only; then one row, under a budget of one page */
    must(portal_begin(k.p, &k.r, false, &f));
    portal_mark(k.p, 0, 1, true);
    portal_mark(k.p, 0, 1, true);
    portal_mark(k.p, 0, 0, true);
    portal_mark(k.p, 99, 0, true); /* of no tally: nothing */
    must(portal_render(k.p, &k.site, 1, &k.sink, &f));
    assert_true(portal_is_pending(k.p));
    drop(m);
    must(portal_render(k.p, &k.site, SIZE_MAX, &k.sink, &f));
    assert_false(portal_is_pending(k.p));
    assert_null(page_of(m, portal_style));
    drop(m);
    /* everything is due, and two rows changed: theirs come first, in spite of their place */
    must(portal_begin(k.p, &k.r, true, &f));
    size_t last = last_with_page(x->fold, &k.r.tallies[0]), before = last_with_page_before(x->fold, &k.r.tallies[0], last);
    assert_true(before > 0);
    portal_mark(k.p, 0, before, false);
    portal_mark(k.p, 0, last, true);
    portal_mark(k.p, 0, last, false); /* stays in front */
    must(portal_render(k.p, &k.site, 1, &k.sink, &f));
    size_t units = 0;
    for (size_t i = 0; i < m->n; i++) units += m->at[i].unit;
    assert_int_equal(units, LANG_COUNT);
    char path[PAGE_PATH_MAX];
    page_unit_path(x->fold, LANG_EN, &k.r.tallies[0], k.r.tallies[0].rows[last].unit, path);
    assert_non_null(page_of(m, path));
    drop(m);
    must(portal_render(k.p, &k.site, 1, &k.sink, &f));
    page_unit_path(x->fold, LANG_EN, &k.r.tallies[0], k.r.tallies[0].rows[0].unit, path);
    assert_non_null(page_of(m, path));
    drop(m);
    making_end(&k);
}

/* In slices, while the fold has gone on below one unit: its page waits, the others do not. */
static void pages_in_slices(void **state) {
    (void)state;
    struct making k;
    struct fail f;
    char path[PAGE_PATH_MAX];
    making_begin(&k);
    drop(k.m);
    const struct tally *t = &k.r.tallies[0];
    size_t last = last_with_page(k.x->fold, t), before = last_with_page_before(k.x->fold, t, last);
    size_t slices = 0, units = 0;
    uint8_t *stale = calloc(fold_unit_count(k.x->fold), 1);
    assert_non_null(stale);
    stale[t->rows[last].unit] = 1;
    must(portal_begin(k.p, &k.r, true, &f));
    must(portal_round(k.p, &k.site, SIZE_MAX, &k.sink, &f));
    for (bool more = true; more; slices++) must(portal_slice(k.p, &k.site, stale, 1, &k.sink, &more, &f));
    portal_round_end(k.p);
    page_unit_path(k.x->fold, LANG_EN, t, t->rows[last].unit, path);
    assert_null(page_of(k.m, path));
    page_unit_path(k.x->fold, LANG_EN, t, t->rows[before].unit, path);
    assert_non_null(page_of(k.m, path));
    assert_in_range(portal_due(k.p), 1, k.r.n); /* the unit has a page in each contest that it votes in */
    for (size_t i = 0; i < k.m->n; i++) units += k.m->at[i].unit;
    assert_int_equal(slices, units / LANG_COUNT + 1);
    drop(k.m);
    must(portal_render(k.p, &k.site, SIZE_MAX, &k.sink, &f));
    page_unit_path(k.x->fold, LANG_EN, t, t->rows[last].unit, path);
    assert_non_null(page_of(k.m, path));
    assert_int_equal(portal_due(k.p), 0);
    drop(k.m);
    free(stale);
    making_end(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_text),
        cmocka_unit_test(figures),
        cmocka_unit_test(words),
        cmocka_unit_test(plurals),
        cmocka_unit_test(the_same_page),
        cmocka_unit_test(pages_of_the_base),
        cmocka_unit_test(every_page_has_its_turn),
        cmocka_unit_test(pages_in_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
