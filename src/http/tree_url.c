/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/tree_url.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "http/client.h"

struct tree_url {
    char base[1024];
    pthread_mutex_t lock; /* client */
    struct http_client *client;
};

err tree_url_open(const char *url, struct tree_url **out, struct fail *f) {
    struct tree_url *t = calloc(1, sizeof *t);
    if (!t) return fail_set(f, E_MEMORY, "no memory for a client");
    int n = snprintf(t->base, sizeof t->base, "%s", url);
    if (n <= 0 || (size_t)n >= sizeof t->base) {
        free(t);
        return fail_set(f, E_USAGE, "the URL is empty or too long");
    }
    while (n > 0 && t->base[n - 1] == '/') t->base[--n] = 0;
    pthread_mutex_init(&t->lock, NULL);
    err e = http_client_new(&(struct http_client_options){.max_answer = 256u << 20}, &t->client, f);
    if (e != OK) {
        tree_url_close(t);
        return e;
    }
    *out = t;
    return OK;
}

void tree_url_close(struct tree_url *t) {
    if (!t) return;
    http_client_free(t->client);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static err get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f) {
    struct tree_url *t = ctx;
    char url[1400];
    (void)snprintf(url, sizeof url, "%s/%s", t->base, path);
    struct http_call call = {.method = "GET", .url = url, .max_answer = max ? max : 1};
    struct http_answer a;
    pthread_mutex_lock(&t->lock);
    err e = http_call(t->client, &call, &a, f);
    pthread_mutex_unlock(&t->lock);
    if (e == OK && a.status == 404) e = fail_set(f, E_NOT_FOUND, "%s is not there", url);
    if (e == OK && a.status != 200) e = fail_set(f, E_NETWORK, "%s answers %d", url, a.status);
    if (e == OK) {
        buf_span(out, buf_view(&a.body));
        e = buf_ok(out, f);
    }
    http_answer_release(&a);
    return e;
}

struct tree_source tree_url_source(struct tree_url *t) {
    return (struct tree_source){get, t};
}
