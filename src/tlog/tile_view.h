/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A log seen through its tiles: every hash that is handed out is proved to lie under the root.
 *
 * The right edge's partial tiles give the root; a full tile is good when its hash stands in its
 * parent. So a damaged or forged tile is found by itself, with its path, and 64 KiB are enough for a
 * log of any size (C2SP tlog-tiles; spec/log.md, section 3). */
#ifndef TLOG_TILE_VIEW_H
#define TLOG_TILE_VIEW_H

#include "tlog/tile.h"

enum { TILE_VIEW_LEVELS = 8 };

struct tile_view {
    uint64_t size;
    struct hash root;
    /* Appends the tile's 32 * width bytes. `again`: those given before were not the right ones, so from
     * somewhere else. Any error ends the search. */
    err (*get)(void *ctx, struct tile t, bool again, struct buf *out, struct fail *f);
    void *ctx;
    struct {
        uint64_t edge_index;
        unsigned edge_width; /* 0: the level has no partial tile */
        bool cached;
        uint64_t index; /* of the full tile that is cached */
        struct hash edge[TILE_WIDTH], full[TILE_WIDTH];
    } level[TILE_VIEW_LEVELS];
};

/* Reads the right edge. size, root, get and ctx are filled in by the caller. E_TILE when the tiles do
 * not give the root. */
MUST_USE err tile_view_open(struct tile_view *v, struct fail *f);
/* The hashes of tile (level, index), tile_width_at(size) of them: valid until the next call. E_TILE
 * when it does not exist or does not belong here. */
MUST_USE err tile_view_tile(struct tile_view *v, unsigned level, uint64_t index,
                            const struct hash **out, struct fail *f);
/* The root when the log had `size` entries (<= v->size). */
MUST_USE err tile_view_root_at(struct tile_view *v, uint64_t size, struct hash *root,
                               struct fail *f);
/* Consistency proof from `old` (0 < old <= size) to the view, as merkle_tree_consistency. */
MUST_USE err tile_view_consistency(struct tile_view *v, uint64_t old, struct hash *proof, size_t *n,
                                   struct fail *f);

#endif
