/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu seal, hesabu unseal: a form's original for parties and court, and for nobody else. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/file.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "crypto/sealed.h"
#include "store/objects.h"

int cmd_seal(int argc, char **argv);
int cmd_unseal(int argc, char **argv);

/* What is sealed is an object of a log, and no larger than one may be. */
enum { LIST_MAX = 65536,
       CONTENT_MAX = OBJECT_BYTES_MAX - SEALED_HEAD_MAX - SEALED_NONCE_BYTES - SEALED_TAG_BYTES };

/* ---- sealing ---- */

struct recipients {
    struct buf lists[SEALED_KEYS_MAX]; /* files that names borrow from */
    size_t files;
    struct note_key key[SEALED_KEYS_MAX];
    size_t n;
};

static err add_key(struct recipients *r, struct span vkey, struct fail *f) {
    if (r->n == SEALED_KEYS_MAX)
        return fail_set(f, E_RANGE, "a file is sealed to at most %d keys", SEALED_KEYS_MAX);
    return note_vkey_parse(vkey, &r->key[r->n++], f);
}

/* A verifier key, or a file with one a line ('#' begins a remark). */
static err add_recipient(struct recipients *r, const char *what, struct fail *f) {
    struct span rest, line;
    if (!file_exists(what)) return add_key(r, span_text(what), f);
    if (r->files == SEALED_KEYS_MAX) return fail_set(f, E_RANGE, "too many files of keys");
    struct buf *list = &r->lists[r->files++];
    buf_init(list, LIST_MAX);
    TRY(file_read(what, LIST_MAX, list, f));
    rest = buf_view(list);
    while (span_line(&rest, &line)) {
        if (line.n == 0 || line.p[0] == '#') continue;
        const err e = add_key(r, line, f);
        if (e != OK) return fail_context(f, e, "%s", what);
    }
    return rest.n ? fail_set(f, E_FIELD, "%s: the last line does not end", what) : OK;
}

/* What only others can open must not take the place of the only original. */
static err not_itself(const char *path, const char *out, struct fail *f) {
    struct stat a, b;
    if (stat(path, &a) != 0 || stat(out, &b) != 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino) return OK;
    return fail_set(f, E_USAGE, "--out is the file itself: %.200s", out);
}

static err seal_file(const char *path, const char *out, struct recipients *r, struct fail *f) {
    struct buf content, sealed;
    char place[PATH_MAX_LEN];
    if (!out && snprintf(place, sizeof place, "%s.sealed", path) >= (int)sizeof place)
        return fail_set(f, E_TOO_LARGE, "path too long: %.200s", path);
    TRY(not_itself(path, out ? out : place, f));
    buf_init(&content, CONTENT_MAX);
    buf_init(&sealed, OBJECT_BYTES_MAX);
    err e = file_read(path, CONTENT_MAX, &content, f);
    if (e == OK) e = sealed_make(buf_view(&content), r->key, r->n, &sealed, f);
    if (e == OK) e = file_write_durable(out ? out : place, buf_view(&sealed), 0600, f);
    if (e == OK)
        printf("%s: sealed to %zu keys; the record names this file as the original\n",
               out ? out : place, r->n);
    buf_release(&sealed);
    buf_release(&content);
    return e;
}

int cmd_seal(int argc, char **argv) {
    struct opt_list to = {0};
    const char *out = NULL;
    const struct opt options[] = {
        {"--to", OPT_LIST, &to, "VKEY|FILE", "whose keys open it: parties, court (several times; a file: one key a line)"},
        {"--out", OPT_TEXT, &out, "FILE", "where (FILE.sealed)"},
    };
    const struct usage u = {
        "seal FILE --to VKEY|FILE...",
        "Encrypts a form's original so that only the holders of the named keys can open it, not the server\n"
        "that keeps it: 'hesabu image FILE --sealed FILE.sealed' then sends the sealed file as the original,\n"
        "and 'hesabu result --form FILE.sealed' binds it. Keys are those that sign (Ed25519).\n\n"
        "example: hesabu seal form.jpg --to parties.keys --to court+1f2e3d4c+AY...",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct recipients *r = calloc(1, sizeof *r);
    if (!r) return 70;
    err e = to.n ? OK : fail_set(&f, E_USAGE, "--to is missing: who may open it?");
    for (size_t i = 0; e == OK && i < to.n; i++) e = add_recipient(r, to.at[i], &f);
    if (e == OK) e = seal_file(argv[0], out, r, &f);
    for (size_t i = 0; i < r->files; i++) buf_release(&r->lists[i]);
    free(r);
    return e == OK ? 0 : cli_fail("seal", &f);
}

/* ---- opening ---- */

static err unseal_file(const char *path, const char *key_file, const char *passphrase,
                       const char *out, struct fail *f) {
    struct folder_key key;
    struct span file;
    struct buf content;
    TRY(not_itself(path, out, f));
    TRY(folder_key_open(key_file, passphrase, &key, f));
    buf_init(&content, OBJECT_BYTES_MAX);
    err e = file_map(path, &file, f);
    if (e == OK) {
        e = sealed_open(file, key.signer, &content, f);
        file_unmap(file);
    }
    if (e == OK) e = file_write_durable(out, buf_view(&content), 0600, f);
    if (e == OK) printf("%s: %zu bytes, as they were sealed\n", out, content.n);
    buf_release(&content);
    folder_key_release(&key);
    return e;
}

int cmd_unseal(int argc, char **argv) {
    const char *key = NULL, *passphrase = NULL, *out = NULL;
    const struct opt options[] = {
        {"--key", OPT_TEXT, &key, "FILE", "the key file of one to whom it is sealed"},
        {"--passphrase-file", OPT_TEXT, &passphrase, "FILE", "its passphrase (else $HESABU_PASSPHRASE, or asked for)"},
        {"--out", OPT_TEXT, &out, "FILE", "where the original is written"},
    };
    const struct usage u = {
        "unseal FILE --key KEY --out FILE",
        "Opens a form's original that was sealed to this key, and checks that it is what was sealed.",
        options, sizeof options / sizeof *options, 1, 1};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    const err e = key && out ? unseal_file(argv[0], key, passphrase, out, &f)
                             : fail_set(&f, E_USAGE, "--key and --out are needed");
    return e == OK ? 0 : cli_fail("unseal", &f);
}
