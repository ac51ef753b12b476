/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The C library's printing needs files somewhere; here are none, so the module imports nothing. */
#include <stdint.h>

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t fd);
int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t fd, int64_t to, int32_t from, int32_t out);
int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t fd, int32_t parts, int32_t n, int32_t out);

enum { WASI_BADF = 8 };

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t fd) {
    (void)fd;
    return WASI_BADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t fd, int64_t to, int32_t from, int32_t out) {
    (void)fd, (void)to, (void)from, (void)out;
    return WASI_BADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t fd, int32_t parts, int32_t n, int32_t out) {
    (void)fd, (void)parts, (void)n, (void)out;
    return WASI_BADF;
}
