/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a simulation says on standard output: where to look, what came in, whether the totals are
 * those they should be, what to try next. */
#ifndef CLI_SIMULATED_REPORT_H
#define CLI_SIMULATED_REPORT_H

#include "cli/replay_night.h"
#include "cli/simulated_log.h"
#include "election/fold.h"

void simulated_report_start(const struct simulated_log *o, const char *url);
/* Compares every unit's transmitted total with the figures that were sent and, where the whole preset
 * was used, with its published rows: E_RESULTS when one differs. `url` NULL: nothing is served. */
MUST_USE err simulated_report(const struct simulated_log *o, const struct fold *fold,
                              const struct replay_report *r, const char *url, struct fail *f);

#endif
