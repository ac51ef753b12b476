/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/portal_data.h"

#include <stdio.h>
#include "base/file.h"
#include "base/json_out.h"

/* Units that have stations right below them have the lowest pages. */
static bool is_lowest(const struct fold *s, uint32_t u) {
    uint32_t child = fold_unit(s, u)->first_child;
    return child != NO_UNIT && unit_is_station(s, child);
}

static void name_row(struct json_out *j, const struct unit *u) {
    json_array(j);
    json_span(j, u->code);
    json_span(j, u->name);
    json_array_end(j);
}

/* Characters that a station's code has more than that of the unit above it; 0: codes do not nest. */
static size_t station_digits(const struct fold *s) {
    for (uint32_t i = 0; i < fold_unit_count(s); i++) {
        const struct unit *u = fold_unit(s, i);
        if (!unit_is_station(s, i) || u->parent == NO_UNIT) continue;
        struct span above = fold_unit(s, u->parent)->code;
        return span_starts(u->code, above) ? u->code.n - above.n : 0;
    }
    return 0;
}

static err search_top(const struct fold *s, struct buf *b, struct fail *f) {
    const struct definition *d = fold_definition(s);
    struct json_out j = json_out(b);
    json_object(&j);
    json_key(&j, "levels");
    json_array(&j);
    for (uint32_t l = 0; l < d->level_count; l++) json_span(&j, d->levels[l]);
    json_array_end(&j);
    json_ku64(&j, "station_digits", station_digits(s));
    json_key(&j, "shards");
    json_array(&j);
    for (uint32_t u = fold_unit(s, 0)->first_child; u != NO_UNIT; u = fold_unit(s, u)->next_sibling)
        if (!is_lowest(s, u) && !unit_is_station(s, u)) json_span(&j, fold_unit(s, u)->code);
    json_array_end(&j);
    json_key(&j, "units");
    json_array(&j);
    for (uint32_t i = 0; i < fold_unit_count(s); i++) {
        const struct unit *u = fold_unit(s, i);
        bool top = u->level <= 1 || !is_lowest(s, i);
        if (!unit_is_station(s, i) && top && !u->closed) name_row(&j, u);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(b, '\n');
    return buf_ok(b, f);
}

static void lowest_below(const struct fold *s, uint32_t u, struct json_out *j) {
    for (uint32_t c = fold_unit(s, u)->first_child; c != NO_UNIT; c = fold_unit(s, c)->next_sibling) {
        if (unit_is_station(s, c)) return;
        if (is_lowest(s, c) && !fold_unit(s, c)->closed) name_row(j, fold_unit(s, c));
        lowest_below(s, c, j); /* as deep as there are levels: at most MAX_LEVELS */
    }
}

err portal_search(const struct fold *s, const struct portal_sink *sink, struct fail *f) {
    struct buf *b;
    TRY(sink->add(sink->ctx, "search/top.json", false, &b, f));
    TRY(search_top(s, b, f));
    for (uint32_t u = fold_unit(s, 0)->first_child; u != NO_UNIT; u = fold_unit(s, u)->next_sibling) {
        char path[PAGE_PATH_MAX];
        if (is_lowest(s, u) || unit_is_station(s, u)) continue;
        (void)snprintf(path, sizeof path, "search/%.*s.json", SPAN_ARG(fold_unit(s, u)->code));
        TRY(sink->add(sink->ctx, path, false, &b, f));
        struct json_out j = json_out(b);
        json_array(&j);
        lowest_below(s, u, &j);
        json_array_end(&j);
        buf_byte(b, '\n');
        TRY(buf_ok(b, f));
    }
    return OK;
}

static void area(struct json_out *j, const struct fold *s, const struct tally *t,
                 const struct tally_row *row) {
    const struct unit *u = fold_unit(s, row->unit);
    const struct contest *k = fold_contest(s, t->contest);
    const struct total *x = &row->total[TOTAL_TRANSMITTED];
    json_object(j);
    json_kspan(j, "code", u->code);
    json_kspan(j, "name", u->name);
    json_ku64(j, "level", u->level);
    json_ku64(j, "expected", row->expected - row->not_held);
    json_ku64(j, "received", row->received);
    json_ku64(j, "in_question", row->in_question);
    json_ku64(j, "registered", x->registered);
    json_ku64(j, "ballots", x->valid + x->rejected);
    json_key(j, "votes");
    json_array(j);
    for (uint32_t c = 0; c < k->choice_count; c++)
        if (contest_has_choice(k, t->round, c)) json_u64(j, x->votes[c]);
    json_array_end(j);
    json_object_end(j);
}

err portal_areas(const struct fold *s, const struct tally *t, const struct portal_sink *sink,
                 struct fail *f) {
    const struct contest *k = fold_contest(s, t->contest);
    char path[PAGE_PATH_MAX];
    struct buf *b;
    (void)snprintf(path, sizeof path, "areas/%.*s/%u.json", SPAN_ARG(k->id), t->round);
    TRY(sink->add(sink->ctx, path, false, &b, f));
    struct json_out j = json_out(b);
    json_object(&j);
    json_ku64(&j, "size", fold_size(s));
    json_kstr(&j, "status", results_status(s, t->contest, t->round));
    if (fold_definition(s)->simulated) json_kstr(&j, "simulated", "SIMULATED");
    json_key(&j, "choices");
    json_array(&j);
    for (uint32_t c = 0; c < k->choice_count; c++) {
        if (!contest_has_choice(k, t->round, c)) continue;
        json_object(&j);
        json_kspan(&j, "name", contest_choice(s, k, c)->name);
        json_ku64(&j, "colour", c % 12);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_key(&j, "areas");
    json_array(&j);
    for (size_t i = 0; i < t->n; i++) {
        unsigned level = fold_unit(s, t->rows[i].unit)->level;
        if (level <= 2 && results_has_file(s, t, i)) area(&j, s, t, &t->rows[i]);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(b, '\n');
    return buf_ok(b, f);
}

err portal_files(const char *dir, const struct portal_sink *sink, struct fail *f) {
    static const char *const names[] = {"map.json", "boundaries.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_MAX_LEN];
        struct buf *b;
        TRY(path_join(path, sizeof path, dir, names[i], f));
        if (!file_exists(path)) continue;
        TRY(sink->add(sink->ctx, names[i], false, &b, f));
        TRY(file_read(path, (size_t)16 << 20, b, f));
    }
    return OK;
}
