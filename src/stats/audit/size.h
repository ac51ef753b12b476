/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How much must be counted: sizes of a first round, and of later rounds by resampling what was
 * found. Estimates only: they plan work and decide nothing. */
#ifndef STATS_AUDIT_SIZE_H
#define STATS_AUDIT_SIZE_H

#include "base/rng.h"
#include "stats/audit/risk.h"

/* Clean draws that bring p to alpha when the error bounds exceed the null total by the share v (the
 * diluted margin: sum R = T (1 + v)): the smallest n whose martingale reaches 1/alpha, drawing with
 * replacement (without, it is never larger). v > 0, 0 < alpha < 1. UINT64_MAX past 10^9. */
uint64_t audit_size_clean(enum bet_method method, double v, double alpha);
/* Diluted margin of an assertion: (sum R - T) / T over its region, as reported. */
double audit_diluted_margin(const struct assertion *a, const struct audit_contest *c);
/* What a clean audit takes along the actual order of draws. `length`: how far the sequence is read
 * until every assertion is confirmed; `retrieved`: the batches fetched for that, when a draw is
 * passed over whose region's assertions, and those everywhere, are confirmed already. */
struct size_along {
    uint64_t length, retrieved, ballots;
    bool done; /* false: the given draws do not suffice, and the figures are for all of them */
};
MUST_USE err audit_size_along(const struct audit_contest *c, const struct assertion *a, size_t n,
                              const struct audit_sample *draws, enum bet_method method,
                              double alpha, struct arena *scratch, struct size_along *out,
                              struct fail *f);

/* Later rounds: each replicate goes on from what was counted, along the seed's own order, giving
 * every further batch the A/R of a counted draw picked at random. */
struct size_rounds {
    const struct audit_contest *c;
    const struct assertion *a;
    size_t n;
    const struct audit_sample *draws; /* without replacement, order known, longer than the counts */
    const struct audit_hand *h;
    enum bet_method method;
    double alpha;
    uint64_t seed; /* replicate r uses the stream (seed, r) */
};
/* Replicates from..to-1: out[r - from] = draws needed in all, UINT64_MAX when the given draws do
 * not suffice. E_STATE when nothing is counted yet. Callers may split the range over threads. */
MUST_USE err audit_size_rounds(const struct size_rounds *s, uint64_t from, uint64_t to,
                               struct arena *scratch, uint64_t *out, struct fail *f);
/* The value below which a share q of the (sorted here) values lies. */
uint64_t audit_quantile(uint64_t *values, size_t n, double q);

/* Super-simple comparison (Stark 2010, Lindeman and Stark 2012): cards for o1, o2 overstatements of
 * one and two votes, u1, u2 understatements, at diluted margin v and inflation gamma > 1. */
uint64_t supersimple_size(double alpha, double gamma, double v, double o1, double o2, double u1,
                          double u2);
/* The same from rates: one-vote rates are rounded up to whole cards, two-vote rates to the nearest.
 */
uint64_t supersimple_size_from_rates(double alpha, double gamma, double v, double r1, double r2,
                                     double s1, double s2);

#endif
