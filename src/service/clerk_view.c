/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/clerk_view.h"

#include <stdio.h>
#include <stdlib.h>
#include "service/clerk_form.h"

static bool own_key(const struct clerk_desk *w, struct key_view *k) {
    return fold_key(w->log->fold, w->name, k);
}

void clerk_view_key(const struct clerk_desk *w, struct json_out *j) {
    const struct fold *s = w->log->fold;
    struct key_view k;
    const char *state = "valid";
    if (!own_key(w, &k))
        state = "unknown";
    else if (k.revoked_at < fold_size(s))
        state = "revoked";
    else if (w->now_ms < k.not_before_ms)
        state = "early";
    else if (w->now_ms > k.not_after_ms)
        state = "expired";
    json_object(j);
    json_kspan(j, "name", w->name);
    json_kstr(j, "state", state);
    json_object_end(j);
}

/* --- the form --- */

static void where(const struct fold *s, const struct cell *c, struct json_out *j) {
    json_kspan(j, "contest", fold_contest(s, c->contest)->id);
    json_kspan(j, "contest_name", fold_contest(s, c->contest)->name);
    json_ku64(j, "round", c->round);
    json_kspan(j, "station", fold_unit(s, c->station)->code);
    json_kspan(j, "station_name", fold_unit(s, c->station)->name);
    json_key(j, "areas");
    json_array(j);
    for (uint32_t u = fold_unit(s, c->station)->parent; u != NO_UNIT && u != 0; u = fold_unit(s, u)->parent)
        json_span(j, fold_unit(s, u)->name);
    json_array_end(j);
}

static void fields(const struct fold *s, const struct cell *c, struct json_out *j) {
    struct clerk_form *w = calloc(1, sizeof *w);
    json_array(j);
    if (w) clerk_form_init(w, s, c->contest, c->round);
    else j->b->failed = true;
    for (size_t i = 0; w && i < w->n; i++) {
        const bool choice = strncmp(w->field[i].name, "votes.", 6) == 0;
        json_object(j);
        json_kstr(j, "name", w->field[i].name);
        if (choice) json_kspan(j, "label", w->field[i].label);
        if (choice) json_kspan(j, "party", w->field[i].party);
        json_object_end(j);
    }
    json_array_end(j);
    free(w);
}

void clerk_view_task(const struct clerk_desk *w, const struct desk_task *t, size_t pages, struct json_out *j) {
    const struct fold *s = w->log->fold;
    const struct cell *c = fold_cell_at(s, t->cell);
    struct hash image = fold_id(s, fold_image(s, t->image)->entry);
    json_object(j);
    json_khex(j, "id", hash_span(&image));
    where(s, c, j);
    json_kbool(j, "resumes", t->resumes);
    json_ku64(j, "pages", pages);
    json_key(j, "fields");
    fields(s, c, j);
    json_object_end(j);
}

/* --- what the own reading's opening has made public --- */

static void figures_json(const struct fold *s, const struct cell *c, const struct figures *g, struct json_out *j) {
    const struct contest *k = fold_contest(s, c->contest);
    const struct {
        const char *name;
        uint64_t v;
    } counts[] = {{"ballots.registered", g->registered}, {"ballots.valid", g->valid},
                  {"ballots.rejected", g->rejected},     {"ballots.objected", g->objected},
                  {"ballots.disputed", g->disputed}};
    json_object(j);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i].v != ABSENT) json_ku64(j, counts[i].name, counts[i].v);
    for (uint32_t i = 0; i < k->choice_count; i++) {
        char name[FORM_NAME_MAX];
        if (!contest_has_choice(k, c->round, i) || g->votes[i] == ABSENT) continue;
        (void)snprintf(name, sizeof name, "votes.%.*s", SPAN_ARG(contest_choice(s, k, i)->id));
        json_ku64(j, name, g->votes[i]);
    }
    json_object_end(j);
}

static const char *outcome(const struct fold *s, const struct cell *c, const struct desk *d, uint64_t now_ms) {
    uint32_t open[3];
    if (cell_transcribed(s, c)) return "transcribed";
    if (desk_agreed(s, c) != NO_READING) return cell_current(s, c) ? "sent-differs" : "agreed";
    if (desk_disagrees(s, c)) return "disagree";
    if (desk_open(s, d, open) >= 2) return "third";
    return desk_wanted(s, c, now_ms) ? "reader" : "waits";
}

static void after(const struct clerk_desk *w, const struct seal *own, struct json_out *j) {
    const struct fold *s = w->log->fold;
    const struct cell *c = fold_cell_at(s, own->cell);
    const struct desk *d = cell_desk(s, c);
    const struct result *sent = cell_current(s, c);
    struct figures g;
    json_kstr(j, "outcome", outcome(s, c, d, w->now_ms));
    json_key(j, "fields");
    fields(s, c, j);
    json_key(j, "read");
    json_array(j);
    for (uint32_t i = d->first_seal; i != NO_SEAL; i = fold_seal(s, i)->next) {
        const struct seal *x = fold_seal(s, i);
        struct key_view k;
        if (x->reading == NO_READING) continue;
        fold_key_at(s, x->key, &k);
        reading_figures(s, fold_reading(s, x->reading), &g);
        json_object(j);
        json_kspan(j, "key", k.name);
        json_kbool(j, "own", x == own);
        json_kbool(j, "machine", x->machine);
        json_key(j, "figures");
        figures_json(s, c, &g, j);
        json_object_end(j);
    }
    json_array_end(j);
    json_key(j, "sent");
    if (sent) {
        result_figures(s, sent, &g);
        figures_json(s, c, &g, j);
    } else {
        json_null(j);
    }
}

/* --- the clerk's readings --- */

static void logged(const struct clerk_desk *w, const struct seal *x, struct json_out *j) {
    const struct fold *s = w->log->fold;
    struct hash record = fold_id(s, x->entry);
    /* by the log's time: a clock that is wrong here would call readings lapsed that are not */
    enum seal_state state = seal_state_at(s, x, fold_last_ms(s));
    json_object(j);
    json_khex(j, "record", hash_span(&record));
    where(s, fold_cell_at(s, x->cell), j);
    json_ku64(j, "entry", x->entry);
    json_ku64(j, "ms", x->ms);
    if (state == SEAL_CLOSED && x->deadline_ms != UINT64_MAX) json_ku64(j, "deadline", x->deadline_ms);
    json_kstr(j, "state", state == SEAL_OPEN      ? "open"
                          : state == SEAL_LAPSED  ? "lapsed"
                          : x->deadline_ms == UINT64_MAX ? "waiting"
                                                         : "opening");
    if (state == SEAL_OPEN) after(w, x, j); /* nothing before that */
    json_object_end(j);
}

struct unlogged {
    const struct clerk_desk *w;
    const struct clerk_sent *sent;
    size_t n;
    struct json_out *j;
};

static err one_unlogged(void *ctx, const struct opening *o, struct fail *f) {
    struct unlogged *u = ctx;
    const struct fold *s = u->w->log->fold;
    struct json_out *j = u->j;
    struct hash election;
    (void)f;
    if (!span_eq(o->key, u->w->name) || !fold_election(s, &election) || !hash_eq(&election, &o->election) ||
        seal_by_id(s, &o->record))
        return OK;
    uint32_t contest = fold_contest_by_id(s, o->contest), unit = fold_unit_by_code(s, o->station);
    uint32_t at = contest == NO_CONTEST || unit == NO_UNIT ? NO_CELL : fold_cell_find(s, contest, o->round, unit);
    const struct clerk_sent *sent = NULL;
    for (size_t i = 0; i < u->n; i++)
        if (hash_eq(&u->sent[i].record, &o->record)) sent = &u->sent[i];
    if (at == NO_CELL) return OK;
    json_object(j);
    json_khex(j, "record", hash_span(&o->record));
    where(s, fold_cell_at(s, at), j);
    json_kstr(j, "state", sent && sent->refused.code ? "refused" : "sending");
    if (sent && sent->refused.code) {
        json_kstr(j, "code", err_info(sent->refused.code)->name);
        json_kstr(j, "sentence", sent->refused.text);
    }
    json_object_end(j);
    return OK;
}

err clerk_view_readings(const struct clerk_desk *w, const struct clerk_sent *sent, size_t n, struct json_out *j,
                        struct fail *f) {
    const struct fold *s = w->log->fold;
    struct unlogged u = {w, sent, n, j};
    unsigned shown = 0;
    json_array(j);
    err e = openings_each(w->dir, one_unlogged, &u, f);
    for (size_t i = fold_seal_count(s); i-- > 0 && shown < CLERK_VIEW_READINGS;) {
        const struct seal *x = fold_seal(s, (uint32_t)i);
        struct key_view k;
        fold_key_at(s, x->key, &k);
        if (!span_eq(k.name, w->name)) continue;
        logged(w, x, j);
        shown++;
    }
    json_array_end(j);
    return e;
}
