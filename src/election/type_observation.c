/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* observation (spec/records.md, 6.16): an observer's report from a station: a checklist, and figures of
 * an own count if there are any. They are never added to a total. */
#include "election/state.h"

enum { ITEMS_MAX = 100, NAMES_MAX = 256 };

struct observation_fields {
    struct observation x;
    struct observed items[ITEMS_MAX];
    struct span names[ITEMS_MAX];
    uint64_t votes[MAX_CHOICES];
};

size_t fold_observation_count(const struct fold *s) {
    return s->observations.n;
}

const struct observation *fold_observation(const struct fold *s, size_t i) {
    return vec_at(&s->observations, i);
}

const struct observed *observation_items(const struct fold *s, const struct observation *o) {
    return vec_at(&s->observed, o->items_at);
}

const uint64_t *observation_votes(const struct fold *s, const struct observation *o) {
    return vec_at(&s->votes, o->votes_at);
}

size_t fold_item_count(const struct fold *s) {
    return s->items.n;
}

struct span observation_item(const struct fold *s, uint32_t item) {
    return *(const struct span *)vec_at(&s->items, item);
}

/* A figure, or a word. The reader tells them apart by the first byte. */
static void read_item(struct cj *r, struct observed *x) {
    static const char *const words[] = {"yes", "no", "unknown"};
    if (!cj_failed(r) && r->rest.n && r->rest.p[0] != '"') {
        x->kind = OBSERVED_FIGURE;
        x->value = cj_u64(r, FIGURE_MAX);
        return;
    }
    struct span s = cj_code(r, 20);
    for (unsigned i = 0; i < 3; i++) {
        if (!span_is(s, words[i])) continue;
        x->kind = (uint8_t)i;
        return;
    }
    if (!cj_failed(r))
        cj_fail(r, E_FIELD, "an item is yes, no, unknown or a figure, not \"%.*s\"", SPAN_ARG(s));
}

static void read_items(struct cj *r, struct observation_fields *v) {
    struct span key;
    cj_object(r);
    while (cj_any_key(r, &key)) {
        if (v->x.item_count == ITEMS_MAX) {
            cj_fail(r, E_RANGE, "more than %d items", ITEMS_MAX);
            return;
        }
        if (!slug_valid(key, 40)) {
            cj_fail(r, E_FIELD, "\"%.*s\" is not the name of an item", SPAN_ARG(key));
            return;
        }
        v->names[v->x.item_count] = key;
        read_item(r, &v->items[v->x.item_count++]);
        if (cj_failed(r)) return;
    }
}

/* {["rejected"],["valid"],"votes":{...}} */
static void read_counts(struct ctx *c, struct observation_fields *v) {
    struct cj *r = &c->json;
    cj_object(r);
    v->x.has_counts = true;
    if (cj_have(r, "rejected")) v->x.rejected = cj_u64(r, FIGURE_MAX);
    if (cj_have(r, "valid")) v->x.valid = cj_u64(r, FIGURE_MAX);
    cj_need(r, "votes");
    if (!cj_failed(r) && v->x.contest == NO_CONTEST)
        cj_fail(r, E_FIELD, "counts are of a contest: name it");
    if (!cj_failed(r)) read_votes(r, c->fold, v->x.contest, v->x.round, v->votes);
    cj_object_end(r);
}

static err read_observation(struct ctx *c, struct observation_fields *v) {
    struct cj *r = &c->json;
    cj_object(r);
    cj_need(r, "at_ms");
    v->x.at_ms = cj_u64(r, CJ_MAX_INT);
    if (cj_have(r, "contest")) {
        v->x.contest = read_contest(c);
        if (!cj_failed(r)) v->x.round = fold_contest(c->fold, v->x.contest)->round;
    }
    if (cj_have(r, "counts")) read_counts(c, v);
    read_election(c);
    cj_need(r, "items");
    read_items(r, v);
    cj_need(r, "key");
    v->x.signer = read_key_name(c);
    if (cj_have(r, "note")) (void)read_object_ref(c, true);
    if (cj_have(r, "round")) {
        uint64_t round = cj_u64(r, MAX_ROUNDS);
        if (!cj_failed(r) && v->x.contest == NO_CONTEST)
            cj_fail(r, E_FIELD, "a round is of a contest: name it");
        if (!cj_failed(r) && round != v->x.round)
            cj_fail(r, E_ROUND, "an observation of round %llu; the contest is in round %u",
                    (unsigned long long)round, v->x.round);
    } else if (!cj_failed(r) && v->x.has_counts) {
        cj_fail(r, E_FIELD, "counts are of a round: name it");
    }
    cj_need(r, "station");
    v->x.station = read_station(c);
    cj_object_end(r);
    TRY(cj_end(r));
    if (v->x.item_count == 0 && !v->x.has_counts)
        return fail_set(c->f, E_FIELD, "an observation without items and counts");
    return OK;
}

/* The number of an item's name; new names are kept. */
static err item_number(struct ctx *c, struct span name, uint32_t *out) {
    struct fold *s = c->fold;
    uint64_t h = state_hash(s, name);
    size_t cursor = 0;
    for (uint32_t i; (i = table_next(&s->by_item, h, &cursor)) != UINT32_MAX;) {
        if (!span_eq(observation_item(s, i), name)) continue;
        *out = i;
        return OK;
    }
    struct span *to;
    if (s->items.n == NAMES_MAX)
        return fail_set(c->f, E_QUOTA, "observers report on %d different items already; use those",
                        NAMES_MAX);
    *out = (uint32_t)s->items.n;
    TRY(state_push(c, &s->items, (void **)&to));
    *to = arena_copy(&s->arena, name);
    if (!to->p) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    return state_index(c, &s->by_item, h, *out);
}

err observation_apply(struct ctx *c) {
    struct fold *s = c->fold;
    struct observation_fields v;
    memset(&v.x, 0, sizeof v.x);
    v.x.entry = c->index;
    v.x.ms = c->ms;
    v.x.contest = NO_CONTEST;
    v.x.valid = v.x.rejected = ABSENT;
    TRY(read_observation(c, &v));
    if (c->signer_count != 1 || c->signers[0] != v.x.signer)
        return fail_set(c->f, E_LINES, "an observation is one person's: the key it names signs it, alone");
    TRY(signers_in_scope(c, v.x.station, v.x.contest));
    if (v.x.contest != NO_CONTEST && !unit_within(s, v.x.station, fold_contest(s, v.x.contest)->unit))
        return fail_set(c->f, E_CONTEST, "the contest is not held at this station");
    for (unsigned i = 0; i < v.x.item_count; i++) TRY(item_number(c, v.names[i], &v.items[i].item));
    journal_vec(&s->journal, &s->observed);
    struct observed *items = vec_push_run(&s->observed, v.x.item_count, &v.x.items_at);
    if (!items) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
    for (unsigned i = 0; i < v.x.item_count; i++) items[i] = v.items[i];
    if (v.x.has_counts) {
        uint32_t choices = fold_contest(s, v.x.contest)->choice_count;
        journal_vec(&s->journal, &s->votes);
        uint64_t *votes = vec_push_run(&s->votes, choices, &v.x.votes_at);
        if (!votes) return fail_set(c->f, E_MEMORY, "the state has reached its memory cap");
        memcpy(votes, v.votes, choices * sizeof *votes);
    }
    struct observation *to;
    TRY(state_push(c, &s->observations, (void **)&to));
    *to = v.x;
    return OK;
}
