/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The law of a contest as data: its `rule` object (spec/records.md, 5.1), and the outcome that it
 * gives for totals. Integers only; a boundary is never rounded.
 *
 * An outcome says what the arithmetic gives. Nobody is elected before a declaration. */
#ifndef ELECTION_RULES_H
#define ELECTION_RULES_H

#include "election/identity.h"
#include "election/station.h"

enum rule_kind { RULE_UNKNOWN, RULE_PLURALITY, RULE_MAJORITY };

/* A share: p of q, 0 < q. */
struct ratio {
    uint32_t p, q;
};

enum { NO_DAYS = UINT32_MAX, CHOICE_WORDS = (MAX_CHOICES + 63) / 64, FORM_NAME_MAX = 20, COURT_NAME_MAX = 200 };

struct rule {
    uint8_t kind;     /* enum rule_kind */
    uint8_t readings; /* independent readings of each form: 0, 1 or 2 */
    bool recounts;    /* a recount ordered by law may replace a station's figures */
    /* Levels (indices into the definition's), from the lowest up. */
    uint8_t collate[MAX_LEVELS], collate_count; /* that make a collation; the last is the contest's */
    uint8_t compare[MAX_LEVELS], compare_count; /* where originals are compared */
    uint8_t declarer;       /* enum role: the national returning officer, or a returning officer */
    uint8_t declarer_level; /* of the declarer's unit, at or above the contest's */
    bool unopposed;         /* one candidate needs no poll */
    bool death_cancels;
    struct ratio majority;  /* of the valid votes, to be exceeded */
    bool spread;            /* and a share in enough regions: */
    uint8_t spread_level;
    uint32_t spread_units;       /* regions that the law counts */
    struct ratio spread_share;   /* of a region's valid votes, to be reached */
    struct ratio spread_regions; /* of the regions, to be exceeded */
    const struct span *exclude;  /* codes of units of that level which are no regions */
    uint32_t exclude_count;
    uint32_t declaration_days; /* from the close of polling; NO_DAYS */
    uint32_t petition_days, decision_days; /* from the declaration; NO_DAYS */
    struct span court; /* where the declared result is contested; empty: not said */
    struct span form[MAX_LEVELS], certificate; /* names of forms by level ("34B"); empty: none */
};

/* The rule of a contest. Valid as long as the fold. */
const struct rule *contest_rule(const struct fold *fold, uint32_t contest);
/* Position of a level in rule->collate, or -1. */
int rule_collates(const struct rule *r, unsigned level);
bool rule_compares(const struct rule *r, unsigned level);
/* The unit whose officer declares the contest. */
uint32_t contest_declarer_unit(const struct fold *fold, uint32_t contest);
/* The unit is a region of the contest's rule. */
bool rule_is_region(const struct fold *fold, const struct rule *r, uint32_t unit);
/* Regions in which a choice needs the share: the least number that exceeds the ratio. */
uint32_t rule_regions_needed(const struct rule *r);

/* a > b * p / q, exactly. */
bool ratio_exceeded(uint64_t a, uint64_t b, struct ratio r);
/* a >= b * p / q, exactly. */
bool ratio_reached(uint64_t a, uint64_t b, struct ratio r);

enum outcome_kind {
    OUTCOME_NONE,        /* nothing is counted yet */
    OUTCOME_ELECTED,     /* one choice */
    OUTCOME_UNOPPOSED,   /* the only choice */
    OUTCOME_NEXT_ROUND,  /* these choices go into a further round */
    OUTCOME_TIE,         /* these have equally many: the law goes on from there */
    OUTCOME_POSTPONED,
    OUTCOME_CANCELLED,
    OUTCOME_ANNULLED,
    OUTCOME_CANNOT_TELL, /* the rule is not one that this program knows, or leaves the case open */
    OUTCOME_KINDS
};
const char *outcome_name(enum outcome_kind k); /* "elected", "next-round", ... */
enum outcome_kind outcome_by_name(struct span name); /* OUTCOME_KINDS if there is none */

struct outcome {
    enum outcome_kind kind;
    uint32_t count;                 /* of choices */
    uint64_t choices[CHOICE_WORDS]; /* as a set over the ballot order */
    bool majority;                  /* some choice exceeds the majority */
    uint32_t regions, needed;       /* most regions in which one choice has the share; 0 of 0: no such rule */
};
bool outcome_has(const struct outcome *o, uint32_t choice);
bool outcome_equal(const struct outcome *a, const struct outcome *b); /* kind and choices */
/* It can be declared: elected, unopposed, next-round or tie. */
bool outcome_declarable(const struct outcome *o);

/* Votes in ballot order; valid: what the forms say. Where the votes add up to more, their sum is
 * meant. */
struct votes {
    uint64_t valid;
    const uint64_t *votes;
};

/* What the rule is applied to, besides votes. */
struct rule_case {
    const struct rule *rule;
    bool runoff;           /* a further round after no choice was elected: by plurality */
    enum contest_state state;
    uint32_t choice_count; /* of the ballot */
    uint64_t on_ballot[CHOICE_WORDS]; /* choices of this round */
    uint64_t stands[CHOICE_WORDS];    /* of these, neither dead nor withdrawn */
    bool dead;             /* one of them died */
};
void rule_case_of(const struct fold *fold, uint32_t contest, unsigned round, struct rule_case *out);

/* The outcome that these totals give. `regions` are the regions' totals (only where the rule has a
 * spread). Never fails; what the rule does not settle is OUTCOME_CANNOT_TELL. */
void rule_outcome(const struct rule_case *c, const struct votes *all, const struct votes *regions,
                  size_t region_count, struct outcome *out);

#endif
