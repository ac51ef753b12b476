/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The publisher: at each tick the public tree gets the log's new tiles, the results that changed, the
 * checkpoint, and head.json last. Everything it writes can be recomputed from the log.
 *
 * Results are made with the fold in hand, so the sequencer waits for that long; pages of units in slices
 * of some milliseconds between which it has its turn.
 *
 * Tiles are cut per tick, not per batch, so a busy log does not leave a file for every batch. */
#ifndef SERVICE_PUBLISHER_H
#define SERVICE_PUBLISHER_H

#include "service/sequencer.h"

struct publisher;
struct watching;

struct publisher_options {
    const char *public_dir;
    uint32_t interval_ms; /* shortest time between ticks; 0: 1000. After a tick it rests four times the
                           * processor time that the tick took, but no longer than 5 s */
    bool no_results;      /* tiles and checkpoint only (benchmarks) */
    const char *portal_dir; /* files that the portal shows as they are: map.json, boundaries.json; NULL */
    const char *note;     /* one sentence for head.json and the page, e.g. that there are no witnesses */
    struct watching *watching; /* live forensics (service/watching.h), borrowed: watch.json; or NULL */
    /* Called after a tick, by the publisher's thread: head.json's bytes. */
    void (*published)(void *ctx, uint64_t size, struct span head);
    /* Called after a tick, by one thread at a time: what the live watch found in it (watching_news). */
    void (*watched)(void *ctx, struct span news);
    /* Called when the tree could not be written: what is on the disk is whole, but nothing more is
     * published by this process, so stop the daemon. */
    void (*failed)(void *ctx, const struct fail *f);
    void *ctx;
    /* Tests: called at the steps "rendered" (before anything has its name) and "published" of each
     * tick. NULL in production. */
    void (*reached)(const char *step);
};

/* Writes log.vkey and, once there is a manifest, anchor. The thread starts with publisher_start; it
 * also compares every published tile with the log once, and makes those again that differ or are
 * missing (service/repair.h). E_ROLLBACK when the tree shows a checkpoint that this log's key signed
 * and the stored log does not contain: the private folder is an older copy. */
MUST_USE err publisher_open(const struct publisher_options *o, struct sequencer *q,
                            struct publisher **out, struct fail *f);
MUST_USE err publisher_start(struct publisher *p, struct fail *f);
/* A last tick, then the thread ends. */
void publisher_stop(struct publisher *p);
void publisher_close(struct publisher *p);

/* One tick, now (without the thread, or beside it). */
MUST_USE err publisher_tick(struct publisher *p, struct fail *f);
/* Something was committed: a tick is due. */
void publisher_wake(struct publisher *p);

/* Units whose pages are to be looked at again, as of the last tick; 1 before the first one. */
size_t publisher_pages_due(const struct publisher *p);

/* The newest published checkpoint: its note, with the cosignatures there are. */
MUST_USE err publisher_checkpoint(struct publisher *p, uint64_t *size, struct buf *out,
                                  struct fail *f);
/* The newest checkpoint that meets the witness policy, with its cosignatures; size 0 and nothing
 * appended while there is none (since start). */
MUST_USE err publisher_witnessed(struct publisher *p, uint64_t *size, struct buf *out,
                                 struct fail *f);
/* Cosignature lines for the published checkpoint of `size`: kept as witnessed/SIZE; `quorum` tells
 * whether the policy is met with them. */
MUST_USE err publisher_cosigned(struct publisher *p, uint64_t size, struct span note, bool quorum,
                                struct fail *f);

/* The policy is met by the cosignatures that the published checkpoint of `size` has already. */
MUST_USE err publisher_quorum(struct publisher *p, uint64_t size, struct fail *f);

#endif
