/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The parts of the HTTP layer that need no socket: budgets, targets, responses, metrics. */
#include "http/limits.h"
#include "http/metrics.h"
#include "http/response.h"
#include "http/uri.h"
#include "test.h"

static struct limits *limits_for(uint32_t per_second, uint32_t burst, uint32_t connections,
                                 size_t peers) {
    struct fail f;
    struct limits *l = NULL;
    const struct limits_config c = {per_second, burst, connections, peers, 12345};
    must(limits_new(&c, &l, &f));
    return l;
}

static struct peer_key peer(uint32_t n) {
    uint8_t a[4];
    put_u32be(a, n);
    return peer_key_v4(a);
}

static void test_budget(void **state) {
    (void)state;
    struct limits *l = limits_for(10, 5, 0, 100);
    struct peer_key a = peer(1), b = peer(2);
    uint32_t retry = 0;
    for (int i = 0; i < 5; i++) assert_true(limits_take(l, &a, 1000, 1, &retry));
    assert_false(limits_take(l, &a, 1000, 1, &retry));
    assert_int_equal(retry, 1);
    assert_true(limits_take(l, &b, 1000, 5, &retry)); /* another's is untouched */
    assert_false(limits_take(l, &a, 1099, 1, &retry));
    assert_true(limits_take(l, &a, 1100, 1, &retry)); /* one a tenth of a second */
    assert_false(limits_take(l, &a, 1100, 1, &retry));
    assert_false(limits_take(l, &a, 500, 1, &retry));    /* a clock that goes back gives nothing */
    assert_true(limits_take(l, &a, 1000000, 5, &retry)); /* and no more than the burst is saved */
    assert_false(limits_take(l, &a, 1000000, 1, &retry));
    assert_true(limits_take(l, &a, UINT64_MAX, 5, &retry));
    assert_true(limits_take(l, &a, UINT64_MAX, 0, &retry)); /* free is free */
    limits_free(l);
    l = limits_for(1, 2, 0, 100);
    assert_true(limits_take(l, &a, 0, 2, &retry));
    assert_false(limits_take(l, &a, 0, 2, &retry));
    assert_int_equal(retry, 2);
    assert_true(limits_take(l, &b, 0, 100, &retry)); /* dearer than the burst: a full bucket */
    assert_false(limits_take(l, &b, 1999, 100, &retry));
    assert_true(limits_take(l, &b, 2000, 100, &retry));
    limits_free(l);
    l = limits_for(0, 0, 0, 100);
    for (int i = 0; i < 1000; i++) assert_true(limits_take(l, &a, 0, 1, &retry));
    limits_free(l);
    l = limits_for(UINT32_MAX, UINT32_MAX, 0, 100);
    assert_true(limits_take(l, &a, 0, UINT32_MAX, &retry));
    assert_false(limits_take(l, &a, 0, 1, &retry));
    assert_true(limits_take(l, &a, UINT64_MAX, UINT32_MAX, &retry));
    limits_free(l);
}

static void test_connections(void **state) {
    (void)state;
    struct limits *l = limits_for(1, 1, 2, 100);
    struct peer_key a = peer(1), b = peer(2);
    assert_true(limits_connect(l, &a, 0));
    assert_true(limits_connect(l, &a, 0));
    assert_false(limits_connect(l, &a, 0));
    assert_true(limits_connect(l, &b, 0));
    limits_disconnect(l, &a);
    assert_true(limits_connect(l, &a, 0));
    assert_false(limits_connect(l, &a, 0));
    limits_free(l);
}

/* A crowd of addresses: the table stays bounded, counts of open connections are never forgotten,
 * and one that used up its budget does not get a new one by hiding in the crowd. */
static void test_crowd(void **state) {
    (void)state;
    struct limits *l = limits_for(1, 100, 1, 1000);
    struct peer_key bad = peer(7);
    uint32_t retry = 0;
    assert_true(limits_take(l, &bad, 0, 100, &retry));
    struct peer_key open[100];
    for (uint32_t i = 0; i < 100; i++) {
        open[i] = peer(1000 + i);
        assert_true(limits_connect(l, &open[i], 0));
    }
    for (uint32_t i = 0; i < 200000; i++) {
        struct peer_key k = peer(100000 + i);
        assert_true(limits_take(l, &k, 1, 1, &retry));
    }
    assert_in_range(limits_peers(l), 1000, 2048);
    assert_false(limits_take(l, &bad, 1, 1, &retry));
    for (uint32_t i = 0; i < 100; i++) assert_false(limits_connect(l, &open[i], 1));
    limits_free(l);
}

static void test_addresses(void **state) {
    (void)state;
    struct fail f;
    struct peer_key a, b;
    must(peer_key_parse("192.0.2.7", &a, &f));
    must(peer_key_parse("::ffff:192.0.2.7", &b, &f));
    assert_memory_equal(&a, &b, sizeof a);
    must(peer_key_parse("2001:db8:1:2:3:4:5:6", &a, &f));
    must(peer_key_parse("2001:db8:1:2::", &b, &f));
    assert_memory_equal(&a, &b, sizeof a);
    must(peer_key_parse("2001:db8:1:3::", &b, &f));
    assert_memory_not_equal(&a, &b, sizeof a);
    const char *const bad[] = {"", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.4 ", "::g", "[::1]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_CONFIG, peer_key_parse(bad[i], &a, &f));
    struct net_prefix p;
    must(net_prefix_parse("10.128.0.0/9", &p, &f));
    must(peer_key_parse("10.200.1.1", &a, &f));
    must(peer_key_parse("10.127.1.1", &b, &f));
    assert_true(net_prefix_has(&p, &a));
    assert_false(net_prefix_has(&p, &b));
    must(net_prefix_parse("0.0.0.0/0", &p, &f));
    assert_true(net_prefix_has(&p, &a));
    must(peer_key_parse("2001:db8::", &a, &f));
    assert_false(net_prefix_has(&p, &a));
    must(net_prefix_parse("2001:db8::/32", &p, &f));
    assert_true(net_prefix_has(&p, &a));
    const char *const worse[] = {"10.0.0.0/33", "10.0.0.0/", "/8", "::/65", "10.0.0.0/08", "a/8"};
    for (size_t i = 0; i < sizeof worse / sizeof *worse; i++)
        refuses(E_CONFIG, net_prefix_parse(worse[i], &p, &f));
}

static void test_targets(void **state) {
    (void)state;
    struct fail f;
    struct uri u;
    struct span v;
    must(uri_parse(SPAN_LIT("/"), &u, &f));
    assert_true(span_is(u.path, "/"));
    must(uri_parse(SPAN_LIT("/tile/0/x001/067?a=1&b&c=%26%3D+%2B&d="), &u, &f));
    assert_string_equal(u.text, "/tile/0/x001/067");
    assert_int_equal(u.param_count, 4);
    assert_true(uri_param(&u, "c", &v));
    assert_true(span_is(v, "&= +"));
    assert_true(uri_param(&u, "b", &v));
    assert_int_equal(v.n, 0);
    assert_false(uri_param(&u, "e", &v));
    must(uri_parse(SPAN_LIT("/a%41/..b/b../.c/a.b/?"), &u, &f));
    assert_string_equal(u.text, "/aA/..b/b../.c/a.b/");
    must(uri_parse(SPAN_LIT("/%c3%a9"), &u, &f));
    static const char nul[] = "/a\0b";
    refuses(E_FIELD, uri_parse(span_of(nul, sizeof nul - 1), &u, &f));
    const char *const bad[] = {
        "",       "a",           "*",        "http://a/", "//",         "/a//b", "/.",
        "/..",    "/../a",       "/a/..",    "/a/./b",    "/%2e%2E/a",  "/.%2e", "/..%2fa",
        "/a%2fb", "/a%2Fb",      "/a%00",    "/a%5cb",    "/a\\b",      "/a%",   "/a%4",
        "/a%4g",  "/a%0a",       "/a\x7f",   "/a?x=%0",   "/a?x=1&x=2", "/a?=1", "/a?x&",
        "/a?&x",  "/a?x=1&&y=2", "/a?x=%00", "/a?x=#",    "/a?x=\x01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (uri_parse(span_text(bad[i]), &u, &f) == OK) fail_msg("\"%s\" was accepted", bad[i]);
        refuses(E_FIELD, uri_parse(span_text(bad[i]), &u, &f));
    }
    char longest[URI_TARGET_MAX + 1];
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    must(uri_parse(span_of(longest, URI_TARGET_MAX), &u, &f));
    refuses(E_FIELD, uri_parse(span_of(longest, URI_TARGET_MAX + 1), &u, &f));
    longest[URI_TARGET_MAX - 10] = '?'; /* path and query fill the text to its last byte */
    must(uri_parse(span_of(longest, URI_TARGET_MAX), &u, &f));
    char many[200] = "/?a0";
    for (int i = 1; i <= URI_PARAMS_MAX; i++) {
        must(uri_parse(span_text(many), &u, &f));
        snprintf(many + strlen(many), 8, "&a%d", i);
    }
    refuses(E_FIELD, uri_parse(span_text(many), &u, &f));
}

static int freed;
static void on_free(void *ctx) {
    assert_ptr_equal(ctx, &freed);
    freed++;
}

static void test_responses(void **state) {
    (void)state;
    struct http_response *r = http_response_borrow(200, "a/b", SPAN_LIT("xyz"), on_free, &freed);
    assert_non_null(r);
    http_response_etag(r, "t");
    http_response_header(r, "X-A", "1");
    http_response_header(r, "x-a", "2"); /* replaces */
    assert_string_equal(http_response_header_get(r, "X-A"), "2");
    assert_string_equal(http_response_header_get(r, "content-type"), "a/b");
    assert_true(http_response_matches(r, "\"t\""));
    assert_true(http_response_matches(r, "\"s\" , W/\"t\""));
    assert_false(http_response_matches(r, "\"tt\""));
    assert_false(http_response_matches(r, "t"));
    assert_false(http_response_matches(r, "\"t"));
    assert_false(http_response_matches(r, ""));
    assert_false(http_response_matches(r, NULL));
    http_response_retain(r);
    http_response_release(r);
    assert_int_equal(freed, 0);
    http_response_release(r);
    assert_int_equal(freed, 1);
    r = http_response_fail(E_BUSY, "a \"quoted\"\nword");
    assert_int_equal(http_response_status(r), 503);
    assert_true(span_is(http_response_body(r), "{\"code\":\"E_BUSY\",\"sentence\":"
                                               "\"a \\\"quoted\\\"\\nword\"}\n"));
    http_response_retry(r, 30);
    assert_string_equal(http_response_header_get(r, "Retry-After"), "30");
    http_response_release(r);
    /* what cannot be sent as meant becomes a 500 */
    r = http_response_copy(200, "a/b", SPAN_LIT("x"));
    http_response_header(r, "X", "a\nb");
    assert_int_equal(http_response_status(r), 500);
    http_response_release(r);
    r = http_response_copy(200, "a/b", SPAN_LIT("x"));
    http_response_etag(r, "a\"b");
    assert_int_equal(http_response_status(r), 500);
    http_response_release(r);
    struct buf failed;
    buf_init(&failed, 1);
    buf_str(&failed, "ab");
    assert_null(http_response_take(200, "a/b", &failed));
    http_response_release(NULL);
}

static int64_t forty_two(void *ctx) {
    return *(int64_t *)ctx;
}

static void test_metrics(void **state) {
    (void)state;
    struct fail f;
    struct metrics *m = NULL;
    must(metrics_new(&m, &f));
    int64_t v = 42;
    const double bounds[] = {0.1, 1};
    metric_add(metrics_counter(m, "c_total", "k=\"a\"", "Help c."), 2);
    struct metric *h = metrics_histogram(m, "h", NULL, "Help h.", bounds, 2);
    (void)metrics_gauge_fn(m, "fn", NULL, "Help fn.", forty_two, &v);
    metric_add(metrics_counter(m, "c_total", "k=\"b\"", "Help c."), 1);
    metric_add(metrics_counter(m, "c_total", "k=\"a\"", "Help c."), 1);
    metric_shift(metrics_gauge(m, "g", NULL, "Help g."), -3);
    metric_observe(h, 0.1);
    metric_observe(h, 0.5);
    metric_observe(h, 5);
    assert_int_equal(metric_count(h), 3);
    assert_null(metrics_gauge(m, "h", NULL, "another kind"));
    metric_add(NULL, 1);
    metric_observe(NULL, 1);
    assert_null(metrics_counter(NULL, "c_total", NULL, ""));
    struct buf b;
    buf_init(&b, 65536);
    must(metrics_text(m, &b, &f));
    assert_string_equal(buf_cstr(&b), "# HELP c_total Help c.\n# TYPE c_total counter\n"
                                      "c_total{k=\"a\"} 3\nc_total{k=\"b\"} 1\n"
                                      "# HELP h Help h.\n# TYPE h histogram\n"
                                      "h_bucket{le=\"0.1\"} 1\nh_bucket{le=\"1\"} 2\n"
                                      "h_bucket{le=\"+Inf\"} 3\nh_sum 5.6\nh_count 3\n"
                                      "# HELP fn Help fn.\n# TYPE fn gauge\nfn 42\n"
                                      "# HELP g Help g.\n# TYPE g gauge\ng -3\n");
    buf_release(&b);
    for (int i = 0; i < 600; i++) { /* the registry is bounded */
        char label[32];
        snprintf(label, sizeof label, "i=\"%d\"", i);
        struct metric *x = metrics_counter(m, "many", label, "Many.");
        assert_true(i < 500 ? x != NULL : i < 510 || x == NULL);
    }
    metrics_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget),  cmocka_unit_test(test_connections),
        cmocka_unit_test(test_crowd),   cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_targets), cmocka_unit_test(test_responses),
        cmocka_unit_test(test_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
