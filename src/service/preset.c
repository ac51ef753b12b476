/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/preset.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/text.h"
#include "service/preset_json.h"

enum { JSON_BYTES_MAX = 1 << 20, NAME_MAX_BYTES = 200, LETTERS = 26 };

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the preset does not fit in the memory set aside for it");
}

uint32_t preset_unit_find(const struct preset *p, uint8_t level, struct span code) {
    if (level >= p->level_count) return PRESET_NO_UNIT;
    uint32_t low = p->level_first[level], high = p->level_first[level + 1];
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int c = span_cmp(p->units[mid].code, code);
        if (c == 0) return mid;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return PRESET_NO_UNIT;
}

uint32_t preset_unit_at(const struct preset *p, uint32_t unit, uint8_t level) {
    while (unit != PRESET_NO_UNIT && p->units[unit].level > level) unit = p->units[unit].parent;
    return unit;
}

/* ---- CSV files of units ---- */

/* The columns of one file, by meaning; a column that is none of them is refused. */
enum { COL_CODE, COL_NAME, COL_PARENT, COL_REGISTERED, COL_STATIONS, COLS };

struct table {
    struct csv *c;
    const char *file;
    size_t at[COLS];
    bool has[COLS];
    size_t choice_at[PRESET_CHOICES_MAX];
    size_t valid_at, rejected_at;
};

static err cell_wrong(const struct table *t, size_t column, const char *what, struct fail *f) {
    struct span v = csv_field(t->c, column), h = csv_header(t->c, column);
    return fail_set(f, E_CONFIG, "%s, line %llu, column \"%.*s\": \"%.*s\" %s", t->file,
                    (unsigned long long)csv_line(t->c), SPAN_ARG(h), SPAN_ARG(v), what);
}

static err cell(const struct table *t, size_t column, uint64_t max, struct preset_cell *out,
                struct fail *f) {
    return csv_u64(t->c, column, max, &out->present, &out->value, f);
}

/* Finds the optional columns and refuses those that no preset has. */
static err known_columns(struct table *t, const char *parent, struct fail *f) {
    const char *const names[COLS] = {"code", "name", parent, "registered", "stations"};
    for (size_t i = 0; i < csv_columns(t->c); i++) {
        struct span h = csv_header(t->c, i);
        size_t k = 0;
        while (k < COLS && !(names[k] && span_is(h, names[k]))) k++;
        if (k == COLS)
            return fail_set(f, E_CONFIG,
                            "%s, line 1: column \"%.*s\" is not one that a file of units"
                            " has (code, name, %s, registered, stations)",
                            t->file, SPAN_ARG(h), parent ? parent : "-");
        t->at[k] = i;
        t->has[k] = true;
    }
    for (size_t k = 0; k <= COL_NAME; k++)
        if (!t->has[k])
            return fail_set(f, E_CONFIG, "%s, line 1: the column \"%s\" is missing", t->file,
                            names[k]);
    return OK;
}

static err code_of(const struct table *t, const struct preset *p, uint8_t level, struct span *out,
                   struct fail *f) {
    struct span s = csv_field(t->c, t->at[COL_CODE]);
    bool good = s.n == p->levels[level].code_length;
    for (size_t i = 0; i < s.n; i++) good = good && char_is_digit(s.p[i]);
    if (!good) {
        char what[80];
        (void)snprintf(what, sizeof what, "is not a code of %u digits",
                       (unsigned)p->levels[level].code_length);
        return cell_wrong(t, t->at[COL_CODE], what, f);
    }
    *out = s;
    return OK;
}

static err unit_row(const struct table *t, struct preset *p, uint8_t level, struct arena *a,
                    struct preset_unit *u, struct fail *f) {
    struct span code, name = csv_field(t->c, t->at[COL_NAME]);
    TRY(code_of(t, p, level, &code, f));
    if (p->unit_count > p->level_first[level] &&
        span_cmp(code, p->units[p->unit_count - 1].code) <= 0)
        return cell_wrong(t, t->at[COL_CODE],
                          "does not follow the row before it: rows stand in the"
                          " order of their codes, without repeats",
                          f);
    if (name.n == 0 || name.n > NAME_MAX_BYTES || !text_is_plain(name))
        return cell_wrong(t, t->at[COL_NAME],
                          "is not a name (1 to 200 bytes, no control "
                          "characters)",
                          f);
    u->level = level;
    u->parent = 0;
    if (level > 1) {
        struct span above = span_of(code.p, p->levels[level - 1].code_length);
        u->parent = preset_unit_find(p, (uint8_t)(level - 1), above);
        if (u->parent == PRESET_NO_UNIT)
            return cell_wrong(t, t->at[COL_CODE],
                              "begins with a code that the level above does not"
                              " have",
                              f);
        if (t->has[COL_PARENT] && !span_eq(csv_field(t->c, t->at[COL_PARENT]), above))
            return cell_wrong(t, t->at[COL_PARENT], "is not what the code begins with", f);
        u->national_only = p->units[u->parent].national_only;
    }
    struct preset_cell stations = {0};
    if (t->has[COL_REGISTERED])
        TRY(cell(t, t->at[COL_REGISTERED], PRESET_VOTERS_MAX, &u->registered, f));
    if (t->has[COL_STATIONS]) TRY(cell(t, t->at[COL_STATIONS], PRESET_STATIONS_MAX, &stations, f));
    u->stations = stations.value;
    u->code = arena_copy(a, code);
    u->name = arena_copy(a, name);
    return u->code.p && u->name.p ? OK : no_memory(f);
}

/* How many numbers from 1 on fit into so many digits. */
static uint64_t numbers_of(unsigned digits) {
    uint64_t v = 1;
    while (digits--) v *= 10;
    return v - 1;
}

/* What every lowest area must say, or no station could be expected there. */
static err lowest_row(const struct table *t, const struct preset *p, const struct preset_unit *u,
                      struct fail *f) {
    const struct preset_level *station = &p->levels[p->level_count - 1];
    if (!u->registered.present)
        return cell_wrong(t, t->at[COL_REGISTERED], "is blank: an area needs its registered voters",
                          f);
    if (u->stations == 0)
        return cell_wrong(t, t->at[COL_STATIONS], "is not a number of stations (at least 1)", f);
    uint64_t most = numbers_of(station->digits);
    if (p->centre) most *= numbers_of(p->levels[p->level_count - 2].digits);
    if (u->stations > most)
        return cell_wrong(t, t->at[COL_STATIONS], "is more than the stations' codes can number", f);
    return OK;
}

static err units_grow(struct preset_unit **list, uint32_t count, uint32_t *room, struct fail *f) {
    if (count < *room) return OK;
    if (*room >= PRESET_UNITS_MAX)
        return fail_set(f, E_CONFIG, "the preset has more than %d units", PRESET_UNITS_MAX);
    uint32_t more = *room ? *room * 2 : 1024;
    struct preset_unit *grown = realloc(*list, more * sizeof *grown);
    if (!grown) return no_memory(f);
    *list = grown;
    *room = more;
    return OK;
}

static err units_file(struct preset *p, uint8_t level, bool lowest, struct table *t,
                      struct arena *a, uint32_t *room, struct fail *f) {
    char parent[64] = "";
    if (level > 1)
        (void)snprintf(parent, sizeof parent, "%.*s", SPAN_ARG(p->levels[level - 1].name));
    TRY(known_columns(t, level > 1 ? parent : NULL, f));
    for (size_t k = COL_REGISTERED; lowest && k <= COL_STATIONS; k++)
        if (!t->has[k])
            return fail_set(f, E_CONFIG,
                            "%s, line 1: the lowest areas need the columns "
                            "\"registered\" and \"stations\"",
                            t->file);
    p->level_first[level] = p->unit_count;
    for (bool more;;) {
        TRY(csv_next(t->c, &more, f));
        if (!more) break;
        TRY(units_grow(&p->units, p->unit_count, room, f));
        struct preset_unit *u = &p->units[p->unit_count];
        memset(u, 0, sizeof *u);
        p->level_first[level + 1] = p->unit_count; /* so that the search sees what stands above */
        TRY(unit_row(t, p, level, a, u, f));
        if (lowest) TRY(lowest_row(t, p, u, f));
        p->unit_count++;
    }
    p->level_first[level + 1] = p->unit_count;
    if (p->unit_count == p->level_first[level])
        return fail_set(f, E_CONFIG, "%s has no rows", t->file);
    return OK;
}

static err open_table(const char *dir, const char *file, struct table *t, struct fail *f) {
    char path[PATH_MAX_LEN];
    *t = (struct table){.file = file};
    TRY(path_join(path, sizeof path, dir, file, f));
    return csv_open(path, &t->c, f);
}

/* Sums registered voters and stations upwards; a figure that a file gives must be that sum. */
static err sum_upwards(struct preset *p, struct fail *f) {
    uint64_t *voters = calloc(p->unit_count, sizeof *voters), *stations = NULL;
    if (voters) stations = calloc(p->unit_count, sizeof *stations);
    err e = voters && stations ? OK : no_memory(f);
    for (uint32_t i = p->unit_count; e == OK && i-- > 0;) {
        struct preset_unit *u = &p->units[i];
        bool lowest = i >= p->level_first[p->units[p->unit_count - 1].level];
        if (!lowest && stations[i] == 0)
            e = fail_set(f, E_CONFIG,
                         "%.*s %.*s (%.*s) has no station below it: remove it or list "
                         "its areas",
                         SPAN_ARG(p->levels[u->level].name), SPAN_ARG(u->code), SPAN_ARG(u->name));
        else if (!lowest && ((u->registered.present && u->registered.value != voters[i]) ||
                             (u->stations && u->stations != stations[i])))
            e = fail_set(f, E_CONFIG,
                         "%.*s %.*s: its own figures are not the sum of those below it "
                         "(%llu registered, %llu stations)",
                         SPAN_ARG(p->levels[u->level].name), SPAN_ARG(u->code),
                         (unsigned long long)voters[i], (unsigned long long)stations[i]);
        if (!lowest) {
            u->registered = (struct preset_cell){true, voters[i]};
            u->stations = stations[i];
        }
        if (u->parent != PRESET_NO_UNIT) { /* 2^20 units of 2^31 at most: no overflow */
            voters[u->parent] += u->registered.value;
            stations[u->parent] += u->stations;
        }
    }
    if (e == OK && p->units[0].stations > PRESET_STATIONS_MAX)
        e = fail_set(f, E_CONFIG, "the preset has more than %d stations", PRESET_STATIONS_MAX);
    free(voters);
    free(stations);
    return e;
}

static err mark_national_only(struct preset *p, const struct preset_files *files, struct fail *f) {
    for (uint32_t i = 0; i < files->national_only_count; i++) {
        uint32_t u = preset_unit_find(p, 1, files->national_only[i]);
        if (u == PRESET_NO_UNIT)
            return fail_set(f, E_CONFIG,
                            "preset.json: national_only[%u]: no unit has the code %.*s", i,
                            SPAN_ARG(files->national_only[i]));
        p->units[u].national_only = true;
    }
    return OK;
}

static err read_units(const char *dir, struct preset *p, const struct preset_files *files,
                      struct arena *a, struct fail *f) {
    uint32_t room = 0;
    TRY(units_grow(&p->units, 0, &room, f));
    p->units[0] = (struct preset_unit){
        .code = files->nation_code, .name = files->nation_title, .parent = PRESET_NO_UNIT};
    p->unit_count = 1;
    p->level_first[1] = 1;
    for (uint32_t i = 0; i < files->unit_files; i++) {
        struct table t;
        TRY(open_table(dir, files->units[i].file, &t, f));
        err e = units_file(p, files->units[i].level, i + 1 == files->unit_files, &t, a, &room, f);
        csv_close(t.c);
        TRY(e);
        if (files->units[i].level == 1) TRY(mark_national_only(p, files, f));
    }
    /* levels below the listed ones have no units here */
    for (uint32_t l = files->unit_files + 1; l <= p->level_count; l++)
        p->level_first[l] = p->unit_count;
    return sum_upwards(p, f);
}

/* ---- contests ---- */

static uint64_t hash_text(struct span s) {
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a: a seed, nothing more */
    for (size_t i = 0; i < s.n; i++) h = (h ^ s.p[i]) * 0x100000001b3u;
    return h;
}

static err make_placeholders(struct arena *a, struct preset_choice **out, struct fail *f) {
    struct preset_choice *c = arena_array(a, LETTERS, sizeof *c);
    if (!c) return no_memory(f);
    for (int i = 0; i < LETTERS; i++) {
        char id[2] = {(char)('a' + i), 0}, name[40];
        (void)snprintf(name, sizeof name, "Candidate %c (SIMULATED)", 'A' + i);
        c[i].id = arena_copy(a, span_text(id));
        c[i].name = arena_copy(a, span_text(name));
        c[i].party = SPAN_LIT("");
        if (!c[i].id.p || !c[i].name.p) return no_memory(f);
    }
    *out = c;
    return OK;
}

static err make_contest(const struct preset *p, uint32_t kind, uint32_t unit,
                        const struct preset_choice *placeholders, struct arena *a,
                        struct preset_contest *c, struct fail *f) {
    const struct preset_kind *k = &p->kinds[kind];
    const struct preset_unit *u = &p->units[unit];
    char text[1000];
    *c = (struct preset_contest){.kind = kind,
                                 .unit = unit,
                                 .id = k->id,
                                 .title = k->title,
                                 .choices = k->choices,
                                 .choice_count = k->choice_count};
    if (k->level > 0) {
        int n = snprintf(text, sizeof text, "%.*s-%.*s", SPAN_ARG(k->id), SPAN_ARG(u->code));
        c->id = arena_copy(a, span_of(text, (size_t)n));
        n = snprintf(text, sizeof text, "%.*s, %.*s", (int)k->title.n, (const char *)k->title.p,
                     (int)u->name.n, (const char *)u->name.p);
        c->title = arena_copy(a, span_of(text, (size_t)n));
        if (!c->id.p || !c->title.p) return no_memory(f);
    }
    if (c->choices) return OK;
    struct rng r;
    rng_init(&r, hash_text(c->id));
    c->choices = placeholders;
    c->choice_count = k->placeholder_least +
                      (uint32_t)rng_below(&r, k->placeholder_most - k->placeholder_least + 1);
    return OK;
}

err preset_make_contests(struct preset *p, struct arena *a, struct fail *f) {
    struct preset_choice *placeholders = NULL;
    TRY(make_placeholders(a, &placeholders, f));
    size_t n = 0;
    for (uint32_t k = 0; k < p->kind_count; k++)
        n += p->level_first[p->kinds[k].level + 1] - p->level_first[p->kinds[k].level];
    p->contests = arena_array(a, n, sizeof *p->contests);
    if (!p->contests) return no_memory(f);
    p->contest_count = 0;
    for (uint32_t k = 0; k < p->kind_count; k++) {
        uint8_t l = p->kinds[k].level;
        for (uint32_t u = p->level_first[l]; u < p->level_first[l + 1]; u++) {
            if (p->units[u].national_only) continue;
            TRY(make_contest(p, k, u, placeholders, a, &p->contests[p->contest_count], f));
            p->contest_count++;
        }
    }
    return OK;
}

/* ---- published totals ---- */

static err totals_columns(struct table *t, const struct preset_contest *c, struct fail *f) {
    TRY(csv_column(t->c, "code", &t->at[COL_CODE], f));
    TRY(csv_column(t->c, "name", &t->at[COL_NAME], f));
    TRY(csv_column(t->c, "registered", &t->at[COL_REGISTERED], f));
    TRY(csv_column(t->c, "valid", &t->valid_at, f));
    TRY(csv_column(t->c, "rejected", &t->rejected_at, f));
    for (uint32_t i = 0; i < c->choice_count; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%.*s", SPAN_ARG(c->choices[i].id));
        TRY(csv_column(t->c, name, &t->choice_at[i], f));
    }
    if (csv_columns(t->c) != c->choice_count + 5)
        return fail_set(f, E_CONFIG,
                        "%s, line 1: %zu columns where code, name, registered, valid, "
                        "rejected and %u choices make %u",
                        t->file, csv_columns(t->c), c->choice_count, c->choice_count + 5);
    return OK;
}

static err totals_row(const struct table *t, const struct preset *p, uint8_t level,
                      const struct preset_contest *c, struct arena *a, struct preset_row *row,
                      struct fail *f) {
    struct span code;
    TRY(code_of(t, p, level, &code, f));
    row->line = csv_line(t->c);
    row->unit = preset_unit_find(p, level, code);
    if (row->unit == PRESET_NO_UNIT)
        return cell_wrong(t, t->at[COL_CODE], "is a code that no unit has", f);
    if (p->row_count && p->rows[p->row_count - 1].unit >= row->unit)
        return cell_wrong(t, t->at[COL_CODE],
                          "does not follow the row before it: rows stand in the"
                          " order of their codes, without repeats",
                          f);
    if (!span_eq(csv_field(t->c, t->at[COL_NAME]), p->units[row->unit].name))
        return cell_wrong(t, t->at[COL_NAME],
                          "is not the name that the file of units has for this"
                          " code",
                          f);
    TRY(cell(t, t->at[COL_REGISTERED], PRESET_VOTERS_MAX, &row->registered, f));
    TRY(cell(t, t->valid_at, PRESET_VOTERS_MAX, &row->valid, f));
    TRY(cell(t, t->rejected_at, PRESET_VOTERS_MAX, &row->rejected, f));
    row->votes = arena_array(a, c->choice_count, sizeof *row->votes);
    if (!row->votes) return no_memory(f);
    for (uint32_t i = 0; i < c->choice_count; i++)
        TRY(cell(t, t->choice_at[i], PRESET_VOTERS_MAX, &row->votes[i], f));
    return OK;
}

static err totals_rows(struct preset *p, uint8_t level, struct table *t, struct arena *a,
                       struct fail *f) {
    const struct preset_contest *c = &p->contests[p->totals_contest];
    TRY(totals_columns(t, c, f));
    size_t room = p->level_first[level + 1] - p->level_first[level];
    p->rows = arena_array(a, room, sizeof *p->rows);
    if (!p->rows) return no_memory(f);
    for (bool more;;) {
        TRY(csv_next(t->c, &more, f));
        if (!more) return OK;
        struct preset_row row = {0};
        TRY(totals_row(t, p, level, c, a, &row, f));
        p->rows[p->row_count++] = row; /* strictly ascending units: never more than there is room */
    }
}

static err read_totals(const char *dir, struct preset *p, const struct preset_files *files,
                       struct arena *a, struct fail *f) {
    p->totals_contest = PRESET_NO_UNIT;
    if (!files->totals_file) return OK;
    for (uint32_t i = 0; i < p->contest_count; i++)
        if (span_eq(p->contests[i].id, files->totals_kind)) p->totals_contest = i;
    if (p->totals_contest == PRESET_NO_UNIT)
        return fail_set(f, E_CONFIG, "preset.json: totals.contest names no contest");
    p->totals_level = files->totals_level;
    struct table t;
    TRY(open_table(dir, files->totals_file, &t, f));
    err e = totals_rows(p, files->totals_level, &t, a, f);
    csv_close(t.c);
    return e;
}

/* While loading, units stand in a growing array; in the end they are moved into the arena. */
static err load_files(const char *dir, struct preset *p, const struct preset_files *files,
                      struct arena *a, struct fail *f) {
    p->units = NULL;
    err e = read_units(dir, p, files, a, f);
    struct preset_unit *grown = p->units;
    if (e == OK) {
        p->units = arena_array(a, p->unit_count, sizeof *p->units);
        if (p->units)
            memcpy(p->units, grown, p->unit_count * sizeof *grown);
        else
            e = no_memory(f);
    }
    free(grown);
    TRY(e);
    TRY(preset_make_contests(p, a, f));
    return read_totals(dir, p, files, a, f);
}

err preset_load(const char *dir, struct arena *a, struct preset *out, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct preset_files files;
    struct buf text;
    TRY(path_join(path, sizeof path, dir, "preset.json", f));
    buf_init(&text, JSON_BYTES_MAX);
    err e = file_read(path, JSON_BYTES_MAX, &text, f);
    if (e == OK) e = preset_json_read(buf_view(&text), "preset.json", a, out, &files, f);
    buf_release(&text);
    TRY(e);
    e = load_files(dir, out, &files, a, f);
    if (e != OK) memset(out, 0, sizeof *out);
    return e;
}
