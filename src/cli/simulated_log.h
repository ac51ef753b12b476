/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A whole election simulated into a folder: keys, log, daemon, night, and a summary at the end. What
 * `hesabu demo` and `hesabu import` have in common.
 *
 * The folder: public/ and private/ as always; keys/SIMULATED-secret, of which every key is made;
 * keys/NAME.key for a few people; witnesses/; demo-log.txt, what happened out of the ordinary. */
#ifndef CLI_SIMULATED_LOG_H
#define CLI_SIMULATED_LOG_H

#include "service/expand.h"

struct simulated_log {
    const char *command; /* "demo": for sentences */
    const char *preset; /* its folder, for the layout of the portal's map; or NULL */
    const char *dir;
    const char *origin;
    const struct expansion *x;
    struct preset *poll_of; /* or NULL: this preset, where it has no poll, gets the hours before now */
    uint64_t seed;
    bool images, troubles;
    bool whole; /* all of the preset's units: published totals must be met */
    bool once, fresh;
    const char *listen; /* ADDRESS:PORT */
    double speed;       /* times real time; 0: the night in about ten minutes */
    uint64_t in_flight, threads;
};

/* Does all of it. With `once` it ends with the night; else it serves until SIGINT or SIGTERM. A folder
 * where a run was cut short is taken up where it was. E_EXISTS, E_CONFIG for another folder; any error
 * of the daemon; E_RESULTS when the totals at the end are not those they should be. */
MUST_USE err simulated_log_run(const struct simulated_log *o, struct fail *f);

#endif
