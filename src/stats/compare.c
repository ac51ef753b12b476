/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/compare.h"

#include <math.h>
#include <stdlib.h>

static int by_key(const void *x, const void *y, void *ctx) {
    const struct cmp_table *t = ctx;
    size_t i = *(const size_t *)x, j = *(const size_t *)y;
    int c = span_cmp(t->key[i], t->key[j]);
    return c ? c : (i > j) - (i < j);
}

/* Rows in use, sorted by key. */
static size_t *sorted(const struct cmp_table *t, struct arena *mem, size_t *count) {
    size_t *ix = arena_array(mem, t->rows + 1, sizeof *ix), n = 0;
    if (!ix) return NULL;
    for (size_t i = 0; i < t->rows; i++)
        if (!t->use || t->use[i]) ix[n++] = i;
    qsort_r(ix, n, sizeof *ix, by_key, (void *)t);
    *count = n;
    return ix;
}

static err no_memory(struct fail *f) {
    return fail_set(f, E_MEMORY, "the two tables are too large to compare in the memory allowed");
}

static err add(uint64_t *sum, uint64_t v, const struct cmp_table *t, struct fail *f) {
    if (v == CMP_ABSENT) return OK;
    if (__builtin_add_overflow(*sum, v, sum) || *sum > INT64_MAX)
        return fail_set(f, E_OVERFLOW, "the sum of a column of %s does not fit in 63 bits", t->name);
    return OK;
}

static uint64_t cell(const struct cmp_table *t, size_t row, size_t column) {
    return t->value[row * t->columns + column];
}

enum side { SIDE_A, SIDE_B };

/* Adds one unmatched or duplicated row to the sums of its class. */
static err add_row(struct cmp_result *r, enum side s, size_t row, bool duplicate, struct fail *f) {
    const struct cmp_table *t = s == SIDE_A ? r->a : r->b;
    for (size_t i = 0; i < r->fields; i++) {
        struct cmp_field *d = &r->field[i];
        uint64_t v = cell(t, row, s == SIDE_A ? d->pair.a : d->pair.b);
        uint64_t *sum = duplicate ? (s == SIDE_A ? &d->duplicate_a : &d->duplicate_b)
                                  : (s == SIDE_A ? &d->only_a : &d->only_b);
        TRY(add(sum, v, t, f));
        TRY(add(s == SIDE_A ? &d->total_a : &d->total_b, v, t, f));
    }
    return OK;
}

static err add_pair(struct cmp_result *r, size_t ra, size_t rb, size_t diff_cap, struct fail *f) {
    bool differs = false, blank = false;
    for (size_t i = 0; i < r->fields; i++) {
        struct cmp_field *d = &r->field[i];
        uint64_t a = cell(r->a, ra, d->pair.a), b = cell(r->b, rb, d->pair.b);
        TRY(add(&d->total_a, a, r->a, f));
        TRY(add(&d->total_b, b, r->b, f));
        if (a == CMP_ABSENT || b == CMP_ABSENT) {
            if (a != b) blank = true;
            d->blank_a += a == CMP_ABSENT && b != CMP_ABSENT;
            d->blank_b += b == CMP_ABSENT && a != CMP_ABSENT;
            TRY(add(&d->blank_sum_a, a, r->a, f));
            TRY(add(&d->blank_sum_b, b, r->b, f));
            continue;
        }
        d->compared++;
        if (a == b) {
            d->equal++;
            TRY(add(&d->equal_sum, a, r->a, f));
            continue;
        }
        differs = true;
        d->differs++;
        TRY(add(&d->differs_a, a, r->a, f));
        TRY(add(&d->differs_b, b, r->b, f));
        TRY(add(&d->gross, a > b ? a - b : b - a, r->a, f));
        if (a > b)
            d->more_a++;
        else
            d->less_a++;
        if (r->diffs < diff_cap) r->diff[r->diffs++] = (struct cmp_diff){ra, rb, i};
    }
    r->matched++;
    r->differs += differs;
    r->equal += !differs;
    r->blank += blank;
    return OK;
}

/* Rows [i, *end) of one table share a key. */
static size_t run_end(const struct cmp_table *t, const size_t *ix, size_t n, size_t i) {
    size_t j = i + 1;
    while (j < n && span_eq(t->key[ix[i]], t->key[ix[j]])) j++;
    return j;
}

struct lists {
    size_t *only_a, *only_b, *dup_a, *dup_b;
};

/* One key of one side that is duplicated or has no counterpart. */
static err lone_run(struct cmp_result *r, enum side s, const size_t *ix, size_t from, size_t to,
                    bool duplicate, struct lists *l, struct fail *f) {
    for (size_t k = from; k < to; k++) {
        TRY(add_row(r, s, ix[k], duplicate, f));
        if (duplicate)
            *(s == SIDE_A ? &l->dup_a[r->duplicate_rows_a++] : &l->dup_b[r->duplicate_rows_b++]) =
                ix[k];
        else
            *(s == SIDE_A ? &l->only_a[r->only_a++] : &l->only_b[r->only_b++]) = ix[k];
    }
    if (duplicate) (*(s == SIDE_A ? &r->duplicate_keys_a : &r->duplicate_keys_b))++;
    return OK;
}

static err merge(struct cmp_result *r, const size_t *ia, size_t na, const size_t *ib, size_t nb,
                 struct lists *l, size_t diff_cap, struct fail *f) {
    size_t i = 0, j = 0;
    while (i < na || j < nb) {
        int c = i == na ? 1 : j == nb ? -1 : span_cmp(r->a->key[ia[i]], r->b->key[ib[j]]);
        size_t ei = c <= 0 ? run_end(r->a, ia, na, i) : i;
        size_t ej = c >= 0 ? run_end(r->b, ib, nb, j) : j;
        /* A key that stands twice on either side cannot be matched: both sides leave the
         * comparison and are listed. */
        bool duplicate = ei - i > 1 || ej - j > 1;
        if (c == 0 && !duplicate) {
            TRY(add_pair(r, ia[i], ib[j], diff_cap, f));
        } else {
            if (ei > i) TRY(lone_run(r, SIDE_A, ia, i, ei, duplicate, l, f));
            if (ej > j) TRY(lone_run(r, SIDE_B, ib, j, ej, duplicate, l, f));
        }
        i = ei;
        j = ej;
    }
    return OK;
}

static int by_double(const void *x, const void *y) {
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Type 7 quantile of sorted v. */
static double quantile(const double *v, size_t n, double q) {
    double h = (double)(n - 1) * q;
    size_t k = (size_t)h;
    return k + 1 < n ? v[k] + (h - (double)k) * (v[k + 1] - v[k]) : v[n - 1];
}

struct edge {
    double at;
    int step;
};

static int by_edge(const void *x, const void *y) {
    const struct edge *a = x, *b = y;
    if (a->at != b->at) return a->at < b->at ? -1 : 1;
    return b->step - a->step; /* intervals that touch overlap */
}

static int by_i64(const void *x, const void *y) {
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

/* The factor, and the single difference, that fit most of the differing units of field i. A factor m
 * fits when floor(m b) or floor(m b + 1/2) is a: m in [(a - 1/2)/b, (a + 1)/b). */
static err fit(struct cmp_result *r, size_t i, struct arena *mem, struct fail *f) {
    struct cmp_field *d = &r->field[i];
    struct edge *e = arena_array(mem, 2 * d->differs + 1, sizeof *e);
    int64_t *shift = arena_array(mem, d->differs + 1, sizeof *shift);
    if (!e || !shift) return no_memory(f);
    size_t n = 0;
    for (size_t k = 0; k < r->diffs; k++) {
        if (r->diff[k].field != i) continue;
        uint64_t ua = cell(r->a, r->diff[k].row_a, d->pair.a);
        uint64_t ub = cell(r->b, r->diff[k].row_b, d->pair.b);
        double a = (double)ua, b = (double)ub;
        if (b < 50 || fabs(a - b) <= 1) continue;
        shift[n] = (int64_t)ua - (int64_t)ub;
        e[2 * n] = (struct edge){(a - .5) / b, 1};
        e[2 * n + 1] = (struct edge){(a + 1) / b, -1};
        n++;
    }
    d->factor_n = n;
    qsort(e, 2 * n, sizeof *e, by_edge);
    long open = 0;
    for (size_t k = 0; k < 2 * n; k++) {
        open += e[k].step;
        if (open > (long)d->factor_fits) {
            d->factor_fits = (size_t)open;
            d->factor = (e[k].at + e[k + 1].at) / 2;
        }
    }
    qsort(shift, n, sizeof *shift, by_i64);
    for (size_t k = 0, from = 0; k < n; k++) {
        if (shift[k] != shift[from]) from = k;
        if (k - from + 1 > d->shift_fits) {
            d->shift_fits = k - from + 1;
            d->shift = shift[k];
        }
    }
    return OK;
}

static err ratios(struct cmp_result *r, size_t i, const size_t *ia, size_t na, const size_t *ib,
                  size_t nb, struct arena *mem, struct fail *f) {
    struct cmp_field *d = &r->field[i];
    double *q = arena_array(mem, d->compared + 1, sizeof *q);
    if (!q) return no_memory(f);
    size_t n = 0;
    for (size_t x = 0, y = 0; x < na && y < nb;) {
        int c = span_cmp(r->a->key[ia[x]], r->b->key[ib[y]]);
        size_t ex = run_end(r->a, ia, na, x), ey = run_end(r->b, ib, nb, y);
        if (c == 0 && ex - x == 1 && ey - y == 1) {
            uint64_t a = cell(r->a, ia[x], d->pair.a), b = cell(r->b, ib[y], d->pair.b);
            if (a != CMP_ABSENT && b != CMP_ABSENT && b) q[n++] = (double)a / (double)b;
        }
        if (c <= 0) x = ex;
        if (c >= 0) y = ey;
    }
    d->ratio_n = n;
    if (n == 0) return OK;
    qsort(q, n, sizeof *q, by_double);
    for (int k = 0; k < 3; k++) d->ratio[k] = quantile(q, n, .25 * (k + 1));
    return OK;
}

static void find_largest(struct cmp_result *r) {
    uint64_t most[64] = {0};
    for (size_t k = 0; k < r->diffs; k++) {
        size_t i = r->diff[k].field;
        if (i >= 64) continue;
        struct cmp_field *d = &r->field[i];
        uint64_t a = cell(r->a, r->diff[k].row_a, d->pair.a);
        uint64_t b = cell(r->b, r->diff[k].row_b, d->pair.b);
        uint64_t gap = a > b ? a - b : b - a;
        if (gap > most[i]) {
            most[i] = gap;
            d->largest = k;
        }
    }
}

err compare_run(const struct cmp_table *a, const struct cmp_table *b, const struct cmp_pair *pairs,
                size_t pair_count, struct arena *mem, struct cmp_result *out, struct fail *f) {
    *out = (struct cmp_result){.a = a, .b = b, .fields = pair_count};
    if (pair_count == 0 || pair_count > 64)
        return fail_set(f, E_USAGE, "%zu columns to compare: from 1 to 64 are possible", pair_count);
    size_t na = 0, nb = 0;
    size_t *ia = sorted(a, mem, &na), *ib = sorted(b, mem, &nb);
    size_t least = na < nb ? na : nb, diff_cap;
    struct lists l = {arena_array(mem, na + 1, sizeof(size_t)), arena_array(mem, nb + 1, sizeof(size_t)),
                      arena_array(mem, na + 1, sizeof(size_t)), arena_array(mem, nb + 1, sizeof(size_t))};
    out->field = arena_array(mem, pair_count, sizeof *out->field);
    if (__builtin_mul_overflow(least, pair_count, &diff_cap)) return no_memory(f);
    out->diff = arena_array(mem, diff_cap + 1, sizeof *out->diff);
    if (!ia || !ib || !l.only_a || !l.only_b || !l.dup_a || !l.dup_b || !out->field || !out->diff)
        return no_memory(f);
    for (size_t i = 0; i < pair_count; i++) out->field[i].pair = pairs[i];
    TRY(merge(out, ia, na, ib, nb, &l, diff_cap, f));
    out->only_a_rows = l.only_a;
    out->only_b_rows = l.only_b;
    out->duplicate_a_rows = l.dup_a;
    out->duplicate_b_rows = l.dup_b;
    for (size_t i = 0; i < pair_count; i++) {
        struct cmp_field *d = &out->field[i];
        d->difference = (int64_t)d->total_a - (int64_t)d->total_b;
        uint64_t said_a = d->pair.printed_a == CMP_ABSENT ? d->total_a : d->pair.printed_a;
        uint64_t said_b = d->pair.printed_b == CMP_ABSENT ? d->total_b : d->pair.printed_b;
        d->announced = (int64_t)said_a - (int64_t)said_b;
        d->arithmetic = d->announced - d->difference;
        TRY(ratios(out, i, ia, na, ib, nb, mem, f));
        TRY(fit(out, i, mem, f));
    }
    find_largest(out);
    return OK;
}

enum cmp_shape compare_shape(const struct cmp_field *d) {
    if (d->differs == 0) return CMP_SAME;
    if (d->factor_n < 5) return CMP_FEW;
    bool factor = d->factor_fits * 3 >= d->factor_n * 2, shift = d->shift_fits * 3 >= d->factor_n * 2;
    if (shift && d->shift_fits >= d->factor_fits) return CMP_CONSTANT_SHIFT;
    if (factor) return CMP_CONSTANT_FACTOR;
    return CMP_SCATTERED;
}

/* One side of a relation: names joined by '+'. */
static err parse_side(struct span s, const struct cmp_table *t, size_t *at, size_t *n,
                      struct fail *f) {
    *n = 0;
    for (;;) {
        size_t k = 0;
        while (k < s.n && s.p[k] != '+') k++;
        struct span name = span_of(s.p, k);
        while (name.n && name.p[0] == ' ') name = span_from(name, 1);
        while (name.n && name.p[name.n - 1] == ' ') name.n--;
        size_t c = 0;
        while (c < t->columns && !span_eq(t->column[c], name)) c++;
        if (c == t->columns)
            return fail_set(f, E_USAGE, "%s has no column of numbers called \"%.*s\"", t->name,
                            SPAN_ARG(name));
        if (*n == 16) return fail_set(f, E_USAGE, "at most 16 columns on one side of a check");
        at[(*n)++] = c;
        if (k == s.n) return OK;
        s = span_from(s, k + 1);
    }
}

err compare_check_parse(const char *text, const struct cmp_table *t, struct cmp_check *out,
                        struct fail *f) {
    static const struct {
        const char *sign;
        enum cmp_op op;
    } ops[] = {{"<=", CMP_LE}, {"!=", CMP_NE}, {"=", CMP_EQ}};
    *out = (struct cmp_check){.text = text};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        const char *at = strstr(text, ops[i].sign);
        if (!at) continue;
        out->op = ops[i].op;
        TRY(parse_side(span_of(text, (size_t)(at - text)), t, out->left, &out->lefts, f));
        return parse_side(span_text(at + strlen(ops[i].sign)), t, out->right, &out->rights, f);
    }
    return fail_set(f, E_USAGE,
                    "\"%s\" is no check; write for example valid+rejected<=registered, a=b or a!=b",
                    text);
}

/* false when a cell is empty. */
static err side_sum(const struct cmp_table *t, size_t row, const size_t *at, size_t n,
                    uint64_t *sum, bool *present, struct fail *f) {
    *sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t v = cell(t, row, at[i]);
        if (v == CMP_ABSENT) *present = false;
        TRY(add(sum, v, t, f));
    }
    return OK;
}

err compare_check(const struct cmp_table *t, const struct cmp_check *c, struct arena *mem,
                  struct cmp_level **levels, size_t *count, struct fail *f) {
    enum { MOST = 64 };
    struct cmp_level *l = arena_array(mem, MOST, sizeof *l);
    if (!l) return no_memory(f);
    size_t n = 0;
    for (size_t row = 0; row < t->rows; row++) {
        struct span g = t->group ? t->group[row] : (struct span){0};
        size_t k = 0;
        while (k < n && !span_eq(l[k].name, g)) k++;
        if (k == MOST)
            return fail_set(f, E_TOO_LARGE, "more than %d levels in %s", MOST, t->name);
        if (k == n) l[n++] = (struct cmp_level){.name = g};
        l[k].rows++;
        uint64_t left, right;
        bool present = true;
        TRY(side_sum(t, row, c->left, c->lefts, &left, &present, f));
        TRY(side_sum(t, row, c->right, c->rights, &right, &present, f));
        if (!present) {
            l[k].blank++;
            continue;
        }
        bool holds = c->op == CMP_EQ   ? left == right
                     : c->op == CMP_LE ? left <= right
                                       : left != right;
        if (holds) continue;
        if (l[k].broken++ == 0) l[k].first = row;
        TRY(add(&l[k].amount, left > right ? left - right : right - left, t, f));
    }
    *levels = l;
    *count = n;
    return OK;
}
