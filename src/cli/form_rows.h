/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A result record's figures in the order of the printed form's rows. */
#ifndef CLI_FORM_ROWS_H
#define CLI_FORM_ROWS_H

#include "election/station.h"
#include "paper/judge.h"

/* How many choices stand in the round: the form's rows before the ballot counts. */
unsigned form_row_choices(const struct fold *fold, uint32_t contest, unsigned round);

/* The choices that stand in the round, then the ballot counts; blank figures are not present. */
void form_rows_of_result(const struct fold *fold, uint32_t contest, unsigned round,
                         const struct result *r, struct judge_typed out[FORM_ROWS_MAX]);

#endif
