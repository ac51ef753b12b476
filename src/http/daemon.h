/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The daemon: sequencer, publisher, witnesses and HTTP put together, in one process and one folder. */
#ifndef HTTP_DAEMON_H
#define HTTP_DAEMON_H

#include "crypto/note.h"
#include "http/server.h"
#include "service/sequencer.h"
#include "service/witnessing.h"

struct daemon;

struct daemon_options {
    const char *dir; /* the election: DIR/public and DIR/private */
    const char *guard_path;
    const char *store; /* where the records are (store/place.h); NULL: what dir says */
    bool take_over;    /* of a database that another daemon holds */
    const struct note_signer *log; /* borrowed */
    const char *address;           /* NULL: 127.0.0.1 */
    uint16_t port;                 /* 0: any */
    bool no_http;                  /* no server: for tools that work on the folder themselves */
    unsigned threads;
    uint32_t interval_ms;          /* of the publisher */
    uint32_t data_interval_ms;     /* of the exports under public/data; 0: every 10 minutes */
    bool no_data;                  /* no exports are published */
    uint32_t per_second, burst;    /* requests per address; 0: 50 and 200 */
    uint32_t key_per_second, key_burst; /* submissions per key; 0: 20 and 100 */
    const char *const *exempt;     /* address prefixes without budget */
    size_t exempt_count;
    const char *const *proxies;    /* reverse proxies, whose X-Forwarded-For is believed */
    size_t proxy_count;
    const char *const *witnesses;  /* "name=url": where witnesses are, if not where the policy says */
    size_t witness_count;
    const char *const *host_logs;  /* "[KIND=]PATH": hashed into the log about once an hour */
    size_t host_log_count;
    uint64_t host_log_every_ms;    /* 0: an hour; at least ten minutes are a rule of the log */
    const char *unconfirmed;       /* a reason: sign although witnesses have not confirmed the log */
    const char *watch;             /* "CONTEST=CHOICE": live forensics as watch.json; or NULL */
    size_t queue_max, batch_max;
    bool apply_nothing, no_results; /* benchmarks */
    void (*reached)(const char *step); /* tests: of the sequencer and the publisher */
};

/* Everything is up when this returns, or E_... says why not. When witnesses have not confirmed the
 * stored log, the daemon runs but sequences nothing; it asks again by itself. */
MUST_USE err daemon_start(const struct daemon_options *o, struct daemon **out, struct fail *f);
uint16_t daemon_port(const struct daemon *d);
struct sequencer *daemon_sequencer(struct daemon *d);
struct publisher *daemon_publisher(struct daemon *d);
struct witnessing *daemon_witnessing(struct daemon *d);
/* The store failed: the daemon must end (and be started again). */
bool daemon_failed(const struct daemon *d);
/* Finishes what is queued, publishes, asks the witnesses once more, stops. NULL is fine. */
void daemon_stop(struct daemon *d);

/* The transport that speaks HTTP. Thread-safe; one connection at a time. */
struct http_transport;
MUST_USE err http_transport_new(uint32_t timeout_ms, struct http_transport **out, struct fail *f);
void http_transport_free(struct http_transport *t);
struct transport http_transport(struct http_transport *t);

#endif
