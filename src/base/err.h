/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Errors: a must-use code for programs, and a sentence for people.
 *
 * A function that can fail returns `err`; OK is 0. Where it fails it fills the caller's `struct fail`
 * with one sentence that names what was wrong and what to do. Libraries never exit and never print. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

#define MUST_USE         __attribute__((warn_unused_result))
#define PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))

typedef enum err {
    OK = 0,
#define CODE(name, http, exit, text) name,
#include "base/codes.def"
#undef CODE
    ERR_COUNT
} err;

/* What failed. `text` is filled by fail_set; a zeroed struct is a valid empty one. */
struct fail {
    err code;
    char text[400];
};

struct err_info {
    const char *name; /* "E_QUOTA" */
    int http;         /* HTTP status */
    int exit;         /* exit code of the command line */
    const char *text; /* what the code means, in a few words */
};

/* The table's row for a code (OK gives "OK", 200, 0). Never NULL. */
const struct err_info *err_info(err code);

/* The code with this name, or ERR_COUNT. */
err err_by_name(const char *name);

/* Fills *f (which may be NULL) and returns `code`, so that `return fail_set(f, E_X, "...")` reads well. */
err fail_set(struct fail *f, err code, const char *fmt, ...) PRINTF(3, 4);

/* Puts "context: " before the sentence that is there already; returns f's code. */
err fail_context(struct fail *f, err code, const char *fmt, ...) PRINTF(3, 4);

/* Returns early with the callee's code: TRY(thing_do(x, f)); */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        err try_code_ = (call);                                                                    \
        if (try_code_ != OK) return try_code_;                                                     \
    } while (0)

#endif
