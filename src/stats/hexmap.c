/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/hexmap.h"

#include <math.h>
#include "base/json_in.h"
#include "base/text.h"

enum { CORNERS = 6, FAR = 10000 };
/* Radius of a hexagon in degrees: so small that a map's projection does not stretch it. */
static const double SIZE = .01;

bool hexmap_is(struct span bytes) {
    return bytes.n && memmem(bytes.p, bytes.n, "\"hesabu/map/v1\"", 15);
}

/* Pointed hexagons, odd rows shifted by half a width; rows go down. */
static void place(struct map_shapes *m, struct span code, uint64_t column, uint64_t row) {
    double w = SIZE * sqrt(3), x = ((double)column + (double)(row % 2) / 2) * w, y = -1.5 * SIZE * (double)row;
    m->shape[m->n] = (struct map_shape){.code = code, .first_ring = m->n, .rings = 1};
    m->ring[m->n] = (struct map_ring){m->points, CORNERS};
    for (int k = 0; k < CORNERS; k++) {
        double *at = &m->xy[2 * m->points++];
        at[0] = x + SIZE * sin(M_PI * k / 3);
        at[1] = y + SIZE * cos(M_PI * k / 3);
        m->west = fmin(m->west, at[0]);
        m->east = fmax(m->east, at[0]);
        m->south = fmin(m->south, at[1]);
        m->north = fmax(m->north, at[1]);
    }
    m->n++;
    m->rings++;
}

/* ["001",8,5] after its bracket. `m` NULL: only counted. */
static bool hexagon(struct json_in *j, struct map_shapes *m) {
    struct span code, number;
    uint64_t at[2];
    bool good = json_in_next(j, &code) == JT_STRING;
    for (int k = 0; good && k < 2; k++)
        good = json_in_next(j, &number) == JT_NUMBER && u64_parse(number, FAR, &at[k], NULL) == OK;
    if (!good || json_in_next(j, &number) != JT_ARRAY_END) {
        json_in_fail(j, "a hexagon is [code, column, row]");
        return false;
    }
    if (m) place(m, code, at[0], at[1]);
    return true;
}

/* The list of hexagons; *n counts them. */
static bool hexagons(struct json_in *j, struct map_shapes *m, size_t *n) {
    struct span text;
    enum json_token t = json_in_next(j, &text);
    if (t != JT_ARRAY) {
        json_in_fail(j, "hexagons are a list");
        return false;
    }
    while ((t = json_in_next(j, &text)) == JT_ARRAY) {
        if (++*n > MAP_SHAPES) {
            json_in_fail(j, "more than 100,000 hexagons");
            return false;
        }
        if (!hexagon(j, m)) return false;
    }
    if (t != JT_ARRAY_END) json_in_fail(j, "hexagons are a list of [code, column, row]");
    return t == JT_ARRAY_END;
}

static bool level_of(struct json_in *j, bool wanted, struct map_shapes *m, size_t *n) {
    struct span key;
    enum json_token t;
    while ((t = json_in_next(j, &key)) == JT_KEY)
        if (!wanted || !json_in_is(key, "hexagons"))
            json_in_skip(j, t);
        else if (!hexagons(j, m, n))
            return false;
    return t == JT_OBJECT_END;
}

/* One pass over the file; `m` NULL: counts the hexagons of the level. */
static err pass(struct span bytes, size_t level, struct map_shapes *m, size_t *n, struct fail *f) {
    struct json_in j;
    struct span key;
    enum json_token t;
    size_t at = 0;
    json_in_init(&j, bytes, f);
    *n = 0;
    if (json_in_next(&j, &key) != JT_OBJECT) json_in_fail(&j, "a map is an object");
    while ((t = json_in_next(&j, &key)) == JT_KEY) {
        if (!json_in_is(key, "levels")) {
            json_in_skip(&j, t);
            continue;
        }
        if (json_in_next(&j, &key) != JT_ARRAY) json_in_fail(&j, "levels are a list");
        while (json_in_next(&j, &key) == JT_OBJECT && level_of(&j, at++ == level, m, n)) {}
    }
    return json_in_end(&j);
}

err hexmap_read(struct span bytes, size_t level, struct arena *mem, struct map_shapes *out, struct fail *f) {
    size_t n, again;
    *out = (struct map_shapes){.west = INFINITY, .east = -INFINITY, .south = INFINITY, .north = -INFINITY};
    TRY(pass(bytes, level, NULL, &n, f));
    if (n == 0) return fail_set(f, E_NOT_FOUND, "the map has no hexagons at its level %zu", level);
    out->shape = arena_array(mem, n, sizeof *out->shape);
    out->ring = arena_array(mem, n, sizeof *out->ring);
    out->xy = arena_array(mem, n * CORNERS, 2 * sizeof *out->xy);
    if (!out->shape || !out->ring || !out->xy)
        return fail_set(f, E_MEMORY, "the map does not fit in the memory allowed");
    return pass(bytes, level, out, &again, f);
}
