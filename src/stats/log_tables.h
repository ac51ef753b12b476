/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The tables of the statistics, filled from the state of a log instead of a CSV: stations for the
 * forensic methods and quick counts, every unit for comparisons.
 *
 * Pure. Everything lives in the caller's arena or in the fold and is borrowed from both. Figures are
 * those that hold at a station (election/station.h, cell_held). */
#ifndef STATS_LOG_TABLES_H
#define STATS_LOG_TABLES_H

#include "election/station.h"
#include "stats/compare.h"
#include "stats/forensics/table.h"

struct log_pick {
    uint32_t contest;
    unsigned round;
};
/* The contest with this id (NULL: the only one; E_USAGE lists them when there are several) in round
 * `round` (0: the current one). E_CONTEST, E_ROUND. */
MUST_USE err log_pick(const struct fold *fold, const char *contest, uint64_t round,
                      struct log_pick *out, struct fail *f);

/* Stations with figures, as rows; with `frame` all stations of the contest, those without figures
 * blank. Areas: the levels named in `areas` ("county+ward", from large to small), by default the
 * first three between the contest's unit and the stations. Times are those of the first result's
 * entry. `leader` is the id of a choice, or NULL. E_USAGE, E_CHOICE, E_TOO_LARGE. */
MUST_USE err log_stations(const struct fold *fold, const struct log_pick *p, const char *areas,
                          const char *leader, bool frame, struct arena *mem, struct fx_table *out,
                          struct fail *f);

/* Every unit of the contest as a row with its code: a station's figures, or the sum of those below it
 * (all blank while there are none). Columns: registered, valid, rejected, objected, disputed, then the
 * choices by their ids. */
struct log_units {
    struct cmp_table table;    /* group: the level's name; form: stations only */
    const uint32_t *unit;      /* [rows] in the fold */
    const uint32_t *parent;    /* [rows] row, UINT32_MAX for the first */
    const uint8_t *level;      /* [rows] */
    const uint64_t *expected;  /* [rows] stations */
    const uint64_t *received;  /* [rows] stations with figures */
    const uint64_t *voters_out; /* [rows] registered voters of the stations without figures */
    size_t first_choice;       /* column of the first choice */
    uint8_t station_level;
    size_t in_question;        /* stations with results and no figures that hold (or no picture of the form) */
};
MUST_USE err log_units(const struct fold *fold, const struct log_pick *p, struct arena *mem,
                       struct log_units *out, struct fail *f);

/* Observers' own counts of one contest and round, one row a station. A later report of the same
 * observer replaces the earlier; where observers of one station disagree the station has no row and
 * is listed. `group` (NULL: all) is the group that an observer's key belongs to. Columns as in
 * log_stations, without areas and leader; registered is the definition's. */
struct log_observed {
    struct fx_table table;
    size_t reports, replaced;  /* with counts; of these, replaced by the same observer */
    size_t disputes;
    const struct span *disputed; /* codes of stations where observers disagree */
};
MUST_USE err log_observed(const struct fold *fold, const struct log_pick *p, const char *group,
                          struct arena *mem, struct log_observed *out, struct fail *f);

#endif
