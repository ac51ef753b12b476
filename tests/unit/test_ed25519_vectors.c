/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Signature acceptance: the published edge cases (C2SP/CCTV, speccheck, Wycheproof), which
 * libraries judge differently. libsodium 1.0.18's verdicts are the project's. Skipped without
 * shared vectors. */
#include "test.h"

#include <jansson.h>
#include "crypto/ed25519.h"

static json_t *load(const char *name) {
    char path[5000];
    const char *dir = shared_dir();
    if (!dir) return NULL;
    snprintf(path, sizeof path, "%s/vectors/ed25519/%s", dir, name);
    json_error_t e;
    json_t *j = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
    if (!j) fail_msg("%s: %s", path, e.text);
    return j;
}

static size_t field(const json_t *row, const char *key, uint8_t *out, size_t max) {
    struct fail f;
    const char *hex = json_string_value(json_object_get(row, key));
    assert_non_null(hex);
    size_t n = strlen(hex) / 2;
    assert_true(n <= max);
    must(hex_decode(span_text(hex), out, n, &f));
    return n;
}

static bool verdict(const uint8_t *key, const uint8_t *sig, struct span message) {
    struct ed25519_public p;
    struct ed25519_signature s;
    memcpy(p.b, key, sizeof p.b);
    memcpy(s.b, sig, sizeof s.b);
    return ed25519_verify(&p, &s, message);
}

static bool has_flag(const json_t *row, const char *flag) {
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(row, "flags"), i,
                       v) if (strcmp(json_string_value(v), flag) == 0) return true;
    return false;
}

/* 914 cases. Accepted are the 43 whose A and R are canonical and of large order and whose equation
 * holds without multiplying by the cofactor. */
static void test_cctv(void **state) {
    (void)state;
    json_t *all = load("cctv-ed25519vectors.json"), *row;
    if (!all) skip();
    size_t i, accepted = 0;
    assert_int_equal(json_array_size(all), 914);
    json_array_foreach(all, i, row) {
        uint8_t key[32], sig[64];
        assert_int_equal(field(row, "key", key, sizeof key), 32);
        assert_int_equal(field(row, "sig", sig, sizeof sig), 64);
        const char *message = json_string_value(json_object_get(row, "msg"));
        bool strict = !has_flag(row, "low_order_A") && !has_flag(row, "low_order_R") &&
                      !has_flag(row, "non_canonical_A") && !has_flag(row, "non_canonical_R") &&
                      !has_flag(row, "low_order_residue");
        bool good = verdict(key, sig, span_text(message));
        if (good != strict) fail_msg("case %zu: %s", i, good ? "accepted" : "refused");
        accepted += good;
    }
    assert_int_equal(accepted, 43);
    json_decref(all);
}

/* Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs", table 6: of twelve, libsodium accepts
 * number 3 only. */
static void test_speccheck(void **state) {
    (void)state;
    json_t *all = load("speccheck.json"), *row;
    if (!all) skip();
    size_t i;
    assert_int_equal(json_array_size(all), 12);
    json_array_foreach(all, i, row) {
        uint8_t key[32], sig[64], message[256];
        (void)field(row, "pub_key", key, sizeof key);
        assert_int_equal(field(row, "signature", sig, sizeof sig), 64);
        size_t n = field(row, "message", message, sizeof message);
        assert_int_equal(verdict(key, sig, span_of(message, n)), i == 3);
    }
    json_decref(all);
}

static void test_wycheproof(void **state) {
    (void)state;
    json_t *all = load("wycheproof-ed25519.json"), *group, *row;
    if (!all) skip();
    size_t g, i, seen = 0, valid = 0;
    json_array_foreach(json_object_get(all, "testGroups"), g, group) {
        uint8_t key[32], sig[256], message[2048];
        (void)field(json_object_get(group, "publicKey"), "pk", key, sizeof key);
        json_array_foreach(json_object_get(group, "tests"), i, row) {
            size_t n = field(row, "msg", message, sizeof message);
            bool want = strcmp(json_string_value(json_object_get(row, "result")), "valid") == 0;
            /* a signature of another length never reaches the verifier: note lines hold 64 bytes */
            bool good =
                field(row, "sig", sig, sizeof sig) == 64 && verdict(key, sig, span_of(message, n));
            if (good != want)
                fail_msg("case %lld", (long long)json_integer_value(json_object_get(row, "tcId")));
            seen++;
            valid += want;
        }
    }
    assert_int_equal(seen, 151);
    assert_int_equal(valid, 88);
    json_decref(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cctv),
        cmocka_unit_test(test_speccheck),
        cmocka_unit_test(test_wycheproof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
