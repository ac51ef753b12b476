/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Request targets (RFC 9112 section 3.2, origin form only): a strict reader.
 *
 * A path is refused, not repaired, when it holds an empty, "." or ".." segment, an encoded slash,
 * a backslash, a control character or a NUL, encoded or not. So a path that is accepted names one
 * thing only, and joining it to a folder cannot leave the folder. */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include "base/bytes.h"

enum { URI_TARGET_MAX = 1024, URI_PARAMS_MAX = 16 };

struct uri_param {
    struct span name, value; /* decoded: '+' is a space, %XX a byte */
};

struct uri {
    char text[URI_TARGET_MAX + 2]; /* holds what path and parameters point into */
    struct span path;              /* decoded, NUL-terminated, begins with '/' */
    struct uri_param params[URI_PARAMS_MAX];
    size_t param_count;
};

/* E_FIELD with a sentence for everything that is not a strict origin-form target; names of
 * parameters occur once. *out must stay where it is: its spans point into itself. */
MUST_USE err uri_parse(struct span target, struct uri *out, struct fail *f);
/* False when the query has no such parameter. */
bool uri_param(const struct uri *u, const char *name, struct span *value);

#endif
