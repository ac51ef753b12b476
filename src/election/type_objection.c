/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* objection, admission, ruling (spec/records.md, 6.12 to 6.14): what is contested, whether it holds
 * the gate, and what was decided about it. */
#include "election/findings.h"
#include "election/state.h"

enum { UNITS_MAX = 64, EVIDENCE_MAX = 16 };

static const char *const grounds[] = {"figures", "form",      "identity", "missing",
                                      "other",   "procedure", NULL};

const char *objection_ground_name(unsigned ground) {
    return grounds[ground];
}

const char *objection_state_name(enum objection_state s) {
    static const char *const names[OBJECTION_STATES] = {"filed",  "admitted",  "refused",  "upheld",
                                                        "partly", "dismissed", "withdrawn"};
    return names[s];
}

size_t fold_objection_count(const struct fold *s) {
    return s->objections.n;
}

const struct objection *fold_objection(const struct fold *s, size_t i) {
    return vec_at(&s->objections, i);
}

uint32_t objection_unit(const struct fold *s, const struct objection *o, uint32_t k) {
    return *(const uint32_t *)vec_at(&s->objection_units, o->first_unit + k);
}

/* Objections stand in the order of their entries. */
size_t objection_of_entry(const struct fold *s, uint64_t entry) {
    size_t low = 0, high = s->objections.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (fold_objection(s, mid)->entry < entry)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->objections.n && fold_objection(s, low)->entry == entry ? low : SIZE_MAX;
}

bool objection_covers(const struct fold *s, const struct objection *o, uint32_t station) {
    for (uint32_t k = 0; k < o->unit_count; k++)
        if (unit_within(s, station, objection_unit(s, o, k))) return true;
    return false;
}

bool objection_is_upheld(const struct objection *o) {
    return o->state == OBJECTION_UPHELD || o->state == OBJECTION_PARTLY;
}

bool objection_is_overdue(const struct objection *o, uint64_t now_ms) {
    return o->state == OBJECTION_ADMITTED && o->answer == NO_ENTRY && now_ms > o->answer_by_ms;
}

bool cell_decided_since(const struct fold *s, uint32_t cell, uint64_t entry) {
    const struct cell *c = fold_cell_at(s, cell);
    const struct decision *d = cell_decision(s, c);
    if (d && d->entry > entry) return true;
    for (uint32_t u = c->station; u != NO_UNIT; u = fold_unit(s, u)->parent) {
        const struct place *p = fold_place(s, c->contest, c->round, u);
        for (uint32_t i = p ? p->first_decision : NO_DECISION; i != NO_DECISION;) {
            d = fold_decision(s, i);
            bool stands = d->action == DECISION_ACCEPT && d->released_by == NO_DECISION;
            if (stands && d->entry > entry && d->codes[F_RULING / 64] >> (F_RULING % 64) & 1) return true;
            i = d->next;
        }
    }
    return false;
}

/* Stations below a unit, in any order: the units form a tree of first child and next sibling. */
static uint32_t next_below(const struct fold *s, uint32_t at, uint32_t top) {
    const struct unit *u = fold_unit(s, at);
    if (u->first_child != NO_UNIT) return u->first_child;
    while (at != top) {
        u = fold_unit(s, at);
        if (u->next_sibling != NO_UNIT) return u->next_sibling;
        at = u->parent;
    }
    return NO_UNIT;
}

uint64_t objection_undecided(const struct fold *s, const struct objection *o) {
    uint64_t n = 0;
    if (!objection_is_upheld(o)) return 0;
    for (uint32_t k = 0; k < o->unit_count; k++) {
        uint32_t top = objection_unit(s, o, k);
        for (uint32_t u = top; u != NO_UNIT; u = next_below(s, u, top)) {
            if (!unit_is_station(s, u) || fold_unit(s, u)->closed) continue;
            uint32_t cell = fold_cell_find(s, o->contest, o->round, u);
            if (cell == NO_CELL || !cell_decided_since(s, cell, o->ruling)) n++;
        }
    }
    return n;
}

size_t objections_unruled(const struct fold *s, uint32_t contest, unsigned round) {
    size_t n = 0;
    for (size_t i = 0; i < s->objections.n; i++) {
        const struct objection *o = fold_objection(s, i);
        n += o->contest == contest && o->round == round && o->state == OBJECTION_ADMITTED;
    }
    return n;
}

size_t objections_undecided(const struct fold *s, uint32_t contest, unsigned round) {
    size_t n = 0;
    for (size_t i = 0; i < s->objections.n; i++) {
        const struct objection *o = fold_objection(s, i);
        if (o->contest == contest && o->round == round) n += objection_undecided(s, o) > 0;
    }
    return n;
}

/* --- objection --- */

struct objection_fields {
    struct objection x;
    uint32_t units[UNITS_MAX];
};

/* Codes in ascending order, none inside another: each station is contested once. */
static void read_units(struct ctx *c, struct objection_fields *v) {
    struct cj *r = &c->json;
    struct span last = {0};
    cj_array(r);
    while (cj_element(r)) {
        if (v->x.unit_count == UNITS_MAX) {
            cj_fail(r, E_RANGE, "more than %d units; name the one above them", UNITS_MAX);
            return;
        }
        uint32_t u = read_unit(c);
        if (cj_failed(r)) return;
        struct span code = fold_unit(c->fold, u)->code;
        if (last.p && span_cmp(last, code) >= 0) {
            cj_fail(r, E_CANONICAL, "the units are not in ascending order");
            return;
        }
        for (uint32_t k = 0; k < v->x.unit_count; k++) {
            if (!unit_within(c->fold, u, v->units[k]) && !unit_within(c->fold, v->units[k], u)) continue;
            cj_fail(r, E_UNIT, "the unit %.*s lies inside another one of the list, or around it",
                    SPAN_ARG(code));
            return;
        }
        last = code;
        v->units[v->x.unit_count++] = u;
    }
    if (!cj_failed(r) && v->x.unit_count == 0) cj_fail(r, E_FIELD, "an objection to no unit");
}

static err read_objection(struct ctx *c, struct objection_fields *v) {
    struct cj *r = &c->json;
    cj_object(r);
    cj_need(r, "contest");
    v->x.contest = read_contest(c);
    read_election(c);
    cj_need(r, "evidence");
    cj_array(r);
    while (cj_element(r)) {
        if (v->x.evidence++ == EVIDENCE_MAX) {
            cj_fail(r, E_RANGE, "more than %d pieces of evidence; put them into an archive", EVIDENCE_MAX);
            break;
        }
        (void)read_object_ref(c, true);
    }
    cj_need(r, "ground");
    v->x.ground = (uint8_t)read_word(c, grounds);
    cj_need(r, "reason");
    (void)read_object_ref(c, true);
    cj_need(r, "round");
    v->x.round = (uint16_t)cj_u64(r, MAX_ROUNDS);
    cj_need(r, "units");
    read_units(c, v);
    cj_object_end(r);
    return cj_end(r);
}

err objection_apply(struct ctx *c) {
    struct fold *s = c->fold;
    struct objection_fields v = {.x = {.entry = c->index, .ms = c->ms, .admission = NO_ENTRY,
                                       .answer = NO_ENTRY, .answer_by_ms = UINT64_MAX,
                                       .ruling = NO_ENTRY}};
    TRY(read_objection(c, &v));
    if (c->signer_count != 1)
        return fail_set(c->f, E_LINES, "an objection is one key's: others make their own");
    const struct contest *k = fold_contest(s, v.x.contest);
    if (v.x.round == 0 || v.x.round > k->round)
        return fail_set(c->f, E_ROUND, "an objection to round %u; the contest is in round %u", v.x.round,
                        k->round);
    for (uint32_t i = 0; i < v.x.unit_count; i++) {
        if (!unit_within(s, v.units[i], k->unit))
            return fail_set(c->f, E_CONTEST, "the contest %.*s is not held in the unit %.*s",
                            SPAN_ARG(k->id), SPAN_ARG(fold_unit(s, v.units[i])->code));
        TRY(signers_in_scope(c, v.units[i], v.x.contest));
    }
    v.x.signer = c->signers[0];
    journal_vec(&s->journal, &s->objection_units);
    uint32_t *units = vec_push_run(&s->objection_units, v.x.unit_count, &v.x.first_unit);
    if (!units) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    memcpy(units, v.units, v.x.unit_count * sizeof *units);
    struct objection *to;
    TRY(state_push(c, &s->objections, (void **)&to));
    *to = v.x;
    c->out->station = v.x.unit_count == 1 ? v.units[0] : k->unit;
    return OK;
}

/* --- who decides --- */

static struct objection *read_objection_ref(struct ctx *c) {
    cj_need(&c->json, "objection");
    uint64_t entry = read_record(c);
    if (cj_failed(&c->json)) return NULL;
    size_t i = objection_of_entry(c->fold, entry);
    if (i == SIZE_MAX) {
        cj_fail(&c->json, E_REFERENCE, "the record it names is not an objection");
        return NULL;
    }
    struct objection *o = vec_at(&c->fold->objections, i);
    c->out->contest = o->contest;
    c->out->station = fold_contest(c->fold, o->contest)->unit; /* the whole contest waits for it */
    return o;
}

/* An officer over all its units, or as many commissioners as it takes; *officer gets the key, NO_KEY
 * for commissioners. */
static err ruled_by(struct ctx *c, const struct objection *o, uint32_t *officer) {
    bool any = false;
    *officer = NO_KEY;
    for (uint32_t i = 0; i < o->unit_count; i++)
        TRY(signers_in_scope(c, objection_unit(c->fold, o, i), o->contest));
    for (size_t i = 0; i < c->signer_count; i++) {
        enum role as = key_acts_as(state_key(c->fold, c->signers[i]));
        if (as == ROLE_NATIONAL_RETURNING_OFFICER || as == ROLE_RETURNING_OFFICER) {
            *officer = c->signers[i];
            return OK;
        }
        any |= as == ROLE_COMMISSIONER;
    }
    if (!any)
        return fail_set(c->f, E_ROLE, "neither the returning officer of the units nor the commissioners "
                                      "signed");
    unsigned have = signer_holders(c, ROLE_COMMISSIONER);
    if (have < c->fold->def.threshold)
        return fail_set(c->f, E_THRESHOLD, "%u commissioners signed where %u must", have,
                        c->fold->def.threshold);
    return OK;
}

err admission_apply(struct ctx *c) {
    static const char *const says_words[] = {"admitted", "refused", NULL};
    struct cj *r = &c->json;
    struct journal *j = &c->fold->journal;
    uint64_t answer_by = UINT64_MAX;
    bool order = false;
    cj_object(r);
    if (cj_have(r, "answer_by_ms")) answer_by = cj_u64(r, CJ_MAX_INT);
    read_election(c);
    struct objection *o = read_objection_ref(c);
    if (cj_have(r, "order")) {
        (void)read_object_ref(c, false);
        order = true;
    }
    if (cj_have(r, "reason")) (void)read_object_ref(c, true);
    cj_need(r, "says");
    unsigned says = read_word(c, says_words);
    cj_object_end(r);
    TRY(cj_end(r));
    uint32_t officer;
    TRY(ruled_by(c, o, &officer));
    if (says == 1 && answer_by != UINT64_MAX)
        return fail_set(c->f, E_FIELD, "nobody answers an objection that is refused");
    bool again = o->state == OBJECTION_ADMITTED || o->state == OBJECTION_REFUSED;
    bool same = o->state == (says ? OBJECTION_REFUSED : OBJECTION_ADMITTED);
    if (o->state != OBJECTION_FILED && (!again || same || !order))
        return fail_set(c->f, E_STATE, "the objection is %s already; only a court's order changes whether "
                                       "it is admitted",
                        objection_state_name((enum objection_state)o->state));
    JSET(j, o->state, says ? OBJECTION_REFUSED : OBJECTION_ADMITTED);
    JSET(j, o->admission, c->index);
    JSET(j, o->admission_ms, c->ms);
    JSET(j, o->answer_by_ms, answer_by);
    return OK;
}

/* A second person beside the officer. */
static bool has_second(const struct ctx *c, uint32_t officer) {
    const struct hash *holder = &state_key(c->fold, officer)->holder;
    for (size_t i = 0; i < c->signer_count; i++)
        if (!hash_eq(&state_key(c->fold, c->signers[i])->holder, holder)) return true;
    return false;
}

static bool is_voice(enum role r) {
    return r == ROLE_PARTY || r == ROLE_AGENT || r == ROLE_OBSERVER_GROUP || r == ROLE_OBSERVER;
}

/* Whoever objected, with the same key or another one of the same person. */
static err withdrawn_by(struct ctx *c, const struct objection *o) {
    const struct hash *holder = &state_key(c->fold, o->signer)->holder;
    if (c->signer_count != 1 || !hash_eq(&state_key(c->fold, c->signers[0])->holder, holder))
        return fail_set(c->f, E_ROLE, "an objection is withdrawn by who made it, alone");
    return OK;
}

static err may_rule(struct ctx *c, const struct objection *o, bool order) {
    uint32_t officer;
    for (size_t i = 0; i < c->signer_count; i++) {
        enum role as = (enum role)state_key(c->fold, c->signers[i])->role;
        if (is_voice(as))
            return fail_set(c->f, E_ROLE, "a key of role %s does not rule on objections", role_name(as));
    }
    TRY(ruled_by(c, o, &officer));
    if (officer != NO_KEY && !has_second(c, officer))
        return fail_set(c->f, E_THRESHOLD, "a ruling needs a second person's signature");
    bool ruled = objection_is_upheld(o) || o->state == OBJECTION_DISMISSED;
    if (o->state != OBJECTION_ADMITTED && !(ruled && order))
        return fail_set(c->f, E_STATE, "the objection is %s: %s",
                        objection_state_name((enum objection_state)o->state),
                        ruled ? "another ruling carries a court's order" : "only an admitted one is ruled on");
    return OK;
}

err ruling_apply(struct ctx *c) {
    static const char *const words[] = {"dismissed", "partly", "upheld", "withdrawn", NULL};
    static const enum objection_state states[] = {OBJECTION_DISMISSED, OBJECTION_PARTLY,
                                                  OBJECTION_UPHELD, OBJECTION_WITHDRAWN};
    struct cj *r = &c->json;
    struct journal *j = &c->fold->journal;
    bool order = false;
    cj_object(r);
    read_election(c);
    struct objection *o = read_objection_ref(c);
    if (cj_have(r, "order")) {
        (void)read_object_ref(c, false);
        order = true;
    }
    if (cj_have(r, "reason")) (void)read_object_ref(c, true);
    cj_need(r, "says");
    enum objection_state says = states[read_word(c, words)];
    cj_object_end(r);
    TRY(cj_end(r));
    if (says == OBJECTION_WITHDRAWN) {
        TRY(withdrawn_by(c, o));
        if (o->state != OBJECTION_FILED && o->state != OBJECTION_ADMITTED)
            return fail_set(c->f, E_STATE, "the objection is %s already",
                            objection_state_name((enum objection_state)o->state));
    } else {
        TRY(may_rule(c, o, order));
    }
    JSET(j, o->state, (uint8_t)says);
    JSET(j, o->ruling, c->index);
    JSET(j, o->ruling_ms, c->ms);
    JSET(j, o->ordered, order);
    return OK;
}
