/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What lies beside the log: translations and copies are read strictly, objects by their hash only. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "service/beside.h"

static struct beside *fresh(void) {
    struct beside *b;
    struct fail f;
    must(beside_new(&b, &f));
    return b;
}

static void words(void **state) {
    (void)state;
    struct fail f;
    struct beside *b = fresh();
    must(beside_read_words(b, SPAN_LIT("text,sw,xx\nPresident,Rais,?\n\"Senator, all\",Seneta,\nOnly,,x\n"), &f));
    assert_true(span_is(beside_said(b, LANG_SW, SPAN_LIT("President")), "Rais"));
    assert_true(span_is(beside_said(b, LANG_EN, SPAN_LIT("President")), "President"));
    assert_true(span_is(beside_said(b, LANG_SW, SPAN_LIT("Senator, all")), "Seneta"));
    assert_true(span_is(beside_said(b, LANG_SW, SPAN_LIT("Only")), "Only")); /* an empty cell is no translation */
    assert_false(beside_translates(b, LANG_SW, SPAN_LIT("Only")));
    assert_true(span_is(beside_said(b, LANG_SW, SPAN_LIT("Presiden")), "Presiden"));
    assert_true(span_is(beside_said(NULL, LANG_SW, SPAN_LIT("x")), "x"));
    beside_close(b);
    static const struct {
        const char *csv;
        err code;
    } bad[] = {{"sw\nRais\n", E_CSV},
               {"text,sw\nA,B\nA,C\n", E_CSV},
               {"text,sw\n,B\n", E_CSV},
               {"text,sw\nA\n", E_CSV},
               {"text,sw\nA,\xff\n", E_CSV}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        b = fresh();
        refuses(bad[i].code, beside_read_words(b, span_text(bad[i].csv), &f));
        beside_close(b);
    }
}

static void copies(void **state) {
    (void)state;
    struct fail f;
    struct beside *b = fresh();
    must(beside_read_copies(b, SPAN_LIT("name,url\nA party,https://party.example/log/\nB,http://10.0.0.1:8080/\n"), &f));
    assert_int_equal(beside_copies(b), 2);
    assert_true(span_is(beside_copy(b, 1).url, "http://10.0.0.1:8080/"));
    beside_close(b);
    static const char *const bad[] = {"name,url\nA,javascript:alert(1)\n", "name,url\nA,//party.example\n",
                                      "name,url\nA,https://\n", "name,url\nA,https://a b\n",
                                      "name,url\nA,\"https://a\"\"b\"\n", "name,url\n,https://a.example\n",
                                      "name,url\nA,https://\342\200\256a\n", "name\nA\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        b = fresh();
        refuses(E_CSV, beside_read_copies(b, span_text(bad[i]), &f));
        beside_close(b);
    }
}

static void folder(void **state) {
    (void)state;
    char dir[] = "/tmp/hesabu-beside-XXXXXX", path[200], objects[200], to[200];
    struct fail f;
    struct beside *b;
    struct buf got;
    struct span text = SPAN_LIT("a notice\nwith two lines\n");
    struct hash id = sha256(text), none = sha256(SPAN_LIT("another"));
    char hex[HASH_HEX_LEN + 1];
    assert_non_null(mkdtemp(dir));
    hash_hex(&id, hex);
    (void)snprintf(objects, sizeof objects, "%s/objects/%s", dir, hex);
    must(file_mkdirs_for(objects, &f));
    must(file_write_atomic(objects, text, &f));
    (void)snprintf(path, sizeof path, "%s/words.csv", dir);
    must(file_write_atomic(path, SPAN_LIT("text,sw\nA,B\n"), &f));
    must(beside_open(dir, dir, &b, &f));
    assert_true(beside_translates(b, LANG_SW, SPAN_LIT("A")));
    assert_false(beside_has_boundaries(b));
    buf_init(&got, 1000);
    must(beside_object(b, &id, 1000, &got, &f));
    assert_true(span_eq(buf_view(&got), text));
    refuses(E_NOT_FOUND, beside_object(b, &none, 1000, &got, &f));
    refuses(E_TOO_LARGE, beside_object(b, &id, 5, &got, &f));
    must(file_write_atomic(objects, SPAN_LIT("something else"), &f));
    buf_clear(&got);
    refuses(E_OBJECT, beside_object(b, &id, 1000, &got, &f));
    assert_int_equal(got.n, 0); /* nothing of it is shown */
    beside_close(b);
    must(beside_open("/nowhere/at/all", NULL, &b, &f)); /* nothing lies beside: fine */
    refuses(E_NOT_FOUND, beside_object(b, &id, 1000, &got, &f));
    buf_release(&got);
    beside_close(b);
    (void)snprintf(to, sizeof to, "%s/other", dir);
    must(beside_install(dir, to, &f));
    (void)snprintf(path, sizeof path, "%s/other/words.csv", dir);
    assert_true(file_exists(path));
    must(file_write_atomic(path, SPAN_LIT("text,sw\nA,\xff\n"), &f));
    must(beside_install(dir, to, &f)); /* what is there stays */
    refuses(E_CSV, beside_open(to, NULL, &b, &f));
    assert_non_null(strstr(f.text, "other/words.csv"));
    must(file_remove(path, &f));
    assert_int_equal(rmdir(to), 0);
    must(file_remove(objects, &f));
    (void)snprintf(path, sizeof path, "%s/objects", dir);
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof path, "%s/words.csv", dir);
    must(file_remove(path, &f));
    assert_int_equal(rmdir(dir), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(copies), cmocka_unit_test(folder)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
