/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A sheet to draw on: pages of a PDF, or one grey image; the only place that knows cairo and pango.
 *
 * Millimetres, origin top left. Drawing never fails by itself: errors stay in the canvas and are
 * reported when it is closed. The same drawing gives the same bytes (fixed date, one font family).
 */
#ifndef PAPER_CANVAS_H
#define PAPER_CANVAS_H

#include "crypto/hash.h"
#include "paper/form_layout.h"
#include "paper/raster.h"

struct canvas;

/* TEXT_FIT: letters are made smaller, to half their size at most, before anything is cut off. */
enum text_style {
    TEXT_PLAIN = 0,
    TEXT_BOLD = 1,
    TEXT_MONO = 2,
    TEXT_CENTRE = 4,
    TEXT_RIGHT = 8,
    TEXT_FIT = 16
};

/* A PDF written to `sink` (called with pieces; false = stop). `date` is what the file says about
 * its making ("2017-08-08T00:00:00Z"); `title` its title. The caller owns *out: canvas_close. */
typedef bool canvas_sink(void *ctx, struct span piece);
MUST_USE err canvas_pdf(canvas_sink *sink, void *ctx, const char *title, const char *date,
                        struct canvas **out, struct fail *f);
/* One A4 page as a grey image with this resolution. */
MUST_USE err canvas_image(double pixels_per_mm, struct canvas **out, struct fail *f);

/* The next pages of a PDF lie on their long side: SHEET_H_MM wide, SHEET_W_MM high. Before anything
 * is drawn on the page. */
void canvas_lie_down(struct canvas *c);
/* Ends a page (of a PDF; nothing on an image). */
void canvas_page_end(struct canvas *c);
/* Pages ended so far. */
uint64_t canvas_pages(const struct canvas *c);

/* What many pages have in common is drawn once and stands once in a PDF: true when the caller must
 * draw it now (whatever is drawn until canvas_shared_end belongs to it), false when what was drawn
 * under this key has been put on the page. The key must depend on everything that is drawn. */
bool canvas_shared_begin(struct canvas *c, const struct hash *key);
void canvas_shared_end(struct canvas *c);
/* Finishes the document and frees the canvas; E_IO when the sink stopped, E_INTERNAL otherwise. For
 * an image canvas *image (may be NULL) gets the pixels. */
MUST_USE err canvas_close(struct canvas *c, struct raster *image, struct fail *f);

void canvas_fill(struct canvas *c, struct rect_mm r, double grey); /* 0 black .. 1 white */
/* A grid of equal cells: those whose byte in dark[rows * columns] is not 0 are filled with black.
 */
void canvas_cells(struct canvas *c, struct rect_mm r, int columns, int rows, const uint8_t *dark);
void canvas_frame(struct canvas *c, struct rect_mm r, double line_mm, double grey);
void canvas_line(struct canvas *c, double x0, double y0, double x1, double y1, double line_mm,
                 double grey);
/* One line of text inside `at` (cut with an ellipsis where it is too long, see TEXT_FIT), vertically
 * centred. */
void canvas_text(struct canvas *c, struct rect_mm at, double size_pt, unsigned style,
                 const char *text);
/* Several lines, wrapped at the width, from the top. */
void canvas_paragraph(struct canvas *c, struct rect_mm at, double size_pt, unsigned style,
                      const char *text);
/* Height of such a paragraph at this width, in mm. */
double canvas_paragraph_height(struct canvas *c, double width_mm, double size_pt, unsigned style,
                               const char *text);
/* A line through n points (x, y, x, y, ...), and an area inside one. */
void canvas_polyline(struct canvas *c, const double *xy, size_t n, double line_mm, double grey);
void canvas_polygon(struct canvas *c, const double *xy, size_t n, double grey);
/* A QR code of these bytes in a square. */
MUST_USE err canvas_qr(struct canvas *c, struct span bytes, struct rect_mm at, struct fail *f);
/* Large, light, slanted letters across the page. */
void canvas_watermark(struct canvas *c, const char *text);

#endif
