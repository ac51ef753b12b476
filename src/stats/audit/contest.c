/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/audit/contest.h"

#include <inttypes.h>

err audit_contest_check(const struct audit_contest *c, struct fail *f) {
    if (c->batches == 0 || c->batches > UINT32_MAX)
        return fail_set(f, E_RANGE, "an audit needs 1 to 4,294,967,295 batches, not %zu",
                        c->batches);
    if (c->choices < 1 || c->choices > AUDIT_CHOICES_MAX)
        return fail_set(f, E_RANGE, "a contest has 1 to %d choices, not %zu", AUDIT_CHOICES_MAX,
                        c->choices);
    if (c->regions > AUDIT_REGIONS_MAX)
        return fail_set(f, E_RANGE, "an audit has at most %d regions, not %zu", AUDIT_REGIONS_MAX,
                        c->regions);
    uint64_t ballots = 0;
    for (size_t g = 0; g < c->batches; g++) {
        const uint64_t *v = audit_votes(c, g);
        uint64_t valid = 0;
        for (size_t j = 0; j < c->choices; j++) {
            if (v[j] >= AUDIT_BALLOTS_MAX)
                return fail_set(f, E_RANGE, "batch %zu: %" PRIu64 " votes is out of range", g,
                                v[j]);
            valid += v[j];
        }
        if (valid > c->bound[g])
            return fail_set(f, E_AUDIT_BOUND,
                            "batch %zu reports %" PRIu64 " votes, more than its %" PRIu64
                            " ballots: correct the bound before the audit is planned",
                            g, valid, c->bound[g]);
        if (c->bound[g] >= AUDIT_BALLOTS_MAX || (ballots += c->bound[g]) >= AUDIT_BALLOTS_MAX)
            return fail_set(f, E_OVERFLOW, "the batches hold more than 2^40 ballots in all");
        if (c->region && c->region[g] >= c->regions)
            return fail_set(f, E_RANGE, "batch %zu lies in region %" PRIu32 " of %zu", g,
                            c->region[g], c->regions);
    }
    return OK;
}

void audit_totals(const struct audit_contest *c, uint32_t region, uint64_t *out,
                  uint64_t *ballots) {
    memset(out, 0, c->choices * sizeof *out);
    *ballots = 0;
    for (size_t g = 0; g < c->batches; g++) {
        if (!audit_holds(c, region, g)) continue;
        const uint64_t *v = audit_votes(c, g);
        for (size_t j = 0; j < c->choices; j++) out[j] += v[j];
        *ballots += c->bound[g];
    }
}
