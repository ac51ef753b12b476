/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where units lie: a GeoJSON file (RFC 7946) whose features have the unit's code in the property
 * "code". Shapes are no part of the log and not signed; they only draw its figures. */
#ifndef SERVICE_PLACES_H
#define SERVICE_PLACES_H

#include "base/arena.h"
#include "base/bytes.h"
#include "service/tree_source.h"

enum { PLACES_BYTES_MAX = 256 << 20 };

struct place_shape {
    struct span code;
    struct span geometry; /* JSON, made again from the file: type and coordinates with six decimals */
};
struct places {
    struct arena arena;
    struct place_shape *items; /* by code */
    size_t n;
};

/* Point, Polygon and MultiPolygon with longitude and latitude; other members are passed over. E_JSON
 * with line and column: no JSON, no FeatureCollection, another geometry, a coordinate outside of the
 * world, a code that stands twice. The caller owns *out: places_release. */
MUST_USE err places_read(struct span text, struct places *out, struct fail *f);
void places_release(struct places *p);
/* The shapes that a public tree brings (places.geojson); none is fine. */
MUST_USE err places_of_tree(const struct tree_source *tree, struct places *out, struct fail *f);
/* Empty when the unit has none. `p` may be NULL. */
struct span places_geometry(const struct places *p, struct span code);

#endif
