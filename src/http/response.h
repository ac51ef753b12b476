/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Responses: what handlers give back. Refcounted, so that one response can answer many requests
 * at once (a cache keeps one reference, each answer borrows the same bytes).
 *
 * A response is changed only before its first use. Builders return NULL when memory is out; the
 * server answers 500 then. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "base/bytes.h"

struct http_response;

/* Takes the buffer's bytes over (the buffer is empty afterwards); a failed buffer gives NULL.
 * `type` and header names must outlive the response: they are literals or tables. */
struct http_response *http_response_take(int status, const char *type, struct buf *body);
struct http_response *http_response_copy(int status, const char *type, struct span body);
/* Bytes that somebody else keeps: `done(ctx)` is called when the last use is over. */
struct http_response *http_response_borrow(int status, const char *type, struct span body,
                                           void (*done)(void *ctx), void *ctx);
/* A whole open file of `size` bytes, sent by the kernel. Takes the descriptor over, also on NULL.
 */
struct http_response *http_response_file(int status, const char *type, int fd, uint64_t size);
/* {"code":"E_X","sentence":"..."} with the code's status; no-store; Retry-After 1 when the status
 * is 503 or 429 (http_response_retry changes it). */
struct http_response *http_response_fail(err code, const char *sentence);
struct http_response *http_response_fail_of(const struct fail *f);
struct http_response *http_response_error(err code, const char *fmt, ...) PRINTF(2, 3);

/* An endless answer: bytes are asked for as the peer takes them. All three are called by threads of
 * the server, never two at once for one answer. */
struct http_pipe;
struct http_source {
    /* Before the first read. `pipe` is valid until `closed` is called. */
    void (*opened)(void *ctx, struct http_pipe *pipe);
    /* Fills to[0..max): > 0 bytes, 0 nothing now (http_wake when there is), < 0 the end. */
    long (*read)(void *ctx, uint8_t *to, size_t max);
    /* Once, also when it was never opened; frees ctx. */
    void (*closed)(void *ctx);
    void *ctx;
};
/* NULL leaves ctx with the caller. */
struct http_response *http_response_stream(const char *type, const struct http_source *source);

/* Copies the value. More than fourteen, one of 400 bytes, or a control character in it: the response becomes a 500. */
void http_response_header(struct http_response *r, const char *name, const char *value);
/* Adds ETag ("..." is put around it); a GET whose If-None-Match names it gets 304. */
void http_response_etag(struct http_response *r, const char *tag);
void http_response_retry(struct http_response *r, uint32_t seconds);
/* "public, max-age=..." with or without immutable; "no-store" with http_response_no_store. */
void http_response_cache(struct http_response *r, uint32_t seconds, bool immutable);
void http_response_no_store(struct http_response *r);

int http_response_status(const struct http_response *r);
struct span http_response_body(const struct http_response *r); /* empty for files and streams */
/* The value of a header, NULL when it has none of that name. */
const char *http_response_header_get(const struct http_response *r, const char *name);
/* If-None-Match (RFC 9110 section 13.1.2, weak comparison) names this response's tag. */
bool http_response_matches(const struct http_response *r, const char *if_none_match);

void http_response_retain(struct http_response *r);
void http_response_release(struct http_response *r); /* NULL is fine */

#endif
