/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/repair.h"

#include "base/diag.h"
#include "base/file.h"

void repair_begin(struct repair *r, uint64_t size) {
    r->walk = tile_walk(0, size / TILE_WIDTH * TILE_WIDTH);
    r->done = size < TILE_WIDTH;
    r->checked = r->repaired = 0;
}

static err take_entry(void *ctx, uint64_t index, struct span entry, struct fail *f) {
    (void)index;
    return bundle_add(ctx, entry, f);
}

err repair_tile_bytes(const struct merkle_tree *tree, struct store_reader *reader, struct tile t,
                      struct buf *out, struct fail *f) {
    return t.entries ? store_read(reader, t.index * TILE_WIDTH, t.width, take_entry, out, f)
                     : tile_hashes(tree, t, out, f);
}

static bool same_hashes(const struct merkle_tree *tree, struct tile t, struct span bytes) {
    struct buf want;
    buf_init(&want, TILE_BYTES);
    bool same = tile_hashes(tree, t, &want, NULL) == OK && span_eq(bytes, buf_view(&want));
    buf_release(&want);
    return same;
}

/* The entries' hashes are in the tree: the store need not be read. */
static bool same_entries(const struct merkle_tree *tree, struct tile t, struct span bytes) {
    struct span entries[TILE_WIDTH];
    if (bundle_parse(bytes, t.width, entries, NULL) != OK) return false;
    for (unsigned i = 0; i < t.width; i++) {
        struct hash leaf = merkle_leaf(entries[i]);
        const struct hash *want = merkle_tree_hash(tree, 0, t.index * TILE_WIDTH + i);
        if (!want || !hash_eq(&leaf, want)) return false;
    }
    return true;
}

static err check_tile(struct repair *r, struct tile t, struct buf *bytes, struct fail *f) {
    char name[TILE_PATH_MAX], path[PATH_MAX_LEN];
    struct fail why;
    tile_path(t, name);
    TRY(path_join(path, sizeof path, r->public_dir, name, f));
    buf_clear(bytes);
    err e = file_read(path, TILE_BUNDLE_MAX, bytes, &why);
    r->checked++;
    if (e == OK && (t.entries ? same_entries : same_hashes)(r->tree, t, buf_view(bytes))) return OK;
    diag(DIAG_WARN, "%s %s: it is made again from the log", name,
         e == E_NOT_FOUND ? "is missing" : "is damaged");
    buf_clear(bytes);
    TRY(repair_tile_bytes(r->tree, r->reader, t, bytes, f));
    r->repaired++;
    return writer_replace(r->writer, name, buf_view(bytes), f);
}

err repair_some(struct repair *r, unsigned most, struct fail *f) {
    struct tile t;
    struct buf bytes;
    err e = OK;
    uint64_t before = r->repaired;
    buf_init(&bytes, TILE_BUNDLE_MAX);
    for (unsigned i = 0; e == OK && i < most && !r->done; i++) {
        r->done = !tile_walk_next(&r->walk, &t);
        if (!r->done && t.width == TILE_WIDTH) e = check_tile(r, t, &bytes, f);
    }
    buf_release(&bytes);
    if (e == OK && r->repaired != before) e = writer_commit(r->writer, f);
    return e;
}
