/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Logs, proofs and witness requests that other implementations made: a tessera log of 15 entries,
 * litewitness's test script, and files made by independent tools. Skipped without shared vectors.
 */
#include "test.h"

#include <stdio.h>
#include "base/file.h"
#include "tlog/proof.h"
#include "tlog/tile.h"
#include "tlog/witness.h"

#define LOG_VKEY "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
#define PETER    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define LOG_SIZE 15
#define COSIGNED 1679315147

static void load(const char *name, struct buf *out) {
    struct fail f;
    char path[5000];
    snprintf(path, sizeof path, "%s/vectors/%s", shared_dir(), name);
    must(file_read(path, 1 << 20, out, &f));
}

static struct note_key log_key(void) {
    struct fail f;
    struct note_key k;
    must(note_vkey_parse(SPAN_LIT(LOG_VKEY), &k, &f));
    return k;
}

/* The same public key as a cosigner (type 04). */
static struct note_key peter(void) {
    struct fail f;
    struct note_key k;
    must(note_vkey_parse(SPAN_LIT(PETER), &k, &f));
    must(note_key_make(SPAN_LIT("PeterNeumann"), NOTE_TYPE_COSIGNATURE, &k.public, &k, &f));
    return k;
}

static struct merkle_tree *tessera_tree(struct buf *bundle) {
    struct fail f;
    struct merkle_tree *t;
    struct span e[LOG_SIZE];
    load("tessera-log/testdata/log/tile/entries/000.p/15", bundle);
    must(bundle_parse(buf_view(bundle), LOG_SIZE, e, &f));
    must(merkle_tree_new(LOG_SIZE, &t, &f));
    for (size_t i = 0; i < LOG_SIZE; i++) {
        struct hash leaf = merkle_leaf(e[i]);
        must(merkle_tree_append(t, &leaf, &f));
    }
    return t;
}

/* Every checkpoint, hash tile and bundle of the log at every size, and proofs between all of them.
 */
static void test_tessera(void **state) {
    (void)state;
    if (!shared_dir()) skip();
    struct fail f;
    struct buf bundle, b, made;
    buf_init(&bundle, 4096);
    buf_init(&b, 4096);
    buf_init(&made, 4096);
    struct merkle_tree *t = tessera_tree(&bundle);
    struct note_key key = log_key();
    struct span e[LOG_SIZE];
    must(bundle_parse(buf_view(&bundle), LOG_SIZE, e, &f));
    for (unsigned size = 0; size <= LOG_SIZE; size++) {
        char path[200], tile[TILE_PATH_MAX];
        struct checkpoint c;
        struct note n;
        struct note_line lines[2];
        struct hash root;
        snprintf(path, sizeof path, "tessera-log/testdata/log/checkpoint.%u", size);
        buf_clear(&b);
        load(path, &b);
        must(checkpoint_open(buf_view(&b), &key, &c, &n, lines, 2, &f));
        must(merkle_tree_root_at(t, size, &root, &f));
        assert_int_equal(c.size, size);
        assert_true(hash_eq(&c.root, &root));
        for (unsigned old = 1; old <= size; old++) {
            struct hash proof[MERKLE_PROOF_MAX], older;
            size_t np;
            must(merkle_tree_root_at(t, old, &older, &f));
            must(merkle_tree_consistency(t, old, size, proof, &np, &f));
            must(merkle_verify_consistency(old, size, proof, np, &older, &root, &f));
        }
        if (size == 0) continue;
        for (int entries = 0; entries < 2; entries++) {
            struct tile tl = {.entries = entries, .width = (uint16_t)size};
            tile_path(tl, tile);
            snprintf(path, sizeof path, "tessera-log/testdata/log/%s", tile);
            buf_clear(&b);
            buf_clear(&made);
            load(path, &b);
            if (!entries) {
                must(tile_hashes(t, tl, &made, &f));
            } else {
                for (unsigned i = 0; i < size; i++) must(bundle_add(&made, e[i], &f));
            }
            assert_true(span_eq(buf_view(&b), buf_view(&made)));
        }
    }
    merkle_tree_free(t);
    buf_release(&bundle);
    buf_release(&b);
    buf_release(&made);
}

static void test_cosigned(void **state) {
    (void)state;
    if (!shared_dir()) skip();
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 16);
    struct note_key key = log_key(), w = peter(), stranger = w;
    struct checkpoint c;
    struct note n;
    struct note_line lines[4];
    struct cosignature got;
    load("derived/checkpoint15.cosigned", &b);
    must(checkpoint_open(buf_view(&b), &key, &c, &n, lines, 4, &f));
    must(cosignatures_collect(c.body, lines, n.count, &w, 1, &got, &f));
    assert_true(got.present);
    assert_int_equal(got.time_s, COSIGNED);
    stranger.id ^= 1;
    must(cosignatures_collect(c.body, lines, n.count, &stranger, 1, &got, &f));
    assert_false(got.present);

    /* with an ML-DSA line (type 06) as well: kept, unknown, no obstacle */
    buf_clear(&b);
    load("derived/checkpoint15.pq", &b);
    must(checkpoint_open(buf_view(&b), &key, &c, &n, lines, 4, &f));
    assert_int_equal(n.count, 3);
    assert_int_equal(lines[2].id, 0x8e640202);
    assert_int_equal(lines[2].n, 8 + 2420);
    must(cosignatures_collect(c.body, lines, n.count, &w, 1, &got, &f));
    assert_true(got.present);

    /* its key parses, and is unknown */
    buf_clear(&b);
    load("derived/mldsa.out", &b);
    struct span rest = buf_view(&b), line;
    assert_true(span_line(&rest, &line));
    assert_true(span_starts(line, SPAN_LIT("vkey ")));
    struct note_key pq;
    must(note_vkey_parse(span_from(line, 5), &pq, &f));
    assert_int_equal(pq.type, NOTE_TYPE_SUBTREE);
    assert_int_equal(pq.id, 0x8e640202);
    assert_false(pq.known);
    struct note_line answer;
    size_t count;
    while (span_line(&rest, &line) && !span_starts(line, SPAN_LIT("\xe2\x80\x94"))) {
    }
    must(note_split_lines(span_of(line.p, line.n + 1), &answer, 1, &count, &f));
    assert_true(note_line_is_by(&answer, &pq));
    buf_release(&b);
}

static void test_proof_file(void **state) {
    (void)state;
    if (!shared_dir()) skip();
    struct fail f;
    struct buf b, leaf, bad, again, bundle;
    buf_init(&b, 1 << 16);
    buf_init(&again, 1 << 16);
    buf_init(&leaf, 100);
    buf_init(&bad, 100);
    buf_init(&bundle, 4096);
    load("derived/leaf4.tlog-proof", &b);
    load("derived/leaf4.bin", &leaf);
    load("derived/bad.bin", &bad);
    struct note_key key = log_key();
    struct tlog_proof p;
    struct checkpoint c;
    must(tlog_proof_parse(buf_view(&b), &p, &f));
    assert_int_equal(p.index, 4);
    must(tlog_proof_verify(&p, buf_view(&leaf), &key, NULL, &c, NULL, &f));
    assert_int_equal(c.size, LOG_SIZE);
    refuses(E_PROOF, tlog_proof_verify(&p, buf_view(&bad), &key, NULL, &c, NULL, &f));
    /* ours has the same bytes */
    struct merkle_tree *t = tessera_tree(&bundle);
    struct hash proof[MERKLE_PROOF_MAX];
    size_t n;
    must(merkle_tree_inclusion(t, 4, LOG_SIZE, proof, &n, &f));
    must(tlog_proof_format((struct span){NULL, 0}, 4, proof, n, p.checkpoint, &again, &f));
    assert_true(span_eq(buf_view(&b), buf_view(&again)));
    /* under a policy that asks for the cosigner, and one that asks for another */
    struct arena a;
    arena_init(&a, 1 << 20);
    struct buf text;
    buf_init(&text, 4096);
    struct note_key w = peter();
    buf_str(&text, "log " LOG_VKEY "\nwitness peter ");
    note_vkey_format(&w, &text);
    buf_str(&text, "\nquorum peter\n");
    struct policy policy;
    struct cosignature by;
    must(policy_parse(buf_view(&text), &a, &policy, &f));
    must(tlog_proof_verify(&p, buf_view(&leaf), &policy_log(&policy, c.origin)->key, &policy, NULL,
                           &by, &f));
    assert_int_equal(by.time_s, COSIGNED);
    arena_release(&a);
    merkle_tree_free(t);
    buf_release(&text);
    buf_release(&b);
    buf_release(&again);
    buf_release(&leaf);
    buf_release(&bad);
    buf_release(&bundle);
}

/* Requests that other tools made for the same log: ours have the same bytes, and are accepted. */
static void test_requests(void **state) {
    (void)state;
    if (!shared_dir()) skip();
    struct fail f;
    struct buf b, again, bundle;
    buf_init(&b, 1 << 16);
    buf_init(&again, 1 << 16);
    buf_init(&bundle, 4096);
    struct merkle_tree *t = tessera_tree(&bundle);
    struct note_key key = log_key();
    static const unsigned sizes[] = {3, 8};
    for (size_t i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "derived/add-checkpoint-%u-15.req", sizes[i]);
        buf_clear(&b);
        buf_clear(&again);
        load(name, &b);
        struct witness_request r;
        struct witness_answer a;
        struct witness_state seen = {.size = sizes[i]};
        must(witness_request_parse(buf_view(&b), &r, &f));
        assert_int_equal(r.old_size, sizes[i]);
        must(merkle_tree_root_at(t, sizes[i], &seen.root, &f));
        witness_decide(&r, &key, &seen, &a);
        assert_int_equal(a.status, 200);
        assert_int_equal(a.next.size, LOG_SIZE);
        seen.root.b[3] ^= 1;
        witness_decide(&r, &key, &seen, &a);
        assert_int_equal(a.status, 422);
        struct hash proof[MERKLE_PROOF_MAX];
        size_t n;
        must(merkle_tree_consistency(t, sizes[i], LOG_SIZE, proof, &n, &f));
        must(witness_request_format(sizes[i], proof, n, r.note, &again, &f));
        assert_true(span_eq(buf_view(&b), buf_view(&again)));
    }
    merkle_tree_free(t);
    buf_release(&b);
    buf_release(&again);
    buf_release(&bundle);
}

/* Checkpoints of other logs, cosigned by keys that are not published with them: structure, sizes
 * and the root of "record 0".."record 299". */
static void test_foreign(void **state) {
    (void)state;
    if (!shared_dir()) skip();
    struct fail f;
    static const struct {
        const char *name, *origin, *cosigner;
        size_t lines, cosignature;
    } rows[] = {
        {"derived/sl.mirror", "rome2026h1.example.org", "mirror.example.org", 1, 0},
        {"derived/sl.w2", "milan2026h1.example.org", "witness2.example.org", 1, 0},
        {"derived/sl.wit", "rome2026h1.example.org", "witness.example.org", 2, 1},
    };
    for (size_t i = 0; i < 3; i++) {
        struct buf b;
        buf_init(&b, 4096);
        load(rows[i].name, &b);
        struct note n;
        struct note_line lines[4];
        struct checkpoint c;
        must(note_split(buf_view(&b), &n, lines, 4, &f));
        must(checkpoint_parse(n.text, &c, &f));
        assert_true(span_is(c.origin, rows[i].origin));
        assert_int_equal(c.size, 300);
        assert_int_equal(n.count, rows[i].lines);
        const struct note_line *l = &lines[rows[i].cosignature];
        assert_true(span_is(l->name, rows[i].cosigner));
        assert_int_equal(l->n, 72);
        assert_int_equal(get_u64be(l->bytes), 1767139200);
        if (i == 0) {
            struct merkle_frontier edge = {0};
            for (unsigned r = 0; r < 300; r++) {
                char text[32];
                int len = snprintf(text, sizeof text, "record %u", r);
                struct hash leaf = merkle_leaf(span_of(text, (size_t)len));
                merkle_frontier_append(&edge, &leaf);
            }
            struct hash root = merkle_frontier_root(&edge);
            assert_true(hash_eq(&root, &c.root));
        }
        buf_release(&b);
    }
}

/* The nine requests of litewitness's script in order, with one state. It answers 403 to an unknown log
 * where the published text says 404; ours follows the text. */
static void test_litewitness(void **state) {
    (void)state;
    if (!shared_dir()) skip();
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 16);
    load("witness/litewitness.txt", &b);
    static const char public_hex[] =
        "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f";
    static const char origin[] =
        "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562";
    struct ed25519_public public;
    struct note_key key;
    must(hex_decode(SPAN_LIT(public_hex), public.b, sizeof public.b, &f));
    must(note_key_make(SPAN_LIT(origin), NOTE_TYPE_ED25519, &public, &key, &f));
    struct witness_state seen = {0};
    char *at = (char *)(uintptr_t)buf_cstr(&b);
    int done = 0, ok = 0;
    while ((at = strstr(at, "```\n")) != NULL) {
        at += 4;
        char *end = strstr(at, "```\nHTTP ");
        assert_non_null(end);
        int theirs = atoi(end + 9);
        struct witness_request r;
        struct witness_answer a;
        must(witness_request_parse(span_of(at, (size_t)(end - at)), &r, &f));
        bool known = span_is(r.checkpoint.origin, origin);
        witness_decide(&r, known ? &key : NULL, &seen, &a);
        assert_int_equal(a.status, !known && theirs == 403 ? 404 : theirs);
        if (a.status == 200) {
            seen = a.next;
            ok++;
        }
        if (a.status == 409) {
            char want[40];
            snprintf(want, sizeof want, "body == \"%u\\n\"", (unsigned)seen.size);
            assert_non_null(strstr(end, want));
            assert_int_equal(strtoul(a.body, NULL, 10), seen.size);
        }
        if (a.status == 422) assert_non_null(strstr(a.body, "consistency proof"));
        done++;
        at = end + 9;
    }
    assert_int_equal(done, 9);
    assert_int_equal(ok, 3);
    assert_int_equal(seen.size, 5);
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tessera),    cmocka_unit_test(test_cosigned),
        cmocka_unit_test(test_proof_file), cmocka_unit_test(test_requests),
        cmocka_unit_test(test_foreign),    cmocka_unit_test(test_litewitness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
