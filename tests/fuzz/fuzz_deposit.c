/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Any bytes taken for the acknowledgement of a deposit: refused, or what its lines say. */
#include <stdlib.h>
#include "service/pending.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hash id;
    struct fail f;
    uint64_t ms;
    char hex[HASH_HEX_LEN + 1];
    if (pending_ack_parse(span_of(data, size), &id, &ms, &f) != OK) return 0;
    hash_hex(&id, hex);
    if (!memmem(data, size, hex, HASH_HEX_LEN) || ms > (uint64_t)1 << 53) abort();
    return 0;
}
