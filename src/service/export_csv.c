/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* CSV (RFC 4180, with LF): one row a station, contest and round. */
#include "base/clock.h"
#include "service/export_walk.h"

struct csv_out {
    const struct export_source *s;
    struct export_checkpoint at;
    struct export_out *o;
    struct buf *b;
    bool wide; /* one contest: a column a choice */
};

static void field(struct buf *out, struct span s) {
    bool quote = false;
    for (size_t i = 0; i < s.n; i++)
        quote = quote || s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
    if (quote) buf_byte(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') buf_byte(out, '"');
        buf_byte(out, s.p[i]);
    }
    if (quote) buf_byte(out, '"');
}

/* Text that people chose: a spreadsheet would run what begins like a formula (OWASP, "CSV
 * injection"), so such text gets an apostrophe before it. Codes are keys and stay as they are; they
 * hold nothing that a formula needs. */
static void text_field(struct buf *out, struct span s) {
    static const char starts[] = "=+-@\t\r";
    if (s.n == 0 || !memchr(starts, s.p[0], sizeof starts - 1)) {
        field(out, s);
        return;
    }
    struct buf b;
    buf_init(&b, s.n + 1);
    buf_byte(&b, '\'');
    buf_span(&b, s);
    if (b.failed) out->failed = true;
    field(out, buf_view(&b));
    buf_release(&b);
}

static void next(struct csv_out *x) {
    buf_byte(x->b, ',');
}

static void word(struct csv_out *x, const char *s) {
    next(x);
    field(x->b, span_text(s));
}

static void figure(struct csv_out *x, uint64_t v) {
    next(x);
    if (v != ABSENT) buf_u64(x->b, v);
}

/* UINT32_MAX: not stated. */
static void count(struct csv_out *x, const struct result *r, uint32_t v) {
    figure(x, r && v != UINT32_MAX ? v : ABSENT);
}

static void hash(struct csv_out *x, const struct hash *h) {
    next(x);
    if (h) buf_hex(x->b, hash_span(h));
}

static void time_utc(struct csv_out *x, uint64_t ms) {
    char text[21];
    clock_format_utc(ms, text);
    word(x, ms ? text : "");
}

static void head(struct csv_out *x) {
    static const char first[] = "contest,round,station,name,parent";
    static const char rest[] =
        ",register,state,counted,findings,findings_open,standing_results,entry,record,received_at,"
        "signed_at,basis,signer_lines,registered,valid_written,valid_computed,rejected,objected,disputed,"
        "voters_kit,voters_manual,agents_present,agents_signed,agents_refused,serial,image_public,"
        "image_received_at,held_entry,readings,read_at,compared_at,decision,decided_at,declared_at,"
        "checkpoint_size,checkpoint_root,checkpoint_time,simulated";
    const struct fold *fold = x->s->fold;
    const struct definition *d = fold_definition(fold);
    buf_str(x->b, first);
    for (unsigned l = 1; l + 1 < d->level_count; l++)
        for (int name = 0; name < 2; name++) {
            buf_byte(x->b, ',');
            field(x->b, d->levels[l]);
            buf_str(x->b, name ? "_name" : "_code");
        }
    buf_str(x->b, rest);
    if (!x->wide) buf_str(x->b, ",votes");
    for (size_t i = 0; x->wide && i < x->s->results->n; i++) {
        const struct tally *t = &x->s->results->tallies[i];
        const struct contest *k = fold_contest(fold, t->contest);
        if (!export_wants(x->s, t) || t->round != 1) continue;
        for (uint32_t c = 0; c < k->choice_count; c++) {
            buf_str(x->b, ",votes:");
            field(x->b, contest_choice(fold, k, c)->id);
        }
    }
    buf_byte(x->b, '\n');
}

static void unit_fields(struct csv_out *x, const struct export_station *st) {
    const struct fold *fold = x->s->fold;
    const struct definition *d = fold_definition(fold);
    next(x);
    field(x->b, st->unit->code);
    next(x);
    text_field(x->b, st->unit->name);
    next(x);
    if (st->unit->parent != NO_UNIT) field(x->b, fold_unit(fold, st->unit->parent)->code);
    for (unsigned l = 1; l + 1 < d->level_count; l++) {
        uint32_t up = export_ancestor(x->s, st->row->unit, l);
        next(x);
        if (up != NO_UNIT) field(x->b, fold_unit(fold, up)->code);
        next(x);
        if (up != NO_UNIT) text_field(x->b, fold_unit(fold, up)->name);
    }
}

static void result_fields(struct csv_out *x, const struct result *r, uint64_t computed) {
    struct hash id = {0};
    if (r) id = fold_id(x->s->fold, r->entry);
    figure(x, r ? r->entry : ABSENT);
    hash(x, r ? &id : NULL);
    time_utc(x, r ? r->ms : 0);
    time_utc(x, r ? r->signed_ms : 0);
    word(x, !r ? "" : r->basis == BASIS_STATION ? "station" : "paper");
    figure(x, r ? r->keys_signed : ABSENT);
    figure(x, r ? r->registered : ABSENT);
    figure(x, r ? r->valid : ABSENT);
    figure(x, computed);
    figure(x, r ? r->rejected : ABSENT);
    figure(x, r ? r->objected_votes : ABSENT);
    figure(x, r ? r->disputed : ABSENT);
    figure(x, r ? r->voters_kit : ABSENT);
    figure(x, r ? r->voters_manual : ABSENT);
    count(x, r, r ? r->agents_present : 0);
    count(x, r, r ? r->agents_signed : 0);
    count(x, r, r ? r->agents_refused : 0);
    next(x);
    if (r) text_field(x->b, r->serial);
}

static void votes_fields(struct csv_out *x, const struct tally *t, const struct result *r) {
    const struct fold *fold = x->s->fold;
    const struct contest *k = fold_contest(fold, t->contest);
    const uint64_t *votes = r ? result_votes(fold, r) : NULL;
    bool any = false;
    if (!x->wide) next(x);
    for (uint32_t c = 0; c < k->choice_count; c++) {
        uint64_t v = votes ? votes[c] : ABSENT;
        if (x->wide) {
            figure(x, v);
            continue;
        }
        if (v == ABSENT) continue;
        if (any) buf_byte(x->b, ';');
        buf_span(x->b, contest_choice(fold, k, c)->id);
        buf_byte(x->b, '=');
        buf_u64(x->b, v);
        any = true;
    }
}

static void desk_fields(struct csv_out *x, const struct cell *c) {
    struct export_desk d;
    export_desk(x->s, c, &d);
    figure(x, d.held);
    figure(x, d.readings);
    time_utc(x, d.read_ms);
    time_utc(x, d.compared_ms);
    word(x, d.decision ? export_action(d.decision) : "");
    time_utc(x, d.decision ? d.decision->ms : 0);
}

static void row(struct csv_out *x, const struct tally *t, size_t i) {
    const struct fold *fold = x->s->fold;
    struct export_station st;
    export_station(x->s, t, i, &st);
    field(x->b, fold_contest(fold, t->contest)->id);
    figure(x, t->round);
    unit_fields(x, &st);
    figure(x, st.unit->registered);
    word(x, st.state);
    word(x, st.counted ? "yes" : "no");
    next(x);
    export_findings(x->s, st.row, false, x->b);
    next(x);
    export_findings(x->s, st.row, true, x->b);
    figure(x, st.standing);
    result_fields(x, st.result, st.valid_computed);
    hash(x, st.image ? &st.image->shown : NULL);
    time_utc(x, st.image ? st.image->ms : 0);
    desk_fields(x, st.cell);
    const struct declaration *d = export_declaration(x->s, t);
    time_utc(x, d ? d->ms : 0);
    figure(x, x->at.size);
    word(x, x->at.root);
    word(x, x->at.time);
    word(x, fold_definition(fold)->simulated ? "SIMULATED" : "");
    votes_fields(x, t, st.result);
    buf_byte(x->b, '\n');
}

err export_csv(const struct export_source *s, struct export_out *o, struct fail *f) {
    struct csv_out x = {.s = s, .o = o, .b = &o->b};
    export_checkpoint(s, &x.at);
    (void)export_wanted(s, &x.wide);
    head(&x);
    for (size_t n = 0; n < s->results->n; n++) {
        const struct tally *t = &s->results->tallies[n];
        if (!export_wants(s, t)) continue;
        for (size_t i = 0; i < t->n; i++) {
            if (!export_is_station(s, t, i)) continue;
            row(&x, t, i);
            TRY(export_out_spill(o, f));
        }
    }
    return OK;
}
