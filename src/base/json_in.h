/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Reading JSON of others, token by token, without building a tree: memory does not grow with the file.
 *
 * Strict RFC 8259: one value, nothing after it; valid UTF-8; no lone surrogates; at most 64 levels.
 * Records are not read with this: they have their own canonical reader. */
#ifndef BASE_JSON_IN_H
#define BASE_JSON_IN_H

#include "base/bytes.h"

enum json_token {
    JT_END, /* the value is over, or an error: json_in_end tells */
    JT_OBJECT,
    JT_OBJECT_END,
    JT_ARRAY,
    JT_ARRAY_END,
    JT_KEY,
    JT_STRING,
    JT_NUMBER,
    JT_TRUE,
    JT_FALSE,
    JT_NULL
};
enum { JSON_IN_DEPTH = 64 };

struct json_in {
    struct span all, rest;
    err code; /* sticky */
    struct fail *f;
    unsigned depth;
    bool object[JSON_IN_DEPTH]; /* what is open at each level */
    bool value_due;             /* after a key */
    bool any;                   /* something was read at this level */
    bool done;
};

/* `text` stays valid while the reader and what it returned are used. */
void json_in_init(struct json_in *j, struct span text, struct fail *f);
/* The next token. *text gets a key's or string's bytes between the quotes, as they are written
 * (json_in_text makes text of them), or a number's. */
enum json_token json_in_next(struct json_in *j, struct span *text);
/* After `token` was read: passes over the rest of that value. Keys: over their value. */
void json_in_skip(struct json_in *j, enum json_token token);
/* OK if one whole value was read and nothing follows. E_JSON with line and column. */
MUST_USE err json_in_end(struct json_in *j);
/* Sets the sticky error (the first one stays): E_JSON, with line and column. */
void json_in_fail(struct json_in *j, const char *what);
/* Where the reader stands, from 1. */
void json_in_place(const struct json_in *j, size_t *line, size_t *column);

/* Appends a string without its escapes; raw is what json_in_next gave. */
void json_in_text(struct span raw, struct buf *out);
/* A string without escapes that is this one. */
static inline bool json_in_is(struct span raw, const char *s) {
    return span_is(raw, s);
}

#endif
