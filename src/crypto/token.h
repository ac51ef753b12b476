/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signing keys on hardware tokens, through PKCS#11 (OASIS PKCS #11 v3.0: CKM_EDDSA, RFC 8032 over
 * the message itself). The key never leaves its token; one session is held, and begun again when
 * the token was reset or pulled out and put back.
 *
 * A token is not believed: note_signer_sign checks each signature under the key that was asked for.
 */
#ifndef CRYPTO_TOKEN_H
#define CRYPTO_TOKEN_H

#include "crypto/keyfile.h"

enum { TOKEN_PIN_MAX = 1024, TOKEN_ID_BYTES = 16 /* of keys made here */ };

struct token;

struct token_options {
    /* Appends the PIN of the token with this label (wiped afterwards). Asked only when the token
     * wants one and has no keypad of its own, never while signing. last_try: one more wrong PIN locks
     * it. */
    err (*pin)(void *ctx, const char *label, bool last_try, struct buf *out, struct fail *f);
    void *ctx;
    bool writable; /* a key is to be made */
    /* How long a signature waits for a token that is away. Meanwhile its thread stands. */
    uint32_t wait_ms;
};

/* Loads the module (`at->module` is run in this process: the caller has made sure whose it is),
 * finds the token and logs in; at->id and at->label are not looked at. E_TOKEN: no such module, not
 * exactly one such token, or it makes no Ed25519 signatures. E_PIN: wrong or locked. */
MUST_USE err token_open(const struct keyfile_token *at, const struct token_options *o,
                        struct token **out, struct fail *f);
/* Ends the session, wipes the PIN; signers of it must not be used afterwards. NULL is fine. */
void token_close(struct token *t);

/* Chooses the private key with this id or (id_n 0) label. E_TOKEN_KEY when there is not exactly
 * one, or it is not of Ed25519. */
MUST_USE err token_choose(struct token *t, const struct keyfile_token *at, struct fail *f);
/* Makes a key that cannot be taken out, with a new random id, and chooses it. E_EXISTS when the
 * token has a key with this label; E_TOKEN when it cannot. */
MUST_USE err token_make(struct token *t, struct span label, struct fail *f);
/* The chosen key's public part. E_TOKEN_KEY when the token does not show it. */
MUST_USE err token_public(const struct token *t, struct ed25519_public *out, struct fail *f);
/* Where the chosen key lies, for a key file. Spans borrow from t. */
void token_where(const struct token *t, struct keyfile_token *out);

/* A signer by the chosen key, under a name; borrows t and the name. It may be used by any thread,
 * one signature at a time. E_TOKEN_KEY when the token shows that it is another key. Signing fails
 * with E_TOKEN, E_TOKEN_KEY or E_PIN. */
MUST_USE err token_signer(struct token *t, const struct note_key *key, struct note_signer *out,
                          struct fail *f);

#endif
