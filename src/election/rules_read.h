/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reading a contest's rule object. Private to election/. */
#ifndef ELECTION_RULES_READ_H
#define ELECTION_RULES_READ_H

#include "base/arena.h"
#include "election/rules.h"

/* Reads `json` (canonical) as the rule of a contest held in a unit of this level. Codes of excluded
 * units go into the arena. A value that is no object, or whose `name` is none that is known, is kept:
 * kind RULE_UNKNOWN. E_FIELD, E_RANGE, E_UNIT. */
MUST_USE err rule_read(struct span json, const struct definition *def, unsigned contest_level,
                       struct arena *a, struct rule *out, struct fail *f);

#endif
