/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu forensics --watch: follows a log and prints events. */
#ifndef CLI_FORENSICS_WATCH_H
#define CLI_FORENSICS_WATCH_H

#include "cli/log_source.h"

struct watch_args {
    struct log_args log;
    const char *leader, *areas, *lang;
    uint64_t cap, interval_ms;
    bool json, once;
};
/* Until it is told to stop (SIGINT, SIGTERM), or to the log's present end with `once`. A server that
 * cannot be reached for a while is asked again. */
MUST_USE err forensics_watch(const struct watch_args *a, struct fail *f);

#endif
