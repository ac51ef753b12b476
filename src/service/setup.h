/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Setting up an election: from a preset's units and contests to the consensus objects and the text of
 * the manifest, and the first entry of a new log. */
#ifndef SERVICE_SETUP_H
#define SERVICE_SETUP_H

#include "election/compose.h"
#include "service/expand.h"
#include "service/sequencer.h"

/* The two consensus objects of an expansion: all its units and stations, all its contests. */
MUST_USE err setup_objects(const struct expansion *x, struct buf *units, struct buf *contests,
                           struct fail *f);

struct setup_options {
    struct span origin, log_vkey;
    struct span policy; /* lines of a witness policy, each with its '\n'; empty: no witnesses */
    const struct compose_commissioner *commissioners;
    size_t commissioner_count;
    uint32_t threshold;
    bool simulated;
    bool image_optional;          /* although the preset requires images (data without forms) */
    uint64_t opens_ms, closes_ms; /* 0: the preset's */
};

/* Appends the manifest's text; units and contests are the objects' bytes. */
MUST_USE err setup_manifest(const struct preset *p, const struct setup_options *o,
                            struct span units, struct span contests, struct buf *text,
                            struct fail *f);

/* Begins the log in q (which is open and started): stores the two objects and sequences the signed
 * manifest. Blocks until it is durable. */
MUST_USE err setup_begin(struct sequencer *q, struct span manifest_note, struct span units,
                         struct span contests, struct fail *f);

/* Hands a note to the sequencer and waits for the answer. `receipt` may be NULL. */
MUST_USE err setup_submit(struct sequencer *q, struct span note, struct buf *receipt,
                          struct fail *f);

#endif
