/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/verify.h"

#include <stdlib.h>
#include "base/clock.h"
#include "service/verify_pool.h"

struct run {
    const struct tree_source *source;
    struct verify_pool *pool;
    struct pool_work *work; /* being filled */
};

static err get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f) {
    const struct run *x = ctx;
    return x->source->get(x->source->ctx, path, max, out, f);
}

static struct buf *bundle(void *ctx) {
    struct run *x = ctx;
    x->work = verify_pool_take(x->pool);
    return &x->work->bytes;
}

static err check(void *ctx, const struct verification_check *c, struct fail *f) {
    struct run *x = ctx;
    return pool_work_check(x->work, c, f);
}

static err object(void *ctx, const struct named_object *o, struct fail *f) {
    struct run *x = ctx;
    return pool_work_object(x->work, o, f);
}

static void give(void *ctx) {
    struct run *x = ctx;
    verify_pool_give(x->pool, x->work);
    x->work = NULL;
}

static err run_steps(struct verification *v, const struct verify_options *o,
                     const struct verify_report *r, struct fail *f) {
    uint64_t before = 0;
    for (bool more = true; more;) {
        TRY(verification_step(v, &more, f));
        uint64_t done = verification_done(v);
        if (o->progress && done != before) o->progress(o->ctx, done, r->size);
        before = done;
    }
    return OK;
}

err verify_tree(const struct tree_source *s, const struct verify_options *o,
                struct verify_report *out, struct fail *f) {
    struct run x = {.source = s};
    struct verification_io io = {get, bundle, check, o->skip_objects ? NULL : object, give, &x};
    struct verification_options vo = {.anchor = o->anchor, .policy = o->policy,
                                      .skip_results = o->skip_results};
    struct verification *v = NULL;
    double from = clock_seconds();
    struct verification_found *found = malloc(sizeof *found);
    out->fold = NULL;
    err e = found ? verify_pool_new(o->threads, s, &x.pool, f)
                  : fail_set(f, E_MEMORY, "no memory for the verification");
    if (e == OK) e = verification_new(&io, &vo, out, &v, f);
    if (e == OK) e = run_steps(v, o, out, f);
    if (e == OK) {
        verify_pool_finish(x.pool, found);
        verification_finish(v, found);
    }
    verification_free(v);
    verify_pool_free(x.pool);
    free(found);
    out->seconds = clock_seconds() - from;
    if (e != OK || !o->keep_fold) {
        fold_free(out->fold);
        out->fold = NULL;
    }
    return e;
}
