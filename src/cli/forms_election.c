/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/forms_election.h"

#include <inttypes.h>
#include <limits.h>
#include "base/arena.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/tree_log.h"
#include "paper/print.h"

enum { SERIALS_A_CONTEST = 1000000, FIXED_COLUMNS = 3, CHOICE_COLUMNS = 9 };

struct job {
    const struct forms_election *o;
    struct forms_stream *stream;
    struct forms_printed *printed;
    struct tree tree;
    struct tree_log log;
    struct arena arena;
    const struct contest *contest;
    const char *contest_sw;
    uint32_t contest_index, top; /* top: the unit whose stations are printed */
    unsigned round;
    unsigned group_level;
    char anchor[HASH_HEX_LEN + 1];
    struct print_choice choices[FORM_CHOICES_MAX];
    unsigned choice_count;
};

/* ---- what is printed of ---- */

static err pick_contest(struct job *j, struct fail *f) {
    const struct fold *s = j->log.fold;
    j->contest_index = j->o->contest ? fold_contest_by_id(s, span_text(j->o->contest)) : 0;
    if (j->contest_index == NO_CONTEST || j->contest_index >= fold_contest_count(s))
        return fail_set(f, E_CONTEST, "there is no contest \"%.60s\"",
                        j->o->contest ? j->o->contest : "");
    j->contest = fold_contest(s, j->contest_index);
    j->round = j->o->round ? (unsigned)j->o->round : j->contest->round;
    if (j->round > j->contest->round)
        return fail_set(f, E_RANGE, "the contest is in round %u", j->contest->round);
    j->top = j->contest->unit;
    if (j->o->unit) j->top = fold_unit_by_code(s, span_text(j->o->unit));
    if (j->top == NO_UNIT || !unit_within(s, j->top, j->contest->unit))
        return fail_set(f, E_UNIT, "\"%.60s\" is no unit of this contest's area", j->o->unit);
    return OK;
}

/* The contest's name in Swahili: as asked, else that of a kind that Kenya's presets have. */
static const char *swahili(const struct job *j) {
    static const struct {
        const char *id, *sw;
    } known[] = {{"president", "Uchaguzi wa Rais"},
                 {"governor", "Uchaguzi wa Gavana"},
                 {"senator", "Uchaguzi wa Seneta"},
                 {"woman-representative", "Uchaguzi wa Mwakilishi wa Wanawake"},
                 {"national-assembly", "Uchaguzi wa Mbunge"},
                 {"county-assembly", "Uchaguzi wa Mwakilishi wa Wadi"}};
    if (j->o->contest_sw[0]) return j->o->contest_sw;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t n = strlen(known[i].id);
        const struct span id = j->contest->id; /* "governor", "governor-047" */
        if (id.n >= n && memcmp(id.p, known[i].id, n) == 0 && (id.n == n || id.p[n] == '-'))
            return known[i].sw;
    }
    return "";
}

/* The level of that name; without one, the stations' parents. */
static void pick_group_level(struct job *j) {
    const struct definition *d = fold_definition(j->log.fold);
    j->group_level = d->level_count > 1 ? d->level_count - 2 : 0;
    for (unsigned i = 0; i + 1 < d->level_count; i++)
        if (span_is(d->levels[i], j->o->group)) j->group_level = i;
}

static err load_choices(struct job *j, struct fail *f) {
    const struct fold *s = j->log.fold;
    for (uint32_t k = 0; k < j->contest->choice_count; k++) {
        if (!contest_has_choice(j->contest, j->round, k)) continue;
        const struct choice *c = contest_choice(s, j->contest, k);
        if (j->choice_count == FORM_CHOICES_MAX)
            return fail_set(f, E_TOO_LARGE, "a form holds at most %d choices", FORM_CHOICES_MAX);
        struct print_choice *p = &j->choices[j->choice_count++];
        p->name = arena_text(&j->arena, c->name);
        p->party = arena_text(&j->arena, c->party);
        if (!p->name || !p->party) return fail_set(f, E_MEMORY, "no memory for the choices");
    }
    return j->choice_count ? OK : fail_set(f, E_CONTEST, "nobody stands in this contest");
}

static uint32_t above(const struct fold *s, uint32_t unit, unsigned level) {
    while (unit != NO_UNIT && fold_unit(s, unit)->level > level) unit = fold_unit(s, unit)->parent;
    return unit;
}

/* The name of the unit's ancestor at a level of this name, else `up` steps above it. */
static const char *name_above(struct job *j, uint32_t unit, const char *level, unsigned up,
                              struct fail *f) {
    const struct fold *s = j->log.fold;
    const struct definition *d = fold_definition(s);
    uint32_t u = unit;
    unsigned at = UINT_MAX;
    for (unsigned i = 0; i + 1 < d->level_count; i++)
        if (span_is(d->levels[i], level)) at = i;
    if (at != UINT_MAX)
        u = above(s, unit, at);
    else
        for (unsigned k = 0; k < up && u != NO_UNIT; k++) u = fold_unit(s, u)->parent;
    if (u == NO_UNIT || u == 0) return "";
    const char *t = arena_text(&j->arena, fold_unit(s, u)->name);
    if (!t) (void)fail_set(f, E_MEMORY, "no memory for names");
    return t;
}

static bool is_printed(const struct job *j, uint32_t unit) {
    const struct fold *s = j->log.fold;
    return unit_is_station(s, unit) && !fold_unit(s, unit)->closed &&
           contest_state_in(s, j->contest_index, j->round, unit) == CONTEST_OPEN;
}

/* The next unit below `top` in the definition's order (depth first); NO_UNIT at the end. */
static uint32_t next_unit(const struct fold *s, uint32_t u, uint32_t top) {
    if (fold_unit(s, u)->first_child != NO_UNIT) return fold_unit(s, u)->first_child;
    while (u != top && fold_unit(s, u)->next_sibling == NO_UNIT) u = fold_unit(s, u)->parent;
    return u == top ? NO_UNIT : fold_unit(s, u)->next_sibling;
}

/* ---- result forms and count sheets ---- */

static err fill_code(const struct job *j, const struct unit *u, uint64_t serial,
                     struct form_code *code, struct fail *f) {
    const struct forms_election *o = j->o;
    if (strlen(o->form) >= sizeof code->form || u->code.n >= sizeof code->station ||
        j->contest->id.n >= sizeof code->contest)
        return fail_set(f, E_FIELD, "form, station or contest id too long: %.60s, %.*s, %.*s",
                        o->form, SPAN_ARG(u->code), SPAN_ARG(j->contest->id));
    *code = (struct form_code){.contest_number = j->contest_index + 1,
                               .serial = serial,
                               .shape = {j->choice_count, (unsigned)o->boxes}};
    memcpy(code->form, o->form, strlen(o->form));
    memcpy(code->station, u->code.p, u->code.n);
    memcpy(code->contest, j->contest->id.p, j->contest->id.n);
    return OK;
}

static err print_station(struct job *j, uint32_t unit, uint64_t serial, struct fail *f) {
    const struct fold *s = j->log.fold;
    const struct unit *u = fold_unit(s, unit);
    const uint32_t group = above(s, unit, j->group_level);
    const struct arena_mark mark = arena_mark(&j->arena);
    struct print_form form = {.regulation = j->o->regulation,
                              .contest_en = arena_text(&j->arena, j->contest->name),
                              .contest_sw = j->contest_sw,
                              .station = arena_text(&j->arena, u->name),
                              .stream = "",
                              .ward = name_above(j, unit, "ward", 1, f),
                              .constituency = name_above(j, unit, "constituency", 2, f),
                              .county = name_above(j, unit, "county", 3, f),
                              .choices = j->choices,
                              .anchor = j->anchor,
                              .simulated = fold_definition(s)->simulated,
                              .copy = j->o->copy ? "COPY" : ""};
    if (!form.contest_en || !form.station || !form.ward || !form.constituency || !form.county)
        return fail_set(f, E_MEMORY, "no memory for names");
    TRY(fill_code(j, u, serial, &form.code, f));
    TRY(forms_stream_group(j->stream, fold_unit(s, group == NO_UNIT ? 0 : group)->code, f));
    j->printed->forms += !j->stream->skipping;
    if (!j->stream->skipping)
        TRY(j->o->count_sheet ? print_count_sheet(j->stream->canvas, &form, f)
                              : print_form(j->stream->canvas, &form, f));
    arena_rewind(&j->arena, mark);
    return OK;
}

static err print_stations(struct job *j, struct fail *f) {
    const struct fold *s = j->log.fold;
    const uint64_t first = (uint64_t)(j->contest_index + 1) * SERIALS_A_CONTEST;
    uint64_t place = 0, wanted = 0, all = 0;
    for (uint32_t u = j->top; u != NO_UNIT; u = next_unit(s, u, j->top)) {
        if (!is_printed(j, u)) continue;
        forms_stream_input(j->stream, fold_unit(s, u)->code);
        all++;
    }
    for (uint32_t u = j->contest->unit; u != NO_UNIT; u = next_unit(s, u, j->contest->unit)) {
        if (!unit_is_station(s, u)) continue;
        place++; /* closed stations keep theirs, so that a serial number never changes its owner */
        if (place >= SERIALS_A_CONTEST)
            return fail_set(f, E_TOO_LARGE, "more than %d stations", SERIALS_A_CONTEST - 1);
        if (!is_printed(j, u) || !unit_within(s, u, j->top)) continue;
        TRY(print_station(j, u, first + place, f));
        cli_progress("forms", ++wanted, j->o->limit ? j->o->limit : all);
        if (wanted == j->o->limit) break;
    }
    cli_progress_end();
    if (wanted == 0)
        return fail_set(f, E_NOT_FOUND, "no station of this contest is open in that area");
    return OK;
}

/* ---- collations ---- */

struct table {
    const char **labels;
    uint64_t *figures; /* registered, valid, rejected, then every choice of the contest */
    size_t n, columns;
};

static void add_figure(uint64_t *to, uint64_t v) {
    if (v == ABSENT) return;
    *to = *to == PRINT_ABSENT ? v : *to + v; /* station figures are below 10^9 */
}

/* Adds what holds at one station to a row that begins as PRINT_ABSENT. */
static void add_station(const struct job *j, uint32_t station, uint64_t *row) {
    const struct fold *s = j->log.fold;
    const uint32_t cell = fold_cell_find(s, j->contest_index, j->round, station);
    struct figures held;
    uint64_t entry;
    if (cell == NO_CELL || !cell_held(s, fold_cell_at(s, cell), &held, &entry)) return;
    add_figure(&row[0], held.registered);
    add_figure(&row[1], held.valid);
    add_figure(&row[2], held.rejected);
    for (uint32_t k = 0; k < j->contest->choice_count; k++)
        add_figure(&row[FIXED_COLUMNS + k], held.votes[k]);
}

/* Rows: stations below a group's unit, or units of the group's level below a larger one. */
static err collect(struct job *j, uint32_t top, struct table *t, struct fail *f) {
    const struct fold *s = j->log.fold;
    const bool of_stations = fold_unit(s, top)->level >= j->group_level;
    t->columns = FIXED_COLUMNS + j->contest->choice_count;
    size_t cap = 0;
    for (uint32_t u = top; u != NO_UNIT; u = next_unit(s, u, top))
        cap += of_stations ? unit_is_station(s, u) : fold_unit(s, u)->level == j->group_level;
    t->labels = arena_array(&j->arena, cap + 1, sizeof *t->labels);
    t->figures = arena_array(&j->arena, (cap + 1) * t->columns, sizeof *t->figures);
    if (!t->labels || !t->figures) return fail_set(f, E_MEMORY, "no memory for the table");
    for (uint32_t u = top; u != NO_UNIT; u = next_unit(s, u, top)) {
        const struct unit *unit = fold_unit(s, u);
        const bool station = unit_is_station(s, u);
        if (of_stations ? station && !unit->closed : unit->level == j->group_level) {
            char label[120];
            snprintf(label, sizeof label, "%.*s %.*s", SPAN_ARG(unit->code), SPAN_ARG(unit->name));
            t->labels[t->n] = arena_text(&j->arena, span_text(label));
            if (!t->labels[t->n]) return fail_set(f, E_MEMORY, "no memory for the table");
            for (size_t k = 0; k < t->columns; k++)
                t->figures[t->n * t->columns + k] = PRINT_ABSENT;
            t->n++;
        }
        if (station && t->n) add_station(j, u, t->figures + (t->n - 1) * t->columns);
    }
    return t->n ? OK : fail_set(f, E_NOT_FOUND, "this unit has no stations");
}

/* Choices `from` to `to` with the ballot counts beside them. */
static err print_part(struct job *j, const struct table *t, const struct print_table *head,
                      size_t from, size_t to, struct fail *f) {
    const char *columns[FIXED_COLUMNS + CHOICE_COLUMNS] = {
        "Registered / Waliosajiliwa", "Valid / Halali", "Rejected / Zilizokataliwa"};
    const size_t n = FIXED_COLUMNS + to - from;
    uint64_t *figures = arena_array(&j->arena, t->n * n, sizeof *figures);
    if (!figures) return fail_set(f, E_MEMORY, "no memory for the table");
    for (size_t k = from; k < to; k++) {
        const struct choice *c = contest_choice(j->log.fold, j->contest, (uint32_t)k);
        columns[FIXED_COLUMNS + k - from] = arena_text(&j->arena, c->name);
        if (!columns[FIXED_COLUMNS + k - from]) return fail_set(f, E_MEMORY, "no memory for names");
    }
    for (size_t i = 0; i < t->n; i++) {
        const uint64_t *row = t->figures + i * t->columns;
        memcpy(figures + i * n, row, FIXED_COLUMNS * sizeof *row);
        memcpy(figures + i * n + FIXED_COLUMNS, row + FIXED_COLUMNS + from,
               (to - from) * sizeof *row);
    }
    struct print_table part = *head;
    part.columns = columns;
    part.column_count = (unsigned)n;
    part.labels = t->labels;
    part.figures = figures;
    part.row_count = (unsigned)t->n;
    return print_table(j->stream->canvas, &part, f);
}

static err print_collation(struct job *j, struct fail *f) {
    const struct fold *s = j->log.fold;
    const uint32_t top = fold_unit_by_code(s, span_text(j->o->collation));
    struct table t = {0};
    char place[160], title[200];
    if (top == NO_UNIT ||
        !(unit_within(s, top, j->contest->unit) || unit_within(s, j->contest->unit, top)))
        return fail_set(f, E_UNIT, "\"%.60s\" is no unit of this contest's area", j->o->collation);
    TRY(collect(j, top, &t, f));
    const struct unit *u = fold_unit(s, top);
    snprintf(place, sizeof place, "%.*s %.*s", SPAN_ARG(u->code), SPAN_ARG(u->name));
    snprintf(title, sizeof title, "%.*s: collation of the figures that hold at entry %" PRIu64,
             SPAN_ARG(j->contest->name), j->log.size);
    const struct print_table head = {.form = j->o->form,
                                     .title_en = title,
                                     .title_sw = j->contest_sw,
                                     .place = place,
                                     .code = "",
                                     .anchor = j->anchor,
                                     .simulated = fold_definition(s)->simulated};
    TRY(forms_stream_group(j->stream, u->code, f));
    if (j->stream->skipping) return OK;
    const size_t choices = j->contest->choice_count;
    for (size_t from = 0; from < choices; from += CHOICE_COLUMNS) {
        const size_t to = from + CHOICE_COLUMNS < choices ? from + CHOICE_COLUMNS : choices;
        TRY(print_part(j, &t, &head, from, to, f));
    }
    j->printed->forms++;
    return OK;
}

static err run(struct job *j, struct fail *f) {
    const struct tree_log_options options = {.anchor = j->o->anchor, .what = "forms"};
    TRY(tree_open(j->o->where, &j->tree, f));
    TRY(tree_log_read(&j->tree, &options, &j->log, f));
    const struct hash fingerprint = anchor_fingerprint(buf_view(&j->log.anchor_bytes));
    hash_hex(&fingerprint, j->anchor);
    TRY(pick_contest(j, f));
    pick_group_level(j);
    j->contest_sw = swahili(j);
    TRY(load_choices(j, f));
    forms_stream_input(j->stream, span_text(j->anchor));
    forms_stream_input(j->stream, j->contest->id);
    forms_stream_input(j->stream, span_of(&j->round, sizeof j->round));
    for (unsigned k = 0; k < j->choice_count; k++) {
        forms_stream_input(j->stream, span_text(j->choices[k].name));
        forms_stream_input(j->stream, span_text(j->choices[k].party));
    }
    if (j->o->collation) /* the figures that hold now */
        forms_stream_input(j->stream, span_of(&j->log.size, sizeof j->log.size));
    return j->o->collation ? print_collation(j, f) : print_stations(j, f);
}

err forms_of_election(const struct forms_election *o, struct forms_stream *s,
                      struct forms_printed *n, struct fail *f) {
    struct job j = {.o = o, .stream = s, .printed = n};
    arena_init(&j.arena, (size_t)512 << 20);
    const err e = forms_stream_end(s, run(&j, f), f);
    tree_log_release(&j.log);
    tree_close(&j.tree);
    arena_release(&j.arena);
    return e;
}
