/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/watch_log.h"

err watch_log_init(const struct fold *fold, const struct log_pick *p, const char *areas,
                   const char *leader, const struct watch_options *o, size_t cap, struct watch_log *w,
                   struct fail *f) {
    *w = (struct watch_log){.pick = *p, .version = fold_definition(fold)->version};
    arena_init(&w->mem, cap);
    arena_init(&w->scratch, cap);
    TRY(log_stations(fold, p, areas, leader, true, &w->mem, &w->frame, f));
    w->units = fold_unit_count(fold);
    w->row_of = arena_array(&w->mem, w->units + 1, sizeof *w->row_of);
    if (!w->row_of) return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    memset(w->row_of, 0xff, w->units * sizeof *w->row_of);
    for (size_t i = 0; i < w->frame.n; i++)
        w->row_of[fold_unit_by_code(fold, w->frame.unit[i])] = (uint32_t)i;
    return watch_new(&w->frame, o, &w->mem, &w->watch, f);
}

void watch_log_release(struct watch_log *w) {
    arena_release(&w->mem);
    arena_release(&w->scratch);
    *w = (struct watch_log){0};
}

/* How many results of the cell stood when result `i` had come, itself included. */
static size_t standing_at(const struct fold *fold, const struct cell *c, uint32_t i) {
    size_t n = 0;
    for (uint32_t k = c->first_result; k != NO_RESULT && k <= i; k = fold_result(fold, k)->next) {
        uint32_t by = fold_result(fold, k)->superseded_by;
        n += by == NO_RESULT || by > i;
    }
    return n;
}

static uint32_t small(uint64_t v) {
    return v == ABSENT ? FX_ABSENT : (uint32_t)v;
}

static err take_one(struct watch_log *w, const struct fold *fold, uint32_t i, const struct watch_sink *to,
                    struct fail *f) {
    struct watch_event e[WATCH_EVENTS_MOST];
    uint32_t votes[FX_CHOICES];
    size_t n;
    const struct result *r = fold_result(fold, i);
    const struct cell *c = fold_cell_at(fold, r->cell);
    if (c->contest != w->pick.contest || c->round != w->pick.round) return OK;
    uint32_t row = c->station < w->units ? w->row_of[c->station] : UINT32_MAX;
    if (row == UINT32_MAX) return OK; /* a station that was made after the frame */
    for (size_t k = 0; k < w->frame.choices; k++) votes[k] = small(result_votes(fold, r)[k]);
    uint64_t reg = r->registered != ABSENT ? r->registered : fold_unit(fold, c->station)->registered;
    struct watch_result x = {.station = row, .device = r->signer, .ms = (int64_t)r->ms,
                             .standing = standing_at(fold, c, i) == 1,
                             .registered = reg && reg <= FX_MOST ? (uint32_t)reg : FX_ABSENT,
                             .valid = small(r->valid), .rejected = small(r->rejected), .votes = votes};
    TRY(watch_add(w->watch, &x, e, &n, f));
    struct key_view key;
    fold_key_at(fold, r->signer, &key);
    for (size_t k = 0; k < n; k++) TRY(to->told(to->ctx, w->watch, &e[k], key.name, f));
    return OK;
}

err watch_log_take(struct watch_log *w, const struct fold *fold, const struct watch_sink *to, bool *more,
                   struct fail *f) {
    size_t all = fold_result_count(fold);
    while (w->next < all && !watch_look_due(w->watch)) {
        TRY(take_one(w, fold, w->next, to, f));
        w->next++;
    }
    *more = w->next < all;
    return OK;
}

err watch_log_look(struct watch_log *w, const struct watch_sink *to, struct fail *f) {
    struct watch_event e[WATCH_EVENTS_MOST];
    size_t n;
    if (!watch_look_due(w->watch)) return OK;
    TRY(watch_look(w->watch, &w->scratch, e, &n, f));
    for (size_t k = 0; k < n; k++) TRY(to->told(to->ctx, w->watch, &e[k], (struct span){0}, f));
    return OK;
}
