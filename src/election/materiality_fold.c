/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From the state to weighed stations. */
#include "election/materiality.h"

#include "election/state.h"

/* Stations under an admitted objection, or one that was upheld and not acted on since. */
static void mark_objected(const struct fold *s, uint32_t contest, unsigned round, bool *objected) {
    for (size_t i = 0; i < fold_objection_count(s); i++) {
        const struct objection *o = fold_objection(s, i);
        if (o->contest != contest || o->round != round) continue;
        bool upheld = objection_is_upheld(o);
        if (o->state != OBJECTION_ADMITTED && !upheld) continue;
        for (uint32_t k = 0; k < o->unit_count; k++) {
            uint32_t root = objection_unit(s, o, k);
            for (uint32_t u = root; u != NO_UNIT; u = unit_next(s, u, root)) {
                uint32_t cell = upheld ? fold_cell_find(s, contest, round, u) : NO_CELL;
                if (!upheld || cell == NO_CELL || !cell_decided_since(s, cell, o->ruling))
                    objected[u] = true;
            }
        }
    }
}

static err weigh(const struct fold *s, const struct findings *fi, uint32_t contest, unsigned round,
                 uint32_t at, struct arena *a, struct weighed_station *x, struct fail *f) {
    const struct contest *k = fold_contest(s, contest);
    struct figures g;
    uint64_t entry;
    const struct cell *cell = at == NO_CELL ? NULL : fold_cell_at(s, at);
    x->most = fold_unit(s, x->unit)->registered;
    if (cell && fi->worst[findings_place(fi, s, at)] == SEVERITY_ERROR) x->doubts |= 1u << DOUBT_IN_QUESTION;
    x->counted = cell && cell_held(s, cell, &g, &entry);
    if (!x->counted) {
        const struct decision *d = cell ? cell_decision(s, cell) : NULL;
        bool disregarded = d && d->action == DECISION_DISREGARD;
        x->doubts |= disregarded ? 1u << DOUBT_DISREGARDED : 1u << DOUBT_OUTSTANDING;
        return OK;
    }
    uint64_t sum = 0, *votes = arena_array(a, k->choice_count, sizeof *votes);
    if (!votes) return fail_set(f, E_MEMORY, "no memory for bounds");
    for (uint32_t i = 0; i < k->choice_count; i++) {
        votes[i] = g.votes[i] == ABSENT || !contest_has_choice(k, round, i) ? 0 : g.votes[i];
        sum += votes[i];
    }
    x->votes = votes;
    x->valid = g.valid == ABSENT || g.valid < sum ? sum : g.valid;
    if (x->valid > x->most) x->most = x->valid;
    return OK;
}

err weighed_of(const struct fold *s, const struct findings *fi, uint32_t contest, unsigned round,
               struct arena *a, struct weighed *out, struct fail *f) {
    const struct contest *k = fold_contest(s, contest);
    const struct rule *rule = contest_rule(s, contest);
    size_t stations = 0;
    bool *objected = arena_array(a, s->units.n, sizeof *objected);
    uint32_t *cells = fold_cells_by_unit(s, contest, round, a);
    *out = (struct weighed){.n = 0};
    rule_case_of(s, contest, round, &out->c);
    for (uint32_t u = k->unit; u != NO_UNIT; u = unit_next(s, u, k->unit)) stations += unit_is_station(s, u);
    out->stations = arena_array(a, stations + 1, sizeof *out->stations);
    if (!objected || !cells || !out->stations) return fail_set(f, E_MEMORY, "no memory for bounds");
    mark_objected(s, contest, round, objected);
    uint32_t region = NO_REGION;
    for (uint32_t u = k->unit; u != NO_UNIT; u = unit_next(s, u, k->unit)) {
        const struct unit *unit = fold_unit(s, u);
        if (rule->spread && unit->level <= rule->spread_level)
            region = rule_is_region(s, rule, u) ? out->region_count++ : NO_REGION;
        if (!unit_is_station(s, u)) continue;
        if (unit->closed && cells[u] == NO_CELL) continue;
        struct weighed_station *x = &out->stations[out->n];
        *x = (struct weighed_station){.unit = u, .region = region};
        enum contest_state state = contest_state_in(s, contest, round, u);
        if (state == CONTEST_POSTPONED) {
            x->most = unit->registered;
            x->doubts = 1u << DOUBT_POSTPONED;
        } else if (state != CONTEST_OPEN) {
            continue;
        } else {
            TRY(weigh(s, fi, contest, round, cells[u], a, x, f));
            if (objected[u]) x->doubts |= 1u << DOUBT_OBJECTED;
        }
        out->n++;
    }
    return OK;
}
