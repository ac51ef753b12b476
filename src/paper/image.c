/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/image.h"

#include <stdlib.h>
#include "base/text.h"

enum picture_kind picture_kind_of(struct span file) {
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff}, png[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10};
    if (span_starts(file, span_of(jpeg, sizeof jpeg))) return PICTURE_JPEG;
    if (span_starts(file, span_of(png, sizeof png))) return PICTURE_PNG;
    if (span_starts(file, SPAN_LIT("P5\n"))) return PICTURE_PGM;
    if (span_starts(file, SPAN_LIT("%PDF-"))) return PICTURE_PDF;
    return PICTURE_UNKNOWN;
}

/* "P5\n<w> <h>\n255\n" and w*h bytes, nothing else: what the PDF converter writes. */
static err pgm_decode(struct span file, struct raster *out, struct fail *f) {
    struct span rest = file, magic, size, depth;
    uint64_t w = 0, h = 0;
    bool good = span_line(&rest, &magic) && span_line(&rest, &size) && span_line(&rest, &depth) &&
                span_is(depth, "255");
    size_t at = 0;
    while (good && at < size.n && size.p[at] != ' ') at++;
    good = good && at < size.n && u64_parse(span_of(size.p, at), RASTER_SIDE_MAX, &w, NULL) == OK &&
           u64_parse(span_from(size, at + 1), RASTER_SIDE_MAX, &h, NULL) == OK && rest.n == w * h &&
           rest.n > 0;
    if (!good) return fail_set(f, E_IMAGE, "not a grey PGM image");
    TRY(raster_init(out, (int)w, (int)h, f));
    memcpy(out->p, rest.p, rest.n);
    return OK;
}

static err unknown(struct fail *f) {
    return fail_set(f, E_IMAGE, "neither JPEG, PNG nor PDF: photograph or scan the form again");
}

err image_decode(struct span file, int side_wanted, struct raster *out, double *shrink,
                 struct fail *f) {
    *shrink = 1;
    if (file.n > (size_t)IMAGE_FILE_MAX && picture_kind_of(file) != PICTURE_PGM)
        return fail_set(f, E_TOO_LARGE, "an image file has at most %d bytes", IMAGE_FILE_MAX);
    switch (picture_kind_of(file)) {
    case PICTURE_JPEG:
        return jpeg_decode(file, side_wanted, out, shrink, f);
    case PICTURE_PNG:
        return png_decode(file, 1, &out->p, &out->w, &out->h, f);
    case PICTURE_PGM:
        return pgm_decode(file, out, f);
    case PICTURE_PDF:
    case PICTURE_UNKNOWN:
        break;
    }
    return unknown(f);
}

static void paint(uint8_t *pixels, int w, int h, int channels, const struct image_rect *r) {
    for (int64_t y = r->y < 0 ? 0 : r->y; y < h && y < (int64_t)r->y + r->h; y++)
        for (int64_t x = r->x < 0 ? 0 : r->x; x < w && x < (int64_t)r->x + r->w; x++)
            memset(pixels + ((size_t)y * (size_t)w + (size_t)x) * (size_t)channels, 96,
                   (size_t)channels);
}

err image_rects_check(const struct image_rect *rects, size_t n, int w, int h, struct fail *f) {
    for (size_t i = 0; i < n; i++) {
        const struct image_rect *r = &rects[i];
        if (r->w < 1 || r->h < 1 || r->x >= w || r->y >= h || (int64_t)r->x + r->w <= 0 ||
            (int64_t)r->y + r->h <= 0)
            return fail_set(f, E_IMAGE,
                            "the rectangle %d,%d,%d,%d covers nothing of a picture of %d x %d pixels",
                            r->x, r->y, r->w, r->h, w, h);
    }
    return OK;
}

err image_mask(struct span file, const struct image_rect *rects, size_t n, struct buf *out,
               struct fail *f) {
    uint8_t *pixels;
    int w, h;
    if (file.n > (size_t)IMAGE_FILE_MAX)
        return fail_set(f, E_TOO_LARGE, "an image file has at most %d bytes", IMAGE_FILE_MAX);
    switch (picture_kind_of(file)) {
    case PICTURE_JPEG:
        return jpeg_mask(file, rects, n, out, f);
    case PICTURE_PNG: {
        TRY(png_decode(file, 3, &pixels, &w, &h, f));
        err e = image_rects_check(rects, n, w, h, f);
        for (size_t i = 0; e == OK && i < n; i++) paint(pixels, w, h, 3, &rects[i]);
        if (e == OK) e = jpeg_write(pixels, w, h, 3, 90, out, f);
        free(pixels);
        return e;
    }
    case PICTURE_PGM: {
        struct raster r;
        TRY(pgm_decode(file, &r, f));
        err e = image_rects_check(rects, n, r.w, r.h, f);
        for (size_t i = 0; e == OK && i < n; i++) paint(r.p, r.w, r.h, 1, &rects[i]);
        if (e == OK) e = jpeg_write(r.p, r.w, r.h, 1, 90, out, f);
        raster_release(&r);
        return e;
    }
    case PICTURE_PDF:
    case PICTURE_UNKNOWN:
        break;
    }
    return unknown(f);
}

err image_write_jpeg(const struct raster *r, int quality, struct buf *out, struct fail *f) {
    return jpeg_write(r->p, r->w, r->h, 1, quality, out, f);
}

err image_write_png(const struct raster *r, struct buf *out, struct fail *f) {
    return png_write(r, out, f);
}
