/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Workers for verify: signatures and object hashes, on all cores, bounded. */
#ifndef SERVICE_VERIFY_POOL_H
#define SERVICE_VERIFY_POOL_H

#include "crypto/hash.h"
#include "election/record.h"
#include "service/tree_source.h"

struct verify_pool;

struct pool_check {
    uint8_t pub[32], sig[64];
    struct span message; /* in the work's bytes */
    uint64_t index;
    uint8_t line;
};

/* A bundle's worth of checks with the bytes that they borrow from; filled by the caller. */
struct pool_work {
    struct buf bytes;
    struct pool_check *checks;
    size_t n, room;
    struct named_object *objects;
    size_t object_count, object_room;
    struct pool_work *next;
};

struct pool_result {
    uint64_t signatures;
    double signature_seconds, object_seconds; /* processor time */
    uint64_t bad_index; /* the first entry with a signature that does not hold; UINT64_MAX */
    uint8_t bad_line;
    uint64_t objects_checked, objects_bytes, objects_absent, objects_damaged;
    struct hash damaged; /* one of them */
};

MUST_USE err verify_pool_new(unsigned threads, const struct tree_source *s, struct verify_pool **out,
                             struct fail *f);
/* An empty piece of work (reused when there is one; waits when too many are under way). */
struct pool_work *verify_pool_take(struct verify_pool *p);
MUST_USE err pool_work_check(struct pool_work *w, const struct pool_check *c, struct fail *f);
MUST_USE err pool_work_object(struct pool_work *w, const struct named_object *o, struct fail *f);
void verify_pool_give(struct verify_pool *p, struct pool_work *w);
/* Waits for everything given. */
void verify_pool_finish(struct verify_pool *p, struct pool_result *out);
void verify_pool_free(struct verify_pool *p);

#endif
