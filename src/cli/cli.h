/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The command line: one table of subcommands, one table of options a subcommand.
 *
 * A subcommand is `int cmd_NAME(int argc, char **argv)` in cmd_NAME.c, declared through COMMANDS
 * below; it declares its options in a table and calls cli_parse, which answers --help and refuses
 * unknown options with a sentence and exit code 64. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"

/* One row a subcommand, in the order of the help. Add yours here. */
struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary; /* one line */
};

enum opt_kind {
    OPT_FLAG, /* bool *       */
    OPT_TEXT, /* const char **: borrowed from argv */
    OPT_MAYBE, /* the same, the value only as --name=VALUE: "" without one */
    OPT_U64,  /* uint64_t *   */
    OPT_LIST, /* struct opt_list *: may be given several times */
};

struct opt_list {
    const char *at[256];
    size_t n;
};

struct opt {
    const char *name; /* "--dir" */
    enum opt_kind kind;
    void *to;
    const char *arg;  /* "DIR"; NULL for a flag */
    const char *help; /* one sentence */
};

struct usage {
    const char *synopsis; /* "verify DIR|URL|FILE [--anchor FILE] [--json]" */
    const char *about;    /* a paragraph or two: what it does, an example, exit codes */
    const struct opt *options;
    size_t option_count;
    size_t min_args, max_args; /* positional */
};

/* Parses options anywhere on the line ("--" ends them; "--name=value" works too). Positional
 * arguments are moved to the front of argv and counted in *nargs. Returns true to go on; false when
 * the command is finished, with its exit code in *exit_code (0 after --help, 64 after a mistake). */
bool cli_parse(const struct usage *u, int argc, char **argv, int *nargs, int *exit_code);

/* Prints "hesabu NAME: sentence (E_CODE)" on standard error; returns the code's exit code. */
int cli_fail(const char *name, const struct fail *f);

/* Writes a buffer to standard output. Returns 0, or 74 with a sentence when that fails. */
int cli_print(struct span s);

/* Progress of long work on standard error, at most four times a second and only when it is a
 * terminal or HESABU_PROGRESS=1: "verify: 1,234,567 of 4,000,000 (31 %)". total 0 = unknown. */
void cli_progress(const char *what, uint64_t done, uint64_t total);
void cli_progress_end(void);

#endif
