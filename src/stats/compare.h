/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Comparison of two tallies of the same units (a party's, the media's, a portal's, the forms'):
 * equal, differing, only in one; totals of each class; where the difference of the totals comes
 * from; and whether one constant factor lies between them.
 *
 * Pure: two tables in memory in, a result in the caller's arena out. A log fills the tables as well
 * as a CSV does. Method: shared definitions in docs/forensics.md, "Parallel tallies". */
#ifndef STATS_COMPARE_H
#define STATS_COMPARE_H

#include "base/arena.h"
#include "base/json_out.h"
#include "crypto/hash.h"
#include "stats/words.h"

#define CMP_ABSENT UINT64_MAX /* an empty cell: never a zero */

/* The signed form behind a row, where the table comes from a log. */
struct cmp_form {
    bool has_record, has_image;
    uint64_t entry;
    struct hash record, image; /* the record's id; SHA-256 of the form's public picture */
    struct span signer;        /* name of the key that answers for it */
};

/* Everything is borrowed and outlives the result. */
struct cmp_table {
    const char *name; /* for sentences */
    size_t rows, columns;
    const struct span *column; /* names [columns] */
    const struct span *key;    /* unit of each row [rows] */
    const struct span *group;  /* level of each row [rows], or NULL */
    const uint8_t *use;        /* rows that take part in the comparison [rows], or NULL for all */
    const uint64_t *value;     /* [rows * columns], CMP_ABSENT where empty */
    size_t no_key;             /* rows left out because they have no code */
    const struct cmp_form *form; /* [rows], or NULL */
};

/* Columns of the two tables that mean the same. */
struct cmp_pair {
    size_t a, b;
    uint64_t printed_a, printed_b; /* totals printed under the rows, CMP_ABSENT when not known */
};

/* One column compared. Sums are over units that are neither duplicated nor filtered out. */
struct cmp_field {
    struct cmp_pair pair;
    size_t compared, equal, differs; /* units where both sides have a figure */
    size_t blank_a, blank_b;         /* matched units where only the other side has one */
    uint64_t total_a, total_b;       /* all rows in use, duplicates included */
    uint64_t equal_sum, differs_a, differs_b, only_a, only_b, blank_sum_a, blank_sum_b;
    uint64_t duplicate_a, duplicate_b;
    int64_t difference;  /* total_a - total_b */
    /* What the printed totals (the rows' sums where none is printed) differ by, and the part of it
     * that no row explains: printed totals that are not the sums of their own rows. */
    int64_t announced, arithmetic;
    size_t more_a, less_a; /* differing units where A has more, fewer */
    uint64_t gross;        /* sum of |a - b| */
    size_t largest;        /* index into diff[] of the unit with the largest |a - b| */
    size_t ratio_n;        /* units with b > 0 */
    double ratio[3];       /* quartiles of a / b over them */
    /* One factor m: a is floor(m b) or round(m b). Only units whose interval for m is narrower than
     * 3 % (b >= 50) and where |a - b| > 1. */
    size_t factor_n, factor_fits;
    double factor;
    size_t shift_fits; /* the most common single difference fits so many of them */
    int64_t shift;
};

struct cmp_diff {
    size_t row_a, row_b, field;
};

struct cmp_result {
    const struct cmp_table *a, *b;
    size_t matched, equal, differs, only_a, only_b;
    size_t blank; /* matched units with a figure on one side only */
    size_t duplicate_keys_a, duplicate_keys_b, duplicate_rows_a, duplicate_rows_b;
    size_t fields;
    struct cmp_field *field;
    size_t diffs; /* in key order, then column order */
    struct cmp_diff *diff;
    const size_t *only_a_rows, *only_b_rows, *duplicate_a_rows, *duplicate_b_rows;
    struct span note; /* sentences that the caller adds to the verdict; empty after compare_run */
};

/* E_OVERFLOW when a sum does not fit in 63 bits, E_MEMORY at the arena's cap. */
MUST_USE err compare_run(const struct cmp_table *a, const struct cmp_table *b,
                         const struct cmp_pair *pairs, size_t pair_count, struct arena *mem,
                         struct cmp_result *out, struct fail *f);

/* A relation that each row of one table must satisfy: sum of left columns `op` sum of right ones.
 * Rows with an empty cell among them are counted apart. Evaluated on every row, per level. */
enum cmp_op { CMP_EQ, CMP_LE, CMP_NE };
struct cmp_check {
    const char *text;
    enum cmp_op op;
    size_t left[16], right[16], lefts, rights;
};
struct cmp_level {
    struct span name; /* empty when the table has no levels */
    size_t rows, broken, blank;
    uint64_t amount; /* sum of |left - right| over broken rows */
    size_t first;    /* a broken row, for example the first */
};
/* "valid+rejected<=registered", "a=b", "a!=b" against the table's columns; E_USAGE naming them. */
MUST_USE err compare_check_parse(const char *text, const struct cmp_table *t, struct cmp_check *out,
                                 struct fail *f);
/* *levels in order of first appearance, at most 64 (E_TOO_LARGE). */
MUST_USE err compare_check(const struct cmp_table *t, const struct cmp_check *c, struct arena *mem,
                           struct cmp_level **levels, size_t *count, struct fail *f);

/* Whether one factor explains this column; what is said is in `compare_verdict`. */
enum cmp_shape { CMP_SAME, CMP_CONSTANT_FACTOR, CMP_CONSTANT_SHIFT, CMP_SCATTERED, CMP_FEW };
enum cmp_shape compare_shape(const struct cmp_field *f);

/* The plain verdict in sentences. */
void compare_verdict(const struct cmp_result *r, enum lang lang, struct buf *out);

struct cmp_checks {
    const struct cmp_table *table;
    const struct cmp_check *check;
    const struct cmp_level *levels;
    size_t count;
};
/* The members of the whole result inside an object that the caller has opened (and closes), so that
 * it can add its own; at most `limit` units in each list. */
void compare_json_members(const struct cmp_result *r, const struct cmp_checks *checks,
                          size_t check_count, enum lang lang, size_t limit, struct json_out *j);
/* The same as one JSON document. */
void compare_json(const struct cmp_result *r, const struct cmp_checks *checks, size_t check_count,
                  enum lang lang, size_t limit, struct buf *out);
/* The same for people, as text. */
void compare_text(const struct cmp_result *r, const struct cmp_checks *checks, size_t check_count,
                  enum lang lang, size_t limit, struct buf *out);

#endif
