/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Keys, followed back to the manifest. */
#include "election/record_check_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "election/canonical_json.h"

enum { VKEY_MAX = 300, POLICY_LINE_MAX = 1000, POLICY_TEXT_MAX = 32768, RECEIPT_MAX = 256 << 10 };

static err add_key(struct record_work *w, const struct checked_key *k, struct fail *f) {
    if (w->key_count == CHECK_KEYS_MAX)
        return fail_set(f, E_DELEGATION, "more than %d keys stand behind this record", CHECK_KEYS_MAX);
    w->keys[w->key_count++] = *k;
    return OK;
}

static err key_of_vkey(struct span text, struct checked_key *out, struct fail *f) {
    struct note_key key;
    TRY(note_vkey_parse(text, &key, f));
    if (key.type != NOTE_TYPE_ED25519) return fail_set(f, E_VKEY, "a key is not of type Ed25519");
    *out = (struct checked_key){.name = key.name, .id = key.id, .role = ROLE_COUNT,
                                .not_after_ms = UINT64_MAX};
    memcpy(out->pub, key.public.b, sizeof out->pub);
    return OK;
}

/* --- the manifest --- */

static err read_commissioners(struct record_work *w, struct cj *r, struct fail *f) {
    cj_object(r);
    cj_need(r, "keys");
    cj_array(r);
    for (int n = 0; cj_element(r) && n < CHECK_COMMISSIONERS_MAX; n++) {
        struct checked_key k = {0};
        uint8_t holder[HASH_BYTES];
        cj_object(r);
        cj_need(r, "holder");
        cj_hex(r, holder, sizeof holder);
        cj_need(r, "key");
        struct span text = cj_code(r, VKEY_MAX);
        cj_object_end(r);
        if (cj_failed(r)) break;
        TRY(key_of_vkey(text, &k, f));
        k.role = ROLE_COMMISSIONER;
        TRY(add_key(w, &k, f));
    }
    cj_need(r, "threshold");
    (void)cj_u64(r, CHECK_COMMISSIONERS_MAX);
    cj_object_end(r);
    return OK;
}

static void read_policy(struct record_work *w, struct cj *r) {
    struct buf b;
    buf_init(&b, POLICY_TEXT_MAX);
    cj_array(r);
    while (cj_element(r)) {
        buf_span(&b, cj_code(r, POLICY_LINE_MAX));
        buf_byte(&b, '\n');
    }
    if (b.failed) cj_fail(r, E_RANGE, "the manifest's witness policy is too long");
    if (!cj_failed(r)) w->policy_text = arena_copy(&w->arena, buf_view(&b));
    buf_release(&b);
}

static err read_manifest_json(struct record_work *w, struct span json, struct fail *f) {
    struct cj r;
    struct span key, log = {0};
    cj_init(&r, json, f);
    cj_object(&r);
    while (cj_any_key(&r, &key)) {
        if (span_is(key, "commissioners"))
            TRY(read_commissioners(w, &r, f));
        else if (span_is(key, "log"))
            log = cj_code(&r, VKEY_MAX);
        else if (span_is(key, "policy"))
            read_policy(w, &r);
        else
            (void)cj_raw(&r);
    }
    TRY(cj_end(&r));
    struct checked_key k = {0};
    TRY(note_vkey_parse(log, &w->log, f));
    TRY(key_of_vkey(log, &k, f));
    k.is_log = true;
    k.index = UINT64_MAX;
    return add_key(w, &k, f);
}

err record_read_manifest(struct record_work *w, struct fail *f) {
    struct span entry;
    uint64_t ms;
    TRY(record_entry_at(w, 0, &entry, f));
    struct record *rec = malloc(sizeof *rec);
    if (!rec) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = record_of_entry(entry, &ms, rec, f);
    if (e == OK && rec->type != REC_MANIFEST)
        e = fail_set(f, E_FIRST, "the log does not begin with a manifest");
    if (e == OK && w->o->anchor && !hash_eq(&rec->id, &w->o->anchor->manifest))
        e = fail_set(f, E_ANCHOR, "the log is not the election that the anchor names");
    if (e == OK) e = read_manifest_json(w, rec->json, f);
    free(rec);
    return e;
}

/* --- key records --- */

static err read_key_json(struct cj *r, struct span *vkey, struct span *role, struct checked_key *k) {
    struct span key;
    cj_object(r);
    while (cj_any_key(r, &key)) {
        if (span_is(key, "key"))
            *vkey = cj_code(r, VKEY_MAX);
        else if (span_is(key, "role"))
            *role = cj_code(r, VKEY_MAX);
        else if (span_is(key, "not_before_ms"))
            k->not_before_ms = cj_u64(r, CJ_MAX_INT);
        else if (span_is(key, "not_after_ms"))
            k->not_after_ms = cj_u64(r, CJ_MAX_INT);
        else
            (void)cj_raw(r);
    }
    return cj_end(r);
}

err record_read_key(struct record_work *w, const struct record *rec, uint64_t index,
                    struct checked_key *out, struct fail *f) {
    struct cj r;
    struct span vkey = {0}, role = {0};
    struct checked_key validity = {0};
    (void)w;
    if (rec->type != REC_KEY) return fail_set(f, E_TYPE, "entry %llu is not a key record", (unsigned long long)index);
    cj_init(&r, rec->json, f);
    TRY(read_key_json(&r, &vkey, &role, &validity));
    TRY(key_of_vkey(vkey, out, f));
    out->role = role_by_name(role);
    out->index = index;
    out->not_before_ms = validity.not_before_ms;
    out->not_after_ms = validity.not_after_ms;
    if (out->role == ROLE_COUNT) return fail_set(f, E_FIELD, "a key of an unknown role");
    return OK;
}

err record_line_holds(const struct checked_key *k, const struct record *rec, size_t line,
                      struct fail *f) {
    const struct note_line *l = &rec->lines[line];
    if (l->n == ED25519_SIGNATURE_BYTES &&
        ed25519_verify((const struct ed25519_public *)k->pub,
                       (const struct ed25519_signature *)l->bytes, rec->text))
        return OK;
    return fail_set(f, E_SIGNATURE, "the signature of %.*s does not hold", SPAN_ARG(l->name));
}

/* The new key has signed its own record, and somebody who may grant such a key has signed it too. */
static err check_grant(struct record_work *w, const struct record *rec, const struct checked_key *k,
                       unsigned depth, struct fail *f) {
    bool own = false, granted = false;
    for (size_t i = 0; i < rec->split.count; i++) {
        const struct note_line *l = &rec->lines[i];
        if (l->id == k->id && span_eq(l->name, k->name)) {
            TRY(record_line_holds(k, rec, i, f));
            own = true;
            continue;
        }
        const struct checked_key *by;
        TRY(record_find_key(w, l, k->index, depth + 1, &by, f));
        TRY(record_line_holds(by, rec, i, f));
        if (!role_may_grant(by->role, k->role))
            return fail_set(f, E_DELEGATION, "%.*s may not grant a key of role %s", SPAN_ARG(l->name),
                            role_name(k->role));
        granted = true;
    }
    if (!own) return fail_set(f, E_POSSESSION, "the key %.*s did not sign its own record", SPAN_ARG(k->name));
    if (!granted) return fail_set(f, E_DELEGATION, "nobody has granted the key %.*s", SPAN_ARG(k->name));
    return OK;
}

uint8_t key_file_of(struct span name) {
    return sha256(name).b[0];
}

void key_file_path(uint8_t file, char out[KEY_FILE_PATH_MAX]) {
    (void)snprintf(out, KEY_FILE_PATH_MAX, "keys/%02x", file);
}

bool key_file_find(struct span file, struct span name, uint64_t *index) {
    struct span line;
    while (span_line(&file, &line)) {
        size_t digits = 0;
        while (digits < line.n && char_is_digit(line.p[digits])) digits++;
        if (digits == line.n || line.p[digits] != ' ' || !span_eq(span_from(line, digits + 1), name)) continue;
        if (u64_parse(span_of(line.p, digits), UINT32_MAX, index, NULL) == OK) return true;
    }
    return false;
}

/* In the published files; E_NOT_FOUND: not there. */
static err find_in_file(struct record_work *w, struct span name, uint64_t *index, struct fail *f) {
    char path[KEY_FILE_PATH_MAX];
    struct buf b;
    key_file_path(key_file_of(name), path);
    buf_init(&b, KEY_FILE_MAX);
    err e = w->get(w->ctx, path, KEY_FILE_MAX, &b, f);
    if (e == OK && !key_file_find(buf_view(&b), name, index))
        e = fail_set(f, E_NOT_FOUND, "the files of keys do not name %.*s", SPAN_ARG(name));
    buf_release(&b);
    return e;
}

/* Where the server says that the key record is. */
static err ask_index(struct record_work *w, struct span name, uint64_t *index, struct fail *f) {
    char path[200];
    struct buf b;
    struct span rest, head, magic = SPAN_LIT("hesabu/receipt/v1 ");
    int n = snprintf(path, sizeof path, "proofs/key/%.*s", (int)(name.n < 150 ? name.n : 150),
                     (const char *)name.p);
    if (n < 0 || (size_t)n != name.n + 11) return fail_set(f, E_NOT_FOUND, "a key's name is too long");
    buf_init(&b, RECEIPT_MAX);
    err e = w->get(w->ctx, path, RECEIPT_MAX, &b, f);
    if (e == E_NOT_FOUND)
        fail_set(f, e, "the server does not say where the key %.*s was granted", SPAN_ARG(name));
    rest = buf_view(&b);
    if (e == OK && (!span_line(&rest, &head) || !span_starts(head, magic)))
        e = fail_set(f, E_NETWORK, "the server's answer about the key %.*s is not a receipt", SPAN_ARG(name));
    if (e == OK) {
        head = span_from(head, magic.n);
        size_t digits = 0;
        while (digits < head.n && char_is_digit(head.p[digits])) digits++;
        e = u64_parse(span_of(head.p, digits), UINT32_MAX, index, f);
    }
    buf_release(&b);
    return e;
}

static err follow(struct record_work *w, const struct note_line *line, uint64_t before, unsigned depth,
                  struct record *rec, struct fail *f) {
    uint64_t index = 0, ms;
    struct span entry;
    struct checked_key k = {0};
    err found = find_in_file(w, line->name, &index, f);
    if (found != OK && found != E_NOT_FOUND) return found;
    if (found == E_NOT_FOUND) TRY(ask_index(w, line->name, &index, f));
    if (index >= before)
        return fail_set(f, E_SIGNER, "the key %.*s was granted later than it signed", SPAN_ARG(line->name));
    TRY(record_entry_at(w, index, &entry, f));
    TRY(record_of_entry(entry, &ms, rec, f));
    TRY(record_read_key(w, rec, index, &k, f));
    if (k.id != line->id || !span_eq(k.name, line->name))
        return fail_set(f, E_SIGNER, "entry %llu is not about the key %.*s", (unsigned long long)index,
                        SPAN_ARG(line->name));
    TRY(check_grant(w, rec, &k, depth, f));
    w->r->keys++;
    return add_key(w, &k, f);
}

err record_find_key(struct record_work *w, const struct note_line *line, uint64_t before,
                    unsigned depth, const struct checked_key **out, struct fail *f) {
    for (size_t i = 0; i < w->key_count; i++) {
        *out = &w->keys[i];
        if ((*out)->id != line->id || !span_eq((*out)->name, line->name)) continue;
        if (!(*out)->is_log && (*out)->index >= before)
            return fail_set(f, E_SIGNER, "the key %.*s was granted later than it signed", SPAN_ARG(line->name));
        return OK;
    }
    if (depth >= CHECK_DEPTH_MAX) return fail_set(f, E_DELEGATION, "the chain of keys has no end");
    struct record *rec = malloc(sizeof *rec);
    if (!rec) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = follow(w, line, before, depth, rec, f);
    free(rec);
    if (e == OK) *out = &w->keys[w->key_count - 1];
    return e;
}
