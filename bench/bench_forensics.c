/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Forensics: reference values on real elections, speed on 46,000 stations, the comb's power on Kenya
 * 2022, coverage of quick counts on Uganda 2016. Arguments: any of reference, speed, comb, quickcount
 * (default: all); --seeds N for the comb (default 200), --samples N for the quick counts (default 2000).
 * Prints how long it will take, and what was asked beside what was reached. */
#include <math.h>
#include <pthread.h>
#include <time.h>
#include "base/clock.h"
#include "bench_data.h"
#include "stats/forensics/draw.h"
#include "stats/forensics/spikes.h"
#include "stats/quickcount.h"

enum { STATIONS = 46000, RESAMPLES = 1000, THREADS = 2 };

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Asked beside reached. */
static void say(const char *name, double got, double low, double high) {
    printf("%-48s reached %12.4f   asked %.6g to %.6g   %s\n", name, got, low, high,
           got >= low && got <= high ? "yes" : "NO");
}

/* Uganda's stations, drawn again until there are 46,000; times in random order. */
static void enlarge(const struct fx_table *t, struct arena *mem, struct fx_table *out) {
    struct rng r;
    uint32_t *reg = arena_array(mem, STATIONS, 4), *valid = arena_array(mem, STATIONS, 4);
    uint32_t *rejected = arena_array(mem, STATIONS, 4), *area[3];
    uint32_t *votes = arena_array(mem, STATIONS * t->choices, 4);
    int64_t *when = arena_array(mem, STATIONS, 8);
    *out = *t;
    rng_init(&r, 1);
    for (int l = 0; l < 3; l++) out->level[l].of = area[l] = arena_array(mem, STATIONS, 4);
    for (size_t i = 0; i < STATIONS; i++) {
        size_t k = i < t->n ? i : rng_below(&r, t->n);
        reg[i] = t->registered[k];
        valid[i] = t->valid[k];
        rejected[i] = t->rejected[k];
        when[i] = (int64_t)rng_below(&r, 1000000);
        for (int l = 0; l < 3; l++) area[l][i] = t->level[l].of[k];
        for (size_t c = 0; c < t->choices; c++) votes[c * STATIONS + i] = fx_votes(t, c, k);
    }
    out->n = STATIONS;
    out->unit = NULL;
    out->registered = reg;
    out->valid = valid;
    out->rejected = rejected;
    out->votes = votes;
    out->time_ms = when;
}

struct part {
    const struct fx_spikes *fit;
    float *rows;
    size_t from, to;
};

static void *draw_part(void *arg) {
    struct part *p = arg;
    fx_spikes_draw(p->fit, 1, p->from, p->to, p->rows + p->from * FX_SPIKE_BINS);
    return NULL;
}

static void time_spikes(const char *name, const struct fx_table *t, struct arena *mem) {
    struct fail f = {0};
    struct fx_spikes fit;
    struct fx_result x;
    pthread_t id[THREADS];
    struct part p[THREADS];
    static double scratch[RESAMPLES];
    float *rows = calloc(RESAMPLES, FX_SPIKE_BINS * sizeof *rows);
    if (!rows) exit(1);
    double start = clock_seconds();
    clock_t before = clock();
    bench_check(fx_spikes_fit(t, 1, mem, &fit, &f), &f);
    for (size_t k = 0; k < THREADS; k++) {
        p[k] = (struct part){&fit, rows, RESAMPLES * k / THREADS, RESAMPLES * (k + 1) / THREADS};
        if (pthread_create(&id[k], NULL, draw_part, &p[k]) != 0) exit(1);
    }
    for (size_t k = 0; k < THREADS; k++) pthread_join(id[k], NULL);
    fx_spikes_finish(&fit, rows, RESAMPLES, t, scratch, &x);
    double took = clock_seconds() - start;
    qsort(scratch, RESAMPLES, sizeof *scratch, by_value);
    say("seconds of spikes, R = 1000, two threads", took, 0, 30);
    say("the same, half of the processor seconds", (double)(clock() - before) / CLOCKS_PER_SEC / THREADS, 0, 30);
    if (strcmp(name, "canada") == 0) {
        say("9 spikes, Canada 2011, F", x.value, 0, .17);
        say("9 spikes, Canada 2011, p", x.p, .01, 1);
    }
    printf("forensics.spikes.%s.r1000 %.2f s (%d threads, %zu stations; F %.4f p %.3f; null mean %.4f, 95 %% "
           "%.4f, largest %.4f)\n", name, took, THREADS, t->n, x.value, x.p, fx_get(&x, "null_mean"),
           scratch[RESAMPLES * 95 / 100], scratch[RESAMPLES - 1]);
    free(rows);
}

/* Seconds by the clock; *cpu gets those of the processor, which other programs on the machine do not
 * lengthen. */
static double time_battery(const struct fx_table *t, unsigned skip, double *cpu) {
    struct fail f = {0};
    struct arena mem;
    struct fx_report r;
    struct fx_options o = {.seed = 1, .skip = skip};
    arena_init(&mem, (size_t)2 << 30);
    double start = clock_seconds();
    clock_t before = clock();
    bench_check(fx_battery_run(t, &o, &mem, &r, &f), &f);
    bench_check(fx_battery_finish(&r, &mem, &f), &f);
    double took = clock_seconds() - start;
    *cpu = (double)(clock() - before) / CLOCKS_PER_SEC;
    arena_release(&mem);
    return took;
}

static void speed(void) {
    struct station_csv in;
    struct arena mem;
    struct fx_table t;
    static const struct {
        enum fx_method m;
        const char *name;
    } parts[] = {{FX_ARITHMETIC, "arithmetic"}, {FX_INTEGERS, "integers"}, {FX_COMB, "comb"},
                 {FX_DUPLICATES, "duplicates"}, {FX_CONSTANCY, "constancy"}, {FX_LATE, "late"},
                 {FX_ROUND, "round"}, {FX_SHPILKIN, "shpilkin"}, {FX_KLIMEK, "klimek"},
                 {FX_DIGITS, "digits"}};
    printf("# speed: about a minute on an idle machine\n");
    arena_init(&mem, (size_t)2 << 30);
    bench_load("uganda2016/stations_2016.csv.xz", BENCH_UGANDA, "yoweri_kaguta_museveni", &in);
    enlarge(&in.table, &mem, &t);
    double best = INFINITY, least = INFINITY, cpu;
    for (int k = 0; k < 3; k++) {
        double s = time_battery(&t, 0, &cpu);
        if (s < best) best = s;
        if (cpu < least) least = cpu;
    }
    say("seconds of the battery, 46,000 stations", best, 0, 1);
    say("the same in processor seconds (one thread)", least, 0, 1);
    printf("forensics.battery.46000 %.3f s (all methods but spikes, all areas, one thread, best of 3)\n", best);
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
        printf("forensics.battery.46000.%s %.3f s\n", parts[k].name,
               time_battery(&t, ~(1u << parts[k].m), &cpu));
    time_spikes("uganda46000", &t, &mem);
    station_csv_release(&in);
    bench_load("canada2011/polls_2011.csv.xz", "registered=N,valid=t,votes=v", "v", &in);
    time_spikes("canada", &in.table, &mem);
    station_csv_release(&in);
    arena_release(&mem);
}

/* Injects m into a share of the forms and fits both combs. */
static void inject(const struct fx_table *t, double m, unsigned percent, uint64_t seed,
                   uint32_t h[316]) {
    struct rng r;
    memset(h, 0, 316 * sizeof *h);
    rng_init_stream(&r, seed, percent);
    for (size_t i = 0; i < t->n; i++) {
        uint32_t v = fx_votes(t, t->leader, i);
        if (v == FX_ABSENT) continue;
        if (rng_below(&r, 100) < percent) v = (uint32_t)floor(m * v + 1e-9);
        if (v < 316) h[v]++;
    }
}

static void comb_line(const char *grid, double m, unsigned percent, double *delta, double *off,
                      size_t n, double threshold) {
    size_t found = 0;
    for (size_t k = 0; k < n; k++) found += delta[k] >= threshold;
    qsort(delta, n, sizeof *delta, by_value);
    qsort(off, n, sizeof *off, by_value);
    printf("comb %-6s m %.4f in %2u %%: quartiles %.1f %.1f %.1f, detected %.3f (threshold %.1f), median error "
           "of m %.4f\n", grid, m, percent, delta[n / 4], delta[n / 2], delta[n * 3 / 4],
           (double)found / (double)n, threshold, off[n / 2]);
    static const struct {
        unsigned percent;
        double median;
    } asked[] = {{10, 9.4}, {20, 38.8}, {30, 92.7}, {50, 286.5}};
    char text[64];
    snprintf(text, sizeof text, "2 comb, coarse, m 1.1 in %u %%, median", percent);
    for (size_t k = 0; k < 4; k++)
        if (strcmp(grid, "coarse") == 0 && fabs(m - 1.1) < 1e-9 && asked[k].percent == percent)
            say(text, delta[n / 2], .9 * asked[k].median, 1.1 * asked[k].median);
}

static void comb(size_t seeds) {
    static const double ms[] = {1.1, 1.1025, 1.0525, .9};
    static const unsigned percents[] = {10, 20, 30, 50, 100};
    struct station_csv in;
    struct arena mem;
    struct fail f = {0};
    struct fx_comb *grid[2];
    struct fx_comb_fit fit;
    uint32_t h[316];
    arena_init(&mem, (size_t)1 << 28);
    bench_load("kenya2022/form34a_2022_crowd.csv.xz", BENCH_KENYA, "ruto", &in);
    bench_check(fx_comb_new(true, &mem, &grid[0], &f), &f);
    bench_check(fx_comb_new(false, &mem, &grid[1], &f), &f);
    double start = clock_seconds();
    inject(&in.table, 1.1, 30, 1, h);
    fx_comb_fit(grid[0], h, &fit);
    fx_comb_fit(grid[1], h, &fit);
    printf("# comb: %zu seeds, about %.0f s\n", seeds, (clock_seconds() - start) * 20 * (double)seeds);
    double *delta[2], *off[2];
    for (int g = 0; g < 2; g++) {
        delta[g] = calloc(seeds, sizeof(double));
        off[g] = calloc(seeds, sizeof(double));
        if (!delta[g] || !off[g]) exit(1);
    }
    for (size_t a = 0; a < 4; a++)
        for (size_t b = 0; b < 5; b++) {
            for (size_t k = 0; k < seeds; k++) {
                inject(&in.table, ms[a], percents[b], k + 1, h);
                for (int g = 0; g < 2; g++) {
                    fx_comb_fit(grid[g], h, &fit);
                    delta[g][k] = fit.delta;
                    off[g][k] = fabs(fit.m - ms[a]);
                }
            }
            comb_line("coarse", ms[a], percents[b], delta[0], off[0], seeds, 15 + log(2));
            comb_line("fine", ms[a], percents[b], delta[1], off[1], seeds, 15 + log(2));
        }
    for (int g = 0; g < 2; g++) {
        free(delta[g]);
        free(off[g]);
    }
    station_csv_release(&in);
    arena_release(&mem);
}

struct cover {
    size_t in95, in99, bound, none;
    double width;
};

static void count_cover(struct cover *c, const struct qc_estimate *e, double truth) {
    c->bound += e->bound_low <= truth && truth <= e->bound_high;
    if (e->missing) {
        c->none++;
        return;
    }
    c->in95 += e->low95 <= truth && truth <= e->high95;
    c->in99 += e->low99 <= truth && truth <= e->high99;
    c->width += (e->high95 - e->low95) / 2;
}

static void cover_line(const char *name, const struct cover *c, size_t n) {
    double used = (double)(n - c->none);
    printf("quickcount %-28s 95 %% covers %.3f, 99 %% covers %.3f, bound covers %.4f, n/a %.4f, mean half-width "
           "%.2f points\n", name, (double)c->in95 / used, (double)c->in99 / used,
           (double)c->bound / (double)n, (double)c->none / (double)n, 100 * c->width / used);
}

/* What is asked of samples that are complete, or miss reports at random. */
static void cover_asked(const char *name, const struct cover *c, size_t n, bool bound) {
    double used = (double)(n - c->none);
    char text[64];
    snprintf(text, sizeof text, "quickcount, %s, 95 %%", name);
    say(text, (double)c->in95 / used, .935, .965);
    snprintf(text, sizeof text, "quickcount, %s, 99 %%", name);
    say(text, (double)c->in99 / used, .980, .997);
    snprintf(text, sizeof text, "quickcount, %s, n/a", name);
    say(text, (double)c->none / (double)n, 0, .01);
    if (bound) say("quickcount, bound with missing reports", (double)c->bound / (double)n, 1, 1);
}

/* Simple random samples of each stratum. (Samples of an election are drawn by hash, which is slower;
 * both are uniform.) */
static size_t draw_sample(struct rng *r, uint32_t *by_stratum, const size_t *first,
                          const uint64_t *sizes, size_t strata, uint32_t *picked) {
    size_t n = 0;
    for (size_t h = 0; h < strata; h++) {
        uint32_t *ix = by_stratum + first[h], count = (uint32_t)(first[h + 1] - first[h]);
        for (uint32_t k = 0; k < sizes[h]; k++) {
            uint32_t j = k + draw_below(r, count - k), t = ix[k];
            ix[k] = ix[j];
            ix[j] = t;
            picked[n++] = ix[k];
        }
    }
    return n;
}

static void quickcount(size_t samples) {
    struct station_csv in;
    struct arena mem;
    struct fail f = {0};
    struct cover c[3] = {{0}};
    arena_init(&mem, (size_t)1 << 30);
    bench_load("uganda2016/stations_2016.csv.xz", BENCH_UGANDA, "yoweri_kaguta_museveni", &in);
    const struct fx_table *t = &in.table;
    uint64_t *old = arena_array(&mem, t->level[0].count, 8), *sizes;
    uint32_t *of, *stratum = arena_array(&mem, t->n, 4), *picked = arena_array(&mem, t->n, 4);
    size_t strata;
    double top = 0, bottom = 0;
    for (size_t i = 0; i < t->n; i++) old[t->level[0].of[i]]++;
    bench_check(qc_collapse(old, t->level[0].count, &mem, &of, &strata, &f), &f);
    uint64_t *stations = arena_array(&mem, strata, 8);
    for (size_t i = 0; i < t->n; i++) {
        stations[stratum[i] = of[t->level[0].of[i]]]++;
        top += fx_votes(t, t->leader, i);
        bottom += fx_valid(t, i);
    }
    bench_check(qc_allocate(stations, strata, 1000, &mem, &sizes, &f), &f);
    uint32_t *by_stratum = arena_array(&mem, t->n, 4);
    size_t *first = arena_array(&mem, strata + 1, sizeof *first), *next = arena_array(&mem, strata, sizeof *next);
    for (size_t h = 0; h < strata; h++) first[h + 1] = first[h] + stations[h];
    for (size_t i = 0; i < t->n; i++) by_stratum[first[stratum[i]] + next[stratum[i]]++] = (uint32_t)i;
    struct qc_item *items = arena_array(&mem, t->n, sizeof *items);
    double start = clock_seconds();
    size_t n = 0;
    for (size_t k = 0; k < samples; k++) {
        struct arena scratch;
        struct qc_estimate e;
        struct rng r;
        arena_init(&scratch, (size_t)1 << 26);
        rng_init_stream(&r, 1, k);
        n = draw_sample(&r, by_stratum, first, sizes, strata, picked);
        for (int way = 0; way < 3; way++) {
            for (size_t i = 0; i < n; i++) {
                uint32_t s = picked[i];
                double a = fx_votes(t, t->leader, s), m = fx_valid(t, s);
                bool lost = way == 1 ? rng_below(&r, 10) == 0
                            : way == 2 ? rng_double(&r) < (m > 0 && a > .75 * m ? .4 : .05)
                                       : false;
                items[i] = (struct qc_item){stratum[s], !lost, t->registered[s], a, m};
            }
            bench_check(qc_estimate(items, n, stations, strata, &scratch, &e, &f), &f);
            count_cover(&c[way], &e, top / bottom);
        }
        arena_release(&scratch);
        if (k == 4)
            printf("# quickcount: %zu samples of %zu stations in %zu strata, about %.0f s\n", samples, n, strata,
                   (clock_seconds() - start) / 5 * (double)samples);
    }
    cover_line("complete", &c[0], samples);
    cover_line("10 % missing at random", &c[1], samples);
    cover_line("missing depends on support", &c[2], samples);
    cover_asked("complete", &c[0], samples, false);
    cover_asked("10 % at random", &c[1], samples, true);
    say("quickcount, bound, missing by support", (double)c[2].bound / (double)samples, 1, 1);
    station_csv_release(&in);
    arena_release(&mem);
}

/* --- reference values --- */

struct real {
    struct station_csv in;
    struct arena mem;
    struct fx_report r;
};

static void load_real(struct real *e, const char *file, const char *columns, const char *leader, unsigned skip) {
    struct fail f = {0};
    struct fx_options o = {.seed = 1, .skip = skip};
    bench_load(file, columns, leader, &e->in);
    arena_init(&e->mem, (size_t)2 << 30);
    bench_check(fx_battery_run(&e->in.table, &o, &e->mem, &e->r, &f), &f);
    bench_check(fx_battery_finish(&e->r, &e->mem, &f), &f);
}

static void release_real(struct real *e) {
    station_csv_release(&e->in);
    arena_release(&e->mem);
}

static double national(const struct real *e, enum fx_method m, const char *detail) {
    const struct fx_result *x = fx_report_nation(&e->r, m);
    if (!x) return NAN;
    if (!detail) return x->value;
    return strcmp(detail, "excess") == 0   ? x->excess
           : strcmp(detail, "effect") == 0 ? x->effect
                                           : fx_get(x, detail);
}

static void duplicates_line(const char *name, const struct real *e, double pairs, double expected, double sd) {
    char text[64];
    snprintf(text, sizeof text, "7 duplicates, %s, pairs", name);
    say(text, national(e, FX_DUPLICATES, NULL), pairs, pairs);
    snprintf(text, sizeof text, "7 duplicates, %s, expected", name);
    say(text, national(e, FX_DUPLICATES, "expected"), expected - sd, expected + sd);
}

static void reference_russia(const char *year, const char *choices, double excess, double low, double high,
                             bool klimek) {
    struct real e;
    char columns[400], file[64], text[64];
    snprintf(file, sizeof file, "russia/stations_%s.csv.xz", year);
    snprintf(columns, sizeof columns,
             "registered=registered,valid=valid,rejected=invalid,issued=issued_early+issued_station+issued_home,"
             "area=region+tik,votes=%s", choices);
    load_real(&e, file, columns, "putin", 1u << FX_CONSTANCY | (klimek ? 0 : 1u << FX_KLIMEK));
    snprintf(text, sizeof text, "1 integer percentages, Russia %s, excess", year);
    say(text, national(&e, FX_INTEGERS, "excess"), excess - 1, excess + 1);
    snprintf(text, sizeof text, "2 comb, Russia %s (a control for the comb)", year);
    say(text, national(&e, FX_COMB, NULL), 0, 12);
    snprintf(text, sizeof text, "10 Shpilkin, Russia %s, millions, lowest", year);
    say(text, national(&e, FX_SHPILKIN, "lowest") / 1e6, low - .05, high + .05);
    snprintf(text, sizeof text, "10 Shpilkin, Russia %s, millions, highest", year);
    say(text, national(&e, FX_SHPILKIN, "highest") / 1e6, low - .05, high + .05);
    if (klimek) {
        say("11 Klimek, Russia 2012, incremental", national(&e, FX_KLIMEK, "incremental"), .35, .50);
        say("11 Klimek, Russia 2012, extreme", national(&e, FX_KLIMEK, "extreme"), .02, .05);
    } else {
        duplicates_line("Russia 2018 by tik", &e, 14, 2.5, 1.5);
    }
    release_real(&e);
}

static void reference(void) {
    struct real e;
    printf("# reference values: about ten seconds on an idle machine\n");
    load_real(&e, "uganda2016/stations_2016.csv.xz",
              "registered=reg_voters,valid=valid_votes,rejected=invalid_votes,votes=abed_bwanika+amama_mbabazi+"
              "baryamureeba_venansius+benon_buta_biraaro+kizza_besigye_kifefe+mabirizi_joseph+"
              "maureen_faith_kyalya_waluube+yoweri_kaguta_museveni,area=sub_county", "yoweri_kaguta_museveni", 0);
    say("8 arithmetic, Uganda 2016, sum errors", national(&e, FX_ARITHMETIC, "sum_errors"), 0, 0);
    say("8 arithmetic, Uganda 2016, exactly 100 %", national(&e, FX_ARITHMETIC, "exactly_100_percent"), 130, 130);
    say("1 integer percentages, Uganda 2016, z", national(&e, FX_INTEGERS, NULL), -.4, -.2);
    say("2 comb, Uganda 2016", national(&e, FX_COMB, NULL), 0, 12);
    duplicates_line("Uganda 2016 by sub-county", &e, 21, 1.0, .8);
    release_real(&e);
    load_real(&e, "canada2011/polls_2011.csv.xz", "registered=N,valid=t,votes=v", "v", 0);
    say("1 integer percentages, Canada 2011, z", national(&e, FX_INTEGERS, NULL), 2.1, 2.3);
    say("2 comb, Canada 2011", national(&e, FX_COMB, NULL), 0, 12);
    say("11 Klimek, Canada 2011, incremental", national(&e, FX_KLIMEK, "incremental"), 0, .01);
    say("11 Klimek, Canada 2011, extreme", national(&e, FX_KLIMEK, "extreme"), 0, .005);
    say("12 second digits, Canada 2011, mean", national(&e, FX_DIGITS, "second_digit_mean"), 3.9445, 3.9455);
    release_real(&e);
    load_real(&e, "kenya2022/form34a_2022_crowd.csv.xz", BENCH_KENYA, "ruto", 0);
    say("2 comb, Kenya 2022", national(&e, FX_COMB, NULL), 0, 12);
    duplicates_line("Kenya 2022", &e, 26, 16.0, 3.8);
    say("4 constancy, Kenya 2022, times the permuted mean", national(&e, FX_CONSTANCY, "effect"), 3.6, 4.6);
    release_real(&e);
    reference_russia("2012", "zhirinovsky+zyuganov+mironov+prokhorov+putin", 1161.0, 11.3, 12.0, true);
    reference_russia("2018", "baburin+grudinin+zhirinovsky+putin+sobchak+suraykin+titov+yavlinsky", 1708.6, 10.8, 11.0,
                     false);
}

int main(int argc, char **argv) {
    size_t seeds = 200, samples = 2000;
    bool all = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) seeds = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--samples") == 0 && i + 1 < argc)
            samples = strtoul(argv[++i], NULL, 10);
        else all = false;
    }
    if (seeds < 4 || samples < 5) return 64;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "reference") == 0) reference();
        if (strcmp(argv[i], "speed") == 0) speed();
        if (strcmp(argv[i], "comb") == 0) comb(seeds);
        if (strcmp(argv[i], "quickcount") == 0) quickcount(samples);
    }
    if (all) {
        reference();
        speed();
        comb(seeds);
        quickcount(samples);
    }
    return 0;
}
