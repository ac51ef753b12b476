/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "wasm/module.h"

#include <stdlib.h>

static size_t text_into(char *out, size_t max, const char *text) {
    size_t n = strlen(text);
    if (n >= max) n = max - 1;
    memcpy(out, text, n);
    out[n] = 0;
    return n;
}

err supplied_get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f) {
    struct supplied *s = ctx;
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->file[i].path, path) != 0) continue;
        if (s->file[i].code == E_NOT_FOUND) return fail_set(f, E_NOT_FOUND, "%s is not there", path);
        if (s->file[i].code == E_TOO_LARGE || s->file[i].n > max)
            return fail_set(f, E_TOO_LARGE, "%s is larger than %zu bytes", path, max);
        if (s->file[i].code != OK)
            return fail_set(f, s->file[i].code, "%s cannot be had from the server", path);
        buf_add(out, s->file[i].bytes, s->file[i].n);
        return buf_ok(out, f);
    }
    (void)text_into(s->wanted, sizeof s->wanted, path);
    s->wanted_max = max;
    return fail_set(f, E_AGAIN, "%s is wanted", path);
}

err supplied_add(struct supplied *s, const char *path, err code, uint8_t *bytes, size_t n) {
    if (s->count == SUPPLIED_MAX || strlen(path) >= WANTED_PATH_MAX) {
        free(bytes);
        return E_MEMORY;
    }
    (void)text_into(s->file[s->count].path, WANTED_PATH_MAX, path);
    s->file[s->count].code = code;
    s->file[s->count].bytes = bytes;
    s->file[s->count].n = n;
    s->count++;
    return OK;
}

void supplied_clear(struct supplied *s) {
    for (size_t i = 0; i < s->count; i++) free(s->file[i].bytes);
    s->count = 0;
    s->wanted[0] = 0;
}
