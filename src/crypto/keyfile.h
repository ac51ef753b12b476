/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Key files (spec/log.md, section 9): a signing key under a passphrase; where a key lies on a
 * token; or, for demonstrations only, one in the clear and marked SIMULATED. Bytes in, bytes out:
 * who stores them uses mode 0600.
 *
 * The verifier key stands in the clear in all kinds, so that a file can be told apart unopened. */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H

#include "crypto/note.h"
#include "crypto/secret.h"

enum {
    KEYFILE_BYTES_MAX = 4096,
    KEYFILE_BOX_BYTES = 32 + 32 + SECRET_TAG_BYTES,
    KEYFILE_MODULE_MAX = 1024, /* bytes of a module's path */
    KEYFILE_TOKEN_MAX = 32,    /* of a token's label, of its serial number */
    KEYFILE_LABEL_MAX = 255,   /* of a key's label on its token */
    KEYFILE_ID_MAX = 64        /* of a key's id on its token */
};

/* Where a key lies (PKCS#11): the module's absolute path; the token by its label and, if it has
 * one, its serial number; the key by its id (CKA_ID) or, without one, by its label (CKA_LABEL).
 * Spans borrow. */
struct keyfile_token {
    struct span module, token, serial; /* serial empty: whichever has the label */
    struct span label;                 /* only when id_n is 0 */
    uint8_t id[KEYFILE_ID_MAX];
    size_t id_n;
};

/* A parsed file; spans borrow from its bytes. */
struct keyfile {
    bool simulated; /* unprotected */
    bool on_token;
    struct span vkey;
    struct note_key key;     /* the parsed vkey, known = true */
    struct span skey;        /* simulated only: a secret */
    struct keyfile_token at; /* on a token only */
    struct secret_kdf kdf;   /* the rest: protected only */
    uint8_t salt[SECRET_SALT_BYTES], nonce[SECRET_NONCE_BYTES], box[KEYFILE_BOX_BYTES];
};

/* E_FIELD (also for unreasonable Argon2id costs), E_VKEY, E_BASE64. */
MUST_USE err keyfile_parse(struct span bytes, struct keyfile *out, struct fail *f);
/* The signing key; its name borrows from the file's bytes. The passphrase is not looked at for a
 * simulated key. E_PASSPHRASE when the file does not open or is not the key it says it is; E_TOKEN
 * for a key on a token, which crypto/token.h opens. Takes as long as Argon2id takes. */
MUST_USE err keyfile_open(const struct keyfile *file, struct span passphrase,
                          struct note_signer *out, struct fail *f);

/* Append a file's text to `out` (at least KEYFILE_BYTES_MAX allowed). E_RANGE for costs out of
 * bounds; E_PASSPHRASE for an empty passphrase; E_TOKEN_KEY for a key that is on a token. */
MUST_USE err keyfile_write(const struct note_signer *signer, struct span passphrase,
                           struct secret_kdf kdf, struct buf *out, struct fail *f);
MUST_USE err keyfile_write_simulated(const struct note_signer *signer, struct buf *out,
                                     struct fail *f);
/* Where a key lies. E_FIELD when a part is empty, too long or cannot stand in a line. */
MUST_USE err keyfile_write_token(const struct note_key *key, const struct keyfile_token *at,
                                 struct buf *out, struct fail *f);

#endif
