/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Each finding at its boundary: there, and just not there. */
#include "test.h"


#include "base/vec.h"
#include "election/canonical_json.h"
#include "election_fixture.h"

/* How often a code is found, at one station (NULL: anywhere). */
static size_t count(const struct fold *s, enum finding_code code, const char *station) {
    struct arena a;
    struct findings fi;
    struct fail f;
    arena_init(&a, 1 << 26);
    must(findings_compute(s, &a, &fi, &f));
    size_t n = 0, all = 0;
    for (size_t i = 0; i < fi.n; i++) {
        assert_true(fi.first[fi.items[i].cell] <= i && i < fi.first[fi.items[i].cell + 1]);
        uint32_t unit = fold_cell_at(s, fi.items[i].cell)->station;
        all += fi.items[i].code == code;
        if (fi.items[i].code == code && (!station || span_is(fold_unit(s, unit)->code, station))) n++;
        assert_true(fi.worst[fi.items[i].cell] >= finding_severity(fi.items[i].code));
    }
    assert_int_equal(all, fi.count[code]);
    assert_int_equal(fi.first[fold_cell_count(s)], fi.n);
    arena_release(&a);
    return n;
}

/* Register at 2103: 500 + 10 * 13 = 630. The base has nothing from there. */
enum { REGISTER = 630 };

struct form_figures {
    const char *votes;
    uint64_t valid, rejected, objected, registered, kit, manual; /* ABSENT: blank; 0 valid: the sum */
};

static struct fixture *with(const struct form_figures *g) {
    struct fixture *x = fx_base();
    struct fx_result r;
    struct fail f;
    fx_result_init(x, &r, "president", "2103", g->votes);
    if (g->valid) r.r.valid = g->valid;
    r.r.rejected = g->rejected;
    r.r.objected = g->objected;
    r.r.registered = g->registered;
    r.r.voters_kit = g->kit;
    r.r.voters_manual = g->manual;
    must(fx_result(x, "r2103", "po/2103", &r));
    return x;
}

static const struct {
    enum finding_code code;
    bool found;
    struct form_figures g;
} forms[] = {
#define REST ABSENT, REGISTER, ABSENT, ABSENT
    {F_SUM, false, {"100,100,100", 300, 5, REST}},
    {F_SUM, true, {"100,100,100", 301, 5, REST}},
    {F_SUM, true, {"100,100,100", 299, 5, REST}},
    {F_SUM, false, {"100,100,100", ABSENT, 5, REST}},
    {F_SUM, true, {"100,100,-", 300, 5, REST}},
    {F_OVER_REGISTER, false, {"200,200,225", 0, 5, REST}},
    {F_OVER_REGISTER, true, {"200,200,225", 0, 6, REST}},
    {F_OVER_REGISTER, true, {"200,200,231", ABSENT, ABSENT, REST}},
    {F_OVER_VOTERS, false, {"100,100,100", 0, 5, ABSENT, REGISTER, 300, 5}},
    {F_OVER_VOTERS, true, {"100,100,100", 0, 5, ABSENT, REGISTER, 300, 4}},
    {F_OVER_VOTERS, true, {"100,100,100", 0, 5, ABSENT, REGISTER, 304, ABSENT}},
    {F_OVER_VOTERS, true, {"100,100,100", 0, 5, ABSENT, REGISTER, ABSENT, 304}},
    {F_OVER_VOTERS, false, {"100,100,100", 0, 5, REST}},
    {F_OBJECTED, false, {"100,100,100", 0, 5, 5, REGISTER, ABSENT, ABSENT}},
    {F_OBJECTED, true, {"100,100,100", 0, 5, 6, REGISTER, ABSENT, ABSENT}},
    {F_OBJECTED, false, {"100,100,100", 0, ABSENT, 6, REGISTER, ABSENT, ABSENT}},
    {F_REGISTER, false, {"100,100,100", 0, 5, REST}},
    {F_REGISTER, true, {"100,100,100", 0, 5, ABSENT, REGISTER - 1, ABSENT, ABSENT}},
    {F_REGISTER, false, {"100,100,100", 0, 5, ABSENT, ABSENT, ABSENT, ABSENT}},
    {F_BLANK, false, {"100,100,100", 0, 5, REST}},
    {F_BLANK, true, {"100,100,-", 0, 5, REST}},
    {F_BLANK, true, {"100,100,100", ABSENT, 5, REST}},
    {F_BLANK, true, {"100,100,100", 0, ABSENT, REST}},
    {F_ZERO_REJECTED, true, {"100,100,100", 0, 0, REST}},
    {F_ZERO_REJECTED, false, {"100,100,100", 0, 1, REST}},
    {F_ZERO_REJECTED, false, {"100,100,100", 0, ABSENT, REST}},
    {F_ZERO_REJECTED, false, {"0,0,0", ABSENT, 0, REST}},
    {F_ALL_ZERO, true, {"0,0,0", ABSENT, 0, REST}},
    {F_ALL_ZERO, true, {"-,-,-", ABSENT, ABSENT, REST}},
    {F_ALL_ZERO, false, {"0,0,0", ABSENT, 1, REST}},
    /* 95 % of 630 is 598.5; 20 % is 126 */
    {F_TURNOUT_HIGH, false, {"200,200,193", 0, 5, REST}},
    {F_TURNOUT_HIGH, true, {"200,200,194", 0, 5, REST}},
    {F_TURNOUT_LOW, false, {"40,40,41", 0, 5, REST}},
    {F_TURNOUT_LOW, true, {"40,40,40", 0, 5, REST}},
    {F_TURNOUT_LOW, false, {"0,0,0", ABSENT, 0, REST}},
    /* more than 99 % of 400 is more than 396 */
    {F_ONE_SIDED, false, {"396,4,0", 0, 5, REST}},
    {F_ONE_SIDED, true, {"397,3,0", 0, 5, REST}},
    /* more than 5 % of 400 is more than 20 */
    {F_REJECTED_HIGH, false, {"200,180,0", 0, 20, REST}},
    {F_REJECTED_HIGH, true, {"200,179,0", 0, 21, REST}},
};

static void on_one_form(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct fixture *x = with(&forms[i].g);
        size_t n = count(x->fold, forms[i].code, "2103");
        if (n != forms[i].found)
            fail_msg("row %zu: %s found %zu times", i, finding_name(forms[i].code), n);
        fx_free(x);
    }
}

static void limits_can_be_set(void **state) {
    (void)state;
    struct fixture *x = with(&(struct form_figures){"396,4,0", 0, 5, REST});
    assert_int_equal(count(x->fold, F_ONE_SIDED, "2103"), 0);
    fx_must(x, NULL, "com/1,com/2",
            "amend {'changes':[{'limits':{'one_sided':989,'turnout_low':700}}],'definition':3,'election':'${e}'}");
    assert_int_equal(count(x->fold, F_ONE_SIDED, "2103"), 1);
    assert_int_equal(count(x->fold, F_TURNOUT_LOW, "2103"), 1);
    fx_free(x);
}

static void across_stations(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    struct fx_result r;
    struct fail f;
    assert_int_equal(count(s, F_TWO_RESULTS, NULL), 1);
    assert_int_equal(count(s, F_TWO_RESULTS, "1201"), 1);
    /* serials: the base has S-0001 at 1101 */
    assert_int_equal(count(s, F_SERIAL, NULL), 0);
    fx_result_init(x, &r, "governor-1", "1102", "40,50");
    r.r.serial = SPAN_LIT("S-0001"); /* another contest's forms may count the same way */
    must(fx_result(x, NULL, "po/1102", &r));
    assert_int_equal(count(s, F_SERIAL, NULL), 0);
    fx_result_init(x, &r, "president", "2103", "30,40,50");
    r.r.serial = SPAN_LIT("S-0001");
    must(fx_result(x, "r2103", "po/2103", &r));
    assert_int_equal(count(s, F_SERIAL, NULL), 2);
    assert_int_equal(count(s, F_SERIAL, "1101"), 1);
    assert_int_equal(count(s, F_SERIAL, "2103"), 1);
    /* the same figures: 1102 has 101,201,51 */
    assert_int_equal(count(s, F_SAME_FIGURES, NULL), 0);
    fx_result_must(x, "twin", "po/2103", "president", "2103", "101,201,51");
    assert_int_equal(count(s, F_SAME_FIGURES, "1102"), 1);
    assert_int_equal(count(s, F_SAME_FIGURES, "2103"), 1);
    /* at 2102 stand 1,2,3: below the smallest sum */
    fx_result_must(x, NULL, "po/2103", "president", "2103", "1,2,3");
    assert_int_equal(count(s, F_SAME_FIGURES, NULL), 2);
    /* a superseded result is not compared */
    fx_result_init(x, &r, "president", "2103", "101,201,52");
    r.r.supersedes = &fx_label(x, "twin")->id;
    r.r.supersedes_count = 1;
    must(fx_result(x, NULL, "po/2103", &r));
    assert_int_equal(count(s, F_SAME_FIGURES, NULL), 0);
    fx_free(x);
}

static void serial(struct fixture *x, const char *station, const char *number) {
    struct fx_result r;
    struct fail f;
    char officer[24];
    snprintf(officer, sizeof officer, "po/%s", station);
    fx_result_init(x, &r, "president", station, "10,20,30");
    r.r.serial = span_text(number);
    must(fx_result(x, NULL, officer, &r));
}

static size_t all_findings(const struct fold *fold, struct arena *a, struct finding **out) {
    struct findings fi;
    struct fail f;
    must(findings_compute(fold, a, &fi, &f));
    *out = fi.items;
    return fi.n;
}

/* The same findings in the same order, whatever the key of the tables: several at one station, too. */
static void hashes_decide_nothing(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    static const char *const serials[] = {"KE2017-34A-00001", "KE2017-34A-00002", "KE2017-34A-00003"};
    size_t before = count(x->fold, F_SERIAL, NULL);
    for (int i = 0; i < 3; i++) {
        serial(x, "2101", serials[i]);
        serial(x, "2103", serials[2 - i]);
        must(fx_image(x, "po/2101", "president", "2101", IMAGE_CARBON, serials[i], NULL));
        must(fx_image(x, "po/2103", "president", "2103", IMAGE_CARBON, serials[2 - i], NULL));
    }
    serial(x, "2102", "KE2017-34A-00004");
    assert_int_equal(count(x->fold, F_SERIAL, NULL), before + 6);
    assert_int_equal(count(x->fold, F_SERIAL, "2102"), 0);
    struct arena a;
    struct finding *want, *got;
    arena_init(&a, 1 << 24);
    size_t n = all_findings(x->fold, &a, &want);
    for (uint8_t turn = 1; turn < 6; turn++) {
        struct fold *s;
        struct fold_options o = {.objects = {fx_get_object, x}};
        uint8_t key[16] = {turn};
        must(fold_new(&o, &s, &f));
        fold_set_hash_key(s, key);
        for (size_t i = 0; i < x->entry_count; i++)
            must(fold_apply(s, buf_view(&x->entries[i].bytes), &x->out, &f));
        assert_int_equal(all_findings(s, &a, &got), n);
        for (size_t i = 0; i < n; i++)
            assert_true(got[i].code == want[i].code && got[i].unit == want[i].unit &&
                        got[i].result == want[i].result && got[i].a == want[i].a && got[i].b == want[i].b);
        fold_free(s);
    }
    arena_release(&a);
    fx_free(x);
}

static void of_images(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    struct fx_result r;
    struct fail f;
    assert_int_equal(count(s, F_NO_IMAGE, "2102"), 1);
    assert_int_equal(count(s, F_NO_IMAGE, "1202"), 0); /* by an image of the station */
    must(fx_image(x, "po/2102", "president", "2102", IMAGE_CARBON, "form 2102", NULL));
    assert_int_equal(count(s, F_NO_IMAGE, "2102"), 0);
    /* the same picture elsewhere; twice at one station is fine */
    assert_int_equal(count(s, F_IMAGE_REUSED, NULL), 0);
    must(fx_image(x, "po/2102", "president", "2102", IMAGE_ORIGINAL, "form 2102", "r2102"));
    assert_int_equal(count(s, F_IMAGE_REUSED, NULL), 0);
    must(fx_image(x, "po/2103", "president", "2103", IMAGE_ORIGINAL, "form 2102", NULL));
    assert_true(count(s, F_IMAGE_REUSED, "2102") >= 1);
    assert_int_equal(count(s, F_IMAGE_REUSED, "2103"), 1);
    /* not the picture that the signers bound */
    assert_int_equal(count(s, F_FORM_MISMATCH, NULL), 0);
    must(fx_image(x, "po/1101", "president", "1101", IMAGE_CARBON, "another photograph", "r1101"));
    assert_int_equal(count(s, F_FORM_MISMATCH, NULL), 0);
    must(fx_image(x, "po/1101", "president", "1101", IMAGE_ORIGINAL, "another form", "r1101"));
    assert_int_equal(count(s, F_FORM_MISMATCH, "1101"), 1);
    fx_result_init(x, &r, "president", "2103", "30,40,50");
    r.form = fx_hash("form 2103");
    r.r.form = &r.form;
    r.r.form_count = 1;
    must(fx_result(x, NULL, "po/2103", &r));
    assert_int_equal(count(s, F_FORM_MISMATCH, "2103"), 1); /* "form 2102" came instead */
    must(fx_image(x, "po/2103", "president", "2103", IMAGE_ORIGINAL, "form 2103", NULL));
    assert_int_equal(count(s, F_FORM_MISMATCH, "2103"), 0);
    /* the same stamp and signatures */
    assert_int_equal(count(s, F_IMAGE_ALIKE, NULL), 0);
    const char *zones = "image {'contest':'president','election':'${e}','kind':'carbon','masked':[],"
                        "'original':${o:%s},'page':1,'public':${o:%s},'round':1,'station':'%s','zones':'abcd'}";
    char text[600];
    snprintf(text, sizeof text, zones, "z1", "z1", "2101");
    fx_must(x, NULL, "po/2101", text);
    snprintf(text, sizeof text, zones, "z2", "z2", "2101");
    fx_must(x, NULL, "po/2101", text);
    assert_int_equal(count(s, F_IMAGE_ALIKE, NULL), 0);
    snprintf(text, sizeof text, zones, "z3", "z3", "2102");
    fx_must(x, NULL, "po/2102", text);
    assert_int_equal(count(s, F_IMAGE_ALIKE, "2102"), 1);
    assert_true(count(s, F_IMAGE_ALIKE, "2101") >= 1);
    fx_free(x);
}

static void of_keys_and_times(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    assert_int_equal(count(s, F_AGENT_OBJECTS, NULL), 1);
    assert_int_equal(count(s, F_AGENT_OBJECTS, "1102"), 1);
    assert_int_equal(count(s, F_SUSPECT_KEY, NULL), 1); /* g1102 */
    assert_int_equal(count(s, F_EARLY, NULL), 0);
    uint64_t at = 0;
    for (uint32_t i = 0; i < fold_result_count(s); i++)
        if (fold_result(s, i)->entry == fx_label(x, "r2101")->index) at = fold_result(s, i)->ms;
    for (int before = 0; before < 2; before++) { /* doubted since just after, then since then */
        char text[300];
        snprintf(text, sizeof text,
                 "revoke {'election':'${e}','key':'dpo/2101','reason':'stolen','suspect_since_ms':%llu}",
                 (unsigned long long)at + 1 - (unsigned)before);
        fx_must(x, NULL, "ro/21", text);
        assert_int_equal(count(s, F_SUSPECT_KEY, "2101"), before);
    }
    fx_free(x);
    for (int early = 0; early < 2; early++) {
        x = fx_keys();
        x->ms = FX_CLOSES - (unsigned)early;
        fx_result_must(x, NULL, "po/2103", "president", "2103", "30,40,50");
        assert_int_equal(count(x->fold, F_EARLY, NULL), early);
        fx_free(x);
    }
}

static void sentences(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    for (int c = 0; c < FINDING_COUNT; c++) {
        buf_clear(&b);
        finding_text(&(struct finding){.code = (enum finding_code)c, .a = 123456, .b = 654321}, &b);
        assert_null(strchr(buf_cstr(&b), '%'));
        assert_true(b.n > 10);
    }
    buf_clear(&b);
    finding_text(&(struct finding){.code = F_SUM, .a = 7, .b = 8}, &b);
    assert_string_equal(buf_cstr(&b), "the candidates' votes add up to 7, the form says 8 valid votes");
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_one_form),     cmocka_unit_test(limits_can_be_set),
        cmocka_unit_test(across_stations),
        cmocka_unit_test(hashes_decide_nothing), cmocka_unit_test(of_images),
        cmocka_unit_test(of_keys_and_times), cmocka_unit_test(sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
