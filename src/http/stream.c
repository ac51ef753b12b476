/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "http/stream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/text.h"

/* What a subscriber is sent first, and when there was nothing to say for a while. */
static const char GREETING[] = "retry: 2000\n\n", HEARTBEAT[] = ":\n\n";

struct event {
    size_t n;
    uint8_t *bytes;
};

struct subscriber {
    struct subscriber *prev, *next;
    struct stream *stream;
    struct http_pipe *pipe; /* NULL until opened */
    bool greeted;
    uint64_t at;      /* id of the event that is sent next, or in part */
    size_t offset;    /* bytes of it that were sent */
    const char *note; /* greeting or heartbeat under way, only between events */
    uint64_t beat;
};

struct stream {
    pthread_mutex_t lock; /* guards everything here and in subscribers; taken before the server's */
    struct stream_options o;
    struct event *ring;  /* the event with id i is at i % o.ring */
    uint64_t first, end; /* ids that the ring holds: first <= id < end */
    struct subscriber *head;
    size_t count;
    uint64_t beat, sent_ms;
    struct metric *open, *events, *dropped;
};

err stream_new(const struct stream_options *options, struct stream **out, struct fail *f) {
    struct stream *s = calloc(1, sizeof *s);
    if (!s) return fail_set(f, E_MEMORY, "no memory for the event stream");
    s->o = *options;
    if (s->o.max_subscribers == 0) s->o.max_subscribers = 4096;
    if (s->o.ring == 0) s->o.ring = 64;
    if (s->o.max_event == 0) s->o.max_event = 65536;
    if (s->o.heartbeat_ms == 0) s->o.heartbeat_ms = 15000;
    s->ring = calloc(s->o.ring, sizeof *s->ring);
    if (!s->ring) {
        free(s);
        return fail_set(f, E_MEMORY, "no memory for the event stream");
    }
    s->first = s->end = 1;
    s->sent_ms = clock_monotonic_ms();
    pthread_mutex_init(&s->lock, NULL);
    struct metrics *m = s->o.metrics;
    s->open = metrics_gauge(m, "hesabu_stream_subscribers", NULL, "Readers of the event stream.");
    s->events = metrics_counter(m, "hesabu_stream_events_total", NULL, "Events published.");
    s->dropped = metrics_counter(m, "hesabu_stream_dropped_total", NULL,
                                 "Readers dropped because they were too slow.");
    *out = s;
    return OK;
}

void stream_free(struct stream *s) {
    if (!s) return;
    for (size_t i = 0; i < s->o.ring; i++) free(s->ring[i].bytes);
    free(s->ring);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Under the lock: the next bytes to send from `from`, at most `max`. */
static size_t copy(uint8_t *to, size_t max, const void *bytes, size_t n, size_t *offset) {
    size_t part = n - *offset < max ? n - *offset : max;
    memcpy(to, (const uint8_t *)bytes + *offset, part);
    *offset += part;
    return part;
}

static size_t copy_note(struct subscriber *x, uint8_t *to, size_t max) {
    size_t n = copy(to, max, x->note, strlen(x->note), &x->offset);
    if (x->note[x->offset] == 0) {
        x->note = NULL;
        x->offset = 0;
    }
    return n;
}

static long sub_read(void *ctx, uint8_t *to, size_t max) {
    struct subscriber *x = ctx;
    struct stream *s = x->stream;
    size_t n = 0;
    pthread_mutex_lock(&s->lock);
    if (!x->greeted) {
        x->greeted = true;
        x->note = GREETING;
    }
    if (x->note) n = copy_note(x, to, max);
    bool lost = x->at < s->first;
    while (!lost && !x->note && n < max && x->at < s->end) {
        const struct event *e = &s->ring[x->at % s->o.ring];
        n += copy(to + n, max - n, e->bytes, e->n, &x->offset);
        if (x->offset < e->n) break;
        x->at++;
        x->offset = 0;
    }
    if (n > 0) {
        x->beat = s->beat;
    } else if (!lost && x->beat != s->beat) {
        x->beat = s->beat;
        x->note = HEARTBEAT;
        n = copy_note(x, to, max);
    }
    pthread_mutex_unlock(&s->lock);
    return lost && n == 0 ? -1 : (long)n;
}

static void sub_opened(void *ctx, struct http_pipe *pipe) {
    struct subscriber *x = ctx;
    pthread_mutex_lock(&x->stream->lock);
    x->pipe = pipe;
    pthread_mutex_unlock(&x->stream->lock);
}

static void sub_closed(void *ctx) {
    struct subscriber *x = ctx;
    struct stream *s = x->stream;
    pthread_mutex_lock(&s->lock);
    *(x->prev ? &x->prev->next : &s->head) = x->next;
    if (x->next) x->next->prev = x->prev;
    s->count--;
    pthread_mutex_unlock(&s->lock);
    metric_shift(s->open, -1);
    free(x);
}

/* Under the lock: where a reader that saw `last` goes on. What the ring no longer holds is gone. */
static uint64_t resume_at(const struct stream *s, const char *last) {
    uint64_t id;
    if (!last || u64_parse(span_text(last), UINT64_MAX - 1, &id, NULL) != OK || id >= s->end)
        return s->end;
    return id + 1 < s->first ? s->first : id + 1;
}

struct http_response *stream_subscribe(struct stream *s, const struct http_request *r) {
    struct subscriber *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->stream = s;
    const struct http_source source = {sub_opened, sub_read, sub_closed, x};
    struct http_response *response = http_response_stream("text/event-stream", &source);
    if (!response) {
        free(x);
        return NULL;
    }
    http_response_header(response, "X-Accel-Buffering", "no"); /* nginx in front passes it on */
    pthread_mutex_lock(&s->lock);
    bool room = s->count < s->o.max_subscribers;
    /* also when there is no room: releasing the response takes it out again */
    x->next = s->head;
    if (s->head) s->head->prev = x;
    s->head = x;
    s->count++;
    x->at = resume_at(s, http_header(r, "Last-Event-ID"));
    x->beat = s->beat;
    pthread_mutex_unlock(&s->lock);
    metric_shift(s->open, 1);
    if (room) return response;
    http_response_release(response);
    response = http_response_error(E_BUSY,
                                   "%zu readers follow the event stream already: poll "
                                   "head.json instead",
                                   s->o.max_subscribers);
    http_response_retry(response, 30);
    return response;
}

static void format(struct buf *b, uint64_t id, const char *name, struct span data) {
    buf_printf(b, "id: %llu\nevent: %s\n", (unsigned long long)id, name);
    do {
        const uint8_t *end = data.n ? memchr(data.p, '\n', data.n) : NULL;
        size_t n = end ? (size_t)(end - data.p) : data.n;
        buf_str(b, "data: ");
        buf_add(b, data.p, n);
        buf_byte(b, '\n');
        data = span_from(data, end ? n + 1 : n);
    } while (data.n > 0);
    buf_byte(b, '\n');
}

/* Under the lock. Those whom the ring has gone past are broken off. */
static void rouse(struct stream *s) {
    for (struct subscriber *x = s->head; x; x = x->next) {
        if (!x->pipe) continue;
        if (x->at < s->first) {
            http_cut(x->pipe);
            x->pipe = NULL; /* once is enough */
            metric_add(s->dropped, 1);
        } else {
            http_wake(x->pipe);
        }
    }
}

err stream_publish(struct stream *s, const char *name, struct span data, struct fail *f) {
    if (data.n && (memchr(data.p, 0, data.n) || memchr(data.p, '\r', data.n)))
        return fail_set(f, E_FIELD, "an event's data holds a NUL or a carriage return");
    struct buf b;
    buf_init(&b, s->o.max_event);
    pthread_mutex_lock(&s->lock);
    format(&b, s->end, name, data);
    if (b.failed) {
        pthread_mutex_unlock(&s->lock);
        buf_release(&b);
        return fail_set(f, E_TOO_LARGE, "an event is at most %zu bytes", s->o.max_event);
    }
    struct event *e = &s->ring[s->end % s->o.ring];
    free(e->bytes);
    *e = (struct event){b.n, b.p};
    s->end++;
    if (s->end - s->first > s->o.ring) s->first++;
    s->sent_ms = clock_monotonic_ms();
    rouse(s);
    pthread_mutex_unlock(&s->lock);
    metric_add(s->events, 1);
    return OK;
}

void stream_tick(struct stream *s, uint64_t now_ms) {
    pthread_mutex_lock(&s->lock);
    if (now_ms >= s->sent_ms + s->o.heartbeat_ms) {
        s->sent_ms = now_ms;
        s->beat++;
        rouse(s);
    }
    pthread_mutex_unlock(&s->lock);
}

size_t stream_subscribers(struct stream *s) {
    pthread_mutex_lock(&s->lock);
    size_t n = s->count;
    pthread_mutex_unlock(&s->lock);
    return n;
}
