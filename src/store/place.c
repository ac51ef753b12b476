/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store/place.h"

#include "base/file.h"
#include "store/postgres.h"
#include "store/sqlite.h"

enum { TEXT_MAX = 4096 };

/* What the folder says; empty when it says nothing. */
static err read_choice(const char *path, struct buf *out, struct fail *f) {
    err e = file_read(path, TEXT_MAX, out, f);
    if (e == E_NOT_FOUND) return OK;
    while (e == OK && out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r')) out->n--;
    if (e == OK && (out->n == 0 || memchr(out->p, 0, out->n) || memchr(out->p, '\n', out->n)))
        e = fail_set(f, E_CONFIG, "%s is not one line that names a store", path);
    return e;
}

/* The connection string of a PostgreSQL store, NULL for SQLite. */
static err read_text(const char *text, const char **conninfo, struct fail *f) {
    *conninfo = NULL;
    if (strcmp(text, "sqlite") == 0) return OK;
    if (strncmp(text, "postgresql://", 13) == 0 || strncmp(text, "postgres://", 11) == 0)
        *conninfo = text;
    else if (strncmp(text, "postgres:", 9) == 0)
        *conninfo = text + 9;
    else
        return fail_set(f, E_CONFIG, "a store is 'sqlite' or 'postgres:CONNINFO', for example "
                                     "postgres:service=hesabu");
    return postgres_conninfo_check(*conninfo, f);
}

/* What is opened: one of the two. */
struct opening {
    struct store **store;
    struct store_reader **reader;
};

static err open_sqlite(const char *dir, const struct opening *o, struct fail *f) {
    if (o->reader) return sqlite_reader_open(dir, o->reader, f);
    return sqlite_store_open(dir, &(struct sqlite_options){.create = true}, o->store, f);
}

static err open_postgres(const char *dir, const char *conninfo, const struct store_place *place,
                         const struct opening *o, struct fail *f) {
    if (o->reader) return postgres_reader_open(conninfo, place->origin, o->reader, f);
    struct postgres_options po = {.origin = place->origin, .dir = dir, .create = true,
                                  .take_over = place->take_over};
    return postgres_store_open(conninfo, &po, o->store, f);
}

static err keep_choice(const char *path, struct buf *said, struct fail *f) {
    buf_byte(said, '\n');
    TRY(buf_ok(said, f));
    return file_write_durable(path, buf_view(said), 0600, f);
}

static err choose(const char *dir, const char *path, const struct store_place *place,
                  struct buf *said, const struct opening *o, struct fail *f) {
    const char *conninfo;
    char db[PATH_MAX_LEN];
    TRY(path_join(db, sizeof db, dir, "records.db", f));
    TRY(read_choice(path, said, f));
    bool chosen = said->n > 0;
    if (place->store) TRY(read_text(place->store, &conninfo, f));
    if (chosen && place->store && !span_is(buf_view(said), place->store))
        return fail_set(f, E_CONFIG, "this folder keeps its records elsewhere: %s says where; leave "
                                     "--store out",
                        path);
    if (!chosen) buf_str(said, place->store ? place->store : "sqlite");
    TRY(buf_ok(said, f));
    TRY(read_text(buf_cstr(said), &conninfo, f));
    if (!conninfo) return open_sqlite(dir, o, f);
    if (!chosen && file_exists(db))
        return fail_set(f, E_EXISTS, "the records of this folder are in %s: to move the log, make a new "
                                     "folder with 'hesabu init --from-mirror DIR/public --store ...'",
                        db);
    TRY(open_postgres(dir, conninfo, place, o, f));
    err e = chosen ? OK : keep_choice(path, said, f);
    if (e == OK) return OK;
    store_reader_close(o->reader ? *o->reader : NULL);
    store_close(o->store ? *o->store : NULL);
    return e;
}

static err open_either(const char *dir, const struct store_place *place, const struct opening *o,
                       struct fail *f) {
    char path[PATH_MAX_LEN];
    struct buf said;
    TRY(path_join(path, sizeof path, dir, "store", f));
    buf_init(&said, TEXT_MAX + 2);
    err e = choose(dir, path, place, &said, o, f);
    buf_release(&said);
    return e;
}

err store_place_open(const char *private_dir, const struct store_place *place, struct store **out,
                     struct fail *f) {
    struct store *s = NULL;
    *out = NULL;
    TRY(open_either(private_dir, place, &(struct opening){.store = &s}, f));
    *out = s;
    return OK;
}

err store_place_reader(const char *private_dir, const struct store_place *place,
                       struct store_reader **out, struct fail *f) {
    struct store_reader *r = NULL;
    *out = NULL;
    TRY(open_either(private_dir, place, &(struct opening){.reader = &r}, f));
    *out = r;
    return OK;
}
