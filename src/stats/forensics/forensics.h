/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Election forensics: twelve methods over one table of stations, and what their results allow to be
 * said. Nothing here is proof of a culprit or of the absence of one: docs/forensics.md.
 *
 * Pure and deterministic: the same table and seed give the same numbers on any machine and with any
 * number of threads. */
#ifndef STATS_FORENSICS_FORENSICS_H
#define STATS_FORENSICS_FORENSICS_H

#include <math.h>
#include "stats/forensics/table.h"

/* In the order in which they are reported. */
enum fx_method {
    FX_ARITHMETIC,
    FX_INTEGERS,
    FX_COMB,
    FX_DUPLICATES,
    FX_CONSTANCY,
    FX_LATE,
    FX_ROUND,
    FX_CENTRAL,
    FX_SPIKES,
    FX_SHPILKIN,
    FX_KLIMEK,
    FX_DIGITS,
    FX_METHODS
};

/* What a result allows to be said. */
enum fx_class { FX_NA, FX_NOTHING, FX_FACT, FX_ANOMALY, FX_EXPLORATORY };

enum { FX_NATION = -1, FX_DETAILS = 16 };

struct fx_detail {
    const char *name; /* stable, for JSON */
    double value;     /* NAN = not available */
};

/* One method on one area and choice. */
struct fx_result {
    enum fx_method method;
    int level;     /* FX_NATION, or a level of the table */
    uint32_t area; /* in that level */
    int choice;    /* -1 when the method has none */
    enum fx_class is;
    size_t n;                    /* stations (or pairs, batches: see the method) used */
    double value, p, excess;     /* NAN when the method has none */
    double p_holm;               /* corrected over the whole family */
    double effect;               /* effect size, in the unit that fx_about names */
    struct fx_detail detail[FX_DETAILS];
    size_t details;
    const char *missing; /* why n/a: the column or the number that lacks, else NULL */
};

void fx_detail(struct fx_result *r, const char *name, double value);
double fx_get(const struct fx_result *r, const char *name); /* NAN when it is not there */

/* A growing list of results in an arena. */
struct fx_list {
    struct fx_result *at;
    size_t n, cap;
};
MUST_USE err fx_list_add(struct fx_list *l, struct arena *mem, const struct fx_result *r,
                         struct fail *f);

/* Tables that do not depend on the stations: whoever runs the battery many times keeps them. */
struct fx_kept;
MUST_USE err fx_kept_new(struct arena *mem, struct fx_kept **out, struct fail *f);

struct fx_options {
    uint64_t seed;
    struct fx_kept *kept; /* NULL: made for this run; one thread at a time */
    uint32_t cap;         /* most voters a station may have by law; 0 = unknown */
    size_t resamples;     /* of the spikes test; 0 leaves it out */
    bool coarse_comb;     /* grid of .005 and plain baseline, for comparison with older figures */
    bool nation_only;     /* no tests by area */
    unsigned skip;        /* bit m: leave method m out (simulations) */
    unsigned looks;       /* how often the same stream is looked at: multiplies the family; 0 = once */
};

/* Two stations with the same votes. */
struct fx_pair {
    uint32_t a, b;
};
enum { FX_LISTED = 1000 };

/* The whole family: every test, in order of method, level, area, choice. */
struct fx_report {
    const struct fx_table *table;
    struct fx_options options;
    struct fx_list list;
    size_t family; /* tests that count for the corrections */
    size_t rival;
    struct fx_pair *pair; /* duplicated results, at most FX_LISTED */
    size_t pairs;
};

/* 1. Integer percentages with the exact null (Kobak, Shpilkin, Pshenichnikov 2016). n = stations
 * that qualify, value = z, excess = hits above expectation. Areas only where the variance >= 25. */
/* `turnout` [n], zeroed before the first choice, keeps what does not depend on the choice; or NULL. */
/* `kept`: chances of earlier runs, or NULL. */
struct fx_chances;
MUST_USE err fx_chances_new(struct arena *mem, struct fx_chances **out, struct fail *f); /* 4 MiB */
MUST_USE err fx_integers(const struct fx_table *t, size_t choice, bool nation_only, double *turnout,
                         struct fx_chances *kept, struct arena *mem, struct fx_list *out, struct fail *f);
/* P(n,a): chance that Bin(n, a/n) lies within .05 points of an integer percentage of n. */
double fx_integer_chance(uint32_t n, uint32_t a);

/* 2. Multiplier comb: own design (docs/forensics.md). n = forms with 20..300 votes, value = Delta. */
struct fx_comb; /* tables of reachable integers, made once */
MUST_USE err fx_comb_new(bool coarse, struct arena *mem, struct fx_comb **out, struct fail *f);
struct fx_comb_fit {
    double delta, m, share;
    bool rounded; /* y = floor(m x + 1/2), else floor(m x) */
    uint64_t n;
};
/* h[0..315]: number of forms with so many votes. */
void fx_comb_fit(const struct fx_comb *c, const uint32_t *h, struct fx_comb_fit *out);
MUST_USE err fx_comb(const struct fx_table *t, const struct fx_comb *c, size_t choice,
                     bool nation_only, struct arena *mem, struct fx_list *out, struct fail *f);

/* 7. Identical vote vectors inside the smallest areas. The null is Poisson counts about each
 * station's own figures, in closed form. n = stations of at least 50 votes, value = pairs found. */
MUST_USE err fx_duplicates(const struct fx_table *t, bool nation_only, struct arena *mem,
                           struct fx_list *out, struct fail *f);

/* The pairs themselves, in the order of the smallest areas: at most `most`; *n gets their number. */
MUST_USE err fx_duplicate_pairs(const struct fx_table *t, struct arena *mem, struct fx_pair *out,
                                size_t most, size_t *n, struct fail *f);

/* 8. Sums, registers, caps, doubled codes. n = stations, value = stations with a contradiction. */
MUST_USE err fx_arithmetic(const struct fx_table *t, uint32_t cap, bool nation_only,
                           struct arena *mem, struct fx_list *out, struct fail *f);
/* What is wrong with station i: bits. */
enum {
    FX_BAD_SUM = 1,      /* choices do not add up to valid */
    FX_OVER_REGISTER = 2, /* ballots counted exceed the register */
    FX_OVER_CAP = 4,
    FX_OVER_ISSUED = 8, /* ballots counted exceed ballots issued */
    FX_BLANK = 16,
    FX_FULL = 32,           /* exactly 100 % */
    FX_ALL_REJECTED = 64,   /* rejected = registered */
    FX_ALL_ZERO = 128
};
unsigned fx_station_flags(const struct fx_table *t, uint32_t cap, size_t i);

/* Stations with a time, in order of arrival; ties broken by keys seeded by `seed`. */
MUST_USE err fx_arrival_order(const struct fx_table *t, uint64_t seed, struct arena *mem,
                              uint32_t **order, size_t *n, struct fail *f);

/* 4. Stream constancy: V over batches of 200 (areas: n/30), against at most 2,000 x tests
 * permutations, stopped early when 20 are as low (Besag and Clifford 1991). p is of the low tail.
 * `other_tests`: tests of the family made so far, so that a corrected p can reach .001 at all. */
MUST_USE err fx_constancy(const struct fx_table *t, size_t rival, uint64_t seed, bool nation_only,
                          size_t other_tests, struct arena *mem, struct fx_list *out,
                          struct fail *f);

/* 5. Late shift and what geography predicts of it. value = shift after half, in points; excess = what
 * is left after the projection; effect = the part predicted. Supports no statement. */
MUST_USE err fx_late(const struct fx_table *t, uint64_t seed, struct arena *mem,
                     struct fx_list *out, struct fail *f);

/* The leader's share after the first `cut` stations of `order`, and projected to all n of them: unseen
 * stations vote like the smallest area around them that has been seen, with its votes per registered
 * voter. NAN while nothing is counted. */
MUST_USE err fx_project(const struct fx_table *t, const uint32_t *order, size_t n, size_t cut,
                        struct arena *mem, double *now, double *projected, struct fail *f);

/* 6. Round-percent totals. value = choices whose total is round(p V / 1000). */
MUST_USE err fx_round(const struct fx_table *t, bool nation_only, struct arena *mem,
                      struct fx_list *out, struct fail *f);

/* 10, 11, 12: exploratory, nationally only. */
MUST_USE err fx_shpilkin(const struct fx_table *t, struct arena *mem, struct fx_list *out,
                         struct fail *f);
MUST_USE err fx_klimek(const struct fx_table *t, uint64_t seed, struct arena *mem,
                       struct fx_list *out, struct fail *f);
MUST_USE err fx_digits(const struct fx_table *t, struct arena *mem, struct fx_list *out,
                       struct fail *f);

#endif
