/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/forensics/spikes.h"

#include "stats/forensics/draw.h"

enum { SAMPLE = 8000, ROUNDS = 30, K = FX_SPIKE_COMPONENTS, GRID = 1024 };
static const double BANDWIDTH = 1e-4; /* far below the grid's step: linear binning is the kernel */

/* log of the beta-binomial probability without the binomial coefficient. */
static double log_part(uint32_t x, uint32_t n, double a, double b) {
    return lgamma(x + a) + lgamma(n - x + b) - lgamma(n + a + b);
}

/* Posterior weights of the components for one station; returns its log-likelihood. */
static double posterior(const struct fx_mixture *m, const double *constant, uint32_t x, uint32_t n,
                        double w[K]) {
    double most = -INFINITY, sum = 0;
    for (size_t k = 0; k < m->k; k++) {
        w[k] = constant[k] + log_part(x, n, m->a[k], m->b[k]);
        if (w[k] > most) most = w[k];
    }
    for (size_t k = 0; k < m->k; k++) sum += w[k] = exp(w[k] - most);
    for (size_t k = 0; k < m->k; k++) w[k] /= sum;
    return most + log(sum);
}

static void constants(const struct fx_mixture *m, double c[K]) {
    for (size_t k = 0; k < m->k; k++)
        c[k] = log(m->weight[k]) + lgamma(m->a[k] + m->b[k]) - lgamma(m->a[k]) - lgamma(m->b[k]);
}

struct moments {
    double w, n, x, ratio_square; /* sums of w, w n, w x, w x^2/n */
};

/* Component from weighted moments: mean, and intra-class correlation from the excess variance. */
static void from_moments(const struct moments *s, double total, double *weight, double *a,
                         double *b) {
    double mu = (s->x + .5) / (s->n + 1), spread = s->ratio_square - 2 * mu * s->x + mu * mu * s->n;
    double rho = (spread / (mu * (1 - mu)) - s->w) / (s->n - s->w + 1e-9);
    if (!(rho > 1e-5)) rho = 1e-5;
    if (rho > .9) rho = .9;
    *weight = (s->w + 1e-6) / (total + 1e-5);
    *a = mu * (1 - rho) / rho;
    *b = (1 - mu) * (1 - rho) / rho;
}

struct data {
    const uint32_t *x, *n, *ix;
    size_t count;
};

/* EM with moment updates from k equal parts of the sorted ratios. */
static void fit_k(const struct data *d, size_t k, const double *cut, struct fx_mixture *m) {
    struct moments s[K] = {0};
    *m = (struct fx_mixture){.k = k};
    for (size_t j = 0; j < d->count; j++) {
        uint32_t x = d->x[d->ix[j]], n = d->n[d->ix[j]];
        double q = (double)x / n;
        size_t c = 0;
        while (c + 1 < k && q > cut[c]) c++;
        s[c].w++, s[c].n += n, s[c].x += x, s[c].ratio_square += q * x;
    }
    for (size_t c = 0; c < k; c++)
        from_moments(&s[c], (double)d->count, &m->weight[c], &m->a[c], &m->b[c]);
    double log_likelihood = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double constant[K], w[K];
        constants(m, constant);
        memset(s, 0, sizeof s);
        log_likelihood = 0;
        for (size_t j = 0; j < d->count; j++) {
            uint32_t x = d->x[d->ix[j]], n = d->n[d->ix[j]];
            log_likelihood += posterior(m, constant, x, n, w);
            for (size_t c = 0; c < k; c++) {
                s[c].w += w[c], s[c].n += w[c] * n, s[c].x += w[c] * x;
                s[c].ratio_square += w[c] * x * ((double)x / n);
            }
        }
        if (round + 1 == ROUNDS || k == 1) break;
        for (size_t c = 0; c < k; c++)
            from_moments(&s[c], (double)d->count, &m->weight[c], &m->a[c], &m->b[c]);
    }
    m->bic = -2 * log_likelihood + (double)(3 * k - 1) * log((double)d->count);
}

/* Cut points between k parts of equal size, from a histogram of the ratios. */
static void quantile_cuts(const struct data *d, size_t k, double *cut) {
    uint32_t h[1001] = {0};
    for (size_t j = 0; j < d->count; j++)
        h[(size_t)(1000.0 * d->x[d->ix[j]] / d->n[d->ix[j]])]++;
    size_t below = 0, c = 0;
    for (int b = 0; b <= 1000 && c + 1 < k; b++) {
        below += h[b];
        while (c + 1 < k && below * k >= (c + 1) * d->count) cut[c++] = (b + 1) / 1000.0;
    }
}

static void fit(const struct data *d, struct fx_mixture *best) {
    for (size_t k = 1; k <= K; k++) {
        double cut[K] = {0};
        struct fx_mixture m;
        quantile_cuts(d, k, cut);
        fit_k(d, k, cut, &m);
        if (k == 1 || m.bic < best->bic) *best = m;
    }
}

static const float *cumulated(const struct fx_mixture *m, const uint32_t *x, const uint32_t *n,
                              size_t count, struct arena *mem) {
    float *out = arena_array(mem, count * K + 1, sizeof *out);
    double constant[K];
    if (!out) return NULL;
    constants(m, constant);
    for (size_t i = 0; i < count; i++) {
        double w[K], sum = 0;
        posterior(m, constant, x[i], n[i], w);
        for (size_t k = 0; k < K; k++) {
            sum += k < m->k ? w[k] : 0;
            out[i * K + k] = k + 1 < m->k ? (float)sum : 2;
        }
    }
    return out;
}

/* The density of R's density(), n = 1001: linear binning on 1,024 points over [0 - 4 bw, 1 + 4 bw], a
 * Gaussian that at this bandwidth reaches no neighbouring point, interpolation at 0, .001 .. 1. */
static void add_share(double *grid, uint32_t votes, uint32_t turnout) {
    double at = ((double)votes / turnout + 4 * BANDWIDTH) / (1 + 8 * BANDWIDTH) * (GRID - 1);
    size_t j = (size_t)at;
    double right = at - (double)j;
    grid[j] += 1 - right;
    grid[j + 1] += right;
}

/* Densities are compared as parts of their own sum; bin 0 (no votes at all) is left out. */
static void finish_density(const double *grid, float *bins) {
    double sum = 0;
    bins[0] = 0;
    for (int b = 1; b < FX_SPIKE_BINS; b++) {
        double at = (b / 1000.0 + 4 * BANDWIDTH) / (1 + 8 * BANDWIDTH) * (GRID - 1);
        size_t j = (size_t)at;
        double right = at - (double)j, w = grid[j] * (1 - right) + grid[j + 1] * right;
        bins[b] = (float)w;
        sum += w;
    }
    for (int b = 1; b < FX_SPIKE_BINS && sum > 0; b++) bins[b] = (float)(bins[b] / sum);
}

static size_t select(const struct fx_table *t, uint32_t *reg, uint32_t *turnout, uint32_t *votes) {
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t big = fx_cell(t->registered, i), r = fx_counted(t, i);
        uint32_t v = fx_votes(t, t->leader, i);
        if (big == FX_ABSENT || r == FX_ABSENT || v == FX_ABSENT) continue;
        if (r == 0 || r > big || v > r) continue;
        reg[n] = big;
        turnout[n] = r;
        votes[n++] = v;
    }
    return n;
}

err fx_spikes_fit(const struct fx_table *t, uint64_t seed, struct arena *mem,
                  struct fx_spikes *out, struct fail *f) {
    uint32_t *reg = arena_array(mem, t->n + 1, sizeof *reg);
    uint32_t *turnout = arena_array(mem, t->n + 1, sizeof *turnout);
    uint32_t *votes = arena_array(mem, t->n + 1, sizeof *votes);
    uint32_t *ix = arena_array(mem, t->n + 1, sizeof *ix);
    if (!reg || !turnout || !votes || !ix)
        return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    *out = (struct fx_spikes){.registered = reg, .turnout = turnout, .votes = votes};
    size_t n = out->n = select(t, reg, turnout, votes);
    if (n < 1000) {
        out->missing = t->registered ? "1,000 stations" : "registered";
        return OK;
    }
    for (size_t i = 0; i < n; i++) ix[i] = (uint32_t)i;
    struct rng r;
    rng_init_stream(&r, seed, UINT64_C(1) << 40);
    if (n > SAMPLE) draw_shuffle(&r, ix, (uint32_t)n);
    struct data d = {turnout, reg, ix, n < SAMPLE ? n : SAMPLE};
    fit(&d, &out->of_turnout);
    d.x = votes;
    d.n = turnout;
    fit(&d, &out->of_share);
    out->turnout_cdf = cumulated(&out->of_turnout, turnout, reg, n, mem);
    out->share_cdf = cumulated(&out->of_share, votes, turnout, n, mem);
    if (!out->turnout_cdf || !out->share_cdf)
        return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    double grid[GRID + 1] = {0};
    for (size_t i = 0; i < n; i++) add_share(grid, votes[i], turnout[i]);
    finish_density(grid, out->observed);
    return OK;
}

static size_t pick(const float *cdf, struct rng *r, size_t k) {
    if (k == 1) return 0;
    float u = (float)rng_double(r);
    size_t c = 0;
    while (u >= cdf[c]) c++;
    return c;
}

/* One station about its own posterior. */
static void redraw(const struct fx_spikes *s, size_t i, struct rng *r, double *grid) {
    const struct fx_mixture *mt = &s->of_turnout, *ms = &s->of_share;
    size_t k = pick(s->turnout_cdf + i * K, r, mt->k);
    double p = draw_beta(r, mt->a[k] + s->turnout[i], mt->b[k] + s->registered[i] - s->turnout[i]);
    uint32_t t = draw_binomial(r, s->registered[i], p);
    if (t == 0) return;
    k = pick(s->share_cdf + i * K, r, ms->k);
    double q = draw_beta(r, ms->a[k] + s->votes[i], ms->b[k] + s->turnout[i] - s->votes[i]);
    add_share(grid, draw_binomial(r, t, q), t);
}

void fx_spikes_draw(const struct fx_spikes *s, uint64_t seed, size_t from, size_t to, float *rows) {
    for (size_t r = from; r < to; r++) {
        float *bins = rows + (r - from) * FX_SPIKE_BINS;
        struct rng rng;
        rng_init_stream(&rng, seed, (UINT64_C(1) << 41) + r);
        double grid[GRID + 1] = {0};
        for (size_t i = 0; i < s->n; i++) redraw(s, i, &rng, grid);
        finish_density(grid, bins);
    }
}

/* Adds bin j's part to F and to each resample's own F against the others. */
static double bin_part(const struct fx_spikes *s, const float *rows, size_t n, int j, double *loo) {
    double first = -1, second = -1, sum = 0;
    size_t at = 0;
    for (size_t r = 0; r < n; r++) {
        double w = rows[r * FX_SPIKE_BINS + (size_t)j];
        sum += w;
        if (w > first) {
            second = first;
            first = w;
            at = r;
        } else if (w > second) {
            second = w;
        }
    }
    if (first > second) loo[at] += 100 * (first - (sum - first) / (double)(n - 1));
    double w = s->observed[j];
    return w > first ? 100 * (w - sum / (double)n) : 0;
}

void fx_spikes_finish(const struct fx_spikes *s, const float *rows, size_t n,
                      const struct fx_table *t, double *loo, struct fx_result *out) {
    *out = (struct fx_result){.method = FX_SPIKES, .level = FX_NATION, .choice = (int)t->leader,
                              .n = s->n, .value = NAN, .p = NAN, .excess = NAN, .p_holm = NAN,
                              .effect = NAN, .missing = s->missing};
    if (s->missing) return;
    if (n < 2) {
        out->missing = "resamples (at least 1,000 to be compared)";
        return;
    }
    double f = 0, best = 0, null = 0, null_max = 0;
    int highest = 0;
    size_t above = 0, bins = 0;
    memset(loo, 0, n * sizeof *loo);
    for (int j = 1; j < FX_SPIKE_BINS; j++) {
        double part = bin_part(s, rows, n, j, loo);
        f += part;
        bins += part > 0;
        if (part > best) {
            best = part;
            highest = j;
        }
    }
    for (size_t r = 0; r < n; r++) {
        above += loo[r] >= f;
        null += loo[r];
        if (loo[r] > null_max) null_max = loo[r];
    }
    out->is = FX_EXPLORATORY;
    out->value = f;
    out->p = (double)(above + 1) / (double)(n + 1);
    out->effect = f;
    out->excess = f - null / (double)n;
    fx_detail(out, "resamples", (double)n);
    fx_detail(out, "null_mean", null / (double)n);
    fx_detail(out, "null_max", null_max);
    fx_detail(out, "bins_above", (double)bins);
    fx_detail(out, "highest_bin", bins ? highest / 1000.0 : NAN);
    fx_detail(out, "turnout_components", (double)s->of_turnout.k);
    fx_detail(out, "share_components", (double)s->of_share.k);
}
