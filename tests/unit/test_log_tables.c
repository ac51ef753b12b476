/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The statistics' tables from a log, and a party's tally against its signed forms. */
#include "test.h"

#define fx_votes fixture_votes /* the statistics have one of this name too */
#include "election_fixture.h"
#undef fx_votes
#include <ctype.h>
#include "stats/channels.h"

/* The president's race of the base election: figures hold at 1101 (200, 100, 50), 1102 (101, 201, 51),
 * 1202 (7, 8, 300) and 2101 (60, 60, 200); 1201 has two results, 2102 one without a picture, 2103 none. */
struct world {
    struct fixture *x;
    struct log_pick pick;
    struct arena mem;
};

static int setup(void **state) {
    struct fail f;
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->x = fx_base();
    arena_init(&w->mem, 1 << 26);
    must(log_pick(w->x->fold, "president", 0, &w->pick, &f));
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    fx_free(w->x);
    arena_release(&w->mem);
    free(w);
    return 0;
}

static void a_contest_is_named_where_there_are_several(void **state) {
    struct world *w = *state;
    struct fail f;
    struct log_pick p;
    refuses(E_USAGE, log_pick(w->x->fold, NULL, 0, &p, &f));
    assert_non_null(strstr(f.text, "president"));
    refuses(E_CONTEST, log_pick(w->x->fold, "mayor", 0, &p, &f));
    refuses(E_ROUND, log_pick(w->x->fold, "president", 2, &p, &f));
    must(log_pick(w->x->fold, "member-21", 1, &p, &f));
    assert_int_equal(p.round, 1);
}

static void stations_carry_their_forms_figures(void **state) {
    struct world *w = *state;
    struct fail f;
    struct fx_table t;
    must(log_stations(w->x->fold, &w->pick, NULL, "bo", false, &w->mem, &t, &f));
    assert_int_equal(t.n, 4);
    assert_int_equal(t.choices, 3);
    assert_int_equal(t.leader, 1);
    assert_int_equal(t.levels, 2); /* county, constituency */
    assert_true(span_is(t.unit[1], "1102"));
    assert_int_equal(t.votes[0 * 4 + 1], 101);
    assert_int_equal(t.votes[1 * 4 + 1], 201);
    assert_int_equal(t.votes[2 * 4 + 2], 300);
    assert_int_equal(t.valid[0], 350);
    assert_int_equal(t.rejected[0], 3);
    assert_int_equal(t.registered[0], 530);
    assert_true(t.time_ms[0] > 0 && t.time_ms[0] != FX_NO_TIME);
    assert_int_equal(t.level[0].count, 2);
    assert_int_equal(t.level[1].count, 3);
    assert_true(span_is(t.level[1].name[1], "COUNTY ONE / SOUTH"));
    assert_int_equal(t.level[1].of[3], 2);
    must(log_stations(w->x->fold, &w->pick, "constituency", NULL, true, &w->mem, &t, &f));
    assert_int_equal(t.n, 8); /* 1103 is closed and said nothing; 1104 came later */
    assert_int_equal(t.levels, 1);
    size_t blank = 0;
    for (size_t i = 0; i < t.n; i++) blank += t.votes[i] == FX_ABSENT;
    assert_int_equal(blank, 4);
    refuses(E_CHOICE, log_stations(w->x->fold, &w->pick, NULL, "zed", false, &w->mem, &t, &f));
    refuses(E_USAGE, log_stations(w->x->fold, &w->pick, "parish", NULL, false, &w->mem, &t, &f));
    refuses(E_USAGE, log_stations(w->x->fold, &w->pick, "constituency+county", NULL, false, &w->mem, &t, &f));
}

static size_t unit_row(const struct log_units *u, const char *code) {
    for (size_t i = 0; i < u->table.rows; i++)
        if (span_is(u->table.key[i], code)) return i;
    fail_msg("no unit %s", code);
    return 0;
}

static void every_unit_sums_the_forms_below_it(void **state) {
    struct world *w = *state;
    struct fail f;
    struct log_units u;
    must(log_units(w->x->fold, &w->pick, &w->mem, &u, &f));
    size_t nation = unit_row(&u, "KE"), c = u.table.columns, ann = u.first_choice;
    assert_int_equal(u.table.value[nation * c + ann], 200 + 101 + 7 + 60);
    assert_int_equal(u.table.value[unit_row(&u, "11") * c + ann], 301);
    assert_int_equal(u.received[nation], 4);
    assert_int_equal(u.expected[nation], 8);
    assert_int_equal(u.in_question, 2);
    /* 1104: 300 voters, 1201: 570, 2102: 620, 2103: 630 */
    assert_int_equal(u.voters_out[nation], 300 + 570 + 620 + 630);
    assert_int_equal(u.table.value[unit_row(&u, "2103") * c + ann], CMP_ABSENT);
    const struct cmp_form *form = &u.table.form[unit_row(&u, "1102")];
    assert_true(form->has_record && form->has_image);
    assert_true(span_is(form->signer, "po/1102"));
    assert_true(hash_eq(&form->record, &fx_label(w->x, "r1102b")->id));
    struct hash image = fx_hash("form 1102");
    assert_true(hash_eq(&form->image, &image));
}

struct row {
    const char *code;
    uint64_t ann, bo, cy;
};

static void run(struct world *w, const struct row *rows, size_t n, struct log_units *u,
                struct cmp_table *a, struct cmp_levels *out) {
    static const struct span names[3] = {{(const uint8_t *)"ann", 3}, {(const uint8_t *)"bo", 2},
                                         {(const uint8_t *)"cy", 2}};
    struct cmp_pair pairs[3];
    struct fail f;
    struct span *key = arena_array(&w->mem, n, sizeof *key);
    uint64_t *value = arena_array(&w->mem, 3 * n, sizeof *value);
    must(log_units(w->x->fold, &w->pick, &w->mem, u, &f));
    for (size_t i = 0; i < n; i++) {
        key[i] = span_text(rows[i].code);
        value[3 * i] = rows[i].ann;
        value[3 * i + 1] = rows[i].bo;
        value[3 * i + 2] = rows[i].cy;
    }
    for (size_t k = 0; k < 3; k++)
        pairs[k] = (struct cmp_pair){k, u->first_choice + k, CMP_ABSENT, CMP_ABSENT};
    *a = (struct cmp_table){.name = "party", .rows = n, .columns = 3, .column = names, .key = key, .value = value};
    must(compare_levels(a, u, pairs, 3, &w->mem, out, &f));
}

static void a_tally_is_compared_at_every_level(void **state) {
    struct world *w = *state;
    struct log_units u;
    struct cmp_table a;
    struct cmp_levels l;
    static const struct row rows[] = {
        {"1101", 220, 100, 50}, /* 20 more than the form */
        {"1102", 101, 201, 51}, {"01202", 7, 8, 300}, /* not its code: unknown */
        {"2101", 60, 60, 200},  {"9999", 1, 1, 1},    {"11", 301, 301, 101},
        {"12", 7, 8, 300},      {"21", 60, 60, 200},  {"KE", 388, 369, 601}};
    run(w, rows, sizeof rows / sizeof *rows, &u, &a, &l);
    assert_int_equal(l.unknown, 2);
    assert_int_equal(l.n, 3);
    assert_true(span_is(l.at[0].name, "station"));
    const struct cmp_result *r = &l.at[0].r;
    assert_int_equal(r->matched, 3);
    assert_int_equal(r->differs, 1);
    assert_int_equal(r->only_b, 1); /* 1202 */
    assert_int_equal(r->diffs, 1);
    assert_true(span_is(r->b->form[r->diff[0].row_b].signer, "po/1101"));
    /* the whole's row is the printed total: 388 - 368 = 20 = differing 20 - missing 7 + arithmetic 7 */
    assert_int_equal(r->field[0].announced, 20);
    assert_int_equal((int64_t)r->field[0].differs_a - (int64_t)r->field[0].differs_b, 20);
    assert_int_equal(r->field[0].only_b, 7);
    assert_int_equal(r->field[0].arithmetic, 7);
    /* 11: its stations add up to 321, not 301; 12 has no station row with a known code; the whole: 368 */
    bool eleven = false, nation = false;
    for (size_t i = 0; i < l.gaps; i++) {
        const struct cmp_gap *g = &l.gap[i];
        if (g->field != 0) continue;
        if (span_is(a.key[g->row], "11")) eleven = g->said == 301 && g->sum == 321 && g->parts == 2;
        if (span_is(a.key[g->row], "KE")) nation = g->said == 388 && g->sum == 368 && g->parts_missing == 0;
    }
    assert_true(eleven && nation);
}

static void totals_that_no_forms_can_give_are_named(void **state) {
    struct world *w = *state;
    struct log_units u;
    struct cmp_table a;
    struct cmp_levels l;
    /* 11 has 301, 301, 101 and 300 voters out (1104); 21: 60, 60, 200 and 1,250 out */
    static const struct row rows[] = {{"11", 300, 302, 101}, {"21", 60 + 1250, 60, 201}, {"12", 7 + 570, 8, 300}};
    run(w, rows, 3, &u, &a, &l);
    assert_int_equal(l.bounds, 2);
    assert_true(span_is(a.key[l.bound[0].row], "11"));
    assert_int_equal(l.bound[0].field, 0);
    assert_int_equal(l.bound[0].low, 301);
    assert_int_equal(l.bound[0].high, 601);
    /* each figure of 21 is possible by itself, all together are one vote too many */
    assert_true(span_is(a.key[l.bound[1].row], "21"));
    assert_true(l.bound[1].field == SIZE_MAX);
    assert_int_equal(l.bound[1].said, l.bound[1].high + 1);
}

static void zeros_are_put_back_and_codes_counted(void **state) {
    struct world *w = *state;
    struct log_units u;
    struct cmp_table a;
    struct cmp_levels l;
    static const struct row rows[] = {{"1101", 200, 100, 50}, {"1101", 200, 100, 50}, {"1102", 101, 201, 51}};
    run(w, rows, 3, &u, &a, &l);
    assert_int_equal(l.at[0].r.duplicate_rows_a, 2);
    assert_int_equal(l.at[0].r.matched, 1);
    assert_int_equal(l.padded, 0);
    assert_int_equal(l.bounds + l.gaps, 0);
}

static void nothing_matched_is_said(void **state) {
    struct world *w = *state;
    struct log_units u;
    struct cmp_levels l;
    struct fail f;
    struct span key = SPAN_LIT("x"), name = SPAN_LIT("ann");
    uint64_t v = 1;
    struct cmp_table a = {.name = "p", .rows = 1, .columns = 1, .column = &name, .key = &key, .value = &v};
    struct cmp_pair p = {0, 5, CMP_ABSENT, CMP_ABSENT};
    must(log_units(w->x->fold, &w->pick, &w->mem, &u, &f));
    refuses(E_NOT_FOUND, compare_levels(&a, &u, &p, 1, &w->mem, &l, &f));
}

static void saw(struct world *w, const char *who, const char *station, const char *votes) {
    static unsigned at_ms; /* the same text would be the same record */
    char text[600];
    snprintf(text, sizeof text,
             "hesabu/v1 observation\n{\"at_ms\":%u,\"contest\":\"president\",\"counts\":{\"rejected\":2,\"valid\":350,"
             "\"votes\":{%s}},\"election\":\"${e}\",\"items\":{},\"key\":\"%s\",\"round\":1,\"station\":\"%s\"}\n", ++at_ms, votes,
             who, station);
    fx_must(w->x, NULL, who, text);
}

/* Run last: it adds records to the election that all tests look at. */
static void observers_counts_become_reports(void **state) {
    struct world *w = *state;
    struct fail f;
    struct log_observed o;
    must(log_observed(w->x->fold, &w->pick, NULL, &w->mem, &o, &f));
    assert_int_equal(o.table.n, 0);
    saw(w, "obs/eyes", "1101", "\"ann\":200,\"bo\":100,\"cy\":50");
    saw(w, "obs/wits", "1101", "\"ann\":200,\"bo\":100,\"cy\":50"); /* the same: agreed */
    saw(w, "obs/eyes", "1102", "\"ann\":1,\"bo\":2");
    saw(w, "obs/eyes", "1102", "\"ann\":101,\"bo\":201,\"cy\":51"); /* replaces its own */
    saw(w, "obs/eyes", "2101", "\"ann\":60,\"bo\":60,\"cy\":200");
    saw(w, "obs/wits", "2101", "\"ann\":61,\"bo\":60,\"cy\":200"); /* they differ */
    must(log_observed(w->x->fold, &w->pick, NULL, &w->mem, &o, &f));
    assert_int_equal(o.reports, 6);
    assert_int_equal(o.replaced, 1);
    assert_int_equal(o.table.n, 2);
    assert_int_equal(o.disputes, 1);
    assert_true(span_is(o.disputed[0], "2101"));
    assert_true(span_is(o.table.unit[1], "1102"));
    assert_int_equal(o.table.votes[0 * 2 + 1], 101);
    assert_int_equal(o.table.valid[0], 350);
    assert_int_equal(o.table.rejected[0], 2);
    must(log_observed(w->x->fold, &w->pick, "wits", &w->mem, &o, &f));
    assert_int_equal(o.reports, 2);
    assert_int_equal(o.disputes, 0);
    assert_int_equal(o.table.n, 2);
    must(log_observed(w->x->fold, &w->pick, "nobody", &w->mem, &o, &f));
    assert_int_equal(o.table.n, 0);
    /* an observer's figures are never among the forms' */
    struct log_units u;
    must(log_units(w->x->fold, &w->pick, &w->mem, &u, &f));
    assert_int_equal(u.table.value[u.first_choice], 368);
}

static const struct channel_diff *diff_of(const struct channels *c, const char *code, const char *column) {
    for (size_t i = 0; i < c->diffs; i++)
        if (span_is(c->log->table.key[c->diff[i].row], code) &&
            span_is(c->log->table.column[c->diff[i].column], column))
            return &c->diff[i];
    fail_msg("%s, %s is not among the differences", code, column);
    return NULL;
}

static const struct channel_level *level_named(const struct channels *c, const char *name) {
    for (size_t i = 0; i < c->levels; i++)
        if (span_is(c->level[i].name, name)) return &c->level[i];
    fail_msg("no level %s", name);
    return NULL;
}

/* Signed paper over the stations: one vote more at 1101 than on its form, and a total of its own; and a
 * portal that agrees with neither at 1102. */
static void channels_stand_side_by_side(void **state) {
    struct world *w = *state;
    struct fixture *x = fx_base();
    struct fail f;
    struct log_units u;
    struct channels c;
    struct cmp_levels l;
    struct cmp_table a;
    struct buf b;
    char text[900], hex[65];
    must(log_units(x->fold, &w->pick, &w->mem, &u, &f));
    must(channels_compare(x->fold, &w->pick, &u, NULL, &w->mem, &c, &f));
    assert_int_equal(c.collations, 0);
    assert_int_equal(c.diffs, 0);
    struct named_object rows = fx_object(
        x, SPAN_LIT("hesabu/collation/v1\n[\"1101\",null,530,3,351,[201,100,50]]\n[\"1102\",null,540,3,353,[101,201,51]]\n"
                    "[\"1202\",null,580,3,315,[7,8,300]]\n[\"2101\",null,610,3,320,[60,60,200]]\n"
                    "[\"2101\",null,610,3,320,[60,60,999]]\n"));
    hash_hex(&rows.id, hex);
    snprintf(text, sizeof text,
             "collation {'basis':'paper','contest':'president','election':'${e}','form':['${h:a page}'],"
             "'round':1,'rows':{'sha256':'%s','size':%llu},'totals':{'registered':4380,'rejected':12,'valid':1339,"
             "'votes':[369,369,601]},'unit':'KE'}", hex, (unsigned long long)rows.size);
    fx_must(x, "paper", "nro", text);
    must(log_units(x->fold, &w->pick, &w->mem, &u, &f));
    must(channels_compare(x->fold, &w->pick, &u, NULL, &w->mem, &c, &f));
    assert_int_equal(c.collations, 1);
    assert_int_equal(c.units_differ, 2); /* 1101 and the whole */
    const struct channel_diff *d = diff_of(&c, "1101", "ann");
    assert_true(d->figure[CHANNEL_FORMS] == 200 && d->figure[CHANNEL_ROW] == 201);
    assert_true(d->figure[CHANNEL_COLLATION] == CMP_ABSENT && d->figure[CHANNEL_FILE] == CMP_ABSENT);
    d = diff_of(&c, "KE", "ann");
    assert_true(d->figure[CHANNEL_FORMS] == 368 && d->figure[CHANNEL_COLLATION] == 369);
    assert_true(d->above == NO_COLLATION && d->own != NO_COLLATION);
    const struct channel_level *station = level_named(&c, "station"), *nation = level_named(&c, "nation");
    const struct channel_pair *p = &station->pair[CHANNEL_FORMS][CHANNEL_ROW];
    assert_true(p->compared == 4 && p->equal == 3 && p->differs == 1 && p->out == 0);
    p = &nation->pair[CHANNEL_FORMS][CHANNEL_COLLATION];
    assert_true(p->compared == 1 && p->differs == 1 && p->out == 1); /* four stations are out */
    assert_true(station->has[CHANNEL_ROW] == 4 && station->has[CHANNEL_COLLATION] == 0);

    struct fixture *own = w->x;
    static const struct row said[] = {{"1101", 201, 100, 50}, {"1102", 102, 201, 51}};
    w->x = x;
    run(w, said, 2, &u, &a, &l);
    w->x = own;
    must(channels_compare(x->fold, &w->pick, &u, &l, &w->mem, &c, &f));
    d = diff_of(&c, "1102", "ann");
    assert_true(d->figure[CHANNEL_FORMS] == 101 && d->figure[CHANNEL_ROW] == 101 && d->figure[CHANNEL_FILE] == 102);
    d = diff_of(&c, "1101", "ann"); /* the portal copied the collation */
    assert_true(d->figure[CHANNEL_FORMS] == 200 && d->figure[CHANNEL_FILE] == 201);
    station = level_named(&c, "station");
    p = &station->pair[CHANNEL_ROW][CHANNEL_FILE];
    assert_true(p->compared == 2 && p->equal == 1 && p->differs == 1);
    buf_init(&b, 1 << 20);
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        struct json_out j = json_out(&b);
        json_object(&j);
        channels_json(&c, (enum lang)lang, 100, &j);
        json_object_end(&j);
        channels_text(&c, (enum lang)lang, 100, &b);
    }
    assert_false(b.failed);
    assert_non_null(strstr(buf_cstr(&b), "\"collation_above\":201"));
    assert_non_null(strstr(buf_cstr(&b), "row in the collation above 201, the file 201"));
    assert_non_null(strstr(buf_cstr(&b), "jumla ya jumuisho lake"));
    buf_release(&b);
    fx_free(x);
}

static void sentences_in_both_languages(void **state) {
    struct world *w = *state;
    struct log_units u;
    struct cmp_table a;
    struct cmp_levels l;
    struct buf b;
    static const struct row rows[] = {{"1101", 220, 100, 50}, {"1102", 101, 201, 51}, {"77", 1, 1, 1},
                                      {"11", 300, 301, 101}};
    run(w, rows, 4, &u, &a, &l);
    buf_init(&b, 1 << 20);
    size_t before = 0;
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        struct json_out j = json_out(&b);
        json_object(&j);
        compare_levels_json(&l, (enum lang)lang, 100, &j);
        json_object_end(&j);
        compare_levels_say(&l, (enum lang)lang, &b);
        compare_levels_text(&l, (enum lang)lang, 100, &b);
        assert_true(b.n > before + 500);
        before = b.n;
    }
    assert_false(b.failed);
    assert_non_null(strstr(buf_cstr(&b), "no set of forms"));
    assert_non_null(strstr(buf_cstr(&b), "hakuna seti ya fomu"));
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contest_is_named_where_there_are_several),
        cmocka_unit_test(stations_carry_their_forms_figures),
        cmocka_unit_test(every_unit_sums_the_forms_below_it),
        cmocka_unit_test(a_tally_is_compared_at_every_level),
        cmocka_unit_test(totals_that_no_forms_can_give_are_named),
        cmocka_unit_test(zeros_are_put_back_and_codes_counted),
        cmocka_unit_test(nothing_matched_is_said),
        cmocka_unit_test(channels_stand_side_by_side),
        cmocka_unit_test(sentences_in_both_languages),
        cmocka_unit_test(observers_counts_become_reports),
    };
    return cmocka_run_group_tests_name("log_tables", tests, setup, teardown);
}
