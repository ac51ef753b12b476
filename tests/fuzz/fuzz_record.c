/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdlib.h>
#include "election/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct record r;
    struct fail f = {0};
    struct span note = span_of(data, size);
    if (record_parse(note, &r, &f) != OK) {
        if (f.text[0] == 0) abort();
        return 0;
    }
    /* nothing is left over: the parts are the whole */
    if (r.text.n + 1 + r.split.signatures.n != size || r.split.count == 0) abort();
    size_t lines = 0;
    for (size_t i = 0; i < r.split.count; i++) lines += r.lines[i].line.n + 1;
    if (lines != r.split.signatures.n || note.n > record_info(r.type)->max_note) abort();
    return 0;
}
