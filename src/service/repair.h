/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Repairing the published tiles: after a crash, a bad disk or somebody's hand, each full tile and
 * entry bundle is compared with the log (by its hashes, without reading the store) and made again
 * where it differs or is missing. Done in parts, so that publishing goes on meanwhile. */
#ifndef SERVICE_REPAIR_H
#define SERVICE_REPAIR_H

#include "store/store.h"
#include "store/writer.h"
#include "tlog/tile.h"

struct repair {
    const char *public_dir;           /* all borrowed */
    struct writer *writer;            /* with nothing added to it that is not committed */
    struct store_reader *reader;
    const struct merkle_tree *tree;
    struct tile_walk walk;
    bool done;
    uint64_t checked, repaired;
};

/* Everything that a tree of `size` entries has as full tiles. */
void repair_begin(struct repair *r, uint64_t size);
/* The next `most` tiles; r->done when there are no more. */
MUST_USE err repair_some(struct repair *r, unsigned most, struct fail *f);

/* What a tile's file holds, from the log: appended to *out. */
MUST_USE err repair_tile_bytes(const struct merkle_tree *tree, struct store_reader *reader,
                               struct tile t, struct buf *out, struct fail *f);

#endif
