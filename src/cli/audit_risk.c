/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit risk: the risk of every assertion, given hand counts of a sample. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include "base/json_out.h"
#include "cli/audit_common.h"
#include "stats/audit/bound.h"
#include "stats/audit/macro.h"
#include "stats/audit/sample.h"

struct asked {
    const char *batches, *sample, *combined, *method, *limit, *seed, *sampler;
    uint64_t total;
    bool replacement, as_json;
    struct audit_rule_options rule;
};

struct method {
    const char *name;
    bool macro; /* one p for the contest from the largest error */
    enum bet_method bet;
};
static const struct method methods[] = {
    {"mixture", false, BET_MIXTURE},
    {"macro", true, BET_KAPLAN_MARKOV},
    {"alpha", false, BET_ALPHA},
    {"agrapa", false, BET_AGRAPA},
    {"kelly", false, BET_KELLY},
    {"wald", false, BET_KAPLAN_WALD},
    {"kaplan-markov", false, BET_KAPLAN_MARKOV},
};

struct risk {
    struct asked a;
    struct audit_case c;
    struct audit_rows rows;
    struct audit_hand hand;
    struct audit_sample sample;
    enum audit_sampler_kind sampler;
    const struct method *method;
    double limit;
    struct assertion_risk *each;
    double *bound; /* per assertion; NaN: this method has none */
    double p, u;   /* u: of MACRO, else NaN */
    double beside; /* p of the mixture beside MACRO's, and of MACRO beside others; NaN */
    uint64_t distinct;
};

static MUST_USE err find_method(const char *name, const struct method **out, struct fail *f) {
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(name, methods[i].name) == 0) {
            *out = &methods[i];
            return OK;
        }
    return fail_set(f, E_USAGE,
                    "there is no method \"%.40s\": mixture, macro, alpha, agrapa, kelly, "
                    "wald or kaplan-markov",
                    name);
}

/* ---- the hand counts and the order of draws ---- */

static MUST_USE err spread_counts(struct risk *r, struct fail *f) {
    const struct audit_contest *c = &r->c.batches.contest;
    uint8_t *state = arena_alloc(&r->c.arena, c->batches);
    uint64_t *votes = arena_array(&r->c.arena, c->batches, c->choices * sizeof *votes);
    uint64_t *against = arena_array(&r->c.arena, c->batches, c->choices * sizeof *against);
    if (!state || !votes || !against) return fail_set(f, E_MEMORY, "no memory for hand counts");
    size_t bytes = c->choices * sizeof *votes;
    for (size_t g = 0; g < c->batches; g++) {
        const struct audit_row *row =
            r->rows.row_of[g] ? &r->rows.row[r->rows.row_of[g] - 1] : NULL;
        if (row) state[g] = row->state;
        if (row) memcpy(votes + g * c->choices, row->votes, bytes);
        memcpy(against + g * c->choices, row ? row->against : audit_votes(c, g), bytes);
    }
    r->hand = (struct audit_hand){state, votes, against};
    return OK;
}

/* The draws are exactly the rows with tickets, as often as they have tickets. */
static bool explains(const struct risk *r, const uint32_t *draws, size_t n, uint32_t *times) {
    memset(times, 0, r->rows.n * sizeof *times);
    for (size_t i = 0; i < n; i++) {
        uint32_t row = r->rows.row_of[draws[i]];
        if (row == 0) return false;
        times[row - 1]++;
    }
    for (size_t i = 0; i < r->rows.n; i++)
        if (times[i] != r->rows.row[i].tickets) return false;
    return true;
}

/* The first draw that the sample does not show, for the sentence. */
static MUST_USE err not_reproduced(struct risk *r, enum audit_sampler_kind kind, struct fail *f) {
    uint32_t *draws;
    size_t n;
    TRY(audit_case_draw(&r->c, kind, span_text(r->a.seed), r->rows.repeated,
                        (size_t)r->rows.tickets, &draws, &n, f));
    for (size_t i = 0; i < n; i++) {
        uint32_t row = r->rows.row_of[draws[i]];
        if (row && r->rows.row[row - 1].tickets) continue;
        return fail_set(f, E_AUDIT_DRAW,
                        "the seed does not draw this sample: draw %zu (%s) is %s / %.*s, which the "
                        "sample does not show as drawn; check the seed, the batches and the rule",
                        i + 1, audit_sampler_names[kind],
                        audit_batch_jurisdiction(&r->c.batches, draws[i]),
                        SPAN_ARG(r->c.batches.name[draws[i]]));
    }
    return fail_set(f, E_AUDIT_DRAW,
                    "the seed does not draw this sample: it has batches, or tickets, that the seed "
                    "does not draw; check the seed, the batches and the rule");
}

static MUST_USE err order_from_seed(struct risk *r, struct fail *f) {
    uint32_t *times = arena_array(&r->c.arena, r->rows.n + 1, sizeof *times), *draws;
    if (!times) return fail_set(f, E_MEMORY, "no memory for the order of draws");
    enum audit_sampler_kind only = SAMPLER_ARLO;
    if (r->a.sampler) TRY(audit_sampler_by_name(r->a.sampler, &only, f));
    for (int k = SAMPLER_ARLO; k <= SAMPLER_CONSISTENT; k++) {
        if (r->a.sampler && k != (int)only) continue;
        for (int put_back = 0; put_back < 2; put_back++) {
            bool always = k == SAMPLER_ARLO, back = put_back == 1;
            if ((always && !back) || (!back && (r->rows.repeated || r->a.replacement))) continue;
            size_t n;
            TRY(audit_case_draw(&r->c, (enum audit_sampler_kind)k, span_text(r->a.seed), back,
                                (size_t)r->rows.tickets, &draws, &n, f));
            if (n != r->rows.tickets || !explains(r, draws, n, times)) continue;
            r->sampler = (enum audit_sampler_kind)k;
            r->sample = (struct audit_sample){
                .draw = draws, .draws = n, .replacement = back, .order_known = true};
            return audit_case_weights(&r->c, r->sampler, (uint64_t **)&r->sample.weight, f);
        }
    }
    return not_reproduced(r,
                          r->a.sampler       ? only
                          : r->rows.repeated ? SAMPLER_ARLO
                                             : SAMPLER_INTEGER,
                          f);
}

/* Which part of a combined batch was drawn is not known without the seed: the one for which the
 * difference found weighs most against the outcome. */
static uint32_t worst_part(const struct risk *r, size_t row, const uint64_t *weight) {
    const struct audit_row *at = &r->rows.row[row];
    const struct audit_contest *c = &r->c.batches.contest;
    bool against_it = at->state == AUDIT_LOST;
    for (size_t j = 0; j < r->c.assertions && !against_it; j++)
        against_it = assertion_change(&r->c.assertion[j], at->against, at->votes, c->choices) < 0;
    uint32_t best = at->batch;
    for (size_t g = 0; at->group && g < c->batches; g++) {
        if (r->rows.row_of[g] != row + 1 || weight[g] == 0) continue;
        if (weight[best] == 0 || (against_it ? weight[g] < weight[best] : weight[g] > weight[best]))
            best = (uint32_t)g;
    }
    return best;
}

static MUST_USE err order_unknown(struct risk *r, struct fail *f) {
    r->sampler = SAMPLER_ARLO;
    if (r->a.sampler) TRY(audit_sampler_by_name(r->a.sampler, &r->sampler, f));
    TRY(audit_case_weights(&r->c, r->sampler, (uint64_t **)&r->sample.weight, f));
    uint32_t *draws = arena_array(&r->c.arena, (size_t)r->rows.tickets, sizeof *draws);
    if (!draws) return fail_set(f, E_MEMORY, "no memory for %" PRIu64 " draws", r->rows.tickets);
    size_t n = 0;
    for (size_t i = 0; i < r->rows.n; i++) {
        const struct audit_row *row = &r->rows.row[i];
        if (row->tickets == 0) continue;
        if (row->state == AUDIT_UNCOUNTED)
            return fail_set(f, E_AUDIT_COUNT,
                            "line %" PRIu64
                            " of the sample was drawn and has no count: without the "
                            "seed every drawn batch must be counted",
                            row->line);
        uint32_t part = worst_part(r, i, r->sample.weight);
        for (uint32_t t = 0; t < row->tickets; t++) draws[n++] = part;
    }
    r->sample.draw = draws;
    r->sample.draws = n;
    r->sample.replacement = r->rows.repeated || r->a.replacement;
    return OK;
}

/* ---- risk ---- */

/* U as the draws need it: ballots that no draw can reach may hold part of the error. */
static double effective_u(const struct risk *r, const double *u, double sum) {
    const struct audit_batches *b = &r->c.batches;
    if (!b->bounds_given || b->listed == b->contest.batches) return sum;
    double out_of_reach = u[b->listed];
    return out_of_reach < 1 ? (sum - out_of_reach) / (1 - out_of_reach) : INFINITY;
}

static MUST_USE err macro_risk(struct risk *r, double *p, double *u_out, struct fail *f) {
    const struct audit_contest *c = &r->c.batches.contest;
    struct arena *mem = &r->c.arena;
    size_t n = r->c.assertions, draws = r->sample.draws;
    double *u = arena_array(mem, c->batches, sizeof *u), sum;
    double *taint = arena_array(mem, draws, sizeof *taint);
    int64_t *margin = arena_array(mem, n, sizeof *margin);
    if (!u || !taint || !margin) return fail_set(f, E_MEMORY, "no memory for MACRO");
    TRY(macro_bounds(c, r->c.assertion, n, u, NULL, &sum, mem, f));
    *u_out = sum = effective_u(r, u, sum);
    for (size_t j = 0; j < n; j++) margin[j] = assertion_margin(&r->c.assertion[j], c);
    *p = 1;
    double log_p = 0, each = sum > 1 ? log1p(-1 / sum) : -INFINITY;
    for (size_t i = 0; i < draws; i++) {
        uint32_t g = r->sample.draw[i];
        if (r->hand.state[g] == AUDIT_UNCOUNTED) break;
        double t = 1;
        if (r->hand.state[g] == AUDIT_COUNTED)
            t = macro_taint(c, r->c.assertion, n, margin, g, r->hand.against + g * c->choices,
                            r->hand.votes + g * c->choices, u[g]);
        taint[i] = t;
        log_p += t < 1 ? each - log1p(-fmax(t, 0)) : INFINITY;
        if (r->sample.order_known) *p = fmin(*p, exp(log_p));
    }
    if (!r->sample.order_known) *p = macro_p(taint, draws, sum);
    return OK;
}

static MUST_USE err contest_p(struct risk *r, const struct method *m, struct assertion_risk *each,
                              double *p, double *u, struct fail *f) {
    struct audit_sample s = r->sample;
    /* MACRO's own formula is the one with replacement, however the draws were made */
    if (m->macro || (m->bet == BET_KAPLAN_WALD && !s.order_known)) s.replacement = true;
    TRY(audit_risk(&r->c.batches.contest, r->c.assertion, r->c.assertions, &s, &r->hand, m->bet,
                   &r->c.arena, each, f));
    *u = NAN;
    double *all = arena_array(&r->c.arena, r->c.assertions, sizeof *all);
    if (!all) return fail_set(f, E_MEMORY, "no memory for assertions");
    for (size_t j = 0; j < r->c.assertions; j++) all[j] = each[j].p;
    *p = audit_joint_p(r->c.assertion, all, r->c.assertions);
    bool full = true;
    for (size_t j = 0; j < r->c.assertions; j++) full &= each[j].full_count;
    if (m->macro) {
        double q = 1;
        TRY(macro_risk(r, &q, u, f));
        if (!full) *p = q;
    }
    return OK;
}

static MUST_USE err lower_bounds(struct risk *r, struct fail *f) {
    r->bound = arena_array(&r->c.arena, r->c.assertions, sizeof *r->bound);
    if (!r->bound) return fail_set(f, E_MEMORY, "no memory for bounds");
    struct audit_sample s = r->sample;
    if (r->method->macro || (r->method->bet == BET_KAPLAN_WALD && !s.order_known))
        s.replacement = true;
    for (size_t j = 0; j < r->c.assertions; j++) {
        r->bound[j] = NAN;
        if (bet_is_monotone(r->method->bet))
            TRY(audit_lower_bound(&r->c.batches.contest, &r->c.assertion[j], &s, &r->hand,
                                  r->method->bet, r->limit, &r->c.arena, &r->bound[j], f));
    }
    return OK;
}

static MUST_USE err compute(struct risk *r, struct fail *f) {
    TRY(find_method(r->a.method, &r->method, f));
    TRY(audit_limit_parse(r->a.limit, &r->limit, f));
    TRY(audit_case_open(r->a.batches, r->a.total, &r->a.rule, &r->c, f));
    if (!r->a.sample) return fail_set(f, E_USAGE, "--sample FILE is needed: what hands counted");
    TRY(audit_rows_read(r->a.sample, r->a.combined, &r->c.batches, &r->rows, f));
    if (r->rows.tickets == 0)
        return fail_set(f, E_AUDIT_DRAW, "%s: no row has a ticket number: nothing was drawn",
                        r->a.sample);
    TRY(spread_counts(r, f));
    if (r->a.seed)
        TRY(order_from_seed(r, f));
    else
        TRY(order_unknown(r, f));
    for (size_t i = 0; i < r->rows.n; i++) r->distinct += r->rows.row[i].tickets > 0;
    r->each = arena_array(&r->c.arena, r->c.assertions, sizeof *r->each);
    struct assertion_risk *other = arena_array(&r->c.arena, r->c.assertions, sizeof *other);
    if (!r->each || !other) return fail_set(f, E_MEMORY, "no memory for assertions");
    TRY(contest_p(r, r->method, r->each, &r->p, &r->u, f));
    r->beside = NAN;
    double u;
    const struct method *beside = &methods[r->method->macro ? 0 : 1];
    if (contest_p(r, beside, other, &r->beside, &u, NULL) != OK) r->beside = NAN;
    return lower_bounds(r, f);
}

/* ---- output ---- */

/* p is a decimal that others compute to 1e-6. */
static bool confirmed(const struct risk *r) {
    return r->p + 1e-6 <= r->limit;
}

/* The smallest bound over the pairs: the one that holds jointly. */
static double joint_bound(const struct risk *r) {
    double least = NAN;
    for (size_t j = 0; j < r->c.assertions; j++)
        if (r->c.assertion[j].kind == r->c.assertion[0].kind &&
            r->c.assertion[j].region == r->c.assertion[0].region && !(r->bound[j] >= least))
            least = r->bound[j];
    return least;
}

static const char *bound_unit(const struct assertion *a) {
    if (a->kind == ASSERT_BEATS) return "votes";
    return a->kind == ASSERT_BELOW || a->kind == ASSERT_AT_MOST ? "share of all others" : "share";
}

static void json_bound(struct json_out *j, const struct assertion *a, double v) {
    json_key(j, "lower_bound");
    if (isnan(v))
        json_null(j);
    else if (a->kind == ASSERT_BEATS)
        json_i64(j, (int64_t)v);
    else
        json_double(j, v);
}

static void print_json(struct buf *b, const struct risk *r) {
    static const char *const kinds[] = {"beats", "share above", "share at least", "share below",
                                        "share at most"};
    struct json_out j = json_out(b);
    json_object(&j);
    json_kstr(&j, "method", r->method->name);
    json_kdouble(&j, "p_value", r->p);
    json_kdouble(&j, "risk_limit", r->limit);
    json_kbool(&j, "confirmed", confirmed(r));
    json_ku64(&j, "draws", r->rows.tickets);
    json_ku64(&j, "distinct_batches", r->distinct);
    json_kstr(&j, "sampler", audit_sampler_names[r->sampler]);
    json_kbool(&j, "replacement", r->sample.replacement);
    json_kbool(&j, "order_known", r->sample.order_known);
    if (r->a.seed) json_kbool(&j, "draws_reproduced", true);
    if (r->method->macro) json_kdouble(&j, "u", r->u);
    json_key(&j, "beside");
    json_object(&j);
    json_kdouble(&j, r->method->macro ? "mixture" : "macro", r->beside);
    json_object_end(&j);
    json_bound(&j, &r->c.assertion[0], joint_bound(r));
    json_key(&j, "assertions");
    json_array(&j);
    for (size_t i = 0; i < r->c.assertions; i++) {
        const struct assertion *a = &r->c.assertion[i];
        char name[1024];
        audit_case_name(&r->c, i, name, sizeof name);
        json_object(&j);
        json_kstr(&j, "name", name);
        json_kstr(&j, "kind", kinds[a->kind]);
        json_kdouble(&j, "p_value", r->each[i].p);
        json_ku64(&j, "draws", r->each[i].draws);
        json_kbool(&j, "waiting", r->each[i].waiting);
        json_kbool(&j, "full_count", r->each[i].full_count);
        json_bound(&j, a, r->bound[i]);
        json_kstr(&j, "lower_bound_unit", bound_unit(a));
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(b, '\n');
}

static void print_text(struct buf *b, const struct risk *r) {
    buf_printf(b,
               "%" PRIu64 " draws, %" PRIu64 " distinct batches, %s, %s replacement, order %s\n\n",
               r->rows.tickets, r->distinct, audit_sampler_names[r->sampler],
               r->sample.replacement ? "with" : "without",
               r->sample.order_known ? "reproduced from the seed" : "unknown (no seed)");
    for (size_t i = 0; i < r->c.assertions; i++) {
        char name[1024];
        audit_case_name(&r->c, i, name, sizeof name);
        buf_printf(b, "  p %.9f  %s", r->each[i].p, name);
        if (!isnan(r->bound[i])) {
            bool votes = r->c.assertion[i].kind == ASSERT_BEATS;
            buf_printf(b, votes ? "; lower bound %.0f %s" : "; lower bound %.6f, %s", r->bound[i],
                       bound_unit(&r->c.assertion[i]));
        }
        buf_byte(b, '\n');
    }
    if (r->method->macro) buf_printf(b, "\nU = %.14f", r->u);
    buf_printf(b, "\np = %.9f (%s): %s at the risk limit %g\n", r->p, r->method->name,
               confirmed(r) ? "confirmed" : "not confirmed", r->limit);
    if (!isnan(r->beside))
        buf_printf(b, "for comparison, which decides nothing: p = %.9f by %s\n", r->beside,
                   r->method->macro ? "the mixture" : "MACRO");
    if (confirmed(r))
        buf_printf(b,
                   "\nIf the reported outcome were wrong, the chance that this audit would have "
                   "gone on was at least %g %%,\nprovided the batches hold the ballots as cast and "
                   "none holds more than its bound.\n",
                   100 * (1 - r->limit));
}

int audit_cmd_risk(int argc, char **argv) {
    struct risk r = {.a = {.method = "mixture", .limit = "0.05", .rule = {.winners = 1}}};
    const struct opt options[] = {
        {"--batches", OPT_TEXT, &r.a.batches, "B.csv",
         "columns jurisdiction, batch, ballots, one per choice"},
        {"--sample", OPT_TEXT, &r.a.sample, "S.csv",
         "columns jurisdiction, batch, tickets, \"audit <choice>\""},
        {"--combined", OPT_TEXT, &r.a.combined, "C.csv",
         "columns jurisdiction, combined, part: batches counted together"},
        {"--method", OPT_TEXT, &r.a.method, "M",
         "mixture (default), macro, alpha, agrapa, kelly, wald"},
        {"--risk-limit", OPT_TEXT, &r.a.limit, "0.05", "the risk limit"},
        AUDIT_RULE_OPTIONS(r.a.rule),
        {"--seed", OPT_TEXT, &r.a.seed, "DIGITS",
         "the seed of the draws: gives their order, and checks the sample"},
        {"--sampler", OPT_TEXT, &r.a.sampler, "NAME",
         "how it was drawn, where it is not to be found out"},
        {"--total-ballots", OPT_U64, &r.a.total, "N", "ballots cast, where the batches do not say"},
        {"--with-replacement", OPT_FLAG, &r.a.replacement, NULL, "drawn batches went back"},
        {"--json", OPT_FLAG, &r.a.as_json, NULL, "print JSON"},
    };
    const struct usage u = {
        "audit risk --batches B.csv --sample S.csv --method M [--seed DIGITS] [--json]",
        "Computes the risk of every assertion of the reported outcome from hand counts of drawn\n"
        "batches. Rows whose tickets hold no number were counted without being drawn and do not\n"
        "enter. Without the seed the order of draws is unknown: mixture (with replacement), macro\n"
        "and wald only.",
        options,
        sizeof options / sizeof *options,
        0,
        0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct buf out;
    buf_init(&out, (size_t)1 << 30);
    err e = compute(&r, &f);
    if (e == OK && r.a.as_json)
        print_json(&out, &r);
    else if (e == OK)
        print_text(&out, &r);
    if (e == OK) e = buf_ok(&out, &f);
    code = e == OK ? cli_print(buf_view(&out)) : cli_fail("audit risk", &f);
    buf_release(&out);
    audit_case_release(&r.c);
    return code;
}
