/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/tree.h"

#include <stdio.h>
#include <sys/stat.h>
#include "base/file.h"
#include "election/anchor.h"

static bool is_url(const char *s) {
    return strncmp(s, "http://", 7) == 0 || strncmp(s, "https://", 8) == 0;
}

static bool is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

err tree_open(const char *where, struct tree *out, struct fail *f) {
    *out = (struct tree){0};
    size_t n = strlen(where);
    while (n > 1 && where[n - 1] == '/') n--;
    if (n + 8 > sizeof out->base) return fail_set(f, E_USAGE, "the address is too long");
    memcpy(out->base, where, n);
    if (is_url(where)) {
        TRY(tree_url_open(out->base, &out->url, f));
        out->at = tree_url_source(out->url);
        return OK;
    }
    char inner[PATH_MAX_LEN];
    TRY(path_join(inner, sizeof inner, out->base, "public", f));
    if (is_folder(inner)) (void)snprintf(out->base + n, sizeof out->base - n, "/public");
    if (!is_folder(out->base))
        return fail_set(f, E_NOT_FOUND, "%.200s is neither a folder nor an http address", where);
    out->at = tree_source_dir(out->base);
    return OK;
}

void tree_close(struct tree *t) {
    tree_url_close(t->url);
    *t = (struct tree){0};
}

err tree_read(struct tree *t, const char *path, size_t max, struct buf *out, struct fail *f) {
    return t->at.get(t->at.ctx, path, max, out, f);
}

err tree_election(const char *where, struct hash *out, struct fail *f) {
    struct anchor a;
    struct buf b;
    if (hash_from_hex(span_text(where), out, NULL) == OK) return OK;
    buf_init(&b, ANCHOR_BYTES_MAX);
    err e;
    if (!is_url(where) && file_exists(where) && !is_folder(where)) {
        e = file_read(where, ANCHOR_BYTES_MAX, &b, f);
    } else {
        struct tree t;
        e = tree_open(where, &t, f);
        if (e == OK) e = tree_read(&t, "anchor", ANCHOR_BYTES_MAX, &b, f);
        tree_close(&t);
    }
    if (e == OK) e = anchor_parse(buf_view(&b), &a, f);
    if (e == OK) *out = a.manifest;
    buf_release(&b);
    return e == OK ? OK
                   : fail_context(f, e, "--election takes the manifest's id (64 digits), an anchor file, "
                                        "a folder or an address");
}
