/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Objections from filing to ruling, with what they do to stations; notices that answer; observers'
 * reports and their sums; what compose writes. */
#include "test.h"

#include <jansson.h>
#include "election/compose_voices.h"
#include "election_fixture.h"

static const struct named_object none = {.size = UINT64_MAX};

/* Findings of a code, in the whole state. */
static uint64_t found(struct fixture *x, enum finding_code code) {
    struct results r;
    struct fail f;
    must(results_compute(x->fold, &r, &f));
    uint64_t n = r.findings.count[code];
    results_release(&r);
    return n;
}

static json_t *file(struct fixture *x, const char *path) {
    struct results r;
    struct buf b;
    struct fail f;
    json_error_t why;
    json_t *j = NULL;
    buf_init(&b, 1 << 24);
    must(results_compute(x->fold, &r, &f));
    for (size_t i = 0; i < results_file_count; i++) {
        if (strcmp(results_files[i].path, path) != 0) continue;
        must(results_files[i].render(x->fold, &r, &b, &f));
        j = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, &why);
    }
    results_release(&r);
    buf_release(&b);
    assert_non_null(j);
    return j;
}

static void object(struct fixture *x, const char *label, const char *signer, const char *contest,
                   const char *units) {
    char text[1000];
    snprintf(text, sizeof text,
             "objection {'contest':'%s','election':'${e}','evidence':[],'ground':'figures','reason':${o:why},"
             "'round':1,'units':[%s]}",
             contest, units);
    fx_must(x, label, signer, text);
}

static void about(struct fixture *x, const char *type, const char *signers, const char *label,
                  const char *more, const char *says) {
    char text[1000];
    snprintf(text, sizeof text, "%s {%s'election':'${e}','objection':'${id:%s}','says':'%s'}", type, more,
             label, says);
    fx_must(x, NULL, signers, text);
}

/* Cells of the president's contest in the base: 1101 1102 1201 1202 2101 2102. */
static void an_objections_way(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    uint32_t president = fold_contest_by_id(x->fold, SPAN_LIT("president"));
    assert_int_equal(found(x, F_OBJECTION), 0);
    object(x, "a", "party/red", "president", "'11','1201'");
    assert_int_equal(found(x, F_OBJECTION), 0); /* filed only */
    assert_int_equal(objections_unruled(x->fold, president, 1), 0);
    about(x, "admission", "com/1,com/2", "a", "'answer_by_ms':5000000,", "admitted");
    assert_int_equal(found(x, F_OBJECTION), 3);
    assert_int_equal(objections_unruled(x->fold, president, 1), 1);
    assert_int_equal(objections_unruled(x->fold, president, 2), 0);
    /* a second one around it: each station is named once, with both */
    object(x, "b", "party/red", "president", "'1'");
    about(x, "admission", "nro", "b", "", "admitted");
    assert_int_equal(found(x, F_OBJECTION), 4);
    /* the clock: up to and including the last moment */
    size_t i = objection_of_entry(x->fold, fx_label(x, "a")->index);
    const struct objection *o = fold_objection(x->fold, i);
    assert_true(!objection_is_overdue(o, 5000000) && objection_is_overdue(o, 5000001));
    assert_true(objection_covers(x->fold, o, fold_unit_by_code(x->fold, SPAN_LIT("1102"))));
    assert_false(objection_covers(x->fold, o, fold_unit_by_code(x->fold, SPAN_LIT("1202"))));
    fx_must(x, NULL, "party/red",
            "notice {'answers':'${id:a}','election':'${e}','kind':'statement','lang':'en','text':${o:more}}");
    assert_true(o->answer == NO_ENTRY); /* the objector's own words are no answer */
    fx_must(x, "answer", "nro",
            "notice {'answers':'${id:a}','election':'${e}','kind':'rebuttal','lang':'en','text':${o:no}}");
    assert_true(o->answer == fx_label(x, "answer")->index && !objection_is_overdue(o, 5000001));
    about(x, "ruling", "com/2,nro", "a", "", "partly");
    assert_int_equal(found(x, F_OBJECTION), 4); /* b still waits */
    json_t *j = file(x, "results/objections.json");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "states"), "partly")), 1);
    json_decref(j);
    fx_free(x);
}

static void rulings(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    uint32_t president = fold_contest_by_id(x->fold, SPAN_LIT("president"));
    object(x, "a", "party/red", "president", "'11','1201'");
    about(x, "admission", "com/1,com/2", "a", "", "admitted");
    about(x, "ruling", "com/2,com/3", "a", "", "upheld");
    assert_int_equal(found(x, F_OBJECTION), 0);
    assert_int_equal(found(x, F_RULING), 3);
    assert_int_equal(objections_unruled(x->fold, president, 1), 0);
    assert_int_equal(objections_undecided(x->fold, president, 1), 1);
    const struct objection *o = fold_objection(x->fold, fold_objection_count(x->fold) - 1);
    /* 1101 1102 1104 1201: the closed station is not waited for, the one without records is */
    assert_int_equal(objection_undecided(x->fold, o), 4);
    /* a court says otherwise */
    assert_int_equal(fx_say(x, "com/1,com/2", "ruling {'election':'${e}','objection':'${id:a}','order':"
                                              "${o:an order},'says':'dismissed'}"),
                     OK);
    assert_true(o->ordered && found(x, F_RULING) == 0 && objections_undecided(x->fold, president, 1) == 0);
    fx_free(x);
}

/* What two observers saw alike are two records; the same observer's report sent again is one. */
static void observers_see_alike(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    static const char *const who[] = {"obs/eyes", "obs/wits"};
    size_t before = fold_observation_count(x->fold);
    struct buf t;
    buf_init(&t, 4096);
    for (int i = 0; i < 2; i++) {
        struct compose_item item = {SPAN_LIT("posted"), OBSERVED_YES, 0};
        struct compose_observation o = {.election = x->election, .station = SPAN_LIT("1101"), .at_ms = 7,
                                        .key = span_text(who[i]), .items = &item, .item_count = 1,
                                        .valid = ABSENT, .rejected = ABSENT};
        buf_clear(&t);
        compose_observation(&t, &o);
        refuses(E_LINES, fx_text(x, who[!i], buf_view(&t), &f));
        must(fx_text(x, who[i], buf_view(&t), &f));
        const struct observation *seen = fold_observation(x->fold, fold_observation_count(x->fold) - 1);
        struct key_view k;
        fold_key_at(x->fold, seen->signer, &k);
        assert_true(span_is(k.name, who[i]));
    }
    assert_int_equal(fold_observation_count(x->fold), before + 2);
    assert_int_equal(fx_text(x, who[1], buf_view(&t), &f), E_DUPLICATE);
    buf_release(&t);
    fx_free(x);
}

static void observers(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    fx_must(x, NULL, "obs/eyes",
            "observation {'at_ms':1,'contest':'president','counts':{'rejected':1,'valid':6,'votes':{'ann':1,"
            "'bo':2,'cy':3}},'election':'${e}','items':{'posted':'yes','queue':40},'key':'obs/eyes','round':1,'station':'1101'}");
    fx_must(x, NULL, "obs/eyes",
            "observation {'at_ms':2,'election':'${e}','items':{'posted':'no','queue':60},'key':'obs/eyes','station':'1101'}");
    fx_must(x, NULL, "obs/wits",
            "observation {'at_ms':3,'election':'${e}','items':{'posted':'unknown'},'key':'obs/wits','station':'2103'}");
    const struct observation *o = fold_observation(x->fold, 0);
    const uint64_t *v = observation_votes(x->fold, o);
    assert_true(v[0] == 1 && v[1] == 2 && v[2] == 3 && o->valid == 6 && o->rejected == 1 && o->round == 1);
    json_t *j = file(x, "results/observations.json"), *units = json_object_get(j, "units"), *u;
    size_t i;
    int seen = 0;
    json_array_foreach(units, i, u) {
        const char *code = json_string_value(json_object_get(u, "unit"));
        json_t *items = json_object_get(u, "items"), *queue = json_object_get(items, "queue");
        json_int_t reports = json_integer_value(json_object_get(u, "reports"));
        json_int_t stations = json_integer_value(json_object_get(u, "stations"));
        json_t *posted = json_object_get(items, "posted");
        if (strcmp(code, "KE") == 0) {
            assert_true(reports == 3 && stations == 2 && json_integer_value(json_object_get(u, "with_counts")) == 1);
            assert_true(json_integer_value(json_object_get(posted, "unknown")) == 1);
            seen++;
        } else if (strcmp(code, "11") == 0) {
            assert_true(reports == 2 && stations == 1);
            assert_true(json_integer_value(json_object_get(posted, "yes")) == 1 &&
                        json_integer_value(json_object_get(posted, "no")) == 1);
            assert_true(json_integer_value(json_object_get(queue, "sum")) == 100 &&
                        json_integer_value(json_object_get(queue, "least")) == 40 &&
                        json_integer_value(json_object_get(queue, "most")) == 60);
            seen++;
        }
    }
    assert_int_equal(seen, 2);
    assert_int_equal(json_array_size(json_object_get(j, "groups")), 2);
    json_decref(j);
    /* nothing of it is in a total */
    assert_int_equal(fx_votes(x->fold, "president", 1, "1101", "ann"), 200);
    fx_free(x);
}

/* An observer who invents names cannot make the published file grow without end. */
static void items_are_bounded(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    struct buf t;
    buf_init(&t, 1 << 16);
    unsigned made = 0;
    err e = OK;
    while (e == OK && made < 1000) {
        struct compose_item items[64];
        char names[64][20];
        for (int i = 0; i < 64; i++) {
            snprintf(names[i], sizeof names[i], "item-%u", made + (unsigned)i);
            items[i] = (struct compose_item){span_text(names[i]), OBSERVED_YES, 0};
        }
        struct compose_observation o = {.election = x->election, .station = SPAN_LIT("1101"), .at_ms = made,
                                        .key = SPAN_LIT("obs/eyes"),
                                        .items = items, .item_count = 64, .note = none,
                                        .valid = ABSENT, .rejected = ABSENT};
        buf_clear(&t);
        compose_observation(&t, &o);
        e = fx_text(x, "obs/eyes", buf_view(&t), &f);
        if (e == OK) made += 64;
    }
    assert_int_equal(e, E_QUOTA);
    assert_int_equal(made, 256);
    assert_int_equal(fold_item_count(x->fold), 256);
    buf_release(&t);
    fx_free(x);
}

/* What compose writes is taken and says what it was told. */
static void composed(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    struct buf t;
    buf_init(&t, 1 << 16);
    struct named_object why = fx_object(x, SPAN_LIT("why")), text = fx_object(x, SPAN_LIT("Title\n"));
    const struct span units[] = {SPAN_LIT("2"), SPAN_LIT("11"), SPAN_LIT("1202")};
    struct compose_objection o = {.election = x->election, .contest = SPAN_LIT("president"),
                                  .ground = "procedure", .round = 1, .reason = why, .evidence = &why,
                                  .evidence_count = 1, .units = units, .unit_count = 3};
    compose_objection(&t, &o);
    must(fx_text(x, "party/red", buf_view(&t), &f));
    const struct objection *got = fold_objection(x->fold, fold_objection_count(x->fold) - 1);
    assert_true(got->unit_count == 3 && got->evidence == 1);
    assert_true(span_is(fold_unit(x->fold, objection_unit(x->fold, got, 0))->code, "11"));
    assert_string_equal(objection_ground_name(got->ground), "procedure");
    struct hash id = fold_id(x->fold, got->entry);
    buf_clear(&t);
    compose_admission(&t, &x->election, &id, "admitted", 77, none, why);
    must(fx_text(x, "nro", buf_view(&t), &f));
    assert_true(got->state == OBJECTION_ADMITTED && got->answer_by_ms == 77);
    buf_clear(&t);
    compose_notice(&t, &(struct compose_notice){.election = x->election, .answers = &id,
                                                .contest = SPAN_LIT("president"), .kind = "rebuttal",
                                                .lang = SPAN_LIT("sw"), .text = text});
    must(fx_text(x, "nro", buf_view(&t), &f));
    assert_true(got->answer != NO_ENTRY);
    buf_clear(&t);
    compose_ruling(&t, &x->election, &id, "dismissed", why, none);
    must(fx_text(x, "com/1,com/2", buf_view(&t), &f));
    assert_true(got->state == OBJECTION_DISMISSED && got->ordered);
    const struct compose_item items[] = {{SPAN_LIT("queue"), OBSERVED_FIGURE, 12}, {SPAN_LIT("posted"), OBSERVED_NO, 0}};
    const struct span choices[] = {SPAN_LIT("cy"), SPAN_LIT("ann")};
    const uint64_t votes[] = {3, ABSENT};
    struct compose_observation ob = {.election = x->election, .contest = SPAN_LIT("president"),
                                     .station = SPAN_LIT("1101"), .round = 1, .at_ms = 9, .items = items,
                                     .key = SPAN_LIT("obs/wits"),
                                     .item_count = 2, .has_counts = true, .valid = 3, .rejected = ABSENT,
                                     .choices = choices, .votes = votes, .choice_count = 2, .note = why};
    buf_clear(&t);
    compose_observation(&t, &ob);
    must(fx_text(x, "obs/wits", buf_view(&t), &f));
    const struct observation *seen = fold_observation(x->fold, fold_observation_count(x->fold) - 1);
    const uint64_t *v = observation_votes(x->fold, seen);
    assert_true(seen->item_count == 2 && v[0] == ABSENT && v[2] == 3 && seen->rejected == ABSENT);
    assert_true(observation_items(x->fold, seen)[1].value == 12);
    struct compose_host_log row = {1, 2, 3, SPAN_LIT("db1/pg"), "database", fx_hash("x")};
    buf_clear(&t);
    compose_host_logs(&t, &x->election, &row, 1);
    must(fx_text(x, "example.org/test-election", buf_view(&t), &f));
    buf_release(&t);
    fx_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_objections_way), cmocka_unit_test(rulings),
                                       cmocka_unit_test(observers), cmocka_unit_test(observers_see_alike), cmocka_unit_test(items_are_bounded),
                                       cmocka_unit_test(composed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
