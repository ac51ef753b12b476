/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include "base/file.h"
#include "crypto/keyfile.h"

enum { PASSPHRASE_MAX = 1024, LOG_TOKEN_WAIT_MS = 3000 };
_Static_assert((int)TOKEN_PIN_MAX >= (int)PASSPHRASE_MAX, "a PIN is read as a passphrase is");

static err ask(const char *secret, const char *what, struct buf *out, struct fail *f) {
    struct termios old, quiet;
    if (!isatty(0) || tcgetattr(0, &old))
        return fail_set(f, E_PASSPHRASE, "%s needs its %s: give --passphrase-file or set HESABU_PASSPHRASE",
                        what, secret);
    quiet = old;
    quiet.c_lflag &= (tcflag_t)~ECHO;
    fprintf(stderr, "%s of %s: ", secret, what);
    fflush(stderr);
    tcsetattr(0, TCSAFLUSH, &quiet);
    for (int c; (c = getchar()) != EOF && c != '\n';) buf_byte(out, (uint8_t)c);
    tcsetattr(0, TCSAFLUSH, &old);
    fputc('\n', stderr);
    return buf_ok(out, f);
}

static err passphrase(const char *secret, const char *what, const char *file, struct buf *out,
                      struct fail *f) {
    const char *env = getenv("HESABU_PASSPHRASE");
    (void)buf_room(out, PASSPHRASE_MAX); /* at once: growing would leave parts of it behind */
    if (file) {
        TRY(file_read(file, PASSPHRASE_MAX, out, f));
        while (out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r')) out->n--;
        return OK;
    }
    if (!env) return ask(secret, what, out, f);
    buf_str(out, env);
    return buf_ok(out, f);
}

err folder_passphrase_new(const char *passphrase_file, struct buf *out, struct fail *f) {
    TRY(passphrase("passphrase", "the new key", passphrase_file, out, f));
    if (out->n == 0) return fail_set(f, E_PASSPHRASE, "a key file needs a passphrase: choose one");
    if (passphrase_file || getenv("HESABU_PASSPHRASE")) return OK;
    struct buf again;
    buf_init(&again, PASSPHRASE_MAX);
    err e = ask("passphrase", "the new key, once more", &again, f);
    if (e == OK && !span_eq(buf_view(out), buf_view(&again)))
        e = fail_set(f, E_PASSPHRASE, "the two passphrases differ; nothing was made");
    if (again.p) secret_wipe(again.p, again.cap);
    buf_release(&again);
    return e;
}

/* --- keys on tokens --- */

static bool only_root_writes(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* A key file may have come from somebody else; what it names would run here with our rights. So it,
 * and each folder above it, must be root's: nobody else can put another file in its place. */
static err module_of(struct span named, char out[PATH_MAX_LEN], struct fail *f) {
    const char *env = getenv("HESABU_PKCS11");
    char real[PATH_MAX_LEN], above[PATH_MAX_LEN];
    int n = env && *env ? snprintf(out, PATH_MAX_LEN, "%s", env)
                        : snprintf(out, PATH_MAX_LEN, "%.*s", SPAN_ARG(named));
    if (n >= PATH_MAX_LEN || n > KEYFILE_MODULE_MAX)
        return fail_set(f, E_TOKEN, "the path of the PKCS#11 module is too long");
    if (env && *env) return OK;
    if (!realpath(out, real))
        return fail_set(f, E_TOKEN, "the PKCS#11 module %s is not there: install it, or name its place on this "
                                    "machine in HESABU_PKCS11",
                        out);
    bool safe = only_root_writes(real) && only_root_writes("/");
    (void)snprintf(above, sizeof above, "%s", real);
    for (char *slash; safe && (slash = strrchr(above, '/')) && slash != above;) {
        *slash = 0;
        safe = only_root_writes(above);
    }
    if (safe && strlen(real) <= KEYFILE_MODULE_MAX) {
        (void)snprintf(out, PATH_MAX_LEN, "%s", real); /* what was looked at is what is loaded */
        return OK;
    }
    return fail_set(f, E_TOKEN, "the key file names the module %s, which is not root's alone and would run "
                                "with your rights; if you trust it, set HESABU_PKCS11=%s",
                    out, out);
}

static err pin(void *ctx, const char *label, bool last_try, struct buf *out, struct fail *f) {
    const char *file = ctx; /* of the command line */
    char what[KEYFILE_TOKEN_MAX + 40];
    if (last_try && (file || getenv("HESABU_PASSPHRASE")))
        return fail_set(f, E_PIN, "the token \"%s\" has one try left before it locks, so a PIN from a file or "
                                  "the environment is not tried: enter it by hand once, 'hesabu keys show "
                                  "FILE --check'",
                        label);
    (void)snprintf(what, sizeof what, "the token \"%s\"%s", label, last_try ? " (LAST TRY)" : "");
    return passphrase("PIN", what, file, out, f);
}

err folder_token_open(const struct keyfile_token *at, const char *passphrase_file, bool writable,
                      struct token **out, struct fail *f) {
    struct token_options o = {.pin = pin, .ctx = (void *)(uintptr_t)passphrase_file, .writable = writable};
    return token_open(at, &o, out, f);
}

static err open_on_token(const struct keyfile *file, const char *passphrase_file, uint32_t wait_ms,
                         struct folder_key *out, struct fail *f) {
    struct token_options o = {.pin = pin, .ctx = (void *)(uintptr_t)passphrase_file, .wait_ms = wait_ms};
    struct keyfile_token at = file->at;
    char module[PATH_MAX_LEN];
    TRY(module_of(at.module, module, f));
    at.module = span_text(module);
    TRY(token_open(&at, &o, &out->token, f));
    TRY(token_choose(out->token, &at, f));
    return token_signer(out->token, &file->key, out->signer, f);
}

static err open_key(const char *path, const char *passphrase_file, uint32_t wait_ms,
                    struct folder_key *out, struct fail *f) {
    struct keyfile file;
    struct buf secret;
    buf_init(&out->text, KEYFILE_BYTES_MAX);
    buf_init(&secret, PASSPHRASE_MAX);
    out->token = NULL;
    out->signer = secret_alloc(sizeof *out->signer);
    err e = out->signer ? file_read(path, KEYFILE_BYTES_MAX, &out->text, f)
                        : fail_set(f, E_MEMORY, "no locked memory for a key");
    if (e == OK) e = keyfile_parse(buf_view(&out->text), &file, f);
    bool on_token = e == OK && file.on_token;
    if (e == OK && !file.simulated && !on_token)
        e = passphrase("passphrase", path, passphrase_file, &secret, f);
    if (e == OK)
        e = on_token ? open_on_token(&file, passphrase_file, wait_ms, out, f)
                     : keyfile_open(&file, buf_view(&secret), out->signer, f);
    if (secret.p) secret_wipe(secret.p, secret.cap);
    buf_release(&secret);
    if (e != OK) {
        folder_key_release(out);
        return fail_context(f, e, "key file %s", path);
    }
    return OK;
}

err folder_key_open(const char *path, const char *passphrase_file, struct folder_key *out,
                    struct fail *f) {
    return open_key(path, passphrase_file, 0, out, f);
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
    token_close(k->token);
    k->token = NULL;
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
    TRY(open_key(path, passphrase_file, LOG_TOKEN_WAIT_MS, out, f));
    *log = out->signer;
    return OK;
}
