/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sums of weighed stations. Private to election/materiality*.c. */
#ifndef ELECTION_MATERIALITY_IMPL_H
#define ELECTION_MATERIALITY_IMPL_H

#include "election/materiality.h"

struct tallied {
    struct votes all;
    struct votes *regions;
    uint64_t *open; /* voters of each region whose votes are open */
    uint64_t open_all;
    uint64_t *all_votes; /* of the whole, then of each region */
    uint32_t choices;
};
MUST_USE err tallied_new(const struct weighed *w, struct arena *a, struct tallied *t, struct fail *f);
void tallied_add(struct tallied *t, const struct weighed_station *s);
/* The majority rule decides this round (not plurality). */
bool by_majority(const struct weighed *w);

#endif
