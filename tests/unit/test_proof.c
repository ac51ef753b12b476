/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Proof files, made and verified over a log of our own. */
#include "test.h"

#include <stdio.h>
#include "tlog/proof.h"

enum { SIZE = 21, WITNESSES = 3 };

static struct note_signer log_key, witness[WITNESSES];
static struct merkle_tree *tree;
static struct buf checkpoint;
static struct arena arena;
static struct policy policy;

static struct hash leaf_of(unsigned i) {
    char text[32];
    int n = snprintf(text, sizeof text, "entry %u", i);
    return merkle_leaf(span_of(text, (size_t)n));
}

static int setup(void **state) {
    (void)state;
    struct fail f;
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_init(&checkpoint, CHECKPOINT_BYTES_MAX);
    arena_init(&arena, 1 << 20);
    static const char *const names[] = {"w0", "w1", "w2"};
    uint8_t seed[32] = {1};
    must(note_signer_make(SPAN_LIT("log.example"), NOTE_TYPE_ED25519, seed, &log_key, &f));
    must(merkle_tree_new(SIZE, &tree, &f));
    for (unsigned i = 0; i < SIZE; i++) {
        struct hash leaf = leaf_of(i);
        must(merkle_tree_append(tree, &leaf, &f));
    }
    struct hash root = merkle_tree_root(tree);
    must(checkpoint_sign(&log_key, SIZE, &root, &checkpoint, &f));
    struct note note;
    must(note_cut(buf_view(&checkpoint), &note, &f));
    struct buf lines;
    buf_init(&lines, 4096);
    for (size_t i = 0; i < WITNESSES; i++) {
        seed[1] = (uint8_t)(i + 1);
        must(note_signer_make(span_text(names[i]), NOTE_TYPE_COSIGNATURE, seed, &witness[i], &f));
        if (i < 2) must(cosignature_sign(&witness[i], note.text, 1000 + i, &lines, &f));
        buf_printf(&text, "witness %s ", names[i]);
        note_vkey_format(&witness[i].key, &text);
        buf_byte(&text, '\n');
    }
    buf_span(&checkpoint, buf_view(&lines));
    buf_str(&text, "group q 2 w0 w1 w2\nquorum q\n");
    struct span kept = arena_copy(&arena, buf_view(&text));
    must(policy_parse(kept, &arena, &policy, &f));
    buf_release(&text);
    buf_release(&lines);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    merkle_tree_free(tree);
    buf_release(&checkpoint);
    arena_release(&arena);
    return 0;
}

static void make(unsigned i, struct span extra, struct buf *out) {
    struct fail f;
    struct hash hashes[MERKLE_PROOF_MAX];
    size_t n;
    must(merkle_tree_inclusion(tree, i, SIZE, hashes, &n, &f));
    buf_clear(out);
    must(tlog_proof_format(extra, i, hashes, n, buf_view(&checkpoint), out, &f));
}

static void test_round(void **state) {
    (void)state;
    struct fail f;
    struct buf b;
    buf_init(&b, TLOG_PROOF_BYTES_MAX);
    for (unsigned i = 0; i < SIZE; i++) {
        char entry[32];
        int n = snprintf(entry, sizeof entry, "entry %u", i);
        struct span e = span_of(entry, (size_t)n);
        struct tlog_proof p;
        struct checkpoint c;
        struct cosignature by[WITNESSES];
        make(i, i % 2 ? SPAN_LIT("more") : (struct span){NULL, 0}, &b);
        must(tlog_proof_parse(buf_view(&b), &p, &f));
        assert_int_equal(p.index, i);
        assert_int_equal(p.has_extra, i % 2);
        must(tlog_proof_verify(&p, e, &log_key.key, &policy, &c, by, &f));
        assert_int_equal(c.size, SIZE);
        assert_true(by[0].present && by[1].present && !by[2].present);
        assert_int_equal(by[1].time_s, 1001);
        must(tlog_proof_verify(&p, e, &log_key.key, NULL, NULL, NULL, &f));
        refuses(E_PROOF,
                tlog_proof_verify(&p, SPAN_LIT("entry x"), &log_key.key, NULL, NULL, NULL, &f));
        refuses(E_ORIGIN, tlog_proof_verify(&p, e, &witness[0].key, NULL, NULL, NULL, &f));
        p.index = (i + 1) % SIZE;
        refuses(E_PROOF, tlog_proof_verify(&p, e, &log_key.key, NULL, NULL, NULL, &f));
    }
    buf_release(&b);
}

static void test_quorum(void **state) {
    (void)state;
    struct fail f;
    struct buf b, text;
    buf_init(&b, TLOG_PROOF_BYTES_MAX);
    buf_init(&text, 4096);
    make(0, (struct span){NULL, 0}, &b);
    struct tlog_proof p;
    must(tlog_proof_parse(buf_view(&b), &p, &f));
    buf_str(&text, "witness w2 ");
    note_vkey_format(&witness[2].key, &text);
    buf_str(&text, "\nquorum w2\n");
    struct policy strict;
    must(policy_parse(buf_view(&text), &arena, &strict, &f));
    refuses(E_QUORUM,
            tlog_proof_verify(&p, SPAN_LIT("entry 0"), &log_key.key, &strict, NULL, NULL, &f));
    buf_release(&b);
    buf_release(&text);
}

#define H "yiM+eia4w1wsk/Ukx7kF56IQVkDW3MWUaUz/VtJu+yU=\n"

static void test_refused(void **state) {
    (void)state;
    struct fail f;
    struct tlog_proof p;
    must(tlog_proof_parse(SPAN_LIT("c2sp.org/tlog-proof@v1\nindex 0\n\n"), &p, &f));
    must(tlog_proof_parse(SPAN_LIT("c2sp.org/tlog-proof@v1\nextra YQ==\nindex 7\n" H "\nx"), &p,
                          &f));
    assert_true(span_is(p.checkpoint, "x"));
    assert_true(span_is(p.extra_base64, "YQ=="));
    static const char *const bad[] = {"",
                                      "c2sp.org/tlog-proof@v1",
                                      "c2sp.org/tlog-proof@v1\n",
                                      "c2sp.org/tlog-proof@v2\nindex 0\n\n",
                                      "c2sp.org/tlog-proof@v1\nindex 0\n",
                                      "c2sp.org/tlog-proof@v1\n\nindex 0\n\n",
                                      "c2sp.org/tlog-proof@v1\nindex\n\n",
                                      "c2sp.org/tlog-proof@v1\nindex \n\n",
                                      "c2sp.org/tlog-proof@v1\nindex 00\n\n",
                                      "c2sp.org/tlog-proof@v1\nindex -1\n\n",
                                      "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\n",
                                      "c2sp.org/tlog-proof@v1\nextra YQ==\n",
                                      "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\n",
                                      "c2sp.org/tlog-proof@v1\nextra YQ=\nindex 0\n\n",
                                      "c2sp.org/tlog-proof@v1\nextra YR==\nindex 0\n\n",
                                      "c2sp.org/tlog-proof@v1\nextra YQ==\nextra YQ==\nindex 0\n\n",
                                      "c2sp.org/tlog-proof@v1\nindex 0\nextra YQ==\n\n",
                                      "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n",
                                      ("c2sp.org/tlog-proof@v1\nindex 0\n" H),
                                      "c2sp.org/tlog-proof@v1\r\nindex 0\n\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_PROOF, tlog_proof_parse(span_text(bad[i]), &p, &f));
    struct buf b;
    buf_init(&b, TLOG_PROOF_BYTES_MAX);
    buf_str(&b, "c2sp.org/tlog-proof@v1\nindex 0\n");
    for (int i = 0; i < TLOG_PROOF_HASHES_MAX; i++) buf_str(&b, H);
    buf_byte(&b, '\n');
    must(tlog_proof_parse(buf_view(&b), &p, &f));
    b.n--;
    buf_str(&b, H "\n");
    refuses(E_PROOF, tlog_proof_parse(buf_view(&b), &p, &f));
    struct hash many[TLOG_PROOF_HASHES_MAX + 1] = {0};
    refuses(E_RANGE, tlog_proof_format((struct span){NULL, 0}, 0, many, TLOG_PROOF_HASHES_MAX + 1,
                                       SPAN_LIT(""), &b, &f));
    buf_release(&b);
}

/* Every bit of a whole proof file matters: the policy needs both cosignatures. */
static void test_bits(void **state) {
    (void)state;
    struct fail f;
    struct buf b;
    buf_init(&b, TLOG_PROOF_BYTES_MAX);
    make(13, (struct span){NULL, 0}, &b);
    for (size_t bit = 0; bit < 8 * b.n; bit++) {
        b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct tlog_proof p;
        err e = tlog_proof_parse(buf_view(&b), &p, &f);
        if (e == OK)
            e = tlog_proof_verify(&p, SPAN_LIT("entry 13"), &log_key.key, &policy, NULL, NULL, &f);
        if (e == OK) fail_msg("bit %zu of the file does not matter", bit);
        b.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_quorum),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
