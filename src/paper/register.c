/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/register.h"

#include <math.h>
#include "paper/components.h"

enum { SIDE_MIN = 11, SIDE_MAX = 260, FOUND_MAX = 64 };

/* ---- dark components that may be markers ---- */

static bool may_be_marker(const struct component *c) {
    const int w = c->x1 - c->x0 + 1, h = c->y1 - c->y0 + 1;
    if (w < SIDE_MIN || h < SIDE_MIN || w > SIDE_MAX || h > SIDE_MAX) return false;
    const double aspect = (double)w / h, fill = (double)c->area / ((double)w * h);
    return aspect > 0.4 && aspect < 2.5 && fill > 0.25 && fill < 0.95;
}

/* The four corners of a nearly square blob: the pixel farthest from the middle, the one farthest
 * from that, and the farthest on both sides of the line between them. Clockwise. */
static void blob_corners(const struct components *l, int w, int id, struct point out[4]) {
    const struct component *c = &l->c[id];
    const double mx = (c->x0 + c->x1) / 2.0, my = (c->y0 + c->y1) / 2.0;
    struct point a = {0}, b = {0}, p = {0}, q = {0};
    double best = -1;
    for (int pass = 0; pass < 3; pass++) {
        double least = 0, most = 0;
        best = -1;
        for (int y = c->y0; y <= c->y1; y++)
            for (int x = c->x0; x <= c->x1; x++) {
                if (l->label[(size_t)y * (size_t)w + (size_t)x] != id) continue;
                const double dx = x - (pass == 0 ? mx : a.x), dy = y - (pass == 0 ? my : a.y);
                if (pass < 2) {
                    const double d = dx * dx + dy * dy;
                    if (d <= best) continue;
                    best = d;
                    if (pass == 0)
                        p = (struct point){x, y};
                    else
                        b = (struct point){x, y};
                    continue;
                }
                const double s = (b.x - a.x) * dy - (b.y - a.y) * dx;
                if (s > most) {
                    most = s;
                    q = (struct point){x, y};
                }
                if (s < least) {
                    least = s;
                    p = (struct point){x, y};
                }
            }
        if (pass == 0) a = p;
    }
    out[0] = a;
    out[1] = p;
    out[2] = b;
    out[3] = q;
}

/* Moves each corner outwards by half a pixel: pixel centres lie inside the black. */
static void grow(struct point c[4]) {
    const double mx = (c[0].x + c[1].x + c[2].x + c[3].x) / 4;
    const double my = (c[0].y + c[1].y + c[2].y + c[3].y) / 4;
    for (int i = 0; i < 4; i++) {
        const double d = hypot(c[i].x - mx, c[i].y - my) + 1e-9;
        c[i].x += (c[i].x - mx) / d * 0.7;
        c[i].y += (c[i].y - my) / d * 0.7;
    }
}

/* ---- reading a marker ---- */

struct found {
    unsigned marker;
    struct point corner[4]; /* in the order of the sheet: top left, top right, bottom right, left */
    int errors;
};

static double cell_mean(const struct raster *im, const struct homography *h, double cx, double cy) {
    double sum = 0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            const struct point p = homography_map(h, cx + dx * 0.22, cy + dy * 0.22);
            sum += raster_sample(im, p.x, p.y);
        }
    return sum / 9;
}

static bool read_marker(const struct raster *im, const struct point quad[4], struct found *out) {
    static const struct point unit[4] = {{0, 0}, {6, 0}, {6, 6}, {0, 6}};
    struct homography h;
    double v[MARKER_CELLS][MARKER_CELLS], low = 255, high = 0;
    if (!homography_fit(unit, quad, 4, &h)) return false;
    for (int y = 0; y < MARKER_CELLS; y++)
        for (int x = 0; x < MARKER_CELLS; x++) {
            v[y][x] = cell_mean(im, &h, x + 0.5, y + 0.5);
            low = fmin(low, v[y][x]);
            high = fmax(high, v[y][x]);
        }
    if (high - low < 30) return false;
    const double middle = (low + high) / 2;
    int frame_wrong = 0;
    unsigned bits = 0;
    for (int y = 0; y < MARKER_CELLS; y++)
        for (int x = 0; x < MARKER_CELLS; x++) {
            const bool dark = v[y][x] < middle;
            if (y == 0 || x == 0 || y == MARKER_CELLS - 1 || x == MARKER_CELLS - 1)
                frame_wrong += !dark;
            else
                bits = bits << 1 | dark;
        }
    if (frame_wrong > 2) return false;
    int best = 99;
    for (int q = 0; q < 4; q++) {
        for (unsigned m = 0; m < FORM_MARKERS; m++) {
            const int d = __builtin_popcount(bits ^ form_marker_bits(m));
            if (d >= best) continue;
            best = d;
            out->marker = m;
            /* bits were turned q times clockwise to fit: the sheet's top left is quad[(4 - q) % 4]
             */
            for (int i = 0; i < 4; i++) out->corner[i] = quad[(4 - q + i) % 4];
        }
        unsigned turned = 0;
        for (unsigned r = 0; r < 4; r++)
            for (unsigned c = 0; c < 4; c++)
                turned = turned << 1 | (bits >> (15 - ((3 - c) * 4 + r)) & 1);
        bits = turned;
    }
    out->errors = best + frame_wrong;
    return best <= 1;
}

/* The 2 x 3 corner regions of a marker are refined where the edges really are: along each side the
 * steepest place between outside and inside, a line through those, lines crossed. */
static void refine(const struct raster *im, struct point c[4]) {
    double la[4], lb[4], lc[4]; /* a x + b y = c for the side i .. i+1 */
    for (int i = 0; i < 4; i++) {
        const struct point p = c[i], q = c[(i + 1) % 4];
        const double len = hypot(q.x - p.x, q.y - p.y) + 1e-9;
        const double nx = (q.y - p.y) / len, ny = -(q.x - p.x) / len; /* outwards when clockwise */
        const double reach = fmax(1.5, len / 12);
        double sx = 0, sy = 0, sxx = 0, sxy = 0, syy = 0;
        int n = 0;
        for (int k = 2; k <= 14; k++) {
            const double t = k / 16.0, x = p.x + (q.x - p.x) * t, y = p.y + (q.y - p.y) * t;
            double best = 4, at = 0;
            for (double o = -reach; o <= reach; o += 0.25) {
                const double g = raster_sample(im, x + nx * (o + 0.75), y + ny * (o + 0.75)) -
                                 raster_sample(im, x + nx * (o - 0.75), y + ny * (o - 0.75));
                if (g > best) {
                    best = g;
                    at = o;
                }
            }
            if (best <= 4) continue;
            const double ex = x + nx * at, ey = y + ny * at;
            sx += ex;
            sy += ey;
            sxx += ex * ex;
            sxy += ex * ey;
            syy += ey * ey;
            n++;
        }
        la[i] = nx;
        lb[i] = ny;
        lc[i] = nx * p.x + ny * p.y;
        if (n < 6) continue;
        const double mx = sx / n, my = sy / n;
        const double cxx = sxx / n - mx * mx, cxy = sxy / n - mx * my, cyy = syy / n - my * my;
        const double angle = 0.5 * atan2(2 * cxy, cxx - cyy); /* direction of the points */
        double a = sin(angle), b = -cos(angle);
        if (a * nx + b * ny < 0) {
            a = -a;
            b = -b;
        }
        if (a * nx + b * ny < 0.97) continue; /* not along the side */
        la[i] = a;
        lb[i] = b;
        lc[i] = a * mx + b * my;
    }
    for (int i = 0; i < 4; i++) {
        const int j = (i + 3) % 4;
        const double det = la[j] * lb[i] - la[i] * lb[j];
        if (fabs(det) < 0.2) continue;
        const double x = (lc[j] * lb[i] - lc[i] * lb[j]) / det;
        const double y = (la[j] * lc[i] - la[i] * lc[j]) / det;
        if (hypot(x - c[i].x, y - c[i].y) < 6) c[i] = (struct point){x, y};
    }
}

static void keep(struct found *all, int *n, const struct found *f) {
    for (int i = 0; i < *n; i++)
        if (all[i].marker == f->marker) {
            if (f->errors < all[i].errors) all[i] = *f;
            return;
        }
    if (*n < FOUND_MAX) all[(*n)++] = *f;
}

/* Dark: darker than the mean around by a part of it; `radius` should exceed a marker's cells. */
static err find_markers(const struct raster *im, double scale, int radius, double part,
                        const struct raster *fine, struct found *all, int *n, struct fail *f) {
    struct raster mean;
    TRY(raster_box_mean(im, radius, &mean, f));
    const size_t pixels = (size_t)im->w * (size_t)im->h;
    for (size_t i = 0; i < pixels; i++) mean.p[i] = im->p[i] < mean.p[i] * part - 6;
    struct components l;
    const err e = components_find(mean.p, im->w, im->h, &l, f);
    for (int id = 1; e == OK && id < l.n; id++) {
        if (!may_be_marker(&l.c[id])) continue;
        struct point quad[4];
        struct found one;
        blob_corners(&l, im->w, id, quad);
        grow(quad);
        for (int i = 0; i < 4; i++) { /* to the fine image, pixel centres on pixel centres */
            quad[i].x = (quad[i].x + 0.5) * scale - 0.5;
            quad[i].y = (quad[i].y + 0.5) * scale - 0.5;
        }
        if (!read_marker(fine, quad, &one)) continue;
        refine(fine, one.corner);
        keep(all, n, &one);
    }
    components_release(&l);
    raster_release(&mean);
    return e;
}

/* ---- the sheet ---- */

static size_t gather(const struct found *all, int n, unsigned without, struct point *mm,
                     struct point *px) {
    size_t k = 0;
    for (int i = 0; i < n; i++) {
        if (without >> all[i].marker & 1) continue;
        const struct rect_mm r = form_marker_at(all[i].marker);
        const struct point c[4] = {
            {r.x, r.y}, {r.x + r.w, r.y}, {r.x + r.w, r.y + r.h}, {r.x, r.y + r.h}};
        for (int q = 0; q < 4; q++, k++) {
            mm[k] = c[q];
            px[k] = all[i].corner[q];
        }
    }
    return k;
}

static double scale_at(const struct homography *h, double x, double y) {
    const struct point a = homography_map(h, x, y), b = homography_map(h, x + 1, y),
                       c = homography_map(h, x, y + 1);
    return sqrt(fabs((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)));
}

static double residual(const struct homography *h, const struct point *mm, const struct point *px,
                       size_t from, size_t to) {
    double sum = 0;
    for (size_t i = from; i < to; i++) {
        const struct point p = homography_map(h, mm[i].x, mm[i].y);
        sum += (p.x - px[i].x) * (p.x - px[i].x) + (p.y - px[i].y) * (p.y - px[i].y);
    }
    return sqrt(sum / (double)(to - from));
}

static bool fit(const struct found *all, int n, unsigned without, struct registration *r) {
    memset(r->bend, 0, sizeof r->bend);
    struct point mm[FORM_MARKERS * 4], px[FORM_MARKERS * 4];
    const size_t k = gather(all, n, without, mm, px);
    if (k < 8 || !homography_fit(mm, px, k, &r->to_image)) return false;
    r->pixels_per_mm = scale_at(&r->to_image, SHEET_W_MM / 2, SHEET_H_MM / 2);
    if (!(r->pixels_per_mm > 1 && r->pixels_per_mm < 100)) return false;
    r->residual_mm = residual(&r->to_image, mm, px, 0, k) / r->pixels_per_mm;
    r->markers = (unsigned)(k / 4);
    r->seen = 0;
    for (int i = 0; i < n; i++)
        if (!(without >> all[i].marker & 1)) r->seen |= 1u << all[i].marker;
    return true;
}

/* Places are scaled to about -1..1, so that powers stay small. */
static void bend_terms(double x_mm, double y_mm, double t[6]) {
    const double x = x_mm / (SHEET_W_MM / 2) - 1, y = y_mm / (SHEET_H_MM / 2) - 1;
    const double v[6] = {1, x, y, x * y, y * y, x * y * y};
    memcpy(t, v, sizeof v);
}

struct point registration_map(const struct registration *r, double x_mm, double y_mm) {
    double t[6], dx = 0, dy = 0;
    bend_terms(x_mm, y_mm, t);
    for (int i = 0; i < 6; i++) {
        dx += r->bend[0][i] * t[i];
        dy += r->bend[1][i] * t[i];
    }
    return homography_map(&r->to_image, x_mm + dx, y_mm + dy);
}

/* What the flat sheet leaves at the markers, by least squares over their corners. */
static void fit_bend(const struct found *all, int n, struct registration *r) {
    struct point mm[FORM_MARKERS * 4], px[FORM_MARKERS * 4];
    struct homography back;
    const size_t k = gather(all, n, 0, mm, px);
    if (r->markers != FORM_MARKERS || k != FORM_MARKERS * 4 ||
        !homography_invert(&r->to_image, &back))
        return;
    double a[6][8] = {{0}};
    for (size_t i = 0; i < k; i++) {
        double t[6];
        bend_terms(mm[i].x, mm[i].y, t);
        const struct point p = homography_map(&back, px[i].x, px[i].y);
        for (int u = 0; u < 6; u++) {
            for (int v = 0; v < 6; v++) a[u][v] += t[u] * t[v];
            a[u][6] += t[u] * (p.x - mm[i].x);
            a[u][7] += t[u] * (p.y - mm[i].y);
        }
    }
    for (int c = 0; c < 6; c++) { /* the normal matrix is positive definite: no pivoting */
        if (a[c][c] < 1e-9) return;
        for (int row = 0; row < 6; row++) {
            if (row == c) continue;
            const double q = a[row][c] / a[c][c];
            for (int v = c; v < 8; v++) a[row][v] -= q * a[c][v];
        }
    }
    for (int c = 0; c < 6; c++) {
        r->bend[0][c] = a[c][6] / a[c][c];
        r->bend[1][c] = a[c][7] / a[c][c];
    }
}

err register_sheet(const struct raster *image, struct registration *out, struct fail *f) {
    struct found all[FOUND_MAX];
    int n = 0;
    const int longer = image->w > image->h ? image->w : image->h;
    struct raster half;
    TRY(raster_halve(image, longer > 1500 ? 1 : 0, &half, f));
    const double scale = longer > 1500 ? 2 : 1;
    const int side = half.w > half.h ? half.w : half.h;
    err e = find_markers(&half, scale, side / 28, 0.8, image, all, &n, f);
    if (e == OK && n < 5) e = find_markers(&half, scale, side / 60, 0.88, image, all, &n, f);
    raster_release(&half);
    if (e == OK && n < 4 && scale > 1)
        e = find_markers(image, 1, longer / 40, 0.85, image, all, &n, f);
    if (e != OK) return e;
    struct registration best = {0};
    bool good = fit(all, n, 0, &best);
    /* one marker may be misread (a smudge, another sheet below): leave out the one that disturbs */
    if (good && best.residual_mm > 1.2 && n > 2)
        for (int i = 0; i < n; i++) {
            struct registration r;
            if (fit(all, n, 1u << all[i].marker, &r) && r.residual_mm < best.residual_mm * 0.4)
                best = r;
        }
    if (!good)
        return fail_set(f, E_NOT_FOUND,
                        "the sheet is not found: %d of %d corner markers can be read; photograph "
                        "the whole form, flat and sharp",
                        n, FORM_MARKERS);
    if (best.residual_mm > 4)
        return fail_set(
            f, E_NOT_FOUND,
            "the markers contradict each other by %.1f mm: are two sheets in the picture?",
            best.residual_mm);
    fit_bend(all, n, &best);
    *out = best;
    return OK;
}
