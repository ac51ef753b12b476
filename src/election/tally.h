/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Totals of one contest and round at every unit. Named totals are kept apart and never mixed;
 * integers only, every addition checked. */
#ifndef ELECTION_TALLY_H
#define ELECTION_TALLY_H

#include "election/findings.h"

/* Named totals. `transmitted`: stations with exactly one current result and an accepted image of its
 * form (where the definition requires one), findings or not. `transcribed`: stations whose figures that
 * hold are those that people read from the form (cell_transcribed). `compared`: stations whose figures
 * that hold were found in the paper original, at the first level at which originals are compared. */
enum total_name { TOTAL_TRANSMITTED, TOTAL_TRANSCRIBED, TOTAL_COMPARED, TOTAL_COUNT };
const char *total_name(enum total_name t);

struct total {
    uint64_t stations;
    uint64_t registered; /* in the register, of these stations */
    uint64_t valid, rejected, objected, disputed;
    uint64_t valid_blank, rejected_blank; /* stations whose form leaves the field blank */
    uint64_t *votes;                      /* choice_count figures, ballot order */
};

struct tally_row {
    uint32_t unit;
    uint32_t parent; /* row, UINT32_MAX for the first */
    uint32_t cell;   /* stations with records: fold_cell_at; else UINT32_MAX */
    uint64_t expected;      /* stations of the contest, those where it is not held included */
    uint64_t registered;    /* in the register, of these */
    uint64_t received;      /* stations with a current result */
    uint64_t without_image; /* of these: figures listed, not counted */
    uint64_t in_question;   /* stations with an error that no decision accepts or settles */
    uint64_t not_held;      /* stations postponed, cancelled, unopposed, annulled */
    uint64_t transcribed, compared; /* stations in these totals */
    uint64_t compared_all;  /* of these, at every level at which originals are compared */
    uint64_t disregarded;   /* stations that a decision disregards */
    struct total total[TOTAL_COUNT];
};

struct tally {
    uint32_t contest;
    unsigned round;
    uint32_t choice_count;
    struct tally_row *rows; /* units in order from the contest's unit down, parents before children */
    size_t n;
};

/* Everything in the arena. `findings` of the same state. E_OVERFLOW cannot happen with admissible
 * records and is checked all the same. */
MUST_USE err tally_compute(const struct fold *fold, const struct findings *findings, uint32_t contest,
                           unsigned round, struct arena *a, struct tally *out, struct fail *f);

#endif
