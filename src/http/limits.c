/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/limits.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include "base/text.h"

/* Tokens are counted in thousandths, so that a rate per second divides evenly into milliseconds. */
enum { MILLI = 1000, PROBE = 16 };

struct peer {
    struct peer_key key;
    bool used;
    uint32_t connections;
    uint64_t tokens; /* thousandths */
    uint64_t at_ms;  /* when `tokens` was right */
};

struct limits {
    struct limits_config c;
    size_t mask, used;
    struct peer *at; /* a key lives in one of PROBE slots from its hash on */
};

struct peer_key peer_key_v4(const uint8_t addr[4]) {
    struct peer_key k = {{0}};
    k.b[10] = k.b[11] = 0xff;
    memcpy(k.b + 12, addr, 4);
    return k;
}

struct peer_key peer_key_v6(const uint8_t addr[16]) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(addr, mapped, sizeof mapped) == 0) return peer_key_v4(addr + 12);
    struct peer_key k = {{0}};
    memcpy(k.b, addr, 8);
    return k;
}

err peer_key_parse(const char *text, struct peer_key *out, struct fail *f) {
    uint8_t raw[16];
    if (inet_pton(AF_INET, text, raw) == 1) {
        *out = peer_key_v4(raw);
        return OK;
    }
    if (inet_pton(AF_INET6, text, raw) == 1) {
        *out = peer_key_v6(raw);
        return OK;
    }
    return fail_set(f, E_CONFIG,
                    "\"%.60s\" is not a numeric address: write 192.0.2.1 or 2001:db8::1", text);
}

err net_prefix_parse(const char *text, struct net_prefix *out, struct fail *f) {
    char addr[64];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    if (n == 0 || n >= sizeof addr)
        return fail_set(f, E_CONFIG, "\"%.60s\" is not an address or a prefix", text);
    memcpy(addr, text, n);
    addr[n] = 0;
    struct peer_key key;
    TRY(peer_key_parse(addr, &key, f));
    bool v4 = strchr(addr, ':') == NULL;
    uint64_t bits = v4 ? 32 : 64;
    if (slash && u64_parse(span_text(slash + 1), bits, &bits, NULL) != OK)
        return fail_set(f, E_CONFIG, "\"%.60s\": a prefix is at most /%d", text, v4 ? 32 : 64);
    memcpy(out->b, key.b, sizeof out->b);
    out->bits = (unsigned)bits + (v4 ? 96 : 0);
    return OK;
}

bool net_prefix_has(const struct net_prefix *p, const struct peer_key *key) {
    size_t whole = p->bits / 8, rest = p->bits % 8;
    if (memcmp(p->b, key->b, whole) != 0) return false;
    if (rest == 0) return true;
    uint8_t mask = (uint8_t)(0xff00u >> rest);
    return ((p->b[whole] ^ key->b[whole]) & mask) == 0;
}

err limits_new(const struct limits_config *config, struct limits **out, struct fail *f) {
    if (config->peers == 0 || config->peers > ((size_t)1 << 24))
        return fail_set(f, E_CONFIG, "limits: remember 1 to 16,777,216 addresses, not %zu",
                        config->peers);
    size_t slots = 64;
    while (slots < config->peers * 2) slots *= 2;
    struct limits *l = calloc(1, sizeof *l);
    if (l) l->at = calloc(slots, sizeof *l->at);
    if (!l || !l->at) {
        free(l);
        return fail_set(f, E_MEMORY, "no memory for the limits of %zu addresses", config->peers);
    }
    l->c = *config;
    if (l->c.burst == 0) l->c.burst = l->c.per_second;
    l->mask = slots - 1;
    *out = l;
    return OK;
}

void limits_free(struct limits *l) {
    if (!l) return;
    free(l->at);
    free(l);
}

size_t limits_peers(const struct limits *l) {
    return l->used;
}

static uint64_t mix(uint64_t h) { /* the finaliser of MurmurHash3 (public domain) */
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

static size_t hash_of(const struct limits *l, const struct peer_key *key) {
    uint64_t a, b;
    memcpy(&a, key->b, 8);
    memcpy(&b, key->b + 8, 8);
    return (size_t)mix(mix(a ^ l->c.seed) ^ b ^ l->c.seed >> 7) & l->mask;
}

static void refill(const struct limits *l, struct peer *p, uint64_t now_ms) {
    uint64_t full = (uint64_t)l->c.burst * MILLI;
    if (now_ms <= p->at_ms) return;
    uint64_t gone = now_ms - p->at_ms;
    /* a week fills every bucket that a 32-bit rate can fill at all: no overflow in the product */
    if (gone > 7u * 86400 * 1000) gone = 7u * 86400 * 1000;
    uint64_t more = gone * l->c.per_second;
    p->tokens = more >= full - p->tokens ? full : p->tokens + more;
    p->at_ms = now_ms;
}

static struct peer *find(const struct limits *l, const struct peer_key *key) {
    size_t h = hash_of(l, key);
    for (size_t i = 0; i < PROBE; i++) {
        struct peer *p = &l->at[(h + i) & l->mask];
        if (p->used && memcmp(&p->key, key, sizeof *key) == 0) return p;
    }
    return NULL;
}

/* The peer's slot; a new one is made where it must be. NULL when all its places are held by
 * addresses with open connections. */
static struct peer *get(struct limits *l, const struct peer_key *key, uint64_t now_ms) {
    struct peer *p = find(l, key);
    if (p) return p;
    size_t h = hash_of(l, key);
    for (size_t i = 0; i < PROBE; i++) {
        struct peer *q = &l->at[(h + i) & l->mask];
        if (!q->used) {
            p = q;
            break;
        }
        if (q->connections > 0) continue;
        refill(l, q, now_ms);
        if (!p || q->tokens > p->tokens) p = q;
    }
    if (!p) return NULL;
    if (!p->used) l->used++;
    *p = (struct peer){
        .key = *key, .used = true, .tokens = (uint64_t)l->c.burst * MILLI, .at_ms = now_ms};
    return p;
}

bool limits_connect(struct limits *l, const struct peer_key *key, uint64_t now_ms) {
    struct peer *p = get(l, key, now_ms);
    if (!p || p->connections == UINT32_MAX) return false;
    if (l->c.connections && p->connections >= l->c.connections) return false;
    p->connections++;
    return true;
}

void limits_disconnect(struct limits *l, const struct peer_key *key) {
    struct peer *p = find(l, key);
    if (p && p->connections > 0) p->connections--;
}

bool limits_take(struct limits *l, const struct peer_key *key, uint64_t now_ms, uint32_t cost,
                 uint32_t *retry_s) {
    if (l->c.per_second == 0 || cost == 0) return true;
    struct peer *p = get(l, key, now_ms);
    if (!p) {
        *retry_s = 1;
        return false;
    }
    refill(l, p, now_ms);
    uint64_t want = (uint64_t)cost * MILLI, full = (uint64_t)l->c.burst * MILLI;
    if (want > full) want = full; /* a cost above the burst is possible with a full bucket */
    if (p->tokens >= want) {
        p->tokens -= want;
        return true;
    }
    uint64_t per_s = (uint64_t)l->c.per_second * MILLI, missing = want - p->tokens;
    uint64_t s = (missing + per_s - 1) / per_s;
    *retry_s = s > 3600 ? 3600 : (uint32_t)s;
    return false;
}
