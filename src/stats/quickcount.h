/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Quick counts (parallel vote tabulation): stratified samples of stations from a public seed, and
 * ratio estimates with finite population correction, design effects, and bounds for what is missing.
 *
 * Pure. Formulas: docs/forensics.md, "Quick counts" (combined ratio estimator: W. G. Cochran,
 * Sampling Techniques, 3rd ed., 6.11). */
#ifndef STATS_QUICKCOUNT_H
#define STATS_QUICKCOUNT_H

#include "base/arena.h"
#include "stats/words.h"

/* All stations. Strata are numbered in bytewise order of their names. Borrowed. */
struct qc_frame {
    size_t n, strata;
    const struct span *unit;        /* [n] codes */
    const uint32_t *stratum;        /* [n] */
    const uint32_t *registered;     /* [n], or NULL */
    const struct span *stratum_name; /* [strata] */
};

/* The committed rule for thin strata: in order of name, a stratum with fewer than QC_THIN stations is
 * joined to the one after it (the last to the one before). *of gets the new stratum of each old one. */
enum { QC_LEAST = 8, QC_THIN = 2 * QC_LEAST };
MUST_USE err qc_collapse(const uint64_t *stations, size_t strata, struct arena *mem, uint32_t **of,
                         size_t *count, struct fail *f);

/* Sizes by stratum: proportional to its stations, at least QC_LEAST (or all). Sum >= total. */
MUST_USE err qc_allocate(const uint64_t *stations, size_t strata, uint64_t total, struct arena *mem,
                         uint64_t **sizes, struct fail *f);

/* The smallest total for qc_allocate whose expected half-width at `z` is at most `margin` (a share). s2[h] is the
 * variance of a - R m between the stratum's stations, mean_m the mean of m per station: from a past
 * election, or assumed. E_RANGE when even all stations but one a stratum do not reach it. */
MUST_USE err qc_plan(const uint64_t *stations, const double *s2, size_t strata, double mean_m,
                     double margin, double z, struct arena *mem, uint64_t *total, uint64_t **sizes,
                     double *half_width, struct fail *f);

/* Draws sizes[h] stations of each stratum: those with the smallest SHA-256("hesabu/quickcount/v1\n" ||
 * seed || "\n" || code). The seed is public text (dice), committed to before it is known. picked[]
 * (room for the sum of sizes) gets station numbers, by stratum, then hash. */
MUST_USE err qc_draw(const struct qc_frame *frame, const uint64_t *sizes, struct span seed,
                     struct arena *mem, uint32_t *picked, size_t *n, struct fail *f);

/* One drawn station with what was reported of it. */
struct qc_item {
    uint32_t stratum;
    bool reported;
    double most; /* most ballots it can have: the register, or a cap */
    double a, m; /* numerator and denominator, when reported; a <= m */
};

struct qc_estimate {
    const char *missing; /* why there is no estimate, or NULL */
    double ratio, se, df, design_effect;
    double low95, high95, low99, high99; /* if reports were missing at random */
    double bound_low, bound_high; /* 99 %, with every missing station all against, all for */
    double bound_low95, bound_high95;
    size_t drawn, reported;
};

/* stations[h]: all stations of stratum h. */
MUST_USE err qc_estimate(const struct qc_item *items, size_t n, const uint64_t *stations,
                         size_t strata, struct arena *mem, struct qc_estimate *out, struct fail *f);

/* The state of a quick count at one moment of the arrival of its reports. */
struct qc_moment {
    int64_t until_ms; /* reports up to here, unix time */
    struct qc_estimate e;
};

/* Quantile of Student's t (p in (.5, 1), df >= 1; Hill 1970, ACM algorithm 396). */
double qc_t_quantile(double p, double df);

/* One sentence on what the estimate allows to be said about a share, and on an official figure
 * (NAN when there is none). */
void qc_say(const struct qc_estimate *e, struct span what, double official, enum lang lang,
            struct buf *out);
/* What intervals over time are, and what those for reports missing at random are not: one sentence. */
void qc_say_over_time(enum lang lang, struct buf *out);
void qc_say_at_random(enum lang lang, struct buf *out);

#endif
