/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Files sealed to several keys. */
#include "test.h"
#include "crypto/secret.h"
#include "crypto/sealed.h"

static struct fail f;
static struct note_signer signer[3];
static struct note_key keys[3];
static const struct span content = SPAN_LIT("a form with names and telephone numbers");

static int make_keys(void **state) {
    (void)state;
    static const char *const names[3] = {"party/a", "court", "stranger"};
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        must(note_signer_make(span_text(names[i]), 1, seed, &signer[i], &f));
        keys[i] = signer[i].key;
    }
    return 0;
}

static void each_recipient_opens_it_and_nobody_else(void **state) {
    (void)state;
    struct buf sealed, again, open;
    struct sealed_head *h = calloc(1, sizeof *h);
    buf_init(&sealed, 1 << 16);
    buf_init(&again, 1 << 16);
    must(sealed_make(content, keys, 2, &sealed, &f));
    must(sealed_make(content, keys, 2, &again, &f));
    assert_false(span_eq(buf_view(&sealed), buf_view(&again)));
    assert_null(memmem(sealed.p, sealed.n, "telephone", 9));
    must(sealed_parse(buf_view(&sealed), h, &f));
    const struct hash is = sha256(content);
    assert_true(hash_eq(&h->content, &is));
    assert_int_equal(h->size, content.n);
    assert_int_equal(h->count, 2);
    assert_true(span_is(h->key[1].name, "court"));
    for (int i = 0; i < 2; i++) {
        buf_init(&open, 1 << 16);
        must(sealed_open(buf_view(&sealed), &signer[i], &open, &f));
        assert_true(span_eq(buf_view(&open), content));
        buf_release(&open);
    }
    buf_init(&open, 1 << 16);
    refuses(E_NOT_FOUND, sealed_open(buf_view(&sealed), &signer[2], &open, &f));
    assert_int_equal(open.n, 0);
    buf_release(&open);
    buf_release(&again);
    buf_release(&sealed);
    free(h);
}

/* Whatever byte is changed: it does not open to anything. */
static void every_changed_byte_is_noticed(void **state) {
    (void)state;
    struct buf sealed;
    buf_init(&sealed, 1 << 16);
    must(sealed_make(content, keys, 2, &sealed, &f));
    for (size_t i = 0; i < sealed.n; i++) {
        struct buf open;
        struct fail why = {0};
        buf_init(&open, 1 << 16);
        sealed.p[i] ^= 1;
        const err e = sealed_open(buf_view(&sealed), &signer[1], &open, &why);
        if (e == OK || open.n || !why.text[0]) fail_msg("byte %zu: %d", i, e);
        sealed.p[i] ^= 1;
        buf_release(&open);
    }
    for (size_t n = 0; n < sealed.n; n++) { /* cut short anywhere */
        struct buf open;
        buf_init(&open, 1 << 16);
        assert_int_not_equal(sealed_open(span_of(sealed.p, n), &signer[1], &open, &f), OK);
        buf_release(&open);
    }
    buf_byte(&sealed, 0); /* something left over */
    struct sealed_head *h = calloc(1, sizeof *h);
    refuses(E_FIELD, sealed_parse(buf_view(&sealed), h, &f));
    free(h);
    buf_release(&sealed);
}

static void recipients_are_checked(void **state) {
    (void)state;
    struct buf out;
    struct note_key twice[2] = {keys[0], keys[0]}, none = {.name = SPAN_LIT("x")};
    struct note_key low = keys[0];
    buf_init(&out, 1 << 16);
    refuses(E_RANGE, sealed_make(content, keys, 0, &out, &f));
    refuses(E_RANGE, sealed_make(content, twice, 2, &out, &f));
    refuses(E_VKEY, sealed_make(content, &none, 1, &out, &f));
    memset(low.public.b, 0, sizeof low.public.b); /* a point of small order: everybody's key */
    refuses(E_VKEY, sealed_make(content, &low, 1, &out, &f));
    assert_int_equal(out.n, 0);
    must(sealed_make(span_of(NULL, 0), keys, 1, &out, &f)); /* nothing can be sealed, too */
    struct buf open;
    buf_init(&open, 16);
    must(sealed_open(buf_view(&out), &signer[0], &open, &f));
    assert_int_equal(open.n, 0);
    buf_release(&open);
    buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_recipient_opens_it_and_nobody_else),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(recipients_are_checked),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
