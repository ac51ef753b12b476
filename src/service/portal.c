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

struct portal {
    struct due *tallies;
    size_t n;
    size_t count; /* rows that are due, in all */
    uint32_t tick;
    bool assets;  /* are due */
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

/* Areas are the units of which others have pages below them: there are few, and most readers look at
 * them; all others are lowest. */
enum level { AREA, LOWEST, LEVELS };

struct turn {
    uint32_t tally, row, since;
};

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

static err add_rows(struct portal *p, const struct page_site *site, uint8_t kind, enum level level,
                    size_t budget, size_t *spent, const struct portal_sink *sink, struct arena *mem,
                    struct fail *f) {
    struct turn *turn;
    size_t n;
    TRY(take_turns(p, site, kind, level, mem, &turn, &n, f));
    for (size_t i = 0; i < n && *spent < budget; i++) {
        TRY(add_row(site, &site->results->tallies[turn[i].tally], turn[i].row, sink, spent, f));
        set_due(p, &p->tallies[turn[i].tally], turn[i].row, NOT_DUE);
    }
    return OK;
}

/* Areas take half of the budget while the lowest units wait, too. */
static err add_kind(struct portal *p, const struct page_site *site, uint8_t kind, size_t budget,
                    size_t *spent, const struct portal_sink *sink, struct arena *mem, struct fail *f) {
    const size_t half = *spent < budget ? *spent + (budget - *spent + 1) / 2 : *spent;
    TRY(add_rows(p, site, kind, AREA, half, spent, sink, mem, f));
    TRY(add_rows(p, site, kind, LOWEST, budget, spent, sink, mem, f));
    return add_rows(p, site, kind, AREA, budget, spent, sink, mem, f);
}

static err render(struct portal *p, const struct page_site *site, size_t budget,
                  const struct portal_sink *sink, struct arena *mem, struct fail *f) {
    if (p->assets) {
        TRY(add_assets(sink, f));
        TRY(portal_search(site->fold, sink, f));
    }
    p->assets = false;
    TRY(add_texts(site, sink, f));
    for (size_t i = 0; i < site->results->n; i++)
        if (site->results->tallies[i].rows[0].unit == 0)
            TRY(portal_areas(site->fold, &site->results->tallies[i], sink, f));
    size_t spent = 0;
    TRY(add_kind(p, site, DUE_FRESH, budget, &spent, sink, mem, f));
    return add_kind(p, site, DUE, budget, &spent, sink, mem, f);
}

err portal_render(struct portal *p, const struct page_site *given, size_t budget,
                  const struct portal_sink *sink, struct fail *f) {
    struct page_site site = *given;
    site.beside = p->beside;
    const struct tally *t = page_main_contest(given);
    struct arena a;
    struct gate gate;
    err e = OK;
    arena_init(&a, (size_t)1 << 30);
    if (t) {
        e = gate_compute(site.fold, &site.results->findings, t->contest, t->round, &a, &gate, f);
        site.gate = &gate;
        site.gate_of = t;
    }
    if (e == OK) e = render(p, &site, budget, sink, &a, f);
    arena_release(&a);
    return e;
}
