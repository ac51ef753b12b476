/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Materiality: can what is outstanding, in question, disregarded, postponed or objected to still
 * change the outcome? Exact, in integers: at such a station any figures are possible, up to its
 * register (or what is counted there, if that is more).
 *
 * It is arithmetic. It names no winner, and courts also weigh how an election was run. */
#ifndef ELECTION_MATERIALITY_H
#define ELECTION_MATERIALITY_H

#include "election/findings.h"
#include "election/rules.h"

enum doubt {
    DOUBT_OUTSTANDING, /* no figures hold there */
    DOUBT_IN_QUESTION, /* an error finding, neither accepted nor settled */
    DOUBT_DISREGARDED, /* by a decision */
    DOUBT_POSTPONED,
    DOUBT_OBJECTED, /* an admitted objection, or one upheld and not yet acted on */
    DOUBT_ANY,      /* all of them together */
    DOUBT_COUNT
};
const char *doubt_name(enum doubt d); /* "outstanding", ..., "all" */

#define NO_REGION UINT32_MAX

struct weighed_station {
    uint32_t unit;
    uint32_t region; /* index, or NO_REGION */
    uint8_t doubts;  /* bit set 1 << enum doubt, without DOUBT_ANY */
    bool counted;    /* figures hold: */
    uint64_t most;   /* voters whose votes are possible there */
    uint64_t valid;
    const uint64_t *votes; /* choice_count figures, none ABSENT; when counted */
};

struct weighed {
    struct rule_case c;
    uint32_t region_count;
    struct weighed_station *stations;
    size_t n;
};

/* The stations of a contest and round as they stand. `findings` of the same state. In the arena. */
MUST_USE err weighed_of(const struct fold *fold, const struct findings *findings, uint32_t contest,
                        unsigned round, struct arena *a, struct weighed *out, struct fail *f);

struct materiality_row {
    uint64_t stations, voters;
    bool can_change;          /* the outcome */
    bool majority_can_change; /* elected: the majority (or the lead) can be lost; else: can be won */
    bool regions_can_change;  /* the same of the share in regions */
};

struct choice_bounds {
    uint64_t least, most;                 /* votes */
    uint32_t regions_least, regions_most; /* with the share */
};

struct materiality {
    struct outcome now; /* of the figures that hold */
    struct materiality_row rows[DOUBT_COUNT];
    uint64_t votes_counted, stations_counted; /* valid votes and stations that hold */
    uint64_t valid_least, valid_most;         /* under every doubt */
    struct choice_bounds *choices;            /* choice_count, under every doubt: for a court */
    uint32_t choice_count;
};

MUST_USE err materiality_compute(const struct weighed *w, struct arena *a, struct materiality *out,
                                 struct fail *f);
/* One sentence for the public. */
void materiality_sentence(const struct materiality *m, struct buf *out);

/* The smallest set of stations without whose figures the outcome is another: a target list, for a
 * court's eyes only. least == most: exact. Where it is an integer program (nobody is elected, and
 * somebody would be), the smallest set has at least `least` and at most `most` stations, which are
 * those listed. none: no set of stations does it. */
struct smallest {
    bool none;
    uint64_t least, most;
    uint32_t *units; /* `most` of them, in the arena, largest effect first */
};
MUST_USE err materiality_smallest(const struct weighed *w, struct arena *a, struct smallest *out,
                                  struct fail *f);

#endif
