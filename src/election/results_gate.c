/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* results/CONTEST/ROUND/gate.json: what still forbids a declaration, what open figures could change,
 * collations, overrides, the declaration and what each commissioner says of it (spec/results.md).
 * Before a declaration it says how far the figures are, and of nobody. */
#include <stdio.h>
#include "election/gate.h"
#include "election/results_impl.h"

void results_gate_path(const struct fold *s, uint32_t contest, unsigned round,
                       char out[RESULTS_PATH_MAX]) {
    struct span id = fold_contest(s, contest)->id;
    (void)snprintf(out, RESULTS_PATH_MAX, "results/%.*s/%u/gate.json", SPAN_ARG(id), round);
}

const char *results_status(const struct fold *s, uint32_t contest, unsigned round) {
    if (declaration_of(s, contest, round) == NO_DECLARATION) return "provisional, not declared";
    bool annulled = contest_state_in(s, contest, round, fold_contest(s, contest)->unit) == CONTEST_ANNULLED;
    return annulled ? "declared, annulled since" : "declared";
}

const char *results_election_status(const struct fold *s) {
    size_t contests = fold_contest_count(s), now = 0;
    for (size_t i = 0; i < fold_declaration_count(s); i++) {
        const struct declaration *d = fold_declaration(s, (uint32_t)i);
        now += d->round == fold_contest(s, d->contest)->round;
    }
    if (fold_declaration_count(s) == 0) return "provisional, not declared";
    return now < contests ? "some contests are declared, others provisional" : "declared";
}

static void object(struct json_out *j, const char *key, const struct hash *id, uint64_t size) {
    json_key(j, key);
    json_object(j);
    json_khex(j, "sha256", hash_span(id));
    json_ku64(j, "size", size);
    json_object_end(j);
}

static void record_head(struct json_out *j, const struct fold *s, uint64_t entry, uint64_t ms, uint32_t key) {
    struct hash id = fold_id(s, entry);
    json_ku64(j, "entry", entry);
    json_khex(j, "id", hash_span(&id));
    json_ku64(j, "ms", ms);
    json_kspan(j, "signer", state_key(s, key)->name);
}

static void items_json(struct json_out *j, const struct fold *s, const struct gate *g) {
    json_key(j, "items");
    json_array(j);
    for (int c = 0; c < GATE_COUNT; c++) {
        const struct gate_item *x = &g->items[c];
        if (x->count == 0) continue;
        json_object(j);
        json_kstr(j, "code", gate_name((enum gate_code)c));
        json_ku64(j, "count", x->count);
        json_kstr(j, "text", gate_text((enum gate_code)c));
        json_key(j, "units");
        json_array(j);
        for (uint32_t i = 0; i < x->link_count; i++) json_span(j, fold_unit(s, x->links[i])->code);
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
}

static void materiality_json(struct json_out *j, const struct materiality *m) {
    struct buf text;
    buf_init(&text, 1000);
    materiality_sentence(m, &text);
    json_key(j, "materiality");
    json_object(j);
    json_kspan(j, "sentence", buf_view(&text));
    json_ku64(j, "stations_counted", m->stations_counted);
    json_ku64(j, "votes_counted", m->votes_counted);
    json_kbool(j, "majority", m->now.majority);
    json_ku64(j, "regions_at_share", m->now.regions);
    json_ku64(j, "regions_needed", m->now.needed);
    json_key(j, "open");
    json_array(j);
    for (unsigned d = 0; d < DOUBT_COUNT; d++) {
        const struct materiality_row *r = &m->rows[d];
        json_object(j);
        json_kstr(j, "what", doubt_name((enum doubt)d));
        json_ku64(j, "stations", r->stations);
        json_ku64(j, "voters", r->voters);
        json_kbool(j, "can_change", r->can_change);
        json_kbool(j, "majority_can_change", r->majority_can_change);
        json_kbool(j, "regions_can_change", r->regions_can_change);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
    buf_release(&text);
}

static void clock_json(struct json_out *j, const char *key, uint64_t ms) {
    if (ms != UINT64_MAX) json_ku64(j, key, ms);
}

static void clocks_json(struct json_out *j, const struct fold *s, uint32_t contest, unsigned round) {
    struct clocks c;
    contest_clocks(s, contest, round, &c);
    json_key(j, "clocks");
    json_object(j);
    clock_json(j, "declare_by_ms", c.declare_by_ms);
    clock_json(j, "petition_by_ms", c.petition_by_ms);
    clock_json(j, "decide_by_ms", c.decide_by_ms);
    json_object_end(j);
}

void results_collated(struct json_out *j, const struct fold *s, const struct collation *c) {
    json_object(j);
    results_figure(j, "registered", c->registered);
    results_figure(j, "valid", c->valid);
    results_figure(j, "rejected", c->rejected);
    json_key(j, "votes");
    results_votes(j, s, fold_contest(s, c->contest), c->round, collation_votes(s, c->votes_at), true);
    json_object_end(j);
}

static void collation_json(struct json_out *j, const struct fold *s, const struct collation *c) {
    const struct rule *r = contest_rule(s, c->contest);
    struct span form = r->form[fold_unit(s, c->unit)->level];
    uint64_t altered = 0, foreign = 0;
    for (size_t k = 0; k < c->row_count; k++) {
        altered += collation_row(s, c, k)->altered;
        foreign += collation_row(s, c, k)->foreign;
    }
    json_object(j);
    results_unit_head(j, s, c->unit);
    record_head(j, s, c->entry, c->ms, c->signer);
    json_kstr(j, "basis", c->basis == COLLATION_PAPER ? "paper" : "electronic");
    if (form.n) json_kspan(j, "form", form);
    object(j, "rows", &c->rows, c->rows_size);
    json_ku64(j, "row_count", c->row_count);
    json_ku64(j, "stale_rows", collation_stale_rows(s, c));
    json_ku64(j, "altered_cells", altered);
    json_ku64(j, "missing_rows", c->missing);
    json_ku64(j, "foreign_rows", foreign);
    json_ku64(j, "wrong_sums", c->columns);
    results_figure(j, "handed", c->handed);
    json_key(j, "totals");
    results_collated(j, s, c);
    if (c->superseded_by != NO_COLLATION)
        json_ku64(j, "superseded_by", fold_collation(s, c->superseded_by)->entry);
    json_object_end(j);
}

static void overrides_json(struct json_out *j, const struct fold *s, uint32_t contest, unsigned round) {
    json_key(j, "overrides");
    json_array(j);
    for (uint32_t i = 0; i < fold_override_count(s); i++) {
        const struct override *o = fold_override(s, i);
        if (o->contest != contest || o->round != round) continue;
        json_object(j);
        record_head(j, s, o->entry, o->ms, o->signer);
        object(j, "basis", &o->basis, o->basis_size);
        json_key(j, "items");
        json_array(j);
        for (uint32_t k = 0; k < o->item_count; k++) {
            const struct override_item *x = override_item(s, o, k);
            json_object(j);
            json_kstr(j, "code", gate_name((enum gate_code)x->code));
            json_ku64(j, "count", x->count);
            json_kstr(j, "text", gate_text((enum gate_code)x->code));
            json_object_end(j);
        }
        json_array_end(j);
        json_object_end(j);
    }
    json_array_end(j);
}

static void outcome_json(struct json_out *j, const struct fold *s, uint32_t contest,
                         const struct outcome *o) {
    const struct contest *k = fold_contest(s, contest);
    json_key(j, "outcome");
    json_object(j);
    json_kstr(j, "kind", outcome_name(o->kind));
    json_key(j, "choices");
    json_array(j);
    for (uint32_t i = 0; i < k->choice_count; i++)
        if (outcome_has(o, i)) json_span(j, contest_choice(s, k, i)->id);
    json_array_end(j);
    json_object_end(j);
}

static void declaration_json(struct json_out *j, const struct fold *s, uint32_t contest, unsigned round) {
    uint32_t i = declaration_of(s, contest, round);
    if (i == NO_DECLARATION) return;
    const struct declaration *d = fold_declaration(s, i);
    json_key(j, "declaration");
    json_object(j);
    record_head(j, s, d->entry, d->ms, d->signer);
    outcome_json(j, s, contest, &d->outcome);
    if (d->collation != NO_COLLATION) json_ku64(j, "collation", fold_collation(s, d->collation)->entry);
    if (d->override != NO_OVERRIDE) json_ku64(j, "override", fold_override(s, d->override)->entry);
    json_ku64(j, "size", d->size);
    json_khex(j, "root", hash_span(&d->root));
    object(j, "checkpoint", &d->checkpoint, d->checkpoint_size);
    if (d->certificate_size) object(j, "certificate", &d->certificate, d->certificate_size);
    json_key(j, "commissioners");
    json_array(j);
    for (uint32_t n = 0; n < fold_dissent_count(s); n++) {
        const struct dissent *x = fold_dissent(s, n);
        if (x->declaration != i) continue;
        json_object(j);
        record_head(j, s, x->entry, x->ms, x->signer);
        json_kstr(j, "says", x->says == SAYS_DISSENTS ? "dissents" : "verified");
        json_kbool(j, "reason", x->has_reason);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
}

void results_declared(struct json_out *j, const struct fold *s, uint32_t contest, unsigned round,
                      uint32_t unit) {
    uint32_t d = declaration_of(s, contest, round);
    uint32_t c = d == NO_DECLARATION ? NO_COLLATION : fold_collation_of(s, contest, round, unit);
    if (c == NO_COLLATION || fold_declaration(s, d)->collation == NO_COLLATION) return;
    json_key(j, "declared");
    results_collated(j, s, fold_collation(s, c));
}

static err body(struct json_out *j, const struct fold *s, const struct tally *t,
                const struct findings *fi, struct arena *a, struct fail *f) {
    struct gate g;
    TRY(gate_compute(s, fi, t->contest, t->round, a, &g, f));
    json_object(j);
    results_contest_head(j, s, t);
    json_kbool(j, "open", g.open_items == 0);
    items_json(j, s, &g);
    materiality_json(j, &g.materiality);
    clocks_json(j, s, t->contest, t->round);
    json_key(j, "collations");
    json_array(j);
    for (uint32_t i = 0; i < fold_collation_count(s); i++) {
        const struct collation *c = fold_collation(s, i);
        if (c->contest == t->contest && c->round == t->round) collation_json(j, s, c);
    }
    json_array_end(j);
    overrides_json(j, s, t->contest, t->round);
    declaration_json(j, s, t->contest, t->round);
    json_object_end(j);
    buf_byte(j->b, '\n');
    return OK;
}

err results_gate(const struct fold *s, const struct tally *t, const struct findings *fi,
                 struct buf *out, struct fail *f) {
    struct arena a;
    struct json_out j = json_out(out);
    arena_init(&a, (size_t)1 << 30);
    err e = body(&j, s, t, fi, &a, f);
    arena_release(&a);
    return e == OK ? buf_ok(out, f) : e;
}
