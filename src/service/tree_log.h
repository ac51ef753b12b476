/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Replaying a public tree: the records of its newest checkpoint through the fold, so that what is
 * shown or exported is recomputed and not believed. */
#ifndef SERVICE_TREE_LOG_H
#define SERVICE_TREE_LOG_H

#include "election/anchor.h"
#include "election/results.h"
#include "service/tree_source.h"

struct tree_reading;
struct tree_log { /* does not move once it is filled */
    struct tree_reading *reading; /* what tree_log_more goes on with */
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
    /* Called after each bundle; may be NULL. */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *progress_ctx;
};
/* Fails where the tree contradicts itself: the log's signature, the root over the entries, the first
 * record against the anchor, a record that apply refuses (with its index), a signature. The caller
 * owns *out: tree_log_release. */
MUST_USE err tree_log_replay(const struct tree_source *s, const struct tree_log_options *o,
                             struct tree_log *out, struct fail *f);
/* Goes on with the entries that the tree's newest checkpoint has beyond those read; *news tells whether
 * there were any. The source must be there still; `visit` is called, `progress` is not. E_REWIND when the
 * tree shows fewer entries than before, E_PROOF when what it adds does not continue what was read. After
 * E_NETWORK, E_TIMEOUT, E_BUSY or E_NOT_FOUND it may be called again: what was read stays. */
MUST_USE err tree_log_more(struct tree_log *l, bool *news, struct fail *f);
void tree_log_release(struct tree_log *l);

#endif
