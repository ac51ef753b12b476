/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The arithmetic of a form as evidence, and typed figures against the image.
 *
 * Pure. Two sums hold on most forms: the choices add up to the valid votes, and those identified
 * (by kit and by hand) are the valid and the rejected votes. Where they hold they may confirm what
 * was read; they never change a value, and where they do not hold people decide. */
#ifndef PAPER_JUDGE_H
#define PAPER_JUDGE_H

#include "paper/scan.h"

/* Evidence of a sum that holds, as a natural logarithm: of forms with a figure misread the sum
 * holds by chance in fewer than one of fifty. Forms with a sum that does not hold exist (some in a
 * hundred), so no more is claimed. */
#define JUDGE_SUM_EVIDENCE 4.0

/* Fields whose only doubt was the margin or a disagreement of the views, and whose value makes a
 * sum hold on this page, are answered when the joint margin suffices: against every other value of
 * the field with the sum broken, and with any one other field of the sum changed so that it holds
 * again. Their by_sum is set; no value changes. */
void judge_sums(struct scan_result *r, struct decode_rules rules);

/* The same for the registered voters, which the form copies from the register: a reading that is
 * the register's own figure is confirmed by it. */
void judge_register(struct scan_result *r, uint64_t registered, struct decode_rules rules);

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
