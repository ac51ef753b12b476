/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What identifies a sheet: the text of its QR code (also printed for people) and its code strip.
 *
 * Text: "HESABU/1 <form> <station> <contest> <serial> <page>/<pages> <choices>x<boxes> <check>",
 * single blanks, ASCII. The check digits are ISO 7064 MOD 97-10 over the bytes before them. The
 * strip holds the same with the contest's number instead of its name, in 160 bits and a CRC-32. */
#ifndef PAPER_FORM_CODE_H
#define PAPER_FORM_CODE_H

#include "paper/form_layout.h"

enum {
    CODE_TEXT_MAX = 128,
    CODE_STRIP_BITS = FORM_STRIP_ROWS * FORM_STRIP_COLUMNS,
    CODE_STRIP_BYTES = CODE_STRIP_BITS / 8,
};

struct form_code {
    char form[5];     /* "34A": 1 to 4 capital letters and digits */
    char station[19]; /* the unit's code: 1 to 18 digits */
    char contest[25]; /* "president": 1 to 24 of a-z 0-9 . _ - ; empty when read from the strip */
    unsigned contest_number; /* 1..65535; 0 when read from the QR code */
    uint64_t serial;         /* at most 2^34 - 1 */
    unsigned page, pages;    /* 1..15 */
    struct form_shape shape;
};

/* E_FIELD naming the part that is not as described above. */
MUST_USE err form_code_check(const struct form_code *c, struct fail *f);

/* NUL-terminated text into out[CODE_TEXT_MAX]. */
MUST_USE err form_code_text(const struct form_code *c, char *out, struct fail *f);
/* Strict: exactly what form_code_text writes; E_FIELD with what is wrong, E_PAPER_CHECK for wrong
 * check digits. */
MUST_USE err form_code_parse(struct span text, struct form_code *out, struct fail *f);

/* The strip's bits, most significant first; 1 is black. */
MUST_USE err form_strip_pack(const struct form_code *c, uint8_t out[CODE_STRIP_BYTES],
                             struct fail *f);
MUST_USE err form_strip_unpack(const uint8_t in[CODE_STRIP_BYTES], struct form_code *out,
                               struct fail *f);

/* The two codes of one sheet name the same sheet (the contest is compared where both have it). */
bool form_code_same(const struct form_code *a, const struct form_code *b);

#endif
