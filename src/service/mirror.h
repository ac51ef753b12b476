/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A mirror: a verified copy of a log's public tree, in the same layout, that anybody can serve.
 *
 * Nothing is kept that does not lie under a checkpoint signed by the log, and no checkpoint is
 * accepted that does not extend the one before: a fork or a rewind is kept as evidence and said
 * aloud. Results are computed here, by the same fold, not copied. Signatures in records are for
 * `hesabu verify`. Interrupted at any point, the next update goes on from the files that are good. */
#ifndef SERVICE_MIRROR_H
#define SERVICE_MIRROR_H

#include "crypto/note.h"
#include "election/fold.h"
#include "service/fetch.h"
#include "tlog/policy.h"

struct mirror;

struct mirror_options {
    const char *dir;            /* the copy: what a server would have as public/ */
    struct fetcher fetch;
    struct note_key log;        /* type 01; its name (the origin) is borrowed */
    struct span policy;         /* lines of the witness policy; empty: the manifest's own is shown */
    const struct hash *manifest; /* the id that the first record must have, or NULL; borrowed */
    const char *portal_dir;     /* what pages show beside the log (service/beside.h), or NULL; borrowed */
    bool all_objects;           /* every public object; otherwise those that the fold needs */
    bool recheck;               /* look at every tile and entry of the copy again, and repair it */
    uint64_t patience_ms;       /* an older state from a cache is no rewind before this; 0: at once */
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* may be NULL */
    void *ctx;
};

struct mirror_report {
    uint64_t size, added;      /* of the copy; entries that this update brought */
    uint64_t objects, missing; /* fetched now; named, public and not to be had */
    size_t witnesses, cosigned; /* in the policy, and under the copy's checkpoint */
    bool has_policy, quorum;
    bool behind;                /* the server shows an older state, not long enough to be a rewind */
    uint64_t refused;           /* entries that the rules refuse: the server published its own fault */
    char refused_why[400];      /* of the first */
    bool results_differ;        /* the server's overview is not what the records give */
    char evidence[200];         /* E_FORK, E_REWIND: folder below dir */
};

/* Makes or opens the copy: E_LOCKED, E_DAMAGED, E_SIGNATURE (a checkpoint of another log's). The
 * entries that are there are folded. */
MUST_USE err mirror_open(const struct mirror_options *o, struct mirror **out, struct fail *f);
void mirror_close(struct mirror *m); /* NULL is fine */

/* One look at the server, and everything new. E_FORK, E_REWIND: see `evidence`; nothing was accepted.
 * E_TILE, E_OBJECT: the server gave damaged bytes; E_OBJECT_MISSING: a consensus object is not to be
 * had; E_SIGNATURE, E_UNSIGNED: a checkpoint that is not the log's; E_NETWORK. All of these leave the
 * copy as it was or further on, and whole. */
MUST_USE err mirror_update(struct mirror *m, struct mirror_report *out, struct fail *f);

/* The copy's size, and whether a record is in it (for the thread that updates). */
uint64_t mirror_size(const struct mirror *m);
bool mirror_has(const struct mirror *m, const struct hash *id);
/* The state of the copied records; lives as long as the mirror. Same thread. */
const struct fold *mirror_fold(const struct mirror *m);

#endif
