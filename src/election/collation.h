/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Collations: a returning officer's table (34B, 34C and their kin) of what the stations, or the areas
 * below, say, with its sums. It adds up; it brings no figure of its own (spec/records.md, 6.12).
 *
 * An electronic one is the arithmetic itself. One from paper is logged as it is written, and where it
 * differs from the records that hold, findings say so. */
#ifndef ELECTION_COLLATION_H
#define ELECTION_COLLATION_H

#include "base/arena.h"
#include "election/rules.h"

#define NO_COLLATION UINT32_MAX
#define NO_RECORD     UINT64_MAX
#define TOTAL_MAX    UINT64_C(1000000000000000) /* of a figure in a collation */

enum collation_basis { COLLATION_ELECTRONIC, COLLATION_PAPER };

/* One row or one line of sums; ABSENT where it is blank. */
struct collated {
    uint64_t registered, rejected, valid;
    uint64_t *votes; /* choice_count figures, ballot order */
};

/* What a collation of a unit rests on, part by part: the station's figures that hold, or the standing
 * collation of the area. */
struct collation_line {
    uint32_t unit;
    uint64_t entry; /* of the record that holds; NO_RECORD: none does */
    struct collated is;
};

struct collation_row {
    uint32_t unit;
    uint32_t altered; /* cells that differ from what held when it was logged */
    uint64_t off_by;  /* by how much, added up */
    uint64_t entry;   /* of the record that held; NO_RECORD */
    bool foreign;     /* of no part of this unit, or listed before */
    uint64_t registered, rejected, valid;
    size_t votes_at;
};

struct collation {
    uint64_t entry, ms;
    uint32_t contest, unit;
    uint32_t signer; /* key of the officer */
    uint32_t superseded_by; /* NO_COLLATION: it stands */
    uint16_t round;
    uint8_t basis;   /* enum collation_basis */
    uint8_t form_count;
    size_t form_at;
    uint64_t handed; /* forms handed over with it; ABSENT */
    struct hash rows; /* the object */
    uint64_t rows_size;
    size_t first_row, row_count;
    uint64_t registered, rejected, valid; /* as stated */
    size_t votes_at;
    uint32_t missing;  /* parts without a row */
    uint32_t columns;  /* columns whose stated sum is not that of the rows */
    uint64_t columns_off_by;
};

size_t fold_collation_count(const struct fold *fold);
const struct collation *fold_collation(const struct fold *fold, uint32_t i);
const struct collation_row *collation_row(const struct fold *fold, const struct collation *c, size_t k);
const uint64_t *collation_votes(const struct fold *fold, size_t votes_at);
/* The one that stands for a unit, or NO_COLLATION. */
uint32_t fold_collation_of(const struct fold *fold, uint32_t contest, unsigned round, uint32_t unit);
uint32_t collation_of_entry(const struct fold *fold, uint64_t entry); /* NO_COLLATION */
/* Rows that rest on something that does not hold any more. */
uint64_t collation_stale_rows(const struct fold *fold, const struct collation *c);

/* The unit at which a collation of this unit is made is level number *k of rule->collate; E_UNIT,
 * E_CONTEST otherwise. */
MUST_USE err collation_level(const struct fold *fold, uint32_t contest, uint32_t unit, unsigned *k,
                             struct fail *f);
/* Role and unit of the officer who collates there. */
enum role collation_officer(const struct fold *fold, uint32_t contest, uint32_t unit, uint32_t *of);
/* The lines that a collation of the unit has now, in unit order, and their sums. In the arena. */
MUST_USE err collation_lines(const struct fold *fold, uint32_t contest, unsigned round, uint32_t unit,
                             struct arena *a, struct collation_line **lines, size_t *n,
                             struct collated *sums, struct fail *f);

/* One line of the rows object, for tools and fuzzing. */
struct collation_text {
    struct span code;
    bool has_id;
    struct hash id;
    uint64_t registered, rejected, valid;
    uint64_t votes[MAX_CHOICES];
    uint32_t vote_count;
};
/* The next line; *more false at the end. `rest` begins with the whole object and *number 0. E_OBJECT,
 * or the JSON reader's codes. */
MUST_USE err collation_text_next(struct span *rest, uint64_t *number, struct collation_text *out,
                                 bool *more, struct fail *f);

#endif
