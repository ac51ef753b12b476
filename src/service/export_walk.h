/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What every export format looks at, and how its bytes go out; between the export_*.c files only. */
#ifndef SERVICE_EXPORT_WALK_H
#define SERVICE_EXPORT_WALK_H

#include "election/declaration.h"
#include "service/export.h"

/* --- output --- */

struct export_out {
    struct buf b;
    const struct export_sink *sink;
};
void export_out_init(struct export_out *o, const struct export_sink *sink);
void export_out_release(struct export_out *o);
/* Hands on what is there once it is about a megabyte; call it between rows. */
MUST_USE err export_out_spill(struct export_out *o, struct fail *f);
MUST_USE err export_out_end(struct export_out *o, struct fail *f);

/* --- the checkpoint --- */

/* Entries, "2017-08-08T17:00:00Z" of the last one, root in base64. */
struct export_checkpoint {
    uint64_t size, ms;
    char time[21], root[HASH_BASE64_LEN + 1];
    char election[HASH_HEX_LEN + 1];
};
void export_checkpoint(const struct export_source *s, struct export_checkpoint *out);
/* One sentence with all of it, and that figures are SIMULATED where they are. */
void export_sentence(const struct export_source *s, struct buf *out);

/* --- the state --- */

/* The contest of this tally is exported. */
bool export_wants(const struct export_source *s, const struct tally *t);
/* Number of tallies that are exported, and whether they are all of one contest. */
size_t export_wanted(const struct export_source *s, bool *one_contest);
/* Row i is a station at which this contest is (or was to be) held. */
bool export_is_station(const struct export_source *s, const struct tally *t, size_t i);

/* What is known of one station in one contest and round. */
struct export_station {
    const struct unit *unit;
    const struct tally_row *row;
    const struct cell *cell;     /* NULL: nothing was said */
    const struct result *result; /* the one current one, NULL if there is none or more than one */
    const struct image *image;   /* of its form; else one that names no result; NULL */
    const char *state;           /* results_station_state */
    bool counted;                /* in the total "transmitted" */
    uint64_t valid_computed;     /* the sum of the choices' votes, ABSENT when all are blank */
    uint64_t standing;           /* results that are not superseded */
};
void export_station(const struct export_source *s, const struct tally *t, size_t i,
                    struct export_station *out);
/* Codes of its findings with a blank between them; `open`: only those that no decision accepts or
 * settles. */
void export_findings(const struct export_source *s, const struct tally_row *row, bool open,
                     struct buf *out);
/* What the tally desk did with a station; zero times: nothing of the kind. */
struct export_desk {
    uint64_t held;         /* entry whose figures hold, ABSENT: none do */
    unsigned readings;     /* people's, open */
    uint64_t read_ms;      /* the last of them opened */
    uint64_t compared_ms;  /* the last comparison with the original */
    const struct decision *decision; /* that holds here; NULL */
};
void export_desk(const struct export_source *s, const struct cell *c, struct export_desk *out);
const char *export_action(const struct decision *d);
/* Codes of the findings that it accepts, with a blank between them. */
void export_codes(const struct decision *d, struct buf *out);

const char *export_image_kind(const struct image *m);
/* The unit above `unit` at this level, or NO_UNIT. */
uint32_t export_ancestor(const struct export_source *s, uint32_t unit, unsigned level);

/* The declaration of a tally's contest and round, or NULL. */
const struct declaration *export_declaration(const struct export_source *s, const struct tally *t);
enum export_status { EXPORT_PROVISIONAL, EXPORT_SOME_DECLARED, EXPORT_DECLARED };
enum export_status export_status(const struct export_source *s);
const char *export_status_text(enum export_status status);

/* Names (or ids) of the choices that the outcome names. */
void export_outcome(const struct fold *fold, const struct declaration *d, bool names, const char *between,
                    struct buf *out);

/* For formats that have one figure for each unit: the total "transmitted" until the contest is declared;
 * then the figures that hold, added up, and at the contest's own unit what the declaration rests on.
 * One for each row, in the arena or borrowed from the tally. */
MUST_USE err export_totals(const struct export_source *s, const struct tally *t, struct arena *a,
                           const struct total ***out, struct fail *f);
/* Station row i is in them. */
bool export_is_counted(const struct export_source *s, const struct tally *t, size_t i);
/* Whether every station of the exported contests is counted, those left out where the contest is not
 * held; a declared contest is complete. */
bool export_complete(const struct export_source *s);

/* --- the formats --- */

MUST_USE err export_csv(const struct export_source *s, struct export_out *o, struct fail *f);
MUST_USE err export_json(const struct export_source *s, struct export_out *o, struct fail *f);
MUST_USE err export_err(const struct export_source *s, bool xml, struct export_out *o, struct fail *f);
MUST_USE err export_eml(const struct export_source *s, struct export_out *o, struct fail *f);
MUST_USE err export_atom(const struct export_source *s, struct export_out *o, struct fail *f);
MUST_USE err export_geojson(const struct export_source *s, struct export_out *o, struct fail *f);
MUST_USE err export_sqlite(const struct export_source *s, const char *path, struct fail *f);
extern const char export_sqlite_schema[]; /* the statements that make its tables */

#endif
