/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What people say about the election beside its figures: objections and what became of them, signed
 * notices, observers' reports; and the hashes of the hosts' logs (spec/records.md, 6.12 to 6.17). */
#ifndef ELECTION_VOICES_H
#define ELECTION_VOICES_H

#include "election/station.h"

/* --- objections --- */

enum objection_state {
    OBJECTION_FILED,    /* nobody has said yet whether it is admitted */
    OBJECTION_ADMITTED, /* holds the gate until it is ruled on */
    OBJECTION_REFUSED,
    OBJECTION_UPHELD,
    OBJECTION_PARTLY, /* upheld in part */
    OBJECTION_DISMISSED,
    OBJECTION_WITHDRAWN,
    OBJECTION_STATES
};
const char *objection_state_name(enum objection_state s);
const char *objection_ground_name(unsigned ground);

#define NO_ENTRY UINT64_MAX

struct objection {
    uint64_t entry, ms;
    uint32_t contest, signer; /* signer: key index */
    uint32_t unit_count;      /* objection_unit */
    uint32_t evidence;        /* number of objects */
    size_t first_unit;
    uint16_t round;
    uint8_t ground, state;           /* enum objection_state */
    uint64_t admission, admission_ms; /* of the last admission record; NO_ENTRY: none */
    uint64_t answer_by_ms;            /* UINT64_MAX: no answer is asked for */
    uint64_t answer, answer_ms;       /* the first notice that answers it; NO_ENTRY: none */
    uint64_t ruling, ruling_ms;       /* of the last ruling; NO_ENTRY: none */
    bool ordered;                     /* the ruling carries a court's order */
};
size_t fold_objection_count(const struct fold *fold);
const struct objection *fold_objection(const struct fold *fold, size_t i);
uint32_t objection_unit(const struct fold *fold, const struct objection *o, uint32_t k);
/* The objection with this record index; SIZE_MAX if there is none. */
size_t objection_of_entry(const struct fold *fold, uint64_t entry);
/* The station lies in one of its units. */
bool objection_covers(const struct fold *fold, const struct objection *o, uint32_t station);
/* Upheld, wholly or in part. */
bool objection_is_upheld(const struct objection *o);
/* Stations under its units where nothing was decided after the ruling that upheld it. */
uint64_t objection_undecided(const struct fold *fold, const struct objection *o);
/* Something was decided about the station's contest after this entry. */
bool cell_decided_since(const struct fold *fold, uint32_t cell, uint64_t entry);
/* For the gate. Of one contest and round: admitted and not ruled on; upheld, with stations where
 * nothing was decided since. */
size_t objections_unruled(const struct fold *fold, uint32_t contest, unsigned round);
size_t objections_undecided(const struct fold *fold, uint32_t contest, unsigned round);
/* Admitted, an answer was asked for, none has come and the time for it is over at `now_ms`. */
bool objection_is_overdue(const struct objection *o, uint64_t now_ms);

/* --- notices --- */

enum notice_kind { NOTICE_STATEMENT, NOTICE_REBUTTAL, NOTICE_CORRECTION, NOTICE_PETITION };
const char *notice_kind_name(unsigned kind);

struct notice {
    uint64_t entry, ms;
    uint64_t answers;         /* entry; NO_ENTRY: none */
    uint32_t contest, signer; /* NO_CONTEST: of the election; the first signer's key */
    uint8_t kind;             /* enum notice_kind */
    struct span lang;
    struct named_object text; /* public; its first line is its title */
};
size_t fold_notice_count(const struct fold *fold);
const struct notice *fold_notice(const struct fold *fold, size_t i);

/* --- observations --- */

enum observed_kind { OBSERVED_YES, OBSERVED_NO, OBSERVED_UNKNOWN, OBSERVED_FIGURE };

struct observed { /* one item of a report */
    uint32_t item;  /* observation_item */
    uint8_t kind;   /* enum observed_kind */
    uint64_t value; /* of a figure */
};
struct observation {
    uint64_t entry, ms, at_ms;
    uint32_t station, contest, signer; /* NO_CONTEST */
    uint16_t round;
    uint16_t item_count; /* observation_items */
    bool has_counts;
    size_t items_at, votes_at; /* votes_at: choice_count figures, when has_counts */
    uint64_t valid, rejected;  /* ABSENT: not said */
};
size_t fold_observation_count(const struct fold *fold);
const struct observation *fold_observation(const struct fold *fold, size_t i);
const struct observed *observation_items(const struct fold *fold, const struct observation *o);
const uint64_t *observation_votes(const struct fold *fold, const struct observation *o);
size_t fold_item_count(const struct fold *fold);
struct span observation_item(const struct fold *fold, uint32_t item); /* its name */

/* --- host logs --- */

struct host_log {
    uint64_t entry, ms, from_ms, to_ms, size;
    struct span host;
    uint8_t kind;
    struct hash hash; /* of the first `size` bytes that the log file had at to_ms */
};
const char *host_log_kind_name(unsigned kind);
/* The number of a word; HOST_LOG_KINDS if there is no such word. */
unsigned host_log_kind(struct span word);
enum { HOST_LOG_KINDS = 4, HOST_LOG_EVERY_MS = 600000, HOST_LOG_ROWS_MAX = 64 };
size_t fold_host_log_count(const struct fold *fold);
const struct host_log *fold_host_log(const struct fold *fold, size_t i);
/* Of the last host-log record; 0: none yet. */
uint64_t fold_last_host_log_ms(const struct fold *fold);

#endif
