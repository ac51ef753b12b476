/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/tree_log.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "tlog/checkpoint.h"
#include "tlog/tile.h"

enum { OBJECT_MAX = 1 << 30 };

struct tree_reading {
    const struct tree_source *t;
    struct tree_log_options o;
    struct tree_log *log;
    uint64_t done; /* entries in the fold */
    bool broken;   /* it stopped in the middle of one */
    struct merkle_frontier frontier;
    struct buf object, bundle;
    err reading; /* of the last object */
    struct record rec;
    struct applied applied;
};

static err read_object(struct tree_reading *r, const struct hash *id, uint64_t size, struct span *out,
                      struct fail *f) {
    char path[80] = "objects/";
    if (size > OBJECT_MAX) return fail_set(f, E_TOO_LARGE, "an object of more than 1 GiB");
    hash_hex(id, path + 8);
    buf_clear(&r->object);
    err e = r->t->get(r->t->ctx, path, size, &r->object, f);
    if (e == E_NOT_FOUND)
        return fail_set(f, E_OBJECT_MISSING, "the tree lacks the object %s, which its records need",
                        path + 8);
    if (e != OK) return e;
    struct hash h = sha256(buf_view(&r->object));
    if (r->object.n != size || !hash_eq(&h, id))
        return fail_set(f, E_OBJECT, "the object %s is not what its name says", path + 8);
    *out = buf_view(&r->object);
    return OK;
}

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                      struct fail *f) {
    struct tree_reading *r = ctx;
    return r->reading = read_object(r, id, size, out, f);
}

static err read_bundle(struct tree_reading *r, uint64_t index, struct buf *out, struct fail *f) {
    struct tile t = {.entries = true, .index = index,
                     .width = (uint16_t)tile_width_at(r->log->size, 0, index)};
    buf_clear(out);
    return tree_source_tile(r->t, t, out, f);
}

/* The text of an entry that came earlier: lines of a `signatures` record are over that one. */
static err text_of(struct tree_reading *r, uint64_t index, struct buf *out, struct fail *f) {
    struct buf b;
    buf_init(&b, TILE_BUNDLE_MAX);
    err e = read_bundle(r, index / TILE_WIDTH, &b, f);
    struct span rest = buf_view(&b), entry = {0}, note;
    bool more = true;
    for (uint64_t i = 0; e == OK && more && i <= index % TILE_WIDTH; i++)
        e = bundle_next(&rest, &entry, &more, f);
    uint64_t ms;
    struct note parts;
    if (e == OK) e = entry_parse(entry, &ms, &note, f);
    if (e == OK) e = note_cut(note, &parts, f);
    if (e == OK) {
        buf_span(out, parts.text);
        e = buf_ok(out, f);
    }
    buf_release(&b);
    return e;
}

static err check_signatures(struct tree_reading *r, struct fail *f) {
    const struct applied *a = &r->applied;
    for (size_t i = 0; i < a->check_count; i++) {
        const struct sig_check *c = &a->checks[i];
        struct buf text;
        buf_init(&text, ENTRY_MAX);
        err e = c->message.p ? OK : text_of(r, c->of, &text, f);
        struct span message = c->message.p ? c->message : buf_view(&text);
        bool holds = e == OK && ed25519_verify((const struct ed25519_public *)c->pub,
                                               (const struct ed25519_signature *)c->sig, message);
        buf_release(&text);
        TRY(e);
        if (!holds)
            return fail_set(f, E_SIGNATURE, "entry %llu: signature line %u does not verify",
                            (unsigned long long)a->index, c->line + 1u);
        r->log->signatures++;
    }
    return OK;
}

static err take_entry(struct tree_reading *r, uint64_t index, struct span entry, struct fail *f) {
    err e = fold_apply(r->log->fold, entry, &r->applied, f);
    if (r->reading != OK) return r->reading; /* an object could not be read: nothing is judged */
    if (e != OK)
        return fail_context(f, e, "entry %llu should not be in the log", (unsigned long long)index);
    struct hash leaf = merkle_leaf(entry);
    merkle_frontier_append(&r->frontier, &leaf);
    r->done++;
    r->broken = true; /* until everything below has held: the entry is in the fold, and not twice */
    if (index == 0 && !hash_eq(&r->applied.id, &r->log->anchor.manifest))
        return fail_set(f, E_ANCHOR, "the log begins with another manifest than the anchor names");
    if (r->o.check_signatures) TRY(check_signatures(r, f));
    uint64_t ms;
    struct span note;
    if (r->o.visit) {
        TRY(entry_parse(entry, &ms, &note, f));
        TRY(record_parse(note, &r->rec, f));
        TRY(r->o.visit(r->o.ctx, &r->applied, ms, &r->rec, f));
    }
    r->broken = false;
    return OK;
}

static err read_anchor(struct tree_reading *r, struct fail *f) {
    struct tree_log *l = r->log;
    TRY(r->o.anchor ? file_read(r->o.anchor, ANCHOR_BYTES_MAX, &l->anchor_bytes, f)
                    : r->t->get(r->t->ctx, "anchor", ANCHOR_BYTES_MAX, &l->anchor_bytes, f));
    TRY(anchor_parse(buf_view(&l->anchor_bytes), &l->anchor, f));
    l->anchored = r->o.anchor != NULL;
    return OK;
}

static err read_head(struct tree_reading *r, struct fail *f) {
    struct tree_log *l = r->log;
    struct buf b;
    struct checkpoint c;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    buf_init(&b, CHECKPOINT_BYTES_MAX);
    err e = r->t->get(r->t->ctx, "checkpoint", CHECKPOINT_BYTES_MAX, &b, f);
    if (e == OK)
        e = checkpoint_open(buf_view(&b), &l->anchor.log, &c, &note, lines, NOTE_LINES_MAX, f);
    if (e == OK && c.size < r->done)
        e = fail_set(f, E_REWIND, "the log shows %llu entries and showed %llu before",
                     (unsigned long long)c.size, (unsigned long long)r->done);
    if (e == OK) {
        l->size = c.size;
        l->root = c.root;
    }
    buf_release(&b);
    return e;
}

static err read_entries(struct tree_reading *r, struct fail *f) {
    while (r->done < r->log->size) {
        uint64_t tile = r->done / TILE_WIDTH, at = tile * TILE_WIDTH;
        TRY(read_bundle(r, tile, &r->bundle, f));
        struct span rest = buf_view(&r->bundle), entry;
        for (uint64_t end = at + tile_width_at(r->log->size, 0, tile); at < end; at++) {
            bool more;
            TRY(bundle_next(&rest, &entry, &more, f));
            if (!more) return fail_set(f, E_TILE, "the bundle of entry %llu is cut short",
                                       (unsigned long long)at);
            if (at < r->done) continue; /* in the fold already */
            TRY(take_entry(r, at, entry, f));
        }
        if (r->o.progress) r->o.progress(r->o.progress_ctx, r->done, r->log->size);
    }
    struct hash root = merkle_frontier_root(&r->frontier);
    if (!hash_eq(&root, &r->log->root))
        return fail_set(f, E_PROOF, "the entries do not have the root that the log signed: 'hesabu "
                                    "verify' tells more");
    return OK;
}

err tree_log_replay(const struct tree_source *t, const struct tree_log_options *o, struct tree_log *out,
                    struct fail *f) {
    struct tree_reading *r = calloc(1, sizeof *r);
    *out = (struct tree_log){.reading = r};
    buf_init(&out->anchor_bytes, ANCHOR_BYTES_MAX);
    if (!r) return fail_set(f, E_MEMORY, "no memory for the log");
    *r = (struct tree_reading){.t = t, .o = *o, .log = out};
    buf_init(&r->object, OBJECT_MAX);
    buf_init(&r->bundle, TILE_BUNDLE_MAX);
    struct fold_options fo = {.objects = {get_object, r}};
    err e = fold_new(&fo, &out->fold, f);
    if (e == OK) e = read_anchor(r, f);
    if (e == OK) e = read_head(r, f);
    if (e == OK) fold_set_hash_key(out->fold, out->root.b);
    if (e == OK) e = read_entries(r, f);
    r->o.progress = NULL;
    if (e != OK) tree_log_release(out);
    return e;
}

err tree_log_more(struct tree_log *l, bool *news, struct fail *f) {
    struct tree_reading *r = l->reading;
    uint64_t before = r->done;
    *news = false;
    r->reading = OK;
    if (r->broken) return fail_set(f, E_STATE, "entry %llu did not hold: read the log anew",
                                   (unsigned long long)(r->done - 1));
    TRY(read_head(r, f));
    err e = read_entries(r, f);
    *news = r->done > before;
    return e;
}

void tree_log_release(struct tree_log *l) {
    if (l->fold) fold_free(l->fold);
    if (l->reading) {
        buf_release(&l->reading->object);
        buf_release(&l->reading->bundle);
        free(l->reading);
    }
    buf_release(&l->anchor_bytes);
    *l = (struct tree_log){0};
}
