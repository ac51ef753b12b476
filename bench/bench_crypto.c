/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What one core does: hashes, signatures, notes, and the tree. Prints "name value unit" per line,
 * a second being one of processor time: other work on the machine then matters less. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "crypto/note.h"
#include "tlog/merkle.h"

static volatile uint64_t sink; /* so that nothing is optimised away */

static void die(const char *what, const struct fail *f) {
    fprintf(stderr, "%s: %s\n", what, f->text);
    exit(1);
}

static double cpu_seconds(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print(const char *name, double value, const char *unit) {
    printf("%-28s %12.0f %s\n", name, value, unit);
    fflush(stdout);
}

/* Repeats `body` (which does `count` things) for about `seconds`; gives things a second. */
#define MEASURE(seconds, count, body)                                                              \
    ({                                                                                             \
        double start_ = cpu_seconds(), took_;                                                      \
        uint64_t done_ = 0;                                                                        \
        do {                                                                                       \
            body;                                                                                  \
            done_ += (count);                                                                      \
            took_ = cpu_seconds() - start_;                                                        \
        } while (took_ < (seconds));                                                               \
        (double)done_ / took_;                                                                     \
    })

static void hashes(void) {
    static uint8_t big[1 << 20];
    struct hash a = sha256(SPAN_LIT("a")), b = sha256(SPAN_LIT("b"));
    print("sha256_large",
          MEASURE(0.5, sizeof big,
                  {
                      struct hash h = sha256(span_of(big, sizeof big));
                      sink += h.b[0];
                  }) /
              1e6,
          "MB/s");
    print("sha256_node_65",
          MEASURE(1.0, 1000,
                  {
                      for (int i = 0; i < 1000; i++) a = merkle_node(&a, &b);
                  }),
          "nodes/s");
    print("sha256_leaf_500",
          MEASURE(0.5, 1000,
                  {
                      for (int i = 0; i < 1000; i++) a = merkle_leaf(span_of(big, 500));
                  }),
          "leaves/s");
    sink += a.b[0];
}

/* A note of one signature and about 500 bytes, like a station's result. */
static void notes(void) {
    struct fail f;
    struct note_signer signer;
    static const uint8_t seed[32] = {1};
    static char text[380];
    memset(text, 'x', sizeof text);
    memcpy(text, "hesabu/v1 result\n", 17);
    text[sizeof text - 1] = '\n';
    if (note_signer_make(SPAN_LIT("po.017.0043.1"), NOTE_TYPE_ED25519, seed, &signer, &f) != OK)
        die("key", &f);
    struct span t = span_of(text, sizeof text);
    struct ed25519_signature sig;
    print("ed25519_sign",
          MEASURE(1.0, 100,
                  {
                      for (int i = 0; i < 100; i++) ed25519_sign(&signer.secret, t, &sig);
                  }),
          "signatures/s");
    print("ed25519_verify",
          MEASURE(2.0, 100,
                  {
                      for (int i = 0; i < 100; i++)
                          sink += ed25519_verify(&signer.key.public, &sig, t);
                  }),
          "verifies/s");
    struct buf b;
    buf_init(&b, 1 << 16);
    const struct note_signer *signers[] = {&signer};
    if (note_sign(signers, 1, t, &b, &f) != OK) die("note", &f);
    struct note n;
    struct note_line lines[4];
    printf("note_bytes                   %12zu bytes\n", b.n);
    print("note_split",
          MEASURE(1.0, 1000,
                  {
                      for (int i = 0; i < 1000; i++) {
                          if (note_split(buf_view(&b), &n, lines, 4, &f) != OK) die("split", &f);
                          sink += n.count;
                      }
                  }),
          "notes/s");
    print("note_open",
          MEASURE(1.0, 100,
                  {
                      for (int i = 0; i < 100; i++)
                          if (note_open(buf_view(&b), &signer.key, 1, &n, lines, 4, NULL, &f) != OK)
                              die("open", &f);
                  }),
          "notes/s");
    buf_release(&b);
}

enum { LEAVES = 2 * 1000 * 1000 };

static void tree(void) {
    struct fail f;
    struct merkle_tree *t;
    if (merkle_tree_new(LEAVES, &t, &f) != OK) die("tree", &f);
    struct hash leaf = sha256(SPAN_LIT("leaf")), proof[MERKLE_PROOF_MAX];
    double start = cpu_seconds();
    for (uint64_t i = 0; i < LEAVES; i++) {
        put_u64be(leaf.b, i);
        if (merkle_tree_append(t, &leaf, &f) != OK) die("append", &f);
    }
    print("merkle_append_2M", LEAVES / (cpu_seconds() - start), "leaves/s");
    struct merkle_frontier edge = {0};
    start = cpu_seconds();
    for (uint64_t i = 0; i < LEAVES / 4; i++) merkle_frontier_append(&edge, &leaf);
    print("merkle_frontier_append", LEAVES / 4 / (cpu_seconds() - start), "leaves/s");
    uint64_t at = 1;
    size_t n;
    print("merkle_root_2M",
          MEASURE(0.5, 1000,
                  {
                      for (int i = 0; i < 1000; i++) sink += merkle_tree_root(t).b[0];
                  }),
          "roots/s");
    print("merkle_inclusion_2M",
          MEASURE(1.0, 1000,
                  {
                      for (int i = 0; i < 1000; i++) {
                          at = at * 6364136223846793005u + 1442695040888963407u;
                          if (merkle_tree_inclusion(t, at % LEAVES, LEAVES, proof, &n, &f) != OK)
                              die("proof", &f);
                          sink += proof[0].b[0];
                      }
                  }),
          "proofs/s");
    print("merkle_consistency_2M",
          MEASURE(1.0, 1000,
                  {
                      for (int i = 0; i < 1000; i++) {
                          at = at * 6364136223846793005u + 1442695040888963407u;
                          if (merkle_tree_consistency(t, at % LEAVES, LEAVES, proof, &n, &f) != OK)
                              die("proof", &f);
                      }
                  }),
          "proofs/s");
    struct hash root = merkle_tree_root(t);
    if (merkle_tree_inclusion(t, 12345, LEAVES, proof, &n, &f) != OK) die("proof", &f);
    leaf = *merkle_tree_hash(t, 0, 12345);
    print("merkle_verify_inclusion_2M",
          MEASURE(1.0, 1000,
                  {
                      for (int i = 0; i < 1000; i++)
                          if (merkle_verify_inclusion(&leaf, 12345, LEAVES, proof, n, &root, &f) !=
                              OK)
                              die("verify", &f);
                  }),
          "proofs/s");
    merkle_tree_free(t);
}

int main(void) {
    hashes();
    notes();
    tree();
    return 0;
}
