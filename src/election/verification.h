/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Judging a whole election from its public files: checkpoint and witnesses, tree, every record's
 * admissibility by applying it again, times, published results. The same code decides for the command
 * line (service/verify.c) and for the browser (src/wasm).
 *
 * Pure: files are asked for through `get`, signatures and objects are handed out to be checked on as
 * many cores as the caller has, and what was found there comes back before the end. A caller that cannot
 * wait inside `get` answers E_AGAIN, fetches the file, and takes the same step again.
 *
 * It speaks of records: valid means that they are consistent and admissible and the published results
 * follow from them; nothing more. */
#ifndef ELECTION_VERIFICATION_H
#define ELECTION_VERIFICATION_H

#include "election/anchor.h"
#include "election/fold.h"
#include "election/results.h"
#include "tlog/tile.h"

enum verdict { VERDICT_VALID, VERDICT_INVALID, VERDICT_UNKNOWN };
const char *verdict_words(enum verdict v); /* "valid", "invalid", "could not tell" */

enum { VERIFY_REFUSED_MAX = 1000, VERIFY_BAD_MAX = 1000 };

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
    uint64_t results_left_out; /* files that were not asked for (leave_out_lowest) */
    char results_note[200];    /* why they were not compared */
    uint64_t refused_count;
    struct refusal refused[VERIFY_REFUSED_MAX];
    size_t refused_listed;
    struct fold *fold; /* for the caller to read; see verification_free, verify_options.keep_fold */
};

/* A signature that must hold. */
struct verification_check {
    uint8_t pub[32], sig[64];
    struct span message; /* in the bundle's bytes */
    uint64_t index;      /* of the entry */
    uint8_t line;
};

/* Where files come from and checks go to. Any failure of the last four ends the verification. */
struct verification_io {
    /* Appends the file at this relative path. E_NOT_FOUND when it is not there, E_AGAIN when it is on
     * its way. Called again with the same path after E_AGAIN. */
    err (*get)(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f);
    /* An empty buffer for the next bundle's bytes: its checks borrow from it. */
    struct buf *(*bundle)(void *ctx);
    err (*check)(void *ctx, const struct verification_check *c, struct fail *f);
    err (*object)(void *ctx, const struct named_object *o, struct fail *f); /* NULL: not looked at */
    void (*give)(void *ctx); /* the bundle has been read: its checks are all handed out */
    void *ctx;
};

struct verification_options {
    const struct anchor *anchor; /* NULL: trust is self-declared; borrowed */
    struct span policy;          /* the reader's own witness policy, or empty; borrowed */
    bool skip_results;
    bool leave_out_lowest; /* no results files of units whose parts are stations: there are as many as
                              polling centres, and the files above them repeat their totals */
    size_t memory_cap;     /* of the fold; 0: 8 GiB */
};

struct verification;

/* *r is borrowed, cleared, and filled in as it goes. `io` is copied. Options are borrowed. */
MUST_USE err verification_new(const struct verification_io *io, const struct verification_options *o,
                              struct verify_report *r, struct verification **out, struct fail *f);
/* One step: about a bundle of 256 entries, or one file of results. *more false: all is read. E_AGAIN
 * as `get` said it: the same step is to be taken again. Everything else is our own failure. */
MUST_USE err verification_step(struct verification *v, bool *more, struct fail *f);
uint64_t verification_done(const struct verification *v); /* entries read */
/* The k-th file (from 0) that will probably be asked for next, for callers that fetch ahead: its path
 * in path[RESULTS_PATH_MAX]. False when nothing is known of it. */
bool verification_ahead(const struct verification *v, size_t k, char *path);

struct bad_signature {
    uint64_t index; /* of the entry */
    uint8_t line;
};
/* What was found by whoever checked signatures and objects. */
struct verification_found {
    uint64_t signatures;                      /* that hold */
    double signature_seconds, object_seconds; /* processor time */
    uint64_t objects_checked, objects_bytes, objects_absent, objects_damaged;
    struct hash damaged; /* one of them */
    uint64_t bad_count;
    size_t bad_listed;
    struct bad_signature bad[VERIFY_BAD_MAX]; /* the first of them, ascending */
};
/* One that does not hold; the list keeps the first ones, in order. */
void verification_bad(struct verification_found *found, uint64_t index, uint8_t line);
/* After the last step, once: the report is then complete. */
void verification_finish(struct verification *v, const struct verification_found *found);
/* Frees all but r->fold, which is the caller's to fold_free. NULL is fine. */
void verification_free(struct verification *v);

/* Appends the report as one JSON object and a line's end (docs/verifying.md): needs r->fold. */
MUST_USE err verification_json(const struct verify_report *r, struct buf *out, struct fail *f);

#endif
