/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the subcommands of `hesabu audit` share: the rule as options, the assertions with names, and
 * the three ways to draw batches. */
#ifndef CLI_AUDIT_COMMON_H
#define CLI_AUDIT_COMMON_H

#include "cli/cli.h"
#include "service/audit_files.h"
#include "stats/audit/risk.h"

enum { AUDIT_ARENA_MAX = 1 << 30 };

/* Options that say what the outcome claims. */
struct audit_rule_options {
    uint64_t winners, spare;
    bool majority, runoff, regions_fail;
    const char *regions; /* "24:1/4" */
    const char *outside; /* "048,049" */
};
#define AUDIT_RULE_OPTIONS(o)                                                                      \
    {"--winners", OPT_U64, &(o).winners, "W", "how many win or advance (1)"},                      \
        {"--majority", OPT_FLAG, &(o).majority, NULL,                                              \
         "the winner needs more than half of the valid votes"},                                    \
        {"--runoff", OPT_FLAG, &(o).runoff, NULL,                                                  \
         "the W advance because nobody has a majority (majority assertions too)"},                 \
        {"--regions", OPT_TEXT, &(o).regions, "K:P/Q",                                             \
         "the winner needs P/Q of the valid votes in K jurisdictions, as 24:1/4"},                 \
        {"--outside", OPT_TEXT, &(o).outside, "LIST",                                              \
         "jurisdictions that are no regions of this rule, as 048,049"},                            \
        {"--spare", OPT_U64, &(o).spare, "N",                                                      \
         "audit up to N more regions than needed, in case one fails"},                             \
    {                                                                                              \
        "--regions-fail", OPT_FLAG, &(o).regions_fail, NULL,                                       \
            "the first fails that rule (with --majority, or --winners 2 --runoff)"                 \
    }

/* Batches, assertions and their names; released with the arena that they live in. */
struct audit_case {
    struct arena arena;
    struct audit_batches batches;
    struct audit_rule rule;
    struct assertion *assertion;
    size_t assertions;
    uint32_t *winners;
    uint32_t winner_count;
};
/* Reads the batches. audit_case_release in any case. */
MUST_USE err audit_case_read(const char *batches, uint64_t total_ballots, struct audit_case *out,
                             struct fail *f);
/* Makes the assertions of batches that were read. c->rule.outside may say before which jurisdictions
 * are no regions; --outside replaces it. */
MUST_USE err audit_case_claim(const struct audit_rule_options *o, struct audit_case *c, struct fail *f);
/* Both. */
MUST_USE err audit_case_open(const char *batches, uint64_t total_ballots,
                             const struct audit_rule_options *o, struct audit_case *out,
                             struct fail *f);
void audit_case_release(struct audit_case *c);
void audit_case_name(const struct audit_case *c, size_t assertion, char *out, size_t max);

/* A decimal between 0 and 1, such as 0.05: E_USAGE. */
MUST_USE err audit_limit_parse(const char *text, double *out, struct fail *f);

enum audit_sampler_kind { SAMPLER_ARLO, SAMPLER_INTEGER, SAMPLER_CONSISTENT };
extern const char *const audit_sampler_names[];
MUST_USE err audit_sampler_by_name(const char *name, enum audit_sampler_kind *out, struct fail *f);

/* Weights (what draws are proportional to) for the sampler, of the listed batches only. */
MUST_USE err audit_case_weights(struct audit_case *c, enum audit_sampler_kind kind,
                                uint64_t **weights, struct fail *f);
/* The first `n` draws (fewer, in *drawn, when nothing is left to draw). Arlo's are always with
 * replacement. */
MUST_USE err audit_case_draw(struct audit_case *c, enum audit_sampler_kind kind, struct span seed,
                             bool replacement, size_t n, uint32_t **draws, size_t *drawn,
                             struct fail *f);
/* The id of a batch in consistent sampling: "jurisdiction/batch", or the batch alone. */
size_t audit_batch_id(const struct audit_batches *b, size_t batch, char *out, size_t max);

int audit_cmd_draw(int argc, char **argv);
int audit_cmd_risk(int argc, char **argv);
int audit_cmd_transcript(int argc, char **argv);
int audit_cmd_check(int argc, char **argv);
int audit_cmd_plan(int argc, char **argv);
int audit_cmd_size(int argc, char **argv);
int audit_cmd_simulate(int argc, char **argv);
int audit_cmd_court(int argc, char **argv);
int audit_cmd_report(int argc, char **argv);
int audit_cmd_cards(int argc, char **argv);
int audit_cmd_strata(int argc, char **argv);

#endif
