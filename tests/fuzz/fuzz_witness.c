/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Requests to a witness, and answers from one. */
#include <stdlib.h>
#include "tlog/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct witness_request r;
    struct witness_answer a;
    struct witness_state seen = {0};
    struct note_key log, w;
    struct fail f;
    struct span bytes = span_of(data, size);
    if (note_vkey_parse(
            SPAN_LIT("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280N"
                     "I+oO5xCFkkSx"),
            &log, &f) != OK ||
        note_key_make(SPAN_LIT("w"), NOTE_TYPE_COSIGNATURE, &log.public, &w, &f) != OK)
        abort();
    if (witness_request_parse(bytes, &r, &f) == OK) {
        struct buf b;
        buf_init(&b, WITNESS_REQUEST_MAX);
        if (witness_request_format(r.old_size, r.proof, r.count, r.note, &b, &f) != OK) abort();
        if (!span_eq(buf_view(&b), bytes)) abort();
        buf_release(&b);
        seen.size = r.old_size;
        witness_decide(&r, &log, &seen, &a);
        if (a.status == 200 && a.next.size != r.checkpoint.size) abort();
    }
    struct buf kept;
    uint64_t v;
    buf_init(&kept, 1 << 17);
    (void)!witness_answer_read(bytes, &w, SPAN_LIT("o\n1\nx\n"), &kept, &v, &f);
    (void)!witness_conflict_read(bytes, &v, &f);
    buf_release(&kept);
    return 0;
}
