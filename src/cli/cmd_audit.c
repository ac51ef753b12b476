/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* hesabu audit: one table of its own subcommands. */
#include <stdio.h>
#include "cli/audit_common.h"
#include "cli/audit_on.h"

int cmd_audit(int argc, char **argv);

static const struct command parts[] = {
    {"plan", audit_cmd_plan, "what an audit will take, by risk limit"},
    {"size", audit_cmd_size, "stations of the first round, or of the next"},
    {"simulate", audit_cmd_simulate, "what errors and lost boxes would cost"},
    {"list", audit_cmd_list, "the stations and figures of a log, to be committed to"},
    {"commit", audit_cmd_commit, "the plan of an audit, on the log, before the dice"},
    {"seed", audit_cmd_seed, "the public dice of a committed audit, on the log"},
    {"sheets", audit_cmd_sheets, "which boxes to fetch, and sheets to count them on"},
    {"count", audit_cmd_count, "one person's blind hand count of a box, on the log"},
    {"status", audit_cmd_status, "where an audit on a log stands: risk, progress, differences"},
    {"next", audit_cmd_next, "the next round, or a full count, on the log"},
    {"close", audit_cmd_close, "the end of an audit, on the log"},
    {"draw", audit_cmd_draw, "the batches that a seed draws, in order"},
    {"risk", audit_cmd_risk, "the risk of every assertion, from hand counts of a sample"},
    {"transcript", audit_cmd_transcript, "the audit as one text file that anyone can do again"},
    {"check", audit_cmd_check, "does an audit again from its transcript"},
    {"report", audit_cmd_report, "a page for people, with plots, from a transcript"},
    {"cards", audit_cmd_cards, "single ballot cards: polling, comparison, ONEAudit"},
    {"strata", audit_cmd_strata, "jurisdictions that draw by themselves"},
    {"court", audit_cmd_court, "what voiding stations would do to the outcome"},
};
enum { PARTS = sizeof parts / sizeof *parts };

static void help(FILE *to) {
    fprintf(to,
            "usage: hesabu audit PART [options]\n\nRisk-limiting audits: from the declared result "
            "back to the ballots.\n\n");
    for (size_t i = 0; i < PARTS; i++) fprintf(to, "  %-12s %s\n", parts[i].name, parts[i].summary);
    fprintf(to, "\n'hesabu audit PART --help' tells more\n");
}

int cmd_audit(int argc, char **argv) {
    if (argc < 2) {
        help(stderr);
        return err_info(E_USAGE)->exit;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        help(stdout);
        return 0;
    }
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(argv[1], parts[i].name) == 0) return parts[i].run(argc - 1, argv + 1);
    fprintf(stderr, "hesabu audit: there is no part \"%s\"; 'hesabu audit --help' lists them\n",
            argv[1]);
    return err_info(E_USAGE)->exit;
}
