/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What may never be said is not said: every sentence of every method and class, both languages. */
#include "test.h"

#include <ctype.h>
#include "stats/compare.h"
#include "stats/forensics/about.h"
#include "stats/forensics/battery.h"
#include "stats/forensics/watch.h"

/* Lower case. English and Swahili words for what only a court or an audit could find. */
static const char *const forbidden[] = {
    "fraud", "rigg", "stolen", "steal", "theft", "cheat", "crime", "criminal", "culprit", "guilty",
    "tamper", "forg", "election valid", "valid election", "winner", "clean", "benford", "r^2",
    "no anomaly, therefore", "proves that", "proof that", "falsif", "fake", "bogus",
    "udanganyifu", "ulaghai", "wizi", "wizwa", "ibiwa", "kuiba", "chakachu", "mshindi", "mwizi",
    "hatia ya", "ghushi", "bandia", "uchaguzi halali", "uchaguzi safi", "jinai", "mhalifu",
    "yameibwa", "zimeibwa", "mkosaji",
};

static void check(const struct buf *b) {
    assert_false(b->failed);
    assert_true(b->n > 0);
    char *low = malloc(b->n + 1);
    assert_non_null(low);
    for (size_t i = 0; i < b->n; i++) low[i] = (char)tolower(b->p[i]);
    low[b->n] = 0;
    for (size_t k = 0; k < sizeof forbidden / sizeof *forbidden; k++) {
        const char *at = strstr(low, forbidden[k]);
        if (at) fail_msg("\"%s\" in: %.200s", forbidden[k], at > low + 60 ? at - 60 : low);
    }
    free(low);
}

static void put_details(struct fx_result *r) {
    static const char *const name[] = {"hits", "expected", "sd", "m", "share", "rounded",
                                       "comb_areas", "integer_areas", "batches", "permutations",
                                       "choices", "resamples", "lowest", "highest",
                                       "second_digit_mean", "sum_errors"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) fx_detail(r, name[i], 1);
}

/* Every method in every class, at the nation and in an area. */
static void every_sentence(void **state) {
    (void)state;
    static const struct span name = {(const uint8_t *)"Mji", 3};
    struct fx_table t = {.n = 10, .choices = 1, .choice = &name, .levels = 1,
                         .level = {{NULL, 1, &name}}};
    struct fx_report r = {.table = &t, .family = 10};
    struct buf b;
    buf_init(&b, 1 << 22);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        for (int m = 0; m < FX_METHODS; m++)
            for (int is = FX_NA; is <= FX_EXPLORATORY; is++)
                for (int level = FX_NATION; level < 1; level++) {
                    struct fx_result x = {.method = (enum fx_method)m, .is = (enum fx_class)is,
                                          .level = level, .choice = 0, .n = 10, .value = 6, .p = .5,
                                          .p_holm = .5, .excess = 1, .effect = 1, .missing = "time"};
                    put_details(&x);
                    size_t before = b.n;
                    fx_sentence(&r, &x, (enum lang)lang, &b);
                    assert_true(b.n > before + 20);
                    buf_byte(&b, '\n');
                }
    check(&b);
    buf_release(&b);
}

static void every_fixed_text(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int m = 0; m < FX_METHODS; m++) {
        const struct fx_about *a = fx_about((enum fx_method)m);
        assert_true(a->number >= 1 && a->number <= 12);
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            const struct words *w[] = {&a->title, &a->null, &a->controls, &a->innocent, &a->blind};
            for (size_t i = 0; i < 5; i++) {
                assert_non_null(w[i]->in[lang]);
                assert_true(strlen(w[i]->in[lang]) > 2);
                if (lang == LANG_SW) assert_string_not_equal(w[i]->in[0], w[i]->in[1]);
                buf_printf(&b, "%s\n", w[i]->in[lang]);
            }
        }
        buf_printf(&b, "%s %s %s\n", a->name, a->statistic, a->effect);
    }
    check(&b);
    buf_release(&b);
}

/* The summaries over reports with and without findings; whole reports in both forms. */
static void every_summary(void **state) {
    (void)state;
    static const struct span name = {(const uint8_t *)"Mji", 3};
    struct fx_table t = {.n = 0, .choices = 1, .choice = &name};
    struct buf b;
    buf_init(&b, 1 << 22);
    for (int variant = 0; variant < 16; variant++) {
        struct fx_result x[3] = {{.method = FX_COMB, .level = FX_NATION, .n = 9, .value = 40, .p = NAN},
                                 {.method = FX_INTEGERS, .level = 0, .n = 9, .value = 6, .p = 1e-9},
                                 {.method = FX_ARITHMETIC, .level = FX_NATION, .choice = -1, .n = 9}};
        fx_detail(&x[0], "m", 1.1);
        fx_detail(&x[0], "share", variant & 8 ? .999 : .1);
        x[0].is = variant & 1 ? FX_ANOMALY : FX_NOTHING;
        x[1].is = variant & 2 ? FX_ANOMALY : FX_NOTHING;
        x[2].is = variant & 4 ? FX_FACT : FX_NOTHING;
        t.levels = variant & 2 ? 1 : 0;
        t.level[0] = (struct fx_level){NULL, 1, &name};
        if (!t.levels) x[1].level = FX_NATION;
        struct fx_report r = {.table = &t, .family = 5, .list = {x, 3, 3}};
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            fx_report_text(&r, (enum lang)lang, &b);
            fx_report_json(&r, (enum lang)lang, &b);
        }
    }
    check(&b);
    /* "the figures are right" is never said without its denial */
    const char *text = buf_cstr(&b);
    for (const char *at = text; (at = strstr(at, "figures are right")); at++)
        assert_non_null(strstr(at - 30, "not show that the"));
    buf_release(&b);
}

static void every_verdict(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    arena_init(&mem, 1 << 24);
    static const struct span col[1] = {{(const uint8_t *)"votes", 5}};
    struct span key[40];
    char code[40][4];
    uint64_t a[40], v[40];
    for (int i = 0; i < 40; i++) {
        snprintf(code[i], sizeof code[i], "%02d", i % 100);
        key[i] = span_text(code[i]);
        v[i] = (uint64_t)(100 + 13 * i);
    }
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int variant = 0; variant < 5; variant++) {
        for (int i = 0; i < 40; i++)
            a[i] = variant == 0   ? v[i]
                   : variant == 1 ? v[i] * 11 / 10
                   : variant == 2 ? v[i] + 7
                   : variant == 3 ? v[i] + (uint64_t)(i * i % 37) * 3
                                  : v[i] + (i == 3);
        struct cmp_table ta = {.name = "a", .rows = 40, .columns = 1, .column = col, .key = key, .value = a};
        struct cmp_table tb = {.name = "b", .rows = 39, .columns = 1, .column = col, .key = key, .value = v};
        struct cmp_pair p = {0, 0, variant ? 5 : 99999999, CMP_ABSENT};
        struct cmp_result r;
        must(compare_run(&ta, &tb, &p, 1, &mem, &r, &f));
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            compare_text(&r, NULL, 0, (enum lang)lang, 3, &b);
            compare_json(&r, NULL, 0, (enum lang)lang, 3, &b);
        }
    }
    check(&b);
    buf_release(&b);
    arena_release(&mem);
}

/* Every event of the live watch, every test that can stand out in it. */
static void every_event(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    struct watch *w;
    struct buf b;
    static const struct span unit[3] = {{(const uint8_t *)"1", 1}, {(const uint8_t *)"2", 1}, {(const uint8_t *)"3", 1}};
    struct fx_table t = {.n = 3, .choices = 3, .choice = unit, .unit = unit};
    struct watch_options o = {0};
    arena_init(&mem, 1 << 24);
    buf_init(&b, 1 << 22);
    must(watch_new(&t, &o, &mem, &w, &f));
    for (int kind = 0; kind < WATCH_KINDS; kind++)
        for (int m = 0; m < FX_METHODS; m++)
            for (int lang = 0; lang < LANG_COUNT; lang++) {
                struct watch_event e = {.kind = (enum watch_kind)kind, .is = FX_ANOMALY, .station = 1, .other = 2,
                                        .device = 1, .flags = 0xff, .method = (enum fx_method)m, .choice = 0,
                                        .received = 2, .n = 9, .value = 2, .expected = 3, .p = 1e-5};
                watch_json(w, &e, unit[0], (enum lang)lang, &b);
            }
    check(&b);
    buf_release(&b);
    arena_release(&mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event),
        cmocka_unit_test(every_sentence),
        cmocka_unit_test(every_fixed_text),
        cmocka_unit_test(every_summary),
        cmocka_unit_test(every_verdict),
    };
    return cmocka_run_group_tests_name("forensics_words", tests, NULL, NULL);
}
