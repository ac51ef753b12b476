/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/compose_voices.h"

#include "election/compose_impl.h"

/* The index of the least element that is greater than `last` (.p NULL: of the least); n at the end.
 * Lists here are short, so sorting is repeated search and needs no memory. */
static size_t next_in_order(const struct span *list, size_t stride, size_t n, struct span last) {
    size_t least = n;
    for (size_t i = 0; i < n; i++) {
        const struct span *x = (const struct span *)(const void *)((const char *)list + i * stride);
        if (last.p && span_cmp(*x, last) <= 0) continue;
        if (least < n &&
            span_cmp(*x, *(const struct span *)(const void *)((const char *)list + least * stride)) >= 0)
            continue;
        least = i;
    }
    return least;
}

void compose_objection(struct buf *out, const struct compose_objection *o) {
    struct json_out j = compose_begin(out, REC_OBJECTION);
    json_kspan(&j, "contest", o->contest);
    compose_election(&j, &o->election);
    json_key(&j, "evidence");
    json_array(&j);
    for (size_t i = 0; i < o->evidence_count; i++) compose_object(&j, o->evidence[i]);
    json_array_end(&j);
    json_kstr(&j, "ground", o->ground);
    compose_object_if(&j, "reason", o->reason);
    json_ku64(&j, "round", o->round);
    json_key(&j, "units");
    json_array(&j);
    struct span last = {0};
    for (size_t i; (i = next_in_order(o->units, sizeof *o->units, o->unit_count, last)) < o->unit_count;) {
        last = o->units[i];
        json_span(&j, last);
    }
    json_array_end(&j);
    compose_end(&j);
}

static void said(struct json_out *j, const struct hash *objection, const char *says,
                 struct named_object order, struct named_object reason) {
    json_khex(j, "objection", hash_span(objection));
    compose_object_if(j, "order", order);
    compose_object_if(j, "reason", reason);
    json_kstr(j, "says", says);
    compose_end(j);
}

void compose_admission(struct buf *out, const struct hash *election, const struct hash *objection,
                       const char *says, uint64_t answer_by_ms, struct named_object order,
                       struct named_object reason) {
    struct json_out j = compose_begin(out, REC_ADMISSION);
    compose_figure(&j, "answer_by_ms", answer_by_ms);
    compose_election(&j, election);
    said(&j, objection, says, order, reason);
}

void compose_ruling(struct buf *out, const struct hash *election, const struct hash *objection,
                    const char *says, struct named_object order, struct named_object reason) {
    struct json_out j = compose_begin(out, REC_RULING);
    compose_election(&j, election);
    said(&j, objection, says, order, reason);
}

void compose_notice(struct buf *out, const struct compose_notice *n) {
    struct json_out j = compose_begin(out, REC_NOTICE);
    if (n->answers) json_khex(&j, "answers", hash_span(n->answers));
    if (n->contest.n) json_kspan(&j, "contest", n->contest);
    compose_election(&j, &n->election);
    json_kstr(&j, "kind", n->kind);
    json_kspan(&j, "lang", n->lang);
    compose_object_if(&j, "text", n->text);
    compose_end(&j);
}

static void items(struct json_out *j, const struct compose_observation *o) {
    static const char *const words[] = {"yes", "no", "unknown"};
    struct span last = {0};
    json_key(j, "items");
    json_object(j);
    for (size_t i; (i = next_in_order(&o->items[0].name, sizeof *o->items, o->item_count, last)) <
                   o->item_count;) {
        const struct compose_item *x = &o->items[i];
        last = x->name;
        json_key_span(j, last);
        if (x->kind == OBSERVED_FIGURE)
            json_u64(j, x->value);
        else
            json_str(j, words[x->kind]);
    }
    json_object_end(j);
}

static void counts(struct json_out *j, const struct compose_observation *o) {
    struct span last = {0};
    json_key(j, "counts");
    json_object(j);
    compose_figure(j, "rejected", o->rejected);
    compose_figure(j, "valid", o->valid);
    json_key(j, "votes");
    json_object(j);
    for (size_t i; (i = next_in_order(o->choices, sizeof *o->choices, o->choice_count, last)) <
                   o->choice_count;) {
        last = o->choices[i];
        if (o->votes[i] == ABSENT) continue;
        json_key_span(j, last);
        json_u64(j, o->votes[i]);
    }
    json_object_end(j);
    json_object_end(j);
}

void compose_observation(struct buf *out, const struct compose_observation *o) {
    struct json_out j = compose_begin(out, REC_OBSERVATION);
    json_ku64(&j, "at_ms", o->at_ms);
    if (o->contest.n) json_kspan(&j, "contest", o->contest);
    if (o->has_counts) counts(&j, o);
    compose_election(&j, &o->election);
    items(&j, o);
    json_kspan(&j, "key", o->key);
    compose_object_if(&j, "note", o->note);
    if (o->contest.n) json_ku64(&j, "round", o->round);
    json_kspan(&j, "station", o->station);
    compose_end(&j);
}

void compose_host_logs(struct buf *out, const struct hash *election,
                       const struct compose_host_log *rows, size_t n) {
    struct json_out j = compose_begin(out, REC_HOST_LOG);
    compose_election(&j, election);
    json_key(&j, "rows");
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        json_object(&j);
        json_ku64(&j, "from_ms", rows[i].from_ms);
        json_kspan(&j, "host", rows[i].host);
        json_kstr(&j, "kind", rows[i].kind);
        json_khex(&j, "sha256", hash_span(&rows[i].hash));
        json_ku64(&j, "size", rows[i].size);
        json_ku64(&j, "to_ms", rows[i].to_ms);
        json_object_end(&j);
    }
    json_array_end(&j);
    compose_end(&j);
}
