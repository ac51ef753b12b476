/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Open data: what the state says, in formats that others read (spec/exports.md).
 *
 * An export is a pure function of the log's first `size` entries: made again at the same checkpoint by
 * anybody, with the same version of the program, it is the same file, byte for byte. Every file says
 * at which checkpoint it was made. One format a file (export_*.c), one look at the state
 * (export_walk.h); rows are written as they are visited, so memory does not grow with the nation. */
#ifndef SERVICE_EXPORT_H
#define SERVICE_EXPORT_H

#include "election/results.h"
#include "service/places.h"

enum export_format {
    EXPORT_CSV,
    EXPORT_JSON,
    EXPORT_ERR_JSON,
    EXPORT_ERR_XML,
    EXPORT_EML,
    EXPORT_ATOM,
    EXPORT_GEOJSON,
    EXPORT_SQLITE,
    EXPORT_FORMATS
};

struct export_info {
    const char *name;    /* as on the command line */
    const char *file;    /* as published under data/ */
    const char *summary; /* one sentence */
};
const struct export_info *export_info(enum export_format format);
/* E_USAGE with the names there are. */
MUST_USE err export_format_parse(const char *name, enum export_format *out, struct fail *f);

/* What is exported. Everything is borrowed and does not change meanwhile. */
struct export_source {
    const struct fold *fold;
    const struct results *results; /* of this fold */
    struct hash root;              /* of the tree of fold_size(fold) entries */
    const char *contest;           /* only this one; NULL: all */
    const struct places *places;   /* shapes for GeoJSON; NULL: none */
};

/* Where the bytes go, in order, in pieces of about a megabyte. */
struct export_sink {
    err (*put)(void *ctx, struct span bytes, struct fail *f);
    void *ctx;
};

/* Any format but EXPORT_SQLITE, which needs a file (E_USAGE). E_CONTEST when there is none of that
 * id, E_NOT_FOUND before the manifest. */
MUST_USE err export_stream(const struct export_source *s, enum export_format format,
                           const struct export_sink *sink, struct fail *f);
/* The same into a file, which is made under a temporary name (PATH.new), synced and moved. */
MUST_USE err export_file(const struct export_source *s, enum export_format format, const char *path,
                         struct fail *f);

#endif
