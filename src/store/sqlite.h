/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The record store in one SQLite file, for a single machine.
 *
 * WAL with synchronous=FULL: an append that returned is on the disk. One connection writes and also
 * checkpoints the WAL; readers are query-only and never checkpoint, because SQLite before 3.51.3
 * can lose a reset of the WAL that races with a writer (sqlite.org/wal.html, "WAL-reset bug"). */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "store/store.h"

struct sqlite_options {
    bool create;        /* make the folder and the database when they are not there */
    bool check;         /* read the whole file at open and check its structure: slow */
    uint32_t max_pages; /* 0: none. A limit of the file's size in pages; past it E_DISK_FULL */
};

/* Opens DIR/records.db and holds DIR/lock: E_LOCKED, naming the folder, when another process has
 * it. Without `create`, E_NOT_FOUND when there is no database. E_DAMAGED when the file is not a
 * store, is torn, or head and entries disagree; E_IO for a folder that cannot be written. `options`
 * may be NULL (all zero). What a crash left in the
 * WAL is copied into the database first: E_DISK_FULL when there is no room for it (readers still
 * work). The caller owns *out: store_close. */
MUST_USE err sqlite_store_open(const char *dir, const struct sqlite_options *options,
                               struct store **out, struct fail *f);

/* A reader of a store that another process may be writing: takes no lock, writes no entry, never
 * checkpoints. The caller owns *out: store_reader_close. */
MUST_USE err sqlite_reader_open(const char *dir, struct store_reader **out, struct fail *f);

/* Writing a new database for others to read (an export): one transaction, no journal, renamed into
 * place when it is whole. */
struct sqlite_out;
struct sqlite_value {
    enum { SQLITE_ABSENT, SQLITE_NUMBER, SQLITE_WORDS } kind;
    uint64_t number;   /* at most 2^63 - 1 */
    struct span words; /* borrowed during the call */
};
/* `schema`: statements that make the tables. PATH.new is replaced if it is there. */
MUST_USE err sqlite_out_new(const char *path, const char *schema, struct sqlite_out **out,
                            struct fail *f);
/* One row: "INSERT INTO t VALUES(?,?)" with values[n]. The same pointer for the same statement. */
MUST_USE err sqlite_out_row(struct sqlite_out *o, const char *insert,
                            const struct sqlite_value *values, size_t n, struct fail *f);
/* Statements that come after the rows: views, indices. */
MUST_USE err sqlite_out_exec(struct sqlite_out *o, const char *sql, struct fail *f);
/* Commits, syncs and moves it to its path. */
MUST_USE err sqlite_out_commit(struct sqlite_out *o, struct fail *f);
/* Without a commit nothing is left behind. NULL is fine. */
void sqlite_out_close(struct sqlite_out *o);

/* Reading such a file, of which nothing is believed: it is opened read-only, and each table that is asked
 * for must stand in it as in `schema` (the statements that it was made with). */
struct sqlite_in;
/* E_DAMAGED: not a database, torn, or indexes that say other than their tables; E_FIELD: tables of another shape. The caller owns *out. */
MUST_USE err sqlite_in_open(const char *path, const char *schema, struct sqlite_in **out, struct fail *f);
/* One SELECT over tables that sqlite_in_table has passed. `each` gets a row's values, borrowed during the
 * call; what it answers ends the reading. Numbers below 0 and values of other kinds are E_FIELD. */
MUST_USE err sqlite_in_table(struct sqlite_in *in, const char *table, struct fail *f);
MUST_USE err sqlite_in_rows(struct sqlite_in *in, const char *select,
                            err (*each)(void *ctx, const struct sqlite_value *values, size_t n, struct fail *f),
                            void *ctx, struct fail *f);
void sqlite_in_close(struct sqlite_in *in); /* NULL is fine */

#endif
