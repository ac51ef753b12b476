/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Raw sockets for the tests of the HTTP layer: what no polite client would send. */
#ifndef TESTS_HTTP_TEST_H
#define TESTS_HTTP_TEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "http/server.h"
#include "test.h"

enum { PATIENCE_MS = 20000 }; /* only a broken server makes anybody wait so long */

static inline int dial_from(const char *from, uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct sockaddr_in a = {.sin_family = AF_INET};
    inet_pton(AF_INET, from, &a.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
    a.sin_port = htons(port);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static inline int dial(uint16_t port) {
    return dial_from("127.0.0.1", port);
}

/* False when the peer has closed. */
static inline bool say_bytes(int fd, const void *p, size_t n) {
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        p = (const char *)p + sent;
        n -= (size_t)sent;
    }
    return true;
}

static inline bool say(int fd, const char *text) {
    return say_bytes(fd, text, strlen(text));
}

/* More bytes into b. False at the end or after PATIENCE_MS. */
static inline bool hear(int fd, struct buf *b) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, PATIENCE_MS) <= 0) fail_msg("nothing was answered");
    uint8_t *to = buf_room(b, 65536);
    assert_non_null(to);
    ssize_t n = recv(fd, to, 65536, 0);
    if (n <= 0) return false;
    b->n += (size_t)n;
    return true;
}

struct reply {
    int status;
    struct buf raw; /* head and body */
    struct span head, body;
};

static inline const char *reply_header(struct reply *r, const char *name) {
    static _Thread_local char value[512]; /* several senders ask at once */
    char want[64];
    snprintf(want, sizeof want, "\r\n%s: ", name);
    const char *at = memmem(r->head.p, r->head.n, want, strlen(want));
    if (!at) return NULL;
    at += strlen(want);
    size_t n = 0;
    while (at[n] != '\r' && n < sizeof value - 1) n++;
    memcpy(value, at, n);
    value[n] = 0;
    return value;
}

/* One answer from what was heard and what still comes; keeps the rest in `spill` (may be NULL). */
static inline bool hear_reply(int fd, struct buf *spill, bool head_only, struct reply *r) {
    memset(r, 0, sizeof *r);
    buf_init(&r->raw, 64 << 20);
    if (spill) {
        buf_span(&r->raw, buf_view(spill));
        buf_clear(spill);
    }
    const char *end;
    while (!(end = r->raw.n ? memmem(r->raw.p, r->raw.n, "\r\n\r\n", 4) : NULL))
        if (!hear(fd, &r->raw)) return false;
    size_t head = (size_t)(end - (char *)r->raw.p) + 4, length = 0;
    r->head = span_of(r->raw.p, head);
    assert_memory_equal(r->raw.p, "HTTP/1.1 ", 9);
    r->status = atoi((char *)r->raw.p + 9);
    const char *text = reply_header(r, "Content-Length");
    if (text && !head_only && r->status != 304) length = (size_t)atoll(text);
    while (r->raw.n < head + length)
        if (!hear(fd, &r->raw)) return false;
    r->head = span_of(r->raw.p, head);
    r->body = span_of(r->raw.p + head, length);
    if (spill && r->raw.n > head + length)
        buf_span(spill, span_from(buf_view(&r->raw), head + length));
    return true;
}

static inline void reply_free(struct reply *r) {
    buf_release(&r->raw);
}

/* Sends a request and gives back the status, 0 when the connection ends without an answer. */
static inline int ask_on(int fd, const char *request, struct reply *r) {
    (void)say(fd, request);
    return hear_reply(fd, NULL, strncmp(request, "HEAD", 4) == 0, r) ? r->status : 0;
}

static inline int ask(uint16_t port, const char *request, struct reply *r) {
    int fd = dial(port);
    int status = ask_on(fd, request, r);
    close(fd);
    return status;
}

static inline int ask_status(uint16_t port, const char *request) {
    struct reply r;
    int status = ask(port, request, &r);
    reply_free(&r);
    return status;
}

/* True when the peer ends the connection (nothing more is read). */
static inline bool hangs_up(int fd) {
    struct buf b;
    buf_init(&b, 1 << 20);
    while (hear(fd, &b)) buf_clear(&b);
    buf_release(&b);
    return true;
}

static inline void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

#endif
