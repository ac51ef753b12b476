/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdlib.h>
#include "election/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t ms;
    struct span note;
    struct fail f = {0};
    if (entry_parse(span_of(data, size), &ms, &note, &f) != OK) {
        if (f.text[0] == 0) abort();
        return 0;
    }
    struct buf b;
    buf_init(&b, size + 1);
    entry_format(&b, ms, note);
    if (!span_eq(buf_view(&b), span_of(data, size))) abort();
    buf_release(&b);
    return 0;
}
