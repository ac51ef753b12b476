/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "election_fixture.h"
#include "record_cases.h"

static void base_stands(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    assert_int_equal(fx_votes(s, "president", 1, "1101", "ann"), 200);
    assert_int_equal(fx_votes(s, "president", 1, "1102", "ann"), 101);
    assert_int_equal(fx_votes(s, "president", 1, "1201", "ann"), 0); /* two results: none counts */
    assert_int_equal(fx_votes(s, "president", 1, "2102", "ann"), 0); /* no image */
    assert_int_equal(fx_votes(s, "president", 1, "11", "ann"), 301);
    assert_int_equal(fx_votes(s, "president", 1, "1", "cy"), 50 + 51 + 300);
    assert_int_equal(fx_votes(s, "president", 1, "KE", "cy"), 50 + 51 + 300 + 200);
    assert_int_equal(fx_votes(s, "member-21", 1, "21", "hal"), 50);
    assert_int_equal(fx_votes(s, "member-21", 2, "21", "fay"), 0);
    fx_free(x);
}

/* ---- the table of cases ---- */

static void one_case(struct fixture *x, const struct record_case *c) {
    struct buf note, before, after, entry;
    struct fail f = {0};
    buf_init(&note, 1 << 20);
    buf_init(&entry, 1 << 20);
    buf_init(&before, 1 << 24);
    buf_init(&after, 1 << 24);
    fx_dump(x->fold, &before);
    x->ms = c->ms ? c->ms : FX_CASE_MS;
    x->batch = true;
    fold_begin(x->fold);
    err e;
    if (c->signers && !*c->signers) {
        fx_expand(x, c->pattern, &entry);
        e = fold_apply(x->fold, buf_view(&entry), &x->out, &f);
    } else if (c->signers) {
        struct buf text;
        buf_init(&text, 1 << 20);
        fx_expand(x, c->pattern, &text);
        fx_sign(x, c->signers, buf_view(&text), &note);
        buf_release(&text);
        e = fx_try(x, buf_view(&note), &f);
    } else {
        fx_expand(x, c->pattern, &note);
        e = fx_try(x, buf_view(&note), &f);
    }
    if (e != c->want)
        fail_msg("%s: wanted %s, got %s: %s", c->name, err_info(c->want)->name, err_info(e)->name,
                 f.text);
    if (e != OK && !f.text[0]) fail_msg("%s: no sentence", c->name);
    if (e == OK) {
        assert_int_equal(x->out.index, x->entry_count - 1);
        buf_release(&x->entries[--x->entry_count].bytes);
    } else {
        fx_dump(x->fold, &after); /* a refusal changes nothing */
        if (!span_eq(buf_view(&before), buf_view(&after))) fail_msg("%s: the state changed", c->name);
        buf_clear(&after);
    }
    fold_rollback(x->fold);
    x->batch = false;
    fx_dump(x->fold, &after);
    if (!span_eq(buf_view(&before), buf_view(&after)))
        fail_msg("%s: rolled back, yet the state changed", c->name);
    buf_release(&note);
    buf_release(&entry);
    buf_release(&before);
    buf_release(&after);
}

static void every_rule(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    size_t memory = 0;
    for (int turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < record_case_count; i++) {
            for (unsigned k = 0; turn == 0 && k < i; k++)
                assert_string_not_equal(record_cases[i].name, record_cases[k].name);
            one_case(x, &record_cases[i]);
        }
        /* what was refused or taken back leaves no memory behind */
        if (turn) assert_int_equal(fold_memory(x->fold), memory);
        memory = fold_memory(x->fold);
    }
    fx_free(x);
}

static void every_manifest_rule(void **state) {
    (void)state;
    struct fixture *x = fx_keys();
    for (unsigned i = 0; i < manifest_case_count; i++) {
        const struct manifest_case *c = &manifest_cases[i];
        struct fixture *y = fx_new();
        struct fail f = {0};
        struct buf text;
        buf_init(&text, 1 << 17);
        for (size_t o = 0; o < x->object_count; o++) (void)fx_object(y, buf_view(&x->objects[o].bytes));
        fx_manifest_case(y, x, c, &text);
        y->ms = 1;
        err e = fx_text(y, c->signers, buf_view(&text), &f);
        if (e != c->want)
            fail_msg("%s: wanted %s, got %s: %s", c->name, err_info(c->want)->name, err_info(e)->name,
                     f.text);
        if (e != OK) { /* as if nothing had been said: the right one is still taken */
            assert_int_equal(fold_size(y->fold), 0);
            assert_int_equal(fold_unit_count(y->fold), 0);
            assert_int_equal(fold_key_count(y->fold), 0);
            buf_clear(&text);
            fx_manifest_case(y, x, &manifest_cases[0], &text);
            must(fx_text(y, "com/1,com/2", buf_view(&text), &f));
        }
        buf_release(&text);
        fx_free(y);
    }
    fx_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_stands),
        cmocka_unit_test(every_rule),
        cmocka_unit_test(every_manifest_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
