/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The published results, as JSON: pure functions of the state, so that a mirror makes the same bytes
 * and a verifier compares them (spec/results.md).
 *
 *   results/index.json                       the election, its contests, records by type, findings
 *   results/CONTEST/ROUND/UNIT.json          one unit: totals, and its parts (children or stations)
 *   results/CONTEST/ROUND/findings.json      every finding of the contest
 *   results/CONTEST/ROUND/gate.json          what forbids its declaration, collations, declaration */
#ifndef ELECTION_RESULTS_H
#define ELECTION_RESULTS_H

#include "election/tally.h"

enum { RESULTS_PATH_MAX = 160 };

/* Path of a unit's file, relative to the public tree. */
void results_unit_path(const struct fold *fold, uint32_t contest, unsigned round, uint32_t unit,
                       char out[RESULTS_PATH_MAX]);
void results_findings_path(const struct fold *fold, uint32_t contest, unsigned round,
                           char out[RESULTS_PATH_MAX]);

/* Appends the file of row `i` of the tally: for units above the stations' parents their children's
 * totals, for parents of stations each station in full. A station has no file of its own. */
MUST_USE err results_unit(const struct fold *fold, const struct tally *t, const struct findings *fi,
                          size_t i, struct buf *out, struct fail *f);
/* True if row `i` gets a file (it is not a station). */
bool results_has_file(const struct fold *fold, const struct tally *t, size_t i);
MUST_USE err results_findings(const struct fold *fold, const struct tally *t,
                              const struct findings *fi, struct buf *out, struct fail *f);
/* The gate of the tally's contest and round. */
void results_gate_path(const struct fold *fold, uint32_t contest, unsigned round,
                       char out[RESULTS_PATH_MAX]);
MUST_USE err results_gate(const struct fold *fold, const struct tally *t, const struct findings *fi,
                          struct buf *out, struct fail *f);
/* "provisional, not declared", "declared", or "declared, annulled since"; constant text. */
const char *results_status(const struct fold *fold, uint32_t contest, unsigned round);
/* Of the election: "provisional, not declared", "some contests are declared, others provisional", or
 * "declared" when every contest is, in its present round. Constant text. */
const char *results_election_status(const struct fold *fold);
/* `tallies` has one element for each contest and round so far, in order of contest, then round. */
MUST_USE err results_index(const struct fold *fold, const struct tally *tallies, size_t n,
                           const struct findings *fi, struct buf *out, struct fail *f);

/* A station's state in one word or two, as the files say it; constant text. */
const char *results_station_state(const struct fold *fold, const struct findings *fi,
                                  const struct tally *t, const struct tally_row *row);

/* Everything there is to compute about a state: findings, then a tally for each contest and round. */
struct results {
    struct arena arena;
    struct findings findings;
    struct tally *tallies;
    size_t n;
};
MUST_USE err results_compute(const struct fold *fold, struct results *out, struct fail *f);
void results_release(struct results *r);

/* Files about the election as a whole, beside index.json. Publisher, mirror and verify go through the
 * table: a new file is one row in results_files.c. */
struct results_file {
    const char *path; /* below the public tree */
    uint64_t types;   /* bit set of the record types that change it (1 << REC_...) */
    err (*render)(const struct fold *fold, const struct results *r, struct buf *out, struct fail *f);
};
extern const struct results_file results_files[];
extern const size_t results_file_count;
/* Changes when file i may have changed. */
uint64_t results_file_stamp(const struct fold *fold, size_t i);

#endif
