/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/size.h"

#include <math.h>
#include <stdlib.h>

enum { SIZE_MAX_DRAWS = 1000000000 };

static double clean_log(const struct mart *m, double v, double n) {
    double most = -INFINITY, sum = 0;
    for (int k = 0; k < MIXTURE_BETS; k++) most = fmax(most, n * log1p(m->c[k] * v));
    for (int k = 0; k < MIXTURE_BETS; k++) sum += exp(n * log1p(m->c[k] * v) - most);
    return most + log(sum / MIXTURE_BETS);
}

uint64_t audit_size_clean(enum bet_method method, double v, double alpha) {
    if (!(v > 0)) return UINT64_MAX;
    double goal = -log(alpha), mu = 1 / (1 + v);
    struct bet b = bet_comparison(method, mu);
    struct mart m;
    mart_init(&m, &b);
    if (method == BET_KAPLAN_MARKOV || method == BET_KAPLAN_WALD) {
        double each = log1p((mart_lambda(&m, mu)) * (1 - mu));
        double n = ceil(goal / each - 1e-9);
        return n > SIZE_MAX_DRAWS ? UINT64_MAX : (uint64_t)n;
    }
    if (method == BET_MIXTURE) {
        double low = 0, high = 1;
        while (clean_log(&m, v, high) < goal)
            if ((high *= 2) > SIZE_MAX_DRAWS) return UINT64_MAX;
        while (high - low > 0.5) {
            double mid = floor((low + high) / 2);
            if (mid <= low) break;
            if (clean_log(&m, v, mid) < goal)
                low = mid;
            else
                high = mid;
        }
        return (uint64_t)high;
    }
    for (uint64_t n = 1; n <= 100000000; n++) {
        mart_step(&m, 1, mu);
        if (m.log_max >= goal) return n;
    }
    return UINT64_MAX;
}

double audit_diluted_margin(const struct assertion *a, const struct audit_contest *c) {
    double ballots = 0;
    for (size_t g = 0; g < c->batches; g++)
        if (audit_holds(c, a->region, g)) ballots += (double)c->bound[g];
    return ballots > 0 ? (double)assertion_margin(a, c) / ((double)a->kb * ballots) : 0;
}

/* The draw at which enough of a regional rule's assertions are met, from the draws at[] of each;
 * 0: no assertion carries spare ones. */
static uint64_t regional_need(const struct assertion *a, const uint64_t *at, size_t n) {
    size_t chosen = 0, spare = 0;
    uint64_t best = UINT64_MAX;
    for (size_t j = 0; j < n; j++)
        if (a[j].spare) spare = a[j].spare, chosen++;
    if (chosen == 0) return 0;
    for (size_t j = 0; j < n; j++) {
        size_t below = 0;
        for (size_t i = 0; a[j].spare && i < n; i++) below += a[i].spare && at[i] <= at[j];
        if (a[j].spare && below >= chosen - spare && at[j] < best) best = at[j];
    }
    return best;
}

err audit_size_along(const struct audit_contest *c, const struct assertion *a, size_t n,
                     const struct audit_sample *draws, enum bet_method method, double alpha,
                     struct arena *scratch, struct size_along *out, struct fail *f) {
    size_t regions = c->regions ? c->regions : 1;
    struct audit_region_sums *all = arena_array(scratch, 1 + regions, sizeof *all);
    uint8_t *state = arena_alloc(scratch, c->batches);
    size_t *until = arena_array(scratch, 1 + regions, sizeof *until); /* of draws, by region */
    uint64_t *at = arena_array(scratch, n, sizeof *at); /* where each is met; UINT64_MAX */
    if (!all || !state || !until || !at) return fail_set(f, E_MEMORY, "no memory for an estimate");
    memset(state, AUDIT_COUNTED, c->batches);
    struct audit_hand clean = {.state = state, .votes = c->votes};
    audit_region_sums(c, draws->weight, &clean, all);
    for (size_t j = 0; j < n; j++) {
        double goal = -log(assertion_limit(&a[j], alpha));
        struct audit_walk w;
        audit_walk_init(&w, c, &a[j], draws, &clean, all, method);
        int64_t value;
        while (w.m.log_max < goal && !w.m.impossible && audit_walk_next(&w, &value)) continue;
        at[j] = w.m.impossible || w.m.log_max >= goal ? w.at : UINT64_MAX;
    }
    uint64_t rule = regional_need(a, at, n); /* where enough regions are met */
    *out = (struct size_along){.done = true};
    for (size_t j = 0; j < n; j++) {
        uint64_t stop = a[j].spare && rule < at[j] ? rule : at[j];
        size_t r = a[j].region == AUDIT_EVERYWHERE ? 0 : 1 + a[j].region;
        out->done &= stop != UINT64_MAX;
        if (stop > draws->draws) stop = draws->draws;
        if (stop > until[r]) until[r] = (size_t)stop;
        if (stop > out->length) out->length = stop;
    }
    for (size_t i = 0; i < out->length; i++) {
        uint32_t g = draws->draw[i];
        if (i >= until[0] && i >= until[1 + audit_region(c, g)]) continue;
        out->retrieved++;
        out->ballots += c->bound[g];
    }
    return OK;
}

/* ---- later rounds ---- */

/* What one assertion has after the counted draws, and A/R of each of them. */
struct start {
    struct audit_walk walk;
    const double *ratio; /* [counted] */
};

static MUST_USE err start_of(const struct size_rounds *s, size_t j,
                             const struct audit_region_sums *all, const uint32_t *counted, size_t n,
                             struct arena *mem, struct start *out, struct fail *f) {
    double *ratio = arena_array(mem, n, sizeof *ratio);
    if (!ratio) return fail_set(f, E_MEMORY, "no memory for an estimate");
    for (size_t i = 0; i < n; i++) {
        uint32_t g = counted[i];
        int64_t r = assertion_value(&s->a[j], s->c->bound[g], audit_votes(s->c, g), s->c->choices);
        ratio[i] = r > 0 ? (double)audit_value(&s->a[j], s->c, s->h, g) / (double)r : 1;
    }
    out->ratio = ratio;
    audit_walk_init(&out->walk, s->c, &s->a[j], s->draws, s->h, all, s->method);
    int64_t value;
    while (audit_walk_next(&out->walk, &value)) continue;
    return OK;
}

/* Draws needed in one replicate by one assertion. `pick` is what each further draw resamples. */
static uint64_t go_on(const struct size_rounds *s, const struct start *st, const uint32_t *pick,
                      const double *bound, double goal) {
    struct mart m = st->walk.m;
    double left = (double)st->walk.null_left;
    uint64_t weight_left = st->walk.weight_left;
    for (size_t i = st->walk.at; i < s->draws->draws; i++) {
        if (m.impossible || m.log_max >= goal) return i;
        uint32_t g = s->draws->draw[i];
        if (!audit_holds(s->c, st->walk.a->region, g)) continue;
        double v = st->ratio[pick[i]] * bound[i], w = (double)s->draws->weight[g];
        mart_step(&m, v / w * st->walk.unit, left / (double)weight_left * st->walk.unit);
        left -= v;
        weight_left -= s->draws->weight[g];
        if (left < 0) m.impossible = true;
    }
    return m.impossible || m.log_max >= goal ? s->draws->draws : UINT64_MAX;
}

err audit_size_rounds(const struct size_rounds *s, uint64_t from, uint64_t to,
                      struct arena *scratch, uint64_t *out, struct fail *f) {
    size_t draws = s->draws->draws, counted = 0, regions = s->c->regions ? s->c->regions : 1;
    uint32_t *seen = arena_array(scratch, draws, sizeof *seen);
    uint32_t *pick = arena_array(scratch, draws, sizeof *pick);
    double *bound = arena_array(scratch, draws * s->n, sizeof *bound);
    struct start *st = arena_array(scratch, s->n, sizeof *st);
    struct audit_region_sums *all = arena_array(scratch, 1 + regions, sizeof *all);
    uint64_t *need = arena_array(scratch, s->n, sizeof *need);
    if (!seen || !pick || !bound || !st || !all || !need)
        return fail_set(f, E_MEMORY, "no memory for an estimate");
    for (size_t i = 0; i < draws; i++)
        if (s->h->state[s->draws->draw[i]] != AUDIT_UNCOUNTED) seen[counted++] = s->draws->draw[i];
    if (counted == 0)
        return fail_set(f, E_STATE, "nothing is counted yet: plan the first round from the margin");
    audit_region_sums(s->c, s->draws->weight, s->h, all);
    for (size_t j = 0; j < s->n; j++) {
        TRY(start_of(s, j, all, seen, counted, scratch, &st[j], f));
        for (size_t i = 0; i < draws; i++) {
            uint32_t g = s->draws->draw[i];
            bound[j * draws + i] = (double)assertion_value(&s->a[j], s->c->bound[g],
                                                           audit_votes(s->c, g), s->c->choices);
        }
    }
    for (uint64_t r = from; r < to; r++) {
        struct rng rng;
        rng_init_stream(&rng, s->seed, r);
        for (size_t i = 0; i < draws; i++) pick[i] = (uint32_t)rng_below(&rng, counted);
        uint64_t most = 0;
        for (size_t j = 0; j < s->n && most != UINT64_MAX; j++) {
            double goal = -log(assertion_limit(&s->a[j], s->alpha));
            need[j] = go_on(s, &st[j], pick, bound + j * draws, goal);
            if (!s->a[j].spare && need[j] > most) most = need[j];
        }
        if (most != UINT64_MAX) {
            uint64_t rule = regional_need(s->a, need, s->n);
            if (rule > most) most = rule;
        }
        out[r - from] = most;
    }
    return OK;
}

static int by_value(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

uint64_t audit_quantile(uint64_t *values, size_t n, double q) {
    qsort(values, n, sizeof *values, by_value);
    size_t at = (size_t)ceil(q * (double)n);
    return values[at == 0 ? 0 : at > n ? n - 1 : at - 1];
}

/* ---- cards ---- */

uint64_t supersimple_size(double alpha, double gamma, double v, double o1, double o2, double u1,
                          double u2) {
    double logs = log(alpha) + o1 * log1p(-1 / (2 * gamma)) + o2 * log1p(-1 / gamma) +
                  u1 * log1p(1 / (2 * gamma)) + u2 * log1p(1 / gamma);
    double n = ceil(-2 * gamma * logs / v), seen = o1 + o2 + u1 + u2;
    return (uint64_t)fmax(n, seen);
}

uint64_t supersimple_size_from_rates(double alpha, double gamma, double v, double r1, double r2,
                                     double s1, double s2) {
    double each = v + 2 * gamma *
                          (r1 * log1p(-1 / (2 * gamma)) + r2 * log1p(-1 / gamma) +
                           s1 * log1p(1 / (2 * gamma)) + s2 * log1p(1 / gamma));
    if (!(each > 0)) return UINT64_MAX;
    double n = ceil(-2 * gamma * log(alpha) / each);
    for (int i = 0; i < 3; i++) /* the rates are of the size that they lead to */
        n = (double)supersimple_size(alpha, gamma, v, ceil(r1 * n), round(r2 * n), ceil(s1 * n),
                                     round(s2 * n));
    return (uint64_t)n;
}
