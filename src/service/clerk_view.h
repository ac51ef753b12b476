/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a clerk's page is told, as JSON: the form to be read, the clerk's own readings and what has become
 * of them. Blindness is kept here: what was sent, and what others read, is written for a form only when
 * the clerk's own reading of it is open in the log, and so public and beyond change. */
#ifndef SERVICE_CLERK_VIEW_H
#define SERVICE_CLERK_VIEW_H

#include "base/json_out.h"
#include "service/clerk.h"

enum { CLERK_VIEW_READINGS = 40 };

/* What is not in the log (yet): the record id of a seal, and why it was refused (code OK: it is on its way). */
struct clerk_sent {
    struct hash record;
    struct fail refused;
};

/* {"state":"valid"|"unknown"|"early"|"expired"|"revoked","name",...} of the clerk's key. */
void clerk_view_key(const struct clerk_desk *w, struct json_out *j);
/* The form: where it is, its fields in their order, how many pages; no figure. */
void clerk_view_task(const struct clerk_desk *w, const struct desk_task *t, size_t pages, struct json_out *j);
/* The clerk's own readings as an array: those that this log does not have yet, then the newest
 * CLERK_VIEW_READINGS of those that it has. */
MUST_USE err clerk_view_readings(const struct clerk_desk *w, const struct clerk_sent *sent, size_t n,
                                 struct json_out *j, struct fail *f);

#endif
