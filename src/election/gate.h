/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The gate of a contest: what still forbids its declaration, in order, each with its count and the
 * first units that it concerns. Judged from the state alone (spec/records.md, 9). */
#ifndef ELECTION_GATE_H
#define ELECTION_GATE_H

#include "election/declaration.h"
#include "election/materiality.h"
#include "election/tally.h"

enum gate_code {
#define GATE(name, text) name,
#include "election/gate.def"
#undef GATE
    GATE_COUNT
};
const char *gate_name(enum gate_code c); /* "G_MISSING" */
const char *gate_text(enum gate_code c); /* what is counted */
enum gate_code gate_by_name(struct span name); /* GATE_COUNT if there is none */

enum { GATE_LINKS = 20 };

struct gate_item {
    uint64_t count; /* 0: settled */
    uint32_t links[GATE_LINKS]; /* units: the first that it concerns */
    uint32_t link_count;
};

struct gate {
    struct gate_item items[GATE_COUNT];
    unsigned open_items; /* that are not settled; 0: the gate is open */
    struct materiality materiality;
};

/* `findings` of the same state; `a` holds what the gate points to. */
MUST_USE err gate_compute(const struct fold *fold, const struct findings *findings, uint32_t contest,
                          unsigned round, struct arena *a, struct gate *out, struct fail *f);
/* The override lists exactly the items that are not settled, with their counts or more. */
bool gate_is_overridden(const struct fold *fold, const struct gate *g, const struct override *o);

/* The outcome that the rule gives on the totals of a standing collation, region by region. */
MUST_USE err collation_outcome(const struct fold *fold, const struct collation *c, struct arena *a,
                               struct outcome *out, struct fail *f);

/* Deadlines by the rule's clocks, in ms since 1970; UINT64_MAX: none. */
struct clocks {
    uint64_t declare_by_ms;  /* from the close of polling */
    uint64_t petition_by_ms; /* from the declaration, when there is one */
    uint64_t decide_by_ms;   /* from the declaration */
};
void contest_clocks(const struct fold *fold, uint32_t contest, unsigned round, struct clocks *out);

#endif
