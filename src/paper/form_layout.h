/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where everything stands on our result form: the geometry that printer and reader share.
 *
 * Pure: a shape (form, choices, boxes a figure, page) goes in, rectangles come out. Millimetres on
 * an A4 sheet, origin at the top left corner, y downwards. */
#ifndef PAPER_FORM_LAYOUT_H
#define PAPER_FORM_LAYOUT_H

#include "base/bytes.h"

#define SHEET_W_MM 210.0
#define SHEET_H_MM 297.0

enum {
    FORM_CHOICES_MAX = 60,
    FORM_BOXES_MAX = 5,      /* boxes a figure: up to 99,999 at one station */
    FORM_ROWS_PER_PAGE = 15, /* rows of boxes that fit between header and signatures */
    FORM_COUNT_ROWS = 7,     /* ballot counts below the choices */
    FORM_ROWS_MAX = FORM_CHOICES_MAX + FORM_COUNT_ROWS,
    FORM_PAGES_MAX = 6,
    FORM_ZONES_MAX = 64,
    FORM_MARKERS = 6,
    MARKER_CELLS = 6, /* a marker is 6 x 6 cells: a black frame around 4 x 4 bits */
    FORM_STRIP_ROWS = 2,
    FORM_STRIP_COLUMNS = 96,
};

struct rect_mm {
    double x, y, w, h;
};

/* What the reader must know to find the boxes; it stands in the QR code and in the code strip. */
struct form_shape {
    unsigned choices; /* 1..FORM_CHOICES_MAX */
    unsigned boxes;   /* 1..FORM_BOXES_MAX */
};

/* One figure: a row of boxes, and beside it the row for its correction. */
struct layout_row {
    unsigned index;     /* 0..choices-1: a choice; from `choices` on: a ballot count */
    struct rect_mm row; /* the whole table row */
    struct rect_mm figure[FORM_BOXES_MAX], correction[FORM_BOXES_MAX];
    struct rect_mm label, words;
};

enum zone_kind {
    ZONE_SIGNATURE_OFFICER,
    ZONE_SIGNATURE_DEPUTY,
    ZONE_STAMP,
    ZONE_AGENT_NAME,
    ZONE_AGENT_ID,
    ZONE_AGENT_PHONE,
    ZONE_AGENT_PARTY,
    ZONE_AGENT_SIGNATURE,
    ZONE_REMARKS,
    ZONE_KINDS
};

struct layout_zone {
    enum zone_kind kind;
    unsigned index; /* which agent, from 0 */
    struct rect_mm at;
};

struct layout_page {
    struct form_shape shape;
    unsigned page, pages; /* from 1 */
    struct layout_row rows[FORM_ROWS_PER_PAGE];
    unsigned row_count; /* 0 on the last page, which holds agents and remarks */
    struct layout_zone zones[FORM_ZONES_MAX];
    unsigned zone_count;
};

/* Sheets of a form with this shape: the pages of figures and one of agents and remarks. */
unsigned form_page_count(struct form_shape s);

/* Fills *out for page 1..form_page_count. E_RANGE for a shape or a page that no form has. */
MUST_USE err form_layout(struct form_shape s, unsigned page, struct layout_page *out,
                         struct fail *f);

/* The six fiducial markers, the same on every page: four corners and the middle of the long edges.
 */
struct rect_mm form_marker_at(unsigned marker);
/* Its 16 inner bits, row by row from the top left, most significant first; 1 is black. The codes
 * differ in at least 6 bits from each other in all four rotations, and from themselves rotated. */
uint16_t form_marker_bits(unsigned marker);

struct rect_mm form_qr_at(void);
/* The code strip: FORM_STRIP_ROWS x FORM_STRIP_COLUMNS cells. */
struct rect_mm form_strip_at(void);

/* Stable key of a row: "choice" and its index, or "registered" "rejected" "objected" "disputed"
 * "valid" "identified_kit" "identified_hand". */
const char *form_row_key(struct form_shape s, unsigned index);
const char *form_zone_key(enum zone_kind k);
/* Data that a preset may want masked in the published image. */
bool form_zone_is_personal(enum zone_kind k);

#endif
