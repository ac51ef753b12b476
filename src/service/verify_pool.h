/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Workers for verify: signatures and object hashes, on all cores, bounded. */
#ifndef SERVICE_VERIFY_POOL_H
#define SERVICE_VERIFY_POOL_H

#include "election/verification.h"
#include "service/tree_source.h"

struct verify_pool;

/* A bundle's worth of checks with the bytes that they borrow from; filled by the caller. */
struct pool_work {
    struct buf bytes;
    struct verification_check *checks;
    size_t n, room;
    struct named_object *objects;
    size_t object_count, object_room;
    struct pool_work *next;
};

MUST_USE err verify_pool_new(unsigned threads, const struct tree_source *s, struct verify_pool **out,
                             struct fail *f);
/* An empty piece of work (reused when there is one; waits when too many are under way). */
struct pool_work *verify_pool_take(struct verify_pool *p);
MUST_USE err pool_work_check(struct pool_work *w, const struct verification_check *c, struct fail *f);
MUST_USE err pool_work_object(struct pool_work *w, const struct named_object *o, struct fail *f);
void verify_pool_give(struct verify_pool *p, struct pool_work *w);
/* Waits for everything given. */
void verify_pool_finish(struct verify_pool *p, struct verification_found *out);
void verify_pool_free(struct verify_pool *p);

#endif
