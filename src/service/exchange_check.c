/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What an export of the log must say, format by format, and what a file says. */
#include "service/exchange_impl.h"
#include "service/export_walk.h"

struct expect {
    struct exchange *x;
    const struct export_source *s;
    const struct tally *t;
    const struct contest *k;
    uint32_t contest; /* in x */
    struct span unit;
    struct fail *f;
};

static err figure(struct expect *e, enum exchange_channel c, const char *what, uint64_t v) {
    return v == ABSENT ? OK : ex_put(e->x, e->contest, e->unit, c, false, span_text(what), v, e->f);
}

/* `blank`: choices that are ABSENT are left out. */
static err votes(struct expect *e, enum exchange_channel c, const uint64_t *v) {
    for (uint32_t n = 0; n < e->k->choice_count; n++) {
        if (v[n] == ABSENT || !contest_has_choice(e->k, e->t->round, n)) continue;
        TRY(ex_put(e->x, e->contest, e->unit, c, true, contest_choice(e->s->fold, e->k, n)->id, v[n], e->f));
    }
    return OK;
}

static uint64_t choices_sum(const struct expect *e, const struct total *sum) {
    uint64_t n = 0; /* cannot overflow: figures are below 2^30 */
    for (uint32_t c = 0; c < e->k->choice_count; c++)
        if (contest_has_choice(e->k, e->t->round, c)) n += sum->votes[c];
    return n;
}

static err form(struct expect *e, const struct result *r) {
    TRY(figure(e, EXCHANGE_FORM, "registered", r->registered));
    TRY(figure(e, EXCHANGE_FORM, "valid", r->valid));
    TRY(figure(e, EXCHANGE_FORM, "rejected", r->rejected));
    TRY(figure(e, EXCHANGE_FORM, "objected", r->objected_votes));
    TRY(figure(e, EXCHANGE_FORM, "disputed", r->disputed));
    return votes(e, EXCHANGE_FORM, result_votes(e->s->fold, r));
}

/* --- a row of a tally, in each format --- */

static err expect_err(struct expect *e, size_t i, const struct total *sum) {
    (void)i;
    if (sum->stations == 0) return OK;
    if (!sum->valid_blank && !sum->rejected_blank) TRY(figure(e, EXCHANGE_TOTAL, "cast", sum->valid + sum->rejected));
    if (sum->rejected_blank < sum->stations) TRY(figure(e, EXCHANGE_TOTAL, "rejected", sum->rejected));
    return votes(e, EXCHANGE_TOTAL, sum->votes);
}

/* The total has no code there. */
static err expect_eml(struct expect *e, size_t i, const struct total *sum) {
    if (i != 0 && (!export_is_station(e->s, e->t, i) || !sum->stations)) return OK;
    for (int part = 0; part < 2; part++) { /* a contest of one station is its own total */
        if (part == 0 && i != 0) continue;
        if (part == 1 && (!export_is_station(e->s, e->t, i) || !sum->stations)) break;
        e->unit = part == 0 ? (struct span){0} : fold_unit(e->s->fold, e->t->rows[i].unit)->code;
        uint64_t counted = choices_sum(e, sum);
        TRY(figure(e, EXCHANGE_TOTAL, "cast", counted + sum->rejected));
        TRY(figure(e, EXCHANGE_TOTAL, "total counted", counted));
        if (!sum->rejected_blank || sum->rejected_blank < sum->stations)
            TRY(figure(e, EXCHANGE_TOTAL, "rejected", sum->rejected));
        TRY(votes(e, EXCHANGE_TOTAL, sum->votes));
    }
    return OK;
}

static err expect_geojson(struct expect *e, size_t i, const struct total *sum) {
    const struct tally_row *row = &e->t->rows[i];
    if (unit_is_station(e->s->fold, row->unit)) return OK;
    TRY(figure(e, EXCHANGE_TOTAL, "registered", row->registered));
    TRY(figure(e, EXCHANGE_TOTAL, "stations_expected", row->expected));
    TRY(figure(e, EXCHANGE_TOTAL, "stations_received", row->received));
    TRY(figure(e, EXCHANGE_TOTAL, "stations_counted", sum->stations));
    TRY(figure(e, EXCHANGE_TOTAL, "stations_in_question", row->in_question));
    TRY(figure(e, EXCHANGE_TOTAL, "registered_counted", sum->registered));
    if (sum->valid_blank < sum->stations) TRY(figure(e, EXCHANGE_TOTAL, "valid", sum->valid));
    if (sum->rejected_blank < sum->stations) TRY(figure(e, EXCHANGE_TOTAL, "rejected", sum->rejected));
    return votes(e, EXCHANGE_TOTAL, sum->votes);
}

static err expect_csv(struct expect *e, size_t i, const struct total *unused) {
    struct export_station st;
    (void)unused;
    if (!export_is_station(e->s, e->t, i)) return OK;
    export_station(e->s, e->t, i, &st);
    TRY(figure(e, EXCHANGE_FORM, "counted", st.counted));
    return st.result ? form(e, st.result) : OK;
}

static err named_totals(struct expect *e, const struct tally_row *row) {
    for (int n = 0; n < TOTAL_COUNT; n++) {
        const struct total *sum = &row->total[n];
        enum exchange_channel c = (enum exchange_channel)(EXCHANGE_TRANSMITTED + n);
        TRY(figure(e, c, "stations", sum->stations));
        TRY(figure(e, c, "registered", sum->registered));
        TRY(figure(e, c, "valid", sum->valid));
        TRY(figure(e, c, "rejected", sum->rejected));
        TRY(figure(e, c, "valid_blank", sum->valid_blank));
        TRY(figure(e, c, "rejected_blank", sum->rejected_blank));
        TRY(votes(e, c, sum->votes));
    }
    return OK;
}
_Static_assert(EXCHANGE_TRANSMITTED + TOTAL_TRANSCRIBED == (int)EXCHANGE_TRANSCRIBED &&
                   EXCHANGE_TRANSMITTED + TOTAL_COMPARED == (int)EXCHANGE_COMPARED,
               "named totals in the order of the channels");

static err expect_sqlite(struct expect *e, size_t i, const struct total *unused) {
    const struct tally_row *row = &e->t->rows[i];
    struct export_station st;
    (void)unused;
    if (!unit_is_station(e->s->fold, row->unit)) return named_totals(e, row);
    if (!export_is_station(e->s, e->t, i)) return OK;
    export_station(e->s, e->t, i, &st);
    return st.counted && st.result ? form(e, st.result) : OK;
}

/* What the collations say that a declaration rests on. */
static err declared(struct expect *e, uint32_t unit) {
    const struct fold *fold = e->s->fold;
    uint32_t d = declaration_of(fold, e->t->contest, e->t->round);
    uint32_t c = d == NO_DECLARATION ? NO_COLLATION : fold_collation_of(fold, e->t->contest, e->t->round, unit);
    if (c == NO_COLLATION || fold_declaration(fold, d)->collation == NO_COLLATION) return OK;
    const struct collation *k = fold_collation(fold, c);
    TRY(figure(e, EXCHANGE_DECLARED, "registered", k->registered));
    TRY(figure(e, EXCHANGE_DECLARED, "valid", k->valid));
    TRY(figure(e, EXCHANGE_DECLARED, "rejected", k->rejected));
    return votes(e, EXCHANGE_DECLARED, collation_votes(fold, k->votes_at));
}

static err expect_json(struct expect *e, size_t i, const struct total *unused) {
    const struct fold *fold = e->s->fold;
    const struct tally_row *row = &e->t->rows[i];
    (void)unused;
    if (results_has_file(fold, e->t, i)) {
        TRY(named_totals(e, row));
        for (int n = 0; n < TOTAL_COUNT; n++) {
            enum exchange_channel c = (enum exchange_channel)(EXCHANGE_TRANSMITTED + n);
            TRY(figure(e, c, "objected", row->total[n].objected));
            TRY(figure(e, c, "disputed", row->total[n].disputed));
        }
        return declared(e, row->unit);
    }
    const struct result *r = row->cell == NO_CELL ? NULL : cell_transmitted(fold, fold_cell_at(fold, row->cell));
    if (!r) return OK;
    TRY(figure(e, EXCHANGE_FORM, "voters_kit", r->voters_kit));
    TRY(figure(e, EXCHANGE_FORM, "voters_manual", r->voters_manual));
    return form(e, r);
}

/* --- all of them --- */

static err (*const expects[EXPORT_FORMATS])(struct expect *e, size_t i, const struct total *sum) = {
    [EXPORT_CSV] = expect_csv,     [EXPORT_JSON] = expect_json,       [EXPORT_ERR_JSON] = expect_err,
    [EXPORT_ERR_XML] = expect_err, [EXPORT_EML] = expect_eml,         [EXPORT_GEOJSON] = expect_geojson,
    [EXPORT_SQLITE] = expect_sqlite,
};

/* The file's contest of this identifier and round; one that the file does not say the round of is any. */
static err contest_in(struct expect *e) {
    struct exchange *x = e->x;
    uint32_t id = ex_find_text(x, e->k->id);
    for (uint32_t i = 0; id != EX_NONE && i < x->contests.n; i++) {
        const struct ex_contest *k = ex_contest(x, i);
        if (k->id != id || (k->round && k->round != e->t->round)) continue;
        e->contest = i;
        return OK;
    }
    return ex_contest_of(x, e->k->id, e->t->round, &e->contest, e->f);
}

static err one_tally(struct expect *e, bool *registered) {
    const struct total **totals;
    struct arena a;
    arena_init(&a, (size_t)1 << 30);
    err code = export_totals(e->s, e->t, &a, &totals, e->f);
    for (size_t i = 0; code == OK && i < e->t->n; i++) {
        const struct unit *u = fold_unit(e->s->fold, e->t->rows[i].unit);
        e->unit = u->code;
        code = expects[e->x->format](e, i, totals[i]);
        if (code != OK || !registered || registered[e->t->rows[i].unit]) continue;
        registered[e->t->rows[i].unit] = true;
        code = ex_put(e->x, EX_EVERY, u->code, EXCHANGE_TOTAL, false, SPAN_LIT("registered"), u->registered, e->f);
    }
    arena_release(&a);
    return code;
}

err exchange_expect(struct exchange *x, const struct export_source *s, struct fail *f) {
    bool *registered = NULL;
    struct arena a;
    err e = OK;
    if (!expects[x->format]) return fail_set(f, E_INTERNAL, "a format without figures");
    arena_init(&a, (size_t)1 << 26);
    if (x->format == EXPORT_ERR_JSON || x->format == EXPORT_ERR_XML) {
        registered = arena_array(&a, (size_t)fold_unit_count(s->fold) + 1, sizeof *registered);
        if (!registered) e = fail_set(f, E_MEMORY, "no memory for the units");
    }
    x->expected.n = 0;
    x->into = &x->expected;
    for (size_t n = 0; e == OK && n < s->results->n; n++) {
        const struct tally *t = &s->results->tallies[n];
        struct expect ex = {.x = x, .s = s, .t = t, .k = fold_contest(s->fold, t->contest), .f = f};
        if (!export_wants(s, t)) continue;
        e = contest_in(&ex);
        if (e == OK) e = one_tally(&ex, registered);
    }
    x->into = &x->read;
    arena_release(&a);
    return e == OK ? ex_finish(x, &x->expected, false, f) : e;
}

/* --- side by side --- */

static void differ(const struct exchange *x, const struct ex_figure *g, uint64_t file, uint64_t log,
                   struct exchange_report *out) {
    out->differs += file != EXCHANGE_BLANK && log != EXCHANGE_BLANK;
    out->missing += file == EXCHANGE_BLANK;
    out->extra += log == EXCHANGE_BLANK;
    if (out->listed == EXCHANGE_LISTED) return;
    bool every = g->contest >= x->contests.n;
    out->at[out->listed++] = (struct exchange_difference){
        .contest = every ? (struct span){0} : ex_span(x, ex_contest(x, g->contest)->id),
        .round = every ? 0 : ex_contest(x, g->contest)->round,
        .unit = ex_span(x, g->unit), .channel = (enum exchange_channel)g->channel, .votes = g->votes,
        .what = ex_span(x, g->what), .file = file, .log = log};
}

err exchange_check(struct exchange *x, const struct export_source *s, struct exchange_report *out, struct fail *f) {
    *out = (struct exchange_report){0};
    TRY(exchange_expect(x, s, f));
    const struct ex_figure *a = x->read.at, *b = x->expected.at;
    size_t i = 0, k = 0;
    uint32_t contest = EX_NONE, unit = EX_NONE;
    while (i < x->read.n || k < x->expected.n) {
        int c = i == x->read.n ? 1 : k == x->expected.n ? -1 : ex_order(&a[i], &b[k]);
        const struct ex_figure *g = c <= 0 ? &a[i] : &b[k];
        out->contests += g->contest != contest && g->contest != EX_EVERY;
        out->units += (g->unit != unit || g->contest != contest) && g->contest != EX_EVERY;
        contest = g->contest;
        unit = g->unit;
        out->figures++;
        if (c == 0 && a[i].value == b[k].value)
            out->equal++;
        else
            differ(x, g, c <= 0 ? a[i].value : EXCHANGE_BLANK, c >= 0 ? b[k].value : EXCHANGE_BLANK, out);
        i += c <= 0;
        k += c >= 0;
    }
    return OK;
}
