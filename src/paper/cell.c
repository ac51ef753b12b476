/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/cell.h"

#include <math.h>
#include <stdlib.h>
#include "paper/components.h"

enum { GLYPHS_MAX = 24, PIECES_MAX = 3, CUTS = 3, PATHS_MAX = 64, PAD = 14 };
#define INK_LEAST   70 /* of 255: a pale pen on white */
#define SPECK_MM2   0.15
#define RIM_MM      0.4
#define DASH_HEIGHT 0.3  /* of the tallest character: what is flatter is a dash */
#define CUT_COST    1.2  /* natural logarithm: digits touch now and then, not as a rule */
#define WIDE        1.05 /* width over the height of a character that may be two */
#define RULE_PART   0.55 /* of the cell's width that a printed rule covers in one row */

/* ---- rules ---- */

/* Rows that are dark over most of their length are a printed rule (2 or 3 pixels); strokes across
 * it stay. */
static void take_rules(struct raster *ink) {
    const int w = ink->w, h = ink->h;
    for (int y = 0; y < h; y++) {
        int dark = 0;
        for (int x = 0; x < w; x++) dark += raster_at(ink, x, y) > INK_LEAST / 2;
        if (dark < w * RULE_PART) continue;
        int end = y; /* the rule and its soft edges */
        while (end + 1 < h && end - y < 4) {
            int next = 0;
            for (int x = 0; x < w; x++) next += raster_at(ink, x, end + 1) > INK_LEAST / 2;
            if (next < w * RULE_PART * 0.6) break;
            end++;
        }
        const int above = y - 2 < 0 ? 0 : y - 2, below = end + 2 >= h ? h - 1 : end + 2;
        for (int x = 0; x < w; x++) {
            const int a = raster_at(ink, x, above), b = raster_at(ink, x, below);
            const bool across = a > INK_LEAST && b > INK_LEAST && y > 2 && end < h - 3;
            for (int k = above + 1; k < below; k++) {
                uint8_t *v = &ink->p[(size_t)k * (size_t)w + (size_t)x];
                if (!across)
                    *v = 0;
                else if (*v > (a > b ? a : b))
                    *v = (uint8_t)(a > b ? a : b);
            }
        }
        y = end + 2;
    }
}

/* ---- characters ---- */

struct glyph { /* one or more components that stand over each other */
    int x0, x1, y0, y1;
    int area;
};

static int by_x(const void *a, const void *b) {
    return ((const struct glyph *)a)->x0 - ((const struct glyph *)b)->x0;
}

static bool overlap(const struct glyph *a, const struct glyph *b) {
    const int left = a->x0 > b->x0 ? a->x0 : b->x0, right = a->x1 < b->x1 ? a->x1 : b->x1;
    const int wa = a->x1 - a->x0 + 1, wb = b->x1 - b->x0 + 1;
    return right - left + 1 > 0.45 * (wa < wb ? wa : wb);
}

/* What is left of the cell's border: long and thin. Anything else at the edge may be a digit. */
static bool is_border(const struct component *q, double ppmm) {
    const int w = q->x1 - q->x0 + 1, h = q->y1 - q->y0 + 1;
    return (w < 0.9 * ppmm && h > 2 * w) || (h < 0.9 * ppmm && w > 2 * h);
}

/* From left to right. too_many: more than a figure can have. cut_off: something else than the
 * border reaches the edge of the cell, so that a digit may be missing. */
static err find_glyphs(const struct raster *ink, double ppmm, struct glyph out[GLYPHS_MAX],
                       unsigned *n, bool *too_many, bool *cut_off, struct fail *f) {
    const size_t pixels = (size_t)ink->w * (size_t)ink->h;
    struct components c;
    uint8_t *mask = calloc(pixels, 1);
    if (!mask) return fail_set(f, E_MEMORY, "no memory for a cell");
    const int rim = (int)(RIM_MM * ppmm); /* the border's own line, or half of it */
    for (int y = rim; y < ink->h - rim; y++)
        for (int x = rim; x < ink->w - rim; x++)
            mask[y * ink->w + x] = raster_at(ink, x, y) > INK_LEAST;
    const err e = components_find(mask, ink->w, ink->h, &c, f);
    *n = 0;
    *too_many = *cut_off = false;
    for (int k = 1; e == OK && k < c.n; k++) {
        const struct component *q = &c.c[k];
        if (q->area < SPECK_MM2 * ppmm * ppmm) continue;
        const bool touches =
            q->x0 <= rim || q->y0 <= rim || q->x1 >= ink->w - 1 - rim || q->y1 >= ink->h - 1 - rim;
        if (touches && is_border(q, ppmm)) continue;
        if (touches) *cut_off = true;
        if (*n == GLYPHS_MAX) {
            *too_many = true;
            break;
        }
        out[(*n)++] = (struct glyph){q->x0, q->x1, q->y0, q->y1, q->area};
    }
    components_release(&c);
    free(mask);
    qsort(out, *n, sizeof *out, by_x);
    for (unsigned i = 0; i + 1 < *n;) { /* broken strokes, the bar of a 5 */
        if (!overlap(&out[i], &out[i + 1])) {
            i++;
            continue;
        }
        struct glyph *a = &out[i];
        const struct glyph b = out[i + 1];
        if (b.x1 > a->x1) a->x1 = b.x1;
        if (b.y0 < a->y0) a->y0 = b.y0;
        if (b.y1 > a->y1) a->y1 = b.y1;
        a->area += b.area;
        memmove(&out[i + 1], &out[i + 2], (*n - i - 2) * sizeof *out);
        (*n)--;
    }
    return e;
}

/* Dashes before the figure go; *dashes counts them. */
static void drop_dashes(struct glyph *g, unsigned *n, unsigned *dashes) {
    int tallest = 0;
    for (unsigned i = 0; i < *n; i++)
        if (g[i].y1 - g[i].y0 > tallest) tallest = g[i].y1 - g[i].y0;
    *dashes = 0;
    while (*n > 0) {
        const int h = g[0].y1 - g[0].y0 + 1, w = g[0].x1 - g[0].x0 + 1;
        const bool alone = *n == 1;
        if (!(w > 1.6 * h && (alone || h < DASH_HEIGHT * tallest + 2))) return;
        memmove(g, g + 1, (*n - 1) * sizeof *g);
        (*n)--;
        (*dashes)++;
    }
}

/* ---- cutting ---- */

struct piece {
    struct glyph at;
    struct box_reading read;
};

/* One way of reading a glyph: as one, two or three characters. */
struct way {
    struct piece piece[PIECES_MAX];
    unsigned n;
    double cost;
};

static err read_piece(const struct reader *r, const struct raster *ink, double ppmm,
                      struct piece *p, struct fail *f) {
    const struct glyph *g = &p->at;
    const int w = g->x1 - g->x0 + 1, h = g->y1 - g->y0 + 1;
    struct raster one;
    TRY(raster_init(&one, w + 2 * PAD, h + 2 * PAD, f));
    memset(one.p, 0, (size_t)one.w * (size_t)one.h);
    for (int y = 0; y < h; y++)
        memcpy(one.p + (size_t)(y + PAD) * (size_t)one.w + PAD,
               ink->p + (size_t)(g->y0 + y) * (size_t)ink->w + (size_t)g->x0, (size_t)w);
    const err e = reader_box(r, &one, ppmm, h / ppmm, &p->read, f);
    raster_release(&one);
    return e;
}

/* Columns with little ink inside a stretch, the thinnest first. */
static unsigned thin_columns(const struct raster *ink, const struct glyph *g, double from,
                             double to, int cut[CUTS]) {
    const int w = g->x1 - g->x0 + 1;
    unsigned n = 0;
    while (n < CUTS) {
        int best = -1;
        double least = 1e9;
        for (int x = g->x0 + (int)(w * from); x <= g->x0 + (int)(w * to); x++) {
            double sum = 0;
            bool taken = false;
            for (int y = g->y0; y <= g->y1; y++) sum += raster_at(ink, x, y);
            for (unsigned k = 0; k < n; k++) taken = taken || abs(cut[k] - x) < w / 8 + 2;
            if (!taken && sum < least) {
                least = sum;
                best = x;
            }
        }
        if (best < 0) break;
        cut[n++] = best;
    }
    return n;
}

/* The part of a glyph between two columns, its height fitted to its ink. */
static struct glyph part_of(const struct raster *ink, const struct glyph *g, int x0, int x1) {
    struct glyph p = {x0, x1, g->y1, g->y0, 0};
    for (int y = g->y0; y <= g->y1; y++)
        for (int x = x0; x <= x1; x++)
            if (raster_at(ink, x, y) > INK_LEAST) {
                if (y < p.y0) p.y0 = y;
                if (y > p.y1) p.y1 = y;
                p.area++;
            }
    return p;
}

static err add_way(const struct reader *r, const struct raster *ink, double ppmm,
                   const struct glyph *g, const int *cuts, unsigned n, struct way *out,
                   struct fail *f) {
    int from = g->x0;
    out->n = n + 1;
    out->cost = CUT_COST * n;
    for (unsigned k = 0; k <= n; k++) {
        const int to = k < n ? cuts[k] : g->x1;
        out->piece[k].at = n ? part_of(ink, g, from, to) : *g;
        if (out->piece[k].at.area == 0) out->cost = 1e3; /* nothing there: no way */
        if (out->piece[k].at.area == 0) return OK;
        TRY(read_piece(r, ink, ppmm, &out->piece[k], f));
        from = to + 1;
    }
    return OK;
}

/* Every way that is worth trying; wide characters are cut. */
static err ways_of(const struct reader *r, const struct raster *ink, double ppmm,
                   const struct glyph *g, struct way *out, unsigned *n, struct fail *f) {
    const double wide = (double)(g->x1 - g->x0 + 1) / (g->y1 - g->y0 + 1);
    int cut[CUTS], left[CUTS], right[CUTS];
    *n = 0;
    TRY(add_way(r, ink, ppmm, g, NULL, 0, &out[(*n)++], f));
    if (wide < WIDE) return OK;
    const unsigned cuts = thin_columns(ink, g, 0.25, 0.75, cut);
    for (unsigned k = 0; k < cuts; k++) TRY(add_way(r, ink, ppmm, g, &cut[k], 1, &out[(*n)++], f));
    if (wide < 1.6 * WIDE) return OK;
    if (thin_columns(ink, g, 0.2, 0.45, left) && thin_columns(ink, g, 0.55, 0.8, right)) {
        const int both[2] = {left[0], right[0]};
        TRY(add_way(r, ink, ppmm, g, both, 2, &out[(*n)++], f));
    }
    return OK;
}

/* ---- the figure ---- */

struct path { /* characters chosen so far */
    struct box_reading box[CELL_DIGITS_MAX];
    unsigned n;
    double cost;
};

static double digits_score(const struct path *p) {
    double s = -p->cost;
    for (unsigned i = 0; i < p->n; i++) {
        double best = p->box[i].lp[0];
        for (int d = 1; d < 10; d++) best = fmax(best, p->box[i].lp[d]);
        s += best;
    }
    return s;
}

static int by_digits(const void *a, const void *b) {
    const double x = digits_score(a), y = digits_score(b);
    return x > y ? -1 : x < y;
}

/* All combinations of ways, the best PATHS_MAX of them. Returns their number. */
static unsigned extend(struct path *paths, unsigned n, const struct way *ways, unsigned way_count,
                       struct path *next) {
    unsigned made = 0;
    for (unsigned p = 0; p < n; p++)
        for (unsigned k = 0; k < way_count; k++) {
            const struct way *w = &ways[k];
            if (w->cost >= 1e3 || paths[p].n + w->n > CELL_DIGITS_MAX) continue;
            struct path *q = &next[made++];
            *q = paths[p];
            q->cost += w->cost;
            for (unsigned i = 0; i < w->n; i++) q->box[q->n++] = w->piece[i].read;
        }
    qsort(next, made, sizeof *next, by_digits);
    return made < PATHS_MAX / 8 ? made : PATHS_MAX / 8;
}

static void conclude(const struct path *paths, unsigned n, struct decode_rules rules,
                     struct field_reading *out) {
    decode_boxes(paths[0].box, paths[0].n, rules, out);
    if (!out->has_value) return;
    out->score -= paths[0].cost;
    out->reasons &= ~(unsigned)ABSTAIN_MARGIN;
    for (unsigned k = 1; k < n; k++) { /* another way of cutting that gives another value */
        struct decode_value all[DECODE_VALUES_MAX];
        const size_t count = decode_values(paths[k].box, paths[k].n, rules, all);
        for (size_t i = 0; i < count && i < 2; i++) {
            const double margin = out->score - (all[i].score - paths[k].cost);
            if (all[i].value == out->value || margin >= out->margin) continue;
            out->margin = margin;
            out->other = all[i].value;
            out->has_other = true;
        }
    }
    if (out->margin < rules.margin) out->reasons |= ABSTAIN_MARGIN;
}

static err read_glyphs(const struct reader *r, const struct raster *ink, double ppmm,
                       const struct glyph *g, unsigned n, struct decode_rules rules,
                       struct field_reading *out, struct fail *f) {
    struct way ways[2 + CUTS];
    struct path *paths = calloc(2 * PATHS_MAX, sizeof *paths), *next = paths + PATHS_MAX;
    unsigned count = 1, way_count;
    if (!paths) return fail_set(f, E_MEMORY, "no memory for a cell");
    err e = OK;
    for (unsigned i = 0; e == OK && i < n && count; i++) {
        e = ways_of(r, ink, ppmm, &g[i], ways, &way_count, f);
        if (e != OK) break;
        count = extend(paths, count, ways, way_count, next);
        memcpy(paths, next, count * sizeof *paths);
    }
    if (e == OK && count == 0)
        out->reasons |= ABSTAIN_LAYOUT;
    else if (e == OK)
        conclude(paths, count, rules, out);
    free(paths);
    return e;
}

err cell_read(const struct reader *r, struct raster *ink, double pixels_per_mm,
              struct decode_rules rules, struct field_reading *out, struct fail *f) {
    struct glyph g[GLYPHS_MAX];
    unsigned n = 0, dashes = 0;
    bool too_many = false, cut_off = false;
    *out = (struct field_reading){0};
    take_rules(ink);
    TRY(find_glyphs(ink, pixels_per_mm, g, &n, &too_many, &cut_off, f));
    drop_dashes(g, &n, &dashes);
    if (n == 0 || n > CELL_DIGITS_MAX || too_many) {
        out->reasons = n || too_many ? ABSTAIN_LAYOUT : dashes ? ABSTAIN_DASHES : ABSTAIN_EMPTY;
        if (cut_off) out->reasons |= ABSTAIN_PLACE;
        return OK;
    }
    TRY(read_glyphs(r, ink, pixels_per_mm, g, n, rules, out, f));
    if (cut_off) out->reasons |= ABSTAIN_PLACE;
    return OK;
}

err cell_read_at(const struct reader *r, const struct sheet *s, struct rect_mm cell,
                 struct decode_rules rules, struct field_reading *out, struct fail *f) {
    struct raster ink;
    TRY(sheet_cut(s, cell, &ink, f));
    const err e = cell_read(r, &ink, SHEET_PPMM, rules, out, f);
    raster_release(&ink);
    return e;
}
