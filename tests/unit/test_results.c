/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Totals and the published files. */
#include "test.h"

#include <jansson.h>
#include "election/canonical_json.h"
#include "election_fixture.h"
#include "record_cases.h"

static json_t *parsed(struct buf *b) {
    json_error_t e;
    assert_true(b->n > 1 && b->p[b->n - 1] == '\n');
    json_t *j = json_loadb((const char *)b->p, b->n, JSON_REJECT_DUPLICATES, &e);
    if (!j) fail_msg("not JSON: %s: %.*s", e.text, (int)b->n, (const char *)b->p);
    return j;
}

static json_int_t at(json_t *j, const char *a, const char *b, const char *c) {
    json_t *x = json_object_get(j, a);
    if (b) x = json_object_get(x, b);
    if (c) x = json_object_get(x, c);
    if (!json_is_integer(x)) fail_msg("no integer %s.%s.%s", a, b ? b : "", c ? c : "");
    return json_integer_value(x);
}

static json_t *unit_file(const struct fold *s, const struct results *r, size_t t, size_t row) {
    struct buf b;
    struct fail f;
    buf_init(&b, 1 << 24);
    must(results_unit(s, &r->tallies[t], &r->findings, row, &b, &f));
    json_t *j = parsed(&b);
    buf_release(&b);
    return j;
}

/* Each unit's totals are the sums of its parts', down to the single results. */
static void parts_add_up(json_t *unit) {
    static const char *const counts[] = {"expected", "received", "in_question", "without_image",
                                         "not_held", "registered"};
    json_t *parts = json_object_get(unit, "parts"), *part;
    json_t *votes = json_object_get(json_object_get(json_object_get(unit, "totals"), "transmitted"), "votes");
    size_t i;
    bool stations = json_object_get(json_array_get(parts, 0), "results") != NULL;
    for (size_t c = 0; c < 6 && !stations; c++) {
        json_int_t sum = 0;
        json_array_foreach(parts, i, part) sum += at(part, "stations", counts[c], NULL);
        assert_int_equal(sum, at(unit, "stations", counts[c], NULL));
    }
    const char *choice;
    json_t *v;
    json_object_foreach(votes, choice, v) {
        json_int_t sum = 0;
        json_array_foreach(parts, i, part) {
            if (!stations) {
                json_t *x = json_object_get(json_object_get(json_object_get(part, "totals"), "transmitted"), "votes");
                sum += json_integer_value(json_object_get(x, choice));
                continue;
            }
            size_t k;
            json_t *result;
            json_array_foreach(json_object_get(part, "results"), k, result) {
                if (!json_is_true(json_object_get(result, "transmitted"))) continue;
                sum += json_integer_value(json_object_get(json_object_get(result, "votes"), choice));
            }
        }
        assert_int_equal(sum, json_integer_value(v));
    }
}

static size_t check_files(const struct fold *s) {
    struct results r;
    struct fail f;
    size_t files = 0;
    must(results_compute(s, &r, &f));
    for (size_t t = 0; t < r.n; t++) {
        for (size_t i = 0; i < r.tallies[t].n; i++) {
            if (!results_has_file(s, &r.tallies[t], i)) continue;
            json_t *j = unit_file(s, &r, t, i);
            if (json_array_size(json_object_get(j, "parts"))) parts_add_up(j);
            char path[RESULTS_PATH_MAX];
            results_unit_path(s, r.tallies[t].contest, r.tallies[t].round, r.tallies[t].rows[i].unit, path);
            assert_null(strstr(path, ".."));
            json_decref(j);
            files++;
        }
        struct buf b;
        buf_init(&b, 1 << 24);
        must(results_findings(s, &r.tallies[t], &r.findings, &b, &f));
        json_decref(parsed(&b));
        buf_clear(&b);
        must(results_gate(s, &r.tallies[t], &r.findings, &b, &f));
        json_t *gate = parsed(&b);
        assert_int_equal(json_is_true(json_object_get(gate, "open")),
                         json_array_size(json_object_get(gate, "items")) == 0);
        assert_int_equal(json_array_size(json_object_get(json_object_get(gate, "materiality"), "open")), 6);
        json_decref(gate);
        buf_release(&b);
    }
    results_release(&r);
    return files;
}

static void files_of_the_base(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    /* president 6 units above stations, governor 3, member 1 in two rounds, ward 1, three more */
    assert_int_equal(check_files(x->fold), 6 + 3 + 2 + 1 + 3);
    fx_free(x);
}

static void index_of_the_base(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct results r;
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 20);
    must(results_compute(x->fold, &r, &f));
    must(results_index(x->fold, r.tallies, r.n, &r.findings, &b, &f));
    json_t *j = parsed(&b), *contests = json_object_get(j, "contests");
    assert_int_equal(at(j, "size", NULL, NULL), x->entry_count);
    assert_int_equal(at(j, "definition", NULL, NULL), 2);
    assert_int_equal(at(j, "records", "manifest", NULL), 1);
    assert_int_equal(at(j, "records", "image", NULL), 7);
    assert_string_equal(json_string_value(json_object_get(j, "simulated")), "SIMULATED");
    assert_int_equal(json_array_size(contests), 8); /* one of the seven has two rounds */
    json_t *president = json_array_get(contests, 0);
    /* 8 stations, 1103 closed, 1104 new */
    assert_int_equal(at(president, "stations", "expected", NULL), 8);
    assert_int_equal(at(president, "stations", "received", NULL), 6);
    assert_int_equal(at(president, "stations", "without_image", NULL), 1);
    assert_int_equal(at(president, "stations", "not_held", NULL), 0);
    json_t *total = json_object_get(json_object_get(president, "totals"), "transmitted");
    assert_int_equal(at(total, "stations", NULL, NULL), 4);
    assert_int_equal(at(total, "votes", "ann", NULL), 200 + 101 + 7 + 60);
    assert_int_equal(at(total, "valid", NULL, NULL), 350 + 353 + 315 + 320);
    assert_int_equal(at(total, "rejected", NULL, NULL), 4 * 3);
    json_t *governor = json_array_get(contests, 1);
    assert_int_equal(at(governor, "stations", "not_held", NULL), 2);
    json_t *second = json_array_get(contests, 3);
    assert_int_equal(at(second, "round", NULL, NULL), 2);
    assert_int_equal(json_array_size(json_object_get(second, "choices")), 2);
    assert_int_equal(json_array_size(json_object_get(json_array_get(contests, 2), "choices")), 3);
    json_decref(j);
    results_release(&r);
    buf_release(&b);
    fx_free(x);
}

static void states_of_stations(void **state) {
    (void)state;
    static const struct {
        size_t tally;
        const char *unit, *station, *state;
    } want[] = {{0, "11", "1101", "compared"}, {0, "11", "1104", "expected"},
                {0, "12", "1201", "in question"}, {0, "21", "2102", "received without image"},
                {1, "12", "1201", "postponed"},   {4, "12", "1202", "cancelled"},
                {2, "21", "2101", "transmitted"}, {3, "21", "2101", "expected"},
                {1, "11", "1102", "in question"}};
    struct fixture *x = fx_base();
    struct results r;
    struct fail f;
    must(results_compute(x->fold, &r, &f));
    for (size_t w = 0; w < sizeof want / sizeof *want; w++) {
        const struct tally *t = &r.tallies[want[w].tally];
        bool seen = false;
        for (size_t i = 0; i < t->n; i++) {
            if (!span_is(fold_unit(x->fold, t->rows[i].unit)->code, want[w].unit)) continue;
            json_t *j = unit_file(x->fold, &r, want[w].tally, i), *part;
            size_t k;
            json_array_foreach(json_object_get(j, "parts"), k, part) {
                if (strcmp(json_string_value(json_object_get(part, "unit")), want[w].station)) continue;
                assert_string_equal(json_string_value(json_object_get(part, "state")), want[w].state);
                seen = true;
            }
            json_decref(j);
        }
        if (!seen) fail_msg("no station %s", want[w].station);
    }
    results_release(&r);
    fx_free(x);
}

/* The officer's correction replaces the figures and, until its own image comes, takes them out. */
static void correction(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    fx_result_must(x, "a", "po/2103", "president", "2103", "30,40,50");
    assert_int_equal(fx_votes(x->fold, "president", 1, "2103", "ann"), 0);
    must(fx_image(x, "po/2103", "president", "2103", IMAGE_ORIGINAL, "form a", "a"));
    assert_int_equal(fx_votes(x->fold, "president", 1, "2103", "ann"), 30);
    struct fx_result r;
    fx_result_init(x, &r, "president", "2103", "31,40,50");
    r.r.supersedes = &fx_label(x, "a")->id;
    r.r.supersedes_count = 1;
    must(fx_result(x, "b", "po/2103", &r));
    assert_int_equal(fx_votes(x->fold, "president", 1, "2103", "ann"), 0);
    must(fx_image(x, "po/2103", "president", "2103", IMAGE_ORIGINAL, "form b", "b"));
    assert_int_equal(fx_votes(x->fold, "president", 1, "2103", "ann"), 31);
    /* one more that belongs to neither: nothing is counted */
    fx_result_must(x, "c", "po/2103", "president", "2103", "32,40,50");
    assert_int_equal(fx_votes(x->fold, "president", 1, "2103", "ann"), 0);
    /* withdrawn in favour of the one that stood before */
    fx_result_init(x, &r, "president", "2103", "33,40,50");
    r.r.supersedes = &fx_label(x, "c")->id;
    r.r.supersedes_count = 1;
    must(fx_result(x, "d", "po/2103", &r));
    assert_int_equal(fx_votes(x->fold, "president", 1, "2103", "ann"), 0);
    (void)check_files(x->fold);
    fx_free(x);
}

static void images_may_be_optional(void **state) {
    (void)state;
    struct fixture *x = fx_keys(), *y = fx_new();
    struct fail f;
    struct buf text;
    buf_init(&text, 1 << 17);
    for (size_t o = 0; o < x->object_count; o++) (void)fx_object(y, buf_view(&x->objects[o].bytes));
    const struct manifest_case optional = {"optional", OK, "", "'image':'required'", "'image':'optional'"};
    fx_manifest_case(y, x, &optional, &text);
    must(fx_text(y, "com/1,com/2", buf_view(&text), &f));
    fx_grant(y, "ro/21", "returning-officer", "21", NULL, "com/1,com/2");
    fx_grant(y, "po/2103", "presiding-officer", "2103", NULL, "ro/21");
    y->ms = FX_CLOSES;
    fx_result_must(y, NULL, "po/2103", "president", "2103", "30,40,50");
    assert_int_equal(fx_votes(y->fold, "president", 1, "KE", "bo"), 40);
    buf_release(&text);
    fx_free(x);
    fx_free(y);
}

/* ---- all six kinds of Kenya's contests at once ---- */

enum { COUNTIES = 47, CONSTITUENCIES = 290, WARDS = 1450 };

static void national_units(struct buf *units, struct buf *contests) {
    static const struct compose_choice two[] = {{SPAN_LIT("a"), SPAN_LIT("A"), {0}},
                                                {SPAN_LIT("b"), SPAN_LIT("B"), {0}}};
    char code[40], parent[40], id[60];
    compose_units_head(units);
    compose_contests_head(contests);
    compose_unit(units, SPAN_LIT("N"), SPAN_LIT("nation"), SPAN_LIT("N"), (struct span){0}, 0);
#define CONTEST(kind, unit)                                                                        \
    (snprintf(id, sizeof id, "%s-%s", kind, unit),                                                 \
     compose_contest(contests, span_text(id), span_text(kind), span_text(id), SPAN_LIT("null"),    \
                     span_text(unit), two, 2))
    for (int i = 0; i < COUNTIES; i++) {
        snprintf(code, sizeof code, "%03d", i);
        compose_unit(units, span_text(code), SPAN_LIT("county"), span_text(code), SPAN_LIT("N"), 0);
        CONTEST("governor", code);
        CONTEST("senator", code);
        CONTEST("woman-representative", code);
    }
    for (int i = 0; i < CONSTITUENCIES; i++) {
        snprintf(code, sizeof code, "k%03d", i);
        snprintf(parent, sizeof parent, "%03d", i % COUNTIES);
        compose_unit(units, span_text(code), SPAN_LIT("constituency"), span_text(code), span_text(parent), 0);
        CONTEST("member", code);
    }
    for (int i = 0; i < WARDS; i++) {
        snprintf(code, sizeof code, "w%04d", i);
        snprintf(parent, sizeof parent, "k%03d", i % CONSTITUENCIES);
        compose_unit(units, span_text(code), SPAN_LIT("ward"), span_text(code), span_text(parent), 0);
        CONTEST("assembly", code);
        snprintf(parent, sizeof parent, "s%04d", i);
        compose_unit(units, span_text(parent), SPAN_LIT("station"), span_text(parent), span_text(code), 700);
    }
    snprintf(id, sizeof id, "president");
    compose_contest(contests, span_text(id), span_text(id), span_text(id), SPAN_LIT("null"), SPAN_LIT("N"), two, 2);
}

static void all_kinds_at_once(void **state) {
    (void)state;
    struct fixture *x = fx_new();
    struct fail f;
    struct buf units, contests, text;
    buf_init(&units, 1 << 22);
    buf_init(&contests, 1 << 22);
    buf_init(&text, 1 << 17);
    national_units(&units, &contests);
    const struct span levels[] = {SPAN_LIT("nation"), SPAN_LIT("county"), SPAN_LIT("constituency"),
                                  SPAN_LIT("ward"), SPAN_LIT("station")};
    struct compose_commissioner com = {fx_hash("c"), fx_vkey(x, "com")};
    struct compose_manifest m = {
        .origin = SPAN_LIT("example.org/nation"), .log_vkey = fx_vkey(x, "example.org/nation"),
        .title = SPAN_LIT("All"), .units = fx_object(x, buf_view(&units)),
        .contests = fx_object(x, buf_view(&contests)), .commissioners = &com, .commissioner_count = 1,
        .threshold = 1, .levels = levels, .level_count = 5, .image_optional = true};
    compose_manifest(&text, &m);
    must(fx_text(x, "com", buf_view(&text), &f));
    assert_int_equal(fold_contest_count(x->fold), 1 + 3 * COUNTIES + CONSTITUENCIES + WARDS);
    x->ms = FX_CLOSES;
    /* two wards of constituency k007 (county 007), one of k008: w0007, w0297, w0008 */
    static const char *const wards[] = {"0007", "0297", "0008"};
    for (int i = 0; i < 3; i++) {
        char po[20], unit[20], contest[40];
        snprintf(po, sizeof po, "po/%s", wards[i]);
        snprintf(unit, sizeof unit, "s%s", wards[i]);
        snprintf(contest, sizeof contest, "assembly-w%s", wards[i]);
        fx_grant(x, po, "presiding-officer", unit, NULL, "com");
        fx_result_must(x, NULL, po, "president", unit, "100,50");
        fx_result_must(x, NULL, po, i < 2 ? "governor-007" : "governor-008", unit, "20,30");
        fx_result_must(x, NULL, po, i < 2 ? "member-k007" : "member-k008", unit, "7,8");
        fx_result_must(x, NULL, po, contest, unit, "1,2");
        struct fx_result wrong;
        fx_result_init(x, &wrong, "senator-009", unit, "1,2");
        assert_int_equal(fx_result(x, NULL, po, &wrong), E_CONTEST);
    }
    assert_int_equal(fx_votes(x->fold, "president", 1, "N", "a"), 300);
    assert_int_equal(fx_votes(x->fold, "president", 1, "k007", "a"), 200);
    assert_int_equal(fx_votes(x->fold, "governor-007", 1, "007", "b"), 60);
    assert_int_equal(fx_votes(x->fold, "governor-008", 1, "008", "b"), 30);
    assert_int_equal(fx_votes(x->fold, "governor-009", 1, "009", "b"), 0);
    assert_int_equal(fx_votes(x->fold, "member-k007", 1, "k007", "b"), 16);
    assert_int_equal(fx_votes(x->fold, "assembly-w0297", 1, "w0297", "b"), 2);
    size_t president = 1 + COUNTIES + CONSTITUENCIES + WARDS;
    size_t county = 3 * (COUNTIES + CONSTITUENCIES + WARDS);
    assert_int_equal(check_files(x->fold), president + county + (CONSTITUENCIES + WARDS) + WARDS);
    buf_release(&units);
    buf_release(&contests);
    buf_release(&text);
    fx_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_the_base), cmocka_unit_test(index_of_the_base),
        cmocka_unit_test(states_of_stations), cmocka_unit_test(correction),
        cmocka_unit_test(images_may_be_optional), cmocka_unit_test(all_kinds_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
