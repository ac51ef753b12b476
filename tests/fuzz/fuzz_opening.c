/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A clerk's kept openings: what is read is written back as it was. */
#include <stdlib.h>
#include "service/openings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct opening o;
    struct fail f = {0};
    struct buf b;
    if (opening_parse(span_of(data, size), &o, &f) != OK) {
        if (f.text[0] == 0) abort();
        return 0;
    }
    buf_init(&b, 2 * size + 1000);
    opening_format(&o, &b);
    if (!span_eq(buf_view(&b), span_of(data, size))) abort();
    buf_release(&b);
    return 0;
}
