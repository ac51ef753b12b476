/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A risk-limiting audit from the records of a log: the committed list, the dice and the hand counts put
 * together, computed again, and compared with what the records say. */
#ifndef SERVICE_AUDIT_LOG_H
#define SERVICE_AUDIT_LOG_H

#include "election/audits.h"
#include "service/audit_files.h"
#include "stats/audit/transcript.h"

/* Where public objects are read: appends the bytes, which are checked against their hash here. */
struct audit_objects {
    err (*get)(void *ctx, const struct hash *id, uint64_t size, struct buf *out, struct fail *f);
    void *ctx;
};

struct audit_log {
    struct arena arena; /* everything below lives here */
    const struct fold *fold;
    const struct audit_plan *plan, *dice; /* the same, unless the sample is another plan's */
    uint32_t plan_index;
    struct audit_batches list;
    uint32_t *station; /* [batches] its unit */
    uint8_t *failed;   /* [batches] compliance failed and the bound is not wide enough: the box counts as lost */
    uint32_t *order;   /* [batches] the order of the dice, then what they never draw; NULL: no dice */
    struct transcript t;
    struct transcript_result result; /* after audit_log_run */
    uint8_t *needed; /* [batches] after a run: to be fetched, if all that has no count yet is clean */
    uint64_t agreed, waiting, differing, targeted; /* drawn boxes: counted; needed and without a count; with counts
                                                      that differ so far; boxes outside the test */
    bool full;        /* every station of the list is counted */
    bool full_holds;  /* and the hand counts give the outcome: every assertion is true */
    bool confirmed;   /* the test, or the full count, confirms the outcome */
};
/* Reads plan number `plan`. E_OBJECT_MISSING, E_OBJECT (the list was changed), E_AUDIT_BATCHES (it names
 * a station or choice that the election does not have), E_AUDIT_OUTCOME (an assertion that the list does
 * not give), E_AUDIT_DRAW (the log's order of draws is not what the dice give), E_AUDIT_BOUND. Release in
 * any case. */
MUST_USE err audit_log_open(const struct fold *fold, uint32_t plan, const struct audit_objects *o,
                            struct audit_log *out, struct fail *f);
void audit_log_release(struct audit_log *a);

/* The order of draws for these digits, of all batches, into order[batches] (in a->arena). */
MUST_USE err audit_log_order(struct audit_log *a, struct span digits, uint32_t **order, struct fail *f);
/* The list of draws as the object that an audit-seed record names. */
void audit_log_draws_object(const struct audit_log *a, const uint32_t *order, struct buf *out);

/* Does the audit with the counts of the log, appending the transcript (NULL: not wanted). Needs dice. */
MUST_USE err audit_log_run(struct audit_log *a, struct buf *transcript, struct fail *f);
/* After a run: what an audit-close record may say now; AUDIT_OPEN: nothing yet. */
enum audit_end audit_log_end(const struct audit_log *a);
/* What is wrong with the audit as recorded: compares draws, transcript and the close's words with what is
 * computed. OK, or the first contradiction. */
MUST_USE err audit_log_check(struct audit_log *a, const struct audit_objects *o, struct fail *f);

/* The name of assertion j, with the names of choices and unit. */
void audit_log_claim(const struct audit_log *a, size_t j, char *out, size_t max);

#endif
