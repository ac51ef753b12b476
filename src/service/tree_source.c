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
    return tile_read(s->get, s->ctx, t, out, f);
}
