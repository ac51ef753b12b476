/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the terminal and the page of the tally desk share: the form as it is typed, what a page is told and
 * when, drafts and the lock of the clerk's folder. */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>
#include "election_fixture.h"
#include "scratch.h"
#include "service/clerk_form.h"
#include "service/clerk_view.h"

static uint32_t contest_of(const struct fold *s) {
    return fold_contest_by_id(s, SPAN_LIT("president"));
}

static size_t at(const struct clerk_form *w, const char *name) {
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->field[i].name, name) == 0) return i;
    fail_msg("no field %s", name);
    return 0;
}

static void fields_in_order(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct clerk_form w;
    clerk_form_init(&w, x->fold, contest_of(x->fold), 1);
    const struct contest *k = fold_contest(x->fold, contest_of(x->fold));
    assert_int_equal(w.n, k->choice_count + 8);
    for (uint32_t c = 0; c < k->choice_count; c++)
        assert_true(span_eq(span_text(w.field[c].name + 6), contest_choice(x->fold, k, c)->id));
    assert_string_equal(w.field[k->choice_count].name, "ballots.registered");
    assert_string_equal(w.field[w.n - 2].name, "ballots.valid");
    assert_string_equal(w.field[w.n - 1].name, "serial");
    fx_free(x);
}

static void typing(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct clerk_form w;
    struct fail f = {0};
    struct buf b;
    buf_init(&b, 16384);
    clerk_form_init(&w, x->fold, contest_of(x->fold), 1);
    const size_t valid = at(&w, "ballots.valid"), serial = at(&w, "serial");
    static const char *const wrong[] = {"1,000", "-1", "1.5", "12a", "1234567890", " 1", "??"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        refuses(E_FIELD, clerk_form_type(&w, valid, span_text(wrong[i]), &f));
        assert_int_equal(w.field[valid].is, TYPED_NOT);
    }
    refuses(E_FIELD, clerk_form_type(&w, serial, SPAN_LIT("?"), &f));
    refuses(E_FIELD, clerk_form_type(&w, serial, SPAN_LIT("a\"b"), &f));
    refuses(E_STATE, clerk_form_reading(&w, &b, &f)); /* nothing was typed */
    for (size_t i = 0; i < w.n; i++) must(clerk_form_type(&w, i, SPAN_LIT(""), &f));
    must(clerk_form_type(&w, 0, SPAN_LIT("007"), &f));
    must(clerk_form_type(&w, 1, SPAN_LIT("?"), &f));
    must(clerk_form_type(&w, valid, SPAN_LIT("?"), &f));
    must(clerk_form_type(&w, serial, SPAN_LIT("34A-0001"), &f));
    w.marks = 1;
    buf_clear(&b);
    must(clerk_form_reading(&w, &b, &f));
    struct buf want;
    buf_init(&want, 4096);
    buf_printf(&want,
             "{\"ballots\":{},\"illegible\":[\"ballots.valid\",\"%s\"],\"marks\":[\"%s\"],\"serial\":\"34A-0001\","
             "\"votes\":{\"%s\":7}}",
             w.field[1].name, mark_words[0], w.field[0].name + 6);
    assert_string_equal(buf_cstr(&b), buf_cstr(&want));
    buf_release(&want);
    must(desk_reading_check(x->fold, w.contest, 1, buf_view(&b), &f));
    buf_release(&b);
    fx_free(x);
}

/* A seal over these could never be opened. */
static void readings_no_log_takes(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f = {0};
    static const struct {
        const char *json;
        err code;
    } bad[] = {
        {"{\"ballots\":{},\"votes\":{\"nobody\":1}}", E_CHOICE},
        {"{\"ballots\":{}}", E_FIELD},
        {"{\"ballots\":{},\"illegible\":[\"ballots.nothing\"],\"votes\":{}}", E_FIELD},
        {"{\"ballots\":{\"valid\":1},\"illegible\":[\"ballots.valid\"],\"votes\":{}}", E_FIELD},
        {"{\"ballots\":{},\"marks\":[],\"votes\":{}}", E_FIELD},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(bad[i].code, desk_reading_check(x->fold, contest_of(x->fold), 1, span_text(bad[i].json), &f));
    fx_free(x);
}

/* Strict: every field of the form and no other. */
static void page_body(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct clerk_form w;
    struct fail f = {0};
    struct hash form;
    struct buf b;
    char id[HASH_HEX_LEN + 1];
    memset(id, 'a', HASH_HEX_LEN);
    id[HASH_HEX_LEN] = 0;
    const char *order[FORM_FIELDS_MAX];
    buf_init(&b, 16384);
    clerk_form_init(&w, x->fold, contest_of(x->fold), 1);
    for (int round = 0; round < 4; round++) { /* whole; one field too few; a stranger; no such mark */
        clerk_form_init(&w, x->fold, contest_of(x->fold), 1);
        for (size_t i = 0; i < w.n; i++) order[i] = w.field[i].name;
        for (size_t i = 0; i < w.n; i++)
            for (size_t k = i + 1; k < w.n; k++)
                if (strcmp(order[k], order[i]) < 0) {
                    const char *t = order[i];
                    order[i] = order[k];
                    order[k] = t;
                }
        buf_clear(&b);
        buf_str(&b, "{\"fields\":{");
        if (round == 2) buf_str(&b, "\"aardvark\":\"1\",");
        for (size_t i = round == 1; i < w.n; i++)
            buf_printf(&b, "%s\"%s\":\"%s\"", i > (size_t)(round == 1) ? "," : "", order[i], i % 3 ? "12" : "");
        buf_printf(&b, "},\"form\":\"%s\",\"marks\":[%s]}", id, round == 3 ? "\"pretty\"" : "\"no-stamp\"");
        err e = clerk_form_parse(&w, buf_view(&b), &form, &f);
        assert_int_equal(e, round ? E_FIELD : OK);
        buf_str(&b, " ");
        if (round == 0) refuses(E_JSON, clerk_form_parse(&w, buf_view(&b), &form, &f)); /* nothing may follow */
    }
    buf_release(&b);
    fx_free(x);
}

/* --- what the page is told --- */

static void told(struct fixture *x, const char *key, const char *dir, struct buf *out) {
    struct tree_log log = {.fold = x->fold};
    struct clerk_desk w;
    struct fail f = {0};
    clerk_init(&w, NULL, &log, span_text(key), dir);
    struct json_out j = json_out(out);
    buf_clear(out);
    must(clerk_view_readings(&w, NULL, 0, &j, &f));
    clerk_release(&w);
}

/* Of all seals of the fixture's log: figures of others, and what was sent, stand only beside an own reading
 * that is open. */
static void blind_until_open(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    char dir[64];
    struct buf b;
    size_t open = 0, closed = 0;
    scratch_make(dir);
    buf_init(&b, 1 << 20);
    for (uint32_t i = 0; i < fold_seal_count(x->fold); i++) {
        const struct seal *s = fold_seal(x->fold, i);
        struct key_view k;
        char name[200];
        fold_key_at(x->fold, s->key, &k);
        snprintf(name, sizeof name, "%.*s", SPAN_ARG(k.name));
        told(x, name, dir, &b);
        const char *text = buf_cstr(&b);
        const bool any = strstr(text, "\"state\":\"open\"") != NULL;
        const bool figures = strstr(text, "\"figures\"") || strstr(text, "\"sent\"") || strstr(text, "\"outcome\"");
        assert_int_equal(any, figures);
        open += any;
        closed += !any;
    }
    told(x, "nobody", dir, &b);
    assert_string_equal(buf_cstr(&b), "[]");
    assert_true(open > 0 && closed > 0);
    buf_release(&b);
    scratch_remove(dir);
    fx_free(x);
}

static void folder_and_drafts(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    char dir[64], path[PATH_MAX_LEN], other[PATH_MAX_LEN];
    struct tree_log log = {.fold = x->fold};
    struct clerk_desk w;
    struct fail f = {0};
    struct buf b;
    int one, two, three;
    scratch_make(dir);
    must(clerk_lock(dir, false, &one, &f));
    must(clerk_lock(dir, false, &two, &f)); /* two terminals get along */
    refuses(E_LOCKED, clerk_lock(dir, true, &three, &f));
    close(one);
    close(two);
    must(clerk_lock(dir, true, &one, &f));
    refuses(E_LOCKED, clerk_lock(dir, false, &three, &f));
    close(one);
    buf_init(&b, CLERK_DRAFT_MAX);
    clerk_init(&w, NULL, &log, SPAN_LIT("clerk/1"), dir);
    must(clerk_draft_path(&w, fold_cell_at(x->fold, 0), path, &f));
    must(clerk_draft_read(path, &b, &f));
    assert_int_equal(b.n, 0);
    must(clerk_draft_write(path, SPAN_LIT("{}"), &f));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    must(clerk_draft_read(path, &b, &f));
    assert_string_equal(buf_cstr(&b), "{}");
    clerk_release(&w);
    clerk_init(&w, NULL, &log, SPAN_LIT("clerk/2"), dir); /* another key's is another file */
    must(clerk_draft_path(&w, fold_cell_at(x->fold, 0), other, &f));
    assert_string_not_equal(path, other);
    clerk_release(&w);
    buf_release(&b);
    scratch_remove(dir);
    fx_free(x);
}

/* --- openings: each is made once, and counted until the log has it --- */

static void keep_opening(const struct fixture *x, const char *dir, const char *label, const char *key, const char *station) {
    struct fail f;
    struct opening o = {.election = x->election, .contest = SPAN_LIT("president"), .station = span_text(station),
                        .key = span_text(key), .round = 1, .reading = SPAN_LIT("{}")};
    o.record = fx_label(x, label)->id;
    o.seal = seal_hash(o.nonce, o.reading);
    must(openings_keep(dir, &o, &f));
}

/* At 1202 clerk/n and clerk/n2 have sealed, neither has opened. */
static void made_once_and_counted(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct tree_log log = {.fold = x->fold};
    struct clerk_desk *w = calloc(1, sizeof *w);
    struct clerk_due *due = calloc(1, sizeof *due);
    struct fail f;
    char dir[64];
    scratch_make(dir);
    keep_opening(x, dir, "s1202a", "clerk/n", "1202");
    clerk_init(w, NULL, &log, SPAN_LIT("clerk/n"), dir);
    must(clerk_openings(w, NULL, NULL, due, &f));
    assert_int_equal(due->n, 1);
    assert_int_equal(due->sent, 0);
    clerk_due_release(due);
    /* on its way, or refused: who waits for its end must not take it for opened */
    must(clerk_openings(w, NULL, NULL, due, &f));
    assert_int_equal(due->n, 0);
    assert_int_equal(due->sent, 1);
    assert_int_equal(due->waiting + due->unlogged, 0);
    clerk_due_release(due);
    clerk_release(w);
    free(w);
    free(due);
    scratch_remove(dir);
    fx_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_in_order), cmocka_unit_test(typing),           cmocka_unit_test(readings_no_log_takes),
        cmocka_unit_test(page_body),       cmocka_unit_test(blind_until_open), cmocka_unit_test(folder_and_drafts),
        cmocka_unit_test(made_once_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
