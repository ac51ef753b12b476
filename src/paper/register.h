/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From a photograph to the sheet: the six markers are found and read, and give the homography from
 * millimetres to pixels, in any rotation. Two markers are enough; the more, the better. */
#ifndef PAPER_REGISTER_H
#define PAPER_REGISTER_H

#include "paper/form_layout.h"
#include "paper/geometry.h"
#include "paper/raster.h"

struct registration {
    struct homography to_image; /* sheet mm -> raster px, of a flat sheet */
    double bend[2][6];          /* mm to add to x and y before: 1 x y xy y^2 xy^2 of the place, for
                                   curled paper; fitted when all six markers are read, else 0 */
    unsigned markers;           /* how many were read */
    unsigned seen;              /* which: bit m for marker m */
    double residual_mm;         /* root mean square of the marker corners around the fit */
    double pixels_per_mm;       /* in the middle of the sheet */
};

/* A place of the sheet in the picture, the bend included. */
struct point registration_map(const struct registration *r, double x_mm, double y_mm);

/* E_NOT_FOUND when fewer than two markers can be read, or their places contradict each other. */
MUST_USE err register_sheet(const struct raster *image, struct registration *out, struct fail *f);

#endif
