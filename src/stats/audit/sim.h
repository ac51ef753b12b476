/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Simulated audits of one assertion: how often a false outcome would be confirmed, and how much a
 * true one costs under errors. Seeded; callers split the runs over threads.
 *
 * Draws are made with the weights of the audit, without replacement, by a simulation's generator.
 */
#ifndef STATS_AUDIT_SIM_H
#define STATS_AUDIT_SIM_H

#include "base/arena.h"
#include "base/rng.h"
#include "stats/audit/martingale.h"

/* One assertion over n batches. Borrowed. */
struct sim {
    size_t n;
    const uint64_t *weight; /* [n] */
    const uint64_t *below;  /* [n] running sums of weight */
    const int64_t *value;   /* [n] A as hands would count it */
    int64_t null_total;     /* T */
    double unit;            /* x = A * unit / w, at most 1 for clean batches */
};
/* One simulated sequence. visit() gets x and its null mean draw by draw and says false to stop;
 * after the last batch it is told no more. seen[n] is scratch. Returns the draws made. */
typedef bool sim_visit(void *ctx, double x, double mu);
uint64_t sim_draw(const struct sim *s, struct rng *r, uint64_t most, uint8_t *seen,
                  sim_visit *visit, void *ctx);
/* The same for several methods side by side on the same draws: stop[i] gets the draws until p of
 * method i was alpha or less, UINT64_MAX if that did not happen within `most`. */
void sim_run(const struct sim *s, const enum bet_method *methods, size_t count, double alpha,
             struct rng *r, uint64_t most, uint8_t *seen, uint64_t *stop);

/* Values that make the outcome wrong by nothing (sum A = T), from reported bounds R. `out` and
 * `bound` [n]; sum of bound > null_total. */
enum sim_null {
    NULL_WHOLE, /* the fewest batches picked at random whose whole A is 0 */
    NULL_VOTES, /* one vote at a time, batch after batch in random order */
    NULL_TAINT, /* the same share of R in every batch */
    NULL_LOST,  /* 0.1 % of boxes lost, the rest one vote at a time */
};
void sim_make_null(enum sim_null kind, const int64_t *bound, size_t n, int64_t null_total,
                   struct rng *r, int64_t *out);
/* A with errors of counting: +-`votes` in `share` of the batches, `lost` of them gone. */
void sim_make_errors(const int64_t *bound, size_t n, double share, int64_t votes, double lost,
                     struct rng *r, int64_t *out);

/* P(X >= k) for X ~ Binomial(n, p), exact sum. The exact (Clopper-Pearson) interval at level c of a
 * rate k/n lies above p exactly when this is below (1 - c)/2. */
double binomial_at_least(uint64_t n, uint64_t k, double p);

#endif
