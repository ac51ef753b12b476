/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as a CSV: every field is valid UTF-8 inside the row, numbers parse or say why not. */
#include <stdlib.h>
#include "base/csv.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good) {
    if (!good) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct csv *c = NULL;
    struct fail f = {0};
    if (csv_open_span(span_of(data, size), "fuzz", &c, &f) != OK) {
        expect(f.code != OK && f.text[0] != 0);
        return 0;
    }
    size_t n = csv_columns(c);
    expect(n > 0 && n <= 1024);
    for (bool more = true;;) {
        uint64_t line = csv_line(c);
        if (csv_next(c, &more, &f) != OK) {
            expect(f.text[0] != 0);
            break;
        }
        if (!more) break;
        expect(csv_line(c) >= line);
        for (size_t i = 0; i < n; i++) {
            bool present;
            uint64_t v;
            expect(utf8_valid(csv_field(c, i)));
            struct fail g = {0};
            if (csv_u64(c, i, 1000000000, &present, &v, &g) == OK)
                expect(v <= 1000000000 && present == (csv_field(c, i).n > 0));
            else
                expect(g.text[0] != 0);
        }
    }
    csv_close(c);
    return 0;
}
