/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store/store.h"

#include "base/file.h"

static err check_usable(const struct store *s, struct fail *f) {
    if (s->failed)
        return fail_set(f, E_IO,
                        "the record store failed before: close it, open it again and replay");
    return OK;
}

static err check_row(const struct store_row *r, struct fail *f) {
    if (r->note) {
        if (r->note != STORE_SIGNED && r->note != STORE_WITNESSED)
            return fail_set(f, E_USAGE, "a stored checkpoint has no kind %d", (int)r->note);
        if (!r->value.p || r->value.n == 0 || r->value.n > STORE_NOTE_MAX)
            return fail_set(f, E_TOO_LARGE, "a stored checkpoint has 1 to %d bytes, not %zu",
                            STORE_NOTE_MAX, r->value.n);
        if (r->size > INT64_MAX) return fail_set(f, E_RANGE, "a checkpoint's size is past 2^63");
        return OK;
    }
    if (!r->key || !*r->key || strlen(r->key) > STORE_KEY_MAX)
        return fail_set(f, E_USAGE, "a stored value needs a key of 1 to %d bytes", STORE_KEY_MAX);
    if (r->value.n > STORE_VALUE_MAX)
        return fail_set(f, E_TOO_LARGE, "the value %s has more than %d bytes", r->key,
                        STORE_VALUE_MAX);
    return OK;
}

static err check_batch(const struct store_batch *b, struct fail *f) {
    if (b->count > STORE_BATCH_MAX)
        return fail_set(f, E_TOO_LARGE, "a batch holds %zu entries, more than %d", b->count,
                        STORE_BATCH_MAX);
    if (b->first > (uint64_t)INT64_MAX - b->count)
        return fail_set(f, E_RANGE, "an index is past 2^63");
    if (b->count && (b->body.n == 0 || b->body.n > STORE_BODY_MAX))
        return fail_set(f, E_TOO_LARGE, "a checkpoint body has 1 to %d bytes, not %zu",
                        STORE_BODY_MAX, b->body.n);
    for (size_t i = 0; i < b->count; i++)
        if (b->entries[i].n > STORE_ENTRY_MAX)
            return fail_set(f, E_TOO_LARGE, "entry %llu has %zu bytes, more than %d",
                            (unsigned long long)(b->first + i), b->entries[i].n, STORE_ENTRY_MAX);
    for (size_t i = 0; i < b->row_count; i++) TRY(check_row(&b->rows[i], f));
    return OK;
}

/* What a write left behind: anything but success and a clean refusal is an unknown outcome. */
static err after_write(struct store *s, err e) {
    if (e != OK && e != E_FENCED) s->failed = true;
    return e;
}

err store_head(struct store *s, struct store_head *out, struct fail *f) {
    TRY(check_usable(s, f));
    return s->ops->head(s, out, f);
}

err store_take_term(struct store *s, uint64_t *term, struct fail *f) {
    TRY(check_usable(s, f));
    return after_write(s, s->ops->take_term(s, term, f));
}

err store_append(struct store *s, const struct store_batch *b, struct fail *f) {
    TRY(check_usable(s, f));
    TRY(check_batch(b, f));
    return after_write(s, s->ops->append(s, b, f));
}

bool store_failed(const struct store *s) {
    return s->failed;
}

err store_note_get(struct store *s, enum store_note note, uint64_t size, struct buf *out,
                   struct fail *f) {
    TRY(check_usable(s, f));
    if (size > INT64_MAX) return fail_set(f, E_RANGE, "a checkpoint's size is past 2^63");
    return s->ops->note(s, note, &size, false, out, f);
}

err store_note_latest(struct store *s, enum store_note note, uint64_t *size, struct buf *out,
                      struct fail *f) {
    TRY(check_usable(s, f));
    return s->ops->note(s, note, size, true, out, f);
}

err store_meta_get(struct store *s, const char *key, struct buf *out, struct fail *f) {
    TRY(check_usable(s, f));
    return s->ops->meta(s, key, out, f);
}

void store_close(struct store *s) {
    if (s) s->ops->close(s);
}

err store_reader_open(struct store *s, struct store_reader **out, struct fail *f) {
    *out = NULL;
    TRY(check_usable(s, f));
    return s->ops->reader_open(s, out, f);
}

void store_reader_close(struct store_reader *r) {
    if (r) r->ops->reader_close(r);
}

err store_read(struct store_reader *r, uint64_t first, uint64_t count, store_visit *visit,
               void *ctx, struct fail *f) {
    if (first > INT64_MAX || count > (uint64_t)INT64_MAX - first)
        return fail_set(f, E_RANGE, "an index is past 2^63");
    return r->ops->read(r, first, count, visit, ctx, f);
}

static err copy_entry(void *ctx, uint64_t index, struct span entry, struct fail *f) {
    (void)index;
    struct buf *out = ctx;
    buf_span(out, entry);
    return buf_ok(out, f);
}

err store_entry(struct store_reader *r, uint64_t index, struct buf *out, struct fail *f) {
    if (index >= INT64_MAX) return fail_set(f, E_RANGE, "an index is past 2^63");
    return r->ops->read(r, index, 1, copy_entry, out, f);
}

err store_reader_head(struct store_reader *r, struct store_head *out, struct fail *f) {
    return r->ops->reader_head(r, out, f);
}

err store_lock_folder(const char *dir, int *fd, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(path_join(path, sizeof path, dir, "lock", f));
    err e = file_lock(path, fd, f);
    if (e == E_LOCKED)
        return fail_set(f, E_LOCKED,
                        "the folder %s is in use by another process: stop that one, or use "
                        "another folder",
                        dir);
    return e;
}
