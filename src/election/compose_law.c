/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/compose_law.h"

#include "election/compose_impl.h"

static void figure_or_null(struct json_out *j, uint64_t v) {
    if (v == ABSENT)
        json_null(j);
    else
        json_u64(j, v);
}

static void figures_array(struct json_out *j, const uint64_t *votes, size_t n) {
    json_array(j);
    for (size_t i = 0; i < n; i++) figure_or_null(j, votes[i]);
    json_array_end(j);
}

void compose_collation_head(struct buf *out) {
    buf_str(out, "hesabu/collation/v1\n");
}

void compose_collation_row(struct buf *out, struct span code, const struct hash *id,
                           const struct collated *is, const uint64_t *row_votes, size_t choices) {
    struct json_out j = json_out(out);
    json_array(&j);
    json_span(&j, code);
    if (id)
        json_hex(&j, hash_span(id));
    else
        json_null(&j);
    figure_or_null(&j, is->registered);
    figure_or_null(&j, is->rejected);
    figure_or_null(&j, is->valid);
    figures_array(&j, row_votes, choices);
    json_array_end(&j);
    buf_byte(out, '\n');
}

static void blank_figure(struct json_out *j, const char *key, uint64_t v) {
    json_key(j, key);
    figure_or_null(j, v);
}

void compose_collation(struct buf *out, const struct compose_collation *k) {
    struct json_out j = compose_begin(out, REC_COLLATION);
    json_kstr(&j, "basis", k->basis == COLLATION_PAPER ? "paper" : "electronic");
    json_kspan(&j, "contest", k->contest);
    compose_election(&j, &k->election);
    if (k->form_count) {
        json_key(&j, "form");
        json_array(&j);
        for (size_t i = 0; i < k->form_count; i++) json_hex(&j, hash_span(&k->form[i]));
        json_array_end(&j);
    }
    compose_figure(&j, "handed", k->handed);
    compose_object_if(&j, "reason", k->reason);
    json_ku64(&j, "round", k->round);
    json_key(&j, "rows");
    compose_object(&j, k->rows);
    if (k->supersedes) json_khex(&j, "supersedes", hash_span(k->supersedes));
    json_key(&j, "totals");
    json_object(&j);
    blank_figure(&j, "registered", k->registered);
    blank_figure(&j, "rejected", k->rejected);
    blank_figure(&j, "valid", k->valid);
    json_key(&j, "votes");
    figures_array(&j, k->votes, k->choices);
    json_object_end(&j);
    json_kspan(&j, "unit", k->unit);
    compose_end(&j);
}

void compose_override(struct buf *out, const struct hash *election, struct span contest,
                      unsigned round, struct named_object basis,
                      const struct compose_override_item *items, size_t n) {
    struct json_out j = compose_begin(out, REC_OVERRIDE);
    compose_object_if(&j, "basis", basis);
    json_kspan(&j, "contest", contest);
    compose_election(&j, election);
    json_key(&j, "items");
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        json_object(&j);
        json_kstr(&j, "code", items[i].code);
        json_ku64(&j, "count", items[i].count);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_ku64(&j, "round", round);
    compose_end(&j);
}

void compose_declaration(struct buf *out, const struct compose_declaration *d) {
    struct json_out j = compose_begin(out, REC_DECLARATION);
    compose_object_if(&j, "certificate", d->certificate);
    compose_object_if(&j, "checkpoint", d->checkpoint);
    if (d->collation) json_khex(&j, "collation", hash_span(d->collation));
    json_kspan(&j, "contest", d->contest);
    compose_election(&j, &d->election);
    json_key(&j, "outcome");
    json_object(&j);
    json_key(&j, "choices");
    json_array(&j);
    for (size_t i = 0; i < d->choice_count; i++) json_span(&j, d->choices[i]);
    json_array_end(&j);
    json_kstr(&j, "kind", outcome_name(d->kind));
    json_object_end(&j);
    if (d->override) json_khex(&j, "override", hash_span(d->override));
    json_khex(&j, "root", hash_span(&d->root));
    json_ku64(&j, "round", d->round);
    json_ku64(&j, "size", d->size);
    compose_end(&j);
}

void compose_dissent(struct buf *out, const struct hash *election, const struct hash *declaration,
                     struct span key, bool dissents, struct named_object reason) {
    struct json_out j = compose_begin(out, REC_DISSENT);
    json_khex(&j, "declaration", hash_span(declaration));
    compose_election(&j, election);
    json_kspan(&j, "key", key);
    compose_object_if(&j, "reason", reason);
    json_kstr(&j, "says", dissents ? "dissents" : "verified");
    compose_end(&j);
}
