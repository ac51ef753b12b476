/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Training images: digits bent as pens, hands and phones bend them, and the classes that no public
 * data holds (dash, X and struck, overwritten, blank), drawn from strokes.
 *
 * Pure: the same generator state gives the same image on one machine. */
#ifndef PAPER_AUGMENT_H
#define PAPER_AUGMENT_H

#include "base/rng.h"
#include "paper/net.h"

/* One digit's 28 x 28 image, distorted. `strength` 1 is the training's, 0 leaves it as it is. */
void augment_digit(struct rng *r, const uint8_t *image, int label, double strength,
                   float out[NET_PIXELS]);

/* The same for hands of countries that no source shows: hooked 9, open 4 with a short arm, long
 * bars, digits drawn as broad as high, and sources of few black and white pixels. */
void augment_wide(struct rng *r, const uint8_t *image, int label, double strength,
                  float out[NET_PIXELS]);

/* An image of a class >= CLASS_BLANK. a and b are two digits to build on (struck, overwritten);
 * they are of different labels. */
void augment_mark(struct rng *r, int class, const uint8_t *a, const uint8_t *b,
                  float out[NET_PIXELS]);

/* A stroke along a quadratic curve, by the maximum with what is there; coordinates in pixels of a
 * side x side image. */
struct stroke {
    double x0, y0, x1, y1, x2, y2, width, ink;
};
void stroke_draw(float *image, int side, const struct stroke *s);
/* A dash and an X as people write them, `size` pixels wide or high around (cx, cy). */
void strokes_dash(struct rng *r, float *image, int side, double cx, double cy, double size,
                  double width);
void strokes_cross(struct rng *r, float *image, int side, double cx, double cy, double size,
                   double width);
/* What strikes a character out: a cross, one to three lines, or a slanted stroke. */
void strokes_strike(struct rng *r, float *image, int side, double cx, double cy, double size,
                    double width);

#endif
