/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/words.h"

#include <stdio.h>
#include <string.h>
#include "crypto/secret.h"

enum { SALT = 32, FILE_BYTES_MAX = 8 << 20 };

static err add(struct make_options *m, const char *path, struct span bytes, struct named_object *out,
               struct fail *f) {
    if (m->objects.n == sizeof m->objects.at / sizeof *m->objects.at)
        return fail_set(f, E_USAGE, "too many files");
    m->objects.at[m->objects.n++] = path;
    *out = (struct named_object){sha256(bytes), bytes.n};
    return OK;
}

err words_public(struct make_options *m, const char *path, size_t max, struct named_object *out,
                 struct fail *f) {
    *out = (struct named_object){.size = UINT64_MAX};
    if (!path) return OK;
    struct buf b;
    buf_init(&b, max + 1);
    err e = file_read(path, max, &b, f);
    if (e == OK) e = add(m, path, buf_view(&b), out, f);
    buf_release(&b);
    return e;
}

/* The salted copy of earlier, if it is one of these bytes. */
static bool is_there(const char *path, struct span bytes, struct buf *salted) {
    struct fail ignored;
    buf_clear(salted);
    return file_read(path, FILE_BYTES_MAX + SALT, salted, &ignored) == OK && salted->n == SALT + bytes.n &&
           memcmp(salted->p + SALT, bytes.p, bytes.n) == 0;
}

err words_restricted(struct make_options *m, struct words *w, const char *path,
                     struct named_object *out, struct fail *f) {
    *out = (struct named_object){.size = UINT64_MAX};
    if (!path) return OK;
    if (w->n == WORDS_FILES_MAX) return fail_set(f, E_USAGE, "more than %d files", WORDS_FILES_MAX);
    char *copy = w->path[w->n++];
    if (snprintf(copy, PATH_MAX_LEN, "%s.salted", path) >= PATH_MAX_LEN)
        return fail_set(f, E_USAGE, "the path %.80s... is too long", path);
    struct buf b, salted;
    buf_init(&b, FILE_BYTES_MAX);
    buf_init(&salted, FILE_BYTES_MAX + SALT);
    err e = file_read(path, FILE_BYTES_MAX, &b, f);
    if (e == OK && b.n == 0) e = fail_set(f, E_USAGE, "%s is empty", path);
    if (e == OK && !is_there(copy, buf_view(&b), &salted)) {
        uint8_t salt[SALT];
        secret_random(salt, sizeof salt);
        buf_clear(&salted);
        buf_add(&salted, salt, sizeof salt);
        buf_span(&salted, buf_view(&b));
        e = buf_ok(&salted, f);
        if (e == OK) e = file_write_durable(copy, buf_view(&salted), 0600, f);
        if (e == OK) fprintf(stderr, "keep %s: it is what the record names\n", copy);
    }
    if (e == OK) e = add(m, copy, buf_view(&salted), out, f);
    buf_release(&b);
    buf_release(&salted);
    return e;
}
