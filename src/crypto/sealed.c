/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "crypto/sealed.h"

#include <inttypes.h>
#include "base/text.h"
#include "crypto/secret.h"

#define FIRST_LINE "hesabu/sealed/v1"
enum { WRAP_BASE64 = (SEALED_WRAP_BYTES + 2) / 3 * 4 };

/* ---- making ---- */

static err write_head(struct span content, const struct note_key *keys, size_t count,
                      const uint8_t key[32], struct buf *head, struct fail *f) {
    char hex[HASH_HEX_LEN + 1], text[WRAP_BASE64 + 1];
    const struct hash h = sha256(content);
    hash_hex(&h, hex);
    buf_printf(head, FIRST_LINE "\ncontent %s %zu\n", hex, content.n);
    for (size_t i = 0; i < count; i++) {
        uint8_t box[SEALED_WRAP_BYTES];
        if (!keys[i].known || !sealed_wrap(&keys[i].public, key, box))
            return fail_set(f, E_VKEY, "nothing can be sealed to the key \"%.*s\"",
                            SPAN_ARG(keys[i].name));
        for (size_t k = 0; k < i; k++)
            if (memcmp(keys[k].public.b, keys[i].public.b, sizeof keys[i].public.b) == 0)
                return fail_set(f, E_RANGE, "the key \"%.*s\" is given twice",
                                SPAN_ARG(keys[i].name));
        base64_encode(span_of(box, sizeof box), text);
        buf_str(head, "key ");
        note_vkey_format(&keys[i], head);
        buf_printf(head, " %s\n", text);
    }
    buf_byte(head, '\n');
    return buf_ok(head, f);
}

err sealed_make(struct span content, const struct note_key *keys, size_t count, struct buf *out,
                struct fail *f) {
    uint8_t key[32], nonce[SEALED_NONCE_BYTES];
    struct buf head;
    if (count < 1 || count > SEALED_KEYS_MAX)
        return fail_set(f, E_RANGE, "a file is sealed to 1 to %d keys, not %zu", SEALED_KEYS_MAX,
                        count);
    buf_init(&head, SEALED_HEAD_MAX);
    secret_random(key, sizeof key);
    secret_random(nonce, sizeof nonce);
    err e = write_head(content, keys, count, key, &head, f);
    if (e == OK) {
        const size_t body = content.n + SEALED_TAG_BYTES;
        buf_span(out, buf_view(&head));
        buf_add(out, nonce, sizeof nonce);
        uint8_t *room = buf_room(out, body);
        if (room) {
            sealed_encrypt(key, nonce, buf_view(&head), content, room);
            out->n += body;
        }
        e = buf_ok(out, f);
    }
    secret_wipe(key, sizeof key);
    buf_release(&head);
    return e;
}

/* ---- reading ---- */

/* "content HEX SIZE" */
static err read_content(struct span line, struct sealed_head *out, struct fail *f) {
    static const char word[] = "content ";
    const size_t n = sizeof word - 1;
    if (!span_starts(line, SPAN_LIT(word)) || line.n < n + HASH_HEX_LEN + 2 ||
        line.p[n + HASH_HEX_LEN] != ' ')
        return fail_set(f, E_FIELD, "a sealed file's second line is \"content SHA-256 SIZE\"");
    TRY(hash_from_hex(span_of(line.p + n, HASH_HEX_LEN), &out->content, f));
    return u64_parse(span_from(line, n + HASH_HEX_LEN + 1), UINT32_MAX, &out->size, f);
}

/* "key VKEY BASE64" */
static err read_key(struct span line, struct sealed_head *out, struct fail *f) {
    size_t n = 0;
    const uint8_t *space = line.n > 4 ? memchr(line.p + 4, ' ', line.n - 4) : NULL;
    if (!span_starts(line, SPAN_LIT("key ")) || !space)
        return fail_set(f, E_FIELD, "a sealed file's key line is \"key VKEY BASE64\"");
    if (out->count == SEALED_KEYS_MAX)
        return fail_set(f, E_FIELD, "a sealed file has at most %d keys", SEALED_KEYS_MAX);
    struct note_key *key = &out->key[out->count];
    uint8_t *box = out->wrapped[out->count];
    const size_t end = (size_t)(space - line.p);
    TRY(note_vkey_parse(span_of(line.p + 4, end - 4), key, f));
    TRY(base64_decode(span_from(line, end + 1), box, SEALED_WRAP_BYTES, &n, f));
    if (!key->known || n != SEALED_WRAP_BYTES)
        return fail_set(f, E_FIELD, "a sealed file's line for \"%.*s\" is not complete",
                        SPAN_ARG(key->name));
    for (size_t i = 0; i < out->count; i++)
        if (memcmp(out->key[i].public.b, key->public.b, sizeof key->public.b) == 0)
            return fail_set(f, E_FIELD, "a sealed file names the key \"%.*s\" twice",
                            SPAN_ARG(key->name));
    out->count++;
    return OK;
}

err sealed_parse(struct span file, struct sealed_head *out, struct fail *f) {
    struct span rest = file, line;
    *out = (struct sealed_head){0};
    if (!span_line(&rest, &line) || !span_is(line, FIRST_LINE))
        return fail_set(f, E_FIELD, "a sealed file begins with " FIRST_LINE);
    if (!span_line(&rest, &line)) return fail_set(f, E_FIELD, "the sealed file is cut short");
    TRY(read_content(line, out, f));
    for (;;) {
        if (!span_line(&rest, &line)) return fail_set(f, E_FIELD, "the sealed file is cut short");
        if (line.n == 0) break;
        TRY(read_key(line, out, f));
    }
    out->head = span_of(file.p, (size_t)(rest.p - file.p));
    out->body = rest;
    if (out->count == 0 || out->head.n > SEALED_HEAD_MAX)
        return fail_set(f, E_FIELD, "a sealed file names 1 to %d keys", SEALED_KEYS_MAX);
    if (rest.n != SEALED_NONCE_BYTES + out->size + SEALED_TAG_BYTES)
        return fail_set(f, E_FIELD, "the sealed file has %zu bytes after its head, not %" PRIu64,
                        rest.n, SEALED_NONCE_BYTES + out->size + SEALED_TAG_BYTES);
    return OK;
}

static err decrypt(const struct sealed_head *h, const uint8_t key[32], struct buf *out,
                   struct fail *f) {
    uint8_t *room = buf_room(out, (size_t)h->size + 1);
    if (!room) return fail_set(f, E_MEMORY, "no memory for %" PRIu64 " bytes", h->size);
    const bool good = sealed_decrypt(key, h->body.p, h->head,
                                     span_from(h->body, SEALED_NONCE_BYTES), room);
    const struct hash is = sha256(span_of(room, good ? (size_t)h->size : 0));
    if (!good || !hash_eq(&is, &h->content))
        return fail_set(f, E_OBJECT, "the sealed file has been changed: fetch another copy");
    out->n += (size_t)h->size;
    return OK;
}

err sealed_open(struct span file, const struct note_signer *by, struct buf *out, struct fail *f) {
    struct sealed_head h;
    uint8_t key[32];
    TRY(sealed_parse(file, &h, f));
    for (size_t i = 0; i < h.count; i++) {
        if (memcmp(h.key[i].public.b, by->key.public.b, sizeof by->key.public.b) != 0) continue;
        if (by->device.sign)
            return fail_set(f, E_TOKEN_KEY,
                            "the key of %.*s is on a token, which signs but opens no sealed files: "
                            "have them sealed to a key in a file too",
                            SPAN_ARG(by->key.name));
        if (!sealed_unwrap(&by->secret, h.wrapped[i], key))
            return fail_set(f, E_OBJECT, "the sealed file has been changed: fetch another copy");
        const err e = decrypt(&h, key, out, f);
        secret_wipe(key, sizeof key);
        return e;
    }
    return fail_set(f, E_NOT_FOUND, "this file is not sealed to the key \"%.*s\"",
                    SPAN_ARG(by->key.name));
}
