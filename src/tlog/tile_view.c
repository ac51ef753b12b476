/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tlog/tile_view.h"

/* The root of 2^bits neighbours. */
static struct hash combine(const struct hash *from, unsigned bits) {
    struct hash h[TILE_WIDTH];
    size_t n = (size_t)1 << bits;
    memcpy(h, from, n * sizeof *h);
    for (; n > 1; n /= 2)
        for (size_t i = 0; i < n / 2; i++) h[i] = merkle_node(&h[2 * i], &h[2 * i + 1]);
    return h[0];
}

static err damaged(struct tile t, struct fail *f) {
    char path[TILE_PATH_MAX];
    tile_path(t, path);
    return fail_set(f, E_TILE, "%s does not belong under the checkpoint's root", path);
}

/* --- the right edge --- */

static err read_edge(struct tile_view *v, bool again, struct fail *f) {
    struct buf b;
    err e = OK;
    buf_init(&b, TILE_BYTES);
    for (unsigned l = 0; l < TILE_VIEW_LEVELS && e == OK; l++) {
        uint64_t n = v->size >> (TILE_HEIGHT * l);
        unsigned width = (unsigned)(n % TILE_WIDTH);
        v->level[l].edge_index = n / TILE_WIDTH;
        v->level[l].edge_width = width;
        v->level[l].cached = false;
        if (width == 0) continue;
        struct tile t = {.level = (uint8_t)l, .width = (uint16_t)width, .index = n / TILE_WIDTH};
        buf_clear(&b);
        e = v->get(v->ctx, t, again, &b, f);
        if (e == OK && b.n != width * sizeof(struct hash)) e = damaged(t, f);
        if (e == OK) memcpy(v->level[l].edge, b.p, b.n);
    }
    buf_release(&b);
    return e;
}

/* Smaller subtrees stand to the right: fold from there to the left. */
static struct hash edge_root(const struct tile_view *v) {
    struct hash root = merkle_empty();
    bool any = false;
    for (unsigned bit = 0; bit < TILE_VIEW_LEVELS * TILE_HEIGHT; bit++) {
        if (!(v->size >> bit & 1)) continue;
        unsigned l = bit / TILE_HEIGHT, b = bit % TILE_HEIGHT;
        size_t from = ((size_t)v->level[l].edge_width >> (b + 1)) << (b + 1);
        struct hash h = combine(v->level[l].edge + from, b);
        root = any ? merkle_node(&h, &root) : h;
        any = true;
    }
    return root;
}

err tile_view_open(struct tile_view *v, struct fail *f) {
    err e = OK;
    for (int again = 0; again < 2; again++) {
        e = read_edge(v, again, f);
        if (e != OK && e != E_TILE) return e;
        if (e != OK) continue;
        struct hash root = edge_root(v);
        if (hash_eq(&root, &v->root)) return OK;
        e = fail_set(f, E_TILE, "the tiles at the right edge do not give the root of size %llu",
                     (unsigned long long)v->size);
    }
    return e;
}

/* --- full tiles --- */

static err read_full(struct tile_view *v, unsigned level, uint64_t index, const struct hash *want,
                     struct fail *f) {
    struct tile t = {.level = (uint8_t)level, .width = TILE_WIDTH, .index = index};
    struct buf b;
    err e = OK;
    bool good = false;
    buf_init(&b, TILE_BYTES);
    v->level[level].cached = false;
    for (int again = 0; again < 2 && !good && e == OK; again++) {
        buf_clear(&b);
        e = v->get(v->ctx, t, again, &b, f);
        if (e != OK || b.n != TILE_BYTES) continue;
        memcpy(v->level[level].full, b.p, TILE_BYTES);
        struct hash got = combine(v->level[level].full, TILE_HEIGHT);
        good = hash_eq(&got, want);
    }
    buf_release(&b);
    if (e == OK && !good) e = damaged(t, f);
    if (e != OK) return e;
    v->level[level].cached = true;
    v->level[level].index = index;
    return OK;
}

err tile_view_tile(struct tile_view *v, unsigned level, uint64_t index, const struct hash **out,
                   struct fail *f) {
    unsigned width = level < TILE_VIEW_LEVELS ? tile_width_at(v->size, level, index) : 0;
    if (width == 0)
        return fail_set(f, E_TILE, "there is no tile %u/%llu at size %llu", level,
                        (unsigned long long)index, (unsigned long long)v->size);
    if (width < TILE_WIDTH) {
        *out = v->level[level].edge;
        return OK;
    }
    *out = v->level[level].full;
    if (v->level[level].cached && v->level[level].index == index) return OK;
    const struct hash *parent;
    TRY(tile_view_tile(v, level + 1, index / TILE_WIDTH, &parent, f));
    struct hash want = parent[index % TILE_WIDTH];
    return read_full(v, level, index, &want, f);
}

/* --- roots and proofs --- */

/* The complete subtree `index` of 2^bit leaves. */
static err node(struct tile_view *v, unsigned bit, uint64_t index, struct hash *out,
                struct fail *f) {
    unsigned l = bit / TILE_HEIGHT, b = bit % TILE_HEIGHT;
    uint64_t first = index << b;
    const struct hash *h;
    TRY(tile_view_tile(v, l, first / TILE_WIDTH, &h, f));
    *out = combine(h + first % TILE_WIDTH, b);
    return OK;
}

/* RFC 9162 section 2.1.1: the largest power of two below n (n > 1). */
static uint64_t split(uint64_t n) {
    uint64_t k = 1;
    while (k < n - k) k *= 2;
    return k;
}

/* The hash of leaves [from, to), where from is a multiple of the largest power of two <= to - from. */
static err range(struct tile_view *v, uint64_t from, uint64_t to, struct hash *out,
                 struct fail *f) {
    uint64_t n = to - from;
    if ((n & (n - 1)) == 0) return node(v, (unsigned)__builtin_ctzll(n), from / n, out, f);
    struct hash left, right;
    uint64_t k = split(n);
    TRY(range(v, from, from + k, &left, f));
    TRY(range(v, from + k, to, &right, f));
    *out = merkle_node(&left, &right);
    return OK;
}

err tile_view_root_at(struct tile_view *v, uint64_t size, struct hash *root, struct fail *f) {
    if (size > v->size)
        return fail_set(f, E_RANGE, "the log has only %llu entries", (unsigned long long)v->size);
    if (size == 0) {
        *root = merkle_empty();
        return OK;
    }
    return range(v, 0, size, root, f);
}

/* SUBPROOF of RFC 6962 section 2.1.2, from the top down; the proof is then turned round. */
err tile_view_consistency(struct tile_view *v, uint64_t old, struct hash *proof, size_t *n,
                          struct fail *f) {
    uint64_t from = 0, to = v->size;
    bool whole = true; /* [from, old) begins at 0, so that its hash is the old root */
    if (old == 0 || old > v->size)
        return fail_set(f, E_RANGE, "no consistency proof from %llu to %llu",
                        (unsigned long long)old, (unsigned long long)v->size);
    *n = 0;
    while (old != to) {
        uint64_t k = split(to - from);
        if (old - from <= k) {
            TRY(range(v, from + k, to, &proof[(*n)++], f));
            to = from + k;
        } else {
            TRY(range(v, from, from + k, &proof[(*n)++], f));
            from += k;
            whole = false;
        }
    }
    if (!whole) TRY(range(v, from, to, &proof[(*n)++], f));
    for (size_t i = 0; i < *n / 2; i++) {
        struct hash swap = proof[i];
        proof[i] = proof[*n - 1 - i];
        proof[*n - 1 - i] = swap;
    }
    return OK;
}
