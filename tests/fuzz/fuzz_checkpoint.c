/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A body that is read is written back as it was; whole notes are opened too. */
#include <stdlib.h>
#include "tlog/cosignature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct checkpoint c;
    struct fail f;
    struct span bytes = span_of(data, size);
    if (checkpoint_parse(bytes, &c, &f) == OK) {
        struct buf b;
        buf_init(&b, size + 1);
        if (checkpoint_format(c.origin, c.size, &c.root, c.extensions, &b, &f) != OK) abort();
        if (!span_eq(buf_view(&b), bytes)) abort();
        buf_release(&b);
    }
    static struct note_line lines[NOTE_LINES_MAX];
    struct note n;
    struct note_key log, w;
    struct cosignature got;
    if (note_vkey_parse(
            SPAN_LIT("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280N"
                     "I+oO5xCFkkSx"),
            &log, &f) != OK ||
        note_key_make(SPAN_LIT("PeterNeumann"), NOTE_TYPE_COSIGNATURE, &log.public, &w, &f) != OK)
        abort();
    if (checkpoint_open(bytes, &log, &c, &n, lines, NOTE_LINES_MAX, &f) == OK)
        (void)!cosignatures_collect(c.body, lines, n.count, &w, 1, &got, &f);
    return 0;
}
