/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The comparison of two tallies as a PDF to print: verdict, totals, ratio plots, units that differ with
 * the signed form behind each. The same result gives the same bytes. */
#ifndef SERVICE_COMPARE_PDF_H
#define SERVICE_COMPARE_PDF_H

#include "stats/compare.h"

struct compare_pdf {
    const struct cmp_result *result;
    const char *source; /* what was read */
    bool simulated;
    size_t limit;       /* differing figures listed at most */
};
MUST_USE err compare_pdf(const struct compare_pdf *p, enum lang lang, struct buf *out,
                         struct fail *f);

#endif
