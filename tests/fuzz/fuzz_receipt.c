/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A receipt that is read is written back as it was, and its parts lie inside it. */
#include <stdlib.h>
#include "service/submission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct receipt_view v;
    struct fail f = {0};
    if (receipt_parse(span_of(data, size), &v, &f) != OK) {
        if (!f.text[0]) abort();
        return 0;
    }
    struct buf b;
    buf_init(&b, size + 100);
    receipt_format(&b, v.index, v.entry);
    buf_span(&b, v.proof);
    if (!span_eq(buf_view(&b), span_of(data, size))) abort();
    buf_release(&b);
    return 0;
}
