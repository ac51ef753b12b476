/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Where an election's folder keeps its records: in its own SQLite file, or in a PostgreSQL database
 * that other machines reach too. The choice is made once and stands in DIR/private/store, so that
 * every command that opens the folder finds the same records. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/store.h"

struct store_place {
    const char *store;  /* "sqlite", "postgres:CONNINFO" or a URI postgresql://...; NULL: what the
                         * folder says, or else SQLite */
    const char *origin; /* of the log */
    bool take_over;     /* see postgres_options */
};

/* Opens or makes the store of the election whose private folder this is, and keeps the choice there.
 * E_CONFIG: the folder says another store, or the text is none. E_EXISTS: the folder's records are in
 * records.db already. Otherwise as sqlite_store_open and postgres_store_open. The caller owns *out. */
MUST_USE err store_place_open(const char *private_dir, const struct store_place *place,
                              struct store **out, struct fail *f);

/* A reader of that store, beside whoever writes it; locks nothing, keeps the choice too. E_NOT_FOUND
 * when there is no store yet. The caller owns *out: store_reader_close. */
MUST_USE err store_place_reader(const char *private_dir, const struct store_place *place,
                                struct store_reader **out, struct fail *f);

#endif
