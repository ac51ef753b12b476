/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The store: durable appends by batch size, replay, objects, publication; beside them the machine's
 * fdatasync. Prints "name value unit" lines. Argument 1: the folder to work in (default: the
 * current one; never a memory file system, or the figures mean nothing). Argument 2: entries to
 * replay. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "store/guard.h"
#include "store/objects.h"
#include "store/sqlite.h"
#include "store/writer.h"

enum { ENTRY = 500, MOST = 4096 };

static uint8_t bytes[MOST][ENTRY];
static struct span entries[MOST];

static void check(err e, const struct fail *f) {
    if (e == OK) return;
    fprintf(stderr, "bench_store: %s (%s)\n", f->text, err_info(e)->name);
    exit(1);
}

static void line(const char *name, double value, const char *unit) {
    printf("%s %.6g %s\n", name, value, unit);
    fflush(stdout);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The disk's own figure, taken beside each measurement: it changes from minute to minute. */
static void bench_fdatasync(const char *dir, const char *beside) {
    enum { N = 100 };
    static double ms[N];
    char path[PATH_MAX_LEN], name[64];
    snprintf(path, sizeof path, "%s/sync", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    for (int i = 0; i < N; i++) {
        double t = clock_seconds();
        if (fd < 0 || pwrite(fd, bytes[i], ENTRY, (off_t)i * 4096) != ENTRY || fdatasync(fd)) {
            perror("bench_store: fdatasync");
            exit(1);
        }
        ms[i] = (clock_seconds() - t) * 1e3;
    }
    close(fd);
    unlink(path);
    qsort(ms, N, sizeof *ms, by_value);
    snprintf(name, sizeof name, "fdatasync_p50_beside_%s", beside);
    line(name, ms[N / 2], "ms");
}

static void append(struct store *s, uint64_t term, uint64_t first, size_t count) {
    struct fail f;
    char body[128];
    snprintf(body, sizeof body,
             "example.org/log\n%llu\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
             (unsigned long long)(first + count));
    struct store_batch b = {
        .term = term, .first = first, .entries = entries, .count = count, .body = span_text(body)};
    check(store_append(s, &b, &f), &f);
}

/* Appends for about two seconds in batches; with the guard, as the sequencer does. */
static void bench_append(const char *dir, size_t batch, bool guarded) {
    char folder[2048], guard_file[PATH_MAX_LEN], name[64];
    struct fail f;
    struct store *s;
    struct guard *g;
    uint64_t term, size = 0;
    snprintf(folder, sizeof folder, "%s/append-%zu-%d", dir, batch, guarded);
    snprintf(guard_file, sizeof guard_file, "%s/guard", folder);
    snprintf(name, sizeof name, "append_batch_%zu%s", batch, guarded ? "_guarded" : "");
    bench_fdatasync(dir, name);
    check(sqlite_store_open(folder, &(struct sqlite_options){.create = true}, &s, &f), &f);
    check(store_take_term(s, &term, &f), &f);
    check(guard_create(guard_file, "example.org/log", &f), &f);
    check(guard_open(guard_file, "example.org/log", &g, &f), &f);
    double from = clock_seconds(), spent;
    do {
        append(s, term, size, batch);
        size += batch;
        struct hash root = {{1}};
        if (guarded) check(guard_advance(g, size, &root, &f), &f);
        spent = clock_seconds() - from;
    } while (spent < 2);
    line(name, (double)size / spent, "entries/s");
    guard_close(g);
    store_close(s);
}

static err visit(void *ctx, uint64_t index, struct span entry, struct fail *f) {
    (void)index;
    (void)f;
    *(uint64_t *)ctx += entry.p[entry.n - 1] + entry.n;
    return OK;
}

static void bench_replay(const char *dir, uint64_t total) {
    char folder[PATH_MAX_LEN];
    struct fail f;
    struct store *s;
    struct store_reader *r;
    uint64_t term, sum = 0, size = 0;
    snprintf(folder, sizeof folder, "%s/replay", dir);
    check(sqlite_store_open(folder, &(struct sqlite_options){.create = true}, &s, &f), &f);
    check(store_take_term(s, &term, &f), &f);
    double from = clock_seconds();
    for (; size < total; size += MOST) append(s, term, size, MOST);
    line("append_batch_4096_long", (double)size / (clock_seconds() - from), "entries/s");
    store_close(s);
    from = clock_seconds();
    check(sqlite_store_open(folder, NULL, &s, &f), &f);
    line("open", (clock_seconds() - from) * 1e3, "ms");
    check(store_reader_open(s, &r, &f), &f);
    for (int i = 0; i < 2; i++) {
        from = clock_seconds();
        check(store_read(r, 0, size, visit, &sum, &f), &f);
        line(i ? "replay_again" : "replay", (double)size / (clock_seconds() - from), "entries/s");
    }
    struct rng rng;
    struct buf out;
    enum { SINGLE = 20000 };
    rng_init(&rng, 1);
    buf_init(&out, 100000);
    from = clock_seconds();
    for (int i = 0; i < SINGLE; i++) {
        buf_clear(&out);
        check(store_entry(r, rng_below(&rng, size), &out, &f), &f);
    }
    line("read_one", SINGLE / (clock_seconds() - from), "entries/s");
    buf_release(&out);
    store_reader_close(r);
    store_close(s);
}

struct uploads {
    struct objects *o;
    int thread, count;
};

/* One uploader: objects of 20 kB, each durable before the next. */
static void *upload(void *ctx) {
    struct uploads *u = ctx;
    static _Thread_local uint8_t object[20000];
    for (int i = 0; i < u->count; i++) {
        struct object_put *p;
        struct fail f;
        memcpy(object, &u->thread, sizeof u->thread);
        memcpy(object + 8, &i, sizeof i);
        struct span s = span_of(object, sizeof object);
        struct object_ref ref = {OBJECT_PUBLIC, sha256(s)};
        check(objects_put_begin(u->o, OBJECT_PUBLIC, &ref.id, s.n, "key", 1, &p, &f), &f);
        check(objects_put_write(p, s, &f), &f);
        check(objects_put_commit(p, &f), &f);
        check(objects_keep(u->o, &ref, 1, &f), &f);
    }
    return NULL;
}

static void bench_uploads(struct objects *o, int threads, int round) {
    enum { MAX = 64 };
    pthread_t t[MAX];
    struct uploads u[MAX];
    char name[64];
    int count = 1500 / threads + 10;
    double from = clock_seconds();
    for (int i = 0; i < threads; i++) {
        u[i] = (struct uploads){o, round * 1000 + i, count};
        if (pthread_create(&t[i], NULL, upload, &u[i])) exit(1);
    }
    for (int i = 0; i < threads; i++) pthread_join(t[i], NULL);
    snprintf(name, sizeof name, "object_upload_keep_%d_threads", threads);
    line(name, threads * count / (clock_seconds() - from), "objects/s");
}

static void bench_objects(const char *dir) {
    enum { N = 2000, SIZE = 20000 };
    char pub[PATH_MAX_LEN], priv[PATH_MAX_LEN];
    struct fail f;
    struct objects *o;
    snprintf(pub, sizeof pub, "%s/public", dir);
    snprintf(priv, sizeof priv, "%s/private", dir);
    struct objects_options opt = {pub, priv, 1 << 20, 1 << 30, 1 << 30, 1 << 20};
    check(file_mkdirs(pub, &f), &f);
    check(objects_open(&opt, &o, &f), &f);
    bench_fdatasync(dir, "objects");
    bench_uploads(o, 1, 1);
    bench_uploads(o, 16, 2);
    bench_uploads(o, 64, 3);
    uint8_t *all = calloc(N, SIZE);
    struct span *spans = calloc(N, sizeof *spans);
    if (!all || !spans) exit(1);
    for (size_t i = 0; i < N; i++) {
        memcpy(all + i * SIZE, &i, sizeof i);
        all[i * SIZE + 100] = 1;
        spans[i] = span_of(all + i * SIZE, SIZE);
    }
    double from = clock_seconds();
    check(objects_add_many(o, OBJECT_PUBLIC, spans, N, NULL, &f), &f);
    line("object_add_many_2000", N / (clock_seconds() - from), "objects/s");
    uint64_t done, bad;
    from = clock_seconds();
    check(objects_check(o, OBJECT_PUBLIC, NULL, NULL, &done, &bad, &f), &f);
    line("object_check", (double)done * SIZE / (clock_seconds() - from) / 1e6, "MB/s");
    objects_close(o);
    free(spans);
    free(all);
}

static void bench_writer(const char *dir, int files) {
    enum { ROUNDS = 20 };
    char root[PATH_MAX_LEN], name[64];
    struct fail f;
    struct writer *w;
    static uint8_t tile[8192];
    snprintf(root, sizeof root, "%s/tree-%d", dir, files);
    check(writer_open(root, &w, &f), &f);
    double from = clock_seconds();
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < files; i++) {
            snprintf(name, sizeof name, "tile/0/x%03d/%03d", r, i);
            memcpy(tile, &r, sizeof r);
            check(writer_add(w, name, span_of(tile, sizeof tile), &f), &f);
        }
        check(writer_replace(w, "checkpoint", SPAN_LIT("signed\n"), &f), &f);
        check(writer_commit(w, &f), &f);
    }
    double spent = clock_seconds() - from;
    snprintf(name, sizeof name, "publish_%d_files", files);
    line(name, spent / ROUNDS * 1e3, "ms/tick");
    writer_close(w);
}

int main(int argc, char **argv) {
    char dir[1024];
    uint64_t total = argc > 2 ? strtoull(argv[2], NULL, 10) : 500000;
    snprintf(dir, sizeof dir, "%s/bench-store-XXXXXX", argc > 1 ? argv[1] : ".");
    if (!mkdtemp(dir)) {
        perror(dir);
        return 1;
    }
    struct rng r;
    rng_init(&r, 7);
    for (size_t i = 0; i < MOST; i++) {
        for (size_t k = 0; k < ENTRY; k++) bytes[i][k] = (uint8_t)rng_u64(&r);
        entries[i] = span_of(bytes[i], ENTRY);
    }
    static const size_t batches[] = {1, 16, 256, 1024};
    for (size_t i = 0; i < 4; i++) bench_append(dir, batches[i], false);
    bench_append(dir, 256, true);
    bench_replay(dir, total);
    bench_objects(dir);
    bench_fdatasync(dir, "publish");
    bench_writer(dir, 3);
    bench_writer(dir, 60);
    char command[PATH_MAX_LEN + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command) ? 1 : 0;
}
