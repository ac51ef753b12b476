/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the tally desk's records look like in the published files (spec/results.md). Nothing here
 * depends on the present time: a seal says until when it may be opened, and a reader with a clock
 * sees whether it lapsed. */
#include "election/results_impl.h"

static void key_json(struct json_out *j, const struct fold *s, const char *name, uint32_t key) {
    json_kspan(j, name, state_key(s, key)->name);
}

static void marks_json(struct json_out *j, const char *name, uint32_t marks) {
    if (!marks) return;
    json_key(j, name);
    json_array(j);
    for (int i = 0; i < MARK_COUNT; i++)
        if (marks >> i & 1) json_str(j, mark_words[i]);
    json_array_end(j);
}

static void figures_json(struct json_out *j, const struct fold *s, const struct form_reading *x) {
    const struct cell *c = fold_cell_at(s, x->cell);
    json_key(j, "ballots");
    json_object(j);
    results_figure(j, "registered", x->registered);
    results_figure(j, "valid", x->valid);
    results_figure(j, "rejected", x->rejected);
    results_figure(j, "objected", x->objected);
    results_figure(j, "disputed", x->disputed);
    results_figure(j, "voters_kit", x->voters_kit);
    results_figure(j, "voters_manual", x->voters_manual);
    json_object_end(j);
    json_key(j, "votes");
    results_votes(j, s, fold_contest(s, c->contest), c->round, reading_votes(s, x), true);
    if (x->serial.n) json_kspan(j, "serial", x->serial);
    if (x->illegible.n) {
        json_key(j, "illegible");
        json_raw(j, x->illegible);
    }
    marks_json(j, "marks", x->marks);
}

static bool counts_still(const struct desk *d, uint32_t seal) {
    return d->machine == seal || d->slot[0] == seal || d->slot[1] == seal || d->slot[2] == seal;
}

static void seal_json(struct json_out *j, const struct fold *s, const struct desk *d, uint32_t i) {
    const struct seal *x = fold_seal(s, i);
    struct hash id = fold_id(s, x->entry);
    bool open = x->reading != NO_READING;
    json_object(j);
    json_ku64(j, "entry", x->entry);
    json_khex(j, "id", hash_span(&id));
    key_json(j, s, "key", x->key);
    json_ku64(j, "ms", x->ms);
    json_ku64(j, "image", fold_image(s, x->image)->entry);
    json_kstr(j, "state", seal_state_name(open                ? SEAL_OPEN
                                          : counts_still(d, i) ? SEAL_CLOSED
                                                               : SEAL_LAPSED));
    if (!open && x->deadline_ms != UINT64_MAX) json_ku64(j, "lapses_ms", x->deadline_ms);
    json_kbool(j, "blind", x->blind);
    if (open) {
        json_ku64(j, "opened", fold_reading(s, x->reading)->entry);
        json_ku64(j, "opened_ms", x->opened_ms);
        figures_json(j, s, fold_reading(s, x->reading));
    }
    json_object_end(j);
}

static void seals_json(struct json_out *j, const struct fold *s, const struct desk *d, bool machine) {
    json_array(j);
    for (uint32_t i = d ? d->first_seal : NO_SEAL; i != NO_SEAL; i = fold_seal(s, i)->next)
        if (fold_seal(s, i)->machine == machine) seal_json(j, s, d, i);
    json_array_end(j);
}

static void compared_json(struct json_out *j, const struct fold *s, const struct desk *d) {
    json_array(j);
    for (uint32_t i = d ? d->first_compared : NO_COMPARED; i != NO_COMPARED;) {
        const struct compared *x = fold_compared(s, i);
        struct hash id = fold_id(s, x->entry);
        json_object(j);
        json_ku64(j, "entry", x->entry);
        json_khex(j, "id", hash_span(&id));
        key_json(j, s, "key", x->key);
        json_ku64(j, "ms", x->ms);
        json_kspan(j, "level", s->def.levels[x->level]);
        json_ku64(j, "record", x->record);
        json_kstr(j, "says", x->reading == NO_READING ? "same" : "differs");
        marks_json(j, "irregularities", x->marks);
        if (x->reading != NO_READING) figures_json(j, s, fold_reading(s, x->reading));
        json_object_end(j);
        i = x->next;
    }
    json_array_end(j);
}

static void decision_json(struct json_out *j, const struct fold *s, const struct decision *d) {
    static const char *const actions[] = {"accept", "adopt", "disregard", "release"};
    static const char *const grounds[] = {"", "order", "over-register", "over-voters"};
    struct hash id = fold_id(s, d->entry);
    json_object(j);
    json_ku64(j, "entry", d->entry);
    json_khex(j, "id", hash_span(&id));
    json_ku64(j, "ms", d->ms);
    json_kstr(j, "action", actions[d->action]);
    key_json(j, s, "key", d->key);
    key_json(j, s, "second", d->second);
    json_ku64(j, "size", d->size);
    if (d->action == DECISION_ACCEPT) {
        json_key(j, "codes");
        json_array(j);
        for (int c = 0; c < FINDING_COUNT; c++)
            if (d->codes[c / 64] >> (c % 64) & 1) json_str(j, finding_name((enum finding_code)c));
        json_array_end(j);
    }
    if (d->ground != GROUND_NONE) json_kstr(j, "ground", grounds[d->ground]);
    if (d->action == DECISION_ADOPT || d->action == DECISION_RELEASE) json_ku64(j, "record", d->record);
    if (d->has_order) json_khex(j, "order", hash_span(&d->order));
    if (d->released_by != NO_DECISION) json_ku64(j, "released_by", fold_decision(s, d->released_by)->entry);
    json_object_end(j);
}

static void decisions_json(struct json_out *j, const struct fold *s, const struct place *p) {
    json_array(j);
    for (uint32_t i = p ? p->first_decision : NO_DECISION; i != NO_DECISION; i = fold_decision(s, i)->next)
        decision_json(j, s, fold_decision(s, i));
    json_array_end(j);
}

void results_desk(struct json_out *j, const struct fold *s, const struct tally *t, const struct cell *c) {
    const struct desk *d = c ? cell_desk(s, c) : NULL;
    const struct place *p = c ? fold_place(s, t->contest, t->round, c->station) : NULL;
    struct figures held;
    uint64_t entry;
    if (c && cell_held(s, c, &held, &entry)) json_ku64(j, "held", entry);
    if (p && p->forms) json_ku64(j, "forms", p->forms);
    json_key(j, "readings");
    seals_json(j, s, d, false);
    json_key(j, "machine");
    seals_json(j, s, d, true);
    json_key(j, "compared");
    compared_json(j, s, d);
    json_key(j, "decisions");
    decisions_json(j, s, p);
}

void results_place(struct json_out *j, const struct fold *s, const struct tally *t,
                   const struct findings *fi, uint32_t unit) {
    const struct place *p = fold_place(s, t->contest, t->round, unit);
    size_t n;
    const struct finding *x = findings_of_unit(fi, t->contest, t->round, unit, &n);
    json_ku64(j, "forms", p ? p->forms : 0);
    json_key(j, "decisions");
    decisions_json(j, s, p);
    json_key(j, "findings");
    json_array(j);
    for (size_t i = 0; i < n; i++) results_finding(j, s, &x[i]);
    json_array_end(j);
}

/* --- the fields that differ --- */

static bool figures_at(const struct fold *s, uint64_t entry, struct figures *out) {
    uint32_t i = result_of_entry(s, entry);
    if (i != NO_RESULT) {
        result_figures(s, fold_result(s, i), out);
        return true;
    }
    i = state_ref(s, entry, REC_OPEN);
    if (i == NO_REF) i = state_ref(s, entry, REC_COMPARED);
    if (i == NO_REF) return false;
    reading_figures(s, fold_reading(s, i), out);
    return true;
}

static void field_names(struct json_out *j, const struct fold *s, const struct cell *c,
                        const uint64_t fields[FIGURE_WORDS]) {
    static const char *const ballots[FIGURE_BALLOTS] = {"ballots.registered", "ballots.valid",
                                                        "ballots.rejected", "ballots.objected",
                                                        "ballots.disputed"};
    const struct contest *k = fold_contest(s, c->contest);
    json_key(j, "fields");
    json_array(j);
    for (uint32_t i = 0; i < FIGURE_BALLOTS + k->choice_count; i++) {
        if (!(fields[i / 64] >> (i % 64) & 1)) continue;
        char name[60] = "";
        struct span id = i < FIGURE_BALLOTS ? span_text(ballots[i])
                                            : contest_choice(s, k, i - FIGURE_BALLOTS)->id;
        size_t at = 0;
        if (i >= FIGURE_BALLOTS) {
            memcpy(name, "votes.", 6);
            at = 6;
        }
        memcpy(name + at, id.p, id.n); /* ids have at most 40 bytes */
        json_span(j, span_of(name, at + id.n));
    }
    json_array_end(j);
}

void results_fields(struct json_out *j, const struct fold *s, const struct finding *x) {
    if (x->cell == NO_CELL) return;
    const struct cell *c = fold_cell_at(s, x->cell);
    uint32_t agreed = desk_agreed(s, c);
    uint64_t fields[FIGURE_WORDS];
    struct figures a, b;
    if (x->code == F_ORIGINAL_DIFFERS) {
        if (!figures_at(s, x->entry[0], &a) || !figures_at(s, x->entry[1], &b)) return;
    } else if (x->code == F_READING_DIFFERS || x->code == F_MACHINE_DIFFERS) {
        if (agreed == NO_READING || !figures_at(s, x->entry[0], &b)) return;
        reading_figures(s, fold_reading(s, agreed), &a);
    } else {
        return;
    }
    (void)figures_differ(s, c, &a, &b, fields);
    field_names(j, s, c, fields);
}
