/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Through libpng's simplified interface: it checks sums and never returns half an image as a whole.
 */
#include <png.h>
#include <stdlib.h>
#include "paper/image.h"

err png_decode(struct span file, int channels, uint8_t **pixels, int *w, int *h, struct fail *f) {
    png_image im = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&im, file.p, file.n)) {
        png_image_free(&im);
        return fail_set(f, E_IMAGE, "the PNG is damaged (%.60s)", im.message);
    }
    if (im.width > RASTER_SIDE_MAX || im.height > RASTER_SIDE_MAX ||
        (uint64_t)im.width * im.height > RASTER_PIXELS_MAX) {
        const unsigned a = im.width, b = im.height;
        png_image_free(&im);
        return fail_set(f, E_TOO_LARGE, "a PNG of %u x %u pixels is refused: at most %d a side", a,
                        b, RASTER_SIDE_MAX);
    }
    im.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    const png_color white = {255, 255, 255}; /* what shines through transparent parts */
    uint8_t *p = malloc(PNG_IMAGE_SIZE(im));
    if (!p) {
        png_image_free(&im);
        return fail_set(f, E_MEMORY, "no memory for a PNG of %u x %u pixels", im.width, im.height);
    }
    if (!png_image_finish_read(&im, &white, p, 0, NULL) || PNG_IMAGE_FAILED(im)) {
        free(p);
        png_image_free(&im);
        return fail_set(f, E_IMAGE, "the PNG is damaged (%.60s)", im.message);
    }
    *pixels = p;
    *w = (int)im.width;
    *h = (int)im.height;
    return OK;
}

err png_write(const struct raster *r, struct buf *out, struct fail *f) {
    png_image im = {.version = PNG_IMAGE_VERSION,
                    .width = (png_uint_32)r->w,
                    .height = (png_uint_32)r->h,
                    .format = PNG_FORMAT_GRAY};
    png_alloc_size_t n = PNG_IMAGE_PNG_SIZE_MAX(im);
    uint8_t *p = malloc(n);
    if (!p) return fail_set(f, E_MEMORY, "no memory for a PNG");
    err e = OK;
    if (png_image_write_to_memory(&im, p, &n, 0, r->p, 0, NULL))
        buf_add(out, p, n);
    else
        e = fail_set(f, E_INTERNAL, "a PNG cannot be written (%.60s)", im.message);
    free(p);
    return e == OK ? buf_ok(out, f) : e;
}
