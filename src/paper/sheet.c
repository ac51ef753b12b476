/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/sheet.h"

#include <math.h>
#include <stdlib.h>

/* ---- paper and print ---- */

/* Brightness of the paper in a block: the value that four fifths of its pixels do not exceed. */
static uint8_t block_paper(const struct raster *im, int x0, int y0, int size) {
    uint32_t histogram[256] = {0};
    uint32_t n = 0;
    for (int y = y0; y < y0 + size && y < im->h; y += 2)
        for (int x = x0; x < x0 + size && x < im->w; x += 2, n++) histogram[raster_at(im, x, y)]++;
    uint32_t sum = 0;
    for (int v = 0; v < 256; v++) {
        sum += histogram[v];
        if (sum * 5 > n * 4) return (uint8_t)v;
    }
    return 255;
}

static double paper_at(const struct sheet *s, double x, double y) {
    return raster_sample(&s->paper, (x + 0.5) / s->block - 0.5, (y + 0.5) / s->block - 0.5);
}

/* The print's brightness from the dark frames of the markers that were read. */
static double print_black(const struct sheet *s) {
    double sum = 0;
    int n = 0;
    for (unsigned m = 0; m < FORM_MARKERS; m++) {
        if (!(s->reg.seen >> m & 1)) continue;
        const struct rect_mm r = form_marker_at(m);
        for (int k = 0; k < 12; k++) {
            const double along = r.w * (0.15 + 0.7 * (k % 6) / 5), edge = r.w / MARKER_CELLS / 2;
            const struct point p = registration_map(&s->reg, r.x + (k < 6 ? along : edge),
                                                    r.y + (k < 6 ? edge : along));
            sum += raster_sample(s->image, p.x, p.y) / fmax(20, paper_at(s, p.x, p.y));
            n++;
        }
    }
    const double black = n ? sum / n : 0.3;
    return black < 0.05 ? 0.05 : black > 0.5 ? 0.5 : black;
}

err sheet_init(struct sheet *s, const struct raster *image, const struct registration *reg,
               struct fail *f) {
    *s = (struct sheet){.image = image, .reg = *reg};
    s->block = (int)fmax(16, 6 * reg->pixels_per_mm);
    const int w = (image->w + s->block - 1) / s->block, h = (image->h + s->block - 1) / s->block;
    struct raster raw;
    TRY(raster_init(&raw, w, h, f));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            raw.p[y * w + x] = block_paper(image, x * s->block, y * s->block, s->block);
    /* a block full of print takes the brightest neighbour; then the whole is smoothed */
    struct raster wide;
    err e = raster_init(&wide, w, h, f);
    for (int y = 0; e == OK && y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t most = 0;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++) {
                    const int u = x + dx, v = y + dy;
                    if (u < 0 || v < 0 || u >= w || v >= h) continue;
                    if (raster_at(&raw, u, v) > most) most = raster_at(&raw, u, v);
                }
            const uint8_t own = raster_at(&raw, x, y);
            wide.p[y * w + x] = own < most * 0.75 ? most : own;
        }
    if (e == OK) e = raster_box_mean(&wide, 1, &s->paper, f);
    raster_release(&wide);
    raster_release(&raw);
    if (e == OK) s->black = print_black(s);
    return e;
}

void sheet_release(struct sheet *s) {
    raster_release(&s->paper);
}

/* ---- cutting ---- */

/* Bilinear without the checks of raster_sample: 0 <= x <= w - 2 and 0 <= y <= h - 2, in 1/256. */
static int sample_inside(const struct raster *r, int x, int y) {
    const uint8_t *p = r->p + (size_t)(y >> 8) * (size_t)r->w + (size_t)(x >> 8);
    const int fx = x & 255, fy = y & 255;
    const int top = p[0] * (256 - fx) + p[1] * fx;
    const int low = p[r->w] * (256 - fx) + p[r->w + 1] * fx;
    return (top * (256 - fy) + low * fy) >> 16;
}

enum { STEP = 8 }; /* between exactly mapped pixels: a sheet is straight over a millimetre */

static err cut(const struct sheet *s, struct rect_mm at, double ppmm, bool ink, struct raster *out,
               struct fail *f) {
    const int w = (int)lround(at.w * ppmm), h = (int)lround(at.h * ppmm);
    const double right = s->image->w - 1.01, bottom = s->image->h - 1.01;
    TRY(raster_init(out, w, h, f));
    for (int y = 0; y < h; y++) {
        uint8_t *o = out->p + (size_t)y * (size_t)w;
        const double my = at.y + (y + 0.5) / ppmm;
        struct point p = registration_map(&s->reg, at.x + 0.5 / ppmm, my);
        for (int x = 0; x < w; x += STEP) {
            const struct point q = registration_map(&s->reg, at.x + (x + STEP + 0.5) / ppmm, my);
            const double dx = (q.x - p.x) / STEP, dy = (q.y - p.y) / STEP;
            /* 255 * (1 - v / paper) / (1 - black), with the paper's brightness taken once a step */
            const double scale = ink ? 255 / (fmax(20, paper_at(s, p.x, p.y)) * (1 - s->black)) : 1;
            const double most = ink ? 255 / (1 - s->black) : 0;
            const int n = x + STEP < w ? STEP : w - x;
            const double ends[2][2] = {{p.x, p.y}, {p.x + dx * (n - 1), p.y + dy * (n - 1)}};
            bool inside[2];
            for (int k = 0; k < 2; k++)
                inside[k] =
                    ends[k][0] >= 0 && ends[k][1] >= 0 && ends[k][0] < right && ends[k][1] < bottom;
            int value[STEP];
            for (int k = 0; k < n; k++) {
                const double u = p.x + dx * k, v = p.y + dy * k;
                value[k] = 255;
                if ((inside[0] && inside[1]) || (u >= 0 && v >= 0 && u < right && v < bottom))
                    value[k] = sample_inside(s->image, (int)(u * 256), (int)(v * 256));
            }
            for (int k = 0; k < n; k++) {
                const int i = ink ? (int)(most - value[k] * scale) : value[k];
                const int kept = i < 0 || (ink && value[k] >= 255) ? 0 : i > 255 ? 255 : i;
                o[x + k] = (uint8_t)kept;
            }
            p = q;
        }
    }
    return OK;
}

err sheet_cut(const struct sheet *s, struct rect_mm at, struct raster *out, struct fail *f) {
    return cut(s, at, SHEET_PPMM, true, out, f);
}

err sheet_cut_plain(const struct sheet *s, struct rect_mm at, double pixels_per_mm,
                    struct raster *out, struct fail *f) {
    return cut(s, at, pixels_per_mm, false, out, f);
}

void sheet_bounds(const struct sheet *s, struct rect_mm at, double *x0, double *y0, double *x1,
                  double *y1) {
    *x0 = *y0 = 1e9;
    *x1 = *y1 = -1e9;
    for (int i = 0; i < 4; i++) {
        const struct point p =
            registration_map(&s->reg, at.x + (i & 1 ? at.w : 0), at.y + (i & 2 ? at.h : 0));
        *x0 = fmin(*x0, p.x);
        *y0 = fmin(*y0, p.y);
        *x1 = fmax(*x1, p.x);
        *y1 = fmax(*y1, p.y);
    }
}

/* ---- rows ---- */

struct sums { /* sums of ink over all rectangles from the origin */
    int w, h;
    uint32_t *s;
};

static err sums_init(struct sums *t, const struct raster *r, struct fail *f) {
    t->w = r->w;
    t->h = r->h;
    t->s = calloc((size_t)(r->w + 1) * (size_t)(r->h + 1), sizeof *t->s);
    if (!t->s) return fail_set(f, E_MEMORY, "no memory to align a row");
    for (int y = 0; y < r->h; y++) {
        uint32_t row = 0;
        const uint32_t *up = t->s + (size_t)y * (size_t)(r->w + 1);
        uint32_t *o = t->s + (size_t)(y + 1) * (size_t)(r->w + 1);
        for (int x = 0; x < r->w; x++) {
            row += raster_at(r, x, y);
            o[x + 1] = up[x + 1] + row;
        }
    }
    return OK;
}

static double mean_in(const struct sums *t, int x0, int y0, int x1, int y1) {
    x0 = x0 < 0 ? 0 : x0 > t->w ? t->w : x0;
    x1 = x1 < 0 ? 0 : x1 > t->w ? t->w : x1;
    y0 = y0 < 0 ? 0 : y0 > t->h ? t->h : y0;
    y1 = y1 < 0 ? 0 : y1 > t->h ? t->h : y1;
    if (x1 <= x0 || y1 <= y0) return 0;
    const size_t w = (size_t)t->w + 1;
    const uint32_t sum = t->s[(size_t)y1 * w + (size_t)x1] - t->s[(size_t)y0 * w + (size_t)x1] -
                         t->s[(size_t)y1 * w + (size_t)x0] + t->s[(size_t)y0 * w + (size_t)x0];
    return (double)sum / ((double)(x1 - x0) * (y1 - y0));
}

/* How much darker a side's line (2 pixels) is than what lies 0.6 mm inside and outside of it. */
static double side_contrast(const struct sums *t, int x, int y, int w, int h, int side) {
    const int gap = 4;
    double on, in, out;
    if (side < 2) {
        const int at = side == 0 ? x : x + w, inward = side == 0 ? gap : -gap;
        on = mean_in(t, at - 1, y + 2, at + 1, y + h - 2);
        in = mean_in(t, at - 1 + inward, y + 2, at + 1 + inward, y + h - 2);
        out = mean_in(t, at - 1 - inward, y + 2, at + 1 - inward, y + h - 2);
    } else {
        const int at = side == 2 ? y : y + h, inward = side == 2 ? gap : -gap;
        on = mean_in(t, x + 2, at - 1, x + w - 2, at + 1);
        in = mean_in(t, x + 2, at - 1 + inward, x + w - 2, at + 1 + inward);
        out = mean_in(t, x + 2, at - 1 - inward, x + w - 2, at + 1 - inward);
    }
    const double c = on - fmax(in, out) * 0.5 - fmin(in, out) * 0.5;
    return c > 120 ? 120 : c; /* ink along a line must not outweigh the other sides */
}

static double boxes_contrast(const struct sums *t, const int (*box)[4], unsigned n, int dx,
                             int dy) {
    double sum = 0;
    for (unsigned i = 0; i < n; i++) {
        double c[4];
        for (int side = 0; side < 4; side++)
            c[side] = side_contrast(t, box[i][0] + dx, box[i][1] + dy, box[i][2], box[i][3], side);
        /* the weaker of two opposite sides: a box that lies on its neighbour's line has one only */
        sum += fmin(c[0], c[1]) + fmin(c[2], c[3]);
    }
    return sum / (2.0 * n);
}

/* The best displacement near (cx, cy), each millimetre away from there costing a little. */
static void search(const struct sums *t, const int (*box)[4], unsigned n, int cx, int cy, int reach,
                   int step, double cost, int *dx, int *dy) {
    double best = -1e9;
    for (int y = cy - reach; y <= cy + reach; y += step)
        for (int x = cx - reach; x <= cx + reach; x += step) {
            const double v = boxes_contrast(t, box, n, x, y) - cost * hypot(x - cx, y - cy);
            if (v > best) {
                best = v;
                *dx = x;
                *dy = y;
            }
        }
}

static void group_align(const struct sums *t, struct rect_mm strip, const struct rect_mm *expected,
                        unsigned n, double start_dx, double start_dy, int reach,
                        struct rect_mm *out, unsigned *edges) {
    int box[FORM_BOXES_MAX][4], dx = 0, dy = 0;
    for (unsigned i = 0; i < n; i++) {
        box[i][0] = (int)lround((expected[i].x - strip.x) * SHEET_PPMM);
        box[i][1] = (int)lround((expected[i].y - strip.y) * SHEET_PPMM);
        box[i][2] = (int)lround(expected[i].w * SHEET_PPMM);
        box[i][3] = (int)lround(expected[i].h * SHEET_PPMM);
    }
    const int cx = (int)lround(start_dx * SHEET_PPMM), cy = (int)lround(start_dy * SHEET_PPMM);
    search(t, (const int(*)[4])box, n, cx, cy, reach, 2, 1.2, &dx, &dy);
    search(t, (const int(*)[4])box, n, dx, dy, 2, 1, 0.1, &dx, &dy);
    for (unsigned i = 0; i < n; i++) { /* then each box for itself, a little */
        int bx = dx, by = dy;
        search(t, (const int(*)[4]) & box[i], 1, dx, dy, 4, 1, 1.5, &bx, &by);
        out[i] = expected[i];
        out[i].x += bx / SHEET_PPMM;
        out[i].y += by / SHEET_PPMM;
        for (int side = 0; side < 4; side++)
            *edges +=
                side_contrast(t, box[i][0] + bx, box[i][1] + by, box[i][2], box[i][3], side) > 22;
    }
}

err sheet_align_row(const struct sheet *s, const struct layout_row *row, unsigned boxes,
                    const struct row_boxes *previous, struct row_boxes *out, struct fail *f) {
    const double margin = 7;
    const struct rect_mm strip = {row->row.x - margin, row->row.y - margin, row->row.w + 2 * margin,
                                  row->row.h + 2 * margin};
    struct raster ink;
    struct sums t;
    TRY(sheet_cut(s, strip, &ink, f));
    err e = sums_init(&t, &ink, f);
    raster_release(&ink);
    if (e != OK) return e;
    /* the first row looks far; the next ones start where the row above was found */
    const double far = s->reg.markers == FORM_MARKERS ? 3.6 : 5.0;
    const int reach = (int)((previous ? 1.8 : far) * SHEET_PPMM);
    unsigned edges = 0;
    const double fx = previous ? previous->figure[0].x - row->figure[0].x : 0;
    const double fy = previous ? previous->dy_mm : 0;
    const double gx = previous ? previous->correction[0].x - row->correction[0].x : 0;
    const double gy =
        previous ? previous->dy_mm + previous->correction[0].y - previous->figure[0].y : 0;
    group_align(&t, strip, row->figure, boxes, fx, fy, reach, out->figure, &edges);
    group_align(&t, strip, row->correction, boxes, gx, gy, reach, out->correction, &edges);
    free(t.s);
    out->dx_mm = out->dy_mm = 0;
    for (unsigned i = 0; i < boxes; i++) {
        out->dx_mm += (out->figure[i].x - row->figure[i].x) / boxes;
        out->dy_mm += (out->figure[i].y - row->figure[i].y) / boxes;
    }
    out->edges = edges / (8.0 * boxes);
    return OK;
}

err sheet_align_frame(const struct sheet *s, struct rect_mm expected, struct rect_mm *found,
                      double *edges, struct fail *f) {
    const double margin = 4;
    const struct rect_mm around = {expected.x - margin, expected.y - margin,
                                   expected.w + 2 * margin, expected.h + 2 * margin};
    struct raster ink;
    struct sums t;
    unsigned n = 0;
    TRY(sheet_cut(s, around, &ink, f));
    err e = sums_init(&t, &ink, f);
    raster_release(&ink);
    if (e != OK) return e;
    group_align(&t, around, &expected, 1, 0, 0, (int)(2.4 * SHEET_PPMM), found, &n);
    free(t.s);
    *edges = n / 4.0;
    return OK;
}

/* ---- the code strip ---- */

static bool strip_at(const struct raster *ink, double x0, double y0, double scale,
                     struct form_code *out) {
    const struct rect_mm r = form_strip_at();
    const double w = r.w / FORM_STRIP_COLUMNS * SHEET_PPMM * scale;
    const double h = r.h / FORM_STRIP_ROWS * SHEET_PPMM;
    uint8_t bits[CODE_STRIP_BYTES] = {0};
    for (unsigned i = 0; i < CODE_STRIP_BITS; i++) {
        const double cx = x0 + w * (i % FORM_STRIP_COLUMNS + 0.5);
        const double cy = y0 + h * (i / FORM_STRIP_COLUMNS + 0.5);
        double v = 0;
        for (int k = -2; k <= 2; k++)
            v += raster_sample(ink, cx + (k % 2) * w * 0.2, cy + k * h * 0.12);
        if (v / 5 > 110) bits[i / 8] |= (uint8_t)(0x80u >> i % 8);
    }
    return form_strip_unpack(bits, out, NULL) == OK;
}

err sheet_read_strip(const struct sheet *s, struct form_code *out, struct fail *f) {
    const struct rect_mm r = form_strip_at();
    const double margin = 4;
    struct raster ink;
    TRY(sheet_cut(s,
                  (struct rect_mm){r.x - margin, r.y - margin, r.w + 2 * margin, r.h + 2 * margin},
                  &ink, f));
    bool good = false;
    /* the check sum tells when a place is right: nearer displacements first */
    for (int ring = 0; !good && ring <= 6; ring++)
        for (int dy = -ring; !good && dy <= ring; dy++)
            for (int dx = -ring; !good && dx <= ring; dx++) {
                if (abs(dx) != ring && abs(dy) != ring) continue;
                for (int k = 0; !good && k < 3; k++) {
                    const double scale = 1 + (k == 1 ? 0.004 : k == 2 ? -0.004 : 0);
                    const double half = r.w / 2 * SHEET_PPMM * (1 - scale);
                    good = strip_at(&ink, margin * SHEET_PPMM + dx * 2.5 + half,
                                    margin * SHEET_PPMM + dy * 2.5, scale, out);
                }
            }
    raster_release(&ink);
    if (!good)
        return fail_set(f, E_PAPER_CHECK, "the code strip at the foot of the form cannot be read");
    return OK;
}
