/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/outbox_http.h"

#include <stdio.h>

err outbox_http_init(struct outbox_http *x, struct http_client *client, const char *url,
                     struct fail *f) {
    size_t n = strlen(url);
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return fail_set(f, E_USAGE, "\"%.200s\" is not an address of the form http://HOST:PORT or "
                                    "https://HOST",
                        url);
    while (n && url[n - 1] == '/') n--;
    if (n >= sizeof x->base) return fail_set(f, E_USAGE, "the address is too long");
    memcpy(x->base, url, n);
    x->base[n] = 0;
    x->client = client;
    return OK;
}

static err call(void *ctx, const struct outbox_request *r, struct outbox_answer *a,
                struct fail *f) {
    struct outbox_http *x = ctx;
    struct http_answer got;
    char url[2600];
    int n = snprintf(url, sizeof url, "%s%s", x->base, r->path);
    if (n < 0 || n >= (int)sizeof url) return fail_set(f, E_USAGE, "the address is too long");
    struct http_call c = {.method = r->method, .url = url, .headers = r->headers, .body = r->body,
                          .body_file = r->body_file};
    err e = http_call(x->client, &c, &got, f);
    if (e == OK) {
        a->status = got.status;
        a->retry_after_s = got.retry_after_s;
        a->code = http_answer_check(&got, url, &a->refusal);
        a->refusal.code = a->code;
        buf_span(&a->body, buf_view(&got.body));
        if (a->body.failed) e = fail_set(f, E_NETWORK, "%s: the answer is too long", url);
    }
    http_answer_release(&got);
    return e;
}

struct outbox_transport outbox_http_transport(struct outbox_http *x) {
    return (struct outbox_transport){call, x};
}
