/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any text taken for waiting incidents: refused with nothing added, or rows that come back the
 * same. */
#include <stdint.h>
#include <stdlib.h>

#include "service/incidents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct incidents *read_in(struct span text, uint64_t logged_ms) {
    struct incidents *x;
    struct fail f;
    if (incidents_new(&x, &f) != OK) abort();
    if (incidents_parse(x, text, logged_ms, &f) == OK) return x;
    if (incidents_waiting(x)) abort();
    incidents_free(x);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct incidents *x = read_in(span_of(data, size), 0), *y;
    struct buf once, twice;
    if (!x) return 0;
    buf_init(&once, 16 << 20);
    buf_init(&twice, 16 << 20);
    (void)incidents_format(x, &once);
    if (!(y = read_in(buf_view(&once), 0))) abort();
    (void)incidents_format(y, &twice);
    if (!span_eq(buf_view(&once), buf_view(&twice)) || incidents_waiting(x) != incidents_waiting(y))
        abort();
    incidents_free(y);
    if ((y = read_in(span_of(data, size), 77)) && incidents_waiting(y) > incidents_waiting(x))
        abort();
    incidents_free(y);
    incidents_free(x);
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
