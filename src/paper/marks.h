/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What else stands on a registered sheet: correction fluid over printed lines, the ring of a stamp.
 *
 * Findings for people, never a verdict: docs/reading.md says how often they are right. */
#ifndef PAPER_MARKS_H
#define PAPER_MARKS_H

#include "paper/sheet.h"

/* Correction fluid, a sticker or an erasure hides print: the longest piece of a box's printed line, in
 * mm, that is gone while most of the row's lines are there. Boxes of one row where they were found.
 * Fluid that touches no line is not seen: on a grey picture it is as white as the paper. */
MUST_USE err marks_hidden(const struct sheet *s, const struct rect_mm *boxes, unsigned n,
                          double *gap_mm, bool *found, struct fail *f);

/* The ring that fits the ink of a zone best: radii of 6 to 15 mm. */
struct ring_signs {
    double part; /* of the circle, 0..1, with ink on it and less ink 2 mm inside or outside of it */
    double radius_mm;
    bool found;
};
MUST_USE err marks_ring(const struct sheet *s, struct rect_mm zone, struct ring_signs *out,
                        struct fail *f);

#endif
