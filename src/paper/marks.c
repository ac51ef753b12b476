/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/marks.h"

#include <math.h>
#include <stdlib.h>

/* ---- hidden print ---- */

#define AROUND_MM 1.6  /* cut around a box */
#define SEEK_MM   0.55 /* a line lies within this of its place */
#define CORNER_MM 0.9  /* where two lines meet neither can be told missing */
#define GONE      0.35 /* of the row's usual darkness of a line */
#define GAP_SURE  0.8  /* mm: docs/reading.md */
enum { SIDES = 4, ALONG_MAX = 64 };

/* Darkest ink across each place of a side, from corner to corner. Returns how many places. */
static int line_ink(const struct raster *ink, struct rect_mm box, int side, uint8_t *v) {
    const bool upright = side < 2;
    const double p = SHEET_PPMM, seek = SEEK_MM * p;
    const double fixed = (AROUND_MM + (side == 1 ? box.w : side == 3 ? box.h : 0)) * p;
    const double from = (AROUND_MM + CORNER_MM) * p;
    const int n = (int)(((upright ? box.h : box.w) - 2 * CORNER_MM) * p);
    for (int k = 0; k < n && k < ALONG_MAX; k++) {
        uint8_t most = 0;
        for (int d = (int)-seek; d <= (int)seek; d++) {
            const int x = (int)lround(upright ? fixed + d : from + k);
            const int y = (int)lround(upright ? from + k : fixed + d);
            if (x < 0 || y < 0 || x >= ink->w || y >= ink->h) continue;
            const uint8_t u = raster_at(ink, x, y);
            if (u > most) most = u;
        }
        v[k] = most;
    }
    return n < ALONG_MAX ? n : ALONG_MAX;
}

static int by_value(const void *a, const void *b) {
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

/* Longest run of places below `least`, in mm. */
static double longest_gap(const uint8_t *v, int n, double least) {
    int run = 0, most = 0;
    for (int k = 0; k < n; k++) {
        run = v[k] < least ? run + 1 : 0;
        if (run > most) most = run;
    }
    return most / SHEET_PPMM;
}

struct row_signs {
    uint8_t line[FORM_BOXES_MAX][SIDES][ALONG_MAX];
    int places[FORM_BOXES_MAX][SIDES];
};

static err look_at(const struct sheet *s, const struct rect_mm *boxes, unsigned n,
                   struct row_signs *r, struct fail *f) {
    for (unsigned i = 0; i < n; i++) {
        const struct rect_mm wide = {boxes[i].x - AROUND_MM, boxes[i].y - AROUND_MM,
                                     boxes[i].w + 2 * AROUND_MM, boxes[i].h + 2 * AROUND_MM};
        struct raster ink;
        TRY(sheet_cut(s, wide, &ink, f));
        for (int side = 0; side < SIDES; side++)
            r->places[i][side] = line_ink(&ink, boxes[i], side, r->line[i][side]);
        raster_release(&ink);
    }
    return OK;
}

/* The row's usual darkness of a printed line: the middle value of all places. */
static double usual_line(const struct row_signs *r, unsigned n) {
    uint8_t all[FORM_BOXES_MAX * SIDES * ALONG_MAX];
    size_t count = 0;
    for (unsigned i = 0; i < n; i++)
        for (int side = 0; side < SIDES; side++) {
            memcpy(all + count, r->line[i][side], (size_t)r->places[i][side]);
            count += (size_t)r->places[i][side];
        }
    qsort(all, count, 1, by_value);
    return count ? all[count / 2] : 0;
}

err marks_hidden(const struct sheet *s, const struct rect_mm *boxes, unsigned n, double *gap_mm,
                 bool *found, struct fail *f) {
    struct row_signs r;
    *gap_mm = 0;
    *found = false;
    if (n < 1 || n > FORM_BOXES_MAX) return OK;
    TRY(look_at(s, boxes, n, &r, f));
    const double least = GONE * usual_line(&r, n);
    for (unsigned i = 0; i < n; i++)
        for (int side = 0; side < SIDES; side++)
            *gap_mm = fmax(*gap_mm, longest_gap(r.line[i][side], r.places[i][side], least));
    *found = *gap_mm >= GAP_SURE;
    return OK;
}

/* ---- stamps ---- */

#define STAMP_PPMM 3.0
#define STAMP_INK  70
#define RING_LEAST 0.65 /* docs/reading.md */
#define RING_WIDE  2.0  /* mm to where a ring has less ink */
enum { ANGLES = 48 };

struct dots { /* where there is ink, each pixel widened by one */
    int w, h;
    uint8_t *p;
};

static bool dot_at(const struct dots *d, double x, double y) {
    const int u = (int)(x * STAMP_PPMM), v = (int)(y * STAMP_PPMM);
    return x >= 0 && y >= 0 && u < d->w && v < d->h && d->p[v * d->w + u];
}

static double on_circle(const struct dots *d, double x, double y, double radius, int angles) {
    int n = 0;
    for (int k = 0; k < angles; k++) {
        const double a = k * 2 * M_PI / angles;
        n += dot_at(d, x + radius * cos(a), y + radius * sin(a));
    }
    return (double)n / angles;
}

/* A blot has ink beside the circle as well: that counts against it. */
static double ring_score(const struct dots *d, double x, double y, double radius, int angles) {
    const double on = on_circle(d, x, y, radius, angles);
    if (on < 0.3) return 0;
    const double in = on_circle(d, x, y, radius - RING_WIDE, angles);
    const double out = on_circle(d, x, y, radius + RING_WIDE, angles);
    return on - fmax(in, out);
}

static void best_ring(const struct dots *d, struct ring_signs *out) {
    double bx = 0, by = 0, best = 0, radius = 0;
    const double w = d->w / STAMP_PPMM, h = d->h / STAMP_PPMM;
    for (double r = 6; r <= 15; r += 0.5)
        for (double y = r * 0.8; y <= h - r * 0.8; y += 1)
            for (double x = r * 0.8; x <= w - r * 0.8; x += 1) {
                const double v = ring_score(d, x, y, r, ANGLES / 2);
                if (v <= best) continue;
                best = v;
                bx = x;
                by = y;
                radius = r;
            }
    if (best <= 0) return;
    const double cx = bx, cy = by, cr = radius;
    best = 0;
    for (double r = cr - 0.5; r <= cr + 0.5; r += 0.25)
        for (double y = cy - 0.75; y <= cy + 0.75; y += 0.25)
            for (double x = cx - 0.75; x <= cx + 0.75; x += 0.25) {
                const double v = ring_score(d, x, y, r, ANGLES);
                if (v <= best) continue;
                best = v;
                radius = r;
            }
    out->part = best;
    out->radius_mm = radius;
}

err marks_ring(const struct sheet *s, struct rect_mm zone, struct ring_signs *out, struct fail *f) {
    struct raster ink;
    *out = (struct ring_signs){0};
    TRY(sheet_cut(s, zone, &ink, f));
    const double step = SHEET_PPMM / STAMP_PPMM;
    struct dots d = {(int)(ink.w / step), (int)(ink.h / step), NULL};
    d.p = calloc((size_t)d.w * (size_t)d.h + 1, 1);
    const err e = d.p ? OK : fail_set(f, E_MEMORY, "no memory for a stamp");
    for (int y = 0; e == OK && y < ink.h; y++)
        for (int x = 0; x < ink.w; x++) {
            if (raster_at(&ink, x, y) <= STAMP_INK) continue;
            const int u = (int)(x / step), v = (int)(y / step);
            if (u < d.w && v < d.h) d.p[v * d.w + u] = 1;
        }
    if (e == OK) best_ring(&d, out);
    out->found = out->part >= RING_LEAST;
    free(d.p);
    raster_release(&ink);
    return e;
}
