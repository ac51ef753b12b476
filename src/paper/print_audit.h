/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Printing for audits: the sheet on which a box is counted (it never shows the reported figures), and the
 * report for people. Strings are UTF-8, borrowed for the call. */
#ifndef PAPER_PRINT_AUDIT_H
#define PAPER_PRINT_AUDIT_H

#include "paper/canvas.h"

struct print_audit_sheet {
    const char *contest, *code, *station, *place; /* names; code: the station's */
    const char *plan;                             /* 64 hex digits: the plan's id */
    unsigned position, draws;                     /* "draw 3 of 341" */
    const char *const *choices;                   /* names */
    unsigned choice_count;
    bool simulated;
};
/* As many pages as the choices take, each with a QR code: "HESABU-AUDIT/1 PLAN STATION POSITION". */
MUST_USE err print_audit_sheet(struct canvas *c, const struct print_audit_sheet *s, struct fail *f);

struct print_audit_line { /* the risk of one assertion after each draw */
    const char *name;
    const double *draw, *p; /* [n] */
    size_t n;
};
struct print_audit_report {
    const char *title;
    const char *say;                     /* what may be said */
    const char *const *not_say;          /* what may not */
    const char *const *facts, *const *assertions, *const *differences; /* a line each */
    size_t not_say_count, fact_count, assertion_count, difference_count;
    const struct print_audit_line *line;
    size_t line_count; /* at most 60 are drawn */
    double limit, last_draw;
    bool simulated;
};
void print_audit_report(struct canvas *c, const struct print_audit_report *r);

#endif
