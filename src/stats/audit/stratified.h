/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Several strata that draw separately (counties with their own dice), one assertion over all.
 *
 * The null says only that the strata's sums add up to T at most, so the evidence is the smallest
 * product of the strata's martingales over every division of T: E = min over {sum t_k = T} of
 * prod M_k(t_k). With the mixture, ln M_k is convex and falling in t_k: nested bisection of a
 * common slope. p = 1 / max of E over joint times, never a product of the strata's own maxima. */
#ifndef STATS_AUDIT_STRATIFIED_H
#define STATS_AUDIT_STRATIFIED_H

#include <stddef.h>

enum { STRATA_MAX = 512 };

struct stratum_draw {
    double value, weight; /* A as counted, w of the batch drawn */
};
struct stratum {
    double weight; /* sum of w over the stratum */
    double most;   /* the largest sum of A that it can have */
    const struct stratum_draw *draw;
    size_t draws; /* made so far at this joint time */
};

/* ln M of the mixture (comparison bets) if the stratum's null total were t; +infinity where t is
 * less than what was found already. *slope (may be NULL) gets its derivative. */
double stratum_log(const struct stratum *s, double t, double *slope);
/* ln E for null total T at one joint time. share[n] (may be NULL) gets the division of T that
 * attains it. +infinity: no division is possible. At most STRATA_MAX strata (-infinity, so p = 1,
 * past that). */
double stratified_log(const struct stratum *s, size_t n, double null_total, double *share);

#endif
