/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/desk_queue.h"

#include <stdlib.h>
#include "election/state.h"

/* The better image to read: an original before copies, the first page, the newer one. */
static bool better(const struct image *a, const struct image *b) {
    bool original_a = a->kind == IMAGE_ORIGINAL, original_b = b->kind == IMAGE_ORIGINAL;
    if (original_a != original_b) return original_a;
    if (a->page != b->page) return a->page < b->page;
    return a->entry > b->entry;
}

static void best_of(const struct fold *s, uint32_t first, uint32_t *best) {
    for (uint32_t i = first; i != NO_IMAGE; i = fold_image(s, i)->next_of_result)
        if (*best == NO_IMAGE || better(fold_image(s, i), fold_image(s, *best))) *best = i;
}

uint32_t desk_image(const struct fold *s, const struct cell *c) {
    uint32_t best = NO_IMAGE;
    best_of(s, c->first_image, &best);
    for (uint32_t r = c->first_result; r != NO_RESULT; r = fold_result(s, r)->next)
        if (fold_result(s, r)->superseded_by == NO_RESULT) best_of(s, fold_result(s, r)->first_image, &best);
    for (uint32_t r = c->first_result; r != NO_RESULT && best == NO_IMAGE; r = fold_result(s, r)->next)
        best_of(s, fold_result(s, r)->first_image, &best);
    return best;
}

/* Clerks' keys by unit: the first key of each unit, and of each key the next one of its unit. */
struct clerks {
    uint32_t *first, *next;
};

static bool reads_now(const struct fold *s, const struct key *k, uint64_t now_ms) {
    return k->role == ROLE_CLERK && k->revoked_at >= s->ids.n && now_ms >= k->not_before_ms &&
           now_ms <= k->not_after_ms;
}

static err by_unit(const struct fold *s, uint64_t now_ms, struct arena *a, struct clerks *out,
                   struct fail *f) {
    out->first = arena_array(a, s->units.n + 1, sizeof *out->first);
    out->next = arena_array(a, s->keys.n + 1, sizeof *out->next);
    if (!out->first || !out->next) return fail_set(f, E_MEMORY, "no memory for the queue");
    for (uint32_t i = 0; i < s->keys.n; i++) { /* index + 1; 0 ends a list */
        const struct key *k = state_key(s, i);
        if (!reads_now(s, k, now_ms)) continue;
        out->next[i] = out->first[k->unit];
        out->first[k->unit] = i + 1;
    }
    return OK;
}

static uint64_t order_of(const struct fold *s, uint32_t cell, uint32_t key) {
    uint64_t h;
    memcpy(&h, state_key(s, key)->holder.b, sizeof h);
    return hash_u64(hash_u64(cell + 1) ^ h);
}

/* How many others who may read this form stand before `me`; counting stops at `enough`. */
static unsigned before(const struct fold *s, const struct clerks *all, const struct cell *c,
                       uint32_t cell, uint32_t me, unsigned enough) {
    uint64_t mine = order_of(s, cell, me);
    const struct hash *holder = &state_key(s, me)->holder;
    unsigned n = 0;
    for (uint32_t u = c->station; u != NO_UNIT && n < enough; u = fold_unit(s, u)->parent) {
        for (uint32_t i = all->first[u]; i && n < enough; i = all->next[i - 1]) {
            const struct key *k = state_key(s, i - 1);
            if (order_of(s, cell, i - 1) >= mine || hash_eq(&k->holder, holder)) continue;
            if (!key_covers_contest(s, k, c->contest)) continue;
            n += state_may_seal(s, c, cell, i - 1, s->last_ms, s->ids.n, NULL) == OK;
        }
    }
    return n;
}

static int by_order(const void *a, const void *b) {
    const struct desk_task *x = a, *y = b;
    if (x->tier != y->tier) return x->tier < y->tier ? -1 : 1;
    if (x->resumes != y->resumes) return x->resumes ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

err desk_queue(const struct fold *s, struct span name, uint64_t now_ms, struct arena *a,
               struct desk_task **out, size_t *n, struct fail *f) {
    struct clerks all;
    uint32_t me = state_key_by_name(s, name), open[3];
    *n = 0;
    if (me == NO_KEY)
        return fail_set(f, E_REFERENCE, "there is no key named \"%.*s\" in this log", SPAN_ARG(name));
    *out = arena_array(a, s->cells.n + 1, sizeof **out);
    if (!*out) return fail_set(f, E_MEMORY, "no memory for the queue");
    TRY(by_unit(s, now_ms, a, &all, f));
    for (uint32_t i = 0; i < s->cells.n; i++) {
        const struct cell *c = fold_cell_at(s, i);
        unsigned wanted = desk_wanted(s, c, now_ms);
        bool machine = state_key(s, me)->role == ROLE_MACHINE;
        if ((wanted == 0 && !machine) || fold_contest(s, c->contest)->round != c->round) continue;
        if (contest_state_in(s, c->contest, c->round, c->station) != CONTEST_OPEN) continue;
        if (desk_may_seal(s, c, name, now_ms, NULL) != OK) continue;
        uint32_t image = desk_image(s, c);
        if (image == NO_IMAGE) continue;
        const struct desk *d = cell_desk(s, c);
        (*out)[(*n)++] = (struct desk_task){
            .cell = i, .image = image, .resumes = d && desk_open(s, d, open) > 0, .order = order_of(s, i, me),
            .tier = machine || before(s, &all, c, i, me, wanted) < wanted ? TIER_OWN : TIER_OTHER};
    }
    qsort(*out, *n, sizeof **out, by_order);
    return OK;
}
