/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/synth.h"

#include <math.h>
#include <stdlib.h>
#include "paper/augment.h"
#include "paper/geometry.h"

static double uniform(struct rng *r, double a, double b) {
    return a + (b - a) * rng_double(r);
}

static bool chance(struct rng *r, double p) {
    return rng_double(r) < p;
}

err synth_blank(const struct print_form *form, unsigned page, struct raster *out, struct fail *f) {
    struct canvas *c;
    TRY(canvas_image(SYNTH_PPMM, &c, f));
    const err drawn = print_form_page(c, form, page, f);
    struct fail second;
    const err closed = canvas_close(c, out, drawn == OK ? f : &second);
    return drawn == OK ? closed : drawn;
}

void synth_hand_draw(struct rng *r, const struct digit_set *digits, struct synth_hand *out) {
    *out = (struct synth_hand){.digits = digits,
                               .writer = digits->writer[rng_below(r, digits->n)],
                               .pen_mm = uniform(r, 0.35, 0.9),
                               .ink = uniform(r, 0.55, 0.95),
                               .dash = chance(r, 0.6),
                               .signatures = rng_u64(r)};
}

void synth_hand_vary(struct rng *r, struct synth_hand *hand) {
    hand->bar_seven = chance(r, 0.6);
    hand->serif_one = chance(r, 0.6);
    hand->dash = chance(r, 0.75);
}

/* ---- writing ---- */

static void blend(struct raster *page, int x, int y, double alpha) {
    if (x < 0 || y < 0 || x >= page->w || y >= page->h || alpha <= 0) return;
    uint8_t *v = &page->p[(size_t)y * (size_t)page->w + (size_t)x];
    *v = (uint8_t)lround(*v * (1 - (alpha > 1 ? 1 : alpha)));
}

/* An image of strokes (0..1) of size mm x mm, its middle at (cx, cy) mm. */
static void stamp_image(struct raster *page, const float *image, int side, double cx, double cy,
                        double size_mm, double ink) {
    const double scale = side / (size_mm * SYNTH_PPMM);
    const int half = (int)ceil(size_mm * SYNTH_PPMM / 2);
    const int mx = (int)lround(cx * SYNTH_PPMM), my = (int)lround(cy * SYNTH_PPMM);
    int top = side, low = -1; /* rows that hold anything */
    for (int i = 0; i < side * side; i++)
        if (image[i] > 0) {
            top = i / side < top ? i / side : top;
            low = i / side;
        }
    for (int y = -half; y <= half; y++)
        for (int x = -half; x <= half; x++) {
            const double u = (x + 0.5) * scale + side / 2.0 - 0.5;
            const double v = (y + 0.5) * scale + side / 2.0 - 0.5;
            const int iu = (int)floor(u), iv = (int)floor(v);
            if (iv + 1 < top || iv > low) break;
            if (iu < 0 || iv < 0 || iu + 1 >= side || iv + 1 >= side) continue;
            const double fu = u - iu, fv = v - iv;
            const float *p = image + iv * side + iu;
            const double t = ((double)p[0] * (1 - fu) + (double)p[1] * fu) * (1 - fv) +
                             ((double)p[side] * (1 - fu) + (double)p[side + 1] * fu) * fv;
            blend(page, mx + x, my + y, t * ink);
        }
}

static size_t pick_digit(struct rng *r, const struct synth_hand *h, int digit) {
    const struct digit_set *s = h->digits;
    const size_t start = rng_below(r, s->n);
    if (h->writer)
        for (size_t k = 0; k < s->n; k++) {
            const size_t i = (start + k) % s->n;
            if (s->label[i] == digit && s->writer[i] == h->writer) return i;
        }
    for (size_t k = 0;; k++) {
        const size_t i = (start + k) % s->n;
        if (s->label[i] == digit) return i;
    }
}

enum { BIG = 112 };

/* First and last column with ink between two rows. */
static void extent(const float *big, int y0, int y1, int *left, int *right) {
    *left = BIG;
    *right = -1;
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < BIG; x++)
            if (big[y * BIG + x] > 0.5f) {
                *left = x < *left ? x : *left;
                *right = x > *right ? x : *right;
            }
}

/* The bar of a 7 across its stem; the first stroke and the foot of a 1. As broad as the digit's own
 * stroke is at that place. */
static void add_strokes(int digit, float *big) {
    int top = BIG, low = -1, left, right;
    for (int y = 0; y < BIG; y++) {
        extent(big, y, y + 1, &left, &right);
        if (right < 0) continue;
        top = y < top ? y : top;
        low = y;
    }
    if (low - top < 20) return; /* too small to have either */
    const int at = digit == 7 ? (top + low) / 2 + 2 : top + 3;
    extent(big, at - 2, at + 2, &left, &right);
    if (right < 0) return;
    const double high = low - top, width = fmin(9, fmax(4, right - left)), x = (left + right) / 2.0;
    if (digit == 7) {
        const struct stroke bar = {x - 0.24 * high, at + 1,           x, at - 1, x + 0.24 * high,
                                   at - 2,          0.8 * width, 1};
        stroke_draw(big, BIG, &bar);
        return;
    }
    const struct stroke first = {x, at, x - 0.1 * high, at + 0.1 * high, x - 0.22 * high,
                                 at + 0.24 * high, 0.8 * width, 1};
    stroke_draw(big, BIG, &first);
    extent(big, low - 4, low, &left, &right);
    if (right < 0) return;
    const double foot = (left + right) / 2.0;
    const struct stroke base = {foot - 0.2 * high, low - 2, foot, low - 1, foot + 0.2 * high,
                                low - 2,           0.8 * width, 1};
    stroke_draw(big, BIG, &base);
}

/* A 28 x 28 image enlarged with a threshold, so that edges are sharp and strokes as the pen makes
 * them: a higher threshold, a thinner stroke. */
static void enlarge_digit(struct rng *r, const struct synth_hand *h, int digit, float *big) {
    const uint8_t *im = h->digits->image[pick_digit(r, h, digit)];
    const double t = 0.72 - 0.4 * (h->pen_mm - 0.35) / 0.55 + uniform(r, -0.05, 0.05);
    const double tilt = rng_normal(r) * 0.03;
    for (int y = 0; y < BIG; y++)
        for (int x = 0; x < BIG; x++) {
            const double cx = x - BIG / 2.0, cy = y - BIG / 2.0;
            const double u = (cx + tilt * cy) / 4 + 13.5, v = (cy - tilt * cx) / 4 + 13.5;
            const int iu = (int)floor(u), iv = (int)floor(v);
            double s = 0;
            if (iu >= 0 && iv >= 0 && iu < 27 && iv < 27) {
                const double fu = u - iu, fv = v - iv;
                const uint8_t *p = im + iv * NET_SIDE + iu;
                s = (p[0] * (1 - fu) + p[1] * fu) * (1 - fv) +
                    (p[NET_SIDE] * (1 - fu) + p[NET_SIDE + 1] * fu) * fv;
            }
            const double a = (s / 255 - t) / 0.2 + 0.5;
            big[y * BIG + x] = (float)(a < 0 ? 0 : a > 1 ? 1 : a);
        }
    if ((digit == 7 && h->bar_seven) || (digit == 1 && h->serif_one)) add_strokes(digit, big);
}

static void write_digit(struct rng *r, struct raster *page, const struct synth_hand *h,
                        struct rect_mm box, int digit) {
    float big[BIG * BIG];
    enlarge_digit(r, h, digit, big);
    /* the digit's 20 of 28 pixels become 55 to 88 % of the box's height */
    const double size = box.h * uniform(r, 0.55, 0.88) * 28 / 20;
    stamp_image(page, big, BIG, box.x + box.w / 2 + rng_normal(r) * 0.45,
                box.y + box.h / 2 + rng_normal(r) * 0.45, size, h->ink);
}

/* over: a character stands there that is struck out; an empty box gets an X */
static void write_mark(struct rng *r, struct raster *page, const struct synth_hand *h,
                       struct rect_mm box, int class, bool over) {
    enum { SIDE = 96 };
    static const double size_mm = 12;
    float im[SIDE * SIDE] = {0};
    const double px = SIDE / size_mm, width = h->pen_mm * px;
    if (class == CLASS_DASH)
        strokes_dash(r, im, SIDE, SIDE / 2.0, SIDE / 2.0, uniform(r, 2.5, 6) * px, width);
    else if (over)
        strokes_strike(r, im, SIDE, SIDE / 2.0, SIDE / 2.0, uniform(r, 6.5, 8.5) * px, width);
    else
        strokes_cross(r, im, SIDE, SIDE / 2.0, SIDE / 2.0, uniform(r, 5.5, 8.5) * px, width);
    stamp_image(page, im, SIDE, box.x + box.w / 2 + rng_normal(r) * 0.4,
                box.y + box.h / 2 + rng_normal(r) * 0.5, size_mm, h->ink);
}

void synth_write_box(struct rng *r, struct raster *page, const struct synth_hand *hand,
                     struct rect_mm box, int class) {
    if (class < 10) {
        write_digit(r, page, hand, box, class);
    } else if (class == CLASS_OTHER) { /* two digits, one over the other */
        const int a = (int)rng_below(r, 10), b = (a + 1 + (int)rng_below(r, 9)) % 10;
        write_digit(r, page, hand, box, a);
        write_digit(r, page, hand, box, b);
    } else if (class != CLASS_BLANK) {
        write_mark(r, page, hand, box, class, false);
    }
}

void synth_strike_box(struct rng *r, struct raster *page, const struct synth_hand *hand,
                      struct rect_mm box) {
    write_mark(r, page, hand, box, CLASS_STRUCK, true);
}

static void write_value(struct rng *r, struct raster *page, const struct synth_hand *h,
                        const struct rect_mm *box, unsigned n, uint64_t value, uint8_t *class) {
    for (unsigned i = n; i-- > 0; value /= 10)
        class[i] = value || i == n - 1 ? (uint8_t)(value % 10) : h->dash ? CLASS_DASH : CLASS_BLANK;
    for (unsigned i = 0; i < n; i++) synth_write_box(r, page, h, box[i], class[i]);
}

void synth_write_row(struct rng *r, struct raster *page, const struct synth_hand *hand,
                     const struct layout_row *row, unsigned boxes, uint64_t value, double p_mistake,
                     struct synth_row *truth) {
    *truth = (struct synth_row){.value = value};
    for (unsigned i = 0; i < boxes; i++) truth->correction[i] = CLASS_BLANK;
    if (!chance(r, p_mistake)) {
        write_value(r, page, hand, row->figure, boxes, value, truth->figure);
        return;
    }
    uint64_t most = 1;
    for (unsigned i = 0; i < boxes; i++) most *= 10;
    truth->corrected = true;
    write_value(r, page, hand, row->figure, boxes, rng_below(r, most), truth->figure);
    for (unsigned i = 0; i < boxes; i++) {
        if (truth->figure[i] < 10)
            synth_strike_box(r, page, hand, row->figure[i]);
        else
            synth_write_box(r, page, hand, row->figure[i], CLASS_STRUCK);
        truth->figure[i] = CLASS_STRUCK;
    }
    write_value(r, page, hand, row->correction, boxes, value, truth->correction);
}

void synth_write_cell(struct rng *r, struct raster *page, const struct synth_hand *hand,
                      struct rect_mm cell, uint64_t value) {
    float big[BIG * BIG];
    const double high = uniform(r, 4.2, 6.2), cy = cell.y + cell.h * uniform(r, 0.42, 0.52);
    double x = cell.x + cell.w - uniform(r, 3.5, 7);
    unsigned digits = 0;
    for (uint64_t v = value; digits == 0 || v; v /= 10, digits++) {
        enlarge_digit(r, hand, (int)(v % 10), big);
        int left = BIG, right = 0; /* the digit's own width decides where the next one stands */
        for (int y = 0; y < BIG; y++)
            for (int u = 0; u < BIG; u++)
                if (big[y * BIG + u] > 0.5f) {
                    left = u < left ? u : left;
                    right = u > right ? u : right;
                }
        const double mm = high * 28 / 20 / BIG, wide = (right - left + 1) * mm;
        const double middle = ((left + right) / 2.0 - BIG / 2.0) * mm;
        stamp_image(page, big, BIG, x - wide / 2 - middle, cy + rng_normal(r) * 0.3, BIG * mm,
                    hand->ink);
        x -= wide + fmax(-0.2, 0.7 + rng_normal(r) * 0.45);
    }
    if (!hand->dash) return;
    enum { SIDE = 96 };
    float im[SIDE * SIDE] = {0};
    strokes_dash(r, im, SIDE, SIDE / 2.0, SIDE / 2.0, uniform(r, 3, 6) * SIDE / 12,
                 hand->pen_mm * SIDE / 12);
    stamp_image(page, im, SIDE, x - uniform(r, 4, 6), cy + rng_normal(r) * 0.5, 12, hand->ink);
}

/* A running curve inside a rectangle: a signature, or words that nobody reads. */
static void scrawl(struct rng *r, struct rng *vary, struct raster *page, struct rect_mm at,
                   double pen_mm, double ink, int strokes) {
    enum { SIDE = 256 };
    float *im = calloc(SIDE * SIDE, sizeof *im);
    if (!im) return; /* a test form without a signature is still a test form */
    const double size = fmax(at.w, at.h), px = SIDE / size;
    const double left = (size - at.w) / 2 * px, top = (size - at.h) / 2 * px;
    double x = left + at.w * px * 0.06, y = top + at.h * px * uniform(r, 0.4, 0.7);
    double from_x = x, from_y = y;
    const double advance = at.w * px * 0.86 / strokes;
    for (int k = 0; k < strokes; k++) {
        const struct stroke s = {x,
                                 y,
                                 x + advance * uniform(r, -0.5, 1.8),
                                 top + at.h * px * uniform(r, 0.05, 0.95),
                                 x + advance,
                                 top + at.h * px * uniform(r, 0.2, 0.8),
                                 pen_mm * px,
                                 1};
        struct stroke t = s;
        if (vary) { /* nobody signs twice alike: about a millimetre here and there */
            t.x1 += rng_normal(vary) * px;
            t.y1 += rng_normal(vary) * px;
            t.x2 += rng_normal(vary) * px * 0.5;
            t.y2 += rng_normal(vary) * px * 0.5;
            t.x0 = from_x;
            t.y0 = from_y;
        }
        stroke_draw(im, SIDE, &t);
        from_x = t.x2;
        from_y = t.y2;
        x = s.x2;
        y = s.y2;
    }
    const double dx = vary ? uniform(vary, -3, 3) : 0, dy = vary ? uniform(vary, -2, 2) : 0;
    stamp_image(page, im, SIDE, at.x + at.w / 2 + dx, at.y + at.h / 2 + dy, size, ink);
    free(im);
}

static void ring(struct rng *r, struct raster *page, struct rect_mm at, double ink) {
    enum { SIDE = 192, STEPS = 24 };
    float *im = calloc(SIDE * SIDE, sizeof *im);
    if (!im) return;
    const double size = fmin(at.w, at.h), angle = uniform(r, 0, 6.283);
    for (int k = 0; k < 2; k++) {
        const double radius = SIDE * (k ? 0.3 : 0.44);
        for (int i = 0; i < STEPS; i++) {
            if (chance(r, 0.12)) continue; /* where the rubber did not touch */
            const double a = angle + i * 6.2832 / STEPS, b = angle + (i + 1) * 6.2832 / STEPS;
            const struct stroke s = {SIDE / 2.0 + radius * cos(a),
                                     SIDE / 2.0 + radius * sin(a),
                                     SIDE / 2.0 + radius * 1.008 * cos((a + b) / 2),
                                     SIDE / 2.0 + radius * 1.008 * sin((a + b) / 2),
                                     SIDE / 2.0 + radius * cos(b),
                                     SIDE / 2.0 + radius * sin(b),
                                     4,
                                     1};
            stroke_draw(im, SIDE, &s);
        }
    }
    stamp_image(page, im, SIDE, at.x + at.w / 2 + uniform(r, -3, 3),
                at.y + at.h / 2 + uniform(r, -1.5, 1.5), size * uniform(r, 0.75, 0.95), ink);
    free(im);
}

void synth_sign(struct rng *r, struct raster *page, const struct synth_hand *hand,
                const struct layout_page *layout) {
    struct rng q, other, *vary = hand->signing ? &other : NULL;
    rng_init(&q, hand->signatures);
    rng_init(&other, hand->signing);
    for (unsigned i = 0; i < layout->zone_count; i++) {
        const struct layout_zone *z = &layout->zones[i];
        const struct rect_mm in = {z->at.x + 2, z->at.y + 5, z->at.w - 4, z->at.h - 7};
        if ((z->kind == ZONE_SIGNATURE_OFFICER && !hand->no_officer) ||
            (z->kind == ZONE_SIGNATURE_DEPUTY && !hand->no_deputy) ||
            (z->kind == ZONE_STAMP && hand->scrawled_stamp))
            scrawl(&q, vary, page, in, hand->pen_mm, hand->ink, 8 + (int)rng_below(&q, 14));
        else if (z->kind == ZONE_STAMP && !hand->no_stamp) /* each paper is stamped anew */
            ring(vary ? vary : &q, page, in, uniform(&q, 0.4, 0.8));
        else if (z->kind == ZONE_AGENT_SIGNATURE && z->index < 4)
            scrawl(&q, NULL, page, z->at, hand->pen_mm, hand->ink, 7);
    }
    if (!chance(r, 0.8)) return;
    for (unsigned i = 0; i < layout->row_count; i++) /* "in words" */
        scrawl(r, NULL, page,
               (struct rect_mm){layout->rows[i].words.x + 1, layout->rows[i].words.y + 3,
                                layout->rows[i].words.w * uniform(r, 0.4, 0.9), 5},
               hand->pen_mm, hand->ink, 12);
}

void synth_paper(struct raster *page, double tone) {
    for (size_t i = 0; i < (size_t)page->w * (size_t)page->h; i++)
        page->p[i] = (uint8_t)lround(page->p[i] * tone);
}

void synth_fluid(struct rng *r, struct raster *page, struct rect_mm box) {
    const double a = uniform(r, 5, 8) / 2, b = uniform(r, 6, 9) / 2;
    const double cx = box.x + box.w / 2 + rng_normal(r) * 0.5;
    const double cy = box.y + box.h / 2 + rng_normal(r) * 0.5;
    const double wave = uniform(r, 0.03, 0.12), phase = uniform(r, 0, 6.283);
    const int turns = 3 + (int)rng_below(r, 4);
    for (int y = (int)((cy - 1.3 * b) * SYNTH_PPMM); y <= (int)((cy + 1.3 * b) * SYNTH_PPMM); y++)
        for (int x = (int)((cx - 1.3 * a) * SYNTH_PPMM); x <= (int)((cx + 1.3 * a) * SYNTH_PPMM);
             x++) {
            if (x < 0 || y < 0 || x >= page->w || y >= page->h) continue;
            const double u = (x / SYNTH_PPMM - cx) / a, v = (y / SYNTH_PPMM - cy) / b;
            /* between an ellipse and a rectangle, as a brush leaves it */
            const double d = pow(pow(fabs(u), 3) + pow(fabs(v), 3), 1 / 3.0);
            const double edge = 1 + wave * sin(turns * atan2(v, u) + phase);
            uint8_t *p = &page->p[(size_t)y * (size_t)page->w + (size_t)x];
            /* it covers nearly all: what is black shows by a fiftieth */
            if (d < edge) *p = (uint8_t)(255 - (255 - *p) / 50);
        }
}

/* ---- the device ---- */

struct scene {
    struct homography to_page; /* output pixels -> page mm */
    double curl[4];            /* amplitudes in mm and phases of two slow waves */
    double light[3];           /* brightness: level, slope in x, slope in y */
    double shadow_x, shadow_y, shadow_at, shadow_depth, shadow_soft;
    double table; /* brightness of what the sheet lies on */
    double noise;
};

static void scene_draw(struct rng *r, enum synth_device d, int w, int h, struct scene *s) {
    const bool phone = d != SYNTH_SCANNER;
    const double bad = d == SYNTH_BAD_PHONE ? 1 : 0;
    const double fill = phone ? uniform(r, 0.86, 0.97) : 1.0;
    const double tilt =
        (phone ? uniform(r, -1, 1) * (0.05 + 0.08 * bad) : uniform(r, -1, 1) * 0.025);
    const int quarter = phone ? (int)rng_below(r, 4) : chance(r, 0.15) ? 2 : 0;
    const double sheet_h = h * fill, sheet_w = sheet_h * SHEET_W_MM / SHEET_H_MM;
    static const double mm[4][2] = {
        {0, 0}, {SHEET_W_MM, 0}, {SHEET_W_MM, SHEET_H_MM}, {0, SHEET_H_MM}};
    struct point from[4], to[4];
    for (int i = 0; i < 4; i++) {
        const double u = (i == 1 || i == 2 ? 0.5 : -0.5) * sheet_w;
        const double v = (i >= 2 ? 0.5 : -0.5) * sheet_h;
        const double j = phone ? sheet_h * (0.008 + 0.02 * bad) : 0;
        const double x = w / 2.0 + u * cos(tilt) - v * sin(tilt) + rng_normal(r) * j;
        const double y = h / 2.0 + u * sin(tilt) + v * cos(tilt) + rng_normal(r) * j;
        from[i] = (struct point){x, y};
        const int k = quarter % 2 == 0 ? (i + quarter) % 4 : i;
        to[i] = (struct point){mm[k][0], mm[k][1]};
    }
    if (!homography_fit(from, to, 4, &s->to_page)) memset(&s->to_page, 0, sizeof s->to_page);
    const double curl = phone ? 0.5 + 1.6 * bad : 0.05;
    s->curl[0] = rng_normal(r) * curl;
    s->curl[1] = uniform(r, 0, 6.28);
    s->curl[2] = rng_normal(r) * curl * 0.7;
    s->curl[3] = uniform(r, 0, 6.28);
    s->light[0] = phone ? uniform(r, 0.72 - 0.25 * bad, 0.98) : uniform(r, 0.94, 1);
    s->light[1] = phone ? uniform(r, -0.2, 0.2) * (1 + bad) : 0;
    s->light[2] = phone ? uniform(r, -0.2, 0.2) * (1 + bad) : 0;
    const double angle = uniform(r, 0, 6.283);
    s->shadow_x = cos(angle);
    s->shadow_y = sin(angle);
    s->shadow_at = uniform(r, -0.4, 0.4);
    s->shadow_depth = phone && chance(r, 0.4 + 0.3 * bad) ? uniform(r, 0.2, 0.5) : 0;
    s->shadow_soft = uniform(r, 0.01, 0.12);
    s->table = uniform(r, 0.15, 0.6);
    s->noise = phone ? uniform(r, 1.5, 5 + 5 * bad) : uniform(r, 0.5, 2);
}

static err expose(struct rng *r, const struct raster *page, const struct scene *s,
                  struct raster *out) {
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            struct point p = homography_map(&s->to_page, x, y);
            p.y += s->curl[0] * sin(p.x * 6.2832 / 420 + s->curl[1]) +
                   s->curl[2] * sin(p.y * 6.2832 / 300 + s->curl[3]);
            double v = 255 * s->table;
            if (p.x >= 0 && p.y >= 0 && p.x < SHEET_W_MM && p.y < SHEET_H_MM)
                v = raster_sample(page, p.x * SYNTH_PPMM - 0.5, p.y * SYNTH_PPMM - 0.5);
            const double u = (double)x / out->w - 0.5, w = (double)y / out->h - 0.5;
            double light = s->light[0] + s->light[1] * u + s->light[2] * w;
            if (s->shadow_depth > 0) {
                const double d =
                    (u * s->shadow_x + w * s->shadow_y - s->shadow_at) / s->shadow_soft;
                light *= 1 - s->shadow_depth / (1 + exp(-d));
            }
            /* print is never quite black in a photograph */
            v = (14 + v * 0.94) * light;
            const uint64_t q = rng_u64(r);
            v += s->noise * ((double)((q & 255) + (q >> 8 & 255) + (q >> 16 & 255)) / 128 - 3);
            out->p[(size_t)y * (size_t)out->w + (size_t)x] = (uint8_t)(v < 0     ? 0
                                                                       : v > 255 ? 255
                                                                                 : v);
        }
    return OK;
}

/* A 3 x 3 binomial blur, blended with the sharp image. */
static err soften(struct raster *im, double amount, struct fail *f) {
    struct raster t;
    TRY(raster_init(&t, im->w, im->h, f));
    const size_t w = (size_t)im->w;
    memcpy(t.p, im->p, w * (size_t)im->h);
    for (int y = 1; y + 1 < im->h; y++)
        for (size_t x = 1; x + 1 < w; x++) {
            const uint8_t *p = t.p + (size_t)y * w + x;
            const int sum = p[-(ptrdiff_t)w - 1] + 2 * p[-(ptrdiff_t)w] + p[-(ptrdiff_t)w + 1] +
                            2 * p[-1] + 4 * p[0] + 2 * p[1] + p[w - 1] + 2 * p[w] + p[w + 1];
            im->p[(size_t)y * w + x] = (uint8_t)(p[0] * (1 - amount) + amount * sum / 16);
        }
    raster_release(&t);
    return OK;
}

/* Cuts up to a few per cent off one side, sometimes with markers. */
static err crop(struct rng *r, struct raster *im, struct fail *f) {
    const int side = (int)rng_below(r, 4);
    const double part = uniform(r, 0.02, 0.1);
    const int dx = side < 2 ? (int)(im->w * part) : 0, dy = side >= 2 ? (int)(im->h * part) : 0;
    struct raster t;
    TRY(raster_init(&t, im->w - dx, im->h - dy, f));
    const int sx = side == 0 ? dx : 0, sy = side == 2 ? dy : 0;
    for (int y = 0; y < t.h; y++)
        memcpy(t.p + (size_t)y * (size_t)t.w, im->p + (size_t)(y + sy) * (size_t)im->w + (size_t)sx,
               (size_t)t.w);
    raster_release(im);
    *im = t;
    return OK;
}

err synth_photo(struct rng *r, const struct raster *page, enum synth_device device,
                struct raster *out, int *jpeg_quality, struct fail *f) {
    struct scene s;
    const int h = device == SYNTH_SCANNER ? 2339 : 2000 + (int)rng_below(r, 700);
    const int w = (int)lround(h * (device == SYNTH_SCANNER ? SHEET_W_MM / SHEET_H_MM : 0.75));
    TRY(raster_init(out, w, h, f));
    scene_draw(r, device, w, h, &s);
    err e = expose(r, page, &s, out);
    const int passes =
        device == SYNTH_SCANNER ? 1 : 1 + (int)rng_below(r, device == SYNTH_PHONE ? 2 : 4);
    for (int k = 0; e == OK && k < passes; k++) e = soften(out, uniform(r, 0.2, 1), f);
    if (e == OK && device != SYNTH_SCANNER &&
        rng_below(r, 2)) { /* the camera held upright or not */
        struct raster t;
        e = raster_turn(out, 1 + 2 * (int)rng_below(r, 2), &t, f);
        if (e == OK) {
            raster_release(out);
            *out = t;
        }
    }
    if (e == OK && device == SYNTH_BAD_PHONE && chance(r, 0.3)) e = crop(r, out, f);
    *jpeg_quality = device == SYNTH_SCANNER ? 80 + (int)rng_below(r, 15)
                    : device == SYNTH_PHONE ? 60 + (int)rng_below(r, 35)
                                            : 35 + (int)rng_below(r, 50);
    if (e != OK) raster_release(out);
    return e;
}
