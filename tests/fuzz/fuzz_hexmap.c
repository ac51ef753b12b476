/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a cartogram: whole hexagons inside the arrays, or a sentence. */
#include <stdlib.h>
#include "stats/hexmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good) {
    if (!good) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    (void)hexmap_is(span_of(data, size));
    for (size_t level = 0; level < 3; level++) {
        struct arena mem;
        struct map_shapes m;
        struct fail f = {0};
        arena_init(&mem, (size_t)1 << 26);
        if (hexmap_read(span_of(data, size), level, &mem, &m, &f) != OK) {
            expect(f.text[0] != 0);
        } else {
            expect(m.n > 0 && m.rings == m.n && m.points == 6 * m.n && m.west < m.east && m.south < m.north);
            for (size_t i = 0; i < m.n; i++) expect(m.shape[i].first_ring == i && m.ring[i].first == 6 * i);
        }
        arena_release(&mem);
    }
    return 0;
}
