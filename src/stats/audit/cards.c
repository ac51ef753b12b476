/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/cards.h"

double card_assort(enum card_vote vote, double f) {
    return vote == CARD_WINNER ? card_upper(f) : vote == CARD_LOSER ? 0 : 0.5;
}

double card_overstatement(double omega, double v, double u) {
    return (1 - omega / u) / (2 - v / u);
}

double card_overstatement_upper(double v, double u) {
    return card_overstatement(-u, v, u);
}

double card_pool_mean(uint64_t winner, uint64_t loser, uint64_t cards, double f) {
    double none = (double)(cards - winner - loser);
    return ((double)winner * card_upper(f) + none / 2) / (double)cards;
}

double card_null_mean(uint64_t n_cards, uint64_t i, double sum) {
    if (n_cards == 0) return 0.5;
    if (i > n_cards) return 0.5;
    return ((double)n_cards / 2 - sum) / (double)(n_cards - i + 1);
}
