/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Printing: the station's result form, collation tables, count sheets, and the slip of a result.
 *
 * Everything is drawn on a canvas (a PDF or one image), in English and Swahili, the same bytes for
 * the same input. Strings are UTF-8, borrowed for the call. What is made by a demo says SIMULATED.
 */
#ifndef PAPER_PRINT_H
#define PAPER_PRINT_H

#include "paper/canvas.h"
#include "paper/form_code.h"

struct print_choice {
    const char *name, *party;
};

/* A station's result form. code.page and code.pages are set by the printer. */
struct print_form {
    struct form_code code;
    const char *regulation;              /* "r. 79(2)(a)" or "" */
    const char *contest_en, *contest_sw; /* "Election of the President" */
    const char *station, *stream;        /* name; "1 of 3" */
    const char *ward, *constituency, *county;
    const struct print_choice *choices; /* code.shape.choices of them */
    const char *anchor;                 /* fingerprint of the trust anchor, 64 hex digits, or "" */
    bool simulated;
    const char *copy; /* "" or a word printed across the page: "COPY" */
};

/* One page; E_RANGE, E_FIELD for a form that cannot be printed. */
MUST_USE err print_form_page(struct canvas *c, const struct print_form *form, unsigned page,
                             struct fail *f);
/* All its pages. */
MUST_USE err print_form(struct canvas *c, const struct print_form *form, struct fail *f);

/* A collation (34B, 34C): rows of figures filled in, with totals, over as many pages as it takes,
 * lying on their side; then a page for the agents. */
struct print_table {
    const char *form, *title_en, *title_sw, *place; /* "34B", .., "Constituency 290 Ruaraka" */
    const char *code;                               /* printed and in the QR; "" for none */
    const char *const *columns;                     /* figure columns: headings */
    unsigned column_count;                          /* at most 12 */
    const char *const *labels;                      /* row_count labels: "047290... NAME" */
    const uint64_t *figures; /* row_count x column_count; PRINT_ABSENT = blank */
    unsigned row_count;
    const char *anchor;
    bool simulated;
};
#define PRINT_ABSENT UINT64_MAX
/* Totals are summed here, checked (E_OVERFLOW). */
MUST_USE err print_table(struct canvas *c, const struct print_table *t, struct fail *f);

/* A count sheet: tally boxes in fives for every choice, for use while ballots are counted. */
MUST_USE err print_count_sheet(struct canvas *c, const struct print_form *form, struct fail *f);

/* The officer's receipt: a QR with the signed note itself (at most QR_NOTE_BYTES_MAX bytes), its
 * text's SHA-256 in figures, and what it is. */
struct print_slip {
    struct span note;
    const char *id;                /* 64 hex digits: the record's id */
    const char *contest, *station; /* for people */
    const char *const *lines;      /* the figures in words and numbers, one line each */
    unsigned line_count;           /* at most 40 */
    bool simulated;
};
MUST_USE err print_slip(struct canvas *c, const struct print_slip *s, struct fail *f);

#endif
