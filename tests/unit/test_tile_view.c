/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A log through its tiles: the same roots and proofs as from the whole tree, and no bit may flip. */
#include "test.h"

#include "tlog/tile_view.h"

enum { SIZE_MAX_ = 70000 };

struct source {
    struct merkle_tree *tree;
    unsigned level;
    uint64_t index;
    bool flip, flip_again; /* one bit of that tile is wrong; also when asked again */
    int asked;
};

static err get(void *ctx, struct tile t, bool again, struct buf *out, struct fail *f) {
    struct source *s = ctx;
    s->asked++;
    TRY(tile_hashes(s->tree, t, out, f));
    if (s->level == t.level && s->index == t.index && (again ? s->flip_again : s->flip))
        out->p[out->n / 2] ^= 4;
    return OK;
}

static struct source source;

static int setup(void **state) {
    (void)state;
    struct fail f;
    must(merkle_tree_new(SIZE_MAX_, &source.tree, &f));
    for (uint32_t i = 0; i < SIZE_MAX_; i++) {
        struct hash leaf = merkle_leaf(span_of(&i, sizeof i));
        must(merkle_tree_append(source.tree, &leaf, &f));
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    merkle_tree_free(source.tree);
    return 0;
}

static struct tile_view view;

static void open_at(uint64_t size) {
    struct fail f;
    memset(&view, 0, sizeof view);
    view.size = size;
    view.get = get;
    view.ctx = &source;
    must(merkle_tree_root_at(source.tree, size, &view.root, &f));
    must(tile_view_open(&view, &f));
}

static const uint64_t sizes[] = {0,   1,   2,    3,     255,   256,   257,  511,
                                 512, 513, 1000, 65535, 65536, 65537, 69999, 70000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void test_roots_and_proofs(void **state) {
    (void)state;
    struct fail f;
    for (size_t i = 0; i < SIZES; i++) {
        open_at(sizes[i]);
        for (size_t k = 0; k <= i; k++) {
            struct hash root, want, proof[MERKLE_PROOF_MAX], want_proof[MERKLE_PROOF_MAX];
            size_t n, want_n;
            must(tile_view_root_at(&view, sizes[k], &root, &f));
            must(merkle_tree_root_at(source.tree, sizes[k], &want, &f));
            assert_true(hash_eq(&root, &want));
            if (sizes[k] == 0) continue;
            must(tile_view_consistency(&view, sizes[k], proof, &n, &f));
            must(merkle_tree_consistency(source.tree, sizes[k], sizes[i], want_proof, &want_n, &f));
            assert_int_equal(n, want_n);
            assert_memory_equal(proof, want_proof, n * sizeof *proof);
        }
        struct hash none;
        refuses(E_RANGE, tile_view_root_at(&view, sizes[i] + 1, &none, &f));
    }
}

static void test_tiles(void **state) {
    (void)state;
    struct fail f;
    const struct hash *h;
    open_at(70000);
    for (uint64_t i = 0; i < 274; i++) {
        must(tile_view_tile(&view, 0, i, &h, &f));
        for (uint64_t k = 0; k < tile_width_at(70000, 0, i); k++)
            assert_true(hash_eq(&h[k], merkle_tree_hash(source.tree, 0, i * 256 + k)));
    }
    refuses(E_TILE, tile_view_tile(&view, 0, 274, &h, &f));
    refuses(E_TILE, tile_view_tile(&view, 3, 0, &h, &f));
    refuses(E_TILE, tile_view_tile(&view, 9, 0, &h, &f));
}

static void test_flips(void **state) {
    (void)state;
    struct fail f;
    const struct hash *h;
    static const struct {
        unsigned level;
        uint64_t index;
    } at[] = {{0, 3}, {0, 272}, {1, 0}};
    for (size_t i = 0; i < 3; i++) {
        source.level = at[i].level;
        source.index = at[i].index;
        source.flip = true;
        source.flip_again = false;
        open_at(70000);
        must(tile_view_tile(&view, at[i].level, at[i].index, &h, &f)); /* the second one is right */
        source.flip_again = true;
        view.level[at[i].level].cached = false;
        refuses(E_TILE, tile_view_tile(&view, at[i].level, at[i].index, &h, &f));
        assert_non_null(strstr(f.text, "tile/"));
    }
    /* a partial tile: the root does not come out */
    static const uint64_t edge[] = {273, 1, 0};
    for (unsigned l = 0; l < 3; l++) {
        source.level = l;
        source.index = edge[l];
        refuses(E_TILE, tile_view_open(&view, &f));
        source.flip_again = false;
        must(tile_view_open(&view, &f));
        source.flip_again = true;
    }
    source.flip = source.flip_again = false;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roots_and_proofs),
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_flips),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
