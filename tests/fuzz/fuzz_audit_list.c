/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as the committed list of an audit: what is taken can be checked, summed and named. */
#include <stdlib.h>
#include "service/audit_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good) {
    if (!good) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena a;
    struct audit_batches b;
    struct fail f = {0};
    arena_init(&a, 64 << 20);
    if (audit_batches_parse(span_of(data, size), "fuzz", 0, &a, &b, &f) != OK) {
        expect(f.code != OK && f.text[0] != 0);
    } else if (audit_contest_check(&b.contest, &f) == OK) {
        uint64_t votes[AUDIT_CHOICES_MAX], ballots, sum = 0;
        expect(b.contest.choices <= AUDIT_CHOICES_MAX && b.listed <= b.contest.batches);
        audit_totals(&b.contest, AUDIT_EVERYWHERE, votes, &ballots);
        for (size_t i = 0; i < b.contest.choices; i++) sum += votes[i];
        expect(sum <= ballots);
        for (uint32_t g = 0; g < b.listed; g++) {
            uint32_t at;
            expect(audit_region(&b.contest, g) < b.contest.regions);
            expect(audit_batch_find(&b, span_text(audit_batch_jurisdiction(&b, g)), b.name[g], &at) && at == g);
        }
    }
    arena_release(&a);
    return 0;
}
