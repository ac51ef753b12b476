/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The roll-back guard: remembers, apart from the database, the last checkpoint that was signed.
 *
 * A log whose database is restored from a backup would sign a second history. The guard is a file
 * of 8 KiB, best on another file system, with two alternating slots, each with its own SHA-256: a
 * write that is torn by a power cut damages one slot, and the other holds the state before it. */
#ifndef STORE_GUARD_H
#define STORE_GUARD_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/hash.h"

struct guard;

struct guard_state {
    bool empty;       /* nothing was signed under this guard yet */
    uint64_t size;    /* of the last signed checkpoint */
    struct hash root; /* its root */
    bool torn;        /* one slot was damaged when the guard was opened; the other one counts */
};

/* Makes an empty guard for the log named `origin`. E_EXISTS when the file is there. */
MUST_USE err guard_create(const char *path, const char *origin, struct fail *f);

/* Opens and locks a guard. E_NOT_FOUND when it is missing (then nothing says what was signed),
 * E_LOCKED when another process holds it, E_ORIGIN when it belongs to another log, E_DAMAGED when
 * both slots are. The caller owns *out: guard_close. */
MUST_USE err guard_open(const char *path, const char *origin, struct guard **out, struct fail *f);
void guard_close(struct guard *g);

/* What the bytes of a guard file say (of whatever log); E_DAMAGED when both slots are damaged. */
MUST_USE err guard_decode(struct span bytes, struct guard_state *out, struct fail *f);

struct guard_state guard_state(const struct guard *g);

/* Before anything is signed: E_ROLLBACK when the store of `store_size` entries is behind the guard,
 * or when `root_there`, the root of the store's first guard_state().size entries, is another one
 * (root_there may be NULL when the store is behind or the guard is empty). */
MUST_USE err guard_check(const struct guard *g, uint64_t store_size, const struct hash *root_there,
                         struct fail *f);

/* Durably remembers a signed checkpoint, before it leaves the process. E_ROLLBACK when it goes back
 * or gives another root for the same size. After E_IO or E_DISK_FULL the guard refuses everything:
 * the process must start again. */
MUST_USE err guard_advance(struct guard *g, uint64_t size, const struct hash *root, struct fail *f);

#endif
