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

struct sink {
    struct buf *out;
};

static void write_bytes(png_structp png, png_bytep data, size_t n) {
    struct sink *s = png_get_io_ptr(png);
    buf_add(s->out, data, n);
    if (s->out->failed) png_error(png, "full");
}

static void flush_nothing(png_structp png) {
    (void)png;
}

static void on_error(png_structp png, png_const_charp why) {
    (void)why; /* the buffer is full, or memory ran out: the caller says so */
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp why) {
    (void)png;
    (void)why;
}

struct bitmap {
    uint8_t *bits;
    int w, h;
    char comment[80];
};

static void write_page(png_structp png, png_infop info, struct bitmap *p) {
    png_text said = {.compression = PNG_TEXT_COMPRESSION_NONE,
                     .key = (char[]){"Comment"},
                     .text = p->comment,
                     .text_length = strlen(p->comment)};
    png_set_IHDR(png, info, (png_uint_32)p->w, (png_uint_32)p->h, 1, PNG_COLOR_TYPE_GRAY,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_text(png, info, &said, 1);
    /* fast rather than small: some thousand images a second */
    png_set_compression_strategy(png, 3); /* zlib's Z_RLE */
    png_set_compression_mem_level(png, 5);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    png_write_info(png, info);
    for (int y = 0; y < p->h; y++) png_write_row(png, p->bits + (size_t)y * (size_t)(p->w / 8));
    png_write_end(png, info);
}

err png_write_bits(uint8_t *bits, int w, int h, const char *comment, struct buf *out,
                   struct fail *f) {
    struct bitmap p = {.bits = bits, .w = w, .h = h};
    if (w < 8 || w % 8 || h < 1 || strlen(comment) >= sizeof p.comment)
        return fail_set(f, E_RANGE, "a bitmap is a multiple of 8 pixels wide");
    memcpy(p.comment, comment, strlen(comment));
    struct sink sink = {out};
    png_infop info = NULL;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    if (png) info = png_create_info_struct(png);
    bool done = false;
    if (info && setjmp(png_jmpbuf(png)) == 0) {
        png_set_write_fn(png, &sink, write_bytes, flush_nothing);
        write_page(png, info, &p);
        done = true;
    }
    /* set before any jump, not changed since */
    png_destroy_write_struct(&png, &info);
    return done ? OK : fail_set(f, E_MEMORY, "a PNG does not fit in memory");
}
