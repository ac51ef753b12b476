/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/bound.h"

#include <math.h>

struct bounds {
    const struct audit_contest *c;
    const struct assertion *a;
    const struct audit_sample *s;
    const struct audit_hand *h;
    struct audit_region_sums sums;
    enum bet_method method;
    double alpha;
};

/* A of a batch under a hypothesis: the assorter itself for votes (the hypothesis moves T), and
 * w + theta*(b - V) for a share. */
static double value_at(const struct bounds *b, size_t g, double theta) {
    if (b->a->kind == ASSERT_BEATS) return (double)audit_value(b->a, b->c, b->h, g);
    if (b->h->state[g] == AUDIT_LOST) return 0;
    /* count = report + (hand - what it is compared with); for most batches that is the hand count
     */
    double won = 0, valid = 0;
    for (size_t j = 0; j < b->c->choices; j++) {
        double v = (double)b->h->votes[g * b->c->choices + j];
        if (b->h->against)
            v += (double)audit_votes(b->c, g)[j] - (double)b->h->against[g * b->c->choices + j];
        valid += v;
        if (j == b->a->winner) won = v;
    }
    bool others = b->a->kind == ASSERT_BELOW || b->a->kind == ASSERT_AT_MOST;
    if (others) won = valid - won;
    return fmax(won + theta * ((double)b->c->bound[g] - valid), 0);
}

/* The hypothesis "no more than at" is rejected: votes for ASSERT_BEATS, else a share. */
static bool rejects(const struct bounds *b, double at) {
    bool votes = b->a->kind == ASSERT_BEATS;
    double left = votes ? (double)b->sums.ballots + at : at * (double)b->sums.ballots;
    uint64_t weight = b->sums.weight, ballots = b->sums.ballots;
    double scale = (double)weight;
    if (left < 0) return true;
    struct bet bet = bet_comparison(b->method, 0.5);
    struct mart m;
    mart_init(&m, &bet);
    for (size_t i = 0; i < b->s->draws; i++) {
        uint32_t g = b->s->draw[i];
        if (!audit_holds(b->c, b->a->region, g)) continue;
        if (b->h->state[g] == AUDIT_UNCOUNTED) break;
        double v = value_at(b, g, at);
        mart_step(&m, v / (double)b->s->weight[g] * scale, left / (double)weight * scale);
        if (b->s->replacement) continue;
        left -= v;
        weight -= b->s->weight[g];
        ballots -= b->c->bound[g];
        if (left < 0) return true;
        if (left > (votes ? 2.0 : 1.0) * (double)ballots) mart_end(&m);
        if (mart_p(&m) <= b->alpha && b->s->order_known) return true;
    }
    return (b->s->order_known ? mart_p(&m) : mart_p_now(&m)) <= b->alpha;
}

err audit_lower_bound(const struct audit_contest *c, const struct assertion *a,
                      const struct audit_sample *sample, const struct audit_hand *h,
                      enum bet_method method, double alpha, struct arena *scratch, double *out,
                      struct fail *f) {
    if (!bet_is_monotone(method) || method == BET_MACRO)
        return fail_set(f, E_USAGE,
                        "a confidence bound needs the mixture, Kaplan-Markov or "
                        "Kaplan-Wald");
    size_t regions = c->regions ? c->regions : 1;
    struct audit_region_sums *all = arena_array(scratch, 1 + regions, sizeof *all);
    if (!all) return fail_set(f, E_MEMORY, "no memory for %zu regions", regions);
    audit_region_sums(c, sample->weight, h, all);
    struct bounds b = {c, a, sample, h, *audit_sums_of(a, all), method, alpha};
    bool votes = a->kind == ASSERT_BEATS;
    double low = votes ? -(double)b.sums.ballots - 1 : 0, high = votes ? (double)b.sums.ballots : 1;
    double step = votes ? 1 : 1e-7;
    /* low: rejected (or the least possible value); high: not rejected */
    if (!votes && !rejects(&b, low)) high = low;
    while (high - low > step) {
        double mid = votes ? floor((low + high) / 2) : (low + high) / 2;
        if (rejects(&b, mid))
            low = mid;
        else
            high = mid;
    }
    *out = votes ? low + 1 : low;
    return OK;
}
