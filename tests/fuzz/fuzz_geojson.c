/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as GeoJSON: shapes whose parts lie inside the arrays, or a sentence. */
#include <stdlib.h>
#include "stats/geojson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good) {
    if (!good) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena mem;
    struct map_shapes m;
    struct fail f = {0};
    arena_init(&mem, (size_t)1 << 26);
    if (geojson_read(span_of(data, size), &mem, &m, &f) != OK) {
        expect(f.text[0] != 0);
    } else {
        expect(m.n > 0 && m.west <= m.east && m.south <= m.north);
        for (size_t i = 0; i < m.n; i++) expect(m.shape[i].rings && m.shape[i].first_ring + m.shape[i].rings <= m.rings);
        for (size_t i = 0; i < m.rings; i++) expect(m.ring[i].first + m.ring[i].n <= m.points);
        for (size_t i = 0; i < m.points; i++)
            expect(m.xy[2 * i] >= m.west && m.xy[2 * i] <= m.east && m.xy[2 * i + 1] >= m.south &&
                   m.xy[2 * i + 1] <= m.north);
    }
    arena_release(&mem);
    return 0;
}
