/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How findings are collected. Private to election/findings*.c. */
#ifndef ELECTION_FINDINGS_IMPL_H
#define ELECTION_FINDINGS_IMPL_H

#include "election/findings.h"
#include "election/state.h"

struct work {
    const struct fold *s;
    struct budget budget;
    struct vec list; /* struct finding */
    bool full;
    struct finding nowhere; /* what is switched off is written here */
    uint32_t only;          /* a contest, NO_CONTEST: all; and its round */
    unsigned only_round;
};

static inline bool findings_wanted(const struct work *w, uint32_t contest, unsigned round) {
    return w->only == NO_CONTEST || (w->only == contest && w->only_round == round);
}
/* Every wanted cell, in no order that matters: *cursor is 0 at first and then the cell's index + 1; NULL
 * at the end. */
const struct cell *findings_next_cell(const struct work *w, uint32_t *cursor);
/* A finding of a cell, and with a result of that record; further records can be added to it. Never
 * NULL; valid until the next one is added. */
struct finding *finding_add(struct work *w, enum finding_code code, uint32_t cell, uint32_t result,
                            uint64_t a, uint64_t b);
/* The same of a unit. */
struct finding *finding_add_unit(struct work *w, enum finding_code code, uint32_t contest,
                                 unsigned round, uint32_t unit, uint64_t a, uint64_t b);
/* One more record that a finding rests on. */
void finding_because(struct finding *x, uint64_t entry);
/* What can be seen in the figures of one form alone. `reading`: the entry that carries them when it is
 * no result; `decision`: the one that adopted it; ABSENT: none. */
void findings_of_figures(struct work *w, uint32_t cell, uint32_t result, const struct figures *g,
                         uint64_t voters, uint64_t reading, uint64_t decision);

/* Across channels: transmitted, read by people and by the machine, compared with the original. */
void findings_of_desk(struct work *w, uint32_t cell);
/* Forms handed over against stations. */
void findings_of_forms(struct work *w);
/* Collations from paper against what holds. */
void findings_of_collations(struct work *w);
/* Which of them decisions accept or settle: sets their `decision`. */
MUST_USE err findings_settle(const struct fold *s, struct arena *a, struct findings *fi, struct fail *f);

#endif
