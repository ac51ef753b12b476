/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/response.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include "base/json_out.h"
#include "http/response_impl.h"

static struct http_response *response_new(int status, const char *type) {
    struct http_response *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    atomic_init(&r->refs, 1);
    r->status = status;
    r->type = type;
    r->fd = -1;
    return r;
}

struct http_response *http_response_take(int status, const char *type, struct buf *body) {
    struct http_response *r = body->failed ? NULL : response_new(status, type);
    if (r) {
        r->body = buf_view(body);
        r->owned = body->p;
        body->p = NULL;
        body->n = body->cap = 0;
    } else {
        buf_release(body);
    }
    return r;
}

struct http_response *http_response_copy(int status, const char *type, struct span body) {
    struct http_response *r = response_new(status, type);
    if (!r || body.n == 0) return r;
    r->owned = malloc(body.n);
    if (!r->owned) {
        http_response_release(r);
        return NULL;
    }
    memcpy(r->owned, body.p, body.n);
    r->body = span_of(r->owned, body.n);
    return r;
}

struct http_response *http_response_borrow(int status, const char *type, struct span body,
                                           void (*done)(void *ctx), void *ctx) {
    struct http_response *r = response_new(status, type);
    if (!r) return NULL;
    r->body = body;
    r->done = done;
    r->done_ctx = ctx;
    return r;
}

struct http_response *http_response_file(int status, const char *type, int fd, uint64_t size) {
    struct http_response *r = response_new(status, type);
    if (!r) {
        close(fd);
        return NULL;
    }
    r->fd = fd;
    r->fd_size = size;
    return r;
}

struct http_response *http_response_stream(const char *type, const struct http_source *source) {
    struct http_response *r = response_new(200, type);
    if (!r) return NULL;
    r->is_stream = true;
    r->source = *source;
    http_response_no_store(r);
    return r;
}

struct http_response *http_response_fail(err code, const char *sentence) {
    const struct err_info *info = err_info(code == OK ? E_INTERNAL : code);
    struct buf b;
    buf_init(&b, 16384);
    struct json_out j = json_out(&b);
    json_object(&j);
    json_kstr(&j, "code", info->name);
    json_kstr(&j, "sentence", sentence && *sentence ? sentence : info->text);
    json_object_end(&j);
    buf_byte(&b, '\n');
    struct http_response *r = http_response_take(info->http, "application/json", &b);
    if (!r) return NULL;
    http_response_no_store(r);
    if (info->http == 503 || info->http == 429) http_response_retry(r, 1);
    return r;
}

struct http_response *http_response_fail_of(const struct fail *f) {
    return http_response_fail(f->code, f->text);
}

struct http_response *http_response_error(err code, const char *fmt, ...) {
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return http_response_fail(code, text);
}

void http_response_header(struct http_response *r, const char *name, const char *value) {
    if (!r) return;
    bool plain = strlen(value) < RESPONSE_VALUE_MAX;
    for (const char *c = value; *c && plain; c++) plain = *c >= 0x20 && *c < 0x7f;
    size_t at = 0;
    while (at < r->header_count && strcasecmp(r->headers[at].name, name) != 0) at++;
    char *copy = plain && at < RESPONSE_HEADERS_MAX ? strdup(value) : NULL;
    if (!copy) {
        r->broken = true;
        return;
    }
    if (at == r->header_count)
        r->header_count++;
    else
        free(r->headers[at].value);
    r->headers[at] = (struct response_header){name, copy};
}

void http_response_etag(struct http_response *r, const char *tag) {
    char text[RESPONSE_VALUE_MAX + 2];
    if (!r) return;
    (void)snprintf(text, sizeof text, "\"%s\"", tag);
    http_response_header(r, "ETag", strchr(tag, '"') ? "\n" : text); /* a quote breaks it */
    r->etag = http_response_header_get(r, "ETag");
}

void http_response_retry(struct http_response *r, uint32_t seconds) {
    char text[16];
    (void)snprintf(text, sizeof text, "%u", seconds);
    http_response_header(r, "Retry-After", text);
}

void http_response_cache(struct http_response *r, uint32_t seconds, bool immutable) {
    char text[64];
    (void)snprintf(text, sizeof text, "public, max-age=%u%s", seconds,
                   immutable ? ", immutable" : "");
    http_response_header(r, "Cache-Control", text);
}

void http_response_no_store(struct http_response *r) {
    http_response_header(r, "Cache-Control", "no-store");
}

int http_response_status(const struct http_response *r) {
    return r->broken ? 500 : r->status;
}

struct span http_response_body(const struct http_response *r) {
    return r->body;
}

const char *http_response_header_get(const struct http_response *r, const char *name) {
    if (r->type && strcasecmp(name, "Content-Type") == 0) return r->type;
    for (size_t i = 0; i < r->header_count; i++)
        if (strcasecmp(r->headers[i].name, name) == 0) return r->headers[i].value;
    return NULL;
}

bool http_response_matches(const struct http_response *r, const char *if_none_match) {
    if (!r->etag || !if_none_match) return false;
    const char *c = if_none_match;
    size_t n = strlen(r->etag);
    while (*c) {
        while (*c == ' ' || *c == '\t' || *c == ',') c++;
        if (*c == '*') return true;
        if (c[0] == 'W' && c[1] == '/') c += 2;
        if (*c != '"') return false; /* not a tag: the header says nothing that we know */
        const char *end = strchr(c + 1, '"');
        if (!end) return false;
        if ((size_t)(end + 1 - c) == n && memcmp(c, r->etag, n) == 0) return true;
        c = end + 1;
    }
    return false;
}

void http_response_retain(struct http_response *r) {
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
}

void http_response_release(struct http_response *r) {
    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1) return;
    void *ready = atomic_load(&r->ready), *other = atomic_load(&r->not_modified);
    if (ready) response_ready_free(ready);
    if (other) response_ready_free(other);
    if (r->fd >= 0) close(r->fd);
    if (r->done) r->done(r->done_ctx);
    if (r->is_stream && r->source.closed) r->source.closed(r->source.ctx);
    for (size_t i = 0; i < r->header_count; i++) free(r->headers[i].value);
    free(r->owned);
    free(r);
}
