/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu quickcount estimate: from the drawn stations and the observers' reports. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/csv.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/quickcount_sample.h"

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the sample does not fit in the memory allowed");
}

/* Links reports to drawn stations; a report of a station that was not drawn, or a second one, is
 * refused: it would not be a random sample any more. (Observers' records of other stations are their
 * own affair: those are passed over.) */
static err link_reports(struct sample *s, const struct fx_table *t, const char *path,
                        struct fail *f) {
    for (size_t i = 0; i < t->n; i++) {
        struct drawn *d = sample_find(s, t->unit[i]);
        if (!d && !path) continue;
        if (!d)
            return fail_set(f, E_CSV, "%s: station \"%.*s\" is not in the sample; only drawn stations count",
                            path, SPAN_ARG(t->unit[i]));
        if (d->report != UINT32_MAX)
            return fail_set(f, E_CSV, "%s: station \"%.*s\" is reported twice; decide which holds", path,
                            SPAN_ARG(t->unit[i]));
        d->report = (uint32_t)i;
    }
    return OK;
}

enum ratio { SHARE, TURNOUT, REJECTED };

/* The item of one drawn station for one ratio; reports after `until` do not count yet. */
static struct qc_item item(const struct drawn *d, const struct fx_table *t, enum ratio what,
                           size_t choice, double cap, int64_t until) {
    struct qc_item x = {.stratum = d->stratum, .most = isnan(d->registered) ? cap : d->registered};
    if (d->report == UINT32_MAX) return x;
    size_t i = d->report;
    if (t->time_ms && t->time_ms[i] != FX_NO_TIME && t->time_ms[i] > until) return x;
    uint32_t valid = fx_valid(t, i), counted = fx_counted(t, i), rejected = fx_cell(t->rejected, i);
    if (valid == FX_ABSENT) return x;
    switch (what) {
    case SHARE: {
        uint32_t v = fx_votes(t, choice, i);
        x.a = v == FX_ABSENT ? 0 : v;
        x.m = valid;
        break;
    }
    case TURNOUT:
        if (isnan(d->registered)) return x;
        x.a = counted;
        x.m = d->registered;
        break;
    case REJECTED:
        if (rejected == FX_ABSENT) return x;
        x.a = rejected;
        x.m = counted;
        break;
    }
    x.reported = true;
    return x;
}

static err one(const struct sample *s, const struct fx_table *t, enum ratio what, size_t choice,
               double cap, int64_t until, struct qc_estimate *e, struct fail *f) {
    struct arena mem;
    arena_init(&mem, (size_t)1 << 30);
    struct qc_item *items = arena_array(&mem, s->n + 1, sizeof *items);
    err code = items ? OK : no_memory(f);
    for (size_t k = 0; k < s->n && items; k++) items[k] = item(&s->at[k], t, what, choice, cap, until);
    if (code == OK) code = qc_estimate(items, s->n, s->stations, s->strata, &mem, e, f);
    arena_release(&mem);
    return code;
}

static void json_estimate(struct json_out *j, const struct qc_estimate *e, struct span what,
                          double official, enum lang lang) {
    bool shown = !e->missing && e->reported == e->drawn;
    struct buf text;
    json_object(j);
    json_kspan(j, "of", what);
    json_ku64(j, "drawn", e->drawn);
    json_ku64(j, "reported", e->reported);
    json_kbool(j, "complete", e->reported == e->drawn);
    json_kdouble(j, "share", shown ? e->ratio : NAN);
    json_kdouble(j, "standard_error", shown ? e->se : NAN);
    json_kdouble(j, "design_effect", shown ? e->design_effect : NAN);
    json_kdouble(j, "low_95", shown ? e->low95 : NAN);
    json_kdouble(j, "high_95", shown ? e->high95 : NAN);
    json_kdouble(j, "low_99", shown ? e->low99 : NAN);
    json_kdouble(j, "high_99", shown ? e->high99 : NAN);
    json_kdouble(j, "bound_low_99", e->bound_high > e->bound_low ? e->bound_low : NAN);
    json_kdouble(j, "bound_high_99", e->bound_high > e->bound_low ? e->bound_high : NAN);
    json_kdouble(j, "official", official);
    if (e->missing) json_kstr(j, "missing", e->missing);
    buf_init(&text, 1 << 14);
    qc_say(e, what, official, lang, &text);
    json_kstr(j, "sentence", buf_cstr(&text));
    buf_release(&text);
    json_object_end(j);
}

/* Official votes by choice, from "A=N,B=N": shares of their sum. */
static err official_shares(const char *text, const struct fx_table *t, double *share,
                           struct fail *f) {
    double sum = 0;
    for (size_t c = 0; c < t->choices; c++) share[c] = NAN;
    for (const char *s = text; s && *s;) {
        size_t len = strcspn(s, ","), left = strcspn(s, "=,"), c = 0;
        uint64_t v;
        while (c < t->choices && !span_eq(t->choice[c], span_of(s, left))) c++;
        if (left >= len || c == t->choices ||
            u64_parse(span_of(s + left + 1, len - left - 1), INT64_MAX, &v, NULL) != OK)
            return fail_set(f, E_USAGE, "--official: \"%.*s\" is not COL=VOTES of one of votes=", (int)len, s);
        share[c] = (double)v;
        sum += (double)v;
        s += len;
        if (*s == ',') s++;
    }
    for (size_t c = 0; c < t->choices; c++)
        if (text && isnan(share[c]))
            return fail_set(f, E_USAGE, "--official needs the votes of every choice; \"%.*s\" is missing",
                            SPAN_ARG(t->choice[c]));
    for (size_t c = 0; c < t->choices; c++) share[c] = sum > 0 ? share[c] / sum : NAN;
    return OK;
}

/* What the log's own totals give: shares by the ids of the choices, and of how many stations. */
struct log_totals {
    uint64_t stations, expected;
};

static err log_shares(const struct log_source *src, const struct fx_table *t, double *share,
                      struct log_totals *n, struct fail *f) {
    struct log_units units;
    struct arena mem;
    double sum = 0;
    arena_init(&mem, (size_t)2 << 30);
    err e = log_units(src->log.fold, &src->pick, &mem, &units, f);
    for (size_t c = 0; c < t->choices && e == OK; c++) {
        size_t k = units.first_choice;
        while (k < units.table.columns && !span_eq(units.table.column[k], t->choice[c])) k++;
        if (k == units.table.columns) {
            e = fail_set(f, E_CHOICE, "the log's contest has no choice \"%.*s\": name the reports' columns by "
                         "the ids of the choices, or give --official", SPAN_ARG(t->choice[c]));
            break;
        }
        uint64_t v = units.table.value[k];
        share[c] = v == CMP_ABSENT ? NAN : (double)v;
        sum += v == CMP_ABSENT ? 0 : (double)v;
    }
    if (t->valid && e == OK) { /* the reports' shares are of all valid votes, not of those named */
        sum = 0;
        for (size_t k = units.first_choice; k < units.table.columns; k++)
            sum += units.table.value[k] == CMP_ABSENT ? 0 : (double)units.table.value[k];
    }
    for (size_t c = 0; c < t->choices && e == OK; c++) share[c] = sum > 0 ? share[c] / sum : NAN;
    if (e == OK) *n = (struct log_totals){units.received[0], units.expected[0]};
    arena_release(&mem);
    return e;
}

static int by_i64(const void *x, const void *y) {
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

/* The first choice's bounds as reports arrived. */
static err json_progress(const struct sample *s, const struct fx_table *t, double cap,
                         struct json_out *j, struct fail *f) {
    int64_t *time = reallocarray(NULL, t->n + 1, sizeof *time);
    size_t n = 0;
    err e = time ? OK : no_memory(f);
    for (size_t i = 0; i < t->n && time; i++)
        if (t->time_ms[i] != FX_NO_TIME) time[n++] = t->time_ms[i];
    if (time) qsort(time, n, sizeof *time, by_i64);
    json_key(j, "over_time");
    json_array(j);
    for (size_t k = 1; k <= 10 && n && e == OK; k++) {
        struct qc_estimate q;
        e = one(s, t, SHARE, 0, cap, time[(n - 1) * k / 10], &q, f);
        if (e != OK) break;
        json_object(j);
        json_key(j, "until_ms");
        json_i64(j, time[(n - 1) * k / 10]);
        json_ku64(j, "reported", q.reported);
        json_kdouble(j, "bound_low_99", q.bound_low);
        json_kdouble(j, "bound_high_99", q.bound_high);
        json_object_end(j);
    }
    json_array_end(j);
    free(time);
    return e;
}

/* What was read: reports from a file or from a log, and the log if there is one. */
struct inputs {
    struct station_csv csv;
    struct log_source log;
    struct arena mem;
    struct log_observed seen;
    const struct fx_table *t;
    size_t not_drawn;
};

static void json_observed(const struct inputs *in, struct json_out *j) {
    json_key(j, "observations");
    json_object(j);
    json_ku64(j, "reports", in->seen.reports);
    json_ku64(j, "replaced", in->seen.replaced);
    json_ku64(j, "of_other_stations", in->not_drawn);
    json_key(j, "disputed");
    json_array(j);
    for (size_t i = 0; i < in->seen.disputes; i++) json_span(j, in->seen.disputed[i]);
    json_array_end(j);
    json_object_end(j);
    log_source_json(&in->log, j);
}

static err estimate_all(const struct quick_args *a, const struct sample *s, const struct inputs *in,
                        enum lang lang, struct buf *out, struct fail *f) {
    const struct fx_table *t = in->t;
    double official[FX_CHOICES];
    struct json_out w = json_out(out), *j = &w;
    struct qc_estimate e;
    struct log_totals log = {0};
    bool from_log = a->log.dir && !a->official;
    if (from_log)
        TRY(log_shares(&in->log, t, official, &log, f));
    else
        TRY(official_shares(a->official, t, official, f));
    if (a->json) {
        json_object(j);
        if (from_log) json_ku64(j, "official_stations", log.stations);
        if (from_log) json_ku64(j, "official_expected", log.expected);
        json_ku64(j, "drawn", s->n);
        json_ku64(j, "strata", s->strata);
        json_key(j, "estimates");
        json_array(j);
    }
    for (size_t k = 0; k < t->choices + 2; k++) {
        enum ratio what = k < t->choices ? SHARE : k == t->choices ? TURNOUT : REJECTED;
        if (what == REJECTED && !t->rejected) continue;
        struct span name = k < t->choices ? t->choice[k]
                           : what == TURNOUT ? SPAN_LIT("turnout")
                                             : SPAN_LIT("rejected");
        TRY(one(s, t, what, k, (double)a->cap, INT64_MAX, &e, f));
        if (what == TURNOUT && e.reported == 0) continue; /* the register is not known */
        double o = k < t->choices ? official[k] : NAN;
        if (a->json) {
            json_estimate(j, &e, name, o, lang);
        } else {
            qc_say(&e, name, o, lang, out);
            buf_byte(out, '\n');
        }
    }
    if (from_log && !a->json)
        SAY(out, lang, "The official figures are the log's totals, of %llu of %llu stations.\n",
            "Takwimu rasmi ni jumla za kumbukumbu, za vituo %llu kati ya %llu.\n",
            (unsigned long long)log.stations, (unsigned long long)log.expected);
    if (a->json) {
        json_array_end(j);
        if (t->time_ms) TRY(json_progress(s, t, (double)a->cap, j, f));
        if (a->log.dir) json_observed(in, j);
        json_object_end(j);
        buf_byte(out, '\n');
    }
    return buf_ok(out, f);
}

static err read_inputs(const struct quick_args *a, const char *reports, struct inputs *in,
                       struct fail *f) {
    if (a->log.dir) TRY(log_source_open(&a->log, "quickcount", &in->log, f));
    if (!reports) {
        arena_init(&in->mem, (size_t)2 << 30);
        TRY(log_observed(in->log.log.fold, &in->log.pick, a->observers, &in->mem, &in->seen, f));
        in->t = &in->seen.table;
        return OK;
    }
    if (!a->columns)
        return fail_set(f, E_USAGE, "--columns is missing: unit=COL,votes=A+B[,rejected=COL]");
    TRY(station_csv_read(reports, a->columns, a->leader, NULL, &in->csv, f));
    if (!in->csv.table.unit || in->csv.table.choices == 0)
        return fail_set(f, E_USAGE, "--columns needs unit=COL and votes=COL+COL");
    in->t = &in->csv.table;
    return OK;
}

err quick_estimate(const struct quick_args *a, const char *sample, const char *reports,
                   struct buf *out, struct fail *f) {
    struct sample s = {0};
    struct inputs in;
    enum lang lang;
    memset(&in, 0, sizeof in);
    TRY(lang_parse(a->lang, &lang, f));
    err e = sample_read(sample, &s, f);
    if (e == OK) e = read_inputs(a, reports, &in, f);
    if (e == OK) e = link_reports(&s, in.t, reports, f);
    for (size_t i = 0; e == OK && i < in.t->n; i++) in.not_drawn += !sample_find(&s, in.t->unit[i]);
    if (e == OK) e = estimate_all(a, &s, &in, lang, out, f);
    station_csv_release(&in.csv);
    log_source_close(&in.log);
    arena_release(&in.mem);
    sample_release(&s);
    return e;
}
