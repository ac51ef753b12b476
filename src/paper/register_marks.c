/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/register_marks.h"

#include <math.h>
#include "paper/components.h"

enum { SQUARES_MAX = 400, PAIRS_MAX = 16 };

struct squares {
    struct point at[SQUARES_MAX];
    double side[SQUARES_MAX];
    size_t n;
};

static err find_squares(const struct raster *im, struct squares *out, struct fail *f) {
    struct raster mean;
    const int longer = im->w > im->h ? im->w : im->h;
    TRY(raster_box_mean(im, longer / 40, &mean, f));
    for (size_t i = 0; i < (size_t)im->w * (size_t)im->h; i++)
        mean.p[i] = im->p[i] < mean.p[i] * 0.7;
    struct components c;
    const err e = components_find(mean.p, im->w, im->h, &c, f);
    out->n = 0;
    for (int k = 1; e == OK && k < c.n && out->n < SQUARES_MAX; k++) {
        const int w = c.c[k].x1 - c.c[k].x0 + 1, h = c.c[k].y1 - c.c[k].y0 + 1;
        if (c.c[k].area == 0 || w < 6 || h < 6 || w > longer / 25 || h > longer / 25) continue;
        const double aspect = (double)w / h, fill = (double)c.c[k].area / ((double)w * h);
        if (aspect < 0.6 || aspect > 1.6 || fill < 0.72) continue;
        out->at[out->n] =
            (struct point){(c.c[k].x0 + c.c[k].x1) / 2.0, (c.c[k].y0 + c.c[k].y1) / 2.0};
        out->side[out->n++] = sqrt((double)c.c[k].area);
    }
    components_release(&c);
    raster_release(&mean);
    return e;
}

/* Middles of two equal squares that stand as close as a pair does. */
static size_t find_pairs(const struct squares *s, double distance_sides, struct point *out) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < i && n < PAIRS_MAX; j++) {
            const double side = (s->side[i] + s->side[j]) / 2;
            const double d = hypot(s->at[i].x - s->at[j].x, s->at[i].y - s->at[j].y) / side;
            if (fabs(d - distance_sides) > 0.3 || fabs(s->side[i] - s->side[j]) > 0.3 * side)
                continue;
            out[n++] = (struct point){(s->at[i].x + s->at[j].x) / 2, (s->at[i].y + s->at[j].y) / 2};
        }
    return n;
}

static struct point pair_middle(const struct mark_template *t, size_t k) {
    const struct point a = t->centre[t->pair[k][0]], b = t->centre[t->pair[k][1]];
    return (struct point){(a.x + b.x) / 2, (a.y + b.y) / 2};
}

/* Every mark takes the nearest square within `reach` mm; returns how many, and the pairs of points.
 */
static size_t match(const struct mark_template *t, const struct squares *s,
                    const struct homography *h, double ppmm, double reach, struct point *mm,
                    struct point *px) {
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct point p = homography_map(h, t->centre[i].x, t->centre[i].y);
        double best = reach * ppmm;
        for (size_t j = 0; j < s->n; j++) {
            const double d = hypot(s->at[j].x - p.x, s->at[j].y - p.y);
            const double size = s->side[j] / (t->side_mm * ppmm);
            if (d >= best || size < 0.6 || size > 1.6) continue;
            best = d;
            mm[n] = t->centre[i];
            px[n] = s->at[j];
        }
        n += best < reach * ppmm;
    }
    return n;
}

static double scale_of(const struct homography *h, struct point at) {
    const struct point a = homography_map(h, at.x, at.y), b = homography_map(h, at.x + 1, at.y),
                       c = homography_map(h, at.x, at.y + 1);
    return sqrt(fabs((b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)));
}

/* From a first guess to a fit over all marks; false when it explains too few. */
static bool refine(const struct mark_template *t, const struct squares *s, struct homography h,
                   struct registration *out) {
    struct point mm[MARKS_MAX], px[MARKS_MAX];
    const struct point middle = pair_middle(t, 0);
    size_t n = 0;
    for (int round = 0; round < 4; round++) {
        const double ppmm = scale_of(&h, middle);
        if (!(ppmm > 1 && ppmm < 100)) return false;
        n = match(t, s, &h, ppmm, round == 0 ? 8 : 3, mm, px);
        if (n * 3 < t->n * 2 || !homography_fit(mm, px, n, &h)) return false;
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const struct point p = homography_map(&h, mm[i].x, mm[i].y);
        sum += (p.x - px[i].x) * (p.x - px[i].x) + (p.y - px[i].y) * (p.y - px[i].y);
    }
    *out = (struct registration){
        .to_image = h, .markers = (unsigned)n, .pixels_per_mm = scale_of(&h, middle)};
    out->residual_mm = sqrt(sum / (double)n) / out->pixels_per_mm;
    return true;
}

err register_marks(const struct raster *image, const struct mark_template *t,
                   struct registration *out, struct fail *f) {
    struct squares s;
    struct point pairs[PAIRS_MAX], from[4];
    TRY(find_squares(image, &s, f));
    const struct point a = t->centre[t->pair[0][0]], b = t->centre[t->pair[0][1]];
    const size_t n = find_pairs(&s, hypot(a.x - b.x, a.y - b.y) / t->side_mm, pairs);
    for (size_t k = 0; k < 4; k++) from[k] = pair_middle(t, k);
    struct registration best = {0};
    /* any four pairs in any order that turns the right way round */
    for (size_t i = 0; i < n * n * n * n; i++) {
        const size_t k[4] = {i % n, i / n % n, i / n / n % n, i / n / n / n};
        if (k[0] == k[1] || k[0] == k[2] || k[0] == k[3] || k[1] == k[2] || k[1] == k[3] ||
            k[2] == k[3])
            continue;
        const struct point to[4] = {pairs[k[0]], pairs[k[1]], pairs[k[2]], pairs[k[3]]};
        const double turn =
            (to[2].x - to[0].x) * (to[3].y - to[1].y) - (to[2].y - to[0].y) * (to[3].x - to[1].x);
        struct homography h;
        struct registration r;
        if (turn < 0 || !homography_fit(from, to, 4, &h) || !refine(t, &s, h, &r)) continue;
        if (r.markers > best.markers ||
            (r.markers == best.markers && r.residual_mm < best.residual_mm))
            best = r;
    }
    if (best.markers == 0)
        return fail_set(f, E_NOT_FOUND,
                        "the form is not found: %zu squares and %zu pairs of them are seen", s.n,
                        n);
    *out = best;
    return OK;
}
