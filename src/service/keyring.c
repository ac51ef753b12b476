/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/keyring.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/vec.h"
#include "crypto/secret.h"

struct row {
    struct span name; /* borrowed from the fold, where names never move */
    uint8_t pub[32];
    uint32_t keyid;
    uint64_t index; /* of the record that introduced it */
};

struct keyring {
    pthread_rwlock_t lock; /* rows, by_name */
    struct budget budget;
    struct vec rows;
    struct table by_name;
    struct hash_key hash_key; /* random: names are chosen outside */
};

err keyring_new(struct keyring **out, struct fail *f) {
    struct keyring *k = calloc(1, sizeof *k);
    if (!k) return fail_set(f, E_MEMORY, "no memory for the keys");
    k->budget.cap = (size_t)2 << 30;
    pthread_rwlock_init(&k->lock, NULL);
    vec_init(&k->rows, &k->budget, sizeof(struct row), 10);
    table_init(&k->by_name, &k->budget);
    secret_random(k->hash_key.k, sizeof k->hash_key.k);
    *out = k;
    return OK;
}

void keyring_free(struct keyring *k) {
    if (!k) return;
    vec_release(&k->rows);
    table_release(&k->by_name);
    pthread_rwlock_destroy(&k->lock);
    free(k);
}

err keyring_update(struct keyring *k, const struct fold *fold, struct fail *f) {
    err e = OK;
    if (k->rows.n == fold_key_count(fold)) return OK; /* only this thread adds */
    pthread_rwlock_wrlock(&k->lock);
    for (size_t i = k->rows.n; i < fold_key_count(fold) && e == OK; i++) {
        struct key_view v;
        fold_key_at(fold, i, &v);
        struct row *r = vec_push(&k->rows);
        if (!r || !table_add(&k->by_name, hash_keyed(&k->hash_key, v.name), (uint32_t)i)) {
            e = fail_set(f, E_MEMORY, "no memory for the keys");
            break;
        }
        r->name = v.name;
        memcpy(r->pub, v.pub, 32);
        r->index = v.granted_at;
        r->keyid = note_key_id(v.name, NOTE_TYPE_ED25519, span_of(v.pub, 32));
    }
    pthread_rwlock_unlock(&k->lock);
    return e;
}

bool keyring_is_empty(struct keyring *k) {
    pthread_rwlock_rdlock(&k->lock);
    bool empty = k->rows.n == 0;
    pthread_rwlock_unlock(&k->lock);
    return empty;
}

/* The row of this name, or NULL. The lock is held. */
static const struct row *find(const struct keyring *k, struct span name) {
    size_t cursor = 0;
    uint64_t h = hash_keyed(&k->hash_key, name);
    for (uint32_t i; (i = table_next(&k->by_name, h, &cursor)) != UINT32_MAX;) {
        const struct row *r = vec_at(&k->rows, i);
        if (span_eq(r->name, name)) return r;
    }
    return NULL;
}

bool keyring_find(struct keyring *k, struct span name, uint8_t pub[32], uint32_t *keyid) {
    pthread_rwlock_rdlock(&k->lock);
    const struct row *r = find(k, name);
    if (r) {
        memcpy(pub, r->pub, 32);
        *keyid = r->keyid;
    }
    pthread_rwlock_unlock(&k->lock);
    return r != NULL;
}

uint64_t keyring_index(struct keyring *k, struct span name) {
    pthread_rwlock_rdlock(&k->lock);
    const struct row *r = find(k, name);
    uint64_t index = r ? r->index : UINT64_MAX;
    pthread_rwlock_unlock(&k->lock);
    return index;
}
