/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Rivest's consistent sampling: every item has a ticket number made of its id and the seed; items
 * are drawn in the order of their tickets. Sampling a subset gives the same relative order.
 *
 * Ticket = "0." and the decimal digits, in reverse, of SHA-256(hex(SHA-256(seed)) id), at least 64
 * of them; the next ticket of an item keeps the leading nines of x and appends those of SHA-256(x
 * ":" i) for the first i that gives a larger one. Compared as text. Source: R. L. Rivest,
 * "Consistent Sampling with Replacement" (2018). */
#ifndef STATS_AUDIT_CONSISTENT_H
#define STATS_AUDIT_CONSISTENT_H

#include "base/arena.h"
#include "base/err.h"

enum { TICKET_MAX = 200, CONSISTENT_ID_MAX = 1024 };

struct ticket {
    char text[TICKET_MAX]; /* "0.2629..." */
};

void ticket_first(struct span seed, struct span id, struct ticket *out);
/* False when the text would not fit: more than a hundred draws of one item in a row. */
bool ticket_next(const struct ticket *x, struct ticket *out);

/* Writes the id of an item (at most CONSISTENT_ID_MAX bytes) and returns its length. */
typedef size_t consistent_id(const void *ctx, uint64_t item, char *out);

struct consistent_draw {
    struct ticket ticket;
    uint64_t item;
    uint32_t generation; /* 1 for the first time this item is drawn */
};
/* The `size` smallest first tickets among the items from..to-1, in no particular order, into
 * out[size]; *n gets how many (fewer when there are fewer items). Ranges may be worked on by
 * several threads and joined by sorting. Uses memory for `size` draws, however many items there
 * are. */
void consistent_smallest(struct span seed, consistent_id *id, const void *ctx, uint64_t from,
                         uint64_t to, struct consistent_draw *out, size_t size, size_t *n);
/* Draws out of first tickets: `first[n]` from consistent_smallest with at least min(size, items)
 * entries (it is reordered), the sequence into out[size], *drawn how many. */
void consistent_sequence(struct consistent_draw *first, size_t n, bool replacement,
                         struct consistent_draw *out, size_t size, size_t *drawn);

#endif
