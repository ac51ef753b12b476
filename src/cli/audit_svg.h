/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Plots of audits as SVG: lines over two axes, a horizontal limit, a legend. No scripts, no outside
 * references: safe to put into a page. */
#ifndef CLI_AUDIT_SVG_H
#define CLI_AUDIT_SVG_H

#include "base/bytes.h"

struct svg_line {
    const char *name;
    const double *x, *y; /* [n] */
    size_t n;
    bool steps; /* y holds until the next x */
};
struct svg_plot {
    const char *title, *x_title, *y_title;
    const struct svg_line *line;
    size_t lines;
    bool log_x, log_y;
    double limit; /* a dashed horizontal line; 0: none */
    const char *limit_name;
};
/* Appends one <svg> element. Values that a logarithm cannot take are put at the axis. */
void svg_draw(struct buf *b, const struct svg_plot *p);
/* Text for HTML and SVG: & < > " are escaped. */
void html_text(struct buf *b, struct span s);

#endif
