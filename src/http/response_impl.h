/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a response is made of: for response.c and server.c only. */
#ifndef HTTP_RESPONSE_IMPL_H
#define HTTP_RESPONSE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include "http/response.h"

enum { RESPONSE_HEADERS_MAX = 14, RESPONSE_VALUE_MAX = 400 };

struct response_header {
    const char *name;
    char *value;
};

struct http_response {
    _Atomic unsigned refs;
    int status;
    const char *type; /* or NULL */
    struct span body;
    void *owned;             /* freed with the response */
    void (*done)(void *ctx); /* of borrowed bytes */
    void *done_ctx;
    int fd; /* -1: none */
    uint64_t fd_size;
    bool is_stream;
    struct http_source source;
    bool broken; /* a header did not fit: answered 500 */
    const char *etag;
    struct response_header headers[RESPONSE_HEADERS_MAX];
    size_t header_count;

    /* What the server's library makes of it, made once by server.c, kept for the next use. */
    _Atomic(void *) ready, not_modified;
};

void response_ready_free(void *ready); /* in server.c */

#endif
