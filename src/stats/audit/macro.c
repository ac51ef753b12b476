/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/macro.h"

#include <math.h>

/* Largest R_g / margin over the assertions that concern batch g. */
static long double error_bound(const struct audit_contest *c, const struct assertion *a, size_t n,
                               const int64_t *margin, size_t g) {
    long double most = 0;
    for (size_t j = 0; j < n; j++) {
        if (!audit_holds(c, a[j].region, g)) continue;
        int64_t r = assertion_value(&a[j], c->bound[g], audit_votes(c, g), c->choices);
        long double u = (long double)r / (long double)margin[j];
        if (u > most) most = u;
    }
    return most;
}

err macro_bounds(const struct audit_contest *c, const struct assertion *a, size_t n, double *u,
                 double *share, double *sum, struct arena *scratch, struct fail *f) {
    int64_t *margin = arena_array(scratch, n, sizeof *margin);
    if (!margin) return fail_set(f, E_MEMORY, "no memory for %zu margins", n);
    for (size_t j = 0; j < n; j++) {
        margin[j] = assertion_margin(&a[j], c);
        if (margin[j] <= 0)
            return fail_set(f, E_AUDIT_OUTCOME,
                            "assertion %zu has no margin: MACRO cannot be computed for it", j + 1);
    }
    /* long double, rounded once: as near as binary comes to Arlo's 28 decimal digits */
    long double all = 0;
    for (size_t g = 0; g < c->batches; g++) {
        long double most = error_bound(c, a, n, margin, g);
        all += most;
        u[g] = (double)most;
    }
    for (size_t g = 0; share && g < c->batches; g++)
        share[g] = (double)(error_bound(c, a, n, margin, g) / all);
    *sum = (double)all;
    return OK;
}

double macro_taint(const struct audit_contest *c, const struct assertion *a, size_t n,
                   const int64_t *margins, size_t g, const uint64_t *reported,
                   const uint64_t *counted, double u) {
    double most = -INFINITY;
    for (size_t j = 0; j < n; j++) {
        if (!audit_holds(c, a[j].region, g)) continue;
        double e =
            -(double)assertion_change(&a[j], reported, counted, c->choices) / (double)margins[j];
        if (e > most) most = e;
    }
    return most / u;
}

double macro_p(const double *taints, size_t n, double u) {
    if (!(u > 0)) return 1;
    double log_p = 0, each = u > 1 ? log1p(-1 / u) : -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double t = fmax(taints[i], 0);
        if (t >= 1) return 1;
        log_p += each - log1p(-t);
    }
    return fmin(1, exp(log_p));
}

uint64_t macro_size(double u, double alpha) {
    if (!(u > 1)) return 1;
    return (uint64_t)ceil(log(alpha) / log1p(-1 / u));
}
