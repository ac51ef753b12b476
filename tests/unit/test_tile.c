/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "tlog/tile.h"

static void path_is(struct tile t, const char *want) {
    struct fail f;
    char path[TILE_PATH_MAX];
    struct tile again;
    tile_path(t, path);
    assert_string_equal(path, want);
    must(tile_path_parse(span_text(want), &again, &f));
    assert_int_equal(again.entries, t.entries);
    assert_int_equal(again.level, t.level);
    assert_int_equal(again.width, t.width);
    assert_true(again.index == t.index);
}

static void test_paths(void **state) {
    (void)state;
    path_is((struct tile){.width = 256, .index = 0}, "tile/0/000");
    path_is((struct tile){.width = 256, .index = 1234067}, "tile/0/x001/x234/067");
    path_is((struct tile){.width = 17, .level = 1, .index = 1}, "tile/1/001.p/17");
    path_is((struct tile){.width = 1, .level = 63, .index = 999}, "tile/63/999.p/1");
    path_is((struct tile){.width = 255, .index = 1000}, "tile/0/x001/000.p/255");
    path_is((struct tile){.entries = true, .width = 256, .index = 273}, "tile/entries/273");
    path_is((struct tile){.entries = true, .width = 112, .index = 273}, "tile/entries/273.p/112");
    path_is((struct tile){.width = 5, .level = 63, .index = UINT64_MAX},
            "tile/63/x018/x446/x744/x073/x709/x551/615.p/5");
    struct fail f;
    struct tile t;
    static const char *const bad[] = {"",
                                      "tile",
                                      "tile/",
                                      "tile/0",
                                      "tile/0/",
                                      "tile/0/0",
                                      "tile/0/00",
                                      "tile/0/0000",
                                      "tile/00/000",
                                      "tile/64/000",
                                      "tile/-1/000",
                                      "tile/x/000",
                                      "/tile/0/000",
                                      "tile/0/000/",
                                      "tile/0/x000/000",
                                      "tile/0/x001",
                                      "tile/0/001/000",
                                      "tile/0/x001/x000",
                                      "tile/0/X001/000",
                                      "tile/0/000.p",
                                      "tile/0/000.p/",
                                      "tile/0/000.p/0",
                                      "tile/0/000.p/256",
                                      "tile/0/000.p/01",
                                      "tile/0/000.p/1/",
                                      "tile/0/000.q/1",
                                      "tile/0/x001.p/1",
                                      "tile//000",
                                      "tile/0//000",
                                      "tile/0/12a",
                                      "tile/0/../0",
                                      "tile/entries",
                                      "tile/entries/",
                                      "tile/Entries/000",
                                      "tile/0/x018/x446/x744/x073/x709/x551/616",
                                      "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                                      "tile/0/000.p/1 ",
                                      "tile/0/000\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_TILE, tile_path_parse(span_text(bad[i]), &t, &f));
    refuses(E_TILE, tile_path_parse(span_of("tile/0/000\0", 11), &t, &f));
}

/* Size 70,000 as the tiles text has it: 273 full and 112 at level 0, 1 full and 17, 1. */
static void test_lists(void **state) {
    (void)state;
    assert_int_equal(tile_width_at(70000, 0, 272), 256);
    assert_int_equal(tile_width_at(70000, 0, 273), 112);
    assert_int_equal(tile_width_at(70000, 0, 274), 0);
    assert_int_equal(tile_width_at(70000, 1, 0), 256);
    assert_int_equal(tile_width_at(70000, 1, 1), 17);
    assert_int_equal(tile_width_at(70000, 2, 0), 1);
    assert_int_equal(tile_width_at(70000, 3, 0), 0);
    assert_int_equal(tile_width_at(65536, 0, 256), 0); /* no empty tile */
    struct tile_walk w = tile_walk(0, 70000);
    struct tile t;
    size_t count[4] = {0};
    while (tile_walk_next(&w, &t)) {
        if (t.entries) {
            assert_int_equal(t.index, count[3]++);
        } else {
            assert_int_equal(t.index, count[t.level]++);
        }
        assert_int_equal(t.width, tile_width_at(70000, t.level, t.index));
    }
    assert_int_equal(count[3], 274);
    assert_int_equal(count[0], 274);
    assert_int_equal(count[1], 2);
    assert_int_equal(count[2], 1);

    /* 255 -> 257: the first tile becomes full, a second begins, level 1 gets its first hash */
    static const char *const want[] = {"tile/entries/000", "tile/entries/001.p/1", "tile/0/000",
                                       "tile/0/001.p/1", "tile/1/000.p/1"};
    w = tile_walk(255, 257);
    for (size_t i = 0; i < 5; i++) {
        char path[TILE_PATH_MAX];
        assert_true(tile_walk_next(&w, &t));
        tile_path(t, path);
        assert_string_equal(path, want[i]);
    }
    assert_false(tile_walk_next(&w, &t));
    w = tile_walk(257, 257);
    assert_false(tile_walk_next(&w, &t));
    w = tile_walk(0, 0);
    assert_false(tile_walk_next(&w, &t));
}

/* What changed between two sizes, against comparing every tile. */
static void test_changes(void **state) {
    (void)state;
    static const uint64_t sizes[] = {0,   1,     2,     255,   256,   257,   511,    512,   513,
                                     700, 65535, 65536, 65537, 65792, 66000, 131072, 140000};
    for (size_t a = 0; a < sizeof sizes / sizeof *sizes; a++)
        for (size_t b = a; b < sizeof sizes / sizeof *sizes; b++) {
            struct tile_walk w = tile_walk(sizes[a], sizes[b]);
            struct tile t;
            for (int pass = -1; pass < 4; pass++) { /* entries, then levels */
                unsigned level = pass < 0 ? 0 : (unsigned)pass;
                for (uint64_t i = 0; tile_width_at(sizes[b], level, i); i++) {
                    unsigned width = tile_width_at(sizes[b], level, i);
                    if (tile_width_at(sizes[a], level, i) == width) continue;
                    assert_true(tile_walk_next(&w, &t));
                    assert_int_equal(t.entries, pass < 0);
                    assert_int_equal(t.level, level);
                    assert_true(t.index == i);
                    assert_int_equal(t.width, width);
                }
            }
            assert_false(tile_walk_next(&w, &t));
        }
}

static void test_hashes(void **state) {
    (void)state;
    struct fail f;
    struct merkle_tree *tree;
    must(merkle_tree_new(70000, &tree, &f));
    for (unsigned i = 0; i < 70000; i++) {
        uint8_t bytes[4];
        put_u32be(bytes, i);
        struct hash leaf = merkle_leaf(span_of(bytes, 4));
        must(merkle_tree_append(tree, &leaf, &f));
    }
    struct buf low, high;
    buf_init(&low, TILE_BYTES);
    buf_init(&high, TILE_BYTES);
    must(tile_hashes(tree, (struct tile){.level = 1, .index = 1, .width = 17}, &high, &f));
    assert_int_equal(high.n, 17 * 32);
    for (unsigned i = 0; i < 17; i++) { /* each hash of level 1 is the root of a tile below */
        struct merkle_frontier edge = {0};
        buf_clear(&low);
        must(tile_hashes(tree, (struct tile){.index = 256 + i, .width = 256}, &low, &f));
        assert_int_equal(low.n, TILE_BYTES);
        for (size_t j = 0; j < 256; j++) {
            struct hash h;
            memcpy(h.b, low.p + 32 * j, 32);
            merkle_frontier_append(&edge, &h);
        }
        struct hash root = merkle_frontier_root(&edge);
        assert_memory_equal(root.b, high.p + 32 * i, 32);
    }
    refuses(E_TILE,
            tile_hashes(tree, (struct tile){.level = 1, .index = 1, .width = 18}, &high, &f));
    refuses(E_TILE, tile_hashes(tree, (struct tile){.entries = true, .width = 1}, &high, &f));
    refuses(E_TILE, tile_hashes(tree, (struct tile){.index = UINT64_MAX, .width = 1}, &high, &f));
    refuses(E_TILE, tile_hashes(tree, (struct tile){.level = 63, .width = 1}, &high, &f));
    buf_release(&low);
    buf_release(&high);
    merkle_tree_free(tree);
}

static void test_bundles(void **state) {
    (void)state;
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 18);
    static uint8_t large[TILE_ENTRY_MAX + 1];
    must(bundle_add(&b, SPAN_LIT("one"), &f));
    must(bundle_add(&b, SPAN_LIT(""), &f));
    must(bundle_add(&b, span_of(large, TILE_ENTRY_MAX), &f));
    refuses(E_TOO_LARGE, bundle_add(&b, span_of(large, sizeof large), &f));
    assert_memory_equal(b.p, "\0\3one\0\0\xff\xff", 9);
    struct span e[4];
    must(bundle_parse(buf_view(&b), 3, e, &f));
    assert_true(span_is(e[0], "one"));
    assert_int_equal(e[1].n, 0);
    assert_int_equal(e[2].n, TILE_ENTRY_MAX);
    refuses(E_TILE, bundle_parse(buf_view(&b), 2, e, &f));
    refuses(E_TILE, bundle_parse(buf_view(&b), 4, e, &f));
    for (size_t n = 0; n < 9; n++) refuses(E_TILE, bundle_parse(span_of(b.p, n), 3, e, &f));
    refuses(E_TILE, bundle_parse(span_of(b.p, b.n - 1), 3, e, &f));
    buf_byte(&b, 0);
    refuses(E_TILE, bundle_parse(buf_view(&b), 3, e, &f));
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),   cmocka_unit_test(test_lists),
        cmocka_unit_test(test_changes), cmocka_unit_test(test_hashes),
        cmocka_unit_test(test_bundles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
