/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Waiting on a condition until a time of the monotonic clock: a wall clock that is set back must not
 * make anybody wait longer. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Until the condition is signalled (true, or for no reason at all: look again) or clock_monotonic_ms
 * reaches `until_ms` (false). `lock` is held, as for pthread_cond_wait. */
bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ms);

#endif
