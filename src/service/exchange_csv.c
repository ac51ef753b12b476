/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* stations.csv, as this program writes it: the figures of each station's one standing result. */
#include "base/csv.h"
#include "base/text.h"
#include "service/exchange_impl.h"

enum { FIGURES = 5, COLUMNS_MAX = 600 };

struct csv_in {
    struct exchange *x;
    struct csv *c;
    size_t contest, round, station, counted, votes, size, root, figure[FIGURES];
    bool wide;
    bool is_choice[COLUMNS_MAX]; /* "votes:a" */
};

static err columns(struct csv_in *r, struct fail *f) {
    static const char *const figures[FIGURES] = {"registered", "valid_written", "rejected", "objected", "disputed"};
    TRY(csv_column(r->c, "contest", &r->contest, f));
    TRY(csv_column(r->c, "round", &r->round, f));
    TRY(csv_column(r->c, "station", &r->station, f));
    TRY(csv_column(r->c, "counted", &r->counted, f));
    TRY(csv_column(r->c, "checkpoint_size", &r->size, f));
    TRY(csv_column(r->c, "checkpoint_root", &r->root, f));
    for (int i = 0; i < FIGURES; i++) TRY(csv_column(r->c, figures[i], &r->figure[i], f));
    if (csv_columns(r->c) > COLUMNS_MAX) return fail_set(f, E_TOO_LARGE, "more than %d columns", COLUMNS_MAX);
    for (size_t i = 0; i < csv_columns(r->c); i++) {
        r->is_choice[i] = span_starts(csv_header(r->c, i), SPAN_LIT("votes:"));
        r->wide |= r->is_choice[i];
    }
    return r->wide ? OK : csv_column(r->c, "votes", &r->votes, f);
}

/* The same checkpoint in every row. */
static err checkpoint(struct csv_in *r, struct fail *f) {
    struct exchange *x = r->x;
    struct span root = csv_field(r->c, r->root);
    uint64_t size;
    if (!root.n && !csv_field(r->c, r->size).n) return OK;
    TRY(ex_number(csv_field(r->c, r->size), &size, f));
    if (x->root == EX_NONE) {
        x->size = size;
        return ex_text(x, root, &x->root, f);
    }
    if (x->size != size || !span_eq(ex_span(x, x->root), root)) return fail_set(f, E_FIELD, "rows of several checkpoints");
    return OK;
}

/* "a=12;b=34" */
static err packed_votes(struct csv_in *r, uint32_t contest, struct span unit, struct fail *f) {
    struct span s = csv_field(r->c, r->votes);
    while (s.n) {
        const uint8_t *end = memchr(s.p, ';', s.n), *equal = memchr(s.p, '=', s.n);
        size_t n = end ? (size_t)(end - s.p) : s.n;
        uint64_t v;
        if (!equal || equal >= s.p + n) return fail_set(f, E_FIELD, "votes are written as a=12;b=34");
        size_t name = (size_t)(equal - s.p);
        TRY(ex_number(span_of(equal + 1, n - name - 1), &v, f));
        TRY(ex_put(r->x, contest, unit, EXCHANGE_FORM, true, span_of(s.p, name), v, f));
        s = span_from(s, end ? n + 1 : n);
    }
    return OK;
}

static err row(struct csv_in *r, struct fail *f) {
    static const char *const names[FIGURES] = {"registered", "valid", "rejected", "objected", "disputed"};
    struct exchange *x = r->x;
    struct span unit = csv_field(r->c, r->station), counted = csv_field(r->c, r->counted);
    uint64_t v;
    uint32_t contest;
    TRY(checkpoint(r, f));
    TRY(ex_number(csv_field(r->c, r->round), &v, f));
    TRY(ex_contest_of(x, csv_field(r->c, r->contest), v, &contest, f));
    if (!unit.n) return fail_set(f, E_FIELD, "a row without a station's code");
    if (!span_is(counted, "yes") && !span_is(counted, "no")) return fail_set(f, E_FIELD, "\"counted\" is yes or no");
    TRY(ex_put(x, contest, unit, EXCHANGE_FORM, false, SPAN_LIT("counted"), span_is(counted, "yes"), f));
    for (int i = 0; i < FIGURES; i++) {
        struct span field = csv_field(r->c, r->figure[i]);
        if (!field.n) continue;
        TRY(ex_number(field, &v, f));
        TRY(ex_put(x, contest, unit, EXCHANGE_FORM, false, span_text(names[i]), v, f));
    }
    if (!r->wide) return packed_votes(r, contest, unit, f);
    for (size_t i = 0; i < csv_columns(r->c); i++) {
        struct span field = csv_field(r->c, i);
        if (!r->is_choice[i] || !field.n) continue;
        TRY(ex_number(field, &v, f));
        TRY(ex_put(x, contest, unit, EXCHANGE_FORM, true, span_from(csv_header(r->c, i), 6), v, f));
    }
    return OK;
}

err exchange_csv(struct exchange *x, struct span text, struct fail *f) {
    struct csv_in r = {.x = x};
    bool more = true;
    x->format = EXPORT_CSV;
    TRY(csv_open_span(text, "stations.csv", &r.c, f));
    err e = columns(&r, f);
    while (e == OK && (e = csv_next(r.c, &more, f)) == OK && more)
        if ((e = row(&r, f)) != OK) e = fail_context(f, e, "line %llu", (unsigned long long)csv_line(r.c));
    csv_close(r.c);
    return e;
}
