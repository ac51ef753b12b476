/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The exports as published files: public/data/, with an index page, a list for programs and checksums.
 *
 * Made from the published tree alone, by replaying it, as anybody else would: the sequencer's state is
 * neither read nor locked. Large formats are compressed. The files get their names together, the list
 * of them last, once all are on the disk. */
#ifndef SERVICE_OPEN_DATA_H
#define SERVICE_OPEN_DATA_H

#include <stdint.h>
#include "base/err.h"

enum { OPEN_DATA_INTERVAL_MS = 600000 };

struct open_data_options {
    const char *public_dir;
    uint32_t interval_ms; /* between two rounds; 0: OPEN_DATA_INTERVAL_MS */
};

/* One round now. *size gets the checkpoint's entries; nothing is written when the files are of this
 * checkpoint already. E_NOT_FOUND before the first checkpoint. `stop` (may be NULL) is looked at
 * between pieces: E_BUSY, and the old files stay. */
MUST_USE err open_data_make(const struct open_data_options *o, const _Atomic bool *stop, uint64_t *size,
                            struct fail *f);

/* A thread of low priority that does it soon after the start and at each interval when the log has grown. Failures are told on
 * standard error and tried again: exports never stop a daemon. */
struct open_data;
MUST_USE err open_data_start(const struct open_data_options *o, struct open_data **out, struct fail *f);
/* Soon, without waiting for the interval: something was declared. */
void open_data_wake(struct open_data *d);
/* Gives up a round that is under way. NULL is fine. */
void open_data_stop(struct open_data *d);

#endif
