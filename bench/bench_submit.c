/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Durable, sequenced, proved submissions over HTTP, beside the machine's own limit.
 *
 *   bench_submit BUILD [STATIONS] [CONNECTIONS]
 *
 * Makes an election in a temporary folder, grants a key to each station's officer, signs one result
 * each, and lets bench_load send them to the real daemon in this process: every answer is a receipt
 * with a proof, after a durable commit. Then the same notes against a sequencer whose apply accepts
 * everything. The bound is the rate of Ed25519 verifications on the same cores. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "election/compose.h"
#include "http/daemon.h"
#include "service/setup.h"

static struct fail f;

static void must(err e) {
    if (e == OK) return;
    fprintf(stderr, "bench_submit: %s: %s\n", err_info(e)->name, f.text);
    exit(1);
}

struct person {
    struct note_signer signer;
    struct buf vkey;
    char name[64];
};

static void make_person(struct person *p, const char *name) {
    uint8_t seed[32];
    (void)snprintf(p->name, sizeof p->name, "%s", name);
    secret_random(seed, sizeof seed);
    must(note_signer_make(span_text(p->name), NOTE_TYPE_ED25519, seed, &p->signer, &f));
    buf_init(&p->vkey, 400);
    note_vkey_format(&p->signer.key, &p->vkey);
}

static void sign(struct buf *note, struct span text, const struct person *a, const struct person *b) {
    const struct note_signer *who[2] = {&a->signer, b ? &b->signer : NULL};
    buf_clear(note);
    must(note_sign(who, b ? 2 : 1, text, note, &f));
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static size_t waiting;

static void done(void *ctx, struct receipt *r) {
    (void)ctx;
    if (r->code != OK) {
        fprintf(stderr, "bench_submit: %s: %s\n", err_info(r->code)->name, r->fail.text);
        exit(1);
    }
    pthread_mutex_lock(&lock);
    waiting--;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

/* At most 2,000 under way. */
static void send_in(struct sequencer *q, struct span note) {
    struct submission *s;
    must(submission_new(note, sequencer_keys(q), &s, &f));
    s->done = done;
    pthread_mutex_lock(&lock);
    while (waiting > 2000) pthread_cond_wait(&changed, &lock);
    waiting++;
    pthread_mutex_unlock(&lock);
    must(sequencer_submit(q, s, &f));
}

static void drain(void) {
    pthread_mutex_lock(&lock);
    while (waiting) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static struct person log_key, chair, officer, *stations;
static struct hash election;

static void code_of(size_t i, char out[24]) {
    (void)snprintf(out, 24, "%015zu", i);
}

static void begin(struct sequencer *q, size_t n) {
    struct buf units, contests, text, note;
    char code[24];
    buf_init(&units, 64 << 20);
    buf_init(&contests, 4096);
    buf_init(&text, 16384);
    buf_init(&note, 65536);
    compose_units_head(&units);
    compose_unit(&units, SPAN_LIT("KE"), SPAN_LIT("nation"), SPAN_LIT("BENCH"), (struct span){0}, 0);
    for (size_t i = 0; i < n; i++) {
        code_of(i, code);
        compose_unit(&units, span_text(code), SPAN_LIT("station"), SPAN_LIT("A STATION"),
                     SPAN_LIT("KE"), 700);
    }
    struct compose_choice choices[] = {{SPAN_LIT("a"), SPAN_LIT("A"), {0}},
                                       {SPAN_LIT("b"), SPAN_LIT("B"), {0}},
                                       {SPAN_LIT("c"), SPAN_LIT("C"), {0}}};
    compose_contests_head(&contests);
    compose_contest(&contests, SPAN_LIT("president"), SPAN_LIT("president"), SPAN_LIT("President"),
                    SPAN_LIT("{}"), SPAN_LIT("KE"), choices, 3);
    struct compose_commissioner com = {.vkey = buf_view(&chair.vkey)};
    struct span levels[] = {SPAN_LIT("nation"), SPAN_LIT("station")};
    struct compose_manifest m = {.origin = span_text(log_key.name),
                                 .log_vkey = buf_view(&log_key.vkey),
                                 .title = SPAN_LIT("A benchmark (SIMULATED)"),
                                 .units = {sha256(buf_view(&units)), units.n},
                                 .contests = {sha256(buf_view(&contests)), contests.n},
                                 .commissioners = &com,
                                 .commissioner_count = 1,
                                 .threshold = 1,
                                 .levels = levels,
                                 .level_count = 2,
                                 .opens_ms = 1,
                                 .closes_ms = 2,
                                 .simulated = true,
                                 .image_optional = true};
    compose_manifest(&text, &m);
    sign(&note, buf_view(&text), &chair, NULL);
    election = sha256(buf_view(&text));
    must(setup_begin(q, buf_view(&note), buf_view(&units), buf_view(&contests), &f));
    struct compose_key k = {.election = election, .unit = SPAN_LIT("KE"),
                            .vkey = buf_view(&officer.vkey), .role = ROLE_RETURNING_OFFICER,
                            .not_after_ms = UINT64_C(9007199254740991)};
    buf_clear(&text);
    compose_key(&text, &k);
    sign(&note, buf_view(&text), &chair, &officer);
    must(setup_submit(q, buf_view(&note), NULL, &f));
    for (size_t i = 0; i < n; i++) {
        code_of(i, code);
        k.unit = span_text(code);
        k.vkey = buf_view(&stations[i].vkey);
        k.role = ROLE_PRESIDING_OFFICER;
        buf_clear(&text);
        compose_key(&text, &k);
        sign(&note, buf_view(&text), &officer, &stations[i]);
        send_in(q, buf_view(&note));
    }
    drain();
    buf_release(&units);
    buf_release(&contests);
    buf_release(&text);
    buf_release(&note);
}

static void write_requests(const char *path, size_t n) {
    struct buf all, text, note, request;
    buf_init(&all, (size_t)1 << 30);
    buf_init(&text, 16384);
    buf_init(&note, 65536);
    buf_init(&request, 65536);
    struct span ids[] = {SPAN_LIT("a"), SPAN_LIT("b"), SPAN_LIT("c")};
    for (size_t i = 0; i < n; i++) {
        char code[24];
        code_of(i, code);
        uint64_t votes[] = {200 + i % 100, 100 + i % 77, i % 9};
        struct compose_result r;
        compose_result_init(&r);
        r.election = election;
        r.contest = SPAN_LIT("president");
        r.station = span_text(code);
        r.signed_ms = 1;
        r.registered = 700;
        r.valid = votes[0] + votes[1] + votes[2];
        r.rejected = 3;
        r.choices = ids;
        r.votes = votes;
        r.choice_count = 3;
        buf_clear(&text);
        compose_result(&text, &r);
        sign(&note, buf_view(&text), &stations[i], NULL);
        buf_clear(&request);
        buf_printf(&request, "POST /records HTTP/1.1\r\nHost: bench\r\nContent-Length: %zu\r\n\r\n", note.n);
        buf_span(&request, buf_view(&note));
        buf_printf(&all, "%zu\n", request.n);
        buf_span(&all, buf_view(&request));
    }
    must(buf_ok(&all, &f));
    must(file_write_atomic(path, buf_view(&all), &f));
    buf_release(&all);
    buf_release(&text);
    buf_release(&note);
    buf_release(&request);
}

static double load(const char *build, uint16_t port, const char *requests, size_t n, unsigned c) {
    char cmd[4200], line[300];
    double rate = 0;
    (void)snprintf(cmd, sizeof cmd, "%s/bench/bench_load 127.0.0.1:%u %s -c %u -j 1 -s 60 -n %zu",
                   build, port, requests, c, n);
    FILE *p = popen(cmd, "r");
    if (!p) must(fail_set(&f, E_IO, "cannot run %s", cmd));
    while (fgets(line, sizeof line, p)) {
        double v;
        const char *at = strstr(line, "per_second=");
        if (at && sscanf(at, "per_second=%lf", &v) == 1) rate = v;
        printf("#   %s", line);
    }
    if (pclose(p) != 0 || rate <= 0) {
        fprintf(stderr, "bench_submit: bench_load sent nothing: %s\n", cmd);
        exit(1);
    }
    return rate;
}

static struct daemon *start(const char *dir, bool nothing) {
    static const char *const exempt[] = {"127.0.0.0/8"};
    struct daemon_options o = {.dir = dir, .log = &log_key.signer, .exempt = exempt,
                               .exempt_count = 1, .key_per_second = 1000000, .key_burst = 1000000,
                               .queue_max = 8192, .apply_nothing = nothing, .interval_ms = 5000};
    struct daemon *d;
    must(daemon_start(&o, &d, &f));
    return d;
}

/* --- the bound --- */

enum { BOUND_SECONDS = 3 };
static uint64_t verified[64];

static void *verify_for_a_while(void *arg) {
    uint64_t *n = arg;
    struct ed25519_signature s;
    uint8_t message[520] = {1};
    struct ed25519_secret secret;
    struct ed25519_public public;
    ed25519_generate(&secret, &public);
    ed25519_sign(&secret, span_of(message, sizeof message), &s);
    for (double end = clock_seconds() + BOUND_SECONDS; clock_seconds() < end; (*n)++)
        if (!ed25519_verify(&public, &s, span_of(message, sizeof message))) exit(1);
    return NULL;
}

static double bound(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t t[64];
    uint64_t sum = 0;
    for (long i = 0; i < cores && i < 64; i++)
        pthread_create(&t[i], NULL, verify_for_a_while, &verified[i]);
    for (long i = 0; i < cores && i < 64; i++) {
        pthread_join(t[i], NULL);
        sum += verified[i];
    }
    return (double)sum / BOUND_SECONDS;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: bench_submit BUILD [STATIONS] [CONNECTIONS]\n");
        return 64;
    }
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 40000;
    unsigned c = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 512;
    char dir[] = "/tmp/hesabu-bench-XXXXXX", path[200], cmd[4200];
    (void)snprintf(cmd, sizeof cmd, "%s/bench/bench_load", argv[1]);
    if (access(cmd, X_OK) != 0) {
        fprintf(stderr, "bench_submit: %s is missing, which sends the records: ninja -C %s bench/bench_load\n", cmd,
                argv[1]);
        return 64;
    }
    diag_level_set(DIAG_WARN);
    if (!mkdtemp(dir)) return 1;
    make_person(&log_key, "bench.example/log");
    make_person(&chair, "chair");
    make_person(&officer, "ro");
    stations = calloc(n, sizeof *stations);
    for (size_t i = 0; i < n; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "po.%zu", i);
        make_person(&stations[i], name);
    }
    double limit = bound();
    struct daemon *d = start(dir, false);
    double t0 = clock_seconds();
    begin(daemon_sequencer(d), n);
    double granted = (double)n / (clock_seconds() - t0);
    (void)snprintf(path, sizeof path, "%s/requests", dir);
    write_requests(path, n);
    double real = load(argv[1], daemon_port(d), path, n, c);
    daemon_stop(d);
    char bare_dir[220];
    (void)snprintf(bare_dir, sizeof bare_dir, "%s/bare", dir);
    d = start(bare_dir, true);
    double bare = load(argv[1], daemon_port(d), path, n, c);
    daemon_stop(d);
    printf("ed25519_bound %.0f verifications/s on all cores\n", limit);
    printf("key_grants %.0f records/s (two signatures each, in process)\n", granted);
    printf("submissions %.0f records/s (%u connections, durable, sequenced, proved)\n", real, c);
    printf("submissions_without_rules %.0f records/s (the same, apply accepts everything)\n", bare);
    printf("submissions_of_bound %.2f ratio (aim 0.6)\n", real / limit);
    (void)snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd) == 0 ? 0 : 1;
}
