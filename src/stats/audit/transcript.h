/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The transcript of an audit: one text file of integers (and p as a decimal) from which anyone can
 * do the whole audit again: spec/audit.md. tools/audit-check.awk does so with awk, sha256sum and
 * bc.
 *
 * Draws are integer PPEB without replacement; the test is the mixture. */
#ifndef STATS_AUDIT_TRANSCRIPT_H
#define STATS_AUDIT_TRANSCRIPT_H

#include "crypto/hash.h"
#include "stats/audit/risk.h"
#include "stats/audit/sample.h"

enum { TRANSCRIPT_LIMIT_ONE = 1000000, TRANSCRIPT_P_SLACK_PPM = 1 };

struct transcript {
    struct audit_contest c;
    const struct assertion *a;
    size_t assertions;
    struct hash manifest; /* of the committed file of batches */
    struct span seed;
    uint32_t limit_ppm;  /* risk limit in millionths */
    uint64_t draws;      /* how many draws the seed was read for */
    /* [batches] or NULL: the weights of another contest, whose sample this one shares. Any weights
     * that were fixed before the dice are valid; a batch of weight 0 is never drawn. */
    const uint64_t *shared;
    struct audit_hand h; /* `against` is not used: a batch is counted by itself */
};
struct transcript_result {
    double p[ASSERTIONS_MAX]; /* running p of each assertion at the end */
    bool met[ASSERTIONS_MAX]; /* p + 1e-6 <= its limit (assertion_limit) */
    uint64_t draws;           /* written: fewer than asked when one of them waits for its count */
    uint64_t counted, passed_over,
        ballots;    /* batches counted, not needed; ballots in those counted */
    bool confirmed; /* audit_all_met */
    bool waiting;
};
/* What its draws are proportional to, into weight[batches]: shared, or audit_weights of its assertions. */
MUST_USE err transcript_weights(const struct transcript *t, uint64_t *weight, uint64_t *total,
                                struct fail *f);
/* E_AUDIT_SEED, E_AUDIT_BOUND and what audit_weights refuses. `scratch` for temporary memory. */
MUST_USE err transcript_write(const struct transcript *t, struct arena *scratch, struct buf *out,
                              struct transcript_result *result, struct fail *f);
/* Reads a transcript and does the audit again: E_AUDIT_TRANSCRIPT with the line where it does not
 * hold. What is read lives in `arena` and borrows from `text`; result may be NULL. */
MUST_USE err transcript_check(struct span text, struct arena *arena, struct transcript *out,
                              struct transcript_result *result, struct fail *f);

/* Which of the draws' batches have to be fetched if what has no count yet agrees with the report:
 * needed[batches] is 1 for a batch without a count that a clean audit would not pass over. */
MUST_USE err transcript_needed(const struct transcript *t, struct arena *scratch, uint8_t *needed,
                               struct fail *f);

/* One line "r": an assertion after a draw, for reports. */
struct transcript_step {
    uint64_t draw;
    uint32_t batch, assertion;
    int64_t value, bound; /* A as counted, R as reported */
    double p;
};
/* All steps of a transcript that was checked, into *steps (in `arena`). */
MUST_USE err transcript_steps(const struct transcript *t, struct arena *arena,
                              struct transcript_step **steps, size_t *n, struct fail *f);

#endif
