/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The fold on one core, without signature checks: a nation of 40,883 stations, each with the key of
 * its presiding officer, a result and an image. Prints records a second of the parse alone (framing,
 * lines, id), of the strict JSON alone, and of all of it with apply; bytes of state a record. With an
 * argument other than 0 each form is also read by two people: two seals and two openings. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "bench/synthetic.h"
#include "election/canonical_json.h"
#include "election/fold.h"
#include "election/results.h"

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

/* Entries, one after the other in one buffer. */
struct log {
    struct buf bytes;
    size_t *at, n;
};

static struct span entry(const struct log *l, size_t i) {
    return span_of(l->bytes.p + l->at[i], l->at[i + 1] - l->at[i]);
}

static void keep(void *ctx, struct span entry) {
    struct log *l = ctx;
    buf_span(&l->bytes, entry);
    l->at[++l->n] = l->bytes.n;
}

int main(int argc, char **argv) {
    struct log l = {.n = 0};
    struct synthetic made = {.contest_count = 1, .readings = argc > 1 && atoi(argv[1]) > 0 ? 2 : 0,
                             .sink = keep, .ctx = &l};
    buf_init(&l.bytes, (size_t)1 << 30);
    l.at = calloc(8 * SYNTHETIC_STATIONS, sizeof *l.at);
    struct applied *a = calloc(1, sizeof *a);
    if (!l.at || !a) return 70;
    synthetic_log(&made);
    double parse = 1e9, json = 1e9, apply = 1e9, results = 1e9;
    size_t memory = 0;
    for (int turn = 0; turn < 5; turn++) {
        double t = now();
        for (size_t i = 0; i < l.n; i++) {
            uint64_t ms;
            struct span note;
            struct record r;
            must(entry_parse(entry(&l, i), &ms, &note, &f));
            must(record_parse(note, &r, &f));
        }
        if (now() - t < parse) parse = now() - t;
        t = now();
        for (size_t i = 0; i < l.n; i++) {
            struct span rest = entry(&l, i), line;
            for (int n = 0; n < 3; n++)
                if (!span_line(&rest, &line)) return 70;
            must(cj_check(line, &f));
        }
        if (now() - t < json) json = now() - t;
        struct fold *s;
        struct fold_options o = {.objects = {synthetic_object, &made}};
        must(fold_new(&o, &s, &f));
        must(fold_apply(s, entry(&l, 0), a, &f)); /* the units are not records */
        t = now();
        for (size_t i = 1; i < l.n; i++) must(fold_apply(s, entry(&l, i), a, &f));
        if (now() - t < apply) apply = now() - t;
        memory = fold_memory(s);
        struct results r;
        t = now();
        must(results_compute(s, &r, &f));
        if (now() - t < results) results = now() - t;
        if (r.tallies[0].rows[0].total[0].stations != SYNTHETIC_STATIONS) return 70;
        results_release(&r);
        fold_free(s);
    }
    double n = (double)l.n;
    printf("records %.0f, bytes %.0f (%.0f a record)\n", n, (double)l.bytes.n, (double)l.bytes.n / n);
    printf("parse with id          %9.0f records/s\n", n / parse);
    printf("strict JSON alone      %9.0f records/s\n", n / json);
    printf("fold with parse and id %9.0f records/s\n", n / apply);
    printf("findings and totals    %9.3f s\n", results);
    printf("state                  %9.0f bytes a record\n", (double)memory / n);
    free(l.at);
    free(a);
    buf_release(&l.bytes);
    synthetic_release(&made);
    return 0;
}
