/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Entries on their way into a mirror's fold, and the objects that they name. */
#include <stdio.h>
#include "base/diag.h"
#include "base/file.h"
#include "crypto/secret.h"
#include "election/definition.h"
#include "service/mirror_impl.h"

static void object_path(const struct hash *id, char out[80]) {
    char hex[HASH_HEX_LEN + 1];
    hash_hex(id, hex);
    (void)snprintf(out, 80, "objects/%s", hex);
}

static bool is_object(const struct buf *b, const struct hash *id, uint64_t size) {
    struct hash got = sha256(buf_view(b));
    return b->n == size && hash_eq(&got, id);
}

/* From the copy, or from the server into the copy; the bytes are in m->object. */
static err get_object(struct mirror *m, const struct hash *id, uint64_t size, bool *fetched,
                      struct fail *f) {
    char path[80];
    *fetched = false;
    if (size > MIRROR_OBJECT_MAX) return fail_set(f, E_TOO_LARGE, "an object of more than 1 GiB");
    object_path(id, path);
    buf_clear(&m->object);
    if (mirror_read(m, path, (size_t)size, &m->object, f) == OK && is_object(&m->object, id, size))
        return OK;
    buf_clear(&m->object);
    err e = mirror_get(m, path, (size_t)size + 1, &m->object, f);
    if (e == E_NOT_FOUND)
        return fail_set(f, E_OBJECT_MISSING, "the server does not have the object %s", path + 8);
    TRY(e);
    if (!is_object(&m->object, id, size))
        return fail_set(f, E_OBJECT, "the server's object %s has other bytes than its name says",
                        path + 8);
    *fetched = true;
    return mirror_put(m, path, buf_view(&m->object), f);
}

/* What apply needs: units and contests. */
static err source(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                  struct fail *f) {
    struct mirror *m = ctx;
    bool fetched;
    TRY(get_object(m, id, size, &fetched, f));
    if (fetched && m->report) m->report->objects++;
    *out = buf_view(&m->object);
    return OK;
}

err mirror_fold_new(struct mirror *m, struct fail *f) {
    fold_free(m->fold);
    m->fold = NULL;
    m->folded = m->refused = 0;
    m->refused_why[0] = 0;
    m->published = false;
    uint8_t hash_key[16];
    TRY(fold_new(&(struct fold_options){.objects = {source, m}}, &m->fold, f));
    secret_random(hash_key, sizeof hash_key);
    fold_set_hash_key(m->fold, hash_key);
    return OK;
}

/* By its size only: hashing all images at each start would take hours. */
static bool is_there(const struct mirror *m, const struct named_object *o) {
    char path[80], full[PATH_MAX_LEN];
    uint64_t size;
    object_path(&o->id, path);
    return !m->o.recheck && path_join(full, sizeof full, m->o.dir, path, NULL) == OK &&
           file_size(full, &size, NULL) == OK && size == o->size;
}

/* Public objects beyond those of the definition, when they are wanted. */
static err take_objects(struct mirror *m, struct fail *f) {
    const struct applied *a = m->applied;
    if (!m->o.all_objects || a->type == REC_MANIFEST || a->type == REC_AMEND) return OK;
    for (size_t i = 0; i < a->object_count; i++) {
        bool fetched;
        if (a->objects[i].restricted || is_there(m, &a->objects[i].ref)) continue;
        err e = get_object(m, &a->objects[i].ref.id, a->objects[i].ref.size, &fetched, f);
        if (e == E_OBJECT_MISSING || e == E_OBJECT) { /* withheld by order, or not what it should be */
            if (m->report) m->report->missing++;
            diag(DIAG_WARN, "%s", f->text);
            continue;
        }
        TRY(e);
        if (fetched && m->report) m->report->objects++;
    }
    return OK;
}

static err check_manifest(struct mirror *m, struct fail *f) {
    struct hash id = fold_id(m->fold, 0);
    if (!m->o.manifest || hash_eq(&id, m->o.manifest)) return OK;
    return fail_set(f, E_ANCHOR, "the log begins with another manifest than the anchor names: this is "
                                 "not the election that was gazetted");
}

err mirror_take_entry(struct mirror *m, uint64_t index, struct span entry, struct fail *f) {
    if (index < m->folded) return OK;
    err e = fold_apply(m->fold, entry, m->applied, f);
    /* our own trouble and what can be had later are no verdict on the entry */
    if (e == E_MEMORY || e == E_OBJECT_MISSING || e == E_NETWORK || e == E_IO || e == E_DISK_FULL ||
        e == E_TIMEOUT)
        return e;
    if (e == OK) {
        if (index == 0) TRY(check_manifest(m, f));
        TRY(take_objects(m, f));
    } else {
        if (index == 0) return fail_context(f, e, "the log's first entry");
        if (m->refused++ == 0)
            (void)snprintf(m->refused_why, sizeof m->refused_why, "entry %llu: %s: %.300s",
                           (unsigned long long)index, err_info(e)->name, f->text);
        TRY(fold_skip(m->fold, f));
    }
    m->folded = index + 1;
    m->published = false;
    return OK;
}

err mirror_fold_own(struct mirror *m, struct tile_view *v, struct fail *f) {
    struct buf b;
    err e = OK;
    buf_init(&b, TILE_BUNDLE_MAX);
    for (uint64_t i = 0; e == OK && i * TILE_WIDTH < v->size; i++) {
        struct tile t = {.entries = true, .index = i, .width = (uint16_t)tile_width_at(v->size, 0, i)};
        char path[TILE_PATH_MAX];
        const struct hash *h = NULL;
        tile_path(t, path);
        buf_clear(&b);
        e = mirror_read(m, path, b.max, &b, f);
        if (e == OK) e = tile_view_tile(v, 0, i, &h, f);
        struct span rest = buf_view(&b), entry;
        for (unsigned k = 0; e == OK && k < t.width; k++) {
            bool more;
            e = bundle_next(&rest, &entry, &more, f);
            struct hash leaf = e == OK && more ? merkle_leaf(entry) : (struct hash){0};
            if (e == OK && !hash_eq(&leaf, &h[k]))
                e = fail_set(f, E_TILE, "entry %llu of the copy is damaged",
                             (unsigned long long)(i * TILE_WIDTH + k));
            if (e == OK) e = mirror_take_entry(m, i * TILE_WIDTH + k, entry, f);
        }
        if (m->o.progress) m->o.progress(m->o.ctx, i * TILE_WIDTH, v->size);
    }
    buf_release(&b);
    return e;
}
