/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Workers for verify: signatures and object hashes, on all cores, bounded. */
#ifndef SERVICE_VERIFY_POOL_H
#define SERVICE_VERIFY_POOL_H

#include "crypto/hash.h"
#include "election/record.h"
#include "service/tree_source.h"

struct verify_pool;

enum { POOL_BAD_MAX = 1000 };

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

struct pool_sums {
    uint64_t signatures;
    double signature_seconds, object_seconds; /* processor time */
    uint64_t objects_checked, objects_bytes, objects_absent, objects_damaged;
    struct hash damaged; /* one of them */
};

/* A signature that does not hold. */
struct pool_bad {
    uint64_t index; /* of the entry */
    uint8_t line;
};

struct pool_result {
    struct pool_sums sums;
    uint64_t bad_count;
    size_t bad_listed;
    struct pool_bad bad[POOL_BAD_MAX]; /* the first of them, ascending */
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
