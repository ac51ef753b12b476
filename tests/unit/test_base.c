/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/wait.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/rng.h"
#include "base/text.h"

static void codes_are_unique_and_mapped(void **state) {
    (void)state;
    for (int i = 1; i < ERR_COUNT; i++) {
        const struct err_info *a = err_info((err)i);
        assert_int_equal(err_by_name(a->name), i);
        assert_true(a->http >= 400 && a->http < 600);
        assert_true(a->exit > 0 && a->exit < 126);
        assert_true(strlen(a->text) > 5);
    }
    assert_int_equal(err_by_name("E_NO_SUCH"), ERR_COUNT);
}

static void fail_keeps_context(void **state) {
    (void)state;
    struct fail f = {0};
    assert_int_equal(fail_set(&f, E_JSON, "inner %d", 1), E_JSON);
    assert_int_equal(fail_context(&f, E_NOTE, "outer"), E_NOTE);
    assert_string_equal(f.text, "outer: inner 1");
    assert_int_equal(fail_set(NULL, E_JSON, "nobody listens"), E_JSON);
}

static void arena_has_a_cap(void **state) {
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    char *first = arena_alloc(&a, 10);
    assert_non_null(first);
    assert_int_equal((uintptr_t)first % 16, 0);
    size_t got = 0;
    while (arena_alloc(&a, 1000)) got += 1000;
    assert_in_range(got, 900000, 1 << 20);
    assert_null(arena_array(&a, SIZE_MAX / 2, 3));
    memset(first, 1, 10);
    arena_release(&a);
}

static void buffers_have_a_maximum(void **state) {
    (void)state;
    struct fail f;
    struct buf b;
    buf_init(&b, 10);
    buf_str(&b, "12345");
    buf_u64(&b, 67890);
    must(buf_ok(&b, &f));
    assert_string_equal(buf_cstr(&b), "1234567890");
    buf_byte(&b, 'x');
    refuses(E_MEMORY, buf_ok(&b, &f));
    assert_int_equal(b.n, 10);
    buf_release(&b);
}

static void numbers_for_people(void **state) {
    (void)state;
    static const struct {
        uint64_t v;
        const char *text;
    } cases[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {15114574, "15,114,574"},
                 {UINT64_MAX, "18,446,744,073,709,551,615"}};
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&b);
        buf_u64_grouped(&b, cases[i].v);
        assert_string_equal(buf_cstr(&b), cases[i].text);
    }
    buf_release(&b);
}

static void hex_is_strict(void **state) {
    (void)state;
    struct fail f;
    uint8_t out[4];
    must(hex_decode(SPAN_LIT("00ff10a5"), out, 4, &f));
    assert_memory_equal(out, "\x00\xff\x10\xa5", 4);
    refuses(E_HEX, hex_decode(SPAN_LIT("00FF10a5"), out, 4, &f));
    refuses(E_HEX, hex_decode(SPAN_LIT("00ff10a"), out, 4, &f));
    refuses(E_HEX, hex_decode(SPAN_LIT("00ff10ag"), out, 4, &f));
}

static void base64_is_canonical(void **state) {
    (void)state;
    struct fail f;
    uint8_t out[64];
    size_t n;
    static const struct {
        const char *plain, *coded;
    } rfc4648[] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},        {"foo", "Zm9v"},
                   {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof rfc4648 / sizeof *rfc4648; i++) {
        char coded[64];
        base64_encode(span_text(rfc4648[i].plain), coded);
        assert_string_equal(coded, rfc4648[i].coded);
        must(base64_decode(span_text(coded), out, sizeof out, &n, &f));
        assert_int_equal(n, strlen(rfc4648[i].plain));
        assert_memory_equal(out, rfc4648[i].plain, n);
    }
    static const char *const bad[] = {"Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==",
                                      "Zm 9", "Zm9v\n", "Zm-_", "=Zm9"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_BASE64, base64_decode(span_text(bad[i]), out, sizeof out, &n, &f));
    refuses(E_BASE64, base64_decode(SPAN_LIT("Zm9vYmFy"), out, 5, &n, &f));
}

static void utf8_is_strict(void **state) {
    (void)state;
    static const char *const good[] = {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                       "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80"};
    static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf",
                                      "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xff"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(utf8_valid(span_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(utf8_valid(span_text(bad[i])));
    assert_true(text_is_plain(SPAN_LIT("Nairobi \xe2\x80\x94 Kenya")));
    static const char *const hidden[] = {"a\nb", "a\x7f", "\xc2\x85", "\xe2\x80\xae", "\xe2\x81\xa6",
                                         "\xd8\x9c", "\xe2\x80\xa8", "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        assert_false(text_is_plain(span_text(hidden[i])));
}

static void decimals_are_plain(void **state) {
    (void)state;
    struct fail f;
    uint64_t v;
    must(u64_parse(SPAN_LIT("18446744073709551615"), UINT64_MAX, &v, &f));
    assert_true(v == UINT64_MAX);
    must(u64_parse(SPAN_LIT("0"), 0, &v, &f));
    static const char *const bad[] = {"", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "1e3", "0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(E_NUMBER, u64_parse(span_text(bad[i]), UINT64_MAX, &v, &f));
    refuses(E_RANGE, u64_parse(SPAN_LIT("18446744073709551616"), UINT64_MAX, &v, &f));
    refuses(E_RANGE, u64_parse(SPAN_LIT("11"), 10, &v, &f));
}

static void json_is_escaped(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    struct json_out j = json_out(&b);
    json_object(&j);
    json_kstr(&j, "a\"\\", "x\n\x01<\xc3\xa9");
    json_key(&j, "b");
    json_array(&j);
    json_u64(&j, 0);
    json_i64(&j, -1);
    json_null(&j);
    json_bool(&j, true);
    json_object(&j);
    json_object_end(&j);
    json_array_end(&j);
    json_object_end(&j);
    assert_string_equal(buf_cstr(&b),
                        "{\"a\\\"\\\\\":\"x\\n\\u0001<\xc3\xa9\",\"b\":[0,-1,null,true,{}]}");
    buf_release(&b);
}

static char dir[] = "/tmp/hesabu-test-XXXXXX";

static int fail_on(void *ctx, const char *op, const char *path) {
    (void)path;
    return strcmp(op, ctx) == 0 ? ENOSPC : 0;
}

static void durable_files(void **state) {
    (void)state;
    struct fail f;
    char path[256];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a/b/file", dir);
    must(file_mkdirs_for(path, &f));
    must(file_write_durable(path, SPAN_LIT("one"), 0600, &f));
    must(file_write_durable(path, SPAN_LIT("two"), 0644, &f));
    struct buf b;
    buf_init(&b, 3);
    must(file_read(path, 3, &b, &f));
    assert_string_equal(buf_cstr(&b), "two");
    buf_release(&b);
    buf_init(&b, 2);
    refuses(E_TOO_LARGE, file_read(path, 2, &b, &f));
    buf_release(&b);
    must(file_write_once(path, SPAN_LIT("two"), &f));
    refuses(E_EXISTS, file_write_once(path, SPAN_LIT("three"), &f));
    /* whatever fails, what was there stays, whole, and no temporary is left */
    static const char *const ops[] = {"open", "write", "fsync", "rename"};
    for (size_t i = 0; i < 4; i++) {
        struct file_faults faults = {fail_on, (void *)(uintptr_t)ops[i]};
        file_faults_set(&faults);
        refuses(E_DISK_FULL, file_write_durable(path, SPAN_LIT("lost"), 0644, &f));
        file_faults_set(NULL);
        struct span s;
        must(file_map(path, &s, &f));
        assert_true(span_is(s, "two"));
        file_unmap(s);
    }
    char cmd[300];
    snprintf(cmd, sizeof cmd, "test \"$(ls %s/a/b)\" = file", dir);
    assert_int_equal(system(cmd), 0);
    int fd;
    snprintf(path, sizeof path, "%s/lock", dir);
    must(file_lock(path, &fd, &f));
    int again;
    refuses(E_LOCKED, file_lock(path, &again, &f));
    close(fd);
    must(file_lock(path, &again, &f));
    close(again);
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    assert_int_equal(system(cmd), 0);
}

static void rng_is_reproducible(void **state) {
    (void)state;
    struct rng r = {{1, 2, 3, 4}};
    /* first outputs for state 1,2,3,4, from the algorithm's definition: rotl(2*5,7)*9, ... */
    assert_true(rng_u64(&r) == 11520);
    assert_true(rng_u64(&r) == 0);
    assert_true(rng_u64(&r) == 1509978240);
    struct rng a, b;
    rng_init(&a, 7);
    rng_init_stream(&b, 7, 1);
    assert_true(rng_u64(&a) != rng_u64(&b));
    for (int i = 0; i < 1000; i++) assert_true(rng_below(&a, 7) < 7);
}

struct signalled {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool said;
};

static void *say(void *arg) {
    struct signalled *x = arg;
    pthread_mutex_lock(&x->lock);
    x->said = true;
    pthread_cond_signal(&x->cond);
    pthread_mutex_unlock(&x->lock);
    return NULL;
}

/* Times are the monotonic clock's: a condition on the wall clock would return at once, or in decades. */
static void waiting_ends(void **state) {
    (void)state;
    struct signalled x = {.said = false};
    pthread_mutex_init(&x.lock, NULL);
    pthread_cond_init(&x.cond, NULL);
    pthread_mutex_lock(&x.lock);
    uint64_t until = clock_monotonic_ms() + 30;
    while (wait_until(&x.cond, &x.lock, until)) continue; /* nobody signals */
    assert_true(clock_monotonic_ms() >= until);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, say, &x), 0);
    until = clock_monotonic_ms() + 3600 * 1000;
    while (!x.said) assert_true(wait_until(&x.cond, &x.lock, until));
    pthread_mutex_unlock(&x.lock);
    pthread_join(thread, NULL);
    pthread_cond_destroy(&x.cond);
    pthread_mutex_destroy(&x.lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_unique_and_mapped), cmocka_unit_test(fail_keeps_context),
        cmocka_unit_test(arena_has_a_cap),             cmocka_unit_test(buffers_have_a_maximum),
        cmocka_unit_test(numbers_for_people),
        cmocka_unit_test(hex_is_strict),               cmocka_unit_test(base64_is_canonical),
        cmocka_unit_test(utf8_is_strict),              cmocka_unit_test(decimals_are_plain),
        cmocka_unit_test(json_is_escaped),             cmocka_unit_test(durable_files),
        cmocka_unit_test(rng_is_reproducible),         cmocka_unit_test(waiting_ends),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
