/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <stdio.h>
#include "tlog/policy.h"

static struct arena arena;

/* vkeys of a few witnesses and logs, made once. */
static char wkey[40][160], lkey[2][160];

static int make_keys(void **state) {
    (void)state;
    for (size_t i = 0; i < 42; i++) {
        struct fail f;
        struct note_signer s;
        char name[16];
        uint8_t seed[32] = {(uint8_t)(i + 1), 0x50};
        bool log = i >= 40;
        snprintf(name, sizeof name, "%s%zu", log ? "log" : "wit", i);
        if (note_signer_make(span_text(name), log ? NOTE_TYPE_ED25519 : NOTE_TYPE_COSIGNATURE, seed,
                             &s, &f) != OK)
            return -1;
        struct buf b;
        buf_init(&b, 159);
        note_vkey_format(&s.key, &b);
        snprintf(log ? lkey[i - 40] : wkey[i], 160, "%s", buf_cstr(&b));
        buf_release(&b);
    }
    return 0;
}

static struct buf text;

static struct span policy_text(const char *fmt, ...) PRINTF(1, 2);
static struct span policy_text(const char *fmt, ...) {
    char out[16384];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out, sizeof out, fmt, ap);
    va_end(ap);
    buf_clear(&text);
    buf_str(&text, out);
    return buf_view(&text);
}

static int setup(void **state) {
    arena_init(&arena, 4 << 20);
    buf_init(&text, 1 << 20);
    return make_keys(state);
}

static int teardown(void **state) {
    (void)state;
    arena_release(&arena);
    buf_release(&text);
    return 0;
}

static void test_two_levels(void **state) {
    (void)state;
    struct fail f;
    struct policy p;
    must(policy_parse(policy_text("# an example\n"
                                  "log %s https://log.example/\n"
                                  "\n \t \n"
                                  "\twitness X1 %s\n"
                                  "witness X2  %s  https://x2.example/ \n"
                                  "witness X3 %s\n"
                                  "group X 2 X1 X2 X3\n"
                                  "  # indented\n"
                                  "witness Y1 %s\nwitness Y2 %s\n"
                                  "group Y any Y1 Y2\n"
                                  "group both all X Y\n"
                                  "quorum both\n",
                                  lkey[0], wkey[0], wkey[1], wkey[2], wkey[3], wkey[4]),
                      &arena, &p, &f));
    assert_int_equal(p.log_count, 1);
    assert_int_equal(p.witness_count, 5);
    assert_int_equal(p.group_count, 3);
    assert_true(span_is(p.witnesses[1].url, "https://x2.example/"));
    assert_int_equal(p.witnesses[0].url.n, 0);
    assert_non_null(policy_log(&p, SPAN_LIT("log40")));
    assert_null(policy_log(&p, SPAN_LIT("log41")));
    /* met exactly when two of X and one of Y signed */
    for (unsigned set = 0; set < 32; set++) {
        bool by[5];
        for (unsigned i = 0; i < 5; i++) by[i] = set >> i & 1;
        bool want = by[0] + by[1] + by[2] >= 2 && (by[3] || by[4]);
        assert_int_equal(policy_is_met(&p, by), want);
    }
}

static void test_simple_quorums(void **state) {
    (void)state;
    struct fail f;
    struct policy p;
    bool no = false, yes = true;
    must(policy_parse(SPAN_LIT("quorum none\n"), &arena, &p, &f));
    assert_false(p.has_quorum);
    assert_true(policy_is_met(&p, NULL));
    must(policy_parse(policy_text("witness A %s\nquorum A\n", wkey[0]), &arena, &p, &f));
    assert_false(policy_is_met(&p, &no));
    assert_true(policy_is_met(&p, &yes));
    /* lines may follow the quorum; a type that is not verified here never counts */
    must(policy_parse(
        policy_text("witness A %s\nquorum A\nwitness B other+00000001+/2dvb2Q=\n", wkey[0]), &arena,
        &p, &f));
    assert_int_equal(p.witness_count, 2);
    assert_false(p.witnesses[1].key.known);
}

static void test_refused(void **state) {
    (void)state;
    struct fail f;
    struct policy p;
    const char *w0 = wkey[0], *w1 = wkey[1];
    char renamed[200]; /* the same public key under another name */
    struct note_key k;
    must(note_vkey_parse(span_text(w0), &k, &f));
    must(note_key_make(SPAN_LIT("renamed"), NOTE_TYPE_COSIGNATURE, &k.public, &k, &f));
    struct buf b;
    buf_init(&b, 199);
    note_vkey_format(&k, &b);
    snprintf(renamed, sizeof renamed, "%s", buf_cstr(&b));
    buf_release(&b);
#define NO(...) refuses(E_POLICY, policy_parse(policy_text(__VA_ARGS__), &arena, &p, &f))
    NO("%s", "");
    NO("witness A %s\n", w0); /* no quorum */
    NO("quorum none");        /* the line does not end */
    NO("quorum none\nquorum none\n");
    NO("quorum\n");
    NO("quorum A\n");
    NO("quorum A\nwitness A %s\n", w0); /* used before defined */
    NO("witness A %s\nquorum A x\n", w0);
    NO("witness A %s\nwitness A %s\nquorum A\n", w0, w1);      /* one name twice */
    NO("witness A %s\nwitness B %s\nquorum A\n", w0, w0);      /* one key twice */
    NO("witness A %s\nwitness B %s\nquorum A\n", w0, renamed); /* the same under another name */
    NO("log %s\nlog %s u\nquorum none\n", lkey[0], lkey[0]);
    NO("log %s\nquorum none\n", w0);         /* a key for cosignatures */
    NO("witness A %s\nquorum A\n", lkey[0]); /* a key for notes */
    NO("witness none %s\nquorum none\n", w0);
    NO("witness A\nquorum none\n");
    NO("witness A %s u v\nquorum none\n", w0);
    NO("witness A wrong\nquorum none\n");
    NO("log\nquorum none\n");
    NO("log wrong\nquorum none\n");
    NO("group G any\nquorum none\n");
    NO("witness A %s\ngroup G any B\nquorum G\n", w0);
    NO("witness A %s\ngroup A any A\nquorum A\n", w0);
    NO("witness A %s\ngroup G any G\nquorum G\n", w0);
    NO("witness A %s\ngroup G any A A\nquorum G\n", w0);
    NO("witness A %s\ngroup G any A\ngroup H any A\nquorum G\n", w0);
    NO("witness A %s\ngroup G any none\nquorum G\n", w0);
    NO("witness A %s\ngroup G 0 A\nquorum G\n", w0);
    NO("witness A %s\ngroup G 2 A\nquorum G\n", w0);
    NO("witness A %s\ngroup G 01 A\nquorum G\n", w0);
    NO("witness A %s\ngroup G some A\nquorum G\n", w0);
    NO("witness A %s\ngroup G any A\ngroup H any G\ngroup I any G\nquorum G\n", w0);
    NO("Quorum none\n");
    NO("quorum none # now\n");
    NO("quorum none\r\n");
    NO("# a \x01 in a comment\nquorum none\n");
    NO("# a \x7f in a comment\nquorum none\n");
    /* the line is named */
    refuses(E_POLICY, policy_parse(SPAN_LIT("\n\nwhat\nquorum none\n"), &arena, &p, &f));
    assert_non_null(strstr(f.text, "line 3"));
}

static void test_many(void **state) {
    (void)state;
    struct fail f;
    struct policy p;
    struct buf b;
    buf_init(&b, POLICY_BYTES_MAX);
    for (unsigned i = 0; i < 40; i++) {
        buf_printf(&b, "witness w%u %s\n", i, wkey[i]);
        if (i == 0)
            buf_str(&b, "group g0 any w0\n");
        else
            buf_printf(&b, "group g%u all g%u w%u\n", i, i - 1, i);
    }
    buf_str(&b, "quorum g39\n");
    must(policy_parse(buf_view(&b), &arena, &p, &f));
    assert_int_equal(p.group_count, 40);
    bool by[40];
    for (unsigned i = 0; i < 40; i++) by[i] = true;
    assert_true(policy_is_met(&p, by));
    for (unsigned i = 0; i < 40; i++) { /* a chain of groups asks for every one */
        by[i] = false;
        assert_false(policy_is_met(&p, by));
        by[i] = true;
    }
    buf_release(&b);
    struct arena small;
    arena_init(&small, 100);
    refuses(E_MEMORY, policy_parse(SPAN_LIT("quorum none\n"), &small, &p, &f));
    arena_release(&small);
}

/* By trying all: two quorums of k among n overlap in at least 2k - n; of those f may lie. */
static void test_thresholds(void **state) {
    (void)state;
    for (uint32_t n = 1; n <= 40; n++)
        for (uint32_t liars = 0; liars <= n; liars++) {
            uint32_t least = 0;
            for (uint32_t k = n; k >= 1 && (int64_t)2 * k - n > liars; k--) least = k;
            if (least == 0) least = n + 1; /* none will do */
            uint32_t got = policy_safe_threshold(n, liars);
            assert_int_equal(got > n ? n + 1 : got, least);
        }
    for (uint32_t n = 1; n <= 40; n++)
        for (uint32_t k = 1; k <= n; k++) {
            int32_t most = -1;
            for (uint32_t liars = 0; liars <= n; liars++)
                if (policy_safe_threshold(n, liars) <= k) most = (int32_t)liars;
            assert_int_equal(policy_tolerated_liars(k, n), most);
        }
    assert_int_equal(policy_tolerated_liars(5, 4), -1);
    assert_int_equal(policy_tolerated_liars(0, 0), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_levels), cmocka_unit_test(test_simple_quorums),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_many),
        cmocka_unit_test(test_thresholds),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
