/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/text.h"
#include "http/request_impl.h"

/* After an answer in the middle of a body: so much of the rest is read and thrown away, for so
 * long, so that the peer sees the answer instead of a reset. */
enum { LINGER_BYTES = 1 << 20, LINGER_MS = 2000 };
enum { STREAM_BLOCK = 8192, CLASSES = 6, THREADS_MAX = 64 };

struct http_server {
    struct http_options o; /* with defaults filled in */
    const struct http_route *routes;
    size_t route_count;
    void *ctx;
    struct MHD_Daemon *daemon;
    uint16_t port;
    struct conns *conns;
    struct hub *hub;
    _Atomic size_t busy; /* requests between their head and their end */
    struct metric *requests[CLASSES], *seconds, *over_budget, *over_size, *malformed;
};

static uint64_t clock_us(void) {
    return (uint64_t)(clock_seconds() * 1e6);
}

/* For deadlines: the same clock as clock_monotonic_ms, a tick behind it at most, much cheaper. */
static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- responses in the library's terms ---- */

void response_ready_free(void *ready) {
    MHD_destroy_response(ready);
}

static bool headers_add(struct MHD_Response *m, const struct http_response *r, bool body) {
    if (body && r->type && MHD_add_response_header(m, "Content-Type", r->type) == MHD_NO)
        return false;
    for (size_t i = 0; i < r->header_count; i++)
        if (MHD_add_response_header(m, r->headers[i].name, r->headers[i].value) == MHD_NO)
            return false;
    return true;
}

/* Keeps the first that was made, whoever made it. */
static struct MHD_Response *keep(_Atomic(void *) *slot, struct MHD_Response *m) {
    void *none = NULL;
    if (atomic_compare_exchange_strong(slot, &none, m)) return m;
    MHD_destroy_response(m);
    return none;
}

static struct MHD_Response *ready_of(struct http_response *r) {
    void *have = atomic_load_explicit(&r->ready, memory_order_acquire);
    if (have) return have;
    struct MHD_Response *m;
    if (r->fd >= 0) {
        int fd = dup(r->fd); /* the library closes it with its response */
        m = fd < 0 ? NULL : MHD_create_response_from_fd64(r->fd_size, fd);
        if (!m && fd >= 0) close(fd);
    } else { /* the bytes stay with r, which outlives every use of m */
        m = MHD_create_response_from_buffer(r->body.n, (void *)(uintptr_t)r->body.p,
                                            MHD_RESPMEM_PERSISTENT);
    }
    if (!m) return NULL;
    if (!headers_add(m, r, true)) {
        MHD_destroy_response(m);
        return NULL;
    }
    return keep(&r->ready, m);
}

static struct MHD_Response *not_modified_of(struct http_response *r) {
    void *have = atomic_load_explicit(&r->not_modified, memory_order_acquire);
    if (have) return have;
    struct MHD_Response *m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!m) return NULL;
    if (!headers_add(m, r, false)) {
        MHD_destroy_response(m);
        return NULL;
    }
    return keep(&r->not_modified, m);
}

/* ---- streams ---- */

static ssize_t stream_read(void *cls, uint64_t pos, char *to, size_t max) {
    (void)pos;
    struct http_request *r = cls;
    long n = pipe_read(&r->pipe, (uint8_t *)to, max);
    return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

static struct MHD_Response *stream_response(struct http_request *r) {
    struct MHD_Response *m =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_read, r, NULL);
    if (m && !headers_add(m, r->response, true)) {
        MHD_destroy_response(m);
        m = NULL;
    }
    if (!m) return NULL;
    atomic_store(&r->response->ready, m);
    pipe_link(r);
    if (r->response->source.opened) r->response->source.opened(r->response->source.ctx, &r->pipe);
    return m;
}

/* ---- answering ---- */

static uint64_t in_ms(const struct http_request *r, uint32_t base, uint64_t bytes) {
    return now_ms() + base + bytes * 1000 / r->server->o.min_rate;
}

static void count(struct http_request *r, int status) {
    struct http_server *s = r->server;
    metric_add(s->requests[status / 100 < CLASSES ? status / 100 : 0], 1);
    if (s->seconds) metric_observe(s->seconds, (double)(clock_us() - r->started_us) / 1e6);
}

/* Takes `response` over and queues it: the request's own thread. */
static enum MHD_Result answer(struct http_request *r, struct http_response *response) {
    if (!response || response->broken) {
        http_response_release(response);
        response = http_response_fail(E_INTERNAL, "the server could not make an answer");
    }
    r->response = response;
    r->state = REQ_QUEUED;
    if (!response) return MHD_NO;
    int status = response->status;
    struct MHD_Response *m;
    uint64_t size = response->fd >= 0 ? response->fd_size : response->body.n;
    const char *known = status == 200 && r->method == HTTP_GET && response->etag
                            ? http_header(r, "If-None-Match")
                            : NULL;
    if (known && http_response_matches(response, known)) {
        status = 304;
        m = not_modified_of(response);
    } else if (response->is_stream) {
        m = stream_response(r);
    } else {
        m = ready_of(response);
    }
    if (!m) return MHD_NO;
    count(r, status);
    conn_deadline(&r->conn, response->is_stream ? 0 : in_ms(r, r->server->o.write_ms, size));
    return MHD_queue_response(r->lib, (unsigned)status, m);
}

/* An answer in the middle of a body, past the library, which could only close: the head and body
 * are short and nothing else is on its way to this peer. */
static enum MHD_Result answer_in_body(struct http_request *r, struct http_response *response) {
    r->response = response;
    r->state = REQ_LINGER;
    conn_deadline(&r->conn, now_ms() + LINGER_MS);
    if (!response || response->fd >= 0 || response->is_stream) return MHD_NO;
    struct buf b;
    buf_init(&b, response->body.n + 4096);
    unsigned status = (unsigned)http_response_status(response);
    buf_printf(&b, "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: %zu\r\n", status,
               MHD_get_reason_phrase_for(status), response->body.n);
    if (response->type) buf_printf(&b, "Content-Type: %s\r\n", response->type);
    for (size_t i = 0; i < response->header_count; i++)
        buf_printf(&b, "%s: %s\r\n", response->headers[i].name, response->headers[i].value);
    buf_str(&b, "\r\n");
    buf_span(&b, response->body);
    bool sent =
        !b.failed && send(r->conn.fd, b.p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)b.n;
    buf_release(&b);
    count(r, (int)status);
    if (!sent) return MHD_NO;
    (void)shutdown(r->conn.fd, SHUT_WR);
    return MHD_YES;
}

static bool body_follows(const struct http_request *r) {
    const char *length = http_header(r, "Content-Length");
    return http_header(r, "Transfer-Encoding") || (length && strcmp(length, "0") != 0);
}

/* Refuses at the head of a request, with or without a body behind it. */
static enum MHD_Result refuse(struct http_request *r, struct http_response *response) {
    if (!body_follows(r)) {
        r->response = response;
        r->state = REQ_REFUSED;
        return MHD_YES;
    }
    if (http_header(r, "Expect")) return answer(r, response); /* the body was not sent yet */
    return answer_in_body(r, response);
}

void lib_suspend(struct http_request *r) {
    MHD_suspend_connection(r->lib);
}

void lib_resume(struct http_request *r) {
    MHD_resume_connection(r->lib);
}

/* ---- a request's way ---- */

const char *http_header(const struct http_request *r, const char *name) {
    return MHD_lookup_connection_value(r->lib, MHD_HEADER_KIND, name);
}

static unsigned method_of(const char *text, bool *head) {
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {{"GET", HTTP_GET},
                   {"POST", HTTP_POST},
                   {"PUT", HTTP_PUT},
                   {"DELETE", HTTP_DELETE},
                   {"OPTIONS", HTTP_OPTIONS}};
    *head = strcmp(text, "HEAD") == 0;
    if (*head) return HTTP_GET;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(text, methods[i].name) == 0) return methods[i].method;
    return 0;
}

static struct http_response *wrong_method(const struct http_server *s, const struct http_route *route) {
    static const char *const names[] = {"GET, HEAD", "POST", "PUT", "DELETE", "OPTIONS"};
    char allow[64] = "";
    unsigned methods = 0;
    for (size_t i = 0; i < s->route_count; i++)
        if (strcmp(s->routes[i].path, route->path) == 0) methods |= s->routes[i].methods;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(methods & 1u << i)) continue;
        if (allow[0]) (void)strncat(allow, ", ", sizeof allow - strlen(allow) - 1);
        (void)strncat(allow, names[i], sizeof allow - strlen(allow) - 1);
    }
    struct http_response *x = http_response_error(E_METHOD, "this path takes %s only", allow);
    http_response_header(x, "Allow", allow);
    return x;
}

/* Behind a trusted proxy the peer is whom its X-Forwarded-For names last. */
static void peer_find(struct http_request *r) {
    r->peer = r->conn.peer;
    r->exempt = r->conn.exempt;
    if (!r->conn.proxy) return;
    const char *list = http_header(r, "X-Forwarded-For");
    if (!list) return;
    const char *last = strrchr(list, ',');
    last = last ? last + 1 : list;
    while (*last == ' ') last++;
    if (peer_key_parse(last, &r->peer, NULL) == OK)
        r->exempt = conns_is_exempt(r->server->conns, &r->peer);
}

static enum MHD_Result count_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                    const char *value) {
    (void)kind, (void)value;
    size_t *n = cls;
    if (strcasecmp(key, "Content-Length") == 0) n[0]++;
    if (strcasecmp(key, "Transfer-Encoding") == 0) n[1]++;
    return MHD_YES;
}

/* What a body may be here. Two readings of where a request ends are refused (RFC 9112, 6.3). */
static err check_body(struct http_request *r, uint64_t *size, struct fail *f) {
    const char *length = http_header(r, "Content-Length");
    const char *coding = http_header(r, "Transfer-Encoding");
    *size = 0;
    if (!length && !coding) return OK;
    size_t n[2] = {0, 0};
    (void)MHD_get_connection_values(r->lib, MHD_HEADER_KIND, count_header, n);
    if (n[0] + n[1] != 1)
        return fail_set(f, E_FIELD, "the request states its length more than once");
    if (coding && strcasecmp(coding, "chunked") != 0)
        return fail_set(f, E_FIELD, "the only Transfer-Encoding taken here is chunked");
    uint64_t max = r->route->max_body;
    *size = max;
    if (length && u64_parse(span_text(length), UINT64_MAX, size, NULL) != OK)
        return fail_set(f, E_FIELD, "Content-Length is not a number");
    if (*size > max || (coding && max == 0))
        return fail_set(f, E_TOO_LARGE, "a body here is at most %llu bytes",
                        (unsigned long long)max);
    return OK;
}

/* The answer that refuses the request at its head, or NULL. */
static struct http_response *check_head(struct http_request *r, const char *method) {
    struct http_server *s = r->server;
    struct fail f = {0};
    uint32_t retry_s = 1;
    peer_find(r);
    r->method = method_of(method, &r->head_only);
    bool known = r->uri_code == OK;
    r->route = known ? request_route(s->routes, s->route_count, r->uri.text, r->method, &r->tail)
                     : NULL;
    uint32_t cost = r->route ? r->route->cost : 1;
    if (cost && !r->exempt && !conns_take(s->conns, &r->peer, cost, &retry_s)) {
        metric_add(s->over_budget, 1);
        struct http_response *x =
            http_response_error(E_RATE, "too many requests from this address: wait %u s", retry_s);
        http_response_retry(x, retry_s);
        return x;
    }
    if (!known) {
        metric_add(s->malformed, 1);
        return http_response_fail(r->uri_code, r->uri_fail.text);
    }
    if (!r->route) return http_response_fail(E_NOT_FOUND, "there is nothing at this path");
    if (!(r->route->methods & r->method)) return wrong_method(s, r->route);
    uint64_t size;
    err code = check_body(r, &size, &f);
    if (code == OK && r->route->to_file && body_follows(r))
        code = request_upload_open(r, s->o.upload_dir, &f);
    if (code != OK) {
        metric_add(code == E_TOO_LARGE ? s->over_size : s->malformed, 1);
        return http_response_fail(code, f.text);
    }
    r->body.max = r->route->to_file ? 0 : (size_t)r->route->max_body;
    conn_deadline(&r->conn, size ? in_ms(r, s->o.body_ms, size) : 0);
    return r->route->admit ? r->route->admit(r, s->ctx) : NULL;
}

static enum MHD_Result on_body(struct http_request *r, struct span part) {
    struct fail f = {0};
    err code = request_body_add(r, part, &f);
    if (code == OK) return MHD_YES;
    if (code == E_TOO_LARGE) metric_add(r->server->over_size, 1);
    return answer_in_body(r, http_response_fail(code, f.text));
}

static enum MHD_Result on_whole(struct http_request *r) {
    struct fail f = {0};
    conn_deadline(&r->conn, 0);
    if (r->upload) {
        err code = request_upload_finish(r, &f);
        if (code != OK) return answer(r, http_response_fail(code, f.text));
    }
    (void)buf_cstr(&r->body);
    struct http_response *response = r->route->handle(r, r->server->ctx);
    if (r->state == REQ_DEFERRED) { /* from here on r belongs to the token */
        return MHD_YES;
    }
    if (!response) {
        response = r->response; /* set by http_defer that had no room */
        r->response = NULL;
    }
    return answer(r, response);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *lib, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **con_cls) {
    (void)cls, (void)lib, (void)url, (void)version;
    struct http_request *r = *con_cls;
    struct http_response *response;
    struct span part = span_of(data, *size);
    *size = 0;
    switch (r->state) {
    case REQ_HEAD:
        r->state = REQ_BODY;
        atomic_fetch_add(&r->server->busy, 1);
        response = check_head(r, method);
        return response ? refuse(r, response) : MHD_YES;
    case REQ_BODY:
        return part.n ? on_body(r, part) : on_whole(r);
    case REQ_REFUSED:
    case REQ_DEFERRED:
        response = r->response;
        r->response = NULL;
        return answer(r, response);
    case REQ_LINGER:
        r->lingered += part.n;
        return part.n && r->lingered < LINGER_BYTES ? MHD_YES : MHD_NO;
    default:
        return MHD_NO;
    }
}

/* ---- connections ---- */

static struct http_request *request_of(struct MHD_Connection *lib) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(lib, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* The request line was read: the rest of the head has header_ms from here. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *lib) {
    struct http_server *s = cls;
    struct http_request *r = request_of(lib);
    if (!r) return NULL;
    r->state = REQ_HEAD;
    r->started_us = s->seconds ? clock_us() : 0;
    r->uri_fail.text[0] = 0;
    r->uri_code = uri_parse(span_text(target ? target : ""), &r->uri, &r->uri_fail);
    atomic_store_explicit(&r->conn.idle_since_ms, 0, memory_order_relaxed);
    conn_deadline(&r->conn, now_ms() + s->o.header_ms);
    return r;
}

static void on_completed(void *cls, struct MHD_Connection *lib, void **con_cls,
                         enum MHD_RequestTerminationCode how) {
    (void)lib, (void)how;
    struct http_server *s = cls;
    struct http_request *r = *con_cls;
    if (!r) return;
    *con_cls = NULL;
    bool counted = r->state > REQ_HEAD;
    struct http_response *response = r->response;
    r->response = NULL;
    http_response_release(response); /* a stream's `closed` is called here */
    pipe_unlink(r);
    request_reset(r);
    uint64_t now = now_ms();
    atomic_store_explicit(&r->conn.idle_since_ms, now, memory_order_relaxed);
    conn_deadline(&r->conn, now + s->o.idle_ms);
    if (counted) atomic_fetch_sub(&s->busy, 1);
}

static void on_connection(void *cls, struct MHD_Connection *lib, void **context,
                          enum MHD_ConnectionNotificationCode what) {
    struct http_server *s = cls;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        struct http_request *r = *context;
        if (!r) return;
        conns_leave(s->conns, &r->conn);
        request_reset(r);
        buf_release(&r->body);
        free(r);
        return;
    }
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(lib, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *addr =
        MHD_get_connection_info(lib, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_request *r = fd ? calloc(1, sizeof *r) : NULL;
    *context = r;
    if (!r) {
        if (fd) (void)shutdown(fd->connect_fd, SHUT_RDWR);
        return;
    }
    r->server = s;
    r->hub = s->hub;
    r->lib = lib;
    r->conn.fd = fd->connect_fd;
    if (addr && addr->client_addr) r->conn.peer = conns_peer_of(addr->client_addr);
    (void)conns_enter(s->conns, &r->conn, now_ms() + s->o.header_ms);
}

static enum MHD_Result on_accept(void *cls, const struct sockaddr *addr, socklen_t size) {
    (void)size;
    struct http_server *s = cls;
    struct peer_key peer = conns_peer_of(addr);
    return conns_admits(s->conns, &peer) ? MHD_YES : MHD_NO;
}

/* Targets are decoded by uri.c; the library's own reading of them is not used. */
static size_t no_unescape(void *cls, struct MHD_Connection *lib, char *text) {
    (void)cls, (void)lib;
    return strlen(text);
}

/* ---- starting and stopping ---- */

static err listen_on(const struct http_options *o, int *out, uint16_t *port, struct fail *f) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {0};
    socklen_t size;
    if (inet_pton(AF_INET, o->address, &a.v4.sin_addr) == 1) {
        a.v4.sin_family = AF_INET;
        a.v4.sin_port = htons(o->port);
        size = sizeof a.v4;
    } else if (inet_pton(AF_INET6, o->address, &a.v6.sin6_addr) == 1) {
        a.v6.sin6_family = AF_INET6;
        a.v6.sin6_port = htons(o->port);
        size = sizeof a.v6;
    } else {
        return fail_set(f, E_CONFIG,
                        "cannot listen on \"%.60s\": give a numeric address, as in "
                        "127.0.0.1 or ::",
                        o->address);
    }
    int one = 1, fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool bound = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
                 bind(fd, &a.any, size) == 0 && listen(fd, 1024) == 0 &&
                 getsockname(fd, &a.any, &size) == 0;
    if (!bound) {
        err code = fail_set(f, E_NETWORK, "cannot listen on %s port %u: %s", o->address, o->port,
                            strerror(errno));
        if (fd >= 0) close(fd);
        return code;
    }
    *port = ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
    *out = fd;
    return OK;
}

/* Each connection is a descriptor: the soft limit is raised as far as the hard one allows. */
static void descriptors_for(unsigned connections) {
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) != 0) return;
    rlim_t want = (rlim_t)connections + 512;
    if (l.rlim_cur >= want) return;
    l.rlim_cur = l.rlim_max == RLIM_INFINITY || want < l.rlim_max ? want : l.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &l);
}

static void defaults(struct http_options *o) {
    if (!o->address) o->address = "127.0.0.1";
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (o->threads == 0) o->threads = cpus > 0 ? (unsigned)cpus : 1;
    if (o->threads > THREADS_MAX) o->threads = THREADS_MAX;
    if (o->max_connections == 0) o->max_connections = 4096;
    if (o->header_ms == 0) o->header_ms = 10000;
    if (o->idle_ms == 0) o->idle_ms = 60000;
    if (o->body_ms == 0) o->body_ms = 20000;
    if (o->write_ms == 0) o->write_ms = 20000;
    if (o->min_rate == 0) o->min_rate = 8192;
    if (o->max_head == 0) o->max_head = 16384;
    if (o->max_deferred == 0) o->max_deferred = o->max_connections;
}

static void metrics_for(struct http_server *s) {
    static const char *const classes[CLASSES] = {"class=\"other\"", "class=\"1xx\"",
                                                 "class=\"2xx\"",   "class=\"3xx\"",
                                                 "class=\"4xx\"",   "class=\"5xx\""};
    static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                    0.1,    0.25,  0.5,    1,     2.5,  5,     10};
    struct metrics *m = s->o.metrics;
    for (size_t i = 0; i < CLASSES; i++)
        s->requests[i] = metrics_counter(m, "hesabu_http_requests_total", classes[i],
                                         "Answered requests by status class.");
    s->seconds = metrics_histogram(m, "hesabu_http_request_seconds", NULL,
                                   "From the request line to the answer's queueing.", bounds,
                                   sizeof bounds / sizeof *bounds);
    const char *name = "hesabu_http_refused_total", *help = "Connections and requests refused.";
    s->over_budget = metrics_counter(m, name, "reason=\"budget\"", help);
    s->over_size = metrics_counter(m, name, "reason=\"too_large\"", help);
    s->malformed = metrics_counter(m, name, "reason=\"malformed\"", help);
    s->hub->deferred =
        metrics_gauge(m, "hesabu_http_deferred", NULL, "Requests that wait for their answer.");
}

static err daemon_start(struct http_server *s, int fd, struct fail *f) {
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)s->o.threads, NULL},
                                    {MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    uint32_t backstop = (s->o.idle_ms + s->o.header_ms + s->o.write_ms) / 1000 + 5;
    /* the library divides its limit among its threads; the exact one is kept by conns.c */
    unsigned most = s->o.max_connections * s->o.threads + s->o.threads;
    s->daemon = MHD_start_daemon(
        flags, 0, on_accept, s, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        s, MHD_OPTION_URI_LOG_CALLBACK, on_target, s, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, s,
        MHD_OPTION_CONNECTION_LIMIT, most, MHD_OPTION_CONNECTION_TIMEOUT, backstop,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, s->o.max_head, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_ARRAY, s->o.threads > 1 ? pool : none, MHD_OPTION_END);
    return s->daemon ? OK : fail_set(f, E_INTERNAL, "the HTTP server does not start");
}

static err server_fill(struct http_server *s, struct fail *f) {
    s->hub = hub_new(s->o.max_deferred);
    if (!s->hub) return fail_set(f, E_MEMORY, "no memory for the HTTP server");
    metrics_for(s);
    uint32_t shortest = s->o.header_ms < s->o.idle_ms ? s->o.header_ms : s->o.idle_ms;
    struct conns_options c = {.max = s->o.max_connections,
                              .per_peer = s->o.per_peer,
                              .exempt = s->o.exempt,
                              .exempt_count = s->o.exempt_count,
                              .proxies = s->o.proxies,
                              .proxy_count = s->o.proxy_count,
                              .sweep_ms = shortest / 4 < 250 ? shortest / 4 + 1 : 250,
                              .metrics = s->o.metrics};
    TRY(conns_new(&c, &s->conns, f));
    descriptors_for(s->o.max_connections);
    int fd = -1;
    TRY(listen_on(&s->o, &fd, &s->port, f));
    err code = daemon_start(s, fd, f);
    if (code != OK) close(fd);
    return code;
}

static void server_release(struct http_server *s) {
    conns_free(s->conns);
    if (s->hub) hub_release(s->hub);
    free(s);
}

err http_server_start(const struct http_options *options, const struct http_route *routes,
                      size_t route_count, void *ctx, struct http_server **out, struct fail *f) {
    for (size_t i = 0; i < route_count; i++)
        if (routes[i].max_body > SIZE_MAX / 2 && !routes[i].to_file)
            return fail_set(f, E_CONFIG, "route %s: a body of that size cannot be buffered",
                            routes[i].path);
    struct http_server *s = calloc(1, sizeof *s);
    if (!s) return fail_set(f, E_MEMORY, "no memory for the HTTP server");
    s->o = *options;
    defaults(&s->o);
    s->routes = routes;
    s->route_count = route_count;
    s->ctx = ctx;
    err code = server_fill(s, f);
    if (code != OK) {
        server_release(s);
        return code;
    }
    *out = s;
    return OK;
}

uint16_t http_server_port(const struct http_server *s) {
    return s->port;
}

void http_server_stop(struct http_server *s, uint32_t grace_ms) {
    if (!s) return;
    hub_stop(s->hub); /* not MHD_quiesce_daemon: 0.9.75 can abort the process when a thread is at accept */
    uint64_t until = clock_monotonic_ms() + grace_ms;
    while (atomic_load(&s->busy) > 0 && clock_monotonic_ms() < until) {
        struct timespec pause = {.tv_nsec = 2000000};
        (void)nanosleep(&pause, NULL);
    }
    MHD_stop_daemon(s->daemon);
    server_release(s);
}
