/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The court's bundle: what an order may say, and that a changed, missing or added file is named. The
 * making itself is told in tests/stories/14-the-courts-order.sh. */
#include "test.h"

#include "scratch.h"
#include "service/bundle.h"

static void order_lines(void **state) {
    (void)state;
    struct arena a;
    struct bundle_order o;
    struct fail f = {0};
    arena_init(&a, 1 << 20);
    must(bundle_order_parse(SPAN_LIT("# Petition 1 of 2017\n\n refused : who tried\r\nlate\n"
                                     "the registers: all of them\n# a comment\nlog:"),
                            &a, &o, &f));
    assert_true(span_is(o.title, "Petition 1 of 2017"));
    assert_int_equal(o.n, 4);
    assert_true(span_is(o.items[0].code, "refused"));
    assert_true(span_is(o.items[0].text, "who tried"));
    assert_true(span_is(o.items[1].code, "late"));
    assert_true(span_is(o.items[1].text, "which stations came late, and why"));
    /* words that hold a colon are words */
    assert_true(span_is(o.items[2].code, "other"));
    assert_true(span_is(o.items[2].text, "the registers: all of them"));
    assert_true(span_is(o.items[3].text, "the complete log of the system"));
    refuses(E_CONFIG, bundle_order_parse(SPAN_LIT("# only a title\n"), &a, &o, &f));
    refuses(E_CONFIG, bundle_order_parse(SPAN_LIT("log\n\xff\n"), &a, &o, &f));
    arena_release(&a);
}

static void put_file(const char *dir, const char *name, const char *text) {
    char path[PATH_MAX_LEN];
    struct fail f = {0};
    must(path_join(path, sizeof path, dir, name, &f));
    must(file_mkdirs_for(path, &f));
    must(file_write_atomic(path, span_text(text), &f));
}

#define SHA_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" /* "a" */
#define SHA_B "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d" /* "b" */
#define SHA_J "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* "{}" */

static void files_against_the_manifest(void **state) {
    (void)state;
    struct fail f = {0};
    uint64_t files;
    char dir[64];
    scratch_make(dir);
    assert_false(bundle_is(dir));
    put_file(dir, "one", "a");
    put_file(dir, "in/two", "b");
    put_file(dir, "bundle.json", "{}");
    put_file(dir, "MANIFEST", SHA_J "  bundle.json\n" SHA_B "  in/two\n" SHA_A "  one\n");
    assert_true(bundle_is(dir));
    must(bundle_check(dir, &files, &f));
    assert_int_equal(files, 3);
    put_file(dir, "in/two", "c");
    refuses(E_OBJECT, bundle_check(dir, &files, &f));
    assert_non_null(strstr(f.text, "in/two"));
    put_file(dir, "in/two", "b");
    put_file(dir, "in/three", "x");
    refuses(E_OBJECT, bundle_check(dir, &files, &f));
    assert_non_null(strstr(f.text, "in/three"));
    char path[PATH_MAX_LEN];
    must(path_join(path, sizeof path, dir, "in/three", &f));
    must(file_remove(path, &f));
    must(path_join(path, sizeof path, dir, "one", &f));
    must(file_remove(path, &f));
    refuses(E_NOT_FOUND, bundle_check(dir, &files, &f));
    assert_non_null(strstr(f.text, "one"));
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(order_lines),
                                       cmocka_unit_test(files_against_the_manifest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
