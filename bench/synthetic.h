/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A nation's log for benchmarks of the fold and of starting: well-formed records whose signatures are
 * filler bytes, because neither checks signatures. */
#ifndef BENCH_SYNTHETIC_H
#define BENCH_SYNTHETIC_H

#include "election/fold.h"

enum { SYNTHETIC_STATIONS = 40883 };

struct synthetic {
    unsigned contest_count; /* set before: contests at every station */
    bool six_kinds;         /* instead: the 1,882 contests of a general election in Kenya, six at a station */
    unsigned events;        /* station events for each station and contest */
    unsigned readings;      /* 0 or 2: people's readings of each form, sealed and opened */
    void (*sink)(void *ctx, struct span entry);
    void *ctx;
    /* filled in */
    struct buf entry, units, contests;
    struct named_object units_ref, contests_ref;
    size_t n;
};

/* Keys, then for each station and contest a result, an image and the events, to the sink. */
void synthetic_log(struct synthetic *l);
void synthetic_release(struct synthetic *l);
/* The object source of such a log; ctx is the struct synthetic. */
err synthetic_object(void *ctx, const struct hash *id, uint64_t size, struct span *out, struct fail *f);

#endif
