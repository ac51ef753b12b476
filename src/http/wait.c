/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Waiting: deferred requests and silent streams, whose connections the library has set aside.
 *
 * A connection is set aside and taken up again under the hub's lock only, with a flag that says
 * which it is: never twice the same. */
#include <stdlib.h>
#include <sys/socket.h>
#include "http/request_impl.h"

/* ---- streams ---- */

void pipe_link(struct http_request *r) {
    struct http_pipe *p = &r->pipe;
    struct hub *h = r->hub;
    *p = (struct http_pipe){.r = r, .linked = true};
    pthread_mutex_lock(&h->lock);
    p->ending = h->stopping;
    p->next = h->pipes;
    if (h->pipes) h->pipes->prev = p;
    h->pipes = p;
    pthread_mutex_unlock(&h->lock);
}

void pipe_unlink(struct http_request *r) {
    struct http_pipe *p = &r->pipe;
    if (!p->linked) return;
    struct hub *h = r->hub;
    pthread_mutex_lock(&h->lock);
    if (p->prev)
        p->prev->next = p->next;
    else
        h->pipes = p->next;
    if (p->next) p->next->prev = p->prev;
    p->linked = false;
    pthread_mutex_unlock(&h->lock);
}

/* Under the hub's lock. A connection is suspended only by its own read, when awake, and resumed
 * only here, when asleep: never twice. */
static void pipe_rouse(struct http_pipe *p) {
    p->woken = true;
    if (!p->asleep) return;
    p->asleep = false;
    lib_resume(p->r);
}

void http_wake(struct http_pipe *p) {
    struct hub *h = p->r->hub;
    pthread_mutex_lock(&h->lock);
    pipe_rouse(p);
    pthread_mutex_unlock(&h->lock);
}

void http_cut(struct http_pipe *p) {
    struct hub *h = p->r->hub;
    pthread_mutex_lock(&h->lock);
    p->ending = true;
    (void)shutdown(p->r->conn.fd, SHUT_RDWR);
    pipe_rouse(p);
    pthread_mutex_unlock(&h->lock);
}

long pipe_read(struct http_pipe *p, uint8_t *to, size_t max) {
    struct hub *h = p->r->hub;
    const struct http_source *source = &p->r->response->source;
    for (;;) {
        pthread_mutex_lock(&h->lock);
        bool ending = p->ending;
        p->woken = false;
        pthread_mutex_unlock(&h->lock);
        long n = ending ? -1 : source->read(source->ctx, to, max);
        if (n != 0) return n;
        pthread_mutex_lock(&h->lock);
        bool sleep = !p->woken && !p->ending;
        if (sleep) {
            lib_suspend(p->r);
            p->asleep = true;
        }
        pthread_mutex_unlock(&h->lock);
        if (sleep) return 0;
    }
}

/* ---- deferred requests ---- */

struct hub *hub_new(size_t max_tokens) {
    struct hub *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    h->refs = 1;
    h->max_tokens = max_tokens;
    pthread_mutex_init(&h->lock, NULL);
    return h;
}

void hub_release(struct hub *h) {
    pthread_mutex_lock(&h->lock);
    bool last = --h->refs == 0;
    pthread_mutex_unlock(&h->lock);
    if (!last) return;
    pthread_mutex_destroy(&h->lock);
    free(h);
}

struct http_token *http_defer(struct http_request *r) {
    struct hub *h = r->hub;
    struct http_token *t = calloc(1, sizeof *t);
    pthread_mutex_lock(&h->lock);
    bool room = t && !h->stopping && h->token_count < h->max_tokens;
    if (room) {
        *t = (struct http_token){.hub = h, .r = r, .next = h->tokens};
        if (h->tokens) h->tokens->prev = t;
        h->tokens = t;
        h->token_count++;
        h->refs++;
        r->state = REQ_DEFERRED;
        conn_deadline(&r->conn, 0);
        metric_shift(h->deferred, 1);
        lib_suspend(r);
    }
    pthread_mutex_unlock(&h->lock);
    if (room) return t;
    free(t);
    r->response = http_response_fail(E_BUSY, "the server has too much waiting: try again shortly");
    return NULL;
}

/* Under the hub's lock. Takes response over. */
static void token_answer(struct http_token *t, struct http_response *response) {
    struct http_request *r = t->r;
    if (t->prev)
        t->prev->next = t->next;
    else
        t->hub->tokens = t->next;
    if (t->next) t->next->prev = t->prev;
    t->hub->token_count--;
    t->r = NULL;
    metric_shift(t->hub->deferred, -1);
    r->response = response;
    lib_resume(r);
}

void http_reply(struct http_token *t, struct http_response *response) {
    struct hub *h = t->hub;
    pthread_mutex_lock(&h->lock);
    bool waiting = t->r != NULL;
    if (waiting) token_answer(t, response);
    pthread_mutex_unlock(&h->lock);
    if (!waiting) http_response_release(response);
    free(t);
    hub_release(h);
}

void hub_stop(struct hub *h) {
    pthread_mutex_lock(&h->lock);
    h->stopping = true; /* nothing is set aside from here on */
    while (h->tokens)
        token_answer(h->tokens,
                     http_response_fail(E_BUSY, "the server is stopping: send it again"));
    for (struct http_pipe *p = h->pipes; p; p = p->next) {
        p->ending = true;
        pipe_rouse(p);
    }
    pthread_mutex_unlock(&h->lock);
}
