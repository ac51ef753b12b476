/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Heads of sealed files; a file that names a key is also opened with it. */
#include <stdlib.h>
#include "crypto/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sealed_head h;
    static struct note_signer signer;
    struct fail f;
    if (sealed_parse(span_of(data, size), &h, &f) != OK) return 0;
    if (h.count == 0 || h.count > SEALED_KEYS_MAX || h.head.n + h.body.n != size) abort();
    const uint8_t seed[32] = {1};
    struct buf open;
    if (note_signer_make(SPAN_LIT("party/a"), 1, seed, &signer, &f) != OK) abort();
    buf_init(&open, (size_t)1 << 20);
    const err e = sealed_open(span_of(data, size), &signer, &open, &f);
    const struct hash is = sha256(buf_view(&open));
    if (e == OK ? !hash_eq(&is, &h.content) : open.n != 0) abort();
    buf_release(&open);
    return 0;
}
