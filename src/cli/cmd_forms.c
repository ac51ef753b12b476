/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu forms: result forms, collation tables, count sheets and slips as PDF. */
#include <errno.h>
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
#include "paper/print.h"
#include "paper/qr.h"

int cmd_forms(int argc, char **argv);

struct options {
    const char *stations, *choices, *table, *slip;
    const char *contest, *contest_en, *contest_sw, *form, *regulation, *anchor, *date, *out, *place;
    uint64_t contest_number, boxes, serial, limit;
    bool count_sheet, simulated, json, copy;
};

static const char about[] =
    "Prints result forms: for each station of a CSV (columns station, centre_name, ward_name,\n"
    "constituency_name, county_name, stream) the Form 34A of one contest, whose choices stand in\n"
    "another CSV (columns name, party). With --out DIR one PDF a constituency (the first six\n"
    "digits of the code), with --out FILE.pdf one for all. The same input gives the same bytes.\n"
    "With --table a collation (34B, 34C) from a CSV of a label and figures; with --slip the\n"
    "receipt of one signed note.\n\n"
    "example: hesabu forms --stations stations.csv --choices choices.csv --contest president \\\n"
    "         --contest-number 1 --out forms/\n\n"
    "exit codes: 0 printed; 1 the input is not right; 64 wrong usage; 74 the disk failed.";

struct sink {
    FILE *file;
    uint64_t bytes;
};

static bool to_file(void *ctx, struct span piece) {
    struct sink *s = ctx;
    s->bytes += piece.n;
    return fwrite(piece.p, 1, piece.n, s->file) == piece.n;
}

struct job {
    const struct options *o;
    struct arena arena;
    struct print_choice choices[FORM_CHOICES_MAX];
    unsigned choice_count;
    struct sink sink;
    struct canvas *canvas;
    char group[8]; /* the constituency whose file is open */
    uint64_t forms, pages, files, bytes;
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

static err open_pdf(struct job *j, const char *path, struct fail *f) {
    TRY(file_mkdirs_for(path, f));
    j->sink = (struct sink){.file = fopen(path, "wb")};
    if (!j->sink.file) return file_error(f, errno, "creating", path);
    j->files++;
    return canvas_pdf(to_file, &j->sink, "Result forms", j->o->date, &j->canvas, f);
}

static err close_pdf(struct job *j, err so_far, struct fail *f) {
    if (j->canvas) {
        struct fail second;
        err e = canvas_close(j->canvas, NULL, so_far == OK ? f : &second);
        if (so_far == OK) so_far = e;
    }
    if (j->sink.file && fclose(j->sink.file) != 0 && so_far == OK)
        so_far = fail_set(f, E_IO, "the PDF cannot be written");
    j->bytes += j->sink.bytes;
    j->canvas = NULL;
    j->sink = (struct sink){0};
    return so_far;
}

static bool is_pdf(const char *path) {
    const size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".pdf") == 0;
}

/* The station's own file or stream: a new one where the constituency changes. */
static err choose_file(struct job *j, const char *station, struct fail *f) {
    if (is_pdf(j->o->out)) return j->canvas ? OK : open_pdf(j, j->o->out, f);
    char group[8];
    snprintf(group, sizeof group, "%.6s", station);
    if (j->canvas && strcmp(group, j->group) == 0) return OK;
    TRY(close_pdf(j, OK, f));
    memcpy(j->group, group, sizeof group);
    char path[PATH_MAX_LEN];
    if (snprintf(path, sizeof path, "%s/%s-%s.pdf", j->o->out, j->o->form, group) >=
        (int)sizeof path)
        return fail_set(f, E_TOO_LARGE, "path too long: %.200s", j->o->out);
    return open_pdf(j, path, f);
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
    code->serial = o->serial + j->forms;
    code->shape = (struct form_shape){j->choice_count, (unsigned)o->boxes};
    TRY(choose_file(j, station, f));
    j->forms++;
    if (o->count_sheet) return print_count_sheet(j->canvas, &form, f);
    j->pages += form_page_count(code->shape);
    return print_form(j->canvas, &form, f);
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
    while (e == OK && (!j->o->limit || j->forms < j->o->limit) &&
           (e = csv_next(c, &more, f)) == OK && more) {
        e = print_station(j, c, &k, f);
        cli_progress("forms", j->forms, 0);
    }
    cli_progress_end();
    csv_close(c);
    return close_pdf(j, e, f);
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
    if (e == OK) e = open_pdf(j, o->out, f);
    if (e == OK) e = print_table(j->canvas, &t, f);
    return close_pdf(j, e, f);
}

static err print_receipt(struct job *j, struct fail *f) {
    struct buf note;
    buf_init(&note, QR_NOTE_BYTES_MAX);
    err e = file_read(j->o->slip, QR_NOTE_BYTES_MAX, &note, f);
    struct print_slip s = {.note = buf_view(&note),
                           .id = "",
                           .contest = j->o->contest_en,
                           .station = j->o->place,
                           .simulated = j->o->simulated};
    if (e == OK) e = open_pdf(j, j->o->out, f);
    if (e == OK) e = print_slip(j->canvas, &s, f);
    e = close_pdf(j, e, f);
    buf_release(&note);
    return e;
}

static err run(struct job *j, struct fail *f) {
    const struct options *o = j->o;
    if ((o->table != NULL) + (o->slip != NULL) + (o->stations != NULL) != 1)
        return fail_set(f, E_USAGE, "give one of --stations, --table and --slip");
    if ((o->table || o->slip) && !is_pdf(o->out))
        return fail_set(f, E_USAGE, "--out names a file that ends in .pdf here");
    if (o->table) return print_collation(j, f);
    if (o->slip) return print_receipt(j, f);
    if (!o->choices) return fail_set(f, E_USAGE, "--choices FILE is missing");
    if (o->boxes < 1 || o->boxes > FORM_BOXES_MAX || o->contest_number < 1 ||
        o->contest_number > 65535)
        return fail_set(f, E_USAGE, "--boxes is 1 to %d and --contest-number 1 to 65535",
                        FORM_BOXES_MAX);
    return print_stations(j, f);
}

int cmd_forms(int argc, char **argv) {
    struct options o = {
        .contest = "president",
        .contest_number = 1,
        .contest_en = "Election of the President: result of the count at the polling station",
        .contest_sw = "Uchaguzi wa Rais: matokeo ya hesabu katika kituo cha kupigia kura",
        .form = "34A",
        .regulation = "",
        .anchor = "",
        .place = "",
        .date = "2017-08-08T00:00:00Z",
        .boxes = 4,
        .serial = 1};
    const struct opt options[] = {
        {"--stations", OPT_TEXT, &o.stations, "FILE", "CSV of the polling stations"},
        {"--choices", OPT_TEXT, &o.choices, "FILE", "CSV of the contest's choices: name, party"},
        {"--table", OPT_TEXT, &o.table, "FILE", "a collation instead: CSV of a label and figures"},
        {"--slip", OPT_TEXT, &o.slip, "NOTE",
         "a receipt instead: the signed note (at most 800 bytes)"},
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
        {"--anchor", OPT_TEXT, &o.anchor, "HEX", "fingerprint of the trust anchor"},
        {"--date", OPT_TEXT, &o.date, "TIME", "date that the PDF bears"},
        {"--limit", OPT_U64, &o.limit, "N", "only the first N stations"},
        {"--copy", OPT_FLAG, &o.copy, NULL, "print COPY across every page"},
        {"--simulated", OPT_FLAG, &o.simulated, NULL, "print SIMULATED on every page"},
        {"--out", OPT_TEXT, &o.out, "PATH", "a file ending in .pdf, or a folder"},
        {"--json", OPT_FLAG, &o.json, NULL, "what was printed, as JSON"},
    };
    const struct usage u = {"forms --stations FILE --choices FILE --out PATH",
                            about,
                            options,
                            sizeof options / sizeof *options,
                            0,
                            0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct job j = {.o = &o};
    arena_init(&j.arena, (size_t)256 << 20);
    const double start = clock_seconds();
    err e = o.out ? run(&j, &f) : fail_set(&f, E_USAGE, "--out PATH is missing");
    arena_release(&j.arena);
    if (e != OK) return cli_fail("forms", &f);
    const double took = clock_seconds() - start;
    struct buf b;
    buf_init(&b, 4096);
    if (o.json) {
        struct json_out w = json_out(&b);
        json_object(&w);
        json_ku64(&w, "forms", j.forms);
        json_ku64(&w, "pages", j.pages);
        json_ku64(&w, "files", j.files);
        json_ku64(&w, "bytes", j.bytes);
        json_kdouble(&w, "seconds", took);
        json_object_end(&w);
        buf_byte(&b, '\n');
    } else {
        buf_printf(&b,
                   "%" PRIu64 " forms, %" PRIu64 " pages in %" PRIu64 " files, %.1f MB, %.1f s\n",
                   j.forms, j.pages, j.files, (double)j.bytes / 1e6, took);
    }
    code = cli_print(buf_view(&b));
    buf_release(&b);
    return code;
}
