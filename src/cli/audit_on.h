/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Audits that stand on a log: what the subcommands that work on one share. */
#ifndef CLI_AUDIT_ON_H
#define CLI_AUDIT_ON_H

#include "cli/cli.h"
#include "cli/send.h"
#include "cli/tree_log.h"
#include "service/audit_log.h"

/* A tree, its records, and one audit of it. Zero-initialised; large: static or allocated. */
struct audit_on {
    struct tree tree;
    struct tree_log log;
    struct audit_log a;
    struct hash election, plan_id;
    uint64_t size;
};
/* Reads the tree only: x->log. */
MUST_USE err audit_on_read(const char *where, const char *what, struct audit_on *x, struct fail *f);
/* ... and the audit with this plan's id (or its first digits), or the only one that is not closed. */
MUST_USE err audit_on_open(const char *where, const char *plan, const char *what, struct audit_on *x,
                           struct fail *f);
void audit_on_release(struct audit_on *x);
/* Objects of a tree, for service/audit_log. Borrows the tree. */
struct audit_objects audit_on_objects(struct tree *t);

/* Writes the text of one record; `x` is empty, and opened with audit_on_read or audit_on_open. */
typedef err audit_text(void *args, struct audit_on *x, struct make_options *m, struct buf *text, struct fail *f);
/* Makes, signs and sends that record, as the command line says; the exit code. */
int audit_make(const char *command, struct make_options *m, audit_text *write, void *args);

#define ON_OPTIONS(dir, plan)                                                                      \
    {"--dir", OPT_TEXT, &(dir), "DIR|URL", "the election's public tree"},                          \
        {"--plan", OPT_TEXT, &(plan), "ID|N", "the audit's plan, by id or entry (else the only one that is not closed)"}

int audit_cmd_list(int argc, char **argv);
int audit_cmd_commit(int argc, char **argv);
int audit_cmd_seed(int argc, char **argv);
int audit_cmd_next(int argc, char **argv);
int audit_cmd_sheets(int argc, char **argv);
int audit_cmd_count(int argc, char **argv);
int audit_cmd_status(int argc, char **argv);
int audit_cmd_close(int argc, char **argv);

#endif
