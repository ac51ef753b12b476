/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Expansion: from a preset to an election night - stations, their figures, and when they arrive.
 *
 * Pure and seeded: the same preset, options and stations give the same night. Where the preset has
 * published totals (Form 34C), the stations' figures add up to them exactly, figure by figure; all
 * that is not in the totals is simulated. Holes stay holes: see struct expand_note. */
#ifndef SERVICE_EXPAND_H
#define SERVICE_EXPAND_H

#include "service/preset.h"

/* A station as given from outside (import): sorted by code, no repeats. */
struct expand_place {
    struct span code, name;        /* full code; name of the centre */
    struct preset_cell registered; /* absent: a share of what the area has */
};

struct expand_options {
    uint64_t seed;
    uint64_t limit;           /* the first so many stations in code order; 0: all */
    const char *const *areas; /* codes of the first level to keep ("047"); none: all */
    size_t area_count;
    bool all_contests;                 /* else only the one that the published totals are of */
    const struct expand_place *places; /* NULL: stations are made from the areas' numbers */
    size_t place_count;
};

struct expand_station {
    struct span code, name;   /* "001001000100102", "PORT REITZ CENTRE 001" */
    uint32_t unit;            /* its centre, or its area when the preset has no centres */
    uint32_t stream, streams; /* "stream 2 of 4" at its centre */
    struct preset_cell registered;
    uint32_t figures_first, figures_count; /* this station's rows of `figures` */
};

/* One contest at one station. */
struct expand_figures {
    uint32_t station, contest;
    bool sent;             /* false: expected, and no figures exist: the rest is empty */
    const uint64_t *votes; /* in the order of the contest's choices */
    struct preset_cell valid, rejected, objected, disputed;
    struct preset_cell identified; /* voters identified, by the kit and by hand */
    /* Sets of choices (bit i = choice i) whose agent was there, and of those, who signed. */
    uint64_t agents_present, agents_signed;
    uint64_t arrival_ms; /* after the poll's close */
};

enum expand_note_kind {
    NOTE_NO_ROW,             /* the totals have no row for this unit: unsent */
    NOTE_NO_VOTES,           /* its row has no votes: unsent */
    NOTE_PART_BLANK,         /* its row lacks some choices' votes: unsent */
    NOTE_REJECTED_BLANK,     /* absent at its stations too */
    NOTE_SUM_DIFFERS,        /* the row's votes are not its valid: stations keep the arithmetic */
    NOTE_OVER_REGISTER,      /* more ballots than voters: so at its stations, in proportion */
    NOTE_REGISTERED_DIFFERS, /* totals and register disagree: stations follow the register */
    NOTE_STATION_OVER_MAX,   /* more voters than the area's stations may hold */
    NOTE_KINDS
};

struct expand_note {
    enum expand_note_kind kind;
    uint32_t unit;    /* of the expansion */
    struct span text; /* one sentence */
};

struct expansion {
    const struct preset *preset;
    /* Units that have stations, nation first, then level by level in code order, centres last.
     * Indices are the expansion's own. */
    struct preset_unit *units;
    uint32_t unit_count;
    uint32_t level_first[PRESET_LEVELS_MAX + 1];
    struct preset_contest *contests; /* those with a station here; `unit` is the expansion's */
    uint32_t contest_count;
    struct expand_station *stations; /* in code order */
    uint32_t station_count;
    struct expand_figures *figures; /* by station, then in the order of contests */
    uint32_t figures_count;
    uint32_t *order; /* the sent ones of `figures`, by arrival */
    uint32_t sent_count;
    struct expand_note *notes;
    uint32_t note_count;
};

/* "no-row", "no-votes", ... */
const char *expand_note_name(enum expand_note_kind kind);

/* The whole night. *out borrows from `a` and from `p` (14 MB for 40,883 stations, 50 MB with
 * six contests). E_CONFIG when the places do not fit the preset's areas or the options leave no
 * station, E_MEMORY. */
MUST_USE err expand(const struct preset *p, const struct expand_options *o, struct arena *a,
                    struct expansion *out, struct fail *f);

/* The parts, for a caller that brings its own figures (import): units and stations only ... */
MUST_USE err expand_stations(const struct preset *p, const struct expand_options *o,
                             struct arena *a, struct expansion *out, struct fail *f);
/* ... and, once the figures stand: arrival, voters identified and agents, and the order. Fills only
 * what is absent, for those that are sent. */
MUST_USE err expand_night(struct expansion *x, uint64_t seed, struct arena *a, struct fail *f);

#endif
