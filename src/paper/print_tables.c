/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Collation tables (34B, 34C), count sheets and the slip of a signed result. */
#include <inttypes.h>
#include <stdio.h>
#include "paper/print.h"
#include "paper/qr.h"

#define ROWS_A_PAGE 26
#define COLUMNS_MAX 12
#define LEFT        12.0 /* a table lies on its side: 297 mm wide */
#define LABELS_W    63.0
#define FIGURES_W   210.0
#define ROW_H       5.2
#define AGENTS      9

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
    const double w = FIGURES_W / t->column_count, x = LEFT + LABELS_W;
    canvas_frame(c, at(LEFT, y, LABELS_W, ROW_H), 0.15, 0);
    canvas_text(c, at(LEFT + 0.7, y, LABELS_W - 1.4, ROW_H), 7.5, style | TEXT_FIT, label);
    for (unsigned k = 0; k < t->column_count; k++) {
        char text[32] = "";
        if (figures[k] != PRINT_ABSENT) grouped(figures[k], text);
        canvas_frame(c, at(x + w * k, y, w, ROW_H), 0.15, 0);
        /* a figure is never cut: the longest, 20 digits, fits at half size */
        canvas_text(c, at(x + w * k + 0.7, y, w - 1.4, ROW_H), 8.5, style | TEXT_RIGHT | TEXT_FIT,
                    text);
    }
}

static void draw_simulated_across(struct canvas *c, bool simulated) {
    if (!simulated) return;
    canvas_watermark(c, "SIMULATED");
    canvas_text(c, at(LEFT, 202.6, 273, 5), 10, TEXT_BOLD | TEXT_CENTRE,
                "SIMULATED - not a form of any election / SI FOMU HALISI");
}

static err draw_table_head(struct canvas *c, const struct print_table *t, unsigned page,
                           unsigned pages, struct fail *f) {
    char line[400];
    draw_simulated_across(c, t->simulated);
    snprintf(line, sizeof line, "FORM / FOMU %s", t->form);
    canvas_text(c, at(LEFT, 7, 80, 7), 15, TEXT_BOLD, line);
    canvas_text(c, at(LEFT + 82, 7, 160, 7), 13, TEXT_BOLD | TEXT_FIT, t->place);
    snprintf(line, sizeof line, "%s%s%s", t->title_en, t->title_sw[0] ? " / " : "", t->title_sw);
    canvas_text(c, at(LEFT, 15, 240, 5), 9.5, TEXT_BOLD | TEXT_FIT, line);
    snprintf(line, sizeof line, "Page / Ukurasa %u / %u    %s", page + 1, pages, t->code);
    canvas_text(c, at(LEFT, 20.5, 240, 4), 7.5, TEXT_MONO | TEXT_FIT, line);
    if (t->anchor[0]) {
        snprintf(line, sizeof line, "Trust anchor / Nanga: %s", t->anchor);
        canvas_text(c, at(LEFT, 24.5, 240, 3.5), 6.5, TEXT_MONO, line);
    }
    return t->code[0] ? canvas_qr(c, span_text(t->code), at(258, 6, 26, 26), f) : OK;
}

/* Every page is signed, so that none can be exchanged alone. */
static void draw_table_foot(struct canvas *c) {
    static const struct {
        double x, w;
        const char *text;
    } box[] = {{0, 118, "Returning officer / Msimamizi wa uchaguzi: name, ID, signature, date, time"},
               {121, 96, "Deputy / Naibu: name, signature, date, time"},
               {220, 53, "Stamp / Muhuri"}};
    for (size_t i = 0; i < sizeof box / sizeof *box; i++) {
        canvas_frame(c, at(LEFT + box[i].x, 185, box[i].w, 17), 0.3, 0);
        canvas_text(c, at(LEFT + box[i].x + 1, 185.3, box[i].w - 2, 3.2), 6, TEXT_FIT, box[i].text);
    }
}

static err table_page(struct canvas *c, const struct print_table *t, unsigned page, unsigned pages,
                      const uint64_t *totals, struct fail *f) {
    const double w = FIGURES_W / t->column_count;
    TRY(draw_table_head(c, t, page, pages, f));
    for (unsigned k = 0; k < t->column_count; k++) {
        double size = t->column_count > 8 ? 6.2 : 7.5;
        while (size > 4 &&
               canvas_paragraph_height(c, w - 0.8, size, TEXT_BOLD, t->columns[k]) > 11.5)
            size -= 0.4;
        canvas_paragraph(c, at(LEFT + LABELS_W + w * k + 0.4, 31, w - 0.8, 11.8), size,
                         TEXT_CENTRE | TEXT_BOLD, t->columns[k]);
    }
    double y = 43;
    for (unsigned i = page * ROWS_A_PAGE; i < t->row_count && i < (page + 1) * ROWS_A_PAGE; i++) {
        draw_cells(c, t, y, t->labels[i], t->figures + (size_t)i * t->column_count, TEXT_PLAIN);
        y += ROW_H;
    }
    if (page + 2 == pages) draw_cells(c, t, y, "TOTAL / JUMLA", totals, TEXT_BOLD);
    draw_table_foot(c);
    canvas_page_end(c);
    return OK;
}

/* The last page: who was there and signs, or says why not. */
static err table_last_page(struct canvas *c, const struct print_table *t, unsigned pages,
                           unsigned without, struct fail *f) {
    static const struct {
        double w;
        const char *head;
    } column[] = {{70, "Name / Jina"},
                  {36, "ID / Kitambulisho"},
                  {36, "Telephone / Simu"},
                  {45, "Party / Chama"},
                  {80, "Signature, or: refused, absent / Sahihi, au: amekataa, hayupo"}};
    char line[300];
    TRY(draw_table_head(c, t, pages - 1, pages, f));
    snprintf(line, sizeof line,
             "%u rows; %u without figures (blank cells) / Safu %u; zisizo na tarakimu %u (tupu)",
             t->row_count, without, t->row_count, without);
    canvas_text(c, at(LEFT, 33, 273, 5), 9, TEXT_FIT, line);
    canvas_text(c, at(LEFT, 41, 273, 5), 9, TEXT_BOLD,
                "Agents of candidates and parties / Mawakala wa wagombea na vyama");
    for (unsigned i = 0; i <= AGENTS; i++) {
        double x = LEFT + 6;
        const double y = 42.5 + 8.5 * i;
        snprintf(line, sizeof line, "%u", i);
        if (i) canvas_text(c, at(LEFT, y, 6, 8.5), 8, TEXT_CENTRE, line);
        for (size_t k = 0; k < sizeof column / sizeof *column; k++) {
            if (i)
                canvas_frame(c, at(x, y, column[k].w, 8.5), 0.2, 0);
            else
                canvas_text(c, at(x + 0.5, y + 4, column[k].w - 1, 4.3), 7, TEXT_FIT,
                            column[k].head);
            x += column[k].w;
        }
    }
    canvas_text(c, at(LEFT, 129, 273, 5), 9, TEXT_BOLD | TEXT_FIT,
                "Reasons for refusing to sign; remarks of the returning officer / Sababu za kukataa "
                "kutia sahihi; maoni ya msimamizi");
    canvas_frame(c, at(LEFT, 134.5, 273, 47), 0.2, 0);
    draw_table_foot(c);
    canvas_page_end(c);
    return OK;
}

/* Sums of the columns; how many rows have no figure at all. */
static err add_up(const struct print_table *t, uint64_t totals[COLUMNS_MAX], unsigned *without,
                  struct fail *f) {
    *without = 0;
    for (unsigned i = 0; i < t->row_count; i++) {
        bool any = false;
        for (unsigned k = 0; k < t->column_count; k++) {
            const uint64_t v = t->figures[(size_t)i * t->column_count + k];
            if (v == PRINT_ABSENT) continue;
            any = true;
            if (__builtin_add_overflow(totals[k], v, &totals[k]))
                return fail_set(f, E_OVERFLOW, "a column's sum does not fit in 64 bits");
        }
        *without += !any;
    }
    return OK;
}

err print_table(struct canvas *c, const struct print_table *t, struct fail *f) {
    uint64_t totals[COLUMNS_MAX] = {0};
    unsigned without;
    if (t->column_count < 1 || t->column_count > COLUMNS_MAX)
        return fail_set(f, E_RANGE, "a table has 1 to %d columns, not %u", COLUMNS_MAX,
                        t->column_count);
    TRY(add_up(t, totals, &without, f));
    canvas_lie_down(c);
    /* the totals are a row, too; then the page of agents */
    const unsigned pages = (t->row_count + ROWS_A_PAGE) / ROWS_A_PAGE + 1;
    for (unsigned page = 0; page + 1 < pages; page++)
        TRY(table_page(c, t, page, pages, totals, f));
    return table_last_page(c, t, pages, without, f);
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
        canvas_text(c, at(18, 15, 174, 5), 9.5, TEXT_BOLD | TEXT_FIT, line);
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
