/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signed notes. Figures: C2SP signed-note, golang.org/x/mod/sumdb/note (the PeterNeumann key). */
#include "test.h"

#include "crypto/note.h"

#define PETER_VKEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_SKEY "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define PETER_TEXT                                                                                 \
    "If you think cryptography is the answer to your problem,\n"                                   \
    "then you don't know what your problem is.\n"
#define PETER_LINE                                                                                 \
    "\xe2\x80\x94 PeterNeumann "                                                                   \
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"                         \
    "qdngotpRZb6KE6RyyBwJnAM=\n"
#define EXAMPLE_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define EXAMPLE_TEXT "This is an example message.\n"
#define EXAMPLE_LINE                                                                               \
    "\xe2\x80\x94 example.com/foo "                                                                \
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOB"                           \
    "H3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define DASH "\xe2\x80\x94 "

static struct note n;
static struct note_line lines[NOTE_LINES_MAX];

static void test_published(void **state) {
    (void)state;
    struct fail f;
    struct note_key key;
    bool by;
    must(note_vkey_parse(SPAN_LIT(PETER_VKEY), &key, &f));
    assert_true(key.known);
    assert_int_equal(key.type, NOTE_TYPE_ED25519);
    assert_int_equal(key.id, 0xc74f20a3);
    must(note_open(SPAN_LIT(PETER_TEXT "\n" PETER_LINE), &key, 1, &n, lines, 4, &by, &f));
    assert_true(by);
    assert_true(span_is(n.text, PETER_TEXT));
    assert_int_equal(n.count, 1);
    must(note_vkey_parse(SPAN_LIT(EXAMPLE_VKEY), &key, &f));
    must(note_open(SPAN_LIT(EXAMPLE_TEXT "\n" EXAMPLE_LINE), &key, 1, &n, lines, 4, &by, &f));

    /* signing gives the published bytes */
    struct note_signer signer;
    must(note_skey_parse(SPAN_LIT(PETER_SKEY), &signer, &f));
    struct buf b;
    buf_init(&b, 4096);
    const struct note_signer *signers[] = {&signer};
    must(note_sign(signers, 1, SPAN_LIT(PETER_TEXT), &b, &f));
    assert_string_equal(buf_cstr(&b), PETER_TEXT "\n" PETER_LINE);
    buf_clear(&b);
    note_vkey_format(&signer.key, &b);
    assert_string_equal(buf_cstr(&b), PETER_VKEY);
    buf_clear(&b);
    note_skey_format(&signer, &b);
    assert_string_equal(buf_cstr(&b), PETER_SKEY);
    note_signer_wipe(&signer);
    buf_release(&b);
}

static void test_vkey(void **state) {
    (void)state;
    struct fail f;
    struct note_key key;
    static const char *const bad[] = {
        "",
        "+",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another id */
        "PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another name */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX", /* another key */
        "PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another type */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy", /* 29 bytes */
        "PeterNeumann c74f20a3 ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter\xc2\xa0Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_VKEY, note_vkey_parse(span_text(bad[i]), &key, &f));
    /* a type without rules here is kept as unknown */
    must(note_vkey_parse(SPAN_LIT("other+00000001+/2dvb2Q="), &key, &f));
    assert_false(key.known);
    assert_int_equal(key.type, 0xff);
    assert_int_equal(key.id, 1);
    struct note_signer s;
    refuses(E_VKEY, note_skey_parse(SPAN_LIT(PETER_VKEY), &s, &f));
    refuses(E_VKEY, note_skey_parse(SPAN_LIT("PRIVATE+KEY+PeterNeumann+c74f20a4+AYEKFALVFGyNhPJE"
                                             "MzD1QIDr+Y7hfZx09iUvxdXHKDFz"),
                                    &s, &f));
    refuses(E_VKEY, note_skey_parse(SPAN_LIT("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJE"),
                                    &s, &f));
    static const uint8_t seed[32] = {1};
    refuses(E_VKEY, note_signer_make(SPAN_LIT("a b"), NOTE_TYPE_ED25519, seed, &s, &f));
    refuses(E_VKEY, note_signer_make(SPAN_LIT("ab"), NOTE_TYPE_ECDSA, seed, &s, &f));
}

static void test_names(void **state) {
    (void)state;
    static const char *const good[] = {"a", "example.com/foo", "m\xc3\xbcller", "\xe6\x97\xa5"};
    static const char *const bad[] = {"",     " ",        "a b",           "a+b",          "a\tb",
                                      "a\nb", "\xc2\xa0", "a\xe2\x80\x83", "\xe3\x80\x80", "\xff",
                                      "\xc3"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(note_name_is_valid(span_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(note_name_is_valid(span_text(bad[i])));
    char name[NOTE_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    assert_true(note_name_is_valid(span_of(name, NOTE_NAME_MAX)));
    assert_false(note_name_is_valid(span_of(name, NOTE_NAME_MAX + 1)));
}

static void test_structure(void **state) {
    (void)state;
    struct fail f;
#define SIG "AAAAAAA=" /* four bytes of id, one of signature */
    static const struct {
        const char *note;
        err want;
    } rows[] = {
        {"t\n\n" DASH "a " SIG "\n", OK},
        {"\n\n" DASH "a " SIG "\n", OK}, /* an empty line is a text */
        {"t\n\n\n" DASH "a " SIG "\n", OK},
        {"t\n\nu\n\n" DASH "a " SIG "\n", OK}, /* cut at the last empty line */
        {"\xc3\xa9t\xc3\xa9\n\n" DASH "a " SIG "\n", OK},
        {"", E_NOTE},
        {"\n", E_NOTE},
        {"\n\n", E_NOTE},
        {"t\n", E_NOTE},
        {"t\n\n", E_NOTE},
        {"t" DASH "a " SIG "\n", E_NOTE},
        {"t\n" DASH "a " SIG "\n", E_NOTE},
        {"t\n\n" DASH "a " SIG, E_NOTE},
        {"t\n\n" DASH "a " SIG "\n\n", E_NOTE},
        {"t\n\n" DASH "a " SIG "\nx\n", E_NOTE},
        {"t\n\n- a " SIG "\n", E_NOTE},
        {"t\n\n\xe2\x80\x93 a " SIG "\n", E_NOTE}, /* U+2013 */
        {"t\n\n\xe2\x80\x94"
         "a " SIG "\n",
         E_NOTE},
        {"t\n\n" DASH " " SIG "\n", E_NOTE},
        {"t\n\n" DASH "a\n", E_NOTE},
        {"t\n\n" DASH "a \n", E_NOTE},
        {"t\n\n" DASH "a+b " SIG "\n", E_NOTE},
        {"t\n\n" DASH "a\xc2\xa0"
         "b " SIG "\n",
         E_NOTE},
        {"t\n\n" DASH "a AAAAAA==\n", E_NOTE}, /* an id and no signature */
        {"t\n\n" DASH "a " SIG " \n", E_BASE64},
        {"t\n\n" DASH "a  " SIG "\n", E_BASE64},
        {"t\n\n" DASH "a AAAAAAA\n", E_BASE64},
        {"t\n\n" DASH "a AAAAAAB=\n", E_BASE64}, /* stray bits */
        {"t\n\n" DASH "a AAAA*AA=\n", E_BASE64},
        {"t\r\n\n" DASH "a " SIG "\n", E_UTF8},
        {"t\t\n\n" DASH "a " SIG "\n", E_UTF8},
        {"\xff\n\n" DASH "a " SIG "\n", E_UTF8},
        {"\xc3\n\n" DASH "a " SIG "\n", E_UTF8},
        {"\xed\xa0\x80\n\n" DASH "a " SIG "\n", E_UTF8}, /* a surrogate */
        {"t\n\n" DASH "a\x01 " SIG "\n", E_UTF8},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span s = span_text(rows[i].note);
        if (rows[i].want == OK) {
            must(note_split(s, &n, lines, 4, &f));
            assert_int_equal(n.text.n + 1 + n.signatures.n, s.n);
            assert_true(span_is(lines[0].name, "a"));
            assert_int_equal(lines[0].n, 1);
        } else {
            refuses(rows[i].want, note_split(s, &n, lines, 4, &f));
        }
    }
    /* a control character anywhere, at every alignment */
    char text[64];
    for (size_t at = 0; at < 40; at++)
        for (int c = 0; c < 0x20; c++) {
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            size_t end = 40;
            memcpy(text + end, "\n\n" DASH "a " SIG "\n", 17);
            err e = note_split(span_of(text, end + 17), &n, lines, 4, &f);
            assert_int_equal(e, c == '\n' ? OK : E_UTF8);
        }
}

static void test_lengths(void **state) {
    (void)state;
    struct fail f;
    static uint8_t raw[4096];
    for (size_t i = 0; i < sizeof raw; i++) raw[i] = (uint8_t)(i * 7 + 1);
    struct buf b;
    buf_init(&b, 1 << 16);
    for (size_t len = 5; len < 2500; len += len < 120 ? 1 : 97) {
        buf_clear(&b);
        buf_str(&b, "t\n\n" DASH "a ");
        buf_base64(&b, span_of(raw, len));
        buf_byte(&b, '\n');
        must(note_split(buf_view(&b), &n, lines, 1, &f));
        assert_int_equal(lines[0].id, 0x01080f16);
        assert_int_equal(lines[0].n, len - 4);
        if (len - 4 <= NOTE_SIGNATURE_KEPT) assert_memory_equal(lines[0].bytes, raw + 4, len - 4);
    }
    /* padding inside a long one */
    buf_clear(&b);
    buf_str(&b, "t\n\n" DASH "a ");
    for (int i = 0; i < 3; i++) buf_base64(&b, span_of(raw, 47));
    buf_byte(&b, '\n');
    refuses(E_BASE64, note_split(buf_view(&b), &n, lines, 1, &f));
    buf_release(&b);
}

static void test_line_count(void **state) {
    (void)state;
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 16);
    buf_str(&b, "t\n\n");
    for (int i = 0; i < NOTE_LINES_MAX; i++) buf_printf(&b, DASH "a%d AAAAAAA=\n", i);
    must(note_split(buf_view(&b), &n, lines, NOTE_LINES_MAX, &f));
    assert_int_equal(n.count, NOTE_LINES_MAX);
    refuses(E_NOTE, note_split(buf_view(&b), &n, lines, NOTE_LINES_MAX - 1, &f));
    buf_str(&b, DASH "b AAAAAAA=\n");
    refuses(E_NOTE, note_split(buf_view(&b), &n, lines, 2 * NOTE_LINES_MAX, &f));
    size_t count = 7;
    must(note_split_lines(SPAN_LIT(""), lines, 4, &count, &f));
    assert_int_equal(count, 0);
    refuses(E_NOTE, note_split_lines(SPAN_LIT(DASH "b AAAAAAA="), lines, 4, &count, &f));
    buf_release(&b);
}

static void test_open(void **state) {
    (void)state;
    struct fail f;
    struct note_key keys[2];
    bool by[2];
    must(note_vkey_parse(SPAN_LIT(PETER_VKEY), &keys[0], &f));
    must(note_vkey_parse(SPAN_LIT(EXAMPLE_VKEY), &keys[1], &f));
    /* a line of an unknown key is ignored; the same note without the known key is refused */
    must(note_open(SPAN_LIT(PETER_TEXT "\n" DASH "who AAAAAAA=\n" PETER_LINE), keys, 2, &n, lines,
                   4, by, &f));
    assert_true(by[0]);
    assert_false(by[1]);
    assert_int_equal(n.count, 2);
    refuses(E_UNSIGNED,
            note_open(SPAN_LIT(PETER_TEXT "\n" PETER_LINE), &keys[1], 1, &n, lines, 4, NULL, &f));
    refuses(E_UNSIGNED,
            note_open(SPAN_LIT(PETER_TEXT "\n" PETER_LINE), NULL, 0, &n, lines, 4, NULL, &f));
    /* a known key that fails beside one that holds */
    refuses(E_SIGNATURE, note_open(SPAN_LIT(PETER_TEXT "\n" PETER_LINE EXAMPLE_LINE), keys, 2, &n,
                                   lines, 4, by, &f));
    /* the right id with a signature of another length */
    refuses(E_SIGNATURE, note_open(SPAN_LIT(PETER_TEXT "\n" DASH "PeterNeumann x08gowA=\n"), keys,
                                   2, &n, lines, 4, by, &f));
    /* the text shifted by one empty line */
    refuses(E_SIGNATURE,
            note_open(SPAN_LIT(PETER_TEXT "\n\n" PETER_LINE), keys, 2, &n, lines, 4, by, &f));
    /* the same key id under another name is another key */
    refuses(E_UNSIGNED, note_open(SPAN_LIT(PETER_TEXT "\n" DASH "PeterNeumanm x08gowA=\n"), keys, 2,
                                  &n, lines, 4, by, &f));
    /* any changed bit of the text */
    char bytes[] = PETER_TEXT "\n" PETER_LINE;
    for (size_t bit = 0; bit < 8 * (sizeof PETER_TEXT - 1); bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_not_equal(note_open(SPAN_LIT(bytes), keys, 2, &n, lines, 4, by, &f), OK);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
}

static void test_sign(void **state) {
    (void)state;
    struct fail f;
    static const uint8_t seeds[3][32] = {{1}, {2}, {3}};
    static const char *const names[] = {"c", "a", "b"};
    struct note_signer signers[3], cosigner;
    const struct note_signer *list[3];
    struct note_key keys[3];
    for (size_t i = 0; i < 3; i++) {
        must(note_signer_make(span_text(names[i]), NOTE_TYPE_ED25519, seeds[i], &signers[i], &f));
        list[i] = &signers[i];
        keys[i] = signers[i].key;
    }
    struct buf b;
    buf_init(&b, 4096);
    must(note_sign(list, 3, SPAN_LIT("t\n"), &b, &f));
    bool by[3];
    must(note_open(buf_view(&b), keys, 3, &n, lines, 3, by, &f));
    assert_true(by[0] && by[1] && by[2]);
    assert_true(span_is(lines[0].name, "a"));
    assert_true(span_is(lines[1].name, "b"));
    assert_true(span_is(lines[2].name, "c"));
    assert_true(span_cmp(lines[0].line, lines[1].line) < 0);

    list[1] = &signers[0];
    refuses(E_NOTE, note_sign(list, 3, SPAN_LIT("t\n"), &b, &f));
    refuses(E_NOTE, note_sign(list, 0, SPAN_LIT("t\n"), &b, &f));
    refuses(E_NOTE, note_sign(list, 1, SPAN_LIT("t"), &b, &f));
    refuses(E_NOTE, note_sign(list, 1, SPAN_LIT(""), &b, &f));
    refuses(E_UTF8, note_sign(list, 1, SPAN_LIT("\r\n"), &b, &f));
    must(note_signer_make(SPAN_LIT("w"), NOTE_TYPE_COSIGNATURE, seeds[0], &cosigner, &f));
    list[0] = &cosigner;
    refuses(E_VKEY, note_sign(list, 1, SPAN_LIT("t\n"), &b, &f));
    struct buf small;
    buf_init(&small, 10);
    refuses(E_MEMORY, note_sign_line(&signers[0], SPAN_LIT("t\n"), &small, &f));
    buf_release(&small);
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published), cmocka_unit_test(test_vkey),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_structure),
        cmocka_unit_test(test_lengths),   cmocka_unit_test(test_line_count),
        cmocka_unit_test(test_open),      cmocka_unit_test(test_sign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
