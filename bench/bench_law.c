/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Materiality of a nation: 46,229 stations, eight choices, 47 regions; a tenth of the stations in some
 * doubt. Prints the time of the exact bounds (aim: under 50 ms) and of the smallest set of stations; then,
 * on a state with six contests at 40,883 stations, of one contest's findings and gate, which is what each
 * override and declaration costs the fold; then the same for all 1,882 contests of a general election. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/rng.h"
#include "bench/synthetic.h"
#include "election/gate.h"
#include "election/results.h"

/* Processor time: the machine may be busy with other things. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

enum { STATIONS = 46229, CHOICES = 8, REGIONS = 47, TIMES = 20 };

static uint64_t votes[STATIONS][CHOICES];
static struct weighed_station stations[STATIONS];

/* The leader has `share` thousandths of most stations' votes. */
static void fill(struct rng *g, unsigned share) {
    for (size_t i = 0; i < STATIONS; i++) {
        struct weighed_station *s = &stations[i];
        uint64_t cast = 200 + rng_below(g, 400);
        uint64_t lead = cast * (share - 100 + rng_below(g, 200)) / 1000;
        for (int k = 0; k < CHOICES; k++) votes[i][k] = k < 2 ? 0 : rng_below(g, 4);
        votes[i][0] = lead;
        votes[i][1] = cast - lead;
        uint64_t valid = cast;
        for (int k = 2; k < CHOICES; k++) valid += votes[i][k];
        *s = (struct weighed_station){.unit = (uint32_t)i, .region = (uint32_t)(i % (REGIONS + 1)),
                                      .counted = true, .most = 700, .valid = valid, .votes = votes[i]};
        if (s->region == REGIONS) s->region = NO_REGION;
        if (rng_below(g, 10) == 0) s->doubts = (uint8_t)(1u << rng_below(g, DOUBT_ANY));
        if (s->doubts & 1u << DOUBT_OUTSTANDING) s->counted = false;
    }
}

static int one(const char *what, unsigned share) {
    static const struct rule rule = {.kind = RULE_MAJORITY, .majority = {1, 2}, .spread = true,
                                     .spread_units = REGIONS, .spread_share = {1, 4},
                                     .spread_regions = {1, 2}};
    struct weighed w = {.c = {.rule = &rule, .choice_count = CHOICES, .on_ballot = {255}, .stands = {255}},
                        .region_count = REGIONS, .stations = stations, .n = STATIONS};
    struct rng g;
    struct arena a;
    struct fail f;
    struct materiality m;
    struct smallest x;
    rng_init(&g, 2017);
    fill(&g, share);
    arena_init(&a, (size_t)1 << 30);
    double best = 1e9;
    for (int i = 0; i < TIMES; i++) {
        double from = now();
        if (materiality_compute(&w, &a, &m, &f) != OK) return 70;
        double took = now() - from;
        if (took < best) best = took;
    }
    double from = now();
    if (materiality_smallest(&w, &a, &x, &f) != OK) return 70;
    double took = now() - from;
    printf("%-28s bounds %7.2f ms   smallest set %8.2f ms, %llu to %llu stations (%s)\n", what, best * 1000,
           took * 1000, (unsigned long long)x.least, (unsigned long long)x.most, outcome_name(m.now.kind));
    arena_release(&a);
    return 0;
}

struct taking {
    struct fold *fold;
    struct applied applied;
    struct fail f;
    err e;
};

static void take(void *ctx, struct span entry) {
    struct taking *t = ctx;
    if (t->e == OK) t->e = fold_apply(t->fold, entry, &t->applied, &t->f);
}

/* The objects are known only while the log is made. */
static struct synthetic *making;
static err object(void *ctx, const struct hash *id, uint64_t size, struct span *out, struct fail *f) {
    (void)ctx;
    return synthetic_object(making, id, size, out, f);
}

static int taken(struct taking *t, struct synthetic *made) {
    struct fold_options o = {.objects = {object, NULL}};
    if (fold_new(&o, &t->fold, &t->f) != OK) return 70;
    making = made;
    synthetic_log(made);
    if (t->e == OK) return 0;
    fprintf(stderr, "%s\n", t->f.text);
    return 70;
}

/* What an override or a declaration of one contest costs, in seconds. */
static int judge(struct taking *t, uint32_t contest, double *findings, double *gate) {
    struct arena a;
    struct findings fi;
    struct gate g;
    arena_init(&a, (size_t)2 << 30);
    double from = now();
    if (findings_of_contest(t->fold, contest, 1, &a, &fi, &t->f) != OK) return 70;
    double between = now();
    if (gate_compute(t->fold, &fi, contest, 1, &a, &g, &t->f) != OK) return 70;
    *findings = between - from;
    *gate = now() - between;
    arena_release(&a);
    return 0;
}

static int gate_of_state(void) {
    struct taking *t = calloc(1, sizeof *t);
    struct synthetic made = {.contest_count = 6, .sink = take, .ctx = t};
    if (!t || taken(t, &made)) return 70;
    double findings = 1e9, gates = 1e9;
    for (int i = 0; i < 5; i++) {
        double f, g;
        if (judge(t, 0, &f, &g)) return 70;
        if (f < findings) findings = f;
        if (g < gates) gates = g;
    }
    printf("one of six contests, %d stations: findings %.1f ms, gate %.1f ms\n", SYNTHETIC_STATIONS,
           findings * 1000, gates * 1000);
    synthetic_release(&made);
    fold_free(t->fold);
    free(t);
    return 0;
}

static int every_contest(void) {
    struct taking *t = calloc(1, sizeof *t);
    struct synthetic made = {.six_kinds = true, .sink = take, .ctx = t};
    if (!t || taken(t, &made)) return 70;
    double findings = 0, gates = 0;
    uint32_t n = (uint32_t)fold_contest_count(t->fold);
    for (uint32_t c = 0; c < n; c++) {
        double f, g;
        if (judge(t, c, &f, &g)) return 70;
        findings += f;
        gates += g;
    }
    printf("each of %u contests once, six at each of %d stations: findings %.2f s, gates %.2f s\n", n,
           SYNTHETIC_STATIONS, findings, gates);
    synthetic_release(&made);
    fold_free(t->fold);
    free(t);
    return 0;
}

int main(void) {
    int bad = one("a clear lead", 560);
    bad |= one("no majority", 499);
    return bad | gate_of_state() | every_contest();
}
