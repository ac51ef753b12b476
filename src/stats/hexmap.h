/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A preset's cartogram (map.json, "hesabu/map/v1", made by tools/hexmap) as shapes: one hexagon an area,
 * so that a map of findings needs no boundaries.
 *
 * Pure: bytes in, shapes in the caller's arena out; strict JSON. */
#ifndef STATS_HEXMAP_H
#define STATS_HEXMAP_H

#include "stats/geojson.h"

/* Whether the bytes say that they are one. */
bool hexmap_is(struct span bytes);
/* The hexagons of level number `level` of the file, from 0; names stay empty. E_NOT_FOUND: no such level.
 * E_JSON, E_TOO_LARGE, E_MEMORY. */
MUST_USE err hexmap_read(struct span bytes, size_t level, struct arena *mem, struct map_shapes *out,
                         struct fail *f);

#endif
