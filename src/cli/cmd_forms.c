/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu forms: result forms, collation tables, count sheets and slips as PDF. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/arena.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/forms_election.h"
#include "cli/slip_check.h"
#include "paper/print.h"
#include "paper/qr.h"
#include "service/notes.h"

int cmd_forms(int argc, char **argv);

struct options {
    const char *stations, *choices, *table, *slip, *dir, *unit, *group, *collation, *signer;
    const char *contest, *contest_en, *contest_sw, *form, *regulation, *anchor, *date, *out, *place;
    uint64_t contest_number, boxes, serial, limit, round;
    bool count_sheet, simulated, json, copy, resume;
};

static const char about[] =
    "Prints result forms. With --dir everything comes from an election's own log: any contest and\n"
    "its stations, one PDF a constituency, or (--collation CODE) the figures that hold now in a "
    "unit,\n"
    "as Form 34B or 34C. --anchor is then a gazetted anchor file to check the log against.\n\n"
    "Without a log: for each station of a CSV (columns station, centre_name, ward_name,\n"
    "constituency_name, county_name, stream) the Form 34A of one contest, whose choices stand in\n"
    "another CSV (columns name, party). With --out DIR one PDF a constituency (the first six\n"
    "digits of the code), with --out FILE.pdf one for all. The same input gives the same bytes.\n"
    "With --table a collation (34B, 34C) from a CSV of a label and figures; with --slip the\n"
    "receipt of one signed note.\n\n"
    "example: hesabu forms --dir DIR --contest president --out forms/\n"
    "         hesabu forms --dir DIR --contest president --collation 001001 --form 34B --out "
    "b.pdf\n"
    "         hesabu forms --stations stations.csv --choices choices.csv --contest president \\\n"
    "         --contest-number 1 --out forms/\n\n"
    "exit codes: 0 printed; 1 the input is not right; 64 wrong usage; 74 the disk failed.";

struct job {
    const struct options *o;
    struct arena arena;
    struct print_choice choices[FORM_CHOICES_MAX];
    unsigned choice_count;
    struct forms_stream stream;
    struct forms_printed printed;
    uint64_t rows; /* stations read: a form that is there already keeps its serial number */
};

static err load_choices(struct job *j, struct fail *f) {
    struct csv *c;
    size_t name, party;
    TRY(csv_open(j->o->choices, &c, f));
    err e = csv_column(c, "name", &name, f);
    if (e == OK) e = csv_column(c, "party", &party, f);
    bool more = true;
    while (e == OK && (e = csv_next(c, &more, f)) == OK && more) {
        if (j->choice_count == FORM_CHOICES_MAX) {
            e = fail_set(f, E_TOO_LARGE, "more than %d choices", FORM_CHOICES_MAX);
            break;
        }
        struct print_choice *p = &j->choices[j->choice_count++];
        p->name = arena_text(&j->arena, csv_field(c, name));
        p->party = arena_text(&j->arena, csv_field(c, party));
        if (!p->name || !p->party) e = fail_set(f, E_MEMORY, "no memory for the choices");
    }
    csv_close(c);
    if (e == OK && j->choice_count == 0)
        e = fail_set(f, E_CSV, "%s has no choices: one row each is needed", j->o->choices);
    return e;
}

struct columns {
    size_t station, centre, ward, constituency, county, stream;
};

static err print_station(struct job *j, const struct csv *c, const struct columns *k,
                         struct fail *f) {
    char text[5][200], station[24];
    const size_t from[5] = {k->centre, k->ward, k->constituency, k->county, k->stream};
    for (int i = 0; i < 5; i++)
        snprintf(text[i], sizeof text[i], "%.*s", (int)csv_field(c, from[i]).n,
                 (const char *)csv_field(c, from[i]).p);
    snprintf(station, sizeof station, "%.*s", (int)csv_field(c, k->station).n,
             (const char *)csv_field(c, k->station).p);
    const struct options *o = j->o;
    struct print_form form = {.regulation = o->regulation,
                              .contest_en = o->contest_en,
                              .contest_sw = o->contest_sw,
                              .station = text[0],
                              .ward = text[1],
                              .constituency = text[2],
                              .county = text[3],
                              .stream = text[4],
                              .choices = j->choices,
                              .anchor = o->anchor,
                              .simulated = o->simulated,
                              .copy = o->copy ? "COPY" : ""};
    struct form_code *code = &form.code;
    if (strlen(o->form) >= sizeof code->form || strlen(station) >= sizeof code->station ||
        strlen(o->contest) >= sizeof code->contest)
        return fail_set(f, E_FIELD, "form, station or contest id too long at line %" PRIu64,
                        csv_line(c));
    strcpy(code->form, o->form);
    strcpy(code->station, station);
    strcpy(code->contest, o->contest);
    code->contest_number = (unsigned)o->contest_number;
    code->serial = o->serial + j->rows++;
    code->shape = (struct form_shape){j->choice_count, (unsigned)o->boxes};
    TRY(forms_stream_group(&j->stream, span_of(station, strlen(station) < 6 ? strlen(station) : 6),
                           f));
    if (j->stream.skipping) return OK;
    j->printed.forms++;
    if (o->count_sheet) return print_count_sheet(j->stream.canvas, &form, f);
    return print_form(j->stream.canvas, &form, f);
}

static err print_stations(struct job *j, struct fail *f) {
    struct csv *c;
    struct columns k;
    TRY(load_choices(j, f));
    TRY(csv_open(j->o->stations, &c, f));
    err e = csv_column(c, "station", &k.station, f);
    if (e == OK) e = csv_column(c, "centre_name", &k.centre, f);
    if (e == OK) e = csv_column(c, "ward_name", &k.ward, f);
    if (e == OK) e = csv_column(c, "constituency_name", &k.constituency, f);
    if (e == OK) e = csv_column(c, "county_name", &k.county, f);
    if (e == OK) e = csv_column(c, "stream", &k.stream, f);
    bool more = true;
    while (e == OK && (!j->o->limit || j->rows < j->o->limit) &&
           (e = csv_next(c, &more, f)) == OK && more) {
        e = print_station(j, c, &k, f);
        cli_progress("forms", j->rows, 0);
    }
    cli_progress_end();
    csv_close(c);
    return forms_stream_end(&j->stream, e, f);
}

static err read_table(struct job *j, struct csv *c, struct print_table *t, struct fail *f) {
    const unsigned columns = (unsigned)csv_columns(c) - 1;
    size_t cap = 0;
    const char **labels = NULL;
    uint64_t *figures = NULL;
    bool more = true;
    err e = OK;
    while ((e = csv_next(c, &more, f)) == OK && more) {
        if (t->row_count == cap) { /* doubled copies stay in the arena until the end */
            const size_t next = cap ? cap * 2 : 512;
            const char **l = arena_array(&j->arena, next, sizeof *l);
            uint64_t *g = arena_array(&j->arena, next * columns, sizeof *g);
            if (!l || !g) return fail_set(f, E_MEMORY, "no memory for the table");
            if (cap) memcpy(l, labels, cap * sizeof *l);
            if (cap) memcpy(g, figures, cap * columns * sizeof *g);
            labels = l;
            figures = g;
            cap = next;
        }
        labels[t->row_count] = arena_text(&j->arena, csv_field(c, 0));
        if (!labels[t->row_count]) return fail_set(f, E_MEMORY, "no memory for the table");
        for (unsigned k = 0; k < columns; k++) {
            uint64_t *v = &figures[(size_t)t->row_count * columns + k];
            bool present;
            TRY(csv_u64(c, k + 1, PRINT_ABSENT - 1, &present, v, f));
            if (!present) *v = PRINT_ABSENT;
        }
        t->row_count++;
    }
    t->labels = labels;
    t->figures = figures;
    return e;
}

static err print_collation(struct job *j, struct fail *f) {
    const struct options *o = j->o;
    const char *columns[16];
    struct csv *c;
    TRY(csv_open(o->table, &c, f));
    err e = OK;
    if (csv_columns(c) < 2 || csv_columns(c) > 13)
        e = fail_set(f, E_CSV, "a table has a label and 1 to 12 columns of figures");
    for (size_t i = 1; e == OK && i < csv_columns(c); i++) {
        columns[i - 1] = arena_text(&j->arena, csv_header(c, i));
        if (!columns[i - 1]) e = fail_set(f, E_MEMORY, "no memory for the table");
    }
    struct print_table t = {.form = o->form,
                            .title_en = o->contest_en,
                            .title_sw = o->contest_sw,
                            .place = o->place,
                            .code = "",
                            .columns = columns,
                            .column_count = (unsigned)csv_columns(c) - 1,
                            .anchor = o->anchor,
                            .simulated = o->simulated};
    if (e == OK) e = read_table(j, c, &t, f);
    csv_close(c);
    if (e == OK) e = forms_stream_group(&j->stream, SPAN_LIT(""), f);
    if (e == OK) e = print_table(j->stream.canvas, &t, f);
    return forms_stream_end(&j->stream, e, f);
}

enum { SLIP_LINE = 108, SLIP_LINES = 20 };

/* A receipt: the note with one signature in the code, and the signed text beside it for people. */
static err draw_receipt(struct job *j, struct span note, struct fail *f) {
    char lines[SLIP_LINES][SLIP_LINE + 1], hex[HASH_HEX_LEN + 1], contest[120], station[120];
    const char *at[SLIP_LINES];
    unsigned n = 0;
    struct record *r = malloc(sizeof *r);
    if (!r) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = notes_parse(note, r, f);
    if (e == OK) {
        struct span rest = r->text;
        for (; rest.n && n < SLIP_LINES; n++) {
            const size_t take = rest.n < SLIP_LINE ? rest.n : SLIP_LINE;
            memcpy(lines[n], rest.p, take);
            lines[n][take] = 0;
            for (char *c = lines[n]; *c; c++)
                if (*c == '\n') *c = ' ';
            at[n] = lines[n];
            rest = span_from(rest, take);
        }
        hash_hex(&r->id, hex);
        snprintf(contest, sizeof contest, "%.*s", SPAN_ARG(notes_member(r, "contest")));
        snprintf(station, sizeof station, "%.*s %s", SPAN_ARG(notes_member(r, "station")),
                 j->o->place);
        const struct print_slip s = {.note = note,
                                     .id = hex,
                                     .contest = contest,
                                     .station = station,
                                     .lines = at,
                                     .line_count = n,
                                     .simulated = j->o->simulated};
        e = forms_stream_group(&j->stream, SPAN_LIT(""), f);
        if (e == OK) e = print_slip(j->stream.canvas, &s, f);
    }
    free(r);
    return forms_stream_end(&j->stream, e, f);
}

static err print_receipt(struct job *j, struct fail *f) {
    struct buf note, one;
    buf_init(&note, ENTRY_MAX);
    buf_init(&one, ENTRY_MAX);
    err e = file_read(j->o->slip, ENTRY_MAX, &note, f);
    if (e == OK) e = slip_one_line(buf_view(&note), j->o->signer, &one, f);
    if (e == OK) e = draw_receipt(j, buf_view(&one), f);
    buf_release(&one);
    buf_release(&note);
    return e;
}

/* What the election's own folder says; of the options only those that are not in it. */
static err print_election(struct job *j, struct fail *f) {
    const struct options *o = j->o;
    const struct forms_election e = {.where = o->dir,
                                     .anchor = o->anchor[0] ? o->anchor : NULL,
                                     .contest = o->contest,
                                     .unit = o->unit,
                                     .group = o->group,
                                     .form = o->form,
                                     .regulation = o->regulation,
                                     .contest_sw = o->contest_sw ? o->contest_sw : "",
                                     .collation = o->collation,
                                     .round = o->round,
                                     .boxes = o->boxes,
                                     .limit = o->limit,
                                     .count_sheet = o->count_sheet,
                                     .copy = o->copy};
    return forms_of_election(&e, &j->stream, &j->printed, f);
}

static err add_file(struct job *j, const char *path, struct fail *f) {
    struct span bytes;
    if (!path || strcmp(path, "-") == 0) return OK;
    TRY(file_map(path, &bytes, f));
    forms_stream_input(&j->stream, bytes);
    file_unmap(bytes);
    return OK;
}

/* All that decides what a file holds, so that --resume leaves alone only what would be the same. */
static err add_inputs(struct job *j, struct fail *f) {
    const struct options *o = j->o;
    const char *const text[] = {o->unit, o->group, o->collation, o->signer, o->contest, o->contest_en,
                                o->contest_sw, o->form, o->regulation, o->dir ? NULL : o->anchor,
                                o->date, o->place};
    const uint64_t number[] = {o->contest_number, o->boxes, o->serial, o->limit, o->round,
                               o->count_sheet, o->simulated, o->copy};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        forms_stream_input(&j->stream, text[i] ? span_text(text[i]) : SPAN_LIT("\n"));
    forms_stream_input(&j->stream, span_of(number, sizeof number));
    TRY(add_file(j, o->stations, f));
    TRY(add_file(j, o->choices, f));
    TRY(add_file(j, o->table, f));
    return add_file(j, o->slip, f);
}

static err run(struct job *j, struct fail *f) {
    const struct options *o = j->o;
    if ((o->table != NULL) + (o->slip != NULL) + (o->stations != NULL) + (o->dir != NULL) != 1)
        return fail_set(f, E_USAGE, "give one of --dir, --stations, --table and --slip");
    if ((o->table || o->slip) && !forms_out_is_file(o->out))
        return fail_set(f, E_USAGE, "--out names a file that ends in .pdf here");
    if (o->boxes < 1 || o->boxes > FORM_BOXES_MAX || o->contest_number < 1 ||
        o->contest_number > 65535 || o->round > 9)
        return fail_set(f, E_USAGE,
                        "--boxes is 1 to %d, --contest-number 1 to 65535, --round at most 9",
                        FORM_BOXES_MAX);
    TRY(add_inputs(j, f));
    if (o->table) return print_collation(j, f);
    if (o->slip) return print_receipt(j, f);
    if (o->dir) return print_election(j, f);
    if (!o->choices) return fail_set(f, E_USAGE, "--choices FILE is missing");
    return print_stations(j, f);
}

int cmd_forms(int argc, char **argv) {
    struct options o = {.contest_number = 1,
                        .group = "constituency",
                        .form = "34A",
                        .regulation = "",
                        .anchor = "",
                        .place = "",
                        .date = "2017-08-08T00:00:00Z",
                        .boxes = 4,
                        .serial = 1};
    const struct opt options[] = {
        {"--dir", OPT_TEXT, &o.dir, "DIR|URL", "an election's folder or address"},
        {"--unit", OPT_TEXT, &o.unit, "CODE", "with --dir: only the stations of this unit"},
        {"--group", OPT_TEXT, &o.group, "LEVEL",
         "with --dir: the level whose units get a file each (constituency)"},
        {"--collation", OPT_TEXT, &o.collation, "CODE",
         "with --dir: this unit's collation, with the figures that hold now"},
        {"--round", OPT_U64, &o.round, "N", "with --dir: of the contest (the current one)"},
        {"--stations", OPT_TEXT, &o.stations, "FILE", "CSV of the polling stations"},
        {"--choices", OPT_TEXT, &o.choices, "FILE", "CSV of the contest's choices: name, party"},
        {"--table", OPT_TEXT, &o.table, "FILE", "a collation instead: CSV of a label and figures"},
        {"--slip", OPT_TEXT, &o.slip, "NOTE",
         "a receipt instead: the signed result (at most 800 bytes with one signature)"},
        {"--signer", OPT_TEXT, &o.signer, "NAME", "with --slip: whose signature it carries"},
        {"--count-sheet", OPT_FLAG, &o.count_sheet, NULL, "count sheets instead of result forms"},
        {"--contest", OPT_TEXT, &o.contest, "ID", "the contest's id (president)"},
        {"--contest-number", OPT_U64, &o.contest_number, "N", "its number in the definition (1)"},
        {"--contest-en", OPT_TEXT, &o.contest_en, "TEXT", "its title in English"},
        {"--contest-sw", OPT_TEXT, &o.contest_sw, "TEXT", "its title in Swahili"},
        {"--form", OPT_TEXT, &o.form, "CODE", "the form's code (34A)"},
        {"--regulation", OPT_TEXT, &o.regulation, "TEXT", "the regulation that prescribes it"},
        {"--place", OPT_TEXT, &o.place, "TEXT", "constituency or nation, on a table or slip"},
        {"--boxes", OPT_U64, &o.boxes, "N", "boxes a figure (4)"},
        {"--serial", OPT_U64, &o.serial, "N", "serial number of the first form (1)"},
        {"--anchor", OPT_TEXT, &o.anchor, "HEX|FILE",
         "fingerprint of the trust anchor; with --dir an anchor file"},
        {"--date", OPT_TEXT, &o.date, "TIME", "date that the PDF bears"},
        {"--limit", OPT_U64, &o.limit, "N", "only the first N stations"},
        {"--copy", OPT_FLAG, &o.copy, NULL, "print COPY across every page"},
        {"--simulated", OPT_FLAG, &o.simulated, NULL, "print SIMULATED on every page"},
        {"--resume", OPT_FLAG, &o.resume, NULL, "leave alone what an earlier run has printed whole"},
        {"--out", OPT_TEXT, &o.out, "PATH", "a file ending in .pdf, or a folder"},
        {"--json", OPT_FLAG, &o.json, NULL, "what was printed, as JSON"},
    };
    const struct usage u = {"forms (--dir DIR | --stations FILE --choices FILE) --out PATH",
                            about,
                            options,
                            sizeof options / sizeof *options,
                            0,
                            0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    if (!o.contest && !o.dir) o.contest = "president";
    if (!o.contest_en)
        o.contest_en = "Election of the President: result of the count at the polling station";
    if (!o.contest_sw && !o.dir)
        o.contest_sw = "Uchaguzi wa Rais: matokeo ya hesabu katika kituo cha kupigia kura";
    struct job j = {.o = &o, .stream = {.out = o.out,
                             .stem = o.count_sheet ? "count" : o.form,
                             .date = o.date, .resume = o.resume}};
    arena_init(&j.arena, (size_t)256 << 20);
    const double start = clock_seconds();
    err e = o.out ? run(&j, &f) : fail_set(&f, E_USAGE, "--out PATH is missing");
    arena_release(&j.arena);
    forms_stream_release(&j.stream);
    if (e != OK) return cli_fail("forms", &f);
    const double took = clock_seconds() - start;
    struct buf b;
    buf_init(&b, 4096);
    if (o.json) {
        struct json_out w = json_out(&b);
        json_object(&w);
        json_ku64(&w, "forms", j.printed.forms);
        json_ku64(&w, "pages", j.stream.pages);
        json_ku64(&w, "files", j.stream.files);
        json_ku64(&w, "bytes", j.stream.bytes);
        json_ku64(&w, "files_there_already", j.stream.skipped);
        json_kdouble(&w, "seconds", took);
        json_object_end(&w);
        buf_byte(&b, '\n');
    } else {
        buf_printf(
            &b, "%" PRIu64 " forms, %" PRIu64 " pages in %" PRIu64 " files, %.1f MB, %.1f s\n",
            j.printed.forms, j.stream.pages, j.stream.files, (double)j.stream.bytes / 1e6, took);
        if (j.stream.skipped)
            buf_printf(&b, "%" PRIu64 " files were there already\n", j.stream.skipped);
    }
    code = cli_print(buf_view(&b));
    buf_release(&b);
    return code;
}
