/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Registration of other countries' forms that carry black squares: the squares that stand in pairs
 * at the four edges give a first fit, all squares the final one. */
#ifndef PAPER_REGISTER_MARKS_H
#define PAPER_REGISTER_MARKS_H

#include "paper/register.h"

enum { MARKS_MAX = 64 };

struct mark_template {
    struct point centre[MARKS_MAX]; /* mm */
    size_t n;
    double side_mm;
    /* four pairs of squares side by side, as indices: top, right, bottom, left edge */
    size_t pair[4][2];
};

/* out->markers: squares that fit. E_NOT_FOUND when no rotation explains at least two thirds of them
 * within 3 mm. */
MUST_USE err register_marks(const struct raster *image, const struct mark_template *t,
                            struct registration *out, struct fail *f);

#endif
