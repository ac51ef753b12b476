/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A file of labelled boxes: what is read is written back byte for byte. */
#include <stdlib.h>
#include "paper/digit_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct digit_set s;
    struct buf b;
    if (digit_set_parse(span_of(data, size), &s, NULL) != OK) return 0;
    buf_init(&b, size);
    if (digit_set_write(&s, &b, NULL) != OK || !span_eq(buf_view(&b), span_of(data, size))) abort();
    for (size_t i = 0; i < s.n; i++)
        if (s.label[i] >= NET_CLASSES) abort();
    buf_release(&b);
    digit_set_release(&s);
    return 0;
}
