/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Everything that results/ has, in one JSON file: the same bytes, one after the other. */
#include "base/json_out.h"
#include "service/export_walk.h"

/* The builders of results/ end each file with a line break. */
static void without_break(struct buf *b) {
    if (!b->failed && b->n && b->p[b->n - 1] == '\n') b->n--;
}

static err index_part(const struct export_source *s, struct buf *b, struct fail *f) {
    const struct results *r = s->results;
    TRY(results_index(s->fold, r->tallies, r->n, &r->findings, b, f));
    without_break(b);
    return OK;
}

static err contest_parts(const struct export_source *s, const struct tally *t, bool *any,
                         struct export_out *o, struct fail *f) {
    for (size_t i = 0; i < t->n; i++) {
        if (!results_has_file(s->fold, t, i)) continue;
        buf_str(&o->b, *any ? ",\n" : "\n");
        *any = true;
        TRY(results_unit(s->fold, t, &s->results->findings, i, &o->b, f));
        without_break(&o->b);
        TRY(export_out_spill(o, f));
    }
    return OK;
}

err export_json(const struct export_source *s, struct export_out *o, struct fail *f) {
    struct export_checkpoint c;
    const struct definition *d = fold_definition(s->fold);
    struct json_out j = json_out(&o->b);
    export_checkpoint(s, &c);
    json_object(&j);
    json_kstr(&j, "format", "hesabu/export/v1");
    json_key(&j, "checkpoint");
    json_object(&j);
    json_kspan(&j, "origin", d->origin);
    json_ku64(&j, "size", c.size);
    json_kstr(&j, "root", c.root);
    json_kstr(&j, "time", c.time);
    json_object_end(&j);
    json_key(&j, "index");
    TRY(index_part(s, &o->b, f));
    buf_str(&o->b, ",\n\"units\":[");
    bool any = false;
    for (size_t n = 0; n < s->results->n; n++)
        if (export_wants(s, &s->results->tallies[n]))
            TRY(contest_parts(s, &s->results->tallies[n], &any, o, f));
    buf_str(&o->b, "\n]}\n");
    return OK;
}
