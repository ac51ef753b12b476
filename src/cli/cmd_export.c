/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu export: open data in many formats, recomputed from the records. */
#include <stdio.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/tree_log.h"
#include "service/export.h"
#include "service/open_data.h"

int cmd_export(int argc, char **argv);

struct wish {
    enum export_format format;
    const char *path; /* "-": standard output; NULL: the format's own name, in the folder */
};

struct args {
    const char *format, *out, *dir, *csv, *sqlite, *contest, *anchor, *places;
    bool publish;
};

static err put(void *ctx, struct span bytes, struct fail *f) {
    if (fwrite(bytes.p, 1, bytes.n, ctx) != bytes.n)
        return fail_set(f, E_IO, "standard output cannot be written");
    return OK;
}

static err make(const struct export_source *s, const struct wish *w, const char *dir, struct fail *f) {
    char path[PATH_MAX_LEN];
    if (!w->path) {
        TRY(file_mkdirs(dir, f));
        TRY(path_join(path, sizeof path, dir, export_info(w->format)->file, f));
        return export_file(s, w->format, path, f);
    }
    if (strcmp(w->path, "-") != 0) return export_file(s, w->format, w->path, f);
    TRY(export_stream(s, w->format, &(struct export_sink){put, stdout}, f));
    return fflush(stdout) == 0 ? OK : fail_set(f, E_IO, "standard output cannot be written");
}

static err wishes(const struct args *a, struct wish w[EXPORT_FORMATS + 3], size_t *n, struct fail *f) {
    *n = 0;
    if (a->csv) w[(*n)++] = (struct wish){EXPORT_CSV, a->csv};
    if (a->sqlite) w[(*n)++] = (struct wish){EXPORT_SQLITE, a->sqlite};
    if (a->format) {
        TRY(export_format_parse(a->format, &w[*n].format, f));
        w[*n].path = a->out ? a->out : a->dir ? NULL : "-";
        (*n)++;
    }
    for (int i = 0; a->dir && !a->format && i < EXPORT_FORMATS; i++)
        w[(*n)++] = (struct wish){(enum export_format)i, NULL};
    if (*n == 0)
        return fail_set(f, E_USAGE, "say what to write: --format F [--out FILE], or --dir DIR for every "
                                    "format");
    return OK;
}

static err publish(const char *where, struct fail *f) {
    struct tree tree = {0};
    uint64_t size;
    TRY(tree_open(where, &tree, f));
    err e = tree.url ? fail_set(f, E_USAGE, "--publish writes into an election's folder: give DIR")
                     : open_data_make(&(struct open_data_options){.public_dir = tree.base}, NULL, &size, f);
    if (e == OK)
        fprintf(stderr, "%s/data/ is of checkpoint %llu\n", tree.base, (unsigned long long)size);
    tree_close(&tree);
    return e;
}

static err places_of_file(const char *path, struct places *out, struct fail *f) {
    struct buf b;
    buf_init(&b, PLACES_BYTES_MAX);
    err e = file_read(path, PLACES_BYTES_MAX, &b, f);
    if (e == OK && (e = places_read(buf_view(&b), out, f)) != OK)
        e = fail_context(f, e, "%.200s", path);
    buf_release(&b);
    return e;
}

static err export_all(const struct args *a, const char *where, struct fail *f) {
    struct tree tree = {0};
    struct tree_log log = {0};
    struct results results = {0};
    struct places places = {0};
    struct wish w[EXPORT_FORMATS + 3];
    size_t n;
    TRY(wishes(a, w, &n, f));
    err e = tree_open(where, &tree, f);
    if (e == OK) e = tree_log_read(&tree, &(struct tree_log_options){.anchor = a->anchor, .what = "export"},
                                   &log, f);
    if (e == OK) e = results_compute(log.fold, &results, f);
    if (e == OK) e = a->places ? places_of_file(a->places, &places, f) : places_of_tree(&tree.at, &places, f);
    struct export_source s = {.fold = log.fold, .results = &results, .root = log.root,
                              .contest = a->contest, .places = &places};
    for (size_t i = 0; i < n && e == OK; i++) e = make(&s, &w[i], a->dir, f);
    if (e == OK) {
        struct buf b;
        buf_init(&b, 4096);
        tree_log_source(&log, &b);
        fprintf(stderr, "%s%s\n", buf_cstr(&b), fold_definition(log.fold)->simulated ? "; SIMULATED" : "");
        buf_release(&b);
    }
    if (results.tallies) results_release(&results);
    places_release(&places);
    tree_log_release(&log);
    tree_close(&tree);
    return e;
}

int cmd_export(int argc, char **argv) {
    struct args a = {0};
    const struct opt options[] = {
        {"--format", OPT_TEXT, &a.format, "F", "csv, json, err-json, err-xml, eml, atom, geojson or sqlite"},
        {"--out", OPT_TEXT, &a.out, "FILE", "where to (\"-\": standard output, the default)"},
        {"--dir", OPT_TEXT, &a.dir, "DIR", "into this folder under the format's own name; without --format: every format"},
        {"--publish", OPT_FLAG, &a.publish, NULL, "every format into DIR/public/data/, as the daemon does"},
        {"--csv", OPT_TEXT, &a.csv, "FILE", "short for --format csv --out FILE"},
        {"--sqlite", OPT_TEXT, &a.sqlite, "FILE", "short for --format sqlite --out FILE"},
        {"--contest", OPT_TEXT, &a.contest, "ID", "only this contest; CSV then has a column a choice"},
        {"--places", OPT_TEXT, &a.places, "FILE", "GeoJSON with shapes by code (else the tree's places.geojson)"},
        {"--anchor", OPT_TEXT, &a.anchor, "FILE", "the gazetted trust anchor (else the tree's own)"},
    };
    const struct usage u = {
        "export DIR|URL --format F [--out FILE] [--contest ID]",
        "Open data, as it stands at the tree's newest checkpoint, which every file names: station by\n"
        "station as CSV; everything as JSON and SQLite; the common formats NIST SP 1500-100 (err-json,\n"
        "err-xml) and OASIS EML 510; a feed of corrections and notices. Made by replaying the records: at one checkpoint anybody makes the same bytes.\n"
        "spec/exports.md says what stands where.\n\n"
        "example: hesabu export https://results.example.org --format csv --contest president --out p.csv",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    err e = a.publish ? publish(argv[0], &f) : export_all(&a, argv[0], &f);
    return e == OK ? 0 : cli_fail("export", &f);
}
