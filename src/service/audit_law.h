/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* An audit's assertions beside what the law of its contest asks: what confirming them leaves out, and what
 * a hand count of everything says of the regional rule, whichever regions the plan chose. */
#ifndef SERVICE_AUDIT_LAW_H
#define SERVICE_AUDIT_LAW_H

#include "service/audit_log.h"

/* What the audit leaves out, as a sentence into out[max]: stations of the contest that the committed list
 * lacks, or a part of the contest's rule that no assertion claims. Empty: nothing. */
void audit_law_gap(const struct audit_log *a, char *out, size_t max);
/* Assertion j is one of the law's own regional rule, which any enough regions fulfil. */
bool audit_law_spread(const struct audit_log *a, size_t j);
/* After a full count: of all regions, enough fulfil assertion j's claim by hand that the rule holds (or
 * fails, where that is what it claims). */
bool audit_law_spread_holds(const struct audit_log *a, size_t j);

#endif
