/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The smallest set of stations without whose figures the outcome is another. Each way in which an
 * outcome can fail is one sum over stations that must reach a need; the fewest stations that reach
 * it are those with the largest terms, so sorting is exact. Only "somebody is elected under majority
 * and spread at once" is an integer program: for it there are bounds. */
#include "election/materiality_impl.h"

#include <stdlib.h>

__extension__ typedef __int128 wide;

struct term {
    wide gain;
    uint32_t station; /* index */
};

struct search {
    const struct weighed *w;
    struct tallied t;
    struct term *terms;  /* room for all stations */
    uint32_t *best;      /* stations of the smallest set so far */
    uint64_t best_count; /* UINT64_MAX: none */
    uint64_t least;      /* of any set so far, as a lower bound; UINT64_MAX: none */
    uint32_t *sets;      /* scratch: stations of a set being put together */
    bool *in;            /* scratch: by station */
    struct arena *a;
    struct fail *f;
};

/* What a station takes from q x - p y when it is left out. */
struct form {
    wide q, p;
    uint32_t x;  /* a choice */
    uint32_t y;  /* a choice, or VALID */
    int sign;    /* -1: the other way round */
};
#define VALID UINT32_MAX

static wide of_station(const struct form *m, const struct weighed_station *s) {
    wide y = m->y == VALID ? s->valid : s->votes[m->y];
    return m->sign * (m->q * s->votes[m->x] - m->p * y);
}

static wide of_total(const struct form *m, const struct votes *v) {
    wide y = m->y == VALID ? v->valid : v->votes[m->y];
    return m->sign * (m->q * v->votes[m->x] - m->p * y);
}

static int by_gain(const void *a, const void *b) {
    const struct term *x = a, *y = b;
    if (x->gain != y->gain) return x->gain < y->gain ? 1 : -1;
    return x->station < y->station ? -1 : x->station > y->station;
}

/* The fewest counted stations (of one region, or NO_REGION: all) whose terms add up to `need`; their
 * indices go into out. UINT64_MAX: all of them are not enough. */
static uint64_t fewest(struct search *x, const struct form *m, uint32_t region, wide need,
                       uint32_t *out) {
    size_t n = 0, used = 0;
    if (need <= 0) return 0;
    for (size_t i = 0; i < x->w->n; i++) {
        const struct weighed_station *s = &x->w->stations[i];
        if (!s->counted || (region != NO_REGION && s->region != region)) continue;
        wide gain = of_station(m, s);
        if (gain > 0) x->terms[n++] = (struct term){gain, (uint32_t)i};
    }
    qsort(x->terms, n, sizeof *x->terms, by_gain);
    for (; used < n && need > 0; used++) {
        need -= x->terms[used].gain;
        out[used] = x->terms[used].station;
    }
    return need > 0 ? UINT64_MAX : used;
}

static void keep(struct search *x, uint64_t n, const uint32_t *set) {
    if (n < x->least) x->least = n;
    if (n >= x->best_count) return;
    x->best_count = n;
    memcpy(x->best, set, (size_t)n * sizeof *set);
}

/* One way to fail: the form over all stations falls to what is left after `need`. */
static void try_form(struct search *x, const struct form *m, wide need) {
    uint64_t n = fewest(x, m, NO_REGION, need, x->sets);
    if (n != UINT64_MAX) keep(x, n, x->sets);
}

/* The region's share is lost: the form goes below 0, or no vote is left there. */
static uint64_t lose_region(struct search *x, const struct form *m, uint32_t region, uint32_t *out) {
    uint64_t n = fewest(x, m, region, of_total(m, &x->t.regions[region]) + 1, out), all = 0;
    for (size_t i = 0; i < x->w->n; i++)
        all += x->w->stations[i].counted && x->w->stations[i].region == region &&
               x->w->stations[i].valid > 0;
    if (all >= n) return n;
    all = 0;
    for (size_t i = 0; i < x->w->n; i++)
        if (x->w->stations[i].counted && x->w->stations[i].region == region &&
            x->w->stations[i].valid > 0)
            out[all++] = (uint32_t)i;
    return all;
}

struct region_cost {
    uint64_t n;
    uint32_t region;
};

static int by_cost(const void *a, const void *b) {
    const struct region_cost *x = a, *y = b;
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    return x->region < y->region ? -1 : x->region > y->region;
}

/* The cheapest `count` of the regions (each by `cost`) into the set; UINT64_MAX: there are too few. */
static uint64_t cheapest(struct search *x, const struct form *m, struct region_cost *cost, size_t n,
                         size_t count, uint64_t (*stations)(struct search *, const struct form *,
                                                            uint32_t, uint32_t *),
                         uint32_t *out) {
    uint64_t total = 0;
    qsort(cost, n, sizeof *cost, by_cost);
    if (count > n || (count && cost[count - 1].n == UINT64_MAX)) return UINT64_MAX;
    for (size_t i = 0; i < count; i++) total += stations(x, m, cost[i].region, out + total);
    return total;
}

static err lose_spread(struct search *x, uint32_t winner) {
    const struct rule *rule = x->w->c.rule;
    struct form m = {rule->spread_share.q, rule->spread_share.p, winner, VALID, 1};
    struct region_cost *cost = arena_array(x->a, x->w->region_count + 1u, sizeof *cost);
    if (!cost) return fail_set(x->f, E_MEMORY, "no memory for a search");
    size_t n = 0;
    for (uint32_t r = 0; r < x->w->region_count; r++)
        if (x->t.regions[r].valid > 0 && of_total(&m, &x->t.regions[r]) >= 0)
            cost[n++] = (struct region_cost){lose_region(x, &m, r, x->sets), r};
    uint32_t needed = rule_regions_needed(rule);
    if (n < needed) return OK;
    uint64_t count = cheapest(x, &m, cost, n, n - needed + 1, lose_region, x->sets);
    if (count != UINT64_MAX) keep(x, count, x->sets);
    return OK;
}

static bool on_ballot(const struct weighed *w, uint32_t k) {
    return w->c.on_ballot[k / 64] >> (k % 64) & 1;
}

static err from_elected(struct search *x, uint32_t winner) {
    const struct rule *rule = x->w->c.rule;
    if (by_majority(x->w)) {
        struct form m = {rule->majority.q, rule->majority.p, winner, VALID, 1};
        try_form(x, &m, of_total(&m, &x->t.all));
        if (rule->spread) TRY(lose_spread(x, winner));
        if (2 * (uint64_t)rule->majority.p >= rule->majority.q) return OK; /* the lead goes later */
    }
    struct form gone = {1, 0, winner, VALID, 1};
    try_form(x, &gone, of_total(&gone, &x->t.all));
    for (uint32_t k = 0; k < x->w->c.choice_count; k++) {
        struct form m = {1, 1, winner, k, 1};
        if (k != winner && on_ballot(x->w, k)) try_form(x, &m, of_total(&m, &x->t.all));
    }
    return OK;
}

/* The share is won in a region. */
static uint64_t win_region(struct search *x, const struct form *m, uint32_t region, uint32_t *out) {
    return fewest(x, m, region, of_total(m, &x->t.regions[region]), out);
}

/* What the rule says without the stations of the set. */
static void without(struct search *x, struct outcome *o) {
    struct tallied *t = &x->t;
    memset(t->all_votes, 0, ((size_t)x->w->region_count + 1) * t->choices * sizeof *t->all_votes);
    t->all.valid = 0;
    for (uint32_t r = 0; r < x->w->region_count; r++) t->regions[r].valid = 0;
    for (size_t i = 0; i < x->w->n; i++)
        if (x->w->stations[i].counted && !x->in[i]) tallied_add(t, &x->w->stations[i]);
    rule_outcome(&x->w->c, &t->all, t->regions, x->w->region_count, o);
}

/* Bounds for "choice k is elected without these stations". */
static err elect(struct search *x, uint32_t k) {
    const struct rule *rule = x->w->c.rule;
    struct form majority = {rule->majority.q, rule->majority.p, k, VALID, -1};
    struct form share = {rule->spread_share.q, rule->spread_share.p, k, VALID, -1};
    uint64_t n = fewest(x, &majority, NO_REGION, of_total(&majority, &x->t.all) + 1, x->sets);
    if (n == UINT64_MAX) return OK;
    uint64_t least = n;
    memset(x->in, 0, x->w->n * sizeof *x->in);
    for (uint64_t i = 0; i < n; i++) x->in[x->sets[i]] = true;
    if (rule->spread) {
        struct region_cost *cost = arena_array(x->a, x->w->region_count + 1u, sizeof *cost);
        if (!cost) return fail_set(x->f, E_MEMORY, "no memory for a search");
        size_t count = 0, have = 0, needed = rule_regions_needed(rule);
        for (uint32_t r = 0; r < x->w->region_count; r++) {
            bool has = x->t.regions[r].valid > 0 && of_total(&share, &x->t.regions[r]) <= 0;
            have += has;
            if (!has) cost[count++] = (struct region_cost){win_region(x, &share, r, x->sets), r};
        }
        for (size_t i = 0; i < count; i++) /* votes must be left: of this choice */
            if (x->t.regions[cost[i].region].votes[k] == 0) cost[i].n = UINT64_MAX;
        uint64_t regional = have >= needed ? 0
                                           : cheapest(x, &share, cost, count, needed - have,
                                                      win_region, x->sets);
        if (regional == UINT64_MAX) return OK;
        if (regional > least) least = regional;
        for (uint64_t i = 0; i < regional; i++) x->in[x->sets[i]] = true;
    }
    if (least < x->least) x->least = least;
    /* put together, and on by the largest terms until it does elect */
    uint64_t size = 0;
    size_t terms = 0, next = 0;
    for (size_t i = 0; i < x->w->n; i++) {
        const struct weighed_station *s = &x->w->stations[i];
        size += x->in[i];
        wide gain = s->counted && !x->in[i] ? of_station(&majority, s) : 0;
        if (gain > 0) x->terms[terms++] = (struct term){gain, (uint32_t)i};
    }
    qsort(x->terms, terms, sizeof *x->terms, by_gain);
    struct outcome o;
    for (size_t step = 1;; step *= 2) {
        without(x, &o);
        if (o.kind == OUTCOME_ELECTED && outcome_has(&o, k)) break;
        if (next == terms || size >= x->best_count) break;
        for (size_t i = 0; i < step && next < terms; i++, next++, size++) x->in[x->terms[next].station] = true;
    }
    if (o.kind == OUTCOME_ELECTED && outcome_has(&o, k) && size < x->best_count) {
        x->best_count = 0;
        for (size_t i = 0; i < x->w->n; i++)
            if (x->in[i]) x->best[x->best_count++] = (uint32_t)i;
    }
    memset(x->in, 0, x->w->n * sizeof *x->in);
    without(x, &o); /* the sums as they are */
    return OK;
}

/* Nothing is counted any more. */
static void all_gone(struct search *x) {
    struct form m = {0, -1, 0, VALID, 1};
    try_form(x, &m, of_total(&m, &x->t.all));
}

/* Of those that are tied two have unequally many at this station. */
static bool uneven(const struct outcome *now, const struct weighed_station *s, uint32_t choices) {
    uint64_t first = ABSENT;
    for (uint32_t k = 0; s->counted && k < choices; k++) {
        if (!outcome_has(now, k)) continue;
        if (first == ABSENT) first = s->votes[k];
        if (s->votes[k] != first) return true;
    }
    return false;
}

/* Several are tied: most often one station at which they have not equally many breaks it. */
static void break_tie(struct search *x, const struct outcome *now) {
    enum { TRIES = 200 };
    unsigned tries = 0;
    struct outcome o;
    for (size_t i = 0; i < x->w->n && tries < TRIES; i++) {
        if (!uneven(now, &x->w->stations[i], x->w->c.choice_count)) continue;
        uint32_t one = (uint32_t)i;
        x->in[i] = true;
        without(x, &o);
        x->in[i] = false;
        if (!outcome_equal(&o, now)) {
            keep(x, 1, &one);
            break;
        }
        tries++;
    }
    if (tries && x->best_count > 1) x->least = 1; /* it may be any small number */
    without(x, &o);
}

/* Another choice comes level with one of those that the outcome names. */
static void come_level(struct search *x, const struct outcome *now) {
    const struct weighed *w = x->w;
    for (uint32_t in = 0; in < w->c.choice_count; in++)
        for (uint32_t out = 0; out < w->c.choice_count; out++) {
            struct form m = {1, 1, in, out, 1};
            if (outcome_has(now, in) && on_ballot(w, out) && !outcome_has(now, out))
                try_form(x, &m, of_total(&m, &x->t.all));
        }
}

static err from_next_round(struct search *x, const struct outcome *now) {
    const struct weighed *w = x->w;
    if (now->count > 2) break_tie(x, now);
    all_gone(x);
    come_level(x, now);
    for (uint32_t k = 0; k < w->c.choice_count; k++)
        if (on_ballot(w, k)) TRY(elect(x, k));
    return OK;
}

static err search(struct search *x, struct fail *f) {
    size_t n = x->w->n + 1;
    struct outcome now;
    TRY(tallied_new(x->w, x->a, &x->t, f));
    x->terms = arena_array(x->a, n, sizeof *x->terms);
    x->best = arena_array(x->a, n, sizeof *x->best);
    x->sets = arena_array(x->a, 2 * n, sizeof *x->sets);
    x->in = arena_array(x->a, n, sizeof *x->in);
    if (!x->terms || !x->best || !x->sets || !x->in) return fail_set(f, E_MEMORY, "no memory for a search");
    without(x, &now);
    uint32_t winner = 0;
    if (now.kind == OUTCOME_ELECTED) {
        while (!outcome_has(&now, winner)) winner++;
        return from_elected(x, winner);
    }
    if (now.kind == OUTCOME_TIE) {
        break_tie(x, &now);
        all_gone(x);
        come_level(x, &now);
    }
    if (now.kind == OUTCOME_NEXT_ROUND) return from_next_round(x, &now);
    return OK;
}

err materiality_smallest(const struct weighed *w, struct arena *a, struct smallest *out,
                         struct fail *f) {
    struct search x = {.w = w, .a = a, .f = f, .best_count = UINT64_MAX, .least = UINT64_MAX};
    *out = (struct smallest){.none = true};
    TRY(search(&x, f));
    if (x.best_count == UINT64_MAX) return OK;
    out->none = false;
    out->least = x.least;
    out->most = x.best_count;
    out->units = x.best;
    for (uint64_t i = 0; i < x.best_count; i++) x.best[i] = w->stations[x.best[i]].unit;
    return OK;
}
