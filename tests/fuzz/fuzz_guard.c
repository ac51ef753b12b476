/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any file taken for a roll-back guard: refused, or a state that the file holds in a whole slot. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct guard_state s, again;
    struct fail f;
    if (guard_decode(span_of(data, size), &s, &f) != OK) return 0;
    if (s.empty != (s.size == 0)) abort();
    bool first = size >= 64 && memcmp(data + 32, s.root.b, 32) == 0;
    bool second = size >= 4096 + 64 && memcmp(data + 4096 + 32, s.root.b, 32) == 0;
    if (!first && !second) abort();
    /* what follows the second slot means nothing */
    if (size > 4096 + 128 && (guard_decode(span_of(data, 4096 + 128), &again, &f) != OK ||
                              again.size != s.size || again.torn != s.torn))
        abort();
    return 0;
}
