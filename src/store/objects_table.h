/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The object store's accounting, private to objects.c: what is pending, and what each key has
 * pending or is sending. Not thread-safe: objects.c holds its lock. */
#ifndef STORE_OBJECTS_TABLE_H
#define STORE_OBJECTS_TABLE_H

#include "store/objects.h"

enum { UPLOADER_BYTES = 16 };

/* The first bytes of SHA-256 of a key's name: of fixed size, and fit for file names. */
struct uploader {
    uint8_t b[UPLOADER_BYTES];
};

struct pending {
    struct pending *next;
    struct object_ref ref;
    uint64_t size, ms; /* ms: last asked for */
    struct uploader by;
    bool durable; /* its name was synced too */
};

struct account {
    struct account *next;
    struct uploader by;
    uint64_t bytes; /* pending and open; an account of 0 bytes is dropped */
};

enum { BUCKETS = 4096 };

struct object_table {
    struct pending *pending[BUCKETS];
    struct account *accounts[BUCKETS];
    struct objects_usage usage;
};

void object_table_release(struct object_table *t);

struct pending *object_table_find(struct object_table *t, enum object_class class, const struct hash *id);
/* A zeroed entry, owned by the table; NULL without memory. Counts nothing yet. */
struct pending *object_table_add(struct object_table *t, enum object_class class, const struct hash *id);
/* Takes it out and frees it. Counts nothing. */
void object_table_remove(struct object_table *t, struct pending *p);

uint64_t table_charged(const struct object_table *t, const struct uploader *by);
/* Adds to what a key is charged; false without memory. */
bool table_charge(struct object_table *t, const struct uploader *by, uint64_t bytes);
void table_discharge(struct object_table *t, const struct uploader *by, uint64_t bytes);

#endif
