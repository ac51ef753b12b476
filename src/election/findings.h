/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Findings: what does not add up, or looks as if somebody should look (design: domain checks of
 * arithmetic, identity and plausibility). Pure functions of the state; thresholds are the
 * definition's. A finding never changes a figure. */
#ifndef ELECTION_FINDINGS_H
#define ELECTION_FINDINGS_H

#include "base/arena.h"
#include "election/station.h"

enum finding_code {
#define FINDING(name, severity, text) name,
#include "election/findings.def"
#undef FINDING
    FINDING_COUNT
};
enum severity { SEVERITY_NONE, SEVERITY_WARNING, SEVERITY_ERROR };

struct finding {
    enum finding_code code;
    uint32_t cell;   /* fold_cell_at */
    uint32_t result; /* NO_RESULT: of the cell */
    uint64_t a, b;   /* amounts in the sentence */
};

struct findings {
    struct finding *items; /* sorted by cell, then as found */
    size_t n;
    size_t *first;  /* per cell: index of its first item; one more at the end */
    uint8_t *worst; /* per cell: enum severity */
    uint64_t count[FINDING_COUNT];
};

const char *finding_name(enum finding_code code);
enum severity finding_severity(enum finding_code code);
/* The sentence with its amounts. */
void finding_text(const struct finding *x, struct buf *out);

/* All findings of the present state, in the arena. */
MUST_USE err findings_compute(const struct fold *fold, struct arena *a, struct findings *out,
                              struct fail *f);

/* What the form of one result shows by itself, also of one that was replaced: into the arena. */
MUST_USE err findings_alone(const struct fold *fold, uint32_t result, struct arena *a,
                            struct finding **out, size_t *n, struct fail *f);

#endif
