/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A tally of anybody's, with rows at any levels of the hierarchy, against a log's signed forms: each
 * level by itself, figures that are not the sum of their own parts, and published figures that no set
 * of forms can give.
 *
 * Pure. Method: docs/forensics.md, "Parallel tallies". */
#ifndef STATS_COMPARE_LEVELS_H
#define STATS_COMPARE_LEVELS_H

#include "stats/log_tables.h"

/* A figure of A that is not the sum of A's own rows of the next level below. */
struct cmp_gap {
    size_t row, field;  /* row of A; pair */
    uint64_t said, sum; /* the sum of `parts` rows */
    size_t parts, parts_missing; /* units of that level for which A has no row */
};
/* A figure of A above the stations that no set of forms containing those in the log can give: they give
 * `low` already, and the stations without figures have few voters. */
struct cmp_bound {
    size_t row, field; /* field SIZE_MAX: the votes of all choices together */
    uint64_t said, low, high;
};
struct cmp_level_part {
    uint8_t level;
    struct span name;
    struct cmp_table a, b;
    struct cmp_result r;
};
struct cmp_levels {
    const struct log_units *log;
    size_t n;
    struct cmp_level_part *at; /* from the smallest units that A has to the largest */
    size_t unknown;            /* rows of A whose code no unit has */
    const size_t *unknown_rows;
    const size_t *a_row;       /* of each row of the log: A's, SIZE_MAX when A has none or more than one */
    size_t padded;             /* codes matched after leading zeros were put back */
    size_t gaps, bounds;
    struct cmp_gap *gap;
    struct cmp_bound *bound;
};

/* `a` must outlive the result. When A has a row for the contest's whole area it is taken as the printed
 * total of its smallest level. E_NOT_FOUND when no code is that of a unit. */
MUST_USE err compare_levels(const struct cmp_table *a, const struct log_units *log,
                            const struct cmp_pair *pairs, size_t pair_count, struct arena *mem,
                            struct cmp_levels *out, struct fail *f);

/* Sentences on what the levels show, for the end of the verdict. */
void compare_levels_say(const struct cmp_levels *l, enum lang lang, struct buf *out);
/* Members "unknown", "levels", "sums_broken", "impossible" inside an open object. */
void compare_levels_json(const struct cmp_levels *l, enum lang lang, size_t limit, struct json_out *j);
void compare_levels_text(const struct cmp_levels *l, enum lang lang, size_t limit, struct buf *out);

#endif
