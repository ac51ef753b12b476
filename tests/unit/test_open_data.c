/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Exports that the daemon publishes: made from the tree, the same as anybody's, replaced together, and
 * whatever fails, the log goes on and the files there were stay. */
#include "daemon_base.h"

#include <jansson.h>
#include <stdatomic.h>
#include "base/gzip.h"
#include "service/export.h"
#include "service/open_data.h"
#include "service/tree_log.h"

static int get(struct site *s, const char *path, struct reply *r) {
    char head[300];
    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\n", path);
    return site_request(s, head, (struct span){0}, r);
}

static json_t *list_of(const char *dir) {
    struct fail f;
    struct buf b;
    json_error_t e;
    buf_init(&b, 1 << 20);
    must(file_read(scratch_path(dir, "public/data/index.json"), 1 << 20, &b, &f));
    json_t *j = json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, &e);
    if (!j) fail_msg("index.json: %s", e.text);
    buf_release(&b);
    return j;
}

static uint64_t listed_size(const char *dir) {
    if (!file_exists(scratch_path(dir, "public/data/index.json"))) return 0;
    json_t *j = list_of(dir);
    uint64_t size = (uint64_t)json_integer_value(json_object_get(j, "size"));
    json_decref(j);
    return size;
}

static void await_data(const char *dir, uint64_t size) {
    for (int i = 0; listed_size(dir) != size; i++) {
        if (i > PATIENCE_MS / 5) fail_msg("no exports of %llu entries", (unsigned long long)size);
        pause_ms(5);
    }
}

static err collect(void *ctx, struct span bytes, struct fail *f) {
    struct buf *b = ctx;
    buf_span(b, bytes);
    return buf_ok(b, f);
}

/* Every file is what its list and anybody's own export say. */
static void files_are_right(const char *dir) {
    struct fail f;
    struct tree_log log;
    struct results results;
    struct tree_source tree = tree_source_dir(scratch_path(dir, "public"));
    must(tree_log_replay(&tree, &(struct tree_log_options){0}, &log, &f));
    must(results_compute(log.fold, &results, &f));
    struct export_source s = {.fold = log.fold, .results = &results, .root = log.root};
    json_t *j = list_of(dir), *file;
    size_t i;
    assert_int_equal(json_integer_value(json_object_get(j, "size")), log.size);
    assert_int_equal(json_array_size(json_object_get(j, "files")), EXPORT_FORMATS);
    json_array_foreach(json_object_get(j, "files"), i, file) {
        char path[300], hex[HASH_HEX_LEN + 1];
        struct buf served, plain, own;
        enum export_format format;
        const char *name = json_string_value(json_object_get(file, "name"));
        must(export_format_parse(json_string_value(json_object_get(file, "format")), &format, &f));
        snprintf(path, sizeof path, "%s/public/data/%s", dir, name);
        buf_init(&served, 1 << 26);
        buf_init(&plain, 1 << 26);
        buf_init(&own, 1 << 26);
        must(file_read(path, 1 << 26, &served, &f));
        struct hash h = sha256(buf_view(&served));
        hash_hex(&h, hex);
        assert_string_equal(hex, json_string_value(json_object_get(file, "sha256")));
        assert_int_equal(served.n, json_integer_value(json_object_get(file, "bytes")));
        must(gzip_read(path, 1 << 26, &plain, &f));
        if (format == EXPORT_SQLITE) {
            must(export_file(&s, format, scratch_path(dir, "own.sqlite"), &f));
            must(file_read(scratch_path(dir, "own.sqlite"), 1 << 26, &own, &f));
        } else {
            must(export_stream(&s, format, &(struct export_sink){collect, &own}, &f));
        }
        if (!span_eq(buf_view(&own), buf_view(&plain))) fail_msg("%s is another than one's own", name);
        buf_release(&served);
        buf_release(&plain);
        buf_release(&own);
    }
    json_decref(j);
    results_release(&results);
    tree_log_release(&log);
}

static void by_the_daemon(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct reply r;
    s.o.data_interval_ms = 30;
    site_start(&s);
    site_await_published(&s);
    await_data(s.dir, x->entry_count);
    files_are_right(s.dir);
    static const char *const paths[][2] = {
        {"/data/", "text/html; charset=utf-8"},       {"/data/sw.html", "text/html; charset=utf-8"},
        {"/data/api.html", "text/html; charset=utf-8"},
        {"/data/index.json", "application/json"},     {"/data/stations.csv", "text/csv; charset=utf-8"},
        {"/data/err.json.gz", "application/gzip"},    {"/data/feed.atom", "application/atom+xml"},
        {"/data/SHA256SUMS", "text/plain; charset=utf-8"}};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (get(&s, paths[i][0], &r) != 200) fail_msg("%s: %d", paths[i][0], r.status);
        assert_string_equal(reply_header(&r, "Content-Type"), paths[i][1]);
        reply_free(&r);
    }
    assert_int_equal(get(&s, "/data/.new/stations.csv", &r), 404);
    reply_free(&r);
    /* the log grows: so does the data, without anybody asking */
    (void)site_accepts(&s, "po/1101", site_event("1101", 7));
    await_data(s.dir, x->entry_count + 1);
    site_stop(&s);
    files_are_right(s.dir);
    site_end(&s);
}

static void when_it_fails(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct fail f;
    uint64_t size;
    static const char *const ops[] = {"write", "fsync", "rename"};
    struct open_data_options o = {0};
    char public_dir[200];
    s.o.no_data = true;
    site_start(&s);
    site_await_published(&s);
    site_stop(&s);
    snprintf(public_dir, sizeof public_dir, "%s/public", s.dir);
    o.public_dir = public_dir;
    assert_false(file_exists(scratch_path(s.dir, "public/data")));
    _Atomic bool stop = true;
    refuses(E_BUSY, open_data_make(&o, &stop, &size, &f));
    assert_int_equal(listed_size(s.dir), 0);
    for (size_t i = 0; i < 3; i++) {
        struct scratch_fault fault = {ops[i], "/data/", 1, 0, ENOSPC};
        scratch_faults(&fault);
        refuses(E_DISK_FULL, open_data_make(&o, NULL, &size, &f));
        scratch_faults(NULL);
        assert_int_equal(listed_size(s.dir), 0); /* nothing is announced */
    }
    must(open_data_make(&o, NULL, &size, &f));
    assert_int_equal(size, x->entry_count);
    files_are_right(s.dir);
    /* once more at the same checkpoint: nothing is touched, even where nothing could be written */
    struct scratch_fault fault = {"write", "/data/", 1, 0, ENOSPC};
    scratch_faults(&fault);
    must(open_data_make(&o, NULL, &size, &f));
    scratch_faults(NULL);
    assert_int_equal(size, x->entry_count);
    /* a tree that contradicts itself is not exported */
    char entries[300];
    snprintf(entries, sizeof entries, "%s/public/tile/entries/000.p/%zu", s.dir, x->entry_count);
    scratch_flip(entries, 5000);
    must(file_remove(scratch_path(s.dir, "public/data/index.json"), &f));
    assert_true(open_data_make(&o, NULL, &size, &f) != OK);
    assert_int_equal(listed_size(s.dir), 0);
    refuses(E_NOT_FOUND, open_data_make(&(struct open_data_options){.public_dir = s.dir}, NULL, &size, &f));
    site_end(&s);
}

/* --- gzip --- */

static void packed(void **state) {
    (void)state;
    struct fail f;
    struct gzip_out *g;
    struct buf a, b, c;
    char dir[64];
    scratch_make(dir);
    buf_init(&a, 1 << 24);
    buf_init(&b, 1 << 24);
    buf_init(&c, 1 << 24);
    for (uint32_t i = 0; i < 300000; i++) buf_u64(&a, i * UINT64_C(2654435761) % 10007);
    for (int turn = 0; turn < 2; turn++) { /* in one piece and in many: the same text comes out */
        buf_clear(&b);
        buf_clear(&c);
        must(gzip_out_new(collect, &b, &g, &f));
        for (size_t at = 0; at < a.n; at += turn ? 777 : a.n)
            must(gzip_out_put(g, span_of(a.p + at, turn && a.n - at > 777 ? 777 : a.n - at), &f));
        must(gzip_out_end(g, &f));
        gzip_out_free(g);
        assert_true(b.n < a.n);
        scratch_write(scratch_path(dir, "x.gz"), b.p, b.n);
        must(gzip_read(scratch_path(dir, "x.gz"), 1 << 24, &c, &f));
        assert_true(span_eq(buf_view(&a), buf_view(&c)));
    }
    buf_clear(&c);
    refuses(E_TOO_LARGE, gzip_read(scratch_path(dir, "x.gz"), 1000, &c, &f));
    scratch_write(scratch_path(dir, "cut.gz"), b.p, b.n / 2);
    buf_clear(&c);
    refuses(E_DAMAGED, gzip_read(scratch_path(dir, "cut.gz"), 1 << 24, &c, &f));
    scratch_flip(scratch_path(dir, "x.gz"), (long)b.n / 2);
    buf_clear(&c);
    refuses(E_DAMAGED, gzip_read(scratch_path(dir, "x.gz"), 1 << 24, &c, &f));
    refuses(E_NOT_FOUND, gzip_read(scratch_path(dir, "none.gz"), 1 << 24, &c, &f));
    buf_release(&a);
    buf_release(&b);
    buf_release(&c);
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_daemon),
        cmocka_unit_test(when_it_fails),
        cmocka_unit_test(packed),
    };
    return cmocka_run_group_tests_name("open data", tests, setup, teardown);
}
