/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Single ballot cards: polling, card-level comparison, ONEAudit. The test is the same martingale.
 *
 * Assorter of a card for "share > f": 1/(2f) for the winner, 0 for another valid vote, 1/2 for no
 * valid vote, upper bound u = 1/(2f); a plurality is f = 1/2 over the two choices. The assertion is
 * true when the mean over all cards is more than 1/2. Sources: Stark (SHANGRLA, 2020); Stark,
 * "ONEAudit" (2023). */
#ifndef STATS_AUDIT_CARDS_H
#define STATS_AUDIT_CARDS_H

#include <stdint.h>

enum card_vote { CARD_NONE, CARD_WINNER, CARD_LOSER };

double card_assort(enum card_vote vote, double f); /* 0 < f < 1 */
static inline double card_upper(double f) {
    return 1 / (2 * f);
}
/* Overstatement assorter (1 - omega/u) / (2 - v/u): omega = reported minus counted assort value, v
 * the reported assorter margin 2*mean - 1, u the upper bound. With ONEAudit the reported value of a
 * card in a pool is the pool's mean. A card that cannot be found counts as 0. */
double card_overstatement(double omega, double v, double u);
/* Upper bound of the overstatement assorter. */
double card_overstatement_upper(double v, double u);
/* Reported assort value of every card of a pool: (w/(2f) + none/2) / cards. */
double card_pool_mean(uint64_t winner, uint64_t loser, uint64_t cards, double f);
/* Conditional mean of card i (from 1) of N drawn without replacement under the null mean 1/2, `sum`
 * over the cards before it. N = 0: drawn with replacement. */
double card_null_mean(uint64_t n_cards, uint64_t i, double sum);

#endif
