/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Training boxes that went the whole way: written on our form, photographed in arithmetic,
 * registered, cut out and normalised by the very code that reads real photographs. */
#ifndef PAPER_CROPS_H
#define PAPER_CROPS_H

#include "paper/judge.h"
#include "paper/synth.h"

struct crop_options {
    const struct digit_set *const *sets; /* whose digits are written */
    const double *share;                 /* of each set, adding up to 1 */
    size_t set_count;
    uint64_t seed;
    size_t sheets; /* 150 boxes each */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};

/* Both views of every box that was found and holds ink, in *out (caller: digit_set_release).
 * Digits, dashes, struck characters, crosses, overwritten digits. The same options give the same
 * bytes. */
MUST_USE err crops_make(const struct crop_options *o, struct digit_set *out, struct fail *f);

/* Boxes of a real form's image whose figures people have confirmed: `figures` by row of the form,
 * as for judge_page. A row gives its digits' boxes when it was found, its correction is empty, and
 * as many boxes at its right hold ink as the figure has digits: the labels are people's alone. The
 * file is decoded in a sandboxed child; *out is new (caller: digit_set_release) and may be empty.
 * page: of a PDF. E_NOT_FOUND when the sheet is not ours or not found. */
MUST_USE err crops_confirmed(struct span file, unsigned page,
                             const struct judge_typed figures[FORM_ROWS_MAX], struct digit_set *out,
                             struct fail *f);

#endif
