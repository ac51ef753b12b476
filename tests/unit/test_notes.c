/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Gathering signatures: sign, merge, what they refuse; objects that a record names. */
#include "test.h"

#include "election/compose.h"
#include "service/notes.h"

struct people {
    struct note_signer officer, agent, witness;
    struct buf text;
};

static void signer(struct note_signer *s, const char *name, uint8_t type) {
    struct hash seed = sha256(span_text(name));
    struct fail f;
    must(note_signer_make(span_text(name), type, seed.b, s, &f));
}

static void people_init(struct people *p) {
    struct hash election = sha256(SPAN_LIT("e"));
    signer(&p->officer, "po/1", NOTE_TYPE_ED25519);
    signer(&p->agent, "agent/1", NOTE_TYPE_ED25519);
    signer(&p->witness, "witness", NOTE_TYPE_COSIGNATURE);
    buf_init(&p->text, 4096);
    compose_revoke(&p->text, &election, SPAN_LIT("k"), "lost", UINT64_MAX);
}

static void sign(struct span bytes, const struct note_signer *a, const struct note_signer *b,
                 struct buf *out) {
    const struct note_signer *by[] = {a, b};
    struct fail f;
    buf_clear(out);
    must(notes_sign(bytes, by, b ? 2 : 1, out, &f));
}

/* One by one, both at once, or on two devices and merged in any order: the same note. */
static void every_way_gives_the_same_note(void **state) {
    (void)state;
    struct people p;
    struct buf a, b, both, one, merged;
    struct fail f;
    people_init(&p);
    buf_init(&a, 8192);
    buf_init(&b, 8192);
    buf_init(&both, 8192);
    buf_init(&one, 8192);
    buf_init(&merged, 8192);
    sign(buf_view(&p.text), &p.officer, NULL, &a);
    sign(buf_view(&p.text), &p.agent, NULL, &b);
    sign(buf_view(&p.text), &p.agent, &p.officer, &both);
    sign(buf_view(&a), &p.agent, NULL, &one);
    assert_true(span_eq(buf_view(&one), buf_view(&both)));
    sign(buf_view(&one), &p.agent, NULL, &merged); /* again: nothing changes */
    assert_true(span_eq(buf_view(&merged), buf_view(&both)));
    for (int i = 0; i < 2; i++) {
        struct span parts[] = {buf_view(i ? &b : &a), buf_view(i ? &a : &b), buf_view(&p.text)};
        buf_clear(&merged);
        must(notes_merge(parts, 3, &merged, &f));
        assert_true(span_eq(buf_view(&merged), buf_view(&both)));
    }
    /* each line holds */
    static struct record r;
    must(record_parse(buf_view(&both), &r, &f));
    assert_int_equal(r.split.count, 2);
    must(note_verify(&p.agent.key, r.text, &r.lines[0], &f));
    must(note_verify(&p.officer.key, r.text, &r.lines[1], &f));
    buf_release(&a);
    buf_release(&b);
    buf_release(&both);
    buf_release(&one);
    buf_release(&merged);
    buf_release(&p.text);
}

static void what_cannot_be_put_together(void **state) {
    (void)state;
    struct people p;
    struct buf a, b, out, text;
    struct hash other = sha256(SPAN_LIT("other"));
    struct fail f;
    people_init(&p);
    buf_init(&a, 8192);
    buf_init(&b, 8192);
    buf_init(&out, 8192);
    buf_init(&text, 4096);
    compose_revoke(&text, &other, SPAN_LIT("k"), "lost", UINT64_MAX);
    sign(buf_view(&p.text), &p.officer, NULL, &a);
    sign(buf_view(&text), &p.agent, NULL, &b);
    struct span two_texts[] = {buf_view(&a), buf_view(&b)};
    refuses(E_NOTE, notes_merge(two_texts, 2, &out, &f));
    struct span nobody[] = {buf_view(&p.text)};
    refuses(E_UNSIGNED, notes_merge(nobody, 1, &out, &f));
    /* the officer's line over the other text, put under this one: same key, another line */
    sign(buf_view(&text), &p.officer, NULL, &b);
    buf_clear(&out);
    struct note parts;
    must(note_cut(buf_view(&b), &parts, &f));
    buf_span(&out, buf_view(&p.text));
    buf_byte(&out, '\n');
    buf_span(&out, parts.signatures);
    struct span two_lines[] = {buf_view(&a), buf_view(&out)};
    buf_clear(&b);
    refuses(E_LINES, notes_merge(two_lines, 2, &b, &f));
    /* and the officer cannot sign over a line that is not the officer's signature */
    const struct note_signer *by[] = {&p.officer};
    buf_clear(&b);
    refuses(E_SIGNATURE, notes_sign(buf_view(&out), by, 1, &b, &f));
    const struct note_signer *cosigner[] = {&p.witness};
    refuses(E_USAGE, notes_sign(buf_view(&a), cosigner, 1, &b, &f));
    buf_release(&a);
    buf_release(&b);
    buf_release(&out);
    buf_release(&text);
    buf_release(&p.text);
}

static void what_is_no_record(void **state) {
    (void)state;
    static struct record r;
    struct fail f;
    refuses(E_NOTE, notes_parse(SPAN_LIT(""), &r, &f));
    refuses(E_NOTE, notes_parse(SPAN_LIT("hesabu/v1 revoke\n{}"), &r, &f));
    refuses(E_TYPE, notes_parse(SPAN_LIT("hesabu/v1 nothing\n{}\n"), &r, &f));
    refuses(E_NOTE, notes_parse(SPAN_LIT("hesabu/v1 revoke\n{}\nmore\n"), &r, &f));
    refuses(E_CANONICAL, notes_parse(SPAN_LIT("hesabu/v1 revoke\n{ }\n"), &r, &f));
    must(notes_parse(SPAN_LIT("hesabu/v1 revoke\n{}\n"), &r, &f));
    must(notes_parse(SPAN_LIT("hesabu/v1 revoke\n{}\n\n"), &r, &f));
    assert_int_equal(r.split.count, 0);
    assert_int_equal(r.text.n, 20);
}

static void objects_and_members(void **state) {
    (void)state;
    struct compose_image m = {.contest = SPAN_LIT("c"), .station = SPAN_LIT("s"), .round = 1, .page = 1};
    struct notes_object o[4];
    struct buf text;
    static struct record r;
    struct fail f;
    size_t n;
    buf_init(&text, 4096);
    m.original = (struct named_object){sha256(SPAN_LIT("o")), 1};
    m.shown = (struct named_object){sha256(SPAN_LIT("p")), 77};
    compose_image(&text, &m);
    must(notes_parse(buf_view(&text), &r, &f));
    must(notes_objects(&r, o, 4, &n, &f));
    assert_int_equal(n, 2);
    assert_true(o[0].restricted && !o[1].restricted);
    assert_true(hash_eq(&o[1].id, &m.shown.id) && o[1].size == 77);
    refuses(E_RANGE, notes_objects(&r, o, 1, &n, &f));
    assert_true(span_is(notes_member(&r, "station"), "s"));
    assert_null(notes_member(&r, "nothing").p);
    /* words that only look like an object */
    must(notes_parse(SPAN_LIT("hesabu/v1 image\n{\"a\":\"{\\\"sha256\\\":\\\"\"}\n"), &r, &f));
    must(notes_objects(&r, o, 4, &n, &f));
    assert_int_equal(n, 0);
    buf_release(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_gives_the_same_note),
        cmocka_unit_test(what_cannot_be_put_together),
        cmocka_unit_test(what_is_no_record),
        cmocka_unit_test(objects_and_members),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
