/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A log and a witness over the pure rules: every status with its reason. */
#include "test.h"

#include "tlog/witness.h"

#define H "yiM+eia4w1wsk/Ukx7kF56IQVkDW3MWUaUz/VtJu+yU=\n"

static struct note_signer log_key, other_key, witness;
static struct merkle_tree *tree, *fork_tree;
static struct buf note, request;

static int setup(void **state) {
    (void)state;
    struct fail f;
    uint8_t seed[32] = {1};
    must(note_signer_make(SPAN_LIT("log.example"), NOTE_TYPE_ED25519, seed, &log_key, &f));
    seed[0] = 2;
    must(note_signer_make(SPAN_LIT("log.example"), NOTE_TYPE_ED25519, seed, &other_key, &f));
    seed[0] = 3;
    must(note_signer_make(SPAN_LIT("w.example"), NOTE_TYPE_COSIGNATURE, seed, &witness, &f));
    must(merkle_tree_new(100, &tree, &f));
    must(merkle_tree_new(100, &fork_tree, &f));
    for (uint8_t i = 0; i < 100; i++) {
        struct hash leaf = merkle_leaf(span_of(&i, 1));
        must(merkle_tree_append(tree, &leaf, &f));
        if (i == 5) leaf.b[0] ^= 1;
        must(merkle_tree_append(fork_tree, &leaf, &f));
    }
    buf_init(&note, CHECKPOINT_BYTES_MAX);
    buf_init(&request, WITNESS_REQUEST_MAX);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    merkle_tree_free(tree);
    merkle_tree_free(fork_tree);
    buf_release(&note);
    buf_release(&request);
    return 0;
}

static struct hash root_at(const struct merkle_tree *t, uint64_t size) {
    struct fail f;
    struct hash root;
    must(merkle_tree_root_at(t, size, &root, &f));
    return root;
}

/* Asks with a checkpoint of `t` at `size`, proof from `proved`, saying `old`. */
static struct witness_answer ask(const struct note_signer *signer, const struct merkle_tree *t,
                                 uint64_t size, uint64_t proved, uint64_t old,
                                 const struct witness_state *state) {
    struct fail f;
    struct hash root = root_at(t, size), proof[MERKLE_PROOF_MAX];
    size_t n = 0;
    struct witness_request r;
    struct witness_answer a;
    if (proved <= size) must(merkle_tree_consistency(t, proved, size, proof, &n, &f));
    buf_clear(&note);
    buf_clear(&request);
    must(checkpoint_sign(signer, size, &root, &note, &f));
    must(witness_request_format(old, proof, n, buf_view(&note), &request, &f));
    must(witness_request_parse(buf_view(&request), &r, &f));
    assert_true(span_is(r.checkpoint.origin, "log.example"));
    witness_decide(&r, &log_key.key, state, &a);
    return a;
}

static void says(struct witness_answer a, int status) {
    if (a.status != status) fail_msg("%d instead of %d: %s", a.status, status, a.body);
    assert_non_null(a.type);
    if (status != 200) assert_true(a.body[0] && a.body[strlen(a.body) - 1] == '\n');
}

static void test_growth(void **state) {
    (void)state;
    struct fail f;
    struct witness_state seen = {0};
    static const uint64_t sizes[] = {0, 0, 1, 1, 2, 5, 8, 13, 64, 64, 99, 100};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct witness_answer a = ask(&log_key, tree, sizes[i], seen.size, seen.size, &seen);
        says(a, 200);
        assert_true(a.next.size == sizes[i]);
        struct hash want = root_at(tree, sizes[i]);
        assert_true(hash_eq(&a.next.root, &want));
        seen = a.next;
        /* the cosignature travels back */
        struct buf lines, kept;
        struct note n;
        uint64_t t;
        buf_init(&lines, 4096);
        buf_init(&kept, 4096);
        must(note_cut(buf_view(&note), &n, &f));
        must(cosignature_sign(&witness, n.text, 77, &lines, &f));
        must(witness_answer_read(buf_view(&lines), &witness.key, n.text, &kept, &t, &f));
        assert_int_equal(t, 77);
        assert_true(span_eq(buf_view(&kept), buf_view(&lines)));
        refuses(E_SIGNATURE, witness_answer_read(buf_view(&lines), &witness.key,
                                                 SPAN_LIT("log.example\n3\n" H), &kept, &t, &f));
        buf_release(&lines);
        buf_release(&kept);
    }
}

static void test_refusals(void **state) {
    (void)state;
    struct witness_state none = {0}, at8 = {8, root_at(tree, 8)}, at64 = {64, root_at(tree, 64)};
    says(ask(&log_key, tree, 13, 8, 8, &at8), 200);
    says(ask(&other_key, tree, 13, 8, 8, &at8), 403); /* not the trusted key */
    says(ask(&log_key, tree, 5, 5, 8, &at8), 400);    /* old > size */
    struct witness_answer a = ask(&log_key, tree, 13, 5, 5, &at8);
    says(a, 409);
    assert_string_equal(a.body, "8\n");
    assert_string_equal(a.type, WITNESS_SIZE_TYPE);
    a = ask(&log_key, tree, 13, 5, 5, &none);
    says(a, 409);
    assert_string_equal(a.body, "0\n");
    says(ask(&log_key, tree, 13, 0, 0, &at8), 409);
    says(ask(&log_key, tree, 13, 4, 8, &at8), 422);      /* a proof from elsewhere */
    says(ask(&log_key, tree, 13, 0, 8, &at8), 422);      /* none at all */
    says(ask(&log_key, tree, 13, 5, 0, &none), 422);     /* a proof from nothing */
    says(ask(&log_key, tree, 8, 5, 8, &at8), 422);       /* a proof between equal sizes */
    says(ask(&log_key, fork_tree, 13, 8, 8, &at8), 422); /* another history */
    says(ask(&log_key, fork_tree, 8, 8, 8, &at8), 422);  /* another root at the same size */
    says(ask(&log_key, fork_tree, 100, 64, 64, &at64), 422);
}

static void test_empty_root(void **state) {
    (void)state;
    struct fail f;
    struct witness_state none = {0};
    struct witness_request r;
    struct witness_answer a;
    struct hash wrong = root_at(tree, 1);
    buf_clear(&note);
    buf_clear(&request);
    must(checkpoint_sign(&log_key, 0, &wrong, &note, &f));
    must(witness_request_format(0, NULL, 0, buf_view(&note), &request, &f));
    must(witness_request_parse(buf_view(&request), &r, &f));
    witness_decide(&r, &log_key.key, &none, &a);
    says(a, 422);
    witness_decide(&r, NULL, &none, &a);
    says(a, 404);
}

static void test_altered(void **state) {
    (void)state;
    struct fail f;
    struct witness_state at8 = {8, root_at(tree, 8)};
    struct witness_request r;
    struct witness_answer a;
    says(ask(&log_key, tree, 13, 8, 8, &at8), 200);
    /* no bit of a request may change without a refusal */
    for (size_t bit = 0; bit < 8 * request.n; bit++) {
        request.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (witness_request_parse(buf_view(&request), &r, &f) == OK) {
            witness_decide(&r, &log_key.key, &at8, &a);
            if (a.status == 200) fail_msg("bit %zu does not matter", bit);
        }
        request.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_malformed(void **state) {
    (void)state;
    struct fail f;
    struct witness_request r;
#define NOTE "o\n1\n" H "\n\xe2\x80\x94 o AAAAAAA=\n"
    must(witness_request_parse(SPAN_LIT("old 0\n\n" NOTE), &r, &f));
    must(witness_request_parse(SPAN_LIT("old 1\n" H H "\n" NOTE), &r, &f));
    assert_int_equal(r.count, 2);
    static const struct {
        const char *body;
        err want;
    } rows[] = {
        {"", E_CHECKPOINT},
        {"old", E_CHECKPOINT},
        {"old 0", E_CHECKPOINT},
        {"old 0\n", E_CHECKPOINT},
        {"old 0\n\n", E_NOTE},
        {"old 0\n" NOTE, E_BASE64},
        {"new 0\n\n" NOTE, E_CHECKPOINT},
        {"old  0\n\n" NOTE, E_NUMBER},
        {"old 00\n\n" NOTE, E_NUMBER},
        {"old -1\n\n" NOTE, E_NUMBER},
        {"old \n\n" NOTE, E_NUMBER},
        {"old 9223372036854775808\n\n" NOTE, E_RANGE},
        {"old 0\nAAAA\n\n" NOTE, E_BASE64},
        {"old 0\n" H, E_CHECKPOINT},
        {"old 0\r\n\n" NOTE, E_NUMBER},
        {"old 0\n\no\n1\n" H, E_NOTE},
        {"old 0\n\no\nx\n" H "\n\xe2\x80\x94 o AAAAAAA=\n", E_CHECKPOINT},
        {"old 0\n\no\n1\nshort\n\n\xe2\x80\x94 o AAAAAAA=\n", E_CHECKPOINT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refuses(rows[i].want, witness_request_parse(span_text(rows[i].body), &r, &f));
    /* the signature part is looked at when deciding */
    struct witness_state none = {0};
    struct witness_answer a;
    struct note_key key = log_key.key;
    key.name = SPAN_LIT("o");
    must(witness_request_parse(SPAN_LIT("old 0\n\no\n1\n" H "\n\xe2\x80\x94 o AAAAAAA\n"), &r, &f));
    witness_decide(&r, &key, &none, &a);
    says(a, 403);
    must(witness_request_parse(SPAN_LIT("old 0\n\no\n1\n" H "\nnothing\n"), &r, &f));
    witness_decide(&r, &key, &none, &a);
    says(a, 400);

    struct buf b;
    buf_init(&b, WITNESS_REQUEST_MAX);
    buf_str(&b, "old 1\n");
    for (int i = 0; i < WITNESS_PROOF_MAX; i++) buf_str(&b, H);
    size_t full = b.n;
    buf_str(&b, "\n" NOTE);
    must(witness_request_parse(buf_view(&b), &r, &f));
    b.n = full;
    buf_str(&b, H "\n" NOTE);
    refuses(E_CHECKPOINT, witness_request_parse(buf_view(&b), &r, &f));
    struct hash many[WITNESS_PROOF_MAX + 1] = {0};
    refuses(E_RANGE,
            witness_request_format(1, many, WITNESS_PROOF_MAX + 1, SPAN_LIT(NOTE), &b, &f));
    buf_release(&b);
}

static void test_answers(void **state) {
    (void)state;
    struct fail f;
    struct buf kept;
    uint64_t v;
    buf_init(&kept, 4096);
    struct span body = SPAN_LIT("log.example\n3\n" H);
    static const char *const bad[] = {"", "ok\n", "\xe2\x80\x94 w.example AAAAAAA=",
                                      "\xe2\x80\x94 someone AAAAAAA=\n", "<html>\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_NETWORK,
                witness_answer_read(span_text(bad[i]), &witness.key, body, &kept, &v, &f));
    must(witness_conflict_read(SPAN_LIT("0\n"), &v, &f));
    must(witness_conflict_read(SPAN_LIT("20852014\n"), &v, &f));
    assert_int_equal(v, 20852014);
    static const char *const no_size[] = {"",     "\n",   "5",   "5\n\n",
                                          "05\n", "-5\n", "x\n", "9223372036854775808\n"};
    for (size_t i = 0; i < sizeof no_size / sizeof *no_size; i++)
        refuses(E_NETWORK, witness_conflict_read(span_text(no_size[i]), &v, &f));
    buf_release(&kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth),     cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_empty_root), cmocka_unit_test(test_altered),
        cmocka_unit_test(test_malformed),  cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
