/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Risk-limiting audits on the log: what was committed before the dice, the dice, rounds, hand counts by
 * two people who did not see each other's, and how each audit ended (spec/records.md, "audit-plan" to
 * "audit-close"). The mathematics is above this layer: here stands who may say what, and when. */
#ifndef ELECTION_AUDITS_H
#define ELECTION_AUDITS_H

#include "election/station.h"
#include "election/voices.h"

enum audit_claim { CLAIM_BEATS, CLAIM_ABOVE, CLAIM_AT_LEAST, CLAIM_BELOW, CLAIM_AT_MOST };
const char *audit_claim_name(unsigned claim);

struct audit_claimed { /* one assertion of a plan */
    uint8_t claim;     /* enum audit_claim */
    uint32_t winner, loser; /* choices; loser of `beats` only */
    uint32_t p, q;          /* the share; 0 for `beats` */
    uint32_t unit;          /* NO_UNIT: the whole contest */
};

enum audit_bound { AUDIT_BOUND_CAST, AUDIT_BOUND_DELIVERED, AUDIT_BOUND_REGISTERED };
const char *audit_bound_name(unsigned bound);
enum audit_end { AUDIT_OPEN, AUDIT_CONFIRMED, AUDIT_FULL_CONFIRMS, AUDIT_FULL_OVERTURNS, AUDIT_STOPPED };
const char *audit_end_name(unsigned end);

#define NO_PLAN UINT32_MAX

struct audit_plan {
    uint64_t entry, ms;
    uint32_t contest, limit_ppm, signer;
    uint16_t round;
    uint8_t bound, end;        /* enum audit_bound, enum audit_end */
    uint32_t sample;           /* the plan whose draws it shares; NO_PLAN: its own */
    uint32_t spare;            /* of the claims "at-least" and "below" about units: how many may fail */
    uint32_t claim_count;
    size_t first_claim;        /* audit_claim_at */
    struct named_object manifest, authority, compliance;
    uint64_t seed_entry, seed_ms; /* NO_ENTRY: no dice yet */
    struct span digits;           /* as they fell */
    struct named_object draws_object;
    size_t first_draw;            /* audit_draw_at */
    uint32_t draw_count;          /* stations in the order of the dice, then those that are never drawn */
    uint32_t size;                /* draws of the rounds so far */
    uint32_t rounds;
    uint64_t close_entry, close_ms; /* NO_ENTRY */
    struct named_object transcript; /* of the close */
};
size_t fold_audit_count(const struct fold *fold);
const struct audit_plan *fold_audit(const struct fold *fold, size_t i);
/* The plan of this record index; NO_PLAN. */
uint32_t audit_of_entry(const struct fold *fold, uint64_t entry);
/* The plan whose dice this one uses: itself, or the one that it shares a sample with. */
const struct audit_plan *audit_drawn_by(const struct fold *fold, const struct audit_plan *p);
const struct audit_claimed *audit_claim_at(const struct fold *fold, const struct audit_plan *p, uint32_t k);
uint32_t audit_draw_at(const struct fold *fold, const struct audit_plan *p, uint32_t k); /* station */
/* Position of a station among the draws of a plan with own dice; UINT32_MAX. */
uint32_t audit_position(const struct fold *fold, uint32_t plan, uint32_t station);

/* One box of an audit, once somebody has sealed a count of it. */
struct audit_box {
    uint32_t plan, station;
    uint32_t first_reading;  /* audit_reading; by .next */
    uint32_t sealed, opened; /* readings so far */
    uint32_t agreed;         /* a reading that another holder's equals; NO_READING */
    bool targeted;           /* opened because somebody chose it; in the test only if the dice drew it too */
};
struct audit_reading {
    uint64_t entry, ms;      /* of its seal */
    uint64_t opened_at, opened_ms; /* NO_ENTRY: sealed only */
    uint32_t key, next, box;
    bool lost;               /* the box cannot be produced */
    uint64_t rejected;       /* ABSENT: not said */
    size_t votes_at;
    struct hash seal;
};
#define NO_READING UINT32_MAX
#define NO_BOX     UINT32_MAX
size_t fold_audit_box_count(const struct fold *fold);
const struct audit_box *fold_audit_box(const struct fold *fold, size_t i);
uint32_t fold_audit_box_find(const struct fold *fold, uint32_t plan, uint32_t station);
const struct audit_reading *fold_audit_reading(const struct fold *fold, uint32_t i);
/* choice_count figures, when it is opened and not lost. */
const uint64_t *audit_reading_votes(const struct fold *fold, const struct audit_reading *r);

/* What a count sealed: SHA-256("hesabu/audit-count/v1\n" || nonce || its canonical JSON). */
struct hash audit_count_seal(const uint8_t nonce[32], struct span counts);

#endif
