/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Feeding a simulated night to a log through its HTTP API: threads make and sign records, one thread
 * keeps many requests in flight, in the order that the simulation asks for. */
#ifndef CLI_REPLAY_NIGHT_H
#define CLI_REPLAY_NIGHT_H

#include <stdio.h>
#include "service/simulate.h"

struct replay_options {
    const struct sim *sim;
    const char *url;       /* "http://127.0.0.1:8080" */
    unsigned threads;      /* that make records; 0: one a processor */
    unsigned in_flight;    /* requests at once; 0: 256 */
    bool fast;             /* as fast as it goes; else by the clock: */
    double speed;          /* times real time; 0: the night in about ten minutes */
    bool again;            /* the log may hold some of it already */
    uint64_t skip[SIM_PHASES]; /* tasks that are known to be done */
    FILE *log;             /* what happened out of the ordinary, a line each */
    /* Asked often; true ends it early: OK, with `stopped` in the report. */
    bool (*stop)(void *ctx);
    /* Everything before `done` of a phase is in the log; called now and then, and at each end. */
    void (*mark)(void *ctx, enum sim_phase p, uint64_t done);
    /* Called before each phase, when everything of the ones before is in the log: to plan it. */
    err (*plan)(void *ctx, enum sim_phase p, struct fail *f);
    void *ctx;
};

struct replay_report {
    uint64_t accepted, duplicates, objects; /* answers */
    uint64_t refused[ERR_COUNT];            /* as planned */
    uint64_t retries;                       /* busy: sent again */
    uint64_t records;                       /* asked to be sent */
    double seconds[SIM_PHASES];
    bool stopped; /* by `stop`, before the end */
};

/* Runs all phases. An answer that was not planned ends it with that answer's code and a sentence. */
MUST_USE err replay_night(const struct replay_options *o, struct replay_report *out,
                          struct fail *f);

#endif
