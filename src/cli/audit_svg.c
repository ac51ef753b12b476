/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/audit_svg.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 820, HEIGHT = 420, LEFT = 80, RIGHT = 210, TOP = 40, BOTTOM = 60, TICKS = 12 };
static const char *const colours[] = {"#1f4e9c", "#b2401d", "#2b7a3d", "#7a3b8f",
                                      "#8a6d00", "#007c83", "#a01f5f", "#555555"};

void html_text(struct buf *b, struct span s) {
    for (size_t i = 0; i < s.n; i++) switch (s.p[i]) {
        case '&':
            buf_str(b, "&amp;");
            break;
        case '<':
            buf_str(b, "&lt;");
            break;
        case '>':
            buf_str(b, "&gt;");
            break;
        case '"':
            buf_str(b, "&quot;");
            break;
        default:
            buf_byte(b, s.p[i]);
        }
}

struct axis {
    double low, high;
    bool log;
};

static double place(const struct axis *a, double v) {
    if (a->log) {
        double l = log10(a->low), h = log10(a->high);
        v = v > a->low ? log10(v) : l;
        return fmin(fmax((v - l) / (h - l), 0), 1);
    }
    return fmin(fmax((v - a->low) / (a->high - a->low), 0), 1);
}
static double px(const struct axis *a, double v) {
    return LEFT + place(a, v) * (WIDTH - LEFT - RIGHT);
}
static double py(const struct axis *a, double v) {
    return HEIGHT - BOTTOM - place(a, v) * (HEIGHT - TOP - BOTTOM);
}

static void widen(struct axis *a, double v) {
    if (!isfinite(v) || (a->log && v <= 0)) return;
    a->low = fmin(a->low, v);
    a->high = fmax(a->high, v);
}

/* Ends at round values: powers of ten, or multiples of a step of 1, 2 or 5. */
static double round_axis(struct axis *a) {
    if (!(a->high >= a->low)) a->low = a->log ? 0.1 : 0, a->high = 1;
    if (a->log) {
        a->low = pow(10, floor(log10(a->low) + 1e-9));
        a->high = pow(10, ceil(log10(a->high) - 1e-9));
        if (a->low == a->high) a->high *= 10;
        return 10;
    }
    if (a->low > 0) a->low = 0;
    if (a->high == a->low) a->high = a->low + 1;
    double rough = (a->high - a->low) / 6, unit = pow(10, floor(log10(rough)));
    double step = rough <= unit       ? unit
                  : rough <= 2 * unit ? 2 * unit
                  : rough <= 5 * unit ? 5 * unit
                                      : 10 * unit;
    a->high = ceil(a->high / step) * step;
    return step;
}

static void text(struct buf *b, double x, double y, const char *anchor, const char *s) {
    buf_printf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    html_text(b, span_text(s));
    buf_str(b, "</text>\n");
}

static void ticks(struct buf *b, const struct axis *a, double step, bool horizontal) {
    double v = a->low;
    for (int i = 0; i < 40 && v <= a->high * (1 + 1e-9); i++) {
        char label[32];
        snprintf(label, sizeof label, "%g", v);
        if (horizontal) {
            double x = px(a, v);
            buf_printf(b, "<path d=\"M%.1f %d V%d\" stroke=\"#ddd\"/>\n", x, TOP, HEIGHT - BOTTOM);
            text(b, x, HEIGHT - BOTTOM + 18, "middle", label);
        } else {
            double y = py(a, v);
            buf_printf(b, "<path d=\"M%d %.1f H%d\" stroke=\"#ddd\"/>\n", LEFT, y, WIDTH - RIGHT);
            text(b, LEFT - 8, y + 4, "end", label);
        }
        v = a->log ? v * step : v + step;
    }
}

static void line(struct buf *b, const struct svg_line *l, const struct axis *x,
                 const struct axis *y, size_t index) {
    const char *colour = colours[index % (sizeof colours / sizeof *colours)];
    buf_printf(b, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"2\" d=\"", colour);
    for (size_t i = 0; i < l->n; i++) {
        double at = px(x, l->x[i]), up = py(y, l->y[i]);
        if (i == 0)
            buf_printf(b, "M%.1f %.1f", at, up);
        else if (l->steps)
            buf_printf(b, "H%.1fV%.1f", at, up);
        else
            buf_printf(b, "L%.1f %.1f", at, up);
    }
    buf_str(b, "\"/>\n");
    if (index >= TICKS) return; /* the legend has room for a dozen */
    double row = TOP + 14 + 22 * (double)index;
    buf_printf(b, "<path d=\"M%d %.1f h18\" stroke=\"%s\" stroke-width=\"3\"/>\n",
               WIDTH - RIGHT + 12, row - 4, colour);
    char name[32];
    size_t n = strlen(l->name), most = 26;
    bool cut = n > most;
    if (cut)
        for (n = most - 2; n > 0 && ((uint8_t)l->name[n] & 0xc0) == 0x80;)
            n--; /* whole characters */
    snprintf(name, sizeof name, "%.*s%s", (int)n, l->name, cut ? ".." : "");
    text(b, WIDTH - RIGHT + 36, row, "start", name);
}

void svg_draw(struct buf *b, const struct svg_plot *p) {
    struct axis x = {INFINITY, -INFINITY, p->log_x}, y = {INFINITY, -INFINITY, p->log_y};
    for (size_t i = 0; i < p->lines; i++)
        for (size_t k = 0; k < p->line[i].n; k++) {
            widen(&x, p->line[i].x[k]);
            widen(&y, fmax(p->line[i].y[k], p->log_y ? 1e-9 : -INFINITY));
        }
    if (p->limit > 0) widen(&y, p->limit);
    double step_x = round_axis(&x), step_y = round_axis(&y);
    buf_printf(b,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" "
               "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"%d\" height=\"%d\" "
               "fill=\"#fff\"/>\n<title>",
               WIDTH, HEIGHT, WIDTH, HEIGHT);
    html_text(b, span_text(p->title));
    buf_str(b, "</title>\n");
    text(b, LEFT, 22, "start", p->title);
    ticks(b, &x, step_x, true);
    ticks(b, &y, step_y, false);
    text(b, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 16, "middle", p->x_title);
    buf_printf(b, "<g transform=\"translate(18 %d) rotate(-90)\">", HEIGHT / 2);
    text(b, 0, 0, "middle", p->y_title);
    buf_str(b, "</g>\n");
    for (size_t i = 0; i < p->lines; i++) line(b, &p->line[i], &x, &y, i);
    if (p->limit > 0) {
        buf_printf(b, "<path d=\"M%d %.1f H%d\" stroke=\"#000\" stroke-dasharray=\"6 4\"/>\n", LEFT,
                   py(&y, p->limit), WIDTH - RIGHT);
        text(b, WIDTH - RIGHT - 4, py(&y, p->limit) - 5, "end", p->limit_name);
    }
    buf_str(b, "</svg>\n");
}
