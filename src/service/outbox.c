/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "base/text.h"
#include "crypto/secret.h"
#include "election/canonical_json.h"
#include "service/outbox_impl.h"
#include "tlog/policy.h"

enum { ADD_TRIES = 200, ADD_WAIT_MS = 50 };

static const char *const parts[] = {"queue", "done", "refused", "evidence", "tmp"};

const char *outbox_state_name(enum outbox_state s) {
    static const char *const names[] = {"queued", "received", "done", "refused"};
    return names[s];
}

err outbox_path(const struct outbox *o, char out[PATH_MAX_LEN], const char *part, const char *name,
                const char *leaf, struct fail *f) {
    int n = snprintf(out, PATH_MAX_LEN, "%s/%s%s%s%s%s", o->dir, part, name ? "/" : "",
                     name ? name : "", leaf ? "/" : "", leaf ? leaf : "");
    if (n < 0 || n >= PATH_MAX_LEN) return fail_set(f, E_IO, "path too long: %.200s", o->dir);
    return OK;
}

/* --- folders --- */

/* Item folders are two levels deep at most. */
static void remove_folder(const char *path, int depth) {
    DIR *d = opendir(path);
    if (!d) {
        (void)unlink(path);
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char inner[PATH_MAX_LEN];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        if (path_join(inner, sizeof inner, path, e->d_name, NULL) != OK) continue;
        if (unlink(inner) != 0 && depth > 0) remove_folder(inner, depth - 1);
    }
    closedir(d);
    (void)rmdir(path);
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

/* SEQ-ID: ten digits, a dash, 64 hexadecimal digits. */
static bool name_valid(const char *name) {
    struct hash id;
    if (strlen(name) != OUTBOX_SEQ_DIGITS + 1 + HASH_HEX_LEN || name[OUTBOX_SEQ_DIGITS] != '-') return false;
    for (int i = 0; i < OUTBOX_SEQ_DIGITS; i++)
        if (!char_is_digit((uint8_t)name[i])) return false;
    return hash_from_hex(span_text(name + OUTBOX_SEQ_DIGITS + 1), &id, NULL) == OK;
}

err outbox_names_read(struct outbox *o, const char *part, struct outbox_names *out,
                      struct fail *f) {
    char path[PATH_MAX_LEN];
    size_t cap = 0;
    *out = (struct outbox_names){0};
    TRY(outbox_path(o, path, part, NULL, NULL, f));
    DIR *d = opendir(path);
    if (!d) return file_error(f, errno, "reading", path);
    err e = OK;
    for (struct dirent *x; e == OK && (x = readdir(d));) {
        if (!name_valid(x->d_name)) continue;
        if (out->n == OUTBOX_NAMES_MAX) e = fail_set(f, E_TOO_LARGE, "%s: too many items", path);
        if (e == OK && out->n == cap) {
            cap = cap ? cap * 2 : 64;
            void *more = realloc(out->at, cap * sizeof *out->at);
            if (!more) e = fail_set(f, E_MEMORY, "no memory for the outbox");
            if (more) out->at = more;
        }
        if (e == OK) memcpy(out->at[out->n++], x->d_name, strlen(x->d_name) + 1);
    }
    closedir(d);
    if (out->n) qsort(out->at, out->n, sizeof *out->at, by_name);
    if (e != OK) outbox_names_release(out);
    return e;
}

void outbox_names_release(struct outbox_names *x) {
    free(x->at);
    *x = (struct outbox_names){0};
}

err outbox_move(struct outbox *o, const char *name, const char *from, const char *to,
                struct fail *f) {
    char a[PATH_MAX_LEN], b[PATH_MAX_LEN], dir[PATH_MAX_LEN];
    TRY(outbox_path(o, a, from, name, NULL, f));
    TRY(outbox_path(o, b, to, name, NULL, f));
    int fault = file_fault("rename", b);
    if (fault || rename(a, b)) return file_error(f, fault ? fault : errno, "moving to", b);
    TRY(outbox_path(o, dir, to, NULL, NULL, f));
    TRY(file_sync_dir(dir, f));
    TRY(outbox_path(o, dir, from, NULL, NULL, f));
    return file_sync_dir(dir, f);
}

/* --- opening --- */

static err take_anchor(struct outbox *o, struct fail *f) {
    TRY(anchor_parse(buf_view(&o->anchor_bytes), &o->anchor, f));
    struct arena arena;
    struct policy policy = {0};
    arena_init(&arena, 4 << 20);
    err e = o->anchor.policy.n ? policy_parse(o->anchor.policy, &arena, &policy, f) : OK;
    o->has_witnesses = e == OK && policy.has_quorum;
    arena_release(&arena);
    o->pinned = e == OK;
    return e;
}

/* Others may be adding: only one adds or sweeps at a time, and not for long. */
static err lock_adding(struct outbox *o, int *fd, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(outbox_path(o, path, "add.lock", NULL, NULL, f));
    err e = E_LOCKED;
    for (int i = 0; i < ADD_TRIES && e == E_LOCKED; i++) {
        e = file_lock(path, fd, f);
        if (e == E_LOCKED)
            nanosleep(&(struct timespec){.tv_nsec = ADD_WAIT_MS * 1000000L}, NULL);
    }
    return e;
}

static void sweep(struct outbox *o) {
    char path[PATH_MAX_LEN];
    if (outbox_path(o, path, "tmp", NULL, NULL, NULL) != OK) return;
    remove_folder(path, 3);
}

err outbox_open(const char *dir, struct outbox **out, struct fail *f) {
    struct outbox *o = calloc(1, sizeof *o);
    if (!o) return fail_set(f, E_MEMORY, "no memory for the outbox");
    o->sender = -1;
    outbox_index_init(&o->index);
    buf_init(&o->anchor_bytes, ANCHOR_BYTES_MAX);
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') n--;
    (void)snprintf(o->dir, sizeof o->dir, "%.*s", (int)n, dir);
    char path[PATH_MAX_LEN];
    int lock = -1;
    err e = file_mkdirs(o->dir, f);
    if (e == OK) e = lock_adding(o, &lock, f);
    if (e == OK) sweep(o);
    for (size_t i = 0; e == OK && i < sizeof parts / sizeof *parts; i++) {
        e = outbox_path(o, path, parts[i], NULL, NULL, f);
        if (e == OK) e = file_mkdirs(path, f);
    }
    if (e == OK) e = file_sync_dir(o->dir, f);
    if (e == OK) e = outbox_path(o, path, "anchor", NULL, NULL, f);
    if (e == OK && file_exists(path)) {
        e = file_read(path, ANCHOR_BYTES_MAX, &o->anchor_bytes, f);
        if (e == OK) e = take_anchor(o, f);
    }
    if (lock >= 0) close(lock);
    if (e != OK) {
        outbox_close(o);
        return e;
    }
    *out = o;
    return OK;
}

void outbox_close(struct outbox *o) {
    if (!o) return;
    if (o->sender >= 0) close(o->sender);
    outbox_index_release(&o->index);
    buf_release(&o->anchor_bytes);
    free(o);
}

err outbox_pin(struct outbox *o, struct span anchor, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct anchor check;
    TRY(outbox_path(o, path, "anchor", NULL, NULL, f));
    if (o->pinned && span_eq(anchor, buf_view(&o->anchor_bytes))) return OK;
    if (o->pinned)
        return fail_set(f, E_ANCHOR, "this outbox is bound to the anchor %.300s, which is another "
                                     "one; use another folder for another election",
                        path);
    TRY(anchor_parse(anchor, &check, f));
    TRY(file_write_durable(path, anchor, 0644, f));
    buf_clear(&o->anchor_bytes);
    buf_span(&o->anchor_bytes, anchor);
    TRY(buf_ok(&o->anchor_bytes, f));
    return take_anchor(o, f);
}

const struct anchor *outbox_anchor(const struct outbox *o) {
    return o->pinned ? &o->anchor : NULL;
}

bool outbox_has_witnesses(const struct outbox *o) {
    return o->pinned && o->has_witnesses;
}

/* --- items --- */

static void read_refusal(struct outbox *o, const char *part, const char *name,
                         struct outbox_item *out) {
    char path[PATH_MAX_LEN];
    struct buf b;
    struct cj j;
    struct arena a;
    buf_init(&b, 4096);
    arena_init(&a, 65536);
    if (outbox_path(o, path, part, name, "refusal", NULL) == OK &&
        file_read(path, 4096, &b, NULL) == OK && b.n) {
        char code[64];
        cj_init(&j, span_of(b.p, b.n - 1), NULL);
        cj_object(&j);
        cj_need(&j, "code");
        struct span c = cj_code(&j, 60);
        cj_need(&j, "sentence");
        struct span s = cj_text(&j, &a, sizeof out->refusal.text - 1);
        cj_object_end(&j);
        if (cj_end(&j) == OK) {
            (void)snprintf(code, sizeof code, "%.*s", SPAN_ARG(c));
            (void)fail_set(&out->refusal, err_by_name(code), "%.*s", (int)s.n, (const char *)s.p);
        }
    }
    buf_release(&b);
    arena_release(&a);
}

err outbox_item_read(struct outbox *o, const char *part, const char *name, struct outbox_item *out,
                     struct buf *note, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct buf own, receipt;
    *out = (struct outbox_item){.index = UINT64_MAX};
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    (void)snprintf(out->id, sizeof out->id, "%s", name + OUTBOX_SEQ_DIGITS + 1);
    (void)snprintf(out->path, sizeof out->path, "%.380s/%s/%s", o->dir, part, name);
    out->state = strcmp(part, "done") == 0      ? OUTBOX_DONE
                 : strcmp(part, "refused") == 0 ? OUTBOX_REFUSED
                                                : OUTBOX_QUEUED;
    buf_init(&own, ENTRY_MAX);
    buf_init(&receipt, OUTBOX_RECEIPT_MAX);
    struct buf *to = note ? note : &own;
    err e = outbox_path(o, path, part, name, "note", f);
    if (e == OK) e = file_read(path, ENTRY_MAX, to, f);
    if (e == OK) e = outbox_path(o, path, part, name, "receipt", f);
    if (e == OK && out->state == OUTBOX_REFUSED) read_refusal(o, part, name, out);
    if (e == OK && o->pinned && file_exists(path)) {
        e = file_read(path, OUTBOX_RECEIPT_MAX, &receipt, f);
        /* a receipt that no longer holds was damaged here: the server gives another one */
        if (e == OK && outbox_check_receipt(&o->anchor, buf_view(to), buf_view(&receipt), &out->index,
                                            &out->witnessed, &out->not_logged, NULL) == OK &&
            out->state == OUTBOX_QUEUED)
            out->state = OUTBOX_RECEIVED;
    }
    buf_release(&own);
    buf_release(&receipt);
    return e;
}

err outbox_list(struct outbox *o, outbox_visit *visit, void *ctx, struct fail *f) {
    static const char *const order[] = {"done", "refused", "queue"};
    for (size_t k = 0; k < 3; k++) {
        struct outbox_names names;
        TRY(outbox_names_read(o, order[k], &names, f));
        err e = OK;
        for (size_t i = 0; e == OK && i < names.n; i++) {
            struct outbox_item item;
            e = outbox_item_read(o, order[k], names.at[i], &item, NULL, f);
            if (e == E_NOT_FOUND) e = OK; /* another process moved it meanwhile */
            else if (e == OK) visit(ctx, &item);
        }
        outbox_names_release(&names);
        TRY(e);
    }
    return OK;
}

/* --- adding --- */

struct adding {
    struct record rec;
    struct notes_object objects[OUTBOX_OBJECTS_MAX];
    bool present[OUTBOX_OBJECTS_MAX];
    size_t object_count;
    char tmp[PATH_MAX_LEN]; /* the folder being made */
};

static err add_object(struct adding *a, const char *file, struct fail *f) {
    struct span bytes;
    char hex[HASH_HEX_LEN + 1], path[PATH_MAX_LEN];
    TRY(file_map(file, &bytes, f));
    struct hash h = sha256(bytes);
    err e = fail_set(f, E_OBJECT, "the record names no object with the bytes of %s", file);
    if (bytes.n > OUTBOX_OBJECT_MAX)
        e = fail_set(f, E_TOO_LARGE, "%s has more than %d MiB", file, OUTBOX_OBJECT_MAX >> 20);
    for (size_t i = 0; i < a->object_count && e == E_OBJECT; i++) {
        if (!hash_eq(&a->objects[i].id, &h) || a->objects[i].size != bytes.n) continue;
        hash_hex(&h, hex);
        int n = snprintf(path, sizeof path, "%s/objects/%s", a->tmp, hex);
        e = n < (int)sizeof path ? file_mkdirs_for(path, f) : fail_set(f, E_IO, "path too long");
        if (e == OK) e = file_write_durable(path, bytes, 0600, f);
        for (size_t k = i; k < a->object_count; k++)
            if (hash_eq(&a->objects[k].id, &h)) a->present[k] = true;
    }
    file_unmap(bytes);
    return e;
}

/* The whole item, synced, in tmp/: renaming it makes it an item. */
static err make_folder(struct outbox *o, struct adding *a, struct span note,
                       const char *const *files, size_t n, struct fail *f) {
    char path[PATH_MAX_LEN], name[32];
    uint8_t random[8];
    secret_random(random, sizeof random);
    hex_encode(span_of(random, sizeof random), name);
    TRY(outbox_path(o, a->tmp, "tmp", name, NULL, f));
    TRY(file_mkdirs(a->tmp, f));
    TRY(path_join(path, sizeof path, a->tmp, "note", f));
    TRY(file_write_durable(path, note, 0600, f));
    for (size_t i = 0; i < n; i++) TRY(add_object(a, files[i], f));
    TRY(path_join(path, sizeof path, a->tmp, "objects", f));
    if (file_exists(path)) TRY(file_sync_dir(path, f));
    return file_sync_dir(a->tmp, f);
}

static void item_name(uint64_t seq, const char *id, char name[96]) {
    (void)snprintf(name, 96, "%010llu-%s", (unsigned long long)seq, id);
}

/* Whether the same bytes are queued or done: *out. `refused` gets the name under which they were. */
static err look_for(struct outbox *o, const struct hash *id, struct span note, bool *found,
                    struct outbox_item *out, char refused[96], struct fail *f) {
    static const char *const where[] = {"queue", "done", "refused"};
    char hex[HASH_HEX_LEN + 1], name[96];
    size_t cursor = 0;
    uint64_t seq;
    *found = false;
    refused[0] = 0;
    hash_hex(id, hex);
    while (!*found && outbox_index_next(&o->index, id, &cursor, &seq)) {
        item_name(seq, hex, name);
        for (size_t k = 0; k < 3 && !*found; k++) {
            struct buf there;
            buf_init(&there, ENTRY_MAX);
            err e = outbox_item_read(o, where[k], name, out, &there, f);
            if (e == OK && k < 2 && span_eq(buf_view(&there), note)) *found = true;
            if (e == OK && k == 2) (void)snprintf(refused, 96, "%s", name);
            buf_release(&there);
            if (e != E_NOT_FOUND) TRY(e);
        }
    }
    return OK;
}

static err add_locked(struct outbox *o, struct adding *a, int lock, struct span note,
                      const char *const *files, size_t n, struct outbox_item *out,
                      struct fail *f) {
    char id[HASH_HEX_LEN + 1], name[96], refused[96], to[PATH_MAX_LEN], dir[PATH_MAX_LEN];
    bool found;
    uint64_t seq;
    hash_hex(&a->rec.id, id);
    TRY(outbox_index_ready(o, lock, f));
    TRY(look_for(o, &a->rec.id, note, &found, out, refused, f));
    if (found) return OK;
    TRY(make_folder(o, a, note, files, n, f));
    TRY(outbox_index_claim(o, lock, &seq, f));
    item_name(seq, id, name);
    TRY(outbox_path(o, to, "queue", name, NULL, f));
    TRY(outbox_path(o, dir, "queue", NULL, NULL, f));
    int fault = file_fault("rename", to);
    if (fault || rename(a->tmp, to)) return file_error(f, fault ? fault : errno, "moving to", to);
    TRY(file_sync_dir(dir, f));
    TRY(outbox_index_added(o, seq, &a->rec.id, f));
    if (refused[0]) { /* it is queued anew: the refusal is history */
        TRY(outbox_path(o, to, "refused", refused, NULL, f));
        remove_folder(to, 2);
    }
    return outbox_item_read(o, "queue", name, out, NULL, f);
}

err outbox_add(struct outbox *o, struct span note, const char *const *files, size_t n,
               struct outbox_item *out, size_t *missing, struct fail *f) {
    struct adding *a = calloc(1, sizeof *a);
    int lock = -1;
    if (!a) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = notes_parse(note, &a->rec, f);
    if (e == OK && a->rec.split.count == 0)
        e = fail_set(f, E_UNSIGNED, "nobody has signed this record: hesabu sign does that");
    if (e == OK && o->pinned && a->rec.type != REC_MANIFEST) {
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&o->anchor.manifest, hex);
        if (!span_is(notes_member(&a->rec, "election"), hex))
            e = fail_set(f, E_ELECTION, "the record is of another election than the anchor %s/anchor",
                         o->dir);
    }
    if (e == OK)
        e = notes_objects(&a->rec, a->objects, OUTBOX_OBJECTS_MAX, &a->object_count, f);
    if (e == OK) e = lock_adding(o, &lock, f);
    if (e == OK) e = add_locked(o, a, lock, note, files, n, out, f);
    if (e != OK && a->tmp[0]) remove_folder(a->tmp, 2);
    if (lock >= 0) close(lock);
    *missing = 0;
    for (size_t i = 0; i < a->object_count; i++) *missing += !a->present[i];
    free(a);
    return e;
}
