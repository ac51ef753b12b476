/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The definition: units, contests, choices, rounds and the manifest's rules, as of the last record.
 *
 * Indices are stable for the life of a fold; spans are borrowed from it. Unit 0 is the root (the
 * nation). Stations are the units of the last level. */
#ifndef ELECTION_DEFINITION_H
#define ELECTION_DEFINITION_H

#include "election/fold.h"

#define NO_UNIT    UINT32_MAX
#define NO_CONTEST UINT32_MAX
enum { MAX_LEVELS = 10, MAX_CHOICES = 200, MAX_ROUNDS = 9, FINDINGS_MAX = 128 };

struct unit {
    struct span code, name;
    uint32_t parent; /* NO_UNIT for the root */
    uint32_t first_child, last_child, next_sibling; /* NO_UNIT at the end */
    uint32_t child_count;
    uint8_t level;       /* index into levels */
    bool closed;         /* replaced by others (a station split), from definition `since` on */
    uint32_t since;      /* definition version that made or closed it */
    uint64_t registered; /* voters in the register that the definition is bound to */
};

enum choice_state { CHOICE_STANDS, CHOICE_DEAD, CHOICE_WITHDRAWN };

struct choice {
    struct span id, name, party;
    uint8_t state; /* enum choice_state */
};

/* What happens to a contest, as a whole or in an area. */
enum contest_state { CONTEST_OPEN, CONTEST_POSTPONED, CONTEST_CANCELLED, CONTEST_UNOPPOSED, CONTEST_ANNULLED };

struct contest {
    struct span id, name, kind, rule; /* rule: canonical JSON */
    uint32_t unit;
    uint32_t first_choice; /* index into choices */
    uint32_t choice_count;
    uint32_t changed; /* definition version that made its ballot: with it, or with its round */
    uint16_t round;   /* the current one, from 1 */
    uint8_t state;    /* enum contest_state, as a whole, in the current round */
    /* per round (index round - 1): which choices stand, as bit set over the ballot order */
    uint64_t round_choices[MAX_ROUNDS][(MAX_CHOICES + 63) / 64];
    uint8_t round_state[MAX_ROUNDS]; /* enum contest_state at the end of each earlier round */
};

struct limits { /* of the plausibility checks, in thousandths */
    uint64_t turnout_high, turnout_low, one_sided, rejected_high, same_vector_min;
    uint64_t since; /* entry that set them last */
    uint8_t severity[FINDINGS_MAX]; /* of each finding: 0 as usual, else 1 + enum severity */
};

enum image_rule { IMAGE_REQUIRED, IMAGE_OPTIONAL };

struct definition {
    uint32_t version; /* 1: the manifest */
    struct span origin, log_vkey, title;
    struct span notice; /* a sentence that every page shows; empty: none */
    struct span policy; /* the witness policy's lines, joined by '\n' */
    bool simulated;
    uint8_t image; /* enum image_rule */
    uint64_t opens_ms, closes_ms;
    struct limits limits;
    uint32_t threshold; /* commissioners */
    uint32_t level_count;
    struct span levels[MAX_LEVELS];
};

/* A successor log key: from entry `index` on the log signs with `vkey`; the log before it is the tree
 * of `size` entries with this root (a verifier compares). */
struct succession {
    uint64_t index, size;
    struct hash root;
    struct span vkey;
};
size_t fold_succession_count(const struct fold *fold);
const struct succession *fold_succession(const struct fold *fold, size_t i);

const struct definition *fold_definition(const struct fold *fold); /* NULL before the manifest */
size_t fold_unit_count(const struct fold *fold);
const struct unit *fold_unit(const struct fold *fold, uint32_t i);
uint32_t fold_unit_by_code(const struct fold *fold, struct span code); /* NO_UNIT */
bool unit_is_station(const struct fold *fold, uint32_t i);
/* The unit after `u` in depth-first order below `root`, or NO_UNIT. */
uint32_t unit_next(const struct fold *fold, uint32_t u, uint32_t root);
/* `inner` is `outer` or below it. */
bool unit_within(const struct fold *fold, uint32_t inner, uint32_t outer);

size_t fold_contest_count(const struct fold *fold);
const struct contest *fold_contest(const struct fold *fold, uint32_t i);
uint32_t fold_contest_by_id(const struct fold *fold, struct span id); /* NO_CONTEST */
const struct choice *contest_choice(const struct fold *fold, const struct contest *c, uint32_t k);
bool contest_has_choice(const struct contest *c, unsigned round, uint32_t k);
/* The contest's state at a station: of the smallest area that says something, else as a whole. */
enum contest_state contest_state_at(const struct fold *fold, uint32_t contest, uint32_t unit);
/* The same in a round up to the current one. */
enum contest_state contest_state_in(const struct fold *fold, uint32_t contest, unsigned round,
                                    uint32_t unit);

/* Strict readers of the consensus objects (spec/records.md, section 5); for tools that make them and
 * for fuzzing. They check the format only. */
MUST_USE err units_object_check(struct span bytes, struct fail *f);
MUST_USE err contests_object_check(struct span bytes, struct fail *f);

#endif
