/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit cards, strata: single ballot cards (polling, comparison, ONEAudit), and jurisdictions that
 * draw by themselves. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/csv.h"
#include "base/json_out.h"
#include "base/text.h"
#include "cli/audit_common.h"
#include "stats/audit/cards.h"
#include "stats/audit/martingale.h"
#include "stats/audit/sample.h"
#include "stats/audit/stratified.h"

/* --- cards --- */

struct cards_args {
    const char *sample, *share, *margin, *limit, *method;
    uint64_t total;
    bool json;
};

struct cards {
    double share, upper, margin, limit; /* margin: NaN unless it is a comparison */
    enum bet_method method;
    bool pooled, compared;
    size_t hand, reported, pool;
    uint64_t n, lost;
    double sum, mean;
    struct mart mart;
};

static err decimal(const char *text, double least, double most, const char *what, double *out, struct fail *f) {
    char *end;
    *out = strtod(text, &end);
    if (!*text || *end || !(*out > least && *out < most))
        return fail_set(f, E_USAGE, "%s is a number between %g and %g, not \"%.40s\"", what, least, most, text);
    return OK;
}

/* "1/2" */
static err share_of(const char *text, double *out, struct fail *f) {
    unsigned p, q;
    char rest;
    if (sscanf(text, "%u/%u%c", &p, &q, &rest) != 2 || p == 0 || p >= q || q > AUDIT_SHARE_MAX)
        return fail_set(f, E_USAGE, "--share is P/Q between 0 and 1, as 1/2, not \"%.40s\"", text);
    *out = (double)p / q;
    return OK;
}

static err method_of(const char *name, enum bet_method *out, struct fail *f) {
    static const struct {
        const char *name;
        enum bet_method method;
    } all[] = {{"mixture", BET_MIXTURE}, {"alpha", BET_ALPHA},          {"agrapa", BET_AGRAPA},
               {"wald", BET_KAPLAN_WALD}, {"kaplan-markov", BET_KAPLAN_MARKOV}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(name, all[i].name)) continue;
        *out = all[i].method;
        return OK;
    }
    return fail_set(f, E_USAGE, "--method is mixture, alpha, agrapa, wald or kaplan-markov for cards");
}

/* "winner", "loser", "none"; "lost" gives false. */
static err vote_of(const struct csv *c, size_t column, enum card_vote *out, bool *lost, struct fail *f) {
    static const char *const words[] = {"none", "winner", "loser", "lost"};
    struct span s = csv_field(c, column);
    for (unsigned i = 0; i < 4; i++) {
        if (!span_is(s, words[i])) continue;
        *lost = i == 3;
        *out = i == 3 ? CARD_LOSER : (enum card_vote)i;
        return OK;
    }
    return fail_set(f, E_CSV, "line %" PRIu64 ": a card is winner, loser, none or lost, not \"%.*s\"", csv_line(c),
                    SPAN_ARG(s));
}

static err one_card(struct cards *x, const struct csv *c, uint64_t total, struct fail *f) {
    enum card_vote hand, reported;
    bool lost, no_report;
    double value, mu, scale = 1;
    TRY(vote_of(c, x->hand, &hand, &lost, f));
    double seen = lost ? 0 : card_assort(hand, x->share);
    if (x->compared || x->pooled) {
        double claimed;
        if (x->pooled) {
            char text[40];
            (void)snprintf(text, sizeof text, "%.*s", SPAN_ARG(csv_field(c, x->pool)));
            TRY(decimal(text, -1e-9, x->upper + 1e-9, "a pool's mean", &claimed, f));
        } else {
            TRY(vote_of(c, x->reported, &reported, &no_report, f));
            claimed = no_report ? .5 : card_assort(reported, x->share);
        }
        value = card_overstatement(claimed - seen, x->margin, x->upper);
        scale = card_overstatement_upper(x->margin, x->upper);
    } else {
        value = seen;
        scale = x->upper;
    }
    if (total && x->n == total) return fail_set(f, E_RANGE, "more cards than --total");
    mu = card_null_mean(total, ++x->n, x->sum);
    if (x->n == 1) {
        struct bet b = x->compared && !x->pooled ? bet_comparison(x->method, mu / scale)
                                                 : bet_polling(x->method, mu / scale, (1 + x->margin) / 2 / scale, 1);
        mart_init(&x->mart, &b);
    }
    mart_step(&x->mart, value / scale, mu / scale);
    x->sum += value;
    x->lost += lost;
    return OK;
}

static err read_cards(const struct cards_args *a, struct cards *x, struct fail *f) {
    struct csv *c;
    bool more = true;
    if (!a->sample || !a->total)
        return fail_set(f, E_USAGE, "--sample FILE and --total N are needed: the cards in the order drawn, and how "
                                    "many there are in all");
    TRY(share_of(a->share, &x->share, f));
    TRY(audit_limit_parse(a->limit, &x->limit, f));
    TRY(method_of(a->method, &x->method, f));
    x->upper = card_upper(x->share);
    TRY(csv_open(a->sample, &c, f));
    err e = csv_column(c, "hand", &x->hand, f);
    x->pooled = csv_column(c, "pool", &x->pool, NULL) == OK;
    x->compared = !x->pooled && csv_column(c, "reported", &x->reported, NULL) == OK;
    x->margin = .1; /* polling: where the alternative is looked for first */
    if (e == OK && (x->pooled || x->compared) && !a->margin)
        e = fail_set(f, E_USAGE, "a comparison needs --margin: twice the reported mean of the assorter, minus 1");
    if (e == OK && a->margin) e = decimal(a->margin, 0, 2 * x->upper - 1 + 1e-9, "--margin", &x->margin, f);
    while (e == OK && (e = csv_next(c, &more, f)) == OK && more) e = one_card(x, c, a->total, f);
    csv_close(c);
    if (e == OK && x->n == 0) e = fail_set(f, E_CSV, "%s has no cards", a->sample);
    return e;
}

int audit_cmd_cards(int argc, char **argv) {
    struct cards_args a = {.share = "1/2", .limit = "0.05", .method = "mixture"};
    const struct opt options[] = {
        {"--sample", OPT_TEXT, &a.sample, "FILE", "CSV in the order drawn: hand, and reported or pool; winner, loser, none, lost"},
        {"--total", OPT_U64, &a.total, "N", "cards in all, from the list of ballots (drawn without replacement)"},
        {"--share", OPT_TEXT, &a.share, "P/Q", "the winner has more than this share of the valid votes (1/2; a plurality: of the two)"},
        {"--margin", OPT_TEXT, &a.margin, "V", "comparison and pools: twice the reported mean of the assorter, minus 1; polling: expected"},
        {"--method", OPT_TEXT, &a.method, "NAME", "mixture (the default), alpha, agrapa, wald, kaplan-markov"},
        {"--risk-limit", OPT_TEXT, &a.limit, "0.05", "the risk limit"},
        {"--json", OPT_FLAG, &a.json, NULL, "print JSON"},
    };
    const struct usage u = {
        "audit cards --sample FILE --total N [--share 1/2] [--margin V]",
        "The risk of one assertion from single ballot cards: polling where the file has hands' readings only,\n"
        "comparison where it has a column \"reported\", ONEAudit where it has \"pool\" (the mean of the reported\n"
        "assorter over the card's batch). A card that cannot be found is \"lost\" and counts against the winner.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct cards x = {0};
    struct buf b;
    err e = read_cards(&a, &x, &f);
    if (e != OK) return cli_fail("audit cards", &f);
    double p = mart_p(&x.mart);
    const char *kind = x.pooled ? "ONEAudit" : x.compared ? "comparison" : "polling";
    buf_init(&b, 4096);
    if (a.json) {
        struct json_out j = json_out(&b);
        json_object(&j);
        json_kstr(&j, "kind", kind);
        json_kdouble(&j, "p_value", p);
        json_ku64(&j, "cards", x.n);
        json_ku64(&j, "lost", x.lost);
        json_kdouble(&j, "mean", x.sum / (double)x.n);
        json_kbool(&j, "confirmed", p <= x.limit);
        json_object_end(&j);
        buf_byte(&b, '\n');
    } else {
        buf_printf(&b, "%s, %" PRIu64 " cards (%" PRIu64 " lost): p = %.6f, %s at %g\n", kind, x.n, x.lost, p,
                   p <= x.limit ? "confirmed" : "not confirmed", x.limit);
    }
    code = cli_print(buf_view(&b));
    buf_release(&b);
    return code;
}

/* --- strata --- */

struct strata_args {
    const char *batches, *sample, *limit;
    struct audit_rule_options rule;
};

/* p of one assertion over everything: at each joint time the strata's draws so far; the rows of the sample
 * are the times. */
static err stratified_p(struct audit_case *c, const struct audit_rows *rows, const struct assertion *a,
                        double *p, struct fail *f) {
    const struct audit_contest *k = &c->batches.contest;
    size_t n = k->regions ? k->regions : 1, drawn = 0;
    uint64_t *w = arena_array(&c->arena, k->batches, sizeof *w), total, ballots = 0;
    struct stratum *s = arena_array(&c->arena, n, sizeof *s);
    struct stratum_draw *all = arena_array(&c->arena, n * (rows->n + 1), sizeof *all);
    double best = 0;
    if (!w || !s || !all) return fail_set(f, E_MEMORY, "no memory for %zu strata", n);
    if (n > STRATA_MAX) return fail_set(f, E_RANGE, "more than %d strata", STRATA_MAX);
    TRY(audit_weights(k, a, 1, w, &total, f));
    for (size_t i = 0; i < n; i++) s[i].draw = all + i * (rows->n + 1);
    for (size_t g = 0; g < k->batches; g++) {
        struct stratum *to = &s[audit_region(k, g)];
        to->weight += (double)w[g];
        to->most += (double)assertion_most(a) * (double)k->bound[g];
        ballots += k->bound[g];
    }
    for (size_t i = 0; i < rows->n; i++) {
        const struct audit_row *r = &rows->row[i];
        if (r->tickets == 0) continue;
        if (r->state == AUDIT_UNCOUNTED) break;
        struct stratum *to = &s[audit_region(k, r->batch)];
        struct stratum_draw *d = all + audit_region(k, r->batch) * (rows->n + 1) + to->draws++;
        int64_t value = r->state == AUDIT_LOST ? 0 : assertion_value(a, k->bound[r->batch], r->votes, k->choices);
        *d = (struct stratum_draw){(double)value, (double)w[r->batch]};
        drawn++;
        double e = stratified_log(s, n, (double)assertion_null(a, ballots), NULL);
        if (e > best) best = e;
    }
    *p = drawn ? exp(-best) : 1;
    return OK;
}

static err print_strata(const struct strata_args *a, struct audit_case *c, struct buf *b, struct fail *f) {
    struct audit_rows rows;
    double limit, p = 1;
    bool all = true;
    TRY(audit_limit_parse(a->limit, &limit, f));
    TRY(audit_case_open(a->batches, 0, &a->rule, c, f));
    if (!a->sample) return fail_set(f, E_USAGE, "--sample FILE is needed: hand counts in the order in which they came");
    TRY(audit_rows_read(a->sample, NULL, &c->batches, &rows, f));
    if (rows.repeated) return fail_set(f, E_AUDIT_DRAW, "strata are drawn without replacement");
    for (size_t j = 0; j < c->assertions; j++) {
        char name[1024];
        if (c->assertion[j].region != AUDIT_EVERYWHERE)
            return fail_set(f, E_USAGE, "an assertion about one jurisdiction is no matter of several strata: 'audit risk'");
        TRY(stratified_p(c, &rows, &c->assertion[j], &p, f));
        audit_case_name(c, j, name, sizeof name);
        buf_printf(b, "p = %.6f  %s\n", p, name);
        all &= p <= limit;
    }
    buf_printf(b, "%s at %g, over %zu strata\n", all ? "confirmed" : "not confirmed", limit,
               c->batches.contest.regions);
    return buf_ok(b, f);
}

int audit_cmd_strata(int argc, char **argv) {
    struct strata_args a = {.limit = "0.05", .rule = {.winners = 1}};
    const struct opt options[] = {
        {"--batches", OPT_TEXT, &a.batches, "B.csv", "the committed batches; each jurisdiction draws by itself"},
        {"--sample", OPT_TEXT, &a.sample, "S.csv", "hand counts, in the order in which they became known"},
        {"--risk-limit", OPT_TEXT, &a.limit, "0.05", "the risk limit"},
        AUDIT_RULE_OPTIONS(a.rule),
    };
    const struct usage u = {
        "audit strata --batches B.csv --sample S.csv [--majority]",
        "The risk where jurisdictions draw separately, each with own dice, in proportion to error bounds: the\n"
        "smallest product of their martingales over every division of the null total, at every time.",
        options, sizeof options / sizeof *options, 0, 0};
    int nargs, code;
    if (!cli_parse(&u, argc, argv, &nargs, &code)) return code;
    struct fail f = {0};
    struct audit_case c = {0};
    struct buf b;
    buf_init(&b, 1 << 22);
    err e = print_strata(&a, &c, &b, &f);
    code = e == OK ? cli_print(buf_view(&b)) : cli_fail("audit strata", &f);
    buf_release(&b);
    audit_case_release(&c);
    return code;
}
