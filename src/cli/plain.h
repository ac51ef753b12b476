/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What somebody else's file says, shown on a terminal: as text, never as commands to it. */
#ifndef CLI_PLAIN_H
#define CLI_PLAIN_H

#include "base/bytes.h"

/* Appends s; what is not plain (char_is_plain), or no UTF-8, becomes "?". */
void cli_plain(struct buf *b, struct span s);

#endif
