/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What commands that run until they are told to stop have in common: an address to listen at, and
 * SIGTERM and SIGINT. */
#ifndef CLI_LISTEN_H
#define CLI_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

enum { LISTEN_ADDRESS_MAX = 64 };

/* "127.0.0.1:8080", "8080" (at 127.0.0.1), "[::1]:8080"; port 0: any. E_USAGE. */
MUST_USE err listen_parse(const char *text, char address[LISTEN_ADDRESS_MAX], uint16_t *port,
                          struct fail *f);

/* From now on SIGTERM and SIGINT set a flag and interrupt waiting; SIGPIPE is ignored. */
void listen_catch_signals(void);
bool listen_stopped(void);
/* Waits; returns early when a signal comes. */
void listen_wait(uint32_t ms);

#endif
