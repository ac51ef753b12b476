/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* GeoJSON (RFC 7946): a feature for each unit above the stations, contest and round, with its figures as
 * plain properties, which map programs can colour by. Units without a shape have none ("geometry":null),
 * and can be joined by their code. */
#include <stdio.h>
#include "base/json_out.h"
#include "service/export_walk.h"

static void figures(struct json_out *j, const struct export_source *s, const struct tally *t,
                    const struct tally_row *row, const struct total *sum) {
    const struct contest *k = fold_contest(s->fold, t->contest);
    json_ku64(j, "stations_expected", row->expected);
    json_ku64(j, "stations_received", row->received);
    json_ku64(j, "stations_counted", sum->stations);
    json_ku64(j, "stations_in_question", row->in_question);
    json_ku64(j, "registered_counted", sum->registered);
    if (sum->valid_blank < sum->stations) json_ku64(j, "valid", sum->valid);
    if (sum->rejected_blank < sum->stations) json_ku64(j, "rejected", sum->rejected);
    for (uint32_t c = 0; c < k->choice_count; c++) {
        struct span id = contest_choice(s->fold, k, c)->id;
        char key[200];
        if (!contest_has_choice(k, t->round, c)) continue;
        (void)snprintf(key, sizeof key, "votes:%.*s", (int)id.n, (const char *)id.p);
        json_ku64(j, key, sum->votes[c]);
    }
}

static void feature(struct buf *out, const struct export_source *s, const struct tally *t, size_t i,
                    const struct total *sum) {
    const struct fold *fold = s->fold;
    const struct tally_row *row = &t->rows[i];
    const struct unit *u = fold_unit(fold, row->unit);
    struct json_out j = json_out(out);
    struct span shape = places_geometry(s->places, u->code);
    json_object(&j);
    json_kstr(&j, "type", "Feature");
    json_key(&j, "geometry");
    if (shape.n)
        json_raw(&j, shape);
    else
        json_null(&j);
    json_key(&j, "properties");
    json_object(&j);
    json_kspan(&j, "contest", fold_contest(fold, t->contest)->id);
    json_ku64(&j, "round", t->round);
    json_kspan(&j, "code", u->code);
    json_kspan(&j, "name", u->name);
    json_kspan(&j, "level", fold_definition(fold)->levels[u->level]);
    if (u->parent != NO_UNIT) json_kspan(&j, "parent", fold_unit(fold, u->parent)->code);
    json_ku64(&j, "registered", row->registered);
    figures(&j, s, t, row, sum);
    json_object_end(&j);
    json_object_end(&j);
}

static err contest(const struct export_source *s, const struct tally *t, const struct total *const *totals,
                   bool *any, struct export_out *o, struct fail *f) {
    for (size_t i = 0; i < t->n; i++) {
        if (unit_is_station(s->fold, t->rows[i].unit)) continue;
        buf_str(&o->b, *any ? ",\n" : "\n");
        *any = true;
        feature(&o->b, s, t, i, totals[i]);
        TRY(export_out_spill(o, f));
    }
    return OK;
}

static void head(const struct export_source *s, struct buf *out) {
    struct export_checkpoint at;
    struct buf sentence;
    export_checkpoint(s, &at);
    buf_init(&sentence, 1 << 16);
    export_sentence(s, &sentence);
    struct json_out j = json_out(out);
    json_object(&j);
    json_kstr(&j, "type", "FeatureCollection");
    json_key(&j, "checkpoint");
    json_object(&j);
    json_kspan(&j, "origin", fold_definition(s->fold)->origin);
    json_ku64(&j, "size", at.size);
    json_kstr(&j, "root", at.root);
    json_kstr(&j, "time", at.time);
    json_object_end(&j);
    json_kspan(&j, "about", buf_view(&sentence));
    if (sentence.failed) out->failed = true;
    buf_release(&sentence);
    buf_str(out, ",\"features\":[");
}

err export_geojson(const struct export_source *s, struct export_out *o, struct fail *f) {
    bool any = false;
    head(s, &o->b);
    for (size_t i = 0; i < s->results->n; i++) {
        const struct tally *t = &s->results->tallies[i];
        const struct total **totals;
        struct arena a;
        if (!export_wants(s, t)) continue;
        arena_init(&a, (size_t)1 << 30);
        err e = export_totals(s, t, &a, &totals, f);
        if (e == OK) e = contest(s, t, totals, &any, o, f);
        arena_release(&a);
        TRY(e);
    }
    buf_str(&o->b, "\n]}\n");
    return OK;
}
