/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/simulated_log.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/listen.h"
#include "cli/replay_night.h"
#include "cli/simulated_report.h"
#include "crypto/keyfile.h"
#include "cli/simulated_witnesses.h"
#include "http/daemon.h"
#include "service/beside.h"
#include "service/open_data.h"

enum {
    POLL_MS = 10 * 3600 * 1000,
    POLL_ENDED_MS = 3600 * 1000, /* before now, where a preset names no poll */
    ONCE_INTERVAL_MS = 15000,    /* nobody watches: publish seldom */
};
enum { OBJECT_MAX = 1 << 30, SECRET_MAX = 4096, HTTP_THREADS = 64, WITNESSES = 3, KEY_RATE = 1000000,
       BIND_TRIES = 9000 };

struct work {
    const struct simulated_log *o;
    struct sim *sim;
    struct note_signer *log;
    struct daemon *daemon;
    struct simulated_witnesses *witnesses;
    struct hash secret;
    uint64_t now_ms;
    bool again;    /* the folder held a run before */
    bool complete; /* and it was finished */
    uint64_t done[SIM_PHASES];
    char url[100];
    FILE *events;
};

static err in_dir(const struct work *w, const char *name, char out[PATH_MAX_LEN], struct fail *f) {
    return path_join(out, PATH_MAX_LEN, w->o->dir, name, f);
}

/* --- the folder --- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

/* Only what a simulation made: its secret lies there. */
static err start_afresh(const struct work *w, const char *secret_path, struct fail *f) {
    static const char *const parts[] = {"public", "private", "keys", "witnesses", "portal", "demo-log.txt"};
    if (!file_exists(w->o->dir)) return OK;
    if (!file_exists(secret_path))
        return fail_set(f, E_EXISTS, "%s holds no simulated election, so --fresh does not remove it",
                        w->o->dir);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char path[PATH_MAX_LEN];
        TRY(in_dir(w, parts[i], path, f));
        if (file_exists(path) && nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS))
            return file_error(f, errno, "removing", path);
    }
    return OK;
}

#define SECRET_HEAD "hesabu/simulated/v1 SIMULATED: every key of this election is made of this line\n"

static err read_secret(struct work *w, const char *path, struct fail *f) {
    struct buf b;
    struct span rest, line;
    buf_init(&b, SECRET_MAX);
    err e = file_read(path, SECRET_MAX, &b, f);
    rest = buf_view(&b);
    bool right = e == OK && span_line(&rest, &line) && line.n + 1 == sizeof SECRET_HEAD - 1 &&
                 span_line(&rest, &line) && hash_from_hex(line, &w->secret, f) == OK &&
                 span_line(&rest, &line) && u64_parse(line, UINT64_MAX / 2, &w->now_ms, f) == OK;
    buf_release(&b);
    if (e == OK && !right)
        e = fail_set(f, E_DAMAGED, "%s is not what a simulation wrote; --fresh begins anew", path);
    return e;
}

static err make_secret(struct work *w, const char *path, struct fail *f) {
    struct buf b;
    secret_random(w->secret.b, sizeof w->secret.b);
    w->now_ms = clock_wall_ms();
    buf_init(&b, SECRET_MAX);
    buf_str(&b, SECRET_HEAD);
    buf_hex(&b, hash_span(&w->secret));
    buf_byte(&b, '\n');
    buf_u64(&b, w->now_ms);
    buf_byte(&b, '\n');
    err e = buf_ok(&b, f);
    if (e == OK) e = file_mkdirs_for(path, f);
    if (e == OK) e = file_write_durable(path, buf_view(&b), 0600, f);
    buf_release(&b);
    return e;
}

/* private/replay: "PHASE DONE" a line, then perhaps "complete". It only saves work: what it does not
 * say is sent again, and the log answers that it has it. */
static void read_progress(struct work *w) {
    char path[PATH_MAX_LEN];
    struct buf b;
    struct span rest, line;
    struct fail f;
    buf_init(&b, SECRET_MAX);
    if (in_dir(w, "private/replay", path, &f) == OK && file_read(path, SECRET_MAX, &b, &f) == OK) {
        rest = buf_view(&b);
        for (int p = 0; p < SIM_PHASES && span_line(&rest, &line); p++)
            if (u64_parse(line, UINT32_MAX, &w->done[p], &f) != OK) w->done[p] = 0;
        w->complete = span_line(&rest, &line) && span_is(line, "complete");
    }
    buf_release(&b);
}

static void write_progress(const struct work *w) {
    char path[PATH_MAX_LEN];
    struct buf b;
    struct fail f;
    buf_init(&b, SECRET_MAX);
    for (int p = 0; p < SIM_PHASES; p++) {
        buf_u64(&b, w->done[p]);
        buf_byte(&b, '\n');
    }
    if (w->complete) buf_str(&b, "complete\n");
    if (in_dir(w, "private/replay", path, &f) != OK || file_write_atomic(path, buf_view(&b), &f) != OK)
        fprintf(stderr, "hesabu %s: %s\n", w->o->command, f.text);
    buf_release(&b);
}

static err open_folder(struct work *w, struct fail *f) {
    char secret[PATH_MAX_LEN], path[PATH_MAX_LEN];
    TRY(in_dir(w, "keys/SIMULATED-secret", secret, f));
    TRY(in_dir(w, "private/guard", path, f));
    if (w->o->fresh) TRY(start_afresh(w, secret, f));
    if (file_exists(secret)) {
        TRY(read_secret(w, secret, f));
        w->again = file_exists(path);
        read_progress(w);
        return OK;
    }
    if (file_exists(path))
        return fail_set(f, E_EXISTS, "%s holds another election: give --dir another folder",
                        w->o->dir);
    return make_secret(w, secret, f);
}

/* --- keys for people to play with --- */

static err keep_signer(const struct work *w, const char *place, const struct note_signer *signer,
                       struct fail *f) {
    struct buf b;
    char path[PATH_MAX_LEN];
    TRY(in_dir(w, place, path, f));
    if (file_exists(path)) return OK;
    buf_init(&b, KEYFILE_BYTES_MAX);
    err e = keyfile_write_simulated(signer, &b, f);
    if (e == OK) e = file_mkdirs_for(path, f);
    if (e == OK) e = file_write_durable(path, buf_view(&b), 0600, f);
    if (b.p) secret_wipe(b.p, b.cap);
    buf_release(&b);
    return e;
}

static err write_key(const struct work *w, const char *place, struct span name, struct fail *f) {
    struct note_signer signer;
    TRY(sim_signer(w->sim, name, &signer, f));
    err e = keep_signer(w, place, &signer, f);
    note_signer_wipe(&signer);
    return e;
}

static err write_witness_key(const struct work *w, unsigned i, struct fail *f) {
    struct note_signer signer;
    char name[SIM_NAME_MAX], place[SIM_NAME_MAX + 16];
    TRY(sim_witness(w->sim, i, name, &signer, f));
    (void)snprintf(place, sizeof place, "keys/%s.key", name);
    err e = keep_signer(w, place, &signer, f);
    note_signer_wipe(&signer);
    return e;
}

static err write_named(const struct work *w, struct span name, struct fail *f) {
    char place[200];
    (void)snprintf(place, sizeof place, "keys/%.*s.key", (int)name.n, (const char *)name.p);
    return write_key(w, place, name, f);
}

/* The commissioners, the parties, and of the first station: its officer, its deputy (not yet granted),
 * its agents, its returning officer. */
static err write_keys(const struct work *w, struct fail *f) {
    const struct expansion *x = w->o->x;
    const struct expand_station *s = &x->stations[0];
    char name[200];
    uint32_t unit = s->unit;
    while (x->units[unit].level > sim_officer_level(w->sim)) unit = x->units[unit].parent;
    for (int i = 1; i <= SIM_COMMISSIONERS; i++) {
        (void)snprintf(name, sizeof name, "commissioner.%d", i);
        TRY(write_named(w, span_text(name), f));
    }
    for (unsigned i = 0; i < SIM_SIDES; i++) {
        struct span side = sim_side(w->sim, i);
        (void)snprintf(name, sizeof name, "party.%.*s", SPAN_ARG(side));
        TRY(write_named(w, span_text(name), f));
        (void)snprintf(name, sizeof name, "agent.%.*s.%.*s", SPAN_ARG(side), SPAN_ARG(s->code));
        TRY(write_named(w, span_text(name), f));
    }
    (void)snprintf(name, sizeof name, "ro.%.*s", SPAN_ARG(x->units[unit].code));
    TRY(write_named(w, span_text(name), f));
    for (unsigned i = 0; i < WITNESSES; i++) TRY(write_witness_key(w, i, f));
    (void)snprintf(name, sizeof name, "po.%.*s", SPAN_ARG(s->code));
    TRY(write_named(w, span_text(name), f));
    return write_key(w, "private/log.key", span_text(w->o->origin), f);
}

/* --- the log --- */

static struct daemon_options options_of(const struct work *w) {
    static const char *const exempt[] = {"127.0.0.0/8", "::1"};
    return (struct daemon_options){.dir = w->o->dir,
                                   .log = w->log,
                                   .threads = HTTP_THREADS,
                                   .interval_ms = w->o->once ? ONCE_INTERVAL_MS : 0,
                                   .exempt = exempt,
                                   .exempt_count = 2,
                                   /* a returning officer grants hundreds of keys a second here */
                                   .key_per_second = KEY_RATE,
                                   .key_burst = KEY_RATE,
                                   .queue_max = 16384};
}

/* The first entry: only afterwards does the log say who its witnesses are. */
static err begin_log(struct work *w, struct span units, struct span contests, struct span manifest,
                     struct fail *f) {
    struct daemon *d;
    struct daemon_options o = options_of(w);
    o.no_http = o.no_results = true;
    TRY(daemon_start(&o, &d, f));
    struct sequencer *q = daemon_sequencer(d);
    err e = sequencer_size(q) ? OK : setup_begin(q, manifest, units, contests, f);
    daemon_stop(d);
    return e;
}

/* What the folder holds is this simulation. */
static err same_election(const struct work *w, struct fail *f) {
    struct sequencer *q = daemon_sequencer(w->daemon);
    struct hash ours = sim_election(w->sim), there;
    bool any = fold_election(sequencer_fold_lock(q), &there);
    sequencer_fold_unlock(q);
    if (!any || !hash_eq(&ours, &there))
        return fail_set(f, E_CONFIG, "%s holds a simulation made with other options: give the same "
                                     "ones to go on, --fresh to begin anew, or another --dir",
                        w->o->dir);
    return OK;
}

static err start_daemon(struct work *w, struct fail *f) {
    char address[LISTEN_ADDRESS_MAX];
    struct daemon_options o = options_of(w);
    TRY(listen_parse(w->o->listen, address, &o.port, f));
    o.address = address;
    TRY(simulated_witnesses_start(w->sim, WITNESSES, &w->log->key, w->o->dir, &w->witnesses, f));
    o.witnesses = simulated_witnesses_urls(w->witnesses);
    o.witness_count = WITNESSES;
    TRY(daemon_start(&o, &w->daemon, f));
    bool v6 = strchr(address, ':') != NULL;
    (void)snprintf(w->url, sizeof w->url, "http://%s%s%s:%u", v6 ? "[" : "", address, v6 ? "]" : "",
                   daemon_port(w->daemon));
    return OK;
}

/* --- the night --- */

static bool asked_to_stop(void *ctx) {
    const struct work *w = ctx;
    return listen_stopped() || daemon_failed(w->daemon);
}

static void mark(void *ctx, enum sim_phase p, uint64_t done) {
    struct work *w = ctx;
    w->done[p] = done;
    write_progress(w);
}

/* Waits until the witnesses have cosigned a checkpoint of so many entries, as a declarer does. */
static err bind_checkpoint(struct work *w, uint64_t size, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct buf b;
    struct span rest, line;
    uint64_t there;
    TRY(in_dir(w, "public/checkpoint", path, f));
    buf_init(&b, 65536);
    err e = OK;
    for (int tries = 0;; tries++) {
        unsigned lines = 0;
        buf_clear(&b);
        e = file_read(path, 65536, &b, f);
        rest = buf_view(&b);
        there = 0;
        for (int n = 0; e == OK && span_line(&rest, &line); n++) {
            if (n == 1 && u64_parse(line, UINT64_MAX / 2, &there, NULL) != OK) there = 0;
            lines += line.n > 3 && memcmp(line.p, "\xe2\x80\x94", 3) == 0;
        }
        if (e != OK || (there >= size && lines >= 1 + WITNESSES)) break;
        if (tries > BIND_TRIES || asked_to_stop(w)) {
            e = fail_set(f, E_UNCONFIRMED, "the witnesses have not cosigned a checkpoint of %llu entries",
                         (unsigned long long)size);
            break;
        }
        usleep(100000);
    }
    if (e == OK) e = sim_bind_checkpoint(w->sim, buf_view(&b), f);
    buf_release(&b);
    return e;
}

static err plan(void *ctx, enum sim_phase p, struct fail *f) {
    struct work *w = ctx;
    const struct fold *fold = sequencer_fold_lock(daemon_sequencer(w->daemon));
    err e = sim_plan_phase(w->sim, p, fold, f);
    uint64_t size = fold_size(fold);
    sequencer_fold_unlock(daemon_sequencer(w->daemon));
    if (e == OK && p == SIM_DECLARE && sim_count(w->sim, p)) e = bind_checkpoint(w, size, f);
    return e;
}

static err run_night(struct work *w, struct replay_report *report, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(in_dir(w, "demo-log.txt", path, f));
    w->events = fopen(path, w->again ? "ae" : "we");
    if (!w->events) return file_error(f, errno, "writing", path);
    if (!w->again)
        fprintf(w->events, "SIMULATED. What went out of the ordinary, and what the log answered.\n"
                           "%.*s\n\n",
                (int)w->o->x->preset->simulated.n, (const char *)w->o->x->preset->simulated.p);
    struct replay_options ro = {.sim = w->sim,
                                .url = w->url,
                                .threads = (unsigned)w->o->threads,
                                .in_flight = (unsigned)w->o->in_flight,
                                .fast = w->o->once,
                                .speed = w->o->speed,
                                .again = w->again,
                                .log = w->events,
                                .stop = asked_to_stop,
                                .mark = mark,
                                .plan = plan,
                                .ctx = w};
    memcpy(ro.skip, w->done, sizeof ro.skip);
    err e = replay_night(&ro, report, f);
    (void)fclose(w->events);
    if (e == OK && daemon_failed(w->daemon))
        e = fail_set(f, E_IO, "the log stopped after an error (see above); run the same again");
    if (e == OK && !report->stopped) {
        w->complete = true;
        write_progress(w);
    }
    return e;
}

static void serve(const struct work *w) {
    while (!listen_stopped() && !daemon_failed(w->daemon)) listen_wait(200);
}

/* What the preset brings for the portal. */
static err copy_portal(const char *preset, const char *dir, struct fail *f) {
    char to[PATH_MAX_LEN];
    TRY(path_join(to, sizeof to, dir, "portal", f));
    return beside_install(preset, to, f);
}

static err run_all(struct work *w, struct buf *units, struct buf *contests, struct buf *manifest,
                   struct fail *f) {
    struct replay_report report = {0};
    char path[PATH_MAX_LEN];
    struct sim_options so = {.x = w->o->x, .seed = w->o->seed, .images = w->o->images,
                             .troubles = w->o->troubles, .whole = w->o->whole,
                             .witnesses = WITNESSES, .origin = span_text(w->o->origin)};
    TRY(file_mkdirs(w->o->dir, f));
    TRY(open_folder(w, f));
    if (w->o->preset) TRY(copy_portal(w->o->preset, w->o->dir, f));
    if (w->o->poll_of && w->o->poll_of->poll_closes_ms == 0) {
        w->o->poll_of->poll_closes_ms = w->now_ms - POLL_ENDED_MS;
        w->o->poll_of->poll_opens_ms = w->now_ms - POLL_ENDED_MS - POLL_MS;
    }
    so.secret = w->secret;
    so.now_ms = w->now_ms;
    TRY(sim_new(&so, &w->sim, f));
    TRY(sim_begin(w->sim, units, contests, manifest, f));
    TRY(write_keys(w, f));
    w->log = secret_alloc(sizeof *w->log);
    if (!w->log) return fail_set(f, E_MEMORY, "no locked memory for the log's key");
    TRY(sim_signer(w->sim, span_text(w->o->origin), w->log, f));
    TRY(in_dir(w, "public/checkpoint", path, f));
    if (!file_exists(path))
        TRY(begin_log(w, buf_view(units), buf_view(contests), buf_view(manifest), f));
    TRY(start_daemon(w, f));
    TRY(same_election(w, f));
    if (!w->o->once) simulated_report_start(w->o, w->url);
    if (!w->complete) TRY(run_night(w, &report, f));
    if (report.stopped) {
        printf("stopped before the end; the same command goes on from here\n");
        return OK;
    }
    const struct fold *fold = sequencer_fold_lock(daemon_sequencer(w->daemon));
    err e = simulated_report(w->o, fold, &report, w->o->once ? NULL : w->url, f);
    sequencer_fold_unlock(daemon_sequencer(w->daemon));
    if (e == OK && !w->o->once) serve(w);
    return e;
}

err simulated_log_run(const struct simulated_log *o, struct fail *f) {
    struct work w = {.o = o};
    struct buf units, contests, manifest;
    buf_init(&units, OBJECT_MAX);
    buf_init(&contests, OBJECT_MAX);
    buf_init(&manifest, ENTRY_MAX);
    listen_catch_signals();
    diag_level_set(DIAG_WARN); /* the summary says the rest */
    err e = run_all(&w, &units, &contests, &manifest, f);
    daemon_stop(w.daemon);
    if (e == OK && o->once && w.complete) {
        char path[PATH_MAX_LEN];
        uint64_t size;
        e = in_dir(&w, "public", path, f);
        if (e == OK) e = open_data_make(&(struct open_data_options){.public_dir = path}, NULL, &size, f);
    }
    simulated_witnesses_stop(w.witnesses);
    secret_free(w.log);
    sim_free(w.sim);
    secret_wipe(&w.secret, sizeof w.secret);
    buf_release(&units);
    buf_release(&contests);
    buf_release(&manifest);
    return e;
}
