/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/verify_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "crypto/ed25519.h"

enum { WORKS = 32, THREADS_MAX = 64, OBJECT_MAX = 1 << 30 };

struct verify_pool {
    struct tree_source source;
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    struct pool_work works[WORKS];
    struct pool_work *idle, *first, *last;
    size_t busy; /* given and not finished */
    bool ending;
    struct verification_found result;
    pthread_t threads[THREADS_MAX];
    unsigned thread_count;
};

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check_object(struct verify_pool *p, const struct named_object *o, struct buf *bytes,
                         struct verification_found *r) {
    char path[80], hex[HASH_HEX_LEN + 1];
    hash_hex(&o->id, hex);
    (void)snprintf(path, sizeof path, "objects/%s", hex);
    buf_clear(bytes);
    struct fail f;
    err e = o->size > OBJECT_MAX ? E_TOO_LARGE
                                 : p->source.get(p->source.ctx, path, o->size, bytes, &f);
    if (e == E_NOT_FOUND) {
        r->objects_absent++;
        return;
    }
    struct hash h = sha256(buf_view(bytes));
    r->objects_checked++;
    r->objects_bytes += bytes->n;
    if (e == OK && bytes->n == o->size && hash_eq(&h, &o->id)) return;
    r->objects_damaged++;
    r->damaged = o->id;
}

static void add_bad(struct verify_pool *p, const struct verification_check *c) {
    pthread_mutex_lock(&p->lock);
    verification_bad(&p->result, c->index, c->line);
    pthread_mutex_unlock(&p->lock);
}

static void do_work(struct verify_pool *p, struct pool_work *w, struct buf *bytes,
                    struct verification_found *r) {
    double t0 = cpu_seconds();
    for (size_t i = 0; i < w->n; i++) {
        const struct verification_check *c = &w->checks[i];
        r->signatures++;
        if (ed25519_verify((const struct ed25519_public *)c->pub,
                           (const struct ed25519_signature *)c->sig, c->message))
            continue;
        r->signatures--;
        add_bad(p, c);
    }
    double t1 = cpu_seconds();
    r->signature_seconds += t1 - t0;
    for (size_t i = 0; i < w->object_count; i++) check_object(p, &w->objects[i], bytes, r);
    if (w->object_count) r->object_seconds += cpu_seconds() - t1;
}

static void add_sums(struct verification_found *to, const struct verification_found *from) {
    to->signatures += from->signatures;
    to->signature_seconds += from->signature_seconds;
    to->object_seconds += from->object_seconds;
    to->objects_checked += from->objects_checked;
    to->objects_bytes += from->objects_bytes;
    to->objects_absent += from->objects_absent;
    if (from->objects_damaged) to->damaged = from->damaged;
    to->objects_damaged += from->objects_damaged;
}

static void *run(void *arg) {
    struct verify_pool *p = arg;
    struct buf bytes;
    buf_init(&bytes, OBJECT_MAX);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->first && !p->ending) pthread_cond_wait(&p->changed, &p->lock);
        struct pool_work *w = p->first;
        if (!w) break;
        p->first = w->next;
        if (!p->first) p->last = NULL;
        pthread_mutex_unlock(&p->lock);
        struct verification_found r = {0};
        do_work(p, w, &bytes, &r);
        pthread_mutex_lock(&p->lock);
        add_sums(&p->result, &r);
        w->next = p->idle;
        p->idle = w;
        p->busy--;
        pthread_cond_broadcast(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    buf_release(&bytes);
    return NULL;
}

err verify_pool_new(unsigned threads, const struct tree_source *s, struct verify_pool **out,
                    struct fail *f) {
    struct verify_pool *p = calloc(1, sizeof *p);
    if (!p) return fail_set(f, E_MEMORY, "no memory for the verification");
    p->source = *s;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    for (size_t i = 0; i < WORKS; i++) {
        buf_init(&p->works[i].bytes, TILE_BUNDLE_MAX);
        p->works[i].next = p->idle;
        p->idle = &p->works[i];
    }
    if (threads == 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        threads = n > 0 ? (unsigned)n : 1;
    }
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    while (p->thread_count < threads &&
           pthread_create(&p->threads[p->thread_count], NULL, run, p) == 0)
        p->thread_count++;
    if (p->thread_count == 0) {
        verify_pool_free(p);
        return fail_set(f, E_MEMORY, "no threads for the verification");
    }
    *out = p;
    return OK;
}

struct pool_work *verify_pool_take(struct verify_pool *p) {
    pthread_mutex_lock(&p->lock);
    while (!p->idle) pthread_cond_wait(&p->changed, &p->lock);
    struct pool_work *w = p->idle;
    p->idle = w->next;
    pthread_mutex_unlock(&p->lock);
    buf_clear(&w->bytes);
    w->n = w->object_count = 0;
    w->next = NULL;
    return w;
}

static err grow(void **p, size_t *room, size_t n, size_t size, struct fail *f) {
    if (n < *room) return OK;
    size_t want = *room ? *room * 2 : 1024;
    void *q = realloc(*p, want * size);
    if (!q) return fail_set(f, E_MEMORY, "no memory for the verification");
    *p = q;
    *room = want;
    return OK;
}

err pool_work_check(struct pool_work *w, const struct verification_check *c, struct fail *f) {
    TRY(grow((void **)&w->checks, &w->room, w->n, sizeof *w->checks, f));
    w->checks[w->n++] = *c;
    return OK;
}

err pool_work_object(struct pool_work *w, const struct named_object *o, struct fail *f) {
    TRY(grow((void **)&w->objects, &w->object_room, w->object_count, sizeof *w->objects, f));
    w->objects[w->object_count++] = *o;
    return OK;
}

void verify_pool_give(struct verify_pool *p, struct pool_work *w) {
    pthread_mutex_lock(&p->lock);
    w->next = NULL;
    if (p->last)
        p->last->next = w;
    else
        p->first = w;
    p->last = w;
    p->busy++;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

void verify_pool_finish(struct verify_pool *p, struct verification_found *out) {
    pthread_mutex_lock(&p->lock);
    while (p->busy) pthread_cond_wait(&p->changed, &p->lock);
    *out = p->result;
    pthread_mutex_unlock(&p->lock);
}

void verify_pool_free(struct verify_pool *p) {
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->ending = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->thread_count; i++) pthread_join(p->threads[i], NULL);
    for (size_t i = 0; i < WORKS; i++) {
        buf_release(&p->works[i].bytes);
        free(p->works[i].checks);
        free(p->works[i].objects);
    }
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
    free(p);
}
