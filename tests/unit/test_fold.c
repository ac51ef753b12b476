/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "election_fixture.h"

static void base_stands(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    const struct fold *s = x->fold;
    assert_int_equal(fx_votes(s, "president", 1, "1101", "ann"), 200);
    assert_int_equal(fx_votes(s, "president", 1, "1102", "ann"), 101);
    assert_int_equal(fx_votes(s, "president", 1, "1201", "ann"), 0); /* two results: none counts */
    assert_int_equal(fx_votes(s, "president", 1, "2102", "ann"), 0); /* no image */
    assert_int_equal(fx_votes(s, "president", 1, "11", "ann"), 301);
    assert_int_equal(fx_votes(s, "president", 1, "1", "cy"), 50 + 51 + 300);
    assert_int_equal(fx_votes(s, "president", 1, "KE", "cy"), 50 + 51 + 300 + 200);
    assert_int_equal(fx_votes(s, "member-21", 1, "21", "hal"), 50);
    assert_int_equal(fx_votes(s, "member-21", 2, "21", "fay"), 0);
    fx_free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
