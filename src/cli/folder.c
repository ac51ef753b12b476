/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include "base/file.h"
#include "crypto/keyfile.h"

enum { PASSPHRASE_MAX = 1024 };

static err ask(const char *what, struct buf *out, struct fail *f) {
    struct termios old, quiet;
    if (!isatty(0) || tcgetattr(0, &old))
        return fail_set(f, E_PASSPHRASE, "%s needs its passphrase: give --passphrase-file or set "
                                         "HESABU_PASSPHRASE",
                        what);
    quiet = old;
    quiet.c_lflag &= (tcflag_t)~ECHO;
    fprintf(stderr, "passphrase of %s: ", what);
    fflush(stderr);
    tcsetattr(0, TCSAFLUSH, &quiet);
    for (int c; (c = getchar()) != EOF && c != '\n';) buf_byte(out, (uint8_t)c);
    tcsetattr(0, TCSAFLUSH, &old);
    fputc('\n', stderr);
    return buf_ok(out, f);
}

static err passphrase(const char *path, const char *file, struct buf *out, struct fail *f) {
    const char *env = getenv("HESABU_PASSPHRASE");
    if (file) {
        TRY(file_read(file, PASSPHRASE_MAX, out, f));
        while (out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r')) out->n--;
        return OK;
    }
    if (!env) return ask(path, out, f);
    buf_str(out, env);
    return buf_ok(out, f);
}

err folder_passphrase_new(const char *passphrase_file, struct buf *out, struct fail *f) {
    TRY(passphrase("the new key", passphrase_file, out, f));
    if (out->n == 0) return fail_set(f, E_PASSPHRASE, "a key file needs a passphrase: choose one");
    if (passphrase_file || getenv("HESABU_PASSPHRASE")) return OK;
    struct buf again;
    buf_init(&again, PASSPHRASE_MAX);
    err e = ask("the new key, once more", &again, f);
    if (e == OK && !span_eq(buf_view(out), buf_view(&again)))
        e = fail_set(f, E_PASSPHRASE, "the two passphrases differ; nothing was made");
    if (again.p) secret_wipe(again.p, again.cap);
    buf_release(&again);
    return e;
}

err folder_key_open(const char *path, const char *passphrase_file, struct folder_key *out,
                    struct fail *f) {
    struct keyfile file;
    struct buf secret;
    buf_init(&out->text, KEYFILE_BYTES_MAX);
    buf_init(&secret, PASSPHRASE_MAX);
    out->signer = secret_alloc(sizeof *out->signer);
    err e = out->signer ? file_read(path, KEYFILE_BYTES_MAX, &out->text, f)
                        : fail_set(f, E_MEMORY, "no locked memory for a key");
    if (e == OK) e = keyfile_parse(buf_view(&out->text), &file, f);
    if (e == OK && !file.simulated) e = passphrase(path, passphrase_file, &secret, f);
    if (e == OK) e = keyfile_open(&file, buf_view(&secret), out->signer, f);
    if (secret.p) secret_wipe(secret.p, secret.cap);
    buf_release(&secret);
    if (e != OK) {
        folder_key_release(out);
        return fail_context(f, e, "key file %s", path);
    }
    return OK;
}

err folder_key_name(const char *path, struct buf *name, struct fail *f) {
    struct buf file;
    struct keyfile k;
    buf_init(&file, KEYFILE_BYTES_MAX);
    err e = file_read(path, KEYFILE_BYTES_MAX, &file, f);
    if (e == OK) e = keyfile_parse(buf_view(&file), &k, f);
    if (e == OK) buf_span(name, k.key.name);
    if (file.p) secret_wipe(file.p, file.cap);
    buf_release(&file);
    return e;
}

void folder_key_release(struct folder_key *k) {
    secret_free(k->signer);
    k->signer = NULL;
    if (k->text.p) secret_wipe(k->text.p, k->text.cap); /* a simulated key stands there in the clear */
    buf_release(&k->text);
}

err folder_log_key(const char *dir, const char *path, const char *passphrase_file,
                   struct folder_key *out, struct note_signer **log, struct fail *f) {
    char place[PATH_MAX_LEN];
    if (!path) {
        TRY(path_join(place, sizeof place, dir, "private/log.key", f));
        path = place;
    }
    TRY(folder_key_open(path, passphrase_file, out, f));
    *log = out->signer;
    return OK;
}
