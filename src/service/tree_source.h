/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reading a published tree: from a folder here, from a URL in http/tree_url.h. */
#ifndef SERVICE_TREE_SOURCE_H
#define SERVICE_TREE_SOURCE_H

#include "base/bytes.h"
#include "tlog/tile.h"

struct tree_source {
    /* Appends the file at this relative path; E_NOT_FOUND when it is not there. Thread-safe. */
    err (*get)(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f);
    void *ctx;
};

/* A folder; `dir` is borrowed. */
struct tree_source tree_source_dir(const char *dir);

/* A tile of a log of `size` entries, of the width it has there; where only a wider one is published
 * (partial ones may be deleted), its beginning. E_TILE when it is damaged. */
MUST_USE err tree_source_tile(const struct tree_source *s, struct tile t, struct buf *out,
                              struct fail *f);

#endif
