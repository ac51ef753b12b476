/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/log_tables.h"

#include <stdio.h>

enum { DEFAULT_AREAS = 3, FIXED_COLUMNS = 5 };

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the log's stations do not fit in the memory allowed");
}

err log_pick(const struct fold *fold, const char *contest, uint64_t round, struct log_pick *out,
             struct fail *f) {
    size_t n = fold_contest_count(fold);
    if (!contest && n > 1) {
        char list[200] = "";
        size_t used = 0;
        for (uint32_t i = 0; i < n && used + 1 < sizeof list; i++) {
            int k = snprintf(list + used, sizeof list - used, "%s%.*s", i ? ", " : "",
                             SPAN_ARG(fold_contest(fold, i)->id));
            used += k > 0 ? (size_t)k : 0;
        }
        return fail_set(f, E_USAGE, "the log has several contests: choose one with --contest (%s)", list);
    }
    out->contest = contest ? fold_contest_by_id(fold, span_text(contest)) : 0;
    if (n == 0 || out->contest == NO_CONTEST)
        return fail_set(f, E_CONTEST, "there is no contest \"%.60s\"; 'hesabu results' lists them",
                        contest ? contest : "");
    unsigned now = fold_contest(fold, out->contest)->round;
    if (round > now)
        return fail_set(f, E_ROUND, "the contest has %u round%s so far", now, now == 1 ? "" : "s");
    out->round = round ? (unsigned)round : now;
    return OK;
}

/* The unit after `u` in depth-first order below `root`, or NO_UNIT. */
static uint32_t next_unit(const struct fold *s, uint32_t u, uint32_t root) {
    const struct unit *x = fold_unit(s, u);
    if (x->first_child != NO_UNIT) return x->first_child;
    while (u != root) {
        x = fold_unit(s, u);
        if (x->next_sibling != NO_UNIT) return x->next_sibling;
        u = x->parent;
    }
    return NO_UNIT;
}

/* The figures of a station that hold; false where none do. */
static bool held(const struct fold *fold, const struct log_pick *p, uint32_t station,
                 const struct cell **cell, struct figures *out) {
    uint64_t entry;
    uint32_t c = fold_cell_find(fold, p->contest, p->round, station);
    *cell = c == NO_CELL ? NULL : fold_cell_at(fold, c);
    return *cell && cell_held(fold, *cell, out, &entry);
}

/* --- stations, for the forensic methods --- */

struct levels {
    uint8_t at[FX_LEVELS]; /* levels of the definition */
    size_t n;
};

static err choose_levels(const struct fold *fold, const struct log_pick *p, const char *areas,
                         struct levels *out, struct fail *f) {
    const struct definition *d = fold_definition(fold);
    uint32_t top = fold_unit(fold, fold_contest(fold, p->contest)->unit)->level;
    uint32_t last = d->level_count ? d->level_count - 1 : 0; /* the stations */
    out->n = 0;
    for (uint32_t l = top + 1; !areas && l < last && out->n < DEFAULT_AREAS; l++)
        out->at[out->n++] = (uint8_t)l;
    for (const char *s = areas; s && *s;) {
        size_t len = strcspn(s, "+");
        uint32_t l = top + 1;
        while (l < last && !span_eq(d->levels[l], span_of(s, len))) l++;
        if (l >= last)
            return fail_set(f, E_USAGE, "--areas: the definition has no level \"%.*s\" between the contest's "
                            "area and the stations", (int)(len < 60 ? len : 60), s);
        if (out->n == FX_LEVELS || (out->n && l <= out->at[out->n - 1]))
            return fail_set(f, E_USAGE, "--areas goes from large to small, at most %d levels", FX_LEVELS);
        out->at[out->n++] = (uint8_t)l;
        s += len;
        if (*s == '+') s++;
    }
    return OK;
}

struct filling {
    const struct fold *fold;
    const struct log_pick *pick;
    struct fx_table *t;
    uint32_t *column[3]; /* registered, valid, rejected */
    uint32_t *votes;
    int64_t *time_ms;
    struct span *unit;
    uint32_t *area[FX_LEVELS];
    struct span *name[FX_LEVELS];
    size_t used;
};

static uint32_t small(uint64_t v) {
    return v == ABSENT ? FX_ABSENT : (uint32_t)v; /* FIGURE_MAX fits */
}

static void fill(struct filling *w, uint32_t station, const struct cell *cell,
                 const struct figures *fig) {
    size_t i = w->used++;
    const struct unit *u = fold_unit(w->fold, station);
    w->unit[i] = u->code;
    uint64_t reg = fig && fig->registered != ABSENT ? fig->registered : u->registered;
    w->column[0][i] = reg && reg <= FX_MOST ? (uint32_t)reg : FX_ABSENT;
    w->column[1][i] = fig ? small(fig->valid) : FX_ABSENT;
    w->column[2][i] = fig ? small(fig->rejected) : FX_ABSENT;
    for (size_t c = 0; c < w->t->choices; c++)
        w->votes[c * w->t->n + i] = fig ? small(fig->votes[c]) : FX_ABSENT;
    bool timed = cell && cell->first_result != NO_RESULT;
    w->time_ms[i] = timed ? (int64_t)fold_result(w->fold, cell->first_result)->ms : FX_NO_TIME;
}

static err allocate(struct filling *w, const struct levels *levels, struct arena *mem,
                    struct fail *f) {
    struct fx_table *t = w->t;
    size_t n = t->n + 1;
    for (int k = 0; k < 3; k++)
        if (!(w->column[k] = arena_array(mem, n, sizeof *w->column[k]))) return no_memory(f);
    w->votes = arena_array(mem, n * (t->choices + 1), sizeof *w->votes);
    w->time_ms = arena_array(mem, n, sizeof *w->time_ms);
    w->unit = arena_array(mem, n, sizeof *w->unit);
    if (!w->votes || !w->time_ms || !w->unit) return no_memory(f);
    for (size_t l = 0; l < levels->n; l++) {
        w->area[l] = arena_array(mem, n, sizeof *w->area[l]);
        w->name[l] = arena_array(mem, n, sizeof *w->name[l]);
        if (!w->area[l] || !w->name[l]) return no_memory(f);
    }
    t->registered = w->column[0];
    t->valid = w->column[1];
    t->rejected = w->column[2];
    t->votes = w->votes;
    t->time_ms = w->time_ms;
    t->unit = w->unit;
    t->levels = levels->n;
    return OK;
}

/* Full path of an area below the contest's unit: "county / constituency". */
static err area_path(struct filling *w, uint32_t unit, uint32_t top, struct arena *mem,
                     struct span *out, struct fail *f) {
    uint32_t chain[MAX_LEVELS];
    size_t n = 0;
    struct buf b;
    for (uint32_t u = unit; u != top && u != NO_UNIT && n < MAX_LEVELS; u = fold_unit(w->fold, u)->parent)
        chain[n++] = u;
    if (n == 0) chain[n++] = unit; /* a ragged hierarchy: no area of this level */
    buf_init(&b, 1 << 14);
    while (n-- > 0) {
        if (b.n) buf_str(&b, " / ");
        buf_span(&b, fold_unit(w->fold, chain[n])->name);
    }
    err e = buf_ok(&b, f);
    *out = arena_copy(mem, buf_view(&b));
    buf_release(&b);
    return e != OK ? e : out->p ? OK : no_memory(f);
}

/* Numbers the areas in order of appearance; stations come in depth-first order, so an area's stations
 * stand together. */
static err number_areas(struct filling *w, const struct levels *levels, const uint32_t *station,
                        uint32_t top, struct arena *mem, struct fail *f) {
    for (size_t l = 0; l < levels->n; l++) {
        uint32_t last = NO_UNIT;
        size_t count = 0;
        for (size_t i = 0; i < w->used; i++) {
            uint32_t u = station[i];
            while (fold_unit(w->fold, u)->level > levels->at[l]) u = fold_unit(w->fold, u)->parent;
            if (u != last) {
                TRY(area_path(w, u, top, mem, &w->name[l][count], f));
                count++;
            }
            last = u;
            w->area[l][i] = (uint32_t)(count - 1);
        }
        w->t->level[l] = (struct fx_level){w->area[l], count, w->name[l]};
    }
    return OK;
}

static err name_choices(const struct fold *fold, const struct contest *k, const char *leader,
                        struct arena *mem, struct fx_table *t, struct fail *f) {
    struct span *names = arena_array(mem, k->choice_count + 1, sizeof *names);
    bool found = leader == NULL;
    if (!names) return no_memory(f);
    if (k->choice_count > FX_CHOICES)
        return fail_set(f, E_TOO_LARGE, "the tests take at most %d choices", FX_CHOICES);
    for (uint32_t c = 0; c < k->choice_count; c++) {
        names[c] = contest_choice(fold, k, c)->id;
        if (leader && span_is(names[c], leader)) {
            t->leader = c;
            found = true;
        }
    }
    t->choice = names;
    t->choices = k->choice_count;
    t->votes_complete = k->choice_count > 1;
    return found ? OK : fail_set(f, E_CHOICE, "--leader %.60s is not a choice of this contest", leader);
}

err log_stations(const struct fold *fold, const struct log_pick *p, const char *areas,
                 const char *leader, bool frame, struct arena *mem, struct fx_table *out,
                 struct fail *f) {
    const struct contest *k = fold_contest(fold, p->contest);
    struct filling w = {.fold = fold, .pick = p, .t = out};
    struct levels levels;
    const struct cell *cell;
    struct figures fig;
    *out = (struct fx_table){0};
    TRY(choose_levels(fold, p, areas, &levels, f));
    TRY(name_choices(fold, k, leader, mem, out, f));
    for (uint32_t u = k->unit; u != NO_UNIT; u = next_unit(fold, u, k->unit))
        if (unit_is_station(fold, u) && (held(fold, p, u, &cell, &fig) || (frame && !fold_unit(fold, u)->closed)))
            out->n++;
    if (out->n > FX_STATIONS)
        return fail_set(f, E_TOO_LARGE, "more than %d stations", FX_STATIONS);
    if (out->n == 0)
        return fail_set(f, E_NOT_FOUND, "no station of this contest has figures in the log yet");
    TRY(allocate(&w, &levels, mem, f));
    uint32_t *station = arena_array(mem, out->n, sizeof *station);
    if (!station) return no_memory(f);
    for (uint32_t u = k->unit; u != NO_UNIT; u = next_unit(fold, u, k->unit)) {
        if (!unit_is_station(fold, u)) continue;
        bool has = held(fold, p, u, &cell, &fig);
        if (!has && (!frame || fold_unit(fold, u)->closed)) continue;
        station[w.used] = u;
        fill(&w, u, cell, has ? &fig : NULL);
    }
    return number_areas(&w, &levels, station, k->unit, mem, f);
}

/* --- every unit, for comparisons --- */

struct gathering {
    const struct fold *fold;
    const struct log_pick *pick;
    struct log_units *out;
    uint64_t *value;
    struct cmp_form *form;
    uint8_t *use;
    uint32_t *parent;
    uint64_t *expected, *received, *voters_out;
};

static void note_form(struct gathering *g, size_t row, const struct cell *cell) {
    struct cmp_form *form = &g->form[row];
    const struct result *r = cell_current(g->fold, cell);
    uint32_t image = r ? r->first_image : NO_IMAGE;
    if (image == NO_IMAGE) image = cell->first_image;
    if (image != NO_IMAGE) {
        form->image = fold_image(g->fold, image)->shown;
        form->has_image = true;
    }
    if (!r) return;
    struct key_view key;
    fold_key_at(g->fold, r->signer, &key);
    form->entry = r->entry;
    form->record = fold_id(g->fold, r->entry);
    form->signer = key.name;
    form->has_record = true;
}

static void gather_station(struct gathering *g, size_t row, uint32_t station) {
    size_t columns = g->out->table.columns;
    uint64_t *v = g->value + row * columns;
    const struct unit *u = fold_unit(g->fold, station);
    const struct cell *cell;
    struct figures fig;
    bool has = held(g->fold, g->pick, station, &cell, &fig);
    if (u->closed && !cell) return;
    g->expected[row] = 1;
    if (cell) note_form(g, row, cell);
    if (!has) {
        g->voters_out[row] = u->registered;
        g->out->in_question += cell && cell->first_result != NO_RESULT;
        return;
    }
    g->received[row] = 1;
    g->use[row] = true;
    v[0] = fig.registered != ABSENT ? fig.registered : u->registered;
    v[1] = fig.valid;
    v[2] = fig.rejected;
    v[3] = fig.objected;
    v[4] = fig.disputed;
    for (size_t c = FIXED_COLUMNS; c < columns; c++) v[c] = fig.votes[c - FIXED_COLUMNS];
}

/* Children come after their parents: one pass backwards adds everything up. A sum is blank only when
 * every part is. */
static err add_up(struct gathering *g, struct fail *f) {
    size_t columns = g->out->table.columns;
    for (size_t row = g->out->table.rows; row-- > 1;) {
        size_t up = g->parent[row];
        uint64_t *to = g->value + up * columns, *from = g->value + row * columns;
        g->expected[up] += g->expected[row];
        g->received[up] += g->received[row];
        g->voters_out[up] += g->voters_out[row];
        g->use[up] = g->use[up] || g->use[row];
        for (size_t c = 0; c < columns; c++) {
            if (from[c] == CMP_ABSENT) continue;
            if (to[c] == CMP_ABSENT) to[c] = 0;
            if (__builtin_add_overflow(to[c], from[c], &to[c]) || to[c] > INT64_MAX)
                return fail_set(f, E_OVERFLOW, "a total of the log does not fit in 63 bits");
        }
    }
    return OK;
}

static err name_columns(const struct fold *fold, const struct contest *k, struct arena *mem,
                        struct cmp_table *t, struct fail *f) {
    static const char *const fixed[FIXED_COLUMNS] = {"registered", "valid", "rejected", "objected",
                                                     "disputed"};
    struct span *names = arena_array(mem, FIXED_COLUMNS + k->choice_count, sizeof *names);
    if (!names) return no_memory(f);
    t->columns = FIXED_COLUMNS + k->choice_count;
    for (size_t c = 0; c < FIXED_COLUMNS; c++) names[c] = span_text(fixed[c]);
    for (uint32_t c = 0; c < k->choice_count; c++)
        names[FIXED_COLUMNS + c] = contest_choice(fold, k, c)->id;
    t->column = names;
    return OK;
}

err log_units(const struct fold *fold, const struct log_pick *p, struct arena *mem,
              struct log_units *out, struct fail *f) {
    const struct contest *k = fold_contest(fold, p->contest);
    const struct definition *d = fold_definition(fold);
    struct gathering g = {.fold = fold, .pick = p, .out = out};
    size_t rows = 0, row = 0;
    *out = (struct log_units){.first_choice = FIXED_COLUMNS, .table = {.name = "log"}};
    out->station_level = (uint8_t)(d->level_count - 1);
    TRY(name_columns(fold, k, mem, &out->table, f));
    for (uint32_t u = k->unit; u != NO_UNIT; u = next_unit(fold, u, k->unit)) rows++;
    size_t cells;
    if (__builtin_mul_overflow(rows, out->table.columns, &cells)) return no_memory(f);
    struct span *key = arena_array(mem, rows, sizeof *key), *group = arena_array(mem, rows, sizeof *group);
    uint32_t *unit = arena_array(mem, rows, sizeof *unit);
    uint8_t *level = arena_alloc(mem, rows);
    g.value = arena_array(mem, cells, sizeof *g.value);
    g.form = arena_array(mem, rows, sizeof *g.form);
    g.use = arena_alloc(mem, rows);
    g.parent = arena_array(mem, rows, sizeof *g.parent);
    g.expected = arena_array(mem, rows, sizeof *g.expected);
    g.received = arena_array(mem, rows, sizeof *g.received);
    g.voters_out = arena_array(mem, rows, sizeof *g.voters_out);
    if (!key || !group || !unit || !level || !g.value || !g.form || !g.use || !g.parent ||
        !g.expected || !g.received || !g.voters_out)
        return no_memory(f);
    memset(g.value, 0xff, cells * sizeof *g.value); /* CMP_ABSENT */
    uint32_t row_of[MAX_LEVELS] = {0};
    out->table.rows = rows;
    for (uint32_t u = k->unit; u != NO_UNIT; u = next_unit(fold, u, k->unit), row++) {
        const struct unit *x = fold_unit(fold, u);
        key[row] = x->code;
        group[row] = d->levels[x->level];
        unit[row] = u;
        level[row] = x->level;
        g.parent[row] = row == 0 ? UINT32_MAX : row_of[fold_unit(fold, x->parent)->level];
        row_of[x->level] = (uint32_t)row;
        if (unit_is_station(fold, u)) gather_station(&g, row, u);
    }
    TRY(add_up(&g, f));
    out->table.key = key;
    out->table.group = group;
    out->table.use = g.use;
    out->table.value = g.value;
    out->table.form = g.form;
    out->unit = unit;
    out->parent = g.parent;
    out->level = level;
    out->expected = g.expected;
    out->received = g.received;
    out->voters_out = g.voters_out;
    return OK;
}
