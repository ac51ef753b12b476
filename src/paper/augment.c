/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/augment.h"

#include <math.h>
#include "paper/digit_data.h"

static double uniform(struct rng *r, double a, double b) {
    return a + (b - a) * rng_double(r);
}

static bool chance(struct rng *r, double p) {
    return rng_double(r) < p;
}

static double clipped_normal(struct rng *r, double sigma, double most) {
    const double v = rng_normal(r) * sigma;
    return v > most ? most : v < -most ? -most : v;
}

static void to_float(const uint8_t *image, float *out) {
    for (int i = 0; i < NET_PIXELS; i++) out[i] = (float)image[i] * (1.0f / 255);
}

void stroke_draw(float *image, int side, const struct stroke *s) {
    const double reach = s->width / 2 + 1;
    double px = s->x0, py = s->y0;
    enum { PIECES = 8 };
    for (int k = 1; k <= PIECES; k++) { /* the curve as short straight pieces, each a capsule */
        const double t = (double)k / PIECES, u = 1 - t;
        const double qx = u * u * s->x0 + 2 * u * t * s->x1 + t * t * s->x2;
        const double qy = u * u * s->y0 + 2 * u * t * s->y1 + t * t * s->y2;
        const double dx = qx - px, dy = qy - py, len2 = dx * dx + dy * dy + 1e-9;
        const int y0 = (int)fmax(0, floor(fmin(py, qy) - reach));
        const int y1 = (int)fmin(side - 1, ceil(fmax(py, qy) + reach));
        const int x0 = (int)fmax(0, floor(fmin(px, qx) - reach));
        const int x1 = (int)fmin(side - 1, ceil(fmax(px, qx) + reach));
        for (int y = y0; y <= y1; y++)
            for (int x = x0; x <= x1; x++) {
                double a = ((x - px) * dx + (y - py) * dy) / len2;
                a = a < 0 ? 0 : a > 1 ? 1 : a;
                const double d = hypot(x - px - a * dx, y - py - a * dy);
                const double v = s->ink * fmin(1, fmax(0, s->width / 2 + 0.5 - d));
                float *o = &image[y * side + x];
                if (v > *o) *o = (float)v;
            }
        px = qx;
        py = qy;
    }
}

static void line(struct rng *r, float *image, int side, double x0, double y0, double x1, double y1,
                 double bend, double width) {
    const struct stroke s = {x0,
                             y0,
                             (x0 + x1) / 2 + clipped_normal(r, bend, 3 * bend),
                             (y0 + y1) / 2 + clipped_normal(r, bend, 3 * bend),
                             x1,
                             y1,
                             width,
                             uniform(r, 0.8, 1)};
    stroke_draw(image, side, &s);
}

void strokes_dash(struct rng *r, float *image, int side, double cx, double cy, double size,
                  double width) {
    const double slope = clipped_normal(r, 0.1, 0.35) * size / 2, half = size / 2;
    line(r, image, side, cx - half, cy + slope, cx + half, cy - slope, size * 0.04, width);
    if (chance(r, 0.1)) /* twice */
        line(r, image, side, cx - half, cy + slope + width * 1.6, cx + half,
             cy - slope + width * 1.6, size * 0.04, width);
}

void strokes_cross(struct rng *r, float *image, int side, double cx, double cy, double size,
                   double width) {
    const double w = size / 2 * uniform(r, 0.6, 1.1), h = size / 2 * uniform(r, 0.75, 1.05);
    const double j = size * 0.08;
    line(r, image, side, cx - w + rng_normal(r) * j, cy - h + rng_normal(r) * j,
         cx + w + rng_normal(r) * j, cy + h + rng_normal(r) * j, size * 0.05, width);
    line(r, image, side, cx + w + rng_normal(r) * j, cy - h + rng_normal(r) * j,
         cx - w + rng_normal(r) * j, cy + h + rng_normal(r) * j, size * 0.05, width);
    if (chance(r, 0.1)) /* joined below or above, in one movement */
        line(r, image, side, cx + w, cy + h, cx + w * uniform(r, 0.6, 1), cy - h, size * 0.1,
             width);
}

void strokes_strike(struct rng *r, float *image, int side, double cx, double cy, double size,
                    double width) {
    const double kind = rng_double(r);
    if (kind < 0.6) {
        strokes_cross(r, image, side, cx, cy, size, width);
        return;
    }
    const int lines = kind < 0.85 ? 1 + (int)rng_below(r, 3) : 1;
    const double half = size * uniform(r, 0.48, 0.58);
    const double slope = kind < 0.85 ? clipped_normal(r, 0.15, 0.4) : uniform(r, 0.7, 1.2);
    for (int k = 0; k < lines; k++) {
        const double y = cy + (k - (lines - 1) / 2.0) * size * uniform(r, 0.16, 0.26) +
                         clipped_normal(r, size * 0.04, size * 0.1);
        line(r, image, side, cx - half, y + slope * half, cx + half, y - slope * half, size * 0.04,
             width);
    }
}

struct extent {
    int left, top, right, bottom; /* inclusive; bottom < top: nothing is there */
};

static struct extent extent_of(const float *im) {
    struct extent e = {NET_SIDE, NET_SIDE, -1, -1};
    for (int y = 0; y < NET_SIDE; y++)
        for (int x = 0; x < NET_SIDE; x++)
            if (im[y * NET_SIDE + x] > 0.5f) {
                if (e.top > y) e.top = y;
                e.bottom = y;
                if (x < e.left) e.left = x;
                if (x > e.right) e.right = x;
            }
    return e;
}

/* Middle of a row's ink; NAN when there is none. */
static double row_middle(const float *im, int y) {
    double sum = 0, mx = 0;
    for (int x = 0; x < NET_SIDE; x++) {
        sum += (double)im[y * NET_SIDE + x];
        mx += (double)im[y * NET_SIDE + x] * x;
    }
    return sum > 0 ? mx / sum : NAN;
}

static void bar_of_seven(struct rng *r, const struct extent *e, bool wide, float *im) {
    const int at = e->top + (int)((e->bottom - e->top) * uniform(r, 0.42, 0.62));
    const double mx = row_middle(im, at);
    if (isnan(mx)) return;
    const double width = uniform(r, 1.2, 2.6);
    const double half = uniform(r, 2.5, wide && chance(r, 0.3) ? 8.5 : 5.5);
    const double tilt = clipped_normal(r, 0.8, 2);
    line(r, im, NET_SIDE, mx - half, at + tilt, mx + half, at - tilt, 0.3, width);
}

static void stroke_of_one(struct rng *r, const struct extent *e, float *im) {
    const double at = e->top + 1, high = e->bottom - e->top;
    const double mx = row_middle(im, e->top + 1);
    if (isnan(mx)) return;
    const double width = uniform(r, 1.2, 2.6);
    const double drop = high * uniform(r, 0.2, 0.6);
    line(r, im, NET_SIDE, mx, at, mx - drop * uniform(r, 0.5, 1.1), at + drop, 0.4, width);
    if (chance(r, 0.15)) { /* a foot */
        const double half = uniform(r, 2.5, 5);
        line(r, im, NET_SIDE, mx - half, e->bottom, mx + half, e->bottom, 0.3, width);
    }
}

/* A tail that turns to the left under the digit. */
static void hook_of_nine(struct rng *r, const struct extent *e, float *im) {
    const double bx = row_middle(im, e->bottom - 1), by = e->bottom - 1, reach = uniform(r, 4, 13);
    if (isnan(bx)) return;
    const struct stroke s = {bx,
                             by,
                             bx - reach * uniform(r, 0, 0.5),
                             by + uniform(r, 1, 5),
                             bx - reach,
                             by + uniform(r, -2, 4),
                             uniform(r, 1.4, 3),
                             uniform(r, 0.8, 1)};
    stroke_draw(im, NET_SIDE, &s);
}

/* An open 4 whose right stroke begins lower than its left one: the right one of two strokes goes
 * from the rows at the top. */
static void low_arm_of_four(struct rng *r, const struct extent *e, float *im) {
    const int to = e->top + (int)((e->bottom - e->top) * uniform(r, 0.1, 0.45));
    for (int y = 0; y <= to; y++) {
        int x = e->right + 1 < NET_SIDE ? e->right + 1 : NET_SIDE - 1, gap = 0, from = x;
        while (x > 0 && im[y * NET_SIDE + x] <= 0.15f) x--;
        while (x > 0 && im[y * NET_SIDE + x] > 0.15f) x--;
        for (int k = x; k > 0 && im[y * NET_SIDE + k] <= 0.15f; k--) gap++;
        if (gap < 2 || x - gap < e->left) continue; /* one stroke only */
        for (int k = x + 1; k <= from; k++) im[y * NET_SIDE + k] = 0;
    }
}

/* How other countries write what MNIST's writers wrote their way. */
static void national_style(struct rng *r, int label, bool wide, float *im) {
    const struct extent e = extent_of(im);
    if (e.bottom - e.top < 8) return;
    if (label == 1) stroke_of_one(r, &e, im);
    if (label == 4) low_arm_of_four(r, &e, im);
    if (label == 7) bar_of_seven(r, &e, wide, im);
    if (label == 9) hook_of_nine(r, &e, im);
}

/* Back to the field in which the reader gives a character to the network. */
static void normalise(float *im) {
    uint8_t bytes[NET_PIXELS], out[NET_PIXELS];
    const struct raster raster = {bytes, NET_SIDE, NET_SIDE};
    for (int i = 0; i < NET_PIXELS; i++) bytes[i] = (uint8_t)(im[i] * 255);
    if (digit_normalise(&raster, 20, out)) to_float(out, im);
}

/* Stretched to a square, as narrow digits are in sources (and by hands) that fill a square. */
static double stretch_of(struct rng *r, const float *im) {
    const struct extent e = extent_of(im);
    const double w = e.right - e.left + 1, h = e.bottom - e.top + 1;
    if (e.bottom < e.top || w >= h) return 1;
    const double most = fmin(h / w, 2.2);
    return 1 + (most - 1) * uniform(r, 0.3, 1);
}

/* As a source of few black and white pixels gives it: 10 to 18 cells across the field's 20. */
static void coarse(struct rng *r, float *im) {
    enum { CELLS = 28 };
    const double cell = 20 / uniform(r, 10, 18), dx = uniform(r, 0, 1), dy = uniform(r, 0, 1);
    const float t = (float)uniform(r, 0.3, 0.6);
    float sum[CELLS][CELLS] = {{0}};
    int n[CELLS][CELLS] = {{0}};
    for (int y = 0; y < NET_SIDE; y++)
        for (int x = 0; x < NET_SIDE; x++)
            for (int k = 0; k < 4; k++) { /* quarters of a pixel */
                const int u = (int)((x + 0.25 + 0.5 * (k & 1)) / cell + dx);
                const int v = (int)((y + 0.25 + 0.5 * (k >> 1)) / cell + dy);
                sum[v][u] += im[y * NET_SIDE + x];
                n[v][u]++;
            }
    for (int y = 0; y < NET_SIDE; y++)
        for (int x = 0; x < NET_SIDE; x++) {
            int on = 0;
            for (int k = 0; k < 4; k++) {
                const int u = (int)((x + 0.25 + 0.5 * (k & 1)) / cell + dx);
                const int v = (int)((y + 0.25 + 0.5 * (k >> 1)) / cell + dy);
                on += sum[v][u] > t * (float)n[v][u];
            }
            im[y * NET_SIDE + x] = (float)on / 4;
        }
}

/* Where each output pixel comes from: an affine map and a coarse elastic grid. */
struct bend {
    double a, b, c, d, tx, ty;
    double gx[5][5], gy[5][5];
};

static void bend_draw(struct rng *r, double s, double stretch, struct bend *m) {
    const double angle = clipped_normal(r, 0.11 * s, 0.3 * s);
    const double shear = clipped_normal(r, 0.14 * s, 0.4 * s);
    const double size = exp(clipped_normal(r, 0.06 * s, 0.15 * s));
    const double aspect = exp(clipped_normal(r, 0.13 * s, 0.35 * s));
    const double sx = 1 / (size * sqrt(aspect) * stretch), sy = sqrt(aspect) / size;
    m->a = cos(angle) * sx;
    m->b = (-sin(angle) + shear) * sx;
    m->c = sin(angle) * sy;
    m->d = cos(angle) * sy;
    m->tx = clipped_normal(r, 0.7 * s, 2 * s);
    m->ty = clipped_normal(r, 0.7 * s, 2 * s);
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 5; x++) {
            m->gx[y][x] = clipped_normal(r, 0.6 * s, 1.5);
            m->gy[y][x] = clipped_normal(r, 0.6 * s, 1.5);
        }
}

static double grid_at(const double g[5][5], double x, double y) {
    const int ix = (int)x, iy = (int)y;
    const double fx = x - ix, fy = y - iy;
    return (g[iy][ix] * (1 - fx) + g[iy][ix + 1] * fx) * (1 - fy) +
           (g[iy + 1][ix] * (1 - fx) + g[iy + 1][ix + 1] * fx) * fy;
}

static void bend_apply(const struct bend *m, const float *in, float *out) {
    const double mid = (NET_SIDE - 1) / 2.0;
    for (int y = 0; y < NET_SIDE; y++)
        for (int x = 0; x < NET_SIDE; x++) {
            const double u = x - mid - m->tx, v = y - mid - m->ty;
            const double gx = x * (3.999 / (NET_SIDE - 1)), gy = y * (3.999 / (NET_SIDE - 1));
            const double sx = m->a * u + m->b * v + mid + grid_at(m->gx, gx, gy);
            const double sy = m->c * u + m->d * v + mid + grid_at(m->gy, gx, gy);
            const int ix = (int)floor(sx), iy = (int)floor(sy);
            float t = 0;
            if (ix >= 0 && iy >= 0 && ix + 1 < NET_SIDE && iy + 1 < NET_SIDE) {
                const float fx = (float)(sx - ix), fy = (float)(sy - iy);
                const float *p = in + iy * NET_SIDE + ix;
                t = (p[0] * (1 - fx) + p[1] * fx) * (1 - fy) +
                    (p[NET_SIDE] * (1 - fx) + p[NET_SIDE + 1] * fx) * fy;
            }
            out[y * NET_SIDE + x] = t;
        }
}

/* A 3 x 3 mean of weight w, then a soft threshold: thinner or thicker strokes, softer or harder. */
static void pen(struct rng *r, float *im) {
    float t[NET_PIXELS];
    const float w = (float)uniform(r, 0.3, 1), low = (float)uniform(r, 0.02, 0.38);
    const float gain = (float)uniform(r, 1.1, 2.6);
    memcpy(t, im, sizeof t);
    for (int y = 1; y + 1 < NET_SIDE; y++)
        for (int x = 1; x + 1 < NET_SIDE; x++) {
            const float *p = t + y * NET_SIDE + x;
            float sum = 0;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++) sum += p[dy * NET_SIDE + dx];
            const float v = ((1 - w) * p[0] + w * sum / 9 - low) * gain;
            im[y * NET_SIDE + x] = v < 0 ? 0 : v > 1 ? 1 : v;
        }
}

/* What remains of a box's line beside a character, a digit that was cut at the box, noise. */
static void surroundings(struct rng *r, double s, float *im) {
    if (chance(r, 0.10 * s)) {
        const double at = chance(r, 0.5) ? uniform(r, 1, 4) : uniform(r, 23, 26);
        const double from = uniform(r, 0, 20), to = from + uniform(r, 3, 14);
        const struct stroke st = chance(r, 0.5)
                                     ? (struct stroke){from, at, from, at, to, at, 1, 0.8}
                                     : (struct stroke){at, from, at, from, at, to, 1, 0.8};
        stroke_draw(im, NET_SIDE, &st);
    }
    if (chance(r, 0.06 * s)) {
        const int side = (int)rng_below(r, 4), depth = 4 + (int)rng_below(r, 3);
        for (int y = 0; y < NET_SIDE; y++)
            for (int x = 0; x < NET_SIDE; x++) {
                const int d = side == 0 ? x : side == 1 ? y : NET_SIDE - 1 - (side == 2 ? x : y);
                if (d < depth) im[y * NET_SIDE + x] = 0;
            }
    }
    const float sigma = (float)(uniform(r, 0, 0.06) * s),
                ink = (float)(1 - uniform(r, 0, 0.35) * s);
    for (int i = 0; i < NET_PIXELS; i++) {
        /* a cheap near-normal: the sum of four bytes */
        const uint64_t u = rng_u64(r);
        const float g =
            (float)((u & 255) + (u >> 8 & 255) + (u >> 16 & 255) + (u >> 24 & 255)) / 147.2f -
            3.464f;
        const float v = im[i] * ink + (im[i] > 0.05f || (u >> 40 & 7) == 0 ? sigma * g : 0);
        im[i] = v < 0 ? 0 : v > 1 ? 1 : v;
    }
}

void augment_digit(struct rng *r, const uint8_t *image, int label, double strength,
                   float out[NET_PIXELS]) {
    float t[NET_PIXELS];
    struct bend m;
    to_float(image, t);
    if (strength <= 0) {
        memcpy(out, t, sizeof t);
        return;
    }
    if ((label == 7 || label == 1) && chance(r, 0.35 * strength))
        national_style(r, label, false, t);
    bend_draw(r, strength, 1, &m);
    bend_apply(&m, t, out);
    if (chance(r, 0.7 * strength)) pen(r, out);
    surroundings(r, strength, out);
}

void augment_wide(struct rng *r, const uint8_t *image, int label, double strength,
                  float out[NET_PIXELS]) {
    float t[NET_PIXELS];
    struct bend m;
    to_float(image, t);
    if ((label == 1 || label == 4 || label == 7 || label == 9) && chance(r, 0.3 * strength)) {
        national_style(r, label, true, t);
        normalise(t);
    }
    bend_draw(r, strength, chance(r, 0.25 * strength) ? stretch_of(r, t) : 1, &m);
    bend_apply(&m, t, out);
    if (chance(r, 0.15 * strength)) coarse(r, out);
    if (chance(r, 0.7 * strength)) pen(r, out);
    surroundings(r, strength, out);
}

static void struck(struct rng *r, const uint8_t *a, float *out) {
    const double width = uniform(r, 1, 3);
    if (chance(r, 0.55)) { /* an X in an empty box */
        memset(out, 0, NET_PIXELS * sizeof *out);
        strokes_cross(r, out, NET_SIDE, 14, 14, uniform(r, 14, 22), width);
        return;
    }
    augment_digit(r, a, 0, 0.7, out);
    if (chance(r, 0.5)) {
        strokes_cross(r, out, NET_SIDE, 14, 14, uniform(r, 18, 26), width);
        return;
    }
    const int lines = 1 + (int)rng_below(r, 3);
    const double slope = clipped_normal(r, 0.3, 1);
    for (int k = 0; k < lines; k++) { /* beyond the digit on both sides: no 7's bar is that long */
        const double y = 14 + (k - (lines - 1) / 2.0) * uniform(r, 3, 5) + clipped_normal(r, 1, 2);
        line(r, out, NET_SIDE, uniform(r, 0, 3), y + slope * 12, uniform(r, 25, 28), y - slope * 12,
             0.6, width);
    }
}

static void scribble(struct rng *r, float *out) {
    double x = uniform(r, 6, 22), y = uniform(r, 6, 22);
    const int n = 4 + (int)rng_below(r, 7);
    const double width = uniform(r, 1.2, 3.2);
    for (int k = 0; k < n; k++) {
        const struct stroke s = {
            x,     y, uniform(r, 3, 25), uniform(r, 3, 25), uniform(r, 4, 24), uniform(r, 4, 24),
            width, 1};
        stroke_draw(out, NET_SIDE, &s);
        x = s.x2;
        y = s.y2;
    }
}

/* Shrinks a digit into a half of the field: two characters in one box. */
static void squeeze(struct rng *r, const float *in, double cx, float *out) {
    const double sx = uniform(r, 1.8, 2.4), sy = uniform(r, 1.2, 1.8);
    for (int y = 0; y < NET_SIDE; y++)
        for (int x = 0; x < NET_SIDE; x++) {
            const int u = (int)lround((x - cx) * sx + 14), v = (int)lround((y - 14) * sy + 14);
            if (u < 0 || v < 0 || u >= NET_SIDE || v >= NET_SIDE) continue;
            float *o = &out[y * NET_SIDE + x];
            if (in[v * NET_SIDE + u] > *o) *o = in[v * NET_SIDE + u];
        }
}

/* Ink of `both` that `one` does not have. A digit that hides another nearly whole is no sign of
 * overwriting that anybody could see. */
static float ink_beyond(const float *both, const float *one) {
    float sum = 0;
    for (int i = 0; i < NET_PIXELS; i++) sum += both[i] - one[i];
    return sum;
}
#define OVER_LEAST 14.0f /* pixels' worth: a seventh of a digit */

static void other(struct rng *r, const uint8_t *a, const uint8_t *b, float *out) {
    float t[NET_PIXELS], u[NET_PIXELS];
    const double kind = rng_double(r);
    memset(out, 0, NET_PIXELS * sizeof *out);
    if (kind < 0.45) { /* one digit written over another */
        for (int tries = 0; tries < 4; tries++) {
            augment_digit(r, a, 0, 0.8, u);
            augment_digit(r, b, 0, 0.8, t);
            for (int i = 0; i < NET_PIXELS; i++) out[i] = fmaxf(u[i], t[i]);
            if (ink_beyond(out, u) > OVER_LEAST && ink_beyond(out, t) > OVER_LEAST) break;
        }
    } else if (kind < 0.65) {
        augment_digit(r, a, 0, 0.8, t);
        augment_digit(r, b, 0, 0.8, u);
        squeeze(r, t, 8, out);
        squeeze(r, u, 20, out);
    } else if (kind < 0.9) {
        scribble(r, out);
    } else { /* a blot */
        const struct stroke s = {uniform(r, 8, 14), uniform(r, 8, 20), 14, 14, uniform(r, 14, 20),
                                 uniform(r, 8, 20), uniform(r, 7, 14), 1};
        stroke_draw(out, NET_SIDE, &s);
    }
}

static void dash(struct rng *r, float *out) {
    memset(out, 0, NET_PIXELS * sizeof *out);
    strokes_dash(r, out, NET_SIDE, 14 + clipped_normal(r, 1, 3), 14 + clipped_normal(r, 1, 3),
                 uniform(r, 7, 22), uniform(r, 1, 3.6));
}

static void blank(struct rng *r, float *out) {
    memset(out, 0, NET_PIXELS * sizeof *out);
    const int n = (int)rng_below(r, 4);
    for (int k = 0; k < n; k++) { /* specks and remains of lines */
        const double x = uniform(r, 0, 27), y = uniform(r, 0, 27), len = uniform(r, 0, 2.5);
        const struct stroke s = {x,
                                 y,
                                 x,
                                 y,
                                 x + clipped_normal(r, 1, 1) * len,
                                 y + clipped_normal(r, 1, 1) * len,
                                 uniform(r, 0.5, 2),
                                 uniform(r, 0.3, 1)};
        stroke_draw(out, NET_SIDE, &s);
    }
    if (chance(r, 0.3)) {
        const double at = chance(r, 0.5) ? uniform(r, 0, 3) : uniform(r, 24, 27);
        const double from = uniform(r, 0, 14), to = from + uniform(r, 4, 14);
        if (chance(r, 0.5))
            line(r, out, NET_SIDE, from, at, to, at, 0.2, 1);
        else
            line(r, out, NET_SIDE, at, from, at, to, 0.2, 1);
    }
}

void augment_mark(struct rng *r, int class, const uint8_t *a, const uint8_t *b,
                  float out[NET_PIXELS]) {
    switch (class) {
    case CLASS_DASH:
        dash(r, out);
        break;
    case CLASS_STRUCK:
        struck(r, a, out);
        break;
    case CLASS_OTHER:
        other(r, a, b, out);
        break;
    default:
        blank(r, out);
        break;
    }
    if (class != CLASS_BLANK && chance(r, 0.5)) pen(r, out);
    surroundings(r, 0.8, out);
}
