/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Diagnostics of programs (daemon, command line) on standard error: one line each, never a secret,
 * never personal data. Pure layers do not use this. */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/err.h"

enum diag_level { DIAG_ERROR, DIAG_WARN, DIAG_INFO, DIAG_DEBUG };

void diag_level_set(enum diag_level most);
void diag(enum diag_level level, const char *fmt, ...) PRINTF(2, 3);

#endif
