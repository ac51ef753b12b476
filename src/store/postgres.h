/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The record store in a PostgreSQL database, which several machines reach: one of them sequences,
 * another takes over (docs/operating.md, "Several machines").
 *
 * An append is one transaction whose first statement checks and locks the head row: its term and size
 * must be the caller's. It is acknowledged only when the server's COMMIT came back without a warning:
 * a server with synchronous standbys warns when it gave up waiting for them. A session lock of the
 * database (an advisory lock) keeps a second daemon from starting by mistake; the term keeps a log
 * whole also when that lock is lost.
 *
 * Connect to the server itself or to a pooler in session mode. Passwords come from where libpq looks
 * for them (PGPASSFILE or ~/.pgpass, a service file, PGPASSWORD), never from the connection string. */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include "store/store.h"

struct postgres_options {
    const char *origin;  /* the log's: a database holds one log and says whose. NULL: any */
    const char *dir;     /* a folder whose DIR/lock is held, as the SQLite store does. NULL: none */
    bool create;         /* make the tables when there are none */
    bool check;          /* count every entry at open: slow */
    bool take_over;      /* go on although another session holds the database: it is fenced by the
                          * next term, and the lock is taken when it lets go */
    uint32_t answer_ms;  /* longest wait for an answer of the server; 0: 60,000 */
};

/* `conninfo`: libpq's keywords or URI (postgresql.org/docs/15, "Connection Strings"); several hosts
 * may be named, the one that takes writes is used. Timeouts of connecting and of a dead network are
 * set unless it says others. E_CONFIG: not a connection string, a password in it, or a server that
 * does not sync what it commits (fsync, full_page_writes). E_NETWORK: cannot be reached. E_LOCKED:
 * another session is the writer. E_NOT_FOUND: no store and no `create`. E_ORIGIN: another log's.
 * E_DAMAGED: another version, or head and entries disagree. The caller owns *out: store_close. */
MUST_USE err postgres_store_open(const char *conninfo, const struct postgres_options *options,
                                 struct store **out, struct fail *f);

/* A reader without a writer; connects again by itself once a call when the connection was lost, as
 * all readers of this store do. `origin` as above. The caller owns *out: store_reader_close. */
MUST_USE err postgres_reader_open(const char *conninfo, const char *origin,
                                  struct store_reader **out, struct fail *f);

/* E_CONFIG: not a connection string, or one with a password, which everybody on the machine could
 * read in the list of processes. */
MUST_USE err postgres_conninfo_check(const char *conninfo, struct fail *f);

#endif
