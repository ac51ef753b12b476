/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The store on a real PostgreSQL server, which this test starts on a folder of its own. */
#include "store_suite.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "postgres_server.h"
#include "store/place.h"
#include "store/postgres.h"

#define ORIGIN "example.org/log"

static err open_postgres(const char *dir, bool create, bool check, struct store **out,
                         struct fail *f) {
    struct postgres_options o = {.origin = ORIGIN, .dir = dir, .create = create, .check = check};
    return postgres_store_open(server.conninfo, &o, out, f);
}

static err open_reader(const char *dir, struct store_reader **out, struct fail *f) {
    (void)dir;
    return postgres_reader_open(server.conninfo, ORIGIN, out, f);
}

static void fresh(const char *dir) {
    (void)dir;
    server_must("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'hesabu';"
                "DROP SCHEMA IF EXISTS hesabu CASCADE");
}

static struct store_kind POSTGRES = {fresh, open_postgres, open_reader, 8};

/* An empty store; without a folder, as on another machine. */
static err open_plain(bool take_over, struct store **out, struct fail *f) {
    struct postgres_options o = {.origin = ORIGIN, .create = true, .take_over = take_over};
    return postgres_store_open(server.conninfo, &o, out, f);
}

static struct store *begin(uint64_t *term) {
    struct store *s;
    struct fail f;
    fresh(NULL);
    must(open_plain(false, &s, &f));
    must(store_take_term(s, term, &f));
    return s;
}

static uint64_t size_of(struct store *s) {
    struct store_head head;
    struct fail f;
    must(store_head(s, &head, &f));
    return head.size;
}

/* --- who may write --- */

static void test_two_sequencers(void **state) {
    (void)state;
    struct store *first, *second;
    struct fail f;
    uint64_t old, new;
    first = begin(&old);
    must(append(first, old, 0, 5, &f));
    refuses(E_LOCKED, open_plain(false, &second, &f));
    assert_non_null(strstr(f.text, "--take-over"));
    must(open_plain(true, &second, &f));
    must(append(first, old, 5, 5, &f)); /* as long as no term is taken */
    must(store_take_term(second, &new, &f));
    assert_true(new > old);
    assert_int_equal(size_of(second), 10);
    refuses(E_FENCED, append(first, old, 10, 5, &f));
    refuses(E_FENCED, append(first, old, 10, 0, &f)); /* rows alone are fenced, too */
    assert_false(store_failed(first));
    must(append(second, new, 10, 5, &f));
    store_close(first);
    must(append(second, new, 15, 5, &f)); /* and takes the lock that was let go */
    refuses(E_LOCKED, open_plain(false, &first, &f));
    assert_int_equal(check_all(second), 20);
    store_close(second);
}

/* In a child: appends with its own term, telling each acknowledged size, until something is wrong;
 * its exit status is the code. After `rest` appends it stands still until it is woken. */
static void append_on(int pipe_fd, uint64_t seed, uint64_t rest) {
    struct store *s;
    struct fail f;
    uint64_t term;
    struct rng r;
    rng_init(&r, seed);
    if (open_plain(false, &s, &f) != OK || store_take_term(s, &term, &f) != OK) _exit(E_INTERNAL);
    struct store_head head;
    if (store_head(s, &head, &f) != OK) _exit(E_INTERNAL);
    for (uint64_t size = head.size, n;; size += n) {
        n = 1 + rng_below(&r, 200);
        err e = append(s, term, size, (size_t)n, &f);
        uint64_t said = size + n;
        if (e != OK) _exit((int)e);
        if (write(pipe_fd, &said, sizeof said) != (ssize_t)sizeof said) _exit(E_INTERNAL);
        if (rest && --rest == 0) (void)raise(SIGSTOP);
    }
}

static pid_t appender(int *pipe_fd, uint64_t seed, uint64_t rest) {
    int p[2];
    assert_int_equal(pipe(p), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(server.alive);
        append_on(p[1], seed, rest);
    }
    close(p[1]);
    *pipe_fd = p[0];
    return child;
}

/* The last size that it told; its exit status. */
static int appender_end(pid_t child, int pipe_fd, uint64_t *acked) {
    uint64_t said;
    int status;
    while (read(pipe_fd, &said, sizeof said) == (ssize_t)sizeof said) *acked = said;
    close(pipe_fd);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The first one is at work, or stands still as a machine does that lost its network for a while: the
 * second takes the term. Nothing is lost, nothing is there twice. */
static void test_taken_over_at_work(void **state) {
    (void)state;
    for (uint64_t rest = 0; rest <= 6; rest += 6) {
        struct store *s;
        struct fail f;
        uint64_t term, acked = 0, before;
        int fd, status;
        store_close(begin(&term));
        pid_t child = appender(&fd, 5 + rest, rest);
        assert_int_equal(read(fd, &acked, sizeof acked), sizeof acked);
        if (rest) waitpid(child, &status, WUNTRACED);
        must(open_plain(true, &s, &f));
        must(store_take_term(s, &term, &f));
        before = size_of(s);
        must(append(s, term, before, 30, &f));
        if (rest) kill(child, SIGCONT);
        assert_int_equal(appender_end(child, fd, &acked), E_FENCED);
        assert_int_equal(acked, before); /* every acknowledged entry, and no other */
        assert_int_equal(check_all(s), before + 30);
        store_close(s);
    }
}

/* --- kill -9 --- */

static void check_after(uint64_t acked) {
    struct store *s;
    struct fail f;
    uint64_t term;
    server_wait();
    must(open_postgres(NULL, false, true, &s, &f));
    uint64_t size = check_all(s);
    assert_true(size >= acked);       /* nothing acknowledged is lost */
    assert_true(size <= acked + 200); /* at most the append in flight came through */
    must(store_take_term(s, &term, &f));
    must(append(s, term, size, 1, &f));
    store_close(s);
}

static void test_kill_backend(void **state) {
    (void)state;
    uint64_t term, acked = 0;
    store_close(begin(&term));
    for (uint64_t round = 0; round < 3; round++) {
        int fd;
        char pid[64], command[100];
        pid_t child = appender(&fd, round, 0);
        assert_int_equal(read(fd, &acked, sizeof acked), sizeof acked);
        usleep((useconds_t)(7000 * (round + 1)));
        assert_int_equal(server_ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'hesabu'",
                                    pid, sizeof pid), 0);
        snprintf(command, sizeof command, "kill -9 %s", pid);
        assert_int_equal(system(command), 0);
        assert_int_equal(appender_end(child, fd, &acked), E_IO);
        check_after(acked);
    }
}

static void test_kill_server(void **state) {
    (void)state;
    uint64_t term, acked = 0;
    store_close(begin(&term));
    for (uint64_t round = 0; round < 3; round++) {
        int fd;
        pid_t child = appender(&fd, 100 + round, 0);
        assert_int_equal(read(fd, &acked, sizeof acked), sizeof acked);
        usleep((useconds_t)(11000 * (round + 1)));
        assert_int_equal(server_do("kill"), 0);
        assert_int_equal(appender_end(child, fd, &acked), E_IO);
        assert_int_equal(server_do("start"), 0);
        check_after(acked);
    }
}

/* --- a commit whose outcome nobody knows --- */

static void test_cut_at_commit(void **state) {
    (void)state;
    static const enum wire_mode modes[] = {WIRE_CUT_BEFORE, WIRE_CUT_AFTER, WIRE_SILENT};
    for (size_t i = 0; i < 3; i++) {
        struct store *s;
        struct fail f;
        uint64_t term;
        store_close(begin(&term));
        wire_begin();
        struct postgres_options o = {.origin = ORIGIN, .answer_ms = 500};
        must(postgres_store_open(wire.conninfo, &o, &s, &f));
        must(store_take_term(s, &term, &f));
        must(append(s, term, 0, 10, &f));
        wire.mode = modes[i];
        refuses(E_IO, append(s, term, 10, 10, &f));
        assert_int_equal(wire.cuts, 1);
        assert_true(store_failed(s));
        refuses(E_IO, append(s, term, 10, 10, &f));
        refuses(E_IO, store_take_term(s, &term, &f));
        store_close(s);
        wire_end();
        must(open_plain(true, &s, &f)); /* replaying gives the truth */
        must(store_take_term(s, &term, &f));
        uint64_t size = check_all(s);
        assert_int_equal(size, modes[i] == WIRE_CUT_AFTER ? 20 : 10);
        must(append(s, term, size, 10, &f));
        store_close(s);
    }
}

struct waiting {
    struct store *s;
    uint64_t term, size;
    err code;
    struct fail fail;
    _Atomic bool done;
};

static void *append_waiting(void *arg) {
    struct waiting *w = arg;
    /* the server comes to its new setting after some commits */
    while (w->size < 100000 && (w->code = append(w->s, w->term, w->size, 5, &w->fail)) == OK) w->size += 5;
    w->done = true;
    return NULL;
}

/* The server has synchronous standbys, they are away, and somebody cancels the wait: the server then
 * says COMMIT, with a warning. That is no acknowledgement. Neither is a default of the database that
 * waits for no disk. */
static void test_unconfirmed_commit(void **state) {
    (void)state;
    struct waiting w = {0};
    struct fail f;
    pthread_t t;
    store_close(begin(&w.term));
    server_must("ALTER DATABASE postgres SET synchronous_commit = off");
    must(open_plain(false, &w.s, &f));
    server_must("ALTER SYSTEM SET synchronous_standby_names = 'away'");
    server_must("SELECT pg_reload_conf()");
    assert_int_equal(pthread_create(&t, NULL, append_waiting, &w), 0);
    bool cancelled = false;
    for (int i = 0; i < 200 && !w.done; i++) {
        char said[100] = "";
        usleep(20000);
        (void)server_ask("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                         " AND application_name = 'hesabu'", said, sizeof said);
        cancelled = cancelled || said[0] == 't';
    }
    pthread_join(t, NULL);
    /* before anything is judged: whoever comes next, psql too, would wait for the standby */
    server_must("SET synchronous_commit = local; ALTER DATABASE postgres RESET synchronous_commit");
    server_must("ALTER SYSTEM RESET synchronous_standby_names");
    server_must("SELECT pg_reload_conf()");
    assert_true(cancelled); /* it did wait */
    assert_int_equal(w.code, E_IO);
    assert_non_null(strstr(w.fail.text, "did not confirm"));
    assert_true(store_failed(w.s));
    store_close(w.s);
    must(open_plain(false, &w.s, &f));
    assert_int_equal(check_all(w.s), w.size + 5); /* it is on this server's disk */
    store_close(w.s);
}

/* The server takes a transaction back whole and asks for it once more. */
static void test_retried(void **state) {
    (void)state;
    struct fail f;
    uint64_t term;
    struct store *s = begin(&term);
    server_must("CREATE SEQUENCE hesabu.times; CREATE FUNCTION hesabu.again() RETURNS trigger LANGUAGE plpgsql"
                " AS $$ BEGIN IF nextval('hesabu.times') < 4 THEN RAISE EXCEPTION 'once more' USING ERRCODE"
                " = '40001'; END IF; RETURN NULL; END $$; CREATE TRIGGER again AFTER INSERT ON hesabu.entry"
                " FOR EACH STATEMENT EXECUTE FUNCTION hesabu.again()");
    must(append(s, term, 0, 10, &f));
    assert_int_equal(check_all(s), 10);
    server_must("ALTER SEQUENCE hesabu.times RESTART WITH -100 MINVALUE -100");
    refuses(E_IO, append(s, term, 10, 10, &f)); /* not for ever */
    assert_true(store_failed(s));
    store_close(s);
    server_must("DROP TRIGGER again ON hesabu.entry");
    must(open_plain(false, &s, &f));
    assert_int_equal(check_all(s), 10);
    store_close(s);
}

/* --- readers --- */

static void test_reader_connects_again(void **state) {
    (void)state;
    struct store_reader *r, *other;
    struct store_head head;
    struct fail f;
    uint64_t term, seen = 0;
    struct store *s = begin(&term);
    must(append(s, term, 0, 300, &f));
    must(store_reader_open(s, &r, &f));
    must(store_reader_open(s, &other, &f));
    must(store_read(r, 0, 300, visit_same, &seen, &f));
    server_must("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'hesabu'");
    must(store_read(r, 0, 300, visit_same, &seen, &f));
    assert_int_equal(seen, 600);
    must(store_reader_head(other, &head, &f));
    assert_int_equal(head.size, 300);
    refuses(E_IO, append(s, term, 300, 1, &f)); /* the writer does not */
    assert_true(store_failed(s));
    server_must("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'hesabu';"
                "UPDATE hesabu.store SET origin = 'example.org/other'");
    refuses(E_ORIGIN, store_read(r, 0, 300, visit_same, &seen, &f)); /* not to another log's */
    server_must("UPDATE hesabu.store SET origin = '" ORIGIN "'");
    must(store_read(r, 0, 300, visit_same, &seen, &f));
    store_reader_close(r);
    store_reader_close(other);
    store_close(s);
    assert_int_equal(server_do("stop"), 0);
    refuses(E_NETWORK, open_reader(NULL, &r, &f));
    assert_int_equal(server_do("start"), 0);
}

/* --- size --- */

static err count_visit(void *ctx, uint64_t index, struct span entry, struct fail *f) {
    (void)f;
    uint64_t *sum = ctx;
    *sum += entry.n == STORE_ENTRY_MAX && get_u32be(entry.p) == index;
    return OK;
}

/* One transaction of many megabytes goes in parts. */
static void test_large_batch(void **state) {
    (void)state;
    enum { N = 300 };
    struct fail f;
    struct store_reader *r;
    uint64_t term, sum = 0;
    struct span entries[N];
    struct store *s = begin(&term);
    uint8_t *bytes = calloc(N, STORE_ENTRY_MAX);
    assert_non_null(bytes);
    for (uint32_t i = 0; i < N; i++) {
        entries[i] = span_of(bytes + (size_t)i * STORE_ENTRY_MAX, STORE_ENTRY_MAX);
        put_u32be(bytes + (size_t)i * STORE_ENTRY_MAX, i);
    }
    struct store_row row = {.key = "a key", .value = span_of(bytes, STORE_VALUE_MAX)};
    struct store_batch b = {.term = term, .entries = entries, .count = N, .root = root_of(N),
                            .body = SPAN_LIT("x\n"), .rows = &row, .row_count = 1};
    must(store_append(s, &b, &f));
    must(store_reader_open(s, &r, &f));
    must(store_read(r, 0, N, count_visit, &sum, &f));
    assert_int_equal(sum, N);
    struct span *many = calloc(STORE_BATCH_MAX, sizeof *many); /* empty entries */
    assert_non_null(many);
    b = (struct store_batch){.term = term, .first = N, .entries = many, .count = STORE_BATCH_MAX,
                             .root = root_of(N + STORE_BATCH_MAX), .body = SPAN_LIT("x\n")};
    must(store_append(s, &b, &f));
    assert_int_equal(size_of(s), N + STORE_BATCH_MAX);
    store_reader_close(r);
    store_close(s);
    must(open_postgres(NULL, false, true, &s, &f));
    struct buf out;
    buf_init(&out, STORE_VALUE_MAX);
    must(store_meta_get(s, "a key", &out, &f));
    assert_true(span_eq(buf_view(&out), row.value));
    buf_release(&out);
    store_close(s);
    free(many);
    free(bytes);
}

/* --- disks --- */

/* The entries' table on a file system of 1 MiB that the server sees: 0 as it should be, 77 when this
 * machine does not allow such a file system. In a child, with a server of its own. */
static int fill_small_disk(void) {
    struct store *s;
    struct fail f = {0};
    uint64_t term, acked = 0;
    char sql[300];
    scratch_make(server.dir);
    const char *disk = scratch_path(server.dir, "disk");
    if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mkdir(disk, 0777) || mount("tmpfs", disk, "tmpfs", 0, geteuid() ? "size=1m" : "size=1m,uid=65534,gid=65534"))
        return 77;
    snprintf(server.conninfo, sizeof server.conninfo, "host=%s dbname=postgres user=hesabu",
             server.dir);
    if (server_do("start")) return 1;
    snprintf(sql, sizeof sql, "CREATE TABLESPACE small LOCATION '%s'", disk);
    if (open_plain(false, &s, &f) != OK || store_take_term(s, &term, &f) != OK || server_sql(sql) ||
        server_sql("ALTER TABLE hesabu.entry SET TABLESPACE small"))
        return 2;
    err e = OK;
    while (e == OK && acked < 100000) {
        e = append(s, term, acked, 20, &f);
        if (e == OK) acked += 20;
    }
    if (e != E_DISK_FULL || acked == 0 || !store_failed(s)) return 3;
    store_close(s);
    if (open_plain(false, &s, &f) != OK || size_of(s) != acked || check_all(s) != acked) return 4;
    if (server_sql("ALTER TABLE hesabu.entry SET TABLESPACE pg_default")) return 5;
    if (append(s, term, acked, 20, &f) != OK) return 6;
    store_close(s);
    return 0;
}

static void test_small_disk(void **state) {
    (void)state;
    int status;
    char dir[64];
    int p[2];
    assert_int_equal(pipe(p), 0);
    pid_t child = fork();
    if (child == 0) {
        close(server.alive);
        status = fill_small_disk();
        (void)server_do("stop");
        (void)!write(p[1], server.dir, sizeof server.dir);
        _exit(status);
    }
    close(p[1]);
    waitpid(child, &status, 0);
    if (read(p[0], dir, sizeof dir) == (ssize_t)sizeof dir) scratch_remove(dir);
    close(p[0]);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* What the server says in the middle of an append. A stand-in raises it: no disk is full here. */
static void test_what_the_server_says(void **state) {
    (void)state;
    static const struct {
        const char *state;
        err code;
        const char *words;
    } said[] = {{"53100", E_DISK_FULL, "no space left"}, {"58030", E_IO, "58030"},
                {"XX001", E_DAMAGED, "damaged"},         {"55P03", E_IO, "in time"},
                {"42501", E_IO, "grant"},                {"25006", E_IO, "standby"}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        struct fail f;
        uint64_t term;
        char sql[500];
        struct store *s = begin(&term);
        must(append(s, term, 0, 10, &f));
        snprintf(sql, sizeof sql, "CREATE FUNCTION hesabu.say() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                 " RAISE EXCEPTION E'what\\nit \\x1b[31msays' USING ERRCODE = '%s'; END $$; CREATE TRIGGER say"
                 " AFTER INSERT ON hesabu.entry FOR EACH STATEMENT EXECUTE FUNCTION hesabu.say()",
                 said[i].state);
        server_must(sql);
        refuses(said[i].code, append(s, term, 10, 10, &f));
        assert_non_null(strstr(f.text, said[i].words));
        assert_null(strpbrk(f.text, "\n\x1b"));
        assert_true(store_failed(s));
        store_close(s);
        server_must("DROP TRIGGER say ON hesabu.entry");
        must(open_plain(false, &s, &f));
        assert_int_equal(check_all(s), 10);
        store_close(s);
    }
}

/* --- what somebody did to the tables --- */

static void test_append_only(void **state) {
    (void)state;
    struct fail f;
    uint64_t term;
    struct store *s = begin(&term);
    must(append(s, term, 0, 20, &f));
    static const char *const tries[] = {
        "UPDATE hesabu.entry SET bytes = '' WHERE idx = 3", "DELETE FROM hesabu.entry WHERE idx = 19",
        "TRUNCATE hesabu.entry", "UPDATE hesabu.head SET size = 19", "UPDATE hesabu.head SET term = 0",
        "DELETE FROM hesabu.head", "TRUNCATE hesabu.head", "INSERT INTO hesabu.entry VALUES(-1, '')",
        "INSERT INTO hesabu.entry VALUES(19, '')",
        "INSERT INTO hesabu.entry VALUES(20, repeat('x', 65536)::bytea)"};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        if (server_sql(tries[i]) == 0) fail_msg("the server did it: %s", tries[i]);
    assert_int_equal(check_all(s), 20);
    store_close(s);
}

/* How far somebody's change lets one come. */
enum seen { AT_OPEN, AT_READ, AT_APPEND, AT_ROWS };

static void tampered(const char *sql, enum seen seen) {
    struct store *s;
    struct store_reader *r;
    struct fail f;
    struct buf out;
    uint64_t term, n = 0, size;
    char all[700];
    s = begin(&term);
    must(append(s, term, 0, 20, &f));
    put_row(s, term, 20, (struct store_row){.key = "k", .value = SPAN_LIT("v")});
    put_row(s, term, 20, (struct store_row){STORE_SIGNED, 20, NULL, SPAN_LIT("signed")});
    if (seen == AT_OPEN) store_close(s);
    snprintf(all, sizeof all, "SET session_replication_role = replica; %s", sql);
    server_must(all);
    if (seen == AT_OPEN) {
        refuses(E_DAMAGED, open_plain(false, &s, &f));
        return;
    }
    buf_init(&out, STORE_VALUE_MAX);
    if (seen == AT_READ) {
        must(store_reader_open(s, &r, &f));
        refuses(E_DAMAGED, store_read(r, 0, 20, visit_same, &n, &f));
        store_reader_close(r);
    } else if (seen == AT_APPEND) {
        refuses(E_DAMAGED, append(s, term, 20, 5, &f));
        assert_true(store_failed(s));
    } else {
        refuses(E_DAMAGED, store_meta_get(s, "k", &out, &f));
        refuses(E_DAMAGED, store_note_latest(s, STORE_SIGNED, &size, &out, &f));
    }
    buf_release(&out);
    store_close(s);
}

static void test_tampered(void **state) {
    (void)state;
    tampered("DELETE FROM hesabu.entry WHERE idx = 9", AT_READ); /* a gap */
    tampered("ALTER TABLE hesabu.entry DROP CONSTRAINT entry_bytes_check;"
             "UPDATE hesabu.entry SET bytes = repeat('x', 3000000)::bytea WHERE idx = 9", AT_READ);
    tampered("ALTER TABLE hesabu.entry ALTER bytes DROP NOT NULL;"
             "UPDATE hesabu.entry SET bytes = NULL WHERE idx = 9", AT_READ);
    tampered("DELETE FROM hesabu.head", AT_READ);
    tampered("DROP TABLE hesabu.entry", AT_READ);
    tampered("INSERT INTO hesabu.entry VALUES(22, '')", AT_APPEND); /* behind the head's back */
    tampered("DROP TABLE hesabu.head", AT_APPEND);
    tampered("DELETE FROM hesabu.head", AT_APPEND);
    tampered("UPDATE hesabu.meta SET value = repeat('x', 1048577)::bytea;"
             "UPDATE hesabu.note SET bytes = repeat('x', 1048577)::bytea", AT_ROWS);
    tampered("INSERT INTO hesabu.entry VALUES(20, '')", AT_OPEN);
    tampered("DELETE FROM hesabu.entry WHERE idx = 0", AT_OPEN);
    tampered("DELETE FROM hesabu.entry WHERE idx = 19", AT_OPEN);
    tampered("UPDATE hesabu.head SET size = -1", AT_OPEN);
    tampered("UPDATE hesabu.head SET body = repeat('x', 5000)::bytea", AT_OPEN);
    tampered("ALTER TABLE hesabu.head DROP CONSTRAINT head_root_check; UPDATE hesabu.head SET root = 'short'",
             AT_OPEN);
    tampered("ALTER TABLE hesabu.store ALTER version TYPE text; UPDATE hesabu.store SET version = 'one'",
             AT_OPEN);
    tampered("DROP TABLE hesabu.head", AT_OPEN);
    tampered("DROP TRIGGER entry_change ON hesabu.entry", AT_OPEN);
    tampered("ALTER TABLE hesabu.head DISABLE TRIGGER head_back", AT_OPEN);
    tampered("UPDATE hesabu.store SET version = 2", AT_OPEN);
    tampered("UPDATE hesabu.store SET version = -1", AT_OPEN);
    tampered("DELETE FROM hesabu.store", AT_OPEN);
}

/* --- opening --- */

static void test_refused_at_open(void **state) {
    (void)state;
    struct store *s;
    struct store_reader *r;
    struct fail f;
    char conninfo[300];
    uint64_t term;
    fresh(NULL);
    refuses(E_NOT_FOUND, open_postgres(NULL, false, false, &s, &f));
    refuses(E_NOT_FOUND, open_reader(NULL, &r, &f));
    store_close(begin(&term));
    struct postgres_options other = {.origin = "example.org/other", .create = true};
    refuses(E_ORIGIN, postgres_store_open(server.conninfo, &other, &s, &f));
    refuses(E_ORIGIN, postgres_reader_open(server.conninfo, other.origin, &r, &f));
    refuses(E_NETWORK, postgres_store_open("host=/nowhere dbname=x", &other, &s, &f));
    snprintf(conninfo, sizeof conninfo, "host=%s dbname=nosuch user=hesabu", server.dir);
    refuses(E_NETWORK, postgres_store_open(conninfo, &other, &s, &f));
    refuses(E_CONFIG, postgres_store_open("dbname=x colour=red", &other, &s, &f));
    static const char *const secret[] = {"dbname=x password=opensesame", "postgresql://u:opensesame@h/x",
                                         "dbname=x password='opensesame", "postgresql://u:opensesame@h:x:y/x"};
    for (size_t i = 0; i < 4; i++) {
        refuses(E_CONFIG, postgres_store_open(secret[i], &other, &s, &f));
        assert_null(strstr(f.text, "opensesame"));
    }
    server_must("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN");
    snprintf(conninfo, sizeof conninfo, "host=%s dbname=postgres user=guest", server.dir);
    struct postgres_options same = {.origin = ORIGIN, .create = true};
    refuses(E_IO, postgres_store_open(conninfo, &same, &s, &f));
    fresh(NULL);
    refuses(E_IO, postgres_store_open(conninfo, &same, &s, &f));
    assert_non_null(strstr(f.text, "grant"));
}

static void test_not_durable(void **state) {
    (void)state;
    static const char *const settings[] = {"fsync", "full_page_writes"};
    for (size_t i = 0; i < 2; i++) {
        struct store *s;
        struct fail f;
        char sql[100];
        fresh(NULL);
        snprintf(sql, sizeof sql, "ALTER SYSTEM SET %s = off", settings[i]);
        server_must(sql);
        server_must("SELECT pg_reload_conf()");
        for (int k = 0; k < 100; k++) { /* the server reads it when it comes to it */
            char said[20];
            snprintf(sql, sizeof sql, "SHOW %s", settings[i]);
            if (server_ask(sql, said, sizeof said) == 0 && strcmp(said, "off") == 0) break;
            usleep(20000);
        }
        refuses(E_CONFIG, open_plain(false, &s, &f));
        assert_non_null(strstr(f.text, settings[i]));
        server_must("ALTER SYSTEM RESET ALL");
        server_must("SELECT pg_reload_conf()");
    }
    struct store *s;
    struct fail f;
    err e = E_CONFIG;
    for (int k = 0; e == E_CONFIG && k < 100; k++, usleep(20000)) e = open_plain(false, &s, &f);
    assert_int_equal(e, OK);
    store_close(s);
}

/* --- the folder's choice --- */

static void test_place(void **state) {
    (void)state;
    struct store *s, *again;
    struct store_reader *r;
    struct fail f;
    struct stat st;
    char dir[64], text[200];
    uint64_t term;
    scratch_make(dir);
    fresh(NULL);
    snprintf(text, sizeof text, "postgres:%s", server.conninfo);
    static const char *const wrong[] = {"mysql", "postgres:x=y", "postgres://u:secret@h/x", ""};
    for (size_t i = 0; i < 4; i++)
        refuses(E_CONFIG, store_place_open(dir, &(struct store_place){.store = wrong[i], .origin = ORIGIN}, &s, &f));
    struct store_place named = {.store = text, .origin = ORIGIN}, silent = {.origin = ORIGIN};
    refuses(E_NOT_FOUND, store_place_reader(dir, &named, &r, &f));
    assert_int_equal(stat(scratch_path(dir, "store"), &st), -1); /* what failed is not kept */
    must(store_place_open(dir, &named, &s, &f));
    refuses(E_LOCKED, store_place_open(dir, &silent, &again, &f)); /* by the folder */
    assert_int_equal(stat(scratch_path(dir, "store"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    must(store_take_term(s, &term, &f));
    must(append(s, term, 0, 7, &f));
    store_close(s);
    must(store_place_open(dir, &silent, &s, &f)); /* it is remembered */
    assert_int_equal(check_all(s), 7);
    must(store_place_reader(dir, &named, &r, &f)); /* beside the writer */
    store_reader_close(r);
    store_close(s);
    refuses(E_CONFIG, store_place_open(dir, &(struct store_place){.store = "sqlite", .origin = ORIGIN}, &s, &f));
    refuses(E_ORIGIN, store_place_open(dir, &(struct store_place){.origin = "example.org/x"}, &s, &f));
    scratch_write(scratch_path(dir, "store"), "two\nlines\n", 10);
    refuses(E_CONFIG, store_place_open(dir, &silent, &s, &f));
    assert_int_equal(unlink(scratch_path(dir, "store")), 0);
    must(store_place_open(dir, &silent, &s, &f)); /* SQLite, when nothing is said */
    assert_int_equal(size_of(s), 0);
    store_close(s);
    refuses(E_EXISTS, store_place_open(dir, &named, &s, &f)); /* a log does not move by itself */
    scratch_remove(dir);
}

int main(void) {
    int rc = server_begin();
    if (rc == 77) {
        puts("1..0 # SKIP the programs of PostgreSQL's server are not installed");
        return 0;
    }
    if (rc) return 1;
    const struct CMUnitTest tests[] = {
        STORE_SUITE(&POSTGRES),
        cmocka_unit_test(test_two_sequencers),
        cmocka_unit_test(test_taken_over_at_work),
        cmocka_unit_test(test_kill_backend),
        cmocka_unit_test(test_kill_server),
        cmocka_unit_test(test_cut_at_commit),
        cmocka_unit_test(test_unconfirmed_commit),
        cmocka_unit_test(test_retried),
        cmocka_unit_test(test_reader_connects_again),
        cmocka_unit_test(test_large_batch),
        cmocka_unit_test(test_small_disk),
        cmocka_unit_test(test_what_the_server_says),
        cmocka_unit_test(test_append_only),
        cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_refused_at_open),
        cmocka_unit_test(test_not_durable),
        cmocka_unit_test(test_place),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    server_end();
    return failed;
}
