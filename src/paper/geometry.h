/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Plane homographies: a sheet in millimetres to its photograph in pixels, and back. */
#ifndef PAPER_GEOMETRY_H
#define PAPER_GEOMETRY_H

#include "base/bytes.h"

struct point {
    double x, y;
};

/* (x, y) -> ((a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1)): m = a..h, 1. */
struct homography {
    double m[9];
};

static inline struct point homography_map(const struct homography *h, double x, double y) {
    const double w = h->m[6] * x + h->m[7] * y + h->m[8];
    return (struct point){(h->m[0] * x + h->m[1] * y + h->m[2]) / w,
                          (h->m[3] * x + h->m[4] * y + h->m[5]) / w};
}

/* Least squares over n >= 4 pairs (normalised direct linear transform; Hartley and Zisserman 2004,
 * algorithm 4.2). False when the points do not fix a homography. */
bool homography_fit(const struct point *from, const struct point *to, size_t n,
                    struct homography *out);
bool homography_invert(const struct homography *h, struct homography *out);

#endif
