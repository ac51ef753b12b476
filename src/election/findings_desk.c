/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Findings across channels, and what decisions make of findings. */
#include "election/findings_impl.h"

/* --- what people, the machine and the original say, against what was sent --- */

static void add_entries(const struct fold *s, struct finding *x, const uint32_t *open, unsigned n) {
    for (unsigned i = 0; i < n; i++) finding_because(x, fold_reading(s, open[i])->entry);
}

/* "group.name" is in a reading's list of fields that cannot be read (canonical JSON, slugs only). */
static bool is_illegible(struct span list, const char *group, struct span name) {
    const size_t g = strlen(group), n = g + name.n + 3; /* two quotes and a point */
    for (size_t i = 0; i + n <= list.n; i++) {
        const uint8_t *p = list.p + i;
        if (p[0] == '"' && memcmp(p + 1, group, g) == 0 && p[g + 1] == '.' &&
            memcmp(p + g + 2, name.p, name.n) == 0 && p[n - 1] == '"')
            return true;
    }
    return false;
}

/* In how many figures the machine differs from what people agreed on; those that it says it cannot read
 * are no difference. */
static unsigned machine_differs(const struct fold *s, const struct cell *c, const struct figures *agreed,
                                const struct form_reading *m) {
    static const char *const ballots[FIGURE_BALLOTS] = {"registered", "valid", "rejected", "objected",
                                                        "disputed"};
    const struct contest *k = fold_contest(s, c->contest);
    struct figures own;
    uint64_t fields[FIGURE_WORDS];
    reading_figures(s, m, &own);
    unsigned n = figures_differ(s, c, agreed, &own, fields);
    for (uint32_t i = 0; m->illegible.n && i < FIGURE_BALLOTS + k->choice_count; i++) {
        if (!(fields[i / 64] >> (i % 64) & 1)) continue;
        n -= i < FIGURE_BALLOTS ? is_illegible(m->illegible, "ballots", span_text(ballots[i]))
                                : is_illegible(m->illegible, "votes",
                                               contest_choice(s, k, i - FIGURE_BALLOTS)->id);
    }
    return n;
}

static void check_readings(struct work *w, uint32_t cell, const struct cell *c, const struct desk *d) {
    const struct fold *s = w->s;
    uint32_t open[3], agreed = desk_agreed(s, c), machine = desk_machine(s, c);
    unsigned n = desk_open(s, d, open), fields;
    struct figures read, other;
    if (n == 3 && agreed == NO_READING)
        add_entries(s, finding_add(w, F_READINGS_DISAGREE, cell, NO_RESULT, n, 0), open, n);
    if (agreed == NO_READING) return;
    reading_figures(s, fold_reading(s, agreed), &read);
    const struct result *r = cell_current(s, c);
    uint64_t entry = r ? r->entry : ABSENT;
    if (r) result_figures(s, r, &other);
    fields = r ? figures_differ(s, c, &read, &other, NULL) : 0;
    if (fields == 0 && cell_decision(s, c) && cell_held(s, c, &other, &entry))
        fields = figures_differ(s, c, &read, &other, NULL);
    if (fields) {
        struct finding *x = finding_add(w, F_READING_DIFFERS, cell, NO_RESULT, fields, 0);
        finding_because(x, entry);
        add_entries(s, x, open, n);
    }
    if (machine == NO_READING) return;
    fields = machine_differs(s, c, &read, fold_reading(s, machine));
    if (!fields) return;
    struct finding *x = finding_add(w, F_MACHINE_DIFFERS, cell, NO_RESULT, fields, 0);
    finding_because(x, fold_reading(s, machine)->entry);
    add_entries(s, x, open, n);
}

static void check_original(struct work *w, uint32_t cell, const struct cell *c) {
    const struct fold *s = w->s;
    struct figures held, original;
    uint64_t entry;
    uint32_t level;
    if (!cell_held(s, c, &held, &entry)) return;
    for (unsigned n = 0; contest_compare_level(s, c->contest, n, &level); n++) {
        const struct compared *x = cell_compared(s, c, level, entry);
        if (!x || x->reading == NO_READING) continue;
        reading_figures(s, fold_reading(s, x->reading), &original);
        struct finding *y = finding_add(w, F_ORIGINAL_DIFFERS, cell, NO_RESULT,
                                        figures_differ(s, c, &held, &original, NULL), entry);
        finding_because(y, entry);
        finding_because(y, x->entry);
    }
}

static void check_marks(struct work *w, uint32_t cell, const struct cell *c, const struct desk *d) {
    const struct fold *s = w->s;
    uint32_t open[3], marks = 0, seen[FINDING_ENTRIES], entries = 0, latest = 0;
    for (unsigned n = desk_open(s, d, open), i = 0; i < n; i++) {
        const struct form_reading *x = fold_reading(s, open[i]);
        if (!x->marks) continue;
        marks |= x->marks;
        seen[entries++] = x->entry;
        if (x->entry > latest) latest = x->entry;
    }
    for (uint32_t i = d->first_compared; i != NO_COMPARED;) {
        const struct compared *x = fold_compared(s, i);
        uint32_t more = x->marks | (x->reading == NO_READING ? 0 : fold_reading(s, x->reading)->marks);
        i = x->next;
        if (!more) continue;
        marks |= more;
        if (entries < FINDING_ENTRIES) seen[entries++] = x->entry;
        if (x->entry > latest) latest = x->entry;
    }
    if (!marks) return;
    struct finding *x = finding_add(w, F_IRREGULAR, cell, NO_RESULT, (unsigned)__builtin_popcount(marks), 0);
    for (uint32_t i = 0; i < entries; i++) finding_because(x, seen[i]);
    if (latest > x->latest) x->latest = latest;
    (void)c;
}

/* Figures that hold and are no result's are looked at like a result's. */
static void check_held(struct work *w, uint32_t cell, const struct cell *c, const struct desk *d) {
    const struct fold *s = w->s;
    struct figures held;
    uint64_t entry;
    uint32_t open[3];
    if (!cell_held(s, c, &held, &entry) || state_ref(s, entry, REC_RESULT) != NO_REF) return;
    uint32_t i = state_ref(s, entry, REC_OPEN);
    if (i == NO_REF) i = state_ref(s, entry, REC_COMPARED);
    if (i == NO_REF) return;
    const struct form_reading *x = fold_reading(s, i);
    const struct decision *by = cell_decision(s, c);
    uint64_t since = by ? by->entry : ABSENT;
    for (unsigned n = by ? 0 : desk_open(s, d, open); n-- > 0;) /* it holds since the last of them */
        if (since == ABSENT || fold_reading(s, open[n])->entry > since)
            since = fold_reading(s, open[n])->entry;
    findings_of_figures(w, cell, NO_RESULT, &held, figures_voters(x->voters_kit, x->voters_manual), entry,
                        since);
}

static void check_decided(struct work *w, uint32_t cell, const struct cell *c) {
    const struct fold *s = w->s;
    const struct decision *d = cell_decision(s, c);
    if (!d) return;
    if (d->action == DECISION_DISREGARD)
        finding_because(finding_add(w, F_DISREGARDED, cell, NO_RESULT, d->entry, 0), d->entry);
    uint64_t last = c->last_result == NO_RESULT ? 0 : fold_result(s, c->last_result)->entry;
    if (c->last_result == NO_RESULT || last < d->size) return;
    struct finding *x = finding_add(w, F_AFTER_DECISION, cell, NO_RESULT, last, d->entry);
    finding_because(x, d->entry);
    finding_because(x, last);
}

void findings_of_desk(struct work *w, uint32_t cell) {
    const struct cell *c = vec_at(&w->s->cells, cell);
    const struct desk *d = cell_desk(w->s, c);
    if (!d) return;
    check_readings(w, cell, c, d);
    check_original(w, cell, c);
    check_marks(w, cell, c, d);
    check_held(w, cell, c, d);
    check_decided(w, cell, c);
}

/* --- forms against stations --- */

static uint64_t stations_in(const struct fold *s, uint32_t root) {
    uint64_t n = 0;
    for (uint32_t u = root; u != NO_UNIT; u = unit_next(s, u, root))
        n += unit_is_station(s, u) && !fold_unit(s, u)->closed;
    return n;
}

static void check_forms(struct work *w, const struct place *p) {
    const struct fold *s = w->s;
    if (p->forms == 0) return;
    uint32_t held = fold_contest(s, p->contest)->unit;
    uint64_t stations = stations_in(s, unit_within(s, p->unit, held) ? p->unit : held);
    if (p->forms <= stations) return;
    uint32_t cell = unit_is_station(s, p->unit) ? fold_cell_find(s, p->contest, p->round, p->unit) : NO_CELL;
    struct finding *x =
        cell != NO_CELL ? finding_add(w, F_MORE_FORMS, cell, NO_RESULT, p->forms, stations)
                        : finding_add_unit(w, F_MORE_FORMS, p->contest, p->round, p->unit, p->forms, stations);
    finding_because(x, p->forms_entry);
}

void findings_of_forms(struct work *w) {
    const struct fold *s = w->s;
    if (w->only != NO_CONTEST) {
        for (uint32_t i = fold_first_place(s, w->only, w->only_round); i != NO_PLACE;) {
            check_forms(w, fold_place_at(s, i));
            i = fold_place_at(s, i)->next_in_contest;
        }
        return;
    }
    for (size_t i = 0; i < s->places.n; i++) check_forms(w, fold_place_at(s, i));
}

/* --- what decisions make of them --- */

/* For each place the accept decision that stands and covers most, by code: index + 1. A place's row is
 * made when the first finding asks for it. */
struct accepts {
    uint32_t **row;
    struct arena *arena;
};

static uint32_t *read_accepts(const struct fold *s, uint32_t place, struct accepts *all) {
    if (all->row[place]) return all->row[place];
    uint32_t *row = all->row[place] = arena_array(all->arena, FINDING_COUNT, sizeof *row);
    for (uint32_t n = fold_place_at(s, place)->first_decision; row && n != NO_DECISION;) {
        const struct decision *d = fold_decision(s, n);
        if (d->action == DECISION_ACCEPT && d->released_by == NO_DECISION)
            for (int c = 0; c < FINDING_COUNT; c++) {
                if (!(d->codes[c / 64] >> (c % 64) & 1)) continue;
                if (row[c] == 0 || d->size >= fold_decision(s, row[c] - 1)->size) row[c] = n + 1;
            }
        n = d->next;
    }
    return row;
}

/* Rows of the places that cover a unit, from the unit up. */
static err covering(const struct fold *s, struct accepts *all, const struct finding *x,
                    const uint32_t *rows[MAX_LEVELS], unsigned *n, struct fail *f) {
    *n = 0;
    for (uint32_t u = x->unit; u != NO_UNIT && *n < MAX_LEVELS; u = fold_unit(s, u)->parent) {
        uint32_t p = state_place_find(s, x->contest, x->round, u);
        if (p == NO_REF) continue;
        rows[*n] = read_accepts(s, p, all);
        if (!rows[(*n)++]) return fail_set(f, E_MEMORY, "no memory for findings");
    }
    return OK;
}

/* The decision that holds at a cell settles what was known when it was made: everything where the
 * station is disregarded; the differences between records, and what is wrong with those that it did
 * not adopt. */
static bool settles(const struct fold *s, const struct decision *d, const struct finding *x) {
    if (x->code == F_DISREGARDED) return true;
    if (x->latest >= d->size || x->code == F_OBJECTION) return false;
    if (d->action == DECISION_DISREGARD) return true;
    if (finding_needs_adopt(x->code) || x->code == F_MACHINE_DIFFERS) return true;
    return x->result != NO_RESULT && fold_result(s, x->result)->entry != d->record;
}

err findings_settle(const struct fold *s, struct arena *a, struct findings *fi, struct fail *f) {
    struct accepts all = {.arena = a};
    const uint32_t *rows[MAX_LEVELS];
    unsigned n = 0;
    const struct finding *last = NULL;
    if (s->decisions.n == 0) return OK;
    all.row = arena_array(a, s->places.n + 1, sizeof *all.row);
    if (!all.row) return fail_set(f, E_MEMORY, "no memory for findings");
    for (size_t i = 0; i < fi->n; i++) {
        struct finding *x = &fi->items[i];
        const struct cell *c = x->cell == NO_CELL ? NULL : fold_cell_at(s, x->cell);
        const struct decision *d = c ? cell_decision(s, c) : NULL;
        if (d && settles(s, d, x)) x->decision = cell_desk(s, c)->standing;
        if (x->decision != NO_DECISION) continue;
        if (!last || last->unit != x->unit || last->contest != x->contest || last->round != x->round)
            TRY(covering(s, &all, x, rows, &n, f));
        last = x;
        for (unsigned k = 0; k < n && finding_acceptable(x->code); k++) {
            uint32_t by = rows[k][x->code];
            if (by && fold_decision(s, by - 1)->size > x->latest) x->decision = by - 1;
        }
    }
    return OK;
}
