/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What stands beside every result: the null, the controls' values, innocent causes, what the method
 * cannot see. Fixed texts in English and Swahili. */
#ifndef STATS_FORENSICS_ABOUT_H
#define STATS_FORENSICS_ABOUT_H

#include "stats/forensics/forensics.h"

struct fx_about {
    const char *name;      /* in JSON */
    int number;            /* in docs/forensics.md */
    const char *statistic; /* what `value` is */
    const char *effect;    /* what `effect` is */
    enum fx_class supports;
    struct words title, null, controls, innocent, blind;
};

const struct fx_about *fx_about(enum fx_method m);
/* "n/a", "none", "fact", "anomaly", "exploratory". */
const char *fx_class_name(enum fx_class c);

#endif
