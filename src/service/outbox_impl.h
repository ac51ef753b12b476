/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Inside the outbox: its folders. Private to outbox.c (the disk) and outbox_send.c (the network). */
#ifndef SERVICE_OUTBOX_IMPL_H
#define SERVICE_OUTBOX_IMPL_H

#include "base/file.h"
#include "service/outbox.h"

enum { OUTBOX_NAMES_MAX = 1000000, OUTBOX_OBJECT_MAX = 32 << 20, OUTBOX_RECEIPT_MAX = 256 << 10,
       OUTBOX_OBJECTS_MAX = 260 };

struct outbox {
    char dir[PATH_MAX_LEN];
    struct buf anchor_bytes;
    struct anchor anchor; /* borrows from anchor_bytes */
    bool pinned, has_witnesses;
    int sender; /* the lock held while sending, or -1 */
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

#endif
