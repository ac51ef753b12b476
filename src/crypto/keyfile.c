/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "crypto/keyfile.h"

#include "base/text.h"
#include "crypto/hash.h"

#define HEAD_PROTECTED "hesabu-key/v1"
#define HEAD_TOKEN     "hesabu-key/v1 on a token"
#define HEAD_SIMULATED "hesabu-key/v1 SIMULATED: unprotected, for demonstrations only"

/* What the box holds. The hash ties name, type and public key in the clear to the seed: who edits
 * the file cannot give the key another name. */
enum { PLAIN_BYTES = ED25519_SEED_BYTES + HASH_BYTES };
_Static_assert(KEYFILE_BOX_BYTES == PLAIN_BYTES + SECRET_TAG_BYTES, "box");

/* The value of the next line, "key value\n". */
static err value_next(struct span *rest, const char *key, struct span *value, struct fail *f) {
    struct span line, name = span_text(key);
    if (!span_line(rest, &line) || !span_starts(line, name) || line.n <= name.n ||
        line.p[name.n] != ' ')
        return fail_set(f, E_FIELD, "the key file has no line \"%s ...\" where it belongs", key);
    *value = span_from(line, name.n + 1);
    return OK;
}

static err bytes_next(struct span *rest, const char *key, uint8_t *out, size_t want,
                      struct fail *f) {
    struct span value;
    size_t n = 0;
    TRY(value_next(rest, key, &value, f));
    err e = base64_decode(value, out, want, &n, f);
    if (e != OK) return fail_context(f, e, "the key file's %s", key);
    if (n != want)
        return fail_set(f, E_FIELD, "the key file's %s has %zu bytes, not %zu", key, n, want);
    return OK;
}

static err costs_next(struct span *rest, struct secret_kdf *out, struct fail *f) {
    struct span value;
    TRY(value_next(rest, "argon2id", &value, f));
    const uint8_t *space = memchr(value.p, ' ', value.n);
    if (!space) return fail_set(f, E_FIELD, "the key file's argon2id line lacks a number");
    struct span ops = span_of(value.p, (size_t)(space - value.p));
    uint64_t passes, kib;
    if (u64_parse(ops, SECRET_KDF_OPS_MAX, &passes, f) != OK ||
        u64_parse(span_from(value, ops.n + 1), SECRET_KDF_KIB_MAX, &kib, f) != OK)
        return fail_context(f, E_FIELD, "the key file's Argon2id costs");
    if (passes == 0 || kib < SECRET_KDF_KIB_MIN)
        return fail_set(f, E_FIELD, "the key file's Argon2id costs are too small to be real");
    *out = (struct secret_kdf){(uint32_t)passes, (uint32_t)kib};
    return OK;
}

/* One line of UTF-8 without controls, not empty, without spaces at its ends. */
static bool line_is_plain(struct span s, size_t max) {
    if (s.n == 0 || s.n > max || s.p[0] == ' ' || s.p[s.n - 1] == ' ') return false;
    return text_is_plain(s);
}

/* The rules of both ways, reading and writing. */
static err token_check(const struct keyfile_token *at, struct fail *f) {
    if (!line_is_plain(at->module, KEYFILE_MODULE_MAX) || at->module.p[0] != '/')
        return fail_set(f, E_FIELD, "the token's module must be an absolute path of 1 to %d bytes",
                        KEYFILE_MODULE_MAX);
    if (!line_is_plain(at->token, KEYFILE_TOKEN_MAX))
        return fail_set(f, E_FIELD, "a token's label must have 1 to %d bytes in one line",
                        KEYFILE_TOKEN_MAX);
    if (at->serial.n && !line_is_plain(at->serial, KEYFILE_TOKEN_MAX))
        return fail_set(f, E_FIELD,
                        "a token's serial number must have at most %d bytes in one line",
                        KEYFILE_TOKEN_MAX);
    if (at->id_n == 0 && !line_is_plain(at->label, KEYFILE_LABEL_MAX))
        return fail_set(f, E_FIELD,
                        "a key on a token is named by its id or by a label of 1 to %d bytes",
                        KEYFILE_LABEL_MAX);
    return OK;
}

static err token_next(struct span *rest, struct keyfile_token *out, struct fail *f) {
    struct span id;
    TRY(value_next(rest, "module", &out->module, f));
    TRY(value_next(rest, "token", &out->token, f));
    if (span_starts(*rest, SPAN_LIT("serial "))) {
        TRY(value_next(rest, "serial", &out->serial, f));
        if (!out->serial.n) return fail_set(f, E_FIELD, "the key file's serial line is empty");
    }
    if (span_starts(*rest, SPAN_LIT("label "))) {
        TRY(value_next(rest, "label", &out->label, f));
    } else {
        TRY(value_next(rest, "id", &id, f));
        out->id_n = id.n / 2;
        if (out->id_n == 0 || out->id_n > sizeof out->id ||
            hex_decode(id, out->id, out->id_n, NULL) != OK)
            return fail_set(f, E_FIELD, "the key file's id is not 1 to %d bytes in lowercase hex",
                            KEYFILE_ID_MAX);
    }
    return token_check(out, f);
}

err keyfile_parse(struct span bytes, struct keyfile *out, struct fail *f) {
    struct span rest = bytes, head;
    *out = (struct keyfile){0};
    if (bytes.n > KEYFILE_BYTES_MAX || !span_line(&rest, &head))
        return fail_set(f, E_FIELD, "this is not a key file: it is too large or has no lines");
    out->simulated = span_is(head, HEAD_SIMULATED);
    out->on_token = span_is(head, HEAD_TOKEN);
    if (!out->simulated && !out->on_token && !span_is(head, HEAD_PROTECTED))
        return fail_set(f, E_FIELD, "a key file begins with %s", HEAD_PROTECTED);
    TRY(value_next(&rest, "vkey", &out->vkey, f));
    TRY(note_vkey_parse(out->vkey, &out->key, f));
    if (!out->key.known)
        return fail_set(f, E_VKEY, "keys of type %02x cannot sign here", out->key.type);
    if (out->simulated) {
        TRY(value_next(&rest, "skey", &out->skey, f));
    } else if (out->on_token) {
        TRY(token_next(&rest, &out->at, f));
    } else {
        TRY(costs_next(&rest, &out->kdf, f));
        TRY(bytes_next(&rest, "salt", out->salt, sizeof out->salt, f));
        TRY(bytes_next(&rest, "nonce", out->nonce, sizeof out->nonce, f));
        TRY(bytes_next(&rest, "box", out->box, sizeof out->box, f));
    }
    if (rest.n) return fail_set(f, E_FIELD, "the key file goes on where it should end");
    return OK;
}

static err signer_check(const struct keyfile *file, struct note_signer *out, struct fail *f) {
    if (out->key.id == file->key.id && out->key.type == file->key.type &&
        span_eq(out->key.name, file->key.name) &&
        memcmp(out->key.public.b, file->key.public.b, sizeof out->key.public.b) == 0)
        return OK;
    note_signer_wipe(out);
    return fail_set(f, E_PASSPHRASE,
                    "the key file of %.*s holds another key than it says: restore a copy of it",
                    SPAN_ARG(file->key.name));
}

err keyfile_open(const struct keyfile *file, struct span passphrase, struct note_signer *out,
                 struct fail *f) {
    if (file->on_token)
        return fail_set(f, E_TOKEN, "the key of %.*s is on a token, no passphrase opens it",
                        SPAN_ARG(file->key.name));
    if (file->simulated) {
        TRY(note_skey_parse(file->skey, out, f));
        return signer_check(file, out, f);
    }
    uint8_t plain[PLAIN_BYTES];
    TRY(secret_open(span_of(file->box, sizeof file->box), passphrase, file->kdf, file->salt,
                    file->nonce, plain, f));
    struct hash bound = sha256(file->vkey);
    err e = OK;
    if (memcmp(bound.b, plain + ED25519_SEED_BYTES, sizeof bound.b) != 0)
        e = fail_set(f, E_PASSPHRASE,
                     "the verifier key in this key file was altered: restore a copy of it");
    if (e == OK) e = note_signer_make(file->key.name, file->key.type, plain, out, f);
    secret_wipe(plain, sizeof plain);
    return e == OK ? signer_check(file, out, f) : e;
}

/* What a token keeps cannot be written down. */
static err secret_is_here(const struct note_signer *signer, struct fail *f) {
    if (!signer->device.sign) return OK;
    return fail_set(f, E_TOKEN_KEY, "the key of %.*s is on a token and does not leave it",
                    SPAN_ARG(signer->key.name));
}

err keyfile_write(const struct note_signer *signer, struct span passphrase, struct secret_kdf kdf,
                  struct buf *out, struct fail *f) {
    TRY(secret_is_here(signer, f));
    if (passphrase.n == 0)
        return fail_set(f, E_PASSPHRASE, "a key file needs a passphrase: choose one");
    uint8_t plain[PLAIN_BYTES], salt[SECRET_SALT_BYTES], nonce[SECRET_NONCE_BYTES];
    uint8_t box[KEYFILE_BOX_BYTES];
    buf_str(out, HEAD_PROTECTED "\nvkey ");
    size_t from = out->n;
    note_vkey_format(&signer->key, out);
    TRY(buf_ok(out, f));
    struct hash bound = sha256(span_of(out->p + from, out->n - from));
    memcpy(plain, signer->secret.b, ED25519_SEED_BYTES);
    memcpy(plain + ED25519_SEED_BYTES, bound.b, sizeof bound.b);
    err e = secret_seal(span_of(plain, sizeof plain), passphrase, kdf, salt, nonce, box, f);
    secret_wipe(plain, sizeof plain);
    if (e != OK) return e;
    buf_printf(out, "\nargon2id %u %u\nsalt ", kdf.ops, kdf.kib);
    buf_base64(out, span_of(salt, sizeof salt));
    buf_str(out, "\nnonce ");
    buf_base64(out, span_of(nonce, sizeof nonce));
    buf_str(out, "\nbox ");
    buf_base64(out, span_of(box, sizeof box));
    buf_byte(out, '\n');
    return buf_ok(out, f);
}

err keyfile_write_simulated(const struct note_signer *signer, struct buf *out, struct fail *f) {
    TRY(secret_is_here(signer, f));
    buf_str(out, HEAD_SIMULATED "\nvkey ");
    note_vkey_format(&signer->key, out);
    buf_str(out, "\nskey ");
    note_skey_format(signer, out);
    buf_byte(out, '\n');
    return buf_ok(out, f);
}

static void value_write(const char *key, struct span value, struct buf *out) {
    buf_byte(out, '\n');
    buf_str(out, key);
    buf_byte(out, ' ');
    buf_span(out, value);
}

err keyfile_write_token(const struct note_key *key, const struct keyfile_token *at, struct buf *out,
                        struct fail *f) {
    TRY(token_check(at, f));
    buf_str(out, HEAD_TOKEN "\nvkey ");
    note_vkey_format(key, out);
    value_write("module", at->module, out);
    value_write("token", at->token, out);
    if (at->serial.n) value_write("serial", at->serial, out);
    if (at->id_n) {
        value_write("id", (struct span){0}, out);
        buf_hex(out, span_of(at->id, at->id_n));
    } else {
        value_write("label", at->label, out);
    }
    buf_byte(out, '\n');
    return buf_ok(out, f);
}
