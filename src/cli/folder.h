/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* An election's folder as the commands see it: DIR/public, DIR/private, the log's key. */
#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

#include "crypto/token.h"

/* Keeps a key in locked memory and the bytes that its name borrows from. */
struct folder_key {
    struct note_signer *signer;
    struct buf text;
    struct token *token; /* of a key that lies on one: its session; else NULL */
};
void folder_key_release(struct folder_key *k);

/* Opens a key file. The passphrase, or the PIN of the token that the key lies on, comes from
 * `passphrase_file`, $HESABU_PASSPHRASE, or the terminal without echo; a simulated key needs none. A
 * token's module that the file names must belong to root alone, since it runs with our rights: E_TOKEN,
 * unless $HESABU_PKCS11 names a module, which then is taken instead. */
MUST_USE err folder_key_open(const char *path, const char *passphrase_file, struct folder_key *out,
                             struct fail *f);
/* The token at->token of the module at->module, which somebody typed: logged in, no key chosen. PIN as
 * above. The caller closes it. */
MUST_USE err folder_token_open(const struct keyfile_token *at, const char *passphrase_file, bool writable,
                               struct token **out, struct fail *f);
/* Appends the name of the key in a file; needs no passphrase. */
MUST_USE err folder_key_name(const char *path, struct buf *name, struct fail *f);
/* A new key's passphrase, appended to *out (wipe it): from the file, $HESABU_PASSPHRASE, or asked for
 * twice. E_PASSPHRASE when it is empty or the two differ. */
MUST_USE err folder_passphrase_new(const char *passphrase_file, struct buf *out, struct fail *f);
/* The log's key: `path`, or DIR/private/log.key. One on a token waits some seconds for it if it goes
 * away and comes back. */
MUST_USE err folder_log_key(const char *dir, const char *path, const char *passphrase_file,
                            struct folder_key *out, struct note_signer **log, struct fail *f);

#endif
