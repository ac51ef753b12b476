/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Feeds the live watch from the state of a log: every result of one contest and round, in the order of
 * the log, as it stood when it came. Who replays the same log gets the same events. */
#ifndef STATS_WATCH_LOG_H
#define STATS_WATCH_LOG_H

#include "stats/forensics/watch.h"
#include "stats/log_tables.h"

struct watch_log {
    struct arena mem;       /* the frame and the watch: bounded by `cap` below */
    struct arena scratch;   /* of a look */
    struct fx_table frame;
    struct watch *watch;
    struct log_pick pick;
    uint32_t version;       /* definition that the frame was made of */
    uint32_t *row_of;       /* row of each unit of the fold, UINT32_MAX */
    size_t units;
    uint32_t next;          /* first result of the fold that was not taken */
};
/* Memory is at most `cap` bytes for each of the two arenas. Always watch_log_release. */
MUST_USE err watch_log_init(const struct fold *fold, const struct log_pick *p, const char *areas,
                            const char *leader, const struct watch_options *o, size_t cap,
                            struct watch_log *out, struct fail *f);
void watch_log_release(struct watch_log *w);

/* Takes results up to the newest, or until a look is due; *more tells whether any are left. `told` is
 * called for each event, with the name of the device's key. */
struct watch_sink {
    err (*told)(void *ctx, const struct watch *w, const struct watch_event *e, struct span device,
                struct fail *f);
    void *ctx;
};
MUST_USE err watch_log_take(struct watch_log *w, const struct fold *fold, const struct watch_sink *to,
                            bool *more, struct fail *f);
/* The look that is due, if one is; needs no fold. */
MUST_USE err watch_log_look(struct watch_log *w, const struct watch_sink *to, struct fail *f);

#endif
