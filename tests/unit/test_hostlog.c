/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Hashes of host logs: growth, rotation, missing files; a produced file against them. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/file.h"
#include "election_fixture.h"
#include "service/hostlog.h"

static char dir[] = "/tmp/hostlog.XXXXXX";
static char syslog_path[200], rotated[200];

static void write_text(const char *path, const char *text, const char *mode) {
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Takes hashes now and puts them into the log. */
static void look(struct fixture *x, struct hostlog *h) {
    struct fail f;
    struct buf text;
    buf_init(&text, 65536);
    x->ms += HOST_LOG_EVERY_MS;
    must(hostlog_take(h, &x->election, x->ms, &text, &f));
    must(fx_text(x, "example.org/test-election", buf_view(&text), &f));
    buf_release(&text);
}

static struct hostlog_match compare(struct fixture *x, const char *text) {
    struct fail f;
    struct hostlog_match m;
    must(hostlog_compare(x->fold, span_text(text), SPAN_LIT("db1/syslog"), HOST_LOG_KINDS, &m, &f));
    return m;
}

static void a_log_s_life(void **state) {
    (void)state;
    struct fixture *x = fx_base();
    struct fail f;
    struct hostlog *h;
    const char *files[] = {syslog_path, "database=/nowhere/pg.log"};
    must(hostlog_new(files, 2, "db1", &h, &f));
    assert_int_equal(hostlog_count(h), 2);
    size_t rows = fold_host_log_count(x->fold);
    write_text(syslog_path, "one\n", "w");
    look(x, h);
    assert_int_equal(fold_host_log_count(x->fold), rows + 2);
    const struct host_log *last = fold_host_log(x->fold, rows + 1);
    assert_true(last->size == 0 && span_is(last->host, "db1/pg.log"));
    assert_string_equal(host_log_kind_name(last->kind), "database");
    write_text(syslog_path, "two\n", "a");
    look(x, h);
    struct hostlog_match m = compare(x, "one\ntwo\nthree\n");
    assert_true(m.rows == 2 && m.same == 2 && m.other == 0 && m.covered == 8);
    /* changed before the first look, between the looks, at the end, and cut */
    m = compare(x, "One\ntwo\n");
    assert_true(m.rows == 2 && m.same == 0 && m.covered == 0);
    m = compare(x, "one\ntwO\n");
    assert_true(m.same == 1 && m.other == 1 && m.covered == 4);
    m = compare(x, "one\ntw");
    assert_true(m.rows == 1 && m.same == 1 && m.other == 0 && m.covered == 4);
    /* rotated: the old file is hashed to its end, the new one has an own life */
    write_text(syslog_path, "three\n", "a");
    assert_int_equal(rename(syslog_path, rotated), 0);
    write_text(syslog_path, "four\n", "w");
    look(x, h);
    m = compare(x, "one\ntwo\nthree\n");
    assert_true(m.same == 3 && m.other == 0 && m.covered == 14);
    m = compare(x, "four\n");
    assert_true(m.same == 1 && m.other == 0 && m.covered == 5);
    /* gone altogether: the log says that nothing is there */
    assert_int_equal(unlink(syslog_path), 0);
    assert_int_equal(unlink(rotated), 0);
    look(x, h);
    last = fold_host_log(x->fold, fold_host_log_count(x->fold) - 2);
    assert_true(last->size == 0 && span_is(last->host, "db1/syslog"));
    hostlog_free(h);
    fx_free(x);
}

static void what_is_refused(void **state) {
    (void)state;
    struct fail f;
    struct hostlog *h;
    const char *kind[] = {"diary=/var/log/x"}, *twice[] = {"/a/x.log", "/b/x.log"}, *none[] = {""};
    const char *many[40];
    char names[40][20];
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "/a/%d", i);
        many[i] = names[i];
    }
    refuses(E_USAGE, hostlog_new(kind, 1, "h", &h, &f));
    refuses(E_USAGE, hostlog_new(twice, 2, "h", &h, &f));
    refuses(E_USAGE, hostlog_new(none, 1, "h", &h, &f));
    refuses(E_RANGE, hostlog_new(many, 40, "h", &h, &f));
}

int main(void) {
    assert_non_null(mkdtemp(dir));
    snprintf(syslog_path, sizeof syslog_path, "%s/syslog", dir);
    snprintf(rotated, sizeof rotated, "%s/syslog.1", dir);
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_log_s_life), cmocka_unit_test(what_is_refused)};
    int bad = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return bad;
}
