/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Durable publication of a static tree: many files, few syncs.
 *
 * Files are written under temporary names; writer_commit makes all of them durable with one sync,
 * then gives them their names, then syncs the folders once: no reader ever sees half a file, and
 * after a power cut every name leads to whole bytes. Immutable files (tiles, entry bundles) are
 * compared when they exist; mutable ones (checkpoint, head.json, results) are replaced. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "base/bytes.h"
#include "base/err.h"

struct writer;

/* A writer for the tree at `root`, which is made when it is not there; what an interrupted writer
 * left is removed. One writer a tree, one thread at a time. The caller owns *out: writer_close. */
MUST_USE err writer_open(const char *root, struct writer **out, struct fail *f);
void writer_close(struct writer *w);

/* Adds an immutable file at `path`, relative ("tile/0/x001/067"). Nothing to do when it exists with
 * the same bytes; E_EXISTS with other ones. The bytes are written at once: `data` is borrowed for
 * the call. */
MUST_USE err writer_add(struct writer *w, const char *path, struct span data, struct fail *f);

/* Adds a file that replaces what stands there. */
MUST_USE err writer_replace(struct writer *w, const char *path, struct span data, struct fail *f);

/* The same, unless what stands there says the same: `same` compares old and new bytes (NULL: they must
 * be equal). What is left alone keeps its time on the disk, so that caches need not fetch it again.
 * *left tells; it may be NULL. */
MUST_USE err writer_update(struct writer *w, const char *path, struct span data,
                           bool (*same)(struct span old, struct span now), bool *left,
                           struct fail *f);

/* Makes everything added durable and visible: immutable files first, then replaced ones in the
 * order in which they were added, so that a checkpoint that is added last appears after its tiles.
 * After an error the writer refuses everything; files already in place stay (they are whole). */
MUST_USE err writer_commit(struct writer *w, struct fail *f);

/* Gives up what was added and not committed. */
void writer_abort(struct writer *w);

/* Removes published files that are no longer needed (partial tiles once the full one exists). */
MUST_USE err writer_remove(struct writer *w, const char *path, struct fail *f);

#endif
