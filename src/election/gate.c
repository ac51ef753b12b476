/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/gate.h"

#include "election/state.h"

static const struct {
    const char *name, *text;
} table[GATE_COUNT] = {
#define GATE(name, text) {#name, text},
#include "election/gate.def"
#undef GATE
};

const char *gate_name(enum gate_code c) {
    return c < GATE_COUNT ? table[c].name : "G_UNKNOWN";
}

const char *gate_text(enum gate_code c) {
    return c < GATE_COUNT ? table[c].text : "unknown";
}

enum gate_code gate_by_name(struct span name) {
    int c = 0;
    while (c < GATE_COUNT && !span_is(name, table[c].name)) c++;
    return (enum gate_code)c;
}

static void note(struct gate *g, enum gate_code c, uint32_t unit) {
    struct gate_item *i = &g->items[c];
    i->count++;
    if (i->link_count < GATE_LINKS && unit != NO_UNIT) i->links[i->link_count++] = unit;
}

/* A station of the contest, where it is held. */
static void station(const struct fold *s, const struct findings *fi, const struct rule *rule,
                    uint32_t unit, uint32_t at, struct gate *g) {
    const struct cell *c = at == NO_CELL ? NULL : fold_cell_at(s, at);
    struct figures x;
    uint64_t entry;
    const struct decision *d = c ? cell_decision(s, c) : NULL;
    if (d && d->action == DECISION_DISREGARD) return; /* its decision says why */
    bool held = c && cell_held(s, c, &x, &entry);
    if (c && fi->worst[findings_place(fi, s, at)] == SEVERITY_ERROR) note(g, G_IN_QUESTION, unit);
    if (c && fi->worst[findings_place(fi, s, at)] == SEVERITY_WARNING) note(g, G_WARNINGS, unit);
    if (c && c->current > 1 && !held) note(g, G_TWO_RESULTS, unit);
    if (!held) {
        bool figures = c && cell_current(s, c);
        note(g, figures ? G_NO_IMAGE : G_MISSING, unit);
        return;
    }
    if (rule->readings && !cell_transcribed(s, c)) note(g, G_NOT_TRANSCRIBED, unit);
    bool compared = true;
    for (unsigned i = 0; i < rule->compare_count; i++)
        compared = compared && cell_compared_same(s, c, rule->compare[i], entry);
    if (!compared) note(g, G_NOT_COMPARED, unit);
}

static void collations(const struct fold *s, const struct rule *rule, uint32_t contest,
                       unsigned round, uint32_t unit, struct gate *g) {
    if (rule_collates(rule, fold_unit(s, unit)->level) < 0) return;
    uint32_t i = fold_collation_of(s, contest, round, unit);
    if (i == NO_COLLATION) {
        note(g, G_NO_COLLATION, unit);
        return;
    }
    const struct collation *c = fold_collation(s, i);
    if (collation_stale_rows(s, c)) note(g, G_COLLATION_STALE, unit);
}

/* Findings of the unit itself: a collation's, or of the forms that came there. */
static void of_unit(const struct findings *fi, uint32_t contest, unsigned round, uint32_t unit,
                    struct gate *g) {
    size_t n;
    const struct finding *x = findings_of_unit(fi, contest, round, unit, &n);
    bool altered = false, error = false, warning = false;
    for (size_t i = 0; i < n; i++) {
        if (x[i].decision != NO_DECISION) continue;
        if (finding_of_collation(x[i].code))
            altered = true;
        else
            *(x[i].severity == SEVERITY_ERROR ? &error : &warning) = true;
    }
    if (altered) note(g, G_ALTERED, unit);
    if (error) note(g, G_IN_QUESTION, unit);
    if (warning) note(g, G_WARNINGS, unit);
}

static void units(const struct fold *s, const struct findings *fi, uint32_t contest, unsigned round,
                  const uint32_t *cells, struct gate *g) {
    const struct rule *rule = contest_rule(s, contest);
    uint32_t root = fold_contest(s, contest)->unit;
    for (uint32_t u = root; u != NO_UNIT; u = unit_next(s, u, root)) {
        if (contest_state_in(s, contest, round, u) != CONTEST_OPEN) continue;
        of_unit(fi, contest, round, u, g);
        if (!unit_is_station(s, u)) {
            collations(s, rule, contest, round, u, g);
            continue;
        }
        if (cells[u] != NO_CELL || !fold_unit(s, u)->closed) station(s, fi, rule, u, cells[u], g);
    }
}

/* Each with the first unit that it names. */
static void objections(const struct fold *s, uint32_t contest, unsigned round, struct gate *g) {
    for (size_t i = 0; i < fold_objection_count(s); i++) {
        const struct objection *o = fold_objection(s, i);
        if (o->contest != contest || o->round != round) continue;
        if (o->state == OBJECTION_ADMITTED) note(g, G_OBJECTION, objection_unit(s, o, 0));
        if (objection_undecided(s, o) > 0) note(g, G_RULING, objection_unit(s, o, 0));
    }
}

/* Postponed stations stand in the way only where they can change the outcome. */
static void postponed(const struct weighed *w, struct gate *g) {
    if (!g->materiality.rows[DOUBT_POSTPONED].can_change) return;
    for (size_t i = 0; i < w->n; i++)
        if (w->stations[i].doubts & 1u << DOUBT_POSTPONED) note(g, G_POSTPONED, w->stations[i].unit);
}

err gate_compute(const struct fold *s, const struct findings *fi, uint32_t contest, unsigned round,
                 struct arena *a, struct gate *g, struct fail *f) {
    struct weighed w;
    *g = (struct gate){.open_items = 0};
    TRY(weighed_of(s, fi, contest, round, a, &w, f));
    TRY(materiality_compute(&w, a, &g->materiality, f));
    enum outcome_kind kind = g->materiality.now.kind;
    bool polled = kind != OUTCOME_UNOPPOSED; /* one candidate: nothing is counted */
    const uint32_t *cells = fold_cells_by_unit(s, contest, round, a);
    if (!cells) return fail_set(f, E_MEMORY, "no memory for the gate");
    if (polled) {
        units(s, fi, contest, round, cells, g);
        objections(s, contest, round, g);
        postponed(&w, g);
    }
    if (!outcome_declarable(&g->materiality.now)) note(g, G_OUTCOME, NO_UNIT);
    for (int c = 0; c < GATE_COUNT; c++) g->open_items += g->items[c].count > 0;
    return OK;
}

bool gate_is_overridden(const struct fold *s, const struct gate *g, const struct override *o) {
    uint32_t k = 0;
    for (int c = 0; c < GATE_COUNT; c++) {
        if (g->items[c].count == 0) continue;
        while (k < o->item_count && override_item(s, o, k)->code < c) k++;
        if (k == o->item_count || override_item(s, o, k)->code != c ||
            override_item(s, o, k)->count < g->items[c].count)
            return false;
    }
    return true;
}

/* ---- the outcome of a collation ---- */

struct sums {
    const struct fold *s;
    const struct contest *k;
    struct votes all, *regions;
    uint64_t **region_votes;
    uint32_t *region_of; /* by unit: region + 1 */
    uint32_t region_count;
};

static bool plus(uint64_t *to, uint64_t v) {
    return v == ABSENT || !__builtin_add_overflow(*to, v, to);
}

static bool add_row(const struct sums *x, const struct collation *c, const struct collation_row *r) {
    const uint64_t *votes = collation_votes(x->s, r->votes_at);
    uint32_t u = r->unit;
    (void)c;
    while (u != NO_UNIT && x->region_of[u] == 0) u = fold_unit(x->s, u)->parent;
    if (u == NO_UNIT) return true;
    uint32_t at = x->region_of[u] - 1;
    bool ok = plus(&x->regions[at].valid, r->valid);
    for (uint32_t k = 0; k < x->k->choice_count; k++) ok = plus(&x->region_votes[at][k], votes[k]) && ok;
    return ok;
}

/* Regions are added up from the rows that lie inside them. Rows above the regions leave them empty:
 * nobody then has a share anywhere. */
static bool add_rows(const struct sums *x, const struct collation *c) {
    bool ok = true;
    for (size_t i = 0; i < c->row_count; i++) ok = add_row(x, c, collation_row(x->s, c, i)) && ok;
    return ok;
}

err collation_outcome(const struct fold *s, const struct collation *c, struct arena *a,
                      struct outcome *out, struct fail *f) {
    struct rule_case rc;
    rule_case_of(s, c->contest, c->round, &rc);
    struct sums x = {.s = s, .k = fold_contest(s, c->contest)};
    uint32_t n = x.k->choice_count;
    uint64_t *votes = arena_array(a, n, sizeof *votes);
    x.region_of = arena_array(a, s->units.n, sizeof *x.region_of);
    if (!votes || !x.region_of) return fail_set(f, E_MEMORY, "no memory for an outcome");
    for (uint32_t u = c->unit; u != NO_UNIT; u = unit_next(s, u, c->unit))
        if (rule_is_region(s, rc.rule, u)) x.region_of[u] = ++x.region_count;
    x.regions = arena_array(a, x.region_count + 1u, sizeof *x.regions);
    x.region_votes = arena_array(a, x.region_count + 1u, sizeof *x.region_votes);
    uint64_t *all = arena_array(a, (size_t)x.region_count + 1, (size_t)n * sizeof *all);
    if (!x.regions || !x.region_votes || !all) return fail_set(f, E_MEMORY, "no memory for an outcome");
    for (uint32_t r = 0; r < x.region_count; r++) {
        x.region_votes[r] = all + (size_t)r * n;
        x.regions[r] = (struct votes){0, x.region_votes[r]};
    }
    const uint64_t *stated = collation_votes(s, c->votes_at);
    for (uint32_t k = 0; k < n; k++) votes[k] = stated[k] == ABSENT ? 0 : stated[k];
    x.all = (struct votes){c->valid == ABSENT ? 0 : c->valid, votes};
    if (!add_rows(&x, c)) return fail_set(f, E_OVERFLOW, "a sum does not fit in 64 bits");
    rule_outcome(&rc, &x.all, x.regions, x.region_count, out);
    return OK;
}

static uint64_t after(uint64_t ms, uint32_t days) {
    return days == NO_DAYS ? UINT64_MAX : ms + (uint64_t)days * 86400000;
}

void contest_clocks(const struct fold *s, uint32_t contest, unsigned round, struct clocks *out) {
    const struct rule *r = contest_rule(s, contest);
    uint32_t d = declaration_of(s, contest, round);
    *out = (struct clocks){UINT64_MAX, UINT64_MAX, UINT64_MAX};
    if (round == 1) out->declare_by_ms = after(s->def.closes_ms, r->declaration_days);
    if (d == NO_DECLARATION) return;
    out->petition_by_ms = after(fold_declaration(s, d)->ms, r->petition_days);
    out->decide_by_ms = after(fold_declaration(s, d)->ms, r->decision_days);
}
