/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tiles: the static files of a log (C2SP tlog-tiles v0.1.0; spec/log.md, section 3). A hash tile
 * holds up to 256 hashes of one level, an entry bundle up to 256 entries, each behind its u16be
 * length.
 *
 * A tile of width 256 is full and immutable; narrower ones are the right edge at some size. */
#ifndef TLOG_TILE_H
#define TLOG_TILE_H

#include "tlog/merkle.h"

enum {
    TILE_WIDTH = 256,
    TILE_HEIGHT = 8, /* levels of the tree in a tile */
    TILE_LEVEL_MAX = 63,
    TILE_PATH_MAX = 64, /* with the NUL */
    TILE_BYTES = TILE_WIDTH * HASH_BYTES,
    TILE_ENTRY_MAX = 65535,
    TILE_BUNDLE_MAX = TILE_WIDTH * (2 + TILE_ENTRY_MAX)
};

struct tile {
    bool entries;   /* a bundle of entries; level is 0 */
    uint8_t level;  /* 0..63: hash i is that of 256^level leaves */
    uint16_t width; /* 1..256 */
    uint64_t index;
};

/* "tile/0/x001/234/067", "tile/1/000.p/17", "tile/entries/000.p/3"; NUL-terminated. The tile must
 * be well-formed. */
void tile_path(struct tile t, char out[TILE_PATH_MAX]);
/* The same path read strictly (relative, one spelling each): E_TILE. */
MUST_USE err tile_path_parse(struct span path, struct tile *out, struct fail *f);

/* The width that tile (level, index) has at a tree size: 0 (does not exist) to 256. For entries,
 * level 0. */
unsigned tile_width_at(uint64_t size, unsigned level, uint64_t index);

/* Which tiles to write when the log grows from one size to another (from = 0: all of them): every
 * tile that is new, wider or now full, entries first, then level by level, in order of index.
 *   struct tile_walk w = tile_walk(from, to); while (tile_walk_next(&w, &t)) ... */
struct tile_walk {
    uint64_t from, to, index;
    unsigned level;
    bool entries;
};
static inline struct tile_walk tile_walk(uint64_t from, uint64_t to) {
    return (struct tile_walk){from, to, from / TILE_WIDTH, 0, true};
}
bool tile_walk_next(struct tile_walk *w, struct tile *out);

/* Appends the 32 * width bytes of a hash tile; E_TILE when the tree does not have them. */
MUST_USE err tile_hashes(const struct merkle_tree *tree, struct tile t, struct buf *out,
                         struct fail *f);

/* Appends one entry to a bundle: E_TOO_LARGE past 65,535 bytes. */
MUST_USE err bundle_add(struct buf *out, struct span entry, struct fail *f);
/* The next entry of a bundle (borrowed); *more false at its end. E_TILE when it is cut short. */
MUST_USE err bundle_next(struct span *rest, struct span *entry, bool *more, struct fail *f);
/* The first `width` entries or hashes of a full tile whose bytes stand in *b from `before` on. E_TILE
 * when it holds fewer. */
MUST_USE err tile_cut(struct tile t, struct buf *b, size_t before, struct fail *f);
/* Appends a tile or bundle of a published tree, read by path: of the width it has there, or, where only
 * the full one is left, its beginning. `get` appends the file; its errors are handed on. */
typedef err tile_get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f);
MUST_USE err tile_read(tile_get *get, void *ctx, struct tile t, struct buf *out, struct fail *f);
/* Exactly `width` entries and nothing more, into entries[width] (borrowed). E_TILE. */
MUST_USE err bundle_parse(struct span bytes, unsigned width, struct span *entries, struct fail *f);

#endif
