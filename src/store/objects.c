/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "store/objects_table.h"

/* Up to FEW files are synced one by one; more by one sync of the file system, which costs one flush
 * of the disk instead of one a file. */
enum { FEW = 4, NAME_LEN = 160 };

enum folder { F_PUBLIC, F_RESTRICTED, F_PENDING, F_INCOMING, F_COUNT };

struct objects {
    struct objects_options limits; /* its paths are not used after opening */
    char dir[F_COUNT][PATH_MAX_LEN];
    int fd[F_COUNT];
    int lock_fd;

    pthread_mutex_t lock; /* guards all that follows */
    pthread_cond_t synced;
    struct object_table table;
    struct object_put *queue; /* complete uploads that wait for a sync */
    bool syncing;
    bool failed; /* a sync failed: what the disk holds is unknown */
    uint64_t next_incoming;
};

struct object_put {
    struct objects *o;
    struct object_ref ref;
    struct uploader by;
    uint64_t size, got, ms;
    struct sha256_stream *sha;
    int fd;
    char name[24]; /* in incoming/ */
    struct object_put *next;
    bool done;
    struct fail result;
};

static enum folder kept_in(enum object_class class) {
    return class == OBJECT_PUBLIC ? F_PUBLIC : F_RESTRICTED;
}

static struct uploader uploader_of(const char *key) {
    struct uploader u;
    struct hash h = sha256(span_text(key));
    memcpy(u.b, h.b, sizeof u.b);
    return u;
}

/* pending/<id>-<class>-<uploader>-<ms> */
static void pending_name(const struct object_ref *ref, const struct uploader *by, uint64_t ms,
                         char out[NAME_LEN]) {
    char id[HASH_HEX_LEN + 1], who[2 * UPLOADER_BYTES + 1];
    hash_hex(&ref->id, id);
    hex_encode(span_of(by->b, sizeof by->b), who);
    snprintf(out, NAME_LEN, "%s-%c-%s-%llu", id, ref->class == OBJECT_PUBLIC ? 'p' : 'r', who,
             (unsigned long long)ms);
}

static bool pending_parse(const char *name, struct object_ref *ref, struct uploader *by,
                          uint64_t *ms) {
    struct span s = span_text(name);
    enum {
        CLASS_AT = HASH_HEX_LEN + 1,
        BY_AT = CLASS_AT + 2,
        MS_AT = BY_AT + 2 * UPLOADER_BYTES + 1
    };
    if (s.n <= MS_AT || name[CLASS_AT - 1] != '-' || name[BY_AT - 1] != '-' ||
        name[MS_AT - 1] != '-' || (name[CLASS_AT] != 'p' && name[CLASS_AT] != 'r'))
        return false;
    ref->class = name[CLASS_AT] == 'p' ? OBJECT_PUBLIC : OBJECT_RESTRICTED;
    return hash_from_hex(span_of(name, HASH_HEX_LEN), &ref->id, NULL) == OK &&
           hex_decode(span_of(name + BY_AT, 2 * UPLOADER_BYTES), by->b, sizeof by->b, NULL) == OK &&
           u64_parse(span_from(s, MS_AT), UINT64_MAX, ms, NULL) == OK;
}

static err usable(struct objects *o, struct fail *f) {
    if (o->failed)
        return fail_set(f, E_IO, "the object store in %s failed to sync before: start again",
                        o->dir[F_PENDING]);
    return OK;
}

/* Kept under its final name; *size may be NULL. */
static bool is_kept(struct objects *o, const struct object_ref *ref, uint64_t *size) {
    char id[HASH_HEX_LEN + 1];
    struct stat st;
    hash_hex(&ref->id, id);
    if (fstatat(o->fd[kept_in(ref->class)], id, &st, 0) || !S_ISREG(st.st_mode)) return false;
    if (size) *size = (uint64_t)st.st_size;
    return true;
}

/* --- opening
 * -------------------------------------------------------------------------------------- */

static err open_folder(struct objects *o, enum folder at, const char *parent, const char *name,
                       struct fail *f) {
    TRY(path_join(o->dir[at], PATH_MAX_LEN, parent, name, f));
    TRY(file_mkdirs(o->dir[at], f));
    if (at != F_PUBLIC && chmod(o->dir[at], 0700))
        return file_error(f, errno, "protecting", o->dir[at]);
    o->fd[at] = open(o->dir[at], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (o->fd[at] < 0) return file_error(f, errno, "opening", o->dir[at]);
    return OK;
}

/* Nothing private below the published tree; one file system, as objects move by renaming. */
static err check_apart(struct objects *o, const struct objects_options *opt, struct fail *f) {
    char *pub = realpath(opt->public_dir, NULL), *priv = realpath(opt->private_dir, NULL);
    err e = OK;
    if (!pub || !priv) {
        e = file_error(f, errno, "opening", pub ? opt->private_dir : opt->public_dir);
    } else {
        size_t n = strlen(pub);
        if (strncmp(priv, pub, n) == 0 && (priv[n] == '/' || priv[n] == 0))
            e = fail_set(f, E_CONFIG,
                         "the private folder %s lies in the published tree %s: keep them apart",
                         priv, pub);
    }
    free(pub);
    free(priv);
    if (e != OK) return e;
    struct stat a, b;
    if (fstat(o->fd[F_PUBLIC], &a) || fstat(o->fd[F_PENDING], &b))
        return file_error(f, errno, "looking at", o->dir[F_PUBLIC]);
    if (a.st_dev != b.st_dev)
        return fail_set(f, E_CONFIG, "%s and %s must be on one file system", o->dir[F_PUBLIC],
                        o->dir[F_PENDING]);
    return OK;
}

static err each_name(struct objects *o, enum folder at,
                     err (*visit)(void *ctx, const char *name, struct fail *f), void *ctx,
                     struct fail *f) {
    int fd = openat(o->fd[at], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        int e = errno;
        if (fd >= 0) close(fd);
        return file_error(f, e, "reading", o->dir[at]);
    }
    err e = OK;
    errno = 0;
    for (struct dirent *x; e == OK && (x = readdir(d)); errno = 0)
        if (x->d_name[0] != '.') e = visit(ctx, x->d_name, f);
    if (e == OK && errno) e = file_error(f, errno, "reading", o->dir[at]);
    closedir(d);
    return e;
}

static err sweep_one(void *ctx, const char *name, struct fail *f) {
    struct objects *o = ctx;
    if (unlinkat(o->fd[F_INCOMING], name, 0) && errno != ENOENT)
        return file_error(f, errno, "removing", name);
    return OK;
}

static err scan_one(void *ctx, const char *name, struct fail *f) {
    struct objects *o = ctx;
    struct object_ref ref;
    struct uploader by;
    uint64_t ms;
    struct stat st;
    if (fstatat(o->fd[F_PENDING], name, &st, AT_SYMLINK_NOFOLLOW))
        return file_error(f, errno, "looking at", name);
    if (!S_ISREG(st.st_mode) || !pending_parse(name, &ref, &by, &ms))
        return fail_set(f, E_DAMAGED, "%s/%s is not a pending object: move it elsewhere",
                        o->dir[F_PENDING], name);
    /* a second name of one object (a renewal that a crash cut short), or kept meanwhile */
    if (object_table_find(&o->table, ref.class, &ref.id) || is_kept(o, &ref, NULL)) {
        if (unlinkat(o->fd[F_PENDING], name, 0)) return file_error(f, errno, "removing", name);
        return OK;
    }
    struct pending *p = object_table_add(&o->table, ref.class, &ref.id);
    if (!p || !table_charge(&o->table, &by, (uint64_t)st.st_size))
        return fail_set(f, E_MEMORY, "out of memory while reading %s", o->dir[F_PENDING]);
    p->size = (uint64_t)st.st_size;
    p->ms = ms;
    p->by = by;
    p->durable = true;
    o->table.usage.pending_count++;
    o->table.usage.pending_bytes += p->size;
    return OK;
}

err objects_open(const struct objects_options *opt, struct objects **out, struct fail *f) {
    char path[PATH_MAX_LEN];
    *out = NULL;
    struct objects *o = calloc(1, sizeof *o);
    if (!o) return fail_set(f, E_MEMORY, "out of memory while opening %s", opt->private_dir);
    o->limits = *opt;
    o->lock_fd = -1;
    for (int i = 0; i < F_COUNT; i++) o->fd[i] = -1;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->synced, NULL);
    err e = open_folder(o, F_PUBLIC, opt->public_dir, "objects", f);
    if (e == OK) e = open_folder(o, F_RESTRICTED, opt->private_dir, "restricted", f);
    if (e == OK) e = open_folder(o, F_PENDING, opt->private_dir, "pending", f);
    if (e == OK) e = open_folder(o, F_INCOMING, opt->private_dir, "incoming", f);
    if (e == OK) e = check_apart(o, opt, f);
    if (e == OK) e = path_join(path, sizeof path, opt->private_dir, "objects.lock", f);
    if (e == OK) e = file_lock(path, &o->lock_fd, f);
    if (e == OK) e = file_sync_dir(opt->public_dir, f);
    if (e == OK) e = file_sync_dir(opt->private_dir, f);
    if (e == OK) e = each_name(o, F_INCOMING, sweep_one, o, f);
    if (e == OK) e = each_name(o, F_PENDING, scan_one, o, f);
    if (e != OK) {
        objects_close(o);
        return e;
    }
    *out = o;
    return OK;
}

void objects_close(struct objects *o) {
    if (!o) return;
    for (int i = 0; i < F_COUNT; i++)
        if (o->fd[i] >= 0) close(o->fd[i]);
    if (o->lock_fd >= 0) close(o->lock_fd);
    object_table_release(&o->table);
    pthread_cond_destroy(&o->synced);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

/* --- uploading
 * ------------------------------------------------------------------------------------ */

/* With the lock held: is there room for `size` bytes more of this key? */
static err check_room(struct objects *o, const struct uploader *by, uint64_t size, struct fail *f) {
    const struct objects_usage *u = &o->table.usage;
    uint64_t has = table_charged(&o->table, by), all = u->pending_bytes + u->open_bytes;
    if (size > o->limits.max_pending_per_key || has > o->limits.max_pending_per_key - size)
        return fail_set(
            f, E_QUOTA,
            "this key has %llu bytes waiting for their records; %llu more pass its limit "
            "of %llu: submit the records first",
            (unsigned long long)has, (unsigned long long)size,
            (unsigned long long)o->limits.max_pending_per_key);
    if (size > o->limits.max_pending || all > o->limits.max_pending - size ||
        u->pending_count + u->open_count >= o->limits.max_pending_count)
        return fail_set(f, E_BUSY,
                        "too many uploads are waiting for their records: try again later");
    return OK;
}

/* With the lock held: renews a pending object's time, which stands in its name. */
static err renew(struct objects *o, struct pending *p, uint64_t now_ms, struct fail *f) {
    char from[NAME_LEN], to[NAME_LEN];
    if (now_ms <= p->ms) return OK;
    pending_name(&p->ref, &p->by, p->ms, from);
    pending_name(&p->ref, &p->by, now_ms, to);
    if (renameat(o->fd[F_PENDING], from, o->fd[F_PENDING], to))
        return file_error(f, errno, "renaming", from);
    p->ms = now_ms;
    return OK;
}

/* With the lock held. *there: nothing to upload. Otherwise the bytes are reserved. */
static err reserve(struct objects *o, struct object_put *p, bool *there, struct fail *f) {
    TRY(usable(o, f));
    struct pending *old = object_table_find(&o->table, p->ref.class, &p->ref.id);
    *there = is_kept(o, &p->ref, NULL) || (old && old->durable);
    if (*there) return old && old->durable ? renew(o, old, p->ms, f) : OK;
    TRY(check_room(o, &p->by, p->size, f));
    if (!table_charge(&o->table, &p->by, p->size))
        return fail_set(f, E_MEMORY, "out of memory while receiving an object");
    o->table.usage.open_count++;
    o->table.usage.open_bytes += p->size;
    snprintf(p->name, sizeof p->name, "%llu", (unsigned long long)o->next_incoming++);
    return OK;
}

/* With the lock held: the upload is over; `keep` leaves its bytes charged, as pending. */
static void unreserve(struct object_put *p, bool keep) {
    struct objects *o = p->o;
    o->table.usage.open_count--;
    o->table.usage.open_bytes -= p->size;
    if (!keep) table_discharge(&o->table, &p->by, p->size);
}

static void put_free(struct object_put *p) {
    sha256_stream_free(p->sha);
    if (p->fd >= 0) close(p->fd);
    free(p);
}

err objects_put_begin(struct objects *o, enum object_class class, const struct hash *id,
                      uint64_t size, const char *key, uint64_t now_ms, struct object_put **out,
                      struct fail *f) {
    *out = NULL;
    if (size > o->limits.max_object)
        return fail_set(f, E_TOO_LARGE, "an object of %llu bytes: the limit is %llu",
                        (unsigned long long)size, (unsigned long long)o->limits.max_object);
    struct object_put *p = calloc(1, sizeof *p);
    if (!p) return fail_set(f, E_MEMORY, "out of memory while receiving an object");
    *p = (struct object_put){
        .o = o, .ref = {class, *id}, .by = uploader_of(key), .size = size, .ms = now_ms, .fd = -1};
    bool there = false;
    err e = sha256_stream_new(&p->sha, f);
    if (e == OK) {
        pthread_mutex_lock(&o->lock);
        e = reserve(o, p, &there, f);
        pthread_mutex_unlock(&o->lock);
    }
    if (e != OK || there) {
        put_free(p);
        return e;
    }
    p->fd = file_fault("open", p->name)
                ? -1
                : openat(o->fd[F_INCOMING], p->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                         class == OBJECT_PUBLIC ? 0644 : 0600);
    if (p->fd < 0) {
        e = file_error(f, errno, "creating a file in", o->dir[F_INCOMING]);
        objects_put_abort(p);
        return e;
    }
    *out = p;
    return OK;
}

static err write_fd(int fd, const char *dir, struct span s, struct fail *f) {
    while (s.n) {
        ssize_t n = file_fault("write", dir) ? -1 : write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error(f, errno, "writing in", dir);
        s = span_from(s, (size_t)n);
    }
    return OK;
}

err objects_put_write(struct object_put *p, struct span bytes, struct fail *f) {
    if (bytes.n > p->size - p->got)
        return fail_set(f, E_OBJECT, "more bytes than the %llu announced",
                        (unsigned long long)p->size);
    TRY(write_fd(p->fd, p->o->dir[F_INCOMING], bytes, f));
    sha256_stream_add(p->sha, bytes);
    p->got += bytes.n;
    return OK;
}

void objects_put_abort(struct object_put *p) {
    if (!p) return;
    struct objects *o = p->o;
    if (p->fd >= 0) unlinkat(o->fd[F_INCOMING], p->name, 0);
    pthread_mutex_lock(&o->lock);
    unreserve(p, false);
    pthread_mutex_unlock(&o->lock);
    put_free(p);
}

/* Makes the bytes of a list of files durable. */
static err sync_list(struct objects *o, struct object_put *list, struct fail *f) {
    size_t n = 0;
    for (struct object_put *p = list; p; p = p->next) n++;
    const char *dir = o->dir[F_INCOMING];
    if (n > FEW) {
        if (file_fault("fsync", dir) || syncfs(o->fd[F_INCOMING]))
            return file_error(f, errno, "syncing", dir);
        return OK;
    }
    for (struct object_put *p = list; p; p = p->next)
        if (file_fault("fsync", dir) || fsync(p->fd)) return file_error(f, errno, "syncing", dir);
    return OK;
}

/* With the lock held: gives a synced upload its name in pending/. */
static err name_one(struct object_put *p, struct fail *f) {
    struct objects *o = p->o;
    char to[NAME_LEN];
    if (object_table_find(&o->table, p->ref.class, &p->ref.id) || is_kept(o, &p->ref, NULL)) {
        unlinkat(o->fd[F_INCOMING], p->name, 0); /* sent twice at the same time */
        unreserve(p, false);
        return OK;
    }
    pending_name(&p->ref, &p->by, p->ms, to);
    struct pending *e = object_table_add(&o->table, p->ref.class, &p->ref.id);
    if (!e) return fail_set(f, E_MEMORY, "out of memory while receiving an object");
    if (file_fault("rename", to) || renameat(o->fd[F_INCOMING], p->name, o->fd[F_PENDING], to)) {
        err bad = file_error(f, errno, "renaming into", o->dir[F_PENDING]);
        object_table_remove(&o->table, e);
        return bad;
    }
    e->size = p->size;
    e->ms = p->ms;
    e->by = p->by;
    unreserve(p, true);
    o->table.usage.pending_count++;
    o->table.usage.pending_bytes += p->size;
    return OK;
}

/* One leader makes a whole list pending. Called and returns with the lock held. */
static void lead(struct objects *o, struct object_put *list) {
    struct fail f = {0};
    pthread_mutex_unlock(&o->lock);
    err e = sync_list(o, list, &f);
    pthread_mutex_lock(&o->lock);
    bool bad = e != OK;
    for (struct object_put *p = list; p; p = p->next) {
        struct fail own = {0};
        err x = e != OK ? e : name_one(p, &own);
        if (x == OK) continue;
        p->result = e != OK ? f : own;
        unlinkat(o->fd[F_INCOMING], p->name, 0);
        unreserve(p, false);
    }
    if (!bad) {
        pthread_mutex_unlock(&o->lock);
        e = file_sync_dir(o->dir[F_PENDING], &f);
        pthread_mutex_lock(&o->lock);
        bad = e != OK;
    }
    if (bad) o->failed = true;
    for (struct object_put *p = list; p; p = p->next) {
        struct pending *named = object_table_find(&o->table, p->ref.class, &p->ref.id);
        if (bad && p->result.code == OK) p->result = f;
        if (named && !bad) named->durable = true;
        p->done = true;
    }
}

static err check_complete(struct object_put *p, struct fail *f) {
    if (p->got != p->size)
        return fail_set(f, E_OBJECT, "%llu bytes came of the %llu announced",
                        (unsigned long long)p->got, (unsigned long long)p->size);
    struct hash h = sha256_stream_end(p->sha);
    char want[HASH_HEX_LEN + 1], have[HASH_HEX_LEN + 1];
    if (hash_eq(&h, &p->ref.id)) return OK;
    hash_hex(&p->ref.id, want);
    hash_hex(&h, have);
    return fail_set(f, E_OBJECT, "the bytes have SHA-256 %s, not %s: send them again", have, want);
}

err objects_put_commit(struct object_put *p, struct fail *f) {
    struct objects *o = p->o;
    err e = check_complete(p, f);
    if (e == OK) {
        pthread_mutex_lock(&o->lock);
        e = usable(o, f);
        pthread_mutex_unlock(&o->lock);
    }
    if (e != OK) {
        objects_put_abort(p);
        return e;
    }
    pthread_mutex_lock(&o->lock);
    p->next = o->queue;
    o->queue = p;
    while (!p->done) {
        if (o->syncing) {
            pthread_cond_wait(&o->synced, &o->lock);
            continue;
        }
        struct object_put *list = o->queue;
        o->queue = NULL;
        o->syncing = true;
        lead(o, list);
        o->syncing = false;
        pthread_cond_broadcast(&o->synced);
    }
    pthread_mutex_unlock(&o->lock);
    e = p->result.code;
    if (e != OK && f) *f = p->result;
    put_free(p);
    return e;
}

/* Writes one object under a temporary name and closes it; *made false when it is kept already. */
static err add_one(struct objects *o, const struct object_ref *ref, struct span bytes,
                   const char *name, bool sync, bool *made, struct fail *f) {
    const char *dir = o->dir[F_INCOMING];
    *made = !is_kept(o, ref, NULL);
    if (!*made) return OK;
    int fd = file_fault("open", dir)
                 ? -1
                 : openat(o->fd[F_INCOMING], name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                          ref->class == OBJECT_PUBLIC ? 0644 : 0600);
    if (fd < 0) return file_error(f, errno, "creating a file in", dir);
    err e = write_fd(fd, dir, bytes, f);
    if (e == OK && sync && (file_fault("fsync", dir) || fsync(fd)))
        e = file_error(f, errno, "syncing", dir);
    close(fd);
    return e;
}

struct added {
    struct hash id;
    char name[24]; /* "" when it was there already */
};

static err add_all(struct objects *o, enum object_class class, const struct span *bytes,
                   size_t count, struct added *a, struct fail *f) {
    bool made;
    size_t news = 0;
    enum folder to = kept_in(class);
    for (size_t i = 0; i < count; i++) {
        char name[24];
        a[i].id = sha256(bytes[i]);
        pthread_mutex_lock(&o->lock);
        snprintf(name, sizeof name, "%llu", (unsigned long long)o->next_incoming++);
        pthread_mutex_unlock(&o->lock);
        struct object_ref ref = {class, a[i].id};
        memcpy(a[i].name, name, sizeof name); /* also after a failure: to be removed */
        TRY(add_one(o, &ref, bytes[i], name, count <= FEW, &made, f));
        if (made)
            news++;
        else
            a[i].name[0] = 0;
    }
    if (news == 0) return OK;
    if (count > FEW && (file_fault("fsync", o->dir[F_INCOMING]) || syncfs(o->fd[F_INCOMING])))
        return file_error(f, errno, "syncing", o->dir[F_INCOMING]);
    for (size_t i = 0; i < count; i++) {
        char id[HASH_HEX_LEN + 1];
        hash_hex(&a[i].id, id);
        if (a[i].name[0] &&
            (file_fault("rename", id) || renameat(o->fd[F_INCOMING], a[i].name, o->fd[to], id)))
            return file_error(f, errno, "renaming into", o->dir[to]);
    }
    return file_sync_dir(o->dir[to], f);
}

err objects_add_many(struct objects *o, enum object_class class, const struct span *bytes,
                     size_t count, struct hash *ids, struct fail *f) {
    if (count == 0) return OK;
    for (size_t i = 0; i < count; i++)
        if (bytes[i].n > o->limits.max_object)
            return fail_set(f, E_TOO_LARGE, "an object of %zu bytes: the limit is %llu", bytes[i].n,
                            (unsigned long long)o->limits.max_object);
    struct added *a = calloc(count, sizeof *a);
    if (!a) return fail_set(f, E_MEMORY, "out of memory while adding objects");
    err e = add_all(o, class, bytes, count, a, f);
    for (size_t i = 0; i < count; i++) {
        if (e != OK && a[i].name[0]) unlinkat(o->fd[F_INCOMING], a[i].name, 0);
        if (ids) ids[i] = a[i].id;
    }
    free(a);
    return e;
}

/* --- when records are appended
 * --------------------------------------------------------------------- */

bool objects_has(struct objects *o, enum object_class class, const struct hash *id,
                 uint64_t *size) {
    struct object_ref ref = {class, *id};
    pthread_mutex_lock(&o->lock);
    struct pending *p = object_table_find(&o->table, class, id);
    bool there = p && p->durable;
    if (there && size) *size = p->size;
    pthread_mutex_unlock(&o->lock);
    return there || is_kept(o, &ref, size);
}

/* With the lock held: forgets a pending object that left pending/. */
static void settle(struct objects *o, struct pending *p) {
    o->table.usage.pending_count--;
    o->table.usage.pending_bytes -= p->size;
    table_discharge(&o->table, &p->by, p->size);
    object_table_remove(&o->table, p);
}

static err keep_one(struct objects *o, const struct object_ref *ref, bool *moved, struct fail *f) {
    char from[NAME_LEN], id[HASH_HEX_LEN + 1];
    struct pending *p = object_table_find(&o->table, ref->class, &ref->id);
    hash_hex(&ref->id, id);
    if (!p || !p->durable) {
        if (is_kept(o, ref, NULL)) return OK;
        return fail_set(f, E_OBJECT_MISSING, "object %s is not here: upload it again", id);
    }
    pending_name(ref, &p->by, p->ms, from);
    if (file_fault("rename", id) ||
        renameat(o->fd[F_PENDING], from, o->fd[kept_in(ref->class)], id))
        return file_error(f, errno, "keeping", id);
    settle(o, p);
    moved[ref->class] = true;
    return OK;
}

err objects_keep(struct objects *o, const struct object_ref *refs, size_t count, struct fail *f) {
    bool moved[2] = {false, false};
    err missing = OK;
    pthread_mutex_lock(&o->lock);
    err e = usable(o, f);
    for (size_t i = 0; e == OK && i < count; i++) {
        e = keep_one(o, &refs[i], moved, f);
        if (e == E_OBJECT_MISSING) {
            missing = e;
            e = OK;
        }
    }
    pthread_mutex_unlock(&o->lock);
    if (e == OK && moved[OBJECT_PUBLIC]) e = file_sync_dir(o->dir[F_PUBLIC], f);
    if (e == OK && moved[OBJECT_RESTRICTED]) e = file_sync_dir(o->dir[F_RESTRICTED], f);
    if (e != OK) {
        pthread_mutex_lock(&o->lock);
        o->failed = true;
        pthread_mutex_unlock(&o->lock);
        return e;
    }
    return missing;
}

err objects_expire(struct objects *o, uint64_t older_than_ms, uint64_t *removed, struct fail *f) {
    err e = OK;
    *removed = 0;
    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; e == OK && i < BUCKETS; i++) {
        for (struct pending *p = o->table.pending[i], *next; e == OK && p; p = next) {
            char name[NAME_LEN];
            next = p->next;
            if (p->ms >= older_than_ms || !p->durable) continue;
            pending_name(&p->ref, &p->by, p->ms, name);
            if (unlinkat(o->fd[F_PENDING], name, 0) && errno != ENOENT) {
                e = file_error(f, errno, "removing", name);
                break;
            }
            settle(o, p);
            ++*removed;
        }
    }
    pthread_mutex_unlock(&o->lock);
    return e;
}

struct objects_usage objects_usage(struct objects *o) {
    pthread_mutex_lock(&o->lock);
    struct objects_usage u = o->table.usage;
    pthread_mutex_unlock(&o->lock);
    return u;
}

uint64_t objects_key_bytes(struct objects *o, const char *key) {
    struct uploader by = uploader_of(key);
    pthread_mutex_lock(&o->lock);
    uint64_t n = table_charged(&o->table, &by);
    pthread_mutex_unlock(&o->lock);
    return n;
}

/* --- reading
 * -------------------------------------------------------------------------------------- */

err objects_path(const struct objects *o, enum object_class class, const struct hash *id, char *out,
                 size_t max, struct fail *f) {
    char hex[HASH_HEX_LEN + 1];
    hash_hex(id, hex);
    return path_join(out, max, o->dir[kept_in(class)], hex, f);
}

err objects_open_read(struct objects *o, enum object_class class, const struct hash *id, int *fd,
                      uint64_t *size, struct fail *f) {
    char hex[HASH_HEX_LEN + 1];
    struct stat st;
    hash_hex(id, hex);
    int d = openat(o->fd[kept_in(class)], hex, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (d < 0 && errno == ENOENT) return fail_set(f, E_NOT_FOUND, "there is no object %s", hex);
    if (d < 0 || fstat(d, &st)) {
        err e = file_error(f, errno, "opening object", hex);
        if (d >= 0) close(d);
        return e;
    }
    *fd = d;
    *size = (uint64_t)st.st_size;
    return OK;
}

/* Opens a kept or pending object; a keep may happen in between, so kept is asked twice. */
static err open_any(struct objects *o, const struct object_ref *ref, int *fd, uint64_t *size,
                    struct fail *f) {
    char name[NAME_LEN];
    struct stat st;
    err e = objects_open_read(o, ref->class, &ref->id, fd, size, f);
    if (e != E_NOT_FOUND) return e;
    *fd = -1;
    pthread_mutex_lock(&o->lock);
    struct pending *p = object_table_find(&o->table, ref->class, &ref->id);
    if (p && p->durable) {
        pending_name(ref, &p->by, p->ms, name);
        *fd = openat(o->fd[F_PENDING], name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    pthread_mutex_unlock(&o->lock);
    if (*fd < 0) return objects_open_read(o, ref->class, &ref->id, fd, size, f);
    if (fstat(*fd, &st)) {
        e = file_error(f, errno, "looking at", name);
        close(*fd);
        return e;
    }
    *size = (uint64_t)st.st_size;
    return OK;
}

/* Reads a whole file by plain reads (an error of the disk must be an error, not a signal), hashing;
 * `out` may be NULL. */
static err hash_fd(int fd, const char *hex, struct buf *out, struct hash *h, struct fail *f) {
    enum { PIECE = 1 << 17 };
    struct sha256_stream *s = NULL;
    uint8_t *piece = malloc(PIECE);
    err e = piece ? sha256_stream_new(&s, f) : fail_set(f, E_MEMORY, "out of memory while hashing");
    while (e == OK) {
        ssize_t n = read(fd, piece, PIECE);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) e = file_error(f, errno, "reading object", hex);
        if (n <= 0) break;
        sha256_stream_add(s, span_of(piece, (size_t)n));
        if (out) {
            buf_add(out, piece, (size_t)n);
            e = buf_ok(out, f);
        }
    }
    if (e == OK) *h = sha256_stream_end(s);
    sha256_stream_free(s);
    free(piece);
    return e;
}

static err check_hash(const struct hash *have, const struct hash *want, struct fail *f) {
    char hex[HASH_HEX_LEN + 1];
    if (hash_eq(have, want)) return OK;
    hash_hex(want, hex);
    return fail_set(f, E_OBJECT, "object %s is damaged: fetch it again from a mirror", hex);
}

err objects_read(struct objects *o, enum object_class class, const struct hash *id, size_t max,
                 struct buf *out, struct fail *f) {
    struct object_ref ref = {class, *id};
    char hex[HASH_HEX_LEN + 1];
    int fd;
    uint64_t size;
    struct hash h;
    hash_hex(id, hex);
    TRY(open_any(o, &ref, &fd, &size, f));
    err e = size > max ? fail_set(f, E_TOO_LARGE, "object %s has %llu bytes, more than %zu", hex,
                                  (unsigned long long)size, max)
                       : hash_fd(fd, hex, out, &h, f);
    close(fd);
    return e == OK ? check_hash(&h, id, f) : e;
}

/* --- bit rot
 * -------------------------------------------------------------------------------------- */

err objects_check_one(struct objects *o, enum object_class class, const struct hash *id,
                      struct fail *f) {
    char hex[HASH_HEX_LEN + 1];
    int fd;
    uint64_t size;
    struct hash h;
    hash_hex(id, hex);
    TRY(objects_open_read(o, class, id, &fd, &size, f));
    err e = hash_fd(fd, hex, NULL, &h, f);
    close(fd);
    return e == OK ? check_hash(&h, id, f) : e;
}

struct checking {
    struct objects *o;
    enum object_class class;
    objects_visit_bad *bad;
    void *ctx;
    uint64_t done, bad_count;
};

static err check_name(void *ctx, const char *name, struct fail *f) {
    struct checking *c = ctx;
    struct hash id = {0};
    struct fail own = {0};
    (void)f;
    err e = hash_from_hex(span_text(name), &id, NULL);
    if (e != OK)
        e = fail_set(&own, E_OBJECT, "%.100s is not an object's name", name);
    else
        e = objects_check_one(c->o, c->class, &id, &own);
    c->done++;
    if (e == OK) return OK;
    c->bad_count++;
    if (c->bad) c->bad(c->ctx, &id, e, own.text);
    return OK;
}

err objects_check(struct objects *o, enum object_class class, objects_visit_bad *bad, void *ctx,
                  uint64_t *done, uint64_t *bad_count, struct fail *f) {
    struct checking c = {.o = o, .class = class, .bad = bad, .ctx = ctx};
    err e = each_name(o, kept_in(class), check_name, &c, f);
    *done = c.done;
    *bad_count = c.bad_count;
    return e;
}
