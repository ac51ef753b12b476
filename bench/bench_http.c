/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The HTTP layer alone, to be measured: serves a folder, and a few paths made for load.
 *
 *   bench_http DIR [PORT [THREADS]]
 *
 * /..., the folder; /bench/post takes a body and answers at once; /bench/later answers from another
 * thread (as a sequencer does); /bench/events sends an event a second. Prints its port, runs until
 * standard input ends. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/text.h"
#include "http/server.h"
#include "http/static.h"
#include "http/stream.h"

enum { QUEUE = 65536 };

struct bench {
    struct static_tree *tree;
    struct stream *stream;
    struct metrics *metrics;
    pthread_mutex_t lock; /* guards the queue */
    pthread_cond_t more;
    struct http_token *queue[QUEUE];
    size_t queued;
    bool stop;
};

static const struct static_rule rules[] = {
    {.prefix = "", .suffix = ".json", .type = "application/json", .max_age = 2},
    {.prefix = "", .suffix = ".html", .type = "text/html; charset=utf-8", .max_age = 60},
    {.prefix = "",
     .suffix = "",
     .type = "application/octet-stream",
     .immutable = true,
     .index = "index.html"},
};

static struct http_response *on_static(struct http_request *r, void *ctx) {
    struct bench *b = ctx;
    return static_get(b->tree, http_tail(r), http_header(r, "Accept-Encoding"), clock_monotonic_ms());
}

static struct http_response *on_post(struct http_request *r, void *ctx) {
    (void)ctx;
    return http_response_copy(200, "application/octet-stream", http_body(r));
}

static struct http_response *on_later(struct http_request *r, void *ctx) {
    struct bench *b = ctx;
    struct http_token *t = http_defer(r);
    if (!t) return NULL;
    pthread_mutex_lock(&b->lock);
    bool room = b->queued < QUEUE;
    if (room) b->queue[b->queued++] = t;
    if (room && b->queued == 1) pthread_cond_signal(&b->more);
    pthread_mutex_unlock(&b->lock);
    if (!room) http_reply(t, http_response_fail(E_BUSY, "the queue is full"));
    return NULL;
}

static struct http_response *on_events(struct http_request *r, void *ctx) {
    struct bench *b = ctx;
    return stream_subscribe(b->stream, r);
}

static const struct http_route routes[] = {
    {.path = "/bench/post", .methods = HTTP_POST, .handle = on_post, .max_body = 65536},
    {.path = "/bench/later", .methods = HTTP_POST, .handle = on_later, .max_body = 65536},
    {.path = "/bench/events", .methods = HTTP_GET, .handle = on_events},
    {.path = "/*", .methods = HTTP_GET, .handle = on_static, .cost = 1},
};

/* Answers in batches, as the sequencer after a commit. */
static void *reply_run(void *arg) {
    struct bench *b = arg;
    static struct http_token *batch[QUEUE];
    pthread_mutex_lock(&b->lock);
    while (!b->stop) {
        if (b->queued == 0) pthread_cond_wait(&b->more, &b->lock);
        size_t n = b->queued;
        memcpy(batch, b->queue, n * sizeof *batch);
        b->queued = 0;
        pthread_mutex_unlock(&b->lock);
        for (size_t i = 0; i < n; i++)
            http_reply(batch[i], http_response_copy(200, "text/plain", SPAN_LIT("receipt")));
        pthread_mutex_lock(&b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static void *event_run(void *arg) {
    struct bench *b = arg;
    struct fail f;
    struct timespec second = {.tv_sec = 1};
    pthread_mutex_lock(&b->lock);
    while (!b->stop) {
        pthread_mutex_unlock(&b->lock);
        (void)nanosleep(&second, NULL);
        if (stream_publish(b->stream, "head", SPAN_LIT("{\"size\":122650,\"received\":40883}"),
                           &f) != OK)
            fprintf(stderr, "bench_http: %s\n", f.text);
        pthread_mutex_lock(&b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static err run(const char *dir, uint64_t port, uint64_t threads, struct fail *f) {
    static struct bench b = {.lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};
    const struct static_options so = {.dir = dir, .rules = rules, .rule_count = 3};
    const char *const exempt[] = {"127.0.0.0/8"};
    const struct http_options ho = {.port = (uint16_t)port,
                                    .threads = (unsigned)threads,
                                    .max_connections = 20000,
                                    .per_peer = {.per_second = 50, .burst = 200, .connections = 20},
                                    .exempt = exempt,
                                    .exempt_count = 1};
    struct http_options o = ho;
    struct http_server *server;
    pthread_t reply, events;
    TRY(metrics_new(&b.metrics, f));
    o.metrics = b.metrics;
    TRY(static_open(&so, &b.tree, f));
    TRY(stream_new(&(struct stream_options){.max_subscribers = 20000, .metrics = b.metrics},
                   &b.stream, f));
    TRY(http_server_start(&o, routes, sizeof routes / sizeof *routes, &b, &server, f));
    if (pthread_create(&reply, NULL, reply_run, &b) || pthread_create(&events, NULL, event_run, &b))
        return fail_set(f, E_MEMORY, "no thread");
    printf("%u\n", http_server_port(server));
    (void)fflush(stdout);
    while (getchar() != EOF) continue;
    http_server_stop(server, 1000);
    pthread_mutex_lock(&b.lock);
    b.stop = true;
    pthread_cond_signal(&b.more);
    pthread_mutex_unlock(&b.lock);
    pthread_join(reply, NULL);
    pthread_join(events, NULL);
    stream_free(b.stream);
    static_close(b.tree);
    metrics_free(b.metrics);
    return OK;
}

int main(int argc, char **argv) {
    struct fail f = {0};
    uint64_t port = 0, threads = 0;
    err code = OK;
    if (argc < 2) code = fail_set(&f, E_USAGE, "usage: bench_http DIR [PORT [THREADS]]");
    if (code == OK && argc > 2) code = u64_parse(span_text(argv[2]), 65535, &port, &f);
    if (code == OK && argc > 3) code = u64_parse(span_text(argv[3]), 16, &threads, &f);
    if (code == OK) code = run(argv[1], port, threads, &f);
    if (code != OK) fprintf(stderr, "bench_http: %s (%s)\n", f.text, err_info(code)->name);
    return err_info(code)->exit;
}
