/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/sim.h"

#include <math.h>
#include <string.h>

uint64_t sim_draw(const struct sim *s, struct rng *r, uint64_t most, uint8_t *seen,
                  sim_visit *visit, void *ctx) {
    memset(seen, 0, s->n);
    uint64_t total = s->below[s->n - 1], left = total, draws = 0;
    int64_t null_left = s->null_total;
    while (draws < most && left > 0) {
        uint64_t k = rng_below(r, total);
        size_t low = 0, high = s->n;
        while (low < high) {
            size_t mid = low + (high - low) / 2;
            if (s->below[mid] <= k)
                low = mid + 1;
            else
                high = mid;
        }
        if (seen[low]) continue;
        seen[low] = 1;
        draws++;
        double w = (double)s->weight[low];
        double x = (double)s->value[low] / w * s->unit;
        if (!visit(ctx, x, (double)null_left / (double)left * s->unit)) break;
        null_left -= s->value[low];
        left -= s->weight[low];
    }
    return draws;
}

enum { METHODS_MAX = 8 };
struct side_by_side {
    struct mart m[METHODS_MAX];
    size_t count, running;
    double goal;
    uint64_t draws, *stop;
};

static bool step_all(void *ctx, double x, double mu) {
    struct side_by_side *a = ctx;
    a->draws++;
    for (size_t i = 0; i < a->count; i++) {
        if (a->stop[i] != UINT64_MAX) continue;
        mart_step(&a->m[i], x, mu);
        if (a->m[i].impossible || a->m[i].log_max >= a->goal) {
            a->stop[i] = a->draws;
            a->running--;
        }
    }
    return a->running > 0;
}

void sim_run(const struct sim *s, const enum bet_method *methods, size_t count, double alpha,
             struct rng *r, uint64_t most, uint8_t *seen, uint64_t *stop) {
    struct side_by_side a = {.goal = -log(alpha), .stop = stop};
    a.count = a.running = count < METHODS_MAX ? count : METHODS_MAX;
    double mu = (double)s->null_total / (double)s->below[s->n - 1] * s->unit;
    for (size_t i = 0; i < a.count; i++) {
        struct bet b = bet_comparison(methods[i], mu);
        mart_init(&a.m[i], &b);
        stop[i] = UINT64_MAX;
    }
    sim_draw(s, r, most, seen, step_all, &a);
}

static void take_votes(int64_t *out, size_t n, int64_t excess, struct rng *r) {
    while (excess > 0) {
        size_t g = (size_t)rng_below(r, n);
        if (out[g] == 0) continue;
        out[g]--;
        excess--;
    }
}

void sim_make_null(enum sim_null kind, const int64_t *bound, size_t n, int64_t null_total,
                   struct rng *r, int64_t *out) {
    int64_t sum = 0;
    for (size_t g = 0; g < n; g++) sum += out[g] = bound[g];
    int64_t excess = sum - null_total;
    double share = (double)excess / (double)sum;
    if (kind == NULL_TAINT)
        for (size_t g = 0; g < n; g++) {
            int64_t less = (int64_t)(share * (double)bound[g]);
            out[g] -= less;
            excess -= less;
        }
    while (kind == NULL_WHOLE && excess > 0) {
        size_t g = (size_t)rng_below(r, n);
        int64_t less = out[g] < excess ? out[g] : excess;
        out[g] -= less;
        excess -= less;
    }
    for (size_t i = 0; kind == NULL_LOST && i < n / 1000; i++) {
        size_t g = (size_t)rng_below(r, n);
        if (out[g] > excess) continue;
        excess -= out[g];
        out[g] = 0;
    }
    take_votes(out, n, excess, r);
}

void sim_make_errors(const int64_t *bound, size_t n, double share, int64_t votes, double lost,
                     struct rng *r, int64_t *out) {
    for (size_t g = 0; g < n; g++) {
        out[g] = bound[g];
        if (rng_double(r) < share) out[g] += rng_below(r, 2) ? votes : -votes;
        if (out[g] < 0 || rng_double(r) < lost) out[g] = 0;
    }
}

double binomial_at_least(uint64_t n, uint64_t k, double p) {
    double sum = 0, nn = (double)n;
    for (uint64_t i = k; i <= n; i++) {
        double x = (double)i;
        double term = exp(lgamma(nn + 1) - lgamma(x + 1) - lgamma(nn - x + 1) + x * log(p) +
                          (nn - x) * log1p(-p));
        sum += term;
        if (x > nn * p && term < 1e-18) break;
    }
    return fmin(sum, 1);
}
