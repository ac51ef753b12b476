/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/reader.h"

#include <math.h>
#include <stdlib.h>
#include "paper/components.h"
#include "paper/digit_data.h"
#include "paper/weights.h"

#define BLANK_MM2 0.45 /* less ink than this is none: a thin 1 has 2 mm2, a short dash 1 */
#define SPECK_MM2 0.12
#define SMALLEST  0.38 /* of the box's height: what is lower is not blown up to a digit's size */

err reader_init(struct reader *r, struct span net_a, struct span net_b, struct fail *f) {
    *r = (struct reader){0};
    const struct span files[2] = {net_a, net_b};
    for (int i = 0; i < 2; i++) {
        err e = net_read(files[i], &r->net[i], f);
        if (e == OK) {
            r->scratch[i] = net_scratch_new(&r->net[i]);
            if (!r->scratch[i]) e = fail_set(f, E_MEMORY, "no memory for the reader");
        }
        if (e != OK) {
            reader_release(r);
            return e;
        }
    }
    return OK;
}

err reader_init_builtin(struct reader *r, struct fail *f) {
    return reader_init(r, span_of(weights_net_a, weights_net_a_size),
                       span_of(weights_net_b, weights_net_b_size), f);
}

void reader_release(struct reader *r) {
    for (int i = 0; i < 2; i++) {
        net_scratch_free(r->scratch[i]);
        net_release(&r->net[i]);
    }
    *r = (struct reader){0};
}

/* Otsu 1979: the threshold that separates two classes best, within bounds. */
static int otsu(const struct raster *ink, int low, int high) {
    uint32_t histogram[256] = {0};
    const size_t n = (size_t)ink->w * (size_t)ink->h;
    double all = 0;
    for (size_t i = 0; i < n; i++) {
        histogram[ink->p[i]]++;
        all += ink->p[i];
    }
    double below = 0, sum = 0, best = -1;
    int at = low;
    for (int t = 0; t < 256; t++) {
        below += histogram[t];
        sum += (double)histogram[t] * t;
        const double above = (double)n - below;
        if (below == 0 || above == 0) continue;
        const double d = sum / below - (all - sum) / above;
        const double between = below * above * d * d;
        if (between > best) {
            best = between;
            at = t;
        }
    }
    return at < low ? low : at > high ? high : at;
}

/* A thin straight piece along a side, within 1.3 mm of the box's own line: the line itself, which
 * curled paper moved. No dash is written there. */
static bool is_line(const struct component *k, int w, int h, double ppmm) {
    const int kw = k->x1 - k->x0 + 1, kh = k->y1 - k->y0 + 1;
    const double thin = 0.75 * ppmm, near = 1.8 * ppmm;
    if (kh <= thin && kw >= 3 * kh) return k->y1 < near || k->y0 > h - near;
    if (kw <= thin && kh >= 3 * kw) return k->x1 < near || k->x0 > w - near;
    return false;
}

/* Specks, and thin remains along the border, leave the mask. */
static err clean(uint8_t *mask, int w, int h, double ppmm, struct fail *f) {
    struct components c;
    err e = components_find(mask, w, h, &c, f);
    const int speck = (int)(SPECK_MM2 * ppmm * ppmm), rim = (int)(0.9 * ppmm);
    for (size_t i = 0; e == OK && i < (size_t)w * (size_t)h; i++) {
        const struct component *k = &c.c[c.label[i]];
        if (!c.label[i]) continue;
        const bool at_rim = k->x1 < rim || k->y1 < rim || k->x0 >= w - rim || k->y0 >= h - rim;
        if (k->area < speck || at_rim || is_line(k, w, h, ppmm)) mask[i] = 0;
    }
    components_release(&c);
    return e;
}

static void measure(const struct raster *ink, const uint8_t *mask, double ppmm,
                    struct box_reading *out) {
    double area = 0, sum = 0, outline = 0;
    for (int y = 0; y < ink->h; y++)
        for (int x = 0; x < ink->w; x++) {
            const size_t i = (size_t)y * (size_t)ink->w + (size_t)x;
            if (!mask[i]) continue;
            area++;
            sum += ink->p[i];
            outline += (x == 0 || !mask[i - 1]) + (x == ink->w - 1 || !mask[i + 1]) +
                       (y == 0 || !mask[i - (size_t)ink->w]) +
                       (y == ink->h - 1 || !mask[i + (size_t)ink->w]);
        }
    out->ink_mm2 = area / (ppmm * ppmm);
    out->darkness = area > 0 ? sum / area / 255 : 0;
    /* the outline is counted along pixel sides, about 4/pi of its length */
    out->width_mm = outline > 0 ? 2 * area / (outline * 0.785) / ppmm : 0;
}

static double log_sum(const double *v, int n) {
    double most = v[0], s = 0;
    for (int i = 1; i < n; i++) most = fmax(most, v[i]);
    for (int i = 0; i < n; i++) s += exp(v[i] - most);
    return most + log(s);
}

static int largest(const double *v) {
    int best = 0;
    for (int i = 1; i < NET_CLASSES; i++)
        if (v[i] > v[best]) best = i;
    return best;
}

/* What a class means for a figure: a digit, not used, or made void. */
static int meaning(int class) {
    return class == CLASS_DASH ? CLASS_BLANK : class == CLASS_OTHER ? CLASS_STRUCK : class;
}

/* Training shows struck and overwritten boxes far more often than forms have them: what the
 * networks say is brought back to about how often they are written (Saerens et al. 2002). */
static const double rarer[NET_CLASSES] = {[CLASS_STRUCK] = -1.0, [CLASS_OTHER] = -3.0};

static void ask_net(const struct reader *r, int net, const float *image, double *lp) {
    float logits[NET_CLASSES];
    net_forward(&r->net[net], r->scratch[net], image, logits);
    net_log_softmax(logits, lp);
    for (int i = 0; i < NET_CLASSES; i++) lp[i] += rarer[i];
}

/* Turned, slanted or resized a little: sx, sy are the source of one step to the right, tx, ty of
 * one down. */
struct turn {
    float sx, sy, tx, ty;
};

static void turn_image(const uint8_t *in, const struct turn *t, float *out) {
    const float mid = (NET_SIDE - 1) / 2.0f;
    for (int y = 0; y < NET_SIDE; y++)
        for (int x = 0; x < NET_SIDE; x++) {
            const float u = (float)x - mid, v = (float)y - mid;
            const float sx = t->sx * u + t->tx * v + mid, sy = t->sy * u + t->ty * v + mid;
            const int ix = (int)floorf(sx), iy = (int)floorf(sy);
            float value = 0;
            if (ix >= 0 && iy >= 0 && ix + 1 < NET_SIDE && iy + 1 < NET_SIDE) {
                const uint8_t *p = in + iy * NET_SIDE + ix;
                const float fx = sx - (float)ix, fy = sy - (float)iy;
                value = ((float)p[0] * (1 - fx) + (float)p[1] * fx) * (1 - fy) +
                        ((float)p[NET_SIDE] * (1 - fx) + (float)p[NET_SIDE + 1] * fx) * fy;
            }
            out[y * NET_SIDE + x] = value / 255;
        }
}

/* Every network's log-probabilities of each binarisation, summed over its looks. */
struct looks {
    double sum[READER_VIEWS][NET_CLASSES]; /* network 0's soft and hard view, network 1's */
};

/* A doubtful box is looked at again, turned and slanted: an accident of one angle evens out. */
static void look_again(const struct reader *r, const uint8_t view[2][NET_PIXELS],
                       struct looks *all) {
    static const struct turn turns[READER_TURNS] = {{0.990f, 0.139f, -0.139f, 0.990f},
                                                    {0.990f, -0.139f, 0.139f, 0.990f},
                                                    {1, 0, 0.18f, 1},
                                                    {1, 0, -0.18f, 1},
                                                    {0.92f, 0, 0, 0.92f},
                                                    {1.08f, 0, 0, 1.08f}};
    for (int k = 0; k < READER_TURNS; k++)
        for (int v = 0; v < 2; v++) {
            float image[NET_PIXELS];
            turn_image(view[v], &turns[k], image);
            for (int net = 0; net < 2; net++) {
                double lp[NET_CLASSES];
                ask_net(r, net, image, lp);
                for (int i = 0; i < NET_CLASSES; i++) all->sum[2 * net + v][i] += lp[i];
            }
        }
}

/* The mean of all looks, normalised; do networks and binarisations mean the same? */
static void conclude(const struct looks *all, int looks, struct box_reading *out) {
    const int first = meaning(largest(all->sum[0]));
    out->disagree = false;
    memset(out->lp, 0, sizeof out->lp);
    for (int v = 0; v < READER_VIEWS; v++) {
        for (int i = 0; i < NET_CLASSES; i++) out->lp[i] += all->sum[v][i];
        out->disagree = out->disagree || meaning(largest(all->sum[v])) != first;
    }
    for (int i = 0; i < NET_CLASSES; i++) out->lp[i] /= READER_VIEWS * looks;
    const double sum = log_sum(out->lp, NET_CLASSES);
    for (int i = 0; i < NET_CLASSES; i++) out->lp[i] -= sum;
    out->best = (uint8_t)largest(out->lp);
}

void reader_ask(const struct reader *r, const uint8_t view[2][NET_PIXELS],
                struct box_reading *out) {
    struct looks all = {{{0}}};
    for (int v = 0; v < READER_VIEWS; v++) {
        float image[NET_PIXELS];
        for (int i = 0; i < NET_PIXELS; i++) image[i] = (float)view[v % 2][i] / 255;
        ask_net(r, v / 2, image, all.sum[v]);
    }
    conclude(&all, 1, out);
    if (out->lp[out->best] >= log(READER_SURE)) return;
    look_again(r, view, &all);
    conclude(&all, 1 + READER_TURNS, out);
}

static void say_blank(struct box_reading *out) {
    out->best = CLASS_BLANK;
    for (int i = 0; i < NET_CLASSES; i++) out->lp[i] = i == CLASS_BLANK ? log(0.9987) : log(1e-4);
}

err reader_views(const struct raster *ink, double pixels_per_mm, double box_mm,
                 uint8_t view[2][NET_PIXELS], struct box_reading *out, struct fail *f) {
    const int t = otsu(ink, 45, 150);
    const size_t n = (size_t)ink->w * (size_t)ink->h;
    uint8_t *mask = calloc(n, 1);
    struct raster wide[2] = {{0}, {0}};
    memset(view, 0, 2 * NET_PIXELS);
    err e = mask ? OK : fail_set(f, E_MEMORY, "no memory for a box");
    for (size_t i = 0; e == OK && i < n; i++) mask[i] = ink->p[i] > t;
    if (e == OK) e = clean(mask, ink->w, ink->h, pixels_per_mm, f);
    if (e == OK) measure(ink, mask, pixels_per_mm, out);
    if (e == OK && out->ink_mm2 < BLANK_MM2) {
        out->blank = true;
        free(mask);
        return OK;
    }
    for (int v = 0; e == OK && v < 2; v++) e = raster_init(&wide[v], ink->w, ink->h, f);
    for (int y = 0; e == OK && y < ink->h; y++)
        for (int x = 0; x < ink->w; x++) {
            const size_t i = (size_t)y * (size_t)ink->w + (size_t)x;
            /* the soft view keeps the pixels beside the mask, where the stroke fades */
            const bool near = mask[i] || (x && mask[i - 1]) || (x + 1 < ink->w && mask[i + 1]) ||
                              (y && mask[i - (size_t)ink->w]) ||
                              (y + 1 < ink->h && mask[i + (size_t)ink->w]);
            const int soft = (ink->p[i] - t / 2) * 255 / t;
            wide[0].p[i] = (uint8_t)(!near || soft < 0 ? 0 : soft > 255 ? 255 : soft);
            wide[1].p[i] = mask[i] ? 255 : 0;
        }
    const double max_scale = 20 / (SMALLEST * box_mm * pixels_per_mm);
    for (int v = 0; e == OK && v < 2; v++) (void)digit_normalise(&wide[v], max_scale, view[v]);
    raster_release(&wide[0]);
    raster_release(&wide[1]);
    free(mask);
    return e;
}

err reader_box(const struct reader *r, const struct raster *ink, double pixels_per_mm,
               double box_mm, struct box_reading *out, struct fail *f) {
    uint8_t view[2][NET_PIXELS];
    memset(out, 0, sizeof *out);
    TRY(reader_views(ink, pixels_per_mm, box_mm, view, out, f));
    if (out->blank)
        say_blank(out);
    else
        reader_ask(r, (const uint8_t(*)[NET_PIXELS])view, out);
    return OK;
}
