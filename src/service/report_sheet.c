/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/report_sheet.h"

#include <stdio.h>

static const char DATE[] = "1970-01-01T00:00:00Z"; /* a report has no date of its own: its source has */

static bool sink(void *ctx, struct span piece) {
    struct buf *out = ctx;
    buf_span(out, piece);
    return !out->failed;
}

err sheet_open(struct sheet *s, const char *title, enum lang lang, bool simulated, struct buf *out,
               struct fail *f) {
    *s = (struct sheet){.y = SHEET_TOP, .lang = lang, .simulated = simulated};
    TRY(canvas_pdf(sink, out, title, DATE, &s->c, f));
    buf_init(&s->text, 1 << 18);
    if (simulated) canvas_watermark(s->c, "SIMULATED"); /* first, so that it lies under the text */
    return OK;
}

err sheet_close(struct sheet *s, err drawn, struct fail *f) {
    struct fail ignored;
    canvas_page_end(s->c);
    if (drawn == OK) drawn = buf_ok(&s->text, f);
    buf_release(&s->text);
    err closed = canvas_close(s->c, NULL, drawn == OK ? f : &ignored);
    return drawn == OK ? closed : drawn;
}

const char *sheet_words(const struct sheet *s, const char *en, const char *sw) {
    return s->lang == LANG_SW ? sw : en;
}

void sheet_page(struct sheet *s) {
    canvas_page_end(s->c);
    if (s->simulated) canvas_watermark(s->c, "SIMULATED");
    s->y = SHEET_TOP;
}

void sheet_need(struct sheet *s, double high) {
    if (s->y + high > SHEET_BOTTOM && s->y > SHEET_TOP) sheet_page(s);
}

void sheet_paragraph(struct sheet *s, double size, unsigned style, double indent, const char *text) {
    const char *what = text ? text : buf_cstr(&s->text);
    double high = canvas_paragraph_height(s->c, SHEET_WIDE - indent, size, style, what);
    if (high > SHEET_BOTTOM - SHEET_TOP) high = SHEET_BOTTOM - SHEET_TOP; /* no sentence fills a page */
    sheet_need(s, high);
    struct rect_mm at = {SHEET_LEFT + indent, s->y, SHEET_WIDE - indent, high + 2};
    canvas_paragraph(s->c, at, size, style, what);
    s->y += high + 1.5;
    buf_clear(&s->text);
}

struct plot sheet_plot(struct sheet *s, const char *title, const char *x_name, const char *y_name, double x0,
                       double x1, double y0, double y1, int decimals) {
    sheet_need(s, 100);
    sheet_paragraph(s, 10, TEXT_BOLD, 0, title);
    struct plot p = {SHEET_LEFT + 14, s->y + 6, 150, 70};
    for (int k = 0; k <= 4; k++) {
        char text[32];
        double x = p.x + p.w * k / 4, y = p.y + p.h - p.h * k / 4;
        canvas_line(s->c, x, p.y, x, p.y + p.h, .1, .8);
        canvas_line(s->c, p.x, y, p.x + p.w, y, .1, .8);
        (void)snprintf(text, sizeof text, "%.0f", x0 + (x1 - x0) * k / 4);
        canvas_text(s->c, (struct rect_mm){x - 8, p.y + p.h + 1, 16, 4}, 7, TEXT_CENTRE, text);
        (void)snprintf(text, sizeof text, "%.*f", decimals, y0 + (y1 - y0) * k / 4);
        canvas_text(s->c, (struct rect_mm){p.x - 15, y - 2, 13, 4}, 7, TEXT_RIGHT, text);
    }
    canvas_text(s->c, (struct rect_mm){p.x, p.y + p.h + 5, p.w, 4}, 7.5, TEXT_CENTRE, x_name);
    canvas_text(s->c, (struct rect_mm){SHEET_LEFT, s->y, 60, 3.5}, 7.5, TEXT_PLAIN, y_name);
    s->y += 88;
    return p;
}
