/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A head.json whose size is read begins with its two members, whatever follows. */
#include <stdlib.h>
#include "election/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fail f = {0};
    uint64_t n;
    if (head_size(span_of(data, size), &n, &f) != OK) {
        if (!f.text[0]) abort();
        return 0;
    }
    struct buf b;
    buf_init(&b, 100);
    buf_str(&b, ",\"size\":");
    buf_u64(&b, n);
    buf_byte(&b, ',');
    if (!memmem(data, size, b.p, b.n)) abort();
    buf_release(&b);
    return 0;
}
