/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The tally desk: who reads a form and when, what holds, what decisions do to findings. */
#include "test.h"

#include "election/clerks.h"
#include "election/desk_queue.h"
#include "election_fixture.h"

static const struct cell *cell_at(const struct fold *s, const char *contest, const char *station) {
    uint32_t i = fold_cell_find(s, fold_contest_by_id(s, span_text(contest)), 1,
                                fold_unit_by_code(s, span_text(station)));
    assert_true(i != NO_CELL);
    return fold_cell_at(s, i);
}

/* Findings of a code at a station: how many, and of these neither accepted nor settled. */
static void count(const struct fold *s, enum finding_code code, const char *unit, size_t *all,
                  size_t *open) {
    struct arena a;
    struct findings fi;
    struct fail f;
    arena_init(&a, 1 << 26);
    must(findings_compute(s, &a, &fi, &f));
    *all = *open = 0;
    for (size_t i = 0; i < fi.n; i++) {
        const struct finding *x = &fi.items[i];
        if (x->code != code || !span_is(fold_unit(s, x->unit)->code, unit)) continue;
        (*all)++;
        *open += x->decision == NO_DECISION;
        assert_true(x->entries > 0 && x->latest < fold_size(s));
        for (unsigned k = 0; k < x->entries; k++) assert_true(x->entry[k] <= x->latest);
    }
    arena_release(&a);
}

static size_t found(const struct fold *s, enum finding_code code, const char *unit) {
    size_t all, open;
    count(s, code, unit, &all, &open);
    return all;
}

static size_t open_ones(const struct fold *s, enum finding_code code, const char *unit) {
    size_t all, open;
    count(s, code, unit, &all, &open);
    return open;
}

static const struct tally_row *row_of(const struct results *r, const struct fold *s, const char *contest,
                                      const char *unit) {
    for (size_t t = 0; t < r->n; t++)
        for (size_t i = 0; i < r->tallies[t].n; i++)
            if (span_is(fold_contest(s, r->tallies[t].contest)->id, contest) && r->tallies[t].round == 1 &&
                span_is(fold_unit(s, r->tallies[t].rows[i].unit)->code, unit))
                return &r->tallies[t].rows[i];
    fail_msg("no row %s %s", contest, unit);
    return NULL;
}

static void state_is(const struct fold *s, const char *station, const char *state) {
    struct results r;
    struct fail f;
    must(results_compute(s, &r, &f));
    assert_string_equal(results_station_state(s, &r.findings, &r.tallies[0], row_of(&r, s, "president", station)),
                        state);
    results_release(&r);
}

static uint64_t held(const struct fold *s, const char *contest, const char *station) {
    struct figures g;
    uint64_t entry = ABSENT;
    return cell_held(s, cell_at(s, contest, station), &g, &entry) ? entry : ABSENT;
}

/* "${n}" stands for the log's size in what is decided. */
static err decide(struct fixture *x, const char *signers, const char *action, const char *more,
                  const char *unit) {
    char text[700];
    snprintf(text, sizeof text,
             "decision {'action':'%s',%s'round':1,'size':%llu,'unit':'%s'}", action, more,
             (unsigned long long)fold_size(x->fold), unit);
    err e = fx_say(x, signers, text);
    x->ms += 1000;
    return e;
}
static void decided(err e) {
    assert_string_equal(err_info(e)->name, "OK");
}
#define PRES "'contest':'president','election':'${e}',"

static void readings_agree(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    const struct cell *c = cell_at(s, "president", "1101");
    uint32_t agreed = desk_agreed(s, c);
    assert_int_equal(fold_reading(s, agreed)->entry, fx_label(x, "o1101a")->index);
    assert_true(cell_transcribed(s, c));
    assert_true(fold_seal(s, 0)->blind && fold_seal(s, 1)->blind);
    assert_int_equal(desk_wanted(s, c, x->ms), 0);
    state_is(s, "1101", "compared");
    assert_int_equal(found(s, F_READING_DIFFERS, "1101"), 0);
    /* whoever reads after the two is one too many, whoever it is */
    assert_int_equal(fx_say(x, "nro", "seal {'contest':'president','election':'${e}','image':'${id:i1101}',"
                                      "'key':'nro','round':1,'seal':'${h:x}','station':'1101'}"), E_STATE);
    struct results r;
    struct fail f;
    must(results_compute(s, &r, &f));
    const struct tally_row *row = row_of(&r, s, "president", "KE");
    assert_int_equal(row->transcribed, 1);
    assert_int_equal(row->compared, 1);
    assert_int_equal(row->compared_all, 0); /* the nation has not compared */
    assert_int_equal(row->total[TOTAL_TRANSCRIBED].votes[0], 200);
    assert_int_equal(row->total[TOTAL_COMPARED].stations, 1);
    results_release(&r);
    fx_must(x, NULL, "nro", "compared {'at_ms':1," PRES "'level':'nation','record':'${id:r1101}','round':1,"
                            "'says':'same','station':'1101'}");
    must(results_compute(s, &r, &f));
    assert_int_equal(row_of(&r, s, "president", "KE")->compared_all, 1);
    results_release(&r);
    fx_free(x);
}

static void third_decides(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    const struct cell *c = cell_at(s, "president", "1102");
    assert_int_equal(desk_agreed(s, c), NO_READING);
    assert_int_equal(desk_wanted(s, c, x->ms), 1);
    assert_false(desk_disagrees(s, c));
    fx_seal(x, "s3", "clerk/11c", "president", "1102", "i1102", "z1", "1102x");
    assert_false(fold_seal(s, (uint32_t)fold_seal_count(s) - 1)->blind);
    assert_int_equal(desk_wanted(s, c, x->ms), 0);
    assert_int_equal(desk_agreed(s, c), NO_READING);
    fx_open(x, "o3", "clerk/11c", "z1", "1102x", "s3");
    /* two people read 57 where 51 was sent: the form differs from what was sent */
    assert_int_equal(fold_reading(s, desk_agreed(s, c))->entry, fx_label(x, "o1102b")->index);
    assert_int_equal(open_ones(s, F_READING_DIFFERS, "1102"), 1);
    assert_false(cell_transcribed(s, c));
    assert_int_equal(held(s, "president", "1102"), fx_label(x, "r1102b")->index);
    state_is(s, "1102", "in question");
    decided(decide(x, "ro/11,clerk/11", "adopt", PRES "'record':'${id:o1102b}',", "1102"));
    assert_int_equal(held(s, "president", "1102"), fx_label(x, "o1102b")->index);
    assert_int_equal(found(s, F_READING_DIFFERS, "1102"), 1); /* it stays to be seen */
    assert_int_equal(open_ones(s, F_READING_DIFFERS, "1102"), 0);
    assert_int_equal(open_ones(s, F_AGENT_OBJECTS, "1102"), 0); /* of a result that does not hold */
    assert_true(cell_transcribed(s, c));
    state_is(s, "1102", "transcribed");
    assert_int_equal(fx_votes(s, "president", 1, "1102", "cy"), 51); /* what was sent stays what was sent */
    /* the original says so too: compared with what holds now */
    assert_int_equal(fx_say(x, "ro/11", "compared {'at_ms':1," PRES "'level':'constituency','record':'${id:r1102b}',"
                                        "'round':1,'says':'same','station':'1102'}"), E_STATE);
    fx_must(x, NULL, "ro/11", "compared {'at_ms':1," PRES "'level':'constituency','record':'${id:o1102b}',"
                              "'round':1,'says':'same','station':'1102'}");
    state_is(s, "1102", "compared");
    fx_free(x);
}

static void three_disagree(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    const struct cell *c = cell_at(s, "president", "1102");
    fx_seal(x, "s3", "clerk/11c", "president", "1102", "i1102", "z1", "1102y");
    fx_open(x, "o3", "clerk/11c", "z1", "1102y", "s3");
    assert_true(desk_disagrees(s, c));
    assert_int_equal(open_ones(s, F_READINGS_DISAGREE, "1102"), 1);
    assert_int_equal(desk_wanted(s, c, x->ms), 0);
    assert_int_equal(decide(x, "ro/11,clerk/11", "accept", "'codes':['F_READINGS_DISAGREE']," PRES
                            "'reason':${o:tired},", "1102"), E_STATE);
    decided(decide(x, "ro/11,clerk/11", "adopt", PRES "'record':'${id:o1102a}',", "1102"));
    assert_int_equal(open_ones(s, F_READINGS_DISAGREE, "1102"), 0);
    assert_true(cell_transcribed(s, c)); /* somebody decided, looking at the form */
    fx_free(x);
}

static void lapses(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    const struct cell *c = cell_at(s, "president", "1202");
    const struct seal *a = fold_seal(s, (uint32_t)fold_seal_count(s) - 2), *b = a + 1;
    assert_int_equal(a->deadline_ms, FX_CASE_MS);
    assert_int_equal(seal_state_at(s, a, FX_CASE_MS), SEAL_CLOSED);
    assert_int_equal(seal_state_at(s, a, FX_CASE_MS + 1), SEAL_LAPSED);
    assert_int_equal(desk_wanted(s, c, FX_CASE_MS), 0);
    assert_int_equal(desk_wanted(s, c, FX_CASE_MS + 1), 2);
    fx_open(x, "oa", "clerk/n", "n8", "1202", "s1202a"); /* in the last ms */
    x->ms = FX_CASE_MS + 1;
    assert_int_equal(seal_state_at(s, b, x->ms), SEAL_LAPSED);
    assert_int_equal(desk_wanted(s, c, x->ms), 1);
    /* who let it lapse has had the time to look: somebody else's turn */
    struct fail f;
    refuses(desk_may_seal(s, c, SPAN_LIT("clerk/n2"), x->ms, &f), E_STATE);
    refuses(desk_may_seal(s, c, SPAN_LIT("clerk/n"), x->ms, &f), E_STATE);
    refuses(desk_may_seal(s, c, SPAN_LIT("clerk/11"), x->ms, &f), E_SCOPE);
    refuses(desk_may_seal(s, c, SPAN_LIT("po/1202"), x->ms, &f), E_ROLE);
    refuses(desk_may_seal(s, c, SPAN_LIT("nobody"), x->ms, &f), E_REFERENCE);
    must(desk_may_seal(s, c, SPAN_LIT("nro"), x->ms, &f));
    fx_seal(x, "sc", "nro", "president", "1202", "i1202", "z2", "1202");
    fx_open(x, "oc", "nro", "z2", "1202", "sc");
    assert_true(desk_agreed(s, c) != NO_READING);
    assert_int_equal(fx_say(x, "clerk/n2", "open {'election':'${e}','nonce':'${h:n9}','reading':${r:1202},"
                                           "'seal':'${id:s1202b}'}"), E_STATE);
    fx_free(x);
}

/* A key revoked between seal and opening: the seal lapses with it, and the other may still open. */
static void revoked_between(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    const struct cell *c = cell_at(s, "president", "1202");
    x->ms = FX_CASE_MS - 5000;
    fx_must(x, NULL, "nro", "revoke {'election':'${e}','key':'clerk/n2','reason':'stolen'}");
    assert_int_equal(fx_say(x, "clerk/n2", "open {'election':'${e}','nonce':'${h:n9}','reading':${r:1202},"
                                           "'seal':'${id:s1202b}'}"), E_REVOKED);
    assert_int_equal(desk_wanted(s, c, x->ms), 1);
    fx_open(x, "oa", "clerk/n", "n8", "1202", "s1202a");
    fx_seal(x, "sc", "nro", "president", "1202", "i1202", "z2", "1202");
    x->ms += SEAL_OPEN_MS - 1000; /* the new pair's own half hour, to the ms */
    assert_int_equal(fold_seal(s, (uint32_t)fold_seal_count(s) - 1)->deadline_ms, x->ms);
    fx_open(x, "oc", "nro", "z2", "1202", "sc");
    assert_true(desk_agreed(s, c) != NO_READING);
    fx_free(x);
}

/* The machine opens last, is counted apart and agrees or not. */
static void machine_opens_last(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    const struct cell *c = cell_at(s, "president", "2101");
    fx_seal(x, "sb", "clerk/n", "president", "2101", "i2101", "z1", "2101");
    fx_open(x, "ob", "clerk/n", "z1", "2101", "sb");
    assert_int_equal(fx_say(x, "machine", "open {'election':'${e}','nonce':'${h:n7}','reading':${r:2101},"
                                          "'seal':'${id:s2101m}'}"), E_STATE);
    fx_open(x, "oa", "clerk/21", "n6", "2101", "s2101");
    assert_int_equal(desk_machine(s, c), NO_READING);
    fx_open(x, "om", "machine", "n7", "2101", "s2101m");
    assert_int_equal(fold_reading(s, desk_machine(s, c))->entry, fx_label(x, "om")->index);
    assert_int_equal(found(s, F_MACHINE_DIFFERS, "2101"), 0);
    state_is(s, "2101", "transcribed");
    fx_seal(x, "sm", "machine", "president", "1102", "i1102", "z3", "1102y");
    fx_open(x, "om2", "machine", "z3", "1102y", "sm"); /* the two are open: it may at once */
    assert_int_equal(found(s, F_MACHINE_DIFFERS, "1102"), 0); /* nothing is agreed to differ from */
    fx_seal(x, "s3", "clerk/11c", "president", "1102", "i1102", "z4", "1102");
    fx_open(x, "o3", "clerk/11c", "z4", "1102", "s3");
    assert_int_equal(open_ones(s, F_MACHINE_DIFFERS, "1102"), 1);
    assert_int_equal(found(s, F_READING_DIFFERS, "1102"), 0);
    fx_free(x);
}

/* What the machine says it cannot read is no difference; what it reads otherwise is. */
static void the_machine_may_leave_fields_out(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    fx_seal(x, "sm", "machine", "president", "1102", "i1102", "z3", "full"); /* valid, cy illegible */
    fx_open(x, "om", "machine", "z3", "full", "sm");
    fx_seal(x, "s3", "clerk/11c", "president", "1102", "i1102", "z4", "1102");
    fx_open(x, "o3", "clerk/11c", "z4", "1102", "s3");
    assert_true(desk_agreed(s, cell_at(s, "president", "1102")) != NO_READING);
    assert_int_equal(found(s, F_MACHINE_DIFFERS, "1102"), 0);
    fx_free(x);
}

/* One reading is asked for, and nothing was transmitted: the paper is all there is. */
static void one_reading(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    struct fail f;
    must(fx_image(x, "po/1101", "governor-1", "1101", IMAGE_ORIGINAL, "gov 1101", NULL));
    x->labels[x->label_count] = (struct fx_label){.name = "ig", .id = x->out.id, .index = x->out.index};
    x->label_count++;
    fx_seal(x, "sg", "clerk/11", "governor-1", "1101", "ig", "z1", "gov");
    fx_open(x, "og", "clerk/11", "z1", "gov", "sg");
    const struct cell *c = cell_at(s, "governor-1", "1101");
    assert_int_equal(held(s, "governor-1", "1101"), fx_label(x, "og")->index);
    assert_true(cell_transcribed(s, c));
    assert_int_equal(found(s, F_BLANK, "1101"), 1); /* valid and rejected: looked at like a result's */
    decided(fx_say(x, "ro/11,dro/11", "decision {'action':'accept','codes':['F_BLANK'],'contest':'governor-1',"
                                   "'election':'${e}','round':1,'size':0,'unit':'11'}"));
    assert_int_equal(open_ones(s, F_BLANK, "1101"), 1); /* they had not seen it */
    decided(decide(x, "ro/11,dro/11", "accept", "'codes':['F_BLANK'],'contest':'governor-1','election':'${e}',",
                "11"));
    assert_int_equal(open_ones(s, F_BLANK, "1101"), 0);
    fx_free(x);
}

static void acceptance_is_bound(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    struct fail f;
    fx_result_must(x, "a", "po/2103", "president", "2103", "10,10,10"); /* low turnout, no image */
    assert_int_equal(open_ones(s, F_TURNOUT_LOW, "2103"), 1);
    decided(decide(x, "ro/21,clerk/21", "accept", "'codes':['F_TURNOUT_LOW']," PRES, "21"));
    assert_int_equal(open_ones(s, F_TURNOUT_LOW, "2103"), 0);
    assert_int_equal(open_ones(s, F_NO_IMAGE, "2103"), 1);
    /* an amendment of the limits makes it another finding */
    fx_must(x, NULL, "com/1,com/2",
            "amend {'changes':[{'limits':{'turnout_low':300}}],'definition':3,'election':'${e}'}");
    assert_int_equal(open_ones(s, F_TURNOUT_LOW, "2103"), 1);
    decided(decide(x, "ro/21,clerk/21", "accept", "'codes':['F_TURNOUT_LOW']," PRES, "2103"));
    assert_int_equal(open_ones(s, F_TURNOUT_LOW, "2103"), 0);
    /* a new result has not been seen by those who accepted */
    struct fx_result r;
    fx_result_init(x, &r, "president", "2103", "11,10,10");
    r.r.supersedes = &fx_label(x, "a")->id;
    r.r.supersedes_count = 1;
    must(fx_result(x, "b", "po/2103", &r));
    assert_int_equal(open_ones(s, F_TURNOUT_LOW, "2103"), 1);
    fx_free(x);
}

static void released(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    assert_int_equal(held(s, "president", "1201"), ABSENT);
    decided(decide(x, "ro/12,clerk/12", "adopt", PRES "'record':'${id:r1201b}',", "1201"));
    struct hash adopt = x->out.id;
    assert_int_equal(held(s, "president", "1201"), fx_label(x, "r1201b")->index);
    assert_int_equal(open_ones(s, F_TWO_RESULTS, "1201"), 0);
    assert_int_equal(decide(x, "ro/12,clerk/12", "adopt", PRES "'record':'${id:r1201a}',", "1201"), E_STATE);
    /* one more result after the decision: seen by nobody who decided */
    fx_result_must(x, "late", "po/1201", "president", "1201", "10,20,32");
    assert_int_equal(open_ones(s, F_TWO_RESULTS, "1201"), 1);
    assert_int_equal(open_ones(s, F_AFTER_DECISION, "1201"), 1);
    char more[200] = PRES "'record':'", hex[HASH_HEX_LEN + 1];
    hash_hex(&adopt, hex);
    snprintf(more + strlen(more), sizeof more - strlen(more), "%s',", hex);
    decided(decide(x, "ro/12,clerk/12", "release", more, "1201"));
    assert_int_equal(held(s, "president", "1201"), ABSENT);
    assert_int_equal(found(s, F_AFTER_DECISION, "1201"), 0);
    assert_int_equal(decide(x, "ro/12,clerk/12", "release", more, "1201"), E_STATE);
    decided(decide(x, "ro/12,clerk/12", "adopt", PRES "'record':'${id:r1201b}',", "1201")); /* again, another record */
    assert_int_equal(open_ones(s, F_TWO_RESULTS, "1201"), 0);
    fx_free(x);
}

static void disregarded(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    struct fx_result r;
    struct fail f;
    fx_result_init(x, &r, "president", "2103", "300,300,31"); /* 631 + 3 of 630 */
    must(fx_result(x, "over", "po/2103", &r));
    assert_int_equal(decide(x, "ro/21,clerk/21", "disregard", PRES "'ground':'over-voters',", "2103"), E_STATE);
    decided(decide(x, "ro/21,clerk/21", "disregard", PRES "'ground':'over-register',", "2103"));
    assert_int_equal(held(s, "president", "2103"), ABSENT);
    state_is(s, "2103", "disregarded");
    assert_int_equal(open_ones(s, F_OVER_REGISTER, "2103"), 0);
    assert_int_equal(found(s, F_DISREGARDED, "2103"), 1);
    assert_int_equal(open_ones(s, F_DISREGARDED, "2103"), 0);
    /* exactly as many as are registered is no ground */
    fx_result_init(x, &r, "governor-1", "1101", "265,262");
    must(fx_result(x, "full", "po/1101", &r));
    assert_int_equal(decide(x, "ro/11,clerk/11", "disregard", "'contest':'governor-1','election':'${e}',"
                            "'ground':'over-register',", "1101"), E_STATE);
    fx_free(x);
}

static void original_differs(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    fx_must(x, "c1", "ro/11", "compared {'at_ms':1," PRES "'irregularities':['damaged','no-stamp'],"
                              "'level':'constituency','reading':${r:1102x},'record':'${id:r1102b}','round':1,"
                              "'says':'differs','station':'1102'}");
    assert_int_equal(open_ones(s, F_ORIGINAL_DIFFERS, "1102"), 1);
    assert_int_equal(open_ones(s, F_IRREGULAR, "1102"), 1);
    decided(decide(x, "ro/11,clerk/11", "adopt", PRES "'record':'${id:c1}',", "1102"));
    assert_int_equal(held(s, "president", "1102"), fx_label(x, "c1")->index);
    assert_int_equal(found(s, F_ORIGINAL_DIFFERS, "1102"), 0);
    assert_true(cell_compared_same(s, cell_at(s, "president", "1102"), 2, fx_label(x, "c1")->index));
    state_is(s, "1102", "compared"); /* what holds was read from the original */
    fx_free(x);
}

static void more_forms(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    char text[300];
    assert_int_equal(found(s, F_MORE_FORMS, "1101"), 0);
    fx_must(x, NULL, "po/1101,ro/11", "custody {'at_ms':2,'contest':'president','count':1,'election':'${e}',"
            "'from':'po/1101','kind':'original','to':'ro/11','unit':'1101','what':'forms'}");
    assert_int_equal(open_ones(s, F_MORE_FORMS, "1101"), 1); /* two originals of one station */
    assert_int_equal(found(s, F_MORE_FORMS, "11"), 0);       /* 2 of 3 */
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "custody {'at_ms':%d,'contest':'president','count':1,'election':'${e}',"
                 "'from':'carrier/11','kind':'original','to':'ro/11','unit':'11','what':'forms'}", i);
        fx_must(x, NULL, "carrier/11,ro/11", text);
        assert_int_equal(open_ones(s, F_MORE_FORMS, "11"), i); /* 3 of 3, 4 of 3 */
    }
    assert_int_equal(fold_place(s, 0, 1, fold_unit_by_code(s, SPAN_LIT("11")))->forms, 4);
    decided(decide(x, "ro/11,clerk/11", "accept", "'codes':['F_MORE_FORMS']," PRES "'reason':${o:a spare},", "11"));
    assert_int_equal(open_ones(s, F_MORE_FORMS, "11"), 0);
    assert_int_equal(open_ones(s, F_MORE_FORMS, "1101"), 0); /* of the stations inside, too */
    /* handed up, then back down: received once */
    fx_must(x, NULL, "ro/11,nro", "custody {'at_ms':1,'contest':'president','count':4,'election':'${e}',"
            "'from':'ro/11','kind':'original','to':'nro','unit':'11','what':'forms'}");
    fx_must(x, NULL, "ro/11,nro", "custody {'at_ms':1,'contest':'president','count':4,'election':'${e}',"
            "'from':'nro','kind':'original','to':'ro/11','unit':'11','what':'forms'}");
    assert_int_equal(fold_place(s, 0, 1, fold_unit_by_code(s, SPAN_LIT("KE")))->forms, 4);
    assert_int_equal(fold_place(s, 0, 1, fold_unit_by_code(s, SPAN_LIT("11")))->forms, 4);
    fx_free(x);
}

static void recounts(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    decided(fx_say(x, "ro/11,clerk/11", "result {'ballots':{'registered':540,'rejected':1,'valid':170},'basis':'paper',"
                   "'contest':'governor-1','definition':2,'election':'${e}','form':['${h:page}'],"
                   "'recount':${o:an order},'round':1,'signed_ms':1,'station':'1102',"
                   "'supersedes':['${id:g1102}'],'votes':{'dee':81,'eve':89}}"));
    uint64_t recount = x->out.index;
    assert_int_equal(x->out.object_count, 1);
    assert_false(x->out.objects[0].restricted);
    assert_int_equal(open_ones(s, F_RECOUNT, "1102"), 1);
    assert_int_equal(found(s, F_SUSPECT_KEY, "1102"), 0); /* of the one that is replaced */
    assert_int_equal(cell_current(s, cell_at(s, "governor-1", "1102"))->entry, recount);
    /* a decision had adopted the old figures: they hold until it is released, and that shows */
    assert_int_equal(open_ones(s, F_AFTER_DECISION, "1102"), 1);
    fx_free(x);
}

static void severities(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    assert_int_equal(found(s, F_NO_IMAGE, "2102"), 1);
    assert_int_equal(finding_severity_in(s, F_AGENT_OBJECTS), SEVERITY_WARNING);
    state_is(s, "1202", "transmitted");
    fx_must(x, NULL, "com/1,com/2",
            "amend {'changes':[{'limits':{'findings':{'F_AGENT_OBJECTS':'error','F_NO_IMAGE':'off'}}}],"
            "'definition':3,'election':'${e}'}");
    assert_int_equal(found(s, F_NO_IMAGE, "2102"), 0);
    state_is(s, "1102", "in question");
    fx_must(x, NULL, "com/1,com/2", "amend {'changes':[{'limits':{'one_sided':990}}],'definition':4,"
                                    "'election':'${e}'}");
    assert_int_equal(found(s, F_NO_IMAGE, "2102"), 0); /* what is not named stays */
    fx_free(x);
}

/* ---- the queue ---- */

static size_t queue(const struct fixture *x, const char *key, uint64_t ms, struct arena *a,
                    struct desk_task **out) {
    size_t n;
    struct fail f;
    arena_init(a, 1 << 24);
    must(desk_queue(x->fold, span_text(key), ms, a, out, &n, &f));
    for (size_t i = 1; i < n; i++) assert_true((*out)[i - 1].tier <= (*out)[i].tier);
    return n;
}

static const struct desk_task *task_at(const struct fixture *x, const struct desk_task *t, size_t n,
                                       const char *station) {
    for (size_t i = 0; i < n; i++)
        if (fold_cell_at(x->fold, t[i].cell)->contest == 0 &&
            span_is(fold_unit(x->fold, fold_cell_at(x->fold, t[i].cell)->station)->code, station))
            return &t[i];
    return NULL;
}

static void queue_of_a_clerk(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct arena a;
    struct desk_task *t;
    size_t n = queue(x, "clerk/11c", x->ms, &a, &t);
    /* 1101 is read, 1102 waits for a third; the rest is elsewhere */
    assert_int_equal(n, 1);
    assert_true(task_at(x, t, n, "1102")->resumes);
    assert_int_equal(fold_image(x->fold, t[0].image)->entry, fx_label(x, "i1102")->index);
    arena_release(&a);
    assert_int_equal(queue(x, "clerk/11", x->ms, &a, &t), 0); /* read both */
    arena_release(&a);
    assert_int_equal(queue(x, "po/1102", x->ms, &a, &t), 0);
    arena_release(&a);
    n = queue(x, "clerk/n", x->ms, &a, &t); /* 1201 nobody has read; not where it has sealed */
    assert_non_null(task_at(x, t, n, "1102"));
    assert_non_null(task_at(x, t, n, "2101"));
    assert_non_null(task_at(x, t, n, "1201"));
    assert_null(task_at(x, t, n, "1202"));
    assert_null(task_at(x, t, n, "1101"));
    assert_true(t[0].resumes || t[0].tier == TIER_OWN);
    arena_release(&a);
    n = queue(x, "clerk/n", x->ms + 1, &a, &t); /* where its own seal has lapsed, and nobody's is public */
    assert_non_null(task_at(x, t, n, "1202"));
    arena_release(&a);
    n = queue(x, "machine", x->ms, &a, &t);
    assert_non_null(task_at(x, t, n, "1102"));
    assert_null(task_at(x, t, n, "2101")); /* sealed */
    arena_release(&a);
    struct fail f;
    arena_init(&a, 1 << 20);
    refuses(desk_queue(x->fold, SPAN_LIT("nobody"), x->ms, &a, &t, &n, &f), E_REFERENCE);
    arena_release(&a);
    fx_free(x);
}

/* Each form is offered first to as many people as it needs, and to no more. */
static void queue_is_spread(void **state) {
    (void)state;
    struct fixture *x = fx_keys();
    struct fail f;
    static const char *const stations[] = {"1101", "1102", "1103"};
    static const char *const clerks[] = {"clerk/11", "clerk/11b", "clerk/11c", "clerk/n", "clerk/n2"};
    x->ms = FX_CLOSES;
    for (int i = 0; i < 3; i++) {
        char po[20], word[20];
        snprintf(po, sizeof po, "po/%s", stations[i]);
        snprintf(word, sizeof word, "form %s", stations[i]);
        must(fx_image(x, po, "president", stations[i], IMAGE_ORIGINAL, word, NULL));
    }
    for (int i = 0; i < 3; i++) {
        unsigned own = 0;
        for (int c = 0; c < 5; c++) {
            struct arena a;
            struct desk_task *t;
            size_t n = queue(x, clerks[c], x->ms, &a, &t);
            assert_int_equal(n, 3); /* all may help */
            own += task_at(x, t, n, stations[i])->tier == TIER_OWN;
            arena_release(&a);
        }
        assert_int_equal(own, 2);
    }
    fx_free(x);
}

/* ---- statistics ---- */

static const struct clerk *clerk_of(const struct fold *s, const struct clerks_report *r, const char *name) {
    for (size_t i = 0; i < r->n; i++) {
        struct key_view k;
        fold_key_at(s, r->items[i].key, &k);
        if (span_is(k.name, name)) return &r->items[i];
    }
    fail_msg("nothing about %s", name);
    return NULL;
}

static void statistics(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    struct clerks_report r;
    struct arena a;
    struct fail f;
    arena_init(&a, 1 << 24);
    /* two read 57 where the paper, adopted later, says 51: the same mistake twice */
    fx_seal(x, "s3", "clerk/11c", "president", "1102", "i1102", "z1", "1102x");
    fx_open(x, "o3", "clerk/11c", "z1", "1102x", "s3");
    must(clerks_compute(s, x->ms, &a, &r, &f));
    assert_int_equal(r.third, 1);
    assert_int_equal(r.disagree, 0);
    assert_int_equal(clerk_of(s, &r, "clerk/11b")->agreed, 1);
    assert_int_equal(clerk_of(s, &r, "clerk/11")->overruled, 1); /* so far the two are right */
    decided(decide(x, "ro/11,dro/11", "adopt", PRES "'record':'${id:o1102a}',", "1102"));
    must(clerks_compute(s, x->ms, &a, &r, &f));
    const struct clerk *b = clerk_of(s, &r, "clerk/11b"), *c = clerk_of(s, &r, "clerk/11c");
    assert_int_equal(clerk_of(s, &r, "clerk/11")->agreed, 2);
    assert_int_equal(b->overruled, 1);
    assert_int_equal(b->fields_wrong, 2); /* valid and one candidate */
    assert_int_equal(b->shared_errors, 2);
    assert_int_equal(b->partner_errors, 2);
    struct key_view k;
    fold_key_at(s, b->partner, &k);
    assert_true(span_is(k.name, "clerk/11c"));
    assert_int_equal(c->not_blind, 1);
    assert_int_equal(clerk_of(s, &r, "machine")->waiting, 1);
    assert_int_equal(clerk_of(s, &r, "clerk/n2")->lapsed, 1); /* x->ms is past the half hour */
    assert_true(clerk_of(s, &r, "clerk/11")->median_ms > 0);
    struct buf out;
    buf_init(&out, 1 << 20);
    clerks_json(s, &r, &out);
    assert_non_null(strstr(buf_cstr(&out), "\"key\":\"clerk/11b\",\"machine\":false,\"sealed\":1,"));
    buf_release(&out);
    arena_release(&a);
    fx_free(x);
}

/* ---- the writers ---- */

static void is_text(struct fixture *x, const struct buf *text, const char *pattern) {
    struct buf want;
    buf_init(&want, 1 << 16);
    fx_expand(x, pattern, &want);
    if (!span_eq(buf_view(&want), buf_view(text)))
        fail_msg("wanted %s got %s", buf_cstr(&want), buf_cstr((struct buf *)(uintptr_t)text));
    buf_release(&want);
}

static void written(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct buf b, reading;
    struct hash nonce = fx_hash("n9"), seal;
    const struct span ids[] = {SPAN_LIT("bo"), SPAN_LIT("ann"), SPAN_LIT("cy")};
    const uint64_t votes[] = {201, 101, ABSENT};
    const struct span illegible[] = {SPAN_LIT("ballots.valid"), SPAN_LIT("votes.cy")};
    buf_init(&b, 1 << 16);
    buf_init(&reading, 1 << 16);
    struct compose_reading r;
    compose_reading_init(&r);
    r.registered = 540;
    r.rejected = 3;
    r.voters_kit = 355;
    r.serial = SPAN_LIT("S-9");
    r.marks = 1u << 11 | 1u << 14; /* no-stamp, overwritten */
    r.choices = ids;
    r.votes = votes;
    r.choice_count = 3;
    r.illegible = illegible;
    r.illegible_count = 2;
    compose_reading(&reading, &r);
    is_text(x, &reading, "${r:full}");
    seal = seal_hash(nonce.b, buf_view(&reading));
    compose_seal(&b, &x->election, SPAN_LIT("president"), 1, SPAN_LIT("1102"), &fx_label(x, "i1102")->id,
                 SPAN_LIT("clerk/n"), &seal);
    is_text(x, &b, "seal {'contest':'president','election':'${e}','image':'${id:i1102}','key':'clerk/n','round':1,"
                   "'seal':'${seal:n9:full}','station':'1102'}");
    buf_clear(&b);
    compose_open(&b, &x->election, nonce.b, buf_view(&reading), &fx_label(x, "s1202b")->id);
    is_text(x, &b, "open {'election':'${e}','nonce':'${h:n9}','reading':${r:full},'seal':'${id:s1202b}'}");
    buf_clear(&b);
    compose_compared(&b, &x->election, SPAN_LIT("president"), 1, SPAN_LIT("1102"), SPAN_LIT("nation"),
                     &fx_label(x, "r1102b")->id, 1, (struct span){0}, 7);
    is_text(x, &b, "compared {'at_ms':7,'contest':'president','election':'${e}','irregularities':['adding-error'],"
                   "'level':'nation','record':'${id:r1102b}','round':1,'says':'same','station':'1102'}");
    buf_clear(&b);
    struct named_object none = {.size = UINT64_MAX}, order = fx_object(x, SPAN_LIT("an order"));
    struct compose_custody k = {.election = x->election, .unit = SPAN_LIT("11"), .from = SPAN_LIT("carrier/11"),
                                .to = SPAN_LIT("ro/11"), .what = "boxes", .kind = "none", .count = 3, .at_ms = 9,
                                .note = none, .serials = order};
    compose_custody(&b, &k);
    is_text(x, &b, "custody {'at_ms':9,'count':3,'election':'${e}','from':'carrier/11','kind':'none',"
                   "'serials':${o:an order},'to':'ro/11','unit':'11','what':'boxes'}");
    buf_clear(&b);
    const struct span codes[] = {SPAN_LIT("F_BLANK"), SPAN_LIT("F_SUM")};
    struct compose_decision d = {.election = x->election, .action = DECISION_ACCEPT, .contest = SPAN_LIT("president"),
                                 .unit = SPAN_LIT("11"), .round = 1, .size = 12, .codes = codes, .code_count = 2,
                                 .order = none, .reason = order};
    compose_decision(&b, &d);
    is_text(x, &b, "decision {'action':'accept','codes':['F_BLANK','F_SUM'],'contest':'president','election':'${e}',"
                   "'reason':${o:an order},'round':1,'size':12,'unit':'11'}");
    buf_clear(&b);
    d = (struct compose_decision){.election = x->election, .action = DECISION_DISREGARD, .ground = GROUND_ORDER,
                                  .contest = SPAN_LIT("president"), .unit = SPAN_LIT("1102"), .round = 1,
                                  .order = order, .reason = none};
    compose_decision(&b, &d);
    is_text(x, &b, "decision {'action':'disregard','contest':'president','election':'${e}','ground':'order',"
                   "'order':${o:an order},'round':1,'size':0,'unit':'1102'}");
    buf_release(&b);
    buf_release(&reading);
    fx_free(x);
}

static void explained(void **state) {
    (void)state;
    for (int c = 0; c < FINDING_COUNT; c++)
        if (strlen(finding_explanation((enum finding_code)c)) < 40)
            fail_msg("%s: nobody explains it (findings_explain.def)", finding_name((enum finding_code)c));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings_agree),   cmocka_unit_test(third_decides),
        cmocka_unit_test(three_disagree),   cmocka_unit_test(lapses),
        cmocka_unit_test(revoked_between),  cmocka_unit_test(machine_opens_last), cmocka_unit_test(the_machine_may_leave_fields_out),
        cmocka_unit_test(one_reading),      cmocka_unit_test(acceptance_is_bound),
        cmocka_unit_test(released),         cmocka_unit_test(disregarded),
        cmocka_unit_test(original_differs), cmocka_unit_test(more_forms),
        cmocka_unit_test(recounts),         cmocka_unit_test(severities),       cmocka_unit_test(queue_of_a_clerk),
        cmocka_unit_test(queue_is_spread),  cmocka_unit_test(statistics),
        cmocka_unit_test(written),          cmocka_unit_test(explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
