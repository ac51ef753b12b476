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
    buf_printf(out, " Status: %s.", export_status_text(export_status(s)));
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

const struct declaration *export_declaration(const struct export_source *s, const struct tally *t) {
    uint32_t i = declaration_of(s->fold, t->contest, t->round);
    return i == NO_DECLARATION ? NULL : fold_declaration(s->fold, i);
}

enum export_status export_status(const struct export_source *s) {
    size_t n = 0, declared = 0;
    for (size_t i = 0; i < s->results->n; i++) {
        if (!export_wants(s, &s->results->tallies[i])) continue;
        n++;
        declared += export_declaration(s, &s->results->tallies[i]) != NULL;
    }
    return declared == 0 ? EXPORT_PROVISIONAL : declared < n ? EXPORT_SOME_DECLARED : EXPORT_DECLARED;
}

const char *export_status_text(enum export_status status) {
    static const char *const text[] = {"provisional, not declared",
                                       "some contests are declared, others provisional", "declared"};
    return text[status];
}

void export_outcome(const struct fold *fold, const struct declaration *d, bool names, const char *between,
                    struct buf *out) {
    const struct contest *k = fold_contest(fold, d->contest);
    bool any = false;
    for (uint32_t c = 0; c < k->choice_count; c++) {
        if (!outcome_has(&d->outcome, c)) continue;
        const struct choice *ch = contest_choice(fold, k, c);
        if (any) buf_str(out, between);
        any = true;
        buf_span(out, names ? ch->name : ch->id);
    }
}

/* --- totals of what holds --- */

static void put_figure(uint64_t v, uint64_t *sum, uint64_t *blank) {
    *blank += v == ABSENT;
    *sum += v == ABSENT ? 0 : v;
}

static bool held_at(const struct export_source *s, const struct tally_row *row, struct figures *g) {
    uint64_t entry;
    return row->cell != NO_CELL && cell_held(s->fold, fold_cell_at(s->fold, row->cell), g, &entry);
}

static void hold_station(const struct export_source *s, const struct tally *t, size_t i,
                         struct total *to) {
    struct figures g;
    uint64_t unused = 0;
    if (!export_is_station(s, t, i) || !held_at(s, &t->rows[i], &g)) return;
    to->stations = 1;
    to->registered = fold_unit(s->fold, t->rows[i].unit)->registered;
    put_figure(g.valid, &to->valid, &to->valid_blank);
    put_figure(g.rejected, &to->rejected, &to->rejected_blank);
    put_figure(g.objected, &to->objected, &unused);
    put_figure(g.disputed, &to->disputed, &unused);
    for (uint32_t c = 0; c < t->choice_count; c++)
        if (g.votes[c] != ABSENT) to->votes[c] = g.votes[c];
}

/* Figures are below 2^30 and stations below 2^32: no sum overflows. */
static void add_up(struct total *to, const struct total *from, uint32_t choices) {
    to->stations += from->stations;
    to->registered += from->registered;
    to->valid += from->valid;
    to->rejected += from->rejected;
    to->objected += from->objected;
    to->disputed += from->disputed;
    to->valid_blank += from->valid_blank;
    to->rejected_blank += from->rejected_blank;
    for (uint32_t c = 0; c < choices; c++) to->votes[c] += from->votes[c];
}

/* What the declaration rests on; on paper it may differ from the stations' sum. */
static void declared_total(const struct export_source *s, const struct tally *t,
                           const struct declaration *d, struct total *to) {
    if (d->collation == NO_COLLATION) return;
    const struct collation *c = fold_collation(s->fold, d->collation);
    const uint64_t *votes = collation_votes(s->fold, c->votes_at);
    if (c->valid != ABSENT) to->valid = c->valid;
    if (c->rejected != ABSENT) to->rejected = c->rejected;
    for (uint32_t k = 0; k < t->choice_count; k++)
        if (votes[k] != ABSENT) to->votes[k] = votes[k];
}

err export_totals(const struct export_source *s, const struct tally *t, struct arena *a,
                  const struct total ***out, struct fail *f) {
    const struct declaration *d = export_declaration(s, t);
    const struct total **rows = arena_array(a, t->n + 1, sizeof *rows);
    if (!rows) return fail_set(f, E_MEMORY, "no memory for totals");
    *out = rows;
    for (size_t i = 0; i < t->n; i++) rows[i] = &t->rows[i].total[TOTAL_TRANSMITTED];
    if (!d) return OK;
    struct total *held = arena_array(a, t->n + 1, sizeof *held);
    uint64_t *votes = arena_array(a, t->n + 1, t->choice_count * sizeof *votes);
    if (!held || !votes) return fail_set(f, E_MEMORY, "no memory for totals");
    for (size_t i = 0; i < t->n; i++) {
        held[i].votes = votes + i * t->choice_count;
        hold_station(s, t, i, &held[i]);
        rows[i] = &held[i];
    }
    for (size_t i = t->n; i-- > 1;) add_up(&held[t->rows[i].parent], &held[i], t->choice_count);
    declared_total(s, t, d, &held[0]);
    return OK;
}

bool export_is_counted(const struct export_source *s, const struct tally *t, size_t i) {
    struct figures g;
    if (export_declaration(s, t)) return held_at(s, &t->rows[i], &g);
    return t->rows[i].total[TOTAL_TRANSMITTED].stations > 0;
}

bool export_complete(const struct export_source *s) {
    for (size_t i = 0; i < s->results->n; i++) {
        const struct tally *t = &s->results->tallies[i];
        if (!export_wants(s, t) || t->n == 0 || export_declaration(s, t)) continue;
        const struct tally_row *top = &t->rows[0];
        if (top->total[TOTAL_TRANSMITTED].stations + top->not_held < top->expected) return false;
    }
    return true;
}
