/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Small files that the portal's scripts read beside the pages: names to search in, figures for maps.
 * They say nothing that the pages and the results do not (spec/results.md, "Pages"). */
#ifndef SERVICE_PORTAL_DATA_H
#define SERVICE_PORTAL_DATA_H

#include "service/portal.h"

/* search/top.json: names and codes above the lowest pages; search/CODE.json: the lowest, one file for
 * each unit below the root. */
MUST_USE err portal_search(const struct fold *s, const struct portal_sink *sink, struct fail *f);
/* areas/CONTEST/ROUND.json: figures of the two levels below the root. */
MUST_USE err portal_areas(const struct fold *s, const struct tally *t, const struct portal_sink *sink,
                          struct fail *f);
/* Of a folder: map.json (the cartogram's layout) and boundaries.json (TopoJSON), each if it is there. */
MUST_USE err portal_files(const char *dir, const struct portal_sink *sink, struct fail *f);

#endif
