/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/replay.h"

#include <pthread.h>
#include <stdlib.h>
#include "store/objects.h"

enum { CHUNK = 4096, CHUNKS = 3, OBJECT_MAX = 1 << 30 };

struct chunk {
    struct buf bytes;
    size_t n;
    uint32_t end[CHUNK]; /* where entry i ends in bytes */
    bool ready;          /* filled and hashed, not yet folded */
};

struct work {
    struct store_reader *reader;
    struct merkle_tree *tree;
    uint64_t size;
    pthread_mutex_t lock; /* ready, ended */
    pthread_cond_t changed;
    struct chunk chunk[CHUNKS];
    struct chunk *filling; /* by the reader only */
    bool stop;             /* the folding side gave up */
    err code;
    struct fail fail;
};

static err take_entry(void *ctx, uint64_t index, struct span entry, struct fail *f) {
    struct work *w = ctx;
    struct chunk *c = w->filling;
    (void)index;
    struct hash leaf = merkle_leaf(entry);
    TRY(merkle_tree_append(w->tree, &leaf, f));
    buf_span(&c->bytes, entry);
    c->end[c->n++] = (uint32_t)c->bytes.n;
    return buf_ok(&c->bytes, f);
}

static void *reading(void *arg) {
    struct work *w = arg;
    err e = OK;
    struct fail f = {0};
    for (uint64_t at = 0, k = 0; at < w->size && e == OK; k++) {
        struct chunk *c = &w->chunk[k % CHUNKS];
        pthread_mutex_lock(&w->lock);
        while (c->ready && !w->stop) pthread_cond_wait(&w->changed, &w->lock);
        bool stop = w->stop;
        pthread_mutex_unlock(&w->lock);
        if (stop) return NULL;
        uint64_t count = w->size - at < CHUNK ? w->size - at : CHUNK;
        buf_clear(&c->bytes);
        c->n = 0;
        w->filling = c;
        e = store_read(w->reader, at, count, take_entry, w, &f);
        at += count;
        pthread_mutex_lock(&w->lock);
        if (e == OK) c->ready = true;
        if (e != OK) {
            w->code = e;
            w->fail = f;
        }
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

static err fold_chunk(const struct chunk *c, struct fold *fold, struct applied *out,
                      replay_visit *visit, void *ctx, struct fail *f) {
    for (size_t i = 0; i < c->n && fold; i++) {
        size_t from = i ? c->end[i - 1] : 0;
        struct span entry = span_of(c->bytes.p + from, c->end[i] - from);
        err e = fold_apply(fold, entry, out, f);
        if (e == OK) {
            if (visit) visit(ctx, out);
            continue;
        }
        fail_context(f, e, "stored entry %llu is refused", (unsigned long long)fold_size(fold));
        if (e == E_MEMORY || e == E_OBJECT_MISSING) return e;
        char text[sizeof f->text];
        memcpy(text, f->text, sizeof text);
        return fail_set(f, E_DAMAGED, "%.300s: the database was changed behind the log", text);
    }
    return OK;
}

err replay(struct store_reader *r, uint64_t size, struct fold *fold, struct merkle_tree *tree,
           replay_visit *visit, void *ctx, struct fail *f) {
    struct work *w = calloc(1, sizeof *w);
    struct applied *out = malloc(sizeof *out);
    if (!w || !out) {
        free(w);
        free(out);
        return fail_set(f, E_MEMORY, "no memory for the replay");
    }
    w->reader = r;
    w->tree = tree;
    w->size = size;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    for (int i = 0; i < CHUNKS; i++) buf_init(&w->chunk[i].bytes, (size_t)CHUNK * ENTRY_MAX);
    pthread_t thread;
    err e = pthread_create(&thread, NULL, reading, w)
                ? fail_set(f, E_MEMORY, "no thread for the replay")
                : OK;
    bool started = e == OK;
    for (uint64_t at = 0, k = 0; at < size && e == OK; k++) {
        struct chunk *c = &w->chunk[k % CHUNKS];
        pthread_mutex_lock(&w->lock);
        while (!c->ready && w->code == OK) pthread_cond_wait(&w->changed, &w->lock);
        if (!c->ready) {
            e = w->code;
            if (f) *f = w->fail;
        }
        pthread_mutex_unlock(&w->lock);
        if (e != OK) break;
        e = fold_chunk(c, fold, out, visit, ctx, f);
        at += c->n;
        pthread_mutex_lock(&w->lock);
        c->ready = false;
        pthread_cond_broadcast(&w->changed);
        pthread_mutex_unlock(&w->lock);
    }
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    if (started) pthread_join(thread, NULL);
    for (int i = 0; i < CHUNKS; i++) buf_release(&w->chunk[i].bytes);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
    free(out);
    return e;
}

static err get(void *ctx, const struct hash *id, uint64_t size, struct span *out, struct fail *f) {
    struct replay_objects *o = ctx;
    buf_clear(&o->bytes);
    if (size > OBJECT_MAX) return fail_set(f, E_TOO_LARGE, "an object of more than 1 GiB");
    err e = objects_read(o->store, OBJECT_PUBLIC, id, size, &o->bytes, f);
    if (e == E_NOT_FOUND) {
        char hex[HASH_HEX_LEN + 1];
        hash_hex(id, hex);
        return fail_set(f, E_OBJECT_MISSING, "the object %s is not there: upload it first", hex);
    }
    *out = buf_view(&o->bytes);
    return e;
}

void replay_objects_init(struct replay_objects *o, struct objects *store) {
    o->store = store;
    buf_init(&o->bytes, OBJECT_MAX);
}

void replay_objects_release(struct replay_objects *o) {
    buf_release(&o->bytes);
}

struct object_source replay_object_source(struct replay_objects *o) {
    return (struct object_source){get, o};
}
