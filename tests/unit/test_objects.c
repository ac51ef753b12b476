/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <dirent.h>
#include <pthread.h>

#include "scratch.h"
#include "store/objects.h"

struct setup {
    char dir[64];
    struct objects_options opt;
    struct objects *o;
};

static void reopen(struct setup *s) {
    struct fail f;
    objects_close(s->o);
    must(objects_open(&s->opt, &s->o, &f));
}

static void begin(struct setup *s) {
    static char pub[512], priv[512];
    scratch_make(s->dir);
    snprintf(pub, sizeof pub, "%s/public", s->dir);
    snprintf(priv, sizeof priv, "%s/private", s->dir);
    s->opt = (struct objects_options){.public_dir = pub,
                                      .private_dir = priv,
                                      .max_object = 100000,
                                      .max_pending_per_key = 150000,
                                      .max_pending = 400000,
                                      .max_pending_count = 50};
    struct fail f;
    must(file_mkdirs(pub, &f));
    must(file_mkdirs(priv, &f));
    s->o = NULL;
    reopen(s);
}

static void end(struct setup *s) {
    objects_close(s->o);
    scratch_remove(s->dir);
}

static size_t count_in(const struct setup *s, const char *folder) {
    size_t n = 0;
    DIR *d = opendir(scratch_path(s->dir, folder));
    for (struct dirent *e; d && (e = readdir(d));) n += e->d_name[0] != '.';
    if (d) closedir(d);
    return n;
}

static err put(struct setup *s, enum object_class class, struct span bytes, const char *key,
               uint64_t ms, struct fail *f) {
    struct object_put *p;
    struct hash id = sha256(bytes);
    TRY(objects_put_begin(s->o, class, &id, bytes.n, key, ms, &p, f));
    if (!p) return OK;
    for (size_t at = 0; at < bytes.n; at += 1000) {
        size_t n = bytes.n - at < 1000 ? bytes.n - at : 1000;
        err e = objects_put_write(p, span_of(bytes.p + at, n), f);
        if (e != OK) {
            objects_put_abort(p);
            return e;
        }
    }
    return objects_put_commit(p, f);
}

static struct span filled(uint8_t *buffer, size_t n, uint8_t c) {
    memset(buffer, c, n);
    return span_of(buffer, n);
}

static void test_put_keep_read(void **state) {
    (void)state;
    struct setup s;
    struct fail f;
    struct buf out;
    static uint8_t bytes[70000];
    uint64_t size = 0;
    int fd;
    begin(&s);
    buf_init(&out, 200000);
    struct span a = filled(bytes, sizeof bytes, 'a');
    struct object_ref ref = {OBJECT_PUBLIC, sha256(a)};
    assert_false(objects_has(s.o, OBJECT_PUBLIC, &ref.id, NULL));
    must(put(&s, OBJECT_PUBLIC, a, "officer", 1000, &f));
    assert_true(objects_has(s.o, OBJECT_PUBLIC, &ref.id, &size));
    assert_int_equal(size, a.n);
    assert_false(objects_has(s.o, OBJECT_RESTRICTED, &ref.id, NULL)); /* classes are apart */
    assert_int_equal(count_in(&s, "public/objects"), 0);              /* not published yet */
    refuses(E_NOT_FOUND, objects_open_read(s.o, OBJECT_PUBLIC, &ref.id, &fd, &size, &f));
    must(objects_read(s.o, OBJECT_PUBLIC, &ref.id, 100000, &out, &f)); /* the fold may read it */
    assert_true(span_eq(buf_view(&out), a));
    must(objects_keep(s.o, &ref, 1, &f));
    must(objects_keep(s.o, &ref, 1, &f)); /* as a replay does */
    assert_int_equal(count_in(&s, "public/objects"), 1);
    assert_int_equal(count_in(&s, "private/pending"), 0);
    assert_int_equal(objects_key_bytes(s.o, "officer"), 0);
    must(objects_open_read(s.o, OBJECT_PUBLIC, &ref.id, &fd, &size, &f));
    assert_int_equal(size, a.n);
    close(fd);
    buf_clear(&out);
    refuses(E_TOO_LARGE, objects_read(s.o, OBJECT_PUBLIC, &ref.id, 69999, &out, &f));
    struct object_put *p; /* nothing to send any more */
    must(objects_put_begin(s.o, OBJECT_PUBLIC, &ref.id, a.n, "another", 2000, &p, &f));
    assert_null(p);
    ref.id.b[0] ^= 1;
    refuses(E_OBJECT_MISSING, objects_keep(s.o, &ref, 1, &f));
    buf_release(&out);
    end(&s);
}

static void test_restricted_stay_apart(void **state) {
    (void)state;
    struct setup s;
    struct fail f;
    struct stat st;
    char path[4096];
    begin(&s);
    struct span bytes = SPAN_LIT("an original form");
    struct object_ref ref = {OBJECT_RESTRICTED, sha256(bytes)};
    must(put(&s, OBJECT_RESTRICTED, bytes, "officer", 1, &f));
    struct object_ref wrong = {OBJECT_PUBLIC,
                               ref.id}; /* a record cannot publish it by naming it so */
    refuses(E_OBJECT_MISSING, objects_keep(s.o, &wrong, 1, &f));
    must(objects_keep(s.o, &ref, 1, &f));
    assert_int_equal(count_in(&s, "public/objects"), 0);
    assert_int_equal(count_in(&s, "private/restricted"), 1);
    must(objects_path(s.o, OBJECT_RESTRICTED, &ref.id, path, sizeof path, &f));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(scratch_path(s.dir, "private/restricted"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    struct objects *second;
    refuses(E_LOCKED, objects_open(&s.opt, &second, &f));
    struct objects_options inside = s.opt;
    inside.private_dir = scratch_path(s.dir, "public/private");
    must(file_mkdirs(inside.private_dir, &f));
    refuses(E_CONFIG, objects_open(&inside, &second, &f));
    end(&s);
}

static void test_wrong_uploads(void **state) {
    (void)state;
    struct setup s;
    struct fail f;
    struct object_put *p;
    begin(&s);
    struct hash id = sha256(SPAN_LIT("twelve bytes"));
    refuses(E_TOO_LARGE, objects_put_begin(s.o, OBJECT_PUBLIC, &id, 100001, "k", 1, &p, &f));
    assert_null(p);
    must(objects_put_begin(s.o, OBJECT_PUBLIC, &id, 12, "k", 1, &p, &f));
    refuses(E_OBJECT, objects_put_write(p, SPAN_LIT("thirteen byte"), &f));
    must(objects_put_write(p, SPAN_LIT("twelve"), &f));
    refuses(E_OBJECT, objects_put_commit(p, &f)); /* too few */
    must(objects_put_begin(s.o, OBJECT_PUBLIC, &id, 12, "k", 1, &p, &f));
    must(objects_put_write(p, SPAN_LIT("twelve bits?"), &f));
    refuses(E_OBJECT, objects_put_commit(p, &f)); /* other bytes */
    must(objects_put_begin(s.o, OBJECT_PUBLIC, &id, 12, "k", 1, &p, &f));
    objects_put_abort(p);
    assert_false(objects_has(s.o, OBJECT_PUBLIC, &id, NULL));
    assert_int_equal(objects_key_bytes(s.o, "k"), 0);
    assert_int_equal(objects_usage(s.o).open_count, 0);
    assert_int_equal(objects_usage(s.o).open_bytes, 0);
    assert_int_equal(count_in(&s, "private/incoming"), 0);
    struct span empty = SPAN_LIT("");
    must(put(&s, OBJECT_PUBLIC, empty, "k", 1, &f)); /* an empty object is one */
    end(&s);
}

static void test_limits(void **state) {
    (void)state;
    struct setup s;
    struct fail f;
    struct object_put *p;
    static uint8_t bytes[100000];
    begin(&s);
    must(put(&s, OBJECT_PUBLIC, filled(bytes, 100000, 'a'), "one", 1, &f));
    refuses(E_QUOTA, put(&s, OBJECT_RESTRICTED, filled(bytes, 50001, 'b'), "one", 1, &f));
    struct hash id = sha256(filled(bytes, 50000, 'c'));
    must(objects_put_begin(s.o, OBJECT_PUBLIC, &id, 50000, "one", 1, &p,
                           &f)); /* reserved from now */
    refuses(E_QUOTA, put(&s, OBJECT_PUBLIC, SPAN_LIT("x"), "one", 1, &f));
    objects_put_abort(p);
    must(put(&s, OBJECT_PUBLIC, SPAN_LIT("x"), "one", 1, &f));
    must(put(&s, OBJECT_PUBLIC, filled(bytes, 100000, 'd'), "two", 1, &f));
    must(put(&s, OBJECT_PUBLIC, filled(bytes, 100000, 'e'), "three", 1, &f));
    refuses(E_BUSY, put(&s, OBJECT_PUBLIC, filled(bytes, 100000, 'f'), "four", 1, &f));
    assert_int_equal(objects_key_bytes(s.o, "four"), 0);
    uint64_t removed;
    must(objects_expire(s.o, 2, &removed, &f));
    assert_int_equal(removed, 4);
    for (uint8_t i = 0; i < 50; i++) /* as many as may be pending */
        must(put(&s, OBJECT_PUBLIC, span_of(&i, 1), "many", 1, &f));
    refuses(E_BUSY, put(&s, OBJECT_PUBLIC, SPAN_LIT("one more"), "other", 1, &f));
    end(&s);
}

static void test_expiry_and_scan(void **state) {
    (void)state;
    struct setup s;
    struct fail f;
    uint64_t removed;
    begin(&s);
    struct span a = SPAN_LIT("object a"), b = SPAN_LIT("object b"), c = SPAN_LIT("object c");
    struct hash ia = sha256(a), ib = sha256(b), ic = sha256(c);
    must(put(&s, OBJECT_PUBLIC, a, "one", 1000, &f));
    must(put(&s, OBJECT_RESTRICTED, b, "two", 2000, &f));
    must(put(&s, OBJECT_PUBLIC, c, "one", 3000, &f));
    must(put(&s, OBJECT_PUBLIC, a, "three", 2500, &f)); /* asked for again: renewed */
    struct object_put *open;
    struct hash id = sha256(SPAN_LIT("never finished"));
    must(objects_put_begin(s.o, OBJECT_PUBLIC, &id, 14, "one", 3000, &open, &f));
    assert_int_equal(count_in(&s, "private/incoming"), 1);
    objects_put_abort(open);
    scratch_write(scratch_path(s.dir, "private/incoming/77"), "left", 4); /* by a crash */
    struct objects_usage before = objects_usage(s.o);
    for (int i = 0; i < 2; i++) { /* the scan rebuilds everything */
        reopen(&s);
        struct objects_usage now = objects_usage(s.o);
        assert_memory_equal(&before, &now, sizeof now);
        assert_int_equal(objects_key_bytes(s.o, "one"), 16);
        assert_int_equal(objects_key_bytes(s.o, "two"), 8);
        assert_int_equal(objects_key_bytes(s.o, "three"), 0);
        assert_int_equal(count_in(&s, "private/incoming"), 0);
    }
    must(objects_expire(s.o, 2500, &removed, &f));
    assert_int_equal(removed, 1);
    assert_true(objects_has(s.o, OBJECT_PUBLIC, &ia, NULL));
    assert_false(objects_has(s.o, OBJECT_RESTRICTED, &ib, NULL));
    struct object_ref keep = {OBJECT_PUBLIC, ic};
    must(objects_keep(s.o, &keep, 1, &f));
    must(objects_expire(s.o, UINT64_MAX, &removed, &f)); /* what is kept does not expire */
    assert_int_equal(removed, 1);
    assert_true(objects_has(s.o, OBJECT_PUBLIC, &ic, NULL));
    reopen(&s);
    assert_true(objects_has(s.o, OBJECT_PUBLIC, &ic, NULL));
    assert_int_equal(objects_usage(s.o).pending_count, 0);
    objects_close(s.o);
    s.o = NULL;
    scratch_write(scratch_path(s.dir, "private/pending/what-is-this"), "?", 1);
    struct objects *o;
    refuses(E_DAMAGED, objects_open(&s.opt, &o, &f));
    end(&s);
}

static void test_faults(void **state) {
    (void)state;
    static const struct scratch_fault kinds[] = {
        {.op = "open", .errnum = EMFILE}, {.op = "write", .errnum = ENOSPC},
        {.op = "fsync", .errnum = EIO},   {.op = "fsync", .from = 2, .errnum = EIO},
        {.op = "rename", .errnum = EIO},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct setup s;
        struct fail f;
        begin(&s);
        struct span a = SPAN_LIT("good"), b = SPAN_LIT("not so good");
        struct hash ia = sha256(a), ib = sha256(b);
        must(put(&s, OBJECT_PUBLIC, a, "k", 1, &f));
        struct scratch_fault fault = kinds[i];
        scratch_faults(&fault);
        bool full = fault.errnum == ENOSPC, sync = strcmp(fault.op, "fsync") == 0;
        refuses(full ? E_DISK_FULL : E_IO, put(&s, OBJECT_PUBLIC, b, "k", 1, &f));
        scratch_faults(NULL);
        assert_false(objects_has(s.o, OBJECT_PUBLIC, &ib, NULL)); /* never half there */
        if (sync)
            refuses(E_IO, put(&s, OBJECT_PUBLIC, b, "k", 1, &f)); /* fatal: start again */
        else
            must(put(&s, OBJECT_PUBLIC, b, "k", 1, &f));
        reopen(&s);
        assert_true(objects_has(s.o, OBJECT_PUBLIC, &ia, NULL));
        must(put(&s, OBJECT_PUBLIC, b, "k", 1, &f));
        struct object_ref refs[] = {{OBJECT_PUBLIC, ia}, {OBJECT_PUBLIC, ib}};
        if (fault.from < 2 && (sync || strcmp(fault.op, "rename") == 0)) {
            fault.seen = 0;
            scratch_faults(&fault);
            refuses(E_IO, objects_keep(s.o, refs, 2, &f));
            scratch_faults(NULL);
            reopen(&s);
        }
        must(objects_keep(s.o, refs, 2, &f)); /* replaying finishes it */
        assert_int_equal(count_in(&s, "public/objects"), 2);
        end(&s);
    }
}

static void test_add_many(void **state) {
    (void)state;
    struct setup s;
    struct fail f;
    struct buf out;
    enum { N = 300 };
    static char text[N][16];
    static struct span bytes[N];
    static struct hash ids[N];
    begin(&s);
    for (int i = 0; i < N; i++)
        bytes[i] = span_of(text[i], (size_t)snprintf(text[i], sizeof text[i], "o%d", i % 250));
    must(objects_add_many(s.o, OBJECT_PUBLIC, bytes, N, ids, &f)); /* some twice */
    assert_int_equal(count_in(&s, "public/objects"), 250);
    must(objects_add_many(s.o, OBJECT_PUBLIC, bytes, N, NULL, &f));
    must(objects_add_many(s.o, OBJECT_RESTRICTED, bytes, 2, NULL, &f));
    assert_int_equal(count_in(&s, "private/restricted"), 2);
    assert_int_equal(count_in(&s, "private/incoming"), 0);
    buf_init(&out, 100);
    must(objects_read(s.o, OBJECT_PUBLIC, &ids[249], 100, &out, &f));
    assert_true(span_is(buf_view(&out), "o249"));
    buf_release(&out);
    bytes[5] = SPAN_LIT("new");
    struct scratch_fault fault = {.op = "fsync", .from = 1, .errnum = EIO};
    scratch_faults(&fault);
    refuses(E_IO, objects_add_many(s.o, OBJECT_PUBLIC, bytes, N, NULL, &f));
    scratch_faults(NULL);
    assert_int_equal(count_in(&s, "public/objects"), 250);
    assert_int_equal(count_in(&s, "private/incoming"), 0);
    end(&s);
}

struct bad {
    uint64_t n;
    struct hash id;
    err code;
};

static void note_bad(void *ctx, const struct hash *id, err code, const char *sentence) {
    struct bad *b = ctx;
    b->n++;
    b->id = *id;
    b->code = code;
    assert_true(sentence[0] != 0);
}

static void test_bit_rot(void **state) {
    (void)state;
    struct setup s;
    struct fail f;
    struct buf out;
    char path[4096];
    uint64_t done, bad_count;
    struct span bytes[] = {SPAN_LIT("first"), SPAN_LIT("second"), SPAN_LIT("third")};
    struct hash ids[3];
    struct bad bad = {0};
    begin(&s);
    buf_init(&out, 100);
    must(objects_add_many(s.o, OBJECT_PUBLIC, bytes, 3, ids, &f));
    must(objects_check(s.o, OBJECT_PUBLIC, note_bad, &bad, &done, &bad_count, &f));
    assert_int_equal(done, 3);
    assert_int_equal(bad_count, 0);
    must(objects_path(s.o, OBJECT_PUBLIC, &ids[1], path, sizeof path, &f));
    scratch_flip(path, 2);
    must(objects_check(s.o, OBJECT_PUBLIC, note_bad, &bad, &done, &bad_count, &f));
    assert_int_equal(bad_count, 1);
    assert_int_equal(bad.code, E_OBJECT);
    assert_true(hash_eq(&bad.id, &ids[1]));
    refuses(E_OBJECT, objects_read(s.o, OBJECT_PUBLIC, &ids[1], 100, &out, &f));
    refuses(E_OBJECT, objects_check_one(s.o, OBJECT_PUBLIC, &ids[1], &f));
    must(objects_check_one(s.o, OBJECT_PUBLIC, &ids[0], &f));
    scratch_write(scratch_path(s.dir, "public/objects/README"), "x", 1);
    must(objects_check(s.o, OBJECT_PUBLIC, NULL, NULL, &done, &bad_count, &f));
    assert_int_equal(done, 4);
    assert_int_equal(bad_count, 2);
    buf_release(&out);
    end(&s);
}

struct upload {
    struct setup *s;
    int thread;
    int failures;
};

/* Half of the objects are this thread's own, half are sent by all threads at once. */
static void *upload(void *ctx) {
    struct upload *u = ctx;
    for (int i = 0; i < 40; i++) {
        char text[64], key[16];
        struct fail f;
        int n = i % 2 ? snprintf(text, sizeof text, "shared %d", i)
                      : snprintf(text, sizeof text, "own %d of %d", i, u->thread);
        snprintf(key, sizeof key, "key %d", u->thread);
        struct span bytes = span_of(text, (size_t)n);
        struct object_ref ref = {OBJECT_PUBLIC, sha256(bytes)};
        if (put(u->s, OBJECT_PUBLIC, bytes, key, 1, &f) != OK ||
            !objects_has(u->s->o, OBJECT_PUBLIC, &ref.id, NULL) ||
            objects_keep(u->s->o, &ref, 1, &f) != OK)
            u->failures++;
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    enum { N = 8 };
    struct setup s;
    pthread_t t[N];
    struct upload u[N];
    begin(&s);
    for (int i = 0; i < N; i++) {
        u[i] = (struct upload){&s, i, 0};
        assert_int_equal(pthread_create(&t[i], NULL, upload, &u[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(u[i].failures, 0);
    }
    assert_int_equal(count_in(&s, "public/objects"), 20 * N + 20);
    struct objects_usage now = objects_usage(s.o);
    struct objects_usage none = {0};
    assert_memory_equal(&now, &none, sizeof now);
    for (int i = 0; i < N; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %d", i);
        assert_int_equal(objects_key_bytes(s.o, key), 0);
    }
    end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_keep_read),   cmocka_unit_test(test_restricted_stay_apart),
        cmocka_unit_test(test_wrong_uploads),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_expiry_and_scan), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_add_many),        cmocka_unit_test(test_bit_rot),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
