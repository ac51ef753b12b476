/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, BLOCK = 1 << 16 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    uint32_t number; /* counted from 1 */
};
_Static_assert(sizeof(struct arena_block) <= 2 * ALIGN, "header fits");
enum { HEADER = 2 * ALIGN };

void arena_init(struct arena *a, size_t cap) {
    *a = (struct arena){.cap = cap};
}

void arena_release(struct arena *a) {
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    a->blocks = NULL;
    a->used = 0;
}

void *arena_alloc(struct arena *a, size_t size) {
    if (size == 0) size = 1;
    if (size > SIZE_MAX - ALIGN - HEADER) return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct arena_block *b = a->blocks;
    if (!b || b->size - b->used < size) {
        size_t want = size > BLOCK ? size : BLOCK;
        if (want > a->cap - a->used) want = size; /* near the cap: just what is asked */
        if (a->used > a->cap || want > a->cap - a->used) return NULL;
        b = calloc(1, HEADER + want);
        if (!b) return NULL;
        b->size = want;
        b->number = ++a->made;
        a->used += want;
        /* A block made for one large piece is full at once: keep filling the block before it. */
        if (a->blocks && want == size && size > BLOCK) {
            b->next = a->blocks->next;
            a->blocks->next = b;
        } else {
            b->next = a->blocks;
            a->blocks = b;
        }
    }
    void *p = (char *)b + HEADER + b->used;
    b->used += size;
    return p;
}

struct arena_mark arena_mark(const struct arena *a) {
    return (struct arena_mark){a->blocks ? a->blocks->used : 0, a->made};
}

void arena_rewind(struct arena *a, struct arena_mark m) {
    /* Newer blocks stand before or among the older ones, whose order never changes: what is left has
     * the block at its head that was there when the mark was taken. */
    for (struct arena_block **at = &a->blocks; *at;) {
        struct arena_block *b = *at;
        if (b->number <= m.made) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        a->used -= b->size;
        free(b);
    }
    a->made = m.made;
    struct arena_block *head = a->blocks;
    if (!head || head->used <= m.used) return;
    memset((char *)head + HEADER + m.used, 0, head->used - m.used);
    head->used = m.used;
}

void *arena_array(struct arena *a, size_t count, size_t size) {
    size_t n;
    if (__builtin_mul_overflow(count, size, &n)) return NULL;
    return arena_alloc(a, n);
}

char *arena_text(struct arena *a, struct span s) {
    char *t = arena_alloc(a, s.n + 1);
    if (t && s.n) memcpy(t, s.p, s.n);
    return t;
}

struct span arena_copy(struct arena *a, struct span s) {
    uint8_t *t = arena_alloc(a, s.n);
    if (!t) return (struct span){0};
    if (s.n) memcpy(t, s.p, s.n);
    return (struct span){t, s.n};
}
