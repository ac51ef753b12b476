/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Anytime confidence bound: what a sample of hand counts shows besides confirming the outcome.
 *
 * The smallest value that the test does not reject at alpha, on the same draws and weights. Valid
 * at any stopping time, for methods whose p cannot rise when x does (mixture, Kaplan-Markov,
 * Kaplan-Wald). Over several losers only the smallest bound holds jointly at 1 - alpha. */
#ifndef STATS_AUDIT_BOUND_H
#define STATS_AUDIT_BOUND_H

#include "stats/audit/risk.h"

/* For ASSERT_BEATS: a lower bound of winner's votes minus loser's, a whole number in *out. For a
 * share above or at least: of the winner's share of the valid votes; below or at most: of the share
 * of all others together. E_USAGE for other methods. */
MUST_USE err audit_lower_bound(const struct audit_contest *c, const struct assertion *a,
                               const struct audit_sample *sample, const struct audit_hand *h,
                               enum bet_method method, double alpha, struct arena *scratch,
                               double *out, struct fail *f);

#endif
