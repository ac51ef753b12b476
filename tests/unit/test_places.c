/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* JSON of others, token by token, and the shapes of units read with it. */
#include "test.h"

#include "base/json_in.h"
#include "service/places.h"

static err walk(const char *text, struct fail *f) {
    struct json_in j;
    struct span s;
    json_in_init(&j, span_text(text), f);
    while (json_in_next(&j, &s) != JT_END) {}
    return json_in_end(&j);
}

static void what_is_json(void **state) {
    (void)state;
    struct fail f;
    static const char *const good[] = {
        "{}", "[]", " [ 1 , -0.5e+3, \"a\\u00e9\\ud83d\\ude00\\n\", true, false, null, {\"a\":[{}]} ] ", "0",
        "\"\"", "-1", "1E5", "{\"a\":1,\"a\":2}"};
    static const char *const bad[] = {
        "", " ", "{", "[", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "[1 2]", "01", "-",
        "1.", ".5", "1e", "+1", "tru", "nul", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
        "\"\x01\"", "\"\xff\"", "[] []", "{} x", "]", "}", "[}", "{]", "'a'", "[1,2", "{\"a\":1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) must(walk(good[i], &f));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuses(E_JSON, walk(bad[i], &f));
    refuses(E_JSON, walk("{\n \"a\": 1,\n \"b\": x }", &f));
    assert_non_null(strstr(f.text, "line 3, column 7"));
    char deep[200];
    memset(deep, '[', 100);
    strcpy(deep + 100, "1");
    refuses(E_JSON, walk(deep, &f));
    assert_non_null(strstr(f.text, "levels"));
}

static void text_of_strings(void **state) {
    (void)state;
    struct json_in j;
    struct span s;
    struct fail f;
    struct buf b;
    buf_init(&b, 100);
    json_in_init(&j, span_text("[{\"k\":[1,{\"x\":\"y\"}],\"t\":\"a\\\"\\\\\\/\\t\\u00e9\\ud83d\\ude00\"}]"), &f);
    assert_int_equal(json_in_next(&j, &s), JT_ARRAY);
    assert_int_equal(json_in_next(&j, &s), JT_OBJECT);
    assert_int_equal(json_in_next(&j, &s), JT_KEY);
    assert_true(json_in_is(s, "k"));
    json_in_skip(&j, JT_KEY);
    assert_int_equal(json_in_next(&j, &s), JT_KEY);
    assert_true(json_in_is(s, "t"));
    assert_int_equal(json_in_next(&j, &s), JT_STRING);
    json_in_text(s, &b);
    assert_string_equal(buf_cstr(&b), "a\"\\/\t\xc3\xa9\xf0\x9f\x98\x80");
    assert_int_equal(json_in_next(&j, &s), JT_OBJECT_END);
    assert_int_equal(json_in_next(&j, &s), JT_ARRAY_END);
    assert_int_equal(json_in_next(&j, &s), JT_END);
    must(json_in_end(&j));
    buf_release(&b);
}

#define FC(features) "{\"type\":\"FeatureCollection\",\"features\":[" features "]}"
#define FEATURE(code, geometry)                                                                    \
    "{\"type\":\"Feature\",\"properties\":{\"n\":{\"code\":\"no\"},\"code\":\"" code "\"},\"geometry\":" geometry "}"
#define POINT(c) "{\"type\":\"Point\",\"coordinates\":" c "}"

static void is_point(const char *coordinates, const char *want) {
    struct places p;
    struct fail f;
    char text[600], all[300];
    snprintf(text, sizeof text, FC(FEATURE("x", POINT("%s"))), coordinates);
    must(places_read(span_text(text), &p, &f));
    snprintf(all, sizeof all, POINT("%s"), want);
    struct span g = places_geometry(&p, SPAN_LIT("x"));
    if (!span_is(g, all)) fail_msg("%s: %.*s", coordinates, (int)g.n, (const char *)g.p);
    places_release(&p);
}

static void coordinates(void **state) {
    (void)state;
    is_point("[36.81725, -1.28325]", "[36.81725,-1.28325]");
    is_point("[0,0,1700.5]", "[0,0]");
    is_point("[-180,90]", "[-180,90]");
    is_point("[1.0000004,1.0000005]", "[1,1.000001]");
    is_point("[0.99999949999999999999999,0.9999995]", "[0.999999,1]");
    is_point("[5.1e-05,-3.5E1]", "[0.000051,-35]");
    is_point("[1e-300,0.0000000000000000000001]", "[0,0]");
    struct places p;
    struct fail f;
    static const char *const out[] = {"[180.000001,0]", "[0,90.1]", "[1e99,0]", "[12345678901234567890,0]",
                                      "[1]", "[]", "[1,\"2\"]", "[1,2,3,4,5]", "[[1,2]]", "1", "null"};
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        char text[600];
        snprintf(text, sizeof text, FC(FEATURE("x", POINT("%s"))), out[i]);
        refuses(E_JSON, places_read(span_text(text), &p, &f));
    }
}

static void collections(void **state) {
    (void)state;
    struct places p;
    struct fail f;
    must(places_read(span_text(FC(
             FEATURE("b", "{\"coordinates\":[[[1,2],[3,4],[5,6],[1,2]],[]],\"bbox\":[1],\"type\":\"Polygon\"}") ","
             FEATURE("a", "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[1,2],[3,4]]],[]]}") ","
             FEATURE("c", "null") "," "{\"type\":\"Feature\",\"geometry\":" POINT("[1,2]") ",\"properties\":null}")),
         &p, &f));
    assert_int_equal(p.n, 2);
    assert_true(span_is(places_geometry(&p, SPAN_LIT("b")),
                        "{\"type\":\"Polygon\",\"coordinates\":[[[1,2],[3,4],[5,6],[1,2]],[]]}"));
    assert_true(span_is(places_geometry(&p, SPAN_LIT("a")),
                        "{\"type\":\"MultiPolygon\",\"coordinates\":[[[[1,2],[3,4]]],[]]}"));
    assert_int_equal(places_geometry(&p, SPAN_LIT("c")).n, 0);
    assert_int_equal(places_geometry(&p, SPAN_LIT("no")).n, 0);
    assert_int_equal(places_geometry(NULL, SPAN_LIT("b")).n, 0);
    places_release(&p);
    static const char *const bad[] = {
        "[]", "{}", "{\"type\":\"FeatureCollection\"}", "{\"features\":[]}", FC("1"), FC("[]"),
        FC(FEATURE("a", POINT("[1,2]")) "," FEATURE("a", POINT("[1,2]"))),
        FC(FEATURE("a", "{\"type\":\"LineString\",\"coordinates\":[[1,2]]}")),
        FC(FEATURE("a", "{\"type\":\"Point\"}")), FC(FEATURE("a", "{\"coordinates\":[1,2]}")),
        FC(FEATURE("a", "{\"type\":\"Polygon\",\"coordinates\":[[1,2]]}")), FC("") " x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) refuses(E_JSON, places_read(span_text(bad[i]), &p, &f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json),
        cmocka_unit_test(text_of_strings),
        cmocka_unit_test(coordinates),
        cmocka_unit_test(collections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
