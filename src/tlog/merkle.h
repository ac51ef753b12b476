/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The Merkle tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): leaf = SHA-256(00 || entry), node
 * = SHA-256(01 || left || right), a tree of n leaves splits at the largest power of two below n.
 *
 * Proof checks are pure. struct merkle_tree keeps every complete subtree's hash, so a proof costs
 * about log2(size) look-ups; a frontier keeps only the right edge, for streaming. */
#ifndef TLOG_MERKLE_H
#define TLOG_MERKLE_H

#include "crypto/hash.h"

enum { MERKLE_PROOF_MAX = 64 }; /* hashes: no proof that this makes is longer */

struct hash merkle_leaf(struct span entry);
struct hash merkle_node(const struct hash *left, const struct hash *right);
struct hash merkle_empty(void); /* SHA-256 of nothing */

/* E_PROOF unless the leaf with this hash is number `index` (from 0) of the tree of `size` leaves
 * with this root. proof[n] goes from leaf to root. RFC 9162 section 2.1.3.2. */
MUST_USE err merkle_verify_inclusion(const struct hash *leaf, uint64_t index, uint64_t size,
                                     const struct hash *proof, size_t n, const struct hash *root,
                                     struct fail *f);
/* E_PROOF unless the tree of size2 leaves with root2 begins with the tree of size1 leaves with
 * root1. From the empty tree nothing can be proved: size1 = 0 is refused too, so callers treat it
 * apart. RFC 9162 section 2.1.4.2. */
MUST_USE err merkle_verify_consistency(uint64_t size1, uint64_t size2, const struct hash *proof,
                                       size_t n, const struct hash *root1, const struct hash *root2,
                                       struct fail *f);
/* Subtrees [start, end) as in draft-ietf-plants-merkle-tree-certs: valid when start is a multiple
 * of the smallest power of two that is >= end - start. */
bool merkle_subtree_is_valid(uint64_t start, uint64_t end);
MUST_USE err merkle_verify_subtree_inclusion(const struct hash *leaf, uint64_t index,
                                             uint64_t start, uint64_t end, const struct hash *proof,
                                             size_t n, const struct hash *root, struct fail *f);
/* E_PROOF unless the subtree [start, end) with hash root1 stands in the tree of `size` with root2.
 */
MUST_USE err merkle_verify_subtree_consistency(uint64_t start, uint64_t end, uint64_t size,
                                               const struct hash *proof, size_t n,
                                               const struct hash *root1, const struct hash *root2,
                                               struct fail *f);

/* The right edge of a growing tree: a plain value, to be copied or stored. Zeroed = empty. */
struct merkle_frontier {
    uint64_t size;
    struct hash edge[64]; /* edge[l] is meaningful where bit l of size is set */
};
void merkle_frontier_append(struct merkle_frontier *m, const struct hash *leaf);
struct hash merkle_frontier_root(const struct merkle_frontier *m);

/* All complete subtrees of a log, level by level, in chunks whose addresses never move: 64 bytes a
 * leaf. One thread appends and truncates; any thread may read hashes, roots and proofs at sizes
 * that were reached before and are not being truncated. */
struct merkle_tree;
/* Holds at most max_leaves (1..2^36), which bounds its memory; allocates as it grows. */
MUST_USE err merkle_tree_new(uint64_t max_leaves, struct merkle_tree **out, struct fail *f);
void merkle_tree_free(struct merkle_tree *t); /* NULL is fine */
uint64_t merkle_tree_size(const struct merkle_tree *t);
/* E_MEMORY at the cap or without memory; the tree is then unchanged. */
MUST_USE err merkle_tree_append(struct merkle_tree *t, const struct hash *leaf, struct fail *f);
/* Back to a smaller size (a batch given up); E_RANGE when it is larger than the present one. */
MUST_USE err merkle_tree_truncate(struct merkle_tree *t, uint64_t size, struct fail *f);
/* The hash of the complete subtree `index` of `level`: leaves [index << level, (index+1) << level).
 * NULL when it is not complete. Valid until truncated below or freed. */
const struct hash *merkle_tree_hash(const struct merkle_tree *t, unsigned level, uint64_t index);
struct hash merkle_tree_root(const struct merkle_tree *t);
/* The root when the tree had `size` leaves; E_RANGE past the present size. The same limit holds for
 * the proofs, whose hashes go to proof[MERKLE_PROOF_MAX], their number to *n. */
MUST_USE err merkle_tree_root_at(const struct merkle_tree *t, uint64_t size, struct hash *out,
                                 struct fail *f);
MUST_USE err merkle_tree_inclusion(const struct merkle_tree *t, uint64_t index, uint64_t size,
                                   struct hash *proof, size_t *n, struct fail *f);
MUST_USE err merkle_tree_consistency(const struct merkle_tree *t, uint64_t size1, uint64_t size2,
                                     struct hash *proof, size_t *n, struct fail *f);

#endif
