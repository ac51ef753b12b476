/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

static const struct err_info table[] = {
    {"OK", 200, 0, "in order"},
#define CODE(name, http, exit, text) {#name, http, exit, text},
#include "base/codes.def"
#undef CODE
};

const struct err_info *err_info(err code) {
    if (code < 0 || code >= ERR_COUNT) code = E_INTERNAL;
    return &table[code];
}

err err_by_name(const char *name) {
    for (int i = 0; i < ERR_COUNT; i++)
        if (strcmp(table[i].name, name) == 0) return (err)i;
    return ERR_COUNT;
}

err fail_set(struct fail *f, err code, const char *fmt, ...) {
    if (f) {
        va_list ap;
        va_start(ap, fmt);
        f->code = code;
        (void)vsnprintf(f->text, sizeof f->text, fmt, ap);
        va_end(ap);
    }
    return code;
}

err fail_context(struct fail *f, err code, const char *fmt, ...) {
    if (f) {
        char before[sizeof f->text];
        memcpy(before, f->text, sizeof before);
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(f->text, sizeof f->text, fmt, ap);
        va_end(ap);
        f->code = code;
        if (n >= 0 && (size_t)n < sizeof f->text)
            (void)snprintf(f->text + n, sizeof f->text - (size_t)n, ": %.350s", before);
    }
    return code;
}
