/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Starting the daemon: the stored log is read, hashed, folded, and its root compared.
 *
 *   bench_start [CONTESTS] [EVENTS] [READINGS]   (1 0: a nation's presidential contest; 6 0 1: six contests with
 *                                               readings, 1.5 M entries; 6 6: about 2 M entries)
 *
 * A child process writes the store; this one then opens it as the daemon does. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "bench/synthetic.h"
#include "service/sequencer.h"
#include "store/guard.h"
#include "store/sqlite.h"
#include "tlog/checkpoint.h"

static struct fail f;
static void must(err e) {
    if (e == OK) return;
    fprintf(stderr, "bench_start: %s: %s\n", err_info(e)->name, f.text);
    exit(70);
}

enum { BATCH = 4096 };

struct filler {
    struct store *store;
    uint64_t term, first;
    struct buf bytes;
    size_t end[BATCH], n;
    struct merkle_frontier frontier;
};

static void flush(struct filler *w) {
    struct span entries[BATCH];
    struct buf body;
    if (w->n == 0) return;
    buf_init(&body, 4096);
    for (size_t i = 0; i < w->n; i++) {
        size_t from = i ? w->end[i - 1] : 0;
        entries[i] = span_of(w->bytes.p + from, w->end[i] - from);
        struct hash leaf = merkle_leaf(entries[i]);
        merkle_frontier_append(&w->frontier, &leaf);
    }
    struct hash root = merkle_frontier_root(&w->frontier);
    must(checkpoint_format(SPAN_LIT("example.org/bench"), w->frontier.size, &root, (struct span){0},
                           &body, &f));
    struct store_batch b = {.term = w->term, .first = w->first, .entries = entries, .count = w->n,
                            .root = root, .body = buf_view(&body)};
    must(store_append(w->store, &b, &f));
    w->first += w->n;
    w->n = 0;
    buf_clear(&w->bytes);
    buf_release(&body);
}

static void keep(void *ctx, struct span entry) {
    struct filler *w = ctx;
    buf_span(&w->bytes, entry);
    w->end[w->n++] = w->bytes.n;
    if (w->n == BATCH) flush(w);
}

/* The log's key is whatever the synthetic log named; the sequencer is told the same. */
static void signer(struct note_signer *s) {
    struct hash fake = sha256(SPAN_LIT("example.org/bench"));
    must(note_signer_make(SPAN_LIT("example.org/bench"), NOTE_TYPE_ED25519, fake.b, s, &f));
    struct ed25519_public pub;
    memcpy(pub.b, fake.b, 32);
    must(note_key_make(SPAN_LIT("example.org/bench"), NOTE_TYPE_ED25519, &pub, &s->key, &f));
}

static void fill(const char *dir, unsigned contests, unsigned events, unsigned readings) {
    char path[300], public_dir[300];
    struct filler w = {.first = 0};
    struct objects *objects;
    struct synthetic l = {.contest_count = contests, .events = events, .readings = readings, .sink = keep,
                          .ctx = &w};
    snprintf(path, sizeof path, "%s/private", dir);
    snprintf(public_dir, sizeof public_dir, "%s/public", dir);
    must(file_mkdirs(path, &f));
    must(file_mkdirs(public_dir, &f));
    must(sqlite_store_open(path, &(struct sqlite_options){.create = true}, &w.store, &f));
    must(store_take_term(w.store, &w.term, &f));
    struct objects_options oo = {.public_dir = public_dir, .private_dir = path,
                                 .max_object = 64 << 20, .max_pending_per_key = 1 << 30,
                                 .max_pending = 1 << 30, .max_pending_count = 100};
    must(objects_open(&oo, &objects, &f));
    buf_init(&w.bytes, (size_t)1 << 30);
    synthetic_log(&l);
    flush(&w);
    struct span both[] = {buf_view(&l.units), buf_view(&l.contests)};
    must(objects_add_many(objects, OBJECT_PUBLIC, both, 2, NULL, &f));
    objects_close(objects);
    store_close(w.store);
    snprintf(path, sizeof path, "%s/private/guard", dir);
    must(guard_create(path, "example.org/bench", &f));
    printf("entries %zu\n", l.n);
    fflush(stdout);
    synthetic_release(&l);
}

static long status_kb(const char *what) {
    char line[200];
    long v = 0;
    FILE *p = fopen("/proc/self/status", "r");
    while (p && fgets(line, sizeof line, p))
        if (strncmp(line, what, strlen(what)) == 0) v = strtol(line + strlen(what) + 1, NULL, 10);
    if (p) fclose(p);
    return v;
}

int main(int argc, char **argv) {
    unsigned contests = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
    unsigned events = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    unsigned readings = argc > 3 && strtoul(argv[3], NULL, 10) > 0 ? 2 : 0;
    char dir[] = "/tmp/hesabu-bench-XXXXXX", cmd[100];
    if (!mkdtemp(dir)) return 70;
    pid_t child = fork();
    if (child == 0) {
        fill(dir, contests, events, readings);
        _exit(0);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) < 0 || status) return 70;
    struct note_signer s;
    struct sequencer *q;
    signer(&s);
    struct sequencer_options o = {.dir = dir, .log = &s};
    double t = clock_seconds();
    must(sequencer_open(&o, &q, &f));
    double seconds = clock_seconds() - t;
    printf("start %.2f s, %.0f entries/s, resident %.0f MB\n", seconds,
           (double)sequencer_size(q) / seconds, (double)status_kb("VmRSS:") / 1024);
    sequencer_close(q);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd) ? 70 : 0;
}
