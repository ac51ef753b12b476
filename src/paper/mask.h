/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The public object of a form's image: personal data painted over, metadata gone.
 *
 * What is masked is the preset's legal choice; a named officer attests the result, with both
 * hashes. */
#ifndef PAPER_MASK_H
#define PAPER_MASK_H

#include "paper/image.h"
#include "paper/scan.h"

struct mask_result {
    struct hash original, published; /* SHA-256 of both files */
    struct image_rect rect[FORM_ZONES_MAX];
    size_t rect_count;
};

/* Names of zones (form_zone_key), separated by commas, to bits. E_USAGE names those there are. */
MUST_USE err mask_kinds(const char *names, unsigned *kinds, struct fail *f);

/* Zones of the kinds in `kinds` (bit k for enum zone_kind k) of a scanned sheet, 1 mm larger on
 * every side. None when the sheet's template was not recognised: masking by guess would publish
 * what it should hide, so that is E_IMAGE. */
MUST_USE err mask_zones(const struct scan_result *r, unsigned kinds, struct mask_result *out,
                        struct fail *f);

/* Paints these rectangles over the file in a sandboxed child; the JPEG is appended to *published and
 * both hashes in *out are set. JPEG and PNG. */
MUST_USE err mask_rects(struct span file, const struct image_rect *rects, size_t n,
                        struct mask_result *out, struct buf *published, struct fail *f);

/* The same with the rectangles in *out. */
MUST_USE err mask_file(struct span file, struct mask_result *out, struct buf *published,
                       struct fail *f);

#endif
