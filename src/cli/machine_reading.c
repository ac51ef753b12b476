/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/machine_reading.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli/form_rows.h"
#include "election/compose.h"
#include "election/desk.h"

enum { PICTURE_MAX = 32 << 20, FIELD_NAME_MAX = 80 };

struct row_read {
    bool seen, answered, blank;
    uint64_t value;
};

struct form_read {
    struct row_read row[FORM_ROWS_MAX];
    unsigned pages;
    bool other_form, overwritten, signed_by_officer, stamped, zones_seen;
};

struct scan_options machine_options(const struct fold *fold, uint32_t station) {
    const struct unit *u = fold_unit(fold, station);
    return (struct scan_options){
        .rules = decode_default_rules(), .has_registered = true, .registered = u->registered};
}

/* ---- the pages ---- */

static void take_zones(const struct scan_result *s, struct form_read *out) {
    for (uint32_t i = 0; i < s->zone_count; i++) {
        const struct scan_zone *z = &s->zone[i];
        out->zones_seen = true;
        if (z->kind == ZONE_SIGNATURE_OFFICER && z->present) out->signed_by_officer = true;
        if (z->kind == ZONE_STAMP && z->present) out->stamped = true;
    }
}

static void take_page(const struct fold *fold, const struct cell *c, const struct scan_result *s,
                      struct form_read *out) {
    if (!s->template_ok || !(s->qr_read || s->strip_read)) return;
    out->pages++;
    const bool here =
        span_is(fold_unit(fold, c->station)->code, s->code.station) &&
        (!s->code.contest[0] || span_is(fold_contest(fold, c->contest)->id, s->code.contest)) &&
        (!s->code.contest_number || s->code.contest_number == c->contest + 1) &&
        s->code.shape.choices == form_row_choices(fold, c->contest, c->round);
    if (!here) {
        out->other_form = true;
        return;
    }
    for (uint32_t i = 0; i < s->field_count; i++) {
        const struct field_reading *v = &s->field[i].read;
        struct row_read *row = &out->row[s->field[i].index];
        if (v->reasons & ABSTAIN_OVERWRITTEN || s->field[i].hidden) out->overwritten = true;
        *row = (struct row_read){.seen = true,
                                 .answered = v->reasons == 0,
                                 .blank = v->reasons == ABSTAIN_EMPTY,
                                 .value = v->value};
    }
    take_zones(s, out);
}

static err read_page(struct tree *t, const struct tree_log *log, const struct reader *r,
                     const struct cell *c, const struct image *x, struct form_read *out,
                     struct fail *f) {
    char path[100] = "objects/";
    struct buf file;
    struct scan_result *s = malloc(sizeof *s);
    struct sandbox_usage usage;
    struct hash is;
    if (!s) return fail_set(f, E_MEMORY, "no memory to read a form");
    const struct scan_options o = machine_options(log->fold, c->station);
    buf_init(&file, PICTURE_MAX);
    hash_hex(&x->shown, path + strlen(path));
    err e = tree_read(t, path, PICTURE_MAX, &file, f);
    if (e == OK) {
        is = sha256(buf_view(&file));
        if (!hash_eq(&is, &x->shown))
            e = fail_set(f, E_OBJECT, "the image is not the one that the log names (%s)", path);
    }
    if (e == OK) {
        e = scan_file(r, buf_view(&file), 1, &o, s, &usage, &is, f);
        if (e == OK)
            take_page(log->fold, c, s, out);
        else if (e != E_SANDBOX && e != E_MEMORY)
            e = OK; /* a page that cannot be read gives nothing; another may */
    }
    buf_release(&file);
    free(s);
    return e;
}

/* ---- the reading ---- */

struct names {
    char text[FORM_ROWS_MAX][FIELD_NAME_MAX];
    struct span at[FORM_ROWS_MAX];
    size_t n;
};

static int by_bytes(const void *a, const void *b) {
    return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

/* One row: its value, or ABSENT and, unless nothing is written there, its name among the illegible.
 */
static uint64_t figure(const struct row_read *row, const char *group, struct span name,
                       struct names *illegible) {
    if (row->answered) return row->value;
    if (!row->blank) {
        char *to = illegible->text[illegible->n];
        const int n = snprintf(to, FIELD_NAME_MAX, "%s.%.*s", group, SPAN_ARG(name));
        illegible->at[illegible->n++] = span_of(to, (size_t)n);
    }
    return ABSENT;
}

static uint32_t mark_bit(const char *word) {
    for (int i = 0; i < MARK_COUNT; i++)
        if (strcmp(mark_words[i], word) == 0) return UINT32_C(1) << i;
    return 0;
}

static err write_reading(const struct fold *fold, const struct cell *c, const struct form_read *p,
                         struct buf *out, struct fail *f) {
    const struct contest *k = fold_contest(fold, c->contest);
    struct names *illegible = calloc(1, sizeof *illegible);
    struct span choices[FORM_CHOICES_MAX];
    uint64_t votes[FORM_CHOICES_MAX];
    struct compose_reading r;
    unsigned n = 0;
    if (!illegible) return fail_set(f, E_MEMORY, "no memory for a reading");
    compose_reading_init(&r);
    for (uint32_t i = 0; i < k->choice_count && n < FORM_CHOICES_MAX; i++) {
        if (!contest_has_choice(k, c->round, i)) continue;
        choices[n] = contest_choice(fold, k, i)->id;
        votes[n] = figure(&p->row[n], "votes", choices[n], illegible);
        n++;
    }
    const struct row_read *q = p->row + n; /* as form_row_key names them */
    r.registered = figure(&q[0], "ballots", SPAN_LIT("registered"), illegible);
    r.voters_kit = figure(&q[1], "voters", SPAN_LIT("kit"), illegible);
    r.voters_manual = figure(&q[2], "voters", SPAN_LIT("manual"), illegible);
    r.rejected = figure(&q[3], "ballots", SPAN_LIT("rejected"), illegible);
    r.objected = figure(&q[4], "ballots", SPAN_LIT("objected"), illegible);
    r.disputed = figure(&q[5], "ballots", SPAN_LIT("disputed"), illegible);
    r.valid = figure(&q[6], "ballots", SPAN_LIT("valid"), illegible);
    qsort(illegible->at, illegible->n, sizeof illegible->at[0], by_bytes);
    r.choices = choices;
    r.votes = votes;
    r.choice_count = n;
    r.illegible = illegible->at;
    r.illegible_count = illegible->n;
    if (p->other_form) r.marks |= mark_bit("wrong-form");
    if (p->overwritten) r.marks |= mark_bit("overwritten");
    if (p->zones_seen && !p->signed_by_officer) r.marks |= mark_bit("no-officer-signature");
    if (p->zones_seen && !p->stamped) r.marks |= mark_bit("no-stamp");
    compose_reading(out, &r);
    free(illegible);
    return buf_ok(out, f);
}

err machine_reading(struct tree *t, const struct tree_log *log, const struct reader *r,
                    const struct cell *c, uint32_t image, struct buf *reading, struct fail *f) {
    const struct fold *s = log->fold;
    const struct image *x = fold_image(s, image);
    const uint32_t first =
        x->result == NO_RESULT ? c->first_image : fold_result(s, x->result)->first_image;
    struct form_read *p = calloc(1, sizeof *p);
    err e = p ? OK : fail_set(f, E_MEMORY, "no memory to read a form");
    for (uint32_t i = first; e == OK && i != NO_IMAGE; i = fold_image(s, i)->next_of_result) {
        const struct image *m = fold_image(s, i);
        if (m->kind == x->kind && (i == image || m->page != x->page))
            e = read_page(t, log, r, c, m, p, f);
    }
    if (e == OK && p->pages == 0)
        e = fail_set(f, E_NOT_FOUND, "no page of this form can be read by the machine");
    if (e == OK) e = write_reading(s, c, p, reading, f);
    free(p);
    return e;
}

/* ---- against what was sent ---- */

static const struct cell *cell_of(const struct fold *s, const struct scan_result *r) {
    const uint32_t unit = fold_unit_by_code(s, span_text(r->code.station));
    const uint32_t contest = r->code.contest[0] ? fold_contest_by_id(s, span_text(r->code.contest))
                                                : r->code.contest_number - 1;
    if (unit == NO_UNIT || contest == NO_CONTEST || contest >= fold_contest_count(s)) return NULL;
    const uint32_t cell = fold_cell_find(s, contest, fold_contest(s, contest)->round, unit);
    return cell == NO_CELL ? NULL : fold_cell_at(s, cell);
}

bool machine_against_json(const struct tree_log *log, const struct scan_result *r,
                          struct json_out *j) {
    const struct fold *s = log->fold;
    struct judge_typed typed[FORM_ROWS_MAX];
    struct judge_field out[SCAN_FIELDS_MAX];
    if (!r->template_ok || !(r->qr_read || r->strip_read) || !r->field_count) return false;
    const struct cell *c = cell_of(s, r);
    const struct result *sent = c ? cell_current(s, c) : NULL;
    if (!sent || r->code.shape.choices != form_row_choices(s, c->contest, c->round)) return false;
    const uint64_t registered = fold_unit(s, c->station)->registered;
    form_rows_of_result(s, c->contest, c->round, sent, typed);
    const enum scan_verdict all = judge_page(r, typed, &registered, decode_default_rules(), out);
    json_object(j);
    json_kstr(j, "verdict", scan_verdict_name(all));
    json_ku64(j, "entry", sent->entry);
    json_key(j, "fields");
    json_array(j);
    for (uint32_t i = 0; i < r->field_count; i++) {
        const struct judge_typed *t = &typed[r->field[i].index];
        json_object(j);
        json_kstr(j, "field", form_row_key(r->code.shape, r->field[i].index));
        if (r->field[i].index < r->code.shape.choices)
            json_ku64(j, "choice", r->field[i].index + 1);
        if (t->present) json_ku64(j, "sent", t->value);
        json_kstr(j, "verdict", scan_verdict_name(out[i].verdict));
        if (isfinite(out[i].against)) json_kdouble(j, "against", out[i].against);
        if (out[i].by_sum) json_kbool(j, "confirmed_by_sum", true);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
    return true;
}
