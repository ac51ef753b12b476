/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The client against the project's own server, and against peers that misbehave. */
#include <sys/stat.h>
#include "base/file.h"
#include "http/client.h"
#include "http_test.h"

enum { LARGE = 3 << 20 };

struct site {
    struct http_server *server;
    char dir[64], url[64];
    _Atomic int calls;
};

static struct http_response *on_echo(struct http_request *r, void *ctx) {
    struct site *s = ctx;
    s->calls++;
    struct http_response *x = http_response_copy(200, "text/x", http_body(r));
    http_response_header(x, "X-Method", http_method(r) == HTTP_PUT ? "PUT" : "other");
    http_response_etag(x, "e1");
    return x;
}

static struct http_response *on_busy(struct http_request *r, void *ctx) {
    (void)r, (void)ctx;
    struct http_response *x = http_response_fail(E_QUOTA, "no \"more\" today");
    http_response_retry(x, 77);
    return x;
}

static struct http_response *on_large(struct http_request *r, void *ctx) {
    (void)r, (void)ctx;
    struct buf b;
    buf_init(&b, LARGE);
    uint8_t *to = buf_room(&b, LARGE);
    assert_non_null(to);
    memset(to, 'L', LARGE);
    b.n = LARGE;
    return http_response_take(200, "text/plain", &b);
}

static struct http_response *on_away(struct http_request *r, void *ctx) {
    (void)r, (void)ctx;
    struct http_response *x = http_response_copy(302, "text/plain", SPAN_LIT("elsewhere"));
    http_response_header(x, "Location", "/echo");
    return x;
}

static struct http_response *on_slow(struct http_request *r, void *ctx) {
    (void)r, (void)ctx;
    pause_ms(400);
    return http_response_copy(200, "text/plain", SPAN_LIT("slow"));
}

static const struct http_route routes[] = {
    {.path = "/echo",
     .methods = HTTP_GET | HTTP_POST | HTTP_PUT,
     .handle = on_echo,
     .max_body = 1 << 20},
    {.path = "/busy", .methods = HTTP_GET, .handle = on_busy},
    {.path = "/large", .methods = HTTP_GET, .handle = on_large},
    {.path = "/away", .methods = HTTP_GET, .handle = on_away},
    {.path = "/slow", .methods = HTTP_GET, .handle = on_slow},
};

static void site_start(struct site *s) {
    struct fail f;
    memset(s, 0, sizeof *s);
    strcpy(s->dir, "/tmp/hesabu-client-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    must(http_server_start(&(struct http_options){.threads = 2}, routes,
                           sizeof routes / sizeof *routes, s, &s->server, &f));
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", http_server_port(s->server));
}

static void site_stop(struct site *s) {
    http_server_stop(s->server, 2000);
    assert_int_equal(rmdir(s->dir), 0); /* tests clean up: nothing else was left */
}

static const char *url(const struct site *s, const char *path) {
    static char text[256];
    snprintf(text, sizeof text, "%s%s", s->url, path);
    return text;
}

static void test_calls(void **state) {
    (void)state;
    struct fail f;
    struct site s;
    struct http_client *c = NULL;
    struct http_answer a;
    site_start(&s);
    must(http_client_new(NULL, &c, &f));
    struct http_call call = {.method = "PUT", .url = url(&s, "/echo"), .body = SPAN_LIT("put me")};
    must(http_call(c, &call, &a, &f));
    assert_int_equal(a.status, 200);
    assert_true(span_is(buf_view(&a.body), "put me"));
    assert_string_equal(a.etag, "\"e1\"");
    assert_string_equal(a.type, "text/x");
    must(http_answer_check(&a, call.url, &f));
    http_answer_release(&a);
    call.method = "POST";
    call.body = (struct span){0};
    must(http_call(c, &call, &a, &f));
    assert_int_equal(a.status, 200);
    assert_int_equal(a.body.n, 0);
    http_answer_release(&a);
    char path[128];
    snprintf(path, sizeof path, "%s/up", s.dir);
    must(file_write_atomic(path, SPAN_LIT("from a file"), &f));
    call.method = "PUT";
    call.body_file = path;
    must(http_call(c, &call, &a, &f));
    assert_true(span_is(buf_view(&a.body), "from a file"));
    http_answer_release(&a);
    must(file_remove(path, &f));
    call = (struct http_call){.method = "GET", .url = call.url, .if_none_match = "\"e1\""};
    must(http_call(c, &call, &a, &f));
    assert_int_equal(a.status, 304);
    http_answer_release(&a);
    call.method = "HEAD";
    call.if_none_match = NULL;
    must(http_call(c, &call, &a, &f));
    assert_int_equal(a.status, 200);
    assert_int_equal(a.body.n, 0);
    http_answer_release(&a);
    /* no redirects */
    call = (struct http_call){.method = "GET", .url = url(&s, "/away")};
    int before = s.calls;
    must(http_call(c, &call, &a, &f));
    assert_int_equal(a.status, 302);
    assert_int_equal(s.calls, before);
    refuses(E_NETWORK, http_answer_check(&a, call.url, &f));
    http_answer_release(&a);
    /* a refusal's code and sentence come through */
    call.url = url(&s, "/busy");
    must(http_call(c, &call, &a, &f));
    assert_int_equal(a.status, 429);
    assert_int_equal(a.retry_after_s, 77);
    refuses(E_QUOTA, http_answer_check(&a, call.url, &f));
    assert_non_null(strstr(f.text, "today"));
    http_answer_release(&a);
    http_client_free(c);
    site_stop(&s);
}

static void test_limits(void **state) {
    (void)state;
    struct fail f;
    struct site s;
    struct http_client *c = NULL;
    struct http_answer a;
    site_start(&s);
    must(http_client_new(&(struct http_client_options){.max_answer = 1000}, &c, &f));
    struct http_call call = {.method = "GET", .url = url(&s, "/large")};
    refuses(E_TOO_LARGE, http_call(c, &call, &a, &f));
    http_answer_release(&a);
    call.max_answer = LARGE;
    must(http_call(c, &call, &a, &f));
    assert_int_equal(a.body.n, LARGE);
    http_answer_release(&a);
    call = (struct http_call){.method = "GET", .url = url(&s, "/slow"), .total_ms = 50};
    refuses(E_TIMEOUT, http_call(c, &call, &a, &f));
    http_answer_release(&a);
    const char *const bad[] = {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/",
                               "not a url", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        call = (struct http_call){.method = "GET", .url = bad[i]};
        refuses(E_USAGE, http_call(c, &call, &a, &f));
        http_answer_release(&a);
    }
    call.url = "http://127.0.0.1:1/";
    refuses(E_NETWORK, http_call(c, &call, &a, &f));
    http_answer_release(&a);
    http_client_free(c);
    site_stop(&s);
}

static void test_download(void **state) {
    (void)state;
    struct fail f;
    struct site s;
    struct http_client *c = NULL;
    char path[128];
    int status;
    uint64_t size;
    struct hash h, want;
    site_start(&s);
    snprintf(path, sizeof path, "%s/got", s.dir);
    must(http_client_new(NULL, &c, &f));
    must(http_download(c, url(&s, "/large"), path, LARGE, &status, &size, &h, &f));
    assert_int_equal(status, 200);
    assert_int_equal(size, LARGE);
    char *bytes = malloc(LARGE);
    assert_non_null(bytes);
    memset(bytes, 'L', LARGE);
    want = sha256(span_of(bytes, LARGE));
    free(bytes);
    assert_true(hash_eq(&h, &want));
    must(file_size(path, &size, &f));
    assert_int_equal(size, LARGE);
    refuses(E_TOO_LARGE,
            http_download(c, url(&s, "/large"), path, LARGE - 1, &status, &size, &h, &f));
    assert_false(file_exists(path));
    must(http_download(c, url(&s, "/absent"), path, LARGE, &status, &size, &h, &f));
    assert_int_equal(status, 404);
    assert_false(file_exists(path));
    refuses(E_NOT_FOUND,
            http_download(c, url(&s, "/large"), "/nowhere/x", LARGE, &status, &size, &h, &f));
    http_client_free(c);
    site_stop(&s);
}

/* ---- many at once ---- */

struct tally {
    int done, ok, failed;
    struct http_pool *restart;
};

static void on_done(void *ctx, err code, struct http_answer *a, const struct fail *f) {
    struct tally *t = ctx;
    t->done++;
    if (code == OK && a->status == 200) t->ok++;
    if (code != OK) {
        assert_true(f->text[0] != 0);
        t->failed++;
    }
}

static void test_pool(void **state) {
    (void)state;
    struct fail f;
    struct site s;
    struct http_pool *p = NULL;
    struct tally t = {0};
    site_start(&s);
    refuses(E_USAGE, http_pool_new(NULL, 0, 0, &p, &f));
    must(http_pool_new(NULL, 16, 4, &p, &f));
    const struct http_call call = {
        .method = "POST", .url = url(&s, "/echo"), .body = SPAN_LIT("body")};
    int started = 0;
    while (t.done < 300) {
        while (started < 300 && http_pool_ready(p)) {
            must(http_pool_start(p, &call, on_done, &t, &f));
            started++;
        }
        if (started < 300) refuses(E_BUSY, http_pool_start(p, &call, on_done, &t, &f));
        must(http_pool_run(p, 1000, &f));
    }
    assert_int_equal(t.ok, 300);
    assert_int_equal(s.calls, 300);
    assert_int_equal(http_pool_active(p), 0);
    must(http_pool_run(p, 1000, &f)); /* nothing to wait for */
    /* one bad peer among good ones harms none */
    t = (struct tally){0};
    const struct http_call bad = {.method = "GET", .url = "http://127.0.0.1:1/"};
    for (int i = 0; i < 8; i++) must(http_pool_start(p, i % 2 ? &bad : &call, on_done, &t, &f));
    while (t.done < 8) must(http_pool_run(p, 1000, &f));
    assert_int_equal(t.ok, 4);
    assert_int_equal(t.failed, 4);
    /* given up */
    t = (struct tally){0};
    const struct http_call slow = {.method = "GET", .url = url(&s, "/slow")};
    for (int i = 0; i < 4; i++) must(http_pool_start(p, &slow, on_done, &t, &f));
    must(http_pool_run(p, 1, &f));
    http_pool_free(p);
    assert_int_equal(t.failed, 4);
    site_stop(&s);
}

/* ---- a peer that answers whatever it likes ---- */

struct liar {
    int listening;
    const char *answer;
};

static void *lie(void *arg) {
    struct liar *l = arg;
    int fd = accept(l->listening, NULL, NULL);
    char request[4096];
    (void)recv(fd, request, sizeof request, 0);
    (void)say(fd, l->answer);
    close(fd);
    return NULL;
}

static void test_liars(void **state) {
    (void)state;
    struct fail f;
    const char *const answers[] = {"", "garbage\r\n\r\n",
                                   "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                                   "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof a;
        struct liar l = {.listening = socket(AF_INET, SOCK_STREAM, 0), .answer = answers[i]};
        assert_int_equal(bind(l.listening, (struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(listen(l.listening, 4), 0);
        assert_int_equal(getsockname(l.listening, (struct sockaddr *)&a, &n), 0);
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, lie, &l), 0);
        struct http_client *c = NULL;
        struct http_answer answer;
        char text[64];
        snprintf(text, sizeof text, "http://127.0.0.1:%u/", ntohs(a.sin_port));
        must(http_client_new(NULL, &c, &f));
        const struct http_call call = {.method = "GET", .url = text, .max_answer = 1000};
        refuses(E_NETWORK, http_call(c, &call, &answer, &f));
        http_answer_release(&answer);
        http_client_free(c);
        pthread_join(t, NULL);
        close(l.listening);
    }
    /* a body that names a code which does not belong to its status */
    struct http_answer a = {.status = 200};
    buf_init(&a.body, 1000);
    must(http_answer_check(&a, "u", &f));
    a.status = 500;
    const char *const bodies[] = {"{\"code\":\"E_QUOTA\",\"sentence\":\"x\"}", "{\"code\":\"OK\"}",
                                  "{\"code\":\"", "\"code\":\"E_INTERNALLY\"",
                                  "{\"sentence\":\"\\"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        buf_clear(&a.body);
        buf_str(&a.body, bodies[i]);
        refuses(E_NETWORK, http_answer_check(&a, "u", &f));
    }
    http_answer_release(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),    cmocka_unit_test(test_limits),
        cmocka_unit_test(test_download), cmocka_unit_test(test_pool),
        cmocka_unit_test(test_liars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
