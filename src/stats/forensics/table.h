/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The stations of one contest, as columns in memory: what every forensic method reads.
 *
 * A CSV fills it and so does a log. Everything is borrowed; an absent column is NULL. */
#ifndef STATS_FORENSICS_TABLE_H
#define STATS_FORENSICS_TABLE_H

#include "base/arena.h"
#include "stats/words.h"

enum { FX_LEVELS = 6, FX_CHOICES = 64, FX_STATIONS = 4000000 };
#define FX_ABSENT  UINT32_MAX /* an empty cell */
#define FX_NO_TIME INT64_MIN
#define FX_MOST    1000000000u /* no station counts more */

struct fx_level {
    const uint32_t *of;      /* [n] number of the station's area, from 0 in order of appearance */
    size_t count;            /* areas */
    const struct span *name; /* [count] full path "county / constituency" */
};

struct fx_table {
    size_t n, choices, leader;
    const struct span *choice; /* names [choices] */
    const struct span *unit;   /* [n] codes, or NULL */
    const uint32_t *registered, *issued, *valid, *rejected; /* [n] or NULL, FX_ABSENT where empty */
    const uint32_t *votes;     /* [choices][n]: votes[c * n + i] */
    bool votes_complete;       /* the choices are all there are: they must add up to valid */
    const int64_t *time_ms;    /* [n] or NULL, FX_NO_TIME where empty */
    size_t levels;             /* 0..FX_LEVELS, from the largest areas to the smallest */
    struct fx_level level[FX_LEVELS];
};

static inline uint32_t fx_votes(const struct fx_table *t, size_t choice, size_t i) {
    return t->votes[choice * t->n + i];
}
/* A cell of an optional column. */
static inline uint32_t fx_cell(const uint32_t *column, size_t i) {
    return column ? column[i] : FX_ABSENT;
}
/* Sum of all choices; absent ones count 0. */
uint64_t fx_votes_total(const struct fx_table *t, size_t i);
/* Valid votes: the column, else the sum of the choices. FX_ABSENT when the form is blank. */
uint32_t fx_valid(const struct fx_table *t, size_t i);
/* Ballots counted: valid + rejected (0 without that column). FX_ABSENT when valid is. */
uint32_t fx_counted(const struct fx_table *t, size_t i);
/* Ballots issued: the column, else those counted. */
uint32_t fx_issued(const struct fx_table *t, size_t i);
/* The choice with the most votes beside the leader; the leader itself when there is no other. */
size_t fx_rival(const struct fx_table *t);

/* Stations sorted by area of one level: stations of area a are order[start[a] .. start[a + 1]).
 * In each area they keep the table's order. NULL on lack of memory. */
struct fx_groups {
    uint32_t *order, *start;
    size_t count;
};
MUST_USE err fx_group(const struct fx_table *t, size_t level, struct arena *mem,
                      struct fx_groups *out, struct fail *f);

#endif
