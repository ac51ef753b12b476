/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/receipt.h"

#include "base/text.h"
#include "election/record.h"

#define RECEIPT_MAGIC "hesabu/receipt/v1 "

void receipt_format(struct buf *out, uint64_t index, struct span entry) {
    buf_str(out, RECEIPT_MAGIC);
    buf_u64(out, index);
    buf_byte(out, ' ');
    buf_u64(out, entry.n);
    buf_byte(out, '\n');
    buf_span(out, entry);
}

err receipt_parse(struct span bytes, struct receipt_view *out, struct fail *f) {
    struct span rest = bytes, head, magic = SPAN_LIT(RECEIPT_MAGIC);
    if (!span_line(&rest, &head) || !span_starts(head, magic))
        return fail_set(f, E_ENTRY, "not a receipt: it begins with \"%s\"", RECEIPT_MAGIC);
    head = span_from(head, magic.n);
    const uint8_t *sp = head.n ? memchr(head.p, ' ', head.n) : NULL;
    if (!sp) return fail_set(f, E_ENTRY, "a receipt's first line has an index and a length");
    uint64_t n;
    TRY(u64_parse(span_of(head.p, (size_t)(sp - head.p)), UINT32_MAX, &out->index, f));
    TRY(u64_parse(span_from(head, (size_t)(sp - head.p) + 1), ENTRY_MAX, &n, f));
    if (n > rest.n) return fail_set(f, E_ENTRY, "the receipt is cut short");
    out->entry = span_of(rest.p, (size_t)n);
    out->proof = span_from(rest, (size_t)n);
    return OK;
}
