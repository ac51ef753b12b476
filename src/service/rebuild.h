/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A log's server is lost: its private side (records, guard) made again from a mirror's copy, so that
 * the same log goes on under the same key. Where the records are in a database that is there (store),
 * one more machine's folder is made for it. Forms' originals are in no mirror: they come from the
 * restricted backup. */
#ifndef SERVICE_REBUILD_H
#define SERVICE_REBUILD_H

#include "crypto/note.h"

struct rebuild_options {
    const char *dir;               /* the new folder: DIR/private must hold no log yet */
    const char *mirror;            /* a mirror's copy, or an old DIR/public */
    const struct note_signer *log; /* the log's key */
    const char *guard_path;        /* NULL: DIR/private/guard */
    const char *store;             /* where the records are (store/place.h); NULL: what dir says */
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* may be NULL */
    void *ctx;
};

/* Every tile is checked under the copy's checkpoint, which the log must have signed, every entry under
 * its tile, every object against its name. The guard is made last: a folder that was left half made
 * is refused by everything. *size gets the entries. E_EXISTS, E_TILE, E_OBJECT, E_SIGNATURE,
 * E_NOT_FOUND. What the log has signed after the copy was made is not in it: the witnesses say so when
 * the daemon starts (E_ROLLBACK), and a newer copy is needed.
 * A database that holds entries already is only read, beside the daemon that may be writing it: it must
 * hold all of the copy (E_ROLLBACK) and the same (E_FORK). This may be repeated with newer copies. */
MUST_USE err rebuild_from_mirror(const struct rebuild_options *o, uint64_t *size, struct fail *f);

#endif
