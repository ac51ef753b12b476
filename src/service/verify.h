/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Verifying a whole election from its public files, with all cores of this machine: the judgement is
 * that of election/verification.h; here are the files, the threads and the clock. */
#ifndef SERVICE_VERIFY_H
#define SERVICE_VERIFY_H

#include "election/verification.h"
#include "service/tree_source.h"

struct verify_options {
    const struct anchor *anchor; /* NULL: trust is self-declared */
    struct span policy;          /* the reader's own witness policy, in place of the anchor's; or empty */
    unsigned threads;            /* 0: one a processor */
    bool skip_objects, skip_results;
    bool keep_fold; /* leave the fold in the report, for the caller to read and free */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};

/* OK when a verdict was reached (whatever it is); otherwise our own failure. *out is large: allocate
 * it. */
MUST_USE err verify_tree(const struct tree_source *s, const struct verify_options *o,
                         struct verify_report *out, struct fail *f);

#endif
