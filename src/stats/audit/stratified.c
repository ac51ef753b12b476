/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/stratified.h"

#include <math.h>

enum { BETS = 20, STEPS = 100 };

double stratum_log(const struct stratum *s, double t, double *slope) {
    double logs[BETS] = {0}, slopes[BETS] = {0}, left = t, weight = s->weight;
    if (slope) *slope = 0;
    for (size_t i = 0; i < s->draws; i++) {
        double v = s->draw[i].value, y = 1, dy = 0;
        if (left < 0 || (left == 0 && v > 0)) return INFINITY;
        if (left > 0) {
            y = v / s->draw[i].weight * weight / left;
            dy = -y / left;
        }
        for (int k = 0; k < BETS; k++) {
            double c = 1 - exp2(-(k + 1) / 2.0), factor = 1 + c * (y - 1);
            logs[k] += log(factor);
            slopes[k] += c * dy / factor;
        }
        left -= v;
        weight -= s->draw[i].weight;
    }
    if (left < 0) return INFINITY;
    double most = -INFINITY, sum = 0, rise = 0;
    for (int k = 0; k < BETS; k++) most = fmax(most, logs[k]);
    for (int k = 0; k < BETS; k++) {
        double e = exp(logs[k] - most);
        sum += e;
        rise += e * slopes[k];
    }
    if (slope) *slope = rise / sum;
    return most + log(sum / BETS);
}

/* The t in [found, most] where the slope is `slope`: convex, so slopes rise with t. */
static double at_slope(const struct stratum *s, double found, double slope) {
    double low = found, high = s->most;
    for (int i = 0; i < STEPS && high - low > 1e-12 * s->most; i++) {
        double mid = (low + high) / 2, here;
        if (isinf(stratum_log(s, mid, &here)) || here < slope)
            low = mid;
        else
            high = mid;
    }
    return high;
}

static double found(const struct stratum *s) {
    double sum = 0;
    for (size_t i = 0; i < s->draws; i++) sum += s->draw[i].value;
    return sum;
}

static double total_at(const struct stratum *s, size_t n, double slope, double *share) {
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        double t = at_slope(&s[k], found(&s[k]), slope);
        if (share) share[k] = t;
        sum += t;
    }
    return sum;
}

double stratified_log(const struct stratum *s, size_t n, double null_total, double *share) {
    double least = 0, most = 0;
    if (n > STRATA_MAX) return -INFINITY;
    for (size_t k = 0; k < n; k++) {
        least += found(&s[k]);
        most += s[k].most;
    }
    if (null_total < least) return INFINITY;
    double low = 0, sum = 0;  /* slopes are -exp(x): low and high bracket x */
    if (null_total >= most) { /* every stratum may have all it can: nothing is shown */
        for (size_t k = 0; k < n; k++) {
            if (share) share[k] = s[k].most;
            sum += stratum_log(&s[k], s[k].most, NULL);
        }
        return sum;
    }
    low = -200;
    double high = 200;
    for (int i = 0; i < STEPS; i++) {
        double mid = (low + high) / 2; /* a steeper slope gives smaller totals */
        if (total_at(s, n, -exp(mid), NULL) > null_total)
            low = mid;
        else
            high = mid;
    }
    /* the totals at the bracket enclose T; what rounding leaves goes to the side that lowers E */
    double here[2][STRATA_MAX];
    double a = total_at(s, n, -exp(low), here[0]), b = total_at(s, n, -exp(high), here[1]);
    double part = a > b ? (null_total - b) / (a - b) : 0;
    for (size_t k = 0; k < n; k++) {
        double t = here[1][k] + part * (here[0][k] - here[1][k]);
        if (share) share[k] = t;
        sum += stratum_log(&s[k], t, NULL);
    }
    return sum;
}
