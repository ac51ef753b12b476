/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "base/rng.h"
#include "scratch.h"
#include "store/guard.h"
#include "store/sqlite.h"

static const struct sqlite_options CREATE = {.create = true};

/* Entry i of a test: its length and bytes follow from i, so that any prefix can be recognised. */
static struct span entry_of(uint64_t i, uint8_t bytes[600]) {
    struct rng r;
    rng_init(&r, i);
    size_t n = (size_t)rng_below(&r, 600);
    for (size_t at = 0; at < n; at++) bytes[at] = (uint8_t)rng_u64(&r);
    return span_of(bytes, n);
}

/* A stand-in for the tree: any function of the size will do here. */
static struct hash root_of(uint64_t size) {
    uint8_t b[8];
    put_u64be(b, size);
    return sha256(span_of(b, sizeof b));
}

static err append(struct store *s, uint64_t term, uint64_t first, size_t count, struct fail *f) {
    static uint8_t bytes[1024][600];
    static struct span entries[1024];
    char body[64];
    assert_true(count <= 1024);
    for (size_t i = 0; i < count; i++) entries[i] = entry_of(first + i, bytes[i]);
    snprintf(body, sizeof body, "example.org/log\n%llu\n", (unsigned long long)(first + count));
    struct store_batch b = {.term = term,
                            .first = first,
                            .entries = entries,
                            .count = count,
                            .root = root_of(first + count),
                            .body = span_text(body)};
    return store_append(s, &b, f);
}

static err visit_same(void *ctx, uint64_t index, struct span entry, struct fail *f) {
    uint8_t bytes[600];
    uint64_t *seen = ctx;
    if (!span_eq(entry, entry_of(index, bytes)))
        return fail_set(f, E_ENTRY, "entry %llu has other bytes", (unsigned long long)index);
    ++*seen;
    return OK;
}

/* Reads all, compares all; the size. */
static uint64_t check_all(struct store *s) {
    struct store_reader *r;
    struct store_head head;
    struct fail f;
    uint64_t seen = 0;
    must(store_reader_open(s, &r, &f));
    must(store_reader_head(r, &head, &f));
    must(store_read(r, 0, head.size, visit_same, &seen, &f));
    assert_int_equal(seen, head.size);
    struct hash want = root_of(head.size);
    if (head.size) assert_true(hash_eq(&want, &head.root));
    store_reader_close(r);
    return head.size;
}

static void test_append_and_read(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct store_reader *r;
    struct store_head head;
    struct fail f;
    uint64_t term, seen = 0;
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_head(s, &head, &f));
    assert_int_equal(head.size, 0);
    assert_int_equal(head.body_n, 0);
    struct hash empty = sha256(span_of("", 0));
    assert_true(hash_eq(&empty, &head.root));
    must(store_take_term(s, &term, &f));
    assert_int_equal(term, 1);
    must(store_reader_open(s, &r, &f));
    must(store_read(r, 0, 0, visit_same, &seen, &f));
    refuses(E_RANGE, store_read(r, 0, 1, visit_same, &seen, &f));
    must(append(s, term, 0, 1, &f));
    must(append(s, term, 1, 300, &f));
    must(append(s, term, 301, 1024, &f));
    must(store_read(r, 299, 1026, visit_same, &seen, &f)); /* a reader from before sees it */
    assert_int_equal(seen, 1026);
    refuses(E_RANGE, store_read(r, 300, 1026, visit_same, &seen, &f));
    refuses(E_RANGE, store_read(r, UINT64_MAX, UINT64_MAX, visit_same, &seen, &f));
    struct buf out;
    uint8_t bytes[600];
    buf_init(&out, 1000);
    must(store_entry(r, 1324, &out, &f));
    assert_true(span_eq(buf_view(&out), entry_of(1324, bytes)));
    refuses(E_RANGE, store_entry(r, 1325, &out, &f));
    buf_release(&out);
    must(store_head(s, &head, &f));
    assert_int_equal(head.size, 1325);
    assert_memory_equal(head.body, "example.org/log\n1325\n", head.body_n);
    store_reader_close(r);
    store_close(s);
    struct sqlite_options slow = {.check = true};
    must(sqlite_store_open(dir, &slow, &s, &f));
    assert_int_equal(check_all(s), 1325);
    store_close(s);
    scratch_remove(dir);
}

static err stop_at_three(void *ctx, uint64_t index, struct span entry, struct fail *f) {
    (void)entry;
    *(uint64_t *)ctx = index;
    return index == 3 ? fail_set(f, E_QUORUM, "enough") : OK;
}

static void test_visitor_stops(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct store_reader *r;
    struct fail f;
    uint64_t term, last = 0;
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    must(append(s, term, 0, 10, &f));
    must(store_reader_open(s, &r, &f));
    refuses(E_QUORUM, store_read(r, 0, 10, stop_at_three, &last, &f));
    assert_int_equal(last, 3);
    uint64_t seen = 0;
    must(store_read(r, 0, 10, visit_same, &seen, &f));
    store_reader_close(r);
    store_close(s);
    scratch_remove(dir);
}

static void test_fencing(void **state) {
    (void)state;
    char dir[64];
    struct store *s, *second;
    struct fail f;
    uint64_t old, new;
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    refuses(E_LOCKED, sqlite_store_open(dir, &CREATE, &second, &f));
    assert_non_null(strstr(f.text, dir)); /* the sentence names the folder */
    must(store_take_term(s, &old, &f));
    must(append(s, old, 0, 5, &f));
    must(store_take_term(s, &new, &f));
    assert_true(new > old);
    refuses(E_FENCED, append(s, old, 5, 5, &f));
    refuses(E_FENCED, append(s, new + 1, 5, 5, &f));
    refuses(E_FENCED, append(s, new, 4, 5, &f));
    refuses(E_FENCED, append(s, new, 6, 5, &f));
    assert_false(store_failed(s)); /* a clean refusal */
    must(append(s, new, 5, 5, &f));
    assert_int_equal(check_all(s), 10);
    store_close(s);
    must(sqlite_store_open(dir, NULL, &s, &f));
    struct store_head head;
    must(store_head(s, &head, &f));
    assert_int_equal(head.term, new); /* terms survive */
    store_close(s);
    scratch_remove(dir);
}

static void test_bounds(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct fail f;
    uint64_t term;
    static uint8_t large[STORE_ENTRY_MAX + 1];
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    struct span e = span_of(large, sizeof large);
    struct store_batch b = {.term = term, .entries = &e, .count = 1, .body = SPAN_LIT("x\n")};
    refuses(E_TOO_LARGE, store_append(s, &b, &f));
    e.n--;
    must(store_append(s, &b, &f));
    b.first = 1;
    b.body.n = 0;
    refuses(E_TOO_LARGE, store_append(s, &b, &f));
    struct store_row bad[] = {{.key = "", .value = SPAN_LIT("v")},
                              {.note = (enum store_note)9, .value = SPAN_LIT("v")},
                              {.note = STORE_SIGNED}};
    for (size_t i = 0; i < 3; i++) {
        struct store_batch only = {.term = term, .first = 1, .rows = &bad[i], .row_count = 1};
        refuses(i == 2 ? E_TOO_LARGE : E_USAGE, store_append(s, &only, &f));
    }
    assert_false(store_failed(s));
    store_close(s);
    scratch_remove(dir);
}

static void put_row(struct store *s, uint64_t term, uint64_t size, struct store_row row) {
    struct fail f;
    struct store_batch b = {.term = term, .first = size, .rows = &row, .row_count = 1};
    must(store_append(s, &b, &f));
}

static void test_rows(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct fail f;
    struct buf out;
    uint64_t term, size = 0;
    scratch_make(dir);
    buf_init(&out, 1000);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    must(append(s, term, 0, 3, &f));
    refuses(E_NOT_FOUND, store_note_latest(s, STORE_SIGNED, &size, &out, &f));
    refuses(E_NOT_FOUND, store_meta_get(s, "incidents", &out, &f));
    static const uint64_t sizes[] = {1, 3, 2};
    for (size_t i = 0; i < 3; i++) {
        put_row(s, term, 3, (struct store_row){STORE_SIGNED, sizes[i], NULL, SPAN_LIT("signed")});
        put_row(s, term, 3, (struct store_row){STORE_WITNESSED, sizes[i], NULL, SPAN_LIT("seen")});
    }
    must(store_note_latest(s, STORE_WITNESSED, &size, &out, &f));
    assert_int_equal(size, 3);
    must(store_note_get(s, STORE_WITNESSED, 1, &out, &f)); /* all of these are kept */
    refuses(E_NOT_FOUND, store_note_get(s, STORE_SIGNED, 1, &out, &f));
    put_row(s, term, 3, (struct store_row){STORE_WITNESSED, 1, NULL, SPAN_LIT("seen by two")});
    buf_clear(&out);
    must(store_note_get(s, STORE_WITNESSED, 1, &out, &f));
    assert_true(span_is(buf_view(&out), "seen by two"));
    put_row(s, term, 3, (struct store_row){.key = "incidents", .value = SPAN_LIT("12")});
    put_row(s, term, 3, (struct store_row){.key = "incidents", .value = SPAN_LIT("13")});
    buf_clear(&out);
    must(store_meta_get(s, "incidents", &out, &f));
    assert_true(span_is(buf_view(&out), "13"));
    put_row(s, term, 3, (struct store_row){.key = "incidents"});
    refuses(E_NOT_FOUND, store_meta_get(s, "incidents", &out, &f));
    buf_release(&out);
    store_close(s);
    scratch_remove(dir);
}

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

/* In the child: appends until it is killed, telling each acknowledged size through the pipe. */
static void append_until_killed(const char *dir, int pipe_fd, uint64_t seed) {
    struct store *s;
    struct fail f;
    struct store_head head;
    uint64_t term;
    struct rng r;
    rng_init(&r, seed);
    if (sqlite_store_open(dir, NULL, &s, &f) != OK || store_take_term(s, &term, &f) != OK ||
        store_head(s, &head, &f) != OK)
        _exit(1);
    for (uint64_t size = head.size;;) {
        size_t n = 1 + (size_t)rng_below(&r, 200);
        if (append(s, term, size, n, &f) != OK) _exit(1);
        size += n;
        if (write(pipe_fd, &size, sizeof size) != (ssize_t)sizeof size) _exit(1);
    }
}

static void test_kill(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct fail f;
    struct rng r;
    rng_init(&r, 42);
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    store_close(s);
    uint64_t acked = 0, before = 0;
    for (uint64_t round = 0; round < 50; round++) {
        int p[2];
        assert_int_equal(pipe(p), 0);
        pid_t child = fork();
        if (child == 0) append_until_killed(dir, p[1], round);
        close(p[1]);
        uint64_t said;
        long wait_us = (long)rng_below(&r, 20000);
        /* from its first append on, kill at a random time */
        if (read(p[0], &said, sizeof said) == (ssize_t)sizeof said) acked = said;
        nanosleep(&(struct timespec){0, wait_us * 1000}, NULL);
        kill(child, SIGKILL);
        while (read(p[0], &said, sizeof said) == (ssize_t)sizeof said) acked = said;
        close(p[0]);
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status)); /* it was killed at work, it did not fail */
        must(sqlite_store_open(dir, &(struct sqlite_options){.check = round % 10 == 0}, &s, &f));
        uint64_t size = check_all(s);
        assert_true(size >= acked);       /* nothing acknowledged is lost */
        assert_true(size <= acked + 200); /* at most the append in flight came through */
        before = size;
        store_close(s);
    }
    assert_true(before > 50);
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

struct reading {
    struct store *s;
    _Atomic bool stop;
    uint64_t rounds;
};

static void *read_on(void *ctx) {
    struct reading *w = ctx;
    struct store_reader *r;
    struct store_head head;
    struct fail f;
    uint64_t last = 0;
    if (store_reader_open(w->s, &r, &f) != OK) return NULL;
    do {
        uint64_t seen = 0;
        if (store_reader_head(r, &head, &f) != OK || head.size < last ||
            store_read(r, 0, head.size, visit_same, &seen, &f) != OK || seen != head.size)
            break;
        last = head.size;
        w->rounds++;
    } while (!w->stop);
    if (!w->stop) w->rounds = 0; /* left by an error */
    store_reader_close(r);
    return NULL;
}

static void test_readers_beside_writer(void **state) {
    (void)state;
    char dir[64];
    struct store *s;
    struct store_reader *outside;
    struct fail f;
    uint64_t term;
    scratch_make(dir);
    must(sqlite_store_open(dir, &CREATE, &s, &f));
    must(store_take_term(s, &term, &f));
    must(append(s, term, 0, 1, &f));
    struct reading w[2] = {{.s = s}, {.s = s}};
    pthread_t t[2];
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&t[i], NULL, read_on, &w[i]), 0);
    for (uint64_t i = 0; i < 100; i++) must(append(s, term, 1 + i * 20, 20, &f));
    for (int i = 0; i < 2; i++) w[i].stop = true;
    for (int i = 0; i < 2; i++) {
        pthread_join(t[i], NULL);
        assert_true(w[i].rounds > 0);
    }
    must(sqlite_reader_open(dir, &outside, &f)); /* takes no lock */
    struct store_head head;
    must(store_reader_head(outside, &head, &f));
    assert_int_equal(head.size, 2001);
    store_reader_close(outside);
    store_close(s);
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
        cmocka_unit_test(test_append_and_read),
        cmocka_unit_test(test_visitor_stops),
        cmocka_unit_test(test_fencing),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_append_only),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_not_a_store),
        cmocka_unit_test(test_cut_file),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_small_disk),
        cmocka_unit_test(test_failing_disk),
        cmocka_unit_test(test_failing_checkpoint),
        cmocka_unit_test(test_read_only_folder),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_torn_wal),
        cmocka_unit_test(test_restored_copy),
        cmocka_unit_test(test_readers_beside_writer),
        cmocka_unit_test(test_long_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
