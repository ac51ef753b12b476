/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tlog/merkle.h"

#include <stdatomic.h>
#include <stdlib.h>

struct hash merkle_leaf(struct span entry) {
    static const uint8_t zero = 0;
    return sha256_2(span_of(&zero, 1), entry);
}

struct hash merkle_node(const struct hash *left, const struct hash *right) {
    uint8_t both[1 + 2 * HASH_BYTES];
    both[0] = 1;
    memcpy(both + 1, left->b, HASH_BYTES);
    memcpy(both + 1 + HASH_BYTES, right->b, HASH_BYTES);
    return sha256(span_of(both, sizeof both));
}

struct hash merkle_empty(void) {
    return sha256(span_of(NULL, 0));
}

/* ---- checking proofs ---- */

static err no_proof(struct fail *f, const char *what) {
    return fail_set(f, E_PROOF, "%s", what);
}

err merkle_verify_inclusion(const struct hash *leaf, uint64_t index, uint64_t size,
                            const struct hash *proof, size_t n, const struct hash *root,
                            struct fail *f) {
    if (index >= size)
        return fail_set(f, E_PROOF, "there is no leaf %llu in a tree of %llu",
                        (unsigned long long)index, (unsigned long long)size);
    uint64_t fn = index, sn = size - 1;
    struct hash r = *leaf;
    for (size_t i = 0; i < n; i++) {
        if (sn == 0) return no_proof(f, "the inclusion proof is longer than the tree is high");
        if ((fn & 1) || fn == sn) {
            r = merkle_node(&proof[i], &r);
            while (!(fn & 1) && fn != 0) fn >>= 1, sn >>= 1;
        } else {
            r = merkle_node(&r, &proof[i]);
        }
        fn >>= 1, sn >>= 1;
    }
    if (sn != 0) return no_proof(f, "the inclusion proof is too short for the tree");
    if (!hash_eq(&r, root))
        return no_proof(f, "the inclusion proof leads to another root: entry, index or proof was "
                           "altered");
    return OK;
}

static uint64_t ceil_power_of_two(uint64_t n) {
    uint64_t p = 1;
    while (p < n && p) p <<= 1;
    return p; /* 0 stands for 2^64 */
}

bool merkle_subtree_is_valid(uint64_t start, uint64_t end) {
    if (start >= end) return start == end;
    return (start & (ceil_power_of_two(end - start) - 1)) == 0;
}

err merkle_verify_subtree_inclusion(const struct hash *leaf, uint64_t index, uint64_t start,
                                    uint64_t end, const struct hash *proof, size_t n,
                                    const struct hash *root, struct fail *f) {
    if (!merkle_subtree_is_valid(start, end) || index < start)
        return no_proof(f, "this range is no subtree, or does not hold the leaf");
    return merkle_verify_inclusion(leaf, index - start, end - start, proof, n, root, f);
}

err merkle_verify_subtree_consistency(uint64_t start, uint64_t end, uint64_t size,
                                      const struct hash *proof, size_t n, const struct hash *root1,
                                      const struct hash *root2, struct fail *f) {
    if (!merkle_subtree_is_valid(start, end) || end > size)
        return no_proof(f, "this range is no subtree of the tree");
    if (start == end) { /* every tree holds it */
        struct hash empty = merkle_empty();
        if (n || !hash_eq(root1, &empty)) return no_proof(f, "an empty subtree has the empty root");
        return OK;
    }
    uint64_t fn = start, sn = end - 1, tn = size - 1;
    /* up to the root of the largest complete part at the subtree's right edge */
    while (fn != sn && (sn == tn || (sn & 1))) fn >>= 1, sn >>= 1, tn >>= 1;
    struct hash fr = *root1, sr = *root1;
    size_t i = 0;
    if (fn != sn) {
        if (n == 0) return no_proof(f, "the consistency proof is too short");
        fr = sr = proof[i++];
    }
    for (; i < n; i++) {
        if (tn == 0) return no_proof(f, "the consistency proof is longer than the tree is high");
        if ((sn & 1) || sn == tn) {
            if (fn < sn) fr = merkle_node(&proof[i], &fr);
            sr = merkle_node(&proof[i], &sr);
            while (!(sn & 1) && sn != 0) fn >>= 1, sn >>= 1, tn >>= 1;
        } else {
            sr = merkle_node(&sr, &proof[i]);
        }
        fn >>= 1, sn >>= 1, tn >>= 1;
    }
    if (tn != 0) return no_proof(f, "the consistency proof is too short");
    if (!hash_eq(&fr, root1))
        return no_proof(f, "the consistency proof does not lead to the older root");
    if (!hash_eq(&sr, root2))
        return no_proof(f, "the consistency proof does not lead to the newer root: history was "
                           "altered, or the proof");
    return OK;
}

err merkle_verify_consistency(uint64_t size1, uint64_t size2, const struct hash *proof, size_t n,
                              const struct hash *root1, const struct hash *root2, struct fail *f) {
    if (size1 == 0) return no_proof(f, "consistency with the empty tree proves nothing");
    if (size1 > size2)
        return fail_set(f, E_PROOF, "a tree of %llu leaves cannot follow one of %llu",
                        (unsigned long long)size2, (unsigned long long)size1);
    return merkle_verify_subtree_consistency(0, size1, size2, proof, n, root1, root2, f);
}

/* ---- the right edge ---- */

void merkle_frontier_append(struct merkle_frontier *m, const struct hash *leaf) {
    struct hash h = *leaf;
    unsigned level = 0;
    for (; m->size >> level & 1; level++) h = merkle_node(&m->edge[level], &h);
    m->edge[level] = h;
    m->size++;
}

struct hash merkle_frontier_root(const struct merkle_frontier *m) {
    if (m->size == 0) return merkle_empty();
    unsigned level = (unsigned)__builtin_ctzll(m->size);
    struct hash r = m->edge[level];
    for (level++; level < 64; level++)
        if (m->size >> level & 1) r = merkle_node(&m->edge[level], &r);
    return r;
}

/* ---- the whole tree ---- */

enum { LEVELS = 37, CHUNK_BITS = 12, CHUNK = 1 << CHUNK_BITS };

struct merkle_tree {
    uint64_t max;
    /* Stored with release after the hashes below it: who reads it (acquire) may read them. */
    _Atomic uint64_t size;
    struct hash **levels[LEVELS]; /* directories of chunks; sized for `max`, so they never move */
};

err merkle_tree_new(uint64_t max_leaves, struct merkle_tree **out, struct fail *f) {
    *out = NULL;
    if (max_leaves == 0 || max_leaves > (uint64_t)1 << (LEVELS - 1))
        return fail_set(f, E_RANGE, "a tree holds 1 to 2^%d leaves", LEVELS - 1);
    struct merkle_tree *t = calloc(1, sizeof *t);
    if (!t) return fail_set(f, E_MEMORY, "no memory for a tree");
    t->max = max_leaves;
    atomic_init(&t->size, 0);
    *out = t;
    return OK;
}

void merkle_tree_free(struct merkle_tree *t) {
    if (!t) return;
    for (unsigned l = 0; l < LEVELS && t->levels[l]; l++) {
        uint64_t chunks = ((t->max >> l) + CHUNK - 1) >> CHUNK_BITS;
        for (uint64_t c = 0; c < chunks && t->levels[l][c]; c++) free(t->levels[l][c]);
        free(t->levels[l]);
    }
    free(t);
}

uint64_t merkle_tree_size(const struct merkle_tree *t) {
    return atomic_load_explicit(&t->size, memory_order_acquire);
}

/* Where hash `index` of `level` is kept; allocates its chunk. NULL without memory. */
static struct hash *slot(struct merkle_tree *t, unsigned level, uint64_t index) {
    if (!t->levels[level]) {
        uint64_t chunks = ((t->max >> level) + CHUNK - 1) >> CHUNK_BITS;
        t->levels[level] = calloc((size_t)chunks, sizeof *t->levels[level]);
        if (!t->levels[level]) return NULL;
    }
    struct hash **chunk = &t->levels[level][index >> CHUNK_BITS];
    if (!*chunk) *chunk = malloc(CHUNK * sizeof **chunk);
    return *chunk ? &(*chunk)[index & (CHUNK - 1)] : NULL;
}

/* A hash that is known to be there. */
static const struct hash *at(const struct merkle_tree *t, unsigned level, uint64_t index) {
    return &t->levels[level][index >> CHUNK_BITS][index & (CHUNK - 1)];
}

err merkle_tree_append(struct merkle_tree *t, const struct hash *leaf, struct fail *f) {
    uint64_t size = atomic_load_explicit(&t->size, memory_order_relaxed);
    if (size >= t->max)
        return fail_set(f, E_MEMORY, "the tree is full at its limit of %llu leaves",
                        (unsigned long long)t->max);
    struct hash h = *leaf;
    for (unsigned level = 0;; level++) {
        struct hash *to = slot(t, level, size >> level);
        if (!to) return fail_set(f, E_MEMORY, "no memory for the tree to grow");
        *to = h;
        if (!(size >> level & 1)) break;
        h = merkle_node(to - 1, &h); /* its left sibling is the even one of the same chunk */
    }
    atomic_store_explicit(&t->size, size + 1, memory_order_release);
    return OK;
}

static err past_end(struct fail *f, uint64_t size, uint64_t have) {
    return fail_set(f, E_RANGE, "the tree has %llu leaves, not %llu", (unsigned long long)have,
                    (unsigned long long)size);
}

err merkle_tree_truncate(struct merkle_tree *t, uint64_t size, struct fail *f) {
    uint64_t have = merkle_tree_size(t);
    if (size > have) return past_end(f, size, have);
    atomic_store_explicit(&t->size, size, memory_order_release);
    return OK;
}

const struct hash *merkle_tree_hash(const struct merkle_tree *t, unsigned level, uint64_t index) {
    if (level >= LEVELS || index >= merkle_tree_size(t) >> level) return NULL;
    return at(t, level, index);
}

/* The hash of leaves [start, end), start < end, a valid subtree: its complete parts joined from the
 * right, so that one look-up and one node are spent for each bit of its size. */
static struct hash range_hash(const struct merkle_tree *t, uint64_t start, uint64_t end) {
    uint64_t n = end - start;
    unsigned level = (unsigned)__builtin_ctzll(n);
    struct hash r = *at(t, level, (end >> level) - 1);
    end -= (uint64_t)1 << level;
    while (end > start) {
        level = (unsigned)__builtin_ctzll(end - start);
        r = merkle_node(at(t, level, (end >> level) - 1), &r);
        end -= (uint64_t)1 << level;
    }
    return r;
}

struct hash merkle_tree_root(const struct merkle_tree *t) {
    uint64_t size = merkle_tree_size(t);
    return size ? range_hash(t, 0, size) : merkle_empty();
}

err merkle_tree_root_at(const struct merkle_tree *t, uint64_t size, struct hash *out,
                        struct fail *f) {
    uint64_t have = merkle_tree_size(t);
    if (size > have) return past_end(f, size, have);
    *out = size ? range_hash(t, 0, size) : merkle_empty();
    return OK;
}

/* Largest power of two below n (n > 1). */
static uint64_t split(uint64_t n) {
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

static void reverse(struct hash *h, size_t n) {
    for (size_t i = 0; i + 1 < n - i; i++) {
        struct hash x = h[i];
        h[i] = h[n - 1 - i];
        h[n - 1 - i] = x;
    }
}

err merkle_tree_inclusion(const struct merkle_tree *t, uint64_t index, uint64_t size,
                          struct hash *proof, size_t *n, struct fail *f) {
    uint64_t have = merkle_tree_size(t), lo = 0, hi = size;
    *n = 0;
    if (size > have) return past_end(f, size, have);
    if (index >= size)
        return fail_set(f, E_RANGE, "there is no leaf %llu in a tree of %llu",
                        (unsigned long long)index, (unsigned long long)size);
    while (hi - lo > 1) {
        uint64_t mid = lo + split(hi - lo);
        if (index < mid) {
            proof[(*n)++] = range_hash(t, mid, hi);
            hi = mid;
        } else {
            proof[(*n)++] = range_hash(t, lo, mid);
            lo = mid;
        }
    }
    reverse(proof, *n);
    return OK;
}

/* SUBPROOF of RFC 9162 section 2.1.4.1, from the root down. */
err merkle_tree_consistency(const struct merkle_tree *t, uint64_t size1, uint64_t size2,
                            struct hash *proof, size_t *n, struct fail *f) {
    uint64_t have = merkle_tree_size(t), lo = 0, hi = size2;
    *n = 0;
    if (size2 > have) return past_end(f, size2, have);
    if (size1 > size2)
        return fail_set(f, E_RANGE, "a tree of %llu leaves cannot follow one of %llu",
                        (unsigned long long)size2, (unsigned long long)size1);
    if (size1 == 0 || size1 == size2) return OK;
    while (hi != size1) {
        uint64_t mid = lo + split(hi - lo);
        if (size1 <= mid) {
            proof[(*n)++] = range_hash(t, mid, hi);
            hi = mid;
        } else {
            proof[(*n)++] = range_hash(t, lo, mid);
            lo = mid;
        }
    }
    if (lo != 0)
        proof[(*n)++] = range_hash(t, lo, hi); /* with lo = 0 it is the older root itself */
    reverse(proof, *n);
    return OK;
}
