/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include "election/canonical_json.h"

struct check {
    const char *text;
    err want;
};

#define D14 "[[[[[[[[[[[[[["
#define E14 "]]]]]]]]]]]]]]"

static const struct check checks[] = {
    {"null", OK}, {"true", OK}, {"false", OK}, {"0", OK}, {"9007199254740991", OK}, {"\"\"", OK},
    {"{}", OK}, {"[]", OK}, {"[1,2,3]", OK}, {"{\"a\":1,\"b\":[{}]}", OK},
    {"\"\\\"\\\\\"", OK}, {"\"/\"", OK}, {"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82\"", OK},
    {"{\"\":1,\"A\":2,\"a\":3,\"aa\":4}", OK},
    {D14 "[1]" E14, OK}, {D14 "[]" E14, OK}, {D14 "[[]]" E14, E_DEPTH},
    {"", E_JSON}, {"nul", E_JSON}, {"nulll", E_JSON}, {"[1", E_JSON}, {"[1,", E_JSON}, {"[1,]", E_JSON},
    {"[,1]", E_JSON}, {"[1 2]", E_CANONICAL}, {"[12", E_JSON}, {"{", E_JSON}, {"{\"a\"", E_JSON},
    {"{\"a\":", E_JSON}, {"{\"a\":1", E_JSON}, {"{\"a\":1,}", E_JSON}, {"{1:2}", E_JSON}, {"\"a", E_JSON},
    {"1 ", E_JSON}, {" 1", E_CANONICAL}, {"1,2", E_JSON}, {"]", E_JSON}, {"}", E_JSON}, {"[}", E_JSON},
    {"{]", E_JSON}, {"+1", E_JSON}, {"Infinity", E_JSON}, {"'a'", E_JSON}, {"tru", E_FIELD},
    {"01", E_CANONICAL}, {"00", E_CANONICAL}, {"-0", E_RANGE}, {"-1", E_RANGE}, {"1.0", E_CANONICAL},
    {"1e3", E_CANONICAL}, {"1E3", E_CANONICAL}, {"0.5", E_CANONICAL}, {"0x10", E_JSON},
    {"9007199254740992", E_RANGE}, {"10000000000000000", E_RANGE},
    {"99999999999999999999999999999999", E_RANGE}, {"18446744073709551616", E_RANGE},
    {"[\t1]", E_CANONICAL}, {"{\"a\": 1}", E_CANONICAL}, {"{\"a\":1,\"a\":1}", E_CANONICAL},
    {"{\"b\":1,\"a\":1}", E_CANONICAL}, {"{\"aa\":1,\"a\":1}", E_CANONICAL},
    {"{\"a\":{\"c\":1,\"b\":1}}", E_CANONICAL}, {"[{\"a\":1},{\"a\":1}]", OK},
    {"{\"\xc3\xa9\":1}", E_CANONICAL}, {"{\"a\\\"\":1}", E_CANONICAL},
    {"\"\\n\"", E_CANONICAL}, {"\"\\u0041\"", E_CANONICAL}, {"\"\\/\"", E_CANONICAL}, {"\"\\", E_CANONICAL},
    {"\"\x01\"", E_UTF8}, {"\"\x7f\"", E_UTF8}, {"\"\xc2\x80\"", E_UTF8}, {"\"\xc2\x9f\"", E_UTF8},
    {"\"\xc2\xa0\"", OK}, {"\"\xe2\x80\x8e\"", E_UTF8}, {"\"\xe2\x80\xaa\"", E_UTF8},
    {"\"\xe2\x81\xa6\"", E_UTF8}, {"\"\xd8\x9c\"", E_UTF8}, {"\"\xe2\x80\xa8\"", E_UTF8},
    {"\"\xef\xbf\xbf\"", E_UTF8}, {"\"\xc0\x80\"", E_UTF8}, {"\"\xed\xa0\x80\"", E_UTF8},
    {"\"\xf4\x90\x80\x80\"", E_UTF8}, {"\"\xff\"", E_UTF8}, {"\"\xe2\x82\"", E_UTF8},
};

static void values(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct fail f = {0};
        /* on the heap, without a NUL: a sanitizer sees reads past the end */
        size_t n = strlen(checks[i].text);
        uint8_t *exact = malloc(n + 1);
        memcpy(exact, checks[i].text, n);
        exact = realloc(exact, n ? n : 1);
        err e = cj_check(span_of(exact, n), &f);
        if (e != checks[i].want)
            fail_msg("%s: wanted %s, got %s: %s", checks[i].text, err_info(checks[i].want)->name,
                     err_info(e)->name, f.text);
        if (e != OK && !f.text[0]) fail_msg("%s: no sentence", checks[i].text);
        assert_int_equal(cj_check(span_of(exact, n), NULL), e); /* nobody need listen */
        free(exact);
    }
}

static void a_million_levels(void **state) {
    (void)state;
    struct fail f;
    size_t n = 1000000;
    char *deep = malloc(n);
    memset(deep, '[', n);
    refuses(E_DEPTH, cj_check(span_of(deep, n), &f));
    for (size_t i = 0; i + 5 < n; i += 5) memcpy(deep + i, "{\"a\":", 5);
    refuses(E_DEPTH, cj_check(span_of(deep, n), &f));
    free(deep);
}

static void every_prefix_is_refused(void **state) {
    (void)state;
    const char *whole = "{\"a\":[1,{\"b\":null}],\"c\":\"d\\\\\",\"e\":true}";
    struct fail f;
    must(cj_check(span_text(whole), &f));
    for (size_t n = 0; n < strlen(whole); n++)
        assert_int_not_equal(cj_check(span_of(whole, n), &f), OK);
}

/* The pull reader's own words. */
static void pulled(void **state) {
    (void)state;
    struct cj r;
    struct fail f = {0};
    struct arena a;
    arena_init(&a, 1 << 20);
    const char *text = "{\"a\":7,\"c\":\"x\\\\y\",\"d\":[true,\"00ff\"],\"e\":null,\"z\":{\"k\":[1]}}";
    cj_init(&r, span_text(text), &f);
    cj_object(&r);
    assert_false(cj_have(&r, "0"));
    cj_need(&r, "a");
    assert_int_equal(cj_u64(&r, 7), 7);
    assert_false(cj_have(&r, "b"));
    assert_true(cj_have(&r, "c"));
    assert_true(span_is(cj_text(&r, &a, 3), "x\\y"));
    cj_need(&r, "d");
    cj_array(&r);
    assert_true(cj_element(&r));
    assert_true(cj_bool(&r));
    assert_true(cj_element(&r));
    uint8_t two[2];
    cj_hex(&r, two, 2);
    assert_int_equal(two[1], 0xff);
    assert_false(cj_element(&r));
    cj_need(&r, "e");
    assert_true(cj_null(&r));
    cj_need(&r, "z");
    assert_true(span_is(cj_raw(&r), "{\"k\":[1]}"));
    cj_object_end(&r);
    must(cj_end(&r));
    arena_release(&a);
}

static err one_field(const char *text, void (*read)(struct cj *)) {
    struct cj r;
    struct fail f = {0};
    cj_init(&r, span_text(text), &f);
    cj_object(&r);
    cj_need(&r, "a");
    read(&r);
    cj_object_end(&r);
    err e = cj_end(&r);
    assert_int_equal(e != OK, f.text[0] != 0);
    return e;
}
static void number(struct cj *r) {
    (void)cj_u64(r, 99);
}
static void code(struct cj *r) {
    (void)cj_code(r, 3);
}
static void hex(struct cj *r) {
    uint8_t b[2];
    cj_hex(r, b, 2);
}
static void flag(struct cj *r) {
    (void)cj_bool(r);
}
static void list(struct cj *r) {
    cj_array(r);
    while (cj_element(r)) (void)cj_u64(r, 9);
}
static void map(struct cj *r) {
    cj_object(r);
    cj_object_end(r);
}

static void wrong_kinds(void **state) {
    (void)state;
    assert_int_equal(one_field("{\"a\":99}", number), OK);
    assert_int_equal(one_field("{\"a\":100}", number), E_RANGE);
    assert_int_equal(one_field("{\"a\":\"1\"}", number), E_FIELD);
    assert_int_equal(one_field("{\"a\":null}", number), E_FIELD);
    assert_int_equal(one_field("{\"b\":1}", number), E_FIELD);
    assert_int_equal(one_field("{}", number), E_FIELD);
    assert_int_equal(one_field("{\"a\":1,\"b\":1}", number), E_FIELD);
    assert_int_equal(one_field("{\"a\":1,\"A\":1}", number), E_CANONICAL);
    assert_int_equal(one_field("[]", number), E_FIELD);
    assert_int_equal(one_field("{\"a\":\"abc\"}", code), OK);
    assert_int_equal(one_field("{\"a\":\"abcd\"}", code), E_RANGE);
    assert_int_equal(one_field("{\"a\":\"\\\"\"}", code), E_FIELD);
    assert_int_equal(one_field("{\"a\":1}", code), E_FIELD);
    assert_int_equal(one_field("{\"a\":\"0aff\"}", hex), OK);
    assert_int_equal(one_field("{\"a\":\"0aF0\"}", hex), E_HEX);
    assert_int_equal(one_field("{\"a\":\"0af\"}", hex), E_HEX);
    assert_int_equal(one_field("{\"a\":\"0af00\"}", hex), E_RANGE);
    assert_int_equal(one_field("{\"a\":1}", flag), E_FIELD);
    assert_int_equal(one_field("{\"a\":[1,2]}", list), OK);
    assert_int_equal(one_field("{\"a\":{}}", list), E_FIELD);
    assert_int_equal(one_field("{\"a\":[[1]]}", list), E_FIELD);
    assert_int_equal(one_field("{\"a\":[]}", map), E_FIELD);
    assert_int_equal(one_field("{\"a\":{\"x\":1}}", map), E_FIELD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values), cmocka_unit_test(a_million_levels),
        cmocka_unit_test(every_prefix_is_refused), cmocka_unit_test(pulled),
        cmocka_unit_test(wrong_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
