/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Findings: what does not add up, or looks as if somebody should look (design: domain checks of
 * arithmetic, identity and plausibility). Pure functions of the state; thresholds are the
 * definition's. A finding never changes a figure. */
#ifndef ELECTION_FINDINGS_H
#define ELECTION_FINDINGS_H

#include "base/arena.h"
#include "election/desk.h"

enum finding_code {
#define FINDING(name, severity, text) name,
#include "election/findings.def"
#undef FINDING
    FINDING_COUNT
};
enum severity { SEVERITY_NONE, SEVERITY_WARNING, SEVERITY_ERROR };

enum { FINDING_ENTRIES = 4 };

struct finding {
    enum finding_code code;
    uint8_t severity; /* enum severity, as the definition has it */
    uint8_t entries;
    uint16_t round;
    uint32_t contest, unit;
    uint32_t cell;     /* fold_cell_at; NO_CELL: of the unit */
    uint32_t result;   /* NO_RESULT: of the cell */
    uint32_t decision; /* the decision that accepts or settles it; NO_DECISION: open */
    uint32_t entry[FINDING_ENTRIES]; /* records that cause it, the first few */
    uint32_t latest;   /* the last of all that cause it: an earlier decision does not cover it */
    uint64_t a, b;     /* amounts in the sentence */
};

struct findings {
    struct finding *items; /* of cells: sorted by cell, then as found; then those of units, sorted */
    size_t n;
    size_t unit_items; /* index of the first of a unit */
    bool one_contest; /* the arrays below are by cell.number, otherwise by the cell's own index */
    size_t *first;  /* per cell: index of its first item; one more at the end */
    uint8_t *worst; /* per cell: enum severity of what is neither accepted nor settled */
    uint64_t count[FINDING_COUNT];
    uint64_t open[FINDING_COUNT]; /* of these neither accepted nor settled */
};

const char *finding_name(enum finding_code code);
enum finding_code finding_by_name(struct span name); /* FINDING_COUNT if there is none */
/* As it is usually, and as this election's definition has it (SEVERITY_NONE: switched off). */
enum severity finding_severity(enum finding_code code);
enum severity finding_severity_in(const struct fold *fold, enum finding_code code);
/* Accepting is not enough: it goes away when one of the records is adopted or the station disregarded. */
bool finding_needs_adopt(enum finding_code code);
/* A decision may accept it: it changes no figure, and no ruling is awaited. */
bool finding_acceptable(enum finding_code code);
/* It is about a collation from paper. */
bool finding_of_collation(enum finding_code code);
/* What it means and what to do about it, in plain words; "" where nobody has written it yet. */
const char *finding_explanation(enum finding_code code);
/* Where `first` and `worst` have a cell (of this contest, where they are of one). */
size_t findings_place(const struct findings *fi, const struct fold *fold, uint32_t cell);
/* The findings of a unit above the stations itself; *n of them. */
const struct finding *findings_of_unit(const struct findings *fi, uint32_t contest, unsigned round,
                                       uint32_t unit, size_t *n);
/* The sentence with its amounts. */
void finding_text(const struct finding *x, struct buf *out);

/* The findings of one contest and round, and of nothing else: what its gate needs. The work is that of
 * its own stations, however many other contests there are. */
MUST_USE err findings_of_contest(const struct fold *fold, uint32_t contest, unsigned round,
                                 struct arena *a, struct findings *out, struct fail *f);
/* All findings of the present state, in the arena. */
MUST_USE err findings_compute(const struct fold *fold, struct arena *a, struct findings *out,
                              struct fail *f);

/* What the form of one result shows by itself, also of one that was replaced: into the arena. */
MUST_USE err findings_alone(const struct fold *fold, uint32_t result, struct arena *a,
                            struct finding **out, size_t *n, struct fail *f);

#endif
