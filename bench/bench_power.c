/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Power and false alarms of the forensic tests: injects known changes into real elections and counts
 * how often each national test stands out. `none` redraws every station about its own figures.
 * Arguments: --seeds N (default 100), --none N (seeds of the false alarms, default 1000), --threads N
 * (default 2). Prints how long the run will take, then one line a scenario. */
#include <math.h>
#include <pthread.h>
#include "base/clock.h"
#include "bench_data.h"
#include "stats/forensics/draw.h"

enum { MOST_THREADS = 64, JOBS = 128 };

enum change {
    NONE, UNCHANGED, MULTIPLY, NOISY, OFF_GRID, BLIND_FACTOR, STUFF, MOVE, COPY, INVENT, DUMP, SMOOTH,
    HEAP, ROUND
};

struct election {
    const char *name;
    struct station_csv in;
};

struct job {
    struct election *e;
    enum change change;
    double strength;
    const char *text;
    size_t seeds, done;
    size_t hits[FX_METHODS], any;
};

/* A copy that may be changed. */
struct copy {
    struct fx_table t;
    uint32_t *votes, *valid, *rejected;
};

static void copy_table(const struct fx_table *t, struct arena *mem, struct copy *c) {
    size_t n = t->n;
    c->t = *t;
    c->votes = arena_array(mem, n * t->choices, 4);
    memcpy(c->votes, t->votes, n * t->choices * 4);
    c->t.votes = c->votes;
    c->valid = c->rejected = NULL;
    if (t->valid) {
        c->t.valid = c->valid = arena_array(mem, n, 4);
        memcpy(c->valid, t->valid, n * 4);
    }
    if (t->rejected) {
        c->t.rejected = c->rejected = arena_array(mem, n, 4);
        memcpy(c->rejected, t->rejected, n * 4);
    }
}

/* Keeps the form consistent: whoever changes a form also fixes its sum. */
static void fix_sum(struct copy *c, size_t i) {
    if (c->valid) c->valid[i] = (uint32_t)fx_votes_total(&c->t, i);
}

static uint32_t *cell(struct copy *c, size_t choice, size_t i) {
    return &c->votes[choice * c->t.n + i];
}

/* Parametric redraw: turnout binomial, votes multinomial, each about the station's own figures. */
static void redraw(struct copy *c, size_t i, struct rng *r) {
    struct fx_table *t = &c->t;
    uint32_t old = (uint32_t)fx_votes_total(t, i), bad = c->rejected ? c->rejected[i] : 0;
    uint32_t reg = fx_cell(t->registered, i), left = old, all;
    if (old == 0) return;
    if (reg != FX_ABSENT && reg >= old + bad)
        all = draw_binomial(r, reg, (double)(old + bad) / reg);
    else
        all = draw_poisson(r, old + bad);
    uint32_t rejected = bad ? draw_binomial(r, all, (double)bad / (old + bad)) : 0;
    uint32_t valid = all - rejected;
    if (c->rejected) c->rejected[i] = rejected;
    for (size_t k = 0; k < t->choices; k++) {
        uint32_t v = *cell(c, k, i), now = left ? draw_binomial(r, valid, (double)v / left) : 0;
        *cell(c, k, i) = now;
        valid -= now;
        left -= v;
    }
    fix_sum(c, i);
}

static void move(struct copy *c, size_t i, size_t from, size_t to, uint32_t votes) {
    uint32_t have = *cell(c, from, i);
    if (votes > have) votes = have;
    *cell(c, from, i) -= votes;
    *cell(c, to, i) += votes;
}

/* Turnout and share written down as whole percentages. */
static void invent(struct copy *c, size_t i, struct rng *r) {
    struct fx_table *t = &c->t;
    uint32_t reg = fx_cell(t->registered, i), old = (uint32_t)fx_votes_total(t, i);
    uint32_t all = reg == FX_ABSENT ? old : (uint32_t)lround(reg * (70 + (double)rng_below(r, 25)) / 100);
    if (old == 0) return;
    uint32_t bad = c->rejected ? c->rejected[i] : 0;
    if (bad > all) bad = all;
    uint32_t lead = (uint32_t)lround(all * (60 + (double)rng_below(r, 30)) / 100);
    if (lead > all - bad) lead = all - bad;
    uint32_t rest = all - bad - lead;
    for (size_t k = 0; k < t->choices; k++)
        if (k != t->leader) *cell(c, k, i) = 0;
    *cell(c, t->leader, i) = lead;
    *cell(c, fx_rival(t) == t->leader ? 0 : (t->leader ? 0 : 1), i) += rest;
    if (c->rejected) c->rejected[i] = bad;
    fix_sum(c, i);
}

static void change_station(struct copy *c, const struct job *j, size_t rival, size_t i,
                           struct rng *r) {
    struct fx_table *t = &c->t;
    uint32_t v = *cell(c, t->leader, i), reg = fx_cell(t->registered, i), all = fx_counted(t, i);
    if (v == FX_ABSENT) return;
    switch (j->change) {
    case MULTIPLY: *cell(c, t->leader, i) = (uint32_t)floor(1.1 * v + 1e-9); break;
    case NOISY:
        *cell(c, t->leader, i) = (uint32_t)floor(fabs(1.1 * v * (1 + .02 * rng_normal(r))));
        break;
    case OFF_GRID: *cell(c, t->leader, i) = (uint32_t)floor(1.0333 * v + 1e-9); break;
    case BLIND_FACTOR: *cell(c, t->leader, i) = (uint32_t)floor(1.25 * v); break;
    case STUFF: /* ballots of those who stayed away; without a register a quarter more */
        *cell(c, t->leader, i) += reg != FX_ABSENT && reg > all ? (reg - all) / 3 : all / 4;
        break;
    case MOVE: move(c, i, rival, t->leader, *cell(c, rival, i) / 5); break;
    case INVENT: invent(c, i, r); return;
    case HEAP: *cell(c, t->leader, i) = (v + 5) / 10 * 10; break;
    default: break;
    }
    fix_sum(c, i);
}

/* Copies of the station before in the same smallest area. */
static void copy_stations(struct copy *c, double strength, struct rng *r) {
    struct fx_table *t = &c->t;
    const uint32_t *of = t->level[t->levels - 1].of;
    for (size_t i = 1; i < t->n; i++) {
        if (of[i] != of[i - 1] || rng_double(r) >= strength) continue;
        for (size_t k = 0; k < t->choices; k++) *cell(c, k, i) = *cell(c, k, i - 1);
        fix_sum(c, i);
    }
}

/* The last part of the stream gains a half for the leader. */
static void dump(struct copy *c, double strength, struct arena *mem) {
    struct fail f = {0};
    uint32_t *order;
    size_t n;
    bench_check(fx_arrival_order(&c->t, 1, mem, &order, &n, &f), &f);
    for (size_t k = (size_t)((1 - strength) * (double)n); k < n; k++) {
        *cell(c, c->t.leader, order[k]) += *cell(c, c->t.leader, order[k]) / 2;
        fix_sum(c, order[k]);
    }
}

/* Each batch of 200 in order of arrival is drawn towards the national share by `strength`. */
static void smooth(struct copy *c, double strength, size_t rival, double share, struct arena *mem) {
    struct fail f = {0};
    uint32_t *order;
    size_t n;
    bench_check(fx_arrival_order(&c->t, 1, mem, &order, &n, &f), &f);
    for (size_t b = 0; b + 200 <= n; b += 200) {
        double lead = 0, both = 0;
        for (size_t k = b; k < b + 200; k++) {
            lead += *cell(c, c->t.leader, order[k]);
            both += (double)*cell(c, c->t.leader, order[k]) + *cell(c, rival, order[k]);
        }
        double shift = strength * (share - lead / both), carry = 0;
        for (size_t k = b; k < b + 200; k++) {
            size_t i = order[k];
            carry += shift * ((double)*cell(c, c->t.leader, i) + *cell(c, rival, i));
            long v = lround(carry);
            uint32_t had = *cell(c, c->t.leader, i);
            if (v > 0) move(c, i, rival, c->t.leader, (uint32_t)v);
            if (v < 0) move(c, i, c->t.leader, rival, (uint32_t)-v);
            carry -= (double)*cell(c, c->t.leader, i) - (double)had;
        }
    }
}

/* Moves votes until leader and all others have totals of whole tenths of a percent. */
static void round_totals(struct copy *c) {
    struct fx_table *t = &c->t;
    uint64_t all = 0, sum[FX_CHOICES] = {0};
    for (size_t k = 0; k < t->choices; k++)
        for (size_t i = 0; i < t->n; i++) sum[k] += *cell(c, k, i);
    for (size_t k = 0; k < t->choices; k++) all += sum[k];
    size_t sink = t->leader;
    for (size_t k = 0; k < t->choices; k++) {
        if (k == sink) continue;
        uint64_t p = (1000 * sum[k] + all / 2) / all, want = (p * all + 500) / 1000;
        for (size_t i = 0; sum[k] != want; i = (i + 1) % t->n) {
            if (sum[k] < want && *cell(c, sink, i)) ++*cell(c, k, i), --*cell(c, sink, i), sum[k]++;
            else if (sum[k] > want && *cell(c, k, i)) --*cell(c, k, i), ++*cell(c, sink, i), sum[k]--;
        }
    }
}

static void apply(struct copy *c, const struct job *j, size_t rival, uint64_t seed, struct arena *mem) {
    struct rng r;
    rng_init_stream(&r, seed, (uint64_t)j->change * 1000 + (uint64_t)(j->strength * 100));
    double lead = 0, both = 0;
    for (size_t i = 0; i < c->t.n; i++) {
        uint32_t v = *cell(c, c->t.leader, i), o = *cell(c, rival, i);
        if (v != FX_ABSENT && o != FX_ABSENT) lead += v, both += (double)v + o;
    }
    if (j->change == COPY) copy_stations(c, j->strength, &r);
    else if (j->change == DUMP) dump(c, j->strength, mem);
    else if (j->change == ROUND) round_totals(c);
    else if (j->change == SMOOTH) smooth(c, j->strength, rival, lead / both, mem);
    else if (j->change == NONE)
        for (size_t i = 0; i < c->t.n; i++) redraw(c, i, &r);
    else
        for (size_t i = 0; i < c->t.n; i++)
            if (rng_double(&r) < j->strength) change_station(c, j, rival, i, &r);
}

/* Upper limit of Clopper and Pearson's 95 % one-sided interval for x of n. */
static double upper95(size_t x, size_t n) {
    if (x >= n) return 1;
    double low = (double)x / (double)n, high = 1;
    for (int i = 0; i < 60; i++) {
        double p = (low + high) / 2, sum = 0;
        for (size_t k = 0; k <= x; k++)
            sum += exp(lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) +
                       (double)k * log(p) + (double)(n - k) * log1p(-p));
        if (sum > .05) low = p;
        else high = p;
    }
    return high;
}

static void print(const struct job *j) {
    static const enum fx_method shown[] = {FX_ARITHMETIC, FX_INTEGERS, FX_COMB, FX_DUPLICATES,
                                           FX_CONSTANCY, FX_ROUND};
    printf("%-12s %-44s %5zu", j->e->name, j->text, j->seeds);
    for (size_t k = 0; k < sizeof shown / sizeof *shown; k++)
        printf(" %7.3f", (double)j->hits[shown[k]] / (double)j->seeds);
    printf(" %7.3f", (double)j->any / (double)j->seeds);
    if (j->change == NONE)
        for (size_t k = 1; k < sizeof shown / sizeof *shown; k++)
            printf("%s%.4f", k == 1 ? "  upper 95 %: " : " ", upper95(j->hits[shown[k]], j->seeds));
    printf("\n");
}

static struct job jobs[JOBS];
static size_t job_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards next_*, printed, results */
static size_t next_job, next_seed, printed;

static void one(struct job *j, uint64_t seed) {
    struct arena mem;
    struct copy c;
    struct fx_report r;
    struct fail f = {0};
    bool hit[FX_METHODS] = {false};
    arena_init(&mem, (size_t)1 << 30);
    copy_table(&j->e->in.table, &mem, &c);
    size_t rival = fx_rival(&c.t);
    apply(&c, j, rival, seed, &mem);
    struct fx_options o = {.seed = seed, .nation_only = true,
                           .skip = 1u << FX_SHPILKIN | 1u << FX_KLIMEK | 1u << FX_DIGITS | 1u << FX_LATE};
    bench_check(fx_battery_run(&c.t, &o, &mem, &r, &f), &f);
    bench_check(fx_battery_finish(&r, &mem, &f), &f);
    for (size_t i = 0; i < r.list.n; i++)
        if (r.list.at[i].is == FX_ANOMALY || r.list.at[i].is == FX_FACT) hit[r.list.at[i].method] = true;
    arena_release(&mem);
    pthread_mutex_lock(&lock);
    bool any = false;
    for (int m = 0; m < FX_METHODS; m++) {
        j->hits[m] += hit[m];
        any = any || (hit[m] && m != FX_ARITHMETIC);
    }
    j->any += any;
    j->done++;
    while (printed < job_count && jobs[printed].done == jobs[printed].seeds) print(&jobs[printed++]);
    pthread_mutex_unlock(&lock);
}

static void *work(void *arg) {
    (void)arg;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (next_job < job_count && next_seed >= jobs[next_job].seeds) {
            next_job++;
            next_seed = 0;
        }
        size_t j = next_job;
        uint64_t seed = ++next_seed;
        pthread_mutex_unlock(&lock);
        if (j >= job_count) return NULL;
        one(&jobs[j], seed);
    }
}

static void add(struct election *e, enum change change, double strength, const char *text, size_t seeds) {
    if (job_count < JOBS)
        jobs[job_count++] = (struct job){.e = e, .change = change, .strength = strength, .text = text,
                                         .seeds = seeds};
}

static void add_all(struct election *e, size_t seeds, size_t none) {
    bool times = e->in.table.time_ms != NULL, reg = e->in.table.registered != NULL;
    add(e, UNCHANGED, 0, "the real data, unchanged", 1);
    add(e, NONE, 0, "none (redraws)", none);
    add(e, MULTIPLY, .1, "x 1.1 before aggregation, 10 %", seeds);
    add(e, MULTIPLY, .3, "x 1.1 before aggregation, 30 %", seeds);
    add(e, MULTIPLY, 1, "x 1.1 before aggregation, all", seeds);
    add(e, OFF_GRID, .3, "x 1.0333 (off the grid), 30 %", seeds);
    add(e, OFF_GRID, 1, "x 1.0333 (off the grid), all", seeds);
    add(e, BLIND_FACTOR, 1, "x 1.25, all", seeds);
    add(e, NOISY, .3, "x 1.1 with 2 % noise, 30 %", seeds);
    add(e, NOISY, 1, "x 1.1 with 2 % noise, all", seeds);
    add(e, STUFF, .05, "ballots added, 5 % of stations", seeds);
    add(e, STUFF, .3, "ballots added, 30 % of stations", seeds);
    add(e, MOVE, .1, "a fifth of the rival's votes moved, 10 %", seeds);
    add(e, MOVE, 1, "a fifth of the rival's votes moved, all", seeds);
    add(e, COPY, .001, "copied from a neighbour, 0.1 %", seeds);
    add(e, COPY, .005, "copied from a neighbour, 0.5 %", seeds);
    if (reg) {
        add(e, INVENT, .01, "invented percentages, 1 %", seeds);
        add(e, INVENT, .02, "invented percentages, 2 %", seeds);
        add(e, INVENT, .05, "invented percentages, 5 %", seeds);
    }
    if (times) {
        add(e, DUMP, .05, "half again for the leader, last 5 %", seeds);
        add(e, SMOOTH, .5, "batches drawn half-way to one share", seeds > 10 ? 10 : seeds);
        add(e, SMOOTH, .8, "batches drawn 80 % to one share", seeds > 10 ? 10 : seeds);
        add(e, SMOOTH, 1, "batches drawn to one share", seeds > 10 ? 10 : seeds);
    }
    add(e, HEAP, .05, "innocent: 5 % rounded to tens", seeds);
    add(e, HEAP, .2, "innocent: 20 % rounded to tens", seeds);
    add(e, ROUND, 1, "totals made from tenths of a percent", seeds > 10 ? 10 : seeds);
}

int main(int argc, char **argv) {
    size_t seeds = 100, none = 1000, threads = 2;
    for (int i = 1; i + 1 < argc; i += 2) {
        size_t v = strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seeds") == 0) seeds = v;
        if (strcmp(argv[i], "--none") == 0) none = v;
        if (strcmp(argv[i], "--threads") == 0) threads = v;
    }
    if (seeds == 0 || none == 0 || threads == 0 || threads > MOST_THREADS) return 64;
    static struct election kenya = {.name = "kenya2022"}, uganda = {.name = "uganda2016"};
    bench_load("kenya2022/form34a_2022_crowd.csv.xz", BENCH_KENYA, "ruto", &kenya.in);
    bench_load("uganda2016/stations_2016.csv.xz", BENCH_UGANDA, "yoweri_kaguta_museveni", &uganda.in);
    setvbuf(stdout, NULL, _IOLBF, 0);
    double start = clock_seconds(), expected = 0, per[2];
    struct job probe[2] = {{.e = &kenya, .change = NONE}, {.e = &uganda, .change = NONE}};
    for (int k = 0; k < 2; k++) {
        one(&probe[k], 1);
        per[k] = clock_seconds() - start;
        start = clock_seconds();
    }
    add_all(&kenya, seeds, none);
    add_all(&uganda, seeds, none);
    for (size_t j = 0; j < job_count; j++)
        expected += (double)jobs[j].seeds * per[jobs[j].e == &uganda];
    printf("# power: %zu scenarios, %zu seeds (%zu for none), about %.0f s with %zu threads\n", job_count, seeds,
           none, expected / (double)threads, threads);
    printf("# share of seeds in which the national test stands out\n%-12s %-44s %5s %7s %7s %7s %7s %7s %7s "
           "%7s\n", "data", "change", "seeds", "arith", "integer", "comb", "dupl", "const", "round", "any");
    pthread_t id[MOST_THREADS];
    for (size_t k = 0; k < threads; k++)
        if (pthread_create(&id[k], NULL, work, NULL) != 0) return 70;
    for (size_t k = 0; k < threads; k++) pthread_join(id[k], NULL);
    station_csv_release(&kenya.in);
    station_csv_release(&uganda.in);
    return 0;
}
