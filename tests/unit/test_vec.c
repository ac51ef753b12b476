/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Chunked vectors, index tables and the journal, against a naive model. */
#include "test.h"

#include "base/rng.h"
#include "base/vec.h"

/* A multiset of (hash, index), searched from end to end. */
struct model {
    uint64_t hash[4096];
    uint32_t index[4096];
    size_t n;
};

static void same_table(const struct table *t, const struct model *m, uint64_t hash) {
    size_t found = 0, want = 0, cursor = 0;
    bool seen[4096] = {0};
    for (size_t i = 0; i < m->n; i++) want += (uint32_t)m->hash[i] == (uint32_t)hash;
    for (uint32_t x; (x = table_next(t, hash, &cursor)) != UINT32_MAX; found++) {
        size_t i = 0;
        while (i < m->n && (seen[i] || m->index[i] != x || (uint32_t)m->hash[i] != (uint32_t)hash)) i++;
        assert_true(i < m->n);
        seen[i] = true;
    }
    assert_int_equal(found, want);
    assert_int_equal(t->n, m->n);
}

static void table_is_a_multiset(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 1);
    for (int round = 0; round < 30; round++) {
        struct budget b = {.cap = 1 << 24};
        struct table t;
        struct model m = {.n = 0};
        table_init(&t, &b);
        uint64_t spread = round % 3 == 0 ? 5 : round % 3 == 1 ? 200 : UINT64_MAX;
        for (int step = 0; step < 1500; step++) {
            uint64_t hash = rng_below(&r, spread);
            if (round % 5 == 0) hash = hash << 32 | (0xffffffc0u + hash % 64); /* wraps at the end */
            uint32_t index = (uint32_t)rng_below(&r, 50);
            if (rng_below(&r, 3) && m.n < 1000) {
                assert_true(table_add(&t, hash, index));
                m.hash[m.n] = hash;
                m.index[m.n++] = index;
            } else if (m.n) {
                size_t i = rng_below(&r, m.n);
                if (rng_below(&r, 4) == 0) { /* something that may not be there */
                    size_t k = 0;
                    while (k < m.n && ((uint32_t)m.hash[k] != (uint32_t)hash || m.index[k] != index)) k++;
                    table_remove(&t, hash, index);
                    i = k;
                } else {
                    table_remove(&t, m.hash[i], m.index[i]);
                }
                if (i < m.n) {
                    m.n--;
                    m.hash[i] = m.hash[m.n];
                    m.index[i] = m.index[m.n];
                }
            }
            same_table(&t, &m, hash);
            if (m.n) same_table(&t, &m, m.hash[rng_below(&r, m.n)]);
        }
        table_release(&t);
        assert_int_equal(b.used, 0);
    }
}

static void table_bounds(void **state) {
    (void)state;
    struct budget b = {.cap = 64 * sizeof(struct table_slot)};
    struct table t;
    size_t cursor = 0, n = 0;
    table_init(&t, &b);
    assert_int_equal(table_next(&t, 7, &cursor), UINT32_MAX);
    table_remove(&t, 7, 7);
    assert_false(table_add(&t, 1, UINT32_MAX)); /* stands for "none" */
    assert_true(table_add(&t, 1, UINT32_MAX - 1));
    assert_int_equal(table_next(&t, 1, &cursor), UINT32_MAX - 1);
    while (table_add(&t, n, 0)) n++;
    assert_true(n >= 32 && n < 64); /* the first table is full, the next does not fit the budget */
    assert_int_equal(b.used, b.cap);
    table_release(&t);
    assert_int_equal(b.used, 0);
}

static void vec_stays_where_it_is(void **state) {
    (void)state;
    struct budget b = {.cap = 1 << 20};
    struct vec v;
    vec_init(&v, &b, 12, 3);
    void *where[1000];
    for (int i = 0; i < 1000; i++) {
        where[i] = vec_push(&v);
        assert_non_null(where[i]);
        memset(where[i], i & 0xff, 12);
    }
    for (size_t i = 0; i < 1000; i++) {
        assert_ptr_equal(where[i], vec_at(&v, i));
        assert_int_equal(*(uint8_t *)vec_at(&v, i), i & 0xff);
    }
    size_t at;
    uint8_t *run = vec_push_run(&v, 8, &at); /* as many as a chunk has */
    assert_non_null(run);
    assert_int_equal(at % 8, 0);
    for (int i = 0; i < 96; i++) assert_int_equal(run[i], 0);
    assert_null(vec_push_run(&v, 9, &at));
    assert_non_null(vec_push_run(&v, 0, &at));
    v.n = 3; /* pushing again over old elements gives zeroes */
    uint8_t *again = vec_push(&v);
    for (int i = 0; i < 12; i++) assert_int_equal(again[i], 0);
    vec_release(&v);
    assert_int_equal(b.used, 0);
}

static void vec_has_a_budget(void **state) {
    (void)state;
    struct budget b = {.cap = 3 * 8 * 16};
    struct vec v;
    vec_init(&v, &b, 16, 3);
    size_t n = 0, at;
    while (vec_push(&v)) n++;
    assert_int_equal(n, 24);
    assert_int_equal(v.n, 24);
    assert_null(vec_push_run(&v, 2, &at));
    assert_int_equal(v.n, 24);
    vec_release(&v);
}

/* Random changes to a vector, a table, plain bytes and an arena; some are kept, some taken back. */
struct world {
    struct budget budget;
    struct vec v;
    struct table t;
    struct arena arena;
    struct journal j;
    uint64_t words[32];
};

static void snapshot(struct world *w, struct buf *out) {
    buf_add(out, w->words, sizeof w->words);
    for (size_t i = 0; i < w->v.n; i++) buf_add(out, vec_at(&w->v, i), 8);
    for (uint64_t h = 0; h < 20; h++) { /* as multisets: sums and counts */
        uint64_t sum = 0, n = 0;
        size_t cursor = 0;
        for (uint32_t x; (x = table_next(&w->t, h, &cursor)) != UINT32_MAX; n++) sum += x * (x + 7ull);
        buf_add(out, &sum, 8);
        buf_add(out, &n, 8);
    }
    struct arena_mark m = arena_mark(&w->arena);
    buf_add(out, &m.used, sizeof m.used);
    buf_add(out, &m.made, sizeof m.made);
    buf_add(out, &w->arena.used, sizeof w->arena.used);
    assert_false(out->failed);
}

static void disturb(struct world *w, struct rng *r) {
    struct journal *j = &w->j;
    switch (rng_below(r, 6)) {
    case 0: {
        size_t i = rng_below(r, 32);
        JSET(j, w->words[i], rng_u64(r));
        break;
    }
    case 1: {
        journal_vec(j, &w->v);
        uint64_t *p = vec_push(&w->v);
        *p = rng_u64(r);
        break;
    }
    case 2: {
        size_t at;
        journal_vec(j, &w->v);
        uint64_t *p = vec_push_run(&w->v, rng_below(r, 8), &at);
        assert_non_null(p);
        break;
    }
    case 3: {
        if (w->v.n == 0) break;
        uint64_t *at = vec_at(&w->v, rng_below(r, w->v.n));
        JSET(j, *at, rng_u64(r));
        break;
    }
    case 4: {
        uint64_t h = rng_below(r, 20);
        uint32_t i = (uint32_t)rng_below(r, 9);
        assert_true(table_add(&w->t, h, i));
        journal_table(j, &w->t, h, i);
        break;
    }
    default: {
        size_t n = rng_below(r, 40) == 0 ? 100000 : 1 + rng_below(r, 3000);
        journal_arena(j, &w->arena);
        uint8_t *p = arena_alloc(&w->arena, n);
        for (size_t i = 0; i < n; i++) assert_int_equal(p[i], 0);
        memset(p, 0xaa, n);
    }
    }
}

static void journal_takes_back(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 2);
    for (int round = 0; round < 20; round++) {
        struct world w = {.budget = {.cap = 1 << 26}};
        vec_init(&w.v, &w.budget, 8, 3);
        table_init(&w.t, &w.budget);
        arena_init(&w.arena, 1 << 26);
        journal_init(&w.j, 1 << 24);
        for (int batch = 0; batch < 25; batch++) {
            struct buf outer, inner, now;
            buf_init(&outer, 1 << 20);
            buf_init(&inner, 1 << 20);
            buf_init(&now, 1 << 20);
            snapshot(&w, &outer);
            for (uint64_t n = rng_below(&r, 20); n; n--) disturb(&w, &r);
            size_t mark = journal_mark(&w.j);
            snapshot(&w, &inner);
            for (uint64_t n = rng_below(&r, 20); n; n--) disturb(&w, &r);
            journal_undo(&w.j, mark);
            snapshot(&w, &now);
            assert_true(span_eq(buf_view(&now), buf_view(&inner)));
            if (batch % 2) {
                journal_undo(&w.j, 0);
                buf_clear(&now);
                snapshot(&w, &now);
                assert_true(span_eq(buf_view(&now), buf_view(&outer)));
            }
            journal_clear(&w.j);
            assert_int_equal(journal_mark(&w.j), 0);
            buf_release(&outer);
            buf_release(&inner);
            buf_release(&now);
        }
        assert_false(w.j.failed);
        vec_release(&w.v);
        table_release(&w.t);
        arena_release(&w.arena);
        journal_release(&w.j);
        assert_int_equal(w.budget.used, 0);
    }
}

/* A change that no longer fits leaves the journal readable, and it says that it failed for good. */
static void journal_full(void **state) {
    (void)state;
    struct journal j;
    uint64_t words[64] = {0};
    journal_init(&j, 500);
    size_t kept = 0;
    for (uint64_t i = 0; i < 64; i++) {
        JSET(&j, words[i], i + 1);
        if (!j.failed) kept++;
    }
    assert_true(j.failed && kept > 3 && kept < 64);
    journal_undo(&j, 0);
    for (size_t i = 0; i < 64; i++) assert_int_equal(words[i], i < kept ? 0 : i + 1);
    journal_clear(&j);
    assert_true(j.failed);
    JSET(&j, words[0], 9);
    assert_int_equal(journal_mark(&j), 0);
    journal_release(&j);
}

/* As CPython 3.11 hashes bytes (SipHash-1-3) with PYTHONHASHSEED=0, which is the key 0. */
static void hashes_of_bytes(void **state) {
    (void)state;
    uint8_t all[32];
    for (uint8_t i = 0; i < sizeof all; i++) all[i] = i;
    assert_int_equal(hash_bytes(SPAN_LIT("a")), 0x407448d2b89b1813u);
    assert_int_equal(hash_bytes(SPAN_LIT("po/001001")), 0x1637853405ad0176u);
    assert_int_equal(hash_bytes(SPAN_LIT("0123456")), 0x810aaf7acf670379u);
    assert_int_equal(hash_bytes(SPAN_LIT("01234567")), 0xda3dcedf84ea6cc6u);
    assert_int_equal(hash_bytes(SPAN_LIT("012345678")), 0xb79d8581f8552753u);
    assert_int_equal(hash_bytes(span_of(all, sizeof all)), 0x31ef8061c910629bu);
}

/* Finds names[0..n) in a table filled with them under this key; how many places were looked at. */
static size_t places_looked_at(const struct hash_key *key, uint64_t *names, size_t n) {
    struct budget b = {.cap = 1 << 20};
    struct table t;
    size_t looked = 0;
    table_init(&t, &b);
    for (size_t i = 0; i < n; i++)
        assert_true(table_add(&t, hash_keyed(key, span_of(&names[i], 8)), (uint32_t)i));
    for (size_t i = 0; i < n; i++) {
        size_t cursor = 0;
        uint32_t found;
        do {
            found = table_next(&t, hash_keyed(key, span_of(&names[i], 8)), &cursor);
            assert_true(found < n);
        } while (names[found] != names[i]);
        looked += cursor;
    }
    table_release(&t);
    return looked;
}

/* Names chosen to fall on one place do so only under the key for which they were chosen. */
static void chosen_names(void **state) {
    (void)state;
    enum { N = 600, PLACES = 1024 };
    const struct hash_key known = {{1, 2}}, other = {{1, 3}};
    uint64_t names[N];
    size_t n = 0;
    for (uint64_t x = 0; n < N; x++)
        if (hash_keyed(&known, span_of(&x, 8)) % PLACES == 7) names[n++] = x;
    assert_true(places_looked_at(&known, names, N) > N * 100);
    assert_true(places_looked_at(&other, names, N) < N * 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_of_bytes),       cmocka_unit_test(chosen_names),
        cmocka_unit_test(table_is_a_multiset),   cmocka_unit_test(table_bounds),
        cmocka_unit_test(vec_stays_where_it_is), cmocka_unit_test(vec_has_a_budget),
        cmocka_unit_test(journal_takes_back),    cmocka_unit_test(journal_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
