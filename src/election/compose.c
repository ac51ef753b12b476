/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Keys are written in bytewise order throughout: that is what makes the JSON canonical. */
#include "election/compose_impl.h"

struct json_out compose_begin(struct buf *out, enum record_type t) {
    buf_str(out, "hesabu/v1 ");
    buf_str(out, record_info(t)->name);
    buf_byte(out, '\n');
    struct json_out j = json_out(out);
    json_object(&j);
    return j;
}

void compose_end(struct json_out *j) {
    json_object_end(j);
    buf_byte(j->b, '\n');
}

void compose_election(struct json_out *j, const struct hash *id) {
    json_khex(j, "election", hash_span(id));
}

void compose_object(struct json_out *j, struct named_object r) {
    json_object(j);
    json_khex(j, "sha256", hash_span(&r.id));
    json_ku64(j, "size", r.size);
    json_object_end(j);
}

void compose_object_if(struct json_out *j, const char *key, struct named_object r) {
    if (r.size == UINT64_MAX) return;
    json_key(j, key);
    compose_object(j, r);
}

void compose_figure(struct json_out *j, const char *key, uint64_t v) {
    if (v != ABSENT) json_ku64(j, key, v);
}

void compose_units_head(struct buf *out) {
    buf_str(out, "hesabu/units/v1\n");
}

void compose_unit(struct buf *out, struct span code, struct span level, struct span name,
                  struct span parent, uint64_t registered) {
    struct json_out j = json_out(out);
    json_array(&j);
    json_span(&j, code);
    json_span(&j, level);
    json_span(&j, name);
    if (parent.p)
        json_span(&j, parent);
    else
        json_null(&j);
    json_u64(&j, registered);
    json_array_end(&j);
    buf_byte(out, '\n');
}

void compose_contests_head(struct buf *out) {
    buf_str(out, "hesabu/contests/v1\n");
}

void compose_contest(struct buf *out, struct span id, struct span kind, struct span name,
                     struct span rule_json, struct span unit, const struct compose_choice *choices,
                     size_t n) {
    struct json_out j = json_out(out);
    json_object(&j);
    json_key(&j, "choices");
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        json_object(&j);
        json_kspan(&j, "id", choices[i].id);
        json_kspan(&j, "name", choices[i].name);
        if (choices[i].party.n) json_kspan(&j, "party", choices[i].party);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_kspan(&j, "id", id);
    json_kspan(&j, "kind", kind);
    json_kspan(&j, "name", name);
    json_key(&j, "rule");
    json_raw(&j, rule_json);
    json_kspan(&j, "unit", unit);
    compose_end(&j);
}

static void raw_if(struct json_out *j, const char *key, struct span raw) {
    if (raw.n == 0) return;
    json_key(j, key);
    json_raw(j, raw);
}

void compose_manifest(struct buf *out, const struct compose_manifest *m) {
    struct json_out j = compose_begin(out, REC_MANIFEST);
    json_ku64(&j, "closes_ms", m->closes_ms);
    json_key(&j, "commissioners");
    json_object(&j);
    json_key(&j, "keys");
    json_array(&j);
    for (size_t i = 0; i < m->commissioner_count; i++) {
        json_object(&j);
        json_khex(&j, "holder", hash_span(&m->commissioners[i].holder));
        json_kspan(&j, "key", m->commissioners[i].vkey);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_ku64(&j, "threshold", m->threshold);
    json_object_end(&j);
    compose_object_if(&j, "contests", m->contests);
    raw_if(&j, "deadlines", m->deadlines);
    json_kstr(&j, "image", m->image_optional ? "optional" : "required");
    json_key(&j, "levels");
    json_array(&j);
    for (size_t i = 0; i < m->level_count; i++) json_span(&j, m->levels[i]);
    json_array_end(&j);
    raw_if(&j, "limits", m->limits);
    json_kspan(&j, "log", m->log_vkey);
    if (m->notice.n) json_kspan(&j, "notice", m->notice);
    json_ku64(&j, "opens_ms", m->opens_ms);
    json_kspan(&j, "origin", m->origin);
    if (m->policy.n) {
        struct span rest = m->policy, line;
        json_key(&j, "policy");
        json_array(&j);
        while (span_line(&rest, &line)) json_span(&j, line);
        json_array_end(&j);
    }
    raw_if(&j, "quotas", m->quotas);
    if (m->simulated) json_kbool(&j, "simulated", true);
    raw_if(&j, "software", m->software);
    json_kspan(&j, "title", m->title);
    compose_object_if(&j, "units", m->units);
    raw_if(&j, "vacancy", m->vacancy);
    compose_end(&j);
}

void compose_key(struct buf *out, const struct compose_key *k) {
    struct json_out j = compose_begin(out, REC_KEY);
    if (k->contest_count) {
        json_key(&j, "contests");
        json_array(&j);
        for (size_t i = 0; i < k->contest_count; i++) json_span(&j, k->contests[i]);
        json_array_end(&j);
    }
    compose_election(&j, &k->election);
    json_khex(&j, "holder", hash_span(&k->holder));
    json_kspan(&j, "key", k->vkey);
    json_ku64(&j, "not_after_ms", k->not_after_ms);
    json_ku64(&j, "not_before_ms", k->not_before_ms);
    if (k->party.n) json_kspan(&j, "party", k->party);
    json_kstr(&j, "role", role_name(k->role));
    json_kspan(&j, "unit", k->unit);
    compose_end(&j);
}

void compose_revoke(struct buf *out, const struct hash *id, struct span key_name,
                    const char *reason, uint64_t suspect_since_ms) {
    struct json_out j = compose_begin(out, REC_REVOKE);
    compose_election(&j, id);
    json_kspan(&j, "key", key_name);
    json_kstr(&j, "reason", reason);
    compose_figure(&j, "suspect_since_ms", suspect_since_ms);
    compose_end(&j);
}

void compose_acting(struct buf *out, const struct hash *id, struct span deputy_key,
                    struct span officer_key, const char *reason, struct span unit) {
    struct json_out j = compose_begin(out, REC_ACTING);
    json_kspan(&j, "deputy", deputy_key);
    compose_election(&j, id);
    json_kspan(&j, "for", officer_key);
    json_kstr(&j, "reason", reason);
    json_kspan(&j, "unit", unit);
    compose_end(&j);
}

void compose_result_init(struct compose_result *r) {
    *r = (struct compose_result){.definition = 1, .round = 1, .registered = ABSENT,
                                 .valid = ABSENT, .rejected = ABSENT, .objected = ABSENT,
                                 .disputed = ABSENT, .voters_kit = ABSENT,
                                 .voters_manual = ABSENT, .agents_present = UINT32_MAX,
                                 .agents_signed = UINT32_MAX, .agents_refused = UINT32_MAX};
}

static void count(struct json_out *j, const char *key, uint32_t v) {
    if (v != UINT32_MAX) json_ku64(j, key, v);
}

/* Choices in bytewise order of their ids. Selection by repeated search: a contest has few. */
void compose_votes(struct json_out *j, const struct span *choices, const uint64_t *figures, size_t count) {
    json_object(j);
    struct span last = {0};
    for (size_t n = 0; n < count; n++) {
        size_t least = SIZE_MAX;
        for (size_t i = 0; i < count; i++) {
            if (last.p && span_cmp(choices[i], last) <= 0) continue;
            if (least == SIZE_MAX || span_cmp(choices[i], choices[least]) < 0) least = i;
        }
        if (least == SIZE_MAX) break;
        last = choices[least];
        if (figures[least] == ABSENT) continue;
        json_key_span(j, last);
        json_u64(j, figures[least]);
    }
    json_object_end(j);
}

void compose_result(struct buf *out, const struct compose_result *r) {
    struct json_out j = compose_begin(out, REC_RESULT);
    if (r->agents_present != UINT32_MAX || r->agents_signed != UINT32_MAX ||
        r->agents_refused != UINT32_MAX) {
        json_key(&j, "agents");
        json_object(&j);
        count(&j, "present", r->agents_present);
        count(&j, "refused", r->agents_refused);
        count(&j, "signed", r->agents_signed);
        json_object_end(&j);
    }
    json_key(&j, "ballots");
    json_object(&j);
    compose_figure(&j, "disputed", r->disputed);
    compose_figure(&j, "objected", r->objected);
    compose_figure(&j, "registered", r->registered);
    compose_figure(&j, "rejected", r->rejected);
    compose_figure(&j, "valid", r->valid);
    json_object_end(&j);
    json_kstr(&j, "basis", r->basis == BASIS_STATION ? "station" : "paper");
    json_kspan(&j, "contest", r->contest);
    json_ku64(&j, "definition", r->definition);
    compose_election(&j, &r->election);
    if (r->form_count) {
        json_key(&j, "form");
        json_array(&j);
        for (size_t i = 0; i < r->form_count; i++) json_hex(&j, hash_span(&r->form[i]));
        json_array_end(&j);
    }
    if (r->recount) compose_object_if(&j, "recount", *r->recount);
    json_ku64(&j, "round", r->round);
    if (r->serial.n) json_kspan(&j, "serial", r->serial);
    json_ku64(&j, "signed_ms", r->signed_ms);
    json_kspan(&j, "station", r->station);
    if (r->supersedes_count) {
        json_key(&j, "supersedes");
        json_array(&j);
        for (size_t i = 0; i < r->supersedes_count; i++) json_hex(&j, hash_span(&r->supersedes[i]));
        json_array_end(&j);
    }
    if (r->voters_kit != ABSENT || r->voters_manual != ABSENT) {
        json_key(&j, "voters");
        json_object(&j);
        compose_figure(&j, "kit", r->voters_kit);
        compose_figure(&j, "manual", r->voters_manual);
        json_object_end(&j);
    }
    json_key(&j, "votes");
    compose_votes(&j, r->choices, r->votes, r->choice_count);
    compose_end(&j);
}

void compose_image(struct buf *out, const struct compose_image *m) {
    static const char *const kinds[] = {"original", "carbon", "agent", "posted"};
    struct json_out j = compose_begin(out, REC_IMAGE);
    json_kspan(&j, "contest", m->contest);
    compose_election(&j, &m->election);
    json_kstr(&j, "kind", kinds[m->kind]);
    json_key(&j, "masked");
    json_array(&j);
    for (size_t i = 0; i < m->masked_count; i++) {
        json_array(&j);
        for (int k = 0; k < 4; k++) json_u64(&j, m->masked[i][k]);
        json_array_end(&j);
    }
    json_array_end(&j);
    compose_object_if(&j, "original", m->original);
    json_ku64(&j, "page", m->page);
    if (m->perceptual_hex.n) json_kspan(&j, "perceptual", m->perceptual_hex);
    compose_object_if(&j, "public", m->shown);
    if (m->result) json_khex(&j, "result", hash_span(m->result));
    json_ku64(&j, "round", m->round);
    json_kspan(&j, "station", m->station);
    if (m->zones_hex.n) json_kspan(&j, "zones", m->zones_hex);
    compose_end(&j);
}

void compose_countersign(struct buf *out, const struct hash *id, struct span key,
                         const struct hash *record, bool objects, bool at_desk,
                         struct named_object reason) {
    struct json_out j = compose_begin(out, REC_COUNTERSIGN);
    compose_election(&j, id);
    json_kstr(&j, "how", at_desk ? "desk" : "device");
    json_kspan(&j, "key", key);
    compose_object_if(&j, "reason", reason);
    json_khex(&j, "record", hash_span(record));
    json_kstr(&j, "says", objects ? "object" : "saw");
    compose_end(&j);
}

void compose_station_event(struct buf *out, const struct hash *id, struct span station,
                           const char *event, struct span contest, uint64_t at_ms, uint64_t value) {
    struct json_out j = compose_begin(out, REC_STATION_EVENT);
    json_ku64(&j, "at_ms", at_ms);
    if (contest.n) json_kspan(&j, "contest", contest);
    compose_election(&j, id);
    json_kstr(&j, "event", event);
    json_kspan(&j, "station", station);
    compose_figure(&j, "value", value);
    compose_end(&j);
}

void compose_incidents(struct buf *out, const struct hash *id, const struct compose_incident *rows,
                       size_t n) {
    struct json_out j = compose_begin(out, REC_INCIDENT);
    compose_election(&j, id);
    json_key(&j, "rows");
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        const struct compose_incident *r = &rows[i];
        json_object(&j);
        json_kstr(&j, "class", r->proven ? "proven" : "claimed");
        json_kstr(&j, "code", r->code);
        json_ku64(&j, "count", r->count);
        json_ku64(&j, "first_ms", r->first_ms);
        json_kspan(&j, "key", r->key);
        json_ku64(&j, "last_ms", r->last_ms);
        if (r->proven) compose_object_if(&j, "note", r->note);
        json_kspan(&j, "type", r->type);
        json_object_end(&j);
    }
    json_array_end(&j);
    compose_end(&j);
}
