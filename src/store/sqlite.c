/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store/sqlite.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* "hsbu": so that file(1) and this program tell a record store from other databases. */
enum { APPLICATION_ID = 0x68736275, SCHEMA_VERSION = 1, TRIGGER_COUNT = 4 };

/* Pages of 4 KiB: bench_store replayed 2.7 M entries/s with them against 1.6 to 2.4 M with 8 and 16
 * KiB, and a small batch writes least. After CHECKPOINT_PAGES the WAL is copied into the database.
 */
enum { PAGE_SIZE = 4096, CHECKPOINT_PAGES = 4000, CACHE_KIB = 16384 };

static const char SCHEMA[] =
    "CREATE TABLE entry(idx INTEGER PRIMARY KEY CHECK(idx >= 0), bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE head(one INTEGER PRIMARY KEY CHECK(one = 1), size INTEGER NOT NULL,"
    " term INTEGER NOT NULL, root BLOB NOT NULL CHECK(length(root) = 32), body BLOB NOT NULL) "
    "STRICT;"
    "CREATE TABLE note(kind INTEGER NOT NULL, size INTEGER NOT NULL, bytes BLOB NOT NULL,"
    " PRIMARY KEY(kind, size)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE meta(key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN"
    " SELECT RAISE(ABORT, 'entries are append-only'); END;"
    "CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN"
    " SELECT RAISE(ABORT, 'entries are append-only'); END;"
    "CREATE TRIGGER head_update BEFORE UPDATE ON head"
    " WHEN NEW.size < OLD.size OR NEW.term < OLD.term BEGIN"
    " SELECT RAISE(ABORT, 'the head never goes back'); END;"
    "CREATE TRIGGER head_delete BEFORE DELETE ON head BEGIN"
    " SELECT RAISE(ABORT, 'the head stays'); END;";

enum query {
    Q_BEGIN,
    Q_WRITE,
    Q_COMMIT,
    Q_ROLLBACK,
    Q_HEAD,
    Q_SET_TERM,
    Q_SET_HEAD,
    Q_ADD,
    Q_READ,
    Q_SET_NOTE,
    Q_TRIM_NOTES,
    Q_NOTE,
    Q_LATEST,
    Q_SET_META,
    Q_DROP_META,
    Q_META,
    Q_COUNT
};

static const char *const SQL[Q_COUNT] = {
    [Q_BEGIN] = "BEGIN",
    [Q_WRITE] = "BEGIN IMMEDIATE",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_HEAD] = "SELECT size, term, root, body FROM head",
    [Q_SET_TERM] = "UPDATE head SET term = ?1",
    [Q_SET_HEAD] = "UPDATE head SET size = ?1, root = ?2, body = ?3",
    [Q_ADD] = "INSERT INTO entry(idx, bytes) VALUES(?1, ?2)",
    [Q_READ] = "SELECT idx, bytes FROM entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
    [Q_SET_NOTE] = "INSERT OR REPLACE INTO note(kind, size, bytes) VALUES(?1, ?2, ?3)",
    [Q_TRIM_NOTES] = "DELETE FROM note WHERE kind = ?1 AND size < ?2",
    [Q_NOTE] = "SELECT size, bytes FROM note WHERE kind = ?1 AND size = ?2",
    [Q_LATEST] = "SELECT size, bytes FROM note WHERE kind = ?1 ORDER BY size DESC LIMIT 1",
    [Q_SET_META] = "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)",
    [Q_DROP_META] = "DELETE FROM meta WHERE key = ?1",
    [Q_META] = "SELECT value FROM meta WHERE key = ?1",
};

/* One connection with its prepared statements (made when first used). */
struct db {
    sqlite3 *h;
    sqlite3_stmt *q[Q_COUNT];
    char path[PATH_MAX_LEN];
    int wal_pages;    /* set by the commit hook */
    int checkpointed; /* wal_pages at the last checkpoint */
};

struct sqlite_store {
    struct store base; /* first */
    struct db db;
    int lock;
};

struct sqlite_reader {
    struct store_reader base; /* first */
    struct db db;
};

static const struct store_ops OPS;

/* --- faults: writes and syncs pass through base/file's hook --------------------------------------
 */

/* SQLite's own methods of one kind of file (`real`), and a copy with write and sync replaced. */
struct shim_file {
    const char *name;
    const sqlite3_io_methods *real;
    sqlite3_io_methods methods;
};

/* Filled when the first files are opened, constant afterwards. */
static struct {
    pthread_once_t once;
    sqlite3_vfs vfs, *real_vfs;
    pthread_mutex_t lock; /* guards the filling */
    struct shim_file db, wal;
} shim = {.once = PTHREAD_ONCE_INIT,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .db = {.name = "records.db"},
          .wal = {.name = "records.db-wal"}};

static struct shim_file *shim_of(sqlite3_file *file) {
    return file->pMethods == &shim.wal.methods ? &shim.wal : &shim.db;
}

static int shim_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at) {
    struct shim_file *s = shim_of(file);
    int e = file_fault("write", s->name);
    if (e) return e == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return s->real->xWrite(file, p, n, at);
}

static int shim_sync(sqlite3_file *file, int flags) {
    struct shim_file *s = shim_of(file);
    if (file_fault("fsync", s->name)) return SQLITE_IOERR_FSYNC;
    return s->real->xSync(file, flags);
}

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    int rc = shim.real_vfs->xOpen(shim.real_vfs, name, file, flags, out);
    if (rc != SQLITE_OK || !file->pMethods || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return rc;
    struct shim_file *s = flags & SQLITE_OPEN_WAL ? &shim.wal : &shim.db;
    pthread_mutex_lock(&shim.lock);
    if (!s->real) {
        s->methods = *file->pMethods;
        s->methods.xWrite = shim_write;
        s->methods.xSync = shim_sync;
        s->real = file->pMethods;
    }
    if (s->real == file->pMethods) file->pMethods = &s->methods;
    pthread_mutex_unlock(&shim.lock);
    return rc;
}

static void shim_register(void) {
    shim.real_vfs = sqlite3_vfs_find(NULL);
    if (!shim.real_vfs) return;
    shim.vfs = *shim.real_vfs;
    shim.vfs.zName = "hesabu";
    shim.vfs.pNext = NULL;
    shim.vfs.xOpen = shim_open;
    if (sqlite3_vfs_register(&shim.vfs, 0) != SQLITE_OK) shim.real_vfs = NULL;
}

/* --- errors and statements
 * ------------------------------------------------------------------------ */

static err db_error(struct db *d, const char *doing, struct fail *f) {
    int rc = d->h ? sqlite3_extended_errcode(d->h) : SQLITE_NOMEM;
    const char *why = d->h ? sqlite3_errmsg(d->h) : "out of memory";
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return fail_set(f, E_DISK_FULL, "no space left while %s %s: free some and start again",
                        doing, d->path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return fail_set(f, E_DAMAGED,
                        "%s is damaged (%s): restore it from a mirror of the published log",
                        d->path, why);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return fail_set(f, E_IO, "%s %s: %s: is the folder writable?", doing, d->path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fail_set(f, E_LOCKED, "%s is in use by another program: stop that one first",
                        d->path);
    case SQLITE_NOMEM:
        return fail_set(f, E_MEMORY, "out of memory while %s %s", doing, d->path);
    default:
        return fail_set(f, E_IO, "%s %s: %s (%d)", doing, d->path, why, rc);
    }
}

static err db_exec(struct db *d, const char *sql, const char *doing, struct fail *f) {
    return sqlite3_exec(d->h, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : db_error(d, doing, f);
}

static err query(struct db *d, enum query q, sqlite3_stmt **out, struct fail *f) {
    *out = NULL;
    if (!d->q[q] && sqlite3_prepare_v3(d->h, SQL[q], -1, SQLITE_PREPARE_PERSISTENT, &d->q[q],
                                       NULL) != SQLITE_OK)
        return db_error(d, "preparing", f);
    *out = d->q[q];
    return OK;
}

/* Runs a statement that returns no row. */
static err finish(struct db *d, sqlite3_stmt *s, const char *doing, struct fail *f) {
    err e = sqlite3_step(s) == SQLITE_DONE ? OK : db_error(d, doing, f);
    sqlite3_reset(s);
    return e;
}

static err run(struct db *d, enum query q, const char *doing, struct fail *f) {
    sqlite3_stmt *s;
    TRY(query(d, q, &s, f));
    return finish(d, s, doing, f);
}

/* Ends a transaction that shall have no effect; the error that led here is the one to report. */
static void give_up(struct db *d) {
    if (d->h && !sqlite3_get_autocommit(d->h)) sqlite3_exec(d->h, "ROLLBACK", NULL, NULL, NULL);
}

static void bind_bytes(sqlite3_stmt *s, int at, struct span v) {
    sqlite3_bind_blob64(s, at, v.p ? (const void *)v.p : "", v.n, SQLITE_STATIC);
}

static struct span column_span(sqlite3_stmt *s, int column) {
    const void *p = sqlite3_column_blob(s, column); /* before column_bytes: the order matters */
    return span_of(p, (size_t)sqlite3_column_bytes(s, column));
}

static err one_number(struct db *d, const char *sql, int64_t *out, struct fail *f) {
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(d->h, sql, -1, &s, NULL) != SQLITE_OK) return db_error(d, "opening", f);
    err e = OK;
    if (sqlite3_step(s) == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    else
        e = db_error(d, "opening", f);
    sqlite3_finalize(s);
    return e;
}

static void db_close(struct db *d) {
    for (int i = 0; i < Q_COUNT; i++) sqlite3_finalize(d->q[i]);
    sqlite3_close(d->h);
    *d = (struct db){0};
}

static int on_commit(void *ctx, sqlite3 *h, const char *name, int pages) {
    (void)h;
    (void)name;
    ((struct db *)ctx)->wal_pages = pages;
    return SQLITE_OK;
}

/* Settings of every connection. */
static err db_open(struct db *d, int flags, struct fail *f) {
    pthread_once(&shim.once, shim_register);
    if (!shim.real_vfs) return fail_set(f, E_INTERNAL, "SQLite has no file layer here");
    if (sqlite3_open_v2(d->path, &d->h, flags | SQLITE_OPEN_NOMUTEX, "hesabu") != SQLITE_OK)
        return db_error(d, "opening", f);
    sqlite3_extended_result_codes(d->h, 1);
    sqlite3_db_config(d->h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(d->h, 5000);
    return OK;
}

/* --- reading
 * -------------------------------------------------------------------------------------- */

static err read_head(struct db *d, struct store_head *out, struct fail *f) {
    sqlite3_stmt *s;
    TRY(query(d, Q_HEAD, &s, f));
    err e = OK;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        int64_t size = sqlite3_column_int64(s, 0), term = sqlite3_column_int64(s, 1);
        struct span root = column_span(s, 2), body = column_span(s, 3);
        if (size < 0 || term < 0 || root.n != sizeof out->root.b || body.n > STORE_BODY_MAX) {
            e = fail_set(f, E_DAMAGED, "%s is damaged: its head row makes no sense", d->path);
        } else {
            out->size = (uint64_t)size;
            out->term = (uint64_t)term;
            memcpy(out->root.b, root.p, root.n);
            out->body_n = body.n;
            if (body.n) memcpy(out->body, body.p, body.n);
        }
    } else if (rc == SQLITE_DONE) {
        e = fail_set(f, E_DAMAGED, "%s is damaged: it has no head row", d->path);
    } else {
        e = db_error(d, "reading", f);
    }
    sqlite3_reset(s);
    return e;
}

static err read_rows(struct db *d, uint64_t first, uint64_t count, store_visit *visit, void *ctx,
                     struct fail *f) {
    struct store_head head;
    TRY(read_head(d, &head, f));
    if (count > head.size || first > head.size - count)
        return fail_set(f, E_RANGE, "entries %llu to %llu: the log has %llu",
                        (unsigned long long)first, (unsigned long long)(first + count - 1),
                        (unsigned long long)head.size);
    sqlite3_stmt *s;
    TRY(query(d, Q_READ, &s, f));
    sqlite3_bind_int64(s, 1, (sqlite3_int64)first);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)(first + count));
    err e = OK;
    for (uint64_t i = first; e == OK && i < first + count; i++) {
        int rc = sqlite3_step(s);
        if (rc == SQLITE_ROW && (uint64_t)sqlite3_column_int64(s, 0) == i)
            e = visit(ctx, i, column_span(s, 1), f);
        else if (rc == SQLITE_ROW || rc == SQLITE_DONE)
            e = fail_set(f, E_DAMAGED, "%s is damaged: entry %llu is missing", d->path,
                         (unsigned long long)i);
        else
            e = db_error(d, "reading", f);
    }
    sqlite3_reset(s);
    return e;
}

static err db_read(struct db *d, uint64_t first, uint64_t count, store_visit *visit, void *ctx,
                   struct fail *f) {
    if (count == 0) return OK;
    TRY(run(d, Q_BEGIN, "reading", f)); /* head and entries from one view */
    err e = read_rows(d, first, count, visit, ctx, f);
    give_up(d);
    return e;
}

static err op_read(struct store_reader *r, uint64_t first, uint64_t count, store_visit *visit,
                   void *ctx, struct fail *f) {
    return db_read(&((struct sqlite_reader *)r)->db, first, count, visit, ctx, f);
}

static err op_reader_head(struct store_reader *r, struct store_head *out, struct fail *f) {
    return read_head(&((struct sqlite_reader *)r)->db, out, f);
}

static void op_reader_close(struct store_reader *r) {
    db_close(&((struct sqlite_reader *)r)->db);
    free(r);
}

static err reader_at(const char *path, struct store_reader **out, struct fail *f) {
    struct sqlite_reader *r = calloc(1, sizeof *r);
    if (!r) return fail_set(f, E_MEMORY, "out of memory while opening %s", path);
    r->base.ops = &OPS;
    snprintf(r->db.path, sizeof r->db.path, "%s", path);
    err e = db_open(&r->db, SQLITE_OPEN_READONLY, f);
    if (e == OK) {
        sqlite3_db_config(r->db.h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        e = db_exec(&r->db,
                    "PRAGMA query_only = 1; PRAGMA wal_autocheckpoint = 0;"
                    "PRAGMA cache_size = -2048; PRAGMA mmap_size = 0",
                    "opening", f);
    }
    int64_t id = 0;
    if (e == OK) e = one_number(&r->db, "PRAGMA application_id", &id, f);
    if (e == OK && id != APPLICATION_ID)
        e = fail_set(f, E_DAMAGED, "%s is not a record store", path);
    if (e != OK) {
        op_reader_close(&r->base);
        return e;
    }
    *out = &r->base;
    return OK;
}

static err op_reader_open(struct store *s, struct store_reader **out, struct fail *f) {
    return reader_at(((struct sqlite_store *)s)->db.path, out, f);
}

err sqlite_reader_open(const char *dir, struct store_reader **out, struct fail *f) {
    char path[PATH_MAX_LEN];
    *out = NULL;
    TRY(path_join(path, sizeof path, dir, "records.db", f));
    if (!file_exists(path)) return fail_set(f, E_NOT_FOUND, "there is no record store in %s", dir);
    return reader_at(path, out, f);
}

/* --- the writer
 * ----------------------------------------------------------------------------------- */

static err op_head(struct store *s, struct store_head *out, struct fail *f) {
    return read_head(&((struct sqlite_store *)s)->db, out, f);
}

/* Commits, and copies the WAL into the database from time to time. SQLite's automatic checkpoint
 * would swallow its errors, and an error of a sync must be heard; it would also try again after
 * each commit for as long as a reader keeps the WAL from being begun anew. */
static err commit(struct db *d, struct fail *f) {
    TRY(run(d, Q_COMMIT, "writing", f));
    if (d->wal_pages < d->checkpointed) d->checkpointed = 0; /* begun anew */
    if (d->wal_pages - d->checkpointed < CHECKPOINT_PAGES) return OK;
    int rc = sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    d->checkpointed = d->wal_pages;
    return rc == SQLITE_OK || rc == SQLITE_BUSY ? OK : db_error(d, "writing", f);
}

static err op_take_term(struct store *s, uint64_t *term, struct fail *f) {
    struct db *d = &((struct sqlite_store *)s)->db;
    struct store_head head;
    sqlite3_stmt *q;
    TRY(run(d, Q_WRITE, "writing", f));
    err e = read_head(d, &head, f);
    if (e == OK) e = query(d, Q_SET_TERM, &q, f);
    if (e == OK) {
        sqlite3_bind_int64(q, 1, (sqlite3_int64)(head.term + 1));
        e = finish(d, q, "writing", f);
    }
    if (e == OK) e = commit(d, f);
    if (e == OK)
        *term = head.term + 1;
    else
        give_up(d);
    return e;
}

static err put_row(struct db *d, const struct store_row *r, struct fail *f) {
    sqlite3_stmt *s;
    if (!r->note) {
        TRY(query(d, r->value.p ? Q_SET_META : Q_DROP_META, &s, f));
        sqlite3_bind_text(s, 1, r->key, -1, SQLITE_STATIC);
        if (r->value.p) bind_bytes(s, 2, r->value);
        return finish(d, s, "writing", f);
    }
    TRY(query(d, Q_SET_NOTE, &s, f));
    sqlite3_bind_int64(s, 1, (int)r->note);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)r->size);
    bind_bytes(s, 3, r->value);
    TRY(finish(d, s, "writing", f));
    if (r->note != STORE_SIGNED) return OK;
    TRY(query(d, Q_TRIM_NOTES, &s, f));
    sqlite3_bind_int64(s, 1, (int)r->note);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)r->size);
    return finish(d, s, "writing", f);
}

static err put_entries(struct db *d, const struct store_batch *b, struct fail *f) {
    sqlite3_stmt *s;
    TRY(query(d, Q_ADD, &s, f));
    for (size_t i = 0; i < b->count; i++) {
        sqlite3_bind_int64(s, 1, (sqlite3_int64)(b->first + i));
        bind_bytes(s, 2, b->entries[i]);
        TRY(finish(d, s, "writing", f));
    }
    TRY(query(d, Q_SET_HEAD, &s, f));
    sqlite3_bind_int64(s, 1, (sqlite3_int64)(b->first + b->count));
    bind_bytes(s, 2, span_of(b->root.b, sizeof b->root.b));
    bind_bytes(s, 3, b->body);
    return finish(d, s, "writing", f);
}

static err put_batch(struct db *d, const struct store_batch *b, struct fail *f) {
    struct store_head head;
    TRY(read_head(d, &head, f));
    if (head.term != b->term)
        return fail_set(f, E_FENCED,
                        "another sequencer took over %s (term %llu, ours is %llu): this one stops",
                        d->path, (unsigned long long)head.term, (unsigned long long)b->term);
    if (head.size != b->first)
        return fail_set(f, E_FENCED, "%s has %llu entries where %llu were expected: replay it",
                        d->path, (unsigned long long)head.size, (unsigned long long)b->first);
    if (b->count) TRY(put_entries(d, b, f));
    for (size_t i = 0; i < b->row_count; i++) TRY(put_row(d, &b->rows[i], f));
    return OK;
}

static err op_append(struct store *s, const struct store_batch *b, struct fail *f) {
    struct db *d = &((struct sqlite_store *)s)->db;
    TRY(run(d, Q_WRITE, "writing", f));
    err e = put_batch(d, b, f);
    if (e == OK) e = commit(d, f);
    if (e != OK) give_up(d);
    return e;
}

static err op_note(struct store *s, enum store_note note, uint64_t *size, bool latest,
                   struct buf *out, struct fail *f) {
    struct db *d = &((struct sqlite_store *)s)->db;
    sqlite3_stmt *q;
    TRY(query(d, latest ? Q_LATEST : Q_NOTE, &q, f));
    sqlite3_bind_int64(q, 1, (int)note);
    if (!latest) sqlite3_bind_int64(q, 2, (sqlite3_int64)*size);
    err e = OK;
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        *size = (uint64_t)sqlite3_column_int64(q, 0);
        buf_span(out, column_span(q, 1));
        e = buf_ok(out, f);
    } else if (rc == SQLITE_DONE) {
        e = fail_set(f, E_NOT_FOUND, "%s holds no such checkpoint", d->path);
    } else {
        e = db_error(d, "reading", f);
    }
    sqlite3_reset(q);
    return e;
}

static err op_meta(struct store *s, const char *key, struct buf *out, struct fail *f) {
    struct db *d = &((struct sqlite_store *)s)->db;
    sqlite3_stmt *q;
    TRY(query(d, Q_META, &q, f));
    sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC);
    err e = OK;
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW) {
        buf_span(out, column_span(q, 0));
        e = buf_ok(out, f);
    } else if (rc == SQLITE_DONE) {
        e = fail_set(f, E_NOT_FOUND, "%s holds no value %.80s", d->path, key);
    } else {
        e = db_error(d, "reading", f);
    }
    sqlite3_reset(q);
    return e;
}

static void op_close(struct store *base) {
    struct sqlite_store *s = (struct sqlite_store *)base;
    db_close(&s->db);
    if (s->lock >= 0) close(s->lock);
    free(s);
}

static const struct store_ops OPS = {
    .head = op_head,
    .take_term = op_take_term,
    .append = op_append,
    .note = op_note,
    .meta = op_meta,
    .close = op_close,
    .reader_open = op_reader_open,
    .reader_close = op_reader_close,
    .read = op_read,
    .reader_head = op_reader_head,
};

/* --- opening
 * -------------------------------------------------------------------------------------- */

/* The tables and the empty head in one transaction: a store is there entirely or not at all. */
static err create_schema(struct db *d, struct fail *f) {
    char ids[128];
    snprintf(ids, sizeof ids, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, SCHEMA_VERSION);
    TRY(db_exec(d, "BEGIN IMMEDIATE", "creating", f));
    err e = db_exec(d, SCHEMA, "creating", f);
    sqlite3_stmt *s = NULL;
    if (e == OK && sqlite3_prepare_v2(d->h, "INSERT INTO head VALUES(1, 0, 0, ?1, x'')", -1, &s,
                                      NULL) != SQLITE_OK)
        e = db_error(d, "creating", f);
    if (e == OK) {
        struct hash empty = sha256(span_of("", 0)); /* root of the empty tree, RFC 9162 2.1.1 */
        bind_bytes(s, 1, span_of(empty.b, sizeof empty.b));
        e = finish(d, s, "creating", f);
    }
    sqlite3_finalize(s);
    if (e == OK) e = db_exec(d, ids, "creating", f);
    if (e == OK) e = db_exec(d, "COMMIT", "creating", f);
    if (e != OK) give_up(d);
    return e;
}

static err check_kind(struct db *d, bool create, struct fail *f) {
    int64_t id = 0, version = 0, objects = 0, triggers = 0;
    TRY(one_number(d, "PRAGMA application_id", &id, f));
    TRY(one_number(d, "PRAGMA user_version", &version, f));
    TRY(one_number(d, "SELECT count(*) FROM sqlite_schema", &objects, f));
    if (id == 0 && version == 0 && objects == 0) {
        if (!create)
            return fail_set(f, E_DAMAGED, "%s is empty: it never held a log, or it was cut",
                            d->path);
        TRY(create_schema(d, f));
        id = APPLICATION_ID;
        version = SCHEMA_VERSION;
    }
    if (id != APPLICATION_ID) return fail_set(f, E_DAMAGED, "%s is not a record store", d->path);
    if (version != SCHEMA_VERSION)
        return fail_set(f, E_DAMAGED, "%s has format %lld; this program knows format %d", d->path,
                        (long long)version, SCHEMA_VERSION);
    TRY(one_number(d, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'", &triggers, f));
    if (triggers != TRIGGER_COUNT)
        return fail_set(f, E_DAMAGED,
                        "%s was tampered with: the rules that keep it append-only are missing",
                        d->path);
    return OK;
}

/* Head against entries, and the file's length against what its first page says. */
static err check_whole(struct db *d, bool slowly, struct fail *f) {
    struct store_head head;
    int64_t least = 0, next = 0, pages = 0, page = 0, count = 0;
    TRY(read_head(d, &head, f));
    TRY(one_number(d, "SELECT coalesce(min(idx), 0) FROM entry", &least, f));
    TRY(one_number(d, "SELECT coalesce(max(idx) + 1, 0) FROM entry", &next, f));
    if (least != 0 || (uint64_t)next != head.size)
        return fail_set(f, E_DAMAGED,
                        "%s is damaged: its head says %llu entries, it holds up to %lld", d->path,
                        (unsigned long long)head.size, (long long)next);
    TRY(one_number(d, "PRAGMA page_count", &pages, f));
    TRY(one_number(d, "PRAGMA page_size", &page, f));
    uint64_t bytes = 0;
    TRY(file_size(d->path, &bytes, f));
    if (bytes < (uint64_t)pages * (uint64_t)page)
        return fail_set(f, E_DAMAGED, "%s is cut: it has %llu bytes of %lld", d->path,
                        (unsigned long long)bytes, (long long)(pages * page));
    if (!slowly) return OK;
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(d->h, "PRAGMA quick_check(1)", -1, &s, NULL) != SQLITE_OK)
        return db_error(d, "checking", f);
    err e = OK;
    if (sqlite3_step(s) != SQLITE_ROW) {
        e = db_error(d, "checking", f);
    } else if (strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0) {
        e = fail_set(f, E_DAMAGED, "%s is damaged (%.200s): restore it from a mirror", d->path,
                     (const char *)sqlite3_column_text(s, 0));
    }
    sqlite3_finalize(s);
    if (e == OK) e = one_number(d, "SELECT count(*) FROM entry", &count, f);
    if (e == OK && (uint64_t)count != head.size)
        e = fail_set(f, E_DAMAGED, "%s is damaged: its head says %llu entries, it holds %lld",
                     d->path, (unsigned long long)head.size, (long long)count);
    return e;
}

/* A file system without shared memory maps would leave SQLite in another mode, silently. */
static err check_wal(struct db *d, struct fail *f) {
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(d->h, "PRAGMA journal_mode", -1, &s, NULL) != SQLITE_OK)
        return db_error(d, "opening", f);
    err e = OK;
    if (sqlite3_step(s) != SQLITE_ROW)
        e = db_error(d, "opening", f);
    else if (strcmp((const char *)sqlite3_column_text(s, 0), "wal") != 0)
        e = fail_set(f, E_IO, "%s cannot keep a write-ahead log here: use a local disk", d->path);
    sqlite3_finalize(s);
    return e;
}

static err open_writer(struct db *d, const struct sqlite_options *o, struct fail *f) {
    char sql[256];
    TRY(db_open(d, SQLITE_OPEN_READWRITE | (o->create ? SQLITE_OPEN_CREATE : 0), f));
    snprintf(sql, sizeof sql,
             "PRAGMA page_size = %d; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
             "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -%d; PRAGMA temp_store = MEMORY;"
             "PRAGMA recursive_triggers = 1; PRAGMA mmap_size = 0",
             PAGE_SIZE, CACHE_KIB);
    TRY(db_exec(d, sql, "opening", f));
    sqlite3_wal_hook(d->h, on_commit, d);
    TRY(check_wal(d, f));
    if (sqlite3_db_readonly(d->h, "main") == 1)
        return fail_set(f, E_IO, "%s cannot be written: is the folder writable?", d->path);
    TRY(check_kind(d, o->create, f));
    if (o->max_pages) {
        snprintf(sql, sizeof sql, "PRAGMA max_page_count = %u", (unsigned)o->max_pages);
        TRY(db_exec(d, sql, "opening", f));
    }
    /* what a crash left in the WAL, into the database: an error shows here, not at the first append
     */
    int rc = sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc != SQLITE_OK && rc != SQLITE_BUSY) return db_error(d, "opening", f);
    return check_whole(d, o->check, f);
}

err sqlite_store_open(const char *dir, const struct sqlite_options *options, struct store **out,
                      struct fail *f) {
    struct sqlite_options o = options ? *options : (struct sqlite_options){0};
    *out = NULL;
    struct sqlite_store *s = calloc(1, sizeof *s);
    if (!s) return fail_set(f, E_MEMORY, "out of memory while opening %s", dir);
    s->base.ops = &OPS;
    s->lock = -1;
    err e = path_join(s->db.path, sizeof s->db.path, dir, "records.db", f);
    if (e == OK && o.create) e = file_mkdirs(dir, f);
    bool fresh = e == OK && !file_exists(s->db.path);
    if (fresh && !o.create) e = fail_set(f, E_NOT_FOUND, "there is no record store in %s", dir);
    if (e == OK) e = store_lock_folder(dir, &s->lock, f);
    if (e == OK) e = open_writer(&s->db, &o, f);
    if (e == OK && fresh) e = file_sync_dir(dir, f);
    if (e != OK) {
        op_close(&s->base);
        return e;
    }
    *out = &s->base;
    return OK;
}

/* --- exports --- */

enum { OUT_STATEMENTS = 32 };

struct sqlite_out {
    struct db db;
    char path[PATH_MAX_LEN]; /* where it goes; db.path is where it is made */
    struct {
        const char *sql;
        sqlite3_stmt *s;
    } stmt[OUT_STATEMENTS];
};

err sqlite_out_new(const char *path, const char *schema, struct sqlite_out **out, struct fail *f) {
    struct sqlite_out *o = calloc(1, sizeof *o);
    if (!o) return fail_set(f, E_MEMORY, "no memory for an export");
    (void)snprintf(o->path, sizeof o->path, "%s", path);
    if (snprintf(o->db.path, sizeof o->db.path, "%s.new", path) >= PATH_MAX_LEN) {
        free(o);
        return fail_set(f, E_IO, "the path is too long");
    }
    (void)unlink(o->db.path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    err e = sqlite3_open_v2(o->db.path, &o->db.h, flags, NULL) == SQLITE_OK
                ? OK
                : db_error(&o->db, "making", f);
    /* a crash leaves PATH.new, which nobody reads: no journal is needed */
    if (e == OK) e = db_exec(&o->db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=FULL", "making", f);
    if (e == OK) e = db_exec(&o->db, "BEGIN", "making", f);
    if (e == OK) e = db_exec(&o->db, schema, "making", f);
    if (e != OK) {
        sqlite_out_close(o);
        return e;
    }
    *out = o;
    return OK;
}

err sqlite_out_row(struct sqlite_out *o, const char *insert, const struct sqlite_value *values,
                   size_t n, struct fail *f) {
    size_t i = 0;
    while (i < OUT_STATEMENTS && o->stmt[i].sql && o->stmt[i].sql != insert) i++;
    if (i == OUT_STATEMENTS) return fail_set(f, E_INTERNAL, "too many different statements");
    sqlite3_stmt *s = o->stmt[i].s;
    if (!s) {
        if (sqlite3_prepare_v2(o->db.h, insert, -1, &s, NULL) != SQLITE_OK)
            return db_error(&o->db, "preparing", f);
        o->stmt[i].sql = insert;
        o->stmt[i].s = s;
    }
    for (size_t k = 0; k < n; k++) {
        const struct sqlite_value *v = &values[k];
        int at = (int)k + 1;
        if (v->kind == SQLITE_NUMBER)
            sqlite3_bind_int64(s, at, (sqlite3_int64)v->number);
        else if (v->kind == SQLITE_WORDS)
            sqlite3_bind_text64(s, at, v->words.p ? (const char *)v->words.p : "", v->words.n,
                                SQLITE_STATIC, SQLITE_UTF8);
        else
            sqlite3_bind_null(s, at);
    }
    return finish(&o->db, s, "writing", f);
}

err sqlite_out_exec(struct sqlite_out *o, const char *sql, struct fail *f) {
    return db_exec(&o->db, sql, "writing", f);
}

err sqlite_out_commit(struct sqlite_out *o, struct fail *f) {
    TRY(db_exec(&o->db, "COMMIT", "writing", f));
    for (int i = 0; i < OUT_STATEMENTS; i++) {
        sqlite3_finalize(o->stmt[i].s);
        o->stmt[i].s = NULL;
    }
    if (sqlite3_close(o->db.h) != SQLITE_OK) return db_error(&o->db, "closing", f);
    o->db.h = NULL;
    if (rename(o->db.path, o->path)) return file_error(f, errno, "writing", o->path);
    return OK; /* an export can be made again: its folder is not synced */
}

void sqlite_out_close(struct sqlite_out *o) {
    if (!o) return;
    for (int i = 0; i < OUT_STATEMENTS; i++) sqlite3_finalize(o->stmt[i].s);
    char made[PATH_MAX_LEN];
    memcpy(made, o->db.path, sizeof made);
    db_close(&o->db);
    (void)unlink(made); /* nothing is there after a commit */
    free(o);
}

/* --- a database of others --- */

enum { IN_VALUES = 12, IN_ROWS = 1 << 26 };

struct sqlite_in {
    struct db db;
    const char *schema;
};

static err in_error(struct sqlite_in *in, struct fail *f) {
    int rc = in->db.h ? sqlite3_errcode(in->db.h) & 0xff : SQLITE_NOMEM;
    if (rc != SQLITE_CORRUPT && rc != SQLITE_NOTADB && rc != SQLITE_ERROR) return db_error(&in->db, "reading", f);
    return fail_set(f, E_DAMAGED, "not a whole database (%s): fetch it again", sqlite3_errmsg(in->db.h));
}

/* An index may hold other values than its table, and which of them a SELECT gets is SQLite's choice. */
static err is_whole(void *ctx, const struct sqlite_value *v, size_t n, struct fail *f) {
    (void)ctx, (void)n;
    if (v[0].kind == SQLITE_WORDS && span_is(v[0].words, "ok")) return OK;
    return fail_set(f, E_DAMAGED, "the database contradicts itself (%.*s): fetch it again", SPAN_ARG(v[0].words));
}

err sqlite_in_open(const char *path, const char *schema, struct sqlite_in **out, struct fail *f) {
    struct sqlite_in *in = calloc(1, sizeof *in);
    if (!in) return fail_set(f, E_MEMORY, "no memory to read a database");
    in->schema = schema;
    (void)snprintf(in->db.path, sizeof in->db.path, "%s", path);
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    err e = sqlite3_open_v2(path, &in->db.h, flags, NULL) == SQLITE_OK ? OK : in_error(in, f);
    if (e == OK) {
        (void)sqlite3_db_config(in->db.h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        (void)sqlite3_db_config(in->db.h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        (void)sqlite3_db_config(in->db.h, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
        (void)sqlite3_db_config(in->db.h, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
        (void)sqlite3_limit(in->db.h, SQLITE_LIMIT_LENGTH, 1 << 20);
        if (sqlite3_exec(in->db.h, "PRAGMA query_only=1; PRAGMA cell_size_check=1", NULL, NULL, NULL) != SQLITE_OK)
            e = in_error(in, f);
    }
    if (e == OK) e = sqlite_in_rows(in, "PRAGMA integrity_check(1)", is_whole, NULL, f);
    if (e != OK) {
        sqlite_in_close(in);
        return e;
    }
    *out = in;
    return OK;
}

static err in_value(sqlite3_stmt *s, int i, struct sqlite_value *v, struct fail *f) {
    switch (sqlite3_column_type(s, i)) {
    case SQLITE_NULL: *v = (struct sqlite_value){.kind = SQLITE_ABSENT}; return OK;
    case SQLITE_INTEGER: {
        sqlite3_int64 n = sqlite3_column_int64(s, i);
        *v = (struct sqlite_value){.kind = SQLITE_NUMBER, .number = (uint64_t)n};
        return n >= 0 ? OK : fail_set(f, E_FIELD, "a number below 0 in column %s", sqlite3_column_name(s, i));
    }
    case SQLITE_TEXT: {
        const unsigned char *p = sqlite3_column_text(s, i);
        if (!p) return fail_set(f, E_MEMORY, "no memory to read a database");
        *v = (struct sqlite_value){.kind = SQLITE_WORDS, .words = span_of(p, (size_t)sqlite3_column_bytes(s, i))};
        return OK;
    }
    default: return fail_set(f, E_FIELD, "a value of another kind in column %s", sqlite3_column_name(s, i));
    }
}

err sqlite_in_rows(struct sqlite_in *in, const char *select,
                   err (*each)(void *ctx, const struct sqlite_value *values, size_t n, struct fail *f), void *ctx,
                   struct fail *f) {
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(in->db.h, select, -1, &s, NULL) != SQLITE_OK) return in_error(in, f);
    int n = sqlite3_column_count(s), step = SQLITE_ROW, rows = 0;
    err e = n <= IN_VALUES ? OK : fail_set(f, E_INTERNAL, "too many columns");
    while (e == OK && (step = sqlite3_step(s)) == SQLITE_ROW) {
        struct sqlite_value v[IN_VALUES];
        for (int i = 0; e == OK && i < n; i++) e = in_value(s, i, &v[i], f);
        if (e == OK && ++rows > IN_ROWS) e = fail_set(f, E_TOO_LARGE, "more than %d rows", IN_ROWS);
        if (e == OK) e = each(ctx, v, (size_t)n, f);
    }
    if (e == OK && step != SQLITE_DONE) e = in_error(in, f);
    sqlite3_finalize(s);
    return e;
}

struct wanted_table {
    const char *schema, *name;
    bool found;
};

static err table_sql(void *ctx, const struct sqlite_value *v, size_t n, struct fail *f) {
    struct wanted_table *t = ctx;
    char *sql;
    (void)n;
    if (v[0].kind != SQLITE_WORDS || v[1].kind != SQLITE_WORDS || !span_is(v[0].words, t->name)) return OK;
    if (!(sql = strndup((const char *)v[1].words.p, v[1].words.n))) return fail_set(f, E_MEMORY, "no memory");
    const char *at = strstr(t->schema, sql); /* SQLite keeps the statement as it was */
    t->found = at && v[1].words.n > 20 && at[v[1].words.n] == ';';
    free(sql);
    return OK;
}

err sqlite_in_table(struct sqlite_in *in, const char *table, struct fail *f) {
    struct wanted_table t = {in->schema, table, false};
    TRY(sqlite_in_rows(in, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'", table_sql, &t, f));
    return t.found ? OK : fail_set(f, E_FIELD, "the database has no table \"%s\" as this program makes it", table);
}

void sqlite_in_close(struct sqlite_in *in) {
    if (!in) return;
    db_close(&in->db);
    free(in);
}
