/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The form that the measurements of paper are made with: four choices, four boxes a figure. */
#ifndef BENCH_FORM_H
#define BENCH_FORM_H

#include <stdio.h>
#include "paper/print.h"

enum { CHOICES = 4, BOXES = 4, ROWS = CHOICES + FORM_COUNT_ROWS };

/* Another station for each serial number. */
static inline struct print_form simulated_form(uint64_t serial) {
    static const struct print_choice names[CHOICES] = {{"Odinga Raila", "Azimio"},
                                                       {"Ruto William Samoei", "UDA"},
                                                       {"Waihiga David Mwaure", "Agano"},
                                                       {"Wajackoyah George", "Roots"}};
    struct print_form p = {.regulation = "",
                           .contest_en = "Election of the President",
                           .contest_sw = "Uchaguzi wa Rais",
                           .station = "SIMULATED PRIMARY SCHOOL",
                           .stream = "1 of 1",
                           .ward = "WARD",
                           .constituency = "CONSTITUENCY",
                           .county = "COUNTY",
                           .choices = names,
                           .anchor = "",
                           .simulated = true,
                           .copy = ""};
    p.code = (struct form_code){.form = "34A",
                                .contest = "president",
                                .contest_number = 1,
                                .serial = serial,
                                .page = 1,
                                .pages = 2,
                                .shape = {CHOICES, BOXES}};
    snprintf(p.code.station, sizeof p.code.station, "%015llu",
             (unsigned long long)(1001000100101 + serial * 97));
    return p;
}

#endif
