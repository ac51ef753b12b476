/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What voiding stations would do: the outcome without them, and the fewest whose voiding would
 * change it. A list of such stations is a list of targets: for a court's bundle only.
 *
 * Voiding takes a batch's votes and ballots out of the contest. Where one linear margin decides,
 * sorting gives the exact least number; where several must change at once, bounds are given. */
#ifndef STATS_AUDIT_COURT_H
#define STATS_AUDIT_COURT_H

#include "stats/audit/assorter.h"

struct court_flip {
    bool possible;
    uint64_t least, most; /* bounds of the fewest batches; equal where the number is exact */
    uint64_t ballots;     /* in the batches of the list */
};
/* The fewest batches of the assertion's region whose voiding makes it false: exact. list[max] gets
 * them, largest effect first (as many as fit; NULL: none). */
MUST_USE err court_breaks(const struct audit_contest *c, const struct assertion *a,
                          struct arena *scratch, uint32_t *list, size_t max, struct court_flip *out,
                          struct fail *f);
/* The same for the whole outcome under a rule: its cheapest assertion, or for the regional rule
 * enough of the cheapest regions. */
MUST_USE err court_outcome_fails(const struct audit_contest *c, const struct audit_rule *rule,
                                 struct arena *scratch, uint32_t *list, size_t max,
                                 struct court_flip *out, struct fail *f);
/* The fewest batches whose voiding would give `choice` the most votes, and more than half of the
 * valid ones if the rule asks for a majority. The regional rule is not looked at. */
MUST_USE err court_elects(const struct audit_contest *c, const struct audit_rule *rule,
                          uint32_t choice, struct arena *scratch, uint32_t *list, size_t max,
                          struct court_flip *out, struct fail *f);

#endif
