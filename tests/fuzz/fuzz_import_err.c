/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Results in NIST's common data format, of anybody's making: a CSV that our own reader takes, or a refusal. */
#include <stdlib.h>

#include "base/csv.h"
#include "service/import_err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 20);
    if (import_err_csv((struct span){data, size}, NULL, &b, &f) == OK) {
        struct csv *c;
        bool more = true;
        /* names that stand twice, control characters: the reader says so */
        if (csv_open_span(buf_view(&b), "converted", &c, &f) == OK) {
            while (more && csv_next(c, &more, &f) == OK && more)
                if (csv_columns(c) < 5) abort();
            csv_close(c);
        }
    }
    buf_release(&b);
    return 0;
}
