/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu collate: a unit's table of what its stations (or the areas below) say, with its sums. */
#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/law_view.h"
#include "cli/paper_rows.h"
#include "cli/values.h"
#include "cli/words.h"
#include "paper/print.h"

int cmd_collate(int argc, char **argv);

enum { ROWS_MAX = 64 << 20, FORMS_MAX = 20, IMAGE_MAX = 64 << 20, COLUMNS_MAX = 12, WARN_MAX = 20 };

struct collate_args {
    const char *contest, *unit, *paper, *rows, *reason, *print;
    struct opt_list forms;
    uint64_t handed;
    bool list;
};

struct work {
    const struct collate_args *a;
    struct make_options *m;
    struct law_view v;
    struct arena mem;
    struct words words;
    uint32_t unit;
    struct collation_line *lines;
    size_t n;
    struct collated sums;
    struct compose_collation k;
    uint64_t votes[MAX_CHOICES];
    struct hash forms[FORMS_MAX], old;
    struct buf rows;
    char rows_path[PATH_MAX_LEN];
};

static err find_unit(struct work *w, struct fail *f) {
    const struct fold *s = w->v.log.fold;
    w->unit = w->a->unit ? fold_unit_by_code(s, span_text(w->a->unit)) : fold_contest(s, w->v.contest)->unit;
    if (w->unit == NO_UNIT) return fail_set(f, E_UNIT, "there is no unit \"%.40s\"", w->a->unit);
    return collation_lines(s, w->v.contest, w->v.round, w->unit, &w->mem, &w->lines, &w->n, &w->sums, f);
}

/* What the table lacks, for the officer who is about to sign it. */
static void say_what_is_missing(const struct work *w) {
    const struct fold *s = w->v.log.fold;
    size_t missing = 0, doubtful = 0, unread = 0, uncompared = 0;
    for (size_t i = 0; i < w->n; i++) {
        const struct unit *u = fold_unit(s, w->lines[i].unit);
        bool station = unit_is_station(s, w->lines[i].unit);
        uint32_t at = station ? fold_cell_find(s, w->v.contest, w->v.round, w->lines[i].unit) : NO_CELL;
        const struct rule *r = contest_rule(s, w->v.contest);
        if (w->lines[i].entry == NO_RECORD) {
            if (missing++ < WARN_MAX)
                fprintf(stderr, "missing: %s %.*s %.*s\n", station ? "figures of" : "the collation of",
                        SPAN_ARG(u->code), SPAN_ARG(u->name));
            continue;
        }
        if (at == NO_CELL) continue;
        doubtful += w->v.findings.worst[at] == SEVERITY_ERROR;
        unread += r->readings && !cell_transcribed(s, fold_cell_at(s, at));
        uncompared += r->compare_count &&
                      !cell_compared_same(s, fold_cell_at(s, at), r->compare[0], w->lines[i].entry);
    }
    if (missing > WARN_MAX) fprintf(stderr, "missing: %zu more\n", missing - WARN_MAX);
    fprintf(stderr, "%zu parts, %zu without figures, %zu in question, %zu not transcribed, %zu not compared "
                    "with the original\n", w->n, missing, doubtful, unread, uncompared);
}

static size_t of_round(const struct work *w, const uint64_t *ballot, uint64_t *out) {
    const struct contest *k = fold_contest(w->v.log.fold, w->v.contest);
    size_t n = 0;
    for (uint32_t i = 0; i < k->choice_count; i++)
        if (contest_has_choice(k, w->v.round, i)) out[n++] = ballot[i];
    return n;
}

static err electronic(struct work *w, struct fail *f) {
    const struct fold *s = w->v.log.fold;
    uint64_t votes[MAX_CHOICES];
    compose_collation_head(&w->rows);
    for (size_t i = 0; i < w->n; i++) {
        const struct collation_line *l = &w->lines[i];
        struct hash id = l->entry == NO_RECORD ? (struct hash){0} : fold_id(s, l->entry);
        size_t n = of_round(w, l->is.votes, votes);
        compose_collation_row(&w->rows, fold_unit(s, l->unit)->code, l->entry == NO_RECORD ? NULL : &id,
                              &l->is, votes, n);
    }
    w->k.basis = COLLATION_ELECTRONIC;
    w->k.registered = w->sums.registered;
    w->k.rejected = w->sums.rejected;
    w->k.valid = w->sums.valid;
    w->k.choices = of_round(w, w->sums.votes, w->votes);
    w->k.votes = w->votes;
    return buf_ok(&w->rows, f);
}

static err from_paper(struct work *w, struct fail *f) {
    w->k.basis = COLLATION_PAPER;
    if (w->a->forms.n == 0)
        return fail_set(f, E_USAGE, "--form FILE is needed with --paper: the picture of each page");
    return paper_rows_read(w->a->paper, w->v.log.fold, w->v.contest, w->v.round, &w->k, w->votes,
                           &w->rows, f);
}

/* Pictures: their originals are for parties and courts. */
static err take_forms(struct work *w, struct fail *f) {
    if (w->a->forms.n > FORMS_MAX) return fail_set(f, E_USAGE, "more than %d pages", FORMS_MAX);
    for (size_t i = 0; i < w->a->forms.n; i++) {
        struct span bytes;
        TRY(file_map(w->a->forms.at[i], &bytes, f));
        w->forms[i] = sha256(bytes);
        file_unmap(bytes);
    }
    w->k.form = w->forms;
    w->k.form_count = w->a->forms.n;
    return OK;
}

static err compose(struct work *w, struct buf *text, struct fail *f) {
    const struct fold *s = w->v.log.fold;
    const struct unit *u = fold_unit(s, w->unit);
    w->k.election = w->v.election;
    w->k.contest = fold_contest(s, w->v.contest)->id;
    w->k.unit = u->code;
    w->k.round = w->v.round;
    w->k.handed = w->a->handed;
    TRY(w->a->paper ? from_paper(w, f) : electronic(w, f));
    TRY(take_forms(w, f));
    TRY(words_restricted(w->m, &w->words, w->a->reason, &w->k.reason, f));
    uint32_t standing = fold_collation_of(s, w->v.contest, w->v.round, w->unit);
    if (standing != NO_COLLATION) {
        if (!w->a->reason)
            return fail_set(f, E_USAGE, "a collation of %.*s stands (entry %llu): --reason FILE says why another "
                                        "one replaces it", SPAN_ARG(u->code),
                            (unsigned long long)fold_collation(s, standing)->entry);
        w->old = fold_id(s, fold_collation(s, standing)->entry);
        w->k.supersedes = &w->old;
    }
    if (w->a->rows)
        (void)snprintf(w->rows_path, sizeof w->rows_path, "%s", w->a->rows);
    else
        (void)snprintf(w->rows_path, sizeof w->rows_path, "collation-%.*s-%.*s.rows",
                       SPAN_ARG(fold_contest(s, w->v.contest)->id), SPAN_ARG(u->code));
    TRY(file_write_durable(w->rows_path, buf_view(&w->rows), 0644, f));
    TRY(words_public(w->m, w->rows_path, ROWS_MAX, &w->k.rows, f));
    compose_collation(text, &w->k);
    return buf_ok(text, f);
}

/* ---- on paper ---- */

static bool to_file(void *ctx, struct span piece) {
    return fwrite(piece.p, 1, piece.n, ctx) == piece.n;
}

static err print_lines(struct work *w, struct canvas *c, struct fail *f) {
    const struct fold *s = w->v.log.fold;
    const struct contest *k = fold_contest(s, w->v.contest);
    const char *columns[COLUMNS_MAX], **labels = arena_array(&w->mem, w->n + 1, sizeof *labels);
    uint64_t *figures = arena_array(&w->mem, (w->n + 1) * COLUMNS_MAX, sizeof *figures), votes[MAX_CHOICES];
    unsigned n = 1;
    char place[300];
    if (!labels || !figures) return fail_set(f, E_MEMORY, "no memory for the table");
    columns[0] = "Registered";
    for (uint32_t i = 0; i < k->choice_count; i++) {
        if (!contest_has_choice(k, w->v.round, i)) continue;
        if (n + 2 == COLUMNS_MAX) return fail_set(f, E_USAGE, "the printed table has room for 9 choices");
        columns[n] = arena_text(&w->mem, contest_choice(s, k, i)->name);
        if (!columns[n++]) return fail_set(f, E_MEMORY, "no memory for the table");
    }
    columns[n++] = "Valid";
    columns[n++] = "Rejected";
    for (size_t i = 0; i < w->n; i++) {
        const struct collation_line *l = &w->lines[i];
        const struct unit *u = fold_unit(s, l->unit);
        struct buf label;
        buf_init(&label, 400);
        buf_printf(&label, "%.*s %.*s", SPAN_ARG(u->code), SPAN_ARG(u->name));
        labels[i] = arena_text(&w->mem, buf_view(&label));
        buf_release(&label);
        if (!labels[i]) return fail_set(f, E_MEMORY, "no memory for the table");
        uint64_t *row = figures + i * n;
        size_t m = of_round(w, l->is.votes, votes);
        row[0] = l->is.registered;
        for (size_t c2 = 0; c2 < m; c2++) row[1 + c2] = votes[c2];
        row[n - 2] = l->is.valid;
        row[n - 1] = l->is.rejected;
    }
    const struct unit *u = fold_unit(s, w->unit);
    (void)snprintf(place, sizeof place, "%.*s %.*s", SPAN_ARG(u->code), SPAN_ARG(u->name));
    struct span form = contest_rule(s, w->v.contest)->form[u->level];
    const char *title = arena_text(&w->mem, k->name), *form_name = arena_text(&w->mem, form);
    if (!title || !form_name) return fail_set(f, E_MEMORY, "no memory for the table");
    struct print_table t = {.form = form_name, .title_en = title, .title_sw = "", .place = place, .code = "",
                            .columns = columns, .column_count = n, .labels = labels, .figures = figures,
                            .row_count = (unsigned)w->n, .anchor = "",
                            .simulated = fold_definition(s)->simulated};
    return print_table(c, &t, f);
}

static err print_pdf(struct work *w, struct fail *f) {
    struct canvas *c;
    FILE *file = fopen(w->a->print, "wb");
    if (!file) return fail_set(f, E_IO, "%s cannot be written", w->a->print);
    err e = canvas_pdf(to_file, file, "Collation", "2000-01-01T00:00:00Z", &c, f);
    if (e == OK) {
        e = print_lines(w, c, f);
        struct fail closing;
        err end = canvas_close(c, NULL, e == OK ? f : &closing);
        if (e == OK) e = end;
    }
    if (fclose(file) && e == OK) e = fail_set(f, E_IO, "%s cannot be written", w->a->print);
    return e;
}

static err run(struct work *w, const char *where, struct buf *text, struct fail *f) {
    if (!w->a->contest) return fail_set(f, E_USAGE, "--contest is needed");
    TRY(law_open("collate", where, w->m->send.anchor, w->a->contest, &w->v, f));
    TRY(find_unit(w, f));
    say_what_is_missing(w);
    if (w->a->print) TRY(print_pdf(w, f));
    return w->a->list ? OK : compose(w, text, f);
}

int cmd_collate(int argc, char **argv) {
    struct collate_args a = {.handed = ABSENT};
    struct make_options m = {0};
    const struct opt options[] = {
        {"--contest", OPT_TEXT, &a.contest, "ID", "the contest"},
        {"--unit", OPT_TEXT, &a.unit, "CODE", "the constituency, county, ward or nation (the contest's own unit)"},
        {"--paper", OPT_TEXT, &a.paper, "FILE", "log a signed paper form, typed as CSV: code, registered, rejected, valid, a column a choice; last row TOTAL"},
        {"--form", OPT_LIST, &a.forms, "FILE", "picture of the signed form (may be given several times)"},
        {"--handed", OPT_U64, &a.handed, "N", "forms of the stations that were handed over with it"},
        {"--reason", OPT_TEXT, &a.reason, "FILE", "why it replaces the one that stands (not public, erasable)"},
        {"--rows", OPT_TEXT, &a.rows, "FILE", "where to write the rows (collation-CONTEST-UNIT.rows)"},
        {"--print", OPT_TEXT, &a.print, "PDF", "print the proposed form, to be signed on paper"},
        {"--list", OPT_FLAG, &a.list, NULL, "only say what is missing (and print), make no record"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "collate DIR|URL --contest ID --unit CODE --key KEY [--print PDF] [--send URL]",
        "Proposes a collation (34B, 34C and their kin) from the figures that hold at the unit's stations, or\n"
        "from the collations of the areas below, and says what is missing. Every figure is that of the record\n"
        "it names: the log refuses a table that alters one. With --paper it logs a signed form as it is\n"
        "written; what differs becomes findings.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct work *w = calloc(1, sizeof *w);
    struct fail f = {0};
    struct buf text;
    if (!w) return 70;
    w->a = &a;
    w->m = &m;
    arena_init(&w->mem, (size_t)1 << 30);
    buf_init(&w->rows, ROWS_MAX);
    buf_init(&text, 65536);
    err e = run(w, argv[0], &text, &f);
    code = e != OK ? cli_fail("collate", &f) : a.list ? 0 : make_finish("collate", &m, buf_view(&text));
    buf_release(&text);
    buf_release(&w->rows);
    arena_release(&w->mem);
    law_close(&w->v);
    free(w);
    return code;
}
