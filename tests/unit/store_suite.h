/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What store.h promises, as one suite over every implementation: test_store.c runs it over SQLite,
 * test_store_postgres.c over PostgreSQL. Beside it the helpers that both use. */
#ifndef TESTS_STORE_SUITE_H
#define TESTS_STORE_SUITE_H

#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "base/rng.h"
#include "scratch.h"
#include "store/store.h"

/* An implementation. The state of each test of the suite. */
struct store_kind {
    void (*fresh)(const char *dir); /* no store is there yet; may be NULL */
    err (*open)(const char *dir, bool create, bool check, struct store **out, struct fail *f);
    err (*reader)(const char *dir, struct store_reader **out, struct fail *f);
    uint64_t kills; /* rounds of kill -9 */
};

static inline const struct store_kind *kind_of(void **state, char dir[64]) {
    const struct store_kind *k = *state;
    scratch_make(dir);
    if (k->fresh) k->fresh(dir);
    return k;
}

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
    char dir[64];
    struct store *s;
    struct store_reader *r;
    struct store_head head;
    struct fail f;
    uint64_t term, seen = 0;
    const struct store_kind *k = kind_of(state, dir);
    must(k->open(dir, true, false, &s, &f));
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
    must(k->open(dir, false, true, &s, &f));
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
    char dir[64];
    struct store *s;
    struct store_reader *r;
    struct fail f;
    uint64_t term, last = 0;
    const struct store_kind *k = kind_of(state, dir);
    must(k->open(dir, true, false, &s, &f));
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
    char dir[64];
    struct store *s, *second;
    struct fail f;
    uint64_t old, new;
    const struct store_kind *k = kind_of(state, dir);
    must(k->open(dir, true, false, &s, &f));
    refuses(E_LOCKED, k->open(dir, true, false, &second, &f));
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
    must(k->open(dir, false, false, &s, &f));
    struct store_head head;
    must(store_head(s, &head, &f));
    assert_int_equal(head.term, new); /* terms survive */
    store_close(s);
    scratch_remove(dir);
}

static void test_bounds(void **state) {
    char dir[64];
    struct store *s;
    struct fail f;
    uint64_t term;
    static uint8_t large[STORE_ENTRY_MAX + 1];
    const struct store_kind *k = kind_of(state, dir);
    must(k->open(dir, true, false, &s, &f));
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
    char dir[64];
    struct store *s;
    struct fail f;
    struct buf out;
    uint64_t term, size = 0;
    const struct store_kind *k = kind_of(state, dir);
    buf_init(&out, 1000);
    must(k->open(dir, true, false, &s, &f));
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

/* In the child: appends until it is killed, telling each acknowledged size through the pipe. */
static void append_until_killed(const struct store_kind *k, const char *dir, int pipe_fd,
                                uint64_t seed) {
    struct store *s;
    struct fail f;
    struct store_head head;
    uint64_t term;
    struct rng r;
    rng_init(&r, seed);
    if (k->open(dir, false, false, &s, &f) != OK || store_take_term(s, &term, &f) != OK ||
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
    char dir[64];
    struct store *s;
    struct fail f;
    struct rng r;
    rng_init(&r, 42);
    const struct store_kind *k = kind_of(state, dir);
    must(k->open(dir, true, false, &s, &f));
    store_close(s);
    uint64_t acked = 0, before = 0;
    for (uint64_t round = 0; round < k->kills; round++) {
        int p[2];
        assert_int_equal(pipe(p), 0);
        pid_t child = fork();
        if (child == 0) append_until_killed(k, dir, p[1], round);
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
        must(k->open(dir, false, round % 10 == 0, &s, &f));
        uint64_t size = check_all(s);
        assert_true(size >= acked);       /* nothing acknowledged is lost */
        assert_true(size <= acked + 200); /* at most the append in flight came through */
        before = size;
        store_close(s);
    }
    assert_true(before > k->kills);
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
    char dir[64];
    struct store *s;
    struct store_reader *outside;
    struct fail f;
    uint64_t term;
    const struct store_kind *k = kind_of(state, dir);
    must(k->open(dir, true, false, &s, &f));
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
    must(k->reader(dir, &outside, &f)); /* takes no lock */
    struct store_head head;
    must(store_reader_head(outside, &head, &f));
    assert_int_equal(head.size, 2001);
    store_reader_close(outside);
    store_close(s);
    scratch_remove(dir);
}

/* The suite's tests of one kind, for a list of tests. */
#define STORE_SUITE(kind)                                                                          \
    cmocka_unit_test_prestate(test_append_and_read, kind),                                         \
    cmocka_unit_test_prestate(test_visitor_stops, kind),                                           \
    cmocka_unit_test_prestate(test_fencing, kind),                                                 \
    cmocka_unit_test_prestate(test_bounds, kind),                                                  \
    cmocka_unit_test_prestate(test_rows, kind),                                                    \
    cmocka_unit_test_prestate(test_kill, kind),                                                    \
    cmocka_unit_test_prestate(test_readers_beside_writer, kind)

#endif
