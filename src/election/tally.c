/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/tally.h"

#include "election/state.h"

const char *total_name(enum total_name t) {
    static const char *const names[] = {"transmitted", "transcribed", "compared"};
    return t < TOTAL_COUNT ? names[t] : "unknown";
}

/* Adds, and notes in *ok when a sum does not fit. */
static void plus(bool *ok, uint64_t *to, uint64_t v) {
    if (__builtin_add_overflow(*to, v, to)) *ok = false;
}

static uint64_t or_0(uint64_t v) {
    return v == ABSENT ? 0 : v;
}

static void count_total(const struct tally *t, const struct unit *u, const struct figures *g,
                        struct total *to) {
    to->stations = 1;
    to->registered = u->registered;
    for (uint32_t k = 0; k < t->choice_count; k++) to->votes[k] = or_0(g->votes[k]);
    to->valid_blank = g->valid == ABSENT;
    to->valid = or_0(g->valid);
    to->rejected_blank = g->rejected == ABSENT;
    to->rejected = or_0(g->rejected);
    to->objected = or_0(g->objected);
    to->disputed = or_0(g->disputed);
}

/* What the desk made of it: transcribed from the form, compared with the original. */
static void count_desk(const struct fold *s, const struct tally *t, const struct unit *u,
                       const struct cell *c, struct tally_row *row) {
    struct figures held;
    uint64_t entry;
    uint32_t level;
    const struct decision *d = cell_decision(s, c);
    row->disregarded = d && d->action == DECISION_DISREGARD;
    if (!cell_held(s, c, &held, &entry)) return;
    row->transcribed = cell_transcribed(s, c);
    if (row->transcribed) count_total(t, u, &held, &row->total[TOTAL_TRANSCRIBED]);
    row->compared_all = 1;
    for (unsigned n = 0; contest_compare_level(s, t->contest, n, &level); n++) {
        bool same = cell_compared_same(s, c, level, entry);
        if (n == 0) row->compared = same;
        if (!same) row->compared_all = 0;
    }
    if (row->compared) count_total(t, u, &held, &row->total[TOTAL_COMPARED]);
}

static void count_station(const struct fold *s, const struct findings *fi, const struct tally *t,
                          struct tally_row *row) {
    const struct unit *u = fold_unit(s, row->unit);
    if (u->closed && row->cell == NO_CELL) return;
    if (contest_state_in(s, t->contest, t->round, row->unit) != CONTEST_OPEN) row->not_held = 1;
    row->expected = 1;
    row->registered = u->registered;
    if (row->cell == NO_CELL) return;
    const struct cell *c = fold_cell_at(s, row->cell);
    row->received = c->current > 0;
    row->in_question = fi->worst[row->cell] == SEVERITY_ERROR;
    if (c->desk_plus_1) count_desk(s, t, u, c, row);
    const struct result *r = cell_transmitted(s, c);
    if (!r) {
        row->without_image = cell_current(s, c) != NULL;
        return;
    }
    struct figures sent;
    result_figures(s, r, &sent);
    count_total(t, u, &sent, &row->total[TOTAL_TRANSMITTED]);
}

static bool add_row(const struct tally *t, struct tally_row *to, const struct tally_row *from) {
    bool ok = true;
    plus(&ok, &to->expected, from->expected);
    plus(&ok, &to->registered, from->registered);
    plus(&ok, &to->received, from->received);
    plus(&ok, &to->without_image, from->without_image);
    plus(&ok, &to->in_question, from->in_question);
    plus(&ok, &to->not_held, from->not_held);
    plus(&ok, &to->transcribed, from->transcribed);
    plus(&ok, &to->compared, from->compared);
    plus(&ok, &to->compared_all, from->compared_all);
    plus(&ok, &to->disregarded, from->disregarded);
    for (int n = 0; n < TOTAL_COUNT; n++) {
        struct total *a = &to->total[n];
        const struct total *b = &from->total[n];
        plus(&ok, &a->stations, b->stations);
        plus(&ok, &a->registered, b->registered);
        plus(&ok, &a->valid, b->valid);
        plus(&ok, &a->rejected, b->rejected);
        plus(&ok, &a->objected, b->objected);
        plus(&ok, &a->disputed, b->disputed);
        plus(&ok, &a->valid_blank, b->valid_blank);
        plus(&ok, &a->rejected_blank, b->rejected_blank);
        for (uint32_t k = 0; k < t->choice_count; k++) plus(&ok, &a->votes[k], b->votes[k]);
    }
    return ok;
}

err tally_compute(const struct fold *s, const struct findings *fi, uint32_t contest, unsigned round,
                  struct arena *a, struct tally *t, struct fail *f) {
    const struct contest *k = fold_contest(s, contest);
    *t = (struct tally){.contest = contest, .round = round, .choice_count = k->choice_count};
    for (uint32_t u = k->unit; u != NO_UNIT; u = unit_next(s, u, k->unit)) t->n++;
    t->rows = arena_array(a, t->n, sizeof *t->rows);
    uint64_t *votes = arena_array(a, t->n * TOTAL_COUNT, k->choice_count * sizeof *votes);
    if (!t->rows || !votes) return fail_set(f, E_MEMORY, "no memory for totals");
    uint32_t row_of[MAX_LEVELS] = {0}; /* the last row at each level: the parents on our path */
    uint32_t i = 0;
    for (uint32_t u = k->unit; u != NO_UNIT; u = unit_next(s, u, k->unit), i++) {
        struct tally_row *row = &t->rows[i];
        const struct unit *unit = fold_unit(s, u);
        row->unit = u;
        row->parent = u == k->unit ? UINT32_MAX : row_of[fold_unit(s, unit->parent)->level];
        row_of[unit->level] = i;
        for (int n = 0; n < TOTAL_COUNT; n++)
            row->total[n].votes = votes + ((size_t)i * TOTAL_COUNT + (size_t)n) * k->choice_count;
        row->cell = NO_CELL;
        if (!unit_is_station(s, u)) continue;
        row->cell = fold_cell_find(s, contest, round, u);
        count_station(s, fi, t, row);
    }
    for (size_t n = t->n; n-- > 1;)
        if (!add_row(t, &t->rows[t->rows[n].parent], &t->rows[n]))
            return fail_set(f, E_OVERFLOW, "a total does not fit in 64 bits");
    return OK;
}
