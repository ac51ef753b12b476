/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/replay_night.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "cli/cli.h"
#include "http/client.h"

enum {
    RING = 512,           /* tasks made ahead */
    ACTIVE = 512,         /* tasks under way */
    RETRIES_MAX = 200,    /* of one request, when the log is busy */
    NIGHT_MS = 600000,    /* a night without --speed */
    TAIL_MS = 60000,      /* and the days after it */
    MARK_EVERY_MS = 2000,
    WAIT_MS = 50,
};

/* --- making tasks ahead, in any number of threads --- */

struct made {
    struct sim_task task;
    bool ready;
    err code;
    struct fail fail;
};

struct maker {
    const struct sim *sim;
    enum sim_phase phase;
    pthread_mutex_t lock; /* all that follows */
    pthread_cond_t free_cond, ready_cond;
    uint64_t next, taken, count; /* next to make; first not yet given back */
    bool stopping;
    struct made ring[RING];
};

static void *make_tasks(void *arg) {
    struct maker *m = arg;
    pthread_mutex_lock(&m->lock);
    for (;;) {
        while (!m->stopping && m->next < m->count && m->next >= m->taken + RING)
            pthread_cond_wait(&m->free_cond, &m->lock);
        if (m->stopping || m->next >= m->count) break;
        uint64_t i = m->next++;
        struct made *to = &m->ring[i % RING];
        pthread_mutex_unlock(&m->lock);
        to->code = sim_make(m->sim, m->phase, i, &to->task, &to->fail);
        pthread_mutex_lock(&m->lock);
        to->ready = true;
        pthread_cond_broadcast(&m->ready_cond);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* --- a task under way --- */

struct feeder;

/* One request of a step. */
struct request {
    struct run *run;
    struct http_call call;
    char url[300];
    const char *headers[3];
    char *header; /* owned: the record that names an object */
};

struct run {
    struct feeder *feeder;
    struct sim_task task;
    uint64_t index;
    size_t step;
    size_t at;          /* objects sent of this step; then the record */
    size_t outstanding;
    unsigned tries;
    uint64_t retry_at_ms; /* 0: none is waiting */
    bool record_sent, bad, used;
    err code; /* of a request that failed */
    struct fail fail;
    struct request requests[SIM_OBJECTS + 1];
    struct run *next; /* of those that can go on */
};

struct feeder {
    const struct replay_options *o;
    struct replay_report *report;
    struct http_pool *pool;
    struct maker maker;
    enum sim_phase phase;
    struct run *runs, *ready, *free_runs;
    size_t active;
    uint64_t next, done_below, count; /* next task to start; all before done_below are finished */
    bool *finished;                   /* ring of finished flags beyond done_below */
    uint64_t started_ms, marked_ms;
    err code;
    struct fail fail;
};

enum { FINISHED_RING = 1 << 16 };

static void log_line(struct feeder *x, const struct run *r, const struct sim_step *step,
                     const char *answer, const char *sentence) {
    char when[21];
    if (!x->o->log || !step->what) return;
    clock_format_utc(clock_wall_ms(), when);
    fprintf(x->o->log, "%s  station %.*s: %s -> %s%s%s\n", when, SPAN_ARG(r->task.station),
            step->what, answer, sentence[0] ? ": " : "", sentence);
}

static void give_up(struct feeder *x, const struct run *r, const struct sim_step *step, err code,
                    const char *sentence) {
    if (x->code != OK) return;
    const char *wanted = step->duplicate        ? "the answer to a duplicate"
                         : step->expect == OK ? "that it would be taken"
                                                : err_info(step->expect)->name;
    x->code = fail_set(&x->fail, code == OK ? E_INTERNAL : code,
                       "station %.*s%s%s: expected %s, got: %s", SPAN_ARG(r->task.station),
                       step->what ? ", " : "", step->what ? step->what : "", wanted, sentence);
}

static void push_ready(struct feeder *x, struct run *r) {
    r->next = x->ready;
    x->ready = r;
}

static void finish_task(struct feeder *x, struct run *r) {
    x->finished[r->index % FINISHED_RING] = true;
    while (x->done_below < x->count && x->finished[x->done_below % FINISHED_RING])
        x->finished[x->done_below++ % FINISHED_RING] = false;
    x->active--;
    r->used = false;
    r->next = x->free_runs;
    x->free_runs = r;
}

/* The record of a step was answered. */
static void step_answered(struct feeder *x, struct run *r, int status, err code,
                          const char *sentence) {
    const struct sim_step *s = &r->task.steps[r->step];
    bool duplicate = status == 200;
    if (code == OK) {
        bool planned = s->expect == OK && s->duplicate == duplicate;
        if (!planned && !(x->o->again && duplicate)) {
            give_up(x, r, s, OK, duplicate ? "it is in the log already" : "it was taken");
            return;
        }
        if (duplicate)
            x->report->duplicates++;
        else
            x->report->accepted++;
        log_line(x, r, s, duplicate ? "200 in the log already" : "201 taken", "");
    } else {
        if (code != s->expect && (s->or_else == OK || code != s->or_else)) {
            give_up(x, r, s, code, sentence);
            return;
        }
        x->report->refused[code]++;
        log_line(x, r, s, err_info(code)->name, sentence);
    }
    x->report->records++;
    r->step++;
    r->at = 0;
    r->tries = 0;
    r->record_sent = false;
}

static bool worth_retrying(err code) {
    return code == E_BUSY || code == E_RATE || code == E_UNCONFIRMED || code == E_CLOCK ||
           code == E_NETWORK || code == E_TIMEOUT;
}

static void answered(void *ctx, err code, struct http_answer *answer, const struct fail *why) {
    struct request *q = ctx;
    struct run *r = q->run;
    struct feeder *x = r->feeder;
    struct fail f = {0};
    int status = 0;
    if (code == OK) {
        status = answer->status;
        code = http_answer_check(answer, q->call.url, &f);
    } else {
        f = *why;
    }
    free(q->header);
    q->header = NULL;
    r->outstanding--;
    bool record = r->record_sent;
    if (code != OK && worth_retrying(code) && code != r->task.steps[r->step].expect) {
        r->retry_at_ms = clock_monotonic_ms() + 50 + 20 * r->tries;
        x->report->retries++;
        if (record) r->record_sent = false;
        if (!record) r->at = 0; /* objects that are there are passed over quickly */
        if (++r->tries > RETRIES_MAX) give_up(x, r, &r->task.steps[r->step], code, f.text);
    } else if (record) {
        step_answered(x, r, status, code, f.text);
    } else if (code != OK) {
        give_up(x, r, &r->task.steps[r->step], code, f.text);
    } else {
        x->report->objects++;
    }
    if (r->outstanding == 0) push_ready(x, r);
}

/* --- sending --- */

static err start(struct run *r, struct request *q, struct fail *f) {
    q->run = r;
    q->call.url = q->url;
    r->outstanding++;
    err e = http_pool_start(r->feeder->pool, &q->call, answered, q, f);
    if (e != OK) r->outstanding--;
    return e;
}

static err put_object(struct run *r, const struct sim_step *s, size_t i, struct fail *f) {
    static const char name[] = "Hesabu-Record: ";
    struct request *q = &r->requests[i];
    char hex[HASH_HEX_LEN + 1];
    const struct sim_object *o = &s->objects[i];
    hash_hex(&o->id, hex);
    (void)snprintf(q->url, sizeof q->url, "%s/objects/%s?class=%s", r->feeder->o->url, hex,
                   o->class == OBJECT_PUBLIC ? "public" : "restricted");
    q->header = malloc(sizeof name + BASE64_LEN(s->note.n) + 1);
    if (!q->header) return fail_set(f, E_MEMORY, "no memory for a request");
    memcpy(q->header, name, sizeof name - 1);
    base64_encode(s->note, q->header + sizeof name - 1);
    q->headers[0] = q->header;
    q->headers[1] = NULL;
    q->call = (struct http_call){.method = "PUT", .headers = q->headers, .body = o->bytes};
    err e = start(r, q, f);
    if (e != OK) {
        free(q->header);
        q->header = NULL;
    }
    return e;
}

static err post_record(struct run *r, const struct sim_step *s, struct fail *f) {
    struct request *q = &r->requests[SIM_OBJECTS];
    (void)snprintf(q->url, sizeof q->url, "%s/records", r->feeder->o->url);
    q->call = (struct http_call){.method = "POST", .body = s->note};
    r->record_sent = true;
    err e = start(r, q, f);
    if (e != OK) r->record_sent = false;
    return e;
}

/* The next thing to do for a task; E_BUSY when the pool is full. */
static err advance(struct feeder *x, struct run *r, struct fail *f) {
    if (r->step == r->task.count) {
        finish_task(x, r);
        return OK;
    }
    const struct sim_step *s = &r->task.steps[r->step];
    while (r->at < s->object_count) {
        if (!http_pool_ready(x->pool)) return r->outstanding ? OK : E_BUSY;
        TRY(put_object(r, s, r->at, f));
        r->at++;
    }
    if (r->outstanding) return OK;
    if (!http_pool_ready(x->pool)) return E_BUSY;
    return post_record(r, s, f);
}

static void drive_ready(struct feeder *x) {
    struct run *list = x->ready, *next;
    uint64_t now = clock_monotonic_ms();
    x->ready = NULL;
    for (struct run *r = list; r; r = next) {
        struct fail f = {0};
        next = r->next;
        if (x->code != OK) return;
        if (r->retry_at_ms > now) {
            push_ready(x, r);
            continue;
        }
        r->retry_at_ms = 0;
        err e = advance(x, r, &f);
        if (e == E_BUSY) {
            push_ready(x, r);
        } else if (e != OK) {
            x->code = e;
            x->fail = f;
        }
    }
}

/* --- the night --- */

/* When the night's task `i` shall start, in milliseconds after the night's start. */
static uint64_t starts_ms(const struct feeder *x, uint64_t i) {
    const struct sim *s = x->o->sim;
    if (x->phase != SIM_NIGHT || x->o->fast || x->count == 0) return 0;
    uint64_t first = sim_due_ms(s, 0), due = sim_due_ms(s, i) - first;
    if (x->o->speed > 0) return (uint64_t)((double)due / x->o->speed);
    uint64_t bulk = sim_due_ms(s, (x->count - 1) * 98 / 100) - first + 1;
    uint64_t last = sim_due_ms(s, x->count - 1) - first + 1;
    if (due < bulk) return (uint64_t)((double)due / (double)bulk * NIGHT_MS);
    return NIGHT_MS + (uint64_t)((double)(due - bulk) / (double)(last - bulk + 1) * TAIL_MS);
}

/* A run for the next task, if it is made already (or waits until it is). */
static struct run *take_task(struct feeder *x, bool wait) {
    struct maker *m = &x->maker;
    struct made *from = &m->ring[x->next % RING];
    struct run *r = x->free_runs;
    pthread_mutex_lock(&m->lock);
    while (wait && !from->ready) pthread_cond_wait(&m->ready_cond, &m->lock);
    if (!from->ready) r = NULL;
    if (r) {
        struct sim_task empty = r->task;
        x->free_runs = r->next;
        r->task = from->task;
        from->task = empty; /* its memory is used again */
        from->ready = false;
        if (from->code != OK) {
            x->code = from->code;
            x->fail = from->fail;
        }
        m->taken++;
        pthread_cond_broadcast(&m->free_cond);
    }
    pthread_mutex_unlock(&m->lock);
    if (!r) return NULL;
    r->index = x->next++;
    r->step = r->at = r->outstanding = 0;
    r->tries = 0;
    r->retry_at_ms = 0;
    r->record_sent = false;
    r->used = true;
    x->active++;
    return r;
}

static void start_tasks(struct feeder *x) {
    uint64_t now = clock_monotonic_ms() - x->started_ms;
    while (x->next < x->count && x->free_runs && http_pool_ready(x->pool) && x->code == OK) {
        if (x->next >= x->done_below + FINISHED_RING) return;
        if (x->active && sim_waits(x->o->sim, x->phase, x->next)) return;
        if (starts_ms(x, x->next) > now) return;
        struct run *r = take_task(x, x->active == 0);
        if (!r) return;
        struct fail f = {0};
        err e = x->code == OK ? advance(x, r, &f) : OK;
        if (e == E_BUSY) {
            push_ready(x, r);
        } else if (e != OK) {
            x->code = e;
            x->fail = f;
        }
    }
}

static const char *const phase_names[] = {"officers' keys", "stations' keys", "the night", "readings",
                                          "tables", "higher tables", "overrides", "declarations"};

static void tell(struct feeder *x, bool now) {
    uint64_t ms = clock_monotonic_ms();
    cli_progress(phase_names[x->phase], x->done_below, x->count);
    if (!now && ms - x->marked_ms < MARK_EVERY_MS) return;
    x->marked_ms = ms;
    if (x->o->mark) x->o->mark(x->o->ctx, x->phase, x->done_below);
    if (x->o->log) fflush(x->o->log);
}

static err drive(struct feeder *x, struct fail *f) {
    x->started_ms = clock_monotonic_ms();
    if (x->phase == SIM_NIGHT && x->next) x->started_ms -= starts_ms(x, x->next);
    while (x->done_below < x->count && x->code == OK) {
        if (x->o->stop && x->o->stop(x->o->ctx)) {
            x->report->stopped = true;
            break;
        }
        drive_ready(x);
        start_tasks(x);
        if (http_pool_active(x->pool)) {
            TRY(http_pool_run(x->pool, WAIT_MS, f));
        } else if (x->code == OK && x->done_below < x->count) {
            usleep(5000);
        }
        tell(x, false);
    }
    tell(x, true);
    if (x->code != OK) {
        if (f) *f = x->fail;
        return x->code;
    }
    return OK;
}

static err run_phase(struct feeder *x, enum sim_phase p, struct fail *f) {
    enum { THREADS_MAX = 64 };
    struct maker *m = &x->maker;
    pthread_t threads[THREADS_MAX];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned want = x->o->threads ? x->o->threads : (unsigned)(cores > 0 ? cores : 1), n = 0;
    if (want > THREADS_MAX) want = THREADS_MAX;
    x->phase = m->phase = p;
    x->count = m->count = sim_count(x->o->sim, p);
    x->next = x->o->skip[p] < x->count ? x->o->skip[p] : x->count;
    x->done_below = m->next = m->taken = x->next;
    m->stopping = false;
    for (size_t i = 0; i < RING; i++) m->ring[i].ready = false;
    for (; n < want; n++)
        if (pthread_create(&threads[n], NULL, make_tasks, m)) break;
    err e = n ? drive(x, f) : fail_set(f, E_MEMORY, "no thread for the simulation");
    pthread_mutex_lock(&m->lock);
    m->stopping = true;
    pthread_cond_broadcast(&m->free_cond);
    pthread_mutex_unlock(&m->lock);
    for (unsigned i = 0; i < n; i++) pthread_join(threads[i], NULL);
    return e;
}

static err open_feeder(struct feeder *x, struct fail *f) {
    struct maker *m = &x->maker;
    unsigned in_flight = x->o->in_flight ? x->o->in_flight : 256;
    x->runs = calloc(ACTIVE, sizeof *x->runs);
    x->finished = calloc(FINISHED_RING, sizeof *x->finished);
    if (!x->runs || !x->finished) return fail_set(f, E_MEMORY, "no memory for the simulation");
    for (size_t i = 0; i < ACTIVE; i++) {
        sim_task_init(&x->runs[i].task);
        x->runs[i].feeder = x;
        x->runs[i].next = x->free_runs;
        x->free_runs = &x->runs[i];
    }
    m->sim = x->o->sim;
    for (size_t i = 0; i < RING; i++) sim_task_init(&m->ring[i].task);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->free_cond, NULL);
    pthread_cond_init(&m->ready_cond, NULL);
    struct http_client_options co = {.total_ms = 120000, .max_answer = 256 << 10};
    return http_pool_new(&co, in_flight, 0, &x->pool, f);
}

static void close_feeder(struct feeder *x) {
    struct maker *m = &x->maker;
    http_pool_free(x->pool); /* calls `answered` for what is under way */
    for (size_t i = 0; x->runs && i < ACTIVE; i++) sim_task_release(&x->runs[i].task);
    if (m->sim) {
        for (size_t i = 0; i < RING; i++) sim_task_release(&m->ring[i].task);
        pthread_mutex_destroy(&m->lock);
        pthread_cond_destroy(&m->free_cond);
        pthread_cond_destroy(&m->ready_cond);
    }
    free(x->runs);
    free(x->finished);
    free(x);
}

err replay_night(const struct replay_options *o, struct replay_report *out, struct fail *f) {
    struct feeder *x = calloc(1, sizeof *x);
    memset(out, 0, sizeof *out);
    if (!x) return fail_set(f, E_MEMORY, "no memory for the simulation");
    x->o = o;
    x->report = out;
    err e = open_feeder(x, f);
    for (int p = 0; p < SIM_PHASES && e == OK && !out->stopped; p++) {
        double from = clock_seconds();
        if (o->plan) e = o->plan(o->ctx, (enum sim_phase)p, f);
        if (e == OK) e = run_phase(x, (enum sim_phase)p, f);
        out->seconds[p] = clock_seconds() - from;
    }
    cli_progress_end();
    close_feeder(x);
    return e;
}
