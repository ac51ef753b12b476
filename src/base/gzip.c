/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include "base/file.h"

enum { PIECE = 1 << 16, WINDOW_GZIP = 15 + 16, MEMORY = 8 };

struct gzip_out {
    z_stream z;
    err (*put)(void *ctx, struct span bytes, struct fail *f);
    void *ctx;
    uint8_t piece[PIECE];
};

err gzip_out_new(err (*put)(void *ctx, struct span bytes, struct fail *f), void *ctx,
                 struct gzip_out **out, struct fail *f) {
    struct gzip_out *g = calloc(1, sizeof *g);
    if (!g) return fail_set(f, E_MEMORY, "no memory to compress");
    g->put = put;
    g->ctx = ctx;
    if (deflateInit2(&g->z, 6, Z_DEFLATED, WINDOW_GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(g);
        return fail_set(f, E_MEMORY, "no memory to compress");
    }
    *out = g;
    return OK;
}

static err deflate_all(struct gzip_out *g, int flush, struct fail *f) {
    int rc;
    do {
        g->z.next_out = g->piece;
        g->z.avail_out = PIECE;
        rc = deflate(&g->z, flush);
        if (rc == Z_STREAM_ERROR) return fail_set(f, E_INTERNAL, "compression failed");
        struct span made = span_of(g->piece, PIECE - g->z.avail_out);
        if (made.n) TRY(g->put(g->ctx, made, f));
    } while (g->z.avail_out == 0);
    return OK;
}

err gzip_out_put(struct gzip_out *g, struct span bytes, struct fail *f) {
    while (bytes.n) {
        size_t n = bytes.n < (1u << 30) ? bytes.n : 1u << 30;
        g->z.next_in = (uint8_t *)(uintptr_t)bytes.p; /* zlib does not write there */
        g->z.avail_in = (unsigned)n;
        TRY(deflate_all(g, Z_NO_FLUSH, f));
        bytes = span_from(bytes, n);
    }
    return OK;
}

err gzip_out_end(struct gzip_out *g, struct fail *f) {
    g->z.next_in = NULL;
    g->z.avail_in = 0;
    return deflate_all(g, Z_FINISH, f);
}

void gzip_out_free(struct gzip_out *g) {
    if (!g) return;
    (void)deflateEnd(&g->z);
    free(g);
}

err gzip_read(const char *path, size_t max, struct buf *out, struct fail *f) {
    gzFile g = gzopen(path, "rbe");
    if (!g) return file_error(f, errno, "reading", path);
    size_t before = out->n;
    int got = 1;
    err e = OK;
    while (got > 0 && e == OK) {
        uint8_t *to = buf_room(out, PIECE);
        if (!to) {
            e = fail_set(f, E_TOO_LARGE, "%s unpacks to more than %zu bytes", path, max);
            break;
        }
        got = gzread(g, to, PIECE);
        if (got > 0) out->n += (size_t)got;
        if (out->n - before > max)
            e = fail_set(f, E_TOO_LARGE, "%s unpacks to more than %zu bytes", path, max);
    }
    int why;
    if (e == OK && (got < 0 || ((void)gzerror(g, &why), why != Z_OK && why != Z_STREAM_END)))
        e = fail_set(f, E_DAMAGED, "%s is a damaged or cut gzip file", path);
    (void)gzclose(g);
    return e;
}
