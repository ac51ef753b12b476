/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reads a CSV of stations into the table of the forensic methods, with columns mapped by name.
 *
 * Streaming; what is kept is bounded by the number of stations (4 million), not by the file. */
#ifndef SERVICE_STATION_CSV_H
#define SERVICE_STATION_CSV_H

#include "stats/forensics/table.h"

struct station_csv {
    struct fx_table table; /* borrows from the fields below */
    struct arena mem;
    void *columns[8];
    void *levels[FX_LEVELS];
};

/* `columns` is "registered=COL,valid=COL,votes=A+B+C,area=COUNTY+WARD,...": a name may be a sum of
 * columns (of area and unit: a path); `where` is "COL=VALUE" or NULL; `leader` one of the votes,
 * or NULL: then votes= may be left out too.
 * E_USAGE for a wrong mapping, E_CSV with line and column for wrong data. Always release. */
MUST_USE err station_csv_read(const char *path, const char *columns, const char *leader,
                              const char *where, struct station_csv *out, struct fail *f);
/* The same from a reader that the caller opened; `name` is for messages. */
struct csv;
MUST_USE err station_csv_read_open(struct csv *c, const char *name, const char *columns,
                                   const char *leader, const char *where, struct station_csv *out,
                                   struct fail *f);
void station_csv_release(struct station_csv *s);

/* Unix ms (or any increasing whole number) of "2022-08-09T22:36:59", "2022-08-09 22:36",
 * "...59.123Z", "...+03:00" or a plain whole number. E_CSV. Without a zone: taken as UTC. */
MUST_USE err station_time_parse(struct span s, int64_t *out, struct fail *f);

#endif
