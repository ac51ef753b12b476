/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/geometry.h"

#include <math.h>

/* Gaussian elimination with partial pivoting; the solution replaces b. */
static bool solve8(double a[8][8], double b[8]) {
    for (int c = 0; c < 8; c++) {
        int p = c;
        for (int r = c + 1; r < 8; r++)
            if (fabs(a[r][c]) > fabs(a[p][c])) p = r;
        if (fabs(a[p][c]) < 1e-10) return false;
        for (int k = 0; k < 8; k++) {
            const double t = a[c][k];
            a[c][k] = a[p][k];
            a[p][k] = t;
        }
        const double t = b[c];
        b[c] = b[p];
        b[p] = t;
        for (int r = 0; r < 8; r++) {
            if (r == c) continue;
            const double q = a[r][c] / a[c][c];
            for (int k = c; k < 8; k++) a[r][k] -= q * a[c][k];
            b[r] -= q * b[c];
        }
    }
    for (int c = 0; c < 8; c++) b[c] /= a[c][c];
    return true;
}

struct normal {
    double cx, cy, s;
};

static bool normalise(const struct point *p, size_t n, struct normal *k) {
    *k = (struct normal){0};
    for (size_t i = 0; i < n; i++) {
        k->cx += p[i].x / (double)n;
        k->cy += p[i].y / (double)n;
    }
    double d = 0;
    for (size_t i = 0; i < n; i++) d += hypot(p[i].x - k->cx, p[i].y - k->cy) / (double)n;
    if (!(d > 1e-9) || !isfinite(d)) return false;
    k->s = M_SQRT2 / d;
    return true;
}

static void multiply(const double *a, const double *b, double *out) {
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 3; c++) {
            double t = 0;
            for (int k = 0; k < 3; k++) t += a[r * 3 + k] * b[k * 3 + c];
            out[r * 3 + c] = t;
        }
}

bool homography_fit(const struct point *from, const struct point *to, size_t n,
                    struct homography *out) {
    struct normal u, v;
    if (n < 4 || !normalise(from, n, &u) || !normalise(to, n, &v)) return false;
    double a[8][8] = {{0}}, b[8] = {0};
    for (size_t i = 0; i < n; i++) {
        const double x = (from[i].x - u.cx) * u.s, y = (from[i].y - u.cy) * u.s;
        const double p = (to[i].x - v.cx) * v.s, q = (to[i].y - v.cy) * v.s;
        const double rows[2][8] = {{x, y, 1, 0, 0, 0, -p * x, -p * y},
                                   {0, 0, 0, x, y, 1, -q * x, -q * y}};
        const double right[2] = {p, q};
        for (int k = 0; k < 2; k++)
            for (int r = 0; r < 8; r++) {
                for (int c = 0; c < 8; c++) a[r][c] += rows[k][r] * rows[k][c];
                b[r] += rows[k][r] * right[k];
            }
    }
    if (!solve8(a, b)) return false;
    const double h[9] = {b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], 1};
    const double from_n[9] = {u.s, 0, -u.cx * u.s, 0, u.s, -u.cy * u.s, 0, 0, 1};
    const double to_back[9] = {1 / v.s, 0, v.cx, 0, 1 / v.s, v.cy, 0, 0, 1};
    double t[9];
    multiply(h, from_n, t);
    multiply(to_back, t, out->m);
    if (fabs(out->m[8]) < 1e-12) return false;
    for (int i = 0; i < 9; i++) out->m[i] /= out->m[8];
    for (int i = 0; i < 9; i++)
        if (!isfinite(out->m[i])) return false;
    return true;
}

bool homography_invert(const struct homography *h, struct homography *out) {
    const double *m = h->m;
    const double c[9] = {
        m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
        m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
        m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]};
    if (!(fabs(c[8]) > 1e-12)) return false;
    for (int i = 0; i < 9; i++) out->m[i] = c[i] / c[8];
    return true;
}
