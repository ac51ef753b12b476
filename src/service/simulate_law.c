/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* After the desk: what is in question is decided, warnings are accepted, and the tables are made, from
 * the stations up; the nation's own form, where the preset has it, as it was printed. Planned from the
 * state of the log, one level of tables at a time. */
#include <stdio.h>
#include <stdlib.h>
#include "crypto/secret.h"
#include "election/compose_law.h"
#include "election/desk.h"
#include "election/findings.h"
#include "election/rules.h"
#include "paper/print.h"
#include "service/simulate_work.h"

enum { TABLE_BYTES = 64 << 20, CODES_MAX = 64 };

/* A decision to adopt a station's own figures, where two clerks agree on others. */
struct adoption {
    struct span station;
    struct hash record;
};

struct sim_table {
    struct span contest, unit;
    struct span officer; /* code of the unit whose officer makes it */
    uint16_t round;
    bool national, paper;
    uint64_t seen; /* entries of the log when it was planned */
    struct span rows, form; /* the object; the form's pages, when it is on paper */
    uint64_t handed;
    struct collated sums;
    uint32_t choices;
    struct span codes[CODES_MAX]; /* warnings that are accepted */
    size_t code_count;
    struct adoption *adoptions;
    size_t adoption_count;
};

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "no memory for the simulation");
}

/* --- the plan --- */

static bool sink(void *ctx, struct span piece) {
    buf_span(ctx, piece);
    return !((struct buf *)ctx)->failed;
}

/* The form itself, as a PDF: SIMULATED like everything here. */
static err draw_form(struct sim *s, const struct preset *p, const struct fold *fold,
                     const struct collation_line *lines, size_t n, struct span *out, struct fail *f) {
    static const char *const columns[] = {"Registered", "Rejected", "Valid"};
    struct print_table t = {.form = "34C", .title_en = "Declaration of results", .title_sw = "Tangazo la matokeo",
                            .place = "", .code = "", .columns = columns, .column_count = 3,
                            .row_count = (unsigned)n, .anchor = "", .simulated = true};
    char form[40];
    (void)snprintf(form, sizeof form, "%.*s", SPAN_ARG(p->totals_form));
    t.form = form;
    char(*labels)[100] = arena_array(&s->arena, n + 1, sizeof *labels);
    const char **names = arena_array(&s->arena, n + 1, sizeof *names);
    uint64_t *figures = arena_array(&s->arena, n * 3 + 1, sizeof *figures);
    if (!labels || !names || !figures) return no_memory(f);
    for (size_t i = 0; i < n; i++) {
        const struct unit *u = fold_unit(fold, lines[i].unit);
        (void)snprintf(labels[i], sizeof labels[i], "%.*s %.*s", SPAN_ARG(u->code), SPAN_ARG(u->name));
        names[i] = labels[i];
        figures[i * 3] = lines[i].is.registered;
        figures[i * 3 + 1] = lines[i].is.rejected;
        figures[i * 3 + 2] = lines[i].is.valid;
    }
    t.labels = names;
    t.figures = figures;
    struct canvas *c;
    struct buf pdf;
    buf_init(&pdf, TABLE_BYTES);
    err e = canvas_pdf(sink, &pdf, form, "2017-08-11T00:00:00Z", &c, f);
    if (e == OK) {
        err drawn = print_table(c, &t, f);
        e = canvas_close(c, NULL, drawn == OK ? f : NULL);
        if (drawn != OK) e = drawn;
    }
    if (e == OK) *out = arena_copy(&s->arena, buf_view(&pdf));
    if (e == OK && !out->p) e = no_memory(f);
    buf_release(&pdf);
    return e;
}

/* What the published form prints at the foot of its columns, right or wrong. */
static void printed_sums(const struct preset *p, const struct fold *fold, uint32_t contest, unsigned round,
                         struct collated *sums) {
    const struct contest *k = fold_contest(fold, contest);
    const struct preset_contest *pc = &p->contests[p->totals_contest];
    if (p->printed.registered.present) sums->registered = p->printed.registered.value;
    if (p->printed.valid.present) sums->valid = p->printed.valid.value;
    if (p->printed.rejected.present) sums->rejected = p->printed.rejected.value;
    for (uint32_t i = 0; i < k->choice_count; i++)
        for (uint32_t n = 0; n < pc->choice_count && contest_has_choice(k, round, i); n++)
            if (span_eq(pc->choices[n].id, contest_choice(fold, k, i)->id) && p->printed.votes[n].present)
                sums->votes[i] = p->printed.votes[n].value;
}

static err rows_object(struct sim *s, const struct fold *fold, uint32_t contest, unsigned round,
                       const struct collation_line *lines, size_t n, struct sim_table *t, struct fail *f) {
    const struct contest *k = fold_contest(fold, contest);
    uint64_t votes[MAX_CHOICES];
    struct buf b;
    buf_init(&b, TABLE_BYTES);
    compose_collation_head(&b);
    for (size_t i = 0; i < n; i++) {
        struct hash id = {0};
        bool has = lines[i].entry != NO_RECORD;
        if (has) id = fold_id(fold, lines[i].entry);
        t->choices = 0;
        for (uint32_t c = 0; c < k->choice_count; c++)
            if (contest_has_choice(k, round, c))
                votes[t->choices++] = has ? lines[i].is.votes[c] : ABSENT;
        compose_collation_row(&b, fold_unit(fold, lines[i].unit)->code, has && !t->paper ? &id : NULL,
                              &lines[i].is, votes, t->choices);
    }
    err e = buf_ok(&b, f);
    if (e == OK) t->rows = arena_copy(&s->arena, buf_view(&b));
    if (e == OK && !t->rows.p) e = no_memory(f);
    buf_release(&b);
    return e;
}

static err plan_table(struct sim *s, const struct fold *fold, uint32_t contest, uint32_t unit,
                      struct sim_table *t, bool *any, struct fail *f) {
    const struct preset *p = s->o.x->preset;
    const struct contest *k = fold_contest(fold, contest);
    struct collation_line *lines;
    struct collated sums;
    size_t n;
    TRY(collation_lines(fold, contest, k->round, unit, &s->arena, &lines, &n, &sums, f));
    *any = false;
    for (size_t i = 0; i < n; i++) *any |= lines[i].entry != NO_RECORD;
    if (!*any) return OK;
    uint32_t of;
    enum role role = collation_officer(fold, contest, unit, &of);
    *t = (struct sim_table){.contest = arena_copy(&s->arena, k->id),
                            .unit = arena_copy(&s->arena, fold_unit(fold, unit)->code),
                            .officer = arena_copy(&s->arena, fold_unit(fold, of)->code),
                            .round = k->round,
                            .national = role == ROLE_NATIONAL_RETURNING_OFFICER,
                            .seen = fold_size(fold),
                            .handed = ABSENT,
                            .adoptions = arena_array(&s->arena, 1, sizeof *t->adoptions)};
    t->paper = s->o.whole && t->national && p->totals_contest != PRESET_NO_UNIT && p->printed.votes &&
               span_eq(p->contests[p->totals_contest].id, k->id);
    TRY(rows_object(s, fold, contest, k->round, lines, n, t, f));
    if (t->paper) {
        printed_sums(p, fold, contest, k->round, &sums);
        TRY(draw_form(s, p, fold, lines, n, &t->form, f));
    }
    uint64_t *votes = arena_array(&s->arena, t->choices + 1, sizeof *votes);
    if (!votes) return no_memory(f);
    for (uint32_t c = 0, at = 0; c < k->choice_count; c++)
        if (contest_has_choice(k, k->round, c)) votes[at++] = sums.votes[c];
    t->sums = sums;
    t->sums.votes = votes;
    return OK;
}

/* Warnings of the unit's stations, each code once; stations where clerks agree on other figures. */
static err plan_decisions(struct sim *s, const struct fold *fold, const struct findings *fi,
                          uint32_t contest, uint32_t unit, struct sim_table *t, struct fail *f) {
    const struct contest *k = fold_contest(fold, contest);
    bool seen[FINDING_COUNT] = {false};
    uint32_t cursor = 0;
    size_t room = 0;
    for (int pass = 0; pass < 2; pass++) {
        cursor = 0;
        for (const struct cell *c; (c = fold_next_cell(fold, contest, k->round, &cursor)) != NULL;) {
            uint32_t i = cursor - 1;
            if (!unit_within(fold, c->station, unit)) continue;
            for (size_t x = fi->first[i]; x < fi->first[i + 1]; x++) {
                enum finding_code code = fi->items[x].code;
                if (fi->items[x].severity == SEVERITY_WARNING && fi->items[x].decision == NO_DECISION &&
                    finding_acceptable(code)) seen[code] = true;
                if (code != F_READING_DIFFERS && code != F_READINGS_DISAGREE) continue;
                struct figures held;
                uint64_t entry;
                if (pass == 0) {
                    room++;
                } else if (cell_held(fold, c, &held, &entry)) {
                    t->adoptions[t->adoption_count++] = (struct adoption){
                        arena_copy(&s->arena, fold_unit(fold, c->station)->code), fold_id(fold, entry)};
                }
            }
        }
        if (pass == 0) t->adoptions = arena_array(&s->arena, room + 1, sizeof *t->adoptions);
        if (!t->adoptions) return no_memory(f);
    }
    for (int code = 0; code < FINDING_COUNT; code++) {
        if (!seen[code] || t->code_count == CODES_MAX) continue;
        struct span name = span_text(finding_name((enum finding_code)code));
        size_t at = t->code_count++;
        for (; at && span_cmp(t->codes[at - 1], name) > 0; at--) t->codes[at] = t->codes[at - 1];
        t->codes[at] = name;
    }
    return OK;
}

err sim_plan_tables(struct sim *s, unsigned level, const struct fold *fold, struct fail *f) {
    struct findings fi = {0};
    struct arena a;
    size_t room = 0;
    arena_init(&a, (size_t)2 << 30);
    err e = level == 0 ? findings_compute(fold, &a, &fi, f) : OK;
    for (uint32_t k = 0; k < fold_contest_count(fold); k++)
        if (contest_rule(fold, k)->collate_count > level) {
            uint32_t top = fold_contest(fold, k)->unit;
            for (uint32_t u = top; u != NO_UNIT; u = unit_next(fold, u, top))
                room += fold_unit(fold, u)->level == contest_rule(fold, k)->collate[level];
        }
    s->table_count[level] = 0;
    s->tables[level] = arena_array(&s->arena, room + 1, sizeof **s->tables);
    if (e == OK && !s->tables[level]) e = no_memory(f);
    for (uint32_t k = 0; k < fold_contest_count(fold) && e == OK; k++) {
        if (contest_rule(fold, k)->collate_count <= level) continue;
        uint32_t top = fold_contest(fold, k)->unit;
        for (uint32_t u = top; u != NO_UNIT && e == OK; u = unit_next(fold, u, top)) {
            bool any;
            if (fold_unit(fold, u)->level != contest_rule(fold, k)->collate[level]) continue;
            struct sim_table *t = &s->tables[level][s->table_count[level]];
            e = plan_table(s, fold, k, u, t, &any, f);
            if (e == OK && any && level == 0 && !t->national) e = plan_decisions(s, fold, &fi, k, u, t, f);
            if (e == OK && any) s->table_count[level]++;
        }
    }
    arena_release(&a);
    return e;
}

/* --- the work --- */

struct table_work {
    const struct sim *s;
    struct sim_task *t;
    const struct sim_table *x;
    struct note_signer officer, second;
    struct fail *f;
};

static err sign_two(struct table_work *w, struct sim_step **step) {
    const struct note_signer *by[2] = {&w->officer, &w->second};
    return sim_sign(w->t, by, 2, NULL, step, w->f);
}

static err decide(struct table_work *w) {
    const struct sim_table *x = w->x;
    struct compose_decision d = {.election = w->s->election,
                                 .contest = x->contest,
                                 .round = x->round,
                                 .size = x->seen,
                                 .order.size = UINT64_MAX,
                                 .reason.size = UINT64_MAX};
    struct sim_step *step;
    for (size_t i = 0; i < x->adoption_count; i++) {
        d.action = DECISION_ADOPT;
        d.unit = x->adoptions[i].station;
        d.record = &x->adoptions[i].record;
        compose_decision(&w->t->text, &d);
        TRY(sign_two(w, &step));
        step->what = "two officers decide which transcription is right: the original form was looked at";
    }
    if (x->code_count == 0) return OK;
    d.action = DECISION_ACCEPT;
    d.unit = x->unit;
    d.record = NULL;
    d.codes = x->codes;
    d.code_count = x->code_count;
    compose_decision(&w->t->text, &d);
    return sign_two(w, &step);
}

static err collate(struct table_work *w) {
    const struct sim_table *x = w->x;
    struct hash form = sha256(x->form);
    struct named_object rows = {sha256(x->rows), x->rows.n};
    struct compose_collation k = {.election = w->s->election,
                                  .basis = x->paper ? COLLATION_PAPER : COLLATION_ELECTRONIC,
                                  .contest = x->contest,
                                  .unit = x->unit,
                                  .form = &form,
                                  .form_count = x->paper ? 1 : 0,
                                  .handed = x->handed,
                                  .reason.size = UINT64_MAX,
                                  .round = x->round,
                                  .rows = rows,
                                  .registered = x->sums.registered,
                                  .rejected = x->sums.rejected,
                                  .valid = x->sums.valid,
                                  .votes = x->sums.votes,
                                  .choices = x->choices};
    const struct note_signer *by = &w->officer;
    struct sim_step *step;
    compose_collation(&w->t->text, &k);
    TRY(sim_sign(w->t, &by, 1, NULL, &step, w->f));
    step->objects[step->object_count++] = (struct sim_object){OBJECT_PUBLIC, rows.id, x->rows};
    if (x->paper) {
        step->what = "the nation's form as it was printed; where its sums are not those of its rows, findings say so";
    }
    return OK;
}

err sim_make_table(const struct sim *s, unsigned level, uint64_t index, struct sim_task *t,
                   struct fail *f) {
    struct table_work w = {.s = s, .t = t, .x = &s->tables[level][index], .f = f};
    char officer[SIM_NAME_MAX], second[SIM_NAME_MAX];
    struct span name = w.x->national ? SPAN_LIT("chair") : sim_name(officer, "ro", w.x->officer);
    t->station = w.x->unit;
    TRY(sim_signer(s, name, &w.officer, f));
    err e = sim_signer(s, sim_name(second, "dro", w.x->officer), &w.second, f);
    if (e == OK && level == 0 && !w.x->national) e = decide(&w);
    if (e == OK) e = collate(&w);
    note_signer_wipe(&w.officer);
    note_signer_wipe(&w.second);
    return e;
}
