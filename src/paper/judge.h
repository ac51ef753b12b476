/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The arithmetic of a form as evidence, and typed figures against the image.
 *
 * Pure. Where the form's sums hold they may decide between what the image leaves open; where they
 * do not hold people decide. What was typed plays no part in what is read. */
#ifndef PAPER_JUDGE_H
#define PAPER_JUDGE_H

#include "paper/scan.h"

/* The image may prefer another value by this (twelve to one), and no more, over the one with which
 * the form's sums hold. */
#define JUDGE_GATE 2.5

/* Fields whose only doubt was the margin or a disagreement of the views are answered when image and
 * arithmetic together speak for one value by the margin of the rules: joint.h. Their by_sum is set;
 * read.other is then what the image alone would rather say. registered: what the register says of
 * this station, or NULL. r->broken is set. E_MEMORY. */
MUST_USE err judge_figures(struct scan_result *r, const uint64_t *registered,
                           struct decode_rules rules, struct fail *f);

struct judge_typed {
    bool present;
    uint64_t value;
};

/* A typed value is confirmed by an image that speaks for it by this margin; one that makes the
 * typed sums hold, by an image that does not speak against it by more than SLACK. A person and the
 * network rarely make the same mistake, so this is less than what a value of the machine's own
 * needs. */
#define JUDGE_CONFIRM     0.5
#define JUDGE_SLACK       2.5
#define JUDGE_SLACK_TOTAL 4.0 /* over all fields of a page together */

struct judge_field {
    enum scan_verdict verdict;
    double against; /* how much better the best other value explains the boxes; +-inf possible */
    bool by_sum;    /* agrees with the help of the typed sums */
};

/* typed: by row of the form, all pages: room for FORM_ROWS_MAX. registered: what the
 * register says of this station, evidence like a sum; NULL when it is not known. Fills out[k] for
 * every field[k] of this page; returns the page's verdict: DIFFERS when one field does, AGREES when
 * all do (a figure that was neither typed nor written counts as agreeing). */
enum scan_verdict judge_page(const struct scan_result *r, const struct judge_typed *typed,
                             const uint64_t *registered, struct decode_rules rules,
                             struct judge_field out[SCAN_FIELDS_MAX]);

#endif
