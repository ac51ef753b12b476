/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* gzip (RFC 1952): compressing a stream piece by piece, reading a whole file. The only file that
 * includes zlib. */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include "base/bytes.h"

struct gzip_out;

/* Compressed bytes go to `put`, in order. The header holds neither time nor name: the same input gives
 * the same bytes with the same zlib. The caller owns *out: gzip_out_free. */
MUST_USE err gzip_out_new(err (*put)(void *ctx, struct span bytes, struct fail *f), void *ctx,
                          struct gzip_out **out, struct fail *f);
MUST_USE err gzip_out_put(struct gzip_out *g, struct span bytes, struct fail *f);
/* The last bytes; nothing may be put afterwards. */
MUST_USE err gzip_out_end(struct gzip_out *g, struct fail *f);
void gzip_out_free(struct gzip_out *g); /* NULL is fine */

/* Appends what the file unpacks to; a file that is not gzip is read as it is. E_TOO_LARGE past `max`
 * bytes, E_NOT_FOUND, E_DAMAGED. */
MUST_USE err gzip_read(const char *path, size_t max, struct buf *out, struct fail *f);

#endif
