/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The parts of a mirror, for mirror.c (tiles), mirror_entries.c (fold, objects), mirror_publish.c
 * (checkpoints, results, evidence). */
#ifndef SERVICE_MIRROR_IMPL_H
#define SERVICE_MIRROR_IMPL_H

#include "service/mirror.h"
#include "tlog/tile_view.h"
#include "store/writer.h"
#include "tlog/checkpoint.h"

enum { MIRROR_OBJECT_MAX = 1 << 30 };

struct mirror {
    struct mirror_options o;
    struct writer *writer;
    struct arena arena; /* of the policy */
    struct policy policy;
    bool has_policy;

    uint64_t size; /* of the accepted checkpoint, 0: none */
    struct hash root;
    struct buf note;          /* the accepted checkpoint with its cosignatures */
    struct buf seen;          /* the server's newest */
    uint64_t good;            /* entries whose files are known to be right: size, or 0 */
    uint64_t behind_since_ms; /* monotonic; 0: the server is not behind */
    struct tile_view *view;
    struct fetch_item ahead[FETCH_AT_ONCE];
    size_t ahead_n;

    struct fold *fold;
    uint64_t folded; /* entries seen by the fold */
    struct applied *applied;
    struct buf object; /* the last consensus object read */
    uint64_t refused;
    char refused_why[400];
    bool published; /* results of the present fold are written */
    struct mirror_report *report; /* of the update under way */
};

/* mirror.c */
MUST_USE err mirror_read(const struct mirror *m, const char *path, size_t max, struct buf *out,
                         struct fail *f);
/* Immutable: what stands there with other bytes was damaged, and is replaced. */
MUST_USE err mirror_put(struct mirror *m, const char *path, struct span bytes, struct fail *f);
MUST_USE err mirror_get(struct mirror *m, const char *path, size_t max, struct buf *out,
                        struct fail *f);

/* mirror_entries.c */
MUST_USE err mirror_fold_new(struct mirror *m, struct fail *f);
/* Folds what the copy has, every entry checked. */
MUST_USE err mirror_fold_own(struct mirror *m, struct tile_view *v, struct fail *f);
/* An entry that lies under the root; passes over those that are folded already. */
MUST_USE err mirror_take_entry(struct mirror *m, uint64_t index, struct span entry, struct fail *f);

/* mirror_publish.c */
MUST_USE err mirror_use_policy(struct mirror *m, struct span text, struct fail *f);
/* The copy has everything up to c: results and checkpoint are written, the checkpoint last. */
MUST_USE err mirror_accept(struct mirror *m, const struct checkpoint *c, struct mirror_report *out,
                           struct fail *f);
/* The same checkpoint, perhaps with more cosignatures. */
MUST_USE err mirror_refresh(struct mirror *m, const struct checkpoint *c,
                            struct mirror_report *out, struct fail *f);
/* Keeps both checkpoints and what connects them; out->evidence gets the folder. `root` is that of the
 * log of the newer checkpoint at `size`, proof[n] leads from it to the newer one. */
MUST_USE err evidence_keep(struct mirror *m, err kind, uint64_t seen_size, uint64_t size,
                           const struct hash *root, const struct hash *proof, size_t n,
                           struct mirror_report *out, struct fail *f);

#endif
