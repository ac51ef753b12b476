/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/keys_token.h"

#include <stdio.h>
#include <stdlib.h>

err keys_token_check(struct keys_token *o, bool simulated, struct fail *f) {
    if (!o->token) {
        if (o->module || o->id || o->label || o->there)
            return fail_set(f, E_USAGE, "--module, --on-token, --id and --label go with --token LABEL");
        return OK;
    }
    if (simulated) return fail_set(f, E_USAGE, "--simulated keys lie in a file, not on a token");
    if ((o->id || o->label) && !o->there)
        return fail_set(f, E_USAGE, "--id and --label name a key that is there: give --on-token too");
    if (o->id && o->label) return fail_set(f, E_USAGE, "one of --id and --label is enough");
    const char *env = getenv("HESABU_PKCS11");
    if (!o->module && env && *env) o->module = env;
    if (!o->module)
        return fail_set(f, E_USAGE, "--module PATH is needed: the token's PKCS#11 library, such as "
                                    "/usr/lib/softhsm/libsofthsm2.so");
    if (o->module[0] != '/')
        return fail_set(f, E_USAGE, "--module %s is not an absolute path", o->module);
    return OK;
}

/* Neither a record ("hesabu/v1 ...") nor a checkpoint nor a cosignature's text, and new each time. */
static err try_signer(const struct note_signer *s, struct fail *f) {
    uint8_t nonce[16];
    char hex[2 * sizeof nonce + 1], text[128];
    struct ed25519_signature sig;
    secret_random(nonce, sizeof nonce);
    hex_encode(span_of(nonce, sizeof nonce), hex);
    (void)snprintf(text, sizeof text, "hesabu-key/v1 trial of a key, of no meaning\n%s\n", hex);
    TRY(note_signer_sign(s, span_text(text), &sig, f));
    if (ed25519_verify(&s->key.public, &sig, span_text(text))) return OK;
    return fail_set(f, E_SIGNATURE, "the key's signature does not verify: do not use it");
}

err keys_token_try_file(const char *path, const char *passphrase_file, struct fail *f) {
    struct folder_key key;
    TRY(folder_key_open(path, passphrase_file, &key, f));
    err e = try_signer(key.signer, f);
    folder_key_release(&key);
    return e;
}

static err named(const struct keys_token *o, const char *name, struct keyfile_token *at, struct fail *f) {
    *at = (struct keyfile_token){.module = span_text(o->module), .token = span_text(o->token)};
    if (o->id) {
        at->id_n = strlen(o->id) / 2;
        if (at->id_n == 0 || at->id_n > sizeof at->id ||
            hex_decode(span_text(o->id), at->id, at->id_n, NULL) != OK)
            return fail_set(f, E_USAGE, "--id is a key's id, 1 to %d bytes in lowercase hex", KEYFILE_ID_MAX);
        return OK;
    }
    at->label = span_text(o->label ? o->label : name);
    return OK;
}

static err take_key(struct token *t, const struct keys_token *o, const struct keyfile_token *at,
                    struct note_key *key, struct fail *f) {
    struct note_signer signer;
    TRY(o->there ? token_choose(t, at, f) : token_make(t, at->label, f));
    TRY(token_public(t, &key->public, f));
    TRY(note_key_make(key->name, key->type, &key->public, key, f));
    TRY(token_signer(t, key, &signer, f));
    return try_signer(&signer, f);
}

err keys_token_make(const struct keys_token *o, const char *name, bool cosigner,
                    const char *passphrase_file, struct buf *file, struct fail *f) {
    static const struct ed25519_public none;
    struct keyfile_token at;
    struct note_key key;
    struct token *t;
    uint8_t type = cosigner ? NOTE_TYPE_COSIGNATURE : NOTE_TYPE_ED25519;
    TRY(note_key_make(span_text(name), type, &none, &key, f)); /* is it a name? */
    TRY(named(o, name, &at, f));
    TRY(keyfile_write_token(&key, &at, file, f)); /* can it be written? */
    buf_clear(file);
    TRY(folder_token_open(&at, passphrase_file, !o->there, &t, f));
    err e = take_key(t, o, &at, &key, f);
    if (e == OK) {
        token_where(t, &at);
        e = keyfile_write_token(&key, &at, file, f);
    }
    token_close(t);
    return e;
}

void keys_token_print(const struct keyfile_token *at) {
    char hex[2 * KEYFILE_ID_MAX + 1];
    hex_encode(span_of(at->id, at->id_n), hex);
    printf("on the token %.*s", SPAN_ARG(at->token));
    if (at->serial.n) printf(" (serial %.*s)", SPAN_ARG(at->serial));
    if (at->id_n)
        printf(", id %s", hex);
    else
        printf(", label %.*s", SPAN_ARG(at->label));
    printf("\nmodule       %.*s\n", SPAN_ARG(at->module));
}

void keys_token_json(const struct keyfile_token *at, struct json_out *j) {
    char hex[2 * KEYFILE_ID_MAX + 1];
    hex_encode(span_of(at->id, at->id_n), hex);
    json_kspan(j, "token", at->token);
    if (at->serial.n) json_kspan(j, "serial", at->serial);
    if (at->id_n)
        json_kstr(j, "id", hex);
    else
        json_kspan(j, "label", at->label);
    json_kspan(j, "module", at->module);
}
