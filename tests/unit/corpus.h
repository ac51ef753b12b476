/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The corpora of spec/ (vectors, accept, reject), made from election_fixture.h and record_cases.h. */
#ifndef TESTS_CORPUS_H
#define TESTS_CORPUS_H

#include "base/bytes.h"

/* Calls `emit` once for each file, with its path below spec/. The same bytes in each run. */
void corpus_make(void (*emit)(void *ctx, const char *path, struct span bytes), void *ctx);

#endif
