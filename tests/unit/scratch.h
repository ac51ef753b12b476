/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Scratch folders for tests, and faults by count. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static inline int scratch_unlink(const char *path, const struct stat *st, int flag,
                                 struct FTW *at) {
    (void)st;
    (void)flag;
    (void)at;
    return remove(path);
}

static inline void scratch_remove(const char *dir) {
    (void)nftw(dir, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* A new empty folder, to be given back with scratch_remove. */
static inline void scratch_make(char out[64]) {
    strcpy(out, "/tmp/hesabu-test-XXXXXX");
    if (!mkdtemp(out)) fail_msg("no scratch folder: %s", strerror(errno));
}

/* "dir/name" in a buffer of its own for each of the last eight calls. */
static inline const char *scratch_path(const char *dir, const char *name) {
    static char at[8][512];
    static unsigned turn;
    char *p = at[turn++ % 8];
    snprintf(p, 512, "%s/%s", dir, name);
    return p;
}

static inline void scratch_write(const char *path, const void *p, size_t n) {
    FILE *h = fopen(path, "wb");
    if (!h || fwrite(p, 1, n, h) != n || fclose(h)) fail_msg("cannot write %s", path);
}

/* Flips one bit of the byte at `at` (from the end when negative). */
static inline void scratch_flip(const char *path, long at) {
    FILE *h = fopen(path, "r+b");
    if (!h || fseek(h, at, at < 0 ? SEEK_END : SEEK_SET)) fail_msg("cannot open %s", path);
    int c = fgetc(h);
    if (c == EOF || fseek(h, -1, SEEK_CUR) || fputc(c ^ 1, h) == EOF || fclose(h))
        fail_msg("cannot change %s", path);
}

/* Fails the operation `op` (on paths that contain `where`, if given) from the nth time on. */
struct scratch_fault {
    const char *op, *where;
    int from, seen, errnum;
};

static inline int scratch_before(void *ctx, const char *op, const char *path) {
    struct scratch_fault *s = ctx;
    if (strcmp(op, s->op) != 0 || (s->where && !strstr(path, s->where))) return 0;
    return ++s->seen >= s->from ? s->errnum : 0;
}

static inline void scratch_faults(struct scratch_fault *s) {
    file_faults_set(s ? &(struct file_faults){scratch_before, s} : NULL);
}

#endif
