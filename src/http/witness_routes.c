/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/witness_routes.h"

#include "base/json_out.h"

static struct http_response *answer(struct witness_reply *r) {
    struct http_response *a = http_response_take(r->status, r->type, &r->body);
    if (a) http_response_no_store(a);
    if (!a) buf_release(&r->body);
    return a;
}

static struct http_response *add_checkpoint(struct http_request *r, void *ctx) {
    struct witness_reply reply = {0};
    witness_add_checkpoint(ctx, http_body(r), &reply);
    return answer(&reply);
}

static struct http_response *health(struct http_request *r, void *ctx) {
    struct buf out;
    struct json_out j = json_out(&out);
    (void)r;
    buf_init(&out, 256 << 10);
    json_object(&j);
    json_key(&j, "logs");
    json_array(&j);
    for (size_t i = 0; i < witness_log_count(ctx); i++) {
        struct witness_status s;
        witness_status_of(ctx, i, &s);
        json_object(&j);
        json_kspan(&j, "origin", s.origin);
        json_ku64(&j, "size", s.size);
        json_ku64(&j, "time", s.time_s);
        json_kbool(&j, "failed", s.failed);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(&out, '\n');
    struct http_response *a = http_response_take(200, "application/json", &out);
    if (a) http_response_no_store(a);
    return a;
}

static struct http_response *latest(struct http_request *r, void *ctx) {
    struct span tail = span_text(http_tail(r)), last = SPAN_LIT("/checkpoint");
    struct witness_reply reply = {0};
    bool good = tail.n == HASH_HEX_LEN + last.n && span_eq(span_from(tail, HASH_HEX_LEN), last);
    witness_latest(ctx, good ? span_of(tail.p, HASH_HEX_LEN) : (struct span){0}, &reply);
    return answer(&reply);
}

const struct http_route witness_routes[] = {
    {.path = "/add-checkpoint", .methods = HTTP_POST, .handle = add_checkpoint,
     .max_body = WITNESS_REQUEST_MAX, .cost = 1},
    {.path = "/healthz", .methods = HTTP_GET, .handle = health, .cost = 1},
    {.path = "/*", .methods = HTTP_GET, .handle = latest, .cost = 1},
};
const size_t witness_route_count = sizeof witness_routes / sizeof *witness_routes;
