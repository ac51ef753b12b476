/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdlib.h>
#include "election/voices.h"
#include "stats/log_tables.h"

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the observers' reports do not fit in the memory allowed");
}

struct report {
    uint32_t station, signer;
    const struct observation *o;
    bool replaced;
};

/* By station, then in the order of the log. */
static int by_station(const void *x, const void *y) {
    const struct report *a = x, *b = y;
    if (a->station != b->station) return a->station < b->station ? -1 : 1;
    return a->o->entry < b->o->entry ? -1 : a->o->entry > b->o->entry;
}

static bool same_counts(const struct fold *fold, const struct observation *a,
                        const struct observation *b, uint32_t choices) {
    return a->valid == b->valid && a->rejected == b->rejected &&
           memcmp(observation_votes(fold, a), observation_votes(fold, b), choices * sizeof(uint64_t)) == 0;
}

static err gather(const struct fold *fold, const struct log_pick *p, const char *group,
                  struct arena *mem, struct report **out, size_t *n, struct fail *f) {
    size_t all = fold_observation_count(fold);
    *out = arena_array(mem, all + 1, sizeof **out);
    *n = 0;
    if (!*out) return no_memory(f);
    for (size_t i = 0; i < all; i++) {
        const struct observation *o = fold_observation(fold, i);
        struct key_view key;
        if (!o->has_counts || o->contest != p->contest || o->round != p->round) continue;
        fold_key_at(fold, o->signer, &key);
        if (group && !span_is(key.party, group)) continue;
        (*out)[(*n)++] = (struct report){.station = o->station, .signer = o->signer, .o = o};
    }
    qsort(*out, *n, sizeof **out, by_station);
    return OK;
}

/* Marks what the same observer replaced in reports [from, to) of one station; returns the one that
 * holds, or NULL when observers disagree. */
static const struct observation *settle(const struct fold *fold, struct report *r, size_t from, size_t to,
                                        uint32_t choices) {
    const struct observation *holds = NULL;
    for (size_t i = from; i < to; i++)
        for (size_t j = i + 1; j < to && !r[i].replaced; j++) r[i].replaced = r[j].signer == r[i].signer;
    for (size_t i = from; i < to; i++) {
        if (r[i].replaced) continue;
        if (holds && !same_counts(fold, holds, r[i].o, choices)) return NULL;
        if (!holds) holds = r[i].o;
    }
    return holds;
}

struct columns {
    uint32_t *registered, *valid, *rejected, *votes;
    int64_t *time_ms;
    struct span *unit;
};

static uint32_t small(uint64_t v) {
    return v == ABSENT ? FX_ABSENT : (uint32_t)v;
}

err log_observed(const struct fold *fold, const struct log_pick *p, const char *group,
                 struct arena *mem, struct log_observed *out, struct fail *f) {
    const struct contest *k = fold_contest(fold, p->contest);
    struct fx_table *t = &out->table;
    struct report *r;
    size_t n, row = 0;
    *out = (struct log_observed){0};
    TRY(gather(fold, p, group, mem, &r, &n, f));
    out->reports = n;
    size_t m = n + 1;
    struct columns c = {arena_array(mem, m, 4), arena_array(mem, m, 4), arena_array(mem, m, 4),
                        arena_array(mem, m * k->choice_count, 4), arena_array(mem, m, 8),
                        arena_array(mem, m, sizeof(struct span))};
    struct span *names = arena_array(mem, k->choice_count, sizeof *names);
    struct span *disputed = arena_array(mem, m, sizeof *disputed);
    const struct observation **rows = arena_array(mem, m, sizeof *rows);
    if (!c.registered || !c.valid || !c.rejected || !c.votes || !c.time_ms || !c.unit || !names ||
        !disputed || !rows)
        return no_memory(f);
    if (k->choice_count > FX_CHOICES)
        return fail_set(f, E_TOO_LARGE, "a quick count takes at most %d choices", FX_CHOICES);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && r[to].station == r[from].station;) to++;
        const struct observation *holds = settle(fold, r, from, to, k->choice_count);
        for (size_t i = from; i < to; i++) out->replaced += r[i].replaced;
        if (holds)
            rows[row++] = holds;
        else
            disputed[out->disputes++] = fold_unit(fold, r[from].station)->code;
    }
    t->n = row;
    t->choices = k->choice_count;
    for (uint32_t i = 0; i < k->choice_count; i++) names[i] = contest_choice(fold, k, i)->id;
    for (size_t i = 0; i < row; i++) {
        const struct unit *u = fold_unit(fold, rows[i]->station);
        const uint64_t *v = observation_votes(fold, rows[i]);
        c.unit[i] = u->code;
        c.registered[i] = u->registered && u->registered <= FX_MOST ? (uint32_t)u->registered : FX_ABSENT;
        c.valid[i] = small(rows[i]->valid);
        c.rejected[i] = small(rows[i]->rejected);
        c.time_ms[i] = (int64_t)rows[i]->ms;
        for (uint32_t x = 0; x < k->choice_count; x++) c.votes[x * row + i] = small(v[x]);
    }
    t->choice = names;
    t->unit = c.unit;
    t->registered = c.registered;
    t->valid = c.valid;
    t->rejected = c.rejected;
    t->votes = c.votes;
    t->time_ms = c.time_ms;
    t->votes_complete = true;
    out->disputed = disputed;
    return OK;
}
