/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the outbox: its folders. Private to outbox.c (the disk) and outbox_send.c (the network). */
#ifndef SERVICE_OUTBOX_IMPL_H
#define SERVICE_OUTBOX_IMPL_H

#include "base/file.h"
#include "base/vec.h"
#include "service/outbox.h"

enum { OUTBOX_NAMES_MAX = 1000000, OUTBOX_OBJECT_MAX = 32 << 20, OUTBOX_RECEIPT_MAX = 256 << 10,
       OUTBOX_OBJECTS_MAX = 260, OUTBOX_SEQ_DIGITS = 10 };

/* The records that are or were here, by id (outbox_index.c). */
struct outbox_index {
    struct budget budget;
    struct vec items;
    struct table by_id;
    uint64_t next; /* free sequence number */
    uint64_t last; /* the number in add.lock when this was read */
    bool read;
};

struct outbox {
    char dir[PATH_MAX_LEN];
    struct buf anchor_bytes;
    struct anchor anchor; /* borrows from anchor_bytes */
    bool pinned, has_witnesses;
    int sender; /* the lock held while sending, or -1 */
    struct outbox_index index;
    unsigned failures; /* in a row: how long to wait before the next try */
};

/* A sorted list of folder names. */
struct outbox_names {
    char (*at)[96];
    size_t n;
};
MUST_USE err outbox_names_read(struct outbox *o, const char *part, struct outbox_names *out,
                               struct fail *f);
void outbox_names_release(struct outbox_names *x);

/* DIR/part/name[/leaf] into out. */
MUST_USE err outbox_path(const struct outbox *o, char out[PATH_MAX_LEN], const char *part,
                         const char *name, const char *leaf, struct fail *f);
/* Moves an item's folder, durably: it is in one of the two places at any time. */
MUST_USE err outbox_move(struct outbox *o, const char *name, const char *from, const char *to,
                         struct fail *f);
/* Fills an item from its folder. `note` (may be NULL) gets the note's bytes. */
MUST_USE err outbox_item_read(struct outbox *o, const char *part, const char *name,
                              struct outbox_item *out, struct buf *note, struct fail *f);

/* All of these while add.lock is held (`lock`). Reads the folders where that is needed: the first time, and
 * when another process has added. */
void outbox_index_init(struct outbox_index *x);
void outbox_index_release(struct outbox_index *x);
MUST_USE err outbox_index_ready(struct outbox *o, int lock, struct fail *f);
/* The sequence numbers under which this record was ever added: *cursor starts at 0. */
bool outbox_index_next(const struct outbox_index *x, const struct hash *id, size_t *cursor, uint64_t *seq);
/* Takes the next sequence number, for the item that is about to be moved into the queue; then tells
 * that it is there. In between, and when that never comes, the folders count. */
MUST_USE err outbox_index_claim(struct outbox *o, int lock, uint64_t *seq, struct fail *f);
MUST_USE err outbox_index_added(struct outbox *o, uint64_t seq, const struct hash *id, struct fail *f);

#endif
