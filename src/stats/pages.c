/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reports as HTML pages: no scripts, nothing loaded from elsewhere. */
#include "stats/forensics/about.h"
#include "stats/maps.h"
#include "stats/pictures.h"

static void page_begin(struct buf *b, const char *title, enum lang lang) {
    buf_printf(b,
               "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width\"><title>%s</title><style>"
               "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em;color:#222}"
               "h2{margin-top:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2em .6em;"
               "text-align:right}th:first-child,td:first-child{text-align:left}svg{max-width:100%%;height:auto}"
               ".class{font-size:.8em;border:1px solid;padding:0 .4em}dt{font-weight:bold}dd{margin:0 0 .4em}"
               "</style></head><body><h1>%s</h1>\n",
               lang == LANG_SW ? "sw" : "en", title, title);
}

/* Text that was made by one of the sentence functions, escaped. */
static void paragraph(struct buf *out, struct buf *text, const char *tag) {
    buf_printf(out, "<%s>", tag);
    words_html(out, buf_view(text));
    buf_printf(out, "</%s>\n", tag);
    buf_clear(text);
}

static void term(struct buf *out, const char *name, const char *text) {
    buf_printf(out, "<dt>%s</dt><dd>", name);
    words_html(out, span_text(text));
    buf_str(out, "</dd>\n");
}

static void method(const struct fx_report *r, const struct fx_result *x, enum lang lang,
                   struct buf *text, struct buf *out) {
    const struct fx_about *a = fx_about(x->method);
    bool sw = lang == LANG_SW;
    buf_printf(out, "<h2>%d. %s <span class=\"class\">%s</span></h2>\n", a->number, a->title.in[lang],
               fx_class_name(x->is));
    fx_sentence(r, x, lang, text);
    paragraph(out, text, "p");
    if (x->is == FX_NA) return;
    buf_str(out, "<dl>\n");
    term(out, sw ? "Dhana tupu" : "Null", a->null.in[lang]);
    term(out, sw ? "Vidhibiti" : "Controls", a->controls.in[lang]);
    term(out, sw ? "Sababu zisizo na hatia" : "Innocent causes", a->innocent.in[lang]);
    term(out, sw ? "Haioni" : "Cannot see", a->blind.in[lang]);
    buf_str(out, "</dl>\n<ul>\n");
    for (size_t i = 0; i < r->list.n; i++) {
        const struct fx_result *y = &r->list.at[i];
        if (y->method != x->method || y == x || (y->is != FX_ANOMALY && y->is != FX_FACT)) continue;
        fx_sentence(r, y, lang, text);
        paragraph(out, text, "li");
    }
    buf_str(out, "</ul>\n");
}

err picture_forensics_html(const struct fx_report *r, const struct map_shapes *shapes, enum lang lang, struct arena *mem,
                           struct buf *out, struct fail *f) {
    struct buf text;
    bool drawn;
    buf_init(&text, 1 << 16);
    page_begin(out, lang == LANG_SW ? "Uchunguzi wa takwimu za vituo" : "Forensic tests of station figures", lang);
    for (int i = 0; i < FX_SUMMARIES; i++) {
        fx_summary(r, i, lang, &text);
        paragraph(out, &text, "p");
    }
    picture_cloud(r->table, lang, out);
    picture_comb(r->table, lang, out);
    err e = picture_arrival(r->table, r->options.seed, lang, mem, &drawn, out, f);
    if (e == OK) e = picture_map(r, shapes, lang, mem, &drawn, out, f);
    for (int m = 0; m < FX_METHODS && e == OK; m++) {
        const struct fx_result *x = fx_report_nation(r, (enum fx_method)m);
        if (x) method(r, x, lang, &text, out);
    }
    buf_str(out, "</body></html>\n");
    buf_release(&text);
    return e == OK ? buf_ok(out, f) : e;
}

static void cell(struct buf *out, const char *s) {
    buf_printf(out, "<td>%s</td>", s);
}

static void row(const struct cmp_result *r, const struct cmp_field *d, struct buf *out) {
    char n[32];
    buf_str(out, "<tr><td>");
    words_html(out, r->a->column[d->pair.a]);
    buf_str(out, "</td>");
    cell(out, words_u64(d->total_a, n));
    cell(out, words_u64(d->total_b, n));
    cell(out, words_i64(d->difference, n));
    cell(out, words_u64(d->equal, n));
    cell(out, words_u64(d->differs, n));
    buf_str(out, "</tr>\n");
}

/* The signed form behind a figure, with its picture in the tree. */
static void form_cell(const struct cmp_form *form, enum lang lang, struct buf *out) {
    buf_str(out, "<td>");
    if (form->has_record) {
        words_html(out, form->signer);
        SAY(out, lang, ", entry %llu", ", ingizo %llu", (unsigned long long)form->entry);
    }
    if (form->has_image) {
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&form->image, hex);
        SAY(out, lang, " <a href=\"objects/%s\">picture</a>", " <a href=\"objects/%s\">picha</a>", hex);
    }
    buf_str(out, "</td>");
}

err picture_compare_html(const struct cmp_result *r, enum lang lang, size_t limit, struct buf *out,
                         struct fail *f) {
    struct buf text;
    bool sw = lang == LANG_SW;
    char n[32];
    buf_init(&text, 1 << 20);
    page_begin(out, sw ? "Hesabu mbili zikilinganishwa" : "Two tallies compared", lang);
    compare_verdict(r, lang, &text);
    paragraph(out, &text, "p");
    buf_printf(out, "<table><tr><th>%s</th><th>A</th><th>B</th><th>A - B</th><th>%s</th><th>%s</th></tr>\n",
               sw ? "safu" : "column", sw ? "sawa" : "equal", sw ? "tofauti" : "differ");
    for (size_t i = 0; i < r->fields; i++) row(r, &r->field[i], out);
    buf_str(out, "</table>\n");
    for (size_t i = 0; i < r->fields; i++) {
        if (r->field[i].differs == 0) continue;
        buf_str(out, "<h2>");
        words_html(out, r->a->column[r->field[i].pair.a]);
        buf_str(out, "</h2>\n");
        picture_ratio(r, i, lang, out);
    }
    buf_printf(out, "<h2>%s</h2>\n<table>\n", sw ? "Vituo vinavyotofautiana" : "Units that differ");
    for (size_t k = 0; k < r->diffs && k < limit; k++) {
        const struct cmp_diff *x = &r->diff[k];
        const struct cmp_field *d = &r->field[x->field];
        buf_str(out, "<tr><td>");
        words_html(out, r->a->key[x->row_a]);
        buf_str(out, "</td><td>");
        words_html(out, r->a->column[d->pair.a]);
        buf_str(out, "</td>");
        cell(out, words_u64(r->a->value[x->row_a * r->a->columns + d->pair.a], n));
        cell(out, words_u64(r->b->value[x->row_b * r->b->columns + d->pair.b], n));
        if (r->b->form) form_cell(&r->b->form[x->row_b], lang, out);
        buf_str(out, "</tr>\n");
    }
    buf_str(out, "</table></body></html>\n");
    buf_release(&text);
    return buf_ok(out, f);
}
