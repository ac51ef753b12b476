/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/daemon.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/wait.h"
#include "crypto/secret.h"
#include "election/declaration.h"
#include "http/client.h"
#include "http/routes.h"
#include "service/open_data.h"
#include "service/hostlog.h"
#include "service/page.h"
#include "service/watching.h"

enum { LEFTOVERS_MS = 3600 * 1000, GRACE_MS = 2000, CONFIRM_EVERY_S = 2 };
/* A nation polls through caches; those, and 5,000 who come by themselves, have room. */
enum { CONNECTIONS_MAX = 8192 };

struct daemon {
    struct daemon_options o;
    char public_dir[PATH_MAX_LEN], portal_dir[PATH_MAX_LEN], upload_dir[PATH_MAX_LEN];
    char note[300];
    struct sequencer *q;
    struct publisher *p;
    struct witnessing *w;
    struct open_data *data;
    _Atomic size_t declared; /* contests, at the last publication */
    struct http_transport *transport;
    struct hostlog *hosts; /* NULL: none are watched */
    struct watching *watching; /* NULL: no live forensics */
    uint64_t hosts_next_ms; /* monotonic */
    struct http_server *server;
    struct routes_ctx routes;
    struct metric *size_metric;
    _Atomic bool failed, started;

    pthread_mutex_t tick_lock; /* stopping */
    pthread_cond_t tick_cond;
    bool stopping, ticking;
    pthread_t ticker;
};

/* --- transport --- */

struct http_transport {
    pthread_mutex_t lock; /* the client */
    struct http_client *client;
};

static err exchange(void *ctx, const char *url, struct span body, int *status, struct buf *answer,
                    struct fail *f) {
    struct http_transport *t = ctx;
    struct http_answer a;
    struct http_call call = {.method = body.p ? "POST" : "GET", .url = url, .body = body};
    pthread_mutex_lock(&t->lock);
    err e = http_call(t->client, &call, &a, f);
    pthread_mutex_unlock(&t->lock);
    if (e == OK) {
        *status = a.status;
        buf_span(answer, buf_view(&a.body));
        e = buf_ok(answer, f);
    }
    http_answer_release(&a);
    return e;
}

err http_transport_new(uint32_t timeout_ms, struct http_transport **out, struct fail *f) {
    struct http_transport *t = calloc(1, sizeof *t);
    if (!t) return fail_set(f, E_MEMORY, "no memory for a client");
    pthread_mutex_init(&t->lock, NULL);
    err e = http_client_new(&(struct http_client_options){.connect_ms = timeout_ms,
                                                          .total_ms = timeout_ms,
                                                          .max_answer = 256 << 10},
                            &t->client, f);
    if (e != OK) {
        free(t);
        return e;
    }
    *out = t;
    return OK;
}

void http_transport_free(struct http_transport *t) {
    if (!t) return;
    http_client_free(t->client);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

struct transport http_transport(struct http_transport *t) {
    return (struct transport){exchange, t};
}

/* --- what the parts tell each other --- */

static void committed(void *ctx, uint64_t size) {
    struct daemon *d = ctx;
    metric_set(d->size_metric, (int64_t)size);
    if (d->p) publisher_wake(d->p);
}

static void failed(void *ctx, const struct fail *f) {
    struct daemon *d = ctx;
    (void)f;
    d->failed = true;
}

/* What the live watch found in the results that were just published. */
static void watched(void *ctx, struct span news) {
    struct daemon *d = ctx;
    struct fail f;
    if (d->routes.events && stream_publish(d->routes.events, "watch", news, &f) != OK)
        diag(DIAG_WARN, "event: %s", f.text);
}

static void published(void *ctx, uint64_t size, struct span head) {
    struct daemon *d = ctx;
    struct fail f;
    (void)size;
    if (head.n && head.p[head.n - 1] == '\n') head.n--;
    if (d->routes.events && stream_publish(d->routes.events, "head", head, &f) != OK)
        diag(DIAG_WARN, "event: %s", f.text);
    if (d->w) witnessing_wake(d->w);
    const struct fold *s = sequencer_fold_lock(d->q);
    size_t declared = fold_declaration_count(s);
    sequencer_fold_unlock(d->q);
    if (atomic_exchange(&d->declared, declared) != declared && d->data) open_data_wake(d->data);
}

/* Signing begins once the witnesses agree, or a reason is given for not waiting. */
static err begin(struct daemon *d, struct fail *f) {
    err e = witnessing_confirm(d->w, f);
    if (e != OK && d->o.unconfirmed && (e == E_UNCONFIRMED)) {
        diag(DIAG_WARN, "%s; signing all the same: %s", f->text, d->o.unconfirmed);
        e = OK;
    }
    /* a time in the log cannot be taken back: the clock is compared before anything is sequenced */
    sequencer_pause(d->q, true);
    if (e == OK) e = sequencer_start(d->q, f);
    if (e == OK) e = witnessing_clock(d->w, f);
    if (e == OK) e = publisher_start(d->p, f);
    if (e == OK) e = witnessing_start(d->w, f);
    d->started = e == OK;
    return e;
}

/* --- the hosts' own logs --- */

static void host_log_done(void *ctx, struct receipt *r) {
    (void)ctx;
    if (r->code != OK) diag(DIAG_WARN, "hashes of host logs were not logged: %s", r->fail.text);
}

static err send_host_logs(struct daemon *d, struct fail *f) {
    struct hash election;
    struct buf text, note;
    struct submission *s;
    const struct fold *fold = sequencer_fold_lock(d->q);
    bool begun = fold_election(fold, &election);
    uint64_t last = fold_last_host_log_ms(fold), now = clock_wall_ms();
    sequencer_fold_unlock(d->q);
    if (!begun || now < last + HOST_LOG_EVERY_MS) return OK; /* a restart: the next round says more */
    buf_init(&text, 32768);
    buf_init(&note, 32768);
    const struct note_signer *log = d->o.log;
    err e = hostlog_take(d->hosts, &election, now, &text, f);
    if (e == OK) e = note_sign(&log, 1, buf_view(&text), &note, f);
    if (e == OK) e = submission_raw(buf_view(&note), &s, f);
    if (e == OK) {
        s->done = host_log_done;
        s->ctx = d;
        e = sequencer_submit(d->q, s, f);
        if (e != OK) submission_free(s);
    }
    buf_release(&text);
    buf_release(&note);
    return e;
}

static void host_logs_when_due(struct daemon *d) {
    struct fail f;
    uint64_t now = clock_monotonic_ms();
    if (!d->hosts || now < d->hosts_next_ms) return;
    d->hosts_next_ms = now + (d->o.host_log_every_ms ? d->o.host_log_every_ms : 3600 * 1000);
    if (send_host_logs(d, &f) != OK) diag(DIAG_WARN, "hashes of host logs were not logged: %s", f.text);
}

static void *tick(void *arg) {
    struct daemon *d = arg;
    uint64_t seconds = 0;
    pthread_mutex_lock(&d->tick_lock);
    while (!d->stopping) {
        (void)wait_until(&d->tick_cond, &d->tick_lock, clock_monotonic_ms() + 1000);
        if (d->stopping) break;
        pthread_mutex_unlock(&d->tick_lock);
        struct fail f;
        seconds++;
        if (d->routes.events) stream_tick(d->routes.events, clock_monotonic_ms());
        if (!d->started && seconds % CONFIRM_EVERY_S == 0) {
            err e = begin(d, &f);
            if (e != OK && e != E_UNCONFIRMED) {
                diag(DIAG_ERROR, "%s", f.text);
                d->failed = true;
            }
        }
        if (d->started) host_logs_when_due(d);
        uint64_t removed, now = clock_wall_ms();
        if (seconds % 60 == 0 && now > LEFTOVERS_MS &&
            objects_expire(sequencer_objects(d->q), now - LEFTOVERS_MS, &removed, &f) != OK)
            diag(DIAG_WARN, "leftover uploads: %s", f.text);
        pthread_mutex_lock(&d->tick_lock);
    }
    pthread_mutex_unlock(&d->tick_lock);
    return NULL;
}

/* --- starting --- */

/* Bodies that a crash left half received: nobody waits for them, and objects are stored elsewhere. */
static void clear_uploads(const char *dir) {
    DIR *d = opendir(dir);
    if (!d) return;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') (void)unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

static err start_http(struct daemon *d, struct fail *f) {
    struct routes_ctx *x = &d->routes;
    x->q = d->q;
    x->publisher = d->p;
    x->unchecked = d->o.apply_nothing;
    TRY(sequencer_reader(d->q, &x->reader, f));
    struct limits_config per_key = {.per_second = d->o.key_per_second ? d->o.key_per_second : 20,
                                    .burst = d->o.key_burst ? d->o.key_burst : 100,
                                    .peers = 1 << 16};
    secret_random(&per_key.seed, sizeof per_key.seed);
    TRY(limits_new(&per_key, &x->per_key, f));
    TRY(static_open(&(struct static_options){.dir = d->public_dir, .rules = routes_static_rules,
                                             .rule_count = routes_static_rule_count,
                                             .any_origin = true, .html_policy = page_policy},
                    &x->files, f));
    TRY(file_mkdirs(d->upload_dir, f));
    clear_uploads(d->upload_dir);
    struct http_options ho = {.address = d->o.address, .port = d->o.port, .threads = d->o.threads,
                              .upload_dir = d->upload_dir, .metrics = x->metrics,
                              .exempt = d->o.exempt, .exempt_count = d->o.exempt_count,
                              .proxies = d->o.proxies, .proxy_count = d->o.proxy_count,
                              .max_head = 24 << 10, .max_connections = CONNECTIONS_MAX};
    ho.per_peer.per_second = d->o.per_second ? d->o.per_second : 50;
    ho.per_peer.burst = d->o.burst ? d->o.burst : 200;
    ho.per_peer.connections = 100;
    return http_server_start(&ho, routes_table, routes_count, x, &d->server, f);
}

static int64_t pages_due(void *ctx) {
    const struct daemon *d = ctx;
    return d->p ? (int64_t)publisher_pages_due(d->p) : 0;
}

static err open_parts(struct daemon *d, struct fail *f) {
    const struct daemon_options *o = &d->o;
    TRY(path_join(d->public_dir, sizeof d->public_dir, o->dir, "public", f));
    TRY(path_join(d->upload_dir, sizeof d->upload_dir, o->dir, "private/uploads", f));
    TRY(metrics_new(&d->routes.metrics, f));
    struct metrics *m = d->routes.metrics;
    /* before the publisher's thread, which speaks to it */
    TRY(stream_new(&(struct stream_options){.max_subscribers = 1000, .metrics = m},
                   &d->routes.events, f));
    d->size_metric = metrics_gauge(m, "hesabu_log_size", NULL, "entries in the log");
    (void)metrics_gauge_fn(m, "hesabu_pages_due", NULL, "units whose pages are to be looked at again",
                           pages_due, d);
    d->routes.accepted = metrics_counter(m, "hesabu_records_accepted_total", NULL, "records sequenced");
    d->routes.duplicates = metrics_counter(m, "hesabu_records_duplicate_total", NULL,
                                           "records that were in the log already");
    d->routes.refused = metrics_counter(m, "hesabu_records_refused_total", NULL, "records refused");
    if (o->host_log_count) TRY(hostlog_new(o->host_logs, o->host_log_count, NULL, &d->hosts, f));
    struct sequencer_options so = {.dir = o->dir, .guard_path = o->guard_path, .log = o->log,
                                   .store = o->store, .take_over = o->take_over,
                                   .queue_max = o->queue_max, .batch_max = o->batch_max,
                                   .apply_nothing = o->apply_nothing, .committed = committed,
                                   .failed = failed, .ctx = d, .reached = o->reached};
    TRY(sequencer_open(&so, &d->q, f));
    metric_set(d->size_metric, (int64_t)sequencer_size(d->q));
    TRY(http_transport_new(5000, &d->transport, f));
    struct transport t = http_transport(d->transport);
    struct witnessing *probe;
    TRY(witnessing_open(d->q, NULL, &t, NULL, 0, &probe, f));
    if (witnessing_count(probe) == 0 && sequencer_size(d->q))
        (void)snprintf(d->note, sizeof d->note,
                       "No witnesses are configured: nothing but this server's own guard keeps it from "
                       "showing different logs to different people.");
    witnessing_close(probe);
    if (o->watch) TRY(watching_new(o->watch, &d->watching, f));
    TRY(path_join(d->portal_dir, sizeof d->portal_dir, o->dir, "portal", f));
    struct publisher_options po = {.public_dir = d->public_dir, .portal_dir = d->portal_dir,
                                   .interval_ms = o->interval_ms,
                                   .watching = d->watching,
                                   .no_results = o->no_results || o->apply_nothing,
                                   .note = d->note[0] ? d->note : NULL,
                                   .published = published, .watched = watched, .failed = failed, .ctx = d,
                                   .reached = o->reached};
    TRY(publisher_open(&po, d->q, &d->p, f));
    return witnessing_open(d->q, d->p, &t, o->witnesses, o->witness_count, &d->w, f);
}

err daemon_start(const struct daemon_options *o, struct daemon **out, struct fail *f) {
    struct daemon *d = calloc(1, sizeof *d);
    if (!d) return fail_set(f, E_MEMORY, "no memory for the daemon");
    d->o = *o;
    pthread_mutex_init(&d->tick_lock, NULL);
    pthread_cond_init(&d->tick_cond, NULL);
    pthread_mutex_init(&d->routes.per_key_lock, NULL);
    pthread_mutex_init(&d->routes.reader_lock, NULL);
    err e = open_parts(d, f);
    /* before the publisher's thread, which wakes it */
    if (e == OK && !o->no_http && !o->no_results && !o->apply_nothing && !o->no_data)
        e = open_data_start(&(struct open_data_options){.public_dir = d->public_dir,
                                                        .interval_ms = o->data_interval_ms},
                            &d->data, f);
    if (e == OK && d->note[0]) diag(DIAG_INFO, "%s", d->note);
    if (e == OK) {
        e = begin(d, f);
        if (e == E_UNCONFIRMED) {
            diag(DIAG_WARN, "%s", f->text);
            e = OK;
        }
    }
    if (e == OK && !o->no_http) e = start_http(d, f);
    if (e == OK && pthread_create(&d->ticker, NULL, tick, d))
        e = fail_set(f, E_MEMORY, "no thread for the daemon");
    d->ticking = e == OK;
    if (e != OK) {
        daemon_stop(d);
        return e;
    }
    *out = d;
    return OK;
}

uint16_t daemon_port(const struct daemon *d) {
    return d->server ? http_server_port(d->server) : 0;
}
struct sequencer *daemon_sequencer(struct daemon *d) {
    return d->q;
}
struct publisher *daemon_publisher(struct daemon *d) {
    return d->p;
}
struct witnessing *daemon_witnessing(struct daemon *d) {
    return d->w;
}
bool daemon_failed(const struct daemon *d) {
    return d->failed;
}

void daemon_stop(struct daemon *d) {
    if (!d) return;
    pthread_mutex_lock(&d->tick_lock);
    d->stopping = true;
    pthread_cond_broadcast(&d->tick_cond);
    pthread_mutex_unlock(&d->tick_lock);
    if (d->ticking) pthread_join(d->ticker, NULL);
    if (d->q) sequencer_stop(d->q); /* answers everything that waits */
    http_server_stop(d->server, GRACE_MS);
    struct fail f;
    if (d->p) publisher_stop(d->p);
    if (d->w && d->started && witnessing_round(d->w, &f) != OK) diag(DIAG_WARN, "%s", f.text);
    witnessing_close(d->w);
    open_data_stop(d->data); /* the two before this one may wake it */
    publisher_close(d->p);
    http_transport_free(d->transport);
    hostlog_free(d->hosts);
    watching_free(d->watching);
    stream_free(d->routes.events);
    static_close(d->routes.files);
    limits_free(d->routes.per_key);
    store_reader_close(d->routes.reader);
    sequencer_close(d->q);
    metrics_free(d->routes.metrics);
    pthread_mutex_destroy(&d->tick_lock);
    pthread_cond_destroy(&d->tick_cond);
    pthread_mutex_destroy(&d->routes.per_key_lock);
    pthread_mutex_destroy(&d->routes.reader_lock);
    free(d);
}
