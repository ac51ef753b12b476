/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/form_layout.h"

/* Columns of the table (mm). Left and right of it stand the markers of the long edges. */
#define TABLE_X       18.0
#define TABLE_W       174.0
#define NUMBER_W      6.0
#define LABEL_W       48.0
#define BOX_W         8.0
#define BOX_H         9.5
#define BOX_PITCH     9.5
#define BOX_INDENT    1.5
#define ROW_H         11.5
#define TABLE_Y       60.0
#define SIGN_Y        237.0
#define MARKER_SIDE   8.0
#define MARKER_MARGIN 8.0
#define AGENT_ROWS    11
#define AGENT_Y       72.0
#define AGENT_H       9.0

unsigned form_page_count(struct form_shape s) {
    unsigned rows = s.choices + FORM_COUNT_ROWS;
    return (rows + FORM_ROWS_PER_PAGE - 1) / FORM_ROWS_PER_PAGE + 1;
}

static struct rect_mm box_at(double x, double row_y, unsigned i) {
    return (struct rect_mm){x + BOX_PITCH * i, row_y + (ROW_H - BOX_H) / 2, BOX_W, BOX_H};
}

static void lay_row(struct layout_page *p, unsigned at, unsigned index) {
    struct layout_row *r = &p->rows[at];
    const unsigned n = p->shape.boxes;
    const double y = TABLE_Y + ROW_H * at;
    const double boxes_w = BOX_INDENT + BOX_PITCH * n;
    const double figure_x = TABLE_X + NUMBER_W + LABEL_W;
    const double correction_x = TABLE_X + TABLE_W - boxes_w;
    r->index = index;
    r->row = (struct rect_mm){TABLE_X, y, TABLE_W, ROW_H};
    r->label = (struct rect_mm){TABLE_X + NUMBER_W, y, LABEL_W, ROW_H};
    r->words = (struct rect_mm){figure_x + boxes_w, y, correction_x - figure_x - boxes_w, ROW_H};
    for (unsigned i = 0; i < n; i++) {
        r->figure[i] = box_at(figure_x + BOX_INDENT, y, i);
        r->correction[i] = box_at(correction_x + BOX_INDENT, y, i);
    }
}

static void add_zone(struct layout_page *p, enum zone_kind k, unsigned index, double x, double y,
                     double w, double h) {
    if (p->zone_count == FORM_ZONES_MAX) return;
    p->zones[p->zone_count++] = (struct layout_zone){k, index, {x, y, w, h}};
}

static void lay_attestation(struct layout_page *p) {
    for (unsigned i = 0; i < AGENT_ROWS; i++) {
        const double y = AGENT_Y + AGENT_H * i;
        add_zone(p, ZONE_AGENT_NAME, i, TABLE_X + 6, y, 50, AGENT_H);
        add_zone(p, ZONE_AGENT_ID, i, TABLE_X + 56, y, 28, AGENT_H);
        add_zone(p, ZONE_AGENT_PHONE, i, TABLE_X + 84, y, 28, AGENT_H);
        add_zone(p, ZONE_AGENT_PARTY, i, TABLE_X + 112, y, 22, AGENT_H);
        add_zone(p, ZONE_AGENT_SIGNATURE, i, TABLE_X + 134, y, 40, AGENT_H);
    }
    add_zone(p, ZONE_REMARKS, 0, TABLE_X, 184, TABLE_W, 40);
}

err form_layout(struct form_shape s, unsigned page, struct layout_page *out, struct fail *f) {
    if (s.choices < 1 || s.choices > FORM_CHOICES_MAX || s.boxes < 1 || s.boxes > FORM_BOXES_MAX)
        return fail_set(f, E_RANGE,
                        "a form has 1 to %d choices and 1 to %d boxes a figure, not %u and %u",
                        FORM_CHOICES_MAX, FORM_BOXES_MAX, s.choices, s.boxes);
    const unsigned pages = form_page_count(s);
    if (page < 1 || page > pages)
        return fail_set(f, E_RANGE, "this form has pages 1 to %u, not %u", pages, page);
    *out = (struct layout_page){.shape = s, .page = page, .pages = pages};
    if (page == pages) {
        lay_attestation(out);
    } else {
        const unsigned first = (page - 1) * FORM_ROWS_PER_PAGE, all = s.choices + FORM_COUNT_ROWS;
        while (out->row_count < FORM_ROWS_PER_PAGE && first + out->row_count < all) {
            lay_row(out, out->row_count, first + out->row_count);
            out->row_count++;
        }
    }
    /* every page is signed and stamped, so that no page of figures can be exchanged alone */
    add_zone(out, ZONE_SIGNATURE_OFFICER, 0, TABLE_X, SIGN_Y, 62, 32);
    add_zone(out, ZONE_SIGNATURE_DEPUTY, 0, TABLE_X + 64, SIGN_Y, 62, 32);
    add_zone(out, ZONE_STAMP, 0, TABLE_X + 128, SIGN_Y, 46, 32);
    return OK;
}

struct rect_mm form_marker_at(unsigned m) {
    static const double right = SHEET_W_MM - MARKER_MARGIN - MARKER_SIDE;
    static const double bottom = SHEET_H_MM - MARKER_MARGIN - MARKER_SIDE;
    const double x = m % 2 ? right : MARKER_MARGIN;
    const double y = m / 2 == 0 ? MARKER_MARGIN : m / 2 == 1 ? 144.0 : bottom;
    return (struct rect_mm){x, y, MARKER_SIDE, MARKER_SIDE};
}

uint16_t form_marker_bits(unsigned m) {
    /* found by search; test_form checks the distances */
    static const uint16_t bits[FORM_MARKERS] = {0x8573, 0x9d2a, 0x01f8, 0xc8d0, 0xe47d, 0xac84};
    return bits[m % FORM_MARKERS];
}

struct rect_mm form_qr_at(void) {
    return (struct rect_mm){165, 9, 25, 25};
}

struct rect_mm form_strip_at(void) {
    return (struct rect_mm){21, 274, 168, 4};
}

const char *form_row_key(struct form_shape s, unsigned index) {
    static const char *const counts[FORM_COUNT_ROWS] = {
        "registered", "identified_kit", "identified_hand", "rejected", "objected",
        "disputed",   "valid"};
    if (index < s.choices) return "choice";
    index -= s.choices;
    return index < FORM_COUNT_ROWS ? counts[index] : "";
}

const char *form_zone_key(enum zone_kind k) {
    static const char *const keys[ZONE_KINDS] = {
        "signature_officer", "signature_deputy", "stamp",           "agent_name", "agent_id",
        "agent_phone",       "agent_party",      "agent_signature", "remarks"};
    return k < ZONE_KINDS ? keys[k] : "";
}

bool form_zone_is_personal(enum zone_kind k) {
    return k == ZONE_AGENT_NAME || k == ZONE_AGENT_ID || k == ZONE_AGENT_PHONE ||
           k == ZONE_AGENT_SIGNATURE || k == ZONE_SIGNATURE_OFFICER || k == ZONE_SIGNATURE_DEPUTY;
}
