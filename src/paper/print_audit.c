/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/print_audit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { A_PAGE = 9, LINES_DRAWN = 60 };

static struct rect_mm at(double x, double y, double w, double h) {
    return (struct rect_mm){x, y, w, h};
}

/* --- count sheet --- */

static err sheet_head(struct canvas *c, const struct print_audit_sheet *s, unsigned page, unsigned pages,
                      struct fail *f) {
    char line[400], code[200];
    if (s->simulated) canvas_watermark(c, "SIMULATED");
    canvas_text(c, at(18, 10, 140, 8), 15, TEXT_BOLD, "HAND COUNT OF AN AUDIT / UKAGUZI");
    canvas_text(c, at(18, 18, 140, 5), 10, TEXT_PLAIN, s->contest);
    (void)snprintf(line, sizeof line, "%s  %s", s->code, s->station);
    canvas_text(c, at(18, 24, 140, 6), 11, TEXT_BOLD, line);
    canvas_text(c, at(18, 30, 140, 5), 9, TEXT_PLAIN, s->place);
    (void)snprintf(line, sizeof line, "draw %u of %u    page %u of %u    plan %.16s", s->position, s->draws, page,
                   pages, s->plan);
    canvas_text(c, at(18, 35, 140, 5), 8, TEXT_MONO, line);
    int n = snprintf(code, sizeof code, "HESABU-AUDIT/1 %s %s %u", s->plan, s->code, s->position);
    TRY(canvas_qr(c, span_of((const uint8_t *)code, (size_t)n), at(162, 8, 30, 30), f));
    canvas_paragraph(c, at(18, 41, 174, 14), 8.5, TEXT_PLAIN,
                     "Count by yourself, from the ballots, without looking at any form or at another person's "
                     "count. One stroke a ballot, every fifth across; then the figure. / Hesabu peke yako, "
                     "kutoka kwa kura zenyewe, bila kutazama fomu au hesabu ya mtu mwingine.");
    return OK;
}

static void sheet_row(struct canvas *c, double y, const char *name) {
    canvas_text(c, at(18, y, 120, 5), 10, TEXT_BOLD, name);
    canvas_frame(c, at(150, y, 42, 9), 0.3, 0);
    for (unsigned b = 0; b < 75; b++)
        canvas_frame(c, at(18 + 6.96 * (b % 25), y + 9.6 + 3.9 * (b / 25), 6.6, 3.6), 0.1, 0.55);
}

err print_audit_sheet(struct canvas *c, const struct print_audit_sheet *s, struct fail *f) {
    unsigned rows = s->choice_count + 1, pages = (rows + A_PAGE - 1) / A_PAGE;
    if (s->choice_count == 0 || s->choice_count > 200)
        return fail_set(f, E_RANGE, "a count sheet has 1 to 200 choices, not %u", s->choice_count);
    for (unsigned page = 0; page < pages; page++) {
        TRY(sheet_head(c, s, page + 1, pages, f));
        for (unsigned i = 0; i < A_PAGE && page * A_PAGE + i < rows; i++) {
            unsigned k = page * A_PAGE + i;
            sheet_row(c, 56 + 23.0 * i, k < s->choice_count ? s->choices[k] : "NO VALID VOTE / ZILIZOKATALIWA");
        }
        canvas_text(c, at(18, 268, 174, 5), 9, TEXT_PLAIN,
                    "Counted by ______________________   Date, time ______________   Signature ____________________");
        canvas_text(c, at(18, 275, 174, 5), 9, TEXT_PLAIN,
                    "Seals found unbroken: yes / no      Seal numbers ______________________________________");
        canvas_page_end(c);
    }
    return OK;
}

/* --- report --- */

struct pen {
    struct canvas *c;
    double y;
    bool simulated;
};

static void room(struct pen *p, double height) {
    if (p->y + height < 280) return;
    canvas_page_end(p->c);
    if (p->simulated) canvas_watermark(p->c, "SIMULATED");
    p->y = 18;
}

static void heading(struct pen *p, const char *text) {
    room(p, 20);
    p->y += 3;
    canvas_text(p->c, at(18, p->y, 174, 7), 13, TEXT_BOLD, text);
    p->y += 8.5;
}

/* About 105 characters fit into a line. */
static void paragraph(struct pen *p, const char *text, unsigned style) {
    double height = 4.6 * (double)(1 + strlen(text) / 100) + 1;
    room(p, height);
    canvas_paragraph(p->c, at(18, p->y, 174, height), 9, style, text);
    p->y += height;
}

static void list(struct pen *p, const char *const *line, size_t n) {
    for (size_t i = 0; i < n; i++) paragraph(p, line[i], TEXT_PLAIN);
}

/* Logarithmic, from 1 down to a thousandth of the limit. */
static double height_of(double v, double limit, double h) {
    double least = log10(limit) - 3, l = v > 0 ? log10(v) : least;
    return h * (l < least ? 1 : l / least);
}

static void plot(struct pen *p, const struct print_audit_report *r) {
    const double w = 160, h = 90, x0 = 30;
    room(p, h + 16);
    double y0 = p->y + 2;
    char text[64];
    canvas_frame(p->c, at(x0, y0, w, h), 0.2, 0);
    for (double tick = 1; tick > r->limit / 1000; tick /= 10) {
        double y = y0 + height_of(tick, r->limit, h);
        (void)snprintf(text, sizeof text, "%g", tick);
        canvas_text(p->c, at(x0 - 16, y - 2, 14, 4), 7, TEXT_RIGHT, text);
        canvas_line(p->c, x0, y, x0 + w, y, 0.08, 0.7);
    }
    double y = y0 + height_of(r->limit, r->limit, h);
    canvas_line(p->c, x0, y, x0 + w, y, 0.5, 0.35);
    (void)snprintf(text, sizeof text, "risk limit %g", r->limit);
    canvas_text(p->c, at(x0 + w - 42, y - 4.5, 40, 4), 7, TEXT_RIGHT, text);
    for (size_t i = 0; i < r->line_count && i < LINES_DRAWN; i++) {
        const struct print_audit_line *l = &r->line[i];
        for (size_t k = 1; k < l->n; k++) {
            double xa = x0 + w * l->draw[k - 1] / r->last_draw, xb = x0 + w * l->draw[k] / r->last_draw;
            double ya = y0 + height_of(l->p[k - 1], r->limit, h), yb = y0 + height_of(l->p[k], r->limit, h);
            canvas_line(p->c, xa, ya, xb, ya, 0.3, 0);
            canvas_line(p->c, xb, ya, xb, yb, 0.3, 0);
        }
    }
    (void)snprintf(text, sizeof text, "draws, up to %.0f", r->last_draw);
    canvas_text(p->c, at(x0, y0 + h + 1, w, 4), 8, TEXT_CENTRE, text);
    p->y = y0 + h + 8;
}

void print_audit_report(struct canvas *c, const struct print_audit_report *r) {
    struct pen p = {c, 14, r->simulated};
    if (r->simulated) canvas_watermark(c, "SIMULATED");
    canvas_text(c, at(18, p.y, 174, 10), 18, TEXT_BOLD, r->title);
    p.y += 13;
    heading(&p, "What may be said");
    paragraph(&p, r->say, TEXT_BOLD);
    heading(&p, "What may not be said");
    list(&p, r->not_say, r->not_say_count);
    heading(&p, "What was drawn");
    list(&p, r->facts, r->fact_count);
    heading(&p, "Risk after each draw");
    if (r->last_draw > 0) plot(&p, r);
    heading(&p, "Assertions");
    list(&p, r->assertions, r->assertion_count);
    heading(&p, "Differences found");
    list(&p, r->differences, r->difference_count);
    canvas_page_end(c);
}
