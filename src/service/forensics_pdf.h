/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The forensic report as a PDF to print: summary, pictures, every method with its null, controls,
 * innocent causes and what it cannot see. No date and nothing random: the same report gives the same
 * bytes (with the same versions of cairo, pango and the DejaVu fonts). */
#ifndef SERVICE_FORENSICS_PDF_H
#define SERVICE_FORENSICS_PDF_H

#include "stats/forensics/battery.h"
#include "stats/geojson.h"

struct forensics_pdf {
    const struct fx_report *report;
    const char *source; /* what the figures were read from */
    bool simulated;
    const struct map_shapes *shapes; /* NULL: no map */
};
MUST_USE err forensics_pdf(const struct forensics_pdf *p, enum lang lang, struct arena *mem,
                           struct buf *out, struct fail *f);

#endif
