/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A proof file that is read is written back as it was (extra data apart). */
#include <stdlib.h>
#include "tlog/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct tlog_proof p;
    struct fail f;
    struct note_key log;
    if (tlog_proof_parse(span_of(data, size), &p, &f) != OK) return 0;
    if (!p.has_extra) {
        struct buf b;
        buf_init(&b, TLOG_PROOF_BYTES_MAX);
        if (tlog_proof_format(span_of(NULL, 0), p.index, p.hashes, p.count, p.checkpoint, &b, &f) !=
            OK)
            abort();
        if (!span_eq(buf_view(&b), span_of(data, size))) abort();
        buf_release(&b);
    }
    if (note_vkey_parse(
            SPAN_LIT("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280N"
                     "I+oO5xCFkkSx"),
            &log, &f) != OK)
        abort();
    (void)!tlog_proof_verify(&p, SPAN_LIT("five"), &log, NULL, NULL, NULL, &f);
    return 0;
}
