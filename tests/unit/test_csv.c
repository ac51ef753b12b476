/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "base/csv.h"

static err first_row(const char *text, size_t n, struct fail *f) {
    struct csv *c;
    TRY(csv_open_span(span_of(text, n), "t.csv", &c, f));
    bool more = true;
    err e = OK;
    while (e == OK && more) e = csv_next(c, &more, f);
    csv_close(c);
    return e;
}

static void reads_what_people_write(void **state) {
    (void)state;
    struct fail f;
    static const char text[] = "\xef\xbb\xbf" "code, Name ,votes\r\n"
                               "01,\"A, \"\"quoted\"\"\nname\",\"1,234,567\"\r\n\r\n02,,\r\n";
    struct csv *c;
    must(csv_open_span(span_of(text, sizeof text - 1), "t.csv", &c, &f));
    assert_int_equal(csv_columns(c), 3);
    size_t name, votes;
    must(csv_column(c, "name", &name, &f));
    must(csv_column(c, "votes", &votes, &f));
    refuses(E_CSV, csv_column(c, "turnout", &votes, &f));
    must(csv_column(c, "votes", &votes, &f));
    bool more, present;
    uint64_t v;
    must(csv_next(c, &more, &f));
    assert_true(more && span_is(csv_field(c, name), "A, \"quoted\"\nname"));
    must(csv_u64(c, votes, UINT64_MAX, &present, &v, &f));
    assert_true(present && v == 1234567);
    must(csv_next(c, &more, &f));
    assert_true(more && csv_line(c) == 5);
    must(csv_u64(c, votes, UINT64_MAX, &present, &v, &f));
    assert_true(!present && v == 0);
    must(csv_next(c, &more, &f));
    assert_false(more);
    csv_close(c);
}

static void refuses_with_line_and_column(void **state) {
    (void)state;
    struct fail f;
    static const struct {
        const char *text;
        size_t n;
    } bad[] = {
#define BAD(s) {s, sizeof s - 1}
        BAD(""),          BAD("a,a\n1,2\n"),   BAD("a,\n1,2\n"), BAD("a,b\n1\n"),
        BAD("a,b\n1,2,3\n"), BAD("a,b\n\"1,2\n"), BAD("a,b\n1\"x,2\n"), BAD("a,b\n\"1\"x,2\n"),
        BAD("\"\"\n1\n"), BAD("a,b\n\xff,2\n"), BAD("a,b\n1,\0\n"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_CSV, first_row(bad[i].text, bad[i].n, &f));
    refuses(E_CSV, first_row(bad[4].text, bad[4].n, &f));
    assert_non_null(strstr(f.text, "line 2"));
}

static void numbers_are_whole(void **state) {
    (void)state;
    struct fail f;
    static const struct {
        const char *text;
        uint64_t value;
        bool good;
    } cases[] = {{"0", 0, true},        {"12", 12, true},       {"1'000", 1000, true},
                 {"1 000 000", 1000000, true}, {"1\xc2\xa0" "000", 1000, true}, {"-1", 0, false},
                 {"1.5", 0, false},     {"12x", 0, false},      {"1,00", 0, false},
                 {"1,0000", 0, false},  {",100", 0, false},     {"1000000000000000001", 0, false},
                 {"99999999999999999999999", 0, false}, {"1,,000", 0, false}, {"+1", 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        int n = snprintf(text, sizeof text, "v;w\n%s;x\n", cases[i].text);
        struct csv *c;
        bool more, present;
        uint64_t v;
        must(csv_open_span(span_of(text, (size_t)n), "t.csv", &c, &f));
        must(csv_next(c, &more, &f));
        if (cases[i].good) {
            must(csv_u64(c, 0, 1000000000000000000u, &present, &v, &f));
            assert_true(v == cases[i].value);
        } else {
            refuses(E_CSV, csv_u64(c, 0, 1000000000000000000u, &present, &v, &f));
            assert_non_null(strstr(f.text, "line 2, column \"v\""));
        }
        csv_close(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_people_write),
        cmocka_unit_test(refuses_with_line_and_column),
        cmocka_unit_test(numbers_are_whole),
    };
    return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
