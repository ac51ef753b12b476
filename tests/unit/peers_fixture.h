/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A log with three witnesses over real sockets, all in this process: a small election whose records
 * are grants of observers' keys. */
#ifndef TESTS_PEERS_FIXTURE_H
#define TESTS_PEERS_FIXTURE_H

#include "election/compose.h"
#include "http/daemon.h"
#include "http/fetch_http.h"
#include "http/witness_routes.h"
#include "http_test.h"
#include "scratch.h"
#include "service/mirror.h"
#include "service/setup.h"

enum { PEERS_WITNESSES = 3, PEERS_QUORUM = 2 };
#define PEERS_ORIGIN "example.org/peers"

struct peer_witness {
    struct note_signer key;
    char name[32], dir[128], url[80], at[128]; /* at: "name=url" */
    struct witness *w;
    struct http_server *server;
    uint16_t port;
};

struct peers {
    char root[64];
    struct note_signer log, commissioner;
    struct peer_witness w[PEERS_WITNESSES];
    struct buf units, contests, manifest;
    struct hash election;
    const char *at[PEERS_WITNESSES];
    uint32_t next; /* number of the next key */
};

static inline void peers_key(const char *name, uint8_t type, struct note_signer *out) {
    struct fail f;
    struct hash seed = sha256_2(SPAN_LIT("peers seed "), span_text(name));
    must(note_signer_make(span_text(name), type, seed.b, out, &f));
}

static inline void peers_vkey(const struct note_key *k, struct buf *out) {
    buf_clear(out);
    note_vkey_format(k, out);
}

static inline void peers_manifest(struct peers *x, bool witnesses) {
    struct fail f;
    struct buf vkey, com, policy, text;
    const struct span levels[] = {SPAN_LIT("nation"), SPAN_LIT("station")};
    static const struct compose_choice choices[] = {{SPAN_LIT("a"), SPAN_LIT("A"), {0}},
                                                    {SPAN_LIT("b"), SPAN_LIT("B"), {0}}};
    buf_init(&vkey, 4096);
    buf_init(&com, 4096);
    buf_init(&policy, 65536);
    buf_init(&text, 65536);
    buf_init(&x->units, 65536);
    buf_init(&x->contests, 65536);
    buf_init(&x->manifest, 65536);
    compose_units_head(&x->units);
    compose_unit(&x->units, SPAN_LIT("N"), levels[0], SPAN_LIT("Nation"), (struct span){0}, 100);
    compose_unit(&x->units, SPAN_LIT("1"), levels[1], SPAN_LIT("School"), SPAN_LIT("N"), 100);
    compose_contests_head(&x->contests);
    compose_contest(&x->contests, SPAN_LIT("president"), SPAN_LIT("president"), SPAN_LIT("President"),
                    SPAN_LIT("null"), SPAN_LIT("N"), choices, 2);
    for (int i = 0; i < PEERS_WITNESSES && witnesses; i++) {
        peers_vkey(&x->w[i].key.key, &vkey);
        buf_printf(&policy, "witness %s %s\n", x->w[i].name, buf_cstr(&vkey));
    }
    if (witnesses) buf_printf(&policy, "group q %d w1 w2 w3\nquorum q\n", PEERS_QUORUM);
    peers_vkey(&x->log.key, &vkey);
    peers_vkey(&x->commissioner.key, &com);
    struct compose_commissioner c = {sha256(SPAN_LIT("holder")), buf_view(&com)};
    struct compose_manifest m = {
        .origin = SPAN_LIT(PEERS_ORIGIN), .log_vkey = buf_view(&vkey), .title = SPAN_LIT("Peers"),
        .policy = buf_view(&policy),
        .units = {sha256(buf_view(&x->units)), x->units.n},
        .contests = {sha256(buf_view(&x->contests)), x->contests.n},
        .commissioners = &c, .commissioner_count = 1, .threshold = 1, .levels = levels,
        .level_count = 2, .opens_ms = 1000000, .closes_ms = 2000000, .simulated = true,
        .image_optional = true, .quotas = SPAN_LIT("{}"), .deadlines = SPAN_LIT("{}"),
        .limits = SPAN_LIT("{}")};
    compose_manifest(&text, &m);
    x->election = sha256(buf_view(&text));
    const struct note_signer *by = &x->commissioner;
    must(note_sign(&by, 1, buf_view(&text), &x->manifest, &f));
    buf_release(&vkey);
    buf_release(&com);
    buf_release(&policy);
    buf_release(&text);
}

static inline void peers_open(struct peers *x, bool witnesses) {
    memset(x, 0, sizeof *x);
    scratch_make(x->root);
    peers_key(PEERS_ORIGIN, NOTE_TYPE_ED25519, &x->log);
    peers_key("com", NOTE_TYPE_ED25519, &x->commissioner);
    for (int i = 0; i < PEERS_WITNESSES; i++) {
        struct peer_witness *w = &x->w[i];
        snprintf(w->name, sizeof w->name, "w%d", i + 1);
        peers_key(w->name, NOTE_TYPE_COSIGNATURE, &w->key);
        snprintf(w->dir, sizeof w->dir, "%s/w%d", x->root, i + 1);
    }
    peers_manifest(x, witnesses);
}

static inline void peers_close(struct peers *x) {
    buf_release(&x->units);
    buf_release(&x->contests);
    buf_release(&x->manifest);
    scratch_remove(x->root);
}

/* Starts witness i with other routes than its own when `routes` is not NULL (a liar). The port stays
 * the same for its whole life. */
static inline void peers_witness(struct peers *x, int i, const struct http_route *routes, size_t n,
                                 void *ctx) {
    struct fail f;
    struct peer_witness *w = &x->w[i];
    struct http_options ho = {.threads = 1, .port = w->port};
    if (routes) {
        must(http_server_start(&ho, routes, n, ctx, &w->server, &f));
    } else {
        struct witness_options wo = {w->dir, &w->key, &x->log.key, 1};
        must(witness_open(&wo, &w->w, &f));
        must(http_server_start(&ho, witness_routes, witness_route_count, w->w, &w->server, &f));
    }
    w->port = http_server_port(w->server);
    snprintf(w->url, sizeof w->url, "http://127.0.0.1:%u", w->port);
    snprintf(w->at, sizeof w->at, "w%d=http://127.0.0.1:%u", i + 1, w->port);
    x->at[i] = w->at;
}

static inline void peers_witness_rest(struct peers *x, int i) {
    http_server_stop(x->w[i].server, 500);
    witness_close(x->w[i].w);
    x->w[i].server = NULL;
    x->w[i].w = NULL;
}

static inline struct daemon_options peers_options(struct peers *x, const char *dir) {
    return (struct daemon_options){.dir = dir, .log = &x->log, .threads = 2, .interval_ms = 20,
                                   .per_second = 100000, .burst = 100000, .witnesses = x->at,
                                   .witness_count = x->at[2] ? PEERS_WITNESSES : 0};
}

/* A new log with its manifest, stopped again. */
static inline void peers_begin(struct peers *x, const char *dir) {
    struct fail f;
    struct daemon *d;
    struct daemon_options o = peers_options(x, dir);
    o.no_http = true;
    must(daemon_start(&o, &d, &f));
    must(setup_begin(daemon_sequencer(d), buf_view(&x->manifest), buf_view(&x->units),
                     buf_view(&x->contests), &f));
    daemon_stop(d);
}

/* The next observers' group gets its key. */
static inline void peers_note(struct peers *x, struct buf *note) {
    struct fail f;
    struct buf vkey, text;
    struct note_signer key;
    char name[32];
    snprintf(name, sizeof name, "og/%u", x->next++);
    peers_key(name, NOTE_TYPE_ED25519, &key);
    buf_init(&vkey, 4096);
    buf_init(&text, 8192);
    peers_vkey(&key.key, &vkey);
    struct compose_key k = {.election = x->election, .holder = sha256(span_text(name)),
                            .vkey = buf_view(&vkey), .party = span_text(name + 3),
                            .unit = SPAN_LIT("N"), .role = ROLE_OBSERVER_GROUP,
                            .not_after_ms = ((uint64_t)1 << 53) - 1};
    compose_key(&text, &k);
    const struct note_signer *by[2] = {&x->commissioner, &key};
    buf_clear(note);
    must(note_sign(by, 2, buf_view(&text), note, &f));
    buf_release(&vkey);
    buf_release(&text);
}

struct peers_count {
    _Atomic int done, bad;
};

static inline void peers_answered(void *ctx, struct receipt *r) {
    struct peers_count *c = ctx;
    if (r->code != OK) c->bad++;
    c->done++;
}

/* n more records, in as few batches as may be; published when this returns. */
static inline void peers_add(struct peers *x, struct daemon *d, int n) {
    struct fail f;
    struct buf note;
    struct peers_count c = {0};
    buf_init(&note, 65536);
    for (int i = 0; i < n; i++) {
        struct submission *s;
        peers_note(x, &note);
        must(submission_new(buf_view(&note), sequencer_keys(daemon_sequencer(d)), &s, &f));
        s->done = peers_answered;
        s->ctx = &c;
        must(sequencer_submit(daemon_sequencer(d), s, &f));
    }
    while (c.done < n) pause_ms(1);
    assert_int_equal(c.bad, 0);
    buf_release(&note);
    must(publisher_tick(daemon_publisher(d), &f));
}

static inline uint64_t peers_size_of(const char *file, const struct note_signer *log,
                                     struct hash *root) {
    struct fail f;
    struct buf b;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    struct checkpoint c;
    buf_init(&b, CHECKPOINT_BYTES_MAX);
    must(file_read(file, CHECKPOINT_BYTES_MAX, &b, &f));
    must(checkpoint_open(buf_view(&b), &log->key, &c, &note, lines, NOTE_LINES_MAX, &f));
    if (root) *root = c.root;
    buf_release(&b);
    return c.size;
}

#endif
