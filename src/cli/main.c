/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu: one binary, one table of subcommands. */
#include <signal.h>
#include <stdio.h>
#include "cli/cli.h"

#define COMMAND(name, summary) int cmd_##name(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

static const struct command commands[] = {
#define COMMAND(name, summary) {#name, cmd_##name, summary},
#include "cli/commands.def"
#undef COMMAND
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void help(FILE *to) {
    fprintf(to, "hesabu: election results, signed where they were counted and recomputable by "
                "anybody.\n\nusage: hesabu COMMAND [options]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-14s %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\n'hesabu COMMAND --help' tells more. To begin: hesabu demo\n");
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        help(stderr);
        return err_info(E_USAGE)->exit;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0) name = "version";
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "hesabu: there is no command \"%s\"; 'hesabu help' lists them\n", name);
    return err_info(E_USAGE)->exit;
}
