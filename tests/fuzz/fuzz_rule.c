/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A contest's rule object: the first byte is the contest's level. */
#include <stdlib.h>
#include "base/arena.h"
#include "election/rules_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct definition def = {
        .level_count = 4,
        .levels = {SPAN_LIT("nation"), SPAN_LIT("county"), SPAN_LIT("constituency"),
                   SPAN_LIT("station")}};
    struct rule r;
    struct arena a;
    struct fail f = {0};
    if (size == 0) return 0;
    arena_init(&a, 1 << 20);
    err e = rule_read(span_of(data + 1, size - 1), &def, data[0] % 3, &a, &r, &f);
    if (e != OK && f.text[0] == 0) abort();
    if (e == OK) {
        /* whatever is kept can be asked */
        if (r.collate_count == 0 || r.collate[r.collate_count - 1] != data[0] % 3) abort();
        if (r.readings > 2 || r.declarer_level > data[0] % 3 || r.majority.q == 0) abort();
        if (r.spread && rule_regions_needed(&r) == 0) abort();
    }
    arena_release(&a);
    return 0;
}
