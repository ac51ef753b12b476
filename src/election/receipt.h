/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the server gives for a record: the entry and its proof (spec/api.yaml, "receipt"). */
#ifndef ELECTION_RECEIPT_H
#define ELECTION_RECEIPT_H

#include "base/bytes.h"

/* receipt = "hesabu/receipt/v1 INDEX ENTRY_BYTES\n" entry tlog-proof. Borrowed from `bytes`. */
struct receipt_view {
    uint64_t index;
    struct span entry, proof;
};
MUST_USE err receipt_parse(struct span bytes, struct receipt_view *out, struct fail *f);
void receipt_format(struct buf *out, uint64_t index, struct span entry);

#endif
