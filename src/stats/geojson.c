/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/geojson.h"

#include <math.h>
#include <stdlib.h>
#include "base/text.h"

enum { DEPTH = 32, NUMBER_MAX = 40 };

struct reader {
    struct span all, rest;
    struct arena *mem;
    struct map_shapes *out; /* NULL in the first pass, which only counts */
    size_t shapes, rings, points;
    struct fail *f;
    bool failed;
    err code;
};

static bool stop(struct reader *r, err code, const char *what) {
    if (!r->failed)
        r->code = fail_set(r->f, code, "GeoJSON, byte %zu: %s", r->all.n - r->rest.n, what);
    r->failed = true;
    return false;
}

static int peek(struct reader *r) {
    while (r->rest.n && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t' || r->rest.p[0] == '\n' || r->rest.p[0] == '\r'))
        r->rest = span_from(r->rest, 1);
    return r->rest.n ? r->rest.p[0] : -1;
}

static bool take(struct reader *r, char c) {
    if (r->failed || peek(r) != c) return false;
    r->rest = span_from(r->rest, 1);
    return true;
}

/* The bytes between the quotes. */
static bool string(struct reader *r, struct span *out) {
    if (!take(r, '"')) return stop(r, E_JSON, "a string is expected");
    const uint8_t *from = r->rest.p;
    for (size_t i = 0; i < r->rest.n; i++) {
        if (r->rest.p[i] < 0x20) break;
        if (r->rest.p[i] == '\\') {
            i++;
            continue;
        }
        if (r->rest.p[i] != '"') continue;
        *out = span_of(from, i);
        if (!utf8_valid(*out)) return stop(r, E_UTF8, "not valid UTF-8");
        r->rest = span_from(r->rest, i + 1);
        return true;
    }
    return stop(r, E_JSON, "a string does not end");
}

static bool number(struct reader *r, double *out) {
    char text[NUMBER_MAX], *end;
    size_t n = 0;
    (void)peek(r);
    while (n < r->rest.n && n + 1 < sizeof text &&
           (char_is_digit(r->rest.p[n]) || (r->rest.p[n] && strchr("+-.eE", r->rest.p[n])))) {
        text[n] = (char)r->rest.p[n];
        n++;
    }
    text[n] = 0;
    *out = strtod(text, &end);
    if (n == 0 || *end || !isfinite(*out)) return stop(r, E_JSON, "a number is expected");
    r->rest = span_from(r->rest, n);
    return true;
}

static bool skip(struct reader *r, int depth);

/* The members of an object or the elements of an array after the opening bracket. */
static bool skip_list(struct reader *r, char close, bool keys, int depth) {
    struct span key;
    if (take(r, close)) return true;
    do {
        if (keys && (!string(r, &key) || !take(r, ':'))) return stop(r, E_JSON, "a name and a colon are expected");
        if (!skip(r, depth + 1)) return false;
    } while (take(r, ','));
    return take(r, close) || stop(r, E_JSON, "a bracket does not close");
}

static bool skip(struct reader *r, int depth) {
    struct span s;
    double d;
    if (r->failed) return false;
    if (depth > DEPTH) return stop(r, E_DEPTH, "nested too deeply");
    int c = peek(r);
    if (c == '"') return string(r, &s);
    if (take(r, '{')) return skip_list(r, '}', true, depth);
    if (take(r, '[')) return skip_list(r, ']', false, depth);
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < 3; i++)
        if (span_starts(r->rest, span_text(words[i]))) {
            r->rest = span_from(r->rest, strlen(words[i]));
            return true;
        }
    return number(r, &d);
}

static bool point(struct reader *r) {
    double x, y, more;
    if (!take(r, '[') || !number(r, &x) || !take(r, ',') || !number(r, &y))
        return stop(r, E_JSON, "a position [longitude, latitude] is expected");
    while (take(r, ','))
        if (!number(r, &more)) return false;
    if (!take(r, ']')) return stop(r, E_JSON, "a position does not close");
    if (x < -360 || x > 360 || y < -90 || y > 90) return stop(r, E_RANGE, "a position is not on the earth");
    if (r->points == MAP_POINTS) return stop(r, E_TOO_LARGE, "more than 4 million points");
    if (r->out) {
        struct map_shapes *o = r->out;
        o->xy[2 * r->points] = x;
        o->xy[2 * r->points + 1] = y;
        o->west = fmin(o->west, x);
        o->east = fmax(o->east, x);
        o->south = fmin(o->south, y);
        o->north = fmax(o->north, y);
    }
    r->points++;
    return true;
}

static bool ring(struct reader *r) {
    size_t first = r->points;
    if (!take(r, '[')) return stop(r, E_JSON, "a ring is expected");
    do {
        if (!point(r)) return false;
    } while (take(r, ','));
    if (!take(r, ']')) return stop(r, E_JSON, "a ring does not close");
    if (r->out) r->out->ring[r->rings] = (struct map_ring){first, r->points - first};
    r->rings++;
    return true;
}

static bool polygon(struct reader *r) {
    if (!take(r, '[')) return stop(r, E_JSON, "a polygon is expected");
    do {
        if (!ring(r)) return false;
    } while (take(r, ','));
    return take(r, ']') || stop(r, E_JSON, "a polygon does not close");
}

/* "type" may stand after "coordinates": the depth of the brackets tells the two apart. */
static bool coordinates(struct reader *r, int depth) {
    struct span here = r->rest;
    int brackets = 0;
    while (take(r, '[')) brackets++;
    r->rest = here;
    if (brackets == 3) return polygon(r);
    if (brackets != 4) return skip(r, depth); /* points and lines are no areas */
    (void)take(r, '[');
    do {
        if (!polygon(r)) return false;
    } while (take(r, ','));
    return take(r, ']') || stop(r, E_JSON, "a multipolygon does not close");
}

static bool geometry(struct reader *r, int depth) {
    struct span key;
    if (peek(r) != '{') return skip(r, depth); /* null */
    (void)take(r, '{');
    if (take(r, '}')) return true;
    do {
        if (!string(r, &key) || !take(r, ':')) return stop(r, E_JSON, "a name and a colon are expected");
        if (span_is(key, "coordinates") ? !coordinates(r, depth + 1) : !skip(r, depth + 1)) return false;
    } while (take(r, ','));
    return take(r, '}') || stop(r, E_JSON, "a geometry does not close");
}

static bool properties(struct reader *r, struct map_shape *shape, int depth) {
    struct span key;
    if (peek(r) != '{') return skip(r, depth);
    (void)take(r, '{');
    if (take(r, '}')) return true;
    do {
        if (!string(r, &key) || !take(r, ':')) return stop(r, E_JSON, "a name and a colon are expected");
        struct span *to = span_is(key, "code") ? &shape->code : span_is(key, "name") ? &shape->name : NULL;
        if (to && peek(r) == '"' ? !string(r, to) : !skip(r, depth + 1)) return false;
    } while (take(r, ','));
    return take(r, '}') || stop(r, E_JSON, "the properties do not close");
}

static bool feature(struct reader *r, int depth) {
    struct span key;
    struct map_shape shape = {.first_ring = r->rings};
    if (!take(r, '{')) return stop(r, E_JSON, "a feature is expected");
    if (take(r, '}')) return true;
    do {
        if (!string(r, &key) || !take(r, ':')) return stop(r, E_JSON, "a name and a colon are expected");
        bool good = span_is(key, "geometry")     ? geometry(r, depth + 1)
                    : span_is(key, "properties") ? properties(r, &shape, depth + 1)
                                                 : skip(r, depth + 1);
        if (!good) return false;
    } while (take(r, ','));
    if (!take(r, '}')) return stop(r, E_JSON, "a feature does not close");
    shape.rings = r->rings - shape.first_ring;
    if (shape.rings == 0) return true;
    if (r->shapes == MAP_SHAPES) return stop(r, E_TOO_LARGE, "more than 100,000 areas");
    if (r->out) r->out->shape[r->shapes] = shape;
    r->shapes++;
    return true;
}

static bool collection(struct reader *r) {
    struct span key;
    if (!take(r, '{')) return stop(r, E_JSON, "a feature collection is expected");
    if (take(r, '}')) return true;
    do {
        if (!string(r, &key) || !take(r, ':')) return stop(r, E_JSON, "a name and a colon are expected");
        if (!span_is(key, "features") || peek(r) != '[') {
            if (!skip(r, 1)) return false;
            continue;
        }
        (void)take(r, '[');
        if (take(r, ']')) continue;
        do {
            if (!feature(r, 2)) return false;
        } while (take(r, ','));
        if (!take(r, ']')) return stop(r, E_JSON, "the features do not close");
    } while (take(r, ','));
    if (!take(r, '}')) return stop(r, E_JSON, "the collection does not close");
    return peek(r) < 0 || stop(r, E_JSON, "something is left over");
}

err geojson_read(struct span bytes, struct arena *mem, struct map_shapes *out, struct fail *f) {
    struct reader first = {.all = bytes, .rest = bytes, .f = f}, second;
    *out = (struct map_shapes){.west = INFINITY, .east = -INFINITY, .south = INFINITY, .north = -INFINITY};
    if (!collection(&first)) return first.code;
    if (first.shapes == 0) return fail_set(f, E_JSON, "GeoJSON: no area with a polygon");
    out->shape = arena_array(mem, first.shapes, sizeof *out->shape);
    out->ring = arena_array(mem, first.rings, sizeof *out->ring);
    out->xy = arena_array(mem, first.points, 2 * sizeof *out->xy);
    if (!out->shape || !out->ring || !out->xy)
        return fail_set(f, E_MEMORY, "the map does not fit in the memory allowed");
    second = (struct reader){.all = bytes, .rest = bytes, .f = f, .out = out, .mem = mem};
    if (!collection(&second)) return second.code;
    out->n = second.shapes;
    out->rings = second.rings;
    out->points = second.points;
    return OK;
}
