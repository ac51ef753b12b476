/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Key files (spec/log.md, section 9): a signing key under a passphrase, or, for demonstrations
 * only, in the clear and marked SIMULATED. Bytes in, bytes out: who stores them uses mode 0600.
 *
 * The verifier key stands in the clear in both kinds, so that a file can be told apart unopened. */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H

#include "crypto/note.h"
#include "crypto/secret.h"

enum { KEYFILE_BYTES_MAX = 4096, KEYFILE_BOX_BYTES = 32 + 32 + SECRET_TAG_BYTES };

/* A parsed file; spans borrow from its bytes. */
struct keyfile {
    bool simulated; /* unprotected */
    struct span vkey;
    struct note_key key;   /* the parsed vkey, known = true */
    struct span skey;      /* simulated only: a secret */
    struct secret_kdf kdf; /* the rest: protected only */
    uint8_t salt[SECRET_SALT_BYTES], nonce[SECRET_NONCE_BYTES], box[KEYFILE_BOX_BYTES];
};

/* E_FIELD (also for unreasonable Argon2id costs), E_VKEY, E_BASE64. */
MUST_USE err keyfile_parse(struct span bytes, struct keyfile *out, struct fail *f);
/* The signing key; its name borrows from the file's bytes. The passphrase is not looked at for a
 * simulated key. E_PASSPHRASE when the file does not open or is not the key it says it is. Takes as
 * long as Argon2id takes. */
MUST_USE err keyfile_open(const struct keyfile *file, struct span passphrase,
                          struct note_signer *out, struct fail *f);

/* Append a file's text to `out` (at least KEYFILE_BYTES_MAX allowed). E_RANGE for costs out of
 * bounds; E_PASSPHRASE for an empty passphrase. */
MUST_USE err keyfile_write(const struct note_signer *signer, struct span passphrase,
                           struct secret_kdf kdf, struct buf *out, struct fail *f);
MUST_USE err keyfile_write_simulated(const struct note_signer *signer, struct buf *out,
                                     struct fail *f);

#endif
