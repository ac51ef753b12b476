/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The log's side of witnessing: which witnesses the manifest's policy names, whether they agree
 * with the stored log before anything is signed, and collecting their cosignatures of each
 * published checkpoint. Speaks to peers through a transport that http/ implements. */
#ifndef SERVICE_WITNESSING_H
#define SERVICE_WITNESSING_H

#include "service/publisher.h"
#include "tlog/policy.h"

/* One exchange with a peer. *status and *answer are filled when OK; E_NETWORK when there was no
 * answer. GET when body.p is NULL, else POST. */
struct transport {
    err (*exchange)(void *ctx, const char *url, struct span body, int *status, struct buf *answer,
                    struct fail *f);
    void *ctx;
};

struct witnessing;

/* The policy of the log's manifest (none yet: no witnesses). `overrides`: URLs for witnesses by
 * name, "name=url", in place of those in the policy; may be NULL. */
MUST_USE err witnessing_open(struct sequencer *q, struct publisher *p, const struct transport *t,
                             const char *const *overrides, size_t override_count,
                             struct witnessing **out, struct fail *f);
void witnessing_close(struct witnessing *w); /* stops the thread */

/* How many witnesses the policy names. */
size_t witnessing_count(const struct witnessing *w);
/* Asks every witness for its latest checkpoint of this log and checks that the stored log extends
 * it. OK when enough of them to meet the policy agree (or none is named); E_UNCONFIRMED when too
 * few answered; E_ROLLBACK when one has seen more than is stored; E_FORK when one has seen another
 * log. */
MUST_USE err witnessing_confirm(struct witnessing *w, struct fail *f);
/* Compares the clock with the times of new cosignatures of the newest checkpoint: while it is away
 * from their median the sequencer is paused; otherwise, and when no witness answers, it is not. */
MUST_USE err witnessing_clock(struct witnessing *w, struct fail *f);
MUST_USE err witnessing_start(struct witnessing *w, struct fail *f);
/* A checkpoint was published. */
void witnessing_wake(struct witnessing *w);
/* One round now: sends the published checkpoint to every witness that has not cosigned it. OK when
 * the policy is met afterwards, E_QUORUM with a sentence when it is not. */
MUST_USE err witnessing_round(struct witnessing *w, struct fail *f);

#endif
