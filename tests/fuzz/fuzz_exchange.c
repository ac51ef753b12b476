/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Results in the exchange formats, of anybody's making: tables that our own reader takes, or a refusal. */
#include <stdlib.h>

#include "base/csv.h"
#include "service/exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void table(const struct exchange *x, const char *contest) {
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 20);
    if (exchange_table(x, contest, 0, &b, &f) == OK) {
        struct csv *c;
        bool more = true;
        /* names that stand twice, control characters: the reader says so */
        if (csv_open_span(buf_view(&b), "converted", &c, &f) == OK) {
            while (more && csv_next(c, &more, &f) == OK && more)
                if (csv_columns(c) < 7) abort();
            csv_close(c);
        }
    }
    buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fail f;
    struct exchange *x;
    struct span text = {data, size}, root;
    uint64_t at;
    if (exchange_read(text, &x, &f) != OK) {
        if (!f.text[0] || x) abort();
        return 0;
    }
    if (!exchange_looks(text)) abort();
    (void)exchange_checkpoint(x, &at, &root);
    table(x, NULL);
    table(x, "k");
    exchange_free(x);
    return 0;
}
