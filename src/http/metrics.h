/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Metrics: counters, gauges and histograms, written as Prometheus text (exposition format 0.0.4).
 *
 * Registering locks, counting does not: a metric is a few atomics. A metric lives as long as its
 * registry. Every function that counts takes NULL and does nothing, so nobody needs an `if`. */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

#include "base/bytes.h"

struct metrics;
struct metric;

MUST_USE err metrics_new(struct metrics **out, struct fail *f);
void metrics_free(struct metrics *m);

/* name and help: literals. labels: NULL or `reason="budget"` (copied). The same name and labels
 * again give the same metric. NULL when the registry is full (512) or memory is out, or for m NULL.
 */
struct metric *metrics_counter(struct metrics *m, const char *name, const char *labels,
                               const char *help);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                             const char *help);
/* bounds: upper bounds in seconds, ascending, at most 16, copied. */
struct metric *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                 const char *help, const double *bounds, size_t count);
/* A gauge that is asked when the text is written; fn must not call into the registry. */
struct metric *metrics_gauge_fn(struct metrics *m, const char *name, const char *labels,
                                const char *help, int64_t (*fn)(void *ctx), void *ctx);

void metric_add(struct metric *x, uint64_t n);   /* counter */
void metric_shift(struct metric *x, int64_t by); /* gauge */
void metric_set(struct metric *x, int64_t v);    /* gauge */
void metric_observe(struct metric *x, double seconds);
uint64_t metric_count(struct metric *x); /* counter's value, histogram's count, gauge as unsigned */

/* Groups metrics of one name under one HELP and TYPE line. */
MUST_USE err metrics_text(struct metrics *m, struct buf *out, struct fail *f);
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
