/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Growing collections with stable addresses: a chunked array, an index over it, and a journal that
 * undoes changes to both.
 *
 * All three draw on one `struct budget`, a hard cap on memory. Not thread-safe. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"
#include "base/bytes.h"

struct budget {
    size_t used, cap; /* bytes */
};

/* An array in chunks: elements never move. */
struct vec {
    size_t elem;    /* size of an element */
    unsigned shift; /* elements a chunk = 1 << shift */
    size_t n;
    void **chunks;
    size_t chunk_count, chunk_slots;
    struct budget *budget;
};

void vec_init(struct vec *v, struct budget *b, size_t elem, unsigned shift);
void vec_release(struct vec *v);
/* Zeroed new last element, or NULL when the budget is used up. */
void *vec_push(struct vec *v);
/* `count` zeroed elements that stand in one piece; the index of the first is put in *at. Elements
 * left over at the end of a chunk are skipped. count <= 1 << shift. NULL as above. */
void *vec_push_run(struct vec *v, size_t count, size_t *at);
static inline void *vec_at(const struct vec *v, size_t i) {
    return (char *)v->chunks[i >> v->shift] + (i & (((size_t)1 << v->shift) - 1)) * v->elem;
}

/* A hash index: 64-bit hash -> indices of elements kept elsewhere. The caller compares. */
struct table_slot {
    uint32_t hash, index_plus_1;
};
struct table {
    struct table_slot *slots;
    size_t mask, n; /* slots - 1 (or 0 when empty), entries */
    struct budget *budget;
};

void table_init(struct table *t, struct budget *b);
void table_release(struct table *t);
/* Adds; false when the budget is used up. Equal entries may be added: the first added is found first
 * only if nothing was removed. */
bool table_add(struct table *t, uint64_t hash, uint32_t index);
/* Candidates for a hash, one after the other: start with *cursor = 0; UINT32_MAX at the end. */
uint32_t table_next(const struct table *t, uint64_t hash, size_t *cursor);
void table_remove(struct table *t, uint64_t hash, uint32_t index);

/* A hash of bytes for tables: SipHash-1-3 (Aumasson and Bernstein, 2012). Whoever does not know the key
 * cannot choose bytes that fall on one place, so every table whose keys come from outside has one that
 * others cannot know. No result depends on it: a table only finds what is compared afterwards. */
struct hash_key {
    uint64_t k[2];
};
uint64_t hash_keyed(const struct hash_key *key, struct span s);
/* With the key 0: where whoever chooses the bytes has only their own time to lose. */
uint64_t hash_bytes(struct span s);
/* Of numbers that nobody chooses: indices into the state. */
static inline uint64_t hash_u64(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    return x ^ x >> 32;
}

/* Undo. While it records, every change made through journal_* can be taken back. */
struct journal {
    struct buf log;
    bool failed; /* something could not be recorded: going back is impossible, discard everything */
};

void journal_init(struct journal *j, size_t max);
void journal_release(struct journal *j);
static inline size_t journal_mark(const struct journal *j) {
    return j->log.n;
}
/* Remembers `n` bytes at `p`, which the caller is about to overwrite. */
void journal_save(struct journal *j, void *p, size_t n);
/* Remembers the vector's length before a push. */
void journal_vec(struct journal *j, struct vec *v);
/* Remembers an addition to a table. */
void journal_table(struct journal *j, struct table *t, uint64_t hash, uint32_t index);
/* Remembers how far the arena is filled. */
void journal_arena(struct journal *j, struct arena *a);
/* Takes back everything after the mark, newest first. */
void journal_undo(struct journal *j, size_t mark);
/* Forgets: the changes stay. */
void journal_clear(struct journal *j);

/* JSET(j, place, value): assigns and remembers the old value. */
#define JSET(j, place, value)                                                                      \
    do {                                                                                           \
        journal_save((j), &(place), sizeof(place));                                                \
        (place) = (value);                                                                         \
    } while (0)

#endif
