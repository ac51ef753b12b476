/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/portal.h"

#include <stdlib.h>
#include "service/portal_data.h"

enum { NOT_DUE, DUE, DUE_FRESH };

/* Rows of a contest and round whose pages are due. */
struct due {
    uint8_t *rows;   /* one of the above for each row */
    uint32_t *since; /* the tick in which it became that */
    size_t n;
    size_t count[3]; /* rows of each kind */
};

/* Areas are the units of which others have pages below them: there are few, and most readers look at
 * them; all others are lowest. */
enum level { AREA, LOWEST, LEVELS };

struct turn {
    uint32_t tally, row, since;
};

struct queue {
    struct turn *turns;
    size_t n, at;
};

/* What one tick makes: who is due, in order, and how far it has come. */
struct round {
    struct arena mem;
    struct queue queues[3][LEVELS]; /* by kind */
    size_t budget, spent, half;
    size_t phase;
    bool in_phase;
    struct gate gate;
    const struct tally *gate_of; /* NULL: there is no gate */
};

struct portal {
    struct due *tallies;
    size_t n;
    size_t count; /* rows that are due, in all */
    uint32_t tick;
    bool assets;  /* are due */
    struct round round;
    struct beside *beside;
};

err portal_new(const char *portal_dir, const char *public_dir, struct portal **out, struct fail *f) {
    *out = calloc(1, sizeof **out);
    if (!*out) return fail_set(f, E_MEMORY, "no memory for the portal");
    err e = beside_open(portal_dir, public_dir, &(*out)->beside, f);
    if (e == OK) return OK;
    free(*out);
    *out = NULL;
    return e;
}

static void drop(struct portal *p) {
    for (size_t i = 0; i < p->n; i++) {
        free(p->tallies[i].rows);
        free(p->tallies[i].since);
    }
    free(p->tallies);
    p->tallies = NULL;
    p->n = p->count = 0;
}

void portal_free(struct portal *p) {
    if (!p) return;
    drop(p);
    portal_round_end(p);
    beside_close(p->beside);
    free(p);
}

/* Rows keep their places while the definition is the same; a new one marks everything anyway. */
static bool same_shape(const struct portal *p, const struct results *r) {
    if (p->n != r->n) return false;
    for (size_t i = 0; i < p->n; i++)
        if (p->tallies[i].n != r->tallies[i].n) return false;
    return true;
}

err portal_begin(struct portal *p, const struct results *r, bool all, struct fail *f) {
    all = all || !same_shape(p, r);
    p->tick++;
    if (!all) return OK;
    drop(p);
    p->tallies = calloc(r->n + 1, sizeof *p->tallies);
    if (!p->tallies) return fail_set(f, E_MEMORY, "no memory for the portal");
    p->n = r->n;
    p->assets = true;
    for (size_t i = 0; i < p->n; i++) {
        struct due *d = &p->tallies[i];
        d->rows = malloc(r->tallies[i].n + 1);
        d->since = calloc(r->tallies[i].n + 1, sizeof *d->since);
        if (!d->rows || !d->since) {
            drop(p);
            return fail_set(f, E_MEMORY, "no memory for the portal");
        }
        memset(d->rows, DUE, r->tallies[i].n);
        d->n = d->count[DUE] = r->tallies[i].n;
        p->count += d->n;
    }
    return OK;
}

static void set_due(struct portal *p, struct due *d, size_t row, uint8_t now) {
    uint8_t was = d->rows[row];
    d->count[was]--;
    d->count[now]++;
    d->rows[row] = now;
    p->count = p->count - (was != NOT_DUE) + (now != NOT_DUE);
}

void portal_mark(struct portal *p, size_t tally, size_t row, bool fresh) {
    uint8_t now = fresh ? DUE_FRESH : DUE;
    if (tally >= p->n || row >= p->tallies[tally].n || p->tallies[tally].rows[row] >= now) return;
    set_due(p, &p->tallies[tally], row, now);
    p->tallies[tally].since[row] = p->tick;
}

size_t portal_due(const struct portal *p) {
    return p->count;
}

bool portal_is_pending(const struct portal *p) {
    return p->count > 0;
}

static err add_assets(const struct portal_sink *sink, struct fail *f) {
    for (size_t i = 0; i < portal_asset_count; i++) {
        struct buf *b;
        TRY(sink->add(sink->ctx, portal_assets[i].path, false, &b, f));
        buf_add(b, portal_assets[i].bytes, portal_assets[i].n);
        TRY(buf_ok(b, f));
    }
    return OK;
}

static err add_texts(const struct page_site *site, const struct portal_sink *sink, struct fail *f) {
    for (int l = 0; l < LANG_COUNT; l++) {
        for (int k = 0; k < PAGE_KIND_COUNT; k++) {
            char path[PAGE_PATH_MAX];
            struct buf *b;
            page_path((enum page_lang)l, (enum page_kind)k, path);
            TRY(sink->add(sink->ctx, path, false, &b, f));
            TRY(page_make(site, (enum page_lang)l, (enum page_kind)k, b, f));
        }
    }
    return OK;
}

/* The pages of one row, in every language. */
static err add_row(const struct page_site *site, const struct tally *t, size_t row,
                   const struct portal_sink *sink, size_t *spent, struct fail *f) {
    for (int l = 0; l < LANG_COUNT; l++) {
        char path[PAGE_PATH_MAX];
        struct buf *b;
        page_unit_path(site->fold, (enum page_lang)l, t, t->rows[row].unit, path);
        TRY(sink->add(sink->ctx, path, true, &b, f));
        TRY(page_unit(site, (enum page_lang)l, t, row, b, f));
        *spent += b->n;
    }
    return OK;
}

/* Who has waited longest comes first, so that nobody waits for ever while more changes in each tick
 * than is made; parents before their children. */
static int by_turn(const void *x, const void *y) {
    const struct turn *a = x, *b = y;
    if (a->since != b->since) return a->since < b->since ? -1 : 1;
    if (a->tally != b->tally) return a->tally < b->tally ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* For each row of a tally whether it is an area; NULL: no memory. */
static uint8_t *areas_of(const struct page_site *site, const struct tally *t, struct arena *mem) {
    uint8_t *area = arena_array(mem, t->n + 1, 1);
    for (size_t row = 0; area && row < t->n; row++)
        if (t->rows[row].parent != UINT32_MAX && results_has_file(site->fold, t, row))
            area[t->rows[row].parent] = 1;
    return area;
}

/* Takes the rows that are due in this way, of this level. Rows without pages stop being due. */
static err take_turns(struct portal *p, const struct page_site *site, uint8_t kind, enum level level,
                      struct arena *mem, struct turn **out, size_t *n, struct fail *f) {
    size_t most = 0;
    for (size_t i = 0; i < p->n; i++) most += p->tallies[i].count[kind];
    *n = 0;
    *out = arena_array(mem, most + 1, sizeof **out);
    if (!*out) return fail_set(f, E_MEMORY, "no memory for the portal");
    for (size_t i = 0; i < p->n; i++) {
        struct due *d = &p->tallies[i];
        const struct tally *t = &site->results->tallies[i];
        if (!d->count[kind]) continue;
        const uint8_t *area = areas_of(site, t, mem);
        if (!area) return fail_set(f, E_MEMORY, "no memory for the portal");
        for (size_t row = 0; row < d->n; row++) {
            if (d->rows[row] != kind) continue;
            if (!results_has_file(site->fold, t, row))
                set_due(p, d, row, NOT_DUE);
            else if ((area[row] ? AREA : LOWEST) == level)
                (*out)[(*n)++] = (struct turn){(uint32_t)i, (uint32_t)row, d->since[row]};
        }
    }
    qsort(*out, *n, sizeof **out, by_turn);
    return OK;
}

/* Areas take half of the budget while the lowest units wait, too. */
static const struct phase {
    uint8_t kind, level;
    bool half;
} phases[] = {
    {DUE_FRESH, AREA, true}, {DUE_FRESH, LOWEST, false}, {DUE_FRESH, AREA, false},
    {DUE, AREA, true},       {DUE, LOWEST, false},       {DUE, AREA, false},
};
enum { PHASES = sizeof phases / sizeof *phases };

static err begin_round(struct portal *p, const struct page_site *site, size_t budget, struct fail *f) {
    struct round *r = &p->round;
    r->budget = budget;
    for (uint8_t kind = DUE; kind <= DUE_FRESH; kind++)
        for (int level = 0; level < LEVELS; level++) {
            struct queue *q = &r->queues[kind][level];
            TRY(take_turns(p, site, kind, (enum level)level, &r->mem, &q->turns, &q->n, f));
        }
    return OK;
}

/* Whose turn it is; NULL: the budget is spent, or nobody is left. */
static const struct turn *next_turn(struct round *r) {
    for (; r->phase < PHASES; r->phase++) {
        const struct phase *x = &phases[r->phase];
        struct queue *q = &r->queues[x->kind][x->level];
        size_t rest = r->budget - r->spent;
        if (x->half && !r->in_phase) r->half = r->spent + rest / 2 + rest % 2;
        r->in_phase = true;
        if (q->at < q->n && r->spent < (x->half ? r->half : r->budget)) return &q->turns[q->at++];
        r->in_phase = false;
    }
    return NULL;
}

err portal_slice(struct portal *p, const struct page_site *given, const uint8_t *stale, size_t bytes,
                 const struct portal_sink *sink, bool *more, struct fail *f) {
    struct round *r = &p->round;
    struct page_site site = *given;
    const size_t from = r->spent;
    site.beside = p->beside;
    site.gate = r->gate_of ? &r->gate : NULL;
    site.gate_of = r->gate_of;
    *more = true;
    while (r->spent - from < bytes) {
        const struct turn *x = next_turn(r);
        *more = x != NULL;
        if (!x) return OK;
        const struct tally *t = &site.results->tallies[x->tally];
        if (stale && stale[t->rows[x->row].unit]) continue;
        size_t made = 0;
        TRY(add_row(&site, t, x->row, sink, &made, f));
        r->spent = r->budget - r->spent < made ? r->budget : r->spent + made;
        set_due(p, &p->tallies[x->tally], x->row, NOT_DUE);
    }
    return OK;
}

static err add_whole(struct portal *p, const struct page_site *site, const struct portal_sink *sink,
                     struct fail *f) {
    if (p->assets) {
        TRY(add_assets(sink, f));
        TRY(portal_search(site->fold, sink, f));
    }
    p->assets = false;
    TRY(add_texts(site, sink, f));
    for (size_t i = 0; i < site->results->n; i++)
        if (site->results->tallies[i].rows[0].unit == 0)
            TRY(portal_areas(site->fold, &site->results->tallies[i], sink, f));
    return OK;
}

void portal_round_end(struct portal *p) {
    arena_release(&p->round.mem);
    p->round = (struct round){0};
}

err portal_round(struct portal *p, const struct page_site *given, size_t budget,
                 const struct portal_sink *sink, struct fail *f) {
    struct round *r = &p->round;
    struct page_site site = *given;
    const struct tally *t = page_main_contest(given);
    portal_round_end(p);
    arena_init(&r->mem, (size_t)1 << 30);
    site.beside = p->beside;
    if (t) {
        TRY(gate_compute(site.fold, &site.results->findings, t->contest, t->round, &r->mem, &r->gate, f));
        r->gate_of = t;
        site.gate = &r->gate;
        site.gate_of = t;
    }
    TRY(add_whole(p, &site, sink, f));
    return begin_round(p, &site, budget, f);
}

err portal_render(struct portal *p, const struct page_site *site, size_t budget,
                  const struct portal_sink *sink, struct fail *f) {
    err e = portal_round(p, site, budget, sink, f);
    for (bool more = true; e == OK && more;) e = portal_slice(p, site, NULL, SIZE_MAX, sink, &more, f);
    portal_round_end(p);
    return e;
}
