/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From boxes to a figure: the most likely value, the best other value, and when to say nothing.
 *
 * Pure. A machine's reading is evidence for people, never a result. Scores are natural logarithms
 * of probabilities under the networks; they order readings, they are not promises. */
#ifndef PAPER_DECODE_H
#define PAPER_DECODE_H

#include "paper/form_layout.h"
#include "paper/reader.h"

/* Why a field is not read. Several may hold. */
enum abstain {
    ABSTAIN_MARGIN = 1 << 0,      /* another value is nearly as likely */
    ABSTAIN_DISAGREE = 1 << 1,    /* networks or binarisations name different characters */
    ABSTAIN_OVERWRITTEN = 1 << 2, /* a box holds something that is no single digit */
    ABSTAIN_STRUCK = 1 << 3,      /* some boxes are struck and others are not */
    ABSTAIN_LAYOUT = 1 << 4,      /* an empty box to the right of a digit */
    ABSTAIN_EMPTY = 1 << 5,       /* nothing is written */
    ABSTAIN_DASHES = 1 << 6,      /* dashes only: zero, or nothing? */
    ABSTAIN_BOTH = 1 << 7,        /* figure and correction are both filled in */
    ABSTAIN_PLACE = 1 << 8,       /* the row's boxes were not found where they should be */
    ABSTAIN_INK = 1 << 9, /* one digit's ink is unlike the others': altered, or another pen? */
    ABSTAIN_REASONS = 10
};
/* Short stable names for JSON, in the order of the bits. */
const char *abstain_name(unsigned bit);

struct field_reading {
    bool has_value; /* a value could be formed at all */
    bool has_other;
    bool corrected;                /* taken from the correction boxes: the figure is struck */
    bool struck;                   /* every inked box is struck */
    uint64_t value, other;         /* most likely, and the best other value */
    double score;                  /* log-probability of value */
    double margin;                 /* score less that of the best other value */
    unsigned reasons;              /* enum abstain; 0: answered */
    char text[FORM_BOXES_MAX + 1]; /* what each box seems to hold: 0-9, ' ', '-', 'X', '?' */
};

struct decode_rules {
    double margin;      /* least margin to answer */
    bool cross_is_void; /* an X in a leading box stands for "not used" (other countries' forms) */
};
/* What docs/reading.md was measured with. */
struct decode_rules decode_default_rules(void);

/* One row of boxes. */
void decode_boxes(const struct box_reading *boxes, unsigned n, struct decode_rules rules,
                  struct field_reading *out);
/* A figure and its correction. */
void decode_field(const struct box_reading *figure, const struct box_reading *correction,
                  unsigned n, struct decode_rules rules, struct field_reading *out);

/* Values that the boxes may hold, and how likely each is; the best and every value that differs
 * from it in one digit or in where it begins are among them. Returns how many (at most
 * DECODE_VALUES_MAX), best first. */
enum { DECODE_VALUES_MAX = FORM_BOXES_MAX * FORM_BOXES_MAX * 10 + FORM_BOXES_MAX };
struct decode_value {
    uint64_t value;
    double score;
};
size_t decode_values(const struct box_reading *boxes, unsigned n, struct decode_rules rules,
                     struct decode_value out[DECODE_VALUES_MAX]);
/* Every value whose log-probability is at most `within` below the best one's, with any number of
 * digits exchanged; the best first. Returns how many, at most `room` (then some may be missing). */
size_t decode_near(const struct box_reading *boxes, unsigned n, struct decode_rules rules,
                   double within, struct decode_value *out, size_t room);
/* log-probability of one value, also of one that decode_values does not list; -inf when it has more
 * digits than there are boxes. */
double decode_score(const struct box_reading *boxes, unsigned n, struct decode_rules rules,
                    uint64_t value);

/* How much better the best value other than `typed` explains the boxes: positive when the image
 * speaks against what was typed. -inf .. inf. */
double decode_against(const struct box_reading *boxes, unsigned n, struct decode_rules rules,
                      uint64_t typed);

#endif
