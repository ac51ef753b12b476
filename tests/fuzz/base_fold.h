/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The state after spec/vectors/base.log, for targets that need one: run them from the top of the tree. */
#ifndef FUZZ_BASE_FOLD_H
#define FUZZ_BASE_FOLD_H

#include <stdio.h>
#include <stdlib.h>
#include "election/fold.h"

static struct buf object;

static struct buf slurp(const char *path) {
    struct buf b;
    buf_init(&b, 1 << 24);
    FILE *f = fopen(path, "rb");
    uint8_t bytes[65536];
    for (size_t n; f && (n = fread(bytes, 1, sizeof bytes, f)) > 0;) buf_add(&b, bytes, n);
    if (f) fclose(f);
    return b;
}

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                      struct fail *f) {
    (void)ctx;
    (void)size;
    char path[200] = "spec/vectors/objects/";
    hash_hex(id, path + strlen(path));
    buf_release(&object);
    object = slurp(path);
    *out = buf_view(&object);
    return out->n ? OK : fail_set(f, E_OBJECT_MISSING, "there is no %s", path);
}

static struct fold *base_fold(struct applied *a) {
    struct fold *s;
    struct fail f;
    struct fold_options o = {.objects = {get_object, NULL}};
    if (fold_new(&o, &s, &f) != OK) abort();
    struct buf log = slurp("spec/vectors/base.log");
    for (struct span rest = buf_view(&log); rest.n;) {
        size_t n = get_u16be(rest.p);
        if (fold_apply(s, span_of(rest.p + 2, n), a, &f) != OK) abort();
        rest = span_from(rest, n + 2);
    }
    buf_release(&log);
    if (fold_size(s) == 0) abort(); /* run from the top of the tree */
    return s;
}

#endif
