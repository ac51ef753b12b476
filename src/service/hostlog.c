/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/hostlog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/file.h"
#include "election/compose_voices.h"

enum { FILES_MAX = HOST_LOG_ROWS_MAX / 2, PART = 1 << 16 };

struct watched {
    char path[PATH_MAX_LEN];
    char host[81]; /* "machine/file" */
    unsigned kind;
    dev_t dev;
    ino_t ino;
    bool known; /* dev, ino and from_ms are set */
    uint64_t from_ms;
};

struct hostlog {
    struct watched *files;
    size_t n;
    struct sha256_stream *stream;
};

/* Anything as a slug: lower case, other characters '-'. */
static void slug_of(const char *from, char *to, size_t max) {
    size_t n = 0;
    for (; *from && n + 1 < max; from++) {
        char c = *from;
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
        to[n++] = plain ? c : '-';
    }
    to[n] = 0;
}

static err watch(struct watched *w, const char *file, const char *machine, struct fail *f) {
    const char *equals = strchr(file, '=');
    w->kind = host_log_kind(SPAN_LIT("host"));
    if (equals && file[0] != '/' && file[0] != '.') {
        w->kind = host_log_kind(span_of((const uint8_t *)file, (size_t)(equals - file)));
        if (w->kind == HOST_LOG_KINDS)
            return fail_set(f, E_USAGE, "\"%.40s\" is not a kind of log: administrator, database, firewall or host",
                            file);
        file = equals + 1;
    }
    if (!*file || snprintf(w->path, sizeof w->path, "%s", file) >= (int)sizeof w->path)
        return fail_set(f, E_USAGE, "a log file is named by its path");
    const char *slash = strrchr(file, '/');
    char name[40], host[41];
    slug_of(machine, host, sizeof host);
    slug_of(slash ? slash + 1 : file, name, sizeof name);
    (void)snprintf(w->host, sizeof w->host, "%s/%s", host, name);
    return OK;
}

err hostlog_new(const char *const *files, size_t n, const char *host, struct hostlog **out,
                struct fail *f) {
    char machine[256] = "host";
    struct hostlog *h = calloc(1, sizeof *h);
    if (!host && gethostname(machine, sizeof machine - 1) == 0) host = machine;
    if (!h) return fail_set(f, E_MEMORY, "no memory for the host logs");
    h->files = calloc(n + 1, sizeof *h->files);
    err e = h->files ? OK : fail_set(f, E_MEMORY, "no memory for the host logs");
    if (e == OK && n > FILES_MAX) e = fail_set(f, E_RANGE, "at most %d host logs", FILES_MAX);
    for (size_t i = 0; i < n && e == OK; i++) e = watch(&h->files[h->n++], files[i], host ? host : machine, f);
    for (size_t i = 0; i < h->n && e == OK; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(h->files[i].host, h->files[k].host) == 0 && h->files[i].kind == h->files[k].kind)
                e = fail_set(f, E_USAGE, "%s and %s would have one name in the log: rename one",
                             h->files[k].path, h->files[i].path);
    if (e == OK) e = sha256_stream_new(&h->stream, f);
    if (e != OK) {
        hostlog_free(h);
        return e;
    }
    *out = h;
    return OK;
}

void hostlog_free(struct hostlog *h) {
    if (!h) return;
    sha256_stream_free(h->stream);
    free(h->files);
    free(h);
}

size_t hostlog_count(const struct hostlog *h) {
    return h->n;
}

/* Hashes what the file holds now. A log that is being written to may grow meanwhile: exactly `size` bytes
 * are taken. False: it cannot be read. */
static bool hash_file(struct hostlog *h, int fd, uint64_t *size, struct hash *out) {
    uint8_t part[PART];
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < 0) return false;
    uint64_t left = (uint64_t)st.st_size, done = 0;
    while (left) {
        ssize_t n = read(fd, part, left < PART ? (size_t)left : PART);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            (void)sha256_stream_end(h->stream);
            return false;
        }
        if (n == 0) break; /* cut short meanwhile: what was there */
        sha256_stream_add(h->stream, span_of(part, (size_t)n));
        done += (uint64_t)n;
        left -= (uint64_t)n;
    }
    *size = done;
    *out = sha256_stream_end(h->stream);
    return true;
}

static void add_row(struct compose_host_log *rows, size_t *n, const struct watched *w, uint64_t now_ms,
                    uint64_t size, const struct hash *hash) {
    rows[(*n)++] = (struct compose_host_log){.from_ms = w->from_ms, .to_ms = now_ms, .size = size,
                                             .host = span_text(w->host),
                                             .kind = host_log_kind_name(w->kind), .hash = *hash};
}

/* The file that was watched, under whatever name it has in its folder now. */
static int open_rotated(const struct watched *w) {
    char dir[PATH_MAX_LEN], path[PATH_MAX_LEN];
    const char *slash = strrchr(w->path, '/');
    (void)snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - w->path) : 1, slash ? w->path : ".");
    if (slash == w->path) (void)snprintf(dir, sizeof dir, "/");
    DIR *d = opendir(dir);
    int fd = -1;
    if (!d) return -1;
    for (struct dirent *e; fd < 0 && (e = readdir(d));) {
        struct stat st;
        if (path_join(path, sizeof path, dir, e->d_name, NULL) != OK || lstat(path, &st) ||
            !S_ISREG(st.st_mode) || st.st_ino != w->ino || st.st_dev != w->dev)
            continue;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    closedir(d);
    return fd;
}

static void take_one(struct hostlog *h, struct watched *w, uint64_t now_ms,
                     struct compose_host_log *rows, size_t *n) {
    uint64_t size = 0;
    struct hash hash;
    struct stat st;
    int fd = open(w->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool there = fd >= 0 && fstat(fd, &st) == 0;
    bool other = w->known && (!there || st.st_ino != w->ino || st.st_dev != w->dev);
    if (other) { /* its last lines came after the last look */
        int old = open_rotated(w);
        if (old >= 0 && hash_file(h, old, &size, &hash)) add_row(rows, n, w, now_ms, size, &hash);
        if (old >= 0) (void)close(old);
        w->known = false;
    }
    if (there && !w->known) {
        w->known = true;
        w->dev = st.st_dev;
        w->ino = st.st_ino;
        w->from_ms = now_ms;
    }
    if (there && hash_file(h, fd, &size, &hash)) {
        add_row(rows, n, w, now_ms, size, &hash);
    } else {
        diag(DIAG_WARN, "host log %s cannot be read: the log says so (size 0)", w->path);
        w->from_ms = now_ms;
        w->known = false;
        hash = sha256((struct span){0});
        add_row(rows, n, w, now_ms, 0, &hash);
    }
    if (fd >= 0) (void)close(fd);
}

err hostlog_take(struct hostlog *h, const struct hash *election, uint64_t now_ms, struct buf *text,
                 struct fail *f) {
    struct compose_host_log rows[HOST_LOG_ROWS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) take_one(h, &h->files[i], now_ms, rows, &n);
    compose_host_logs(text, election, rows, n);
    return buf_ok(text, f);
}

/* --- comparing --- */

static int by_size(const void *a, const void *b) {
    const struct host_log *x = *(const struct host_log *const *)a, *y = *(const struct host_log *const *)b;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return x->entry < y->entry ? -1 : x->entry > y->entry;
}

/* One pass over the bytes, with a stop at each length that a row names. */
static err compare_rows(const struct host_log **rows, size_t n, struct span bytes,
                        struct hostlog_match *out, struct fail *f) {
    struct sha256_stream *s;
    struct hash now = {0};
    uint64_t at = 0;
    TRY(sha256_stream_new(&s, f));
    for (size_t i = 0; i < n; i++) {
        if (rows[i]->size != at) {
            sha256_stream_add(s, span_of(bytes.p + at, (size_t)(rows[i]->size - at)));
            at = rows[i]->size;
            now = sha256_stream_now(s);
        }
        if (!hash_eq(&now, &rows[i]->hash)) continue;
        out->same++;
        out->covered = at;
        if (!out->first || rows[i]->entry < out->first->entry) out->first = rows[i];
        if (!out->last || rows[i]->entry > out->last->entry) out->last = rows[i];
    }
    sha256_stream_free(s);
    return OK;
}

err hostlog_compare(const struct fold *fold, struct span bytes, struct span host, unsigned kind,
                    struct hostlog_match *out, struct fail *f) {
    size_t all = fold_host_log_count(fold), n = 0;
    *out = (struct hostlog_match){0};
    const struct host_log **rows = calloc(all + 1, sizeof *rows);
    if (!rows) return fail_set(f, E_MEMORY, "no memory for the rows");
    for (size_t i = 0; i < all; i++) {
        const struct host_log *x = fold_host_log(fold, i);
        if (host.n && !span_eq(x->host, host)) continue;
        if (kind != HOST_LOG_KINDS && x->kind != kind) continue;
        if (x->size == 0 || x->size > bytes.n) continue;
        rows[n++] = x;
    }
    qsort(rows, n, sizeof *rows, by_size);
    out->rows = n;
    err e = compare_rows(rows, n, bytes, out, f);
    /* rows of one file share the time of its first look; those that are longer than what holds, and not
     * longer than what was produced, should hold too */
    for (size_t i = 0; e == OK && out->first && i < n; i++)
        out->other += rows[i]->from_ms == out->last->from_ms && rows[i]->size > out->covered &&
                      span_eq(rows[i]->host, out->last->host) && rows[i]->kind == out->last->kind;
    free(rows);
    return e;
}
