/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Values as people write them on a command line: times, figures by choice, rectangles. */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include "base/bytes.h"

/* "2017-08-08T17:00:00Z" (UTC) or milliseconds since 1970. E_USAGE. */
MUST_USE err value_time(const char *text, uint64_t *ms, struct fail *f);

/* "a=1,b=2": names borrow from the text; at most `max`, each name once. A figure "-" or nothing is
 * blank on the form: UINT64_MAX. E_USAGE. */
MUST_USE err value_pairs(const char *text, struct span *names, uint64_t *values, size_t max, size_t *n,
                         struct fail *f);

/* Exactly `n` whole numbers separated by commas. E_USAGE. */
MUST_USE err value_numbers(const char *text, uint32_t *out, size_t n, struct fail *f);

/* 1234567 as "1,234,567". */
const char *value_grouped(uint64_t v, char out[32]);

#endif
