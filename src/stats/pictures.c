/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/pictures.h"

#include "stats/forensics/draw.h"

enum { WIDE = 560, HIGH = 360, LEFT = 56, TOP = 34, PLOT_W = 480, PLOT_H = 270, SHADES = 8 };
static const char *const shade[SHADES] = {"#dbe6f1", "#b5cbe2", "#8fb0d2", "#6b95c1",
                                          "#4a7aad", "#305f94", "#1b4678", "#0b2d57"};
static const char *const ink = "#222";

static void begin(struct buf *b, const char *title) {
    buf_printf(b,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
               "role=\"img\" font-family=\"sans-serif\" font-size=\"12\" fill=\"%s\">"
               "<title>%s</title><rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>"
               "<text x=\"%d\" y=\"20\" font-size=\"14\">%s</text>",
               WIDE, HIGH, WIDE, HIGH, ink, title, WIDE, HIGH, LEFT, title);
}

static void end(struct buf *b) {
    buf_str(b, "</svg>\n");
}

/* Axes from 0 to 100 % unless labels are given; grid lines at quarters. */
static void axes(struct buf *b, const char *x_name, const char *y_name, double x0, double x1,
                 double y0, double y1, int decimals) {
    for (int k = 0; k <= 4; k++) {
        int x = LEFT + PLOT_W * k / 4, y = TOP + PLOT_H - PLOT_H * k / 4;
        buf_printf(b, "<path d=\"M%d %dV%dM%d %dH%d\" stroke=\"#ccc\" fill=\"none\"/>", x, TOP,
                   TOP + PLOT_H, LEFT, y, LEFT + PLOT_W);
        buf_printf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%.0f</text>", x, TOP + PLOT_H + 16,
                   x0 + (x1 - x0) * k / 4);
        buf_printf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.*f</text>", LEFT - 6, y + 4, decimals,
                   y0 + (y1 - y0) * k / 4);
    }
    buf_printf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", LEFT + PLOT_W / 2,
               TOP + PLOT_H + 36, x_name);
    buf_printf(b, "<text x=\"14\" y=\"%d\" text-anchor=\"middle\" transform=\"rotate(-90 14 %d)\">%s</text>",
               TOP + PLOT_H / 2, TOP + PLOT_H / 2, y_name);
}

static const char *pick(enum lang lang, const char *en, const char *sw) {
    return lang == LANG_SW ? sw : en;
}

uint32_t picture_cloud_counts(const struct fx_table *t, uint32_t n[PICTURE_SIDE * PICTURE_SIDE]) {
    uint32_t most = 0;
    memset(n, 0, PICTURE_SIDE * PICTURE_SIDE * sizeof *n);
    for (size_t i = 0; i < t->n; i++) {
        uint32_t reg = fx_cell(t->registered, i), r = fx_counted(t, i);
        uint32_t v = fx_votes(t, t->leader, i), valid = fx_valid(t, i);
        if (reg == FX_ABSENT || r == FX_ABSENT || v == FX_ABSENT) continue;
        if (reg == 0 || valid == 0 || r > reg || v > valid) continue;
        uint32_t c = ++n[100ull * v / valid * PICTURE_SIDE + 100ull * r / reg];
        if (c > most) most = c;
    }
    return most;
}

bool picture_cloud(const struct fx_table *t, enum lang lang, struct buf *out) {
    static const int side = PICTURE_SIDE;
    uint32_t n[PICTURE_SIDE * PICTURE_SIDE], most = picture_cloud_counts(t, n);
    if (most == 0) return false;
    begin(out, pick(lang, "Turnout and share: stations in each square", "Mahudhurio na sehemu: vituo katika kila mraba"));
    for (int s = 0; s < SHADES; s++) {
        buf_printf(out, "<path transform=\"translate(%d %d) scale(%.4f %.4f)\" fill=\"%s\" d=\"", LEFT,
                   TOP + PLOT_H, PLOT_W / 101.0, -PLOT_H / 101.0, shade[s]);
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++) {
                uint32_t c = n[y * side + x];
                if (c == 0) continue;
                int of = (int)(log1p((double)c) / log1p((double)most) * (SHADES - 1e-9));
                if (of == s) buf_printf(out, "M%d %dh1v1h-1z", x, y);
            }
        buf_str(out, "\"/>");
    }
    axes(out, pick(lang, "turnout, %", "mahudhurio, %"), pick(lang, "share, %", "sehemu, %"), 0, 100, 0, 100, 0);
    end(out);
    return true;
}

/* A line through counts of 1,001 tenths of a point. */
static void comb_line(const uint32_t *n, uint32_t most, const char *colour, struct buf *out) {
    buf_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\".7\" d=\"", colour);
    for (int k = 0; k <= 1000; k++)
        buf_printf(out, "%s%.2f %.2f", k ? "L" : "M", LEFT + PLOT_W * k / 1000.0,
                   TOP + PLOT_H - (double)PLOT_H * n[k] / most);
    buf_str(out, "\"/>");
}

bool picture_comb_counts(const struct fx_table *t, uint32_t share[PICTURE_TENTHS],
                         uint32_t turnout[PICTURE_TENTHS], uint32_t *most) {
    bool any = false;
    memset(share, 0, PICTURE_TENTHS * sizeof *share);
    memset(turnout, 0, PICTURE_TENTHS * sizeof *turnout);
    *most = 1;
    for (size_t i = 0; i < t->n; i++) {
        uint32_t reg = fx_cell(t->registered, i), g = fx_issued(t, i), r = fx_counted(t, i);
        uint32_t v = fx_votes(t, t->leader, i);
        if (r != FX_ABSENT && v != FX_ABSENT && r > 0 && v < r) share[(2000ull * v + r) / (2ull * r)]++;
        if (reg == FX_ABSENT || g == FX_ABSENT || reg < 100 || g >= reg) continue;
        turnout[(2000ull * g + reg) / (2ull * reg)]++;
        any = true;
    }
    for (int k = 1; k < 1000; k++) {
        if (share[k] > *most) *most = share[k];
        if (turnout[k] > *most) *most = turnout[k];
    }
    share[0] = share[1000] = turnout[0] = turnout[1000] = 0;
    return any;
}

void picture_comb(const struct fx_table *t, enum lang lang, struct buf *out) {
    uint32_t share[PICTURE_TENTHS], turnout[PICTURE_TENTHS], most;
    bool any = picture_comb_counts(t, share, turnout, &most);
    begin(out, pick(lang, "Stations by share and turnout, in tenths of a point", "Vituo kwa sehemu na mahudhurio, kwa sehemu za kumi"));
    axes(out, "%", pick(lang, "stations", "vituo"), 0, 100, 0, most, 0);
    comb_line(share, most, shade[6], out);
    buf_printf(out, "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>", LEFT + 8, TOP + 14, shade[6],
               pick(lang, "share of the leader", "sehemu ya anayeongoza"));
    if (any) {
        comb_line(turnout, most, "#b4561f", out);
        buf_printf(out, "<text x=\"%d\" y=\"%d\" fill=\"#b4561f\">%s</text>", LEFT + 8, TOP + 30,
                   pick(lang, "turnout", "mahudhurio"));
    }
    end(out);
}

static void shares(const struct fx_table *t, const uint32_t *order, size_t n, double *x, double *y,
                   size_t *points) {
    double lead = 0, all = 0;
    size_t shown = 0;
    *points = 0;
    for (size_t k = 0; k < n; k++) {
        uint32_t v = fx_votes(t, t->leader, order[k]);
        lead += v == FX_ABSENT ? 0 : v;
        all += (double)fx_votes_total(t, order[k]);
        size_t step = (k + 1) * 400 / n; /* at most 400 points */
        if (step == shown) continue;
        shown = step;
        x[*points] = 100 * (double)(k + 1) / (double)n;
        y[(*points)++] = all > 0 ? 100 * lead / all : 50;
    }
}

err picture_arrival_lines(const struct fx_table *t, uint64_t seed, struct arena *mem,
                          struct picture_lines *l, struct fail *f) {
    uint32_t *order, *mixed;
    size_t n;
    l->n = 0;
    TRY(fx_arrival_order(t, seed, mem, &order, &n, f));
    if (n < 100) return OK;
    if (!(mixed = arena_array(mem, n, sizeof *mixed)))
        return fail_set(f, E_MEMORY, "the stations do not fit in the memory allowed");
    memcpy(mixed, order, n * sizeof *mixed);
    struct rng r;
    rng_init_stream(&r, seed, UINT64_C(1) << 43);
    draw_shuffle(&r, mixed, (uint32_t)n);
    shares(t, order, n, l->x, l->real, &l->n);
    shares(t, mixed, n, l->x, l->mixed, &l->n);
    l->middle = floor(l->real[l->n - 1]);
    return OK;
}

/* A line of at most ten points above and below the final share. */
static void share_line(const struct picture_lines *l, const double *y, const char *colour,
                       struct buf *out) {
    buf_printf(out, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.2\" d=\"", colour);
    for (size_t k = 0; k < l->n; k++) {
        double at = y[k] - (l->middle - 10);
        at = at < 0 ? 0 : at > 20 ? 20 : at;
        buf_printf(out, "%s%.1f %.2f", k ? "L" : "M", LEFT + PLOT_W * l->x[k] / 100,
                   TOP + PLOT_H - PLOT_H * at / 20);
    }
    buf_str(out, "\"/>");
}

err picture_arrival(const struct fx_table *t, uint64_t seed, enum lang lang, struct arena *mem,
                    bool *drawn, struct buf *out, struct fail *f) {
    struct picture_lines l;
    TRY(picture_arrival_lines(t, seed, mem, &l, f));
    *drawn = l.n > 0;
    if (!*drawn) return OK;
    double middle = l.middle;
    begin(out, pick(lang, "Cumulative share, in order of arrival and in random order", "Sehemu inayojumlishwa, kwa mpangilio wa kufika na wa kubahatisha"));
    axes(out, pick(lang, "stations arrived, %", "vituo vilivyofika, %"), pick(lang, "share, %", "sehemu, %"), 0, 100,
         middle - 10, middle + 10, 0);
    share_line(&l, l.mixed, "#b4561f", out);
    share_line(&l, l.real, shade[6], out);
    buf_printf(out, "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text><text x=\"%d\" y=\"%d\" fill=\"#b4561f\">%s</text>",
               LEFT + 8, TOP + 14, shade[6], pick(lang, "order of arrival", "mpangilio wa kufika"), LEFT + 8,
               TOP + 30, pick(lang, "random order: both settle, which says nothing", "mpangilio wa kubahatisha: yote hutulia, na hilo halisemi lolote"));
    end(out);
    return OK;
}

void picture_ratio(const struct cmp_result *r, size_t field, enum lang lang, struct buf *out) {
    const struct cmp_field *d = &r->field[field];
    double most = 10;
    size_t shown = 0;
    begin(out, pick(lang, "Ratio A / B in the units that differ (cut at 0.5 and 1.5)", "Uwiano A / B katika vituo vinavyotofautiana (0.5 hadi 1.5)"));
    for (size_t k = 0; k < r->diffs; k++) {
        if (r->diff[k].field != field) continue;
        double b = (double)r->b->value[r->diff[k].row_b * r->b->columns + d->pair.b];
        if (b > most) most = b;
    }
    axes(out, pick(lang, "figure in B", "takwimu katika B"), "A / B", 0, most, .5, 1.5, 2);
    buf_printf(out, "<path fill=\"%s\" fill-opacity=\".6\" d=\"", shade[5]);
    for (size_t k = 0; k < r->diffs && shown < 20000; k++) {
        if (r->diff[k].field != field) continue;
        double a = (double)r->a->value[r->diff[k].row_a * r->a->columns + d->pair.a];
        double b = (double)r->b->value[r->diff[k].row_b * r->b->columns + d->pair.b];
        double q = b > 0 ? a / b : 1.5;
        q = q < .5 ? .5 : q > 1.5 ? 1.5 : q;
        buf_printf(out, "M%.1f %.1fh3v3h-3z", LEFT + PLOT_W * b / most - 1.5,
                   TOP + PLOT_H - PLOT_H * (q - .5) - 1.5);
        shown++;
    }
    buf_str(out, "\"/>");
    end(out);
}

/* Where a moment and a share of a quick count are drawn. */
struct quick_scale {
    int64_t from_ms;
    double span_ms;
};

static double quick_x(const struct quick_scale *q, int64_t ms) {
    return LEFT + PLOT_W * ((double)(ms - q->from_ms) / q->span_ms);
}

static double quick_y(double share) {
    return TOP + PLOT_H * (1 - share);
}

/* One band, in steps: what holds at a moment holds until the next. */
static void quick_band(const struct qc_moment *m, size_t n, const struct quick_scale *q, bool wide,
                       const char *colour, struct buf *out) {
    buf_printf(out, "<path fill=\"%s\" d=\"", colour);
    for (size_t k = 0; k < n; k++) {
        const struct qc_estimate *e = &m[k].e;
        if (!(e->bound_high > e->bound_low)) continue; /* n/a */
        double to = k + 1 < n ? quick_x(q, m[k + 1].until_ms) : LEFT + PLOT_W;
        double low = wide ? e->bound_low : e->bound_low95, high = wide ? e->bound_high : e->bound_high95;
        buf_printf(out, "M%.1f %.1fH%.1fV%.1fH%.1fz", quick_x(q, m[k].until_ms), quick_y(low), to,
                   quick_y(high), quick_x(q, m[k].until_ms));
    }
    buf_str(out, "\"/>");
}

static void quick_at_random(const struct qc_moment *m, size_t n, const struct quick_scale *q, struct buf *out) {
    buf_str(out, "<path fill=\"none\" stroke=\"#b4561f\" d=\"");
    for (size_t k = 0; k < n; k++) {
        const struct qc_estimate *e = &m[k].e;
        if (e->missing || e->reported == e->drawn) continue;
        double x = quick_x(q, m[k].until_ms), to = k + 1 < n ? quick_x(q, m[k + 1].until_ms) : LEFT + PLOT_W;
        buf_printf(out, "M%.1f %.1fH%.1fM%.1f %.1fH%.1f", x, quick_y(e->low95), to, x, quick_y(e->high95), to);
    }
    buf_str(out, "\"/>");
}

void picture_quick(const struct qc_moment *m, size_t n, struct span of, double official, bool at_random,
                   enum lang lang, struct buf *out) {
    const struct qc_estimate *last = &m[n - 1].e;
    bool complete = last->reported == last->drawn && !last->missing;
    int64_t took = m[n - 1].until_ms - m[0].until_ms, unit = took > 4 * 3600000 ? 3600000 : 60000;
    int64_t units = (took / unit / 4 + 1) * 4; /* whole labels at the quarters */
    struct quick_scale q = {m[0].until_ms, (double)(units * unit)};
    begin(out, pick(lang, "Quick count: intervals as reports arrived", "Hesabu ya haraka: vipimo kadiri ripoti zilivyofika"));
    quick_band(m, n, &q, true, shade[0], out);
    quick_band(m, n, &q, false, shade[1], out);
    if (complete) quick_band(m + n - 1, 1, &q, true, shade[6], out);
    if (at_random) quick_at_random(m, n, &q, out);
    if (!isnan(official))
        buf_printf(out, "<path d=\"M%d %.1fh%d\" stroke=\"%s\" stroke-dasharray=\"4 3\" fill=\"none\"/>", LEFT,
                   quick_y(official), PLOT_W, ink);
    axes(out, unit == 60000 ? pick(lang, "minutes since the first moment shown", "dakika tangu wakati wa kwanza ulioonyeshwa")
                            : pick(lang, "hours since the first moment shown", "saa tangu wakati wa kwanza ulioonyeshwa"),
         "%", 0, (double)units, 0, 100, 0);
    buf_printf(out, "<text x=\"%d\" y=\"%d\">", LEFT + 8, TOP + 14);
    words_html(out, of);
    SAY(out, lang, ": %zu of %zu reports", ": ripoti %zu kati ya %zu", last->reported, last->drawn);
    buf_printf(out, "</text><text x=\"%d\" y=\"%d\">%s</text>", LEFT + 8, TOP + 30,
               pick(lang, "light: 95 and 99 %, whatever is missing; dark: complete",
                    "nyepesi: 95 na 99 %, kinachokosekana kiwe chochote; nzito: kamili"));
    if (at_random)
        buf_printf(out, "<text x=\"%d\" y=\"%d\" fill=\"#b4561f\">%s</text>", LEFT + 8, TOP + 46,
                   pick(lang, "lines: 95 %, only if reports are missing at random",
                        "mistari: 95 %, iwapo tu ripoti zinakosekana kwa kubahatisha"));
    end(out);
}
