/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit plan, size: what an audit will cost, before the first round and between rounds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include "base/file.h"
#include "base/json_out.h"
#include "cli/audit_common.h"
#include "cli/audit_svg.h"
#include "stats/audit/sample.h"
#include "stats/audit/size.h"

/* A seed that stands in for the dice: planning only. */
static const char rehearsal[] = "00000000000000000000";
enum { MARGINS = 25, LIMITS = 4, ROUNDS = 1000, DRAWS_MAX = 1000000 };
static const double limits[LIMITS] = {0.01, 0.02, 0.05, 0.10};

struct cost {
    double seconds_per_ballot, minutes_per_station, people;
};
static double person_hours(const struct cost *c, double stations, double ballots) {
    return c->people *
           (stations * c->minutes_per_station / 60 + ballots * c->seconds_per_ballot / 3600);
}

struct planned {
    double limit;
    struct size_along along;
};

struct plan {
    struct audit_case c;
    struct cost cost;
    uint64_t ballots; /* in all */
    size_t tightest;  /* the assertion with the smallest diluted margin */
    double v;         /* its diluted margin */
    struct planned at[LIMITS];
};

/* Draws along the stand-in seed, enough for every risk limit or all there are. */
static MUST_USE err stand_in(struct audit_case *c, const char *seed, size_t n,
                             struct audit_sample *s, struct fail *f) {
    uint32_t *draws;
    uint64_t *weight;
    size_t drawn;
    TRY(audit_case_draw(c, SAMPLER_INTEGER, span_text(seed), false, n, &draws, &drawn, f));
    TRY(audit_case_weights(c, SAMPLER_INTEGER, &weight, f));
    *s = (struct audit_sample){weight, draws, drawn, false, true};
    return OK;
}

/* As many draws as a clean audit takes at this limit, from a guess of them upwards: a small region comes up
 * seldom, and then its assertion needs many draws of the whole. */
static MUST_USE err enough_draws(struct audit_case *c, const char *seed, size_t guess, double limit,
                                 struct audit_sample *s, struct size_along *along, struct fail *f) {
    size_t all = c->batches.contest.batches;
    for (size_t n = guess;; n = 4 * n) {
        if (n > all) n = all;
        TRY(stand_in(c, seed, n, s, f));
        TRY(audit_size_along(&c->batches.contest, c->assertion, c->assertions, s, BET_MIXTURE, limit, &c->arena,
                             along, f));
        if (along->done || n == all) return OK;
    }
}

static MUST_USE err make_plan(struct plan *p, struct fail *f) {
    const struct audit_contest *k = &p->c.batches.contest;
    p->v = INFINITY;
    for (size_t j = 0; j < p->c.assertions; j++) {
        double v = audit_diluted_margin(&p->c.assertion[j], k);
        if (v < p->v) p->v = v, p->tightest = j;
    }
    for (size_t g = 0; g < k->batches; g++) p->ballots += k->bound[g];
    uint64_t clean = audit_size_clean(BET_MIXTURE, p->v, limits[0]);
    size_t n = clean > DRAWS_MAX ? DRAWS_MAX : (size_t)clean * 4 + 200;
    struct audit_sample s;
    TRY(enough_draws(&p->c, rehearsal, n, limits[0], &s, &p->at[0].along, f));
    for (size_t i = 0; i < LIMITS; i++) {
        p->at[i].limit = limits[i];
        TRY(audit_size_along(k, p->c.assertion, p->c.assertions, &s, BET_MIXTURE, limits[i],
                             &p->c.arena, &p->at[i].along, f));
    }
    return OK;
}

/* Stations by diluted margin, one line a risk limit. */
static void draw_plan(struct buf *b, const struct plan *p) {
    double x[MARGINS], y[LIMITS][MARGINS];
    struct svg_line line[LIMITS];
    static const char *const name[LIMITS] = {"risk limit 1 %", "risk limit 2 %", "risk limit 5 %",
                                             "risk limit 10 %"};
    for (size_t i = 0; i < LIMITS; i++) {
        for (size_t m = 0; m < MARGINS; m++) {
            x[m] = 0.002 * pow(250, (double)m / (MARGINS - 1));
            uint64_t n = audit_size_clean(BET_MIXTURE, x[m], limits[i]);
            y[i][m] = fmin((double)n, (double)p->c.batches.contest.batches);
        }
        line[i] = (struct svg_line){name[i], x, y[i], MARGINS, false};
    }
    struct svg_plot plot = {.title = "Stations to count, if counts agree with the forms",
                            .x_title = "diluted margin (margin / ballots)",
                            .y_title = "stations",
                            .line = line,
                            .lines = LIMITS,
                            .log_x = true,
                            .log_y = true};
    svg_draw(b, &plot);
}

static void plan_json(struct buf *b, const struct plan *p, uint64_t stations) {
    char name[1024];
    struct json_out j = json_out(b);
    audit_case_name(&p->c, p->tightest, name, sizeof name);
    json_object(&j);
    json_ku64(&j, "stations", p->c.batches.listed);
    json_ku64(&j, "ballots", p->ballots);
    json_ku64(&j, "assertions", p->c.assertions);
    json_kstr(&j, "tightest", name);
    json_kdouble(&j, "diluted_margin", p->v);
    json_key(&j, "plans");
    json_array(&j);
    for (size_t i = 0; i < LIMITS; i++) {
        const struct size_along *a = &p->at[i].along;
        json_object(&j);
        json_kdouble(&j, "risk_limit", p->at[i].limit);
        json_kbool(&j, "full_count", !a->done);
        json_ku64(&j, "tightest_alone", audit_size_clean(BET_MIXTURE, p->v, p->at[i].limit));
        json_ku64(&j, "stations", a->retrieved);
        json_ku64(&j, "ballots", a->ballots);
        json_kdouble(&j, "person_hours",
                     person_hours(&p->cost, (double)a->retrieved, (double)a->ballots));
        json_object_end(&j);
    }
    json_array_end(&j);
    if (stations) {
        double low = 1e-6, high = 10;
        for (int i = 0; i < 100; i++) {
            double mid = sqrt(low * high);
            if (audit_size_clean(BET_MIXTURE, mid, 0.05) <= stations)
                high = mid;
            else
                low = mid;
        }
        json_key(&j, "what_stations_can_show");
        json_object(&j);
        json_ku64(&j, "stations", stations);
        json_kdouble(&j, "least_diluted_margin_at_5_percent", high);
        json_kbool(&j, "enough_here", high <= p->v);
        json_object_end(&j);
    }
    json_object_end(&j);
    buf_byte(b, '\n');
}

static void plan_text(struct buf *b, const struct plan *p, uint64_t stations) {
    char name[1024];
    audit_case_name(&p->c, p->tightest, name, sizeof name);
    buf_printf(b,
               "%zu stations, %" PRIu64
               " ballots, %zu assertions\nthe tightest: %s, diluted margin %.4f %%\n\n"
               "if hand counts agree with the forms (drawn with an example seed):\n"
               "  risk limit  stations    ballots  person-hours\n",
               p->c.batches.listed, p->ballots, p->c.assertions, name, 100 * p->v);
    for (size_t i = 0; i < LIMITS; i++) {
        const struct size_along *a = &p->at[i].along;
        buf_printf(b, "  %8.0f %%  %8" PRIu64 "  %9" PRIu64 "  %12.0f%s\n", 100 * p->at[i].limit,
                   a->retrieved, a->ballots,
                   person_hours(&p->cost, (double)a->retrieved, (double)a->ballots),
                   a->done ? "" : "  (not confirmed by then: count everything)");
    }
    if (stations) {
        uint64_t need = audit_size_clean(BET_MIXTURE, p->v, 0.05);
        buf_printf(b,
                   "\n%" PRIu64
                   " stations, drawn at random and all agreeing, %s at a risk limit of 5 %%"
                   " (about %" PRIu64 " are needed).\n",
                   stations,
                   stations >= need ? "can confirm the tightest assertion"
                                    : "cannot confirm the tightest assertion",
                   need);
    }
    buf_str(b, "\nStations that somebody chose, however many, bound nothing: only stations that "
               "dice drew\n"
               "after the list was committed show anything about those not counted.\n");
}

static MUST_USE err parse_cost(const char *text, struct cost *c, struct fail *f) {
    double v[3];
    char end;
    if (sscanf(text, "%lf,%lf,%lf%c", &v[0], &v[1], &v[2], &end) != 3 ||
        !(v[0] >= 0 && v[0] <= 3600) || !(v[1] >= 0 && v[1] <= 10000) ||
        !(v[2] >= 1 && v[2] <= 1000))
        return fail_set(f, E_USAGE,
                        "--cost takes SECONDS-A-BALLOT,MINUTES-A-STATION,PEOPLE, as in "
                        "4,90,4, not \"%.40s\"",
                        text);
    *c = (struct cost){v[0], v[1], v[2]};
    return OK;
}

int audit_cmd_plan(int argc, char **argv) {
    const char *batches = NULL, *svg = NULL, *cost = "4,90,4";
    uint64_t stations = 0, total = 0;
    bool as_json = false;
    struct audit_rule_options rule = {.winners = 1};
    const struct opt options[] = {
        {"--batches", OPT_TEXT, &batches, "B.csv", "the batches as reported"},
        AUDIT_RULE_OPTIONS(rule),
        {"--total-ballots", OPT_U64, &total, "N", "ballots cast, where the batches do not say"},
        {"--cost", OPT_TEXT, &cost, "S,M,P",
         "seconds a ballot, minutes a station, people a team (4,90,4)"},
        {"--stations", OPT_U64, &stations, "N", "say what this many stations can and cannot show"},
        {"--svg", OPT_TEXT, &svg, "FILE", "write a plot: stations by margin and risk limit"},
        {"--json", OPT_FLAG, &as_json, NULL, "print JSON"},
    };
    const struct usage u = {
        "audit plan --batches B.csv [--majority] [--regions 24:1/4] [--svg FILE]",
        "Says what a risk-limiting audit of the reported outcome will take, by risk limit:\n"
        "stations, ballots and person-hours, if hand counts agree with the forms.",
        options,
        sizeof options / sizeof *options,
        0,
        0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct plan p = {0};
    struct buf out, plot;
    buf_init(&out, 1 << 24);
    buf_init(&plot, 1 << 24);
    err e = parse_cost(cost, &p.cost, &f);
    if (e == OK) e = audit_case_open(batches, total, &rule, &p.c, &f);
    if (e == OK) e = make_plan(&p, &f);
    if (e == OK && svg) {
        draw_plan(&plot, &p);
        e = file_write_atomic(svg, buf_view(&plot), &f);
    }
    if (e == OK && as_json)
        plan_json(&out, &p, stations);
    else if (e == OK)
        plan_text(&out, &p, stations);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("audit plan", &f);
    buf_release(&out);
    buf_release(&plot);
    audit_case_release(&p.c);
    return code;
}

/* ---- size ---- */

struct sizing {
    const char *batches, *sample, *seed, *limit;
    uint64_t total;
    bool as_json;
    struct audit_rule_options rule;
    struct audit_case c;
    struct size_along along;
    uint64_t quantile[3]; /* of later rounds: 50, 80, 90 % */
    uint64_t counted;
    double alpha;
};

static MUST_USE err later_rounds(struct sizing *s, const struct audit_sample *draws,
                                 struct fail *f) {
    const struct audit_contest *k = &s->c.batches.contest;
    struct audit_rows rows;
    TRY(audit_rows_read(s->sample, NULL, &s->c.batches, &rows, f));
    uint8_t *state = arena_alloc(&s->c.arena, k->batches);
    uint64_t *votes = arena_array(&s->c.arena, k->batches, k->choices * sizeof *votes);
    uint64_t *out = arena_array(&s->c.arena, ROUNDS, sizeof *out);
    if (!state || !votes || !out) return fail_set(f, E_MEMORY, "no memory for an estimate");
    for (size_t i = 0; i < rows.n; i++) {
        const struct audit_row *r = &rows.row[i];
        if (r->tickets == 0 || r->state == AUDIT_UNCOUNTED) continue;
        state[r->batch] = r->state;
        memcpy(votes + r->batch * k->choices, r->votes, k->choices * sizeof *votes);
        s->counted++;
    }
    struct audit_hand h = {.state = state, .votes = votes};
    struct size_rounds rounds = {k,  s->c.assertion, s->c.assertions, draws,
                                 &h, BET_MIXTURE,    s->alpha,        1};
    TRY(audit_size_rounds(&rounds, 0, ROUNDS, &s->c.arena, out, f));
    static const double q[3] = {0.5, 0.8, 0.9};
    for (size_t i = 0; i < 3; i++) s->quantile[i] = audit_quantile(out, ROUNDS, q[i]);
    return OK;
}

static MUST_USE err size_all(struct sizing *s, struct fail *f) {
    TRY(audit_limit_parse(s->limit, &s->alpha, f));
    TRY(audit_case_open(s->batches, s->total, &s->rule, &s->c, f));
    struct audit_sample draws;
    size_t n = s->c.batches.contest.batches < DRAWS_MAX ? s->c.batches.contest.batches : DRAWS_MAX;
    double v = INFINITY;
    for (size_t j = 0; j < s->c.assertions; j++)
        v = fmin(v, audit_diluted_margin(&s->c.assertion[j], &s->c.batches.contest));
    uint64_t clean = audit_size_clean(BET_MIXTURE, v, s->alpha);
    if (clean < n / 12) n = (size_t)clean * 12 + 200 < n ? (size_t)clean * 12 + 200 : n;
    TRY(enough_draws(&s->c, s->seed ? s->seed : rehearsal, n, s->alpha, &draws, &s->along, f));
    if (!s->sample) return OK;
    if (!s->seed)
        return fail_set(f, E_USAGE, "a later round follows the seed's own order: give --seed");
    return later_rounds(s, &draws, f);
}

static void size_json(struct buf *b, const struct sizing *s) {
    struct json_out j = json_out(b);
    json_object(&j);
    json_kdouble(&j, "risk_limit", s->alpha);
    json_kstr(&j, "seed", s->seed ? "given" : "example");
    json_key(&j, "assertions");
    json_array(&j);
    for (size_t i = 0; i < s->c.assertions; i++) {
        char name[1024];
        double v = audit_diluted_margin(&s->c.assertion[i], &s->c.batches.contest);
        audit_case_name(&s->c, i, name, sizeof name);
        json_object(&j);
        json_kstr(&j, "name", name);
        json_kdouble(&j, "diluted_margin", v);
        json_ku64(&j, "clean_draws", audit_size_clean(BET_MIXTURE, v, s->alpha));
        json_object_end(&j);
    }
    json_array_end(&j);
    json_key(&j, "clean");
    json_object(&j);
    json_kbool(&j, "enough", s->along.done);
    json_ku64(&j, "draws", s->along.length);
    json_ku64(&j, "stations", s->along.retrieved);
    json_ku64(&j, "ballots", s->along.ballots);
    json_object_end(&j);
    if (s->sample) {
        static const char *const keys[3] = {"50", "80", "90"};
        json_ku64(&j, "counted", s->counted);
        json_key(&j, "draws_in_all_by_percent_of_replicates");
        json_object(&j);
        for (size_t i = 0; i < 3; i++) {
            json_key(&j, keys[i]);
            if (s->quantile[i] == UINT64_MAX)
                json_null(&j);
            else
                json_u64(&j, s->quantile[i]);
        }
        json_object_end(&j);
    }
    json_object_end(&j);
    buf_byte(b, '\n');
}

static void size_text(struct buf *b, const struct sizing *s) {
    buf_printf(b,
               "a clean audit at a risk limit of %g: %" PRIu64 " stations (%" PRIu64
               " ballots), reading the seed for %" PRIu64 " draws%s\n",
               s->alpha, s->along.retrieved, s->along.ballots, s->along.length,
               s->along.done ? "" : "; not confirmed by then");
    if (!s->sample) return;
    static const int percent[3] = {50, 80, 90};
    buf_printf(b, "%" PRIu64 " stations are counted; going on like that, draws in all:\n",
               s->counted);
    for (size_t i = 0; i < 3; i++) {
        buf_printf(b, "  %d %% of %d replicates are confirmed by ", percent[i], ROUNDS);
        if (s->quantile[i] == UINT64_MAX)
            buf_str(b, "none of the draws looked at: plan a full count\n");
        else
            buf_printf(b, "%" PRIu64 " draws\n", s->quantile[i]);
    }
}

int audit_cmd_size(int argc, char **argv) {
    struct sizing s = {.limit = "0.05", .rule = {.winners = 1}};
    const struct opt options[] = {
        {"--batches", OPT_TEXT, &s.batches, "B.csv", "the batches as reported"},
        {"--sample", OPT_TEXT, &s.sample, "S.csv",
         "hand counts so far, for the size of the next round"},
        {"--seed", OPT_TEXT, &s.seed, "DIGITS", "the seed; without it an example seed stands in"},
        {"--risk-limit", OPT_TEXT, &s.limit, "0.05", "the risk limit"},
        AUDIT_RULE_OPTIONS(s.rule),
        {"--total-ballots", OPT_U64, &s.total, "N", "ballots cast, where the batches do not say"},
        {"--json", OPT_FLAG, &s.as_json, NULL, "print JSON"},
    };
    const struct usage u = {
        "audit size --batches B.csv [--sample S.csv --seed DIGITS] [--json]",
        "Estimates how many stations a round takes: the first from the margins, a later one\n"
        "by resampling what was found along the seed's own order. Estimates decide nothing.",
        options,
        sizeof options / sizeof *options,
        0,
        0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf out;
    buf_init(&out, 1 << 26);
    err e = size_all(&s, &f);
    if (e == OK && s.as_json)
        size_json(&out, &s);
    else if (e == OK)
        size_text(&out, &s);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("audit size", &f);
    buf_release(&out);
    audit_case_release(&s.c);
    return code;
}
