/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu sign, hesabu merge: signatures gathered from several people. */
#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/send.h"
#include "service/notes.h"

int cmd_sign(int argc, char **argv);
int cmd_merge(int argc, char **argv);

/* FILE.txt becomes FILE.note; a note is completed in place. */
static err out_name(const char *in, char out[PATH_MAX_LEN], struct fail *f) {
    size_t n = strlen(in);
    bool text = n > 4 && strcmp(in + n - 4, ".txt") == 0, note = n > 5 && strcmp(in + n - 5, ".note") == 0;
    int len = snprintf(out, PATH_MAX_LEN, "%.*s%s", text ? (int)n - 4 : (int)n, in, note ? "" : ".note");
    return len < PATH_MAX_LEN ? OK : fail_set(f, E_USAGE, "the path is too long");
}

/* What stands in `path` already is kept: the other signers' lines. */
static err write_with(const char *path, struct span note, size_t *lines, struct fail *f) {
    struct buf old, all;
    buf_init(&old, ENTRY_MAX);
    buf_init(&all, ENTRY_MAX);
    err e = file_exists(path) ? file_read(path, ENTRY_MAX, &old, f) : OK;
    struct span parts[] = {note, buf_view(&old)};
    if (e == OK) e = notes_merge(parts, old.n ? 2 : 1, &all, f);
    if (e != OK && old.n) fail_context(f, e, "%s holds something else already", path);
    if (e == OK) e = file_write_durable(path, buf_view(&all), 0644, f);
    struct record *r = malloc(sizeof *r);
    if (e == OK && r) e = record_parse(buf_view(&all), r, f);
    *lines = e == OK && r ? r->split.count : 0;
    free(r);
    buf_release(&old);
    buf_release(&all);
    return e;
}

static err show(struct span bytes, struct fail *f) {
    struct record *r = malloc(sizeof *r);
    if (!r) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = notes_parse(bytes, r, f);
    if (e == OK) {
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&r->id, hex);
        fprintf(stderr, "%s record %s\n%.*s\n", record_info(r->type)->name, hex, (int)r->json.n,
                (const char *)r->json.p);
    }
    free(r);
    return e;
}

int cmd_sign(int argc, char **argv) {
    struct make_options m = {0};
    bool quiet = false;
    const struct opt options[] = {
        {"--quiet", OPT_FLAG, &quiet, NULL, "do not show what is signed"},
        MAKE_OPTIONS(m),
    };
    const struct usage u = {
        "sign FILE --key KEY [--out FILE]",
        "Adds signature lines to a record's text, or to a note that others have signed. FILE.txt\n"
        "becomes FILE.note; a note is completed in place; lines that stand there stay. Every signer\n"
        "can do so on the own device; 'hesabu merge' puts the files together.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf in, note;
    char path[PATH_MAX_LEN];
    size_t lines = 0;
    buf_init(&in, ENTRY_MAX);
    buf_init(&note, ENTRY_MAX);
    err e = m.keys.n ? file_read(argv[0], ENTRY_MAX, &in, &f)
                     : fail_set(&f, E_USAGE, "--key FILE is needed: whose signature is it?");
    if (e == OK && !quiet) e = show(buf_view(&in), &f);
    if (e == OK) e = make_signed(&m, buf_view(&in), &note, &f);
    if (e == OK && !m.out) {
        e = out_name(argv[0], path, &f);
        m.out = path;
    }
    if (e == OK && strcmp(m.out, "-") == 0) {
        code = cli_print(buf_view(&note));
    } else if (e == OK) {
        e = write_with(m.out, buf_view(&note), &lines, &f);
        if (e == OK) printf("%s: signed by %zu\n", m.out, lines);
    }
    if (e == OK && m.send.url) {
        struct send_note item = {buf_view(&note), NULL, 0};
        code = send_notes("sign", &m.send, &item, 1);
    }
    buf_release(&in);
    buf_release(&note);
    return e == OK ? code : cli_fail("sign", &f);
}

int cmd_merge(int argc, char **argv) {
    const char *out = NULL;
    const struct opt options[] = {
        {"--out", OPT_TEXT, &out, "FILE", "write there instead of to standard output"},
    };
    const struct usage u = {"merge FILE... [--out FILE]",
                            "Puts the signatures of several files over the same text into one note, sorted.\n"
                            "Refuses files with different texts, and two different lines of one key.",
                            options, sizeof options / sizeof *options, 1, 1000};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf merged, *files = calloc((size_t)nargs, sizeof *files);
    struct span *parts = calloc((size_t)nargs, sizeof *parts);
    buf_init(&merged, ENTRY_MAX);
    err e = files && parts ? OK : fail_set(&f, E_MEMORY, "no memory for the files");
    for (int i = 0; e == OK && i < nargs; i++) {
        buf_init(&files[i], ENTRY_MAX);
        e = file_read(argv[i], ENTRY_MAX, &files[i], &f);
        parts[i] = buf_view(&files[i]);
    }
    if (e == OK) e = notes_merge(parts, (size_t)nargs, &merged, &f);
    if (e == OK && out) e = file_write_durable(out, buf_view(&merged), 0644, &f);
    if (e == OK && !out) code = cli_print(buf_view(&merged));
    for (int i = 0; files && i < nargs; i++) buf_release(&files[i]);
    free(files);
    free(parts);
    buf_release(&merged);
    return e == OK ? code : cli_fail("merge", &f);
}
