/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Up to FEW files are synced one by one; more by one sync of the file system, which costs one flush
 * of the disk instead of one a file. */
enum { FEW = 8, ITEMS_MAX = 1 << 20, REL_MAX = 512 };

struct item {
    char *path;      /* relative to the tree */
    uint32_t number; /* of the temporary file */
    bool replaces;
    int fd; /* kept open for the first FEW; else -1 */
};

struct writer {
    char root[PATH_MAX_LEN];
    char scratch[PATH_MAX_LEN]; /* root/.writer: temporary files; locked */
    int root_fd, scratch_fd;
    struct item *items;
    size_t count, cap;
    char **dirs; /* relative folders to sync: of what is there already, and parents of new ones */
    size_t dir_count, dir_cap;
    bool failed;
};

/* Names that stay inside the tree and mean the same everywhere. */
static err check_path(const char *path, struct fail *f) {
    size_t n = strlen(path), part = 0;
    bool good = n > 0 && n < REL_MAX;
    for (size_t i = 0; good && i <= n; i++) {
        char c = path[i];
        if (c == '/' || c == 0) {
            good = part > 0; /* no empty part: not absolute, no end in '/' */
            part = 0;
            continue;
        }
        if (part == 0 && c == '.') good = false; /* "..", and hidden files */
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '-' || c == '_'))
            good = false;
        part++;
    }
    if (!good) return fail_set(f, E_USAGE, "not a name in a published tree: %.100s", path);
    return OK;
}

static err full_path(const struct writer *w, const char *path, char out[PATH_MAX_LEN],
                     struct fail *f) {
    return path_join(out, PATH_MAX_LEN, w->root, path, f);
}

/* Remembers that the folder in which `path` stands must be synced. */
static err note_dir(struct writer *w, const char *path, struct fail *f) {
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (w->dir_count) { /* neighbours come together */
        const char *last = w->dirs[w->dir_count - 1];
        if (strlen(last) == n && memcmp(last, path, n) == 0) return OK;
    }
    if (w->dir_count == w->dir_cap) {
        size_t cap = w->dir_cap ? w->dir_cap * 2 : 64;
        char **more = realloc(w->dirs, cap * sizeof *more);
        if (!more) return fail_set(f, E_MEMORY, "out of memory while publishing");
        w->dirs = more;
        w->dir_cap = cap;
    }
    char *copy = strndup(path, n);
    if (!copy) return fail_set(f, E_MEMORY, "out of memory while publishing");
    w->dirs[w->dir_count++] = copy;
    return OK;
}

/* Makes the folder that `path` stands in; parents of new folders are to be synced. */
static err make_parents(struct writer *w, const char *path, struct fail *f) {
    char dir[REL_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash) return OK;
    size_t n = (size_t)(slash - path);
    memcpy(dir, path, n);
    dir[n] = 0;
    if (faccessat(w->root_fd, dir, F_OK, 0) == 0) return OK;
    for (size_t i = 1; i <= n; i++) {
        if (dir[i] != '/' && dir[i] != 0) continue;
        char keep = dir[i];
        dir[i] = 0;
        if (mkdirat(w->root_fd, dir, 0755) == 0)
            TRY(note_dir(w, dir, f));
        else if (errno != EEXIST)
            return file_error(f, errno, "creating", dir);
        dir[i] = keep;
    }
    return OK;
}

static void drop_items(struct writer *w) {
    for (size_t i = 0; i < w->count; i++) {
        char name[32];
        if (w->items[i].fd >= 0) close(w->items[i].fd);
        snprintf(name, sizeof name, "%u", w->items[i].number);
        unlinkat(w->scratch_fd, name, 0);
        free(w->items[i].path);
    }
    w->count = 0;
}

static void drop_dirs(struct writer *w) {
    for (size_t i = 0; i < w->dir_count; i++) free(w->dirs[i]);
    w->dir_count = 0;
}

/* Removes what an interrupted writer left. */
static err sweep(struct writer *w, struct fail *f) {
    int fd = openat(w->scratch_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        int e = errno;
        if (fd >= 0) close(fd);
        return file_error(f, e, "reading", w->scratch);
    }
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') unlinkat(w->scratch_fd, e->d_name, 0);
    closedir(d);
    return OK;
}

err writer_open(const char *root, struct writer **out, struct fail *f) {
    *out = NULL;
    struct writer *w = calloc(1, sizeof *w);
    if (!w) return fail_set(f, E_MEMORY, "out of memory while opening %s", root);
    w->root_fd = w->scratch_fd = -1;
    err e = OK;
    if (snprintf(w->root, sizeof w->root, "%s", root) >= (int)sizeof w->root)
        e = fail_set(f, E_TOO_LARGE, "path too long: %.200s", root);
    if (e == OK) e = path_join(w->scratch, sizeof w->scratch, root, ".writer", f);
    if (e == OK) e = file_mkdirs(w->scratch, f);
    if (e == OK) {
        w->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        w->scratch_fd = open(w->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (w->root_fd < 0 || w->scratch_fd < 0) e = file_error(f, errno, "opening", root);
    }
    if (e == OK && flock(w->scratch_fd, LOCK_EX | LOCK_NB))
        e = errno == EWOULDBLOCK
                ? fail_set(f, E_LOCKED, "%s is being written by another process: stop that one",
                           root)
                : file_error(f, errno, "locking", w->scratch);
    if (e == OK) e = sweep(w, f);
    if (e != OK) {
        if (w->root_fd >= 0) close(w->root_fd);
        if (w->scratch_fd >= 0) close(w->scratch_fd);
        free(w);
        return e;
    }
    *out = w;
    return OK;
}

void writer_close(struct writer *w) {
    if (!w) return;
    drop_items(w);
    drop_dirs(w);
    unlinkat(w->root_fd, ".writer", AT_REMOVEDIR); /* a finished tree holds nothing else */
    close(w->scratch_fd);
    close(w->root_fd);
    free(w->items);
    free(w->dirs);
    free(w);
}

static err write_scratch(struct writer *w, const char *name, const char *path, struct span data,
                         int *fd, struct fail *f) {
    *fd = file_fault("open", path)
              ? -1
              : openat(w->scratch_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (*fd < 0) return file_error(f, errno, "creating", path);
    while (data.n) {
        ssize_t n = file_fault("write", path) ? -1 : write(*fd, data.p, data.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error(f, errno, "writing", path);
        data = span_from(data, (size_t)n);
    }
    return OK;
}

static err stage(struct writer *w, const char *path, struct span data, bool replaces,
                 struct fail *f) {
    if (w->count >= ITEMS_MAX)
        return fail_set(f, E_TOO_LARGE, "more than %d files in one publication", ITEMS_MAX);
    if (w->count == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 64;
        struct item *more = realloc(w->items, cap * sizeof *more);
        if (!more) return fail_set(f, E_MEMORY, "out of memory while publishing");
        w->items = more;
        w->cap = cap;
    }
    struct item it = {.number = (uint32_t)w->count, .replaces = replaces, .fd = -1};
    char name[32];
    snprintf(name, sizeof name, "%u", it.number);
    it.path = strdup(path);
    if (!it.path) return fail_set(f, E_MEMORY, "out of memory while publishing");
    err e = make_parents(w, path, f);
    if (e == OK) e = write_scratch(w, name, path, data, &it.fd, f);
    if (e == OK && w->count >= FEW) {
        if (close(it.fd)) e = file_error(f, errno, "closing", path);
        it.fd = -1;
    }
    if (e != OK) {
        if (it.fd >= 0) close(it.fd);
        unlinkat(w->scratch_fd, name, 0);
        free(it.path);
        return e;
    }
    w->items[w->count++] = it;
    return OK;
}

static err usable(struct writer *w, const char *path, struct fail *f) {
    if (w->failed) return fail_set(f, E_IO, "publishing in %s failed before: start again", w->root);
    return path ? check_path(path, f) : OK;
}

/* Compares a file that is there. *there false when it is not. */
static err compare(struct writer *w, const char *path, struct span data, bool *there,
                   struct fail *f) {
    char full[PATH_MAX_LEN];
    struct stat st;
    *there = fstatat(w->root_fd, path, &st, 0) == 0;
    if (!*there) return errno == ENOENT ? OK : file_error(f, errno, "looking at", path);
    TRY(full_path(w, path, full, f));
    struct span have;
    TRY(file_map(full, &have, f));
    bool same = span_eq(have, data);
    file_unmap(have);
    if (!same)
        return fail_set(f, E_EXISTS, "%s exists with other bytes, and must never change", full);
    return OK;
}

err writer_add(struct writer *w, const char *path, struct span data, struct fail *f) {
    bool there;
    TRY(usable(w, path, f));
    TRY(compare(w, path, data, &there, f));
    /* its bytes were synced before it got its name; the name itself perhaps not */
    err e = there ? note_dir(w, path, f) : stage(w, path, data, false, f);
    if (e != OK) w->failed = true;
    return e;
}

err writer_replace(struct writer *w, const char *path, struct span data, struct fail *f) {
    TRY(usable(w, path, f));
    err e = stage(w, path, data, true, f);
    if (e != OK) w->failed = true;
    return e;
}

err writer_update(struct writer *w, const char *path, struct span data,
                  bool (*same)(struct span old, struct span now), bool *left, struct fail *f) {
    char full[PATH_MAX_LEN];
    struct stat st;
    struct span have;
    struct fail ignored;
    bool alike = false;
    TRY(usable(w, path, f));
    TRY(full_path(w, path, full, f));
    /* whatever is wrong with the old file, a new one takes its place */
    if (fstatat(w->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        (same || (uint64_t)st.st_size == data.n) && file_map(full, &have, &ignored) == OK) {
        alike = same ? same(have, data) : span_eq(have, data);
        file_unmap(have);
    }
    if (left) *left = alike;
    if (!alike) return writer_replace(w, path, data, f);
    err e = note_dir(w, path, f); /* its name may not have been synced */
    if (e != OK) w->failed = true;
    return e;
}

static err sync_data(struct writer *w, struct fail *f) {
    if (w->count > FEW) {
        if (file_fault("fsync", w->root) || syncfs(w->scratch_fd))
            return file_error(f, errno, "syncing", w->root);
        return OK;
    }
    for (size_t i = 0; i < w->count; i++)
        if (file_fault("fsync", w->items[i].path) || fsync(w->items[i].fd))
            return file_error(f, errno, "syncing", w->items[i].path);
    return OK;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static err sync_dirs(struct writer *w, struct fail *f) {
    if (w->dir_count) qsort(w->dirs, w->dir_count, sizeof *w->dirs, by_text);
    for (size_t i = 0; i < w->dir_count; i++) {
        if (i && strcmp(w->dirs[i], w->dirs[i - 1]) == 0) continue;
        char full[PATH_MAX_LEN];
        TRY(full_path(w, w->dirs[i], full, f));
        TRY(file_sync_dir(full, f));
    }
    drop_dirs(w);
    return OK;
}

/* Gives an immutable file its name; another one of that name, added in the same batch, must be
 * equal. */
static err place_once(struct writer *w, const char *name, const char *path, struct fail *f) {
    if (renameat2(w->scratch_fd, name, w->root_fd, path, RENAME_NOREPLACE) == 0) return OK;
    if (errno == EINVAL && renameat(w->scratch_fd, name, w->root_fd, path) == 0)
        return OK; /* a file system without NOREPLACE: writer_add has compared */
    if (errno != EEXIST) return file_error(f, errno, "renaming", path);
    char full[PATH_MAX_LEN];
    struct span data;
    bool there;
    TRY(path_join(full, sizeof full, w->scratch, name, f));
    TRY(file_map(full, &data, f));
    err e = compare(w, path, data, &there, f);
    file_unmap(data);
    return e;
}

static err place(struct writer *w, bool replacing, struct fail *f) {
    for (size_t i = 0; i < w->count; i++) {
        struct item *it = &w->items[i];
        if (it->replaces != replacing) continue;
        char name[32];
        snprintf(name, sizeof name, "%u", it->number);
        if (file_fault("rename", it->path)) return file_error(f, errno, "renaming", it->path);
        if (!replacing)
            TRY(place_once(w, name, it->path, f));
        else if (renameat(w->scratch_fd, name, w->root_fd, it->path))
            return file_error(f, errno, "renaming", it->path);
        TRY(note_dir(w, it->path, f));
    }
    return sync_dirs(w, f);
}

err writer_commit(struct writer *w, struct fail *f) {
    TRY(usable(w, NULL, f));
    err e = sync_data(w, f);
    if (e == OK) e = place(w, false, f);
    if (e == OK) e = place(w, true, f);
    if (e != OK) w->failed = true;
    drop_items(w);
    return e;
}

void writer_abort(struct writer *w) {
    drop_items(w);
    drop_dirs(w);
}

err writer_remove(struct writer *w, const char *path, struct fail *f) {
    char full[PATH_MAX_LEN];
    TRY(usable(w, path, f));
    TRY(full_path(w, path, full, f));
    return file_remove(full, f);
}
