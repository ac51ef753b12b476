/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The trained networks of data/reader, as bytes in the program (made by tools/embed). */
#ifndef PAPER_WEIGHTS_H
#define PAPER_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t weights_net_a[], weights_net_b[];
extern const size_t weights_net_a_size, weights_net_b_size;

#endif
