/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Betting test supermartingales: M <- M * (1 + lambda * (x - mu)), 0 <= lambda <= 1/mu, M_0 = 1.
 *
 * x >= 0 is what a draw shows, mu its conditional mean under the null; lambda is fixed before the
 * draw. p = min(1, 1/max M) is valid at any stopping time (Ville). Sources: Waudby-Smith and Ramdas
 * (2024), Stark's ALPHA (2023), COBRA (Spertus 2023), Kaplan-Markov and Kaplan-Wald (Stark 2009).
 */
#ifndef STATS_AUDIT_MARTINGALE_H
#define STATS_AUDIT_MARTINGALE_H

#include <stdbool.h>
#include <stdint.h>

enum bet_method {
    BET_MIXTURE, /* mean of 20 fixed bets lambda = c_k / mu: the default, nothing to tune */
    BET_KAPLAN_MARKOV,
    BET_KAPLAN_WALD,
    BET_ALPHA,
    BET_AGRAPA,
    BET_KELLY,
    BET_MACRO, /* Kaplan-Markov that counts understatements as none, as MACRO does */
};

enum { MIXTURE_BETS = 20, KELLY_POINTS = 4 };

/* Parameters, fixed before the seed. */
struct bet {
    enum bet_method method;
    bool
        polling; /* BET_MIXTURE: small bets c_k = 2^(-k/2) (polling, ONEAudit), else 1 - 2^(-k/2) */
    double u;    /* BET_ALPHA, BET_KELLY: upper bound of x; larger x count as u */
    double g;    /* BET_KAPLAN_MARKOV: (x+g)/(mu+g); BET_KAPLAN_WALD: (1-g) x/mu + g */
    /* BET_ALPHA (shrink-trunc), and aGRAPA's lagged mean: expected mean before any draw, its weight
     * in draws, the distance kept from mu, the pull to u by deviation, the distance kept from u */
    double eta0, d, c, f, eps;
    double most; /* BET_AGRAPA: lambda <= most/mu */
    /* BET_KELLY: values that x takes and their rates before any draw (weight d) */
    int points;
    double at[KELLY_POINTS], rate[KELLY_POINTS];
};

/* Sensible parameters for batch or ballot comparison (clean x = u = 1) with null mean `mu` before
 * the first draw, and for polling with expected mean eta0. */
struct bet bet_comparison(enum bet_method method, double mu);
struct bet bet_polling(enum bet_method method, double mu, double eta0, double u);

/* Raising one x never raises p: true for the mixture, Kaplan-Markov and Kaplan-Wald. */
bool bet_is_monotone(enum bet_method m);
/* p does not depend on the order of draws when they are made with replacement. */
bool bet_is_order_free(enum bet_method m);

struct mart {
    struct bet bet;
    double factor[MIXTURE_BETS]; /* products, times 2^scale */
    double c[MIXTURE_BETS];
    int64_t scale;
    double log_m, log_max; /* natural logarithms of M now (not kept for the mixture) and at most */
    double mean, peak;     /* BET_MIXTURE: 20 M now and at most, times 2^scale */
    uint64_t draws;
    double sum, sum_sq, count[KELLY_POINTS];
    bool impossible; /* the null cannot be true: p = 0 */
    bool certain;    /* the null is true: M = 0 from here on */
};

void mart_init(struct mart *m, const struct bet *b);
/* One draw. mu < 0: impossible; mu = 0: impossible if x > 0, else nothing changes. */
void mart_step(struct mart *m, double x, double mu);
/* The rest cannot reach the null total any more: M = 0 (the p reached before stays valid). */
void mart_end(struct mart *m);
/* The lambda that the next draw would be bet with (BET_MIXTURE: NaN, it has twenty). */
double mart_lambda(const struct mart *m, double mu);

double mart_log(const struct mart *m);   /* ln M now; -infinity when M = 0 */
double mart_p(const struct mart *m);     /* min(1, 1/max M), 0 if impossible */
double mart_p_now(const struct mart *m); /* min(1, 1/M): for draws of unknown order */

#endif
