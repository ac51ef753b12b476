/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The tree against a plain recursive reading of RFC 9162, published roots, and random trees. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include "base/rng.h"
#include "tlog/merkle.h"

static void hex_is(struct hash h, const char *want) {
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&h, hex);
    assert_string_equal(hex, want);
}

static void base64_is(struct hash h, const char *want) {
    char text[HASH_BASE64_LEN + 1];
    base64_encode(hash_span(&h), text);
    assert_string_equal(text, want);
}

/* MTH of RFC 9162 section 2.1.1, word for word. */
static struct hash mth(const struct hash *leaves, size_t n) {
    if (n == 0) return merkle_empty();
    if (n == 1) return leaves[0];
    size_t k = 1;
    while (k * 2 < n) k *= 2;
    struct hash l = mth(leaves, k), r = mth(leaves + k, n - k);
    return merkle_node(&l, &r);
}

/* The eight leaves of the certificate-transparency test data, and their roots. */
static void test_eight_leaves(void **state) {
    (void)state;
    struct fail f;
    static const char *const leaves[] = {"",
                                         "00",
                                         "10",
                                         "2021",
                                         "3031",
                                         "40414243",
                                         "5051525354555657",
                                         "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[] = {
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    struct merkle_tree *t;
    struct merkle_frontier edge = {0};
    must(merkle_tree_new(8, &t, &f));
    hex_is(merkle_tree_root(t), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < 8; i++) {
        uint8_t bytes[16];
        size_t n = strlen(leaves[i]) / 2;
        must(hex_decode(span_text(leaves[i]), bytes, n, &f));
        struct hash leaf = merkle_leaf(span_of(bytes, n));
        must(merkle_tree_append(t, &leaf, &f));
        merkle_frontier_append(&edge, &leaf);
        hex_is(merkle_tree_root(t), roots[i]);
        hex_is(merkle_frontier_root(&edge), roots[i]);
    }
    refuses(E_MEMORY, merkle_tree_append(t, &edge.edge[0], &f));
    assert_int_equal(merkle_tree_size(t), 8);
    merkle_tree_free(t);
    merkle_tree_free(NULL);
    refuses(E_RANGE, merkle_tree_new(0, &t, &f));
    refuses(E_RANGE, merkle_tree_new(((uint64_t)1 << 36) + 1, &t, &f));
}

/* "record 0" .. : roots made by several independent implementations. */
static void test_records(void **state) {
    (void)state;
    struct fail f;
    struct merkle_tree *t;
    struct merkle_frontier edge = {0};
    must(merkle_tree_new(70000, &t, &f));
    for (unsigned i = 0; i < 70000; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "record %u", i);
        struct hash leaf = merkle_leaf(span_of(text, (size_t)n));
        must(merkle_tree_append(t, &leaf, &f));
        merkle_frontier_append(&edge, &leaf);
        if (i + 1 == 300)
            base64_is(merkle_frontier_root(&edge), "gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=");
        if (i + 1 == 65537)
            base64_is(merkle_tree_root(t), "JemCm45V1bT69egytHB0eLeQlWFlIdmqHeuA/+JGNPg=");
    }
    base64_is(merkle_tree_root(t), "25Wlw4AqrnlkUtIrNNU+dJybwG++mtIplU2A2Oqj7hY=");
    base64_is(merkle_frontier_root(&edge), "25Wlw4AqrnlkUtIrNNU+dJybwG++mtIplU2A2Oqj7hY=");
    struct hash root;
    must(merkle_tree_root_at(t, 300, &root, &f));
    base64_is(root, "gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=");
    refuses(E_RANGE, merkle_tree_root_at(t, 70001, &root, &f));
    /* proofs far into the tree are as long as the tree is high */
    struct hash proof[MERKLE_PROOF_MAX], leaf = merkle_leaf(SPAN_LIT("record 12345"));
    size_t n;
    must(merkle_tree_inclusion(t, 12345, 70000, proof, &n, &f));
    assert_int_equal(n, 17);
    root = merkle_tree_root(t);
    must(merkle_verify_inclusion(&leaf, 12345, 70000, proof, n, &root, &f));
    merkle_tree_free(t);
}

enum { SMALL = 70, LARGE = 1000 };

static struct merkle_tree *random_tree(struct rng *r, struct hash *leaves, size_t n) {
    struct fail f;
    struct merkle_tree *t;
    must(merkle_tree_new(n ? n : 1, &t, &f));
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < 4; j++) put_u64be(leaves[i].b + 8 * j, rng_u64(r));
        must(merkle_tree_append(t, &leaves[i], &f));
    }
    return t;
}

/* All pairs of sizes and indices up to 70. */
static void test_all_small(void **state) {
    (void)state;
    struct fail f;
    struct rng r;
    rng_init(&r, 1);
    static struct hash leaves[SMALL];
    struct merkle_tree *t = random_tree(&r, leaves, SMALL);
    struct hash proof[MERKLE_PROOF_MAX], root, older;
    size_t n;
    for (size_t size = 0; size <= SMALL; size++) {
        must(merkle_tree_root_at(t, size, &root, &f));
        struct hash want = mth(leaves, size);
        assert_true(hash_eq(&root, &want));
        for (size_t i = 0; i < size; i++) {
            must(merkle_tree_inclusion(t, i, size, proof, &n, &f));
            must(merkle_verify_inclusion(&leaves[i], i, size, proof, n, &root, &f));
            for (size_t j = 0; j < size; j++) /* not at any other place */
                if (j != i)
                    refuses(E_PROOF,
                            merkle_verify_inclusion(&leaves[i], j, size, proof, n, &root, &f));
        }
        refuses(E_RANGE, merkle_tree_inclusion(t, size, size, proof, &n, &f));
        for (size_t old = 0; old <= size; old++) {
            must(merkle_tree_root_at(t, old, &older, &f));
            must(merkle_tree_consistency(t, old, size, proof, &n, &f));
            if (old == 0) {
                assert_int_equal(n, 0);
                refuses(E_PROOF, merkle_verify_consistency(0, size, proof, n, &older, &root, &f));
                continue;
            }
            must(merkle_verify_consistency(old, size, proof, n, &older, &root, &f));
            if (n < MERKLE_PROOF_MAX) { /* one hash too many, one too few */
                proof[n] = root;
                refuses(E_PROOF,
                        merkle_verify_consistency(old, size, proof, n + 1, &older, &root, &f));
            }
            if (n)
                refuses(E_PROOF,
                        merkle_verify_consistency(old, size, proof, n - 1, &older, &root, &f));
        }
        refuses(E_RANGE, merkle_tree_consistency(t, size + 1, size, proof, &n, &f));
    }
    refuses(E_RANGE, merkle_tree_inclusion(t, 0, SMALL + 1, proof, &n, &f));
    refuses(E_RANGE, merkle_tree_consistency(t, 1, SMALL + 1, proof, &n, &f));
    merkle_tree_free(t);
}

static void flip(struct hash *h, size_t bit) {
    h->b[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

/* Seeded trees up to 1,000 leaves: every proof verifies, every one-bit change anywhere fails. */
static void test_random_bits(void **state) {
    (void)state;
    struct fail f;
    struct rng r;
    rng_init(&r, 20170808);
    static struct hash leaves[LARGE];
    for (int round = 0; round < 12; round++) {
        size_t size = 1 + (size_t)rng_below(&r, LARGE), n;
        struct merkle_tree *t = random_tree(&r, leaves, size);
        struct hash proof[MERKLE_PROOF_MAX], root = merkle_tree_root(t), older;
        size_t i = (size_t)rng_below(&r, size), old = 1 + (size_t)rng_below(&r, size);
        must(merkle_tree_inclusion(t, i, size, proof, &n, &f));
        must(merkle_verify_inclusion(&leaves[i], i, size, proof, n, &root, &f));
        for (size_t bit = 0; bit < 256 * (n + 2); bit++) {
            struct hash *h = bit / 256 < n    ? &proof[bit / 256]
                             : bit / 256 == n ? &leaves[i]
                                              : &root;
            flip(h, bit % 256);
            refuses(E_PROOF, merkle_verify_inclusion(&leaves[i], i, size, proof, n, &root, &f));
            flip(h, bit % 256);
        }
        must(merkle_tree_root_at(t, old, &older, &f));
        must(merkle_tree_consistency(t, old, size, proof, &n, &f));
        must(merkle_verify_consistency(old, size, proof, n, &older, &root, &f));
        for (size_t bit = 0; bit < 256 * (n + 2); bit++) {
            struct hash *h = bit / 256 < n ? &proof[bit / 256] : bit / 256 == n ? &older : &root;
            flip(h, bit % 256);
            refuses(E_PROOF, merkle_verify_consistency(old, size, proof, n, &older, &root, &f));
            flip(h, bit % 256);
        }
        merkle_tree_free(t);
    }
}

/* Giving up a batch and appending another is as if the first had never been. */
static void test_truncate(void **state) {
    (void)state;
    struct fail f;
    struct rng r;
    rng_init(&r, 3);
    static struct hash leaves[LARGE], others[LARGE];
    for (int round = 0; round < 20; round++) {
        struct merkle_tree *t = random_tree(&r, leaves, LARGE), *fresh;
        size_t keep = (size_t)rng_below(&r, LARGE + 1);
        fresh = random_tree(&r, others, LARGE);
        must(merkle_tree_truncate(t, keep, &f));
        struct hash a = merkle_tree_root(t), b = mth(leaves, keep);
        assert_true(hash_eq(&a, &b));
        memcpy(others, leaves, keep * sizeof *leaves);
        must(merkle_tree_truncate(fresh, 0, &f));
        for (size_t i = 0; i < LARGE; i++) must(merkle_tree_append(fresh, &others[i], &f));
        for (size_t i = keep; i < LARGE; i++) must(merkle_tree_append(t, &others[i], &f));
        for (unsigned level = 0; level < 11; level++) {
            for (uint64_t i = 0; i < (uint64_t)LARGE >> level; i++)
                assert_true(
                    hash_eq(merkle_tree_hash(t, level, i), merkle_tree_hash(fresh, level, i)));
            assert_null(merkle_tree_hash(t, level, LARGE >> level));
        }
        refuses(E_RANGE, merkle_tree_truncate(t, LARGE + 1, &f));
        merkle_tree_free(t);
        merkle_tree_free(fresh);
    }
}

/* Addresses stay while the tree grows over many chunks. */
static void test_stable(void **state) {
    (void)state;
    struct fail f;
    struct merkle_tree *t;
    must(merkle_tree_new(100000, &t, &f));
    struct hash leaf = merkle_leaf(SPAN_LIT("x"));
    must(merkle_tree_append(t, &leaf, &f));
    const struct hash *first = merkle_tree_hash(t, 0, 0);
    for (int i = 1; i < 20000; i++) must(merkle_tree_append(t, &leaf, &f));
    assert_ptr_equal(first, merkle_tree_hash(t, 0, 0));
    assert_non_null(merkle_tree_hash(t, 14, 0));
    assert_null(merkle_tree_hash(t, 15, 0));
    assert_null(merkle_tree_hash(t, 63, 0));
    merkle_tree_free(t);
}

struct reader {
    struct merkle_tree *tree;
    uint64_t proofs, wrong;
};

/* Proves and checks at whatever size is there, until the tree is full. */
static void *read_proofs(void *arg) {
    struct reader *r = arg;
    struct rng rng;
    struct hash proof[MERKLE_PROOF_MAX], root;
    uint64_t size;
    rng_init(&rng, 5);
    do {
        size_t n;
        struct fail f;
        size = merkle_tree_size(r->tree);
        if (size == 0) continue;
        uint64_t i = rng_below(&rng, size);
        if (merkle_tree_root_at(r->tree, size, &root, &f) != OK ||
            merkle_tree_inclusion(r->tree, i, size, proof, &n, &f) != OK ||
            merkle_verify_inclusion(merkle_tree_hash(r->tree, 0, i), i, size, proof, n, &root,
                                    &f) != OK)
            r->wrong++;
        r->proofs++;
    } while (size < 20000);
    return NULL;
}

static void test_readers(void **state) {
    (void)state;
    struct fail f;
    struct merkle_tree *t;
    must(merkle_tree_new(20000, &t, &f));
    struct reader readers[2] = {{.tree = t}, {.tree = t}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_proofs, &readers[i]), 0);
    struct hash leaf = merkle_leaf(SPAN_LIT("x"));
    for (uint64_t i = 0; i < 20000; i++) {
        put_u64be(leaf.b, i);
        must(merkle_tree_append(t, &leaf, &f));
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(readers[i].proofs > 0);
        assert_int_equal(readers[i].wrong, 0);
    }
    merkle_tree_free(t);
}

static void test_subtrees(void **state) {
    (void)state;
    assert_true(merkle_subtree_is_valid(0, 7));
    assert_true(merkle_subtree_is_valid(8, 13));
    assert_true(merkle_subtree_is_valid(5, 6));
    assert_true(merkle_subtree_is_valid(5, 5));
    assert_false(merkle_subtree_is_valid(4, 9));
    assert_false(merkle_subtree_is_valid(2, 5));
    assert_false(merkle_subtree_is_valid(6, 5));
    assert_true(merkle_subtree_is_valid(0, UINT64_MAX));
    assert_false(merkle_subtree_is_valid(1, UINT64_MAX));
    struct fail f;
    struct rng r;
    rng_init(&r, 4);
    static struct hash leaves[SMALL];
    struct merkle_tree *t = random_tree(&r, leaves, SMALL);
    struct hash proof[MERKLE_PROOF_MAX];
    size_t n;
    for (uint64_t start = 0; start < SMALL; start += 8) {
        uint64_t end = start + 8 > SMALL ? SMALL : start + 8;
        struct hash root = mth(leaves + start, (size_t)(end - start));
        struct merkle_tree *part;
        must(merkle_tree_new(8, &part, &f));
        for (uint64_t i = start; i < end; i++) must(merkle_tree_append(part, &leaves[i], &f));
        for (uint64_t i = start; i < end; i++) {
            must(merkle_tree_inclusion(part, i - start, end - start, proof, &n, &f));
            must(merkle_verify_subtree_inclusion(&leaves[i], i, start, end, proof, n, &root, &f));
            refuses(E_PROOF, merkle_verify_subtree_inclusion(&leaves[i], i, start + 1, end + 1,
                                                             proof, n, &root, &f));
        }
        merkle_tree_free(part);
    }
    merkle_tree_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eight_leaves), cmocka_unit_test(test_records),
        cmocka_unit_test(test_all_small),    cmocka_unit_test(test_random_bits),
        cmocka_unit_test(test_truncate),     cmocka_unit_test(test_stable),
        cmocka_unit_test(test_subtrees),     cmocka_unit_test(test_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
