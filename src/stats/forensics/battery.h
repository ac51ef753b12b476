/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The whole battery over one table: runs the methods, corrects for their number, gives each result
 * its class. */
#ifndef STATS_FORENSICS_BATTERY_H
#define STATS_FORENSICS_BATTERY_H

#include "base/json_out.h"
#include "stats/forensics/forensics.h"

/* Everything but the spikes test, whose resamples the caller may spread over threads: its result, if
 * any, is appended by fx_battery_add before fx_battery_finish. `out` borrows table and arena. */
MUST_USE err fx_battery_run(const struct fx_table *t, const struct fx_options *o, struct arena *mem,
                            struct fx_report *out, struct fail *f);
MUST_USE err fx_battery_add(struct fx_report *out, const struct fx_result *r, struct arena *mem,
                            struct fail *f);
/* Holm's correction over all tests with a p, thresholds, classes; sorts the list. */
MUST_USE err fx_battery_finish(struct fx_report *out, struct arena *mem, struct fail *f);

/* The national result of a method for the leader, or NULL. */
const struct fx_result *fx_report_nation(const struct fx_report *r, enum fx_method m);

/* One JSON document; sentences in `lang`. */
void fx_report_json(const struct fx_report *r, enum lang lang, struct buf *out);
/* Its members, inside an object that the caller has opened and closes. */
void fx_report_json_members(const struct fx_report *r, enum lang lang, struct json_out *j);
/* The same as text for a terminal. */
void fx_report_text(const struct fx_report *r, enum lang lang, struct buf *out);
/* What one result says, with its null, n, statistic and p: one or two sentences. */
void fx_sentence(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                 struct buf *out);

/* "Centralised?", "localised?", "neither visible?": answers from the whole report, and always what
 * cannot be seen. */
enum { FX_SUMMARY_CENTRAL, FX_SUMMARY_LOCAL, FX_SUMMARY_NEITHER, FX_SUMMARY_BLIND, FX_SUMMARIES };
void fx_summary(const struct fx_report *r, int which, enum lang lang, struct buf *out);

#endif
