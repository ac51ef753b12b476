/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/submission.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "crypto/ed25519.h"

/* The verifier key that a key record introduces: its JSON's member "key". Canonical JSON has one
 * spelling, so a search finds it; a wrong guess only costs a check that apply makes again. */
static bool introduced_key(const struct record *r, struct note_key *out) {
    static const char member[] = "\"key\":\"";
    const uint8_t *at = memmem(r->json.p, r->json.n, member, sizeof member - 1);
    if (!at) return false;
    struct span rest = span_from(r->json, (size_t)(at - r->json.p) + sizeof member - 1);
    const uint8_t *end = rest.n ? memchr(rest.p, '"', rest.n) : NULL;
    if (!end) return false;
    return note_vkey_parse(span_of(rest.p, (size_t)(end - rest.p)), out, NULL) == OK &&
           out->type == NOTE_TYPE_ED25519;
}

static err check_lines(struct submission *s, const struct record *r, struct keyring *keys,
                       struct fail *f) {
    struct note_key own = {0};
    bool has_own = r->type == REC_KEY && introduced_key(r, &own);
    /* the first manifest's signers stand in it: apply checks them */
    bool known = r->type == REC_MANIFEST && keyring_is_empty(keys);
    for (size_t i = 0; i < r->split.count; i++) {
        const struct note_line *l = &r->lines[i];
        uint8_t pub[32];
        uint32_t keyid;
        bool in_ring = keyring_find(keys, l->name, pub, &keyid);
        if (in_ring) {
            if (keyid != l->id) continue; /* apply says what is wrong with it */
        } else if (has_own && note_line_is_by(l, &own)) {
            memcpy(pub, own.public.b, 32);
        } else {
            continue;
        }
        if (l->n != 64) continue;
        if (!ed25519_verify((const struct ed25519_public *)pub,
                            (const struct ed25519_signature *)l->bytes, r->text))
            return fail_set(f, E_SIGNATURE, "the signature of %.*s does not verify",
                            SPAN_ARG(l->name));
        if (in_ring) {
            known = true;
            if (!s->signer[0])
                (void)snprintf(s->signer, sizeof s->signer, "%.*s", (int)l->name.n,
                               (const char *)l->name.p);
        }
        if (s->checked_count < sizeof s->checked / sizeof *s->checked) {
            struct checked_line *c = &s->checked[s->checked_count++];
            c->line = (uint8_t)i;
            memcpy(c->pub, pub, 32);
        }
    }
    if (!known) return fail_set(f, E_SIGNER, "no signature is by a key that this log knows");
    return OK;
}

err submission_new(struct span note, struct keyring *keys, struct submission **out,
                   struct fail *f) {
    struct submission *s = calloc(1, sizeof *s);
    *out = s;
    if (!s) return fail_set(f, E_MEMORY, "no memory for a submission");
    s->type = REC_COUNT;
    if (note.n > ENTRY_MAX)
        return fail_set(f, E_SIZE, "a record of %zu bytes; none may have more than %d", note.n,
                        ENTRY_MAX);
    buf_init(&s->note, ENTRY_MAX);
    buf_span(&s->note, note);
    TRY(buf_ok(&s->note, f));
    struct record r;
    TRY(record_parse(buf_view(&s->note), &r, f));
    s->type = r.type;
    s->id = r.id;
    return check_lines(s, &r, keys, f);
}

err submission_raw(struct span note, struct submission **out, struct fail *f) {
    struct submission *s = calloc(1, sizeof *s);
    *out = s;
    if (!s) return fail_set(f, E_MEMORY, "no memory for a submission");
    s->type = REC_COUNT;
    buf_init(&s->note, ENTRY_MAX);
    buf_span(&s->note, note);
    return buf_ok(&s->note, f);
}

void submission_free(struct submission *s) {
    if (!s) return;
    buf_release(&s->note);
    free(s);
}
