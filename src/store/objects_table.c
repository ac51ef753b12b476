/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store/objects_table.h"

#include <stdlib.h>

/* Hashes are uniform already. */
static size_t bucket(const uint8_t *b) {
    return get_u32be(b) % BUCKETS;
}

void object_table_release(struct object_table *t) {
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct pending *p = t->pending[i], *next; p; p = next) {
            next = p->next;
            free(p);
        }
        for (struct account *a = t->accounts[i], *next; a; a = next) {
            next = a->next;
            free(a);
        }
    }
    *t = (struct object_table){0};
}

struct pending *object_table_find(struct object_table *t, enum object_class class, const struct hash *id) {
    for (struct pending *p = t->pending[bucket(id->b)]; p; p = p->next)
        if (p->ref.class == class && hash_eq(&p->ref.id, id)) return p;
    return NULL;
}

struct pending *object_table_add(struct object_table *t, enum object_class class, const struct hash *id) {
    struct pending *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    p->ref.class = class;
    p->ref.id = *id;
    p->next = t->pending[bucket(id->b)];
    t->pending[bucket(id->b)] = p;
    return p;
}

void object_table_remove(struct object_table *t, struct pending *p) {
    struct pending **at = &t->pending[bucket(p->ref.id.b)];
    while (*at != p) at = &(*at)->next;
    *at = p->next;
    free(p);
}

static struct account *const *account_at(const struct object_table *t, const struct uploader *by) {
    struct account *const *at = &t->accounts[bucket(by->b)];
    while (*at && memcmp((*at)->by.b, by->b, UPLOADER_BYTES) != 0) at = &(*at)->next;
    return at;
}

uint64_t table_charged(const struct object_table *t, const struct uploader *by) {
    const struct account *a = *account_at(t, by);
    return a ? a->bytes : 0;
}

bool table_charge(struct object_table *t, const struct uploader *by, uint64_t bytes) {
    struct account *a = *account_at(t, by);
    if (!a) {
        a = calloc(1, sizeof *a);
        if (!a) return false;
        a->by = *by;
        a->next = t->accounts[bucket(by->b)];
        t->accounts[bucket(by->b)] = a;
    }
    a->bytes += bytes;
    return true;
}

void table_discharge(struct object_table *t, const struct uploader *by, uint64_t bytes) {
    struct account **at = &t->accounts[bucket(by->b)];
    while (*at && memcmp((*at)->by.b, by->b, UPLOADER_BYTES) != 0) at = &(*at)->next;
    struct account *a = *at;
    if (!a) return;
    a->bytes = a->bytes > bytes ? a->bytes - bytes : 0;
    if (a->bytes) return;
    *at = a->next;
    free(a);
}
