/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Maps of findings: each area by the strongest thing that the tests say of it. With shapes a map,
 * without them a field of equal squares in order of name, so that a small area is not lost.
 *
 * Pure; the same input gives the same bytes. */
#ifndef STATS_MAPS_H
#define STATS_MAPS_H

#include "stats/forensics/battery.h"
#include "stats/geojson.h"

enum map_shade { MAP_UNTESTED, MAP_NOTHING, MAP_FACT, MAP_ANOMALY, MAP_SHADES };

struct map_area {
    enum map_shade shade;
    uint32_t facts;     /* stations whose figures contradict each other */
    uint32_t anomalies; /* tests that stand out */
    uint32_t methods;   /* bit m: method m among them */
};
/* What the report says of each area of a level: [table->level[level].count] in the arena. */
MUST_USE err map_findings(const struct fx_report *r, size_t level, struct arena *mem,
                          struct map_area **out, struct fail *f);
/* The level of the report (0 or 1) whose areas most shapes are; *of[shape] gets the area or UINT32_MAX. Compared
 * are code and name with the last part of the area's path, letters and digits only. */
MUST_USE err map_match(const struct fx_report *r, const struct map_shapes *m, struct arena *mem,
                       size_t *level, uint32_t **of, size_t *matched, struct fail *f);

/* `shapes` NULL: squares. Nothing is drawn (*drawn false) when the report has no areas. */
MUST_USE err picture_map(const struct fx_report *r, const struct map_shapes *shapes, enum lang lang,
                         struct arena *mem, bool *drawn, struct buf *out, struct fail *f);

#endif
