/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reading one box: its ink to log-probabilities of classes, by two networks and two binarisations.
 */
#ifndef PAPER_READER_H
#define PAPER_READER_H

#include "paper/net.h"
#include "paper/raster.h"

enum {
    READER_VIEWS = 4, /* two networks times two binarisations */
    READER_TURNS = 6, /* further looks of each network at a doubtful box */
};
#define READER_SURE 0.99 /* a probability below is doubtful */

struct reader {
    struct net net[2];
    struct net_scratch *scratch[2];
};

/* What the networks say of one box. */
struct box_reading {
    double lp[NET_CLASSES]; /* mean of the views' log-probabilities, normalised */
    uint8_t best;           /* the most likely class */
    bool disagree;          /* over their looks, networks or binarisations do not mean the same: a
                             * digit, not used, or void */
    bool blank;             /* too little ink to ask the networks */
    double ink_mm2;         /* area of ink */
    double darkness;        /* mean ink of the strokes, 0..1 */
    double width_mm;        /* mean stroke width: twice the area over the outline */
};

/* From two network files; the caller owns *r: reader_release. E_READER. */
MUST_USE err reader_init(struct reader *r, struct span net_a, struct span net_b, struct fail *f);
/* With the weights that were built in. */
MUST_USE err reader_init_builtin(struct reader *r, struct fail *f);
void reader_release(struct reader *r);

/* What a network is shown of a box: two binarisations, soft and hard, each brought to 28 x 28. The
 * measures of *out are set (ink, darkness, width, blank); the images are empty when it is blank. */
MUST_USE err reader_views(const struct raster *ink, double pixels_per_mm, double box_mm,
                          uint8_t view[2][NET_PIXELS], struct box_reading *out, struct fail *f);

/* What the networks say of the two views of a box that holds ink: lp, best and disagree of *out. */
void reader_ask(const struct reader *r, const uint8_t view[2][NET_PIXELS], struct box_reading *out);

/* `ink`: a box cut out, its lines removed; 0 none .. 255 black. box_mm: the box's height. */
MUST_USE err reader_box(const struct reader *r, const struct raster *ink, double pixels_per_mm,
                        double box_mm, struct box_reading *out, struct fail *f);

#endif
