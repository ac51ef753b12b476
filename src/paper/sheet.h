/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A registered photograph, read by places on the sheet: ink of any rectangle, rows brought back to
 * where curled paper moved them, boxes cut out without their lines, the code strip. */
#ifndef PAPER_SHEET_H
#define PAPER_SHEET_H

#include "paper/form_code.h"
#include "paper/register.h"

#define SHEET_PPMM 6.0 /* pixels a millimetre of what is cut out */

struct sheet {
    const struct raster *image; /* borrowed */
    struct registration reg;
    struct raster paper; /* brightness of the paper, one value a block of the image */
    int block;
    double black; /* brightness of print, 0..1 of the paper's */
};

/* Measures paper and print. The caller owns *s: sheet_release; *image must outlive it. */
MUST_USE err sheet_init(struct sheet *s, const struct raster *image, const struct registration *reg,
                        struct fail *f);
void sheet_release(struct sheet *s);

/* Ink (0 none .. 255 print-black) of a rectangle of the sheet at SHEET_PPMM. New raster. */
MUST_USE err sheet_cut(const struct sheet *s, struct rect_mm at, struct raster *out,
                       struct fail *f);
/* The same without any correction of brightness (0 black .. 255 white). */
MUST_USE err sheet_cut_plain(const struct sheet *s, struct rect_mm at, double pixels_per_mm,
                             struct raster *out, struct fail *f);

/* Where the boxes of a row really are, found by their printed lines near the expected place. */
struct row_boxes {
    struct rect_mm figure[FORM_BOXES_MAX], correction[FORM_BOXES_MAX];
    double dx_mm, dy_mm; /* mean displacement of the figure boxes */
    double edges;        /* part of the boxes' sides whose line was found, 0..1 */
};
/* previous: the row above, or NULL (a start for the search). */
MUST_USE err sheet_align_row(const struct sheet *s, const struct layout_row *row, unsigned boxes,
                             const struct row_boxes *previous, struct row_boxes *out,
                             struct fail *f);

/* One printed frame, looked for within 2.4 mm of its place: *found gets where it is, *edges the
 * part of its sides whose line is there. */
MUST_USE err sheet_align_frame(const struct sheet *s, struct rect_mm expected,
                               struct rect_mm *found, double *edges, struct fail *f);

/* A box's ink, a little larger than the box, its lines taken away and strokes across them kept. */
MUST_USE err sheet_cut_box(const struct sheet *s, struct rect_mm box, struct raster *out,
                           struct fail *f);

/* The code strip: E_NOT_FOUND / E_PAPER_CHECK when it cannot be read. */
MUST_USE err sheet_read_strip(const struct sheet *s, struct form_code *out, struct fail *f);

/* Bounding box in the raster's pixels of a rectangle of the sheet. */
void sheet_bounds(const struct sheet *s, struct rect_mm at, double *x0, double *y0, double *x1,
                  double *y1);

#endif
