/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "scratch.h"
#include "store/guard.h"

static struct hash h(uint8_t fill) {
    struct hash x;
    memset(x.b, fill, sizeof x.b);
    return x;
}

struct setup {
    char dir[64], path[512];
};

static void begin(struct setup *s) {
    struct fail f;
    scratch_make(s->dir);
    snprintf(s->path, sizeof s->path, "%s", scratch_path(s->dir, "guard"));
    must(guard_create(s->path, "example.org/log", &f));
}

static void test_remembers(void **state) {
    (void)state;
    struct setup s;
    struct guard *g;
    struct fail f;
    begin(&s);
    refuses(E_EXISTS, guard_create(s.path, "example.org/log", &f));
    must(guard_open(s.path, "example.org/log", &g, &f));
    assert_true(guard_state(g).empty);
    must(guard_check(g, 0, NULL, &f));
    must(guard_check(g, 12, NULL, &f)); /* nothing signed yet */
    for (uint8_t i = 1; i <= 5; i++) {
        struct hash root = h(i);
        must(guard_advance(g, i * 10u, &root, &f));
        must(guard_advance(g, i * 10u, &root, &f)); /* the same again is fine */
        guard_close(g);
        must(guard_open(s.path, "example.org/log", &g, &f));
        assert_int_equal(guard_state(g).size, i * 10u);
        struct guard_state now = guard_state(g);
        assert_true(hash_eq(&now.root, &root));
        assert_false(guard_state(g).torn);
    }
    guard_close(g);
    scratch_remove(s.dir);
}

static void test_refuses_rollback(void **state) {
    (void)state;
    struct setup s;
    struct guard *g;
    struct fail f;
    begin(&s);
    must(guard_open(s.path, "example.org/log", &g, &f));
    struct hash a = h(1), b = h(2);
    must(guard_advance(g, 100, &a, &f));
    refuses(E_ROLLBACK, guard_check(g, 99, &a, &f));  /* an old copy */
    refuses(E_ROLLBACK, guard_check(g, 100, &b, &f)); /* another history, as long */
    refuses(E_ROLLBACK, guard_check(g, 500, &b, &f)); /* another history, longer */
    must(guard_check(g, 100, &a, &f));
    must(guard_check(g, 101, &a, &f));
    refuses(E_ROLLBACK, guard_advance(g, 99, &a, &f));
    refuses(E_ROLLBACK, guard_advance(g, 100, &b, &f));
    must(guard_advance(g, 101, &b, &f));
    guard_close(g);
    scratch_remove(s.dir);
}

static void test_missing_locked_foreign(void **state) {
    (void)state;
    struct setup s;
    struct guard *g, *second;
    struct fail f;
    begin(&s);
    refuses(E_NOT_FOUND, guard_open(scratch_path(s.dir, "none"), "example.org/log", &g, &f));
    assert_false(file_exists(scratch_path(s.dir, "none")));
    refuses(E_ORIGIN, guard_open(s.path, "example.org/other", &g, &f));
    must(guard_open(s.path, "example.org/log", &g, &f));
    refuses(E_LOCKED, guard_open(s.path, "example.org/log", &second, &f));
    guard_close(g);
    scratch_remove(s.dir);
}

/* Every byte of the newer slot damaged in turn, and every length that a torn file may have. */
static void test_torn(void **state) {
    (void)state;
    struct setup s;
    struct guard *g;
    struct fail f;
    begin(&s);
    must(guard_open(s.path, "example.org/log", &g, &f));
    struct hash a = h(1), b = h(2);
    must(guard_advance(g, 7, &a, &f)); /* write 2: slot 0 */
    must(guard_advance(g, 9, &b, &f)); /* write 3: slot 1, at 4096 */
    guard_close(g);
    for (long at = 4096; at < 4096 + 128; at++) {
        scratch_flip(s.path, at);
        must(guard_open(s.path, "example.org/log", &g, &f));
        assert_true(guard_state(g).torn);
        assert_int_equal(guard_state(g).size, 7);
        guard_close(g);
        scratch_flip(s.path, at);
    }
    for (long at = 0; at < 128; at++) { /* the older one: nothing is lost, but it is said */
        scratch_flip(s.path, at);
        must(guard_open(s.path, "example.org/log", &g, &f));
        assert_true(guard_state(g).torn);
        assert_int_equal(guard_state(g).size, 9);
        guard_close(g);
        scratch_flip(s.path, at);
    }
    assert_int_equal(truncate(s.path, 4096 + 127), 0);
    must(guard_open(s.path, "example.org/log", &g, &f));
    assert_int_equal(guard_state(g).size, 7);
    struct hash c = h(3); /* the damaged slot is the one written next: then both are whole again */
    must(guard_advance(g, 8, &c, &f));
    guard_close(g);
    must(guard_open(s.path, "example.org/log", &g, &f));
    assert_false(guard_state(g).torn);
    assert_int_equal(guard_state(g).size, 8);
    guard_close(g);
    scratch_flip(s.path, 20);
    scratch_flip(s.path, 4096 + 20);
    refuses(E_DAMAGED, guard_open(s.path, "example.org/log", &g, &f));
    assert_int_equal(truncate(s.path, 0), 0);
    refuses(E_DAMAGED, guard_open(s.path, "example.org/log", &g, &f));
    scratch_remove(s.dir);
}

static void test_faults(void **state) {
    (void)state;
    static const char *const ops[] = {"write", "fsync"};
    for (int i = 0; i < 2; i++) {
        struct setup s;
        struct guard *g;
        struct fail f;
        begin(&s);
        must(guard_open(s.path, "example.org/log", &g, &f));
        struct hash a = h(1);
        must(guard_advance(g, 1, &a, &f));
        struct scratch_fault fault = {.op = ops[i], .from = 1, .errnum = i ? EIO : ENOSPC};
        scratch_faults(&fault);
        refuses(i ? E_IO : E_DISK_FULL, guard_advance(g, 2, &a, &f));
        scratch_faults(NULL);
        refuses(E_IO, guard_advance(g, 2, &a, &f)); /* for good, even when the disk is well again */
        assert_int_equal(guard_state(g).size, 1);
        guard_close(g);
        scratch_remove(s.dir);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remembers),
        cmocka_unit_test(test_refuses_rollback),
        cmocka_unit_test(test_missing_locked_foreign),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
