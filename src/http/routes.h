/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the daemon answers: spec/api.yaml has the contract, this the handlers. */
#ifndef HTTP_ROUTES_H
#define HTTP_ROUTES_H

#include <pthread.h>
#include "http/server.h"
#include "http/static.h"
#include "http/stream.h"
#include "service/publisher.h"

/* What the handlers work with; all of it outlives the server. */
struct routes_ctx {
    struct sequencer *q;
    struct publisher *publisher; /* NULL: proofs are under the newest checkpoint only */
    struct static_tree *files;
    struct stream *events;
    struct metrics *metrics;
    bool unchecked; /* benchmarks: submissions are not looked at (sequencer's apply_nothing) */
    /* budget per key, charged once a signature of that key has verified */
    struct limits *per_key;
    pthread_mutex_t per_key_lock;
    /* one reader of the store for proofs */
    struct store_reader *reader;
    pthread_mutex_t reader_lock;
    struct metric *accepted, *duplicates, *refused;
};

extern const struct http_route routes_table[];
extern const size_t routes_count;
/* How the files of the public tree are served. */
extern const struct static_rule routes_static_rules[];
extern const size_t routes_static_rule_count;

#endif
