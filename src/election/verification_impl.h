/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the parts of a verification share: verification.c (order, tree, entries), verification_log.c
 * (checkpoint and witnesses), verification_results.c (published results). For these files only.
 *
 * A function that may answer E_AGAIN changes nothing before its last call of get. */
#ifndef ELECTION_VERIFICATION_IMPL_H
#define ELECTION_VERIFICATION_IMPL_H

#include "base/vec.h"
#include "election/verification.h"
#include "tlog/policy.h"

enum { VERIFICATION_LEVELS = 8, VERIFICATION_FILE_MAX = 256 << 20 };

enum verification_phase {
    PHASE_CHECKPOINT,
    PHASE_ENTRIES,
    PHASE_TREE,    /* the right edge */
    PHASE_LOG,     /* the checkpoint's signatures */
    PHASE_HEAD,    /* head.json */
    PHASE_RESULTS, /* one file a step */
    PHASE_REST,    /* whether the tree went on meanwhile */
    PHASE_END
};

struct verification_level {
    struct hash h[TILE_WIDTH];
    unsigned n;
    uint64_t index;
};

struct verification {
    struct verification_io io;
    const struct verification_options *o;
    struct verify_report *r;
    enum verification_phase phase;
    struct fold *fold;
    struct applied *applied;
    struct buf scratch, checkpoint_note, object;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX], other_lines[NOTE_LINES_MAX];
    struct checkpoint checkpoint;
    struct merkle_frontier frontier;
    struct merkle_tree *tree; /* what declarations and successor keys bind is compared with it */
    struct verification_level level[VERIFICATION_LEVELS];
    struct arena arena;
    struct policy policy;
    bool has_policy;
    /* the bundle that is being read */
    uint64_t bundle;
    struct buf *bytes; /* NULL: none is open */
    struct span entries[TILE_WIDTH];
    unsigned width, at; /* entries in it; the next one */
    bool open;          /* entries[] is filled in */
    bool applied_one;   /* entries[at] is applied, its checks up to check_at are handed out */
    size_t check_at;
    /* cosigned checkpoints on the way */
    struct buf sizes;
    struct span sizes_rest;
    uint64_t next_size;  /* UINT64_MAX: no more */
    uint64_t not_before; /* ms: entries from here on are not earlier */
    struct vec since;    /* ms of the entries since the last cosigned checkpoint */
    struct budget budget;
    bool cut;   /* entries are missing or damaged from some place on */
    bool blind; /* a consensus object is missing: what is refused afterwards may only lack it */
    /* published results */
    struct results all;
    bool computed;
    bool **lowest; /* by contest and row: a unit whose parts are stations */
    size_t contest, row; /* the next file: a row of a tally, then its findings, then the index */
    struct {
        enum verdict verdict;
        err code;
        char sentence[300];
    } differs;
};

/* The first reason stays. */
void verification_judge(struct verification *v, enum verdict verdict, err code, uint64_t index,
                        const char *fmt, ...) PRINTF(5, 6);
/* A file that is not there, or cannot be had, leaves the question open; a wrong one answers it. */
enum verdict verification_verdict_of(err e);
MUST_USE err verification_get(struct verification *v, const char *path, size_t max, struct buf *out,
                              struct fail *f);

/* verification_log.c. All but the last: E_AGAIN, otherwise OK. */
MUST_USE err verification_read_checkpoint(struct verification *v, bool *good);
MUST_USE err verification_check_witnessed(struct verification *v); /* of the size that was reached */
MUST_USE err verification_check_log(struct verification *v);
void verification_find_policy(struct verification *v);

/* verification_results.c: E_AGAIN, or our own failure. */
MUST_USE err verification_head(struct verification *v, struct fail *f);
MUST_USE err verification_results(struct verification *v, struct fail *f);
MUST_USE err verification_rest(struct verification *v);
/* The k-th results file from here on; false at the end. */
bool verification_results_ahead(const struct verification *v, size_t k, char *path);

#endif
