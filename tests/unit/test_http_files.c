/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Static files (what is served, what is never reached, what the cache knows) and event streams. */
#include <fcntl.h>
#include <sys/stat.h>
#include "base/file.h"
#include "base/gzip.h"
#include "http/static.h"
#include "http/stream.h"
#include "http_test.h"

static const struct static_rule rules[] = {
    {.prefix = "tile/", .suffix = "", .type = "application/octet-stream", .immutable = true},
    {.prefix = "", .suffix = ".json", .type = "application/json", .max_age = 2},
    {.prefix = "", .suffix = ".page", .type = "text/html", .max_age = 2},
    {.prefix = "", .suffix = "", .type = "text/plain", .max_age = 5, .index = "index.html"},
};

struct tree {
    char dir[64], out[64];
    struct static_tree *t;
};

static void put(const struct tree *t, const char *path, const char *text) {
    struct fail f;
    char whole[512];
    must(path_join(whole, sizeof whole, t->dir, path, &f));
    must(file_mkdirs_for(whole, &f));
    must(file_write_atomic(whole, span_text(text), &f));
}

static void tree_make(struct tree *t, size_t cache, size_t max_cached) {
    struct fail f;
    strcpy(t->dir, "/tmp/hesabu-tree-XXXXXX");
    strcpy(t->out, "/tmp/hesabu-away-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    assert_non_null(mkdtemp(t->out));
    put(t, "a.txt", "text a");
    put(t, "index.html", "front");
    put(t, "sub/index.html", "sub front");
    put(t, "head.json", "{}");
    put(t, "tile/0/000", "tile");
    put(t, ".hidden", "secret");
    put(t, ".git/config", "secret");
    put(t, "empty", "");
    const struct static_options o = {.dir = t->dir,
                                     .rules = rules,
                                     .rule_count = sizeof rules / sizeof *rules,
                                     .cache_bytes = cache,
                                     .max_cached = max_cached,
                                     .recheck_ms = 1000,
                                     .any_origin = true};
    must(static_open(&o, &t->t, &f));
}

static void tree_drop(struct tree *t) {
    char command[256];
    static_close(t->t);
    snprintf(command, sizeof command, "rm -rf %s %s", t->dir, t->out);
    assert_int_equal(system(command), 0);
}

/* The body of a 200, or "" for anything else. */
static const char *get(struct tree *t, const char *path, uint64_t now) {
    static char text[256];
    struct http_response *r = static_get(t->t, path, NULL, now);
    assert_non_null(r);
    struct span b = http_response_body(r);
    snprintf(text, sizeof text, "%.*s", http_response_status(r) == 200 ? (int)b.n : 0,
             (const char *)b.p);
    http_response_release(r);
    return text;
}

static void test_files(void **state) {
    (void)state;
    struct tree t;
    tree_make(&t, 0, 0);
    assert_string_equal(get(&t, "a.txt", 0), "text a");
    assert_string_equal(get(&t, "", 0), "front");
    assert_string_equal(get(&t, "sub/", 0), "sub front");
    assert_string_equal(get(&t, "tile/0/000", 0), "tile");
    struct http_response *r = static_get(t.t, "tile/0/000", NULL, 0);
    assert_string_equal(http_response_header_get(r, "Cache-Control"),
                        "public, max-age=31536000, immutable");
    assert_string_equal(http_response_header_get(r, "Content-Type"), "application/octet-stream");
    assert_string_equal(http_response_header_get(r, "Access-Control-Allow-Origin"), "*");
    /* the tag is the file's hash: SHA-256 of "tile", cut */
    struct hash h = sha256(SPAN_LIT("tile"));
    char hex[HASH_HEX_LEN + 1], want[40];
    hash_hex(&h, hex);
    snprintf(want, sizeof want, "\"%.32s\"", hex);
    assert_string_equal(http_response_header_get(r, "ETag"), want);
    http_response_release(r);
    r = static_get(t.t, "head.json", NULL, 0);
    assert_string_equal(http_response_header_get(r, "Cache-Control"), "public, max-age=2");
    http_response_release(r);
    r = static_get(t.t, "empty", NULL, 0);
    assert_int_equal(http_response_status(r), 200);
    http_response_release(r);
    tree_drop(&t);
}

static void test_never_reached(void **state) {
    (void)state;
    struct tree t;
    char from[256], to[256];
    tree_make(&t, 0, 0);
    snprintf(to, sizeof to, "%s/secret", t.out);
    int fd = open(to, O_CREAT | O_WRONLY, 0644);
    assert_true(fd >= 0 && write(fd, "secret", 6) == 6);
    close(fd);
    snprintf(from, sizeof from, "%s/link", t.dir);
    assert_int_equal(symlink(to, from), 0); /* a file outside */
    snprintf(from, sizeof from, "%s/away", t.dir);
    assert_int_equal(symlink(t.out, from), 0); /* a folder outside */
    snprintf(from, sizeof from, "%s/inside", t.dir);
    assert_int_equal(symlink("a.txt", from), 0); /* links are not followed at all */
    snprintf(from, sizeof from, "%s/fifo", t.dir);
    assert_int_equal(mkfifo(from, 0644), 0); /* must not hang either */
    const char *const bad[] = {"link",
                               "away/secret",
                               "inside",
                               "fifo",
                               ".hidden",
                               ".git/config",
                               "sub",
                               "../a.txt",
                               "sub/../a.txt",
                               "./a.txt",
                               "sub/./index.html",
                               "/a.txt",
                               "sub//index.html",
                               "..",
                               ".",
                               "nothing",
                               "a.txt/",
                               "a.txt/x",
                               "nothing/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_response *r = static_get(t.t, bad[i], NULL, 0);
        if (http_response_status(r) != 404) fail_msg("%s gave %d", bad[i], http_response_status(r));
        http_response_release(r);
    }
    char path[3000];
    memset(path, 'a', sizeof path);
    path[2999] = 0;
    assert_string_equal(get(&t, path, 0), "");
    path[300] = 0;
    assert_string_equal(get(&t, path, 0), "");
    assert_string_equal(get(&t, "a.txt", 0), "text a");
    tree_drop(&t);
}

static void test_changes(void **state) {
    (void)state;
    struct tree t;
    tree_make(&t, 0, 0);
    assert_string_equal(get(&t, "head.json", 0), "{}");
    put(&t, "head.json", "[]"); /* same size, another file */
    assert_string_equal(get(&t, "head.json", 999), "{}");
    assert_string_equal(get(&t, "head.json", 1000), "[]");
    put(&t, "head.json", "[1]");
    assert_string_equal(get(&t, "head.json", 1500), "[]");
    static_forget(t.t, "head.json");
    assert_string_equal(get(&t, "head.json", 1500), "[1]");
    char path[128];
    snprintf(path, sizeof path, "%s/head.json", t.dir);
    assert_int_equal(unlink(path), 0);
    assert_string_equal(get(&t, "head.json", 4000), "");
    assert_string_equal(get(&t, "head.json", 4001), "");
    put(&t, "head.json", "[2]"); /* what was not there is not remembered */
    assert_string_equal(get(&t, "head.json", 4002), "[2]");
    put(&t, "tile/0/000", "other");
    assert_string_equal(get(&t, "tile/0/000", 0), "other");
    put(&t, "tile/0/000", "again"); /* immutable files are read once */
    assert_string_equal(get(&t, "tile/0/000", 9999999), "other");
    tree_drop(&t);
}

static void test_cache_bounds(void **state) {
    (void)state;
    struct tree t;
    tree_make(&t, 16 * 8192, 4000);
    char name[32], text[2001];
    memset(text, 'x', sizeof text - 1);
    text[2000] = 0;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "f%d", i);
        put(&t, name, text);
    }
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 300; i++) {
            snprintf(name, sizeof name, "f%d", i);
            struct http_response *r = static_get(t.t, name, NULL, 0);
            assert_int_equal(http_response_body(r).n, 2000);
            http_response_release(r);
        }
    struct static_stats stats;
    static_stats(t.t, &stats);
    assert_true(stats.evicted > 0);
    assert_true(stats.bytes <= 16 * 8192);
    assert_int_equal(stats.hits + stats.misses, 600);
    /* a large one goes past the cache */
    char *large = malloc(5001);
    assert_non_null(large);
    memset(large, 'L', 5000);
    large[5000] = 0;
    put(&t, "large", large);
    free(large);
    uint64_t before = stats.entries;
    struct http_response *r = static_get(t.t, "large", NULL, 0);
    assert_int_equal(http_response_status(r), 200);
    assert_int_equal(http_response_body(r).n, 0); /* the kernel sends it */
    assert_non_null(http_response_header_get(r, "ETag"));
    http_response_release(r);
    static_stats(t.t, &stats);
    assert_int_equal(stats.entries, before);
    tree_drop(&t);
}

/* ---- through the server ---- */

struct site {
    struct tree tree;
    struct stream *stream;
    struct http_server *server;
    uint16_t port;
};

static struct http_response *on_static(struct http_request *r, void *ctx) {
    struct site *s = ctx;
    return static_get(s->tree.t, http_tail(r), http_header(r, "Accept-Encoding"), clock_monotonic_ms());
}

static struct http_response *on_events(struct http_request *r, void *ctx) {
    struct site *s = ctx;
    return stream_subscribe(s->stream, r);
}

static const struct http_route routes[] = {
    {.path = "/events", .methods = HTTP_GET, .handle = on_events},
    {.path = "/*", .methods = HTTP_GET, .handle = on_static},
};

static void site_start(struct site *s, struct stream_options so, size_t max_cached) {
    struct fail f;
    memset(s, 0, sizeof *s);
    tree_make(&s->tree, 0, max_cached);
    must(stream_new(&so, &s->stream, &f));
    must(http_server_start(&(struct http_options){.threads = 2}, routes, 2, s, &s->server, &f));
    s->port = http_server_port(s->server);
}

static void site_stop(struct site *s) {
    http_server_stop(s->server, 2000);
    assert_int_equal(stream_subscribers(s->stream), 0);
    stream_free(s->stream);
    tree_drop(&s->tree);
}

static void test_served(void **state) {
    (void)state;
    struct site s;
    struct reply r;
    site_start(&s, (struct stream_options){0}, 1000);
    assert_int_equal(ask(s.port, GET("/"), &r), 200);
    assert_true(span_is(r.body, "front"));
    reply_free(&r);
    assert_int_equal(ask(s.port, GET("/tile/0/000"), &r), 200);
    char again[1024];
    snprintf(again, sizeof again,
             "GET /tile/0/000 HTTP/1.1\r\nHost: a\r\nIf-None-Match: %s\r\n\r\n",
             reply_header(&r, "ETag"));
    reply_free(&r);
    assert_int_equal(ask(s.port, again, &r), 304);
    assert_non_null(reply_header(&r, "Cache-Control"));
    reply_free(&r);
    const char *const bad[] = {GET("/..%2f..%2fetc/passwd"),
                               GET("/%2e%2e/etc/passwd"),
                               GET("/../etc/passwd"),
                               GET("/.hidden"),
                               GET("/%2ehidden"),
                               GET("/a.txt%00.json"),
                               GET("/sub%2findex.html"),
                               GET("//etc/passwd")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_in_range(ask_status(s.port, bad[i]), 400, 404);
    /* larger than the cache takes: sent by the kernel, whole */
    char large[300001];
    for (size_t i = 0; i < 300000; i++) large[i] = (char)('a' + i % 23);
    large[300000] = 0;
    put(&s.tree, "large", large);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(s.port, GET("/large"), &r), 200);
        assert_true(span_eq(r.body, span_of(large, 300000)));
        reply_free(&r);
    }
    assert_int_equal(ask(s.port, "HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n", &r), 200);
    assert_string_equal(reply_header(&r, "Content-Length"), "300000");
    reply_free(&r);
    site_stop(&s);
}

static int ask_for(struct site *s, const char *path, const char *headers, struct reply *r) {
    char text[1000];
    snprintf(text, sizeof text, "GET /%s HTTP/1.1\r\nHost: a\r\n%s\r\n", path, headers);
    return ask(s->port, text, r);
}

/* Compressed on its way, and the very bytes of the file afterwards. */
static void is_packed(struct site *s, struct reply *r, const char *want) {
    struct fail f;
    struct buf plain;
    char path[512];
    assert_string_equal(reply_header(r, "Content-Encoding"), "gzip");
    assert_true(r->body.n < strlen(want) / 2);
    must(path_join(path, sizeof path, s->tree.out, "packed", &f));
    must(file_write_atomic(path, r->body, &f));
    buf_init(&plain, 1 << 20);
    must(gzip_read(path, 1 << 20, &plain, &f));
    assert_true(span_is(buf_view(&plain), want));
    buf_release(&plain);
}

/* A page's style sheet is named in its header; what is not a plain path is not. */
static void test_style_hint(void **state) {
    (void)state;
    struct site s;
    struct reply r;
    char page[9000];
    static const struct {
        const char *before, *href, *hint;
    } cases[] = {
        {"", "../assets/00ff/portal.css\"", "<../assets/00ff/portal.css>; rel=preload; as=style"},
        {"", "a.css>; rel=x, <b\"", NULL}, {"", "\"", NULL}, {"", "a.css\r\nSet-Cookie: a=b\"", NULL},
        {"", "http://elsewhere.example/a.css\"", NULL}, {"", "//elsewhere.example/a.css\"", NULL}, {"", "a.css", NULL}, /* no end */
        {"far", "a.css\"", NULL}, /* it stands too late in the page to be of use */
    };
    site_start(&s, (struct stream_options){0}, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[40];
        snprintf(path, sizeof path, "%zu.page", i);
        snprintf(page, sizeof page, "<!doctype html>%*s<link rel=\"stylesheet\" href=\"%s", cases[i].before[0] ? 5000 : 0, "",
                 cases[i].href);
        put(&s.tree, path, page);
        for (int packed = 0; packed < 2; packed++) {
            assert_int_equal(ask_for(&s, path, packed ? "Accept-Encoding: gzip\r\n" : "", &r), 200);
            const char *hint = reply_header(&r, "Link");
            if (cases[i].hint) assert_string_equal(hint, cases[i].hint);
            else assert_null(hint);
            assert_null(reply_header(&r, "Set-Cookie"));
            reply_free(&r);
        }
    }
    site_stop(&s);
}

static void test_packed(void **state) {
    (void)state;
    struct site s;
    struct reply r;
    char text[8001], other[8001], tag[600], again[700];
    for (size_t i = 0; i < 8000; i++) {
        text[i] = "results "[i % 8];
        other[i] = "figures "[i % 8];
    }
    text[8000] = other[8000] = 0;
    site_start(&s, (struct stream_options){0}, 0);
    put(&s.tree, "long.json", text);
    put(&s.tree, "tile/0/001", text);
    const char *const take[] = {"Accept-Encoding: gzip\r\n", "Accept-Encoding: br;q=1.0, GZIP;q=0.8, *;q=0.1\r\n",
                                "Accept-Encoding: gzip;q=1\r\n", "Accept-Encoding: deflate, gzip\r\n"};
    const char *const refuse[] = {"", "Accept-Encoding: br\r\n", "Accept-Encoding: gzip;q=0\r\n",
                                  "Accept-Encoding: gzip; q=0.000, br\r\n", "Accept-Encoding: gzipped\r\n",
                                  "Accept-Encoding: \r\n", "Accept-Encoding: ,,;\r\n"};
    for (size_t i = 0; i < sizeof take / sizeof *take; i++) {
        assert_int_equal(ask_for(&s, "long.json", take[i], &r), 200);
        is_packed(&s, &r, text);
        assert_string_equal(reply_header(&r, "Vary"), "Accept-Encoding");
        snprintf(tag, sizeof tag, "%s", reply_header(&r, "ETag"));
        reply_free(&r);
    }
    for (size_t i = 0; i < sizeof refuse / sizeof *refuse; i++) {
        assert_int_equal(ask_for(&s, "long.json", refuse[i], &r), 200);
        assert_null(reply_header(&r, "Content-Encoding"));
        assert_string_equal(reply_header(&r, "Vary"), "Accept-Encoding"); /* caches keep both apart */
        assert_true(span_is(r.body, text));
        assert_string_not_equal(reply_header(&r, "ETag"), tag);
        reply_free(&r);
    }
    /* the compressed one has a tag of its own, and is not sent again */
    snprintf(again, sizeof again, "%sIf-None-Match: %s\r\n", take[0], tag);
    assert_int_equal(ask_for(&s, "long.json", again, &r), 304);
    reply_free(&r);
    snprintf(again, sizeof again, "If-None-Match: %s\r\n", tag);
    assert_int_equal(ask_for(&s, "long.json", again, &r), 200);
    reply_free(&r);
    /* what a tile's reader compares stays as it is, and so does what is short */
    assert_int_equal(ask_for(&s, "tile/0/001", take[0], &r), 200);
    assert_null(reply_header(&r, "Content-Encoding"));
    assert_null(reply_header(&r, "Vary"));
    reply_free(&r);
    assert_int_equal(ask_for(&s, "head.json", take[0], &r), 200);
    assert_null(reply_header(&r, "Content-Encoding"));
    reply_free(&r);
    /* replaced: never the old one's compressed bytes */
    put(&s.tree, "long.json", other);
    static_forget(s.tree.t, "long.json");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask_for(&s, "long.json", take[0], &r), 200);
        is_packed(&s, &r, other);
        reply_free(&r);
    }
    site_stop(&s);
}

/* Looked at again after its time: the compressed answer goes with the plain one. */
static void test_packed_replaced(void **state) {
    (void)state;
    struct tree t;
    char text[3001];
    tree_make(&t, 0, 0);
    for (uint64_t version = 0; version < 3; version++) {
        memset(text, 'a' + (int)version, 3000);
        text[3000] = 0;
        put(&t, "page.json", text);
        struct http_response *plain = static_get(t.t, "page.json", NULL, version * 2000);
        struct http_response *small = static_get(t.t, "page.json", "gzip", version * 2000);
        struct http_response *kept = static_get(t.t, "page.json", "gzip", version * 2000);
        assert_true(span_is(http_response_body(plain), text));
        assert_ptr_equal(small, kept);
        char want[80];
        const char *tag = http_response_header_get(plain, "ETag");
        snprintf(want, sizeof want, "%.*s-gz\"", (int)strlen(tag) - 1, tag);
        assert_string_equal(http_response_header_get(small, "ETag"), want);
        http_response_release(plain);
        http_response_release(small);
        http_response_release(kept);
    }
    tree_drop(&t);
}

/* Reads until `want` was heard. */
static void hear_until(int fd, struct buf *b, const char *want) {
    while (!(b->n && memmem(b->p, b->n, want, strlen(want))))
        if (!hear(fd, b)) fail_msg("the stream ended before \"%s\"", want);
}

static int follow(struct site *s, const char *extra, struct buf *b) {
    char text[256];
    buf_init(b, 64 << 20);
    int fd = dial(s->port);
    snprintf(text, sizeof text, "GET /events HTTP/1.1\r\nHost: a\r\n%s\r\n", extra);
    assert_true(say(fd, text));
    hear_until(fd, b, "retry: 2000\n\n");
    return fd;
}

static void test_events(void **state) {
    (void)state;
    struct fail f;
    struct site s;
    enum { N = 40 };
    int fd[N];
    struct buf b[N];
    site_start(&s, (struct stream_options){.heartbeat_ms = 50, .max_event = 1000}, 0);
    for (size_t i = 0; i < N; i++) fd[i] = follow(&s, "", &b[i]);
    assert_int_equal(stream_subscribers(s.stream), N);
    must(stream_publish(s.stream, "head", SPAN_LIT("one"), &f));
    for (size_t i = 0; i < N; i++) hear_until(fd[i], &b[i], "id: 1\nevent: head\ndata: one\n\n");
    must(stream_publish(s.stream, "head", SPAN_LIT("two\nlines"), &f));
    must(stream_publish(s.stream, "tick", SPAN_LIT(""), &f));
    for (size_t i = 0; i < N; i++) {
        hear_until(fd[i], &b[i], "id: 2\nevent: head\ndata: two\ndata: lines\n\n");
        hear_until(fd[i], &b[i], "id: 3\nevent: tick\ndata: \n\n");
        assert_non_null(memmem(b[i].p, b[i].n, "text/event-stream", 17));
    }
    refuses(E_FIELD, stream_publish(s.stream, "x", span_of("a\0b", 3), &f));
    char large[2000];
    memset(large, 'l', sizeof large);
    refuses(E_TOO_LARGE, stream_publish(s.stream, "x", span_of(large, sizeof large), &f));
    /* a heartbeat when there is nothing to say */
    stream_tick(s.stream, clock_monotonic_ms() + 1000);
    for (size_t i = 0; i < N; i++) hear_until(fd[i], &b[i], "\n:\n\n");
    /* one that comes back gets what it missed */
    struct buf late;
    int again = follow(&s, "Last-Event-ID: 1\r\n", &late);
    hear_until(again, &late, "id: 3\n");
    assert_non_null(memmem(late.p, late.n, "id: 2\n", 6));
    assert_null(memmem(late.p, late.n, "id: 1\n", 6));
    close(again);
    buf_release(&late);
    /* some leave; the rest go on */
    for (size_t i = 0; i < N; i += 2) close(fd[i]);
    must(stream_publish(s.stream, "head", SPAN_LIT("four"), &f));
    for (size_t i = 1; i < N; i += 2) hear_until(fd[i], &b[i], "data: four\n");
    for (int i = 0; i < PATIENCE_MS && stream_subscribers(s.stream) > N / 2; i++) {
        must(stream_publish(s.stream, "head", SPAN_LIT("x"), &f)); /* found out by writing */
        pause_ms(1);
    }
    assert_int_equal(stream_subscribers(s.stream), N / 2);
    http_server_stop(s.server, 2000); /* ends those that are left */
    for (size_t i = 1; i < N; i += 2) assert_true(hangs_up(fd[i]));
    for (size_t i = 0; i < N; i++) {
        if (i % 2) close(fd[i]);
        buf_release(&b[i]);
    }
    assert_int_equal(stream_subscribers(s.stream), 0);
    stream_free(s.stream);
    tree_drop(&s.tree);
}

static void test_slow_reader(void **state) {
    (void)state;
    struct fail f;
    struct site s;
    struct buf slow, quick;
    site_start(&s, (struct stream_options){.ring = 8}, 0);
    int a = follow(&s, "", &slow), b = follow(&s, "", &quick);
    static char text[60000];
    memset(text, 's', sizeof text);
    size_t left = 2;
    for (int i = 0; i < 2000 && left > 1; i++) { /* 120 MB: no socket holds that */
        must(stream_publish(s.stream, "x", span_of(text, sizeof text), &f));
        char id[32];
        snprintf(id, sizeof id, "id: %d\n", i + 1);
        hear_until(b, &quick, id);
        buf_clear(&quick);
        left = stream_subscribers(s.stream);
    }
    assert_int_equal(left, 1);
    must(stream_publish(s.stream, "y", SPAN_LIT("still here"), &f));
    hear_until(b, &quick, "still here");
    assert_true(hangs_up(a));
    close(a);
    close(b);
    buf_release(&slow);
    buf_release(&quick);
    site_stop(&s);
}

static void test_full_house(void **state) {
    (void)state;
    struct site s;
    struct buf b;
    struct reply r;
    site_start(&s, (struct stream_options){.max_subscribers = 1}, 0);
    int fd = follow(&s, "", &b);
    assert_int_equal(ask(s.port, GET("/events"), &r), 503);
    assert_string_equal(reply_header(&r, "Retry-After"), "30");
    reply_free(&r);
    assert_int_equal(stream_subscribers(s.stream), 1);
    assert_int_equal(ask_status(s.port, GET("/a.txt")), 200);
    close(fd);
    buf_release(&b);
    site_stop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),       cmocka_unit_test(test_never_reached),
        cmocka_unit_test(test_changes),     cmocka_unit_test(test_cache_bounds),
        cmocka_unit_test(test_served),
        cmocka_unit_test(test_style_hint), cmocka_unit_test(test_packed),
        cmocka_unit_test(test_packed_replaced),      cmocka_unit_test(test_events),
        cmocka_unit_test(test_slow_reader), cmocka_unit_test(test_full_house),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
