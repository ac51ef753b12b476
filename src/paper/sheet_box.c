/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One box cut out for reading: shades of the paper and the printed lines taken away, strokes kept.
 */
#include <stdlib.h>
#include "paper/sheet.h"

enum {
    SHADE_MOST = 120, /* of 255: what is darker and broad is a blot of ink */
    SEGMENTS = 3,     /* of a side: a line may be a little bent */
    BAND_MAX = 16,
};
#define MARGIN_MM 0.7 /* cut beyond the box: half of the gap to the next one */
#define BAND_MM   1.3 /* from the cut's edge to where no printed line can be */
#define LINE_MM   0.5 /* a printed line and its soft edges */
#define SHADE_MM  4.0 /* what is broader in both directions is no stroke */

/* ---- shades ---- */

/* Least value within `radius`, along rows (step 1) or columns (step w). */
static void least(const uint8_t *in, uint8_t *out, int n, int step, int lines, int line_step,
                  int radius) {
    for (int l = 0; l < lines; l++)
        for (int i = 0; i < n; i++) {
            uint8_t v = 255;
            for (int k = i - radius < 0 ? 0 : i - radius; k <= i + radius && k < n; k++) {
                const uint8_t u = in[(size_t)(l * line_step + k * step)];
                if (u < v) v = u;
            }
            out[(size_t)(l * line_step + i * step)] = v;
        }
}

static void invert(uint8_t *p, int n) {
    for (int i = 0; i < n; i++) p[i] = (uint8_t)(255 - p[i]);
}

/* Ink less its opening (least, then most, in a window broader than any stroke), so that a shadow's
 * edge through a box is no ink. Worked out on a quarter of the pixels. */
static err take_shade(struct raster *ink, struct fail *f) {
    const int w = ink->w / 2, h = ink->h / 2, n = w * h;
    const int radius = (int)(SHADE_MM * SHEET_PPMM / 4);
    uint8_t *a = calloc((size_t)n, 2);
    if (!a) return fail_set(f, E_MEMORY, "no memory for a box");
    uint8_t *b = a + n;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            const uint8_t *p = ink->p + (size_t)(2 * y * ink->w + 2 * x);
            a[y * w + x] = (uint8_t)((p[0] + p[1] + p[ink->w] + p[ink->w + 1]) / 4);
        }
    least(a, b, w, 1, h, w, radius);
    least(b, a, h, w, w, 1, radius);
    invert(a, n);
    least(a, b, w, 1, h, w, radius);
    least(b, a, h, w, w, 1, radius);
    invert(a, n);
    for (int y = 0; y < ink->h; y++)
        for (int x = 0; x < ink->w; x++) {
            const int u = x / 2 < w ? x / 2 : w - 1, v = y / 2 < h ? y / 2 : h - 1;
            const int shade = a[v * w + u] <= SHADE_MOST ? a[v * w + u] : 0;
            uint8_t *p = &ink->p[(size_t)(y * ink->w + x)];
            *p = (uint8_t)(*p > shade ? *p - shade : 0);
        }
    free(a);
    return OK;
}

/* ---- lines ---- */

/* A side as seen by what follows: `along` leads to the next pixel of the side, `in` away from the
 * edge of the cut. */
struct side {
    uint8_t *p;
    ptrdiff_t along, in;
    int length;
};

static int by_value(const void *a, const void *b) {
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

/* What the band holds at each depth where nothing is written: a value that two thirds exceed.
 * Corners are left out: there the line ends. */
static void profile_of(const struct side *s, int from, int to, int band, uint8_t *profile) {
    uint8_t v[128];
    for (int d = 0; d < band; d++) {
        int n = 0;
        for (int k = from; k < to && n < 128; k++) v[n++] = s->p[k * s->along + d * s->in];
        qsort(v, (size_t)n, 1, by_value);
        profile[d] = n ? v[n / 3] : 0;
    }
}

/* The line's place: the darkest `thick` depths of the band. */
static int line_place(const uint8_t *profile, int band, int thick) {
    int best = -1, at = 0;
    for (int d = 0; d + thick <= band; d++) {
        int sum = 0;
        for (int k = 0; k < thick; k++) sum += profile[d + k];
        if (sum > best) {
            best = sum;
            at = d;
        }
    }
    return at;
}

/* The line goes; a stroke that is dark on both of its sides is carried across it, and what is
 * darker than the line's soft edge beside it stays. */
static void take_line(const struct side *s, int band, int thick) {
    for (int g = 0; g < SEGMENTS; g++) {
        uint8_t profile[BAND_MAX];
        const int from = s->length * g / SEGMENTS, to = s->length * (g + 1) / SEGMENTS;
        profile_of(s, g == 0 ? band : from, g == SEGMENTS - 1 ? to - band : to, band, profile);
        const int at = line_place(profile, band - 1, thick);
        for (int k = from; k < to; k++) {
            uint8_t *line = s->p + k * s->along;
            const int out = at > 0 ? line[(at - 1) * s->in] - profile[at - 1] : 0;
            const int in = line[(at + thick) * s->in] - profile[at + thick];
            const int across = out < in ? out : in;
            for (int d = 0; d < band; d++) {
                uint8_t *v = &line[d * s->in];
                const bool on = d >= at && d < at + thick;
                int left = *v - profile[d];
                if (on && left < across) left = across;
                if (on && across < 40 && left < 90) left = 0; /* the line itself, uneven */
                *v = (uint8_t)(left < 0 ? 0 : left);
            }
        }
    }
}

err sheet_cut_box(const struct sheet *s, struct rect_mm box, struct raster *out, struct fail *f) {
    const struct rect_mm wide = {box.x - MARGIN_MM, box.y - MARGIN_MM, box.w + 2 * MARGIN_MM,
                                 box.h + 2 * MARGIN_MM};
    TRY(sheet_cut(s, wide, out, f));
    const err e = take_shade(out, f);
    if (e != OK) {
        raster_release(out);
        return e;
    }
    const int w = out->w, h = out->h, last = w * h - 1;
    const int band = (int)(BAND_MM * SHEET_PPMM + 0.5), thick = (int)(LINE_MM * SHEET_PPMM + 0.5);
    const struct side sides[4] = {{out->p, w, 1, h},
                                  {out->p + w - 1, w, -1, h},
                                  {out->p, 1, w, w},
                                  {out->p + last - (w - 1), 1, -w, w}};
    for (int k = 0; k < 4; k++) take_line(&sides[k], band, thick);
    return OK;
}
