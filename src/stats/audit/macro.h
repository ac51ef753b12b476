/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* MACRO as Arlo computes it, to re-check audits that were run that way: one p for the contest from
 * the largest relative error of each draw, sampling with replacement.
 *
 * p = prod (1 - 1/U) / (1 - taint), taint = max(0, largest relative overstatement) / u_g, u_g the
 * largest possible one, U = sum of u_g. Source: Stark, "Auditing a collection of races
 * simultaneously" (2009). Unlike Arlo a full count is never taken as p = 0 by itself. */
#ifndef STATS_AUDIT_MACRO_H
#define STATS_AUDIT_MACRO_H

#include "stats/audit/assorter.h"

/* u_g for every batch into u[batches] (the largest R_g / margin over the assertions whose region
 * holds it), u_g / U into share[batches] (NULL if not wanted), U into *sum. E_AUDIT_OUTCOME when a
 * margin is not positive. */
MUST_USE err macro_bounds(const struct audit_contest *c, const struct assertion *a, size_t n,
                          double *u, double *share, double *sum, struct arena *scratch,
                          struct fail *f);
/* Taint of batch g: the largest relative overstatement of votes `counted` against votes `reported`
 * over the assertions, signed, over u_g = `u`. */
double macro_taint(const struct audit_contest *c, const struct assertion *a, size_t n,
                   const int64_t *margins, size_t g, const uint64_t *reported,
                   const uint64_t *counted, double u);
/* p from taints (clamped at >= 0) and U; 1 when a taint is 1 or more. */
double macro_p(const double *taints, size_t n, double u);
/* Clean draws that bring p to alpha or below: ceil(ln alpha / ln(1 - 1/U)). */
uint64_t macro_size(double u, double alpha);

#endif
