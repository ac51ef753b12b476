/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/tree_source.h"

#include "base/file.h"

static err dir_get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f) {
    char whole[PATH_MAX_LEN];
    TRY(path_join(whole, sizeof whole, ctx, path, f));
    return file_read(whole, max, out, f);
}

struct tree_source tree_source_dir(const char *dir) {
    return (struct tree_source){dir_get, (void *)(uintptr_t)dir};
}

err tree_source_tile(const struct tree_source *s, struct tile t, struct buf *out, struct fail *f) {
    char path[TILE_PATH_MAX];
    size_t before = out->n;
    tile_path(t, path);
    err e = s->get(s->ctx, path, TILE_BUNDLE_MAX, out, f);
    if (e == E_NOT_FOUND && t.width < TILE_WIDTH) {
        struct tile full = t;
        full.width = TILE_WIDTH;
        tile_path(full, path);
        out->n = before;
        e = s->get(s->ctx, path, TILE_BUNDLE_MAX, out, f);
        if (e != OK) return e;
        struct span rest = span_of(out->p + before, out->n - before), entry, all = rest;
        size_t keep = (size_t)t.width * HASH_BYTES;
        if (t.entries) {
            bool more = true;
            for (unsigned i = 0; i < t.width && e == OK && more; i++)
                e = bundle_next(&rest, &entry, &more, f);
            if (e == OK && !more) e = fail_set(f, E_TILE, "%s holds too few entries", path);
            keep = all.n - rest.n;
        }
        if (e == OK && keep > all.n) e = fail_set(f, E_TILE, "%s holds too few hashes", path);
        if (e == OK) out->n = before + keep;
    }
    return e;
}
