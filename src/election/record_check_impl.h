/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Shared by record_check.c and record_check_keys.c. */
#ifndef ELECTION_RECORD_CHECK_IMPL_H
#define ELECTION_RECORD_CHECK_IMPL_H

#include "election/record_check.h"
#include "tlog/policy.h"
#include "tlog/tile_view.h"

enum { CHECK_KEYS_MAX = 256, CHECK_DEPTH_MAX = 8, CHECK_COMMISSIONERS_MAX = 50 };

/* A key that was followed back to the manifest. */
struct checked_key {
    struct span name; /* in the arena */
    uint32_t id;
    uint8_t pub[32];
    enum role role;
    bool is_log;
    uint64_t index, not_before_ms, not_after_ms;
};

struct record_work {
    tile_get *get;
    void *ctx;
    const struct record_check_options *o;
    struct record_report *r;
    struct arena arena;
    struct tile_view view;
    struct buf checkpoint_note, bundle;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    struct checkpoint checkpoint;
    struct note_key log;
    struct span policy_text;
    struct policy policy;
    bool has_policy;
    struct checked_key keys[CHECK_KEYS_MAX]; /* the log's, the commissioners', then those that were followed */
    size_t key_count;
};

/* Entry `index` under the view's root, in the arena. E_TILE when it is not the one that is hashed there;
 * errors of get. */
MUST_USE err record_entry_at(struct record_work *w, uint64_t index, struct span *entry, struct fail *f);
/* Parses an entry into *rec, which borrows from it. */
MUST_USE err record_of_entry(struct span entry, uint64_t *ms, struct record *rec, struct fail *f);

/* The manifest: its id, log key, policy, commissioners. */
MUST_USE err record_read_manifest(struct record_work *w, struct fail *f);
/* The key behind a signature line of an entry at `before`, followed back to the manifest. E_NOT_FOUND
 * (and what get says) when its record cannot be had; E_SIGNATURE, E_DELEGATION, ... when the chain is
 * wrong. */
MUST_USE err record_find_key(struct record_work *w, const struct note_line *line, uint64_t before,
                             unsigned depth, const struct checked_key **out, struct fail *f);
/* The key that a key record introduces. */
MUST_USE err record_read_key(struct record_work *w, const struct record *rec, uint64_t index,
                             struct checked_key *out, struct fail *f);
MUST_USE err record_line_holds(const struct checked_key *k, const struct record *rec, size_t line,
                               struct fail *f);

#endif
