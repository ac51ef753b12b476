/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "crypto/note.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

static const uint8_t dash[] = {0xe2, 0x80, 0x94, ' '}; /* U+2014 and a space */

/* What may stand in a note: UTF-8 without controls below 0x20 but '\n'. Eight ASCII bytes at a
 * time, since replaying a log spends its time here. */
static bool text_is_note(struct span s) {
    const uint64_t high = 0x8080808080808080u, ones = 0x0101010101010101u;
    while (s.n) {
        while (s.n >= 8) {
            uint64_t v;
            memcpy(&v, s.p, 8);
            /* of bytes below 0x80, the high bit of (v - 0x20) tells those below 0x20 */
            if ((v & high) || ((v - ones * 0x20) & high)) break;
            s.p += 8, s.n -= 8;
        }
        /* up to eight bytes (or one long character) with care, then back to the fast loop */
        for (size_t i = 0; i < 8 && s.n; i++) {
            if (s.p[0] >= 0x80) {
                if (utf8_next(&s) < 0) return false;
                continue;
            }
            if (s.p[0] < 0x20 && s.p[0] != '\n') return false;
            s.p++, s.n--;
        }
    }
    return true;
}

bool note_name_is_valid(struct span name) {
    if (name.n == 0 || name.n > NOTE_NAME_MAX) return false;
    while (name.n) {
        int32_t c = name.p[0];
        if (c < 0x80) {
            if (c <= 0x20 || c == '+') return false;
            name.p++, name.n--;
        } else {
            c = utf8_next(&name);
            if (c < 0 || char_is_space(c)) return false;
        }
    }
    return true;
}

/* ---- keys ---- */

uint32_t note_key_id(struct span name, uint8_t type, struct span public) {
    uint8_t head[NOTE_NAME_MAX + 2];
    if (name.n > NOTE_NAME_MAX) return 0;
    if (name.n) memcpy(head, name.p, name.n);
    head[name.n] = '\n';
    head[name.n + 1] = type;
    struct hash h = sha256_2(span_of(head, name.n + 2), public);
    return get_u32be(h.b);
}

static bool type_is_known(uint8_t type) {
    return type == NOTE_TYPE_ED25519 || type == NOTE_TYPE_COSIGNATURE;
}

err note_key_make(struct span name, uint8_t type, const struct ed25519_public *public,
                  struct note_key *out, struct fail *f) {
    if (!note_name_is_valid(name))
        return fail_set(f, E_VKEY,
                        "\"%.*s\" cannot be a key's name: 1 to %d bytes of UTF-8 without spaces, "
                        "controls or '+'",
                        SPAN_ARG(name), NOTE_NAME_MAX);
    if (!type_is_known(type))
        return fail_set(f, E_VKEY, "keys of type %02x are not made here, only 01 and 04", type);
    *out = (struct note_key){.name = name, .type = type, .known = true, .public = *public};
    out->id = note_key_id(name, type, span_of(public->b, sizeof public->b));
    return OK;
}

/* "name+hex8+base64" into its parts; the name of a vkey holds no '+', base64 may. */
static err key_text_split(struct span text, struct span *name, uint32_t *id, struct span *base64,
                          struct fail *f) {
    const uint8_t *plus = text.n ? memchr(text.p, '+', text.n) : NULL;
    if (!plus) return fail_set(f, E_VKEY, "a key is NAME+ID+BASE64, here is no '+'");
    *name = span_of(text.p, (size_t)(plus - text.p));
    if (!note_name_is_valid(*name))
        return fail_set(f, E_VKEY, "\"%.*s\" cannot be a key's name", SPAN_ARG(*name));
    struct span rest = span_from(text, name->n + 1);
    uint8_t raw[4];
    if (rest.n < 10 || rest.p[8] != '+' ||
        hex_decode(span_of(rest.p, 8), raw, sizeof raw, NULL) != OK)
        return fail_set(f, E_VKEY,
                        "the key of %.*s must have 8 lowercase hex digits and '+' after its name",
                        SPAN_ARG(*name));
    *id = get_u32be(raw);
    *base64 = span_from(rest, 9);
    return OK;
}

err note_vkey_parse(struct span text, struct note_key *out, struct fail *f) {
    if (text.n > NOTE_VKEY_BYTES_MAX)
        return fail_set(f, E_VKEY, "a verifier key of %zu bytes is too long", text.n);
    struct span base64;
    struct note_key key = {0};
    TRY(key_text_split(text, &key.name, &key.id, &base64, f));
    uint8_t raw[NOTE_VKEY_BYTES_MAX];
    size_t n = 0;
    if (base64_decode(base64, raw, sizeof raw, &n, f) != OK) {
        return fail_context(f, E_VKEY, "the key of %.*s", SPAN_ARG(key.name));
    }
    key.type = raw[0];
    key.known = type_is_known(key.type);
    struct span public = span_of(raw + 1, n - 1);
    if (key.known && public.n != sizeof key.public.b)
        return fail_set(f, E_VKEY, "the key of %.*s has %zu bytes, an Ed25519 key has 32",
                        SPAN_ARG(key.name), public.n);
    /* ids of other types (ECDSA's in particular) have rules of their own */
    if ((key.known || key.type == NOTE_TYPE_SUBTREE) &&
        note_key_id(key.name, key.type, public) != key.id)
        return fail_set(f, E_VKEY, "%08x is not the id of this key of %.*s: copy it again, whole",
                        key.id, SPAN_ARG(key.name));
    if (key.known) memcpy(key.public.b, public.p, sizeof key.public.b);
    *out = key;
    return OK;
}

static void key_text_write(const struct note_key *key, const uint8_t bytes[32], struct buf *out) {
    uint8_t raw[33], id[4];
    raw[0] = key->type;
    memcpy(raw + 1, bytes, 32);
    put_u32be(id, key->id);
    buf_span(out, key->name);
    buf_byte(out, '+');
    buf_hex(out, span_of(id, sizeof id));
    buf_byte(out, '+');
    buf_base64(out, span_of(raw, sizeof raw));
    secret_wipe(raw, sizeof raw);
}

void note_vkey_format(const struct note_key *key, struct buf *out) {
    key_text_write(key, key->public.b, out);
}

err note_signer_make(struct span name, uint8_t type, const uint8_t seed[32],
                     struct note_signer *out, struct fail *f) {
    struct ed25519_public public;
    out->device = (struct note_device){0};
    ed25519_from_seed(seed, &out->secret, &public);
    err e = note_key_make(name, type, &public, &out->key, f);
    if (e != OK) note_signer_wipe(out);
    return e;
}

err note_skey_parse(struct span text, struct note_signer *out, struct fail *f) {
    static const char prefix[] = "PRIVATE+KEY+";
    if (!span_starts(text, SPAN_LIT("PRIVATE+KEY+")))
        return fail_set(f, E_VKEY, "a signing key begins with %s", prefix);
    struct span name, base64;
    uint32_t id;
    TRY(key_text_split(span_from(text, sizeof prefix - 1), &name, &id, &base64, f));
    uint8_t raw[1 + ED25519_SEED_BYTES];
    size_t n = 0;
    err e = base64_decode(base64, raw, sizeof raw, &n, f);
    if (e != OK) {
        e = fail_context(f, E_VKEY, "the signing key of %.*s", SPAN_ARG(name));
    } else if (n != sizeof raw) {
        e = fail_set(f, E_VKEY, "the signing key of %.*s has not 33 bytes", SPAN_ARG(name));
    } else {
        e = note_signer_make(name, raw[0], raw + 1, out, f);
        if (e == OK && out->key.id != id) {
            note_signer_wipe(out);
            e = fail_set(f, E_VKEY, "%08x is not the id of this signing key of %.*s", id,
                         SPAN_ARG(name));
        }
    }
    secret_wipe(raw, sizeof raw);
    return e;
}

void note_skey_format(const struct note_signer *signer, struct buf *out) {
    buf_str(out, "PRIVATE+KEY+");
    key_text_write(&signer->key, signer->secret.b, out);
}

void note_signer_wipe(struct note_signer *signer) {
    secret_wipe(signer, sizeof *signer);
}

err note_signer_sign(const struct note_signer *signer, struct span message,
                     struct ed25519_signature *out, struct fail *f) {
    if (!signer->device.sign) {
        ed25519_sign(&signer->secret, message, out);
        return OK;
    }
    memset(out, 0, sizeof *out);
    TRY(signer->device.sign(signer->device.ctx, message, out, f));
    if (ed25519_verify(&signer->key.public, out, message)) return OK;
    memset(out, 0, sizeof *out);
    return fail_set(f, E_TOKEN_KEY,
                    "what the token gave is not a signature of %.*s, so nothing was signed: it "
                    "holds another key, or is damaged",
                    SPAN_ARG(signer->key.name));
}

/* ---- reading ---- */

err note_cut(struct span bytes, struct note *out, struct fail *f) {
    if (!text_is_note(bytes))
        return fail_set(f, E_UTF8,
                        "a signed note must be UTF-8 without control characters other than the "
                        "line feed");
    if (bytes.n < 3 || bytes.p[bytes.n - 1] != '\n')
        return fail_set(f, E_NOTE, "a signed note ends with a line feed");
    /* the last "\n\n": go back line by line */
    size_t end = bytes.n - 1;
    for (;;) {
        const uint8_t *nl = end ? memrchr(bytes.p, '\n', end) : NULL;
        if (!nl)
            return fail_set(f, E_NOTE, "no empty line between text and signatures: not signed?");
        size_t at = (size_t)(nl - bytes.p);
        if (at + 1 == end) {
            out->text = span_of(bytes.p, at + 1);
            out->signatures = span_from(bytes, at + 2);
            out->count = 0;
            return OK;
        }
        end = at;
    }
}

/* Base64 of id and signature. Long signatures (ML-DSA) are checked in pieces and not kept. */
static err signature_decode(struct span base64, struct note_line *out, struct fail *f) {
    enum { SHORT = BASE64_LEN(4 + NOTE_SIGNATURE_KEPT) };
    uint8_t raw[SHORT / 4 * 3];
    size_t n = 0;
    if (base64.n <= SHORT) {
        TRY(base64_decode(base64, raw, sizeof raw, &n, f));
        if (n < 5) return fail_set(f, E_NOTE, "a signature of %zu bytes is too short", n);
        out->id = get_u32be(raw);
        out->n = n - 4;
        if (out->n <= sizeof out->bytes) memcpy(out->bytes, raw + 4, out->n);
        return OK;
    }
    if (!base64_check(base64, &n) ||
        base64_decode(span_of(base64.p, 8), raw, sizeof raw, &(size_t){0}, f) != OK)
        return fail_set(f, E_BASE64, "a long signature is not canonical base64");
    out->id = get_u32be(raw);
    out->n = n - 4;
    return OK;
}

static err line_parse(struct span line, struct note_line *out, struct fail *f) {
    if (line.n < sizeof dash || memcmp(line.p, dash, sizeof dash) != 0)
        return fail_set(f, E_NOTE, "a signature line does not begin with a dash (U+2014)");
    struct span rest = span_from(line, sizeof dash);
    const uint8_t *space = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;
    if (!space) return fail_set(f, E_NOTE, "a signature line has no signature after its name");
    out->line = line;
    out->name = span_of(rest.p, (size_t)(space - rest.p));
    if (!note_name_is_valid(out->name))
        return fail_set(f, E_NOTE, "\"%.*s\" in a signature line cannot be a key's name",
                        SPAN_ARG(out->name));
    err e = signature_decode(span_from(rest, out->name.n + 1), out, f);
    if (e != OK) return fail_context(f, e, "the signature line of %.*s", SPAN_ARG(out->name));
    return OK;
}

err note_split_lines(struct span signatures, struct note_line *lines, size_t max, size_t *count,
                     struct fail *f) {
    *count = 0;
    if (max > NOTE_LINES_MAX) max = NOTE_LINES_MAX;
    struct span line;
    while (span_line(&signatures, &line)) {
        if (*count == max) return fail_set(f, E_NOTE, "more than %zu signature lines", max);
        TRY(line_parse(line, &lines[*count], f));
        (*count)++;
    }
    if (signatures.n) return fail_set(f, E_NOTE, "the last signature line does not end");
    return OK;
}

err note_split(struct span bytes, struct note *out, struct note_line *lines, size_t max,
               struct fail *f) {
    TRY(note_cut(bytes, out, f));
    TRY(note_split_lines(out->signatures, lines, max, &out->count, f));
    if (out->count == 0) return fail_set(f, E_NOTE, "no signature line after the text");
    return OK;
}

/* ---- verifying ---- */

err note_verify(const struct note_key *key, struct span text, const struct note_line *line,
                struct fail *f) {
    struct ed25519_signature sig;
    if (key->type == NOTE_TYPE_ED25519 && key->known && note_line_is_by(line, key) &&
        line->n == sizeof sig.b) {
        memcpy(sig.b, line->bytes, sizeof sig.b);
        if (ed25519_verify(&key->public, &sig, text)) return OK;
    }
    return fail_set(f, E_SIGNATURE,
                    "the signature of %.*s does not fit the text: one of them was altered",
                    SPAN_ARG(line->name));
}

err note_open(struct span bytes, const struct note_key *keys, size_t count, struct note *out,
              struct note_line *lines, size_t max, bool *signed_by, struct fail *f) {
    TRY(note_split(bytes, out, lines, max, f));
    if (signed_by && count) memset(signed_by, 0, count * sizeof *signed_by);
    size_t verified = 0;
    for (size_t i = 0; i < out->count; i++) {
        for (size_t k = 0; k < count; k++) {
            if (keys[k].type != NOTE_TYPE_ED25519 || !note_line_is_by(&lines[i], &keys[k]))
                continue;
            TRY(note_verify(&keys[k], out->text, &lines[i], f));
            if (signed_by) signed_by[k] = true;
            verified++;
        }
    }
    if (verified == 0)
        return fail_set(f, E_UNSIGNED, "none of the %zu signatures is of a key that is known here",
                        out->count);
    return OK;
}

/* ---- writing ---- */

void note_line_write(struct span name, uint32_t id, struct span signature, struct buf *out) {
    uint8_t raw[4 + NOTE_SIGNATURE_KEPT];
    if (signature.n > NOTE_SIGNATURE_KEPT) { /* nothing here makes longer ones */
        out->failed = true;
        return;
    }
    put_u32be(raw, id);
    if (signature.n) memcpy(raw + 4, signature.p, signature.n);
    buf_add(out, dash, sizeof dash);
    buf_span(out, name);
    buf_byte(out, ' ');
    buf_base64(out, span_of(raw, 4 + signature.n));
    buf_byte(out, '\n');
}

err note_sign_line(const struct note_signer *signer, struct span text, struct buf *out,
                   struct fail *f) {
    if (signer->key.type != NOTE_TYPE_ED25519)
        return fail_set(f, E_VKEY, "%.*s is a key for cosignatures, not for notes",
                        SPAN_ARG(signer->key.name));
    if (!text_is_note(text))
        return fail_set(f, E_UTF8, "the text to sign is not UTF-8, or holds control characters");
    if (text.n == 0 || text.p[text.n - 1] != '\n')
        return fail_set(f, E_NOTE, "the text to sign must end with a line feed");
    struct ed25519_signature sig;
    TRY(note_signer_sign(signer, text, &sig, f));
    note_line_write(signer->key.name, signer->key.id, span_of(sig.b, sizeof sig.b), out);
    return buf_ok(out, f);
}

err note_sign(const struct note_signer *const *signers, size_t count, struct span text,
              struct buf *out, struct fail *f) {
    if (count == 0 || count > NOTE_LINES_MAX)
        return fail_set(f, E_NOTE, "a note has 1 to %d signers, not %zu", NOTE_LINES_MAX, count);
    struct buf lines;
    buf_init(&lines, NOTE_LINES_MAX * (NOTE_NAME_MAX + 128));
    struct span sorted[NOTE_LINES_MAX];
    size_t ends[NOTE_LINES_MAX];
    err e = OK;
    for (size_t i = 0; i < count && e == OK; i++) {
        for (size_t j = 0; j < i && e == OK; j++)
            if (signers[i]->key.id == signers[j]->key.id &&
                span_eq(signers[i]->key.name, signers[j]->key.name))
                e = fail_set(f, E_NOTE, "%.*s would sign twice", SPAN_ARG(signers[i]->key.name));
        if (e == OK) e = note_sign_line(signers[i], text, &lines, f);
        ends[i] = lines.n;
    }
    if (e == OK) {
        for (size_t i = 0; i < count; i++) {
            size_t from = i ? ends[i - 1] : 0, at = i;
            struct span line = span_of(lines.p + from, ends[i] - from);
            for (; at > 0 && span_cmp(line, sorted[at - 1]) < 0; at--) sorted[at] = sorted[at - 1];
            sorted[at] = line;
        }
        buf_span(out, text);
        buf_byte(out, '\n');
        for (size_t i = 0; i < count; i++) buf_span(out, sorted[i]);
        e = buf_ok(out, f);
    }
    buf_release(&lines);
    return e;
}
