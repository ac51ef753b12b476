/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One contest under audit: batches (ballot boxes, stations) with the most ballots each can hold,
 * the votes reported for each choice, and the region that each lies in.
 *
 * All figures are integers. A batch whose form is missing is reported with no votes: its assorter
 * value is then 1/2 per ballot, as for ballots without a valid vote. */
#ifndef STATS_AUDIT_CONTEST_H
#define STATS_AUDIT_CONTEST_H

#include "base/arena.h"
#include "base/err.h"

enum {
    AUDIT_CHOICES_MAX = 1000,
    AUDIT_REGIONS_MAX = 65535,
};
/* Sums of ballots stay below this, so that every assorter sum fits in 63 bits. */
#define AUDIT_BALLOTS_MAX ((uint64_t)1 << 40)
#define AUDIT_EVERYWHERE  UINT32_MAX

/* Plain values, borrowed: they stay valid as long as the audit that uses them. */
struct audit_contest {
    size_t batches, choices, regions;
    const uint64_t *bound;  /* [batches] most ballots in the box: cast, delivered or registered */
    const uint64_t *votes;  /* [batches * choices] as reported */
    const uint32_t *region; /* [batches] below `regions`; NULL when there is one region */
};

static inline const uint64_t *audit_votes(const struct audit_contest *c, size_t batch) {
    return c->votes + batch * c->choices;
}
static inline uint32_t audit_region(const struct audit_contest *c, size_t batch) {
    return c->region ? c->region[batch] : 0;
}
static inline bool audit_holds(const struct audit_contest *c, uint32_t region, size_t batch) {
    return region == AUDIT_EVERYWHERE || audit_region(c, batch) == region;
}

/* Nothing out of range: E_AUDIT_BOUND where a batch reports more votes than ballots, E_RANGE for
 * sizes, E_OVERFLOW for sums. Everything below relies on a contest that passed. */
MUST_USE err audit_contest_check(const struct audit_contest *c, struct fail *f);

/* Votes per choice (out[choices]) and ballots over a region or AUDIT_EVERYWHERE. */
void audit_totals(const struct audit_contest *c, uint32_t region, uint64_t *out, uint64_t *ballots);

/* What hands counted. `votes` is meaningful where `state` says counted. */
enum audit_state {
    AUDIT_UNCOUNTED = 0,
    AUDIT_COUNTED = 1,
    AUDIT_LOST = 2, /* the box cannot be produced: every assorter value is 0 */
};
struct audit_hand {
    const uint8_t *state;  /* [batches] enum audit_state */
    const uint64_t *votes; /* [batches * choices] */
    /* [batches * choices], or NULL: the report that a hand count is compared with where a batch was
     * counted together with others (the sum of its parts). NULL means the batch's own report. */
    const uint64_t *against;
};

#endif
