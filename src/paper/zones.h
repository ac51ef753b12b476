/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signature and stamp zones: is there ink, and a hash of it that finds the same paper again. */
#ifndef PAPER_ZONES_H
#define PAPER_ZONES_H

#include "paper/sheet.h"

enum { ZONE_HASH_WORDS = 32 };

/* Inside of a zone's printed frame, below its heading. */
struct rect_mm zone_inner(const struct layout_zone *z);
/* Ink within a zone, its printed frame and heading left out: area in mm2. */
MUST_USE err zone_ink(const struct sheet *s, const struct layout_zone *z, double *mm2,
                      struct fail *f);

/* 2,048 bits of the residual ink of officer's and deputy's signatures and of the stamp: 32 x 21
 * cells each, 1 where there is ink. *usable: enough of them are set. */
MUST_USE err zone_hash(const struct sheet *s, const struct layout_page *p,
                       uint64_t out[ZONE_HASH_WORDS], bool *usable, struct fail *f);

/* Bits in common over bits in either, 0..1. */
double zone_hash_similarity(const uint64_t *a, const uint64_t *b);

/* Every pair (i < j) of `n` hashes (n * ZONE_HASH_WORDS words) that is at least `least` alike;
 * calls found() for each. Hashes with fewer than 40 bits are passed over. Part `part` of `parts` of
 * the work, so that callers bring threads. */
void zone_hash_pairs(const uint64_t *hashes, size_t n, double least, size_t part, size_t parts,
                     void (*found)(void *ctx, size_t i, size_t j, double similarity), void *ctx);

#endif
