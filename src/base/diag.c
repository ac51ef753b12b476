/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/diag.h"

#include <stdatomic.h>
#include <stdio.h>
#include "base/clock.h"

static _Atomic int most = DIAG_INFO;

void diag_level_set(enum diag_level level) {
    most = level;
}

void diag(enum diag_level level, const char *fmt, ...) {
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if ((int)level > most) return;
    char text[1024], when[21];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (char *c = text; *c; c++) /* one line, whatever a peer sent */
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    clock_format_utc(clock_wall_ms(), when);
    (void)fprintf(stderr, "%s %s: %s\n", when, names[level], text);
}
