/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu quickcount estimate: from the drawn stations and the observers' reports. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/csv.h"
#include "base/file.h"
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

/* The item of one drawn station for one ratio; reports after `until` do not count yet. */
static struct qc_item item(const struct drawn *d, const struct fx_table *t, const struct estimated *of,
                           double cap, int64_t until) {
    struct qc_item x = {.stratum = d->stratum, .most = isnan(d->registered) ? cap : d->registered};
    if (d->report == UINT32_MAX) return x;
    size_t i = d->report;
    if (t->time_ms && t->time_ms[i] != FX_NO_TIME && t->time_ms[i] > until) return x;
    uint32_t valid = fx_valid(t, i), counted = fx_counted(t, i), rejected = fx_cell(t->rejected, i);
    if (valid == FX_ABSENT) return x;
    switch (of->what) {
    case SHARE: {
        uint32_t v = fx_votes(t, of->choice, i);
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

err quick_ratio(const struct sample *s, const struct fx_table *t, const struct estimated *of, double cap,
                int64_t until, struct qc_estimate *e, struct fail *f) {
    struct arena mem;
    arena_init(&mem, (size_t)1 << 30);
    struct qc_item *items = arena_array(&mem, s->n + 1, sizeof *items);
    err code = items ? OK : no_memory(f);
    for (size_t k = 0; k < s->n && items; k++) items[k] = item(&s->at[k], t, of, cap, until);
    if (code == OK) code = qc_estimate(items, s->n, s->stations, s->strata, &mem, e, f);
    arena_release(&mem);
    return code;
}

void quick_json_members(struct json_out *j, const struct qc_estimate *e, bool at_random) {
    bool shown = !e->missing && e->reported == e->drawn, bounded = e->bound_high > e->bound_low;
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
    json_kdouble(j, "bound_low_95", bounded ? e->bound_low95 : NAN);
    json_kdouble(j, "bound_high_95", bounded ? e->bound_high95 : NAN);
    json_kdouble(j, "bound_low_99", bounded ? e->bound_low : NAN);
    json_kdouble(j, "bound_high_99", bounded ? e->bound_high : NAN);
    if (e->missing) json_kstr(j, "missing", e->missing);
    if (!at_random || shown) return;
    json_key(j, "only_if_missing_at_random");
    json_object(j);
    json_kdouble(j, "low_95", e->missing ? NAN : e->low95);
    json_kdouble(j, "high_95", e->missing ? NAN : e->high95);
    json_kdouble(j, "low_99", e->missing ? NAN : e->low99);
    json_kdouble(j, "high_99", e->missing ? NAN : e->high99);
    json_object_end(j);
}

static void json_estimate(struct json_out *j, const struct qc_estimate *e, const struct estimated *of,
                          bool at_random, enum lang lang) {
    struct buf text;
    json_object(j);
    json_kspan(j, "of", of->name);
    quick_json_members(j, e, at_random);
    json_kdouble(j, "official", of->official);
    buf_init(&text, 1 << 14);
    qc_say(e, of->name, of->official, lang, &text);
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

/* All that can be estimated from the reports: each choice, turnout, rejected. */
static size_t list_estimated(const struct fx_table *t, const double *official, struct estimated *of) {
    size_t n = 0;
    for (size_t c = 0; c < t->choices; c++)
        of[n++] = (struct estimated){SHARE, c, t->choice[c], official[c]};
    of[n++] = (struct estimated){TURNOUT, 0, SPAN_LIT("turnout"), NAN};
    if (t->rejected) of[n++] = (struct estimated){REJECTED, 0, SPAN_LIT("rejected"), NAN};
    return n;
}

/* The choice of --leader, else the first. */
static err leader_of(const struct quick_args *a, const struct fx_table *t, size_t *out, struct fail *f) {
    *out = 0;
    if (!a->leader) return OK;
    for (size_t c = 0; c < t->choices; c++)
        if (span_is(t->choice[c], a->leader)) {
            *out = c;
            return OK;
        }
    return fail_set(f, E_USAGE, "--leader %s is not one of the choices of the reports", a->leader);
}

static err over_time(const struct quick_args *a, const struct sample *s, const struct fx_table *t,
                     const struct estimated *of, size_t n, enum lang lang, struct json_out *j,
                     struct buf *out, struct fail *f) {
    struct quick_moments m;
    size_t leader;
    TRY(leader_of(a, t, &leader, f));
    TRY(quick_moments(s, t, &m, f));
    if (a->pictures && m.n == 0)
        return fail_set(f, E_USAGE, "--pictures shows reports as they arrive: they need time=COL in --columns");
    if (a->pictures) TRY(quick_time_pictures(a, s, t, &m, of, n, lang, f));
    if (m.n == 0) return OK;
    return a->json ? quick_time_json(a, s, t, &m, of, n, lang, j, f)
                   : quick_time_text(a, s, t, &m, &of[leader], lang, out, f);
}

static err estimate_all(const struct quick_args *a, const struct sample *s, const struct inputs *in,
                        enum lang lang, struct buf *out, struct fail *f) {
    const struct fx_table *t = in->t;
    double official[FX_CHOICES];
    struct estimated of[FX_CHOICES + 2];
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
    size_t all = list_estimated(t, official, of), n = 0;
    for (size_t k = 0; k < all; k++) {
        TRY(quick_ratio(s, t, &of[k], (double)a->cap, INT64_MAX, &e, f));
        if (of[k].what == TURNOUT && e.reported == 0) continue; /* the register is not known */
        of[n++] = of[k];
        if (a->json) {
            json_estimate(j, &e, &of[k], a->at_random, lang);
        } else {
            qc_say(&e, of[k].name, of[k].official, lang, out);
            buf_byte(out, '\n');
        }
    }
    if (from_log && !a->json)
        SAY(out, lang, "The official figures are the log's totals, of %llu of %llu stations.\n",
            "Takwimu rasmi ni jumla za kumbukumbu, za vituo %llu kati ya %llu.\n",
            (unsigned long long)log.stations, (unsigned long long)log.expected);
    if (a->json) json_array_end(j);
    TRY(over_time(a, s, t, of, n, lang, j, out, f));
    if (a->json) {
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
