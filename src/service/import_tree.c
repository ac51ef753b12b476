/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/import_tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/text.h"

enum { NUMBER_MAX = 9, NAME_BYTES_MAX = 200, SAME_NUMBER_MAX = 1000 };

struct columns {
    size_t code[PRESET_LEVELS_MAX], name[PRESET_LEVELS_MAX];
    size_t registered, valid, rejected, votes[PRESET_CHOICES_MAX];
};

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the stations do not fit in the memory set aside for them");
}

void import_tree_release(struct import_tree *t) {
    free(t->rows);
    for (size_t l = 0; l < PRESET_LEVELS_MAX; l++) free(t->nodes[l]);
}

/* ---- reading rows ---- */

static err map_columns(const struct import_tree *t, const struct csv *c, struct columns *at,
                       struct fail *f) {
    const struct import_map *m = t->m;
    if (m->level_count < 2 || m->level_count >= PRESET_LEVELS_MAX ||
        m->choice_count > PRESET_CHOICES_MAX)
        return fail_set(f, E_CONFIG, "an import needs 2 to 7 levels and at most 64 choices");
    for (size_t l = 0; l < m->level_count; l++) {
        if (!m->levels[l].code && !m->levels[l].name)
            return fail_set(f, E_CONFIG,
                            "level \"%.40s\" has neither a column of codes nor of names",
                            m->levels[l].level);
        if (m->levels[l].code) TRY(csv_column(c, m->levels[l].code, &at->code[l], f));
        if (m->levels[l].name) TRY(csv_column(c, m->levels[l].name, &at->name[l], f));
    }
    if (m->registered) TRY(csv_column(c, m->registered, &at->registered, f));
    if (m->valid) TRY(csv_column(c, m->valid, &at->valid, f));
    if (m->rejected) TRY(csv_column(c, m->rejected, &at->rejected, f));
    for (size_t i = 0; i < m->choice_count; i++)
        TRY(csv_column(c, m->choices[i].column, &at->votes[i], f));
    return OK;
}

static err cell_wrong(const struct import_tree *t, const struct csv *c, size_t column,
                      const char *what, struct fail *f) {
    struct span v = csv_field(c, column), h = csv_header(c, column);
    return fail_set(f, E_CSV, "%s, line %llu, column \"%.*s\": \"%.*s\" %s", t->path,
                    (unsigned long long)csv_line(c), SPAN_ARG(h), SPAN_ARG(v), what);
}

static struct span trimmed(struct span s) {
    while (s.n && s.p[0] == ' ') s = span_from(s, 1);
    while (s.n && s.p[s.n - 1] == ' ') s.n--;
    return s;
}

/* "001 APAC", or "AJIVU 001" where a line was broken: the number and the name apart. */
static bool number_and_name(struct span s, struct import_part *out, bool *at_end) {
    size_t n = 0;
    while (n < s.n && char_is_digit(s.p[n])) n++;
    *at_end = false;
    if (n > 0 && n < s.n && s.p[n] == ' ') {
        out->number = span_of(s.p, n);
        out->name = trimmed(span_from(s, n));
    } else {
        size_t from = s.n;
        while (from > 0 && char_is_digit(s.p[from - 1])) from--;
        if (from == s.n || from == 0 || s.p[from - 1] != ' ') return false;
        out->number = span_from(s, from);
        out->name = trimmed(span_of(s.p, from));
        *at_end = true;
    }
    return out->number.n <= NUMBER_MAX && out->name.n > 0;
}

static err read_part(struct import_tree *t, const struct csv *c, const struct columns *at, size_t l,
                     struct import_part *out, bool *at_end, struct fail *f) {
    const struct import_level *level = &t->m->levels[l];
    struct import_part p = {0};
    if (level->name) {
        p.name = csv_field(c, at->name[l]);
        if (p.name.n == 0 || p.name.n > NAME_BYTES_MAX || !text_is_plain(p.name))
            return cell_wrong(t, c, at->name[l],
                              "is not a name (1 to 200 bytes, no control characters)", f);
    }
    if (level->code) {
        p.number = csv_field(c, at->code[l]);
        bool good = p.number.n > 0 && p.number.n <= NUMBER_MAX;
        for (size_t i = 0; i < p.number.n; i++) good = good && char_is_digit(p.number.p[i]);
        if (!good) return cell_wrong(t, c, at->code[l], "is not a code of 1 to 9 digits", f);
    } else {
        bool end;
        struct span whole = p.name;
        if (!number_and_name(whole, &p, &end))
            return cell_wrong(t, c, at->name[l],
                              "has no number of up to 9 digits before its name to"
                              " make a code of",
                              f);
        *at_end = *at_end || end;
    }
    out->number = arena_copy(t->a, p.number);
    out->name = arena_copy(t->a, p.name);
    return out->number.p && out->name.p ? OK : no_memory(f);
}

static err read_figures(struct import_tree *t, const struct csv *c, const struct columns *at,
                        struct import_row *r, struct fail *f) {
    const struct import_map *m = t->m;
    uint64_t most = PRESET_VOTERS_MAX;
#define CELL(column, to) TRY(csv_u64(c, column, most, &(to).present, &(to).value, f))
    if (m->registered) CELL(at->registered, r->registered);
    if (m->valid) CELL(at->valid, r->valid);
    if (m->rejected) CELL(at->rejected, r->rejected);
    r->votes = arena_array(t->a, m->choice_count, sizeof *r->votes);
    if (!r->votes) return no_memory(f);
    for (size_t i = 0; i < m->choice_count; i++) CELL(at->votes[i], r->votes[i]);
#undef CELL
    return OK;
}

static err read_rows(struct import_tree *t, struct csv *c, struct fail *f) {
    struct columns at;
    TRY(map_columns(t, c, &at, f));
    for (bool more;;) {
        TRY(csv_next(c, &more, f));
        if (!more) break;
        if (t->row_count == t->row_room) {
            size_t room = t->row_room ? t->row_room * 2 : 4096;
            struct import_row *grown = NULL;
            if (room <= 2 * (size_t)PRESET_STATIONS_MAX)
                grown = realloc(t->rows, room * sizeof *grown);
            if (!grown) return no_memory(f);
            t->rows = grown;
            t->row_room = room;
        }
        struct import_row *r = &t->rows[t->row_count];
        bool at_end = false;
        memset(r, 0, sizeof *r);
        r->line = csv_line(c);
        for (size_t l = 0; l < t->m->level_count; l++)
            TRY(read_part(t, c, &at, l, &r->part[l], &at_end, f));
        TRY(read_figures(t, c, &at, r, f));
        t->report->number_at_end += at_end;
        t->row_count++;
    }
    t->report->rows = t->row_count;
    if (t->row_count == 0 || t->row_count > PRESET_STATIONS_MAX)
        return fail_set(f, E_CSV, "%s has %zu rows: 1 to %d stations are possible", t->path,
                        t->row_count, PRESET_STATIONS_MAX);
    return OK;
}

/* ---- the tree ---- */

static int part_cmp(const struct import_part *a, const struct import_part *b) {
    int c = span_cmp(a->number, b->number);
    return c ? c : span_cmp(a->name, b->name);
}

static int row_cmp(const void *pa, const void *pb, void *ctx) {
    const struct import_tree *t = ctx;
    const struct import_row *a = pa, *b = pb;
    for (size_t l = 0; l < t->m->level_count; l++) {
        int c = part_cmp(&a->part[l], &b->part[l]);
        if (c) return c;
    }
    return a->line < b->line ? -1 : a->line > b->line;
}

/* The first level at which two rows differ; level_count when they name the same station. */
static size_t differ_at(const struct import_tree *t, size_t a, size_t b) {
    size_t l = 0;
    while (l < t->m->level_count && part_cmp(&t->rows[a].part[l], &t->rows[b].part[l]) == 0) l++;
    return l;
}

static err grow_tree(struct import_tree *t, struct fail *f) {
    size_t levels = t->m->level_count;
    for (size_t l = 0; l < levels; l++) {
        t->nodes[l] = calloc(t->row_count, sizeof *t->nodes[l]);
        if (!t->nodes[l]) return no_memory(f);
    }
    for (size_t i = 0; i < t->row_count; i++) {
        size_t from = i ? differ_at(t, i - 1, i) : 0;
        if (from == levels)
            return fail_set(f, E_CSV,
                            "%s: lines %llu and %llu are the same station, \"%.*s\": keep "
                            "one",
                            t->path, (unsigned long long)t->rows[i - 1].line,
                            (unsigned long long)t->rows[i].line,
                            SPAN_ARG(t->rows[i].part[levels - 1].name));
        for (size_t l = 0; l < levels; l++) {
            if (l >= from)
                t->nodes[l][t->node_count[l]++] =
                    (struct import_node){.parent = l ? t->node_count[l - 1] - 1 : PRESET_NO_UNIT,
                                         .row = (uint32_t)i,
                                         .name = t->rows[i].part[l].name};
            struct import_node *n = &t->nodes[l][t->node_count[l] - 1];
            if (t->rows[i].line < t->rows[n->row].line) n->row = (uint32_t)i;
        }
        t->rows[i].node = t->node_count[levels - 1] - 1;
    }
    return OK;
}

/* Siblings of one number stand side by side (rows are sorted): numbers them in file order. A level
 * with its own column of codes may not have any. */
static err tell_apart(struct import_tree *t, size_t l, uint32_t *most, struct fail *f) {
    struct import_node *n = t->nodes[l];
    for (uint32_t i = 0, k; i < t->node_count[l]; i += k) {
        struct span number = t->rows[n[i].row].part[l].number;
        for (k = 1; i + k < t->node_count[l] && n[i + k].parent == n[i].parent &&
                    span_eq(t->rows[n[i + k].row].part[l].number, number);)
            k++;
        if (k > 1 && t->m->levels[l].code)
            return fail_set(f, E_CSV,
                            "%s: lines %llu and %llu give the %s %.*s two names: \"%.*s\" "
                            "and \"%.*s\"",
                            t->path, (unsigned long long)t->rows[n[i].row].line,
                            (unsigned long long)t->rows[n[i + 1].row].line, t->m->levels[l].level,
                            SPAN_ARG(number), SPAN_ARG(n[i].name), SPAN_ARG(n[i + 1].name));
        if (k > SAME_NUMBER_MAX)
            return fail_set(f, E_CSV, "%s: %u of the %s bear the number %.*s under one unit",
                            t->path, k, t->m->levels[l].level, SPAN_ARG(number));
        for (uint32_t x = 0; x < k; x++)
            for (uint32_t y = 0; y < k; y++)
                n[i + x].nth += t->rows[n[i + y].row].line < t->rows[n[i + x].row].line ||
                                (t->rows[n[i + y].row].line == t->rows[n[i + x].row].line && y < x);
        if (k - 1 > *most) *most = k - 1;
        t->report->number_repeated += k - 1;
    }
    return OK;
}

static err make_codes(struct import_tree *t, struct fail *f) {
    size_t above = 0;
    for (size_t l = 0; l < t->m->level_count; l++) {
        uint32_t most = 0, extra = 0;
        size_t width = 0;
        TRY(tell_apart(t, l, &most, f));
        for (uint32_t v = most; v; v /= 10) extra++;
        for (size_t i = 0; i < t->row_count; i++)
            if (t->rows[i].part[l].number.n > width) width = t->rows[i].part[l].number.n;
        if (width + extra > NUMBER_MAX || above + width + extra > PRESET_CODE_MAX)
            return fail_set(f, E_CSV,
                            "%s: codes of the %s would need %zu digits, of 9 a level and %d"
                            " in all",
                            t->path, t->m->levels[l].level, width + extra, PRESET_CODE_MAX);
        t->digits[l] = (uint8_t)(width + extra);
        for (uint32_t i = 0; i < t->node_count[l]; i++) {
            struct import_node *n = &t->nodes[l][i];
            struct span number = t->rows[n->row].part[l].number;
            char code[2 * PRESET_CODE_MAX + 32];
            int at = snprintf(code, sizeof code, "%.*s%.*s%.*s", (int)above,
                              l ? (const char *)t->nodes[l - 1][n->parent].code.p : "",
                              (int)(width - number.n), "000000000", (int)number.n,
                              (const char *)number.p);
            if (extra)
                at += snprintf(code + at, sizeof code - (size_t)at, "%0*u", (int)extra, n->nth);
            n->code = arena_copy(t->a, span_of(code, (size_t)at));
            if (!n->code.p) return no_memory(f);
        }
        above += width + extra;
    }
    return OK;
}

static int node_cmp(const void *a, const void *b) {
    return span_cmp(((const struct import_node *)a)->code, ((const struct import_node *)b)->code);
}

static int row_code_cmp(const void *pa, const void *pb, void *ctx) {
    const struct import_tree *t = ctx;
    const struct import_row *a = pa, *b = pb;
    const struct import_node *nodes = t->nodes[t->m->level_count - 1];
    return span_cmp(nodes[a->node].code, nodes[b->node].code);
}

/* Rows and nodes in the order of codes. Two numbers like "1" and "01" become the same code. */
static err sort_by_code(struct import_tree *t, struct fail *f) {
    size_t levels = t->m->level_count;
    qsort_r(t->rows, t->row_count, sizeof *t->rows, row_code_cmp, t);
    for (size_t l = 0; l < levels; l++) {
        /* parents are read for codes only, which are made: their indices may change now */
        qsort(t->nodes[l], t->node_count[l], sizeof *t->nodes[l], node_cmp);
        for (uint32_t i = 1; i < t->node_count[l]; i++)
            if (span_eq(t->nodes[l][i].code, t->nodes[l][i - 1].code))
                return fail_set(f, E_CSV,
                                "%s: two of the %s get the code %.*s (\"%.*s\" and "
                                "\"%.*s\"): write their numbers with the same digits",
                                t->path, t->m->levels[l].level, SPAN_ARG(t->nodes[l][i].code),
                                SPAN_ARG(t->nodes[l][i - 1].name), SPAN_ARG(t->nodes[l][i].name));
    }
    for (size_t i = 0; i < t->row_count; i++) t->rows[i].node = (uint32_t)i; /* one a station */
    t->report->stations = t->row_count;
    return OK;
}

err import_tree_read(struct import_tree *t, struct fail *f) {
    struct csv *c;
    TRY(csv_open(t->path, &c, f));
    err e = read_rows(t, c, f);
    csv_close(c);
    TRY(e);
    qsort_r(t->rows, t->row_count, sizeof *t->rows, row_cmp, t);
    TRY(grow_tree(t, f));
    TRY(make_codes(t, f));
    return sort_by_code(t, f);
}
