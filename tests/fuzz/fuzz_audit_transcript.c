/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* An audit transcript of any origin: refused with a sentence, or it holds. */
#include <stdlib.h>
#include "stats/audit/transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct transcript t;
    struct fail f = {0};
    arena_init(&arena, 1 << 24);
    err e = transcript_check(span_of(data, size), &arena, &t, NULL, &f);
    if (e != OK && f.text[0] == 0) abort();
    arena_release(&arena);
    return 0;
}
