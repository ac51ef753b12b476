/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The daemon among its witnesses and mirrors: quorum, liars, restored copies, nobody there, and a log
 * that is rebuilt from a mirror. */
#include "base/diag.h"
#include "http/client.h"
#include "peers_fixture.h"
#include "service/rebuild.h"

static void start(struct peers *x, const char *dir, const char *unconfirmed, struct daemon **d) {
    struct fail f;
    struct daemon_options o = peers_options(x, dir);
    o.unconfirmed = unconfirmed;
    must(daemon_start(&o, d, &f));
}

static bool contains(const char *path, const char *words) {
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 20);
    bool found = file_read(path, b.max, &b, &f) == OK && strstr(buf_cstr(&b), words);
    buf_release(&b);
    return found;
}

static void wait_for(const char *path, const char *words) {
    uint64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (!contains(path, words)) {
        if (clock_monotonic_ms() > until) fail_msg("\"%s\" never stood in %s", words, path);
        pause_ms(10);
    }
}

/* Cosignatures by the fixture's witnesses under a checkpoint file of this size. */
static int cosigned(struct peers *x, const char *path, uint64_t size) {
    struct fail f;
    struct buf b;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    struct checkpoint c;
    int n = 0;
    buf_init(&b, CHECKPOINT_BYTES_MAX);
    if (file_read(path, b.max, &b, &f) == OK) {
        must(checkpoint_open(buf_view(&b), &x->log.key, &c, &note, lines, NOTE_LINES_MAX, &f));
        for (int i = 0; i < PEERS_WITNESSES; i++) {
            struct cosignature one;
            must(cosignatures_collect(c.body, lines, note.count, &x->w[i].key.key, 1, &one, &f));
            n += one.present && c.size == size;
        }
    }
    buf_release(&b);
    return n;
}

static void wait_cosigned(struct peers *x, const char *path, uint64_t size, int n) {
    uint64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (cosigned(x, path, size) < n) {
        if (clock_monotonic_ms() > until)
            fail_msg("%s of size %llu has %d cosignatures", path, (unsigned long long)size,
                     cosigned(x, path, size));
        pause_ms(10);
    }
}

static void begin(struct peers *x, char dir[100]) {
    peers_open(x, true);
    snprintf(dir, 100, "%s/log", x->root);
    peers_begin(x, dir);
}

static void test_quorum(void **state) {
    (void)state;
    struct peers x;
    struct daemon *d;
    char dir[100];
    begin(&x, dir);
    for (int i = 0; i < PEERS_WITNESSES; i++) peers_witness(&x, i, NULL, 0, NULL);
    start(&x, dir, NULL, &d);
    peers_add(&x, d, 9);
    wait_cosigned(&x, scratch_path(dir, "public/checkpoint"), 10, 3);
    assert_int_equal(cosigned(&x, scratch_path(dir, "public/witnessed/10"), 10), 3);
    wait_for(scratch_path(dir, "public/head.json"), "\"witnessed\":10,");
    daemon_stop(d);
    /* a restart keeps them, although one witness is gone */
    peers_witness_rest(&x, 2);
    start(&x, dir, NULL, &d);
    wait_for(scratch_path(dir, "public/head.json"), "\"witnessed\":10,");
    assert_int_equal(cosigned(&x, scratch_path(dir, "public/checkpoint"), 10), 3);
    assert_int_equal(cosigned(&x, scratch_path(dir, "public/witnessed/10"), 10), 3);
    peers_add(&x, d, 5);
    wait_cosigned(&x, scratch_path(dir, "public/checkpoint"), 15, 2);
    wait_for(scratch_path(dir, "public/head.json"), "\"witnessed\":15,");
    daemon_stop(d);
    peers_witness_rest(&x, 0);
    peers_witness_rest(&x, 1);
    peers_close(&x);
}

/* --- liars --- */

enum lie { WRONG_SIGNATURE, ANOTHER_BODY, GARBAGE, HUGE_SIZE, NO_LINE, SLOW, LIES };
struct liar {
    struct peers *x;
    enum lie lie;
    _Atomic int asked;
};

static struct http_response *lie(struct http_request *r, void *ctx) {
    struct liar *l = ctx;
    struct fail f;
    struct buf out, body;
    l->asked++;
    buf_init(&out, 1 << 16);
    buf_init(&body, 1 << 16);
    struct span note = http_body(r), line;
    while (span_line(&note, &line) && line.n) continue; /* to the checkpoint */
    size_t n = 0;
    for (struct span rest = note; span_line(&rest, &line) && line.n;) n += line.n + 1;
    buf_add(&body, note.p, n);
    switch (l->lie) {
    case WRONG_SIGNATURE: { /* the right name and id, and bytes that are no signature */
        uint8_t bytes[72] = {0, 0, 0, 0, 1};
        const struct note_key *key = &l->x->w[1].key.key;
        note_line_write(key->name, key->id, span_of(bytes, sizeof bytes), &out);
        break;
    }
    case NO_LINE: /* somebody else's */
        must(cosignature_sign(&l->x->w[0].key, buf_view(&body), 1700000000, &out, &f));
        break;
    case ANOTHER_BODY: {
        struct buf other;
        struct hash root = sha256(SPAN_LIT("elsewhere"));
        buf_init(&other, 4096);
        must(checkpoint_format(SPAN_LIT(PEERS_ORIGIN), 1000, &root, (struct span){0}, &other, &f));
        must(cosignature_sign(&l->x->w[1].key, buf_view(&other), 1700000000, &out, &f));
        buf_release(&other);
        break;
    }
    case GARBAGE:
        for (int i = 0; i < 5000; i++) buf_byte(&out, (uint8_t)(i * 7));
        break;
    case HUGE_SIZE:
        buf_release(&body);
        buf_str(&out, "9000000000000000000\n");
        return http_response_take(409, WITNESS_SIZE_TYPE, &out);
    case SLOW:
        pause_ms(1500);
        break;
    case LIES:
        break;
    }
    buf_release(&body);
    return http_response_take(200, "text/plain", &out);
}

static struct http_response *not_seen(struct http_request *r, void *ctx) {
    (void)r;
    (void)ctx;
    return http_response_copy(404, "text/plain", SPAN_LIT("never heard of it\n"));
}

static const struct http_route lies[] = {
    {.path = "/add-checkpoint", .methods = HTTP_POST, .handle = lie, .max_body = 1 << 20},
    {.path = "/*", .methods = HTTP_GET, .handle = not_seen},
};

static void test_liars(void **state) {
    (void)state;
    for (int kind = 0; kind < LIES; kind++) {
        struct peers x;
        struct daemon *d;
        char dir[100];
        struct liar l = {.x = &x, .lie = (enum lie)kind};
        begin(&x, dir);
        peers_witness(&x, 0, NULL, 0, NULL);
        peers_witness(&x, 1, lies, 2, &l);
        peers_witness(&x, 2, NULL, 0, NULL);
        start(&x, dir, NULL, &d);
        peers_add(&x, d, 4);
        wait_cosigned(&x, scratch_path(dir, "public/checkpoint"), 5, 2);
        peers_add(&x, d, 4);
        wait_cosigned(&x, scratch_path(dir, "public/checkpoint"), 9, 2);
        wait_for(scratch_path(dir, "public/head.json"), "\"witnessed\":9,");
        assert_true(l.asked > 0);
        assert_false(daemon_failed(d));
        daemon_stop(d);
        assert_int_equal(cosigned(&x, scratch_path(dir, "public/checkpoint"), 9), 2);
        http_server_stop(x.w[1].server, 100);
        peers_witness_rest(&x, 0);
        peers_witness_rest(&x, 2);
        peers_close(&x);
    }
}

/* --- copies and silence --- */

static void copy_file(const char *from, const char *to) {
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 26);
    must(file_read(from, b.max, &b, &f));
    scratch_write(to, b.p, b.n);
    buf_release(&b);
}

static void test_old_copy(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct daemon *d;
    char dir[100];
    begin(&x, dir);
    for (int i = 0; i < PEERS_WITNESSES; i++) peers_witness(&x, i, NULL, 0, NULL);
    copy_file(scratch_path(dir, "private/records.db"), scratch_path(x.root, "db"));
    copy_file(scratch_path(dir, "private/guard"), scratch_path(x.root, "guard"));
    start(&x, dir, NULL, &d);
    peers_add(&x, d, 9);
    wait_cosigned(&x, scratch_path(dir, "public/checkpoint"), 10, 3);
    daemon_stop(d);
    assert_true(file_exists(scratch_path(dir, "public/witnessed/index")));
    (void)unlink(scratch_path(dir, "private/records.db-wal"));
    (void)unlink(scratch_path(dir, "private/records.db-shm"));
    copy_file(scratch_path(x.root, "db"), scratch_path(dir, "private/records.db"));
    struct daemon_options o = peers_options(&x, dir);
    refuses(E_ROLLBACK, daemon_start(&o, &d, &f)); /* by the guard */
    copy_file(scratch_path(x.root, "guard"), scratch_path(dir, "private/guard"));
    refuses(E_ROLLBACK, daemon_start(&o, &d, &f)); /* by what is published already */
    assert_int_equal(unlink(scratch_path(dir, "public/checkpoint")), 0);
    refuses(E_ROLLBACK, daemon_start(&o, &d, &f)); /* by the witnesses */
    assert_non_null(strstr(f.text, "witness"));
    o.unconfirmed = "all of them are wrong"; /* no reason is good enough against evidence */
    refuses(E_ROLLBACK, daemon_start(&o, &d, &f));
    for (int i = 0; i < PEERS_WITNESSES; i++) peers_witness_rest(&x, i);
    peers_close(&x);
}

static void test_nobody_there(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct daemon *d;
    struct buf note;
    char dir[100];
    begin(&x, dir);
    buf_init(&note, 65536);
    for (int i = 0; i < PEERS_WITNESSES; i++) { /* they have addresses, and nobody answers */
        peers_witness(&x, i, NULL, 0, NULL);
        peers_witness_rest(&x, i);
    }
    start(&x, dir, NULL, &d);
    peers_note(&x, &note);
    refuses(E_UNCONFIRMED, setup_submit(daemon_sequencer(d), buf_view(&note), NULL, &f));
    char url[100];
    struct http_client *c;
    struct http_answer a;
    must(http_client_new(NULL, &c, &f));
    snprintf(url, sizeof url, "http://127.0.0.1:%u/records", daemon_port(d));
    must(http_call(c, &(struct http_call){.method = "POST", .url = url, .body = buf_view(&note)}, &a,
                   &f));
    assert_int_equal(a.status, 503);
    assert_true(a.retry_after_s > 0);
    assert_non_null(strstr(buf_cstr(&a.body), "E_UNCONFIRMED"));
    http_answer_release(&a);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/healthz", daemon_port(d));
    must(http_call(c, &(struct http_call){.method = "GET", .url = url}, &a, &f));
    assert_int_equal(a.status, 503);
    assert_non_null(strstr(buf_cstr(&a.body), "\"sequencing\":false"));
    assert_non_null(strstr(buf_cstr(&a.body), "witnesses have not confirmed"));
    http_answer_release(&a);
    assert_int_equal(sequencer_size(daemon_sequencer(d)), 1);
    /* one is not enough; two are, and the daemon finds out by itself */
    peers_witness(&x, 0, NULL, 0, NULL);
    pause_ms(100);
    refuses(E_UNCONFIRMED, setup_submit(daemon_sequencer(d), buf_view(&note), NULL, &f));
    peers_witness(&x, 1, NULL, 0, NULL);
    uint64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (setup_submit(daemon_sequencer(d), buf_view(&note), NULL, &f) != OK) {
        assert_true(clock_monotonic_ms() < until);
        pause_ms(50);
    }
    must(http_call(c, &(struct http_call){.method = "GET", .url = url}, &a, &f));
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(buf_cstr(&a.body), "\"sequencing\":true"));
    http_answer_release(&a);
    http_client_free(c);
    wait_cosigned(&x, scratch_path(dir, "public/checkpoint"), 2, 2);
    daemon_stop(d);
    peers_witness_rest(&x, 0);
    peers_witness_rest(&x, 1);
    /* with a reason it signs alone */
    start(&x, dir, "the witnesses' network is down; decided by the commission", &d);
    peers_add(&x, d, 1);
    assert_int_equal(sequencer_size(daemon_sequencer(d)), 3);
    daemon_stop(d);
    buf_release(&note);
    peers_close(&x);
}

/* --- a server lost --- */

static void mirror_to(struct peers *x, struct daemon *d, const char *dir, uint64_t size) {
    struct fail f;
    struct fetch_http *http;
    struct mirror *m;
    struct mirror_report r;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", daemon_port(d));
    must(fetch_http_new(&(struct fetch_http_options){.base = url}, &http, &f));
    struct mirror_options o = {.dir = dir, .fetch = fetch_http(http), .log = x->log.key,
                               .manifest = &x->election};
    must(mirror_open(&o, &m, &f));
    uint64_t until = clock_monotonic_ms() + PATIENCE_MS;
    do {
        assert_true(clock_monotonic_ms() < until);
        must(mirror_update(m, &r, &f));
        pause_ms(20);
    } while (r.size < size || !r.quorum);
    assert_int_equal(r.witnesses, PEERS_WITNESSES);
    assert_true(r.cosigned >= PEERS_QUORUM);
    mirror_close(m);
    fetch_http_free(http);
}

static void test_rebuild(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct daemon *d;
    char dir[100], copy[100], again[100];
    uint64_t size;
    struct hash root, root_again;
    begin(&x, dir);
    snprintf(copy, sizeof copy, "%s/copy", x.root);
    snprintf(again, sizeof again, "%s/again", x.root);
    for (int i = 0; i < PEERS_WITNESSES; i++) peers_witness(&x, i, NULL, 0, NULL);
    start(&x, dir, NULL, &d);
    peers_add(&x, d, 2599); /* more than one batch of the rebuild */
    mirror_to(&x, d, copy, 2600);
    daemon_stop(d);
    assert_int_equal(peers_size_of(scratch_path(copy, "checkpoint"), &x.log, &root), 2600);
    struct rebuild_options o = {.dir = again, .mirror = copy, .log = &x.log};
    must(rebuild_from_mirror(&o, &size, &f));
    assert_int_equal(size, 2600);
    refuses(E_EXISTS, rebuild_from_mirror(&o, &size, &f));
    start(&x, again, NULL, &d);
    struct hash now = merkle_tree_root(sequencer_tree(daemon_sequencer(d)));
    assert_true(hash_eq(&now, &root));
    peers_add(&x, d, 10);
    wait_cosigned(&x, scratch_path(again, "public/checkpoint"), 2610, 3);
    mirror_to(&x, d, copy, 2610); /* the same log: no fork */
    daemon_stop(d);
    (void)peers_size_of(scratch_path(copy, "checkpoint"), &x.log, &root);
    (void)peers_size_of(scratch_path(again, "public/checkpoint"), &x.log, &root_again);
    assert_true(hash_eq(&root, &root_again));
    assert_true(file_exists(scratch_path(again, "public/witnessed/2600")));
    /* a copy that is too old: the witnesses know better */
    char old[100];
    snprintf(old, sizeof old, "%s/old", x.root);
    o = (struct rebuild_options){.dir = old, .mirror = scratch_path(dir, "public"), .log = &x.log};
    must(rebuild_from_mirror(&o, &size, &f));
    struct daemon_options od = peers_options(&x, old);
    refuses(E_ROLLBACK, daemon_start(&od, &d, &f));
    /* damaged copies make nothing that anybody would start */
    static const char *const names[] = {"tile/entries/003", "tile/0/005", "tile/1/000.p/10", "checkpoint"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct daemon_options bad = peers_options(&x, scratch_path(x.root, i % 2 ? "bad1" : "bad0"));
        scratch_remove(bad.dir);
        scratch_flip(scratch_path(copy, names[i]), 70);
        o = (struct rebuild_options){.dir = bad.dir, .mirror = copy, .log = &x.log};
        err e = rebuild_from_mirror(&o, &size, &f);
        if (i == 3 ? e == OK : e != E_TILE) /* a checkpoint can break in many ways */
            fail_msg("%s: %s: %s", names[i], err_info(e)->name, f.text);
        scratch_flip(scratch_path(copy, names[i]), 70);
        if (file_exists(scratch_path(bad.dir, "private/records.db")) && size)
            refuses(E_ROLLBACK, daemon_start(&bad, &d, &f));
    }
    for (int i = 0; i < PEERS_WITNESSES; i++) peers_witness_rest(&x, i);
    peers_close(&x);
}

int main(void) {
    diag_level_set(DIAG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quorum),       cmocka_unit_test(test_liars),
        cmocka_unit_test(test_old_copy),     cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_rebuild),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
