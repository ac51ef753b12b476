/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The same facts and anomalies on results as they arrive: one call a result, one look every tenth of
 * the stations. The events depend on the order of the results alone, so everybody who reads the same log
 * gets the same ones.
 *
 * Pure. Memory: about 4 (choices + 8) bytes a station of the frame, 10 MiB of tables and 100 a device, allocated at
 * the start (devices as they come). docs/forensics.md, "Live watch". */
#ifndef STATS_FORENSICS_WATCH_H
#define STATS_FORENSICS_WATCH_H

#include "stats/forensics/battery.h"

enum watch_kind {
    WATCH_CONTRADICTION, /* a form whose figures contradict each other: `flags` */
    WATCH_TWO_RESULTS,   /* a station with two results, neither of which replaces the other */
    WATCH_SAME_VOTES,    /* the votes of `other`, in the same smallest area */
    WATCH_FAST_DEVICE,   /* `value` results of one device within `expected` seconds */
    WATCH_SHIFT,         /* a look: share of the leader, and what geography made of the change */
    WATCH_CONSTANT,      /* a look: the stream varies less between batches than chance allows */
    WATCH_TEST,          /* a look: a test of the battery stands out: `method`, `choice` */
    WATCH_LOOK,          /* a look at which nothing stood out */
    WATCH_KINDS
};

struct watch_event {
    enum watch_kind kind;
    enum fx_class is;
    uint64_t number; /* from 1 */
    int64_t ms;      /* of the result that brought it */
    uint32_t station, other, device; /* UINT32_MAX when there is none */
    size_t received; /* stations with figures, this one included */
    unsigned flags;
    enum fx_method method;
    int choice;
    size_t n;               /* stations or batches that a test used */
    double value, expected, p; /* p already corrected over tests and looks; NAN where there is none */
};

struct watch_options {
    uint32_t cap;         /* most voters a station may have by law; 0: unknown */
    uint32_t burst;       /* so many results ... (0: 10, at most 32) */
    uint32_t burst_ms;    /* ... of one device within so long are an event (0: 60,000) */
};

/* One station's result as it came in; figures FX_ABSENT where they are blank. */
struct watch_result {
    uint32_t station; /* of the frame */
    uint32_t device;  /* any small number for the key or machine that sent it; UINT32_MAX: unknown */
    int64_t ms;
    bool standing;    /* false: two results stand against each other, the station's figures leave */
    uint32_t registered, valid, rejected;
    const uint32_t *votes; /* [choices] */
};

struct watch;
/* `frame` lists the stations (codes, areas, register, names of choices, leader); its figures are not
 * read. It and the arena outlive the watch. */
MUST_USE err watch_new(const struct fx_table *frame, const struct watch_options *o, struct arena *mem,
                       struct watch **out, struct fail *f);

enum { WATCH_EVENTS_MOST = 64 };
/* Takes one result; writes at most WATCH_EVENTS_MOST - 16 events and counts them in *n. */
MUST_USE err watch_add(struct watch *w, const struct watch_result *r,
                       struct watch_event out[WATCH_EVENTS_MOST], size_t *n, struct fail *f);
/* A look is due: the next part of the stations has arrived. The caller may do it later (it takes a
 * fraction of a second on a nation), but before the next watch_add. */
bool watch_look_due(const struct watch *w);
/* Uses `scratch` and gives it back. */
MUST_USE err watch_look(struct watch *w, struct arena *scratch,
                        struct watch_event out[WATCH_EVENTS_MOST], size_t *n, struct fail *f);

size_t watch_received(const struct watch *w);
/* The frame with the figures that have arrived; borrowed. */
const struct fx_table *watch_table(const struct watch *w);

/* One sentence; `device` is its name (may be empty). */
void watch_say(const struct watch *w, const struct watch_event *e, struct span device, enum lang lang,
               struct buf *out);
/* Its members in an object that the caller has opened. */
void watch_json_members(const struct watch *w, const struct watch_event *e, struct span device,
                        enum lang lang, struct json_out *j);
/* One line of JSON. */
void watch_json(const struct watch *w, const struct watch_event *e, struct span device, enum lang lang,
                struct buf *out);

/* P(variance <= v) over batches of `size` when the order is random, in closed form: the permuted
 * variance is its mean times a chi-squared over its degrees. *mean gets that mean. NAN when there are
 * fewer than ten batches. lead and both: votes of the first, of both, in order of arrival. */
double watch_constancy_p(const uint32_t *lead, const uint32_t *both, size_t n, size_t size, double *v,
                         double *mean);

#endif
