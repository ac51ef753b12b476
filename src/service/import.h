/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Import: a CSV of real stations, one a row, columns mapped by name.
 *
 * Levels have a column of codes, or only names with a number in them ("001 APAC"), from which codes
 * are made: where siblings bear the same number a digit is added. Strict: whatever cannot be read
 * is refused with line and column; what is merely odd is counted in the report. */
#ifndef SERVICE_IMPORT_H
#define SERVICE_IMPORT_H

#include "service/expand.h"

struct import_level {
    const char *level; /* "district": a-z 0-9 '-' */
    const char *code;  /* column of digits; NULL: the number in `name` */
    const char *name;  /* column; NULL: the code itself, and for a station its centre's name */
};

struct import_choice {
    const char *column;
    const char *name, *party; /* NULL: the column's name; none */
};

struct import_map {
    const struct import_level *levels; /* below the nation, the station last: 2 to 7 */
    size_t level_count;
    const char *registered, *valid, *rejected; /* columns; NULL: not there */
    const struct import_choice *choices;
    size_t choice_count;
    /* What no CSV says. `like` (or NULL) lends roles, quotas, thresholds, deadlines and the poll.
     */
    const char *id, *title, *nation_code, *nation_title, *contest, *contest_title;
    const struct preset *like;
};

struct import_report {
    uint64_t rows, stations;
    uint64_t number_repeated; /* units told apart from a sibling of the same number by a digit */
    uint64_t number_at_end;   /* rows where a number stood behind its name */
    uint64_t unsent;          /* stations whose votes are all blank ... */
    uint64_t part_blank;      /* ... or partly (unsent, too) */
    uint64_t registered_blank, rejected_blank;
    uint64_t sum_differs;   /* votes do not add up to valid: carried over as they are */
    uint64_t over_register; /* valid and rejected exceed the registered: carried over */
};

/* Only the stations: sorted by code, for expand_options.places of a preset with the same codes.
 * E_CSV (with lines; a station that stands twice is refused), E_CONFIG for a wrong map, E_MEMORY.
 */
MUST_USE err import_places(const char *path, const struct import_map *m, struct arena *a,
                           struct expand_place **out, size_t *count, struct import_report *report,
                           struct fail *f);

/* Units, one contest and its figures: a preset and its night. Of the options seed, limit and areas
 * are used. *p must stay where it is as long as *x is used. */
MUST_USE err import_election(const char *path, const struct import_map *m,
                             const struct expand_options *o, struct arena *a, struct preset *p,
                             struct expansion *x, struct import_report *report, struct fail *f);

#endif
