/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Pictures of station figures as SVG, and reports as HTML with the pictures inside; the same input
 * gives the same bytes.
 *
 * Pure: text into a caller's buffer; a buffer that is too small shows in buf_ok. */
#ifndef STATS_PICTURES_H
#define STATS_PICTURES_H

#include "stats/compare.h"
#include "stats/forensics/battery.h"
#include "stats/geojson.h"
#include "stats/quickcount.h"

/* What the pictures show, for whoever draws them (SVG here, PDF in service/forensics_pdf). */
enum { PICTURE_SIDE = 101, PICTURE_TENTHS = 1001, PICTURE_POINTS = 401 };
/* Stations by turnout (column) and share (row) in whole points; the largest count, 0 without a register. */
uint32_t picture_cloud_counts(const struct fx_table *t, uint32_t n[PICTURE_SIDE * PICTURE_SIDE]);
/* Stations by share and turnout in tenths of a point, ends left out; *most gets the largest count.
 * False: no turnout is known. */
bool picture_comb_counts(const struct fx_table *t, uint32_t share[PICTURE_TENTHS],
                         uint32_t turnout[PICTURE_TENTHS], uint32_t *most);
/* The leader's cumulative share in percent after each 400th part, in order of arrival and in a random
 * order; *n points each, 0 when fewer than 100 stations have a time. x in percent of the stations. */
struct picture_lines {
    size_t n;
    double x[PICTURE_POINTS], real[PICTURE_POINTS], mixed[PICTURE_POINTS];
    double middle; /* the final share, rounded down */
};
MUST_USE err picture_arrival_lines(const struct fx_table *t, uint64_t seed, struct arena *mem,
                                   struct picture_lines *out, struct fail *f);

/* Turnout against the leader's share: stations in squares of one point, darker = more (log scale).
 * False, and nothing written, when the table has no registered voters. */
bool picture_cloud(const struct fx_table *t, enum lang lang, struct buf *out);
/* Stations by share (and turnout, where known) in tenths of a point: whole percentages show as teeth. */
void picture_comb(const struct fx_table *t, enum lang lang, struct buf *out);
/* The leader's cumulative share in order of arrival, and in a random order for comparison: both
 * settle, which is why a settling curve says nothing. False when no times are known. */
MUST_USE err picture_arrival(const struct fx_table *t, uint64_t seed, enum lang lang,
                             struct arena *mem, bool *drawn, struct buf *out, struct fail *f);
/* Ratio of two tallies by unit, against the size in the second. */
void picture_ratio(const struct cmp_result *r, size_t field, enum lang lang, struct buf *out);

/* A quick count's intervals at n moments, n > 0, of `of` (any text): light with whatever the missing stations
 * contain, dark once the sample is complete; `at_random`: also, as lines, what would hold if reports
 * were missing at random. `official` as a line, or NAN. */
void picture_quick(const struct qc_moment *m, size_t n, struct span of, double official, bool at_random,
                   enum lang lang, struct buf *out);

/* A whole page: summary, methods, pictures; `shapes` for the map, or NULL. */
MUST_USE err picture_forensics_html(const struct fx_report *r, const struct map_shapes *shapes,
                                    enum lang lang, struct arena *mem,
                                    struct buf *out, struct fail *f);
MUST_USE err picture_compare_html(const struct cmp_result *r, enum lang lang, size_t limit,
                                  struct buf *out, struct fail *f);

#endif
