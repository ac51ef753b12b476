/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Text: strict UTF-8 and decimal numbers. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

/* Next scalar value of valid UTF-8 at s->p (advances s); -1 on an invalid or cut sequence, on
 * overlong forms, surrogates and values past U+10FFFF. */
int32_t utf8_next(struct span *s);
/* Valid UTF-8 throughout. */
bool utf8_valid(struct span s);
/* A character that may stand in names shown to people: no C0 or C1 control, no bidirectional
 * control (U+061C, U+200E/F, U+202A-E, U+2066-9), no line or paragraph separator, no noncharacter. */
bool char_is_plain(int32_t c);
/* Valid UTF-8 of plain characters only. */
bool text_is_plain(struct span s);
/* Unicode White_Space. */
bool char_is_space(int32_t c);

/* Decimal without sign, leading zeros or anything else; at most `max`. */
MUST_USE err u64_parse(struct span s, uint64_t max, uint64_t *out, struct fail *f);

static inline bool char_is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

#endif
