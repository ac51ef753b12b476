/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From a photograph to the sheet: the six markers are found and read, and give the homography from
 * millimetres to pixels, in any rotation. Two markers are enough; the more, the better. */
#ifndef PAPER_REGISTER_H
#define PAPER_REGISTER_H

#include "paper/form_layout.h"
#include "paper/geometry.h"
#include "paper/raster.h"

struct registration {
    struct homography to_image; /* sheet mm -> raster px */
    unsigned markers;           /* how many were read */
    unsigned seen;              /* which: bit m for marker m */
    double residual_mm;         /* root mean square of the marker corners around the fit */
    double pixels_per_mm;       /* in the middle of the sheet */
};

/* E_NOT_FOUND when fewer than two markers can be read, or their places contradict each other. */
MUST_USE err register_sheet(const struct raster *image, struct registration *out, struct fail *f);

#endif
