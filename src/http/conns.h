/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Open connections: who they are, by when they must have moved on, and who may open more.
 *
 * A sweeping thread shuts down the sockets of connections past their deadline. A socket is only
 * touched under the table's lock, and leaves the table before it is closed, so that a number used
 * again by another connection is never hit. */
#ifndef HTTP_CONNS_H
#define HTTP_CONNS_H

#include <stdatomic.h>
#include <sys/socket.h>
#include "http/limits.h"
#include "http/metrics.h"

struct conns;

struct conn {
    struct conn *prev, *next;
    int fd;
    struct peer_key peer;
    bool counted; /* among its address's connections */
    bool exempt, proxy;
    _Atomic uint64_t idle_since_ms; /* between requests since then; 0 = in one */
    _Atomic uint64_t deadline_ms;   /* monotonic; 0 = none */
};

struct conns_options {
    unsigned max;
    struct limits_config per_peer;
    const char *const *exempt, *const *proxies;
    size_t exempt_count, proxy_count;
    uint32_t sweep_ms;
    struct metrics *metrics;
};

MUST_USE err conns_new(const struct conns_options *o, struct conns **out, struct fail *f);
/* All connections must be gone. */
void conns_free(struct conns *c);

/* The key of a socket's address; anything but IP counts as one peer. */
struct peer_key conns_peer_of(const struct sockaddr *addr);
/* May such a peer connect? Counts nothing; what is refused is counted in the metrics. */
bool conns_admits(struct conns *c, const struct peer_key *peer);
/* Enters a connection (fd and peer set by the caller). False: over a cap; it is entered all the
 * same, its socket is shut down, and conns_leave follows as usual. */
bool conns_enter(struct conns *c, struct conn *x, uint64_t deadline_ms);
void conns_leave(struct conns *c, struct conn *x);
/* The address's budget. */
bool conns_take(struct conns *c, const struct peer_key *peer, uint32_t cost, uint32_t *retry_s);
bool conns_is_exempt(const struct conns *c, const struct peer_key *peer);
size_t conns_count(struct conns *c);

static inline void conn_deadline(struct conn *x, uint64_t at_ms) {
    atomic_store_explicit(&x->deadline_ms, at_ms, memory_order_relaxed);
}

#endif
