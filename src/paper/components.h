/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Connected components (4 neighbours) of a mask. */
#ifndef PAPER_COMPONENTS_H
#define PAPER_COMPONENTS_H

#include "base/bytes.h"

struct component {
    int x0, y0, x1, y1; /* inclusive */
    int area;           /* 0: this number is not in use */
};

struct components {
    int *label;          /* per pixel: 0 outside the mask, else 1..n-1 */
    struct component *c; /* c[1..n-1] */
    int n;
};

/* mask: w * h bytes, not 0 = inside. The caller releases *out, also after an error. */
MUST_USE err components_find(const uint8_t *mask, int w, int h, struct components *out,
                             struct fail *f);
void components_release(struct components *c);

#endif
