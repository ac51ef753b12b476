/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit simulate: what errors of counting and lost boxes would cost, method by method. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include "base/json_out.h"
#include "cli/audit_common.h"
#include "stats/audit/sample.h"
#include "stats/audit/sim.h"
#include "stats/audit/size.h"

enum { METHODS = 7, RUNS_MAX = 100000 };
static const enum bet_method methods[METHODS] = {
    BET_MIXTURE, BET_KAPLAN_MARKOV, BET_MACRO, BET_KAPLAN_WALD, BET_ALPHA, BET_AGRAPA, BET_KELLY};
static const char *const names[METHODS] = {"mixture", "kaplan-markov", "macro", "wald",
                                           "alpha",   "agrapa",        "kelly"};

struct simulated {
    const char *batches, *limit, *share, *lost;
    uint64_t votes, runs, most, seed, total;
    bool as_json, null;
    struct audit_rule_options rule;
    struct audit_case c;
    double alpha, share_of, lost_of;
    size_t assertion; /* the tightest everywhere */
    uint64_t finished[METHODS], stations[METHODS];
};

static MUST_USE err parse_share(const char *name, const char *text, double *out, struct fail *f) {
    char end;
    if (sscanf(text, "%lf%c", out, &end) != 1 || !(*out >= 0 && *out <= 1))
        return fail_set(f, E_USAGE, "%s takes a share from 0 to 1, not \"%.40s\"", name, text);
    return OK;
}

/* The tightest assertion of the whole contest, over the batches in their order. */
static MUST_USE err make_sim(struct simulated *s, struct sim *sim, int64_t **reported,
                             struct fail *f) {
    const struct audit_contest *k = &s->c.batches.contest;
    double v = INFINITY;
    for (size_t j = 0; j < s->c.assertions; j++) {
        double mine = audit_diluted_margin(&s->c.assertion[j], k);
        if (s->c.assertion[j].region == AUDIT_EVERYWHERE && mine < v) v = mine, s->assertion = j;
    }
    if (isinf(v)) return fail_set(f, E_USAGE, "there is no assertion over all batches to simulate");
    const struct assertion *a = &s->c.assertion[s->assertion];
    uint64_t *w = arena_array(&s->c.arena, k->batches, sizeof *w), total;
    uint64_t *below = arena_array(&s->c.arena, k->batches, sizeof *below);
    *reported = arena_array(&s->c.arena, k->batches, sizeof **reported);
    if (!w || !below || !*reported) return fail_set(f, E_MEMORY, "no memory for a simulation");
    TRY(audit_weights(k, a, 1, w, &total, f));
    uint64_t sum = 0, ballots = 0;
    double most = 0;
    for (size_t g = 0; g < k->batches; g++) {
        (*reported)[g] = assertion_value(a, k->bound[g], audit_votes(k, g), k->choices);
        below[g] = sum += w[g];
        ballots += k->bound[g];
        if (w[g]) most = fmax(most, (double)(*reported)[g] / (double)w[g]);
    }
    *sim = (struct sim){k->batches, w, below, NULL, assertion_null(a, ballots), 1 / most};
    return OK;
}

static MUST_USE err run(struct simulated *s, struct fail *f) {
    TRY(audit_limit_parse(s->limit, &s->alpha, f));
    TRY(parse_share("--errors", s->share, &s->share_of, f));
    TRY(parse_share("--lost", s->lost, &s->lost_of, f));
    if (s->runs == 0 || s->runs > RUNS_MAX || s->votes > 100000)
        return fail_set(f, E_USAGE, "--runs is 1 to %d and --votes at most 100000", RUNS_MAX);
    TRY(audit_case_open(s->batches, s->total, &s->rule, &s->c, f));
    struct sim sim;
    int64_t *reported = NULL;
    TRY(make_sim(s, &sim, &reported, f));
    if (s->most == 0 || s->most > sim.n) s->most = sim.n;
    int64_t *value = arena_array(&s->c.arena, sim.n, sizeof *value);
    uint8_t *seen = arena_alloc(&s->c.arena, sim.n);
    if (!value || !seen) return fail_set(f, E_MEMORY, "no memory for a simulation");
    sim.value = value;
    for (uint64_t i = 0; i < s->runs; i++) {
        struct rng r;
        uint64_t stop[METHODS];
        rng_init_stream(&r, s->seed, i);
        if (s->null)
            sim_make_null(NULL_WHOLE, reported, sim.n, sim.null_total, &r, value);
        else
            sim_make_errors(reported, sim.n, s->share_of, (int64_t)s->votes, s->lost_of, &r, value);
        sim_run(&sim, methods, METHODS, s->alpha, &r, s->most, seen, stop);
        for (size_t m = 0; m < METHODS; m++) {
            s->finished[m] += stop[m] != UINT64_MAX;
            s->stations[m] += stop[m] != UINT64_MAX ? stop[m] : s->most;
        }
        cli_progress("simulate", i + 1, s->runs);
    }
    cli_progress_end();
    return OK;
}

static void print(struct buf *b, const struct simulated *s) {
    char name[1024];
    audit_case_name(&s->c, s->assertion, name, sizeof name);
    if (!s->as_json) {
        buf_printf(b,
                   "%s\n%" PRIu64 " runs, at most %" PRIu64 " stations, risk limit %g\n"
                   "  method         stations on average   share confirmed\n",
                   name, s->runs, s->most, s->alpha);
        for (size_t m = 0; m < METHODS; m++)
            buf_printf(b, "  %-14s %19.0f   %14.3f\n", names[m],
                       (double)s->stations[m] / (double)s->runs,
                       (double)s->finished[m] / (double)s->runs);
        return;
    }
    struct json_out j = json_out(b);
    json_object(&j);
    json_kstr(&j, "assertion", name);
    json_ku64(&j, "runs", s->runs);
    json_ku64(&j, "most_stations", s->most);
    json_kbool(&j, "outcome_false", s->null);
    json_key(&j, "methods");
    json_array(&j);
    for (size_t m = 0; m < METHODS; m++) {
        json_object(&j);
        json_kstr(&j, "method", names[m]);
        json_kdouble(&j, "mean_stations", (double)s->stations[m] / (double)s->runs);
        json_kdouble(&j, "confirmed", (double)s->finished[m] / (double)s->runs);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(b, '\n');
}

int audit_cmd_simulate(int argc, char **argv) {
    struct simulated s = {.limit = "0.05",
                          .share = "0",
                          .lost = "0",
                          .votes = 5,
                          .runs = 200,
                          .seed = 1,
                          .rule = {.winners = 1}};
    const struct opt options[] = {
        {"--batches", OPT_TEXT, &s.batches, "B.csv", "the batches as reported"},
        AUDIT_RULE_OPTIONS(s.rule),
        {"--risk-limit", OPT_TEXT, &s.limit, "0.05", "the risk limit"},
        {"--errors", OPT_TEXT, &s.share, "0.3", "share of stations whose hand count differs"},
        {"--votes", OPT_U64, &s.votes, "N", "by how many votes it differs, up or down (5)"},
        {"--lost", OPT_TEXT, &s.lost, "0.003", "share of boxes that cannot be produced"},
        {"--false-outcome", OPT_FLAG, &s.null, NULL,
         "hide enough wrong figures in boxes to make the outcome wrong"},
        {"--runs", OPT_U64, &s.runs, "N", "simulated audits (200)"},
        {"--most", OPT_U64, &s.most, "N", "stop at this many stations"},
        {"--random", OPT_U64, &s.seed, "N", "seed of the simulation (never of an audit)"},
        {"--total-ballots", OPT_U64, &s.total, "N", "ballots cast, where the batches do not say"},
        {"--json", OPT_FLAG, &s.as_json, NULL, "print JSON"},
    };
    const struct usage u = {
        "audit simulate --batches B.csv [--errors 0.3] [--lost 0.003] [--json]",
        "Simulates audits of the tightest assertion: stations counted and the share confirmed,\n"
        "by method, under errors of counting, lost boxes or a false outcome.",
        options,
        sizeof options / sizeof *options,
        0,
        0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf out;
    buf_init(&out, 1 << 20);
    err e = run(&s, &f);
    if (e == OK) print(&out, &s);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("audit simulate", &f);
    buf_release(&out);
    audit_case_release(&s.c);
    return code;
}
