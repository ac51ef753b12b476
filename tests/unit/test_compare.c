/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "stats/compare.h"

enum { N = 60 };
static struct span key[N], column[2] = {{(const uint8_t *)"x", 1}, {(const uint8_t *)"y", 1}};
static char code[N][8];
static uint64_t va[2 * N], vb[2 * N];

static struct cmp_table table(const char *name, size_t rows, const uint64_t *v) {
    return (struct cmp_table){.name = name, .rows = rows, .columns = 2, .column = column, .key = key,
                              .value = v};
}

static void reset(void) {
    for (int i = 0; i < N; i++) {
        snprintf(code[i], sizeof code[i], "u%03d", i);
        key[i] = span_text(code[i]);
        vb[2 * i] = va[2 * i] = (uint64_t)(120 + 7 * i);
        vb[2 * i + 1] = va[2 * i + 1] = (uint64_t)(300 + i);
    }
}

static const struct cmp_pair both[2] = {{0, 0, CMP_ABSENT, CMP_ABSENT}, {1, 1, CMP_ABSENT, CMP_ABSENT}};

static void classes_and_totals_add_up(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    struct cmp_result r;
    arena_init(&mem, 1 << 24);
    reset();
    va[2 * 5] += 40;           /* differs */
    va[2 * 6 + 1] = CMP_ABSENT; /* blank in a */
    vb[2 * 7] -= 3;
    struct cmp_table a = table("a", N, va), b = table("b", N - 2, vb);
    must(compare_run(&a, &b, both, 2, &mem, &r, &f));
    assert_int_equal(r.matched, N - 2);
    assert_int_equal(r.differs, 2);
    assert_int_equal(r.equal, N - 4);
    assert_int_equal(r.only_a, 2);
    assert_int_equal(r.only_b, 0);
    assert_int_equal(r.blank, 1);
    for (size_t i = 0; i < 2; i++) { /* the decomposition is the difference */
        const struct cmp_field *d = &r.field[i];
        int64_t parts = (int64_t)d->only_a - (int64_t)d->only_b + (int64_t)d->differs_a -
                        (int64_t)d->differs_b + (int64_t)d->blank_sum_a - (int64_t)d->blank_sum_b;
        assert_int_equal(parts, d->difference);
    }
    assert_int_equal(r.field[0].gross, 43);
    assert_int_equal(r.diff[r.field[0].largest].row_a, 5);
    arena_release(&mem);
}

static void duplicated_codes_leave_the_comparison(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    struct cmp_result r;
    arena_init(&mem, 1 << 24);
    reset();
    struct span keys[N];
    memcpy(keys, key, sizeof keys);
    keys[9] = keys[8];
    struct cmp_table a = table("a", N, va), b = table("b", N, vb);
    a.key = keys;
    must(compare_run(&a, &b, both, 2, &mem, &r, &f));
    assert_int_equal(r.duplicate_keys_a, 1);
    assert_int_equal(r.duplicate_rows_a, 2);
    assert_int_equal(r.duplicate_rows_b, 1); /* the counterpart cannot be matched */
    assert_int_equal(r.only_b, 1);           /* u009 */
    assert_int_equal(r.equal, N - 2);
    assert_true(r.field[0].difference == 0); /* nothing is lost from the totals */
    arena_release(&mem);
}

static enum cmp_shape shape_of(struct arena *mem) {
    struct fail f;
    struct cmp_result r;
    struct cmp_table a = table("a", N, va), b = table("b", N, vb);
    must(compare_run(&a, &b, both, 1, mem, &r, &f));
    return compare_shape(&r.field[0]);
}

static void multiplier_claims_are_answered(void **state) {
    (void)state;
    struct arena mem;
    arena_init(&mem, 1 << 24);
    reset();
    assert_int_equal(shape_of(&mem), CMP_SAME);
    for (int i = 0; i < N; i++) va[2 * i] = vb[2 * i] * 11 / 10;
    assert_int_equal(shape_of(&mem), CMP_CONSTANT_FACTOR);
    reset();
    for (int i = 0; i < N; i += 2) va[2 * i] = vb[2 * i] * 9 / 10; /* in half of the units only */
    assert_int_equal(shape_of(&mem), CMP_CONSTANT_FACTOR);
    reset();
    for (int i = 0; i < N; i++) va[2 * i] = vb[2 * i] + 12;
    assert_int_equal(shape_of(&mem), CMP_CONSTANT_SHIFT);
    reset();
    for (int i = 0; i < N; i++) va[2 * i] = vb[2 * i] + (uint64_t)(i * i * 17 % 90);
    assert_int_equal(shape_of(&mem), CMP_SCATTERED);
    reset();
    va[0] += 9;
    assert_int_equal(shape_of(&mem), CMP_FEW);
    arena_release(&mem);
}

static void checks_count_broken_rows(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    struct cmp_check c;
    struct cmp_level *l;
    size_t n;
    arena_init(&mem, 1 << 24);
    reset();
    va[2 * 3] = 5000;
    va[2 * 4] = CMP_ABSENT;
    struct cmp_table a = table("a", N, va);
    struct span group[N];
    for (int i = 0; i < N; i++) group[i] = i < 10 ? column[0] : column[1];
    a.group = group;
    must(compare_check_parse("x <= y+y", &a, &c, &f));
    must(compare_check(&a, &c, &mem, &l, &n, &f));
    assert_int_equal(n, 2);
    assert_int_equal(l[0].rows, 10);
    assert_int_equal(l[0].broken, 1);
    assert_int_equal(l[0].blank, 1);
    assert_int_equal(l[0].first, 3);
    assert_int_equal(l[0].amount, 5000 - 2 * 303);
    assert_int_equal(l[1].broken, 0);
    refuses(E_USAGE, compare_check_parse("x<=z", &a, &c, &f));
    refuses(E_USAGE, compare_check_parse("x", &a, &c, &f));
    arena_release(&mem);
}

static void sums_that_do_not_fit_are_refused(void **state) {
    (void)state;
    struct fail f;
    struct arena mem;
    struct cmp_result r;
    arena_init(&mem, 1 << 24);
    reset();
    va[0] = va[2] = INT64_MAX - 1;
    struct cmp_table a = table("a", N, va), b = table("b", N, vb);
    refuses(E_OVERFLOW, compare_run(&a, &b, both, 2, &mem, &r, &f));
    refuses(E_USAGE, compare_run(&a, &b, both, 0, &mem, &r, &f));
    struct arena small;
    arena_init(&small, 1000);
    reset();
    refuses(E_MEMORY, compare_run(&a, &b, both, 2, &small, &r, &f));
    arena_release(&small);
    arena_release(&mem);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_and_totals_add_up),
        cmocka_unit_test(duplicated_codes_leave_the_comparison),
        cmocka_unit_test(multiplier_claims_are_answered),
        cmocka_unit_test(checks_count_broken_rows),
        cmocka_unit_test(sums_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
