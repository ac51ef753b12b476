/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* An HTTP/1.1 server with limits on everything: handlers get whole, checked requests.
 *
 * Threads of the server call handlers; a handler answers at once, or defers and answers later from
 * any thread. Bodies are buffered up to the route's limit or streamed to a file. Slow peers, large
 * bodies, crowds from one address and malformed targets never reach a handler. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "crypto/hash.h"
#include "http/limits.h"
#include "http/metrics.h"
#include "http/response.h"

struct http_server;
struct http_request;
struct http_token;

enum http_method {
    HTTP_GET = 1, /* answers HEAD as well */
    HTTP_POST = 2,
    HTTP_PUT = 4,
    HTTP_DELETE = 8,
    HTTP_OPTIONS = 16,
};

/* Gives back the answer (its reference passes to the server), or NULL after http_defer. NULL
 * without it answers 500. */
typedef struct http_response *(*http_handler)(struct http_request *r, void *ctx);

struct http_route {
    const char *path; /* "/head.json", or a prefix with a star at its end: "/tile/" "*" */
    unsigned methods; /* of enum http_method */
    http_handler handle;
    uint64_t max_body;  /* bytes; 0 = a body is refused */
    bool to_file;       /* the body goes to a temporary file in options.upload_dir */
    uint32_t cost;      /* of the address's budget; 0 = free */
    http_handler admit; /* or NULL: sees the head before the body is read; a response refuses */
};

struct http_options {
    const char *address;           /* numeric; NULL = 127.0.0.1 */
    uint16_t port;                 /* 0 = any free one */
    unsigned threads;              /* 0 = one per processor, at most 16 */
    unsigned max_connections;      /* 0 = 4096 */
    struct limits_config per_peer; /* peers and seed are filled in when 0 */
    /* Addresses without caps and budget; reverse proxies, whose X-Forwarded-For is believed (its
     * last entry is the peer). Prefixes as in net_prefix_parse. */
    const char *const *exempt;
    size_t exempt_count;
    const char *const *proxies;
    size_t proxy_count;
    uint32_t header_ms;      /* a request's head must be there by then; 0 = 10 s */
    uint32_t idle_ms;        /* a kept connection may be silent so long; 0 = 60 s */
    uint32_t body_ms;        /* a body's time, + its size at min_rate; 0 = 20 s */
    uint32_t write_ms;       /* an answer's time, + its size at min_rate; 0 = 20 s */
    uint32_t min_rate;       /* bytes a second; 0 = 8192 */
    size_t max_head;         /* bytes of memory for a request's head; 0 = 16 KiB */
    size_t max_deferred;     /* more are answered 503 at once; 0 = max_connections */
    const char *upload_dir;  /* for routes with to_file */
    struct metrics *metrics; /* may be NULL; outlives the server */
};

/* The first route whose path matches wins (of several with this very path, the one that takes the
 * method); none: 404; not its method: 405 with Allow. Routes and
 * ctx outlive the server. The port is bound when this returns. E_NETWORK when it cannot be bound,
 * E_CONFIG for options that cannot be. */
MUST_USE err http_server_start(const struct http_options *options, const struct http_route *routes,
                               size_t route_count, void *ctx, struct http_server **out,
                               struct fail *f);
uint16_t http_server_port(const struct http_server *s);
/* Takes no more connections, answers everything deferred (503), ends streams, lets answers on their
 * way out finish for up to `grace_ms`, closes. Tokens still held stay usable (replies vanish). Not
 * from a handler. NULL is fine. */
void http_server_stop(struct http_server *s, uint32_t grace_ms);

/* The request: valid in the handler; after http_defer until http_reply, from any one thread. */
enum http_method http_method(const struct http_request *r);
const char *http_path(const struct http_request *r); /* decoded, checked: see uri.h */
const char *http_tail(const struct http_request *r); /* what stands in the star's place */
bool http_query(const struct http_request *r, const char *name, struct span *value);
const char *http_header(const struct http_request *r, const char *name); /* NULL: none */
struct span http_body(const struct http_request *r);                     /* NUL follows it */
const struct peer_key *http_peer(const struct http_request *r);
bool http_peer_exempt(const struct http_request *r);

/* What `admit` found out and `handle` of the same request needs: at most one thing a request, freed with
 * `release` when it ends, whether or not it was handled. */
void http_keep(struct http_request *r, void *p, void (*release)(void *));
void *http_kept(const struct http_request *r); /* NULL: nothing */

/* The body of a to_file route. The file is removed when the request ends unless it was taken. */
struct http_upload {
    const char *path;
    uint64_t size;
    struct hash sha256;
};
const struct http_upload *http_upload(const struct http_request *r); /* NULL: not such a route */
/* The caller owns the file from here on (rename or remove it). It is not synced. */
void http_upload_take(struct http_request *r);

/* Answer later: the handler then returns NULL. The token must be given to http_reply exactly once.
 * NULL when there is no room (max_deferred, shutdown): a 503 is then the answer already, and the
 * handler returns NULL. */
struct http_token *http_defer(struct http_request *r);
/* From any thread; takes both over. A NULL response answers 500. Whether the peer is still there is
 * not known. */
void http_reply(struct http_token *t, struct http_response *response);

/* For sources of http_response_stream: there is something to read now / break the connection off.
 * From any thread, between opened and closed; must not be called from within `read`. */
void http_wake(struct http_pipe *p);
void http_cut(struct http_pipe *p);

#endif
