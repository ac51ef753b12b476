/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A request on its way: for server.c, request.c and wait.c only. No word of the library below
 * stands here.
 */
#ifndef HTTP_REQUEST_IMPL_H
#define HTTP_REQUEST_IMPL_H

#include <pthread.h>
#include "http/conns.h"
#include "http/response_impl.h"
#include "http/server.h"
#include "http/uri.h"

/* What is waited for outside of the threads of the server: deferred requests and silent streams.
 * Outlives the server while tokens are held. */
struct hub {
    pthread_mutex_t lock; /* guards everything here, tokens' and pipes' fields, and resuming */
    struct http_token *tokens;
    struct http_pipe *pipes;
    size_t token_count, max_tokens;
    bool stopping;
    unsigned refs;
    struct metric *deferred;
};

struct http_token {
    struct hub *hub;
    struct http_request *r; /* NULL: answered by somebody else */
    struct http_token *prev, *next;
};

struct http_pipe {
    struct http_request *r;
    struct http_pipe *prev, *next;
    bool linked, asleep, woken, ending;
};

enum request_state {
    REQ_NONE,     /* between requests */
    REQ_HEAD,     /* the target is known, the head is being read */
    REQ_BODY,     /* the body is being read */
    REQ_DEFERRED, /* a token is out */
    REQ_REFUSED,  /* the answer waits for the end of the (empty) body */
    REQ_QUEUED,   /* the answer is on its way */
    REQ_LINGER,   /* answered while the body was coming: the rest is thrown away for a while */
};

struct upload {
    int fd;
    bool taken;
    struct sha256_stream *hash;
    struct http_upload pub;
    char path[]; /* pub.path */
};

struct http_request {
    struct conn conn; /* first: the connection that this is a part of */
    struct http_server *server;
    struct hub *hub; /* the server's */
    void *lib;       /* the library's connection */
    enum request_state state;
    enum http_method method;
    bool head_only;
    const struct http_route *route;
    const char *tail;
    struct uri uri;
    struct fail uri_fail;
    err uri_code;
    struct peer_key peer; /* behind a proxy: whom it speaks for */
    bool exempt;
    struct buf body;
    struct upload *upload;
    void *kept; /* what admit found out, or NULL; with how it is freed */
    void (*free_kept)(void *);
    uint64_t lingered;
    struct http_response *response;
    struct http_pipe pipe;
    uint64_t started_us;
};

/* Body bytes arrived: to the buffer or the file. E_TOO_LARGE past the route's limit. */
MUST_USE err request_body_add(struct http_request *r, struct span part, struct fail *f);
/* Opens the temporary file. */
MUST_USE err request_upload_open(struct http_request *r, const char *dir, struct fail *f);
/* Closes it and takes the hash. */
MUST_USE err request_upload_finish(struct http_request *r, struct fail *f);
/* Gives back what one request held, for the next on the connection. */
void request_reset(struct http_request *r);
/* The first route for the path, or NULL; *tail gets what stands in the star's place. */
const struct http_route *request_route(const struct http_route *at, size_t n, const char *path,
                                       enum http_method method, const char **tail);

/* In wait.c. One reference is the caller's. */
struct hub *hub_new(size_t max_tokens);
void hub_release(struct hub *h);
/* Answers every token with 503, ends every pipe, and lets none wait from then on. */
void hub_stop(struct hub *h);
void pipe_link(struct http_request *r);
void pipe_unlink(struct http_request *r);
/* What the source gives: > 0 bytes; < 0 the end; 0: the connection was set aside until woken. */
long pipe_read(struct http_pipe *p, uint8_t *to, size_t max);

/* In server.c: sets a connection aside (from its own thread), takes it up again (from any). */
void lib_suspend(struct http_request *r);
void lib_resume(struct http_request *r);

#endif
