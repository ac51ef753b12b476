/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include "service/page_impl.h"

void page_unit_path(const struct fold *s, enum page_lang lang, const struct tally *t, uint32_t unit,
                    char out[PAGE_PATH_MAX]) {
    struct span id = fold_contest(s, t->contest)->id, code = fold_unit(s, unit)->code;
    (void)snprintf(out, PAGE_PATH_MAX, "%s/%.*s/%u/%.*s.html", lang_tag(lang), SPAN_ARG(id), t->round,
                   SPAN_ARG(code));
}

static void crumbs(struct page *p, const struct tally *t, size_t row) {
    struct html *h = &p->h;
    uint32_t path[MAX_LEVELS], depth = 0;
    for (uint32_t r = t->rows[row].parent; r != UINT32_MAX; r = t->rows[r].parent) path[depth++] = r;
    html_raw(h, "<nav class=\"crumbs\" aria-label=\"");
    html_word(h, W_YOU_ARE_HERE);
    html_raw(h, "\"><ol>");
    while (depth-- > 0) {
        html_raw(h, "<li>");
        page_unit_link(p, t->rows[path[depth]].unit);
        html_raw(h, "</li>");
    }
    html_raw(h, "<li aria-current=\"page\">");
    page_unit_name(p, t->rows[row].unit);
    html_raw(h, "</li></ol></nav>\n");
}

static void contest_name(struct page *p, const struct tally *t) {
    struct html *h = &p->h;
    page_contest_name(p, t->contest);
    if (t->round > 1) {
        html_raw(h, ", ");
        html_word(h, W_ROUND);
        html_printf(h, " %u", t->round);
    }
}

static void title(struct page *p, const struct tally *t, size_t row) {
    struct html *h = &p->h;
    const struct unit *u = fold_unit(p->s, t->rows[row].unit);
    html_raw(h, "<p class=\"kicker\">");
    contest_name(p, t);
    html_raw(h, " &middot; ");
    html_escaped(h, page_level(h->lang, fold_definition(p->s)->levels[u->level]));
    html_raw(h, " <span class=\"code\">");
    html_escaped(h, u->code);
    html_raw(h, "</span></p>\n<h1>");
    page_unit_name(p, t->rows[row].unit);
    html_raw(h, "</h1>\n");
    page_status(p, t);
}

static void unit_body(struct page *p, const struct tally *t, size_t row, const struct gate *g) {
    const struct tally_row *r = &t->rows[row];
    if (row == 0) page_declaration(p, t);
    page_progress(p, r);
    page_section(p, "figures", W_RESULTS);
    page_candidates(p, t, r);
    page_facts(p, r);
    page_section_end(p);
    page_collation(p, t, row);
    page_section(p, "places", W_PLACES);
    page_parts(p, t, row);
    page_parts_votes(p, t, row);
    page_section_end(p);
    for (size_t n = row + 1, end = page_rows_end(t, row); n < end; n++)
        if (t->rows[n].parent == row && unit_is_station(p->s, t->rows[n].unit)) page_station(p, t, n);
    page_totals(p, t, r);
    if (row == 0) page_law(p, t, g);
    if (row == 0) page_arrivals(p, t);
    page_findings(p, t, row);
}

err page_unit(const struct page_site *site, enum page_lang lang, const struct tally *t, size_t row,
              struct buf *out, struct fail *f) {
    const struct fold *s = site->fold;
    uint32_t unit = t->rows[row].unit;
    char path[PAGE_PATH_MAX], data[RESULTS_PATH_MAX];
    page_unit_path(s, lang, t, unit, path);
    results_unit_path(s, t->contest, t->round, unit, data);
    struct page p = {.site = site, .s = s, .path = path, .data = data, .units = "", .contest = t,
                     .h = {.b = out, .lang = lang, .up = "../../../"}};
    struct arena a;
    struct gate own;
    const struct gate *g = site->gate && site->gate_of == t ? site->gate : &own;
    arena_init(&a, (size_t)1 << 30);
    err e = OK;
    if (row == 0 && g == &own) e = gate_compute(s, &site->results->findings, t->contest, t->round, &a, &own, f);
    if (e == OK) {
        page_begin(&p, "unit", fold_unit(s, unit)->name);
        crumbs(&p, t, row);
        title(&p, t, row);
        unit_body(&p, t, row, g);
        page_end(&p);
        e = buf_ok(out, f);
    }
    arena_release(&a);
    return e;
}
