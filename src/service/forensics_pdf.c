/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/forensics_pdf.h"

#include "service/report_sheet.h"
#include "stats/forensics/about.h"
#include "stats/maps.h"
#include "stats/pictures.h"

static const double MAP_HIGH = 150;

static void term(struct sheet *s, const char *name, const char *text) {
    buf_printf(&s->text, "%s: %s", name, text);
    sheet_paragraph(s, 8.5, TEXT_PLAIN, 6, NULL);
}

static void cloud(struct sheet *s, const struct fx_table *t) {
    uint32_t n[PICTURE_SIDE * PICTURE_SIDE], most = picture_cloud_counts(t, n);
    if (most == 0) return;
    struct plot p = sheet_plot(s, sheet_words(s, "Turnout and share: stations in each square, darker = more",
                                       "Mahudhurio na sehemu: vituo katika kila mraba"),
                               sheet_words(s, "turnout, %", "mahudhurio, %"), sheet_words(s, "share, %", "sehemu, %"), 0, 100, 0,
                               100, 0);
    double w = p.w / PICTURE_SIDE, h = p.h / PICTURE_SIDE;
    for (int y = 0; y < PICTURE_SIDE; y++)
        for (int x = 0; x < PICTURE_SIDE; x++) {
            uint32_t c = n[y * PICTURE_SIDE + x];
            if (c == 0) continue;
            int shade = (int)(log1p((double)c) / log1p((double)most) * 7.999);
            canvas_fill(s->c, (struct rect_mm){p.x + w * x, p.y + p.h - h * (y + 1), w, h}, .85 - .11 * shade);
        }
}

static void tenths(struct sheet *s, const struct plot *p, const uint32_t *n, uint32_t most, double grey) {
    double xy[2 * PICTURE_TENTHS];
    for (int k = 0; k < PICTURE_TENTHS; k++) {
        xy[2 * k] = p->x + p->w * k / 1000;
        xy[2 * k + 1] = p->y + p->h - p->h * n[k] / most;
    }
    canvas_polyline(s->c, xy, PICTURE_TENTHS, .15, grey);
}

static void comb(struct sheet *s, const struct fx_table *t) {
    uint32_t share[PICTURE_TENTHS], turnout[PICTURE_TENTHS], most;
    bool any = picture_comb_counts(t, share, turnout, &most);
    struct plot p = sheet_plot(s, any ? sheet_words(s, "Stations by share (dark) and turnout (light), in tenths of a point",
                                             "Vituo kwa sehemu (nyeusi) na mahudhurio (hafifu), kwa sehemu za kumi")
                                      : sheet_words(s, "Stations by share, in tenths of a point",
                                             "Vituo kwa sehemu, kwa sehemu za kumi"),
                               "%", sheet_words(s, "stations", "vituo"), 0, 100, 0, most, 0);
    if (any) tenths(s, &p, turnout, most, .6);
    tenths(s, &p, share, most, .1);
}

static void arrival_line(struct sheet *s, const struct plot *p, const struct picture_lines *l, const double *y,
                         double grey) {
    double xy[2 * PICTURE_POINTS];
    for (size_t k = 0; k < l->n; k++) {
        double at = y[k] - (l->middle - 10);
        at = at < 0 ? 0 : at > 20 ? 20 : at;
        xy[2 * k] = p->x + p->w * l->x[k] / 100;
        xy[2 * k + 1] = p->y + p->h - p->h * at / 20;
    }
    canvas_polyline(s->c, xy, l->n, .35, grey);
}

static err arrival(struct sheet *s, const struct fx_report *r, struct arena *mem, struct fail *f) {
    struct picture_lines l;
    TRY(picture_arrival_lines(r->table, r->options.seed, mem, &l, f));
    if (l.n == 0) return OK;
    struct plot p = sheet_plot(s, sheet_words(s, "Cumulative share in order of arrival (dark) and in random order (light): both "
                                          "settle, which says nothing",
                                       "Sehemu inayojumlishwa kwa mpangilio wa kufika (nyeusi) na wa kubahatisha (hafifu): "
                                       "yote hutulia, na hilo halisemi lolote"),
                               sheet_words(s, "stations arrived, %", "vituo vilivyofika, %"), sheet_words(s, "share, %", "sehemu, %"),
                               0, 100, l.middle - 10, l.middle + 10, 0);
    arrival_line(s, &p, &l, l.mixed, .6);
    arrival_line(s, &p, &l, l.real, .1);
    return OK;
}

/* A ring on the page; points closer than a fifth of a millimetre are left out. */
static size_t ring_points(const struct map_shapes *m, const struct map_ring *ring, double x, double y,
                          double scale, double squeeze, double *xy, size_t cap) {
    size_t n = 0;
    for (size_t i = 0; i < ring->n && n < cap; i++) {
        double px = x + (m->xy[2 * (ring->first + i)] - m->west) * squeeze * scale;
        double py = y + (m->north - m->xy[2 * (ring->first + i) + 1]) * scale;
        if (n && hypot(px - xy[2 * n - 2], py - xy[2 * n - 1]) < .2) continue;
        xy[2 * n] = px;
        xy[2 * n++ + 1] = py;
    }
    return n;
}

static err map(struct sheet *s, const struct forensics_pdf *p, struct arena *mem, struct fail *f) {
    static const double grey[MAP_SHADES] = {.97, .85, .55, .1};
    enum { MOST = 20000 };
    const struct map_shapes *m = p->shapes;
    size_t level, matched;
    uint32_t *of;
    struct map_area *a;
    double *xy = arena_array(mem, MOST, 2 * sizeof *xy);
    if (!xy) return fail_set(f, E_MEMORY, "the map does not fit in the memory allowed");
    TRY(map_match(p->report, m, mem, &level, &of, &matched, f));
    TRY(map_findings(p->report, level, mem, &a, f));
    sheet_need(s, MAP_HIGH + 12);
    sheet_paragraph(s, 10, TEXT_BOLD, 0, sheet_words(s, "Areas by what the tests say of them: light nothing beyond chance, middle "
                                           "contradictions (facts), dark an anomaly",
                                        "Maeneo kwa yale ambayo majaribio yanasema: hafifu hakuna kinachozidi bahati, ya "
                                        "kati kujipinga (ukweli), nyeusi hali isiyo ya kawaida"));
    double squeeze = cos((m->north + m->south) / 2 * M_PI / 180), wide = (m->east - m->west) * squeeze;
    double high = m->north - m->south, scale = wide > 0 ? SHEET_WIDE / wide : 1;
    if (high * scale > MAP_HIGH) scale = MAP_HIGH / high;
    for (size_t i = 0; i < m->n; i++)
        for (size_t k = 0; k < m->shape[i].rings; k++) {
            size_t n = ring_points(m, &m->ring[m->shape[i].first_ring + k], SHEET_LEFT, s->y, scale, squeeze, xy, MOST);
            if (n < 3) continue;
            canvas_polygon(s->c, xy, n, of[i] == UINT32_MAX ? grey[MAP_UNTESTED] : grey[a[of[i]].shade]);
            canvas_polyline(s->c, xy, n, .1, 1);
        }
    s->y += high * scale + 2;
    return OK;
}

/* --- text --- */

static void method(struct sheet *s, const struct fx_report *r, const struct fx_result *x) {
    const struct fx_about *a = fx_about(x->method);
    sheet_need(s, 25);
    s->y += 2;
    buf_printf(&s->text, "%d. %s [%s]", a->number, a->title.in[s->lang], fx_class_name(x->is));
    sheet_paragraph(s, 10.5, TEXT_BOLD, 0, NULL);
    fx_sentence(r, x, s->lang, &s->text);
    sheet_paragraph(s, 9.5, TEXT_PLAIN, 0, NULL);
    if (x->is == FX_NA) return;
    term(s, sheet_words(s, "Null", "Dhana tupu"), a->null.in[s->lang]);
    term(s, sheet_words(s, "Controls", "Vidhibiti"), a->controls.in[s->lang]);
    term(s, sheet_words(s, "Innocent causes", "Sababu zisizo na hatia"), a->innocent.in[s->lang]);
    term(s, sheet_words(s, "Cannot see", "Haioni"), a->blind.in[s->lang]);
    for (size_t i = 0; i < r->list.n; i++) {
        const struct fx_result *y = &r->list.at[i];
        if (y->method != x->method || y == x || (y->is != FX_ANOMALY && y->is != FX_FACT)) continue;
        buf_str(&s->text, "- ");
        fx_sentence(r, y, s->lang, &s->text);
        sheet_paragraph(s, 8.5, TEXT_PLAIN, 6, NULL);
    }
}

static err draw(struct sheet *s, const struct forensics_pdf *p, struct arena *mem, struct fail *f) {
    const struct fx_report *r = p->report;
    sheet_paragraph(s, 17, TEXT_BOLD, 0, sheet_words(s, "Forensic tests of station figures", "Uchunguzi wa takwimu za vituo"));
    sheet_paragraph(s, 8.5, TEXT_MONO, 0, p->source);
    if (p->simulated)
        sheet_paragraph(s, 12, TEXT_BOLD, 0, sheet_words(s, "SIMULATED: nothing here is a real result.",
                                            "SIMULATED: hakuna matokeo halisi hapa."));
    SAY(&s->text, s->lang, "%zu stations; the choice that is looked at: %.*s; %zu tests in the family; seed %llu.",
        "Vituo %zu; mgombea anayeangaliwa: %.*s; majaribio %zu katika familia; mbegu %llu.", r->table->n,
        SPAN_ARG(r->table->choice[r->table->leader]), r->family, (unsigned long long)r->options.seed);
    sheet_paragraph(s, 9.5, TEXT_PLAIN, 0, NULL);
    for (int i = 0; i < FX_SUMMARIES; i++) {
        fx_summary(r, i, s->lang, &s->text);
        sheet_paragraph(s, 9.5, i == FX_SUMMARY_BLIND ? TEXT_PLAIN : TEXT_BOLD, 0, NULL);
    }
    cloud(s, r->table);
    comb(s, r->table);
    TRY(arrival(s, r, mem, f));
    if (p->shapes) TRY(map(s, p, mem, f));
    for (int m = 0; m < FX_METHODS; m++) {
        const struct fx_result *x = fx_report_nation(r, (enum fx_method)m);
        if (x) method(s, r, x);
    }
    return buf_ok(&s->text, f);
}

err forensics_pdf(const struct forensics_pdf *p, enum lang lang, struct arena *mem, struct buf *out,
                  struct fail *f) {
    struct sheet s;
    TRY(sheet_open(&s, lang == LANG_SW ? "Uchunguzi wa takwimu za vituo" : "Forensic tests of station figures",
                   lang, p->simulated, out, f));
    return sheet_close(&s, draw(&s, p, mem, f), f);
}
