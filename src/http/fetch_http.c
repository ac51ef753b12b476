/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/fetch_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "http/client.h"

enum { BASE_MAX = 1000, IN_FLIGHT = 8, PAUSE_MAX_MS = 30000, STEP_MS = 100 };

struct fetch_http {
    struct fetch_http_options o;
    char base[BASE_MAX]; /* without '/' at its end */
    struct http_pool *pool;
};

/* One item's request under way. */
struct under_way {
    struct fetch_item *item;
    bool done, again; /* finished for good; or to be tried once more */
    uint32_t retry_after_s;
    struct fail fail;
};

static void finished(void *ctx, err code, struct http_answer *a, const struct fail *f) {
    struct under_way *u = ctx;
    u->again = code != OK && code != E_TOO_LARGE;
    if (code != OK) {
        u->fail = *f;
        u->fail.code = code;
        return;
    }
    u->item->status = a->status;
    u->again = a->status == 429 || a->status >= 500;
    u->retry_after_s = a->retry_after_s;
    buf_clear(&u->item->body);
    if (!u->again) buf_span(&u->item->body, buf_view(&a->body));
    u->done = !u->again;
}

static err run_round(struct fetch_http *x, struct under_way *u, size_t n, struct fail *f) {
    size_t next = 0;
    while (next < n || http_pool_active(x->pool)) {
        while (next < n && (u[next].done || http_pool_ready(x->pool))) {
            struct under_way *one = &u[next++];
            if (one->done) continue;
            char url[BASE_MAX + FETCH_PATH_MAX + 2];
            (void)snprintf(url, sizeof url, "%s/%s", x->base, one->item->path);
            one->again = false;
            one->item->status = 0;
            struct http_call call = {.method = one->item->post.p ? "POST" : "GET", .url = url,
                                     .body = one->item->post, .max_answer = one->item->body.max};
            TRY(http_pool_start(x->pool, &call, finished, one, f));
        }
        if (http_pool_active(x->pool)) TRY(http_pool_run(x->pool, 1000, f));
    }
    return OK;
}

static bool stopped(const struct fetch_http *x) {
    return x->o.stop && *x->o.stop;
}

static void wait(const struct fetch_http *x, uint64_t ms) {
    for (uint64_t at = 0; at < ms && !stopped(x); at += STEP_MS) {
        uint64_t part = ms - at < STEP_MS ? ms - at : STEP_MS;
        struct timespec t = {0, (long)part * 1000000};
        (void)nanosleep(&t, NULL);
    }
}

static err get(void *ctx, struct fetch_item *items, size_t n, struct fail *f) {
    struct fetch_http *x = ctx;
    struct under_way u[FETCH_AT_ONCE] = {0};
    uint64_t pause = x->o.pause_ms;
    if (n > FETCH_AT_ONCE) return fail_set(f, E_RANGE, "too many files at once");
    for (size_t i = 0; i < n; i++) u[i].item = &items[i];
    for (unsigned attempt = 1;; attempt++) {
        bool again = false;
        uint64_t ms = pause;
        TRY(run_round(x, u, n, f));
        for (size_t i = 0; i < n; i++) {
            again = again || u[i].again;
            if (u[i].again && u[i].retry_after_s * 1000ull > ms) ms = u[i].retry_after_s * 1000ull;
        }
        if (!again || attempt >= x->o.tries || stopped(x)) break;
        wait(x, ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS);
        pause = pause < PAUSE_MAX_MS ? pause * 2 : pause;
    }
    for (size_t i = 0; i < n; i++) {
        if (items[i].status) continue;
        if (f) *f = u[i].fail;
        if (u[i].fail.code == E_TOO_LARGE)
            return fail_context(f, E_TOO_LARGE, "%s", items[i].path);
        return fail_context(f, E_NETWORK, "%s", items[i].path);
    }
    return OK;
}

err fetch_http_new(const struct fetch_http_options *o, struct fetch_http **out, struct fail *f) {
    size_t n = strlen(o->base);
    while (n && o->base[n - 1] == '/') n--;
    if (n == 0 || n >= BASE_MAX) return fail_set(f, E_USAGE, "not an address: \"%.80s\"", o->base);
    struct fetch_http *x = calloc(1, sizeof *x);
    if (!x) return fail_set(f, E_MEMORY, "no memory for a client");
    x->o = *o;
    if (!x->o.tries) x->o.tries = 6;
    if (!x->o.pause_ms) x->o.pause_ms = 250;
    (void)snprintf(x->base, sizeof x->base, "%.*s", (int)n, o->base);
    struct http_client_options co = {.connect_ms = 10000, .total_ms = o->timeout_ms};
    err e = http_pool_new(&co, IN_FLIGHT, 0, &x->pool, f);
    if (e != OK) {
        free(x);
        return e;
    }
    *out = x;
    return OK;
}

void fetch_http_free(struct fetch_http *x) {
    if (!x) return;
    http_pool_free(x->pool);
    free(x);
}

struct fetcher fetch_http(struct fetch_http *x) {
    return (struct fetcher){get, x};
}
