/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Which form a clerk enters next. A pure function of the log and the clerk's key, so that nobody hands
 * out work and two desks do not take the same form at the same time: each form has an order of the
 * people who may read it (by a hash of form and key), and is first offered to the foremost of them. */
#ifndef ELECTION_DESK_QUEUE_H
#define ELECTION_DESK_QUEUE_H

#include "base/arena.h"
#include "election/desk.h"

enum desk_tier {
    TIER_OWN,   /* this key is among the foremost of those who may read it */
    TIER_OTHER, /* somebody else is; done by whoever has nothing else to do */
};

struct desk_task {
    uint32_t cell;
    uint32_t image; /* what is sealed: the first page of the newest original, else of what there is */
    bool resumes;   /* readings are open already: a third is asked for, or one that lapsed is replaced */
    uint8_t tier;   /* enum desk_tier */
    uint64_t order;
};

/* What this key may enter at `now_ms`, the first first: own before others', resumed before new. In the
 * arena. E_REFERENCE if there is no such key; an empty list when it may read nothing. */
MUST_USE err desk_queue(const struct fold *fold, struct span key_name, uint64_t now_ms, struct arena *a,
                        struct desk_task **out, size_t *n, struct fail *f);
/* The image that a reading of this cell is of; NO_IMAGE: there is none yet. */
uint32_t desk_image(const struct fold *fold, const struct cell *c);

#endif
