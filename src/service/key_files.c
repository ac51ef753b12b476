/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/key_files.h"

#include <stdio.h>
#include "election/record_check.h"

void key_files_init(struct key_files *k) {
    *k = (struct key_files){.budget = {.cap = (size_t)256 << 20}};
    vec_init(&k->files, &k->budget, 1, 14);
}

void key_files_release(struct key_files *k) {
    vec_release(&k->files);
}

/* The number of its file for each key that is new, and which files have one. */
static err number_keys(struct key_files *k, const struct fold *s, bool changed[KEY_FILES], struct fail *f) {
    for (size_t i = k->files.n; i < fold_key_count(s); i++) {
        struct key_view v;
        uint8_t *file = vec_push(&k->files);
        if (!file) return fail_set(f, E_MEMORY, "no memory for the list of keys");
        fold_key_at(s, i, &v);
        *file = key_file_of(v.name);
        changed[*file] = true;
    }
    return OK;
}

static void add_line(const struct fold *s, size_t i, struct buf *b) {
    struct key_view v;
    fold_key_at(s, i, &v);
    if (v.granted_at == 0) return; /* the manifest's own keys stand in it */
    buf_u64(b, v.granted_at);
    buf_byte(b, ' ');
    buf_span(b, v.name);
    buf_byte(b, '\n');
}

err key_files_render(struct key_files *k, const struct fold *s, bool all,
                     const struct portal_sink *sink, struct fail *f) {
    bool changed[KEY_FILES] = {false};
    TRY(number_keys(k, s, changed, f));
    for (unsigned n = 0; n < KEY_FILES; n++) {
        char path[KEY_FILE_PATH_MAX];
        struct buf *b;
        if (!changed[n] && !all && k->made) continue;
        key_file_path((uint8_t)n, path);
        TRY(sink->add(sink->ctx, path, false, &b, f));
        for (size_t i = 0; i < k->files.n; i++) {
            if (*(uint8_t *)vec_at(&k->files, i) == n) add_line(s, i, b);
        }
        TRY(buf_ok(b, f));
    }
    k->made = true;
    return OK;
}
