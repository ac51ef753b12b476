/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdlib.h>
#include "base/rng.h"
#include "service/simulate_work.h"

enum {
    RARE = 8000,        /* each kind of trouble happens once in so many stations, at least once */
    LATER_MS = 3600000, /* what was wrong is put right so much later */
};

/* A trouble that needs figures of some size would mean nothing at a tiny station. */
static bool fits(const struct expansion *x, uint32_t figure, enum trouble t) {
    const struct expand_figures *g = &x->figures[figure];
    if (!g->sent || g->contest != 0 || !g->valid.present) return false;
    if (t == T_VOTERS) return g->valid.value >= 20 && g->identified.present;
    if (t == T_STRIPPED) return g->agents_signed != 0;
    return g->valid.value >= 20;
}

static void choose_one(struct sim *s, struct rng *r, enum trouble t) {
    const struct expansion *x = s->o.x;
    for (int tries = 0; tries < 1000; tries++) {
        uint32_t i = x->order[rng_below(r, x->sent_count)];
        if (s->trouble[i] != T_NONE || !fits(x, i, t)) continue;
        s->trouble[i] = (uint8_t)t;
        return;
    }
}

static void choose_troubles(struct sim *s) {
    const struct expansion *x = s->o.x;
    struct rng r;
    rng_init_stream(&r, s->o.seed, 0x74726f75626c65);
    uint32_t times = 1 + x->station_count / RARE;
    uint32_t last = x->order[x->sent_count - 1]; /* somebody is last anyway */
    if (fits(x, last, T_OFFLINE)) s->trouble[last] = T_OFFLINE;
    for (int t = T_NONE + 1; t < T_COUNT; t++) {
        if (t == T_OFFLINE || t == T_DEPUTY) continue;
        for (uint32_t n = 0; n < times; n++) choose_one(s, &r, (enum trouble)t);
    }
}

uint32_t sim_first_figure(const struct sim *s, uint32_t station) {
    return s->o.x->stations[station].figures_first;
}

/* Where the officer died, the deputy reports the other contests, too, and not before. */
static uint64_t due_of(struct sim *s, uint32_t figure) {
    const struct expand_figures *g = &s->o.x->figures[figure];
    uint32_t first = sim_first_figure(s, g->station);
    uint64_t due = g->arrival_ms, earliest = s->o.x->figures[first].arrival_ms + 1;
    if (figure == first || s->trouble[first] != T_DIED) return due;
    s->trouble[figure] = T_DEPUTY;
    return due < earliest ? earliest : due;
}

static bool comes_back(const struct sim *s, uint32_t figure) {
    uint8_t t = s->trouble[figure];
    return t == T_SUM || t == T_TWO || (t == T_IMAGE && s->o.images);
}

static int by_due(const void *a, const void *b) {
    const struct night_item *x = a, *y = b;
    if (x->due_ms != y->due_ms) return x->due_ms < y->due_ms ? -1 : 1;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    return x->figure < y->figure ? -1 : x->figure > y->figure;
}

err sim_plan(struct sim *s, struct fail *f) {
    const struct expansion *x = s->o.x;
    s->trouble = arena_array(&s->arena, (size_t)x->figures_count + 1, 1);
    s->night = arena_array(&s->arena, (size_t)x->sent_count * 2 + 1, sizeof *s->night);
    if (!s->trouble || !s->night) return fail_set(f, E_MEMORY, "no memory for the night's plan");
    if (s->o.troubles && x->sent_count) choose_troubles(s);
    for (uint32_t i = 0; i < x->sent_count; i++) {
        uint32_t figure = x->order[i];
        uint64_t due = due_of(s, figure);
        s->night[s->night_count++] = (struct night_item){due, figure, 0};
        if (comes_back(s, figure))
            s->night[s->night_count++] = (struct night_item){due + LATER_MS, figure, 1};
    }
    qsort(s->night, s->night_count, sizeof *s->night, by_due);
    return OK;
}
