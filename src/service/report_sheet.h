/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Pages of a report in flowing text with plots, as PDF: what the reports of forensics and compare share.
 * No date of its own and nothing random: the same report gives the same bytes. */
#ifndef SERVICE_REPORT_SHEET_H
#define SERVICE_REPORT_SHEET_H

#include "paper/canvas.h"
#include "stats/words.h"

/* millimetres */
#define SHEET_LEFT   20.0
#define SHEET_TOP    18.0
#define SHEET_WIDE   170.0
#define SHEET_BOTTOM 280.0

struct sheet {
    struct canvas *c;
    double y; /* where the next line goes */
    enum lang lang;
    bool simulated;
    struct buf text; /* for the next paragraph */
};
MUST_USE err sheet_open(struct sheet *s, const char *title, enum lang lang, bool simulated, struct buf *out,
                        struct fail *f);
/* Ends the last page and the document; `drawn` is what drawing gave, and is returned when it is an error. */
MUST_USE err sheet_close(struct sheet *s, err drawn, struct fail *f);

const char *sheet_words(const struct sheet *s, const char *en, const char *sw);
void sheet_page(struct sheet *s);              /* a new page */
void sheet_need(struct sheet *s, double high); /* a new page unless so much is left */
/* What stands in s->text, or `text`; s->text is empty afterwards. */
void sheet_paragraph(struct sheet *s, double size, unsigned style, double indent, const char *text);

struct plot {
    double x, y, w, h;
};
/* A title and axes with quarters: x from x0 to x1, y from y0 to y1, y with so many decimals. */
struct plot sheet_plot(struct sheet *s, const char *title, const char *x_name, const char *y_name, double x0,
                       double x1, double y0, double y1, int decimals);

#endif
