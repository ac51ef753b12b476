/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/forensics/draw.h"

#include <math.h>

double draw_gamma(struct rng *r, double shape) {
    if (shape < 1) {
        double u = rng_double(r);
        return draw_gamma(r, shape + 1) * pow(u > 0 ? u : 0x1p-54, 1 / shape);
    }
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = rng_normal(r), v = 1 + c * x;
        if (v <= 0) continue;
        v = v * v * v;
        double u = rng_double(r), x2 = x * x;
        if (u < 1 - .0331 * x2 * x2) return d * v;
        if (u > 0 && log(u) < .5 * x2 + d * (1 - v + log(v))) return d * v;
    }
}

double draw_beta(struct rng *r, double a, double b) {
    double x = draw_gamma(r, a), y = draw_gamma(r, b);
    return x + y > 0 ? x / (x + y) : .5;
}

static uint32_t binomial_inversion(struct rng *r, uint32_t n, double p) {
    double q = 1 - p, s = p / q, f = pow(q, n), u = rng_double(r);
    uint32_t x = 0;
    while (u > f && x < n) {
        u -= f;
        x++;
        f *= s * (double)(n - x + 1) / x;
    }
    return x;
}

/* log k! - Stirling's main part */
static double stirling_rest(double k) {
    static const double small[] = {0.08106146679532726, 0.04134069595540929, 0.02767792568499834,
                                   0.02079067210376509, 0.01664469118982119, 0.01387612882307075,
                                   0.01189670994589177, 0.01041126526197209, 0.009255462182712733,
                                   0.008330563433362871};
    if (k <= 9) return small[(int)k];
    double k1 = 1 / (k + 1), k2 = k1 * k1;
    return (1.0 / 12 - (1.0 / 360 - k2 / 1260) * k2) * k1;
}

static uint32_t binomial_btrs(struct rng *r, uint32_t n, double p) {
    double spq = sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * spq, a = -.0873 + .0248 * b + .01 * p;
    double c = n * p + .5, vr = .92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spq;
    double m = floor((n + 1) * p), odds = p / (1 - p);
    for (;;) {
        double u = rng_double(r) - .5, v = rng_double(r), us = .5 - fabs(u);
        double k = floor((2 * a / us + b) * u + c);
        if (k < 0 || k > n) continue;
        if (us >= .07 && v <= vr) return (uint32_t)k;
        v = log(v * alpha / (a / (us * us) + b));
        double bound = (m + .5) * log((m + 1) / (odds * (n - m + 1))) + stirling_rest(m) +
                       stirling_rest(n - m) + (n + 1) * log((n - m + 1) / (n - k + 1)) +
                       (k + .5) * log(odds * (n - k + 1) / (k + 1)) - stirling_rest(k) -
                       stirling_rest(n - k);
        if (v <= bound) return (uint32_t)k;
    }
}

uint32_t draw_binomial(struct rng *r, uint32_t n, double p) {
    if (n == 0 || !(p > 0)) return 0;
    if (p >= 1) return n;
    if (p > .5) return n - draw_binomial(r, n, 1 - p);
    return n * p < 10 ? binomial_inversion(r, n, p) : binomial_btrs(r, n, p);
}

static uint32_t poisson_ptrs(struct rng *r, double mean) {
    double root = sqrt(mean), b = .931 + 2.53 * root, a = -.059 + .02483 * b;
    double inverse = 1.1239 + 1.1328 / (b - 3.4), vr = .9277 - 3.6224 / (b - 2), lm = log(mean);
    for (;;) {
        double u = rng_double(r) - .5, v = rng_double(r), us = .5 - fabs(u);
        double k = floor((2 * a / us + b) * u + mean + .43);
        if (us >= .07 && v <= vr) return (uint32_t)k;
        if (k < 0 || (us < .013 && v > us)) continue;
        if (log(v) + log(inverse) - log(a / (us * us) + b) <= -mean + k * lm - lgamma(k + 1))
            return (uint32_t)k;
    }
}

uint32_t draw_poisson(struct rng *r, double mean) {
    if (!(mean > 0)) return 0;
    if (mean >= 10) return poisson_ptrs(r, mean);
    double limit = exp(-mean), product = rng_double(r);
    uint32_t k = 0;
    while (product > limit) {
        product *= rng_double(r);
        k++;
    }
    return k;
}

void draw_shuffle(struct rng *r, uint32_t *ix, uint32_t n) {
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = draw_below(r, i), t = ix[i - 1];
        ix[i - 1] = ix[j];
        ix[j] = t;
    }
}
