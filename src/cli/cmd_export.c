/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu export: open data in many formats, recomputed from the records. */
#include <stdio.h>
#include "base/file.h"
#include "base/json_out.h"
#include "cli/cli.h"
#include "cli/plain.h"
#include "cli/tree_log.h"
#include "service/exchange.h"
#include "service/export.h"
#include "service/open_data.h"

int cmd_export(int argc, char **argv);

struct wish {
    enum export_format format;
    const char *path; /* "-": standard output; NULL: the format's own name, in the folder */
};

struct args {
    const char *format, *out, *dir, *csv, *sqlite, *contest, *anchor, *places;
    struct opt_list checks;
    uint64_t limit;
    bool publish, json;
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

/* --- reading back --- */

static void say_value(struct buf *out, uint64_t v) {
    if (v == EXCHANGE_BLANK)
        buf_str(out, "nothing");
    else
        buf_u64(out, v);
}

/* The names are the file's: they may be anything. */
static void say_difference(const struct exchange_difference *d, struct buf *out) {
    buf_str(out, "  ");
    cli_plain(out, d->contest);
    if (d->round > 1) buf_printf(out, ", round %u", d->round);
    buf_str(out, d->contest.n ? ", " : "");
    buf_str(out, d->unit.n ? "unit " : "the contest's own unit");
    cli_plain(out, d->unit);
    buf_printf(out, ", %s, %s", exchange_channel_name(d->channel), d->votes ? "votes of " : "");
    cli_plain(out, d->what);
    buf_str(out, ": the file has ");
    say_value(out, d->file);
    buf_str(out, ", the records give ");
    say_value(out, d->log);
    buf_byte(out, '\n');
}

static void report_json(const char *path, const struct exchange *x, const struct exchange_report *r, bool same_checkpoint,
                        size_t listed, struct buf *out) {
    struct json_out w = json_out(out), *j = &w;
    json_object(j);
    json_kstr(j, "file", path);
    json_kstr(j, "format", export_info(exchange_format(x))->name);
    json_kbool(j, "checkpoint_same", same_checkpoint);
    json_ku64(j, "contests", r->contests);
    json_ku64(j, "units", r->units);
    json_ku64(j, "figures", r->figures);
    json_ku64(j, "equal", r->equal);
    json_ku64(j, "differs", r->differs);
    json_ku64(j, "only_log", r->missing);
    json_ku64(j, "only_file", r->extra);
    json_key(j, "differences");
    json_array(j);
    for (size_t i = 0; i < listed; i++) {
        const struct exchange_difference *d = &r->at[i];
        json_object(j);
        if (d->contest.n) json_kspan(j, "contest", d->contest);
        if (d->round) json_ku64(j, "round", d->round);
        json_kspan(j, "unit", d->unit);
        json_kstr(j, "channel", exchange_channel_name(d->channel));
        json_kspan(j, d->votes ? "choice" : "figure", d->what);
        if (d->file != EXCHANGE_BLANK) json_ku64(j, "file", d->file);
        if (d->log != EXCHANGE_BLANK) json_ku64(j, "log", d->log);
        json_object_end(j);
    }
    json_array_end(j);
    json_object_end(j);
    buf_byte(out, '\n');
}

static void report_text(const char *path, const struct exchange *x, const struct exchange_report *r, size_t listed,
                        struct buf *out) {
    size_t odd = r->differs + r->missing + r->extra;
    buf_printf(out, "%s (%s): %zu figures of %zu units in %zu contests: ", path, export_info(exchange_format(x))->name,
               r->figures, r->units, r->contests);
    if (odd == 0)
        buf_str(out, "all are those of the records\n");
    else
        buf_printf(out, "%zu equal, %zu differ, %zu only in the records, %zu only in the file\n", r->equal, r->differs,
                   r->missing, r->extra);
    for (size_t i = 0; i < listed; i++) say_difference(&r->at[i], out);
    if (odd > listed) buf_printf(out, "  and %zu more\n", odd - listed);
}

/* One file against the records; *bad is set where it says something else. */
static err check(const struct args *a, const struct export_source *s, const struct tree_log *log, const char *path,
                 bool *bad, struct fail *f) {
    static struct exchange_report r;
    struct exchange *x;
    struct buf out;
    uint64_t size;
    struct span root;
    char now[HASH_BASE64_LEN + 1];
    TRY(exchange_read_file(path, &x, f));
    buf_init(&out, 1 << 24);
    base64_encode(hash_span(&log->root), now);
    bool named = exchange_checkpoint(x, &size, &root), same = named && size == log->size && span_is(root, now);
    err e = exchange_check(x, s, &r, f);
    if (e == OK) {
        size_t listed = r.listed < a->limit ? r.listed : a->limit;
        if (a->json)
            report_json(path, x, &r, same, listed, &out);
        else
            report_text(path, x, &r, listed, &out);
        if (!a->json && !named) buf_str(&out, "  the file names no checkpoint\n");
        if (!a->json && named && !same) {
            buf_printf(&out, "  the file names checkpoint %llu, root ", (unsigned long long)size);
            cli_plain(&out, root);
            buf_printf(&out, "; the records are those of %llu, root %s\n", (unsigned long long)log->size, now);
        }
        *bad |= !same || r.equal != r.figures;
        e = buf_ok(&out, f);
    }
    if (e == OK && cli_print(buf_view(&out)) != 0) e = fail_set(f, E_IO, "standard output cannot be written");
    buf_release(&out);
    exchange_free(x);
    return e;
}

static err export_all(const struct args *a, const char *where, bool *bad, struct fail *f) {
    struct tree tree = {0};
    struct tree_log log = {0};
    struct results results = {0};
    struct places places = {0};
    struct wish w[EXPORT_FORMATS + 3];
    size_t n;
    if (a->checks.n)
        n = 0;
    else
        TRY(wishes(a, w, &n, f));
    err e = tree_open(where, &tree, f);
    if (e == OK) e = tree_log_read(&tree, &(struct tree_log_options){.anchor = a->anchor, .what = "export"},
                                   &log, f);
    if (e == OK) e = results_compute(log.fold, &results, f);
    if (e == OK) e = a->places ? places_of_file(a->places, &places, f) : places_of_tree(&tree.at, &places, f);
    struct export_source s = {.fold = log.fold, .results = &results, .root = log.root,
                              .contest = a->contest, .places = &places};
    for (size_t i = 0; i < n && e == OK; i++) e = make(&s, &w[i], a->dir, f);
    for (size_t i = 0; i < a->checks.n && e == OK; i++) e = check(a, &s, &log, a->checks.at[i], bad, f);
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
    static struct args a;
    bool bad = false;
    a = (struct args){.limit = 20};
    const struct opt options[] = {
        {"--format", OPT_TEXT, &a.format, "F", "csv, json, err-json, err-xml, eml, atom, geojson or sqlite"},
        {"--out", OPT_TEXT, &a.out, "FILE", "where to (\"-\": standard output, the default)"},
        {"--dir", OPT_TEXT, &a.dir, "DIR", "into this folder under the format's own name; without --format: every format"},
        {"--publish", OPT_FLAG, &a.publish, NULL, "every format into DIR/public/data/, as the daemon does"},
        {"--csv", OPT_TEXT, &a.csv, "FILE", "short for --format csv --out FILE"},
        {"--sqlite", OPT_TEXT, &a.sqlite, "FILE", "short for --format sqlite --out FILE"},
        {"--check", OPT_LIST, &a.checks, "FILE", "instead: read this file back, whichever of the formats it is; may be given several times"},
        {"--json", OPT_FLAG, &a.json, NULL, "with --check: one JSON document a file"},
        {"--limit", OPT_U64, &a.limit, "N", "with --check: differences listed at most (default 20)"},
        {"--contest", OPT_TEXT, &a.contest, "ID", "only this contest; CSV then has a column a choice"},
        {"--places", OPT_TEXT, &a.places, "FILE", "GeoJSON with shapes by code (else the tree's places.geojson)"},
        {"--anchor", OPT_TEXT, &a.anchor, "FILE", "the gazetted trust anchor (else the tree's own)"},
    };
    const struct usage u = {
        "export DIR|URL --format F [--out FILE] [--contest ID] | --check FILE",
        "Open data, as it stands at the tree's newest checkpoint, which every file names: station by\n"
        "station as CSV; everything as JSON and SQLite; the common formats NIST SP 1500-100 (err-json,\n"
        "err-xml) and OASIS EML 510; a feed of corrections and notices. Made by replaying the records: at one checkpoint anybody makes the same bytes.\n"
        "spec/exports.md says what stands where.\n\n"
        "--check FILE reads such a file back (all formats but the feed; which one is told by what it says) and\n"
        "compares every figure of it with what the records give: exit code 1, and the unit, the channel and\n"
        "the choice of each figure that differs, or that only one side has; or another checkpoint.\n\n"
        "example: hesabu export https://results.example.org --format csv --contest president --out p.csv",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    if (a.checks.n && (a.publish || a.format || a.dir || a.csv || a.sqlite || a.out)) {
        (void)fail_set(&f, E_USAGE, "--check writes nothing: give it alone");
        return cli_fail("export", &f);
    }
    err e = a.publish ? publish(argv[0], &f) : export_all(&a, argv[0], &bad, &f);
    if (e == OK && bad) e = fail_set(&f, E_RESULTS, "a file does not say what the records give at this checkpoint");
    return e == OK ? 0 : cli_fail("export", &f);
}
