/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Arena: memory that is given back all at once, with a hard cap.
 *
 * Addresses never move. Not thread-safe. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include "base/bytes.h"

struct arena_block;
struct arena {
    struct arena_block *blocks;
    size_t used, cap; /* bytes handed to blocks so far, and their limit */
    uint32_t made;    /* blocks made so far */
};

/* A point in the arena's life, to go back to. */
struct arena_mark {
    size_t used; /* of the newest block then */
    uint32_t made;
};

/* `cap` bounds the arena's whole size in bytes. Allocates nothing yet. */
void arena_init(struct arena *a, size_t cap);
void arena_release(struct arena *a);

/* Zeroed memory, aligned for any type; NULL when the cap or the machine's memory is reached. */
void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t count, size_t size); /* count*size, checked */
char *arena_text(struct arena *a, struct span s);              /* NUL-terminated copy */
struct span arena_copy(struct arena *a, struct span s);        /* .p == NULL when out of memory */

struct arena_mark arena_mark(const struct arena *a);
/* Gives back everything that was allocated since the mark; marks taken since then are void. */
void arena_rewind(struct arena *a, struct arena_mark m);

#endif
