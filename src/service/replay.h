/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Replaying the stored log at start: one thread reads and hashes, this one folds. */
#ifndef SERVICE_REPLAY_H
#define SERVICE_REPLAY_H

#include "election/fold.h"
#include "store/store.h"
#include "tlog/merkle.h"

/* Called with what the fold made of each entry, in order; may be NULL. */
typedef void replay_visit(void *ctx, const struct applied *a);

/* Entries 0..size-1 into an empty fold and tree. E_DAMAGED with index and reason when the fold
 * refuses one: the store was changed behind the sequencer's back. Signatures are not checked again
 * (verify does). `fold` may be NULL (benchmarks). */
MUST_USE err replay(struct store_reader *r, uint64_t size, struct fold *fold,
                    struct merkle_tree *tree, replay_visit *visit, void *ctx, struct fail *f);

/* The fold's object source over an object store; ctx of the source is `struct replay_objects`. */
struct objects;
struct replay_objects {
    struct objects *store;
    struct buf bytes; /* the last object read */
};
void replay_objects_init(struct replay_objects *o, struct objects *store);
void replay_objects_release(struct replay_objects *o);
struct object_source replay_object_source(struct replay_objects *o);

#endif
