/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdlib.h>
#include "election/anchor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct anchor a;
    struct fail f = {0};
    if (anchor_parse(span_of(data, size), &a, &f) != OK) {
        if (f.text[0] == 0) abort();
        return 0;
    }
    struct buf b;
    buf_init(&b, size + 1);
    anchor_format(a.origin, a.log_vkey, &a.manifest, a.policy, &b);
    if (!span_eq(buf_view(&b), span_of(data, size))) abort();
    buf_release(&b);
    return 0;
}
