/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/conns.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include "base/clock.h"
#include "base/wait.h"

enum { SHARDS = 16, PREFIXES_MAX = 64, IDLE_WHEN_FULL_MS = 1000 };

struct shard {
    pthread_mutex_t lock; /* guards limits */
    struct limits *limits;
};

struct conns {
    pthread_mutex_t lock; /* guards list, count, stop */
    pthread_cond_t wake;
    struct conn *head;
    size_t count;
    bool stop;
    pthread_t sweeper;
    uint32_t sweep_ms;
    unsigned max;
    struct shard shards[SHARDS];
    struct net_prefix exempt[PREFIXES_MAX], proxies[PREFIXES_MAX];
    size_t exempt_count, proxy_count;
    struct metric *open, *refused_full, *refused_peer, *cut;
};

struct peer_key conns_peer_of(const struct sockaddr *addr) {
    if (addr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)addr;
        return peer_key_v4((const uint8_t *)&v4->sin_addr);
    }
    if (addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)addr;
        return peer_key_v6((const uint8_t *)&v6->sin6_addr);
    }
    return (struct peer_key){{0}};
}

static struct shard *shard_of(struct conns *c, const struct peer_key *peer) {
    unsigned h = 0;
    for (size_t i = 0; i < sizeof peer->b; i++) h = h * 31 + peer->b[i];
    return &c->shards[(h ^ h >> 8) % SHARDS];
}

static bool has(const struct net_prefix *at, size_t n, const struct peer_key *peer) {
    for (size_t i = 0; i < n; i++)
        if (net_prefix_has(&at[i], peer)) return true;
    return false;
}

bool conns_is_exempt(const struct conns *c, const struct peer_key *peer) {
    return has(c->exempt, c->exempt_count, peer);
}

/* Under the lock. The sockets of connections that took too long; of idle ones also when nearly
 * no room is left for others. */
static void sweep(struct conns *c, uint64_t now) {
    bool crowded = c->count * 10 > (size_t)c->max * 9;
    for (struct conn *x = c->head; x; x = x->next) {
        uint64_t deadline = atomic_load_explicit(&x->deadline_ms, memory_order_relaxed);
        if (deadline == 0) continue;
        uint64_t idle = atomic_load_explicit(&x->idle_since_ms, memory_order_relaxed);
        bool spare = crowded && idle != 0 && now > idle + IDLE_WHEN_FULL_MS;
        if (now < deadline && !spare) continue;
        conn_deadline(x, 0);
        metric_add(c->cut, 1);
        (void)shutdown(x->fd, SHUT_RDWR);
    }
}

static void *sweeper_run(void *arg) {
    struct conns *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        (void)wait_until(&c->wake, &c->lock, clock_monotonic_ms() + c->sweep_ms);
        sweep(c, clock_monotonic_ms());
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static err prefixes(const char *const *text, size_t n, struct net_prefix *out, struct fail *f) {
    if (n > PREFIXES_MAX)
        return fail_set(f, E_CONFIG, "at most %d address prefixes, not %zu", PREFIXES_MAX, n);
    for (size_t i = 0; i < n; i++) TRY(net_prefix_parse(text[i], &out[i], f));
    return OK;
}

static err conns_fill(struct conns *c, const struct conns_options *o, struct fail *f) {
    TRY(prefixes(o->exempt, o->exempt_count, c->exempt, f));
    TRY(prefixes(o->proxies, o->proxy_count, c->proxies, f));
    struct limits_config l = o->per_peer;
    if (l.peers == 0) l.peers = o->max + (size_t)65536;
    if (l.seed == 0 && getrandom(&l.seed, sizeof l.seed, 0) != (long)sizeof l.seed)
        return fail_set(f, E_INTERNAL, "the system gives no random bytes");
    l.peers = l.peers / SHARDS + 1;
    for (size_t i = 0; i < SHARDS; i++) TRY(limits_new(&l, &c->shards[i].limits, f));
    return OK;
}

static void conns_release(struct conns *c) {
    for (size_t i = 0; i < SHARDS; i++) {
        limits_free(c->shards[i].limits);
        pthread_mutex_destroy(&c->shards[i].lock);
    }
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->wake);
    free(c);
}

err conns_new(const struct conns_options *o, struct conns **out, struct fail *f) {
    struct conns *c = calloc(1, sizeof *c);
    if (!c) return fail_set(f, E_MEMORY, "no memory for the table of connections");
    c->max = o->max;
    c->sweep_ms = o->sweep_ms;
    c->exempt_count = o->exempt_count;
    c->proxy_count = o->proxy_count;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    for (size_t i = 0; i < SHARDS; i++) pthread_mutex_init(&c->shards[i].lock, NULL);
    err code = conns_fill(c, o, f);
    const char *name = "hesabu_http_refused_total", *help = "Connections and requests refused.";
    c->open = metrics_gauge(o->metrics, "hesabu_http_connections", NULL, "Open connections.");
    c->refused_full = metrics_counter(o->metrics, name, "reason=\"connections\"", help);
    c->refused_peer = metrics_counter(o->metrics, name, "reason=\"address_connections\"", help);
    c->cut = metrics_counter(o->metrics, name, "reason=\"too_slow\"", help);
    if (code == OK && pthread_create(&c->sweeper, NULL, sweeper_run, c) != 0)
        code = fail_set(f, E_MEMORY, "no thread for sweeping connections");
    if (code != OK) {
        conns_release(c);
        return code;
    }
    *out = c;
    return OK;
}

void conns_free(struct conns *c) {
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->sweeper, NULL);
    conns_release(c);
}

size_t conns_count(struct conns *c) {
    pthread_mutex_lock(&c->lock);
    size_t n = c->count;
    pthread_mutex_unlock(&c->lock);
    return n;
}

bool conns_admits(struct conns *c, const struct peer_key *peer) {
    bool room = conns_count(c) < c->max;
    if (!room) {
        metric_add(c->refused_full, 1);
        return false;
    }
    if (has(c->exempt, c->exempt_count, peer) || has(c->proxies, c->proxy_count, peer)) return true;
    struct shard *s = shard_of(c, peer);
    pthread_mutex_lock(&s->lock);
    room = limits_connect(s->limits, peer, clock_monotonic_ms());
    if (room) limits_disconnect(s->limits, peer); /* counted for good in conns_enter */
    pthread_mutex_unlock(&s->lock);
    if (!room) metric_add(c->refused_peer, 1);
    return room;
}

bool conns_enter(struct conns *c, struct conn *x, uint64_t deadline_ms) {
    bool admitted = true;
    x->exempt = has(c->exempt, c->exempt_count, &x->peer);
    x->proxy = has(c->proxies, c->proxy_count, &x->peer);
    if (!x->exempt && !x->proxy) {
        struct shard *s = shard_of(c, &x->peer);
        pthread_mutex_lock(&s->lock);
        x->counted = admitted = limits_connect(s->limits, &x->peer, clock_monotonic_ms());
        pthread_mutex_unlock(&s->lock);
        if (!admitted) metric_add(c->refused_peer, 1);
    }
    conn_deadline(x, deadline_ms);
    pthread_mutex_lock(&c->lock);
    if (admitted && c->count >= c->max) {
        admitted = false;
        metric_add(c->refused_full, 1);
    }
    x->prev = NULL;
    x->next = c->head;
    if (c->head) c->head->prev = x;
    c->head = x;
    c->count++;
    if (!admitted) (void)shutdown(x->fd, SHUT_RDWR);
    pthread_mutex_unlock(&c->lock);
    metric_shift(c->open, 1);
    return admitted;
}

void conns_leave(struct conns *c, struct conn *x) {
    pthread_mutex_lock(&c->lock);
    if (x->prev)
        x->prev->next = x->next;
    else
        c->head = x->next;
    if (x->next) x->next->prev = x->prev;
    c->count--;
    pthread_mutex_unlock(&c->lock);
    metric_shift(c->open, -1);
    if (!x->counted) return;
    struct shard *s = shard_of(c, &x->peer);
    pthread_mutex_lock(&s->lock);
    limits_disconnect(s->limits, &x->peer);
    pthread_mutex_unlock(&s->lock);
}

bool conns_take(struct conns *c, const struct peer_key *peer, uint32_t cost, uint32_t *retry_s) {
    struct shard *s = shard_of(c, peer);
    pthread_mutex_lock(&s->lock);
    bool taken = limits_take(s->limits, peer, clock_monotonic_ms(), cost, retry_s);
    pthread_mutex_unlock(&s->lock);
    return taken;
}
