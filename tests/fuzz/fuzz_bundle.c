/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Entry bundles: what is read is written back as it was. */
#include <stdlib.h>
#include "tlog/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span rest = span_of(data, size), e[TILE_WIDTH];
    struct fail f;
    struct buf b;
    bool more = true;
    unsigned n = 0;
    buf_init(&b, size + 1);
    while (bundle_next(&rest, &e[n % TILE_WIDTH], &more, &f) == OK && more) {
        if (bundle_add(&b, e[n % TILE_WIDTH], &f) != OK) abort();
        n++;
    }
    if (!more && !span_eq(buf_view(&b), span_of(data, size))) abort();
    if (!more && n <= TILE_WIDTH && bundle_parse(span_of(data, size), n, e, &f) != OK) abort();
    if (n < TILE_WIDTH && bundle_parse(span_of(data, size), n + 1, e, &f) == OK) abort();
    buf_release(&b);
    return 0;
}
