/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/rebuild.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/diag.h"
#include "base/file.h"
#include "tlog/tile_view.h"
#include "store/guard.h"
#include "store/objects.h"
#include "store/place.h"
#include "tlog/checkpoint.h"

enum { BATCH_TILES = 8, OBJECT_MAX = 1 << 30, COMPARE_PART = 4096 };

struct rebuild {
    const struct rebuild_options *o;
    char private_dir[PATH_MAX_LEN], public_dir[PATH_MAX_LEN];
    struct buf note; /* the copy's checkpoint */
    struct checkpoint c;
    struct tile_view view;
    struct store *store;
    uint64_t term, done;
    struct merkle_frontier frontier;
    struct buf bundles[BATCH_TILES];
    struct span entries[BATCH_TILES * TILE_WIDTH];
    size_t count; /* of entries */
};

static err read_part(const struct rebuild *r, const char *path, struct buf *out, struct fail *f) {
    char full[PATH_MAX_LEN];
    TRY(path_join(full, sizeof full, r->o->mirror, path, f));
    return file_read(full, out->max, out, f);
}

/* A tile or bundle of the copy; the full one where the partial is gone. */
static err read_tile(const struct rebuild *r, struct tile t, struct buf *out, struct fail *f) {
    char path[TILE_PATH_MAX];
    tile_path(t, path);
    err e = read_part(r, path, out, f);
    if (e != E_NOT_FOUND || t.width == TILE_WIDTH) return e;
    t.width = TILE_WIDTH;
    tile_path(t, path);
    buf_clear(out);
    return read_part(r, path, out, f);
}

static err hashes(void *ctx, struct tile t, bool again, struct buf *out, struct fail *f) {
    (void)again;
    TRY(read_tile(ctx, t, out, f));
    size_t n = (size_t)t.width * HASH_BYTES;
    if (out->n > n) out->n = n;
    return OK;
}

static err take_bundle(struct rebuild *r, uint64_t index, struct buf *b, struct fail *f) {
    struct tile t = {.entries = true, .index = index,
                     .width = (uint16_t)tile_width_at(r->view.size, 0, index)};
    const struct hash *h;
    buf_clear(b);
    TRY(read_tile(r, t, b, f));
    TRY(tile_view_tile(&r->view, 0, index, &h, f));
    struct span rest = buf_view(b);
    for (unsigned i = 0; i < t.width; i++) {
        bool more;
        struct span *entry = &r->entries[r->count];
        TRY(bundle_next(&rest, entry, &more, f));
        struct hash leaf = more ? merkle_leaf(*entry) : (struct hash){0};
        if (!more || !hash_eq(&leaf, &h[i]))
            return fail_set(f, E_TILE, "entry %llu of the copy is not the one under its checkpoint",
                            (unsigned long long)(index * TILE_WIDTH + i));
        merkle_frontier_append(&r->frontier, &leaf);
        r->count++;
    }
    return OK;
}

static err append(struct rebuild *r, struct fail *f) {
    struct hash root = merkle_frontier_root(&r->frontier);
    struct buf body;
    buf_init(&body, STORE_BODY_MAX);
    err e = checkpoint_format(r->o->log->key.name, r->done + r->count, &root, (struct span){0},
                              &body, f);
    struct store_batch b = {.term = r->term, .first = r->done, .entries = r->entries,
                            .count = r->count, .root = root, .body = buf_view(&body)};
    if (e == OK) e = store_append(r->store, &b, f);
    buf_release(&body);
    r->done += r->count;
    r->count = 0;
    return e;
}

static err take_entries(struct rebuild *r, struct fail *f) {
    uint64_t end = (r->view.size + TILE_WIDTH - 1) / TILE_WIDTH;
    for (uint64_t i = 0; i < end; i++) {
        TRY(take_bundle(r, i, &r->bundles[i % BATCH_TILES], f));
        if (i % BATCH_TILES == BATCH_TILES - 1 || i == end - 1) TRY(append(r, f));
        if (r->o->progress) r->o->progress(r->o->ctx, r->done, r->view.size);
    }
    struct hash root = merkle_frontier_root(&r->frontier);
    if (!hash_eq(&root, &r->c.root))
        return fail_set(f, E_TILE, "the copy's entries do not give its checkpoint's root");
    return OK;
}

static err count_in(void *ctx, uint64_t index, struct span entry, struct fail *f) {
    struct rebuild *r = ctx;
    (void)index;
    (void)f;
    struct hash leaf = merkle_leaf(entry);
    merkle_frontier_append(&r->frontier, &leaf);
    return OK;
}

/* The database goes on from what the copy holds. */
static err compare_entries(struct rebuild *r, struct store_reader *reader, uint64_t size,
                           struct fail *f) {
    if (size < r->c.size)
        return fail_set(f, E_ROLLBACK, "the database has %llu entries, the copy %llu: the database is "
                                       "an older one",
                        (unsigned long long)size, (unsigned long long)r->c.size);
    while (r->done < r->c.size) {
        uint64_t n = r->c.size - r->done < COMPARE_PART ? r->c.size - r->done : COMPARE_PART;
        TRY(store_read(reader, r->done, n, count_in, r, f));
        r->done += n;
        if (r->o->progress) r->o->progress(r->o->ctx, r->done, r->c.size);
    }
    struct hash root = merkle_frontier_root(&r->frontier);
    if (!hash_eq(&root, &r->c.root))
        return fail_set(f, E_FORK, "the database and the copy hold two different histories of this log");
    return OK;
}

/* The copy's entries are in the store afterwards: put there, or there already. */
static err settle_entries(struct rebuild *r, struct fail *f) {
    char origin[NOTE_NAME_MAX + 1];
    struct store_reader *reader = NULL;
    struct store_head head = {0};
    struct span name = r->o->log->key.name;
    (void)snprintf(origin, sizeof origin, "%.*s", (int)name.n, (const char *)name.p);
    struct store_place place = {.store = r->o->store, .origin = origin};
    err e = store_place_reader(r->private_dir, &place, &reader, f);
    if (e == OK) e = store_reader_head(reader, &head, f);
    if (e == OK && head.size) e = compare_entries(r, reader, head.size, f);
    store_reader_close(reader);
    if ((e != OK && e != E_NOT_FOUND) || head.size) return e;
    TRY(store_place_open(r->private_dir, &place, &r->store, f));
    TRY(store_take_term(r->store, &r->term, f));
    return take_entries(r, f);
}

/* Every object that the copy has, under the name that its bytes give. */
static err take_objects(struct rebuild *r, struct fail *f) {
    struct objects_options oo = {.public_dir = r->public_dir, .private_dir = r->private_dir,
                                 .max_object = OBJECT_MAX};
    struct objects *objects = NULL;
    char dir[PATH_MAX_LEN];
    TRY(path_join(dir, sizeof dir, r->o->mirror, "objects", f));
    DIR *d = opendir(dir);
    if (!d) return file_error(f, errno, "opening", dir);
    err e = objects_open(&oo, &objects, f);
    struct buf b;
    buf_init(&b, OBJECT_MAX);
    for (struct dirent *entry; e == OK && (entry = readdir(d));) {
        struct hash want, got;
        char path[PATH_MAX_LEN];
        if (hash_from_hex(span_text(entry->d_name), &want, NULL) != OK) continue;
        buf_clear(&b);
        e = path_join(path, sizeof path, dir, entry->d_name, f);
        if (e == OK) e = file_read(path, b.max, &b, f);
        struct span bytes = buf_view(&b);
        got = sha256(bytes);
        if (e == OK && !hash_eq(&got, &want)) {
            diag(DIAG_WARN, "%s is damaged: left out", path);
            continue;
        }
        if (e == OK) e = objects_add_many(objects, OBJECT_PUBLIC, &bytes, 1, NULL, f);
    }
    closedir(d);
    buf_release(&b);
    if (objects) objects_close(objects);
    return e;
}

/* Checkpoints with their cosignatures are not recomputable: they come along, if they are the log's. */
static err take_witnessed(struct rebuild *r, struct fail *f) {
    char dir[PATH_MAX_LEN], to[PATH_MAX_LEN];
    TRY(path_join(dir, sizeof dir, r->o->mirror, "witnessed", f));
    DIR *d = opendir(dir);
    if (!d) return OK;
    struct buf b;
    err e = OK;
    buf_init(&b, CHECKPOINT_BYTES_MAX);
    for (struct dirent *entry; e == OK && (entry = readdir(d));) {
        struct note note;
        struct note_line lines[NOTE_LINES_MAX];
        struct checkpoint c;
        char name[300];
        buf_clear(&b);
        (void)snprintf(name, sizeof name, "witnessed/%s", entry->d_name);
        if (entry->d_name[0] == '.' || read_part(r, name, &b, NULL) != OK ||
            checkpoint_open(buf_view(&b), &r->o->log->key, &c, &note, lines, NOTE_LINES_MAX, NULL) != OK)
            continue;
        e = path_join(to, sizeof to, r->public_dir, name, f);
        if (e == OK) e = file_mkdirs_for(to, f);
        if (e == OK) e = file_write_durable(to, buf_view(&b), 0644, f);
    }
    closedir(d);
    buf_release(&b);
    return e;
}

static err make_guard(struct rebuild *r, struct fail *f) {
    char path[PATH_MAX_LEN], origin[NOTE_NAME_MAX + 1];
    struct guard *g;
    if (r->o->guard_path)
        (void)snprintf(path, sizeof path, "%s", r->o->guard_path);
    else
        TRY(path_join(path, sizeof path, r->private_dir, "guard", f));
    (void)snprintf(origin, sizeof origin, "%.*s", (int)r->o->log->key.name.n,
                   (const char *)r->o->log->key.name.p);
    if (!file_exists(path)) TRY(guard_create(path, origin, f));
    TRY(guard_open(path, origin, &g, f)); /* one that survived knows more than the copy */
    err e = guard_advance(g, r->done, &r->c.root, f);
    guard_close(g);
    return e;
}

static err open_copy(struct rebuild *r, struct fail *f) {
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    TRY(read_part(r, "checkpoint", &r->note, f));
    TRY(checkpoint_open(buf_view(&r->note), &r->o->log->key, &r->c, &note, lines, NOTE_LINES_MAX, f));
    r->view.size = r->c.size;
    r->view.root = r->c.root;
    r->view.get = hashes;
    r->view.ctx = r;
    return tile_view_open(&r->view, f);
}

static err run(struct rebuild *r, struct fail *f) {
    char db[PATH_MAX_LEN];
    TRY(path_join(r->private_dir, sizeof r->private_dir, r->o->dir, "private", f));
    TRY(path_join(r->public_dir, sizeof r->public_dir, r->o->dir, "public", f));
    TRY(path_join(db, sizeof db, r->private_dir, "records.db", f));
    if (file_exists(db))
        return fail_set(f, E_EXISTS, "%s exists: a log is rebuilt in a new folder (or remove what an "
                                     "interrupted rebuild left)",
                        db);
    TRY(open_copy(r, f));
    TRY(file_mkdirs(r->private_dir, f));
    TRY(file_mkdirs(r->public_dir, f));
    TRY(settle_entries(r, f));
    TRY(take_objects(r, f));
    TRY(take_witnessed(r, f));
    return make_guard(r, f);
}

err rebuild_from_mirror(const struct rebuild_options *o, uint64_t *size, struct fail *f) {
    struct rebuild *r = calloc(1, sizeof *r);
    if (!r) return fail_set(f, E_MEMORY, "no memory for a rebuild");
    r->o = o;
    buf_init(&r->note, CHECKPOINT_BYTES_MAX);
    for (int i = 0; i < BATCH_TILES; i++) buf_init(&r->bundles[i], TILE_BUNDLE_MAX);
    err e = run(r, f);
    *size = r->done;
    store_close(r->store);
    buf_release(&r->note);
    for (int i = 0; i < BATCH_TILES; i++) buf_release(&r->bundles[i]);
    free(r);
    return e;
}
