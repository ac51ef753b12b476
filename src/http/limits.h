/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Limits: how many connections and how many requests one address may have.
 *
 * A table of fixed size: connections are counted exactly, requests by a token bucket (`burst`
 * tokens, `per_second` more each second). When the table is full the bucket closest to full is
 * forgotten: whom it belonged to had used least. Pure: the caller gives the time and holds the
 * lock. */
#ifndef HTTP_LIMITS_H
#define HTTP_LIMITS_H

#include "base/bytes.h"

/* Whom a budget is kept for: an IPv4 address (mapped, ::ffff:a.b.c.d) or the /64 of an IPv6 one,
 * since a household holds a whole /64. */
struct peer_key {
    uint8_t b[16];
};

/* The key of a 4 or 16 byte address in network order; `v4` in 4 bytes. IPv4-mapped IPv6 addresses
 * give the key of the IPv4 address. */
struct peer_key peer_key_v4(const uint8_t addr[4]);
struct peer_key peer_key_v6(const uint8_t addr[16]);
/* A numeric address; E_CONFIG otherwise. */
MUST_USE err peer_key_parse(const char *text, struct peer_key *out, struct fail *f);

/* "127.0.0.0/8", "10.1.2.3", "2001:db8::/32" (IPv6 at most /64, as keys hold no more). */
struct net_prefix {
    uint8_t b[16];
    unsigned bits;
};
MUST_USE err net_prefix_parse(const char *text, struct net_prefix *out, struct fail *f);
bool net_prefix_has(const struct net_prefix *p, const struct peer_key *key);

struct limits_config {
    uint32_t per_second, burst; /* request budget; per_second 0 = no budget */
    uint32_t connections;       /* per address; 0 = no cap */
    size_t peers;               /* addresses remembered; more than connections there can be */
    uint64_t seed;              /* of the hash: secret, so that nobody aims at one slot */
};

struct limits;
MUST_USE err limits_new(const struct limits_config *config, struct limits **out, struct fail *f);
void limits_free(struct limits *l);

/* One more connection; false when the address has its share already (nothing is then counted). */
bool limits_connect(struct limits *l, const struct peer_key *key, uint64_t now_ms);
/* The counterpart of a limits_connect that said true. */
void limits_disconnect(struct limits *l, const struct peer_key *key);
/* Takes `cost` tokens; when there are too few takes none, says false, and *retry_s gets the whole
 * seconds (at least 1) after which they will be there. */
bool limits_take(struct limits *l, const struct peer_key *key, uint64_t now_ms, uint32_t cost,
                 uint32_t *retry_s);
/* For tests and metrics: addresses remembered now. */
size_t limits_peers(const struct limits *l);

#endif
