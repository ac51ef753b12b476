/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Test forms: our printed form filled with real handwritten digits, then photographed in
 * arithmetic.
 *
 * For tests and measurements only; every form says SIMULATED. Digits come from sets that the caller
 * gives (writers that no network was trained on); signatures and stamps are drawn curves. */
#ifndef PAPER_SYNTH_H
#define PAPER_SYNTH_H

#include "base/rng.h"
#include "paper/digit_data.h"
#include "paper/form_layout.h"
#include "paper/print.h"

#define SYNTH_PPMM 8.0

/* Pixels of a blank page; the caller releases. */
MUST_USE err synth_blank(const struct print_form *form, unsigned page, struct raster *out,
                         struct fail *f);

/* What was really written: a class a box (0-9, CLASS_...). */
struct synth_row {
    uint64_t value;
    bool corrected; /* the figure is struck, the value stands in the correction boxes */
    uint8_t figure[FORM_BOXES_MAX], correction[FORM_BOXES_MAX];
};

struct synth_hand {
    const struct digit_set *digits;
    uint16_t writer;     /* 0: any writer of the set */
    double pen_mm;       /* about the width of the stroke */
    double ink;          /* 0..1, how dark */
    bool dash;           /* puts dashes in unused boxes */
    uint64_t signatures; /* seed of the officer's and deputy's signatures and the stamp */
    /* what synth_hand_draw leaves off, so that its forms stay the same from version to version: */
    uint64_t signing;   /* not 0: another paper of the same people; their signatures vary by this */
    bool bar_seven;     /* a bar through the 7 */
    bool serif_one;     /* a first stroke and a foot at the 1 */
    bool scrawled_stamp, no_stamp, no_officer, no_deputy;
};
/* A hand for one form; every field drawn. */
void synth_hand_draw(struct rng *r, const struct digit_set *digits, struct synth_hand *out);

/* Ways of writing that MNIST's writers do not have: bars, first strokes, dashes; from an own
 * generator, so that the rest of the form stays what it was. */
void synth_hand_vary(struct rng *r, struct synth_hand *hand);

/* Writes `value` into row `row` (a mistake first with probability p_mistake). truth->value is set.
 */
void synth_write_row(struct rng *r, struct raster *page, const struct synth_hand *hand,
                     const struct layout_row *row, unsigned boxes, uint64_t value, double p_mistake,
                     struct synth_row *truth);
/* Signatures, stamp, words beside the figures. */
void synth_sign(struct rng *r, struct raster *page, const struct synth_hand *hand,
                const struct layout_page *layout);

/* A class drawn into one box: a digit of this hand, or a mark. */
void synth_write_box(struct rng *r, struct raster *page, const struct synth_hand *hand,
                     struct rect_mm box, int class);

/* Strikes out what stands in a box. */
void synth_strike_box(struct rng *r, struct raster *page, const struct synth_hand *hand,
                      struct rect_mm box);

/* The tone of paper that is not quite white (1: white), before anything else is done to the page. */
void synth_paper(struct raster *page, double tone);
/* A patch of correction fluid over a box, as white as white is, with a ragged edge: 5 to 8 mm wide
 * and 6 to 9 mm high. The digit under it is gone; another may be written on it. */
void synth_fluid(struct rng *r, struct raster *page, struct rect_mm box);

/* A figure written freely at the right of an open cell, as on forms without boxes: a dash before it
 * now and then, digits 4 to 6 mm high, sometimes touching. */
void synth_write_cell(struct rng *r, struct raster *page, const struct synth_hand *hand,
                      struct rect_mm cell, uint64_t value);

enum synth_device { SYNTH_SCANNER, SYNTH_PHONE, SYNTH_BAD_PHONE };
/* The page as a device sees it: bent, tilted, turned, blurred, shadowed, cropped, noisy. The JPEG's
 * quality is drawn, too. *out is new. */
MUST_USE err synth_photo(struct rng *r, const struct raster *page, enum synth_device device,
                         struct raster *out, int *jpeg_quality, struct fail *f);

#endif
