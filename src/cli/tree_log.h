/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* service/tree_log.h for commands: a tree in a folder or at an address, progress on the terminal. */
#ifndef CLI_TREE_LOG_H
#define CLI_TREE_LOG_H

#include "cli/tree.h"
#include "service/tree_log.h"

/* tree_log_replay with the command's progress (o->what). */
MUST_USE err tree_log_read(struct tree *t, const struct tree_log_options *o, struct tree_log *out,
                           struct fail *f);

/* "recomputed from 1,234 records; checkpoint 1234 of ORIGIN, root BASE64" and what it is worth. */
void tree_log_source(const struct tree_log *l, struct buf *out);

#endif
