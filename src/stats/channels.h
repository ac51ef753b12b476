/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One unit's figures in every channel that speaks of it: the stations' forms added up (34A), its row in
 * the collation of the area above and the total of its own collation (34B, 34C or their kin), and a
 * file of somebody's (a portal, a party). Facts: nothing but equality.
 *
 * Pure. docs/forensics.md, "Parallel tallies". */
#ifndef STATS_CHANNELS_H
#define STATS_CHANNELS_H

#include "election/collation.h"
#include "stats/compare_levels.h"

enum channel { CHANNEL_FORMS, CHANNEL_ROW, CHANNEL_COLLATION, CHANNEL_FILE, CHANNELS };

/* Units of one level where two channels speak. */
struct channel_pair {
    size_t compared, equal, differs;
    size_t out; /* of those that differ: forms of the unit's stations are still out, so it may yet agree */
};
struct channel_level {
    uint8_t level;
    struct span name;
    size_t units, has[CHANNELS];
    struct channel_pair pair[CHANNELS][CHANNELS]; /* [a][b] for a < b */
};
struct channel_diff {
    uint32_t row;   /* of log_units */
    size_t column;  /* of its table */
    uint64_t figure[CHANNELS]; /* CMP_ABSENT where the channel has none */
    uint32_t above, own; /* collations of the fold, or NO_COLLATION */
};
struct channels {
    const struct fold *fold;
    const struct log_units *log;
    size_t levels, collations;
    struct channel_level *level; /* from the largest units to the smallest */
    size_t units_differ, diffs;
    struct channel_diff *diff; /* every column of every unit whose channels are not all equal */
};

/* Standing collations only. `file` (NULL: none) and its pairs are those of compare_levels. All that is
 * borrowed must outlive the result. */
MUST_USE err channels_compare(const struct fold *fold, const struct log_pick *p, const struct log_units *log,
                              const struct cmp_levels *file, struct arena *mem, struct channels *out,
                              struct fail *f);

/* The member "channels" of an open object; at most `limit` differences. */
void channels_json(const struct channels *c, enum lang lang, size_t limit, struct json_out *j);
void channels_text(const struct channels *c, enum lang lang, size_t limit, struct buf *out);
/* What the channels show together, and what they cannot show. */
void channels_say(const struct channels *c, enum lang lang, struct buf *out);

#endif
