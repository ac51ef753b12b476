/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The fold on one core, without signature checks. Prints records a second of the parse alone (framing,
 * lines, id), of the strict JSON alone, and of all of it with apply; bytes of state a record.
 *
 *   bench_fold          a made-up nation of 40,883 stations, each with the key of its presiding officer,
 *                       a result and an image
 *   bench_fold read     the same; each form is also read by two people: two seals and two openings
 *   bench_fold DIR      the log of a published tree, DIR/tile/... and DIR/objects/...
 *
 * A number behind either: so many turns, of which the best counts (5). */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/file.h"
#include "bench/synthetic.h"
#include "election/canonical_json.h"
#include "election/fold.h"
#include "election/results.h"
#include "tlog/checkpoint.h"
#include "tlog/tile.h"

static struct fail f;
static void must(err e) {
    if (e == OK) return;
    fprintf(stderr, "%s: %s\n", err_info(e)->name, f.text);
    exit(70);
}

/* Processor time: the machine may be busy with other things. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Entries, one after the other in one buffer, and where their objects are. */
struct log {
    struct buf bytes;
    size_t *at, n, room;
    struct object_source objects;
    const char *dir; /* of a published tree */
    struct buf object;
};

static struct span entry(const struct log *l, size_t i) {
    return span_of(l->bytes.p + l->at[i], l->at[i + 1] - l->at[i]);
}

static void keep(void *ctx, struct span entry) {
    struct log *l = ctx;
    if (l->n + 2 > l->room) {
        l->room = l->room ? l->room * 2 : 1 << 16;
        l->at = realloc(l->at, l->room * sizeof *l->at);
        if (!l->at) exit(70);
        l->at[0] = 0;
    }
    buf_span(&l->bytes, entry);
    l->at[++l->n] = l->bytes.n;
}

static err get_file(void *ctx, const char *path, size_t max, struct buf *out, struct fail *why) {
    char whole[PATH_MAX_LEN];
    TRY(path_join(whole, sizeof whole, ctx, path, why));
    return file_read(whole, max, out, why);
}

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct span *out, struct fail *why) {
    struct log *l = ctx;
    char path[80] = "objects/";
    hash_hex(id, path + 8);
    buf_clear(&l->object);
    TRY(get_file((void *)(uintptr_t)l->dir, path, size, &l->object, why));
    *out = buf_view(&l->object);
    return OK;
}

/* All entries under the tree's checkpoint. Nothing is verified here. */
static void read_tree(struct log *l) {
    struct buf b;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    struct checkpoint c;
    void *dir = (void *)(uintptr_t)l->dir;
    buf_init(&b, TILE_BUNDLE_MAX);
    must(get_file(dir, "checkpoint", CHECKPOINT_BYTES_MAX, &b, &f));
    must(note_split(buf_view(&b), &note, lines, NOTE_LINES_MAX, &f));
    must(checkpoint_parse(note.text, &c, &f));
    for (uint64_t i = 0; i * TILE_WIDTH < c.size; i++) {
        struct span entries[TILE_WIDTH];
        struct tile t = {.entries = true, .index = i, .width = (uint16_t)tile_width_at(c.size, 0, i)};
        buf_clear(&b);
        must(tile_read(get_file, dir, t, &b, &f));
        must(bundle_parse(buf_view(&b), t.width, entries, &f));
        for (unsigned k = 0; k < t.width; k++) keep(l, entries[k]);
    }
    buf_release(&b);
    buf_init(&l->object, (size_t)1 << 30);
    l->objects = (struct object_source){get_object, l};
}

static double parse_all(const struct log *l) {
    double t = now();
    for (size_t i = 0; i < l->n; i++) {
        uint64_t ms;
        struct span note;
        struct record r;
        must(entry_parse(entry(l, i), &ms, &note, &f));
        must(record_parse(note, &r, &f));
    }
    return now() - t;
}

static double check_json(const struct log *l) {
    double t = now();
    for (size_t i = 0; i < l->n; i++) {
        struct span rest = entry(l, i), line;
        for (int n = 0; n < 3; n++)
            if (!span_line(&rest, &line)) exit(70);
        must(cj_check(line, &f));
    }
    return now() - t;
}

static struct fold *apply_all(const struct log *l, double *seconds) {
    struct fold *s;
    struct applied *a = calloc(1, sizeof *a);
    if (!a) exit(70);
    must(fold_new(&(struct fold_options){.objects = l->objects}, &s, &f));
    must(fold_apply(s, entry(l, 0), a, &f)); /* the units are not records */
    double t = now();
    for (size_t i = 1; i < l->n; i++) must(fold_apply(s, entry(l, i), a, &f));
    *seconds = now() - t;
    free(a);
    return s;
}

/* SHA-256 of all published results, one after the other: two programs that fold alike print the same. */
static struct hash hash_results(const struct fold *s, const struct results *r) {
    struct buf b;
    buf_init(&b, (size_t)2 << 30);
    must(results_index(s, r->tallies, r->n, &r->findings, &b, &f));
    for (size_t i = 0; i < r->n; i++) {
        const struct tally *t = &r->tallies[i];
        must(results_findings(s, t, &r->findings, &b, &f));
        must(results_gate(s, t, &r->findings, &b, &f));
        for (size_t k = 0; k < t->n; k++)
            if (results_has_file(s, t, k)) must(results_unit(s, t, &r->findings, k, &b, &f));
    }
    for (size_t i = 0; i < results_file_count; i++) must(results_files[i].render(s, r, &b, &f));
    must(buf_ok(&b, &f));
    struct hash h = sha256(buf_view(&b));
    buf_release(&b);
    return h;
}

static double compute_results(const struct fold *s, struct hash *hash) {
    struct results r;
    double t = now();
    must(results_compute(s, &r, &f));
    t = now() - t;
    *hash = hash_results(s, &r);
    if (r.tallies[0].rows[0].total[0].stations == 0) exit(70);
    results_release(&r);
    return t;
}

static void least(double *best, double t) {
    if (t < *best) *best = t;
}

int main(int argc, char **argv) {
    struct log l = {.n = 0};
    int turns = argc > 2 ? atoi(argv[2]) : 5;
    bool readings = argc > 1 && strcmp(argv[1], "read") == 0;
    struct synthetic made = {.contest_count = 1, .readings = readings ? 2 : 0, .sink = keep, .ctx = &l};
    buf_init(&l.bytes, (size_t)1 << 30);
    if (argc > 1 && !readings) {
        l.dir = argv[1];
        read_tree(&l);
    } else {
        synthetic_log(&made);
        l.objects = (struct object_source){synthetic_object, &made};
    }
    must(buf_ok(&l.bytes, &f));
    double parse = 1e9, json = 1e9, apply = 1e9, results = 1e9, n = (double)l.n;
    size_t memory = 0;
    struct hash hash;
    char hex[HASH_HEX_LEN + 1];
    for (int turn = 0; turn < turns; turn++) {
        double seconds;
        least(&parse, parse_all(&l));
        least(&json, check_json(&l));
        struct fold *s = apply_all(&l, &seconds);
        least(&apply, seconds);
        memory = fold_memory(s);
        least(&results, compute_results(s, &hash));
        fold_free(s);
    }
    printf("records %.0f, bytes %.0f (%.0f a record)\n", n, (double)l.bytes.n, (double)l.bytes.n / n);
    printf("parse with id          %9.0f records/s\n", n / parse);
    printf("strict JSON alone      %9.0f records/s\n", n / json);
    printf("fold with parse and id %9.0f records/s\n", n / apply);
    printf("findings and totals    %9.3f s\n", results);
    printf("state                  %9.0f bytes a record\n", (double)memory / n);
    hash_hex(&hash, hex);
    printf("results                %s\n", hex);
    free(l.at);
    buf_release(&l.bytes);
    if (l.dir) buf_release(&l.object);
    else synthetic_release(&made);
    return 0;
}
