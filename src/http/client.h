/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* An HTTP client with limits: whole answers, downloads to a file, and many requests at once.
 *
 * Only http and https, no redirects, no cookies, no answer longer than asked for. A call fails with
 * E_NETWORK, E_TIMEOUT or E_TOO_LARGE when there is no whole answer; any answer with a status is OK
 * and its status is the caller's to judge. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "crypto/hash.h"

struct http_client;
struct http_client_options {
    uint32_t connect_ms; /* 0 = 10 s */
    uint32_t total_ms;   /* for one whole call; 0 = 60 s */
    size_t max_answer;   /* bytes of a body; 0 = 16 MiB */
    const char *ca_file; /* NULL = the system's */
};

/* One call. Borrows everything until it is finished. */
struct http_call {
    const char *method; /* "GET", "HEAD", "POST", "PUT", "DELETE" */
    const char *url;
    const char *const *headers; /* "Name: value"; NULL-terminated, may be NULL */
    struct span body;           /* for POST and PUT */
    const char *body_file;      /* sent instead of `body` when not NULL */
    const char *if_none_match;  /* an ETag from an earlier answer, or NULL */
    uint32_t total_ms;          /* 0 = the client's */
    size_t max_answer;          /* 0 = the client's */
};

struct http_answer {
    int status;
    struct buf body;
    char etag[128];         /* with its quotes; "" when there is none */
    char type[128];         /* Content-Type */
    uint32_t retry_after_s; /* 0 when not said */
};
void http_answer_release(struct http_answer *a);

/* Keeps its connections. One thread at a time. */
MUST_USE err http_client_new(const struct http_client_options *options, struct http_client **out,
                             struct fail *f);
void http_client_free(struct http_client *c);
/* *out is initialised here; release it also after a failure. */
MUST_USE err http_call(struct http_client *c, const struct http_call *call, struct http_answer *out,
                       struct fail *f);
/* GET to a file (replaced when there; not synced), at most `max` bytes. On status 200 *size and
 * *sha256 (may be NULL) are those of the body; with another status no file is left. */
MUST_USE err http_download(struct http_client *c, const char *url, const char *path, uint64_t max,
                           int *status, uint64_t *size, struct hash *sha256, struct fail *f);
/* OK for 2xx; else the error that the answer's JSON names, or E_NETWORK, with its sentence. */
MUST_USE err http_answer_check(const struct http_answer *a, const char *url, struct fail *f);

/* Many calls at once, driven by the caller's thread. */
struct http_pool;
/* `code` OK: *answer is whole, and the callee may move answer->body away. Else *f says why. */
typedef void (*http_done)(void *ctx, err code, struct http_answer *answer, const struct fail *f);

/* At most `in_flight` calls at once (1..1024), `per_host` connections to one host (0 = in_flight).
 */
MUST_USE err http_pool_new(const struct http_client_options *options, unsigned in_flight,
                           unsigned per_host, struct http_pool **out, struct fail *f);
/* Gives up what is still under way: its `done` is called with E_NETWORK. */
void http_pool_free(struct http_pool *p);
/* True when another call may be started. */
bool http_pool_ready(const struct http_pool *p);
size_t http_pool_active(const struct http_pool *p);
/* Starts a call; copies everything but call->body and body_file's content, which the caller keeps
 * until `done`. E_BUSY when in_flight are under way. `done` is called from http_pool_run only. */
MUST_USE err http_pool_start(struct http_pool *p, const struct http_call *call, http_done done,
                             void *ctx, struct fail *f);
/* Drives the calls until one or more are done, or wait_ms have passed. */
MUST_USE err http_pool_run(struct http_pool *p, uint32_t wait_ms, struct fail *f);

#endif
