/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The sample file, and hesabu quickcount add: one report by hand, or the observers' records of a log. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/csv.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/quickcount_sample.h"

enum { MAX_STRATA = 100000 };

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the sample does not fit in the memory allowed");
}

static int by_unit(const void *x, const void *y) {
    return span_cmp(((const struct drawn *)x)->unit, ((const struct drawn *)y)->unit);
}

struct drawn *sample_find(const struct sample *s, struct span unit) {
    struct drawn key = {.unit = unit};
    return bsearch(&key, s->at, s->n, sizeof *s->at, by_unit);
}

static err read_sample_row(struct csv *c, const size_t at[4], struct sample *s, struct drawn *d,
                           struct fail *f) {
    uint64_t h, big, reg;
    bool have_h, have_big, have_reg;
    d->unit = arena_copy(&s->mem, csv_field(c, at[0]));
    if (!d->unit.p) return no_memory(f);
    TRY(csv_u64(c, at[1], MAX_STRATA, &have_h, &h, f));
    TRY(csv_u64(c, at[2], FX_STATIONS, &have_big, &big, f));
    TRY(csv_u64(c, at[3], FX_MOST, &have_reg, &reg, f));
    if (!have_h || h == 0 || !have_big || big == 0)
        return fail_set(f, E_CSV, "line %llu: the stratum or its number of stations is missing",
                        (unsigned long long)csv_line(c));
    d->stratum = (uint32_t)(h - 1);
    d->registered = have_reg ? (double)reg : NAN;
    d->report = UINT32_MAX;
    if (s->stations[h - 1] && s->stations[h - 1] != big)
        return fail_set(f, E_CSV, "line %llu: stratum %llu had %llu stations before, now %llu",
                        (unsigned long long)csv_line(c), (unsigned long long)h,
                        (unsigned long long)s->stations[h - 1], (unsigned long long)big);
    s->stations[h - 1] = big;
    if (h > s->strata) s->strata = h;
    return OK;
}

err sample_read(const char *path, struct sample *s, struct fail *f) {
    static const char *const name[4] = {"unit", "stratum", "stratum_stations", "registered"};
    struct csv *c = NULL;
    size_t at[4], cap = 0;
    arena_init(&s->mem, (size_t)1 << 30);
    s->stations = arena_array(&s->mem, MAX_STRATA, sizeof *s->stations);
    if (!s->stations) return no_memory(f);
    TRY(csv_open(path, &c, f));
    err e = OK;
    for (int i = 0; i < 4 && e == OK; i++) e = csv_column(c, name[i], &at[i], f);
    for (bool more = true; e == OK;) {
        e = csv_next(c, &more, f);
        if (e != OK || !more) break;
        if (s->n == cap) {
            cap = cap ? 2 * cap : 1024;
            struct drawn *grown = cap > FX_STATIONS ? NULL : reallocarray(s->at, cap, sizeof *grown);
            if (!grown) {
                e = no_memory(f);
                break;
            }
            s->at = grown;
        }
        e = read_sample_row(c, at, s, &s->at[s->n], f);
        if (e == OK) s->n++;
    }
    csv_close(c);
    if (e != OK) return e;
    qsort(s->at, s->n, sizeof *s->at, by_unit);
    for (size_t i = 1; i < s->n; i++)
        if (span_eq(s->at[i].unit, s->at[i - 1].unit))
            return fail_set(f, E_CSV, "%s: station \"%.*s\" is drawn twice", path, SPAN_ARG(s->at[i].unit));
    return s->n ? OK : fail_set(f, E_CSV, "%s has no stations", path);
}

void sample_release(struct sample *s) {
    free(s->at);
    arena_release(&s->mem);
}

/* The value of one column in "COL=N,COL=N"; false when it is not there. */
static bool figure_of(const char *text, struct span column, struct span *out) {
    for (const char *s = text; *s;) {
        size_t len = strcspn(s, ","), left = strcspn(s, "=,");
        if (left < len && span_eq(span_of(s, left), column)) {
            *out = span_of(s + left + 1, len - left - 1);
            return true;
        }
        s += len;
        if (*s == ',') s++;
    }
    return false;
}

/* One line for the reports' columns, the first of which is the unit's code. */
static err report_line(const struct csv *c, const char *figures, const char *code, struct buf *line,
                       struct fail *f) {
    buf_str(line, code);
    for (size_t i = 1; i < csv_columns(c); i++) {
        struct span v;
        uint64_t n;
        if (!figure_of(figures, csv_header(c, i), &v))
            return fail_set(f, E_USAGE, "--figures lacks \"%.*s\"", SPAN_ARG(csv_header(c, i)));
        if (u64_parse(v, FX_MOST, &n, NULL) != OK)
            return fail_set(f, E_USAGE, "--figures: \"%.*s\" is not a whole number", SPAN_ARG(v));
        buf_byte(line, ',');
        buf_u64(line, n);
    }
    buf_byte(line, '\n');
    return buf_ok(line, f);
}

/* Refuses a second report of the same station. */
static err check_reports(struct csv *c, const char *path, const char *code, struct fail *f) {
    for (bool more = true;;) {
        TRY(csv_next(c, &more, f));
        if (!more) return OK;
        if (span_is(csv_field(c, 0), code))
            return fail_set(f, E_EXISTS, "%s, line %llu: station %s has reported already; nothing was "
                            "changed", path, (unsigned long long)csv_line(c), code);
    }
}

/* --- records of observers into the file --- */

static void record_cell(struct span column, const struct fx_table *t, size_t i, struct buf *line,
                        bool *known) {
    uint32_t v = FX_ABSENT;
    *known = true;
    if (span_is(column, "time")) {
        buf_u64(line, (uint64_t)t->time_ms[i]);
        return;
    }
    if (span_is(column, "valid"))
        v = t->valid[i];
    else if (span_is(column, "rejected"))
        v = t->rejected[i];
    else {
        size_t c = 0;
        while (c < t->choices && !span_eq(t->choice[c], column)) c++;
        *known = c < t->choices;
        if (*known) v = fx_votes(t, c, i);
    }
    if (v != FX_ABSENT) buf_u64(line, v);
}

/* The file's header; a file that is not there yet gets one. */
static err begin_reports(const char *path, const struct fx_table *t, struct buf *all, struct fail *f) {
    err e = file_read(path, (size_t)1 << 28, all, f);
    if (e != E_NOT_FOUND) return e;
    buf_str(all, "unit,time,valid,rejected");
    for (size_t c = 0; c < t->choices; c++) {
        buf_byte(all, ',');
        buf_span(all, t->choice[c]);
    }
    buf_byte(all, '\n');
    return buf_ok(all, f);
}

/* Marks the stations that the file has already. */
static err mark_reported(struct csv *c, const struct sample *s, struct fail *f) {
    for (bool more = true;;) {
        TRY(csv_next(c, &more, f));
        if (!more) return OK;
        struct drawn *d = sample_find(s, csv_field(c, 0));
        if (d) d->report = 0;
    }
}

static err add_records(const struct quick_args *a, const struct sample *s, const char *reports,
                       struct buf *all, size_t *added, struct fail *f) {
    struct log_source src;
    struct log_observed seen;
    struct arena mem;
    struct csv *c = NULL;
    struct buf had;
    TRY(log_source_open(&a->log, "quickcount", &src, f));
    arena_init(&mem, (size_t)1 << 30);
    buf_init(&had, (size_t)1 << 28);
    err e = log_observed(src.log.fold, &src.pick, a->observers, &mem, &seen, f);
    if (e == OK) e = begin_reports(reports, &seen.table, all, f);
    if (e == OK && all->n && all->p[all->n - 1] != '\n') buf_byte(all, '\n');
    buf_span(&had, buf_view(all)); /* the reader needs bytes that stay where they are */
    if (e == OK) e = csv_open_span(buf_view(&had), reports, &c, f);
    if (e == OK) e = mark_reported(c, s, f);
    for (size_t i = 0; e == OK && i < seen.table.n; i++) {
        struct drawn *d = sample_find(s, seen.table.unit[i]);
        if (!d || d->report != UINT32_MAX) continue;
        buf_span(all, d->unit);
        for (size_t k = 1; k < csv_columns(c) && e == OK; k++) {
            bool known;
            buf_byte(all, ',');
            record_cell(csv_header(c, k), &seen.table, i, all, &known);
            if (!known)
                e = fail_set(f, E_CSV, "%s has a column \"%.*s\" that observers' records do not: it must be time, "
                             "valid, rejected or the id of a choice", reports, SPAN_ARG(csv_header(c, k)));
        }
        buf_byte(all, '\n');
        ++*added;
    }
    csv_close(c);
    buf_release(&had);
    arena_release(&mem);
    log_source_close(&src);
    return e;
}

/* Every drawn station's record that the file lacks. */
static err add_all(const struct quick_args *a, const char *sample, const char *reports, struct buf *out,
                   struct fail *f) {
    struct sample s = {0};
    struct buf all;
    size_t added = 0;
    buf_init(&all, (size_t)1 << 28);
    err e = sample_read(sample, &s, f);
    if (e == OK) e = add_records(a, &s, reports, &all, &added, f);
    if (e == OK) e = file_write_durable(reports, buf_view(&all), 0644, f);
    if (e == OK) buf_printf(out, "%zu reports added to %s\n", added, reports);
    buf_release(&all);
    sample_release(&s);
    return e;
}

err quick_add(const struct quick_args *a, const char *sample, const char *reports, const char *code,
              struct buf *out, struct fail *f) {
    if (!code) return add_all(a, sample, reports, out, f);
    struct sample s = {0};
    struct csv *c = NULL;
    struct buf all;
    if (!a->figures) return fail_set(f, E_USAGE, "--figures COL=N,.. is missing");
    if (strpbrk(code, ",\"\n\r")) return fail_set(f, E_USAGE, "\"%s\" is not a station's code", code);
    buf_init(&all, (size_t)1 << 28);
    err e = sample_read(sample, &s, f);
    if (e == OK && !sample_find(&s, span_text(code)))
        e = fail_set(f, E_NOT_FOUND, "station %s is not in the sample %s: only drawn stations count", code,
                     sample);
    if (e == OK) e = file_read(reports, (size_t)1 << 28, &all, f);
    if (e == OK) e = csv_open(reports, &c, f);
    if (e == OK) e = check_reports(c, reports, code, f);
    if (e == OK && all.n && all.p[all.n - 1] != '\n') buf_byte(&all, '\n');
    if (e == OK) e = report_line(c, a->figures, code, &all, f);
    csv_close(c);
    if (e == OK) e = file_write_durable(reports, buf_view(&all), 0644, f);
    if (e == OK) buf_printf(out, "%s added to %s\n", code, reports);
    buf_release(&all);
    sample_release(&s);
    return e;
}
