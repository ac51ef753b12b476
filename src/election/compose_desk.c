/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The tally desk's records. */
#include "election/compose_impl.h"

void compose_reading_init(struct compose_reading *r) {
    *r = (struct compose_reading){.registered = ABSENT, .valid = ABSENT, .rejected = ABSENT,
                                  .objected = ABSENT, .disputed = ABSENT, .voters_kit = ABSENT,
                                  .voters_manual = ABSENT};
}

static void marks_json(struct json_out *j, const char *key, uint32_t marks) {
    if (!marks) return;
    json_key(j, key);
    json_array(j);
    for (int i = 0; i < MARK_COUNT; i++)
        if (marks >> i & 1) json_str(j, mark_words[i]);
    json_array_end(j);
}

void compose_reading(struct buf *out, const struct compose_reading *r) {
    struct json_out j = json_out(out);
    json_object(&j);
    json_key(&j, "ballots");
    json_object(&j);
    compose_figure(&j, "disputed", r->disputed);
    compose_figure(&j, "objected", r->objected);
    compose_figure(&j, "registered", r->registered);
    compose_figure(&j, "rejected", r->rejected);
    compose_figure(&j, "valid", r->valid);
    json_object_end(&j);
    if (r->illegible_count) {
        json_key(&j, "illegible");
        json_array(&j);
        for (size_t i = 0; i < r->illegible_count; i++) json_span(&j, r->illegible[i]);
        json_array_end(&j);
    }
    marks_json(&j, "marks", r->marks);
    if (r->serial.n) json_kspan(&j, "serial", r->serial);
    if (r->voters_kit != ABSENT || r->voters_manual != ABSENT) {
        json_key(&j, "voters");
        json_object(&j);
        compose_figure(&j, "kit", r->voters_kit);
        compose_figure(&j, "manual", r->voters_manual);
        json_object_end(&j);
    }
    json_key(&j, "votes");
    compose_votes(&j, r->choices, r->votes, r->choice_count);
    json_object_end(&j);
}

struct hash seal_hash(const uint8_t nonce[32], struct span reading) {
    static const char magic[] = "hesabu/seal/v1\n";
    uint8_t head[sizeof magic - 1 + 32];
    memcpy(head, magic, sizeof magic - 1);
    memcpy(head + sizeof magic - 1, nonce, 32);
    return sha256_2(span_of(head, sizeof head), reading);
}

void compose_seal(struct buf *out, const struct hash *id, struct span contest, unsigned round,
                  struct span station, const struct hash *image, struct span key, const struct hash *seal) {
    struct json_out j = compose_begin(out, REC_SEAL);
    json_kspan(&j, "contest", contest);
    compose_election(&j, id);
    json_khex(&j, "image", hash_span(image));
    json_kspan(&j, "key", key);
    json_ku64(&j, "round", round);
    json_khex(&j, "seal", hash_span(seal));
    json_kspan(&j, "station", station);
    compose_end(&j);
}

void compose_open(struct buf *out, const struct hash *id, const uint8_t nonce[32], struct span reading,
                  const struct hash *seal_record) {
    struct json_out j = compose_begin(out, REC_OPEN);
    compose_election(&j, id);
    json_khex(&j, "nonce", span_of(nonce, 32));
    json_key(&j, "reading");
    json_raw(&j, reading);
    json_khex(&j, "seal", hash_span(seal_record));
    compose_end(&j);
}

void compose_compared(struct buf *out, const struct hash *id, struct span contest, unsigned round,
                      struct span station, struct span level, const struct hash *record, uint32_t marks,
                      struct span reading, uint64_t at_ms) {
    struct json_out j = compose_begin(out, REC_COMPARED);
    json_ku64(&j, "at_ms", at_ms);
    json_kspan(&j, "contest", contest);
    compose_election(&j, id);
    marks_json(&j, "irregularities", marks);
    json_kspan(&j, "level", level);
    if (reading.n) {
        json_key(&j, "reading");
        json_raw(&j, reading);
    }
    json_khex(&j, "record", hash_span(record));
    json_ku64(&j, "round", round);
    json_kstr(&j, "says", reading.n ? "differs" : "same");
    json_kspan(&j, "station", station);
    compose_end(&j);
}

void compose_custody(struct buf *out, const struct compose_custody *k) {
    struct json_out j = compose_begin(out, REC_CUSTODY);
    json_ku64(&j, "at_ms", k->at_ms);
    if (k->contest.n) json_kspan(&j, "contest", k->contest);
    json_ku64(&j, "count", k->count);
    compose_election(&j, &k->election);
    json_kspan(&j, "from", k->from);
    json_kstr(&j, "kind", k->kind);
    compose_object_if(&j, "note", k->note);
    compose_object_if(&j, "serials", k->serials);
    json_kspan(&j, "to", k->to);
    json_kspan(&j, "unit", k->unit);
    json_kstr(&j, "what", k->what);
    compose_end(&j);
}

void compose_decision(struct buf *out, const struct compose_decision *d) {
    static const char *const actions[] = {"accept", "adopt", "disregard", "release"};
    static const char *const grounds[] = {"", "order", "over-register", "over-voters"};
    struct json_out j = compose_begin(out, REC_DECISION);
    json_kstr(&j, "action", actions[d->action]);
    if (d->code_count) {
        json_key(&j, "codes");
        json_array(&j);
        for (size_t i = 0; i < d->code_count; i++) json_span(&j, d->codes[i]);
        json_array_end(&j);
    }
    json_kspan(&j, "contest", d->contest);
    compose_election(&j, &d->election);
    if (d->ground != GROUND_NONE) json_kstr(&j, "ground", grounds[d->ground]);
    compose_object_if(&j, "order", d->order);
    compose_object_if(&j, "reason", d->reason);
    if (d->record) json_khex(&j, "record", hash_span(d->record));
    json_ku64(&j, "round", d->round);
    json_ku64(&j, "size", d->size);
    json_kspan(&j, "unit", d->unit);
    compose_end(&j);
}
