/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/raster.h"

#include <math.h>
#include <stdlib.h>

err raster_init(struct raster *r, int w, int h, struct fail *f) {
    *r = (struct raster){0};
    if (w < 1 || h < 1 || w > RASTER_SIDE_MAX || h > RASTER_SIDE_MAX ||
        (int64_t)w * h > RASTER_PIXELS_MAX)
        return fail_set(f, E_TOO_LARGE,
                        "an image of %d x %d pixels is refused: the limits are %d a side and %d in "
                        "all",
                        w, h, RASTER_SIDE_MAX, RASTER_PIXELS_MAX);
    const size_t n = (size_t)w * (size_t)h;
    r->p = malloc(n);
    if (!r->p) return fail_set(f, E_MEMORY, "no memory for an image of %d x %d pixels", w, h);
    memset(r->p, 255, n);
    r->w = w;
    r->h = h;
    return OK;
}

void raster_release(struct raster *r) {
    free(r->p);
    *r = (struct raster){0};
}

double raster_sample(const struct raster *r, double x, double y) {
    x = x < 0 ? 0 : x > r->w - 1 ? r->w - 1 : x;
    y = y < 0 ? 0 : y > r->h - 1 ? r->h - 1 : y;
    const int x0 = (int)x, y0 = (int)y;
    const int x1 = x0 + 1 < r->w ? x0 + 1 : x0, y1 = y0 + 1 < r->h ? y0 + 1 : y0;
    const double fx = x - x0, fy = y - y0;
    const double top = raster_at(r, x0, y0) * (1 - fx) + raster_at(r, x1, y0) * fx;
    const double low = raster_at(r, x0, y1) * (1 - fx) + raster_at(r, x1, y1) * fx;
    return top * (1 - fy) + low * fy;
}

static err halve_once(const struct raster *in, struct raster *out, struct fail *f) {
    TRY(raster_init(out, in->w / 2 ? in->w / 2 : 1, in->h / 2 ? in->h / 2 : 1, f));
    const size_t w = (size_t)in->w;
    const size_t right = in->w > 1, below = in->h > 1 ? w : 0;
    for (int y = 0; y < out->h; y++) {
        const uint8_t *a = in->p + (size_t)y * 2 * w;
        uint8_t *o = out->p + (size_t)y * (size_t)out->w;
        for (int x = 0; x < out->w; x++, a += 2)
            o[x] = (uint8_t)((a[0] + a[right] + a[below] + a[below + right] + 2) / 4);
    }
    return OK;
}

err raster_halve(const struct raster *in, int times, struct raster *out, struct fail *f) {
    struct raster now = {0};
    TRY(raster_init(&now, in->w, in->h, f));
    memcpy(now.p, in->p, (size_t)in->w * (size_t)in->h);
    for (int i = 0; i < times; i++) {
        struct raster next;
        err e = halve_once(&now, &next, f);
        raster_release(&now);
        if (e != OK) return e;
        now = next;
    }
    *out = now;
    return OK;
}

err raster_box_mean(const struct raster *in, int radius, struct raster *out, struct fail *f) {
    TRY(raster_init(out, in->w, in->h, f));
    uint32_t *columns = calloc((size_t)in->w, sizeof *columns); /* sums over the rows in reach */
    if (!columns) {
        raster_release(out);
        return fail_set(f, E_MEMORY, "no memory for a row of sums");
    }
    const size_t w = (size_t)in->w;
    int rows = 0;
    for (int y = 0; y < radius && y < in->h; y++, rows++)
        for (size_t x = 0; x < w; x++) columns[x] += in->p[(size_t)y * w + x];
    for (int y = 0; y < in->h; y++) {
        if (y + radius < in->h) {
            const uint8_t *a = in->p + (size_t)(y + radius) * w;
            for (size_t x = 0; x < w; x++) columns[x] += a[x];
            rows++;
        }
        if (y - radius - 1 >= 0) {
            const uint8_t *a = in->p + (size_t)(y - radius - 1) * w;
            for (size_t x = 0; x < w; x++) columns[x] -= a[x];
            rows--;
        }
        uint64_t sum = 0;
        int count = 0;
        for (int x = 0; x < radius && x < in->w; x++, count++) sum += columns[x];
        uint8_t *o = out->p + (size_t)y * w;
        for (int x = 0; x < in->w; x++) {
            if (x + radius < in->w) {
                sum += columns[x + radius];
                count++;
            }
            if (x - radius - 1 >= 0) {
                sum -= columns[x - radius - 1];
                count--;
            }
            o[x] = (uint8_t)(sum / ((uint64_t)count * (uint64_t)rows));
        }
    }
    free(columns);
    return OK;
}

err raster_turn(const struct raster *in, int quarters, struct raster *out, struct fail *f) {
    quarters &= 3;
    const bool swap = quarters & 1;
    TRY(raster_init(out, swap ? in->h : in->w, swap ? in->w : in->h, f));
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++) {
            const int sx = quarters == 0   ? x
                           : quarters == 1 ? y
                           : quarters == 2 ? in->w - 1 - x
                                           : in->w - 1 - y;
            const int sy = quarters == 0   ? y
                           : quarters == 1 ? in->h - 1 - x
                           : quarters == 2 ? in->h - 1 - y
                                           : x;
            out->p[(size_t)y * (size_t)out->w + (size_t)x] = raster_at(in, sx, sy);
        }
    return OK;
}
