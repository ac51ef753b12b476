/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Times of an audit over a nation, the table of error patterns, and rejection under the null.
 *
 * usage: bench_audit POPULATION.csv [times|table|nulls] [RUNS] */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "base/csv.h"
#include "stats/audit/bound.h"
#include "stats/audit/consistent.h"
#include "stats/audit/sample.h"
#include "stats/audit/sim.h"
#include "stats/audit/size.h"

enum { STATIONS_MAX = 1 << 20, CHOICES = 3, COUNTIES = 1000, THREADS = 2, METHODS = 7 };
static const enum bet_method methods[METHODS] = {
    BET_KAPLAN_MARKOV, BET_ALPHA, BET_MIXTURE, BET_KAPLAN_WALD, BET_AGRAPA, BET_KELLY, BET_MACRO};
static const char *const names[METHODS] = {"Kaplan-Markov", "ALPHA", "mixture", "Kaplan-Wald",
                                           "aGRAPA",        "Kelly", "MACRO"};
static const char seed_text[] = "06712221796172622814";
static const double alpha = 0.05;

static struct audit_contest nation;
static uint64_t *bound, *votes, *weight, *below;
static uint32_t *region, *draws;
static uint8_t *state, *drawn;

static void die(const struct fail *f) {
    fprintf(stderr, "bench_audit: %s (%s)\n", f->text, err_info(f->code)->name);
    exit(err_info(f->code)->exit);
}
static void must(err e, const struct fail *f) {
    if (e != OK) die(f);
}
static void *array(size_t n, size_t size) {
    void *p = calloc(n, size);
    if (!p) die(&(struct fail){E_MEMORY, "no memory"});
    return p;
}

static void read_population(const char *path) {
    struct fail f = {0};
    struct csv *c;
    must(csv_open(path, &c, &f), &f);
    bound = array(STATIONS_MAX, sizeof *bound);
    votes = array(STATIONS_MAX * CHOICES, sizeof *votes);
    region = array(STATIONS_MAX, sizeof *region);
    size_t n = 0;
    for (bool more = true, present; n < STATIONS_MAX; n++) {
        must(csv_next(c, &more, &f), &f);
        if (!more) break;
        uint64_t county;
        must(csv_u64(c, 0, COUNTIES - 1, &present, &county, &f), &f);
        must(csv_u64(c, 2, 100000, &present, &bound[n], &f), &f);
        for (size_t i = 0; i < CHOICES; i++)
            must(csv_u64(c, 3 + i, 100000, &present, &votes[n * CHOICES + i], &f), &f);
        region[n] = (uint32_t)county - 1;
    }
    csv_close(c);
    nation = (struct audit_contest){n, CHOICES, 47, bound, votes, region};
    must(audit_contest_check(&nation, &f), &f);
    weight = array(n, sizeof *weight);
    below = array(n, sizeof *below);
    draws = array(n, sizeof *draws);
    state = array(n, 1);
    drawn = array(n, 1);
}

static void line(const char *what, double seconds) {
    printf("  hesabu  %-44s %10.3f ms\n", what, seconds * 1e3);
}

/* ---- times ---- */

struct measured {
    double size, draw, risk;
    size_t draws;
    double p;
};

static void one_audit(const struct audit_rule *rule, struct measured *m) {
    struct fail f = {0};
    struct arena mem;
    struct assertion a[64];
    struct assertion_risk risk[64];
    size_t n;
    uint32_t winners[CHOICES];
    uint64_t total;
    arena_init(&mem, (size_t)1 << 28);
    must(audit_assertions(&nation, rule, &mem, a, 64, &n, winners, &f), &f);
    double t0 = clock_seconds();
    uint64_t size = 0;
    for (size_t j = 0; j < n; j++)
        if (a[j].region == AUDIT_EVERYWHERE)
            size = audit_size_clean(BET_MIXTURE, audit_diluted_margin(&a[j], &nation), alpha);
    double t1 = clock_seconds();
    must(audit_weights(&nation, a, n, weight, &total, &f), &f);
    struct audit_sampler s;
    struct audit_pick pick;
    audit_sampler_init(&s, weight, nation.batches, below, drawn, span_text(seed_text),
                       SPAN_LIT(""));
    size_t k = 0;
    while (k < size && audit_sampler_next(&s, &pick)) draws[k++] = pick.batch;
    double t2 = clock_seconds();
    memset(state, 0, nation.batches);
    for (size_t i = 0; i < k; i++) state[draws[i]] = AUDIT_COUNTED;
    struct audit_sample sample = {weight, draws, k, false, true};
    struct audit_hand h = {state, votes, NULL};
    must(audit_risk(&nation, a, n, &sample, &h, BET_MIXTURE, &mem, risk, &f), &f);
    double t3 = clock_seconds();
    *m = (struct measured){t1 - t0, t2 - t1, t3 - t2, k, risk[0].p};
    arena_release(&mem);
}

static void time_audit(const char *what, const struct audit_rule *rule) {
    struct measured m, best = {1, 1, 1, 0, 0};
    for (int i = 0; i < 20; i++) {
        one_audit(rule, &m);
        best.size = fmin(best.size, m.size);
        best.draw = fmin(best.draw, m.draw);
        best.risk = fmin(best.risk, m.risk);
    }
    printf("%s: %zu draws, p = %.9f\n", what, m.draws, m.p);
    line("size of the first round", best.size);
    line("weights and draw", best.draw);
    line("risk, mixture", best.risk);
    line("size + draw + risk", best.size + best.draw + best.risk);
}

struct rounds {
    struct size_rounds s;
    uint64_t from, to, *out;
};
static void *run_rounds(void *arg) {
    struct rounds *r = arg;
    struct fail f = {0};
    struct arena mem;
    arena_init(&mem, (size_t)1 << 30);
    must(audit_size_rounds(&r->s, r->from, r->to, &mem, r->out, &f), &f);
    arena_release(&mem);
    return NULL;
}

static void time_rounds(const char *what, const struct audit_rule *rule) {
    struct fail f = {0};
    struct arena mem;
    struct assertion a[64];
    uint32_t winners[CHOICES];
    uint64_t total, out[1000], *hand = array(nation.batches * CHOICES, sizeof *hand);
    size_t n, k = 0;
    arena_init(&mem, (size_t)1 << 28);
    must(audit_assertions(&nation, rule, &mem, a, 64, &n, winners, &f), &f);
    must(audit_weights(&nation, a, n, weight, &total, &f), &f);
    struct audit_sampler s;
    struct audit_pick pick;
    audit_sampler_init(&s, weight, nation.batches, below, drawn, span_text(seed_text),
                       SPAN_LIT(""));
    while (k < 4000 && audit_sampler_next(&s, &pick)) draws[k++] = pick.batch;
    memset(state, 0, nation.batches);
    memcpy(hand, votes, nation.batches * CHOICES * sizeof *hand);
    struct rng r;
    rng_init(&r, 4);
    for (size_t i = 0; i < 200; i++) {
        state[draws[i]] = AUDIT_COUNTED;
        uint64_t *v = hand + draws[i] * CHOICES;
        if (rng_below(&r, 10) < 3 && v[0] > 5 && v[1] > 5) {
            bool up = rng_below(&r, 2);
            v[0] += up ? 5 : (uint64_t)-5;
            v[1] -= up ? 5 : (uint64_t)-5;
        }
    }
    struct audit_sample sample = {weight, draws, k, false, true};
    struct audit_hand h = {state, hand, NULL};
    struct rounds part[THREADS];
    pthread_t thread[THREADS];
    double t = clock_seconds();
    for (size_t i = 0; i < THREADS; i++) {
        part[i] = (struct rounds){{&nation, a, n, &sample, &h, BET_MIXTURE, alpha, 11},
                                  i * 1000 / THREADS,
                                  (i + 1) * 1000 / THREADS,
                                  out + i * 1000 / THREADS};
        if (pthread_create(&thread[i], NULL, run_rounds, &part[i]) != 0) exit(70);
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    t = clock_seconds() - t;
    line(what, t);
    printf("          later rounds: 50 %% of the replicates stop by %" PRIu64
           " draws, 80 %% by %" PRIu64 ", 90 %% by %" PRIu64 "\n",
           audit_quantile(out, 1000, .5), audit_quantile(out, 1000, .8),
           audit_quantile(out, 1000, .9));
    arena_release(&mem);
    free(hand);
}

static size_t number_id(const void *ctx, uint64_t item, char *out) {
    (void)ctx;
    char digits[20];
    size_t d = 0, n = 0;
    do digits[d++] = (char)('0' + item % 10);
    while (item /= 10);
    while (d) out[n++] = digits[--d];
    return n;
}

struct tickets {
    uint64_t from, to;
    struct consistent_draw out[1000];
    size_t n;
};
static void *run_tickets(void *arg) {
    struct tickets *t = arg;
    consistent_smallest(span_text(seed_text), number_id, NULL, t->from, t->to, t->out, 1000, &t->n);
    return NULL;
}

static void time_tickets(void) {
    static struct tickets part[THREADS];
    static struct consistent_draw all[THREADS * 1000], first[1000];
    pthread_t thread[THREADS];
    size_t n = 0, drawn_count;
    double t = clock_seconds();
    for (size_t i = 0; i < THREADS; i++) {
        part[i].from = i * 15000000 / THREADS;
        part[i].to = (i + 1) * 15000000 / THREADS;
        if (pthread_create(&thread[i], NULL, run_tickets, &part[i]) != 0) exit(70);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        memcpy(all + n, part[i].out, part[i].n * sizeof *all);
        n += part[i].n;
    }
    consistent_sequence(all, n, false, first, 1000, &drawn_count);
    t = clock_seconds() - t;
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("  hesabu  15 M tickets, 1,000 drawn, %d threads          %10.1f s; memory of the whole "
           "process %.1f MB; first ticket %.20s\n",
           THREADS, t, (double)u.ru_maxrss / 1024, first[0].ticket.text);
}

/* ---- simulated audits of the majority ---- */

struct work {
    struct sim sim;
    const int64_t *reported;
    uint64_t from, to, most, seed;
    int pattern; /* error pattern, or a kind of null */
    bool null;
    uint64_t finished[METHODS], stations[METHODS];
};

struct pattern {
    const char *name;
    double share;
    int64_t votes;
    double lost;
};
static const struct pattern patterns[] = {{"clean", 0, 0, 0},
                                          {"+-5 votes in 30 % of stations", .3, 5, 0},
                                          {"the same, 0.3 % of boxes lost", .3, 5, .003}};

static void *run_sims(void *arg) {
    struct work *w = arg;
    int64_t *value = array(w->sim.n, sizeof *value);
    uint8_t *seen = array(w->sim.n, 1);
    w->sim.value = value;
    for (uint64_t run = w->from; run < w->to; run++) {
        struct rng r;
        rng_init_stream(&r, w->seed, run);
        if (!w->null) {
            const struct pattern *p = &patterns[w->pattern];
            sim_make_errors(w->reported, w->sim.n, p->share, p->votes, p->lost, &r, value);
        } else if ((run - w->from) % 100 == 0) {
            sim_make_null((enum sim_null)w->pattern, w->reported, w->sim.n, w->sim.null_total, &r,
                          value);
        }
        uint64_t stop[METHODS];
        sim_run(&w->sim, methods, METHODS, alpha, &r, w->most, seen, stop);
        for (size_t i = 0; i < METHODS; i++) {
            w->finished[i] += stop[i] != UINT64_MAX;
            w->stations[i] += stop[i] != UINT64_MAX ? stop[i] : w->most;
        }
    }
    free(value);
    free(seen);
    return NULL;
}

/* All runs on all threads; finished and stations summed into *sum. */
static void simulate(const struct work *model, uint64_t runs, struct work *sum) {
    struct work part[THREADS];
    pthread_t thread[THREADS];
    *sum = *model;
    for (size_t i = 0; i < THREADS; i++) {
        part[i] = *model;
        part[i].from = i * runs / THREADS;
        part[i].to = (i + 1) * runs / THREADS;
        if (pthread_create(&thread[i], NULL, run_sims, &part[i]) != 0) exit(70);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        for (size_t m = 0; m < METHODS; m++) {
            sum->finished[m] += part[i].finished[m];
            sum->stations[m] += part[i].stations[m];
        }
    }
}

/* One assertion over the stations of its region among the first `most`, as reported. */
static struct work one_assertion(const struct assertion *a, size_t most, int64_t *reported) {
    uint64_t sum = 0, ballots = 0;
    size_t n = 0;
    for (size_t g = 0; g < most; g++) {
        if (!audit_holds(&nation, a->region, g)) continue;
        reported[n] = assertion_value(a, bound[g], votes + g * CHOICES, CHOICES);
        weight[n] = (uint64_t)reported[n] << 20;
        below[n] = sum += weight[n];
        ballots += bound[g];
        n++;
    }
    struct work w = {.sim = {n, weight, below, NULL, assertion_null(a, ballots), 0x1p20},
                     .reported = reported};
    return w;
}

static struct work majority(size_t n, int64_t *reported) {
    struct assertion a = assertion_share(ASSERT_ABOVE, 0, 1, 2, AUDIT_EVERYWHERE);
    return one_assertion(&a, n, reported);
}

static void error_table(uint64_t runs) {
    int64_t *reported = array(nation.batches, sizeof *reported);
    struct work model = majority(nation.batches, reported), sum;
    printf("Stations audited on average (share that finishes), majority, %zu stations, %" PRIu64
           " runs, at most 6,000 draws\n  %-32s",
           nation.batches, runs, "");
    for (size_t i = 0; i < METHODS; i++) printf("%16s", names[i]);
    printf("\n");
    for (int p = 0; p < 3; p++) {
        model.pattern = p;
        model.most = 6000;
        model.seed = 500 + (uint64_t)p;
        simulate(&model, runs, &sum);
        printf("  %-32s", patterns[p].name);
        for (size_t i = 0; i < METHODS; i++)
            printf("   %6.0f (%4.0f %%)", (double)sum.stations[i] / (double)runs,
                   100 * (double)sum.finished[i] / (double)runs);
        printf("\n");
    }
    free(reported);
}

/* The four nulls of one assertion; how many rates lie above the limit. */
static int null_rows(struct work *model, uint64_t runs) {
    static const char *const kinds[] = {"1 % all wrong", "one vote at a time", "equal taint",
                                        "0.1 % of boxes lost"};
    int bad = 0;
    struct work sum;
    model->null = true;
    model->most = model->sim.n / 2; /* the last stations would take most of the time */
    for (int k = NULL_WHOLE; k <= NULL_LOST; k++) {
        model->pattern = k;
        model->seed = 900 + (uint64_t)k;
        simulate(model, runs, &sum);
        printf("  %-24s", kinds[k]);
        for (size_t i = 0; i < METHODS; i++) {
            bool above = binomial_at_least(runs, sum.finished[i], alpha) < 0.0005;
            bad += above;
            printf("%14.4f%s", (double)sum.finished[i] / (double)runs, above ? " !" : "  ");
        }
        printf("\n");
    }
    return bad;
}

/* A walk with the mixture, and a bug of a peer's: the product accumulated twice, of one fixed bet.
 */
struct planted {
    struct mart m;
    double once, twice, most;
};
static bool step_planted(void *ctx, double x, double mu) {
    struct planted *t = ctx;
    mart_step(&t->m, x, mu);
    t->once += log(0.1 + 0.9 * x / mu);
    t->twice += t->once;
    t->most = fmax(t->most, t->twice);
    return true;
}

/* A quarter in 24 counties with `SPARE` more, false by as little as it can be: SPARE + 1 counties
 * are. */
struct spare_work {
    const struct sim *sim;
    const int64_t *reported;
    uint64_t from, to, joint, naive, planted;
};
static void *run_spare(void *arg) {
    enum { NEED = 24, SPARE = 6 };
    struct spare_work *w = arg;
    struct assertion a[NEED + SPARE];
    struct sim s = *w->sim;
    int64_t *value = array(s.n, sizeof *value);
    uint8_t *seen = array(s.n, 1);
    s.value = value;
    for (uint32_t j = 0; j < NEED + SPARE; j++) a[j] = assertion_share(ASSERT_AT_LEAST, 0, 1, 4, j);
    if (!audit_spread(a, NEED + SPARE, SPARE)) exit(70);
    for (uint64_t run = w->from; run < w->to; run++) {
        double p[NEED + SPARE] = {0}, least = 1;
        struct rng r;
        rng_init_stream(&r, 4242, run);
        for (size_t j = NEED - 1; j < NEED + SPARE; j++) {
            struct planted t = {.m = {.scale = 0}};
            struct bet b = bet_comparison(BET_MIXTURE, 0.5);
            mart_init(&t.m, &b);
            sim_make_null(NULL_WHOLE, w->reported, s.n, s.null_total, &r, value);
            sim_draw(&s, &r, s.n / 2, seen, step_planted, &t);
            p[j] = mart_p(&t.m);
            least = fmin(least, p[j]);
            if (j == NEED - 1) w->planted += t.most >= -log(alpha);
        }
        w->joint += audit_joint_p(a, p, NEED + SPARE) <= alpha;
        w->naive += least <= alpha;
    }
    free(value);
    free(seen);
    return NULL;
}

static int spare_rows(const struct work *county, uint64_t runs) {
    struct spare_work part[THREADS], sum = {0};
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        part[i] = (struct spare_work){.sim = &county->sim,
                                      .reported = county->reported,
                                      .from = i * runs / THREADS,
                                      .to = (i + 1) * runs / THREADS};
        if (pthread_create(&thread[i], NULL, run_spare, &part[i]) != 0) exit(70);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        sum.joint += part[i].joint;
        sum.naive += part[i].naive;
        sum.planted += part[i].planted;
    }
    bool above = binomial_at_least(runs, sum.joint, alpha) < 0.0005;
    bool seen = binomial_at_least(runs, sum.naive, alpha) < 0.0005;
    bool caught = binomial_at_least(runs, sum.planted, alpha) < 0.0005;
    double n = (double)runs;
    printf("24 counties and 6 spare ones, 7 of them false: %.4f%s; the 24th smallest p alone %.4f "
           "(%s)\n"
           "planted, one bet's product accumulated twice: %.4f (%s)\n",
           (double)sum.joint / n, above ? " !" : "", (double)sum.naive / n,
           seen ? "seen to be wrong" : "NOT SEEN", (double)sum.planted / n,
           caught ? "caught" : "NOT CAUGHT");
    return above + !seen + !caught;
}

static int null_table(uint64_t runs, size_t stations) {
    int64_t *reported = array(nation.batches, sizeof *reported);
    struct work model = majority(stations, reported);
    int bad = 0;
    if (model.sim.below[stations - 1] >> 20 <= (uint64_t)model.sim.null_total) {
        printf("the first %zu stations have no majority\n", stations);
        return 1;
    }
    printf("Rejection under the null (sum A = T), %zu stations, %" PRIu64
           " runs, limit %.2f\n  %-24s",
           stations, runs, alpha, "");
    for (size_t i = 0; i < METHODS; i++) printf("%16s", names[i]);
    printf("\n");
    bad += null_rows(&model, runs);
    for (uint32_t county = 0; county < 47;
         county += 23) { /* each draws from its own stations alone */
        struct assertion a = assertion_share(ASSERT_AT_LEAST, 0, 1, 4, county);
        model = one_assertion(&a, nation.batches, reported);
        printf(" a quarter in county %u, %zu stations\n", county + 1, model.sim.n);
        bad += null_rows(&model, runs);
    }
    struct assertion quarter = assertion_share(ASSERT_AT_LEAST, 0, 1, 4, AUDIT_EVERYWHERE);
    model = one_assertion(&quarter, 150, reported); /* 150 stations stand for each county */
    bad += spare_rows(&model, runs);
    printf("  ('!': the exact 99.9 %% interval lies above the limit)\n");
    free(reported);
    return bad != 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: bench_audit POPULATION.csv [times|table|nulls] [RUNS]\n");
        return 64;
    }
    const char *what = argc > 2 ? argv[2] : "times";
    uint64_t runs = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    double t = clock_seconds();
    read_population(argv[1]);
    printf("%zu stations read in %.1f ms\n", nation.batches, (clock_seconds() - t) * 1e3);
    if (strcmp(what, "table") == 0) error_table(runs ? runs : 200);
    if (strcmp(what, "nulls") == 0) return null_table(runs ? runs : 20000, 3000);
    if (strcmp(what, "times") != 0) return 0;
    struct audit_rule majority_only = {.winners = 1, .majority = true};
    struct audit_rule both = {.winners = 1, .majority = true, .regions = 24, .p = 1, .q = 4};
    time_audit("majority", &majority_only);
    time_audit("majority and 24 counties", &both);
    time_rounds("1,000 bootstrap rounds, one assertion", &majority_only);
    time_rounds("1,000 bootstrap rounds, 25 assertions", &both);
    time_tickets();
    return 0;
}
