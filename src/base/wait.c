/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/wait.h"

#include <time.h>

bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t until_ms) {
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000};
    return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &until) == 0;
}
