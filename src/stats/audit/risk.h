/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Batch comparison: the risk of every assertion on one sample of hand-counted batches.
 *
 * Draw i, of batch g with weight w_g, shows x = A(hand count)/w_g; under the null its conditional
 * mean is (T - S)/W over what is left of the assertion's region (S: A already found there). Draws
 * outside the region do not touch the assertion. A walk stops at the first draw without a count. */
#ifndef STATS_AUDIT_RISK_H
#define STATS_AUDIT_RISK_H

#include "stats/audit/assorter.h"
#include "stats/audit/martingale.h"

/* How the batches were drawn. Borrowed. */
struct audit_sample {
    const uint64_t *weight; /* [batches]: probability proportional to this */
    const uint32_t *draw;   /* [draws] batches in the order drawn */
    size_t draws;
    bool replacement; /* drawn batches went back: a batch may come again */
    bool order_known; /* `draw` is the seed's order; without it p = 1/M at the end */
};

/* Hand counts with more votes than the batch's bound falsify the bounds: E_AUDIT_BOUND naming the
 * batch's index in *where; there is no p until every bound is corrected. Batches counted with
 * others
 * (`against` differs from the report) are the caller's to check. */
MUST_USE err audit_hand_check(const struct audit_contest *c, const struct audit_hand *h,
                              size_t *where, struct fail *f);
/* A of batch g as counted: 0 for a lost box, and never below 0 (which only a batch that was counted
 * together with others could reach). */
int64_t audit_value(const struct assertion *a, const struct audit_contest *c,
                    const struct audit_hand *h, size_t g);

/* Sums over one assertion's region before any draw. */
struct audit_region_sums {
    uint64_t weight, ballots, drawable; /* sum of w, sum of b, batches with w > 0 */
    uint64_t batches, uncounted;
};
/* Into all[0] (everywhere) and all[1 + r] for each region r; [1 + max(regions, 1)] of them. */
void audit_region_sums(const struct audit_contest *c, const uint64_t *weight,
                       const struct audit_hand *h, struct audit_region_sums *all);
/* The row of an assertion in what audit_region_sums gave. */
static inline const struct audit_region_sums *audit_sums_of(const struct assertion *a,
                                                            const struct audit_region_sums *all) {
    return a->region == AUDIT_EVERYWHERE ? all : all + 1 + a->region;
}

/* One assertion, draw by draw. */
struct audit_walk {
    const struct audit_contest *c;
    const struct assertion *a;
    const struct audit_sample *sample;
    const struct audit_hand *h;
    struct mart m;
    int64_t null_left; /* T - S */
    uint64_t weight_left, ballots_left;
    size_t at;   /* draws looked at */
    size_t used; /* draws that fell in the region */
    double unit; /* x is shown to the bet as A * unit / w, so that clean is <= 1 */
};
/* `method` fixes the bet's kind; its parameters follow from the assertion (bet_comparison). */
void audit_walk_init(struct audit_walk *w, const struct audit_contest *c, const struct assertion *a,
                     const struct audit_sample *sample, const struct audit_hand *h,
                     const struct audit_region_sums *all, enum bet_method method);
/* Takes the next draw that falls in the region; *value gets its A. False at the end of the draws,
 * or at a draw that nobody has counted yet. */
bool audit_walk_next(struct audit_walk *w, int64_t *value);

struct assertion_risk {
    double p;
    uint64_t draws;     /* in the region, with a count */
    int64_t null_total; /* T */
    int64_t counted;    /* S: over the distinct batches drawn, or over all after a full count */
    bool full_count;    /* every batch of the region is counted: p is 0 or 1 */
    bool waiting;       /* a draw in the region has no count yet */
};
/* Into out[n]. E_USAGE when the method needs the order of draws and it is not known, or the sample
 * is without replacement and its order is not known. */
MUST_USE err audit_risk(const struct audit_contest *c, const struct assertion *a, size_t n,
                        const struct audit_sample *sample, const struct audit_hand *h,
                        enum bet_method method, struct arena *scratch, struct assertion_risk *out,
                        struct fail *f);

#endif
