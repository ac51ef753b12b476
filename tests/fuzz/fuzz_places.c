/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* JSON of others and shapes of units: no input crashes the reader, and what is accepted is accepted again
 * from the geometry that was made of it. */
#include <stdio.h>
#include <stdlib.h>
#include "base/json_in.h"
#include "service/places.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fail f;
    struct json_in j;
    struct places p, again;
    struct span s;
    struct buf b;
    json_in_init(&j, span_of(data, size), &f);
    buf_init(&b, size * 2 + 1000);
    for (enum json_token t; (t = json_in_next(&j, &s)) != JT_END;)
        if (t == JT_STRING || t == JT_KEY) {
            buf_clear(&b);
            json_in_text(s, &b);
            if (b.failed) abort(); /* text is never longer than its spelling */
        }
    bool json = json_in_end(&j) == OK;
    if (places_read(span_of(data, size), &p, &f) == OK) {
        if (!json) abort();
        for (size_t i = 0; i < p.n; i++) {
            buf_clear(&b);
            buf_str(&b, "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{\"code\":\"x\"},\"geometry\":");
            buf_span(&b, p.items[i].geometry);
            buf_str(&b, "}]}");
            if (b.failed) continue;
            if (places_read(buf_view(&b), &again, &f) != OK) abort();
            if (!span_eq(places_geometry(&again, SPAN_LIT("x")), p.items[i].geometry)) abort();
            places_release(&again);
        }
        places_release(&p);
    }
    buf_release(&b);
    return 0;
}
