/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/export_walk.h"

#include "base/clock.h"

enum { SPILL_BYTES = 1 << 20 };
/* One row or one file of results/ at a time, far below this. */
static const size_t PIECE_MAX = (size_t)1 << 30;

void export_out_init(struct export_out *o, const struct export_sink *sink) {
    o->sink = sink;
    buf_init(&o->b, PIECE_MAX);
}

void export_out_release(struct export_out *o) {
    buf_release(&o->b);
}

err export_out_end(struct export_out *o, struct fail *f) {
    TRY(buf_ok(&o->b, f));
    if (o->b.n) TRY(o->sink->put(o->sink->ctx, buf_view(&o->b), f));
    buf_clear(&o->b);
    return OK;
}

err export_out_spill(struct export_out *o, struct fail *f) {
    return o->b.failed || o->b.n >= SPILL_BYTES ? export_out_end(o, f) : OK;
}

void export_checkpoint(const struct export_source *s, struct export_checkpoint *out) {
    struct hash election = {0};
    out->size = fold_size(s->fold);
    out->ms = fold_last_ms(s->fold);
    clock_format_utc(out->ms, out->time);
    base64_encode(hash_span(&s->root), out->root);
    (void)fold_election(s->fold, &election);
    hash_hex(&election, out->election);
}

void export_sentence(const struct export_source *s, struct buf *out) {
    struct export_checkpoint c;
    const struct definition *d = fold_definition(s->fold);
    export_checkpoint(s, &c);
    buf_printf(out, "Made at checkpoint %llu of %.*s, root %s, last entry %s.",
               (unsigned long long)c.size, SPAN_ARG(d->origin), c.root, c.time);
    buf_str(out, " Provisional, not declared.");
    if (d->simulated && !span_starts(d->notice, SPAN_LIT("SIMULATED"))) buf_str(out, " SIMULATED.");
    if (d->notice.n) {
        buf_byte(out, ' ');
        buf_span(out, d->notice);
    }
}

bool export_wants(const struct export_source *s, const struct tally *t) {
    return !s->contest || span_is(fold_contest(s->fold, t->contest)->id, s->contest);
}

size_t export_wanted(const struct export_source *s, bool *one_contest) {
    size_t n = 0;
    uint32_t contest = NO_CONTEST;
    *one_contest = true;
    for (size_t i = 0; i < s->results->n; i++) {
        const struct tally *t = &s->results->tallies[i];
        if (!export_wants(s, t)) continue;
        if (n++ && t->contest != contest) *one_contest = false;
        contest = t->contest;
    }
    return n;
}

bool export_is_station(const struct export_source *s, const struct tally *t, size_t i) {
    return t->rows[i].expected > 0 && unit_is_station(s->fold, t->rows[i].unit);
}

void export_station(const struct export_source *s, const struct tally *t, size_t i,
                    struct export_station *out) {
    const struct fold *fold = s->fold;
    const struct tally_row *row = &t->rows[i];
    *out = (struct export_station){.unit = fold_unit(fold, row->unit), .row = row,
                                   .valid_computed = ABSENT};
    out->state = results_station_state(fold, &s->results->findings, t, row);
    if (row->cell == NO_CELL) return;
    out->cell = fold_cell_at(fold, row->cell);
    out->standing = out->cell->current;
    out->result = cell_current(fold, out->cell);
    out->counted = row->total[TOTAL_TRANSMITTED].stations > 0;
    uint32_t image = out->result ? out->result->first_image : NO_IMAGE;
    if (image == NO_IMAGE) image = out->cell->first_image;
    if (image != NO_IMAGE) out->image = fold_image(fold, image);
    if (!out->result) return;
    const uint64_t *votes = result_votes(fold, out->result);
    for (uint32_t c = 0; c < t->choice_count; c++) {
        if (votes[c] == ABSENT) continue;
        out->valid_computed = (out->valid_computed == ABSENT ? 0 : out->valid_computed) + votes[c];
    }
}

void export_findings(const struct export_source *s, const struct tally_row *row, bool open,
                     struct buf *out) {
    const struct findings *fi = &s->results->findings;
    bool any = false;
    if (row->cell == NO_CELL) return;
    for (size_t i = fi->first[row->cell]; i < fi->first[row->cell + 1]; i++) {
        if (open && fi->items[i].decision != NO_DECISION) continue;
        if (any) buf_byte(out, ' ');
        any = true;
        buf_str(out, finding_name(fi->items[i].code));
    }
}

void export_desk(const struct export_source *s, const struct cell *c, struct export_desk *out) {
    const struct fold *fold = s->fold;
    struct figures held;
    *out = (struct export_desk){.held = ABSENT};
    if (!c) return;
    if (!cell_held(fold, c, &held, &out->held)) out->held = ABSENT;
    out->decision = cell_decision(fold, c);
    const struct desk *d = cell_desk(fold, c);
    if (!d) return;
    for (uint32_t i = d->first_seal; i != NO_SEAL; i = fold_seal(fold, i)->next) {
        const struct seal *x = fold_seal(fold, i);
        if (x->machine || x->reading == NO_READING) continue;
        out->readings++;
        if (x->opened_ms > out->read_ms) out->read_ms = x->opened_ms;
    }
    for (uint32_t i = d->first_compared; i != NO_COMPARED; i = fold_compared(fold, i)->next)
        if (fold_compared(fold, i)->ms > out->compared_ms) out->compared_ms = fold_compared(fold, i)->ms;
}

const char *export_action(const struct decision *d) {
    static const char *const actions[] = {"accept", "adopt", "disregard", "release"};
    return actions[d->action];
}

void export_codes(const struct decision *d, struct buf *out) {
    bool any = false;
    for (int c = 0; c < FINDING_COUNT && d->action == DECISION_ACCEPT; c++) {
        if (!(d->codes[c / 64] >> (c % 64) & 1)) continue;
        if (any) buf_byte(out, ' ');
        any = true;
        buf_str(out, finding_name((enum finding_code)c));
    }
}

const char *export_image_kind(const struct image *m) {
    static const char *const kinds[] = {"original", "carbon", "agent", "posted"};
    return kinds[m->kind];
}

uint32_t export_ancestor(const struct export_source *s, uint32_t unit, unsigned level) {
    while (unit != NO_UNIT && fold_unit(s->fold, unit)->level > level)
        unit = fold_unit(s->fold, unit)->parent;
    return unit != NO_UNIT && fold_unit(s->fold, unit)->level == level ? unit : NO_UNIT;
}

bool export_complete(const struct export_source *s) {
    for (size_t i = 0; i < s->results->n; i++) {
        const struct tally *t = &s->results->tallies[i];
        if (!export_wants(s, t) || t->n == 0) continue;
        const struct tally_row *top = &t->rows[0];
        if (top->total[TOTAL_TRANSMITTED].stations + top->not_held < top->expected) return false;
    }
    return true;
}
