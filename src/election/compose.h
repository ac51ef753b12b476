/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Writing records: the text (type line and canonical JSON) of each type from plain values, so that
 * clients, tests and simulations spell them one way. Signing is crypto/note.h's note_sign.
 *
 * All append to *out; check once with buf_ok. Values are not judged here: apply does that. */
#ifndef ELECTION_COMPOSE_H
#define ELECTION_COMPOSE_H

#include "election/identity.h"
#include "election/desk.h"

struct compose_choice {
    struct span id, name, party; /* party.n 0: none */
};

/* The two consensus objects, line by line. */
void compose_units_head(struct buf *out);
void compose_unit(struct buf *out, struct span code, struct span level, struct span name,
                  struct span parent /* .p NULL: the root */, uint64_t registered);
void compose_contests_head(struct buf *out);
void compose_contest(struct buf *out, struct span id, struct span kind, struct span name,
                     struct span rule_json, struct span unit, const struct compose_choice *choices,
                     size_t n);

struct compose_commissioner {
    struct hash holder;
    struct span vkey;
};

struct compose_manifest {
    struct span origin, log_vkey, title;
    struct span notice; /* empty: none */
    struct span policy; /* lines, each with its '\n'; empty: none */
    struct named_object units, contests;
    const struct compose_commissioner *commissioners;
    size_t commissioner_count;
    uint32_t threshold;
    const struct span *levels;
    size_t level_count;
    uint64_t opens_ms, closes_ms;
    bool simulated, image_optional;
    /* canonical JSON, each may be empty (left out) */
    struct span limits, quotas, deadlines, software, vacancy;
};
void compose_manifest(struct buf *out, const struct compose_manifest *m);

struct compose_key {
    struct hash election, holder;
    struct span vkey, party, unit; /* party.n 0: none */
    enum role role;
    const struct span *contests; /* ascending; count 0: all */
    size_t contest_count;
    uint64_t not_before_ms, not_after_ms;
};
void compose_key(struct buf *out, const struct compose_key *k);
/* suspect_since_ms UINT64_MAX: left out */
void compose_revoke(struct buf *out, const struct hash *election, struct span key_name,
                    const char *reason, uint64_t suspect_since_ms);
/* `deputy_key` signs; it acts for `officer_key`. */
void compose_acting(struct buf *out, const struct hash *election, struct span deputy_key,
                    struct span officer_key, const char *reason, struct span unit);

/* Figures that are ABSENT are left out; counts of UINT32_MAX likewise. */
struct compose_result {
    struct hash election;
    struct span contest, station, serial;
    enum basis basis;
    uint32_t definition;
    unsigned round;
    uint64_t signed_ms;
    const struct hash *form; /* hashes of the form's images */
    size_t form_count;
    const struct named_object *recount; /* the order or protocol of a recount by law; NULL: none */
    const struct hash *supersedes; /* ids, ascending */
    size_t supersedes_count;
    uint64_t registered, valid, rejected, objected, disputed, voters_kit, voters_manual;
    uint32_t agents_present, agents_signed, agents_refused;
    const struct span *choices; /* ids, any order */
    const uint64_t *votes;
    size_t choice_count;
};
/* All figures absent, round 1, definition 1. */
void compose_result_init(struct compose_result *r);
void compose_result(struct buf *out, const struct compose_result *r);

struct compose_image {
    struct hash election;
    struct span contest, station;
    enum image_kind kind;
    unsigned round, page;
    struct named_object original, shown;
    const struct hash *result;    /* NULL: none */
    const uint32_t (*masked)[4];  /* x, y, width, height */
    size_t masked_count;
    struct span perceptual_hex;   /* 16 digits, or empty */
    struct span zones_hex;        /* or empty */
};
void compose_image(struct buf *out, const struct compose_image *m);

/* `key` is the name of the key that signs (two people's words are two records);
 * reason.size UINT64_MAX: none */
void compose_countersign(struct buf *out, const struct hash *election, struct span key,
                         const struct hash *record, bool objects, bool at_desk,
                         struct named_object reason);
/* contest.n 0: none; value UINT64_MAX: none */
void compose_station_event(struct buf *out, const struct hash *election, struct span station,
                           const char *event, struct span contest, uint64_t at_ms, uint64_t value);

struct compose_incident {
    bool proven;
    const char *code;
    uint64_t count, first_ms, last_ms;
    struct span key;  /* "unknown" if it is not in the fold */
    struct span type; /* record type or "unknown" */
    struct named_object note; /* proven rows */
};
void compose_incidents(struct buf *out, const struct hash *election,
                       const struct compose_incident *rows, size_t n);

/* --- the tally desk --- */

/* A transcription of a paper form. Figures that are ABSENT are left out. */
struct compose_reading {
    uint64_t registered, valid, rejected, objected, disputed, voters_kit, voters_manual;
    const struct span *choices; /* ids, any order */
    const uint64_t *votes;
    size_t choice_count;
    struct span serial;           /* empty: none */
    const struct span *illegible; /* fields, ascending: "ballots.valid", "votes.ID" */
    size_t illegible_count;
    uint32_t marks;               /* bits of mark_words */
};
void compose_reading_init(struct compose_reading *r); /* all absent */
/* The canonical JSON alone: what is sealed. */
void compose_reading(struct buf *out, const struct compose_reading *r);
/* SHA-256("hesabu/seal/v1\n" || nonce || reading) */
struct hash seal_hash(const uint8_t nonce[32], struct span reading);

/* `key` is the name of the key that signs: two people's seals are two records. */
void compose_seal(struct buf *out, const struct hash *election, struct span contest, unsigned round,
                  struct span station, const struct hash *image, struct span key, const struct hash *seal);
void compose_open(struct buf *out, const struct hash *election, const uint8_t nonce[32],
                  struct span reading, const struct hash *seal_record);
/* reading empty: the original says the same */
void compose_compared(struct buf *out, const struct hash *election, struct span contest, unsigned round,
                      struct span station, struct span level, const struct hash *record, uint32_t marks,
                      struct span reading, uint64_t at_ms);

struct compose_custody {
    struct hash election;
    struct span contest, unit, from, to; /* contest empty: none */
    const char *what, *kind;
    uint64_t count, at_ms;
    struct named_object note, serials; /* size UINT64_MAX: none */
};
void compose_custody(struct buf *out, const struct compose_custody *k);

struct compose_decision {
    struct hash election;
    enum decision_action action;
    enum decision_ground ground; /* GROUND_NONE: left out */
    struct span contest, unit;
    unsigned round;
    uint64_t size;               /* entries of the log that the officers have seen */
    const struct hash *record;   /* NULL: none */
    const struct span *codes;    /* of findings, ascending */
    size_t code_count;
    struct named_object order, reason; /* size UINT64_MAX: none */
};
void compose_decision(struct buf *out, const struct compose_decision *d);

#endif
