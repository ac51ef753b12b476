/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Assertions and their assorters, in integers.
 *
 * A reported outcome is correct if every one of its assertions is true. An assertion's assorter
 * gives a batch of b ballots the value A = kb*b + kv*V + kw*v_w + kl*v_l >= 0 (V: valid votes); the
 * assertion is true exactly when the sum of A over its region is greater than the null total T.
 * Source: Stark, "Sets of half-average nulls generate risk-limiting audits" (SHANGRLA), scaled to
 * integers. */
#ifndef STATS_AUDIT_ASSORTER_H
#define STATS_AUDIT_ASSORTER_H

#include "stats/audit/contest.h"

enum assertion_kind {
    ASSERT_BEATS,    /* winner has more votes than loser */
    ASSERT_ABOVE,    /* winner's share of the valid votes is more than p/q */
    ASSERT_AT_LEAST, /* ... at least p/q */
    ASSERT_BELOW,    /* ... less than p/q */
    ASSERT_AT_MOST,  /* ... at most p/q: "no majority" is at most 1/2 */
};

enum { AUDIT_SHARE_MAX = 10000, ASSERTIONS_MAX = 4096 };

struct assertion {
    enum assertion_kind kind;
    uint32_t winner, loser; /* choices; loser only for ASSERT_BEATS */
    uint32_t region;        /* or AUDIT_EVERYWHERE */
    uint32_t p, q;          /* the share; 1/1 for ASSERT_BEATS */
    /* 0: it must be true. Else it is one of the K regions of a regional rule that needs K - spare of
     * them; all of these carry the same number. */
    uint32_t spare;
    int64_t kb, kv, kw, kl;
};

struct assertion assertion_beats(uint32_t winner, uint32_t loser, uint32_t region);
/* 0 < p < q <= AUDIT_SHARE_MAX, the caller's duty (audit_rule_check looks at what users give). */
struct assertion assertion_share(enum assertion_kind kind, uint32_t choice, uint32_t p, uint32_t q,
                                 uint32_t region);

/* A for a batch of `ballots` with these votes; negative only if there are more votes than ballots.
 */
int64_t assertion_value(const struct assertion *a, uint64_t ballots, const uint64_t *votes,
                        size_t choices);
/* Change of A from one set of votes to another, the bound being the same. */
int64_t assertion_change(const struct assertion *a, const uint64_t *from, const uint64_t *to,
                         size_t choices);
/* T for a region of `ballots` ballots. */
int64_t assertion_null(const struct assertion *a, uint64_t ballots);
/* The largest A that one ballot can add. */
int64_t assertion_most(const struct assertion *a);
/* sum A - T over the reported figures: true as reported when positive. */
int64_t assertion_surplus(const struct assertion *a, const struct audit_contest *c);
/* Reported margin in the assorter's unit (T taken without the step for "at least" and "at most").
 */
int64_t assertion_margin(const struct assertion *a, const struct audit_contest *c);

/* What the reported outcome claims. */
struct audit_rule {
    uint32_t winners; /* W choices with the most votes win: each beats each other one */
    bool majority;    /* the single winner has more than half of the valid votes */
    bool runoff;      /* the W advance because nobody has a majority */
    uint32_t regions; /* the single winner has at least p/q in this many regions; 0: no such rule */
    uint32_t p, q;    /* the regional share */
    bool regions_fail; /* the first has the most votes and fails the regional rule */
    uint32_t spare;    /* up to so many further regions are audited in case one of them fails */
    const bool *outside; /* [regions] jurisdictions that are no regions of the rule; NULL: none are */
};
/* Regions of the rule among those of the contest. */
size_t audit_rule_regions(const struct audit_contest *c, const struct audit_rule *rule);
bool audit_rule_counts(const struct audit_rule *rule, uint32_t region);

/* The assertions for the outcome that the reported totals give under this rule, into out[max]. The
 * W winners are the choices with the most votes, put in `winners` [rule->winners] in that order. A
 * majority implies all its pluralities, which are then left out. Regions are those with the largest
 * diluted margins, spare ones after those needed, as many as reach the share. In a run-off because
 * the first fails the regional rule, the second must lack a majority and the first may have one.
 * `scratch` for temporary memory. E_AUDIT_OUTCOME when the reported figures do not
 * give such an outcome (a tie, no majority); E_USAGE when the rule itself contradicts itself. */
MUST_USE err audit_assertions(const struct audit_contest *c, const struct audit_rule *rule,
                              struct arena *scratch, struct assertion *out, size_t max, size_t *n,
                              uint32_t *winners, struct fail *f);

/* ---- what p of each assertion says of all of them ----
 *
 * A regional rule of K chosen regions, of which q are needed, is false only if at least K - q + 1 of
 * its assertions are. Each of these shows p <= t with chance t at most, and one of them must if q do:
 * so (K - q + 1) times the q-th smallest p is a p of the rule. The regions are fixed before the dice. */

/* p that an assertion must reach for the limit: a spare region makes each of its rule pay. */
double assertion_limit(const struct assertion *a, double limit);
/* p of the outcome: the largest of those that must hold and of the regional rule's. p[n] */
double audit_joint_p(const struct assertion *a, const double *p, size_t n);
/* p of the regional rule alone, 0 when no assertion carries spare ones. */
double audit_regional_p(const struct assertion *a, const double *p, size_t n);
/* Marks the assertions of a regional rule, those of kind AT_LEAST or BELOW over a region, with this
 * number of spare ones. False if there are not more of them than that. */
bool audit_spread(struct assertion *a, size_t n, uint32_t spare);
/* Every assertion that must hold is met, and enough of the regional rule's. met[n] */
bool audit_all_met(const struct assertion *a, const bool *met, size_t n);
/* Assertion j is met, or not needed any more: enough of its rule's regions are. */
bool audit_settled(const struct assertion *a, const bool *met, size_t n, size_t j);

/* "Ann beats Ben", "Ann has more than 1/2", with names of the choices and of the region (or NULL),
 * into out[max], cut if it does not fit. */
void assertion_name(const struct assertion *a, const char *const *choices, const char *region,
                    char *out, size_t max);

#endif
