/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* custody (spec/records.md, 6.21): forms, seals or boxes change hands; giver and taker sign. */
#include "election/state.h"

enum { WHAT_BOXES, WHAT_FORMS, WHAT_SEALS };
enum { KIND_AGENT, KIND_CARBON, KIND_NONE, KIND_ORIGINAL, KIND_POSTED };

struct custody_fields {
    uint32_t contest, unit, from, to;
    unsigned kind, what;
    uint64_t count;
};

static err read_custody(struct ctx *c, struct custody_fields *v) {
    static const char *const kinds[] = {"agent", "carbon", "none", "original", "posted", NULL};
    static const char *const whats[] = {"boxes", "forms", "seals", NULL};
    struct cj *r = &c->json;
    v->contest = NO_CONTEST;
    cj_object(r);
    cj_need(r, "at_ms");
    (void)cj_u64(r, CJ_MAX_INT);
    if (cj_have(r, "contest")) v->contest = read_contest(c);
    cj_need(r, "count");
    v->count = cj_u64(r, FIGURE_MAX);
    read_election(c);
    cj_need(r, "from");
    v->from = read_key_name(c);
    cj_need(r, "kind");
    v->kind = read_word(c, kinds);
    if (cj_have(r, "note")) (void)read_object_ref(c, true);
    if (cj_have(r, "serials")) (void)read_object_ref(c, false);
    cj_need(r, "to");
    v->to = read_key_name(c);
    cj_need(r, "unit");
    v->unit = read_unit(c);
    cj_need(r, "what");
    v->what = read_word(c, whats);
    cj_object_end(r);
    TRY(cj_end(r));
    if (v->count == 0) return fail_set(c->f, E_RANGE, "nothing was handed over");
    if ((v->what == WHAT_FORMS) != (v->kind != KIND_NONE))
        return fail_set(c->f, E_FIELD, "forms have a kind, other things have the kind \"none\"");
    if (v->what == WHAT_FORMS && v->contest == NO_CONTEST)
        return fail_set(c->f, E_FIELD, "forms are of a contest");
    return OK;
}

static bool is_desk(enum role r) {
    return r == ROLE_RETURNING_OFFICER || r == ROLE_NATIONAL_RETURNING_OFFICER;
}

static err count_forms(struct ctx *c, uint32_t contest, uint32_t unit, uint64_t count) {
    struct place *p;
    struct journal *j = &c->fold->journal;
    unsigned round = fold_contest(c->fold, contest)->round;
    uint32_t cell; /* a station's surplus of forms is a finding of its cell */
    if (unit_is_station(c->fold, unit)) TRY(state_cell(c, contest, round, unit, &cell));
    TRY(state_place(c, contest, round, unit, &p));
    JSET(j, p->forms, p->forms + count); /* quotas keep it far below 2^64 */
    JSET(j, p->forms_entry, (uint32_t)c->index);
    return OK;
}

/* Original forms that come up to a returning officer's desk are counted there, and at the station
 * whose form it is. What is passed down again, or between others, is not received twice. */
static err receive(struct ctx *c, const struct custody_fields *v) {
    const struct fold *s = c->fold;
    const struct key *from = state_key(s, v->from), *to = state_key(s, v->to);
    if (v->what != WHAT_FORMS || v->kind != KIND_ORIGINAL || !is_desk(key_acts_as(to))) return OK;
    if (is_desk(key_acts_as(from)) && unit_within(s, to->unit, from->unit)) return OK;
    TRY(count_forms(c, v->contest, to->unit, v->count));
    bool first_desk = !is_desk(key_acts_as(from)) && v->unit != to->unit;
    return first_desk ? count_forms(c, v->contest, v->unit, v->count) : OK;
}

err custody_apply(struct ctx *c) {
    struct custody_fields v;
    TRY(read_custody(c, &v));
    const struct fold *s = c->fold;
    if (v.from == v.to || hash_eq(&state_key(s, v.from)->holder, &state_key(s, v.to)->holder))
        return fail_set(c->f, E_THRESHOLD, "giver and taker are one person");
    if (c->signer_count != 2 || c->signers[0] + c->signers[1] != v.from + v.to ||
        (c->signers[0] != v.from && c->signers[0] != v.to))
        return fail_set(c->f, E_LINES, "a hand-over is signed by the two keys that it names");
    TRY(signers_in_scope(c, v.unit, v.contest));
    if (v.contest != NO_CONTEST) {
        uint32_t held = fold_contest(s, v.contest)->unit;
        if (!unit_within(s, v.unit, held) && !unit_within(s, held, v.unit))
            return fail_set(c->f, E_CONTEST, "the contest is not held in this unit");
    }
    if (fold_unit(s, v.unit)->closed)
        return fail_set(c->f, E_UNIT, "the station %.*s was closed by an amendment",
                        SPAN_ARG(fold_unit(s, v.unit)->code));
    c->out->station = v.unit;
    return receive(c, &v);
}
