/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Which records the outbox holds, by id: read from the folders once, then kept in memory while this
 * process adds. The file add.lock holds the number of the last addition by anybody, so that another
 * process's additions are seen. Items that have moved between folders, or were removed, are looked up
 * where they are: the index only says which names there may be. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "service/outbox_impl.h"

struct known {
    uint64_t seq;
    struct hash id;
};

static uint64_t id_hash(const struct hash *id) {
    return hash_bytes(hash_span(id)); /* the records are the device's own */
}

static err insert(struct outbox_index *x, uint64_t seq, const struct hash *id, struct fail *f) {
    struct known *k = vec_push(&x->items);
    if (!k || !table_add(&x->by_id, id_hash(id), (uint32_t)x->items.n - 1))
        return fail_set(f, E_MEMORY, "no memory for the outbox");
    *k = (struct known){seq, *id};
    if (seq >= x->next) x->next = seq + 1;
    return OK;
}

void outbox_index_init(struct outbox_index *x) {
    x->budget = (struct budget){.cap = (size_t)256 << 20};
    vec_init(&x->items, &x->budget, sizeof(struct known), 10);
    table_init(&x->by_id, &x->budget);
    x->next = 1;
    x->read = false;
}

void outbox_index_release(struct outbox_index *x) {
    vec_release(&x->items);
    table_release(&x->by_id);
    x->read = false;
}

static uint64_t last_added(int lock) {
    uint64_t n;
    return pread(lock, &n, sizeof n, 0) == (ssize_t)sizeof n ? n : 0;
}

err outbox_index_ready(struct outbox *o, int lock, struct fail *f) {
    static const char *const where[] = {"queue", "done", "refused"};
    struct outbox_index *x = &o->index;
    uint64_t last = last_added(lock);
    if (x->read && x->last == last) return OK;
    outbox_index_release(x);
    outbox_index_init(x);
    for (size_t k = 0; k < 3; k++) {
        struct outbox_names names;
        err e = outbox_names_read(o, where[k], &names, f);
        for (size_t i = 0; e == OK && i < names.n; i++) {
            struct hash id;
            e = hash_from_hex(span_text(names.at[i] + OUTBOX_SEQ_DIGITS + 1), &id, f);
            if (e == OK) e = insert(x, strtoull(names.at[i], NULL, 10), &id, f);
        }
        outbox_names_release(&names);
        TRY(e);
    }
    x->last = last;
    x->read = true;
    return OK;
}

bool outbox_index_next(const struct outbox_index *x, const struct hash *id, size_t *cursor,
                       uint64_t *seq) {
    for (uint32_t i; (i = table_next(&x->by_id, id_hash(id), cursor)) != UINT32_MAX;) {
        const struct known *k = vec_at(&x->items, i);
        if (!hash_eq(&k->id, id)) continue;
        *seq = k->seq;
        return true;
    }
    return false;
}

err outbox_index_claim(struct outbox *o, int lock, uint64_t *seq, struct fail *f) {
    struct outbox_index *x = &o->index;
    *seq = x->next;
    x->read = false; /* until the item is there */
    if (pwrite(lock, seq, sizeof *seq, 0) != (ssize_t)sizeof *seq)
        return file_error(f, errno, "writing", "add.lock");
    return OK;
}

err outbox_index_added(struct outbox *o, uint64_t seq, const struct hash *id, struct fail *f) {
    TRY(insert(&o->index, seq, id, f));
    o->index.last = seq;
    o->index.read = true;
    return OK;
}
