/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Clocks: wall time for entries, monotonic time for waiting. Pure layers never call these. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_wall_ms(void);      /* unix time */
uint64_t clock_monotonic_ms(void); /* from an arbitrary start; never goes back */
double clock_seconds(void);        /* monotonic, for measuring */
double clock_cpu_seconds(void);    /* worked by all threads of this process */
/* "2017-08-08T17:00:00Z" into out[21]. */
void clock_format_utc(uint64_t unix_ms, char out[21]);

/* Test hook: added to clock_wall_ms (a clock that jumps). */
void clock_wall_shift(int64_t ms);

#endif
