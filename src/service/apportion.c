/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/apportion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 66, BISECTIONS = 80 };
/* Spread on the logit scale, of groups and of single rows: chosen so that turnout and shares of a
 * constituency's stations look like published ones (standard deviation of some percent). */
static const double TURNOUT_GROUP = 0.20, TURNOUT_ROW = 0.18;
static const double SHARE_GROUP = 0.35, SHARE_ROW = 0.25;

static double logistic(double x) {
    return 1 / (1 + exp(-x));
}

static uint64_t room(const uint64_t *most, const uint64_t *out, size_t i) {
    return most ? most[i] - out[i] : UINT64_MAX;
}

/* One round of largest remainders: gives at most 1 to each row; returns what is left over. */
static uint64_t round_up(const double *fraction, const uint64_t *most, size_t n, uint64_t left,
                         uint64_t *out) {
    /* Rows are few (a constituency's): selecting the largest again and again would be quadratic, so
     * find the threshold by bisection first, then give in order. */
    double low = -1, high = 2;
    for (int k = 0; k < 60; k++) {
        double mid = (low + high) / 2;
        uint64_t above = 0;
        for (size_t i = 0; i < n; i++) above += room(most, out, i) > 0 && fraction[i] > mid;
        if (above > left)
            low = mid;
        else
            high = mid;
    }
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n && left; i++) {
            bool first = fraction[i] > high;
            if (first != (pass == 0) || room(most, out, i) == 0) continue;
            if (pass == 1 && fraction[i] <= low) continue;
            out[i]++;
            left--;
        }
    return left;
}

void apportion(const double *weights, const uint64_t *most, size_t n, uint64_t total, uint64_t *out,
               double *scratch) {
    uint64_t left = total;
    memset(out, 0, n * sizeof *out);
    for (bool moved = true; left && moved;) {
        double sum = 0;
        uint64_t open = 0, before = left;
        for (size_t i = 0; i < n; i++)
            if (room(most, out, i)) {
                sum += weights[i];
                open++;
            }
        moved = false;
        for (size_t i = 0; i < n; i++) {
            scratch[i] = -1;
            if (!room(most, out, i)) continue;
            double want =
                sum > 0 ? (double)before * weights[i] / sum : (double)before / (double)open;
            uint64_t add = (uint64_t)floor(want);
            scratch[i] = want - floor(want);
            if (add > room(most, out, i)) add = room(most, out, i);
            if (add > left) add = left;
            out[i] += add;
            left -= add;
            moved = moved || add > 0;
        }
        if (!most) break; /* one round leaves fractions only */
    }
    while (left) {
        uint64_t after = round_up(scratch, most, n, left, out);
        if (after == left) { /* equal fractions: in order, one each */
            for (size_t i = 0; i < n && left; i++)
                if (room(most, out, i)) {
                    out[i]++;
                    left--;
                }
            if (after == left) return; /* no room: the caller's sum(most) was too small */
            continue;
        }
        left = after;
    }
}

void apportion_logistic(const double *effect, const uint64_t *most, size_t n, uint64_t total,
                        uint64_t *out, double *scratch) {
    double low = -40, high = 40;
    for (int k = 0; k < BISECTIONS; k++) {
        double mid = (low + high) / 2, sum = 0;
        for (size_t i = 0; i < n; i++) sum += (double)most[i] * logistic(mid + effect[i]);
        if (sum < (double)total)
            low = mid;
        else
            high = mid;
    }
    for (size_t i = 0; i < n; i++) scratch[i] = (double)most[i] * logistic(low + effect[i]);
    apportion(scratch, most, n, total, out, scratch + n);
}

uint64_t rng_poisson(struct rng *r, double mean) {
    if (mean <= 0) return 0;
    if (mean > 40) {
        double x = mean + sqrt(mean) * rng_normal(r) + 0.5;
        return x < 0 ? 0 : (uint64_t)x;
    }
    double p = exp(-mean), u = rng_double(r);
    uint64_t k = 0;
    while (u > p && k < 400) {
        u -= p;
        k++;
        p *= mean / (double)k;
    }
    return k;
}

/* Working memory of one table. */
struct work {
    double *effect, *scratch, *weight;
    uint64_t *rows; /* each row's sum */
    uint64_t *left; /* what of it is not yet given to a column */
};

static double group_effect(const struct apportion_table *t, size_t i, double *current,
                           double spread, struct rng *r) {
    if (i == 0 || t->group[i] != t->group[i - 1]) *current = spread * rng_normal(r);
    return *current;
}

static void fill_rows(const struct apportion_table *t, struct work *w, uint64_t ballots,
                      struct rng *r) {
    uint64_t voters = 0;
    double g = 0;
    for (size_t i = 0; i < t->n; i++) {
        voters += t->registered[i];
        w->effect[i] = group_effect(t, i, &g, TURNOUT_GROUP, r) + TURNOUT_ROW * rng_normal(r);
    }
    if (ballots <= voters) {
        apportion_logistic(w->effect, t->registered, t->n, ballots, w->rows, w->scratch);
        return;
    }
    for (size_t i = 0; i < t->n; i++)
        w->weight[i] = (voters ? (double)t->registered[i] : 1) * exp(w->effect[i] / 4);
    apportion(w->weight, NULL, t->n, ballots, w->rows, w->scratch);
}

/* A row with room, drawn by the cumulated weights; the first one with room after 64 tries. */
static size_t row_with_room(const double *cumulated, const uint64_t *left, const uint64_t *given,
                            size_t stride, size_t n, struct rng *r) {
    for (int k = 0; k < 64; k++) {
        double u = rng_double(r) * cumulated[n - 1];
        size_t low = 0, high = n - 1;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (cumulated[mid] > u)
                high = mid;
            else
                low = mid + 1;
        }
        if (given[low * stride] < left[low]) return low;
    }
    for (size_t i = 0; i < n; i++)
        if (given[i * stride] < left[i]) return i;
    return n;
}

/* One column: Poisson around each row's expectation, then single steps until the sum is right. */
static void fill_column(const struct apportion_table *t, struct work *w, size_t column,
                        uint64_t ballots, struct rng *r) {
    uint64_t total = t->totals[column], sum = 0, *cell = t->cells + column;
    double share = (double)total / (double)ballots, g = 0, all = 0;
    if (share > 1 - 1e-9) share = 1 - 1e-9;
    double logit = log(share / (1 - share));
    for (size_t i = 0; i < t->n; i++) {
        double e = group_effect(t, i, &g, SHARE_GROUP, r) + SHARE_ROW * rng_normal(r);
        w->weight[i] = (double)w->rows[i] * logistic(logit + e);
        all += w->weight[i];
    }
    double cumulated = 0;
    for (size_t i = 0; i < t->n; i++) {
        uint64_t x = rng_poisson(r, (double)total * w->weight[i] / all);
        if (x > w->left[i]) x = w->left[i];
        cell[i * t->k] = x;
        sum += x;
        w->scratch[i] = cumulated += w->weight[i];
    }
    for (; sum < total; sum++)
        cell[row_with_room(w->scratch, w->left, cell, t->k, t->n, r) * t->k]++;
    while (sum > total) {
        size_t i = (size_t)rng_below(r, t->n);
        if (cell[i * t->k] == 0) continue;
        cell[i * t->k]--;
        sum--;
    }
    for (size_t i = 0; i < t->n; i++) w->left[i] -= cell[i * t->k];
}

/* Columns from the smallest to the largest; the largest takes what is left of each row, and that is
 * its total, since both margins have the same sum. */
static void fill_columns(const struct apportion_table *t, struct work *w, uint64_t ballots,
                         struct rng *r) {
    size_t order[COLUMNS_MAX];
    for (size_t c = 0; c < t->k; c++) {
        size_t i = c;
        for (; i > 0 && t->totals[order[i - 1]] > t->totals[c]; i--) order[i] = order[i - 1];
        order[i] = c;
    }
    memcpy(w->left, w->rows, t->n * sizeof *w->left);
    for (size_t c = 0; c + 1 < t->k; c++)
        if (t->totals[order[c]]) fill_column(t, w, order[c], ballots, r);
    for (size_t i = 0; i < t->n; i++) t->cells[i * t->k + order[t->k - 1]] = w->left[i];
}

bool apportion_fill(const struct apportion_table *t, struct rng *r) {
    uint64_t ballots = 0;
    for (size_t c = 0; c < t->k; c++) ballots += t->totals[c];
    memset(t->cells, 0, t->n * t->k * sizeof *t->cells);
    if (ballots == 0) return true;
    double *d = malloc(t->n * 4 * sizeof *d);
    uint64_t *u = malloc(t->n * 2 * sizeof *u);
    if (d && u) {
        struct work w = {
            .effect = d, .weight = d + t->n, .scratch = d + 2 * t->n, .rows = u, .left = u + t->n};
        fill_rows(t, &w, ballots, r);
        fill_columns(t, &w, ballots, r);
    }
    bool done = d && u;
    free(d);
    free(u);
    return done;
}
