/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The audits of a verified log, done again. */
#ifndef CLI_VERIFY_AUDITS_H
#define CLI_VERIFY_AUDITS_H

#include "election/fold.h"
#include "service/tree_source.h"

/* Appends what was found: lines, or in JSON a member "audits" before the closing brace of the object that
 * stands in *out. *wrong: audits that were closed with something that their records do not give. One
 * that cannot be computed (its list is absent, or gives no such outcome) is told and is nobody else's
 * fault: an audit board's mistake is no misconduct of the log. */
MUST_USE err verify_audits(const struct fold *fold, const struct tree_source *s, bool json, struct buf *out,
                           size_t *wrong, struct fail *f);

#endif
