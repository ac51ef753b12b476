/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Turnout fingerprint after P. Klimek, Y. Yegorov, R. Hanel, S. Thurner, PNAS 109 (2012): shares of
 * stations that a model of added and moved votes would need. Exploratory; regions that differ in
 * turnout and support fool it (docs/forensics.md).
 *
 * Turnout a and share b are truncated normals whose mode and spread come from the lower side of the
 * data; leader/N = a b + x (1-a) + x^alpha (1-b) a, turnout = 1 - (1-x)(1-a); x = 0 (base), |N(0,
 * theta)| (incremental), 1 - |N(0, .075)| (extreme). The 2-D histogram is fitted by non-negative least
 * squares, theta and alpha by scan. */
#include "stats/forensics/draw.h"
#include "stats/forensics/forensics.h"

enum { SIDE = 50, CELLS = SIDE * SIDE, DRAWS = 60000, FINE = 100, PARTS = 3 };

struct fit {
    double residual, weight[PARTS], theta, alpha;
};

static size_t cell_of(double turnout, double lead) {
    size_t i = (size_t)(turnout * SIDE), j = (size_t)(lead * SIDE);
    if (i >= SIDE) i = SIDE - 1;
    if (j >= SIDE) j = SIDE - 1;
    return i * SIDE + j;
}

/* Mode of the smoothed histogram (not the last 5 %), and the 68.3 % quantile of the distance of what
 * lies below it. */
static void mode_and_spread(const double *x, size_t n, double *mode, double *spread) {
    double h[FINE] = {0}, best = -1;
    uint32_t below[10 * FINE] = {0};
    size_t count = 0, sum = 0;
    for (size_t k = 0; k < n; k++) {
        size_t b = (size_t)(x[k] * FINE);
        h[b < FINE ? b : FINE - 1]++;
    }
    for (int b = 2; b < FINE - 5; b++) {
        double s = h[b - 2] + h[b - 1] + h[b] + h[b + 1] + h[b + 2];
        if (s > best) {
            best = s;
            *mode = (b + .5) / FINE;
        }
    }
    for (size_t k = 0; k < n; k++)
        if (x[k] <= *mode) {
            below[(size_t)((*mode - x[k]) * 10 * FINE)]++;
            count++;
        }
    size_t b = 0;
    while (b + 1 < 10 * FINE && (double)(sum + below[b]) < .683 * (double)count) sum += below[b++];
    *spread = ((double)b + .5) / (10 * FINE);
}

static double inside(struct rng *r, double mean, double sd) {
    for (;;) {
        double x = mean + sd * rng_normal(r);
        if (x > 0 && x < 1) return x;
    }
}

static double half_normal(struct rng *r, double sd) {
    for (;;) {
        double x = fabs(sd * rng_normal(r));
        if (x < 1) return x;
    }
}

/* Draws of x, and their logarithms: x^alpha is needed for many alphas. */
struct draws {
    double *x, *log_x;
};

/* Expected histogram of one component; `d` NULL: x = 0. */
static void component(const double *a, const double *b, const struct draws *d, double alpha, double *h) {
    memset(h, 0, CELLS * sizeof *h);
    for (size_t k = 0; k < DRAWS; k++) {
        double x = d ? d->x[k] : 0, moved = d ? exp(alpha * d->log_x[k]) : 0;
        double turnout = 1 - (1 - x) * (1 - a[k]);
        double lead = a[k] * b[k] + x * (1 - a[k]) + moved * (1 - b[k]) * a[k];
        h[cell_of(turnout, lead < turnout ? lead : turnout)] += 1.0 / DRAWS;
    }
}

/* Least squares with the components in `mask`; false when one weight is negative or singular. */
static bool solve(const double *const c[PARTS], const double *data, unsigned mask, double *w,
                  double *residual) {
    double m[PARTS][PARTS + 1] = {{0}};
    int at[PARTS], n = 0;
    for (int p = 0; p < PARTS; p++)
        if (mask >> p & 1) at[n++] = p;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < CELLS; k++) {
            for (int j = 0; j < n; j++) m[i][j] += c[at[i]][k] * c[at[j]][k];
            m[i][n] += c[at[i]][k] * data[k];
        }
    for (int i = 0; i < n; i++) {
        if (!(m[i][i] > 1e-14)) return false;
        for (int j = i + 1; j < n; j++) {
            double q = m[j][i] / m[i][i];
            for (int k = i; k <= n; k++) m[j][k] -= q * m[i][k];
        }
    }
    for (int p = 0; p < PARTS; p++) w[p] = 0;
    for (int i = n - 1; i >= 0; i--) {
        double v = m[i][n];
        for (int j = i + 1; j < n; j++) v -= m[i][j] * w[at[j]];
        w[at[i]] = v / m[i][i];
        if (w[at[i]] < 0) return false;
    }
    *residual = 0;
    for (int k = 0; k < CELLS; k++) {
        double d = data[k];
        for (int p = 0; p < PARTS; p++) d -= w[p] * c[p][k];
        *residual += d * d;
    }
    return true;
}

/* With three components the best non-negative solution is the best feasible subset. */
static void non_negative(const double *const c[PARTS], const double *data, double theta, double alpha,
                         struct fit *best) {
    for (unsigned mask = 1; mask < 1u << PARTS; mask++) {
        double w[PARTS], residual;
        if (!solve(c, data, mask, w, &residual) || residual >= best->residual) continue;
        double sum = w[0] + w[1] + w[2];
        *best = (struct fit){residual, {w[0] / sum, w[1] / sum, w[2] / sum}, theta, alpha};
    }
}

enum { ALPHAS = 7, THETAS = 6 };
struct work {
    double *a, *b, *base, *incremental, *extreme[ALPHAS];
    struct draws d;
};

static void scan(const struct work *w, const double *data, struct rng *r, struct fit *best) {
    static const double thetas[THETAS] = {.1, .2, .3, .4, .5, .6}, alphas[ALPHAS] = {1, 1.5, 2, 2.5, 3, 4, 5};
    for (size_t k = 0; k < DRAWS; k++) {
        w->d.log_x[k] = log1p(-half_normal(r, .075));
        w->d.x[k] = exp(w->d.log_x[k]);
    }
    component(w->a, w->b, NULL, 1, w->base);
    for (size_t j = 0; j < ALPHAS; j++) component(w->a, w->b, &w->d, alphas[j], w->extreme[j]);
    for (size_t i = 0; i < THETAS; i++) {
        for (size_t k = 0; k < DRAWS; k++) {
            w->d.log_x[k] = log(half_normal(r, thetas[i]) + 1e-12);
            w->d.x[k] = exp(w->d.log_x[k]);
        }
        for (size_t j = 0; j < ALPHAS; j++) {
            const double *const c[PARTS] = {w->base, w->incremental, w->extreme[j]};
            component(w->a, w->b, &w->d, alphas[j], w->incremental);
            non_negative(c, data, thetas[i], alphas[j], best);
        }
    }
}

/* Turnout, share of the turnout and share of the register per station. */
static size_t gather(const struct fx_table *t, double *turnout, double *share, double *data) {
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t reg = fx_cell(t->registered, i), r = fx_counted(t, i);
        uint32_t l = fx_votes(t, t->leader, i);
        if (reg == FX_ABSENT || r == FX_ABSENT || l == FX_ABSENT) continue;
        if (reg < 100 || r == 0 || r > reg || l > r) continue;
        turnout[n] = (double)r / reg;
        share[n] = (double)l / r;
        data[cell_of(turnout[n], (double)l / reg)]++;
        n++;
    }
    for (int k = 0; k < CELLS; k++) data[k] /= n ? (double)n : 1;
    return n;
}

err fx_klimek(const struct fx_table *t, uint64_t seed, struct arena *mem, struct fx_list *out,
              struct fail *f) {
    struct fx_result r = {.method = FX_KLIMEK, .level = FX_NATION, .choice = (int)t->leader,
                          .value = NAN, .p = NAN, .excess = NAN, .p_holm = NAN, .effect = NAN};
    double *turnout = arena_array(mem, t->n + 1, sizeof *turnout);
    double *share = arena_array(mem, t->n + 1, sizeof *share);
    double *data = arena_array(mem, CELLS, sizeof *data);
    struct work w = {.a = arena_array(mem, DRAWS, sizeof(double)),
                     .b = arena_array(mem, DRAWS, sizeof(double)),
                     .base = arena_array(mem, CELLS, sizeof(double)),
                     .incremental = arena_array(mem, CELLS, sizeof(double)),
                     .d = {arena_array(mem, DRAWS, sizeof(double)), arena_array(mem, DRAWS, sizeof(double))}};
    bool good = turnout && share && data && w.a && w.b && w.base && w.incremental && w.d.x && w.d.log_x;
    for (int j = 0; j < ALPHAS; j++) {
        w.extreme[j] = arena_array(mem, CELLS, sizeof(double));
        good = good && w.extreme[j];
    }
    if (!good)
        return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    r.n = gather(t, turnout, share, data);
    if (r.n < 1000) {
        r.missing = t->registered ? "1,000 stations with 100 registered voters" : "registered";
        return fx_list_add(out, mem, &r, f);
    }
    double mode_a = .5, spread_a = .1, mode_b = .5, spread_b = .1;
    mode_and_spread(turnout, r.n, &mode_a, &spread_a);
    mode_and_spread(share, r.n, &mode_b, &spread_b);
    struct rng rng;
    rng_init_stream(&rng, seed, UINT64_C(1) << 42);
    for (size_t k = 0; k < DRAWS; k++) {
        w.a[k] = inside(&rng, mode_a, spread_a);
        w.b[k] = inside(&rng, mode_b, spread_b);
    }
    struct fit best = {.residual = INFINITY};
    scan(&w, data, &rng, &best);
    r.is = FX_EXPLORATORY;
    r.value = best.weight[1];
    r.effect = best.weight[2];
    fx_detail(&r, "incremental", best.weight[1]);
    fx_detail(&r, "extreme", best.weight[2]);
    fx_detail(&r, "alpha", best.alpha);
    fx_detail(&r, "theta", best.theta);
    fx_detail(&r, "turnout_mode", mode_a);
    fx_detail(&r, "turnout_spread", spread_a);
    fx_detail(&r, "share_mode", mode_b);
    fx_detail(&r, "share_spread", spread_b);
    fx_detail(&r, "residual", best.residual);
    return fx_list_add(out, mem, &r, f);
}
