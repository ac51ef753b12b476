/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/mirror_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "election/definition.h"

enum { AT_ONCE = 24 };

uint64_t mirror_size(const struct mirror *m) {
    return m->size;
}

bool mirror_has(const struct mirror *m, const struct hash *id) {
    return fold_find(m->fold, id) != UINT64_MAX;
}

const struct fold *mirror_fold(const struct mirror *m) {
    return m->fold;
}

/* --- files --- */

err mirror_read(const struct mirror *m, const char *path, size_t max, struct buf *out,
                struct fail *f) {
    char full[PATH_MAX_LEN];
    TRY(path_join(full, sizeof full, m->o.dir, path, f));
    return file_read(full, max, out, f);
}

err mirror_put(struct mirror *m, const char *path, struct span bytes, struct fail *f) {
    err e = writer_add(m->writer, path, bytes, f);
    if (e != E_EXISTS) return e;
    diag(DIAG_WARN, "%s/%s was damaged: replaced by the right bytes", m->o.dir, path);
    return writer_replace(m->writer, path, bytes, f);
}

err mirror_get(struct mirror *m, const char *path, size_t max, struct buf *out, struct fail *f) {
    struct fetch_item it = {0};
    (void)snprintf(it.path, sizeof it.path, "%s", path);
    buf_init(&it.body, max);
    err e = m->o.fetch.get(m->o.fetch.ctx, &it, 1, f);
    if (e == OK && it.status == 404) e = fail_set(f, E_NOT_FOUND, "the server has no %s", path);
    if (e == OK && it.status != 200)
        e = fail_set(f, E_NETWORK, "the server answers %d for %s", it.status, path);
    if (e == OK) {
        buf_span(out, buf_view(&it.body));
        e = buf_ok(out, f);
    }
    buf_release(&it.body);
    return e;
}

/* --- tiles and bundles: from the copy, from what was fetched ahead, from the server --- */

static void ahead_drop(struct mirror *m) {
    for (size_t i = 0; i < m->ahead_n; i++) buf_release(&m->ahead[i].body);
    m->ahead_n = 0;
}

static bool ahead_take(struct mirror *m, const char *path, struct buf *out) {
    for (size_t i = 0; i < m->ahead_n; i++) {
        struct fetch_item *it = &m->ahead[i];
        if (it->status != 200 || strcmp(it->path, path) != 0) continue;
        buf_span(out, buf_view(&it->body));
        it->status = 0; /* once: when it was not right, ask again */
        return !out->failed;
    }
    return false;
}

/* A partial tile may have been removed when it became full. */
static err remote_tile(struct mirror *m, struct tile t, struct buf *out, struct fail *f) {
    char path[TILE_PATH_MAX];
    tile_path(t, path);
    if (ahead_take(m, path, out)) return OK;
    err e = mirror_get(m, path, out->max, out, f);
    if (e != E_NOT_FOUND || t.width == TILE_WIDTH) return e;
    t.width = TILE_WIDTH;
    tile_path(t, path);
    return mirror_get(m, path, out->max, out, f);
}

static err local_tile(struct mirror *m, struct tile t, struct buf *out, struct fail *f) {
    char path[TILE_PATH_MAX];
    tile_path(t, path);
    err e = mirror_read(m, path, out->max, out, f);
    if (e != E_NOT_FOUND || t.width == TILE_WIDTH) return e;
    t.width = TILE_WIDTH;
    tile_path(t, path);
    buf_clear(out);
    return mirror_read(m, path, out->max, out, f);
}

static void cut_to_width(struct tile t, struct buf *b) {
    size_t n = (size_t)t.width * HASH_BYTES;
    if (b->n > n) b->n = n;
}

/* For views: hash tiles from the copy first. */
static err server_hashes(void *ctx, struct tile t, bool again, struct buf *out, struct fail *f) {
    struct mirror *m = ctx;
    struct buf b;
    err e = E_NOT_FOUND;
    buf_init(&b, TILE_BYTES);
    if (!again && t.width == TILE_WIDTH) e = local_tile(m, t, &b, f);
    if (e != OK) {
        buf_clear(&b);
        e = remote_tile(m, t, &b, f);
    }
    if (e == OK) {
        cut_to_width(t, &b);
        buf_span(out, buf_view(&b));
    }
    buf_release(&b);
    return e;
}

static err own_hashes(void *ctx, struct tile t, bool again, struct buf *out, struct fail *f) {
    struct buf b;
    (void)again;
    buf_init(&b, TILE_BYTES);
    err e = local_tile(ctx, t, &b, f);
    if (e == OK) {
        cut_to_width(t, &b);
        buf_span(out, buf_view(&b));
    }
    buf_release(&b);
    return e;
}

static void view_init(struct mirror *m, struct tile_view *v, uint64_t size, const struct hash *root,
                      bool own) {
    memset(v, 0, sizeof *v);
    v->size = size;
    v->root = *root;
    v->get = own ? own_hashes : server_hashes;
    v->ctx = m;
}

/* The first `width` entries of a bundle, each with the hash that it must have; *used gets their bytes.
 * A longer bundle (a full one in place of a partial) is fine. */
static err check_bundle(struct span bytes, struct tile t, const struct hash *hashes,
                        struct span *entries, size_t *used, struct fail *f) {
    char path[TILE_PATH_MAX];
    struct span rest = bytes;
    tile_path(t, path);
    for (unsigned i = 0; i < t.width; i++) {
        bool more;
        TRY(bundle_next(&rest, &entries[i], &more, f));
        struct hash leaf = more ? merkle_leaf(entries[i]) : (struct hash){0};
        if (!more || !hash_eq(&leaf, &hashes[i]))
            return fail_set(f, E_TILE, "%s: entry %llu is not the one under the checkpoint's root",
                            path, (unsigned long long)(t.index * TILE_WIDTH + i));
    }
    *used = bytes.n - rest.n;
    return OK;
}

static err read_bundle(struct mirror *m, struct tile t, const struct hash *hashes, struct buf *b,
                       struct span *entries, struct fail *f) {
    size_t used = 0;
    err e = E_TILE;
    for (int from = 0; from < 3 && e == E_TILE; from++) { /* the copy, what came ahead, again */
        buf_clear(b);
        if (from == 0 && t.width < TILE_WIDTH) continue;
        e = from == 0 ? local_tile(m, t, b, f) : remote_tile(m, t, b, f);
        if (from == 0 && e != OK) e = E_TILE;
        else if (e == OK) e = check_bundle(buf_view(b), t, hashes, entries, &used, f);
    }
    if (e == OK) b->n = used;
    return e;
}

/* --- the range from what is there to a checkpoint --- */

static void ahead_add(struct mirror *m, struct tile t, size_t max) {
    char path[TILE_PATH_MAX], full[PATH_MAX_LEN];
    tile_path(t, path);
    if (m->ahead_n == FETCH_AT_ONCE) return;
    if (t.width == TILE_WIDTH && path_join(full, sizeof full, m->o.dir, path, NULL) == OK &&
        file_exists(full))
        return;
    struct fetch_item *it = &m->ahead[m->ahead_n++];
    memset(it, 0, sizeof *it);
    (void)snprintf(it->path, sizeof it->path, "%s", path);
    buf_init(&it->body, max);
}

/* Several tiles and bundles in one go; what does not come is asked for singly later. */
static void fetch_ahead(struct mirror *m, uint64_t first, uint64_t to, uint64_t size) {
    struct fail ignored;
    ahead_drop(m);
    for (uint64_t i = first; i < to; i++) {
        struct tile t = {.width = (uint16_t)tile_width_at(size, 0, i), .index = i};
        if (t.width == TILE_WIDTH) ahead_add(m, t, TILE_BYTES);
        t.entries = true;
        ahead_add(m, t, TILE_BUNDLE_MAX);
    }
    if (m->ahead_n && m->o.fetch.get(m->o.fetch.ctx, m->ahead, m->ahead_n, &ignored) != OK)
        diag(DIAG_DEBUG, "fetching ahead: %s", ignored.text);
}

static err put_hashes(struct mirror *m, struct tile_view *v, unsigned level, uint64_t index,
                      struct fail *f) {
    const struct hash *h;
    char path[TILE_PATH_MAX];
    struct tile t = {.level = (uint8_t)level, .index = index,
                     .width = (uint16_t)tile_width_at(v->size, level, index)};
    TRY(tile_view_tile(v, level, index, &h, f));
    tile_path(t, path);
    return mirror_put(m, path, span_of(h, t.width * sizeof *h), f);
}

/* The tile, its bundle, and the parents that it completes. */
static err put_tile(struct mirror *m, struct tile_view *v, uint64_t index, struct buf *b,
                    struct fail *f) {
    static _Thread_local struct span entries[TILE_WIDTH];
    struct hash hashes[TILE_WIDTH];
    const struct hash *h;
    char path[TILE_PATH_MAX];
    struct tile t = {.entries = true, .index = index,
                     .width = (uint16_t)tile_width_at(v->size, 0, index)};
    TRY(tile_view_tile(v, 0, index, &h, f));
    memcpy(hashes, h, t.width * sizeof *h);
    TRY(read_bundle(m, t, hashes, b, entries, f));
    tile_path(t, path);
    TRY(mirror_put(m, path, buf_view(b), f));
    TRY(put_hashes(m, v, 0, index, f));
    for (unsigned i = 0; i < t.width; i++)
        TRY(mirror_take_entry(m, index * TILE_WIDTH + i, entries[i], f));
    for (unsigned l = 1; t.width == TILE_WIDTH && (index + 1) % TILE_WIDTH == 0; l++) {
        index /= TILE_WIDTH;
        TRY(put_hashes(m, v, l, index, f));
    }
    return OK;
}

/* Every commit leaves verified files; a mirror that is interrupted finds them again. */
static err take_range(struct mirror *m, struct tile_view *v, struct fail *f) {
    uint64_t first = m->good / TILE_WIDTH, end = (v->size + TILE_WIDTH - 1) / TILE_WIDTH;
    struct buf b;
    err e = OK;
    buf_init(&b, TILE_BUNDLE_MAX);
    for (uint64_t i = first; i < end && e == OK; i++) {
        if ((i - first) % AT_ONCE == 0) {
            if (i > first) e = writer_commit(m->writer, f);
            fetch_ahead(m, i, i + AT_ONCE < end ? i + AT_ONCE : end, v->size);
            if (m->o.progress) m->o.progress(m->o.ctx, i * TILE_WIDTH, v->size);
        }
        if (e == OK) e = put_tile(m, v, i, &b, f);
    }
    for (unsigned l = 1; l < TILE_VIEW_LEVELS && e == OK; l++)
        if (v->level[l].edge_width) e = put_hashes(m, v, l, v->level[l].edge_index, f);
    if (e == OK) e = writer_commit(m->writer, f);
    if (e != OK) writer_abort(m->writer);
    ahead_drop(m);
    buf_release(&b);
    return e;
}

/* --- what was signed before --- */

static err forked(struct mirror *m, const struct checkpoint *c, uint64_t size,
                  const struct hash *root, const struct hash *proof, size_t n,
                  struct mirror_report *out, struct fail *f) {
    TRY(evidence_keep(m, E_FORK, c->size, size, root, proof, n, out, f));
    return fail_set(f, E_FORK,
                    "the log has signed two histories that contradict each other (sizes %llu and "
                    "%llu): different people were shown different records. Both signed checkpoints "
                    "are in %s/%s: give them to commission, parties, observers; any court can check",
                    (unsigned long long)m->size, (unsigned long long)c->size, m->o.dir,
                    out->evidence);
}

/* The older of two signed checkpoints, seen in the log of the newer one. */
static err compare(struct mirror *m, const struct checkpoint *c, struct tile_view *v,
                   struct mirror_report *out, struct fail *f) {
    bool older = c->size < m->size;
    uint64_t size = older ? c->size : m->size;
    const struct hash *said = older ? &c->root : &m->root;
    struct hash root, proof[MERKLE_PROOF_MAX];
    size_t n = 0;
    TRY(tile_view_root_at(v, size, &root, f));
    if (hash_eq(&root, said)) return OK;
    if (size < v->size && size > 0) TRY(tile_view_consistency(v, size, proof, &n, f));
    return forked(m, c, size, &root, proof, n, out, f);
}

/* The server shows less than it has signed: a cache for a moment, or an old copy put in place. */
static err look_back(struct mirror *m, const struct checkpoint *c, struct mirror_report *out,
                     struct fail *f) {
    struct tile_view *v = m->view;
    view_init(m, v, m->size, &m->root, true);
    TRY(tile_view_open(v, f));
    TRY(compare(m, c, v, out, f));
    uint64_t now = clock_monotonic_ms();
    if (!m->behind_since_ms) m->behind_since_ms = now ? now : 1;
    out->behind = true;
    if (now - m->behind_since_ms < m->o.patience_ms) return OK;
    TRY(evidence_keep(m, E_REWIND, c->size, c->size, &c->root, NULL, 0, out, f));
    return fail_set(f, E_REWIND,
                    "the server shows %llu entries, but the log has signed %llu: records that were "
                    "public are gone from it. This copy still has them; both signed checkpoints are "
                    "in %s/%s",
                    (unsigned long long)c->size, (unsigned long long)m->size, m->o.dir,
                    out->evidence);
}

/* --- one update --- */

static err take_checkpoint(struct mirror *m, const struct checkpoint *c, struct mirror_report *out,
                           struct fail *f) {
    if (c->size < m->size) return look_back(m, c, out, f);
    m->behind_since_ms = 0;
    struct tile_view *v = m->view;
    uint64_t before = m->folded;
    if (c->size == m->size && m->size && !hash_eq(&c->root, &m->root))
        return forked(m, c, c->size, &c->root, NULL, 0, out, f);
    if (c->size == m->size && m->good == m->size) return mirror_refresh(m, c, out, f);
    view_init(m, v, c->size, &c->root, false);
    TRY(tile_view_open(v, f));
    if (m->size) TRY(compare(m, c, v, out, f));
    m->report = out;
    TRY(take_range(m, v, f));
    out->added = m->folded - before;
    return mirror_accept(m, c, out, f);
}

err mirror_update(struct mirror *m, struct mirror_report *out, struct fail *f) {
    struct note note;
    struct checkpoint c;
    struct note_line lines[NOTE_LINES_MAX];
    *out = (struct mirror_report){.size = m->size};
    buf_clear(&m->seen);
    TRY(mirror_get(m, "checkpoint", CHECKPOINT_BYTES_MAX, &m->seen, f));
    TRY(checkpoint_open(buf_view(&m->seen), &m->o.log, &c, &note, lines, NOTE_LINES_MAX, f));
    err e = take_checkpoint(m, &c, out, f);
    m->report = NULL;
    out->size = m->size;
    out->refused = m->refused;
    memcpy(out->refused_why, m->refused_why, sizeof out->refused_why);
    return e;
}

/* --- opening --- */

static err load(struct mirror *m, struct fail *f) {
    struct note note;
    struct checkpoint c;
    struct note_line lines[NOTE_LINES_MAX];
    err e = mirror_read(m, "checkpoint", CHECKPOINT_BYTES_MAX, &m->note, f);
    if (e == E_NOT_FOUND) return OK;
    if (e == OK)
        e = checkpoint_open(buf_view(&m->note), &m->o.log, &c, &note, lines, NOTE_LINES_MAX, f);
    if (e != OK) return fail_context(f, e, "the copy in %s", m->o.dir);
    m->size = c.size;
    m->root = c.root;
    view_init(m, m->view, m->size, &m->root, true);
    e = m->o.recheck ? E_TILE : tile_view_open(m->view, f);
    if (e == OK) e = mirror_fold_own(m, m->view, f);
    if (e == OK) {
        m->good = m->size;
    } else if (e == E_TILE || e == E_NOT_FOUND) {
        /* what was signed is remembered; every file is looked at again */
        if (!m->o.recheck) diag(DIAG_WARN, "the copy in %s is damaged: %s", m->o.dir, f->text);
        e = OK;
    }
    return e;
}

err mirror_open(const struct mirror_options *o, struct mirror **out, struct fail *f) {
    struct mirror *m = calloc(1, sizeof *m);
    struct tile_view *v = calloc(1, sizeof *v);
    struct applied *a = calloc(1, sizeof *a);
    if (!m || !v || !a) {
        free(m);
        free(v);
        free(a);
        return fail_set(f, E_MEMORY, "no memory for a mirror");
    }
    m->o = *o;
    m->view = v;
    m->applied = a;
    buf_init(&m->note, CHECKPOINT_BYTES_MAX);
    buf_init(&m->seen, CHECKPOINT_BYTES_MAX);
    buf_init(&m->object, MIRROR_OBJECT_MAX);
    arena_init(&m->arena, 4 << 20);
    err e = writer_open(o->dir, &m->writer, f);
    if (e == OK) e = mirror_fold_new(m, f);
    if (e == OK && o->policy.n) e = mirror_use_policy(m, o->policy, f);
    if (e == OK) e = load(m, f);
    if (e != OK) {
        mirror_close(m);
        return e;
    }
    *out = m;
    return OK;
}

void mirror_close(struct mirror *m) {
    if (!m) return;
    ahead_drop(m);
    writer_close(m->writer);
    fold_free(m->fold);
    buf_release(&m->note);
    buf_release(&m->seen);
    buf_release(&m->object);
    arena_release(&m->arena);
    free(m->view);
    free(m->applied);
    free(m);
}
