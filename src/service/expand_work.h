/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the parts of expand share while they work; not for callers.
 *
 * Sites are all stations of the preset; stations are the chosen ones among them. Figures of a
 * constituency are split over all its sites, so that choosing fewer stations changes none of them.
 */
#ifndef SERVICE_EXPAND_WORK_H
#define SERVICE_EXPAND_WORK_H

#include "service/expand.h"

struct expand_site {
    struct span code, name;
    struct preset_cell registered;
    uint32_t area; /* preset unit: lowest area */
    uint32_t stream, streams;
    uint32_t station; /* index in the expansion; PRESET_NO_UNIT when not chosen */
};

struct expand_work {
    const struct preset *p;
    const struct expand_options *o;
    struct arena *a;
    struct expansion *x;
    struct expand_site *sites;
    uint32_t site_count;
    uint32_t *unit_of; /* preset unit -> expansion unit, PRESET_NO_UNIT when it has no station */
    uint32_t note_room;
};

/* A seed for one purpose at one place, independent of every other. */
uint64_t expand_seed(const char *purpose, struct span code);
err expand_no_memory(struct fail *f);
/* Does nothing when the unit has no station here. */
MUST_USE err expand_note_add(struct expand_work *w, enum expand_note_kind kind,
                             uint32_t preset_unit, struct fail *f, const char *fmt, ...)
    PRINTF(5, 6);

/* Sites, chosen stations, units. Memory of `w` other than the arena's: expand_work_release. */
MUST_USE err expand_place_all(struct expand_work *w, struct fail *f);
void expand_work_release(struct expand_work *w);
/* Contests and figures. */
MUST_USE err expand_figures(struct expand_work *w, struct fail *f);

#endif
