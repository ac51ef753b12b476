/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A database of ours: counted stations' figures, and every named total. */
#include "service/exchange_impl.h"
#include "service/export_walk.h"
#include "store/sqlite.h"

static err text(const struct sqlite_value *v, struct span *out, struct fail *f) {
    *out = v->words;
    return v->kind == SQLITE_WORDS ? OK : fail_set(f, E_FIELD, "a text is due where the database has none");
}

static err contest_of(struct exchange *x, const struct sqlite_value *v, uint32_t *out, struct fail *f) {
    struct span id;
    TRY(text(&v[0], &id, f));
    if (v[1].kind != SQLITE_NUMBER) return fail_set(f, E_FIELD, "a round is due");
    return ex_contest_of(x, id, v[1].number, out, f);
}

static err one(struct exchange *x, uint32_t contest, struct span unit, enum exchange_channel c, bool votes,
               struct span what, const struct sqlite_value *v, struct fail *f) {
    if (v->kind == SQLITE_ABSENT) return OK;
    if (v->kind != SQLITE_NUMBER) return fail_set(f, E_FIELD, "a figure is no number");
    return ex_put(x, contest, unit, c, votes, what, v->number, f);
}

/* origin is not needed: size, root */
static err source_row(void *ctx, const struct sqlite_value *v, size_t n, struct fail *f) {
    struct exchange *x = ctx;
    struct span root;
    (void)n;
    TRY(text(&v[1], &root, f));
    if (v[0].kind == SQLITE_NUMBER) x->size = v[0].number;
    return ex_text(x, root, &x->root, f);
}

static err result_row(void *ctx, const struct sqlite_value *v, size_t n, struct fail *f) {
    static const char *const names[] = {"registered", "valid", "rejected", "objected", "disputed"};
    struct span unit;
    uint32_t contest;
    TRY(contest_of(ctx, v, &contest, f));
    TRY(text(&v[2], &unit, f));
    for (size_t i = 3; i < n; i++)
        TRY(one(ctx, contest, unit, EXCHANGE_FORM, false, span_text(names[i - 3]), &v[i], f));
    return OK;
}

/* contest, round, station, choice, votes */
static err vote_row(void *ctx, const struct sqlite_value *v, size_t n, struct fail *f) {
    struct span unit, choice;
    uint32_t contest;
    (void)n;
    TRY(contest_of(ctx, v, &contest, f));
    TRY(text(&v[2], &unit, f));
    TRY(text(&v[3], &choice, f));
    return one(ctx, contest, unit, EXCHANGE_FORM, true, choice, &v[4], f);
}

static err channel(const struct sqlite_value *v, enum exchange_channel *out, struct fail *f) {
    for (int c = EXCHANGE_TRANSMITTED; v->kind == SQLITE_WORDS && c <= EXCHANGE_COMPARED; c++)
        if (span_is(v->words, exchange_channel_name((enum exchange_channel)c))) {
            *out = (enum exchange_channel)c;
            return OK;
        }
    return fail_set(f, E_FIELD, "a total of an unknown name");
}

static err total_row(void *ctx, const struct sqlite_value *v, size_t n, struct fail *f) {
    static const char *const names[] = {"stations", "registered", "valid", "rejected", "valid_blank", "rejected_blank"};
    struct span unit;
    enum exchange_channel c;
    uint32_t contest;
    TRY(contest_of(ctx, v, &contest, f));
    TRY(text(&v[2], &unit, f));
    TRY(channel(&v[3], &c, f));
    for (size_t i = 4; i < n; i++) TRY(one(ctx, contest, unit, c, false, span_text(names[i - 4]), &v[i], f));
    return OK;
}

/* contest, round, unit, total, choice, votes */
static err total_vote_row(void *ctx, const struct sqlite_value *v, size_t n, struct fail *f) {
    struct span unit, choice;
    enum exchange_channel c;
    uint32_t contest;
    (void)n;
    TRY(contest_of(ctx, v, &contest, f));
    TRY(text(&v[2], &unit, f));
    TRY(channel(&v[3], &c, f));
    TRY(text(&v[4], &choice, f));
    return one(ctx, contest, unit, c, true, choice, &v[5], f);
}

err exchange_sqlite(struct exchange *x, const char *path, struct fail *f) {
    static const char *const tables[] = {"source", "station", "result", "vote", "total", "total_vote"};
    static const struct {
        const char *select;
        err (*each)(void *ctx, const struct sqlite_value *values, size_t n, struct fail *f);
    } parts[] = {
        {"SELECT checkpoint_size, checkpoint_root FROM source", source_row},
        {"SELECT s.contest, s.round, s.station, r.registered, r.valid_written, r.rejected, r.objected, r.disputed "
         "FROM station s JOIN result r ON r.entry = s.entry WHERE s.counted = 1", result_row},
        {"SELECT s.contest, s.round, s.station, v.choice, v.votes FROM station s JOIN vote v ON v.entry = s.entry "
         "WHERE s.counted = 1", vote_row},
        {"SELECT contest, round, unit, total, stations, registered, valid_written, rejected, valid_blank, "
         "rejected_blank FROM total", total_row},
        {"SELECT contest, round, unit, total, choice, votes FROM total_vote", total_vote_row},
    };
    struct sqlite_in *in;
    x->format = EXPORT_SQLITE;
    TRY(sqlite_in_open(path, export_sqlite_schema, &in, f));
    err e = OK;
    for (size_t i = 0; e == OK && i < sizeof tables / sizeof *tables; i++) e = sqlite_in_table(in, tables[i], f);
    for (size_t i = 0; e == OK && i < sizeof parts / sizeof *parts; i++)
        e = sqlite_in_rows(in, parts[i].select, parts[i].each, x, f);
    sqlite_in_close(in);
    return e;
}
