/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A contest as a public tree has it now: what 'collate', 'gate', 'declare' and 'dissent' look at before
 * they make a record. Everything is recomputed from the records. */
#ifndef CLI_LAW_VIEW_H
#define CLI_LAW_VIEW_H

#include "cli/tree_log.h"
#include "election/gate.h"

struct law_view {
    struct tree tree;
    struct tree_log log;
    struct arena arena;
    uint32_t contest;
    unsigned round;
    struct hash election;
    struct findings findings;
};
/* `contest` NULL: none is chosen. Zero-initialise; law_close after success or failure. */
MUST_USE err law_open(const char *command, const char *where, const char *anchor, const char *contest,
                      struct law_view *out, struct fail *f);
/* The records that came since. */
MUST_USE err law_again(struct law_view *v, struct fail *f);
void law_close(struct law_view *v);
/* The newest checkpoint of the tree that has at least `size` entries, with its cosignatures: the newest
 * that witnesses are known to have cosigned, else the published one. E_NOT_FOUND when none has. */
MUST_USE err law_checkpoint(struct law_view *v, uint64_t size, struct buf *note, uint64_t *have,
                            struct hash *root, struct fail *f);

/* "G_MISSING  12  stations whose ..., e.g. 001, 002" a line each. */
void law_items(const struct fold *fold, const struct gate *g, struct buf *out);

#endif
