/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The rows object of a collation: what is read again says the same. */
#include <stdlib.h>
#include "election/compose_law.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span rest = span_of(data, size);
    struct buf again;
    uint64_t number = 0;
    struct fail f = {0};
    bool more = true;
    err e = OK;
    buf_init(&again, size + 100);
    compose_collation_head(&again);
    for (;;) {
        struct collation_text t;
        e = collation_text_next(&rest, &number, &t, &more, &f);
        if (e != OK || !more) break;
        struct collated is = {t.registered, t.rejected, t.valid, t.votes};
        compose_collation_row(&again, t.code, t.has_id ? &t.id : NULL, &is, t.votes, t.vote_count);
    }
    if (e != OK && f.text[0] == 0) abort();
    if (e == OK && !span_eq(buf_view(&again), span_of(data, size))) abort();
    buf_release(&again);
    return 0;
}
