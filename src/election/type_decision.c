/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* decision (spec/records.md, 6.22): two officers say which transcription is right, that a station is
 * disregarded and on what ground, that findings are accepted, or that a decision is withdrawn. Never a
 * figure of their own. */
#include "election/findings.h"
#include "election/state.h"

struct decision_fields {
    uint32_t contest, unit;
    unsigned round;
    uint64_t record; /* UINT64_MAX: none */
    uint64_t size;
    bool has_codes, has_reason;
    struct decision x;
};

static void read_codes(struct ctx *c, struct decision *x) {
    struct cj *r = &c->json;
    struct span last = {0};
    cj_array(r);
    while (cj_element(r)) {
        struct span w = cj_code(r, 60);
        if (cj_failed(r)) return;
        enum finding_code code = finding_by_name(w);
        if (code == FINDING_COUNT)
            cj_fail(r, E_FIELD, "\"%.*s\" is not a finding", SPAN_ARG(w));
        else if (last.p && span_cmp(last, w) >= 0)
            cj_fail(r, E_CANONICAL, "the findings are not in ascending order");
        else
            x->codes[code / 64] |= UINT64_C(1) << (code % 64);
        last = w;
    }
    if (!cj_failed(r) && !last.p) cj_fail(r, E_FIELD, "an empty list of findings");
}

static err read_decision(struct ctx *c, struct decision_fields *v) {
    static const char *const actions[] = {"accept", "adopt", "disregard", "release", NULL};
    static const char *const grounds[] = {"", "order", "over-register", "over-voters", NULL};
    struct cj *r = &c->json;
    struct decision *x = &v->x;
    v->record = UINT64_MAX;
    cj_object(r);
    cj_need(r, "action");
    x->action = (uint8_t)read_word(c, actions);
    if ((v->has_codes = cj_have(r, "codes"))) read_codes(c, x);
    cj_need(r, "contest");
    v->contest = read_contest(c);
    read_election(c);
    if (cj_have(r, "ground")) {
        x->ground = (uint8_t)read_word(c, grounds);
        if (!cj_failed(r) && x->ground == GROUND_NONE) cj_fail(r, E_FIELD, "an empty ground");
    }
    if ((x->has_order = cj_have(r, "order"))) x->order = read_object_ref(c, false).id;
    if ((v->has_reason = cj_have(r, "reason"))) (void)read_object_ref(c, true);
    if (cj_have(r, "record")) v->record = read_record(c);
    cj_need(r, "round");
    v->round = (unsigned)cj_u64(r, MAX_ROUNDS);
    cj_need(r, "size");
    v->size = cj_u64(r, CJ_MAX_INT);
    cj_need(r, "unit");
    v->unit = read_unit(c);
    cj_object_end(r);
    TRY(cj_end(r));
    bool names = x->action == DECISION_ADOPT || x->action == DECISION_RELEASE;
    if (v->has_codes != (x->action == DECISION_ACCEPT))
        return fail_set(c->f, E_FIELD, "\"codes\" belongs to accept, and to nothing else");
    if ((x->ground != GROUND_NONE) != (x->action == DECISION_DISREGARD))
        return fail_set(c->f, E_FIELD, "\"ground\" belongs to disregard, and to nothing else");
    if ((v->record != UINT64_MAX) != names)
        return fail_set(c->f, E_FIELD, "\"record\" belongs to adopt and release, and to nothing else");
    return OK;
}

/* The officer who answers for it, and a second person who is another holder. */
static err check_signers(struct ctx *c, struct decision_fields *v) {
    const struct fold *s = c->fold;
    TRY(signers_in_scope(c, v->unit, v->contest));
    uint32_t officer = signer_in_role(c, ROLE_RETURNING_OFFICER, v->unit);
    if (officer == NO_KEY) officer = signer_in_role(c, ROLE_NATIONAL_RETURNING_OFFICER, v->unit);
    if (officer == NO_KEY)
        return fail_set(c->f, E_ROLE, "a decision is signed by the returning officer of the unit");
    v->x.key = officer;
    for (size_t i = 0; i < c->signer_count; i++) {
        const struct key *k = state_key(s, c->signers[i]);
        if (hash_eq(&k->holder, &state_key(s, officer)->holder)) continue;
        v->x.second = c->signers[i];
        return OK;
    }
    return fail_set(c->f, E_THRESHOLD, "a decision needs a second person's signature");
}

static err check_place(struct ctx *c, const struct decision_fields *v) {
    const struct fold *s = c->fold;
    const struct contest *k = fold_contest(s, v->contest);
    if (!unit_within(s, v->unit, k->unit))
        return fail_set(c->f, E_CONTEST, "the contest is not held in this unit");
    if (v->round == 0 || v->round > k->round)
        return fail_set(c->f, E_ROUND, "a decision in round %u; the contest is in round %u", v->round,
                        k->round);
    if (fold_unit(s, v->unit)->closed)
        return fail_set(c->f, E_UNIT, "the station %.*s was closed by an amendment",
                        SPAN_ARG(fold_unit(s, v->unit)->code));
    if (v->size > c->index)
        return fail_set(c->f, E_STATE, "made on %llu entries; the log has %llu", (unsigned long long)v->size,
                        (unsigned long long)c->index);
    c->out->station = v->unit;
    if (declaration_of(s, v->contest, v->round) != NO_DECLARATION && !v->x.has_order)
        return fail_set(c->f, E_STATE, "the contest is declared: nothing is decided any more but by a court's order");
    bool station = v->x.action == DECISION_ADOPT || v->x.action == DECISION_DISREGARD;
    if (station && !unit_is_station(s, v->unit))
        return fail_set(c->f, E_UNIT, "only a station's figures are adopted or disregarded");
    return OK;
}

static bool too_many(uint64_t register_or_voters, const struct fold *s, const struct cell *c,
                     const struct figures *g) {
    return register_or_voters != ABSENT && figures_ballots(s, c, g) > register_or_voters;
}

/* Some standing result or open reading shows it. */
static bool ground_true(const struct fold *s, const struct cell *c, unsigned ground) {
    struct figures g;
    uint64_t registered = fold_unit(s, c->station)->registered;
    for (uint32_t i = c->first_result; i != NO_RESULT; i = fold_result(s, i)->next) {
        const struct result *r = fold_result(s, i);
        if (r->superseded_by != NO_RESULT) continue;
        result_figures(s, r, &g);
        uint64_t most = ground == GROUND_OVER_REGISTER ? registered
                                                       : figures_voters(r->voters_kit, r->voters_manual);
        if (too_many(most, s, c, &g)) return true;
    }
    const struct desk *d = cell_desk(s, c);
    uint32_t open[3];
    for (unsigned n = d ? desk_open(s, d, open) : 0; n-- > 0;) {
        const struct form_reading *x = fold_reading(s, open[n]);
        reading_figures(s, x, &g);
        uint64_t most = ground == GROUND_OVER_REGISTER ? registered
                                                       : figures_voters(x->voters_kit, x->voters_manual);
        if (too_many(most, s, c, &g)) return true;
    }
    return false;
}

static err check_standing(struct ctx *c, const struct cell *k) {
    const struct decision *d = k ? cell_decision(c->fold, k) : NULL;
    if (d)
        return fail_set(c->f, E_STATE, "another decision (entry %u) holds here; release it first", d->entry);
    return OK;
}

static err check_disregard(struct ctx *c, const struct decision_fields *v, const struct cell *k) {
    TRY(check_standing(c, k));
    if (v->x.ground == GROUND_ORDER) {
        if (v->x.has_order) return OK;
        return fail_set(c->f, E_FIELD, "the ground is an order, and none is named");
    }
    if (k && ground_true(c->fold, k, v->x.ground)) return OK;
    return fail_set(c->f, E_STATE, v->x.ground == GROUND_OVER_REGISTER
                                       ? "no form of this station has more ballots than registered voters"
                                       : "no form of this station has more ballots than voters identified");
}

static err check_adopt(struct ctx *c, struct decision_fields *v, uint32_t cell) {
    const struct fold *s = c->fold;
    TRY(check_standing(c, cell == NO_CELL ? NULL : fold_cell_at(s, cell)));
    uint32_t at = UINT32_MAX, i = result_of_entry(s, v->record);
    if (i != NO_RESULT) {
        at = fold_result(s, i)->cell;
        if (at == cell && fold_result(s, i)->superseded_by != NO_RESULT)
            return fail_set(c->f, E_STATE, "the result it adopts is superseded");
    }
    i = state_ref(s, v->record, REC_OPEN);
    if (i == NO_REF) i = state_ref(s, v->record, REC_COMPARED);
    if (i != NO_REF) at = fold_reading(s, i)->cell;
    if (cell == NO_CELL || at != cell)
        return fail_set(c->f, E_REFERENCE, "what it adopts is not a result, reading or comparison of this "
                                           "contest, round and station");
    v->x.record = (uint32_t)v->record;
    return OK;
}

static err check_release(struct ctx *c, struct decision_fields *v, uint32_t *released) {
    const struct fold *s = c->fold;
    uint32_t i = state_ref(s, v->record, REC_DECISION);
    const struct decision *d = i == NO_REF ? NULL : fold_decision(s, i);
    if (!d || d->contest != v->contest || d->round != v->round || d->unit != v->unit ||
        d->action == DECISION_RELEASE)
        return fail_set(c->f, E_REFERENCE, "what it releases is not a decision on this contest and unit");
    if (d->released_by != NO_DECISION)
        return fail_set(c->f, E_STATE, "that decision is released already (entry %u)",
                        fold_decision(s, d->released_by)->entry);
    v->x.record = (uint32_t)v->record;
    *released = i;
    return OK;
}

static err check_accept(struct ctx *c, const struct decision_fields *v) {
    for (int n = 0; n < FINDING_COUNT; n++) {
        if (!(v->x.codes[n / 64] >> (n % 64) & 1)) continue;
        enum finding_code code = (enum finding_code)n;
        if (finding_needs_adopt(code))
            return fail_set(c->f, E_STATE, "%s is not accepted: a decision adopts one of the records, or "
                                           "disregards the station", finding_name(code));
        if (!finding_acceptable(code))
            return fail_set(c->f, E_STATE, "%s is not accepted: it waits for a ruling", finding_name(code));
        if (finding_severity_in(c->fold, code) == SEVERITY_ERROR && !v->has_reason && !v->x.has_order)
            return fail_set(c->f, E_FIELD, "%s is an error: whoever accepts it gives a reason or an order",
                            finding_name(code));
    }
    return OK;
}

static err add_decision(struct ctx *c, const struct decision_fields *v, uint32_t cell, uint32_t released) {
    struct fold *s = c->fold;
    struct journal *j = &s->journal;
    struct decision *to;
    struct place *p;
    uint32_t i = (uint32_t)s->decisions.n;
    TRY(state_place(c, v->contest, v->round, v->unit, &p));
    TRY(state_push(c, &s->decisions, (void **)&to));
    *to = v->x;
    to->ms = c->ms;
    to->entry = (uint32_t)c->index;
    to->size = (uint32_t)v->size;
    to->contest = v->contest;
    to->round = (uint16_t)v->round;
    to->unit = v->unit;
    to->released_by = to->next = NO_DECISION;
    c->ref = i;
    if (p->last_decision == NO_DECISION)
        JSET(j, p->first_decision, i);
    else
        JSET(j, ((struct decision *)vec_at(&s->decisions, p->last_decision))->next, i);
    JSET(j, p->last_decision, i);
    if (released != NO_DECISION)
        JSET(j, ((struct decision *)vec_at(&s->decisions, released))->released_by, i);
    bool holds = to->action == DECISION_ADOPT || to->action == DECISION_DISREGARD;
    if (!holds && cell == NO_CELL) return OK;
    if (holds && cell == NO_CELL) TRY(state_cell(c, v->contest, v->round, v->unit, &cell));
    struct desk *d;
    if (holds) {
        TRY(state_desk(c, cell, &d));
        JSET(j, d->standing, i);
    } else if (released != NO_DECISION && fold_cell_at(s, cell)->desk_plus_1) {
        TRY(state_desk(c, cell, &d));
        if (d->standing == released) JSET(j, d->standing, NO_DECISION);
    }
    return OK;
}

err decision_apply(struct ctx *c) {
    struct decision_fields v = {0};
    uint32_t released = NO_DECISION;
    TRY(read_decision(c, &v));
    TRY(check_place(c, &v));
    TRY(check_signers(c, &v));
    uint32_t cell = unit_is_station(c->fold, v.unit)
                        ? fold_cell_find(c->fold, v.contest, v.round, v.unit)
                        : NO_CELL;
    switch ((enum decision_action)v.x.action) {
    case DECISION_ACCEPT: TRY(check_accept(c, &v)); break;
    case DECISION_ADOPT: TRY(check_adopt(c, &v, cell)); break;
    case DECISION_DISREGARD:
        TRY(check_disregard(c, &v, cell == NO_CELL ? NULL : fold_cell_at(c->fold, cell)));
        break;
    case DECISION_RELEASE: TRY(check_release(c, &v, &released)); break;
    }
    return add_decision(c, &v, cell, released);
}
