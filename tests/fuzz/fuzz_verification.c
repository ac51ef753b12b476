/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A whole verification over files that are anything: it ends, says something, and says the same when every
 * file is late. The input is cut as in fuzz_record_check.c; files have their places by path. */
#include <stdlib.h>
#include "base/vec.h"
#include "election/verification.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS_MAX = 32 };

struct server {
    struct span parts[PARTS_MAX];
    size_t n;
    struct buf bundle;
    bool slow, came; /* came: the file that was awaited is there now */
};

/* Which part a path is: the checkpoint is the first, others by their bytes. */
static size_t place(const char *path, size_t n) {
    if (strcmp(path, "checkpoint") == 0 || n < 2) return 0;
    return 1 + (size_t)(hash_u64(span_text(path).n * 31 + (uint8_t)path[0] + (uint8_t)path[span_text(path).n - 1]) % (n - 1));
}

static err get(void *ctx, const char *path, size_t max, struct buf *out, struct fail *f) {
    struct server *s = ctx;
    if (s->slow && !s->came) {
        s->came = true;
        return fail_set(f, E_AGAIN, "%s is on its way", path);
    }
    if (s->n == 0) return fail_set(f, E_NOT_FOUND, "%s is not there", path);
    struct span part = s->parts[place(path, s->n)];
    if (part.n > max) return fail_set(f, E_TOO_LARGE, "%s is too large", path);
    buf_span(out, part);
    return buf_ok(out, f);
}

static struct buf *bundle(void *ctx) {
    return &((struct server *)ctx)->bundle;
}

static err check(void *ctx, const struct verification_check *c, struct fail *f) {
    struct server *s = ctx;
    (void)f;
    if (c->message.p < s->bundle.p || c->message.p + c->message.n > s->bundle.p + s->bundle.n) abort();
    return OK;
}

static void give(void *ctx) {
    (void)ctx;
}

static err run(struct server *s, struct verify_report *r, struct fail *f) {
    struct verification *v;
    struct verification_options o = {.memory_cap = 64 << 20};
    struct verification_io io = {get, bundle, check, NULL, give, s};
    static struct verification_found found;
    char path[RESULTS_PATH_MAX];
    err e = verification_new(&io, &o, r, &v, f);
    if (e != OK) return e;
    bool more = true;
    for (int i = 0; more && i < 4096; i++) {
        e = verification_step(v, &more, f);
        if (e == E_AGAIN) continue;
        s->came = false;
        if (e != OK) break;
        for (size_t k = 0; k < 4 && verification_ahead(v, k, path); k++) {}
    }
    if (e == E_AGAIN || (e == OK && more)) abort();
    verification_finish(v, &found);
    verification_free(v);
    fold_free(r->fold);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct server s = {0}, slow;
    struct fail f = {0};
    struct span rest = span_of(data, size);
    struct verify_report *r = calloc(2, sizeof *r);
    if (!r) return 0;
    buf_init(&s.bundle, TILE_BUNDLE_MAX);
    while (rest.n >= 2 && s.n < PARTS_MAX) {
        size_t n = get_u16be(rest.p);
        rest = span_from(rest, 2);
        if (n > rest.n) n = rest.n;
        s.parts[s.n++] = span_of(rest.p, n);
        rest = span_from(rest, n);
    }
    slow = s;
    slow.slow = true;
    err e = run(&s, &r[0], &f), late = run(&slow, &r[1], &f);
    if (e != late || r[0].verdict != r[1].verdict || r[0].code != r[1].code || r[0].index != r[1].index)
        abort();
    buf_release(&s.bundle);
    buf_release(&slow.bundle);
    free(r);
    return 0;
}
