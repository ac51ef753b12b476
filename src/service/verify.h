/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Verifying a whole election from its public files: checkpoint and witnesses, tree, every signature,
 * every record's admissibility by applying it again, times, objects, published results.
 *
 * It speaks of records: valid means that they are consistent and admissible and the published results
 * follow from them; nothing more. */
#ifndef SERVICE_VERIFY_H
#define SERVICE_VERIFY_H

#include "election/anchor.h"
#include "election/fold.h"
#include "service/tree_source.h"

enum verdict { VERDICT_VALID, VERDICT_INVALID, VERDICT_UNKNOWN };

enum { VERIFY_REFUSED_MAX = 1000 };

struct verify_options {
    const struct anchor *anchor; /* NULL: trust is self-declared */
    struct span policy;          /* the reader's own witness policy, in place of the anchor's; or empty */
    unsigned threads;            /* 0: one a processor */
    bool skip_objects, skip_results;
    bool keep_fold; /* leave the fold in the report, for the caller to read and free */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};

struct refusal {
    uint64_t index;
    err code;
    char text[200];
};

struct verify_report {
    enum verdict verdict;
    err code;          /* the first reason when not valid */
    uint64_t index;    /* of the entry concerned; UINT64_MAX: none */
    char sentence[400];
    bool anchored;
    uint64_t size;
    struct hash root;
    uint64_t signatures; /* under records, verified */
    double seconds, signature_seconds; /* the second: processor time of the verifications alone */
    uint64_t objects_checked, objects_bytes, objects_absent, objects_damaged;
    double object_seconds;
    size_t witnesses, witnessed_by; /* of the policy; that cosigned the checkpoint */
    uint64_t witnessed_checkpoints; /* earlier ones, checked against the tree */
    uint64_t time_findings;         /* entries whose time lies outside its cosignatures' */
    bool results_compared;
    uint64_t results_files;
    char results_note[200]; /* why they were not compared */
    uint64_t refused_count;
    struct refusal refused[VERIFY_REFUSED_MAX];
    size_t refused_listed;
    struct fold *fold; /* keep_fold */
};

/* OK when a verdict was reached (whatever it is); otherwise our own failure. *out is large: allocate
 * it. */
MUST_USE err verify_tree(const struct tree_source *s, const struct verify_options *o,
                         struct verify_report *out, struct fail *f);

#endif
