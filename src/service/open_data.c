/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/open_data.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/text.h"
#include "base/wait.h"
#include "service/open_data_page.h"
#include "service/portal.h"
#include "service/tree_log.h"

enum { PAGE_MAX = 1 << 20, NICE = 10, PIECE = 1 << 16, FIRST_MS = 5000 };
/* Files are made in this folder, which no server shows, and moved when all are whole. */
#define MAKING ".new"

struct round {
    const struct open_data_options *o;
    const _Atomic bool *stop;
    struct tree_source dir;
    char data[PATH_MAX_LEN], making[PATH_MAX_LEN];
    struct tree_log log;
    struct results results;
    struct places places;
    struct export_source source;
    struct open_file files[EXPORT_FORMATS];
    size_t n;
};

static err stopped(const struct round *r, struct fail *f) {
    return r->stop && atomic_load(r->stop) ? fail_set(f, E_BUSY, "given up: the program is ending") : OK;
}

/* The published tree, unless it is time to stop. */
static err get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f) {
    struct round *r = ctx;
    TRY(stopped(r, f));
    return r->dir.get(r->dir.ctx, path, max, out, f);
}

/* --- one file --- */

struct making {
    struct round *r;
    struct open_file *file;
    struct gzip_out *gzip;
    struct sha256_stream *plain, *served;
    FILE *to;
    char path[PATH_MAX_LEN];
};

static err write_served(void *ctx, struct span bytes, struct fail *f) {
    struct making *m = ctx;
    if (file_fault("write", m->path) || fwrite(bytes.p, 1, bytes.n, m->to) != bytes.n)
        return file_error(f, errno, "writing", m->path);
    sha256_stream_add(m->served, bytes);
    m->file->bytes += bytes.n;
    return OK;
}

static err take(void *ctx, struct span bytes, struct fail *f) {
    struct making *m = ctx;
    TRY(stopped(m->r, f));
    sha256_stream_add(m->plain, bytes);
    m->file->unpacked_bytes += bytes.n;
    return m->gzip ? gzip_out_put(m->gzip, bytes, f) : write_served(m, bytes, f);
}

/* SQLite writes a file; it is read back through the same way. */
static err by_file(struct making *m, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, m->r->making, export_info(m->file->format)->file, f));
    TRY(export_file(&m->r->source, m->file->format, path, f));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_error(f, errno, "reading", path);
    uint8_t *piece = malloc(PIECE);
    err e = piece ? OK : fail_set(f, E_MEMORY, "no memory to compress");
    for (ssize_t n = 1; e == OK && n > 0;) {
        n = read(fd, piece, PIECE);
        if (n < 0) e = file_error(f, errno, "reading", path);
        if (n > 0) e = take(m, span_of(piece, (size_t)n), f);
    }
    free(piece);
    (void)close(fd);
    (void)unlink(path);
    return e;
}

static err fill(struct making *m, struct fail *f) {
    TRY(sha256_stream_new(&m->plain, f));
    TRY(sha256_stream_new(&m->served, f));
    if (m->file->packed) TRY(gzip_out_new(write_served, m, &m->gzip, f));
    if (m->file->format == EXPORT_SQLITE)
        TRY(by_file(m, f));
    else
        TRY(export_stream(&m->r->source, m->file->format, &(struct export_sink){take, m}, f));
    if (m->gzip) TRY(gzip_out_end(m->gzip, f));
    if (fflush(m->to) || file_fault("fsync", m->path) || fsync(fileno(m->to)))
        return file_error(f, errno, "syncing", m->path);
    m->file->unpacked_sha256 = sha256_stream_end(m->plain);
    m->file->sha256 = sha256_stream_end(m->served);
    return OK;
}

static err make_file(struct round *r, enum export_format format, struct fail *f) {
    struct making m = {.r = r, .file = &r->files[r->n]};
    const char *name = export_info(format)->file;
    /* what people open in other programs at once, or poll, stays as it is */
    bool packed = format != EXPORT_CSV && format != EXPORT_ATOM;
    *m.file = (struct open_file){.format = format, .packed = packed};
    (void)snprintf(m.file->name, sizeof m.file->name, "%s%s", name, packed ? ".gz" : "");
    TRY(path_join(m.path, sizeof m.path, r->making, m.file->name, f));
    m.to = fopen(m.path, "wbe");
    if (!m.to) return file_error(f, errno, "making", m.path);
    err e = fill(&m, f);
    gzip_out_free(m.gzip);
    sha256_stream_free(m.plain);
    sha256_stream_free(m.served);
    if (fclose(m.to) && e == OK) e = file_error(f, errno, "writing", m.path);
    r->n += e == OK;
    return e;
}

/* --- a round --- */

static err make_text(struct round *r, const char *name, const struct buf *b, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, r->making, name, f));
    return file_write_atomic(path, buf_view(b), f);
}

static err make_lists(struct round *r, struct fail *f) {
    struct buf b;
    buf_init(&b, PAGE_MAX);
    err e = open_data_sums(r->files, r->n, &b, f);
    if (e == OK) e = make_text(r, "SHA256SUMS", &b, f);
    for (int l = 0; e == OK && l < OPEN_LANGS; l++) {
        buf_clear(&b);
        e = open_data_page(&r->source, r->files, r->n, (enum open_lang)l, portal_style, &b, f);
        if (e == OK) e = make_text(r, open_data_page_name((enum open_lang)l), &b, f);
    }
    buf_clear(&b);
    if (e == OK) e = open_data_api(fold_definition(r->log.fold)->title, portal_style, &b, f);
    if (e == OK) e = make_text(r, "api.html", &b, f);
    buf_clear(&b);
    if (e == OK) e = open_data_list(&r->source, r->files, r->n, &b, f);
    if (e == OK) e = make_text(r, "index.json", &b, f);
    buf_release(&b);
    return e;
}

static err move(struct round *r, const char *name, struct fail *f) {
    char from[PATH_MAX_LEN], to[PATH_MAX_LEN];
    TRY(path_join(from, sizeof from, r->making, name, f));
    TRY(path_join(to, sizeof to, r->data, name, f));
    if (file_fault("rename", to) || rename(from, to)) return file_error(f, errno, "writing", to);
    return OK;
}

/* All files are whole: what names them comes last. */
static err move_all(struct round *r, struct fail *f) {
    for (size_t i = 0; i < r->n; i++) TRY(move(r, r->files[i].name, f));
    TRY(move(r, "SHA256SUMS", f));
    for (int l = 0; l < OPEN_LANGS; l++) TRY(move(r, open_data_page_name((enum open_lang)l), f));
    TRY(move(r, "api.html", f));
    TRY(move(r, "index.json", f));
    return file_sync_dir(r->data, f);
}

/* The list there is begins as it would at this checkpoint. */
static bool is_made(struct round *r, const struct buf *checkpoint, uint64_t *size) {
    struct span rest = buf_view(checkpoint), origin, count, root;
    struct fail ignored;
    struct buf want, have;
    char path[PATH_MAX_LEN];
    if (!span_line(&rest, &origin) || !span_line(&rest, &count) || !span_line(&rest, &root)) return false;
    if (u64_parse(count, UINT64_MAX, size, &ignored) != OK) return false;
    buf_init(&want, PAGE_MAX);
    buf_init(&have, PAGE_MAX);
    open_data_head(*size, root, &want);
    bool same = path_join(path, sizeof path, r->data, "index.json", &ignored) == OK &&
                file_read(path, PAGE_MAX, &have, &ignored) == OK && !want.failed &&
                span_starts(buf_view(&have), buf_view(&want));
    buf_release(&want);
    buf_release(&have);
    return same;
}

static err make_all(struct round *r, uint64_t *size, struct fail *f) {
    struct buf checkpoint;
    buf_init(&checkpoint, 1 << 20);
    err e = get(r, "checkpoint", 1 << 20, &checkpoint, f);
    bool made = e == OK && is_made(r, &checkpoint, size);
    buf_release(&checkpoint);
    if (e != OK || made) return e;
    struct tree_source tree = {get, r};
    TRY(file_mkdirs(r->making, f));
    TRY(tree_log_replay(&tree, &(struct tree_log_options){0}, &r->log, f));
    *size = r->log.size;
    TRY(results_compute(r->log.fold, &r->results, f));
    TRY(places_of_tree(&tree, &r->places, f));
    r->source = (struct export_source){.fold = r->log.fold, .results = &r->results, .root = r->log.root,
                                       .places = &r->places};
    for (int i = 0; i < EXPORT_FORMATS; i++) TRY(make_file(r, (enum export_format)i, f));
    TRY(make_lists(r, f));
    return move_all(r, f);
}

err open_data_make(const struct open_data_options *o, const _Atomic bool *stop, uint64_t *size,
                   struct fail *f) {
    struct round *r = calloc(1, sizeof *r);
    if (!r) return fail_set(f, E_MEMORY, "no memory for exports");
    r->o = o;
    r->stop = stop;
    r->dir = tree_source_dir(o->public_dir);
    *size = 0;
    err e = path_join(r->data, sizeof r->data, o->public_dir, "data", f);
    if (e == OK) e = path_join(r->making, sizeof r->making, r->data, MAKING, f);
    if (e == OK) e = make_all(r, size, f);
    if (r->results.tallies) results_release(&r->results);
    places_release(&r->places);
    tree_log_release(&r->log);
    free(r);
    return e;
}

/* --- the thread --- */

struct open_data {
    struct open_data_options o;
    char public_dir[PATH_MAX_LEN];
    _Atomic bool stop;
    pthread_mutex_t lock; /* due, ending */
    pthread_cond_t changed;
    bool due, ending;
    pthread_t thread;
};

/* Until it is due, the time is over or the end has come; `lock` is held. */
static void wait_turn(struct open_data *d, uint32_t ms) {
    uint64_t until = clock_monotonic_ms() + ms;
    while (!d->ending && !d->due && wait_until(&d->changed, &d->lock, until)) continue;
    d->due = false;
}

static void *run(void *arg) {
    struct open_data *d = arg;
    /* on Linux this is the thread's own: the sequencer and readers come first */
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
    pthread_mutex_lock(&d->lock);
    uint32_t every = d->o.interval_ms;
    for (wait_turn(d, every < FIRST_MS ? every : FIRST_MS); !d->ending; wait_turn(d, every)) {
        pthread_mutex_unlock(&d->lock);
        struct fail f = {0};
        uint64_t size;
        err e = open_data_make(&d->o, &d->stop, &size, &f);
        if (e != OK && e != E_NOT_FOUND && !atomic_load(&d->stop)) diag(DIAG_WARN, "open data: %s", f.text);
        (void)malloc_trim(0); /* a nation's state was held for a moment */
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

err open_data_start(const struct open_data_options *o, struct open_data **out, struct fail *f) {
    struct open_data *d = calloc(1, sizeof *d);
    if (!d) return fail_set(f, E_MEMORY, "no memory for exports");
    d->o = *o;
    if (d->o.interval_ms == 0) d->o.interval_ms = OPEN_DATA_INTERVAL_MS;
    (void)snprintf(d->public_dir, sizeof d->public_dir, "%s", o->public_dir);
    d->o.public_dir = d->public_dir;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    if (pthread_create(&d->thread, NULL, run, d)) {
        pthread_mutex_destroy(&d->lock);
        pthread_cond_destroy(&d->changed);
        free(d);
        return fail_set(f, E_MEMORY, "no thread for exports");
    }
    *out = d;
    return OK;
}

void open_data_wake(struct open_data *d) {
    pthread_mutex_lock(&d->lock);
    d->due = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

void open_data_stop(struct open_data *d) {
    if (!d) return;
    atomic_store(&d->stop, true);
    pthread_mutex_lock(&d->lock);
    d->ending = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_mutex_destroy(&d->lock);
    pthread_cond_destroy(&d->changed);
    free(d);
}
