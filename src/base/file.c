/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct file_faults faults;

void file_faults_set(const struct file_faults *f) {
    faults = f ? *f : (struct file_faults){0};
}

int file_fault(const char *op, const char *path) {
    if (!faults.before) return 0;
    int e = faults.before(faults.ctx, op, path);
    if (e) errno = e;
    return e;
}

err file_error(struct fail *f, int errnum, const char *doing, const char *path) {
    switch (errnum) {
    case ENOENT: return fail_set(f, E_NOT_FOUND, "%s is not there", path);
    case ENOSPC:
    case EDQUOT:
        return fail_set(f, E_DISK_FULL, "no space left while %s %s: free some and start again",
                        doing, path);
    case EROFS:
    case EACCES:
    case EPERM: return fail_set(f, E_IO, "not permitted while %s %s", doing, path);
    default: return fail_set(f, E_IO, "%s %s: %s", doing, path, strerror(errnum));
    }
}

err file_read(const char *path, size_t max, struct buf *out, struct fail *f) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_error(f, errno, "opening", path);
    err e = OK;
    size_t got = 0;
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return fail_set(f, E_IO, "%s is a folder, not a file", path);
    }
    for (;;) {
        size_t want = 1 << 16;
        uint8_t *to = buf_room(out, want);
        if (!to) { /* perhaps only the last piece is too large: ask for a byte at a time */
            out->failed = false;
            want = out->max > out->n ? out->max - out->n : 0;
            to = want ? buf_room(out, want) : NULL;
        }
        uint8_t one;
        ssize_t n = read(fd, to ? to : &one, to ? want : 1);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            e = file_error(f, errno, "reading", path);
            break;
        }
        if (n == 0) break;
        got += (size_t)n;
        if (!to || got > max) {
            e = fail_set(f, E_TOO_LARGE, "%s is larger than the limit of %zu bytes", path, max);
            break;
        }
        out->n += (size_t)n;
    }
    close(fd);
    return e;
}

static err write_all(int fd, struct span data, const char *path, struct fail *f) {
    while (data.n) {
        ssize_t n = file_fault("write", path) ? -1 : write(fd, data.p, data.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return file_error(f, errno, "writing", path);
        data = span_from(data, (size_t)n);
    }
    return OK;
}

err file_sync_dir(const char *path, struct fail *f) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return file_error(f, errno, "opening", path);
    err e = OK;
    if (file_fault("fsync", path) || fsync(fd)) e = file_error(f, errno, "syncing", path);
    close(fd);
    return e;
}

static void dir_of(const char *path, char out[PATH_MAX_LEN]) {
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (!slash || n >= PATH_MAX_LEN) {
        strcpy(out, ".");
    } else if (n == 0) {
        strcpy(out, "/");
    } else {
        memcpy(out, path, n);
        out[n] = 0;
    }
}

/* Writes under a temporary name; `tmp` gets it. */
static err write_temporary(const char *path, struct span data, unsigned mode, bool sync,
                           char tmp[PATH_MAX_LEN], struct fail *f) {
    int n = snprintf(tmp, PATH_MAX_LEN, "%s.tmp-XXXXXX", path);
    if (n < 0 || n >= PATH_MAX_LEN) return fail_set(f, E_IO, "path too long: %.200s", path);
    int fd = file_fault("open", path) ? -1 : mkostemp(tmp, O_CLOEXEC);
    if (fd < 0) return file_error(f, errno, "creating", path);
    err e = write_all(fd, data, path, f);
    if (e == OK && fchmod(fd, mode)) e = file_error(f, errno, "creating", path);
    if (e == OK && sync && (file_fault("fsync", path) || fsync(fd)))
        e = file_error(f, errno, "syncing", path);
    if (close(fd) && e == OK) e = file_error(f, errno, "closing", path);
    if (e != OK) unlink(tmp);
    return e;
}

static err write_and_rename(const char *path, struct span data, unsigned mode, bool sync,
                            struct fail *f) {
    char tmp[PATH_MAX_LEN], dir[PATH_MAX_LEN];
    TRY(write_temporary(path, data, mode, sync, tmp, f));
    if (file_fault("rename", path) || rename(tmp, path)) {
        err e = file_error(f, errno, "renaming", path);
        unlink(tmp);
        return e;
    }
    if (!sync) return OK;
    dir_of(path, dir);
    return file_sync_dir(dir, f);
}

err file_write_durable(const char *path, struct span data, unsigned mode, struct fail *f) {
    return write_and_rename(path, data, mode, true, f);
}

err file_write_atomic(const char *path, struct span data, struct fail *f) {
    return write_and_rename(path, data, 0644, false, f);
}

err file_write_once(const char *path, struct span data, struct fail *f) {
    if (file_exists(path)) {
        struct span there;
        TRY(file_map(path, &there, f));
        bool same = span_eq(there, data);
        file_unmap(there);
        if (!same) return fail_set(f, E_EXISTS, "%s exists with other bytes", path);
        return OK;
    }
    return write_and_rename(path, data, 0644, true, f);
}

err file_mkdirs(const char *path, struct fail *f) {
    char p[PATH_MAX_LEN];
    size_t n = strlen(path);
    if (n == 0) return OK;
    if (n >= sizeof p) return fail_set(f, E_IO, "path too long: %.200s", path);
    memcpy(p, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (p[i] != '/' && p[i] != 0) continue;
        char keep = p[i];
        p[i] = 0;
        if (mkdir(p, 0755) && errno != EEXIST) return file_error(f, errno, "creating", p);
        p[i] = keep;
    }
    struct stat st;
    if (stat(path, &st) || !S_ISDIR(st.st_mode))
        return fail_set(f, E_IO, "%s is not a folder", path);
    return OK;
}

err file_mkdirs_for(const char *path, struct fail *f) {
    char dir[PATH_MAX_LEN];
    dir_of(path, dir);
    return file_mkdirs(dir, f);
}

bool file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

err file_size(const char *path, uint64_t *out, struct fail *f) {
    struct stat st;
    if (stat(path, &st)) return file_error(f, errno, "looking at", path);
    *out = (uint64_t)st.st_size;
    return OK;
}

err file_remove(const char *path, struct fail *f) {
    if (file_fault("unlink", path) || (unlink(path) && errno != ENOENT))
        return file_error(f, errno, "removing", path);
    return OK;
}

static err lock(const char *path, int how, int *fd, struct fail *f) {
    int d = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (d < 0) return file_error(f, errno, "opening", path);
    if (flock(d, how | LOCK_NB)) {
        int e = errno;
        close(d);
        if (e == EWOULDBLOCK)
            return fail_set(f, E_LOCKED, "%s is held by another process: stop that one first",
                            path);
        return file_error(f, e, "locking", path);
    }
    *fd = d;
    return OK;
}

err file_lock(const char *path, int *fd, struct fail *f) {
    return lock(path, LOCK_EX, fd, f);
}

err file_lock_shared(const char *path, int *fd, struct fail *f) {
    return lock(path, LOCK_SH, fd, f);
}

err file_map(const char *path, struct span *out, struct fail *f) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_error(f, errno, "opening", path);
    struct stat st;
    err e = OK;
    *out = (struct span){0};
    if (fstat(fd, &st)) {
        e = file_error(f, errno, "looking at", path);
    } else if (S_ISDIR(st.st_mode)) {
        e = fail_set(f, E_IO, "%s is a folder, not a file", path);
    } else if (st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            e = file_error(f, errno, "mapping", path);
        else
            *out = span_of(p, (size_t)st.st_size);
    }
    close(fd);
    return e;
}

void file_unmap(struct span s) {
    if (s.n) munmap((void *)(uintptr_t)s.p, s.n);
}

err path_join(char *out, size_t max, const char *dir, const char *name, struct fail *f) {
    int n = snprintf(out, max, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= max)
        return fail_set(f, E_TOO_LARGE, "path too long: %.200s/%.100s", dir, name);
    return OK;
}
