/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The browser's module: what JavaScript may call (web/src/proof/module.ts has the other side).
 *
 * No globals: JavaScript holds handles. Pointers are offsets into the module's memory; 0 is none. Codes
 * are those of base/codes.def by number, 0 is OK. */
#ifndef WASM_MODULE_H
#define WASM_MODULE_H

#include "base/bytes.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

/* Files that JavaScript has fetched for a step that asked for them; they are kept until the step is
 * done. `wanted` is the path that was asked for last and is not here. */
enum { WANTED_PATH_MAX = 256, SUPPLIED_MAX = 512 };
struct supplied {
    struct {
        char path[WANTED_PATH_MAX];
        err code; /* OK, or why it cannot be had */
        uint8_t *bytes; /* malloc'd */
        size_t n;
    } file[SUPPLIED_MAX];
    size_t count;
    char wanted[WANTED_PATH_MAX];
    size_t wanted_max;
};
/* A `get` of election/verification.h; ctx is the struct. */
err supplied_get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f);
/* Takes over `bytes`. E_MEMORY when there are too many. */
MUST_USE err supplied_add(struct supplied *s, const char *path, err code, uint8_t *bytes, size_t n);
void supplied_clear(struct supplied *s);

#endif
