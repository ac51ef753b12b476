/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/martingale.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct bet bet_comparison(enum bet_method method, double mu) {
    struct bet b = {.method = method,
                    .u = 1,
                    .g = method == BET_KAPLAN_WALD ? 0.1 : 0,
                    .d = 100,
                    .c = 0,
                    .eps = 1e-6,
                    .most = 0.95};
    double room = mu > 0 && mu < 1 ? 1 - mu : 0;
    b.eta0 = 1 - room / 10; /* a tenth of the margin lost to errors */
    b.c = room / 2;
    if (method == BET_KELLY) {
        b.points = 4;
        b.d = 300;
        static const double at[] = {1, 1.01, 0.99, 0}, rate[] = {0.958, 0.02, 0.02, 0.002};
        memcpy(b.at, at, sizeof at);
        memcpy(b.rate, rate, sizeof rate);
    }
    return b;
}

struct bet bet_polling(enum bet_method method, double mu, double eta0, double u) {
    struct bet b = {.method = method,
                    .polling = true,
                    .u = u,
                    .g = 0.1,
                    .d = 100,
                    .eta0 = eta0,
                    .c = (eta0 - mu) / 2,
                    .eps = 1e-6,
                    .most = 0.95};
    if (method == BET_KELLY) {
        b.points = 3; /* a vote for the winner, none, one for the loser */
        double w = eta0 / u;
        b.at[0] = u, b.at[1] = u / 2, b.at[2] = 0;
        b.rate[0] = w, b.rate[1] = 0, b.rate[2] = 1 - w;
    }
    return b;
}

bool bet_is_monotone(enum bet_method m) {
    return m == BET_MIXTURE || m == BET_KAPLAN_MARKOV || m == BET_KAPLAN_WALD || m == BET_MACRO;
}
bool bet_is_order_free(enum bet_method m) {
    return bet_is_monotone(m);
}

void mart_init(struct mart *m, const struct bet *b) {
    *m = (struct mart){.bet = *b};
    for (int k = 0; k < MIXTURE_BETS; k++) {
        double half = exp2(-(k + 1) / 2.0);
        m->c[k] = b->polling ? half : 1 - half;
        m->factor[k] = 1;
    }
    m->mean = m->peak = MIXTURE_BETS;
}

void mart_end(struct mart *m) {
    m->certain = true;
    m->log_m = -INFINITY;
}

/* The mixture's mean, with one exponent for all twenty products. A logarithm is taken at new peaks
 * only: it costs more than the twenty products. */
static void step_mixture(struct mart *m, double y) {
    double most = 0, sum = 0;
    for (int k = 0; k < MIXTURE_BETS; k++) {
        m->factor[k] *= 1 + m->c[k] * (y - 1);
        sum += m->factor[k];
    }
    m->mean = sum;
    if (sum > m->peak) {
        m->peak = sum;
        m->log_max = fmax(0, log(sum / MIXTURE_BETS) + (double)m->scale * M_LN2);
    }
    if (sum > 0x1p-400 && sum < 0x1p400) return;
    for (int k = 0; k < MIXTURE_BETS; k++) most = fmax(most, m->factor[k]);
    if (most == 0) return;
    int by = most > 1 ? -400 : 400;
    for (int k = 0; k < MIXTURE_BETS; k++) m->factor[k] = ldexp(m->factor[k], by);
    m->mean = ldexp(m->mean, by);
    m->peak = ldexp(m->peak, by); /* may become infinite: then it stays out of reach */
    m->scale -= by;
}

/* Shrink-trunc: a shrunken mean of what was seen, kept between mu and u. */
static double alpha_lambda(const struct mart *m, double mu) {
    const struct bet *b = &m->bet;
    if (mu >= b->u) return 0;
    double j = (double)m->draws + 1, weight = b->d + j - 1;
    double e = b->c / sqrt(weight);
    double mean = weight > 0 ? (b->d * b->eta0 + m->sum) / weight : b->eta0;
    if (b->f > 0 && m->draws > 1) {
        double lagged = m->sum / (double)m->draws;
        double sd = sqrt(fmax(m->sum_sq / (double)m->draws - lagged * lagged, 0));
        double pull = b->f / fmax(sd, 1e-6);
        mean = (mean + b->u * pull) / (1 + pull);
    }
    double low = mu + e, high = b->u * (1 - b->eps);
    double eta = fmin(high, fmax(low, mean));
    if (eta <= mu) return 0;
    return (eta / mu - 1) / (b->u - mu);
}

static double agrapa_lambda(const struct mart *m, double mu) {
    const struct bet *b = &m->bet;
    /* One observation at eta0 stands before the first draw. */
    double n = (double)m->draws + 1;
    double mean = (b->eta0 + m->sum) / n;
    double var = fmax((b->eta0 * b->eta0 + m->sum_sq) / n - mean * mean, 0);
    double away = mean - mu, below = var + away * away;
    if (away <= 0 || below <= 0) return 0;
    return fmin(away / below, b->most / mu);
}

/* argmax over [0, 1/mu] of the expected log growth (concave): Newton's steps, kept in a bracket. */
static double kelly_lambda(const struct mart *m, double mu) {
    const struct bet *b = &m->bet;
    double weight = b->d + (double)m->draws, rate[KELLY_POINTS], low = 0, high = 1 / mu;
    for (int k = 0; k < b->points; k++) rate[k] = (b->d * b->rate[k] + m->count[k]) / weight;
    double at = high / 2;
    for (int i = 0; i < 50 && high - low > 1e-12 / mu; i++) {
        double slope = 0, curve = 0;
        for (int k = 0; k < b->points; k++) {
            double away = b->at[k] - mu, term = away / fmax(1 + at * away, DBL_MIN);
            slope += rate[k] * term;
            curve += rate[k] * term * term;
        }
        if (slope > 0)
            low = at;
        else
            high = at;
        double next = curve > 0 ? at + slope / curve : at;
        if (!(next > low && next < high)) next = (low + high) / 2;
        if (fabs(next - at) < 1e-12 / mu) return next;
        at = next;
    }
    return low;
}

double mart_lambda(const struct mart *m, double mu) {
    switch (m->bet.method) {
    case BET_MIXTURE:
        return NAN;
    case BET_KAPLAN_MARKOV:
    case BET_MACRO:
        return 1 / (mu + m->bet.g);
    case BET_KAPLAN_WALD:
        return (1 - m->bet.g) / mu;
    case BET_ALPHA:
        return alpha_lambda(m, mu);
    case BET_AGRAPA:
        return agrapa_lambda(m, mu);
    case BET_KELLY:
        return kelly_lambda(m, mu);
    }
    return 0;
}

/* What the adapting bets learn from, after the bet was made. */
static void learn(struct mart *m, double x) {
    m->draws++;
    m->sum += x;
    m->sum_sq += x * x;
    const struct bet *b = &m->bet;
    if (b->method != BET_KELLY) return;
    int at = 0; /* the nearest point: this only estimates rates */
    for (int k = 1; k < b->points; k++)
        if (fabs(b->at[k] - x) < fabs(b->at[at] - x)) at = k;
    m->count[at]++;
}

void mart_step(struct mart *m, double x, double mu) {
    if (m->impossible || m->certain) return;
    if (mu < 0 || (mu == 0 && x > 0)) {
        m->impossible = true;
        return;
    }
    const struct bet *b = &m->bet;
    if (b->method == BET_MACRO && x > 1) x = 1;
    if (mu > 0) {
        if (b->method == BET_MIXTURE) {
            step_mixture(m, x / mu);
        } else {
            /* rounding may put lambda a hair above 1/mu, and a factor below 0 */
            double factor = 1 + fmin(mart_lambda(m, mu), 1 / mu) * (x - mu);
            m->log_m += factor > 0 ? log(factor) : -INFINITY;
            m->log_max = fmax(m->log_max, m->log_m);
        }
    }
    learn(m, x);
}

double mart_p(const struct mart *m) {
    return m->impossible ? 0 : fmin(1, exp(-m->log_max));
}

double mart_log(const struct mart *m) {
    if (m->bet.method != BET_MIXTURE || m->certain) return m->log_m;
    return log(m->mean / MIXTURE_BETS) + (double)m->scale * M_LN2;
}

double mart_p_now(const struct mart *m) {
    return m->impossible ? 0 : fmin(1, exp(-mart_log(m)));
}
