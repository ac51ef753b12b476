/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Files: bounded reading, durable writing, locks.
 *
 * Durable means: temporary name in the same folder, write, fsync, rename, fsync of the folder. An
 * fsync error is never retried (the kernel may have dropped the pages): the caller must treat it as
 * fatal. Every write and sync passes through `struct file_faults`, so that tests can make them fail. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/bytes.h"

/* Test hook: called before each operation that touches the disk; a non-zero return is the errno to
 * fail with. `op` is one of "open" "write" "fsync" "rename" "unlink". NULL in production. Set it
 * before threads start. */
struct file_faults {
    int (*before)(void *ctx, const char *op, const char *path);
    void *ctx;
};
void file_faults_set(const struct file_faults *faults);
/* For code that does its own input and output: the errno to fail with (also set), or 0. */
int file_fault(const char *op, const char *path);

/* E_NOT_FOUND, E_DISK_FULL or E_IO from errno, with a sentence that names the path. */
err file_error(struct fail *f, int errnum, const char *doing, const char *path);

/* Appends the whole file to *out; E_TOO_LARGE past `max` bytes. */
MUST_USE err file_read(const char *path, size_t max, struct buf *out, struct fail *f);

/* Durable replacement of `path`. mode: 0644 or 0600. */
MUST_USE err file_write_durable(const char *path, struct span data, unsigned mode, struct fail *f);
/* Atomic but not synced: for what can be recomputed. */
MUST_USE err file_write_atomic(const char *path, struct span data, struct fail *f);
/* Durable creation of an immutable file: if it exists with the same bytes nothing happens, with
 * other bytes E_EXISTS. */
MUST_USE err file_write_once(const char *path, struct span data, struct fail *f);

MUST_USE err file_sync_dir(const char *path, struct fail *f);
/* mkdir -p, mode 0755. */
MUST_USE err file_mkdirs(const char *path, struct fail *f);
/* mkdir -p of the folder that `path` stands in. */
MUST_USE err file_mkdirs_for(const char *path, struct fail *f);
bool file_exists(const char *path);
/* Size in bytes, E_NOT_FOUND if it is not there. */
MUST_USE err file_size(const char *path, uint64_t *out, struct fail *f);
/* Removes a file; fine if it is not there. */
MUST_USE err file_remove(const char *path, struct fail *f);

/* An exclusive lock held as long as *fd stays open (released by the kernel when the process dies).
 * E_LOCKED when another process holds it. */
MUST_USE err file_lock(const char *path, int *fd, struct fail *f);
/* The same, but several processes may hold it together, as long as none holds it exclusively. */
MUST_USE err file_lock_shared(const char *path, int *fd, struct fail *f);

/* A read-only view of a file's bytes, mapped. Release with file_unmap. An empty file gives n = 0. */
MUST_USE err file_map(const char *path, struct span *out, struct fail *f);
void file_unmap(struct span s);

/* Joins with '/' into out[max]; E_TOO_LARGE if it does not fit. */
MUST_USE err path_join(char *out, size_t max, const char *dir, const char *name, struct fail *f);

enum { PATH_MAX_LEN = 4096 };

#endif
