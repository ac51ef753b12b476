/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Checkpoints and cosignatures. */
#include "test.h"

#include "tlog/cosignature.h"

#define ROOT "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="
#define LOG  "example.com/log/testdata"

static const uint8_t seeds[3][32] = {{11}, {12}, {13}};

static void test_parse(void **state) {
    (void)state;
    struct fail f;
    struct checkpoint c;
    must(checkpoint_parse(SPAN_LIT(LOG "\n15\n" ROOT "\n"), &c, &f));
    assert_true(span_is(c.origin, LOG));
    assert_int_equal(c.size, 15);
    assert_int_equal(c.extensions.n, 0);
    must(checkpoint_parse(SPAN_LIT("o\n0\n" ROOT "\next one\n\xc3\xa9\n"), &c, &f));
    assert_true(span_is(c.extensions, "ext one\n\xc3\xa9\n"));
    must(checkpoint_parse(SPAN_LIT("o\n9223372036854775807\n" ROOT "\n"), &c, &f));
    static const char *const bad[] = {"",
                                      "\n",
                                      "o\n",
                                      "o\n1\n",
                                      "o\n1\n" ROOT,
                                      "\n1\n" ROOT "\n",
                                      "o\n\n" ROOT "\n",
                                      "o\n01\n" ROOT "\n",
                                      "o\n-1\n" ROOT "\n",
                                      "o\n+1\n" ROOT "\n",
                                      "o\n 1\n" ROOT "\n",
                                      "o\n1 \n" ROOT "\n",
                                      "o\n0x1\n" ROOT "\n",
                                      "o\n9223372036854775808\n" ROOT "\n",
                                      "o\n1\nAAAA\n",
                                      "o\n1\n" ROOT " \n",
                                      "o\n1\n" ROOT "A\n",
                                      "o\n1\n" ROOT "\n\n",
                                      "o\n1\n" ROOT "\nx",
                                      "o\n1\n" ROOT "\nx\n\n",
                                      "o\n1\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383ct=\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_CHECKPOINT, checkpoint_parse(span_text(bad[i]), &c, &f));
}

static void test_format(void **state) {
    (void)state;
    struct fail f;
    struct hash root;
    struct buf b;
    buf_init(&b, 4096);
    must(hash_from_base64(SPAN_LIT(ROOT), &root, &f));
    must(checkpoint_format(SPAN_LIT(LOG), 15, &root, SPAN_LIT(""), &b, &f));
    assert_string_equal(buf_cstr(&b), LOG "\n15\n" ROOT "\n");
    refuses(E_CHECKPOINT, checkpoint_format(SPAN_LIT("a\nb"), 15, &root, SPAN_LIT(""), &b, &f));
    refuses(E_CHECKPOINT, checkpoint_format(SPAN_LIT(""), 15, &root, SPAN_LIT(""), &b, &f));
    refuses(E_CHECKPOINT, checkpoint_format(SPAN_LIT("a"), 15, &root, SPAN_LIT("x"), &b, &f));
    refuses(E_CHECKPOINT, checkpoint_format(SPAN_LIT("a"), 15, &root, SPAN_LIT("\n"), &b, &f));
    refuses(E_CHECKPOINT,
            checkpoint_format(SPAN_LIT("a"), UINT64_MAX, &root, SPAN_LIT(""), &b, &f));
    buf_release(&b);
}

static void test_open(void **state) {
    (void)state;
    struct fail f;
    struct note_signer log, other;
    struct hash root = sha256(SPAN_LIT("root"));
    must(note_signer_make(SPAN_LIT(LOG), NOTE_TYPE_ED25519, seeds[0], &log, &f));
    must(note_signer_make(SPAN_LIT("other"), NOTE_TYPE_ED25519, seeds[1], &other, &f));
    struct buf b;
    buf_init(&b, 4096);
    must(checkpoint_sign(&log, 42, &root, &b, &f));
    struct checkpoint c;
    struct note n;
    struct note_line lines[4];
    must(checkpoint_open(buf_view(&b), &log.key, &c, &n, lines, 4, &f));
    assert_int_equal(c.size, 42);
    assert_true(hash_eq(&c.root, &root));
    refuses(E_ORIGIN, checkpoint_open(buf_view(&b), &other.key, &c, &n, lines, 4, &f));
    /* the origin of one log under the signature of another */
    struct buf forged;
    buf_init(&forged, 4096);
    const struct note_signer *signers[] = {&other};
    must(note_sign(signers, 1, n.text, &forged, &f));
    refuses(E_UNSIGNED, checkpoint_open(buf_view(&forged), &log.key, &c, &n, lines, 4, &f));
    /* the same name with another key */
    struct note_signer twin;
    must(note_signer_make(SPAN_LIT(LOG), NOTE_TYPE_ED25519, seeds[2], &twin, &f));
    refuses(E_UNSIGNED, checkpoint_open(buf_view(&b), &twin.key, &c, &n, lines, 4, &f));
    /* a note that is no checkpoint; a damaged size */
    signers[0] = &log;
    buf_clear(&forged);
    must(note_sign(signers, 1, SPAN_LIT(LOG "\nhello\n"), &forged, &f));
    refuses(E_CHECKPOINT, checkpoint_open(buf_view(&forged), &log.key, &c, &n, lines, 4, &f));
    b.p[strlen(LOG) + 1] = '9';
    refuses(E_SIGNATURE, checkpoint_open(buf_view(&b), &log.key, &c, &n, lines, 4, &f));
    refuses(E_CHECKPOINT, checkpoint_open(span_of(b.p, CHECKPOINT_BYTES_MAX + 1), &log.key, &c, &n,
                                          lines, 4, &f));
    buf_release(&b);
    buf_release(&forged);
}

static void test_origin_id(void **state) {
    (void)state;
    char hex[HASH_HEX_LEN + 1];
    struct hash h = checkpoint_origin_id(SPAN_LIT("abc"));
    hash_hex(&h, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_cosignature(void **state) {
    (void)state;
    struct fail f;
    struct span body = SPAN_LIT(LOG "\n15\n" ROOT "\n");
    struct note_signer w, plain;
    must(note_signer_make(SPAN_LIT("w.example"), NOTE_TYPE_COSIGNATURE, seeds[0], &w, &f));
    must(note_signer_make(SPAN_LIT("w.example"), NOTE_TYPE_ED25519, seeds[0], &plain, &f));
    struct buf b;
    buf_init(&b, 4096);
    must(cosignature_sign(&w, body, 1679315147, &b, &f));
    struct note_line line;
    size_t n;
    uint64_t t = 0;
    must(note_split_lines(buf_view(&b), &line, 1, &n, &f));
    assert_int_equal(line.n, 72);
    must(cosignature_verify(&w.key, body, &line, &t, &f));
    assert_int_equal(t, 1679315147);
    /* the time and the body are both bound */
    line.bytes[7] ^= 1;
    refuses(E_SIGNATURE, cosignature_verify(&w.key, body, &line, &t, &f));
    line.bytes[7] ^= 1;
    refuses(E_SIGNATURE,
            cosignature_verify(&w.key, SPAN_LIT(LOG "\n16\n" ROOT "\n"), &line, &t, &f));
    refuses(E_SIGNATURE, cosignature_verify(&plain.key, body, &line, &t, &f));
    /* a plain signature of the same key is no cosignature, nor the other way round */
    struct ed25519_signature sig;
    ed25519_sign(&w.secret, body, &sig);
    memcpy(line.bytes + 8, sig.b, sizeof sig.b);
    refuses(E_SIGNATURE, cosignature_verify(&w.key, body, &line, &t, &f));
    line.n = 64;
    refuses(E_SIGNATURE, cosignature_verify(&w.key, body, &line, &t, &f));

    refuses(E_VKEY, cosignature_sign(&plain, body, 1, &b, &f));
    refuses(E_RANGE, cosignature_sign(&w, body, 0, &b, &f));
    refuses(E_RANGE, cosignature_sign(&w, body, COSIGNATURE_TIME_MAX + 1, &b, &f));
    refuses(E_CHECKPOINT, cosignature_sign(&w, SPAN_LIT("a text\n"), 1, &b, &f));
    buf_release(&b);
}

static void test_collect(void **state) {
    (void)state;
    struct fail f;
    struct span body = SPAN_LIT(LOG "\n15\n" ROOT "\n");
    struct note_signer w[3];
    struct note_key keys[3];
    static const char *const names[] = {"w0", "w1", "w2"};
    struct buf b;
    buf_init(&b, 4096);
    for (size_t i = 0; i < 3; i++) {
        must(note_signer_make(span_text(names[i]), NOTE_TYPE_COSIGNATURE, seeds[i], &w[i], &f));
        keys[i] = w[i].key;
    }
    must(cosignature_sign(&w[0], body, 2000, &b, &f));
    must(cosignature_sign(&w[2], body, 3000, &b, &f));
    must(cosignature_sign(&w[0], body, 1000, &b, &f));
    struct note_line lines[4];
    struct cosignature got[3];
    size_t n;
    must(note_split_lines(buf_view(&b), lines, 4, &n, &f));
    must(cosignatures_collect(body, lines, n, keys, 3, got, &f));
    assert_true(got[0].present && !got[1].present && got[2].present);
    assert_int_equal(got[0].time_s, 1000); /* the earliest */
    assert_int_equal(got[0].line, 2);
    assert_int_equal(got[2].time_s, 3000);
    /* an unknown one is passed over, a known one that fails is not */
    must(cosignatures_collect(body, lines, n, &keys[1], 1, got, &f));
    assert_false(got[0].present);
    lines[1].bytes[20] ^= 4;
    must(cosignatures_collect(body, lines, n, keys, 2, got, &f));
    refuses(E_SIGNATURE, cosignatures_collect(body, lines, n, keys, 3, got, &f));
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),       cmocka_unit_test(test_format),
        cmocka_unit_test(test_open),        cmocka_unit_test(test_origin_id),
        cmocka_unit_test(test_cosignature), cmocka_unit_test(test_collect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
