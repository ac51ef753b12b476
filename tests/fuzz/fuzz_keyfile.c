/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Key files; only those without a passphrase are opened (Argon2id is slow on purpose). */
#include <stdlib.h>
#include "crypto/keyfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct keyfile file;
    struct note_signer signer;
    struct fail f;
    struct buf b;
    if (keyfile_parse(span_of(data, size), &file, &f) != OK) return 0;
    if (file.on_token) { /* what is written is what was read */
        buf_init(&b, KEYFILE_BYTES_MAX);
        if (file.simulated || file.at.token.n > KEYFILE_TOKEN_MAX || file.at.id_n > KEYFILE_ID_MAX) abort();
        if (keyfile_open(&file, span_of(NULL, 0), &signer, &f) != E_TOKEN) abort();
        if (keyfile_write_token(&file.key, &file.at, &b, &f) != OK) abort();
        if (!span_eq(buf_view(&b), span_of(data, size))) abort();
        buf_release(&b);
        return 0;
    }
    if (!file.simulated) {
        if (file.kdf.ops == 0 || file.kdf.ops > SECRET_KDF_OPS_MAX ||
            file.kdf.kib > SECRET_KDF_KIB_MAX)
            abort();
        return 0;
    }
    if (keyfile_open(&file, span_of(NULL, 0), &signer, &f) != OK) return 0;
    buf_init(&b, KEYFILE_BYTES_MAX);
    if (keyfile_write_simulated(&signer, &b, &f) != OK) abort();
    if (!span_eq(buf_view(&b), span_of(data, size))) abort();
    buf_release(&b);
    return 0;
}
