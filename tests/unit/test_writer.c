/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scratch.h"
#include "store/writer.h"

static bool holds(const char *dir, const char *name, const char *text) {
    struct span s;
    struct fail f;
    if (file_map(scratch_path(dir, name), &s, &f) != OK) return false;
    bool same = span_is(s, text);
    file_unmap(s);
    return same;
}

static void test_publish(void **state) {
    (void)state;
    char dir[64];
    struct writer *w, *second;
    struct fail f;
    scratch_make(dir);
    must(writer_open(dir, &w, &f));
    refuses(E_LOCKED, writer_open(dir, &second, &f));
    must(writer_commit(w, &f)); /* nothing to do */
    must(writer_add(w, "tile/0/x001/067", SPAN_LIT("tile"), &f));
    must(writer_add(w, "tile/entries/000", SPAN_LIT("entries"), &f));
    must(writer_replace(w, "checkpoint", SPAN_LIT("size 1"), &f));
    assert_false(file_exists(scratch_path(dir, "checkpoint"))); /* only at commit */
    assert_false(file_exists(scratch_path(dir, "tile/0/x001/067")));
    must(writer_commit(w, &f));
    assert_true(holds(dir, "tile/0/x001/067", "tile"));
    assert_true(holds(dir, "tile/entries/000", "entries"));
    assert_true(holds(dir, "checkpoint", "size 1"));
    must(writer_replace(w, "checkpoint", SPAN_LIT("size 2"), &f));
    must(writer_commit(w, &f));
    assert_true(holds(dir, "checkpoint", "size 2"));
    must(writer_replace(w, "checkpoint", SPAN_LIT("size 3"), &f));
    writer_abort(w);
    must(writer_commit(w, &f));
    assert_true(holds(dir, "checkpoint", "size 2"));
    must(writer_remove(w, "checkpoint", &f));
    must(writer_remove(w, "checkpoint", &f));
    assert_false(file_exists(scratch_path(dir, "checkpoint")));
    writer_close(w);
    assert_false(file_exists(scratch_path(dir, ".writer"))); /* a clean tree is left */
    scratch_remove(dir);
}

static bool first_letter(struct span old, struct span now) {
    return old.n && now.n && old.p[0] == now.p[0];
}

static void test_update(void **state) {
    (void)state;
    char dir[64];
    struct writer *w;
    struct fail f;
    bool left;
    scratch_make(dir);
    must(writer_open(dir, &w, &f));
    must(writer_update(w, "a/page", SPAN_LIT("one"), NULL, &left, &f));
    assert_false(left);
    must(writer_commit(w, &f));
    assert_true(holds(dir, "a/page", "one"));
    must(writer_update(w, "a/page", SPAN_LIT("one"), NULL, &left, &f));
    assert_true(left);
    must(writer_update(w, "a/page", SPAN_LIT("own"), first_letter, &left, &f)); /* as good as the old one */
    assert_true(left);
    must(writer_commit(w, &f));
    assert_true(holds(dir, "a/page", "one"));
    must(writer_update(w, "a/page", SPAN_LIT("owl"), NULL, &left, &f));
    assert_false(left);
    must(writer_update(w, "b", SPAN_LIT(""), NULL, NULL, &f));
    must(writer_commit(w, &f));
    assert_true(holds(dir, "a/page", "owl"));
    must(writer_update(w, "b", SPAN_LIT(""), first_letter, &left, &f));
    assert_false(left);
    /* what is no file, or a link to one that says the same, is replaced */
    char page[512];
    snprintf(page, sizeof page, "%s", scratch_path(dir, "a/page"));
    assert_int_equal(symlink(page, scratch_path(dir, "link")), 0);
    must(writer_update(w, "link", SPAN_LIT("owl"), NULL, &left, &f));
    assert_false(left);
    must(writer_commit(w, &f));
    struct stat st;
    assert_int_equal(lstat(scratch_path(dir, "link"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    refuses(E_USAGE, writer_update(w, "../out", SPAN_LIT("x"), NULL, NULL, &f));
    writer_close(w);
    scratch_remove(dir);
}

static void test_immutable(void **state) {
    (void)state;
    char dir[64];
    struct writer *w;
    struct fail f;
    scratch_make(dir);
    must(writer_open(dir, &w, &f));
    must(writer_add(w, "a/b", SPAN_LIT("first"), &f));
    must(writer_commit(w, &f));
    must(writer_add(w, "a/b", SPAN_LIT("first"), &f));
    must(writer_commit(w, &f));
    refuses(E_EXISTS, writer_add(w, "a/b", SPAN_LIT("other"), &f));
    refuses(E_EXISTS, writer_add(w, "a/b", SPAN_LIT("first and more"), &f));
    refuses(E_EXISTS, writer_add(w, "a/b", SPAN_LIT(""), &f));
    assert_true(holds(dir, "a/b", "first"));
    must(writer_add(w, "c", SPAN_LIT("twice"), &f)); /* twice in one batch, equal */
    must(writer_add(w, "c", SPAN_LIT("twice"), &f));
    must(writer_commit(w, &f));
    must(writer_add(w, "d", SPAN_LIT("one"), &f)); /* and not equal */
    must(writer_add(w, "d", SPAN_LIT("another"), &f));
    refuses(E_EXISTS, writer_commit(w, &f));
    assert_true(holds(dir, "d", "one"));
    refuses(E_IO, writer_add(w, "e", SPAN_LIT("x"), &f)); /* this writer is over */
    writer_close(w);
    scratch_remove(dir);
}

static void test_names(void **state) {
    (void)state;
    static const char *const bad[] = {"",   "/a",   "a/",  "a//b", "../a", "a/../b",  "a/./b",
                                      ".a", "a/.b", "a b", "a\nb", "a\\b", "\xc3\xa9"};
    char dir[64], longest[600];
    struct writer *w;
    struct fail f;
    scratch_make(dir);
    must(writer_open(dir, &w, &f));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refuses(E_USAGE, writer_add(w, bad[i], SPAN_LIT("x"), &f));
        refuses(E_USAGE, writer_replace(w, bad[i], SPAN_LIT("x"), &f));
        refuses(E_USAGE, writer_remove(w, bad[i], &f));
    }
    memset(longest, 'a', sizeof longest);
    longest[512] = 0;
    refuses(E_USAGE, writer_add(w, longest, SPAN_LIT("x"), &f));
    must(writer_add(w, "tile/0/x001/067.p/112", SPAN_LIT("x"), &f)); /* tile names are fine */
    must(writer_commit(w, &f));
    writer_close(w);
    scratch_remove(dir);
}

/* Many files take the way of the one sync. */
static void test_many(void **state) {
    (void)state;
    char dir[64], name[64], text[64];
    struct writer *w;
    struct fail f;
    scratch_make(dir);
    must(writer_open(dir, &w, &f));
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "results/%d/%d.json", i % 7, i);
        snprintf(text, sizeof text, "{\"i\":%d}", i);
        must(writer_replace(w, name, span_text(text), &f));
    }
    must(writer_commit(w, &f));
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "results/%d/%d.json", i % 7, i);
        snprintf(text, sizeof text, "{\"i\":%d}", i);
        assert_true(holds(dir, name, text));
    }
    writer_close(w);
    scratch_remove(dir);
}

/* Each operation fails at each place: no file is ever half there, and the checkpoint that is added
 * last is never there without its tiles. */
static void test_faults(void **state) {
    (void)state;
    static const struct scratch_fault kinds[] = {{.op = "open", .errnum = EMFILE},
                                                 {.op = "write", .errnum = ENOSPC},
                                                 {.op = "fsync", .errnum = EIO},
                                                 {.op = "rename", .errnum = EIO}};
    for (size_t k = 0; k < 4; k++) {
        bool hit = true;
        int hits = 0;
        for (int n = 1; hit; n++) {
            char dir[64], name[64];
            struct writer *w;
            struct fail f = {0};
            scratch_make(dir);
            must(writer_open(dir, &w, &f));
            struct scratch_fault fault = kinds[k];
            fault.from = n;
            scratch_faults(&fault);
            err e = OK;
            for (int i = 0; e == OK && i < 4; i++) {
                snprintf(name, sizeof name, "tile/0/%03d", i);
                e = writer_add(w, name, SPAN_LIT("tile"), &f);
            }
            if (e == OK) e = writer_replace(w, "checkpoint", SPAN_LIT("signed"), &f);
            if (e == OK) e = writer_commit(w, &f);
            scratch_faults(NULL);
            hit = e != OK;
            hits += hit;
            if (hit) {
                assert_int_equal(e, fault.errnum == ENOSPC ? E_DISK_FULL : E_IO);
                refuses(E_IO, writer_commit(w, &f));
            }
            bool all = true;
            for (int i = 0; i < 4; i++) {
                snprintf(name, sizeof name, "tile/0/%03d", i);
                bool there = file_exists(scratch_path(dir, name));
                assert_true(!there || holds(dir, name, "tile"));
                all = all && there;
            }
            if (file_exists(scratch_path(dir, "checkpoint"))) assert_true(all);
            writer_close(w);
            must(writer_open(dir, &w, &f)); /* starting again repairs everything */
            for (int i = 0; i < 4; i++) {
                snprintf(name, sizeof name, "tile/0/%03d", i);
                must(writer_add(w, name, SPAN_LIT("tile"), &f));
            }
            must(writer_replace(w, "checkpoint", SPAN_LIT("signed"), &f));
            must(writer_commit(w, &f));
            writer_close(w);
            scratch_remove(dir);
        }
        assert_true(hits >= 5);
    }
}

/* Killed at work: what is there is whole, and the next writer clears the rest. */
static void test_kill(void **state) {
    (void)state;
    char dir[64], name[64], text[64];
    struct writer *w;
    struct fail f;
    scratch_make(dir);
    for (int round = 0; round < 20; round++) {
        int p[2];
        char c;
        assert_int_equal(pipe(p), 0);
        pid_t child = fork();
        if (child == 0) {
            if (writer_open(dir, &w, &f) != OK) _exit(1);
            for (int i = round * 100000;; i++) {
                snprintf(name, sizeof name, "t/%d/%d", i % 50, i);
                snprintf(text, sizeof text, "file %d", i);
                if (writer_add(w, name, span_text(text), &f) != OK) _exit(1);
                if (i % 10 == 9 && (writer_commit(w, &f) != OK || write(p[1], "x", 1) != 1))
                    _exit(1);
            }
        }
        close(p[1]);
        assert_int_equal(read(p[0], &c, 1), 1);
        usleep((unsigned)(round * 311) % 5000);
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        close(p[0]);
        assert_true(WIFSIGNALED(status));
        must(writer_open(dir, &w, &f));
        for (int i = round * 100000; i < round * 100000 + 1000; i++) {
            snprintf(name, sizeof name, "t/%d/%d", i % 50, i);
            snprintf(text, sizeof text, "file %d", i);
            if (file_exists(scratch_path(dir, name))) assert_true(holds(dir, name, text));
        }
        writer_close(w);
        assert_false(file_exists(scratch_path(dir, ".writer")));
    }
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish), cmocka_unit_test(test_update),
        cmocka_unit_test(test_immutable),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_many),
        cmocka_unit_test(test_faults),  cmocka_unit_test(test_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
