/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Collation tables (34B, 34C), count sheets and the slip of a signed result. */
#include <inttypes.h>
#include <stdio.h>
#include "paper/print.h"
#include "paper/qr.h"

#define ROWS_A_PAGE 40
#define COLUMNS_MAX 12

static struct rect_mm at(double x, double y, double w, double h) {
    return (struct rect_mm){x, y, w, h};
}

static void draw_simulated(struct canvas *c, bool simulated) {
    if (!simulated) return;
    canvas_watermark(c, "SIMULATED");
    canvas_text(c, at(18, 285, 174, 6), 11, TEXT_BOLD | TEXT_CENTRE,
                "SIMULATED - not a form of any election / SI FOMU HALISI");
}

/* 1234567 -> "1,234,567" */
static void grouped(uint64_t v, char out[32]) {
    char t[24];
    const int n = snprintf(t, sizeof t, "%" PRIu64, v);
    int o = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[o++] = ',';
        out[o++] = t[i];
    }
    out[o] = 0;
}

static void draw_cells(struct canvas *c, const struct print_table *t, double y, const char *label,
                       const uint64_t *figures, unsigned style) {
    const double w = 120.0 / t->column_count;
    canvas_frame(c, at(18, y, 54, 5.5), 0.15, 0);
    canvas_text(c, at(18.5, y, 53, 5.5), 6.5, style, label);
    for (unsigned k = 0; k < t->column_count; k++) {
        char text[32] = "";
        if (figures[k] != PRINT_ABSENT) grouped(figures[k], text);
        canvas_frame(c, at(72 + w * k, y, w, 5.5), 0.15, 0);
        canvas_text(c, at(72 + w * k + 0.5, y, w - 1, 5.5), 7, style | TEXT_RIGHT, text);
    }
}

static err table_page(struct canvas *c, const struct print_table *t, unsigned page, unsigned pages,
                      const uint64_t *totals, struct fail *f) {
    char line[300];
    const double w = 120.0 / t->column_count;
    draw_simulated(c, t->simulated);
    snprintf(line, sizeof line, "FORM / FOMU %s", t->form);
    canvas_text(c, at(18, 8, 60, 7), 15, TEXT_BOLD, line);
    canvas_text(c, at(18, 16, 140, 5), 9, TEXT_BOLD, t->title_en);
    canvas_text(c, at(18, 20.5, 140, 5), 8.5, TEXT_PLAIN, t->title_sw);
    canvas_text(c, at(18, 25.5, 140, 5), 9.5, TEXT_BOLD, t->place);
    snprintf(line, sizeof line, "Page / Ukurasa %u / %u    %s", page + 1, pages, t->code);
    canvas_text(c, at(18, 30.5, 140, 4), 7, TEXT_MONO, line);
    if (t->anchor[0]) canvas_text(c, at(18, 34, 140, 3.5), 6, TEXT_MONO, t->anchor);
    if (t->code[0]) TRY(canvas_qr(c, span_text(t->code), at(165, 9, 25, 25), f));
    for (unsigned k = 0; k < t->column_count; k++)
        canvas_paragraph(c, at(72 + w * k + 0.3, 39, w - 0.6, 8), 5.8, TEXT_CENTRE | TEXT_BOLD,
                         t->columns[k]);
    double y = 47;
    for (unsigned i = page * ROWS_A_PAGE; i < t->row_count && i < (page + 1) * ROWS_A_PAGE; i++) {
        draw_cells(c, t, y, t->labels[i], t->figures + (size_t)i * t->column_count, TEXT_PLAIN);
        y += 5.5;
    }
    if (page + 1 == pages) draw_cells(c, t, y, "TOTAL / JUMLA", totals, TEXT_BOLD);
    canvas_text(c, at(18, 275, 174, 4), 7, TEXT_PLAIN,
                "Signature, date, stamp / Sahihi, tarehe, muhuri  "
                "............................................"
                "..............................................");
    canvas_page_end(c);
    return OK;
}

err print_table(struct canvas *c, const struct print_table *t, struct fail *f) {
    uint64_t totals[COLUMNS_MAX] = {0};
    if (t->column_count < 1 || t->column_count > COLUMNS_MAX)
        return fail_set(f, E_RANGE, "a table has 1 to %d columns, not %u", COLUMNS_MAX,
                        t->column_count);
    for (size_t i = 0; i < (size_t)t->row_count * t->column_count; i++) {
        uint64_t *sum = &totals[i % t->column_count];
        if (t->figures[i] == PRINT_ABSENT) continue;
        if (__builtin_add_overflow(*sum, t->figures[i], sum))
            return fail_set(f, E_OVERFLOW, "a column's sum does not fit in 64 bits");
    }
    unsigned pages = (t->row_count + 1 + ROWS_A_PAGE) / ROWS_A_PAGE; /* the totals are a row, too */
    for (unsigned page = 0; page < pages; page++) TRY(table_page(c, t, page, pages, totals, f));
    return OK;
}

err print_count_sheet(struct canvas *c, const struct print_form *form, struct fail *f) {
    char line[300];
    const unsigned choices = form->code.shape.choices;
    if (choices < 1 || choices > FORM_CHOICES_MAX)
        return fail_set(f, E_RANGE, "a form has 1 to %d choices, not %u", FORM_CHOICES_MAX,
                        choices);
    const unsigned rows = choices + 1, a_page = 8; /* the last row is for rejected ballots */
    const unsigned pages = (rows + a_page - 1) / a_page;
    for (unsigned page = 0; page < pages; page++) {
        draw_simulated(c, form->simulated);
        canvas_text(c, at(18, 8, 174, 7), 13, TEXT_BOLD, "COUNT SHEET / KARATASI YA KUHESABU");
        snprintf(line, sizeof line, "%s    %s    %s", form->contest_en, form->station,
                 form->code.station);
        canvas_text(c, at(18, 15, 174, 5), 8.5, TEXT_PLAIN, line);
        snprintf(line, sizeof line,
                 "One stroke a ballot, every fifth across. / Mstari mmoja kwa kila kura, wa tano "
                 "mlalo.    %u / %u",
                 page + 1, pages);
        canvas_text(c, at(18, 20, 174, 5), 7.5, TEXT_PLAIN, line);
        for (unsigned i = 0; i < a_page && page * a_page + i < rows; i++) {
            const unsigned k = page * a_page + i;
            const double y = 27 + 31.5 * i;
            snprintf(line, sizeof line, "%s  %s",
                     k < choices ? form->choices[k].name : "REJECTED / ZILIZOKATALIWA",
                     k < choices ? form->choices[k].party : "");
            canvas_text(c, at(18, y, 130, 5), 8.5, TEXT_BOLD, line);
            canvas_text(c, at(148, y, 44, 5), 7.5, TEXT_RIGHT, "Total / Jumla ...............");
            for (unsigned b = 0; b < 100; b++)
                canvas_frame(c, at(18 + 6.96 * (b % 25), y + 5.5 + 6.2 * (b / 25), 6.6, 5.8), 0.12,
                             0.45);
        }
        canvas_page_end(c);
    }
    return OK;
}

err print_slip(struct canvas *c, const struct print_slip *s, struct fail *f) {
    if (s->note.n > QR_NOTE_BYTES_MAX)
        return fail_set(f, E_TOO_LARGE,
                        "a slip's note has at most %d bytes, not %zu: keep one signature",
                        QR_NOTE_BYTES_MAX, s->note.n);
    if (s->line_count > 40)
        return fail_set(f, E_RANGE, "a slip has at most 40 lines, not %u", s->line_count);
    draw_simulated(c, s->simulated);
    canvas_text(c, at(18, 10, 174, 8), 15, TEXT_BOLD, "RECEIPT OF A SIGNED RESULT / STAKABADHI");
    canvas_text(c, at(18, 18, 174, 5), 9.5, TEXT_PLAIN, s->contest);
    canvas_text(c, at(18, 23, 174, 5), 9.5, TEXT_BOLD, s->station);
    canvas_text(c, at(18, 28, 174, 4), 7.5, TEXT_MONO, s->id);
    TRY(canvas_qr(c, s->note, at(55, 38, 100, 100), f));
    canvas_paragraph(c, at(18, 143, 174, 16), 8.5, TEXT_PLAIN,
                     "The code holds the result itself with the presiding officer's signature. A "
                     "photograph of this slip is evidence: hesabu scan reads it and checks it.\n"
                     "Msimbo huu una matokeo yenyewe pamoja na sahihi ya msimamizi. Picha ya "
                     "karatasi hii ni ushahidi.");
    for (unsigned i = 0; i < s->line_count; i++)
        canvas_text(c, at(18, 164 + 2.9 * i, 174, 2.9), 7.5, TEXT_MONO, s->lines[i]);
    canvas_page_end(c);
    return OK;
}
