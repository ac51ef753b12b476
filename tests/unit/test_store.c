/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_suite.h"

#include <sched.h>
#include <sys/mount.h>

#include "store/guard.h"
#include "store/sqlite.h"

static const struct sqlite_options CREATE = {.create = true};

static err open_sqlite(const char *dir, bool create, bool check, struct store **out,
                       struct fail *f) {
    return sqlite_store_open(dir, &(struct sqlite_options){.create = create, .check = check}, out, f);
}

static struct store_kind SQLITE = {NULL, open_sqlite, sqlite_reader_open, 50};

/* Runs the command line shell of the database, as an administrator might; its exit code. */
static int shell(const char *dir, const char *sql) {
    char command[1024];
    snprintf(command, sizeof command, "sqlite3 %s/records.db \"%s\" >/dev/null 2>&1", dir, sql);
    int rc = system(command);
    return WIFEXITED(rc) ? WEXITSTATUS(rc) : -1;
}

static void test_append_only(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct fail f;
    uint64_t term;
    if (system("sqlite3 -version >/dev/null 2>&1")) skip();
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    must(append(s, term, 0, 20, &f));
    store_close(s);
    assert_int_not_equal(shell(dir, "UPDATE entry SET bytes = x'00' WHERE idx = 3"), 0);
    assert_int_not_equal(shell(dir, "DELETE FROM entry WHERE idx = 19"), 0);
    assert_int_not_equal(shell(dir, "UPDATE head SET size = 19"), 0);
    assert_int_not_equal(shell(dir, "DELETE FROM head"), 0);
    assert_int_not_equal(shell(dir, "INSERT INTO entry VALUES(20, 'text')"), 0); /* STRICT */
    must(sqlite_store_open(dir, NULL, &s, &f));
    assert_int_equal(check_all(s), 20);
    store_close(s);
    assert_int_equal(shell(dir, "INSERT INTO entry VALUES(20, x'00')"),
                     0); /* behind the head's back */
    refuses(E_DAMAGED, sqlite_store_open(dir, NULL, &s, &f));
    assert_int_equal(shell(dir, "DROP TRIGGER entry_delete; DELETE FROM entry WHERE idx = 20"), 0);
    refuses(E_DAMAGED, sqlite_store_open(dir, NULL, &s, &f));
    scratch_remove(dir);
}

static void test_gap(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct store_reader *r;
    struct fail f;
    uint64_t term, seen = 0;
    if (system("sqlite3 -version >/dev/null 2>&1")) skip();
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    must(append(s, term, 0, 20, &f));
    store_close(s);
    assert_int_equal(shell(dir, "DROP TRIGGER entry_delete; DELETE FROM entry WHERE idx = 9;"
                                "CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN"
                                " SELECT RAISE(ABORT, 'x'); END;"),
                     0);
    struct sqlite_options slow = {.check = true};
    refuses(E_DAMAGED, sqlite_store_open(dir, &slow, &s, &f));
    must(sqlite_store_open(dir, NULL, &s, &f)); /* the quick check does not see it; reading does */
    must(store_reader_open(s, &r, &f));
    refuses(E_DAMAGED, store_read(r, 0, 20, visit_same, &seen, &f));
    assert_int_equal(seen, 9);
    store_reader_close(r);
    store_close(s);
    scratch_remove(dir);
}

static void test_not_a_store(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct store_reader *r;
    struct fail f;
    scratch_make(dir);
    refuses(E_NOT_FOUND, sqlite_store_open(dir, NULL, &s, &f));
    refuses(E_NOT_FOUND, sqlite_reader_open(dir, &r, &f));
    assert_false(file_exists(scratch_path(dir, "records.db")));
    scratch_write(scratch_path(dir, "records.db"), "", 0);
    refuses(E_DAMAGED, sqlite_store_open(dir, NULL, &s, &f));
    char junk[9000];
    memset(junk, 'x', sizeof junk);
    scratch_write(scratch_path(dir, "records.db"), junk, sizeof junk);
    refuses(E_DAMAGED, sqlite_store_open(dir, &CREATE, &s, &f));
    refuses(E_DAMAGED, sqlite_reader_open(dir, &r, &f));
    scratch_remove(dir);
    refuses(E_NOT_FOUND, sqlite_store_open(dir, NULL, &s, &f)); /* no folder at all */
}

static void test_cut_file(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct fail f;
    uint64_t term, bytes;
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    for (uint64_t i = 0; i < 10; i++) must(append(s, term, i * 200, 200, &f));
    store_close(s);
    const char *db = scratch_path(dir, "records.db");
    must(file_size(db, &bytes, &f));
    for (int i = 1; i < 5; i++) {
        assert_int_equal(truncate(db, (off_t)(bytes - bytes * (unsigned)i / 5)), 0);
        refuses(E_DAMAGED, sqlite_store_open(dir, NULL, &s, &f));
        assert_int_equal(truncate(db, (off_t)bytes), 0); /* zeros at the end now */
        struct sqlite_options slow = {.check = true};
        refuses(E_DAMAGED, sqlite_store_open(dir, &slow, &s, &f));
    }
    scratch_remove(dir);
}

static void test_disk_full(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct fail f;
    uint64_t term, size = 0;
    scratch_make(dir);
    struct sqlite_options small = {.create = true, .max_pages = 40};
    must(sqlite_store_open(dir, &small, &s, &f));
    must(store_take_term(s, &term, &f));
    err e;
    while ((e = append(s, term, size, 100, &f)) == OK) size += 100;
    assert_int_equal(e, E_DISK_FULL);
    assert_true(size > 0);
    assert_true(store_failed(s));
    refuses(E_IO, append(s, term, size, 1, &f)); /* not before it was opened again */
    store_close(s);
    must(sqlite_store_open(dir, NULL, &s, &f));
    assert_int_equal(check_all(s), size); /* all that was acknowledged, nothing of the rest */
    must(append(s, term, size, 100, &f));
    store_close(s);
    scratch_remove(dir);
}

/* In a child with a file system of 1 MiB of its own: fills it, then frees some room. 0: as it
 * should be; 77: this machine does not allow such a file system. */
static int fill_small_disk(const char *dir) {
    struct store *s;
    struct fail f = {0};
    struct store_head head;
    uint64_t term, acked = 0;
    static uint8_t filler[550000];
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
        return 77;
    scratch_write(scratch_path(dir, "filler"), filler, sizeof filler);
    if (sqlite_store_open(dir, &CREATE, &s, &f) != OK || store_take_term(s, &term, &f) != OK)
        return 1;
    err e = OK;
    while (e == OK) {
        e = append(s, term, acked, 20, &f);
        if (e == OK) acked += 20;
    }
    if (e != E_DISK_FULL || acked == 0 || !store_failed(s)) return 2;
    store_close(s);
    e = sqlite_store_open(dir, NULL, &s, &f); /* still full: it opens or says so */
    if (e == OK)
        store_close(s);
    else if (e != E_DISK_FULL)
        return 3;
    unlink(scratch_path(dir, "filler")); /* opening copies the WAL: that needs room */
    if (sqlite_store_open(dir, &(struct sqlite_options){.check = true}, &s, &f) != OK) return 4;
    if (store_head(s, &head, &f) != OK || head.size != acked || check_all(s) != acked) return 5;
    if (append(s, head.term, acked, 20, &f) != OK) return 6;
    store_close(s);
    return 0;
}

static void test_small_disk(void **state) {
    (void)state;
    char dir[64];
    int status;
    scratch_make(dir);
    pid_t child = fork();
    if (child == 0) _exit(fill_small_disk(dir));
    waitpid(child, &status, 0);
    scratch_remove(dir);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* The nth write or sync fails, for every n up to the end of the work: afterwards the store holds a
 * prefix that includes every append that was acknowledged, and at most the one that was not. */
static void test_failing_disk(void **state) {
    (void)state;
    static const struct scratch_fault kinds[] = {{.op = "write", .errnum = ENOSPC},
                                                 {.op = "write", .errnum = EIO},
                                                 {.op = "fsync", .errnum = EIO}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bool hit = true;
        int hits = 0;
        for (int n = 1; hit; n += n < 12 ? 1 : 7) {
            char dir[64];
            struct store *s;
            struct fail f;
            uint64_t term, acked = 0;
            scratch_make(dir);
            must(sqlite_store_open(dir, &CREATE, &s, &f));
            must(store_take_term(s, &term, &f));
            struct scratch_fault fault = kinds[k];
            fault.from = n;
            scratch_faults(&fault);
            err e = OK;
            for (int i = 0; i < 4 && e == OK; i++) {
                e = append(s, term, acked, 60, &f);
                if (e == OK) acked += 60;
            }
            hit = e != OK;
            if (hit) {
                hits++;
                assert_true(e == (fault.errnum == ENOSPC ? E_DISK_FULL : E_IO));
                assert_true(store_failed(s));
            }
            store_close(s);
            scratch_faults(NULL);
            must(sqlite_store_open(dir, &(struct sqlite_options){.check = true}, &s, &f));
            uint64_t size = check_all(s);
            assert_true(size == acked || (hit && size == acked + 60));
            must(append(s, term, size, 10, &f));
            store_close(s);
            scratch_remove(dir);
        }
        assert_true(hits >= (kinds[k].op[0] == 'f' ? 4 : 12)); /* a sync an append, many writes */
    }
}

static int not_the_wal(void *ctx, const char *op, const char *path) {
    return strstr(path, "-wal") ? 0 : scratch_before(ctx, op, path);
}

/* A failed sync of the checkpoint into the database is heard, too. */
static void test_failing_checkpoint(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct fail f;
    uint64_t term, acked = 0;
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    /* syncs of the database file alone: those of the WAL are the commits' */
    struct scratch_fault fault = {.op = "fsync", .where = "records.db", .from = 1, .errnum = EIO};
    struct file_faults of_database = {not_the_wal, &fault};
    file_faults_set(&of_database);
    err e = OK;
    int before = 0;
    for (; e == OK && acked < 200000; before++) {
        e = append(s, term, acked, 1000, &f);
        if (e == OK) acked += 1000;
    }
    file_faults_set(NULL);
    assert_int_equal(e, E_IO);
    assert_true(store_failed(s));
    assert_true(before > 1);
    store_close(s);
    must(sqlite_store_open(dir, &(struct sqlite_options){.check = true}, &s, &f));
    uint64_t size = check_all(s);
    assert_int_equal(size, acked + 1000); /* its commit was whole: replaying finds it */
    store_close(s);
    scratch_remove(dir);
}

static void test_read_only_folder(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct fail f;
    uint64_t term;
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    must(append(s, term, 0, 10, &f));
    store_close(s);
    pid_t child = fork();
    if (child == 0) { /* root may write anywhere: become nobody */
        if (chmod(dir, 0555) || chmod(scratch_path(dir, "records.db"), 0444) ||
            chmod(scratch_path(dir, "lock"), 0444) || (geteuid() == 0 && setuid(65534)))
            _exit(2);
        err e = sqlite_store_open(dir, NULL, &s, &f);
        _exit(e == E_IO && f.text[0] ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    chmod(dir, 0755);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    scratch_remove(dir);
}

static void copy_file(const char *from, const char *to) {
    struct span s;
    struct fail f;
    must(file_map(from, &s, &f));
    scratch_write(to, s.p, s.n);
    file_unmap(s);
}

/* A damaged tail of the WAL takes the last commits with it: the store comes back as a prefix, and
 * the guard says that signed entries are missing. Damage before the tail never yields other bytes.
 */
static void test_torn_wal(void **state) {
    (void)state;
    char dir[64], copy[64];
    struct store *s;
    struct guard *g;
    struct fail f;
    uint64_t term, wal;
    scratch_make(dir);
    must(guard_create(scratch_path(dir, "guard"), "example.org/log", &f));
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(guard_open(scratch_path(dir, "guard"), "example.org/log", &g, &f));
    must(store_take_term(s, &term, &f));
    for (uint64_t i = 0; i < 8; i++) {
        must(append(s, term, i * 40, 40, &f));
        struct hash root = root_of((i + 1) * 40);
        must(guard_advance(g, (i + 1) * 40, &root, &f));
    }
    must(file_size(scratch_path(dir, "records.db-wal"), &wal, &f));
    uint64_t whole = 0, behind = 0;
    for (unsigned i = 0; i < 120; i++) { /* the store stays open: its files are as after a kill */
        scratch_make(copy);
        copy_file(scratch_path(dir, "records.db"), scratch_path(copy, "records.db"));
        copy_file(scratch_path(dir, "records.db-wal"), scratch_path(copy, "records.db-wal"));
        const char *torn = scratch_path(copy, "records.db-wal");
        if (i % 2)
            assert_int_equal(truncate(torn, (off_t)(wal - wal * i / 130)), 0);
        else if (i)
            scratch_flip(torn, (long)(wal - wal * i / 130));
        struct store *t;
        err e = sqlite_store_open(copy, NULL, &t, &f);
        if (e == OK) {
            uint64_t size = check_all(t);
            struct hash root = root_of(320);
            err said = guard_check(g, size, &root, &f);
            assert_int_equal(said, size == 320 ? OK : E_ROLLBACK);
            assert_int_equal(size % 40, 0);
            whole += size == 320;
            behind += size < 320;
            store_close(t);
        } else {
            assert_int_equal(e, E_DAMAGED); /* nothing at all is left: said, not taken for new */
        }
        scratch_remove(copy);
    }
    assert_true(whole >= 1);
    assert_true(behind > 20);
    store_close(s);
    guard_close(g);
    scratch_remove(dir);
}

static void test_restored_copy(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct guard *g;
    struct fail f;
    uint64_t term;
    scratch_make(dir);
    must(guard_create(scratch_path(dir, "guard"), "example.org/log", &f));
    must(guard_open(scratch_path(dir, "guard"), "example.org/log", &g, &f));
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    must(append(s, term, 0, 100, &f));
    store_close(s);
    copy_file(scratch_path(dir, "records.db"), scratch_path(dir, "backup"));
    must(sqlite_store_open(dir, NULL, &s, &f));
    must(append(s, term, 100, 1, &f));
    struct hash root = root_of(101);
    must(guard_advance(g, 101, &root, &f));
    store_close(s);
    copy_file(scratch_path(dir, "backup"), scratch_path(dir, "records.db"));
    must(sqlite_store_open(dir, NULL, &s, &f)); /* a good store in itself */
    refuses(E_ROLLBACK, guard_check(g, check_all(s), NULL, &f));
    store_close(s);
    guard_close(g);
    scratch_remove(dir);
}

struct beside {
    struct store *s;
    uint64_t term, size, seen;
    int syncs; /* of the database file */
};

static int count_syncs(void *ctx, const char *op, const char *path) {
    struct beside *b = ctx;
    if (strcmp(op, "fsync") == 0 && !strstr(path, "-wal")) b->syncs++;
    return 0;
}

/* While the first entry is looked at, the writer goes on. */
static err append_beside(void *ctx, uint64_t index, struct span entry, struct fail *f) {
    struct beside *b = ctx;
    TRY(visit_same(&b->seen, index, entry, f));
    for (int i = 0; index == 0 && i < 150; i++, b->size += 1000)
        TRY(append(b->s, b->term, b->size, 1000, f));
    return OK;
}

static void test_long_reader(void **state) {
    (void)state;
    char dir[64];
    struct store_reader *r;
    struct fail f;
    struct beside b = {0};
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &b.s, &f));
    must(store_take_term(b.s, &b.term, &f));
    must(append(b.s, b.term, 0, 100, &f));
    b.size = 100;
    must(store_reader_open(b.s, &r, &f));
    file_faults_set(&(struct file_faults){count_syncs, &b});
    must(store_read(r, 0, 100, append_beside, &b, &f));
    assert_int_equal(b.seen, 100); /* what it saw at its beginning */
    assert_int_equal(b.size, 150100);
    assert_in_range(b.syncs, 0, 10); /* not one a commit */
    b.syncs = 0;
    for (int i = 0; i < 100; i++, b.size += 1000) must(append(b.s, b.term, b.size, 1000, &f));
    file_faults_set(NULL);
    assert_in_range(b.syncs, 1, 10); /* the reader is done: what waited is copied */
    store_reader_close(r);
    assert_int_equal(check_all(b.s), 250100);
    store_close(b.s);
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_SUITE(&SQLITE),
        cmocka_unit_test(test_append_only),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_not_a_store),
        cmocka_unit_test(test_cut_file),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_small_disk),
        cmocka_unit_test(test_failing_disk),
        cmocka_unit_test(test_failing_checkpoint),
        cmocka_unit_test(test_read_only_folder),
        cmocka_unit_test(test_torn_wal),
        cmocka_unit_test(test_restored_copy),
        cmocka_unit_test(test_long_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
