/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The plain first page of results: one HTML file, readable without scripts, no outside resources. */
#ifndef SERVICE_PAGE_H
#define SERVICE_PAGE_H

#include "election/results.h"

/* Appends the page. `note` is shown under the title; may be NULL. */
MUST_USE err page_overview(const struct fold *fold, const struct results *r, const char *note,
                           struct buf *out, struct fail *f);

#endif
