/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/json_out.h"
#include "election/record_check.h"

static const char *const given_words[] = {"nothing", "receipt", "proof", "slip"};
static const char *const state_words[] = {"holds", "fails", "unknown"};

static void record_json(struct json_out *j, const struct record_report *r) {
    if (r->type == REC_COUNT) return;
    json_kstr(j, "type", record_info(r->type)->name);
    json_ku64(j, "ms", r->ms);
    json_khex(j, "id", hash_span(&r->id));
    json_key(j, "signers");
    json_array(j);
    for (size_t i = 0; i < r->signer_count; i++) {
        const struct checked_signer *s = &r->signers[i];
        json_object(j);
        json_kstr(j, "name", s->name);
        json_kstr(j, "state", state_words[s->state]);
        json_kstr(j, "role", s->is_log ? "log" : role_name(s->role));
        if (s->key_index != UINT64_MAX) json_ku64(j, "key_index", s->key_index);
        json_object_end(j);
    }
    json_array_end(j);
    json_ku64(j, "keys_followed", r->keys);
    json_kspan(j, "record", r->json);
}

static void given_json(struct json_out *j, const struct record_report *r) {
    if (r->given == GIVEN_NOTHING) return;
    json_key(j, "given");
    json_object(j);
    json_kstr(j, "kind", given_words[r->given]);
    json_kbool(j, "holds", r->given_holds);
    json_ku64(j, "size", r->given_size);
    json_kbool(j, "quorum", r->given_quorum);
    json_kbool(j, "consistent", r->given_consistent);
    json_object_end(j);
}

err record_check_json(const struct record_report *r, struct buf *out, struct fail *f) {
    struct json_out j = json_out(out);
    json_object(&j);
    json_kstr(&j, "verdict", verdict_words(r->verdict));
    json_kstr(&j, "trust", r->anchored ? "anchored" : "self-declared");
    if (r->verdict != VERDICT_VALID) {
        json_kstr(&j, "code", err_info(r->code)->name);
        json_kstr(&j, "sentence", r->sentence);
    }
    json_ku64(&j, "size", r->size);
    json_key(&j, "root");
    json_base64(&j, hash_span(&r->root));
    json_kbool(&j, "in_log", r->in_log);
    if (r->index != UINT64_MAX) json_ku64(&j, "index", r->index);
    json_key(&j, "witnesses");
    json_object(&j);
    json_ku64(&j, "in_policy", r->witnesses);
    json_ku64(&j, "cosigned", r->witnessed_by);
    json_kbool(&j, "quorum", r->quorum);
    json_object_end(&j);
    record_json(&j, r);
    given_json(&j, r);
    json_object_end(&j);
    buf_byte(out, '\n');
    return buf_ok(out, f);
}
