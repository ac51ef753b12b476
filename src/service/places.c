/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/places.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/json_in.h"
#include "base/json_out.h"
#include "base/text.h"
#include "base/vec.h"

enum { POSITION_MEMBERS_MAX = 4 };
static const size_t ARENA_MAX = (size_t)1 << 30;

struct reading {
    struct json_in j;
    struct arena *arena;
    struct budget budget;
    struct vec items; /* struct place_shape */
    struct buf geometry, code;
};

/* --- numbers: millionths of a degree, without floating point --- */

/* "-36.81725" or "3.1e-05", rounded; false for what is out of range. The number is well-formed. */
static bool millionths(struct span s, int64_t limit, int64_t *out) {
    bool negative = s.p[0] == '-', point = false;
    int64_t digits = 0;
    int shift = 6; /* the value is digits * 10^(shift - 6) */
    size_t i = negative;
    for (; i < s.n && (s.p[i] | 0x20) != 'e'; i++) {
        if (s.p[i] == '.') {
            point = true;
        } else if (digits < INT64_C(1000000000000000)) {
            digits = digits * 10 + (s.p[i] - '0');
            shift -= point;
        } else {
            shift += !point; /* past sixteen digits they say nothing */
        }
    }
    if (i < s.n) {
        bool down = s.p[++i] == '-';
        int e = 0;
        for (i += down || s.p[i] == '+'; i < s.n; i++)
            if (e < 1000) e = e * 10 + (s.p[i] - '0');
        shift += down ? -e : e;
    }
    for (; shift < -1 && digits; shift++) digits /= 10;
    if (shift == -1) digits = (digits + 5) / 10;
    for (; shift > 0 && digits && digits <= limit; shift--) digits *= 10;
    if (digits > limit) return false;
    *out = negative ? -digits : digits;
    return true;
}

static void put_degrees(int64_t v, struct buf *out) {
    uint64_t a = (uint64_t)(v < 0 ? -v : v), part = a % 1000000;
    if (v < 0) buf_byte(out, '-');
    buf_u64(out, a / 1000000);
    if (part == 0) return;
    char digits[8];
    (void)snprintf(digits, sizeof digits, "%06u", (unsigned)part);
    size_t n = 6;
    while (digits[n - 1] == '0') n--;
    buf_byte(out, '.');
    buf_add(out, digits, n);
}

/* --- geometries --- */

/* After '[': longitude, latitude, perhaps a height, which is left out. */
static void position(struct reading *r) {
    struct span text;
    int64_t v;
    unsigned n = 0;
    enum json_token t;
    buf_byte(&r->geometry, '[');
    for (; (t = json_in_next(&r->j, &text)) == JT_NUMBER; n++) {
        if (n == POSITION_MEMBERS_MAX) json_in_fail(&r->j, "a position of more than four numbers");
        if (n >= 2) continue;
        if (!millionths(text, (n ? 90 : 180) * INT64_C(1000000), &v)) {
            json_in_fail(&r->j, "a longitude or latitude is needed, in degrees");
            return;
        }
        if (n) buf_byte(&r->geometry, ',');
        put_degrees(v, &r->geometry);
    }
    if (t != JT_ARRAY_END || n < 2) json_in_fail(&r->j, "a position of longitude and latitude is needed");
    buf_byte(&r->geometry, ']');
}

/* Arrays of arrays of positions, `levels` of them. */
static void coordinates(struct reading *r, unsigned levels) {
    struct span text;
    if (json_in_next(&r->j, &text) != JT_ARRAY) {
        json_in_fail(&r->j, "coordinates are arrays");
        return;
    }
    if (levels == 0) {
        position(r);
        return;
    }
    struct json_in before;
    buf_byte(&r->geometry, '[');
    for (bool any = false;; any = true) {
        before = r->j;
        if (json_in_next(&r->j, &text) == JT_ARRAY_END) break;
        if (r->j.code != OK) return;
        r->j = before; /* the member is read by itself, with the comma before it */
        if (any) buf_byte(&r->geometry, ',');
        coordinates(r, levels - 1);
        if (r->j.code != OK) return;
    }
    buf_byte(&r->geometry, ']');
}

static void geometry_object(struct reading *r) {
    static const char *const types[] = {"Point", "Polygon", "MultiPolygon"};
    static const unsigned levels[] = {0, 2, 3};
    struct json_in at = {0};
    struct span text;
    size_t type = 3;
    bool have = false;
    while (json_in_next(&r->j, &text) == JT_KEY) {
        if (json_in_is(text, "type")) {
            if (json_in_next(&r->j, &text) != JT_STRING) break;
            for (type = 0; type < 3 && !json_in_is(text, types[type]); type++) {}
        } else if (json_in_is(text, "coordinates")) {
            at = r->j; /* read later: the type may stand behind */
            have = true;
            json_in_skip(&r->j, JT_KEY);
        } else {
            json_in_skip(&r->j, JT_KEY);
        }
    }
    if (r->j.code != OK) return;
    if (type == 3 || !have) {
        json_in_fail(&r->j, "a geometry is a Point, a Polygon or a MultiPolygon with coordinates");
        return;
    }
    struct json_in after = r->j;
    r->j = at;
    buf_printf(&r->geometry, "{\"type\":\"%s\",\"coordinates\":", types[type]);
    coordinates(r, levels[type]);
    buf_byte(&r->geometry, '}');
    if (r->j.code == OK) r->j = after;
}

/* --- features --- */

static void properties(struct reading *r) {
    struct span text;
    while (json_in_next(&r->j, &text) == JT_KEY) {
        if (!json_in_is(text, "code")) {
            json_in_skip(&r->j, JT_KEY);
            continue;
        }
        enum json_token t = json_in_next(&r->j, &text);
        buf_clear(&r->code);
        if (t == JT_STRING)
            json_in_text(text, &r->code);
        else
            json_in_skip(&r->j, t);
    }
}

static err feature(struct reading *r, struct fail *f) {
    struct span text;
    buf_clear(&r->geometry);
    buf_clear(&r->code);
    while (json_in_next(&r->j, &text) == JT_KEY) {
        bool shape = json_in_is(text, "geometry"), about = json_in_is(text, "properties");
        enum json_token t = json_in_next(&r->j, &text);
        if (shape && t == JT_OBJECT)
            geometry_object(r);
        else if (about && t == JT_OBJECT)
            properties(r);
        else
            json_in_skip(&r->j, t);
    }
    TRY(r->j.code);
    TRY(buf_ok(&r->geometry, f));
    TRY(buf_ok(&r->code, f));
    if (r->code.n == 0 || r->geometry.n == 0) return OK; /* of nothing that has a code: passed over */
    struct place_shape *x = vec_push(&r->items);
    if (x) *x = (struct place_shape){arena_copy(r->arena, buf_view(&r->code)),
                                     arena_copy(r->arena, buf_view(&r->geometry))};
    return x && x->code.p && x->geometry.p ? OK : fail_set(f, E_MEMORY, "too many shapes");
}

static err collection(struct reading *r, struct fail *f) {
    struct span text;
    bool typed = false, any = false;
    if (json_in_next(&r->j, &text) != JT_OBJECT) json_in_fail(&r->j, "a FeatureCollection is needed");
    while (json_in_next(&r->j, &text) == JT_KEY) {
        bool type = json_in_is(text, "type"), features = json_in_is(text, "features");
        enum json_token t = json_in_next(&r->j, &text);
        if (type && t == JT_STRING) typed = json_in_is(text, "FeatureCollection");
        if (features && t == JT_ARRAY) {
            any = true;
            while ((t = json_in_next(&r->j, &text)) == JT_OBJECT) TRY(feature(r, f));
            if (t != JT_ARRAY_END) json_in_fail(&r->j, "features are objects");
        } else {
            json_in_skip(&r->j, t);
        }
    }
    TRY(json_in_end(&r->j));
    return typed && any ? OK : fail_set(f, E_JSON, "line 1, column 1: a FeatureCollection is needed");
}

static int by_code(const void *a, const void *b) {
    const struct place_shape *x = a, *y = b;
    return span_cmp(x->code, y->code);
}

static err arrange(struct reading *r, struct places *out, struct fail *f) {
    out->n = r->items.n;
    out->items = arena_array(&out->arena, out->n + 1, sizeof *out->items);
    if (!out->items) return fail_set(f, E_MEMORY, "too many shapes");
    for (size_t i = 0; i < out->n; i++) out->items[i] = *(struct place_shape *)vec_at(&r->items, i);
    qsort(out->items, out->n, sizeof *out->items, by_code);
    for (size_t i = 1; i < out->n; i++)
        if (span_eq(out->items[i].code, out->items[i - 1].code))
            return fail_set(f, E_JSON, "the code \"%.*s\" has two shapes", SPAN_ARG(out->items[i].code));
    return OK;
}

err places_read(struct span text, struct places *out, struct fail *f) {
    struct reading *r = calloc(1, sizeof *r);
    *out = (struct places){0};
    if (!r) return fail_set(f, E_MEMORY, "no memory for the shapes");
    arena_init(&out->arena, ARENA_MAX);
    r->arena = &out->arena;
    r->budget.cap = ARENA_MAX;
    vec_init(&r->items, &r->budget, sizeof(struct place_shape), 8);
    buf_init(&r->geometry, PLACES_BYTES_MAX);
    buf_init(&r->code, 1024);
    json_in_init(&r->j, text, f);
    err e = collection(r, f);
    if (e == OK) e = arrange(r, out, f);
    vec_release(&r->items);
    buf_release(&r->geometry);
    buf_release(&r->code);
    free(r);
    if (e != OK) places_release(out);
    return e;
}

void places_release(struct places *p) {
    arena_release(&p->arena);
    *p = (struct places){0};
}

err places_of_tree(const struct tree_source *tree, struct places *out, struct fail *f) {
    struct buf b;
    *out = (struct places){0};
    buf_init(&b, PLACES_BYTES_MAX);
    err e = tree->get(tree->ctx, "places.geojson", PLACES_BYTES_MAX, &b, f);
    bool none = e == E_NOT_FOUND;
    if (e == OK && (e = places_read(buf_view(&b), out, f)) != OK)
        e = fail_context(f, e, "places.geojson");
    buf_release(&b);
    return none ? OK : e;
}

struct span places_geometry(const struct places *p, struct span code) {
    struct place_shape key = {.code = code};
    const struct place_shape *x = p && p->n ? bsearch(&key, p->items, p->n, sizeof *p->items, by_code) : NULL;
    return x ? x->geometry : (struct span){0};
}
