/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The 518 proofs, good and bad, of transparency-dev/merkle, as they are. Skipped without them. */
#include "test.h"

#include <dirent.h>
#include <jansson.h>
#include <sys/stat.h>
#include "base/file.h"
#include "base/text.h"
#include "tlog/merkle.h"

/* Some bad cases hold "hashes" of other lengths. They are carried through as the hash of their
 * bytes: still equal where they were equal, still wrong where they were wrong. */
static struct hash hash_of(const json_t *v) {
    struct hash h;
    uint8_t bytes[256];
    size_t n = 0;
    const char *text = json_string_value(v);
    if (!text) text = "";
    if (base64_decode(span_text(text), bytes, sizeof bytes, &n, NULL) != OK)
        fail_msg("not base64: %s", text);
    if (n != sizeof h.b) return sha256_2(SPAN_LIT("not a hash: "), span_of(bytes, n));
    memcpy(h.b, bytes, sizeof h.b);
    return h;
}

/* From the text itself: some are past what jansson's integers hold. */
static struct buf text;

static uint64_t number(const json_t *row, const char *key) {
    struct fail f;
    char quoted[32];
    (void)row;
    snprintf(quoted, sizeof quoted, "\"%s\": ", key);
    const char *at = strstr(buf_cstr(&text), quoted);
    if (!at) fail_msg("no %s", key);
    at += strlen(quoted);
    uint64_t v;
    must(u64_parse(span_of(at, strspn(at, "0123456789")), UINT64_MAX, &v, &f));
    return v;
}

static struct hash field(const json_t *row, const char *key) {
    return hash_of(json_object_get(row, key));
}

/* A leaf of another length has no counterpart in the typed interface: readers refuse it. */
static bool is_hash(const json_t *row, const char *key) {
    return strlen(json_string_value(json_object_get(row, key))) == HASH_BASE64_LEN;
}

static err check(const char *kind, const json_t *row, struct fail *f) {
    struct hash proof[128], a, b;
    size_t n = json_array_size(json_object_get(row, "proof"));
    assert_true(n <= 128);
    for (size_t i = 0; i < n; i++)
        proof[i] = hash_of(json_array_get(json_object_get(row, "proof"), i));
    if (strcmp(kind, "inclusion") == 0) {
        a = field(row, "leafHash"), b = field(row, "root");
        if (!is_hash(row, "leafHash")) return fail_set(f, E_PROOF, "no leaf hash");
        return merkle_verify_inclusion(&a, number(row, "leafIdx"), number(row, "treeSize"), proof,
                                       n, &b, f);
    }
    if (strcmp(kind, "subtreeinclusion") == 0) {
        a = field(row, "leafHash"), b = field(row, "root");
        if (!is_hash(row, "leafHash")) return fail_set(f, E_PROOF, "no leaf hash");
        return merkle_verify_subtree_inclusion(&a, number(row, "leafIdx"), number(row, "start"),
                                               number(row, "end"), proof, n, &b, f);
    }
    a = field(row, "root1"), b = field(row, "root2");
    if (strcmp(kind, "consistency") == 0)
        return merkle_verify_consistency(number(row, "size1"), number(row, "size2"), proof, n, &a,
                                         &b, f);
    return merkle_verify_subtree_consistency(number(row, "start"), number(row, "end"),
                                             number(row, "size"), proof, n, &a, &b, f);
}

struct counts {
    size_t seen, good;
};

static void walk(const char *kind, const char *dir, struct counts *c) {
    DIR *d = opendir(dir);
    if (!d) fail_msg("cannot open %s", dir);
    for (struct dirent *e; (e = readdir(d));) {
        char path[8192];
        struct stat st;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        assert_int_equal(stat(path, &st), 0);
        if (S_ISDIR(st.st_mode)) {
            walk(kind, path, c);
            continue;
        }
        struct fail f = {0};
        json_error_t je;
        buf_clear(&text);
        must(file_read(path, 1 << 16, &text, &f));
        json_t *row = json_loadb((const char *)text.p, text.n,
                                 JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &je);
        if (!row) fail_msg("%s: %s", path, je.text);
        bool want = !json_is_true(json_object_get(row, "wantErr"));
        err got = check(kind, row, &f);
        if ((got == OK) != want || (got != OK && (got != E_PROOF || !f.text[0])))
            fail_msg("%s: %s %s", path, err_info(got)->name, f.text);
        c->seen++;
        c->good += want;
        json_decref(row);
    }
    closedir(d);
}

static void run(const char *kind, size_t seen, size_t good) {
    char path[5000];
    const char *dir = shared_dir();
    if (!dir) skip();
    struct counts c = {0};
    snprintf(path, sizeof path, "%s/vectors/merkle/testdata/%s", dir, kind);
    buf_init(&text, 1 << 16);
    walk(kind, path, &c);
    buf_release(&text);
    assert_int_equal(c.seen, seen);
    assert_int_equal(c.good, good);
}

static void test_inclusion(void **state) {
    (void)state;
    run("inclusion", 98, 6);
}

static void test_consistency(void **state) {
    (void)state;
    run("consistency", 98, 6);
}

static void test_subtree_inclusion(void **state) {
    (void)state;
    run("subtreeinclusion", 204, 12);
}

static void test_subtree_consistency(void **state) {
    (void)state;
    run("subtreeconsistency", 118, 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inclusion),
        cmocka_unit_test(test_consistency),
        cmocka_unit_test(test_subtree_inclusion),
        cmocka_unit_test(test_subtree_consistency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
