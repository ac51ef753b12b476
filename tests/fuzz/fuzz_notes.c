/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Records on paper's way, from any file: parsing, objects, merging with themselves; and receipts. */
#include <stdlib.h>
#include "service/outbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void receipt(struct span in) {
    struct anchor a = {.origin = SPAN_LIT("a")};
    uint64_t index;
    bool witnessed;
    a.log.name = SPAN_LIT("a");
    a.log.type = NOTE_TYPE_ED25519;
    a.log.known = true;
    /* the key is nobody's: nothing can be proved under it */
    if (outbox_check_receipt(&a, in, in, &index, &witnessed, NULL, NULL) == OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span in = span_of(data, size);
    static struct record r;
    struct notes_object o[16];
    struct fail f;
    size_t n;
    receipt(in);
    if (notes_parse(in, &r, &f) != OK) return 0;
    if (notes_objects(&r, o, 16, &n, &f) == OK && n > 16) abort();
    (void)notes_member(&r, "key");
    if (r.split.count == 0) return 0;
    struct buf out;
    struct span parts[] = {in, in};
    buf_init(&out, 1 << 20);
    if (notes_merge(parts, 2, &out, &f) != OK || !span_eq(buf_view(&out), in)) abort();
    buf_release(&out);
    return 0;
}
