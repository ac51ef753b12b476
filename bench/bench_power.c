/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Power and false alarms of the forensic tests: injects known changes into real elections and counts
 * how often each method stands out. `none` redraws every station about its own figures and runs the
 * battery as its users do, with all tests by area: a method that stands out anywhere counts.
 * Arguments: --seeds N (default 100), --none N (seeds of the false alarms, default 1000), --threads N
 * (default 2), --state FILE (every finished seed is a line of it; a second run goes on where the first
 * stopped), --only TEXT (scenarios whose name holds it). Prints how long the run will take, then one line a scenario. */
#include <math.h>
#include <pthread.h>
#include "base/clock.h"
#include "bench_data.h"
#include "stats/compare.h"
#include "stats/forensics/draw.h"
#include "stats/forensics/watch.h"

enum { MOST_THREADS = 64, JOBS = 128, MOST_SEEDS = 100000, COMPARE_BIT = FX_METHODS };

enum change {
    NONE, NONE_SHUFFLED, NONE_WATCHED, UNCHANGED, MULTIPLY, LOCAL, AFTER, AFTER_SOME, NOISY, OFF_GRID, BLIND_FACTOR, STUFF, MOVE, COPY,
    COPY_REDRAWN, INVENT, DUMP, SMOOTH, HEAP, ROUND
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
    size_t hits[FX_METHODS + 1], any; /* the last one: the comparison of totals by area */
    bool *finished;                   /* [seeds + 1] */
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
    case MULTIPLY:
    case LOCAL: *cell(c, t->leader, i) = (uint32_t)floor(1.1 * v + 1e-9); break;
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

/* Times of arrival in random order: the null of the constancy test itself, where geography would hide
 * a test that errs. */
static void shuffle_times(struct copy *c, struct rng *r, struct arena *mem) {
    int64_t *when = arena_array(mem, c->t.n, sizeof *when);
    memcpy(when, c->t.time_ms, c->t.n * sizeof *when);
    for (size_t i = c->t.n; i > 1; i--) {
        size_t j = rng_below(r, i);
        int64_t t = when[i - 1];
        when[i - 1] = when[j];
        when[j] = t;
    }
    c->t.time_ms = when;
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

/* Every station of some of the largest areas. */
static void change_areas(struct copy *c, const struct job *j, size_t rival, struct rng *r) {
    uint32_t chosen[8];
    size_t n = (size_t)j->strength;
    for (size_t k = 0; k < n; k++) chosen[k] = (uint32_t)rng_below(r, c->t.level[0].count);
    for (size_t i = 0; i < c->t.n; i++)
        for (size_t k = 0; k < n; k++)
            if (c->t.level[0].of[i] == chosen[k]) {
                change_station(c, j, rival, i, r);
                break;
            }
}

/* Totals by area are announced with the leader's votes times 1.1, in all areas or in some; the
 * comparison with the sums of the forms sees it when it names the areas that differ, and no other. */
static bool announced_differ(const struct copy *c, const struct job *j, struct rng *r,
                             struct arena *mem) {
    static const struct span column[1] = {{(const uint8_t *)"votes", 5}};
    struct fail f = {0};
    const struct fx_level *l = &c->t.level[0];
    uint64_t *forms = arena_array(mem, l->count, 8), *announced = arena_array(mem, l->count, 8);
    for (size_t i = 0; i < c->t.n; i++) {
        uint32_t v = fx_votes(&c->t, c->t.leader, i);
        if (v != FX_ABSENT) forms[l->of[i]] += v;
    }
    size_t changed = 0, sure = rng_below(r, l->count); /* at least one area */
    for (size_t a = 0; a < l->count; a++) {
        bool now = j->change == AFTER || a == sure || rng_double(r) < j->strength;
        announced[a] = now ? (forms[a] * 11 + 5) / 10 : forms[a];
        changed += announced[a] != forms[a];
    }
    struct cmp_table a = {.name = "announced", .rows = l->count, .columns = 1, .column = column,
                          .key = l->name, .value = announced};
    struct cmp_table b = a;
    struct cmp_pair p = {0, 0, CMP_ABSENT, CMP_ABSENT};
    struct cmp_result out;
    b.name = "forms";
    b.value = forms;
    bench_check(compare_run(&a, &b, &p, 1, mem, &out, &f), &f);
    return out.differs == changed && changed > 0;
}

static bool is_null(enum change c) {
    return c == NONE || c == NONE_SHUFFLED || c == NONE_WATCHED;
}

static void apply(struct copy *c, const struct job *j, size_t rival, uint64_t seed, struct arena *mem) {
    struct rng r;
    rng_init_stream(&r, seed, (uint64_t)j->change * 1000 + (uint64_t)(j->strength * 100));
    double lead = 0, both = 0;
    for (size_t i = 0; i < c->t.n; i++) {
        uint32_t v = *cell(c, c->t.leader, i), o = *cell(c, rival, i);
        if (v != FX_ABSENT && o != FX_ABSENT) lead += v, both += (double)v + o;
    }
    if (j->change == COPY_REDRAWN)
        for (size_t i = 0; i < c->t.n; i++) redraw(c, i, &r);
    if (j->change == COPY || j->change == COPY_REDRAWN) copy_stations(c, j->strength, &r);
    else if (j->change == DUMP) dump(c, j->strength, mem);
    else if (j->change == ROUND) round_totals(c);
    else if (j->change == SMOOTH) smooth(c, j->strength, rival, lead / both, mem);
    else if (j->change == LOCAL) change_areas(c, j, rival, &r);
    else if (is_null(j->change) || j->change == AFTER || j->change == AFTER_SOME)
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

static const enum fx_method shown[] = {FX_ARITHMETIC, FX_INTEGERS, FX_COMB, FX_DUPLICATES, FX_CONSTANCY,
                                       FX_ROUND, FX_CENTRAL};
enum { SHOWN = sizeof shown / sizeof *shown };

static void print(const struct job *j) {
    printf("%-12s %-44s %5zu", j->e->name, j->text, j->seeds);
    for (size_t k = 0; k < SHOWN; k++)
        printf(" %7.3f", (double)j->hits[shown[k]] / (double)j->seeds);
    printf(" %7.3f", (double)j->any / (double)j->seeds);
    if (j->change == AFTER || j->change == AFTER_SOME)
        printf(" %7.3f", (double)j->hits[COMPARE_BIT] / (double)j->seeds);
    else
        printf(" %7s", "-");
    if (is_null(j->change))
        for (size_t k = 1; k < SHOWN; k++)
            printf("%s%.4f", k == 1 ? "  upper 95 %: " : " ", upper95(j->hits[shown[k]], j->seeds));
    printf("\n");
}

static struct job jobs[JOBS];
static size_t job_count;
static FILE *state;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards next_*, printed, results, state */
static size_t next_job, next_seed, printed;

/* Counts one finished seed: bit m of `mask` is method m. Under the lock. */
static void count(struct job *j, uint64_t seed, unsigned mask) {
    for (int m = 0; m <= FX_METHODS; m++) j->hits[m] += (mask >> m) & 1;
    j->any += (mask & ~(1u << FX_ARITHMETIC) & ((1u << FX_METHODS) - 1)) != 0;
    j->finished[seed] = true;
    j->done++;
}

static void print_finished(void) {
    while (printed < job_count && jobs[printed].done == jobs[printed].seeds) print(&jobs[printed++]);
}

/* The tests by area too, where the question is what a user of the battery would see. */
static bool by_area(enum change c) {
    return is_null(c) || c == LOCAL || c == UNCHANGED;
}

/* The live watch with its ten looks, fed in the table's order of arrival: methods that stood out. */
static unsigned watched(const struct fx_table *t, uint64_t seed, struct arena *mem) {
    struct watch_event e[WATCH_EVENTS_MOST];
    struct watch_options o = {0};
    struct arena scratch;
    struct watch *w;
    struct fail f = {0};
    uint32_t *order, votes[FX_CHOICES];
    unsigned mask = 0;
    size_t n, events;
    arena_init(&scratch, (size_t)1 << 28);
    bench_check(fx_arrival_order(t, seed, mem, &order, &n, &f), &f);
    bench_check(watch_new(t, &o, mem, &w, &f), &f);
    for (size_t k = 0; k < n; k++) {
        uint32_t i = order[k];
        for (size_t c = 0; c < t->choices; c++) votes[c] = fx_votes(t, c, i);
        struct watch_result x = {.station = i, .device = UINT32_MAX, .ms = t->time_ms[i], .standing = true,
                                 .registered = fx_cell(t->registered, i), .valid = fx_valid(t, i),
                                 .rejected = fx_cell(t->rejected, i), .votes = votes};
        bench_check(watch_add(w, &x, e, &events, &f), &f);
        if (!watch_look_due(w)) continue;
        bench_check(watch_look(w, &scratch, e, &events, &f), &f);
        for (size_t m = 0; m < events; m++)
            if (e[m].is == FX_ANOMALY) mask |= 1u << (e[m].kind == WATCH_TEST ? e[m].method : FX_CONSTANCY);
    }
    arena_release(&scratch);
    return mask;
}

static unsigned one(struct job *j, uint64_t seed, struct fx_kept *kept) {
    struct arena mem;
    struct copy c;
    struct fx_report r;
    struct fail f = {0};
    unsigned mask = 0;
    arena_init(&mem, (size_t)1 << 30);
    copy_table(&j->e->in.table, &mem, &c);
    size_t rival = fx_rival(&c.t);
    if (j->change == NONE_SHUFFLED || j->change == NONE_WATCHED) {
        struct rng order;
        rng_init_stream(&order, seed, 78);
        shuffle_times(&c, &order, &mem);
    }
    apply(&c, j, rival, seed, &mem);
    if (j->change == NONE_WATCHED) {
        mask = watched(&c.t, seed, &mem);
        arena_release(&mem);
        return mask;
    }
    struct fx_options o = {.seed = seed, .kept = kept, .nation_only = !by_area(j->change),
                           .skip = 1u << FX_SHPILKIN | 1u << FX_KLIMEK | 1u << FX_DIGITS | 1u << FX_LATE};
    if (j->change == NONE_SHUFFLED) o.skip = ~(1u << FX_CONSTANCY);
    bench_check(fx_battery_run(&c.t, &o, &mem, &r, &f), &f);
    bench_check(fx_battery_finish(&r, &mem, &f), &f);
    for (size_t i = 0; i < r.list.n; i++)
        if (r.list.at[i].is == FX_ANOMALY || r.list.at[i].is == FX_FACT)
            mask |= 1u << r.list.at[i].method;
    if (j->change == AFTER || j->change == AFTER_SOME) {
        struct rng again;
        rng_init_stream(&again, seed, 77);
        if (announced_differ(&c, j, &again, &mem)) mask |= 1u << COMPARE_BIT;
    }
    arena_release(&mem);
    return mask;
}

static void *work(void *arg) {
    struct arena mem;
    struct fx_kept *kept;
    struct fail f;
    (void)arg;
    arena_init(&mem, (size_t)64 << 20);
    bench_check(fx_kept_new(&mem, &kept, &f), &f);
    for (;;) {
        pthread_mutex_lock(&lock);
        do {
            if (next_job < job_count && ++next_seed > jobs[next_job].seeds) {
                next_job++;
                next_seed = 0;
            }
        } while (next_job < job_count && (next_seed == 0 || jobs[next_job].finished[next_seed]));
        size_t j = next_job;
        uint64_t seed = next_seed;
        pthread_mutex_unlock(&lock);
        if (j >= job_count) break;
        unsigned mask = one(&jobs[j], seed, kept);
        pthread_mutex_lock(&lock);
        count(&jobs[j], seed, mask);
        if (state) {
            fprintf(state, "%s\t%s\t%llu\t%u\n", jobs[j].e->name, jobs[j].text, (unsigned long long)seed, mask);
            fflush(state);
        }
        print_finished();
        pthread_mutex_unlock(&lock);
    }
    arena_release(&mem);
    return NULL;
}

/* Seeds that an earlier run finished. */
static void resume(const char *path) {
    char line[256], name[32], text[128];
    unsigned long long seed;
    unsigned mask;
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in)) {
        if (sscanf(line, "%31[^\t]\t%127[^\t]\t%llu\t%u", name, text, &seed, &mask) != 4) continue;
        for (size_t k = 0; k < job_count; k++) {
            struct job *j = &jobs[k];
            if (strcmp(j->e->name, name) == 0 && strcmp(j->text, text) == 0 && seed >= 1 &&
                seed <= j->seeds && !j->finished[seed])
                count(j, seed, mask);
        }
    }
    if (in) fclose(in);
    state = fopen(path, "a");
    if (!state) exit(74);
}

static void add(struct election *e, enum change change, double strength, const char *text, size_t seeds) {
    if (job_count == JOBS) return;
    jobs[job_count] = (struct job){.e = e, .change = change, .strength = strength, .text = text,
                                   .seeds = seeds, .finished = calloc(seeds + 1, 1)};
    if (!jobs[job_count++].finished) exit(71);
}

static void add_all(struct election *e, size_t seeds, size_t none) {
    bool times = e->in.table.time_ms != NULL, reg = e->in.table.registered != NULL;
    add(e, UNCHANGED, 0, "the real data, unchanged", 1);
    add(e, NONE, 0, "none (redraws), with all areas", none);
    if (times) add(e, NONE_SHUFFLED, 0, "none, arriving in random order (constancy)", none);
    if (e->in.table.levels == 0) return; /* a control for false alarms only */
    add(e, MULTIPLY, .1, "x 1.1 before aggregation, 10 %", seeds);
    add(e, MULTIPLY, .3, "x 1.1 before aggregation, 30 %", seeds);
    add(e, MULTIPLY, .5, "x 1.1 before aggregation, 50 %", seeds);
    add(e, MULTIPLY, 1, "x 1.1 before aggregation, all", seeds);
    add(e, LOCAL, 3, "x 1.1 in all stations of three areas", seeds);
    add(e, AFTER, 1, "x 1.1 after aggregation, all areas", seeds);
    add(e, AFTER_SOME, .1, "x 1.1 after aggregation, 10 % of areas", seeds);
    add(e, OFF_GRID, .3, "x 1.0333 (off the grid), 30 %", seeds);
    add(e, OFF_GRID, 1, "x 1.0333 (off the grid), all", seeds);
    add(e, BLIND_FACTOR, 1, "x 1.25, all", seeds);
    add(e, NOISY, .3, "x 1.1 with 2 % noise, 30 %", seeds);
    add(e, NOISY, 1, "x 1.1 with 2 % noise, all", seeds);
    add(e, STUFF, .05, "ballots added, 5 % of stations", seeds);
    add(e, STUFF, .3, "ballots added, 30 % of stations", seeds);
    add(e, STUFF, 1, "ballots added, all stations", seeds);
    add(e, MOVE, .1, "a fifth of the rival's votes moved, 10 %", seeds);
    add(e, MOVE, .3, "a fifth of the rival's votes moved, 30 %", seeds);
    add(e, MOVE, 1, "a fifth of the rival's votes moved, all", seeds);
    add(e, COPY, .001, "copied from a neighbour, 0.1 %", seeds);
    add(e, COPY, .005, "copied from a neighbour, 0.5 %", seeds);
    if (reg) {
        add(e, COPY_REDRAWN, .0002, "redraws, copied from a neighbour, 0.02 %", seeds);
        add(e, COPY_REDRAWN, .001, "redraws, copied from a neighbour, 0.1 %", seeds);
        add(e, INVENT, .01, "invented percentages, 1 %", seeds);
        add(e, INVENT, .02, "invented percentages, 2 %", seeds);
        add(e, INVENT, .05, "invented percentages, 5 %", seeds);
    }
    if (times) {
        add(e, DUMP, .05, "half again for the leader, last 5 %", seeds);
        add(e, DUMP, .2, "half again for the leader, last 20 %", seeds);
        add(e, SMOOTH, .5, "batches drawn half-way to one share", seeds);
        add(e, SMOOTH, .8, "batches drawn 80 % to one share", seeds);
        add(e, SMOOTH, 1, "batches drawn to one share", seeds);
    }
    add(e, HEAP, .05, "innocent: 5 % rounded to tens", seeds);
    add(e, HEAP, .2, "innocent: 20 % rounded to tens", seeds);
    add(e, ROUND, 1, "totals made from tenths of a percent", seeds);
}

int main(int argc, char **argv) {
    size_t seeds = 100, none = 1000, threads = 2;
    const char *path = NULL, *only = "";
    for (int i = 1; i + 1 < argc; i += 2) {
        size_t v = strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seeds") == 0) seeds = v;
        if (strcmp(argv[i], "--none") == 0) none = v;
        if (strcmp(argv[i], "--threads") == 0) threads = v;
        if (strcmp(argv[i], "--state") == 0) path = argv[i + 1];
        if (strcmp(argv[i], "--only") == 0) only = argv[i + 1];
    }
    if (seeds == 0 || none == 0 || seeds > MOST_SEEDS || none > MOST_SEEDS || threads == 0 ||
        threads > MOST_THREADS)
        return 64;
    static struct election kenya = {.name = "kenya2022"}, uganda = {.name = "uganda2016"},
                           canada = {.name = "canada2011"};
    bench_load("kenya2022/form34a_2022_crowd.csv.xz", BENCH_KENYA, "ruto", &kenya.in);
    bench_load("uganda2016/stations_2016.csv.xz", BENCH_UGANDA, "yoweri_kaguta_museveni", &uganda.in);
    bench_load("canada2011/polls_2011.csv.xz", "registered=N,valid=t,votes=v", "v", &canada.in);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct election *all[] = {&kenya, &uganda, &canada};
    for (size_t k = 0; k < 3; k++) add_all(all[k], seeds, none);
    add(&kenya, NONE_WATCHED, 0, "none, live watch, random order", none);
    size_t kept_jobs = 0;
    for (size_t k = 0; k < job_count; k++) {
        if (strstr(jobs[k].text, only)) jobs[kept_jobs++] = jobs[k];
        else free(jobs[k].finished);
    }
    job_count = kept_jobs;
    if (path) resume(path);
    struct arena mem;
    struct fx_kept *kept;
    struct fail f;
    arena_init(&mem, (size_t)64 << 20);
    bench_check(fx_kept_new(&mem, &kept, &f), &f);
    double expected = 0;
    for (size_t k = 0; k < 3; k++) {
        double per[2];
        for (int areas = 0; areas < 2; areas++) {
            struct job probe = {.e = all[k], .change = areas ? NONE : MULTIPLY, .strength = .5};
            double start = clock_seconds();
            (void)one(&probe, 1, kept);
            per[areas] = clock_seconds() - start;
        }
        for (size_t j = 0; j < job_count; j++)
            if (jobs[j].e == all[k])
                expected += (double)(jobs[j].seeds - jobs[j].done) * per[by_area(jobs[j].change)];
    }
    printf("# power: %zu scenarios, %zu seeds (%zu for none), about %.0f s with %zu threads\n", job_count, seeds,
           none, expected / (double)threads, threads);
    printf("# share of seeds in which the method stands out\n%-12s %-44s %5s %7s %7s %7s %7s %7s %7s %7s %7s %7s\n",
           "data", "change", "seeds", "arith", "integer", "comb", "dupl", "const", "round", "areas", "any", "compare");
    print_finished();
    arena_release(&mem);
    pthread_t id[MOST_THREADS];
    for (size_t k = 0; k < threads; k++)
        if (pthread_create(&id[k], NULL, work, NULL) != 0) return 70;
    for (size_t k = 0; k < threads; k++) pthread_join(id[k], NULL);
    if (state) fclose(state);
    for (size_t k = 0; k < job_count; k++) free(jobs[k].finished);
    for (size_t k = 0; k < 3; k++) station_csv_release(&all[k]->in);
    return 0;
}
