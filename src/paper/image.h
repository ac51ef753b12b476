/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Image files to grey pixels and back: JPEG, PNG, PGM. Limits on size come before any decoding.
 *
 * The bytes are hostile: call image_decode and image_mask only inside sandbox_run. PDF pages become
 * PGM in a confined process of their own (pdf.h). */
#ifndef PAPER_IMAGE_H
#define PAPER_IMAGE_H

#include "paper/raster.h"

enum picture_kind { PICTURE_UNKNOWN, PICTURE_JPEG, PICTURE_PNG, PICTURE_PGM, PICTURE_PDF };

enum { IMAGE_FILE_MAX = 32 << 20 };

/* By the first bytes. */
enum picture_kind picture_kind_of(struct span file);

/* Decodes to grey. A JPEG larger than needed is decoded at M/8 of its size so that its longer side
 * stays at least `side_wanted` (0: full size). *shrink gets original pixels / raster pixels.
 * E_TOO_LARGE by the header alone, past RASTER_* limits; E_IMAGE with the reason otherwise. */
MUST_USE err image_decode(struct span file, int side_wanted, struct raster *out, double *shrink,
                          struct fail *f);

/* The original in its own colours and size with rectangles painted grey, as a JPEG; nothing of EXIF
 * or other metadata is carried over. Rectangles are in pixels, clipped. */
struct image_rect {
    int x, y, w, h;
};
/* E_IMAGE for one that covers no pixel: it would hide nothing while the record says that it does. */
MUST_USE err image_rects_check(const struct image_rect *rects, size_t n, int w, int h, struct fail *f);
MUST_USE err image_mask(struct span file, const struct image_rect *rects, size_t n, struct buf *out,
                        struct fail *f);

/* Grey JPEG, quality 1..100. */
MUST_USE err image_write_jpeg(const struct raster *r, int quality, struct buf *out, struct fail *f);
/* Grey PNG. */
MUST_USE err image_write_png(const struct raster *r, struct buf *out, struct fail *f);

/* One library each; used by image.c alone. Rows of 1 or 3 bytes a pixel go to a JPEG. */
MUST_USE err jpeg_decode(struct span file, int side_wanted, struct raster *out, double *shrink,
                         struct fail *f);
MUST_USE err jpeg_mask(struct span file, const struct image_rect *rects, size_t n, struct buf *out,
                       struct fail *f);
MUST_USE err jpeg_write(const uint8_t *pixels, int w, int h, int channels, int quality,
                        struct buf *out, struct fail *f);
/* channels 1 or 3; *pixels is the caller's (free). */
MUST_USE err png_decode(struct span file, int channels, uint8_t **pixels, int *w, int *h,
                        struct fail *f);
/* One bit a pixel (1 white), rows of w / 8 bytes, w a multiple of 8, with a comment; made for
 * speed. */
MUST_USE err png_write_bits(uint8_t *bits, int w, int h, const char *comment, struct buf *out,
                            struct fail *f);
MUST_USE err png_write(const struct raster *r, struct buf *out, struct fail *f);

#endif
