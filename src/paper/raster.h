/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Grey images in memory: 8 bits a pixel, 0 black, 255 white, rows without padding.
 *
 * Plain values; whoever fills a raster releases it. Sizes are bounded by RASTER_PIXELS_MAX. */
#ifndef PAPER_RASTER_H
#define PAPER_RASTER_H

#include "base/bytes.h"

enum {
    RASTER_SIDE_MAX = 20000,
    RASTER_PIXELS_MAX = 64 << 20, /* 64 Mpixel: more than any phone of 2026 sends as one page */
};

struct raster {
    uint8_t *p;
    int w, h;
};

/* White. E_TOO_LARGE past the limits, E_MEMORY. */
MUST_USE err raster_init(struct raster *r, int w, int h, struct fail *f);
void raster_release(struct raster *r);

static inline uint8_t raster_at(const struct raster *r, int x, int y) {
    return r->p[(size_t)y * (size_t)r->w + (size_t)x];
}
/* Bilinear; the border repeats outwards. */
double raster_sample(const struct raster *r, double x, double y);

/* Halves both sides with a 2 x 2 mean, as often as `times`. *out is new. */
MUST_USE err raster_halve(const struct raster *in, int times, struct raster *out, struct fail *f);

/* Mean over a (2*radius+1)^2 window, clipped at the border; *out is new and of the same size. */
MUST_USE err raster_box_mean(const struct raster *in, int radius, struct raster *out,
                             struct fail *f);

/* Quarter turns clockwise (0..3); *out is new. */
MUST_USE err raster_turn(const struct raster *in, int quarters, struct raster *out, struct fail *f);

#endif
