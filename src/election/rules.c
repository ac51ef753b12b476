/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/rules.h"

#include "election/state.h"

__extension__ typedef unsigned __int128 wide;

bool ratio_exceeded(uint64_t a, uint64_t b, struct ratio r) {
    return (wide)a * r.q > (wide)b * r.p;
}

bool ratio_reached(uint64_t a, uint64_t b, struct ratio r) {
    return (wide)a * r.q >= (wide)b * r.p;
}

const struct rule *contest_rule(const struct fold *s, uint32_t contest) {
    return vec_at(&s->rules, contest);
}

int rule_collates(const struct rule *r, unsigned level) {
    for (int i = 0; i < r->collate_count; i++)
        if (r->collate[i] == level) return i;
    return -1;
}

bool rule_compares(const struct rule *r, unsigned level) {
    for (int i = 0; i < r->compare_count; i++)
        if (r->compare[i] == level) return true;
    return false;
}

uint32_t contest_declarer_unit(const struct fold *s, uint32_t contest) {
    unsigned level = contest_rule(s, contest)->declarer_level;
    uint32_t u = fold_contest(s, contest)->unit;
    while (fold_unit(s, u)->level > level) u = fold_unit(s, u)->parent;
    return u;
}

bool rule_is_region(const struct fold *s, const struct rule *r, uint32_t unit) {
    const struct unit *u = fold_unit(s, unit);
    if (!r->spread || u->level != r->spread_level) return false;
    for (uint32_t i = 0; i < r->exclude_count; i++)
        if (span_eq(u->code, r->exclude[i])) return false;
    return true;
}

uint32_t rule_regions_needed(const struct rule *r) {
    if (!r->spread) return 0;
    return (uint32_t)((uint64_t)r->spread_units * r->spread_regions.p / r->spread_regions.q + 1);
}

static const char *const outcome_names[OUTCOME_KINDS] = {
    "none", "elected", "unopposed", "next-round", "tie", "postponed", "cancelled", "annulled",
    "cannot-tell"};

const char *outcome_name(enum outcome_kind k) {
    return k < OUTCOME_KINDS ? outcome_names[k] : "cannot-tell";
}

enum outcome_kind outcome_by_name(struct span name) {
    unsigned k = 0;
    while (k < OUTCOME_KINDS && !span_is(name, outcome_names[k])) k++;
    return (enum outcome_kind)k;
}

static bool in_set(const uint64_t *set, uint32_t k) {
    return set[k / 64] >> (k % 64) & 1;
}

bool outcome_has(const struct outcome *o, uint32_t k) {
    return k < MAX_CHOICES && in_set(o->choices, k);
}

bool outcome_equal(const struct outcome *a, const struct outcome *b) {
    return a->kind == b->kind && a->count == b->count &&
           memcmp(a->choices, b->choices, sizeof a->choices) == 0;
}

bool outcome_declarable(const struct outcome *o) {
    return o->kind == OUTCOME_ELECTED || o->kind == OUTCOME_UNOPPOSED ||
           o->kind == OUTCOME_NEXT_ROUND || o->kind == OUTCOME_TIE;
}

void rule_case_of(const struct fold *s, uint32_t contest, unsigned round, struct rule_case *out) {
    const struct contest *k = fold_contest(s, contest);
    *out = (struct rule_case){.rule = contest_rule(s, contest), .choice_count = k->choice_count,
                              .state = contest_state_in(s, contest, round, k->unit)};
    /* a round after one that was annulled or cancelled is a fresh election; after another, a run-off */
    for (unsigned r = 1; r < round && r < k->round; r++)
        if (k->round_state[r - 1] != CONTEST_ANNULLED && k->round_state[r - 1] != CONTEST_CANCELLED)
            out->runoff = true;
    for (uint32_t i = 0; i < k->choice_count; i++) {
        if (!contest_has_choice(k, round, i)) continue;
        enum choice_state state = contest_choice(s, k, i)->state;
        out->on_ballot[i / 64] |= UINT64_C(1) << (i % 64);
        if (state == CHOICE_STANDS) out->stands[i / 64] |= UINT64_C(1) << (i % 64);
        if (state == CHOICE_DEAD) out->dead = true;
    }
}

static void put(struct outcome *o, uint32_t k) {
    o->choices[k / 64] |= UINT64_C(1) << (k % 64);
    o->count++;
}

/* The highest votes among the choices of the round that are below `below`; false: none are. */
static bool highest(const struct rule_case *c, const uint64_t *votes, uint64_t below, uint64_t *most) {
    bool any = false;
    for (uint32_t k = 0; k < c->choice_count; k++) {
        if (!in_set(c->on_ballot, k) || votes[k] >= below) continue;
        if (!any || votes[k] > *most) *most = votes[k];
        any = true;
    }
    return any;
}

static void put_with(const struct rule_case *c, const uint64_t *votes, uint64_t v,
                     struct outcome *out) {
    for (uint32_t k = 0; k < c->choice_count; k++)
        if (in_set(c->on_ballot, k) && votes[k] == v) put(out, k);
}

/* What the forms call valid, or the sum of the votes where that is more. */
static uint64_t all_valid(const struct rule_case *c, const struct votes *v) {
    uint64_t sum = 0;
    for (uint32_t k = 0; k < c->choice_count; k++)
        if (in_set(c->on_ballot, k)) sum += v->votes[k];
    return sum > v->valid ? sum : v->valid;
}

/* Regions in which the choice has the share; one without votes is none (nobody has anything there). */
static uint32_t regions_of(const struct rule_case *c, const struct votes *regions, size_t n,
                           uint32_t k) {
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t valid = all_valid(c, &regions[i]);
        count += valid > 0 && ratio_reached(regions[i].votes[k], valid, c->rule->spread_share);
    }
    return count;
}

/* Two go on: those tied for first, or all that are second with the first. */
static void next_round(const struct rule_case *c, const uint64_t *votes, uint64_t top,
                       struct outcome *out) {
    out->kind = OUTCOME_NEXT_ROUND;
    put_with(c, votes, top, out);
    uint64_t second;
    if (out->count == 1 && highest(c, votes, top, &second)) put_with(c, votes, second, out);
}

static void by_votes(const struct rule_case *c, const struct votes *all, const struct votes *regions,
                     size_t region_count, struct outcome *out) {
    uint64_t top = 0, valid = all_valid(c, all);
    if (!highest(c, all->votes, UINT64_MAX, &top) || valid == 0) return; /* OUTCOME_NONE */
    const struct rule *r = c->rule;
    bool by_majority = r->kind == RULE_MAJORITY && !c->runoff;
    out->majority = ratio_exceeded(top, valid, r->majority);
    if (by_majority && r->spread) {
        out->needed = rule_regions_needed(r);
        for (uint32_t k = 0; k < c->choice_count; k++) {
            if (!in_set(c->on_ballot, k)) continue;
            uint32_t have = regions_of(c, regions, region_count, k);
            if (have > out->regions) out->regions = have;
        }
    }
    if (top == 0) { /* papers, and none for anybody */
        out->kind = OUTCOME_CANNOT_TELL;
        return;
    }
    put_with(c, all->votes, top, out);
    out->kind = out->count == 1 ? OUTCOME_ELECTED : OUTCOME_TIE;
    if (!by_majority) return;
    uint32_t first = 0;
    while (!in_set(out->choices, first)) first++;
    bool wins = out->count == 1 && out->majority &&
                (!r->spread || regions_of(c, regions, region_count, first) >= out->needed);
    if (wins) return;
    memset(out->choices, 0, sizeof out->choices);
    out->count = 0;
    next_round(c, all->votes, top, out);
}

void rule_outcome(const struct rule_case *c, const struct votes *all, const struct votes *regions,
                  size_t region_count, struct outcome *out) {
    static const enum outcome_kind of_state[] = {
        [CONTEST_OPEN] = OUTCOME_NONE, [CONTEST_POSTPONED] = OUTCOME_POSTPONED,
        [CONTEST_CANCELLED] = OUTCOME_CANCELLED, [CONTEST_UNOPPOSED] = OUTCOME_UNOPPOSED,
        [CONTEST_ANNULLED] = OUTCOME_ANNULLED};
    *out = (struct outcome){.kind = of_state[c->state]};
    uint32_t standing = 0, only = 0;
    for (uint32_t k = 0; k < c->choice_count; k++) {
        if (!in_set(c->stands, k)) continue;
        standing++;
        only = k;
    }
    if (out->kind == OUTCOME_NONE && c->dead && c->rule->death_cancels && !c->runoff)
        out->kind = OUTCOME_CANCELLED;
    else if (out->kind == OUTCOME_NONE && standing == 1 && c->rule->unopposed)
        out->kind = OUTCOME_UNOPPOSED;
    if (out->kind == OUTCOME_UNOPPOSED) {
        if (standing == 1)
            put(out, only);
        else
            out->kind = OUTCOME_CANNOT_TELL;
    }
    if (out->kind != OUTCOME_NONE) return;
    if (c->rule->kind == RULE_UNKNOWN) {
        out->kind = OUTCOME_CANNOT_TELL;
        return;
    }
    by_votes(c, all, regions, region_count, out);
    for (int w = 0; w < CHOICE_WORDS; w++)
        if (out->choices[w] & ~c->stands[w]) { /* who died or withdrew since cannot be elected */
            out->kind = OUTCOME_CANNOT_TELL;
            memset(out->choices, 0, sizeof out->choices);
            out->count = 0;
        }
}
