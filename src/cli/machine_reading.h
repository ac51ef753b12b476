/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the machine says of a form in the log: its own reading, to be sealed like a clerk's, and its
 * view of figures that people sent. Evidence, never a result; not for the blind typists. */
#ifndef CLI_MACHINE_READING_H
#define CLI_MACHINE_READING_H

#include "base/json_out.h"
#include "cli/tree_log.h"
#include "paper/judge.h"

/* Reads the pages of the form that `image` is of, from the public versions in the tree, and appends
 * the reading's canonical JSON: answered figures; unanswered ones as illegible; what is seen of
 * signatures, stamp, overwriting and another station's form as marks. E_NOT_FOUND when no page is a
 * form of ours that can be read at all: then the machine says nothing. */
MUST_USE err machine_reading(struct tree *t, const struct tree_log *log, const struct reader *r,
                             const struct cell *c, uint32_t image, struct buf *reading,
                             struct fail *f);

/* A scanned page against the result that stands at its station: verdict of the page and of each
 * field, as one JSON object. false: the log has no such contest, station or result. */
bool machine_against_json(const struct tree_log *log, const struct scan_result *s,
                          struct json_out *j);

/* The scan's options for a form of this station: what the register says may confirm. */
struct scan_options machine_options(const struct fold *fold, uint32_t station);

#endif
