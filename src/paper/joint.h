/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The figures of one page read together: how likely they are when the form's arithmetic counts as
 * evidence beside the image.
 *
 * Pure. Two sums (the choices are the valid votes; those identified, by kit and by hand, are the
 * valid and the rejected), two bounds (no more objected to than rejected; nothing more than the
 * register has voters) and the register's figure. A rule that holds is worth JOINT_EVIDENCE. */
#ifndef PAPER_JOINT_H
#define PAPER_JOINT_H

#include "paper/scan.h"

/* Evidence of a rule that holds, as a natural logarithm: about 150 to one. Some forms in a hundred
 * do not add up, and what a misread figure needs is that one of them misses by exactly the
 * difference between two values that the image leaves open: assumed to be at most one form in 150,
 * measured on none. */
#define JOINT_EVIDENCE 5.0
/* Values that the image makes less likely than its best by more than this, in one field or in
 * several together, are left out: with all rules for them they would still be behind. */
#define JOINT_REACH       11.0
#define JOINT_REACH_LEAST 8.0 /* where a field has too many such values */

enum joint_rule {
    JOINT_VOTES,      /* the choices add up to the valid votes */
    JOINT_IDENTIFIED, /* by kit + by hand = valid + rejected */
    JOINT_OBJECTED,   /* objected <= rejected */
    JOINT_REGISTER,   /* registered is the register's figure */
    JOINT_BOUND,      /* no figure is more than the register has voters */
    JOINT_RULES
};
const char *joint_rule_name(enum joint_rule r);

struct joint;
/* Looks at the page's fields (borrowed). Fields that cannot be used (a reason that no arithmetic
 * answers, or nothing written) take the rules in which they stand with them. registered: NULL when
 * it is not known. The caller owns *out: joint_free. E_MEMORY. */
MUST_USE err joint_new(const struct scan_result *r, const uint64_t *registered,
                       struct decode_rules rules, struct joint **out, struct fail *f);
void joint_free(struct joint *j);

/* Bits of the rules in which this field stands and all of whose fields can be used. */
unsigned joint_rules_of(const struct joint *j, uint32_t field);

/* The value of field[field] for which image and rules together speak best, when every rule in which
 * it stands holds, every field that needs no help keeps its value, and the image prefers another
 * value by no more than `gate`. *margin: against every other value, and against no value at all,
 * with the rules broken or all other fields free to follow. False when there is none. */
bool joint_value(const struct joint *j, uint32_t field, double gate, uint64_t *value,
                 double *margin);

/* Bits of the rules that the page's answered fields break; rules with a field that is not answered
 * are not judged. */
unsigned joint_broken(const struct scan_result *r, const uint64_t *registered);

#endif
