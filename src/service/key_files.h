/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* keys/00 to keys/ff: which entry of the log granted each key, so that whoever has only the files can
 * follow a signature back to the manifest (spec/results.md, "Keys").
 *
 * Nobody believes these files: the entry that they lead to says whose key it is. */
#ifndef SERVICE_KEY_FILES_H
#define SERVICE_KEY_FILES_H

#include "base/vec.h"
#include "service/portal.h"

struct key_files {
    struct budget budget;
    struct vec files; /* uint8_t, one a key of the fold: the file that it stands in */
    bool made;
};

void key_files_init(struct key_files *k);
void key_files_release(struct key_files *k);
/* Gives the sink the files that changed since the last call with the same `k`; with `all`, and the
 * first time, all 256. */
MUST_USE err key_files_render(struct key_files *k, const struct fold *s, bool all,
                              const struct portal_sink *sink, struct fail *f);

#endif
