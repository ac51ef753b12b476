/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What every unit test includes: cmocka with its prerequisites, and checks of results. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/err.h"

/* The call succeeds; its sentence is printed when it does not. `f` is a struct fail in scope. */
#define must(call)                                                                                 \
    do {                                                                                           \
        memset(&f, 0, sizeof f);                                                                   \
        err must_code_ = (call);                                                                   \
        if (must_code_ != OK)                                                                      \
            fail_msg("%s: %s: %s", #call, err_info(must_code_)->name, f.text);                     \
    } while (0)

/* The call fails with this code and says a sentence. */
#define refuses(want, call)                                                                        \
    do {                                                                                           \
        memset(&f, 0, sizeof f);                                                                   \
        err refuses_code_ = (call);                                                                \
        if (refuses_code_ != (want))                                                               \
            fail_msg("%s: wanted %s, got %s: %s", #call, err_info(want)->name,                     \
                     err_info(refuses_code_)->name, f.text);                                       \
        if (f.text[0] == 0) fail_msg("%s: no sentence", #call);                                    \
    } while (0)

/* Folder of shared vectors and data, or NULL when it is not there ($HESABU_SHARED, ../shared). */
static inline const char *shared_dir(void) {
    static char path[4096];
    const char *env = getenv("HESABU_SHARED");
    snprintf(path, sizeof path, "%s", env && *env ? env : "../shared");
    FILE *t = fopen(path, "r");
    if (!t) return NULL;
    fclose(t);
    return path;
}

#endif
