/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A contest's rule object as the log carries it (spec/records.md, 5.1), from a preset's kind: the
 * rule's own keys with clocks, declarer, forms, readings, and the levels that collate and compare. */
#ifndef SERVICE_SETUP_RULE_H
#define SERVICE_SETUP_RULE_H

#include "service/expand.h"

/* Appends canonical JSON. Levels that the preset does not name are derived: those above the stations
 * that have a form collate. Where the expansion is a part of the country, the regions of the rule are
 * the regions at hand. E_CONFIG where the preset names a role that declares nothing. */
MUST_USE err setup_rule(const struct expansion *x, const struct preset_kind *k, struct buf *out,
                        struct fail *f);

#endif
