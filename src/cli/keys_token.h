/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What 'hesabu keys' does for keys on tokens: making one or taking one that is there, showing where it
 * lies, and a trial signature. */
#ifndef CLI_KEYS_TOKEN_H
#define CLI_KEYS_TOKEN_H

#include "base/json_out.h"
#include "cli/folder.h"

/* As on the command line; borrowed. */
struct keys_token {
    const char *token, *module, *id, *label;
    bool there; /* take a key that is on the token */
};

/* Whether the options belong together; fills in the module of $HESABU_PKCS11. E_USAGE. */
MUST_USE err keys_token_check(struct keys_token *o, bool simulated, struct fail *f);
/* Makes the key, or finds it; tries it; appends its key file. Nothing is made before name and token are
 * seen to be good. */
MUST_USE err keys_token_make(const struct keys_token *o, const char *name, bool cosigner,
                             const char *passphrase_file, struct buf *file, struct fail *f);
/* Opens any key file and signs a trial text, which no log takes for anything. */
MUST_USE err keys_token_try_file(const char *path, const char *passphrase_file, struct fail *f);

/* Where a key lies: on standard output; as members of an open object. */
void keys_token_print(const struct keyfile_token *at);
void keys_token_json(const struct keyfile_token *at, struct json_out *j);

#endif
