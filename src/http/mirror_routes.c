/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/mirror_routes.h"

#include "base/clock.h"
#include "election/record.h"

#define PLAIN "text/plain; charset=utf-8"

static struct http_response *deposit(struct http_request *r, void *ctx) {
    struct mirror_site *x = ctx;
    struct buf ack;
    struct fail f = {0};
    buf_init(&ack, PENDING_ACK_MAX);
    err e = pending_add(x->pending, http_body(r), clock_wall_ms(), &ack, &f);
    if (e != OK) {
        buf_release(&ack);
        f.code = e;
        return http_response_fail_of(&f);
    }
    struct http_response *a = http_response_take(202, PLAIN, &ack);
    if (a) http_response_no_store(a);
    return a;
}

static struct http_response *file(struct http_request *r, void *ctx) {
    return static_get(((struct mirror_site *)ctx)->files, http_path(r) + 1, http_header(r, "Accept-Encoding"),
                      clock_monotonic_ms());
}

const struct http_route mirror_routes[] = {
    {.path = "/records", .methods = HTTP_POST, .handle = deposit, .max_body = ENTRY_MAX, .cost = 4},
    {.path = "/*", .methods = HTTP_GET, .handle = file},
};
const size_t mirror_route_count = sizeof mirror_routes / sizeof *mirror_routes;

/* What others wrote is never served as a page. */
const struct static_rule mirror_static_rules[] = {
    {.prefix = "pending/index.json", .suffix = "", .type = "application/json", .max_age = 1},
    {.prefix = "pending/", .suffix = "", .type = PLAIN, .max_age = 1},
    {.prefix = "evidence/", .suffix = "", .type = PLAIN, .max_age = 60},
    {.prefix = "tile/", .suffix = "", .type = "application/octet-stream", .immutable = true},
    {.prefix = "objects/", .suffix = "", .type = "application/octet-stream", .immutable = true},
    {.prefix = "", .suffix = ".json", .type = "application/json", .max_age = 1},
    {.prefix = "index.html", .suffix = "", .type = "text/html; charset=utf-8", .max_age = 2},
    {.prefix = "card.html", .suffix = "", .type = "text/html; charset=utf-8", .max_age = 2, .framed = true},
    {.prefix = "contests.html", .suffix = "", .type = "text/html; charset=utf-8", .max_age = 2},
    {.prefix = "about.html", .suffix = "", .type = "text/html; charset=utf-8", .max_age = 2},
    {.prefix = "petition.html", .suffix = "", .type = "text/html; charset=utf-8", .max_age = 2},
    {.prefix = "en/", .suffix = ".html", .type = "text/html; charset=utf-8", .max_age = 2},
    {.prefix = "sw/", .suffix = ".html", .type = "text/html; charset=utf-8", .max_age = 2},
    {.prefix = "assets/", .suffix = ".css", .type = "text/css; charset=utf-8", .immutable = true},
    {.prefix = "assets/", .suffix = ".js", .type = "text/javascript; charset=utf-8", .immutable = true},
    {.prefix = "assets/", .suffix = ".wasm", .type = "application/wasm", .immutable = true},
    {.prefix = "", .suffix = "", .type = PLAIN, .max_age = 2, .index = "index.html"},
};
const size_t mirror_static_rule_count = sizeof mirror_static_rules / sizeof *mirror_static_rules;
