/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { METRICS_MAX = 512, BOUNDS_MAX = 16 };

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct metric {
    const char *name, *help;
    char *labels; /* "" when there are none */
    enum kind kind;
    int64_t (*fn)(void *ctx);
    void *ctx;
    _Atomic uint64_t value; /* counter; gauge as two's complement; histogram: sum in nanoseconds */
    _Atomic uint64_t *bucket; /* bound_count + 1, not cumulative */
    double bounds[BOUNDS_MAX];
    size_t bound_count;
};

struct metrics {
    pthread_mutex_t lock; /* guards the table, not the values */
    struct metric *at[METRICS_MAX];
    size_t n;
};

err metrics_new(struct metrics **out, struct fail *f) {
    struct metrics *m = calloc(1, sizeof *m);
    if (!m) return fail_set(f, E_MEMORY, "no memory for metrics");
    pthread_mutex_init(&m->lock, NULL);
    *out = m;
    return OK;
}

static void metric_free(struct metric *x) {
    if (!x) return;
    free(x->labels);
    free(x->bucket);
    free(x);
}

void metrics_free(struct metrics *m) {
    if (!m) return;
    for (size_t i = 0; i < m->n; i++) metric_free(m->at[i]);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static struct metric *metric_make(const struct metric *shape, const char *labels) {
    struct metric *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->name = shape->name;
    x->help = shape->help;
    x->kind = shape->kind;
    x->fn = shape->fn;
    x->ctx = shape->ctx;
    x->bound_count = shape->bound_count;
    memcpy(x->bounds, shape->bounds, sizeof x->bounds);
    x->labels = strdup(labels);
    x->bucket = calloc(shape->bound_count + 1, sizeof *x->bucket);
    if (x->labels && x->bucket) return x;
    metric_free(x);
    return NULL;
}

static struct metric *metric_register(struct metrics *m, const struct metric *shape,
                                      const char *labels) {
    if (!m) return NULL;
    if (!labels) labels = "";
    struct metric *x = NULL;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->n && !x; i++)
        if (strcmp(m->at[i]->name, shape->name) == 0 && strcmp(m->at[i]->labels, labels) == 0)
            x = m->at[i];
    if (x && x->kind == shape->kind) {
        x->fn = shape->fn; /* the latest owner answers */
        x->ctx = shape->ctx;
    } else if (x) {
        x = NULL; /* one name, two kinds: not to be counted at all */
    } else if (m->n < METRICS_MAX) {
        x = metric_make(shape, labels);
        if (x) m->at[m->n++] = x;
    }
    pthread_mutex_unlock(&m->lock);
    return x;
}

struct metric *metrics_counter(struct metrics *m, const char *name, const char *labels,
                               const char *help) {
    return metric_register(m, &(struct metric){.name = name, .help = help, .kind = COUNTER},
                           labels);
}

struct metric *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                             const char *help) {
    return metric_register(m, &(struct metric){.name = name, .help = help, .kind = GAUGE}, labels);
}

struct metric *metrics_gauge_fn(struct metrics *m, const char *name, const char *labels,
                                const char *help, int64_t (*fn)(void *ctx), void *ctx) {
    return metric_register(
        m, &(struct metric){.name = name, .help = help, .kind = GAUGE, .fn = fn, .ctx = ctx},
        labels);
}

struct metric *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                 const char *help, const double *bounds, size_t count) {
    struct metric shape = {.name = name, .help = help, .kind = HISTOGRAM};
    shape.bound_count = count > BOUNDS_MAX ? BOUNDS_MAX : count;
    memcpy(shape.bounds, bounds, shape.bound_count * sizeof *bounds);
    return metric_register(m, &shape, labels);
}

void metric_add(struct metric *x, uint64_t n) {
    if (x) atomic_fetch_add_explicit(&x->value, n, memory_order_relaxed);
}

void metric_shift(struct metric *x, int64_t by) {
    metric_add(x, (uint64_t)by);
}

void metric_set(struct metric *x, int64_t v) {
    if (x) atomic_store_explicit(&x->value, (uint64_t)v, memory_order_relaxed);
}

void metric_observe(struct metric *x, double seconds) {
    if (!x) return;
    size_t i = 0;
    while (i < x->bound_count && seconds > x->bounds[i]) i++;
    atomic_fetch_add_explicit(&x->bucket[i], 1, memory_order_relaxed);
    if (seconds > 0) metric_add(x, (uint64_t)(seconds * 1e9));
}

uint64_t metric_count(struct metric *x) {
    if (!x) return 0;
    if (x->kind != HISTOGRAM) return atomic_load_explicit(&x->value, memory_order_relaxed);
    uint64_t n = 0;
    for (size_t i = 0; i <= x->bound_count; i++)
        n += atomic_load_explicit(&x->bucket[i], memory_order_relaxed);
    return n;
}

static void write_histogram(struct metric *x, struct buf *out) {
    const char *comma = x->labels[0] ? "," : "";
    uint64_t n = 0;
    for (size_t i = 0; i <= x->bound_count; i++) {
        n += atomic_load_explicit(&x->bucket[i], memory_order_relaxed);
        buf_printf(out, "%s_bucket{%s%sle=\"", x->name, x->labels, comma);
        if (i < x->bound_count)
            buf_printf(out, "%g", x->bounds[i]);
        else
            buf_str(out, "+Inf");
        buf_printf(out, "\"} %llu\n", (unsigned long long)n);
    }
    const char *open = x->labels[0] ? "{" : "", *close = x->labels[0] ? "}" : "";
    double sum = (double)atomic_load_explicit(&x->value, memory_order_relaxed) / 1e9;
    buf_printf(out, "%s_sum%s%s%s %.9g\n", x->name, open, x->labels, close, sum);
    buf_printf(out, "%s_count%s%s%s %llu\n", x->name, open, x->labels, close,
               (unsigned long long)n);
}

static void write_metric(struct metric *x, struct buf *out) {
    if (x->kind == HISTOGRAM) {
        write_histogram(x, out);
        return;
    }
    buf_str(out, x->name);
    if (x->labels[0]) buf_printf(out, "{%s}", x->labels);
    uint64_t v = atomic_load_explicit(&x->value, memory_order_relaxed);
    if (x->kind == COUNTER)
        buf_printf(out, " %llu\n", (unsigned long long)v);
    else
        buf_printf(out, " %lld\n", (long long)(x->fn ? x->fn(x->ctx) : (int64_t)v));
}

err metrics_text(struct metrics *m, struct buf *out, struct fail *f) {
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->n; i++) {
        struct metric *x = m->at[i];
        bool first = true;
        for (size_t j = 0; j < i && first; j++) first = strcmp(m->at[j]->name, x->name) != 0;
        if (!first) continue;
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", x->name, x->help, x->name, kinds[x->kind]);
        for (size_t j = i; j < m->n; j++)
            if (strcmp(m->at[j]->name, x->name) == 0) write_metric(m->at[j], out);
    }
    pthread_mutex_unlock(&m->lock);
    return buf_ok(out, f);
}
