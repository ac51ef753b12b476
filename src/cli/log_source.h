/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A log as the input of the statistics: --dir DIR|URL, one contest and round of it. */
#ifndef CLI_LOG_SOURCE_H
#define CLI_LOG_SOURCE_H

#include "base/json_out.h"
#include "cli/tree_log.h"
#include "stats/log_tables.h"
#include "stats/words.h"

struct log_args {
    const char *dir, *contest, *anchor;
    uint64_t round;
    bool check; /* verify every signature */
};
#define LOG_OPTIONS(v)                                                                             \
    {"--dir", OPT_TEXT, &(v).dir, "DIR|URL", "a log's public tree instead of a file: its signed forms"}, \
    {"--contest", OPT_TEXT, &(v).contest, "ID", "of the log; needed when it has several"},         \
    {"--round", OPT_U64, &(v).round, "N", "of the contest (default: the current one)"},            \
    {"--anchor", OPT_TEXT, &(v).anchor, "FILE", "the gazetted trust anchor (else the tree's own)"}, \
    {"--check-signatures", OPT_FLAG, &(v).check, NULL, "verify the log's signatures first (slower)"}

/* Does not move: the log borrows the tree. */
struct log_source {
    struct tree tree;
    struct tree_log log;
    struct log_pick pick;
};
MUST_USE err log_source_open(const struct log_args *a, const char *what, struct log_source *out,
                             struct fail *f);
void log_source_close(struct log_source *s);

/* The decisive test of a central change: the results that the tree publishes for every area of the
 * contest and round, against those that its records give. */
struct log_published {
    size_t files, differ, absent;
    struct span first; /* code of the first unit whose file differs or is not there; borrowed from the fold */
};
MUST_USE err log_source_published(struct log_source *s, struct log_published *out, struct fail *f);
void log_published_json(const struct log_published *p, struct json_out *j); /* a member "published" */
void log_published_text(const struct log_published *p, enum lang lang, struct buf *out);

/* A member "source" of an open object: origin, size, root, contest, round, anchored, simulated. */
void log_source_json(const struct log_source *s, struct json_out *j);
void log_source_text(const struct log_source *s, struct buf *out);

#endif
