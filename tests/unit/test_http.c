/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The server with real sockets: polite peers, slow ones, greedy ones, and those that go away. */
#include <dirent.h>
#include <sys/stat.h>
#include "http_test.h"

/* ---- a small application ---- */

struct app {
    pthread_mutex_t lock;
    struct http_token *held[64];
    size_t held_count;
    char dir[64];
    _Atomic int admitted;
};

static struct http_response *on_hello(struct http_request *r, void *ctx) {
    (void)r, (void)ctx;
    struct http_response *x = http_response_copy(200, "text/plain", SPAN_LIT("hello"));
    http_response_etag(x, "tag1");
    http_response_cache(x, 60, false);
    return x;
}

static struct http_response *on_echo(struct http_request *r, void *ctx) {
    (void)ctx;
    assert_int_equal(http_body(r).p ? http_body(r).p[http_body(r).n] : 0, 0);
    return http_response_copy(200, "application/octet-stream", http_body(r));
}

static struct http_response *on_query(struct http_request *r, void *ctx) {
    (void)ctx;
    struct span v = {0};
    struct buf b;
    buf_init(&b, 4096);
    buf_printf(&b, "%s|%s|%d|", http_path(r), http_tail(r), http_query(r, "x", &v));
    buf_span(&b, v);
    return http_response_take(200, "text/plain", &b);
}

static struct http_response *on_nothing(struct http_request *r, void *ctx) {
    (void)r, (void)ctx;
    return NULL;
}

static struct http_response *on_broken(struct http_request *r, void *ctx) {
    (void)r, (void)ctx;
    struct http_response *x = http_response_copy(200, "text/plain", SPAN_LIT("x"));
    http_response_header(x, "X-Evil", "a\r\nSet-Cookie: b");
    return x;
}

static struct http_response *on_fail(struct http_request *r, void *ctx) {
    (void)r, (void)ctx;
    return http_response_fail(E_QUOTA, "the key has said enough");
}

static struct http_response *on_large(struct http_request *r, void *ctx) {
    (void)r, (void)ctx;
    struct buf b;
    size_t n = 32 << 20;
    buf_init(&b, n);
    uint8_t *to = buf_room(&b, n);
    assert_non_null(to);
    memset(to, 'z', n);
    b.n = n;
    return http_response_take(200, "text/plain", &b);
}

static struct http_response *on_hold(struct http_request *r, void *ctx) {
    struct app *a = ctx;
    pthread_mutex_lock(&a->lock);
    struct http_token *t = http_defer(r);
    if (t) a->held[a->held_count++] = t;
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void *reply_soon(void *arg) {
    struct http_token *t = arg;
    http_reply(t, http_response_copy(200, "text/plain", SPAN_LIT("later")));
    return NULL;
}

static struct http_response *on_later(struct http_request *r, void *ctx) {
    (void)ctx;
    struct http_token *t = http_defer(r);
    if (!t) return NULL;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, reply_soon, t), 0);
    pthread_detach(thread);
    return NULL;
}

static struct http_response *on_upload(struct http_request *r, void *ctx) {
    (void)ctx;
    const struct http_upload *u = http_upload(r);
    assert_non_null(u);
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&u->sha256, hex);
    struct stat st;
    assert_int_equal(stat(u->path, &st), 0);
    assert_int_equal((uint64_t)st.st_size, u->size);
    struct span keep;
    if (http_query(r, "keep", &keep)) {
        http_upload_take(r);
        assert_int_equal(unlink(u->path), 0);
    }
    struct buf b;
    buf_init(&b, 256);
    buf_printf(&b, "%llu %s", (unsigned long long)u->size, hex);
    return http_response_take(201, "text/plain", &b);
}

static struct http_response *admit(struct http_request *r, void *ctx) {
    struct app *a = ctx;
    a->admitted++;
    return http_header(r, "X-Key") ? NULL : http_response_fail(E_UNSIGNED, "bring a key");
}

static const struct http_route routes[] = {
    {.path = "/hello", .methods = HTTP_GET, .handle = on_hello, .cost = 1},
    {.path = "/free", .methods = HTTP_GET, .handle = on_hello},
    {.path = "/echo", .methods = HTTP_POST | HTTP_PUT, .handle = on_echo, .max_body = 100000},
    {.path = "/query/*", .methods = HTTP_GET, .handle = on_query},
    {.path = "/nothing", .methods = HTTP_GET, .handle = on_nothing},
    {.path = "/broken", .methods = HTTP_GET, .handle = on_broken},
    {.path = "/fail", .methods = HTTP_GET, .handle = on_fail},
    {.path = "/large", .methods = HTTP_GET, .handle = on_large},
    {.path = "/hold", .methods = HTTP_GET | HTTP_POST, .handle = on_hold, .max_body = 1000},
    {.path = "/later", .methods = HTTP_GET, .handle = on_later},
    {.path = "/file",
     .methods = HTTP_PUT,
     .handle = on_upload,
     .max_body = 1 << 20,
     .to_file = true},
    {.path = "/asked", .methods = HTTP_PUT, .handle = on_echo, .max_body = 1000, .admit = admit},
};

struct site {
    struct app app;
    struct metrics *metrics;
    struct http_server *server;
    uint16_t port;
};

static struct site *site_start(struct http_options o) {
    struct fail f;
    struct site *s = calloc(1, sizeof *s);
    assert_non_null(s);
    pthread_mutex_init(&s->app.lock, NULL);
    strcpy(s->app.dir, "/tmp/hesabu-http-XXXXXX");
    assert_non_null(mkdtemp(s->app.dir));
    must(metrics_new(&s->metrics, &f));
    o.metrics = s->metrics;
    o.upload_dir = s->app.dir;
    if (o.threads == 0) o.threads = 2;
    must(http_server_start(&o, routes, sizeof routes / sizeof *routes, &s->app, &s->server, &f));
    s->port = http_server_port(s->server);
    assert_int_not_equal(s->port, 0);
    return s;
}

static size_t files_in(const char *dir) {
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return n;
}

static void site_stop(struct site *s) {
    http_server_stop(s->server, 2000);
    assert_int_equal(files_in(s->app.dir), 0); /* nothing is left behind */
    rmdir(s->app.dir);
    metrics_free(s->metrics);
    pthread_mutex_destroy(&s->app.lock);
    free(s);
}

static uint64_t refused(struct site *s, const char *reason) {
    char label[64];
    snprintf(label, sizeof label, "reason=\"%s\"", reason);
    return metric_count(metrics_counter(s->metrics, "hesabu_http_refused_total", label, ""));
}

static size_t wait_held(struct site *s, size_t n) {
    size_t have = 0;
    for (int i = 0; i < PATIENCE_MS && have < n; i++) {
        pthread_mutex_lock(&s->app.lock);
        have = s->app.held_count;
        pthread_mutex_unlock(&s->app.lock);
        pause_ms(1);
    }
    return have;
}

/* ---- polite peers ---- */

static void test_answers(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    struct reply r;
    assert_int_equal(ask(s->port, GET("/hello"), &r), 200);
    assert_true(span_is(r.body, "hello"));
    assert_string_equal(reply_header(&r, "ETag"), "\"tag1\"");
    assert_string_equal(reply_header(&r, "Cache-Control"), "public, max-age=60");
    assert_string_equal(reply_header(&r, "Content-Type"), "text/plain");
    reply_free(&r);
    assert_int_equal(ask(s->port, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n", &r), 200);
    assert_string_equal(reply_header(&r, "Content-Length"), "5");
    assert_int_equal(r.raw.n, r.head.n);
    reply_free(&r);
    const char *const known[] = {"\"tag1\"", "W/\"tag1\"", "\"a\", \"tag1\"", "*"};
    for (size_t i = 0; i < 4; i++) {
        char text[256];
        snprintf(text, sizeof text, "GET /hello HTTP/1.1\r\nHost: a\r\nIf-None-Match: %s\r\n\r\n",
                 known[i]);
        assert_int_equal(ask(s->port, text, &r), 304);
        assert_string_equal(reply_header(&r, "ETag"), "\"tag1\"");
        reply_free(&r);
    }
    assert_int_equal(ask_status(s->port, "GET /hello HTTP/1.1\r\nHost: a\r\n"
                                         "If-None-Match: \"tag2\", tag1\r\n\r\n"),
                     200);
    assert_int_equal(ask(s->port, GET("/query/a%20b/c?y=1&x=a+b%2Fc"), &r), 200);
    assert_true(span_is(r.body, "/query/a b/c|a b/c|1|a b/c"));
    reply_free(&r);
    site_stop(s);
}

static void test_errors_are_json(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    struct reply r;
    assert_int_equal(ask(s->port, GET("/absent"), &r), 404);
    assert_string_equal(reply_header(&r, "Content-Type"), "application/json");
    assert_true(span_starts(r.body, SPAN_LIT("{\"code\":\"E_NOT_FOUND\",\"sentence\":\"")));
    reply_free(&r);
    assert_int_equal(ask(s->port, "DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n", &r), 405);
    assert_string_equal(reply_header(&r, "Allow"), "POST, PUT");
    reply_free(&r);
    assert_int_equal(ask(s->port, GET("/fail"), &r), 429);
    assert_string_equal(reply_header(&r, "Retry-After"), "1");
    assert_string_equal(reply_header(&r, "Cache-Control"), "no-store");
    reply_free(&r);
    assert_int_equal(ask_status(s->port, GET("/nothing")), 500);
    assert_int_equal(ask(s->port, GET("/broken"), &r), 500);
    assert_null(memmem(r.raw.p, r.raw.n, "Set-Cookie", 10));
    reply_free(&r);
    site_stop(s);
}

static void test_bodies(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    struct reply r;
    assert_int_equal(
        ask(s->port, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", &r), 200);
    assert_true(span_is(r.body, "abc"));
    reply_free(&r);
    assert_int_equal(ask(s->port,
                         "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
                         &r),
                     200);
    assert_true(span_is(r.body, "abc"));
    reply_free(&r);
    assert_int_equal(
        ask(s->port, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", &r), 200);
    assert_int_equal(r.body.n, 0);
    reply_free(&r);
    /* a large one in two requests on one connection, to see that buffers are given back */
    int fd = dial(s->port);
    char *big = malloc(100000);
    assert_non_null(big);
    memset(big, 'q', 100000);
    for (int i = 0; i < 2; i++) {
        assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
        assert_true(say_bytes(fd, big, 100000));
        assert_true(hear_reply(fd, NULL, false, &r));
        assert_true(span_eq(r.body, span_of(big, 100000)));
        reply_free(&r);
    }
    free(big);
    close(fd);
    site_stop(s);
}

static void test_pipelining(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    int fd = dial(s->port);
    assert_true(
        say(fd, GET("/hello") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" GET(
                    "/later") GET("/absent") GET("/query/z")));
    struct buf spill;
    buf_init(&spill, 1 << 20);
    const char *const want[] = {"hello", "hi", "later", NULL, "/query/z|z|0|"};
    for (size_t i = 0; i < 5; i++) {
        struct reply r;
        assert_true(hear_reply(fd, &spill, false, &r));
        assert_int_equal(r.status, want[i] ? 200 : 404);
        if (want[i]) assert_true(span_is(r.body, want[i]));
        reply_free(&r);
    }
    buf_release(&spill);
    close(fd);
    site_stop(s);
}

static void test_uploads(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    struct reply r;
    const char *abc = "3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_int_equal(
        ask(s->port, "PUT /file HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", &r), 201);
    assert_true(span_is(r.body, abc));
    reply_free(&r);
    assert_int_equal(
        ask(s->port,
            "PUT /file?keep=1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
            &r),
        201);
    assert_true(span_is(r.body, abc));
    reply_free(&r);
    /* a peer that goes away in the middle leaves nothing (site_stop looks) */
    int fd = dial(s->port);
    assert_true(say(fd, "PUT /file HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\nabc"));
    pause_ms(20);
    close(fd);
    /* refused at its head, and let through with a key */
    assert_int_equal(
        ask_status(s->port, "PUT /asked HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"), 403);
    assert_int_equal(
        ask(s->port, "PUT /asked HTTP/1.1\r\nHost: a\r\nX-Key: k\r\nContent-Length: 3\r\n\r\nabc",
            &r),
        200);
    reply_free(&r);
    assert_int_equal(s->app.admitted, 2);
    site_stop(s);
}

/* ---- bodies that are too large ---- */

static void test_four_gigabytes(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    const char *const heads[] = {
        "PUT /file HTTP/1.1\r\nHost: a\r\nContent-Length: 4294967296\r\n\r\n",
        "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4294967296\r\n\r\n",
        "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n",
        "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n",
        ("PUT /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
         "Content-Length: 4294967296\r\n\r\n"),
        "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct reply r;
        int fd = dial(s->port);
        assert_true(say(fd, heads[i]));
        assert_true(hear_reply(fd, NULL, false, &r));
        assert_int_equal(r.status, 413);
        assert_string_equal(reply_header(&r, "Connection"), "close");
        assert_true(span_starts(r.body, SPAN_LIT("{\"code\":\"E_TOO_LARGE\"")));
        reply_free(&r);
        assert_true(hangs_up(fd));
        close(fd);
    }
    assert_int_equal(refused(s, "too_large"), sizeof heads / sizeof *heads);
    site_stop(s);
}

static void test_endless_chunks(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    const char *const heads[] = {
        "PUT /file HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    char chunk[16384 + 8];
    memcpy(chunk, "4000\r\n", 6);
    memset(chunk + 6, 'e', 16384);
    memcpy(chunk + 6 + 16384, "\r\n", 2);
    for (size_t i = 0; i < 2; i++) {
        int fd = dial(s->port);
        assert_true(say(fd, heads[i]));
        struct pollfd p = {.fd = fd, .events = POLLIN};
        size_t sent = 0; /* until it answers; it does so long before 64 MiB */
        while (sent < ((size_t)64 << 20) && poll(&p, 1, 0) == 0 &&
               say_bytes(fd, chunk, sizeof chunk))
            sent += 16384;
        struct reply r;
        assert_true(hear_reply(fd, NULL, false, &r));
        assert_int_equal(r.status, 413);
        reply_free(&r);
        close(fd);
    }
    site_stop(s);
}

static void test_two_lengths(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    const char *const heads[] = {
        ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
         "0\r\n\r\n"),
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        int status = ask_status(s->port, heads[i]);
        if (status < 400 || status > 499) fail_msg("%s gave %d", heads[i], status);
    }
    site_stop(s);
}

/* ---- malformed requests ---- */

static void test_malformed(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){.header_ms = 300});
    const char *const bad[] = {
        "GET /..%2fetc HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /../hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%2e%2e/hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hello%00 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET //hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hello?x=1&x=2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int status = ask_status(s->port, bad[i]);
        if (status != 400 && status != 405) fail_msg("%s gave %d", bad[i], status);
    }
    /* not HTTP at all: an error or an end, and the next one is served */
    const char *const noise[] = {"\r\n\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01\r\n\r\n",
                                 "GET /hello HTTP/9.9\r\n\r\n",
                                 "GET /hello HTTP/1.1\r\n: x\r\n\r\n"};
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
        int fd = dial(s->port);
        assert_true(say(fd, noise[i]));
        (void)shutdown(fd, SHUT_WR);
        struct reply r;
        if (hear_reply(fd, NULL, false, &r)) assert_in_range(r.status, 400, 599);
        reply_free(&r);
        close(fd);
        assert_int_equal(ask_status(s->port, GET("/hello")), 200);
    }
    site_stop(s);
}

static void test_head_too_large(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    int fd = dial(s->port);
    bool open = say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n");
    char line[1024];
    memset(line, 'h', sizeof line);
    memcpy(line, "X-A: ", 5);
    memcpy(line + sizeof line - 2, "\r\n", 2);
    for (int i = 0; i < 200 && open; i++) open = say_bytes(fd, line, sizeof line);
    struct reply r;
    if (hear_reply(fd, NULL, false, &r)) assert_in_range(r.status, 400, 499);
    reply_free(&r);
    close(fd);
    char long_target[4096];
    memset(long_target, 'a', sizeof long_target);
    memcpy(long_target, "GET /", 5);
    strcpy(long_target + 2000, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(ask_status(s->port, long_target), 400);
    site_stop(s);
}

/* ---- slow peers ---- */

/* Sends a byte a while until the server ends the connection. */
static void drip(int fd, const char *text) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t n = strlen(text);
    for (size_t i = 0; i < 100000; i++) {
        if (poll(&p, 1, 20) > 0) {
            assert_true(hangs_up(fd));
            return;
        }
        (void)send(fd, &text[i % n], 1, MSG_NOSIGNAL);
    }
    fail_msg("a dripping peer was never cut");
}

static void test_slow_peers(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){
        .header_ms = 300, .body_ms = 300, .write_ms = 300, .idle_ms = 400, .min_rate = 1 << 30});
    int fd = dial(s->port); /* a byte at a time in the head */
    assert_true(say(fd, "GET /hello HTTP/1.1\r\nX: "));
    drip(fd, "y");
    close(fd);
    fd = dial(s->port); /* never says anything */
    assert_true(hangs_up(fd));
    close(fd);
    fd = dial(s->port); /* in the body */
    assert_true(say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n"));
    drip(fd, "b");
    close(fd);
    fd = dial(s->port); /* in the second request of a connection */
    struct reply r;
    assert_int_equal(ask_on(fd, GET("/hello"), &r), 200);
    reply_free(&r);
    drip(fd, "G");
    close(fd);
    assert_int_equal(refused(s, "too_slow"), 4);
    site_stop(s);
}

static void test_never_reads(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){.write_ms = 300, .min_rate = 1 << 30});
    int fd = dial(s->port);
    assert_true(say(fd, GET("/large")));
    for (int i = 0; i < PATIENCE_MS && refused(s, "too_slow") == 0; i++) pause_ms(1);
    assert_int_equal(refused(s, "too_slow"), 1);
    assert_int_equal(ask_status(s->port, GET("/hello")), 200);
    struct buf b; /* and what it then reads is not all of it */
    buf_init(&b, 64 << 20);
    while (hear(fd, &b)) continue;
    assert_true(b.n < (size_t)32 << 20);
    buf_release(&b);
    close(fd);
    site_stop(s);
}

/* ---- crowds ---- */

static void test_connections_of_one_address(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){.per_peer = {.connections = 5}});
    int held[5];
    struct reply r;
    for (size_t i = 0; i < 5; i++) {
        held[i] = dial(s->port);
        assert_int_equal(ask_on(held[i], GET("/hello"), &r), 200);
        reply_free(&r);
    }
    for (size_t i = 0; i < 20; i++) {
        int fd = dial(s->port);
        assert_int_equal(ask_on(fd, GET("/hello"), &r), 0);
        reply_free(&r);
        close(fd);
    }
    assert_int_equal(refused(s, "address_connections"), 20);
    int other = dial_from("127.0.0.2", s->port); /* others notice nothing */
    assert_int_equal(ask_on(other, GET("/hello"), &r), 200);
    reply_free(&r);
    close(other);
    assert_int_equal(ask_on(held[0], GET("/hello"), &r), 200);
    reply_free(&r);
    close(held[0]); /* a place becomes free */
    int status = 0;
    for (int i = 0; i < 1000 && status != 200; i++) {
        pause_ms(2);
        status = ask_status(s->port, GET("/hello"));
    }
    assert_int_equal(status, 200);
    for (size_t i = 1; i < 5; i++) close(held[i]);
    site_stop(s);
}

static void test_all_connections(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){.max_connections = 8});
    int held[8];
    struct reply r;
    for (size_t i = 0; i < 8; i++) {
        held[i] = dial(s->port);
        assert_int_equal(ask_on(held[i], GET("/hello"), &r), 200);
        reply_free(&r);
    }
    assert_int_equal(ask_status(s->port, GET("/hello")), 0);
    assert_int_equal(refused(s, "connections"), 1);
    /* those that sit idle make room after a second */
    int status = 0;
    for (int i = 0; i < PATIENCE_MS / 10 && status != 200; i++) {
        pause_ms(10);
        status = ask_status(s->port, GET("/hello"));
    }
    assert_int_equal(status, 200);
    for (size_t i = 0; i < 8; i++) close(held[i]);
    site_stop(s);
}

static void test_budget(void **state) {
    (void)state;
    const char *const proxies[] = {"127.0.0.3"};
    struct site *s = site_start((struct http_options){
        .per_peer = {.per_second = 1, .burst = 3}, .proxies = proxies, .proxy_count = 1});
    int fd = dial(s->port);
    struct reply r;
    int limited = 0;
    for (int i = 0; i < 20; i++) {
        int status = ask_on(fd, GET("/hello"), &r);
        if (status == 429) {
            limited++;
            assert_in_range(atoi(reply_header(&r, "Retry-After")), 1, 3);
            assert_true(span_starts(r.body, SPAN_LIT("{\"code\":\"E_RATE\"")));
        } else {
            assert_int_equal(status, 200);
        }
        reply_free(&r);
    }
    assert_true(limited > 0);
    assert_int_equal(ask_on(fd, GET("/free"), &r), 200); /* costs nothing */
    reply_free(&r);
    close(fd);
    fd = dial_from("127.0.0.2", s->port); /* another address has its own */
    assert_int_equal(ask_on(fd, GET("/hello"), &r), 200);
    reply_free(&r);
    close(fd);
    fd = dial_from("127.0.0.3", s->port); /* a proxy speaks for others, each with its own */
    for (int i = 0; i < 12; i++) {
        char text[128];
        snprintf(text, sizeof text,
                 "GET /hello HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 8.8.8.8, 10.0.0.%d\r\n\r\n",
                 i);
        assert_int_equal(ask_on(fd, text, &r), 200);
        reply_free(&r);
    }
    close(fd);
    site_stop(s);
}

static void test_exempt(void **state) {
    (void)state;
    const char *const exempt[] = {"127.0.0.0/8"};
    struct site *s = site_start(
        (struct http_options){.per_peer = {.per_second = 1, .burst = 1, .connections = 1},
                              .exempt = exempt,
                              .exempt_count = 1});
    int idle = dial(s->port);
    int fd = dial(s->port);
    struct reply r;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ask_on(fd, GET("/hello"), &r), 200);
        reply_free(&r);
    }
    close(fd);
    close(idle);
    site_stop(s);
}

/* ---- deferred answers ---- */

static void test_deferred(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    int fd = dial(s->port);
    struct reply r;
    for (int i = 0; i < 200; i++) { /* answered while the handler may still be returning */
        assert_int_equal(ask_on(fd, GET("/later"), &r), 200);
        assert_true(span_is(r.body, "later"));
        reply_free(&r);
    }
    close(fd);
    int many[32];
    for (size_t i = 0; i < 32; i++) {
        many[i] = dial(s->port);
        assert_true(say(many[i], GET("/hold")));
    }
    assert_int_equal(wait_held(s, 32), 32);
    for (size_t i = 0; i < 32; i++)
        http_reply(s->app.held[i], http_response_copy(200, "text/plain", SPAN_LIT("x")));
    for (size_t i = 0; i < 32; i++) {
        assert_true(hear_reply(many[i], NULL, false, &r));
        assert_int_equal(r.status, 200);
        reply_free(&r);
        close(many[i]);
    }
    site_stop(s);
}

static void test_gone_before_the_reply(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    for (size_t i = 0; i < 16; i++) {
        int fd = dial(s->port);
        assert_true(say(fd, GET("/hold")));
        assert_int_equal(wait_held(s, i + 1), i + 1);
        if (i % 2) { /* with a reset */
            struct linger hard = {1, 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        }
        close(fd);
    }
    for (size_t i = 0; i < 16; i++)
        http_reply(s->app.held[i],
                   i % 3 ? http_response_copy(200, "text/plain", SPAN_LIT("x")) : NULL);
    assert_int_equal(ask_status(s->port, GET("/hello")), 200);
    site_stop(s);
}

static void test_too_many_deferred(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){.max_deferred = 1});
    int fd = dial(s->port);
    assert_true(say(fd, GET("/hold")));
    assert_int_equal(wait_held(s, 1), 1);
    struct reply r;
    assert_int_equal(ask(s->port, GET("/hold"), &r), 503);
    assert_string_equal(reply_header(&r, "Retry-After"), "1");
    reply_free(&r);
    http_reply(s->app.held[0], NULL);
    assert_true(hear_reply(fd, NULL, false, &r));
    assert_int_equal(r.status, 500);
    reply_free(&r);
    close(fd);
    site_stop(s);
}

static void test_stopped_with_deferred(void **state) {
    (void)state;
    struct site *s = site_start((struct http_options){0});
    int fd[8];
    for (size_t i = 0; i < 8; i++) {
        fd[i] = dial(s->port);
        assert_true(say(fd[i], GET("/hold")));
    }
    assert_int_equal(wait_held(s, 8), 8);
    struct http_token *held[8];
    memcpy(held, s->app.held, sizeof held);
    site_stop(s);
    for (size_t i = 0; i < 8; i++) {
        struct reply r;
        assert_true(hear_reply(fd[i], NULL, false, &r));
        assert_int_equal(r.status, 503);
        assert_non_null(reply_header(&r, "Retry-After"));
        reply_free(&r);
        assert_true(hangs_up(fd[i]));
        close(fd[i]);
        /* the tokens outlive the server */
        http_reply(held[i], http_response_copy(200, "text/plain", SPAN_LIT("too late")));
    }
}

/* ---- starting ---- */

static void test_start(void **state) {
    (void)state;
    struct fail f;
    struct http_server *server = NULL;
    struct site *s = site_start((struct http_options){.threads = 1});
    refuses(E_NETWORK, http_server_start(&(struct http_options){.port = s->port}, routes, 1, NULL,
                                         &server, &f));
    refuses(E_CONFIG, http_server_start(&(struct http_options){.address = "localhost"}, routes, 1,
                                        NULL, &server, &f));
    const char *const bad[] = {"127.0.0.0/33"};
    refuses(E_CONFIG, http_server_start(&(struct http_options){.exempt = bad, .exempt_count = 1},
                                        routes, 1, NULL, &server, &f));
    assert_int_equal(ask_status(s->port, GET("/hello")), 200);
    struct buf b;
    buf_init(&b, 1 << 20);
    must(metrics_text(s->metrics, &b, &f));
    assert_non_null(strstr(buf_cstr(&b), "hesabu_http_requests_total{class=\"2xx\"} 1\n"));
    assert_non_null(strstr(buf_cstr(&b), "hesabu_http_request_seconds_count 1\n"));
    buf_release(&b);
    site_stop(s);
    http_server_stop(NULL, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_errors_are_json),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_pipelining),
        cmocka_unit_test(test_uploads),
        cmocka_unit_test(test_four_gigabytes),
        cmocka_unit_test(test_endless_chunks),
        cmocka_unit_test(test_two_lengths),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_head_too_large),
        cmocka_unit_test(test_slow_peers),
        cmocka_unit_test(test_never_reads),
        cmocka_unit_test(test_connections_of_one_address),
        cmocka_unit_test(test_all_connections),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_exempt),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_gone_before_the_reply),
        cmocka_unit_test(test_too_many_deferred),
        cmocka_unit_test(test_stopped_with_deferred),
        cmocka_unit_test(test_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
