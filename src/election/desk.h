/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The tally desk: what the paper form says, transcribed by people who do not see one another's
 * entries; what was compared with the original; what was decided. spec/records.md, 6.18 to 6.22.
 * Views of the fold; all of them pure, all times are entries' ms. */
#ifndef ELECTION_DESK_H
#define ELECTION_DESK_H

#include "election/station.h"

#define NO_SEAL      UINT32_MAX
#define NO_READING   UINT32_MAX
#define NO_COMPARED  UINT32_MAX
#define NO_DECISION  UINT32_MAX
#define NO_PLACE     UINT32_MAX
#define SEAL_OPEN_MS UINT64_C(1800000) /* how long a seal may stay closed once it could be opened */

/* The n-th level at which originals of this contest are compared, as an index into the definition's
 * levels, from the first up: what its rule names, else the lowest level that collates. False: there
 * are no more. */
bool contest_compare_level(const struct fold *fold, uint32_t contest, unsigned n, uint32_t *level);

/* What can be seen on a form: bits of reading.marks and compared.marks, in bytewise order. */
enum { MARK_COUNT = 18 };
extern const char *const mark_words[MARK_COUNT + 1]; /* NULL-terminated */

/* One transcription of the paper: by a clerk or the machine (open), or of the original (compared). */
struct form_reading {
    uint32_t entry; /* the open or compared record */
    uint32_t cell;
    uint32_t seal;  /* NO_SEAL: of a comparison */
    uint32_t marks; /* bit set over mark_words */
    uint64_t registered, valid, rejected, objected, disputed; /* ABSENT: blank or illegible */
    uint64_t voters_kit, voters_manual;
    size_t votes_at; /* reading_votes */
    struct span serial;
    struct span illegible; /* JSON array of the fields that cannot be read; empty: none */
};

struct seal {
    struct hash hash;
    uint64_t ms, opened_ms;
    uint64_t deadline_ms; /* UINT64_MAX: it may not be opened yet */
    uint32_t entry;
    uint32_t reading;     /* NO_READING: closed */
    uint32_t cell, key, image;
    uint32_t next;        /* of the cell, in log order; NO_SEAL */
    bool machine;
    bool blind; /* nobody's reading of this form was public when it was sealed */
};

struct compared {
    uint64_t ms;
    uint32_t entry, cell, key;
    uint32_t record;  /* entry whose figures were compared */
    uint32_t reading; /* what the original says where it differs; NO_READING: the same */
    uint32_t marks;
    uint32_t next;    /* of the cell; NO_COMPARED */
    uint8_t level;
};

enum decision_action { DECISION_ACCEPT, DECISION_ADOPT, DECISION_DISREGARD, DECISION_RELEASE };
enum decision_ground { GROUND_NONE, GROUND_ORDER, GROUND_OVER_REGISTER, GROUND_OVER_VOTERS };
enum { FINDINGS_WORDS = FINDINGS_MAX / 64 };

struct decision {
    uint64_t ms;
    uint64_t codes[FINDINGS_WORDS]; /* accept: bit set over finding codes */
    struct hash order;              /* a court's, when has_order */
    uint32_t entry, contest, unit, key, second;
    uint32_t size;        /* entries that whoever decided had seen: nothing later is covered */
    uint32_t record;      /* adopt, release: entry that it names */
    uint32_t released_by; /* decision that withdrew it; NO_DECISION */
    uint32_t next;        /* of the same contest, round and unit; NO_DECISION */
    uint16_t round;
    uint8_t action, ground;
    bool has_order;
};

/* The desk's side of a cell; exists once something was sealed, compared or decided there. */
struct desk {
    uint32_t cell;
    uint32_t slot[3]; /* people's seals that count: closed, open or lapsed and not yet replaced */
    uint32_t machine; /* NO_SEAL */
    uint32_t first_seal, last_seal, first_compared, last_compared;
    uint32_t standing; /* the adopt or disregard decision that holds here; NO_DECISION */
};

/* What was decided about a contest in a unit, and which forms came there. */
struct place {
    uint32_t contest, unit;
    uint32_t first_decision, last_decision;
    uint32_t next_in_contest;           /* places of the same contest and round; NO_PLACE */
    uint64_t forms;       /* original forms received */
    uint32_t forms_entry; /* the last custody record that brought some */
    uint16_t round;
};

enum seal_state { SEAL_CLOSED, SEAL_OPEN, SEAL_LAPSED };
const char *seal_state_name(enum seal_state s);

const struct desk *cell_desk(const struct fold *fold, const struct cell *c); /* NULL: nothing yet */
const struct seal *fold_seal(const struct fold *fold, uint32_t i);
size_t fold_seal_count(const struct fold *fold);
const struct form_reading *fold_reading(const struct fold *fold, uint32_t i);
size_t fold_reading_count(const struct fold *fold);
const struct compared *fold_compared(const struct fold *fold, uint32_t i);
const struct decision *fold_decision(const struct fold *fold, uint32_t i);
size_t fold_decision_count(const struct fold *fold);
const struct place *fold_place(const struct fold *fold, uint32_t contest, unsigned round, uint32_t unit);
const struct place *fold_place_at(const struct fold *fold, size_t i);
/* All places of a contest and round: begin with fold_first_place, go on with next_in_contest. NO_PLACE. */
uint32_t fold_first_place(const struct fold *fold, uint32_t contest, unsigned round);
size_t fold_place_count(const struct fold *fold);

/* At time `now_ms`, after the fold's last entry: a key revoked or expired since makes it lapse too. */
enum seal_state seal_state_at(const struct fold *fold, const struct seal *s, uint64_t now_ms);
/* People's readings of the cell that are open, in slot order; how many. */
unsigned desk_open(const struct fold *fold, const struct desk *d, uint32_t out[3]);
/* The reading that people agree on: two with equal figures (or the one, where one is asked for). */
uint32_t desk_agreed(const struct fold *fold, const struct cell *c);
/* All the readings that may be asked for are open and no two of them agree. */
bool desk_disagrees(const struct fold *fold, const struct cell *c);
/* The machine's reading, or NO_READING. */
uint32_t desk_machine(const struct fold *fold, const struct cell *c);
/* The seal that the record with this id is; NULL: no record, or no seal. */
const struct seal *seal_by_id(const struct fold *fold, const struct hash *record);
/* What somebody may do at a cell now: the number of seals that it still waits for (a third one
 * included), 0 when there is no image to read or enough are there. */
unsigned desk_wanted(const struct fold *fold, const struct cell *c, uint64_t now_ms);
/* The holder of this key may seal here now; else E_ROLE, E_SCOPE or E_STATE, and why. */
MUST_USE err desk_may_seal(const struct fold *fold, const struct cell *c, struct span key_name,
                           uint64_t now_ms, struct fail *f);
/* A reading's JSON is one that an opening of a form of this contest and round may carry: a seal of
 * anything else could never be opened. E_FIELD, E_CHOICE, E_CANONICAL and the like. */
MUST_USE err desk_reading_check(const struct fold *fold, uint32_t contest, unsigned round,
                                struct span json, struct fail *f);

const uint64_t *reading_votes(const struct fold *fold, const struct form_reading *r);
void reading_figures(const struct fold *fold, const struct form_reading *r, struct figures *out);
/* In how many fields two forms of a cell differ; registered, valid, rejected, objected, disputed,
 * then the choices of the round. fields (may be NULL) gets a bit for each, in this order. */
enum { FIGURE_BALLOTS = 5, FIGURE_WORDS = (FIGURE_BALLOTS + MAX_CHOICES + 63) / 64 };
unsigned figures_differ(const struct fold *fold, const struct cell *c, const struct figures *a,
                        const struct figures *b, uint64_t fields[FIGURE_WORDS]);

/* valid + rejected ballots of a form; where valid is blank the sum of the choices of the round. */
uint64_t figures_ballots(const struct fold *fold, const struct cell *c, const struct figures *g);
/* Voters identified, where any were stated; else ABSENT. */
uint64_t figures_voters(uint64_t kit, uint64_t manual);

/* The latest comparison of what holds now, at this level; NULL: none. */
const struct compared *cell_compared(const struct fold *fold, const struct cell *c, uint32_t level,
                                     uint64_t held_entry);
/* At this level the original was found to say what holds: compared as the same, or what was read from
 * the original there is what was adopted. */
bool cell_compared_same(const struct fold *fold, const struct cell *c, uint32_t level, uint64_t held_entry);
/* The figures that hold are those that people read from the form, or a decision chose them knowing
 * what people read. */
bool cell_transcribed(const struct fold *fold, const struct cell *c);
/* The adopt or disregard decision that holds at the cell; NULL: none. */
const struct decision *cell_decision(const struct fold *fold, const struct cell *c);

#endif
