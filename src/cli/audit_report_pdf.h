/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the pages of an audit's report are made of, and the report as PDF. */
#ifndef CLI_AUDIT_REPORT_PDF_H
#define CLI_AUDIT_REPORT_PDF_H

#include "service/audit_files.h"
#include "stats/audit/transcript.h"

struct audit_report {
    struct arena arena;
    struct audit_batches names;
    struct transcript t;
    struct transcript_result result;
    struct transcript_step *step;
    size_t steps;
    double worst;
    bool full, full_holds; /* every box is counted, and the hand count gives the outcome */
    bool simulated;
    char digest[HASH_HEX_LEN + 1];
};

/* "Ann beats Ben, Nyeri" */
void audit_report_claim(const struct audit_report *r, size_t j, char *out, size_t max);
MUST_USE err audit_report_pdf(struct audit_report *r, const char *title, const char *path, struct fail *f);

#endif
