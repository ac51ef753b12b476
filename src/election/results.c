/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/results.h"

#include <stdio.h>
#include "election/results_impl.h"

void results_unit_path(const struct fold *s, uint32_t contest, unsigned round, uint32_t unit,
                       char out[RESULTS_PATH_MAX]) {
    struct span id = fold_contest(s, contest)->id, code = fold_unit(s, unit)->code;
    (void)snprintf(out, RESULTS_PATH_MAX, "results/%.*s/%u/%.*s.json", SPAN_ARG(id), round,
                   SPAN_ARG(code));
}

void results_findings_path(const struct fold *s, uint32_t contest, unsigned round,
                           char out[RESULTS_PATH_MAX]) {
    struct span id = fold_contest(s, contest)->id;
    (void)snprintf(out, RESULTS_PATH_MAX, "results/%.*s/%u/findings.json", SPAN_ARG(id), round);
}

bool results_has_file(const struct fold *s, const struct tally *t, size_t i) {
    return !unit_is_station(s, t->rows[i].unit);
}

void results_votes(struct json_out *j, const struct fold *s, const struct contest *k, unsigned round,
                   const uint64_t *votes, bool absent_too) {
    json_object(j);
    for (uint32_t n = 0; n < k->choice_count; n++) {
        if (!contest_has_choice(k, round, n)) continue;
        if (votes[n] == ABSENT && !absent_too) continue;
        json_key_span(j, contest_choice(s, k, n)->id);
        if (votes[n] == ABSENT)
            json_null(j);
        else
            json_u64(j, votes[n]);
    }
    json_object_end(j);
}

static void total_json(struct json_out *j, const struct fold *s, const struct tally *t,
                       const struct total *x) {
    json_object(j);
    json_ku64(j, "stations", x->stations);
    json_ku64(j, "registered", x->registered);
    json_ku64(j, "valid", x->valid);
    json_ku64(j, "rejected", x->rejected);
    json_ku64(j, "objected", x->objected);
    json_ku64(j, "disputed", x->disputed);
    json_ku64(j, "valid_blank", x->valid_blank);
    json_ku64(j, "rejected_blank", x->rejected_blank);
    json_key(j, "votes");
    results_votes(j, s, fold_contest(s, t->contest), t->round, x->votes, false);
    json_object_end(j);
}

static void counts_json(struct json_out *j, const struct tally_row *row) {
    json_object(j);
    json_ku64(j, "expected", row->expected);
    json_ku64(j, "received", row->received);
    json_ku64(j, "in_question", row->in_question);
    json_ku64(j, "without_image", row->without_image);
    json_ku64(j, "not_held", row->not_held);
    json_ku64(j, "transcribed", row->transcribed);
    json_ku64(j, "compared", row->compared);
    json_ku64(j, "compared_all", row->compared_all);
    json_ku64(j, "disregarded", row->disregarded);
    json_ku64(j, "registered", row->registered);
    json_object_end(j);
}

static void totals_json(struct json_out *j, const struct fold *s, const struct tally *t,
                        const struct tally_row *row) {
    json_object(j);
    for (int n = 0; n < TOTAL_COUNT; n++) {
        json_key(j, total_name((enum total_name)n));
        total_json(j, s, t, &row->total[n]);
    }
    results_declared(j, s, t->contest, t->round, row->unit);
    json_object_end(j);
}

static void unit_head(struct json_out *j, const struct fold *s, uint32_t u) {
    const struct unit *x = fold_unit(s, u);
    json_kspan(j, "unit", x->code);
    json_kspan(j, "name", x->name);
    json_kspan(j, "level", s->def.levels[x->level]);
}

void results_finding(struct json_out *j, const struct fold *s, const struct finding *x) {
    json_object(j);
    json_kstr(j, "code", finding_name(x->code));
    json_kstr(j, "severity", x->severity == SEVERITY_ERROR ? "error" : "warning");
    struct buf text;
    buf_init(&text, 1000);
    finding_text(x, &text);
    json_kspan(j, "text", buf_view(&text));
    buf_release(&text);
    if (x->result != NO_RESULT) json_ku64(j, "entry", fold_result(s, x->result)->entry);
    json_key(j, "entries");
    json_array(j);
    for (unsigned i = 0; i < x->entries; i++) json_u64(j, x->entry[i]);
    json_array_end(j);
    results_fields(j, s, x);
    if (x->decision != NO_DECISION) json_ku64(j, "accepted", fold_decision(s, x->decision)->entry);
    json_object_end(j);
}

void results_figure(struct json_out *j, const char *key, uint64_t v) {
    if (v != ABSENT) json_ku64(j, key, v);
}

static void images_json(struct json_out *j, const struct fold *s, uint32_t first) {
    static const char *const kinds[] = {"original", "carbon", "agent", "posted"};
    for (uint32_t m = first; m != NO_IMAGE;) {
        const struct image *x = fold_image(s, m);
        json_object(j);
        json_ku64(j, "entry", x->entry);
        json_kstr(j, "kind", kinds[x->kind]);
        json_ku64(j, "page", x->page);
        json_khex(j, "public", hash_span(&x->shown));
        json_ku64(j, "masked", x->masked);
        json_object_end(j);
        m = x->next_of_result;
    }
}

static void result_json(struct json_out *j, const struct fold *s, const struct cell *c,
                        const struct result *r, bool transmitted) {
    struct hash id = fold_id(s, r->entry);
    json_object(j);
    json_ku64(j, "entry", r->entry);
    json_khex(j, "id", hash_span(&id));
    json_ku64(j, "ms", r->ms);
    json_ku64(j, "signed_ms", r->signed_ms);
    json_kstr(j, "basis", r->basis == BASIS_STATION ? "station" : "paper");
    json_kspan(j, "signer", state_key(s, r->signer)->name);
    json_kbool(j, "transmitted", transmitted);
    if (r->recount) json_kbool(j, "recount", true);
    if (r->superseded_by != NO_RESULT)
        json_ku64(j, "superseded_by", fold_result(s, r->superseded_by)->entry);
    if (r->serial.n) json_kspan(j, "serial", r->serial);
    json_key(j, "agents");
    json_object(j);
    if (r->agents_present != UINT32_MAX) json_ku64(j, "present", r->agents_present);
    if (r->agents_signed != UINT32_MAX) json_ku64(j, "signed_on_paper", r->agents_signed);
    if (r->agents_refused != UINT32_MAX) json_ku64(j, "refused", r->agents_refused);
    json_ku64(j, "signed_on_device", r->keys_signed);
    json_ku64(j, "saw", r->saw);
    json_ku64(j, "object", r->objected);
    json_object_end(j);
    json_key(j, "ballots");
    json_object(j);
    results_figure(j, "registered", r->registered);
    results_figure(j, "valid", r->valid);
    results_figure(j, "rejected", r->rejected);
    results_figure(j, "objected", r->objected_votes);
    results_figure(j, "disputed", r->disputed);
    results_figure(j, "voters_kit", r->voters_kit);
    results_figure(j, "voters_manual", r->voters_manual);
    json_object_end(j);
    json_key(j, "votes");
    results_votes(j, s, fold_contest(s, c->contest), c->round, result_votes(s, r), true);
    json_key(j, "images");
    json_array(j);
    images_json(j, s, r->first_image);
    json_array_end(j);
    json_object_end(j);
}

const char *results_station_state(const struct fold *s, const struct findings *fi,
                                  const struct tally *t, const struct tally_row *row) {
    static const char *const held[] = {"expected", "postponed", "cancelled", "unopposed", "annulled"};
    enum contest_state state = contest_state_in(s, t->contest, t->round, row->unit);
    if (state != CONTEST_OPEN || row->cell == NO_CELL) return held[state];
    if (fi->worst[row->cell] == SEVERITY_ERROR) return "in question";
    if (row->disregarded) return "disregarded";
    if (row->compared) return "compared";
    if (row->transcribed) return "transcribed";
    if (row->total[TOTAL_TRANSMITTED].stations) return "transmitted";
    return row->received ? "received without image" : "expected";
}

static void station_json(struct json_out *j, const struct fold *s, const struct tally *t,
                         const struct findings *fi, const struct tally_row *row) {
    json_object(j);
    unit_head(j, s, row->unit);
    json_ku64(j, "registered", fold_unit(s, row->unit)->registered);
    json_kstr(j, "state", results_station_state(s, fi, t, row));
    json_key(j, "results");
    json_array(j);
    const struct cell *c = row->cell == NO_CELL ? NULL : fold_cell_at(s, row->cell);
    const struct result *sent = c ? cell_transmitted(s, c) : NULL;
    for (uint32_t i = c ? c->first_result : NO_RESULT; i != NO_RESULT;) {
        const struct result *r = fold_result(s, i);
        result_json(j, s, c, r, r == sent);
        i = r->next;
    }
    json_array_end(j);
    json_key(j, "images");
    json_array(j);
    if (c) images_json(j, s, c->first_image);
    json_array_end(j);
    results_desk(j, s, t, c);
    json_key(j, "findings");
    json_array(j);
    if (c)
        for (size_t i = fi->first[row->cell]; i < fi->first[row->cell + 1]; i++)
            results_finding(j, s, &fi->items[i]);
    json_array_end(j);
    json_object_end(j);
}

void results_contest_head(struct json_out *j, const struct fold *s, const struct tally *t) {
    const struct contest *k = fold_contest(s, t->contest);
    json_kspan(j, "contest", k->id);
    json_kspan(j, "contest_name", k->name);
    json_ku64(j, "round", t->round);
    json_kstr(j, "status", results_status(s, t->contest, t->round));
    uint32_t d = declaration_of(s, t->contest, t->round);
    if (d != NO_DECLARATION) json_ku64(j, "declared", fold_declaration(s, d)->entry);
    if (s->def.simulated) json_kstr(j, "simulated", "SIMULATED");
}

err results_unit(const struct fold *s, const struct tally *t, const struct findings *fi, size_t i,
                 struct buf *out, struct fail *f) {
    const struct tally_row *row = &t->rows[i];
    struct json_out j = json_out(out);
    json_object(&j);
    results_contest_head(&j, s, t);
    unit_head(&j, s, row->unit);
    json_key(&j, "path");
    json_array(&j);
    uint32_t path[MAX_LEVELS], depth = 0;
    for (uint32_t r = row->parent; r != UINT32_MAX; r = t->rows[r].parent) path[depth++] = r;
    while (depth-- > 0) {
        json_object(&j);
        unit_head(&j, s, t->rows[path[depth]].unit);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_key(&j, "stations");
    counts_json(&j, row);
    json_key(&j, "totals");
    totals_json(&j, s, t, row);
    results_place(&j, s, t, fi, row->unit);
    json_key(&j, "parts");
    json_array(&j);
    /* children of a row: rows after it whose parent it is, up to the end of its subtree */
    for (size_t n = i + 1; n < t->n && (t->rows[n].parent != UINT32_MAX && t->rows[n].parent >= i);
         n++) {
        const struct tally_row *part = &t->rows[n];
        if (part->parent != i) continue;
        if (unit_is_station(s, part->unit)) {
            station_json(&j, s, t, fi, part);
            continue;
        }
        json_object(&j);
        unit_head(&j, s, part->unit);
        json_key(&j, "stations");
        counts_json(&j, part);
        json_key(&j, "totals");
        totals_json(&j, s, t, part);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(out, '\n');
    return buf_ok(out, f);
}

err results_findings(const struct fold *s, const struct tally *t, const struct findings *fi,
                     struct buf *out, struct fail *f) {
    struct json_out j = json_out(out);
    json_object(&j);
    results_contest_head(&j, s, t);
    json_key(&j, "findings");
    json_array(&j);
    for (size_t i = 0; i < t->n; i++) {
        uint32_t cell = t->rows[i].cell;
        if (cell == NO_CELL || fi->first[cell] == fi->first[cell + 1]) continue;
        json_object(&j);
        json_kspan(&j, "station", fold_unit(s, t->rows[i].unit)->code);
        json_key(&j, "findings");
        json_array(&j);
        for (size_t n = fi->first[cell]; n < fi->first[cell + 1]; n++)
            results_finding(&j, s, &fi->items[n]);
        json_array_end(&j);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_key(&j, "units");
    json_array(&j);
    for (size_t i = 0; i < t->n; i++) {
        size_t n;
        const struct finding *x = findings_of_unit(fi, t->contest, t->round, t->rows[i].unit, &n);
        if (n == 0) continue;
        json_object(&j);
        json_kspan(&j, "unit", fold_unit(s, t->rows[i].unit)->code);
        json_key(&j, "findings");
        json_array(&j);
        for (size_t k = 0; k < n; k++) results_finding(&j, s, &x[k]);
        json_array_end(&j);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(out, '\n');
    return buf_ok(out, f);
}

err results_index(const struct fold *s, const struct tally *tallies, size_t n,
                  const struct findings *fi, struct buf *out, struct fail *f) {
    struct json_out j = json_out(out);
    json_object(&j);
    json_khex(&j, "election", hash_span(&s->election));
    json_kspan(&j, "title", s->def.title);
    json_kspan(&j, "origin", s->def.origin);
    json_ku64(&j, "definition", s->def.version);
    if (s->def.simulated) json_kstr(&j, "simulated", "SIMULATED");
    if (s->def.notice.n) json_kspan(&j, "notice", s->def.notice);
    json_ku64(&j, "size", fold_size(s));
    json_ku64(&j, "last_ms", s->last_ms);
    json_key(&j, "records");
    json_object(&j);
    for (int t = 0; t < REC_COUNT; t++)
        if (s->counts[t]) json_ku64(&j, record_info((enum record_type)t)->name, s->counts[t]);
    json_object_end(&j);
    json_key(&j, "findings");
    json_object(&j);
    for (int c = 0; c < FINDING_COUNT; c++)
        if (fi->count[c]) json_ku64(&j, finding_name((enum finding_code)c), fi->count[c]);
    json_object_end(&j);
    json_key(&j, "findings_open");
    json_object(&j);
    for (int c = 0; c < FINDING_COUNT; c++)
        if (fi->open[c]) json_ku64(&j, finding_name((enum finding_code)c), fi->open[c]);
    json_object_end(&j);
    json_key(&j, "contests");
    json_array(&j);
    for (size_t i = 0; i < n; i++) {
        const struct tally *t = &tallies[i];
        const struct contest *k = fold_contest(s, t->contest);
        json_object(&j);
        results_contest_head(&j, s, t);
        json_kspan(&j, "kind", k->kind);
        unit_head(&j, s, k->unit);
        json_key(&j, "choices");
        json_array(&j);
        for (uint32_t c = 0; c < k->choice_count; c++) {
            const struct choice *ch = contest_choice(s, k, c);
            static const char *const words[] = {"stands", "dead", "withdrawn"};
            if (!contest_has_choice(k, t->round, c)) continue;
            json_object(&j);
            json_kspan(&j, "id", ch->id);
            json_kspan(&j, "name", ch->name);
            if (ch->party.n) json_kspan(&j, "party", ch->party);
            if (ch->state != CHOICE_STANDS) json_kstr(&j, "state", words[ch->state]);
            json_object_end(&j);
        }
        json_array_end(&j);
        json_key(&j, "stations");
        counts_json(&j, &t->rows[0]);
        json_key(&j, "totals");
        totals_json(&j, s, t, &t->rows[0]);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(out, '\n');
    return buf_ok(out, f);
}

err results_compute(const struct fold *s, struct results *out, struct fail *f) {
    *out = (struct results){0};
    arena_init(&out->arena, GIB(4));
    for (uint32_t c = 0; c < s->contests.n; c++) out->n += fold_contest(s, c)->round;
    out->tallies = arena_array(&out->arena, out->n, sizeof *out->tallies);
    err e = out->tallies ? findings_compute(s, &out->arena, &out->findings, f)
                         : fail_set(f, E_MEMORY, "no memory for results");
    size_t i = 0;
    for (uint32_t c = 0; c < s->contests.n && e == OK; c++)
        for (unsigned r = 1; r <= fold_contest(s, c)->round && e == OK; r++)
            e = tally_compute(s, &out->findings, c, r, &out->arena, &out->tallies[i++], f);
    if (e != OK) results_release(out);
    return e;
}

void results_release(struct results *r) {
    arena_release(&r->arena);
    *r = (struct results){0};
}
