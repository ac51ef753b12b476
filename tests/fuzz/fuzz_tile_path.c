/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Tile paths: one spelling each. */
#include <stdlib.h>
#include "tlog/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct tile t;
    struct fail f;
    char path[TILE_PATH_MAX];
    if (tile_path_parse(span_of(data, size), &t, &f) != OK) return 0;
    if (t.width == 0 || t.width > TILE_WIDTH || t.level > TILE_LEVEL_MAX) abort();
    tile_path(t, path);
    if (!span_is(span_of(data, size), path)) abort();
    return 0;
}
