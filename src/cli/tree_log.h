/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Replaying a public tree: the records of its newest checkpoint through the fold, so that what a
 * command shows is recomputed and not believed. */
#ifndef CLI_TREE_LOG_H
#define CLI_TREE_LOG_H

#include "cli/tree.h"
#include "election/anchor.h"
#include "election/results.h"

struct tree_log {
    struct fold *fold;
    uint64_t size;
    struct hash root;
    bool anchored; /* the anchor was the reader's own, not the tree's */
    uint64_t signatures; /* verified, when that was asked for */
    struct buf anchor_bytes;
    struct anchor anchor; /* borrows from anchor_bytes */
};
struct tree_log_options {
    const char *anchor;    /* FILE, or NULL: the tree's own */
    bool check_signatures; /* every one that the fold asks for */
    const char *what;      /* the command, for progress */
    /* Called for each entry that apply accepted; may be NULL. */
    err (*visit)(void *ctx, const struct applied *a, uint64_t ms, const struct record *r,
                 struct fail *f);
    void *ctx;
};
/* Fails where the tree contradicts itself: the log's signature, the root over the entries, the first
 * record against the anchor, a record that apply refuses (with its index), a signature. */
MUST_USE err tree_log_read(struct tree *t, const struct tree_log_options *o, struct tree_log *out,
                           struct fail *f);
void tree_log_release(struct tree_log *l);

/* "recomputed from 1,234 records; checkpoint 1234 of ORIGIN, root BASE64" and what it is worth. */
void tree_log_source(const struct tree_log *l, struct buf *out);

#endif
