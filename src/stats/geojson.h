/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Shapes of areas from GeoJSON (RFC 7946): polygons and multipolygons of a feature collection with the
 * properties "code" and "name". Everything else in the file is passed over.
 *
 * Pure: bytes in, shapes in the caller's arena out; strict JSON, at most 32 levels deep. */
#ifndef STATS_GEOJSON_H
#define STATS_GEOJSON_H

#include "base/arena.h"

enum { MAP_SHAPES = 100000, MAP_POINTS = 4000000 };

struct map_ring {
    size_t first, n; /* points */
};
struct map_shape {
    struct span code, name; /* as they stand in the file, escapes included; may be empty */
    size_t first_ring, rings;
};
struct map_shapes {
    size_t n, rings, points;
    struct map_shape *shape;
    struct map_ring *ring;
    double *xy; /* longitude, latitude of each point */
    double west, east, south, north;
};

/* E_JSON with the offset of what is wrong; E_TOO_LARGE, E_MEMORY. At least one shape. */
MUST_USE err geojson_read(struct span bytes, struct arena *mem, struct map_shapes *out, struct fail *f);

#endif
