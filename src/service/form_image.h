/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A small image of a station's form, generated for demonstrations: PNG, one bit a pixel, 3 to 8 KB.
 *
 * It shows the station, its code, the figures and the word SIMULATED across the page; it is no
 * official form. The same input gives the same bytes (of one libpng and zlib). */
#ifndef SERVICE_FORM_IMAGE_H
#define SERVICE_FORM_IMAGE_H

#include "service/expand.h"

/* What stands on the form. Everything is borrowed; change figures as wanted before drawing (a form
 * may differ from what was sent). Letters outside ASCII are drawn as boxes. */
struct form_image {
    struct span election, contest, form; /* "34A"; may be empty */
    struct span notice;                  /* why this is simulated, in small print */
    struct span station, code;
    uint32_t stream, streams;
    struct span areas[PRESET_LEVELS_MAX]; /* "WARD: PORT REITZ" comes from name and level */
    struct span area_levels[PRESET_LEVELS_MAX];
    uint32_t area_count;
    const struct preset_choice *choices;
    uint32_t choice_count; /* at most PRESET_CHOICES_MAX */
    const uint64_t *votes;
    struct preset_cell registered, valid, rejected, objected, disputed; /* absent: left blank */
    uint64_t agents_present, agents_signed;
    bool copy; /* "COPY" on it: the form fixed at the station's door */
};

/* The form of x->figures[index], which must be sent. */
void form_image_of(const struct expansion *x, uint32_t index, struct form_image *out);

/* Appends the PNG to *out. E_MEMORY when it does not fit. */
MUST_USE err form_image_draw(const struct form_image *m, struct buf *out, struct fail *f);
/* The same, and the public version of it in *shown: the agents' table is blacked out, `masked` gets
 * its rectangle (x, y, width, height in pixels). */
MUST_USE err form_image_draw_both(const struct form_image *m, struct buf *original,
                                  struct buf *shown, uint32_t masked[4], struct fail *f);

#endif
