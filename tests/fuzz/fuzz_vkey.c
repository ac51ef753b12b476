/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A verifier or signing key that is read is written back as it was. */
#include <stdlib.h>
#include "crypto/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct note_key key;
    struct note_signer signer;
    struct fail f;
    struct buf b;
    buf_init(&b, 4096);
    if (note_vkey_parse(span_of(data, size), &key, &f) == OK && key.known) {
        note_vkey_format(&key, &b);
        if (!span_eq(buf_view(&b), span_of(data, size))) abort();
    }
    buf_clear(&b);
    if (note_skey_parse(span_of(data, size), &signer, &f) == OK) {
        note_skey_format(&signer, &b);
        if (!span_eq(buf_view(&b), span_of(data, size))) abort();
    }
    buf_release(&b);
    return 0;
}
