/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Open cells: a figure written freely into a ruled cell, without boxes, as on the forms of 2022. A
 * dash before the figure, rules and borders are taken away; where digits touch, several ways of
 * cutting them apart are tried and the networks judge.
 *
 * What comes out is weaker than boxed digits: use it to confirm a typed value. */
#ifndef PAPER_CELL_H
#define PAPER_CELL_H

#include "paper/decode.h"
#include "paper/sheet.h"

enum { CELL_DIGITS_MAX = FORM_BOXES_MAX };

/* `ink`: the inside of a cell, 0 none .. 255 print-black; changed (rules are taken out). The value
 * is the most likely over all ways of cutting; `other` and the margin compare with the best way
 * that gives another value. ABSTAIN_EMPTY, _DASHES, _OVERWRITTEN (a character that is no digit),
 * _LAYOUT (too many characters), _MARGIN. text: the characters as read. */
MUST_USE err cell_read(const struct reader *r, struct raster *ink, double pixels_per_mm,
                       struct decode_rules rules, struct field_reading *out, struct fail *f);

/* A cell of a registered sheet. */
MUST_USE err cell_read_at(const struct reader *r, const struct sheet *s, struct rect_mm cell,
                          struct decode_rules rules, struct field_reading *out, struct fail *f);

#endif
