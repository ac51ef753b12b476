/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Server-sent events: one writer, many readers, each event stored once.
 *
 * The last events are kept in a ring; a subscriber is a position in it, so a slow one costs nothing
 * and is dropped when the ring has gone past it. A reader that reconnects with Last-Event-ID gets
 * what it missed while the ring still has it. */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "http/server.h"

struct stream;
struct stream_options {
    size_t max_subscribers; /* 0 = 4096 */
    size_t ring;            /* events kept; 0 = 64 */
    size_t max_event;       /* bytes; 0 = 64 KiB */
    uint32_t heartbeat_ms;  /* a comment when nothing else is sent; 0 = 15 s */
    struct metrics *metrics;
};

MUST_USE err stream_new(const struct stream_options *options, struct stream **out, struct fail *f);
/* After the server was stopped. */
void stream_free(struct stream *s);

/* The answer to a GET: an event stream from now on (or from after Last-Event-ID); 503 with
 * Retry-After when there are max_subscribers. */
struct http_response *stream_subscribe(struct stream *s, const struct http_request *r);

/* Sends one event to all: `name` is a literal, data any bytes without NUL or CR (its lines become
 * data lines). Ids count from 1. E_TOO_LARGE, E_FIELD. From any thread. */
MUST_USE err stream_publish(struct stream *s, const char *name, struct span data, struct fail *f);
/* Call at least every second or so: sends a heartbeat when one is due. */
void stream_tick(struct stream *s, uint64_t now_ms);
size_t stream_subscribers(struct stream *s);

#endif
