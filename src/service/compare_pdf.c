/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/compare_pdf.h"

#include "service/report_sheet.h"

enum { DOTS = 20000 };

static uint64_t figure(const struct cmp_table *t, size_t row, size_t column) {
    return t->value[row * t->columns + column];
}

/* One line of six columns; the first may be text in the style of a head. */
static void table_row(struct sheet *s, const char *const cell[6], unsigned style) {
    static const double at[] = {0, 56, 84, 112, 136, 153}, wide[] = {55, 27, 27, 23, 16, 17};
    sheet_need(s, 5);
    for (int k = 0; k < 6; k++)
        canvas_text(s->c, (struct rect_mm){SHEET_LEFT + at[k], s->y, wide[k], 4.5}, 8.5,
                    style | (k ? TEXT_RIGHT : TEXT_PLAIN), cell[k]);
    s->y += 5;
}

static void totals(struct sheet *s, const struct cmp_result *r) {
    const char *const head[] = {sheet_words(s, "column", "safu"), "A", "B", "A - B",
                                sheet_words(s, "equal", "sawa"), sheet_words(s, "differ", "tofauti")};
    table_row(s, head, TEXT_BOLD);
    for (size_t i = 0; i < r->fields; i++) {
        const struct cmp_field *d = &r->field[i];
        char n[5][32];
        buf_span(&s->text, r->a->column[d->pair.a]);
        const char *const cell[] = {buf_cstr(&s->text), words_u64(d->total_a, n[0]), words_u64(d->total_b, n[1]),
                                    words_i64(d->difference, n[2]), words_u64(d->equal, n[3]),
                                    words_u64(d->differs, n[4])};
        table_row(s, cell, TEXT_PLAIN);
        buf_clear(&s->text);
    }
    s->y += 3;
}

/* Units that differ: A / B against the figure in B, cut at .5 and 1.5. */
static void ratios(struct sheet *s, const struct cmp_result *r, size_t field) {
    const struct cmp_field *d = &r->field[field];
    double most = 10;
    size_t shown = 0;
    for (size_t k = 0; k < r->diffs; k++) {
        if (r->diff[k].field != field) continue;
        double b = (double)figure(r->b, r->diff[k].row_b, d->pair.b);
        if (b > most) most = b;
    }
    SAY(&s->text, s->lang, "%.*s: ratio A / B in the units that differ", "%.*s: uwiano A / B katika vituo vinavyotofautiana",
        SPAN_ARG(r->a->column[d->pair.a]));
    struct buf title = s->text;
    buf_init(&s->text, 1 << 18);
    struct plot p = sheet_plot(s, buf_cstr(&title), sheet_words(s, "figure in B", "takwimu katika B"), "A / B", 0, most, .5,
                               1.5, 2);
    buf_release(&title);
    for (size_t k = 0; k < r->diffs && shown < DOTS; k++) {
        if (r->diff[k].field != field) continue;
        double a = (double)figure(r->a, r->diff[k].row_a, d->pair.a);
        double b = (double)figure(r->b, r->diff[k].row_b, d->pair.b), q = b > 0 ? a / b : 1.5;
        q = q < .5 ? .5 : q > 1.5 ? 1.5 : q;
        canvas_fill(s->c, (struct rect_mm){p.x + p.w * b / most - .4, p.y + p.h - p.h * (q - .5) - .4, .8, .8}, .2);
        shown++;
    }
}

static void differences(struct sheet *s, const struct cmp_result *r, size_t limit) {
    char n1[32], n2[32];
    if (r->diffs == 0) return;
    sheet_paragraph(s, 11, TEXT_BOLD, 0, sheet_words(s, "Units that differ", "Vituo vinavyotofautiana"));
    for (size_t k = 0; k < r->diffs && k < limit; k++) {
        const struct cmp_diff *x = &r->diff[k];
        const struct cmp_field *d = &r->field[x->field];
        const struct cmp_form *form = r->b->form ? &r->b->form[x->row_b] : NULL;
        buf_printf(&s->text, "%.*s  %.*s  A %s  B %s", SPAN_ARG(r->a->key[x->row_a]),
                   SPAN_ARG(r->a->column[d->pair.a]), words_u64(figure(r->a, x->row_a, d->pair.a), n1),
                   words_u64(figure(r->b, x->row_b, d->pair.b), n2));
        if (form && form->has_record)
            SAY(&s->text, s->lang, "\nform signed by %.*s, entry %llu", "\nfomu iliyotiwa saini na %.*s, ingizo %llu",
                SPAN_ARG(form->signer), (unsigned long long)form->entry);
        if (form && form->has_image) {
            char hex[HASH_HEX_LEN + 1];
            hash_hex(&form->image, hex);
            SAY(&s->text, s->lang, "\npicture objects/%s", "\npicha objects/%s", hex);
        }
        sheet_paragraph(s, 8, TEXT_PLAIN, 0, NULL);
    }
    if (r->diffs > limit) {
        SAY(&s->text, s->lang, "... and %s more", "... na %s zaidi", words_u64(r->diffs - limit, n1));
        sheet_paragraph(s, 8, TEXT_PLAIN, 0, NULL);
    }
}

err compare_pdf(const struct compare_pdf *p, enum lang lang, struct buf *out, struct fail *f) {
    const char *title = lang == LANG_SW ? "Hesabu mbili zikilinganishwa" : "Two tallies compared";
    struct sheet s;
    TRY(sheet_open(&s, title, lang, p->simulated, out, f));
    sheet_paragraph(&s, 17, TEXT_BOLD, 0, title);
    sheet_paragraph(&s, 8.5, TEXT_MONO, 0, p->source);
    if (p->simulated)
        sheet_paragraph(&s, 12, TEXT_BOLD, 0, sheet_words(&s, "SIMULATED: nothing here is a real result.",
                                                          "SIMULATED: hakuna matokeo halisi hapa."));
    compare_verdict(p->result, lang, &s.text);
    sheet_paragraph(&s, 9.5, TEXT_PLAIN, 0, NULL);
    totals(&s, p->result);
    for (size_t i = 0; i < p->result->fields; i++)
        if (p->result->field[i].differs) ratios(&s, p->result, i);
    differences(&s, p->result, p->limit);
    return sheet_close(&s, OK, f);
}
