/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes as the hand counts of a sample: what is taken is of a listed batch, within its bound, once. */
#include <stdlib.h>
#include "service/audit_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool good) {
    if (!good) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char list[] = "jurisdiction,batch,ballots,Ann,Ben\n1,a,530,300,100\n1,b,540,301,101\n"
                               "2,a,500,250,60\n2,\"c, d\",610,260,60\n";
    struct arena a;
    struct audit_batches b;
    struct audit_rows rows;
    struct fail f = {0};
    arena_init(&a, 64 << 20);
    expect(audit_batches_parse(span_text(list), "list", 0, &a, &b, &f) == OK);
    if (audit_rows_parse(span_of(data, size), "fuzz", &b, &rows, &f) != OK) {
        expect(f.code != OK && f.text[0] != 0);
    } else {
        uint64_t tickets = 0;
        expect(rows.n <= b.listed);
        for (size_t i = 0; i < rows.n; i++) {
            const struct audit_row *r = &rows.row[i];
            expect(r->batch < b.listed && r->group == 0 && rows.row_of[r->batch] == i + 1);
            expect(r->state != AUDIT_COUNTED || r->votes[0] + r->votes[1] <= b.contest.bound[r->batch]);
            expect(r->state != AUDIT_LOST || r->tickets > 0);
            tickets += r->tickets;
        }
        expect(tickets == rows.tickets);
    }
    arena_release(&a);
    return 0;
}
