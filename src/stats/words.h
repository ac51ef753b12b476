/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sentences about statistics in English and Swahili, and the numbers in them.
 *
 * Pure: text goes to a caller's buffer. What may never be said is kept by a test over every output. */
#ifndef STATS_WORDS_H
#define STATS_WORDS_H

#include "base/bytes.h"

enum lang { LANG_EN, LANG_SW, LANG_COUNT };

/* Both languages of one text, in the order of enum lang. */
struct words {
    const char *in[LANG_COUNT];
};

/* "en" or "sw"; E_USAGE otherwise. */
MUST_USE err lang_parse(const char *s, enum lang *out, struct fail *f);

/* buf_printf of the one or the other literal, both checked against the arguments. */
#define SAY(b, lang, en, sw, ...)                                                                  \
    ((lang) == LANG_SW ? buf_printf((b), sw, ##__VA_ARGS__) : buf_printf((b), en, ##__VA_ARGS__))

/* A whole number with thousands separators ("19,611,423") into out[32]; returns out. */
const char *words_u64(uint64_t v, char out[32]);
const char *words_i64(int64_t v, char out[32]);

/* A probability for people: "0.013", "4.2e-09", "< 1e-300". Returns out. */
const char *words_p(double p, char out[24]);

/* Writes s with & < > " escaped for HTML. */
void words_html(struct buf *b, struct span s);

#endif
