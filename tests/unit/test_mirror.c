/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A mirror of a running log, and of servers that lie, lose and damage things. */
#include <signal.h>
#include <sys/wait.h>
#include "base/diag.h"
#include "base/rng.h"
#include "election/record_check.h"
#include "http/static.h"
#include "peers_fixture.h"

enum { KILLS = 30 };

/* A plain file server over a folder: what a copy is served with. */
struct files {
    struct static_tree *tree;
    struct http_server *server;
    char url[64];
    int refuse; /* so many requests are answered 503 */
};

static const struct static_rule rules[] = {{.prefix = "", .suffix = "", .type = "text/x"}};

static struct http_response *on_file(struct http_request *r, void *ctx) {
    struct files *s = ctx;
    if (s->refuse > 0) {
        s->refuse--;
        return http_response_copy(503, "text/plain", SPAN_LIT("not now\n"));
    }
    return static_get(s->tree, http_path(r) + 1, NULL, clock_monotonic_ms());
}

static const struct http_route file_routes[] = {
    {.path = "/*", .methods = HTTP_GET, .handle = on_file}};

static void files_start(struct files *s, const char *dir) {
    struct fail f;
    memset(s, 0, sizeof *s);
    must(static_open(&(struct static_options){.dir = dir, .rules = rules, .rule_count = 1,
                                              .recheck_ms = 1},
                     &s->tree, &f));
    must(http_server_start(&(struct http_options){.threads = 2}, file_routes, 1, s, &s->server, &f));
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u/", http_server_port(s->server));
}

static void files_stop(struct files *s) {
    http_server_stop(s->server, 500);
    static_close(s->tree);
}

struct copy {
    struct fetch_http *http;
    struct mirror *m;
    struct mirror_report r;
};

static err copy_open_with(struct copy *c, const struct peers *x, const char *url, const char *dir,
                          struct mirror_options o, struct fail *f) {
    TRY(fetch_http_new(&(struct fetch_http_options){.base = url, .tries = 4, .pause_ms = 5},
                       &c->http, f));
    o.dir = dir;
    o.fetch = fetch_http(c->http);
    o.log = x->log.key;
    o.manifest = o.manifest ? o.manifest : &x->election;
    err e = mirror_open(&o, &c->m, f);
    if (e != OK) fetch_http_free(c->http);
    return e;
}

static void copy_close(struct copy *c) {
    mirror_close(c->m);
    fetch_http_free(c->http);
}

/* One update of a copy by a mirror that is opened for it. */
static err copy_once(struct copy *c, const struct peers *x, const char *url, const char *dir,
                     bool recheck, struct fail *f) {
    TRY(copy_open_with(c, x, url, dir, (struct mirror_options){.recheck = recheck}, f));
    err e = mirror_update(c->m, &c->r, f);
    copy_close(c);
    return e;
}

static void same_file(const char *a, const char *b, const char *name) {
    struct fail f;
    struct buf x, y;
    buf_init(&x, 1 << 24);
    buf_init(&y, 1 << 24);
    must(file_read(scratch_path(a, name), x.max, &x, &f));
    must(file_read(scratch_path(b, name), y.max, &y, &f));
    if (!span_eq(buf_view(&x), buf_view(&y))) fail_msg("%s differs", name);
    buf_release(&x);
    buf_release(&y);
}

static bool file_holds(const char *path, const char *text) {
    struct fail f;
    struct buf b;
    buf_init(&b, 1 << 24);
    must(file_read(path, b.max, &b, &f));
    bool holds = strstr(buf_cstr(&b), text) != NULL;
    buf_release(&b);
    return holds;
}

static const char *join(const char *a, const char *b) {
    return scratch_path(a, b);
}

/* A log of 1 + n entries in root/name. */
static void make_log(struct peers *x, const char *name, int n) {
    struct fail f;
    struct daemon *d;
    const char *dir = join(x->root, name);
    peers_begin(x, dir);
    struct daemon_options o = peers_options(x, dir);
    o.no_http = true;
    must(daemon_start(&o, &d, &f));
    peers_add(x, d, n);
    daemon_stop(d);
}

static void grow_log(struct peers *x, const char *name, int n) {
    struct fail f;
    struct daemon *d;
    const char *dir = join(x->root, name);
    struct daemon_options o = peers_options(x, dir);
    o.no_http = true;
    must(daemon_start(&o, &d, &f));
    peers_add(x, d, n);
    daemon_stop(d);
}

/* The files of keys lead to the record of each key that was granted, and to nothing else. */
static void every_key_is_named(const struct fold *s, const char *dir) {
    struct fail f;
    struct buf b;
    size_t granted = 0, lines = 0;
    uint64_t index;
    buf_init(&b, KEY_FILE_MAX);
    for (unsigned i = 0; i < KEY_FILES; i++) {
        char name[KEY_FILE_PATH_MAX];
        key_file_path((uint8_t)i, name);
        buf_clear(&b);
        must(file_read(scratch_path(dir, name), b.max, &b, &f));
        for (size_t k = 0; k < b.n; k++) lines += b.p[k] == '\n';
        for (size_t k = 0; k < fold_key_count(s); k++) {
            struct key_view v;
            fold_key_at(s, k, &v);
            bool here = key_file_of(v.name) == i && v.granted_at;
            assert_int_equal(key_file_find(buf_view(&b), v.name, &index), here);
            if (here) assert_int_equal(index, v.granted_at);
            granted += here;
        }
        assert_false(key_file_find(buf_view(&b), SPAN_LIT("no such key"), &index));
    }
    assert_true(granted > 100);
    assert_int_equal(lines, granted);
    struct span text = SPAN_LIT("7 a\n12 b/c\nx d\n 9 e\n99999999999999999999 f\n3  g\n4 h");
    assert_true(key_file_find(text, SPAN_LIT("b/c"), &index) && index == 12);
    const char *const none[] = {"", "b", "c", "d", "e", "f", "g", "12 b/c"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (key_file_find(text, span_text(none[i]), &index)) fail_msg("\"%s\" was found", none[i]);
    buf_release(&b);
}

static void test_copy_and_follow(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct daemon *d;
    struct copy c;
    char url[64], public[100], dir[100];
    peers_open(&x, false);
    snprintf(public, sizeof public, "%s/log/public", x.root);
    snprintf(dir, sizeof dir, "%s/copy", x.root);
    peers_begin(&x, join(x.root, "log"));
    struct daemon_options o = peers_options(&x, join(x.root, "log"));
    must(daemon_start(&o, &d, &f));
    snprintf(url, sizeof url, "http://127.0.0.1:%u", daemon_port(d));
    peers_add(&x, d, 299);
    char beside[100]; /* what its pages show that is not in the log */
    snprintf(beside, sizeof beside, "%s/beside", x.root);
    must(file_mkdirs(beside, &f));
    must(file_write_atomic(join(beside, "map.json"), SPAN_LIT("{\"hexes\":[]}\n"), &f));
    must(file_write_atomic(join(beside, "copies.csv"), SPAN_LIT("name,url\nA party,https://party.example/\n"), &f));
    must(copy_open_with(&c, &x, url, dir, (struct mirror_options){.portal_dir = beside}, &f));
    must(mirror_update(c.m, &c.r, &f));
    same_file(beside, dir, "map.json");
    assert_true(file_holds(join(dir, "about.html"), "https://party.example/"));
    assert_false(file_holds(join(public, "about.html"), "https://party.example/"));
    assert_int_equal(c.r.size, 300);
    assert_int_equal(c.r.added, 300);
    assert_int_equal(c.r.objects, 2);
    assert_int_equal(c.r.refused, 0);
    assert_false(c.r.results_differ);
    static const char *const names[] = {"tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1",
                                        "tile/entries/000", "tile/entries/001.p/44", "anchor",
                                        "log.vkey", "results/index.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) same_file(public, dir, names[i]);
    must(mirror_update(c.m, &c.r, &f)); /* nothing new */
    assert_int_equal(c.r.added, 0);
    for (int i = 1; i <= 2; i++) { /* the server's own cache may show an older checkpoint a while */
        peers_add(&x, d, 125);
        uint64_t until = clock_monotonic_ms() + PATIENCE_MS;
        while (mirror_size(c.m) < 300u + 125u * (unsigned)i) {
            assert_true(clock_monotonic_ms() < until);
            must(mirror_update(c.m, &c.r, &f));
            pause_ms(20);
        }
    }
    same_file(public, dir, "tile/0/001");
    every_key_is_named(mirror_fold(c.m), dir);
    for (unsigned i = 0; i < KEY_FILES; i++) { /* made bit by bit there, at once here */
        char name[KEY_FILE_PATH_MAX];
        key_file_path((uint8_t)i, name);
        same_file(public, dir, name);
    }
    assert_false(file_exists(join(dir, "tile/0/001.p/44"))); /* the full one is there */
    copy_close(&c);
    must(copy_open_with(&c, &x, url, dir, (struct mirror_options){0}, &f)); /* begins where it was */
    assert_int_equal(mirror_size(c.m), 550);
    must(mirror_update(c.m, &c.r, &f));
    assert_int_equal(c.r.added, 0);
    copy_close(&c);
    daemon_stop(d);
    /* another election's anchor */
    struct files s;
    struct hash other = sha256(SPAN_LIT("another"));
    files_start(&s, public);
    must(copy_open_with(&c, &x, s.url, join(x.root, "copy2"),
                        (struct mirror_options){.manifest = &other}, &f));
    refuses(E_ANCHOR, mirror_update(c.m, &c.r, &f));
    copy_close(&c);
    files_stop(&s);
    peers_close(&x);
}

/* The README of the evidence can be checked with nothing but the two checkpoints. */
static void check_evidence(const struct peers *x, const char *dir, const char *evidence) {
    struct fail f;
    struct buf b;
    char at[400];
    struct hash ours, theirs, root, proof[MERKLE_PROOF_MAX];
    size_t n = 0;
    bool has_root = false;
    snprintf(at, sizeof at, "%s/%s", dir, evidence);
    uint64_t a = peers_size_of(join(at, "ours.checkpoint"), &x->log, &ours);
    uint64_t z = peers_size_of(join(at, "theirs.checkpoint"), &x->log, &theirs);
    buf_init(&b, 1 << 16);
    must(file_read(join(at, "README.txt"), b.max, &b, &f));
    struct span rest = buf_view(&b), line;
    while (span_line(&rest, &line)) {
        if (span_starts(line, SPAN_LIT("root "))) {
            must(hash_from_base64(span_from(line, 5), &root, &f));
            has_root = true;
        }
        if (span_starts(line, SPAN_LIT("proof ")))
            must(hash_from_base64(span_from(line, 6), &proof[n++], &f));
    }
    buf_release(&b);
    if (a == z) {
        assert_false(hash_eq(&ours, &theirs));
        return;
    }
    assert_true(has_root);
    const struct hash *small = a < z ? &ours : &theirs, *large = a < z ? &theirs : &ours;
    assert_false(hash_eq(&root, small));
    must(merkle_verify_consistency(a < z ? a : z, a < z ? z : a, proof, n, &root, large, &f));
}

static void test_fork_and_rewind(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct copy c;
    struct files one, two, old;
    char dir[100];
    peers_open(&x, false);
    snprintf(dir, sizeof dir, "%s/copy", x.root);
    make_log(&x, "one", 300);
    make_log(&x, "two", 300); /* the same key, origin and manifest, other records */
    make_log(&x, "short", 20);
    files_start(&one, join(x.root, "one/public"));
    files_start(&two, join(x.root, "two/public"));
    files_start(&old, join(x.root, "short/public"));
    must(copy_once(&c, &x, one.url, dir, false, &f));
    assert_int_equal(c.r.size, 301);
    struct hash before, after;
    (void)peers_size_of(join(dir, "checkpoint"), &x.log, &before);
    /* the same size, a larger and a smaller one */
    refuses(E_FORK, copy_once(&c, &x, two.url, dir, false, &f));
    check_evidence(&x, dir, c.r.evidence);
    grow_log(&x, "two", 30);
    refuses(E_FORK, copy_once(&c, &x, two.url, dir, false, &f));
    check_evidence(&x, dir, c.r.evidence);
    refuses(E_FORK, copy_once(&c, &x, old.url, dir, false, &f));
    check_evidence(&x, dir, c.r.evidence);
    assert_int_equal(peers_size_of(join(dir, "checkpoint"), &x.log, &after), 301);
    assert_true(hash_eq(&before, &after));
    files_stop(&two);
    files_stop(&old);
    /* the log itself grows: fine; its older self: a rewind */
    grow_log(&x, "one", 10);
    must(copy_once(&c, &x, one.url, join(x.root, "older"), false, &f));
    grow_log(&x, "one", 10);
    must(copy_once(&c, &x, one.url, dir, false, &f));
    assert_int_equal(c.r.size, 321);
    files_start(&old, join(x.root, "older"));
    refuses(E_REWIND, copy_once(&c, &x, old.url, dir, false, &f));
    assert_true(c.r.evidence[0]);
    /* with patience it is a cache at first */
    must(copy_open_with(&c, &x, old.url, dir, (struct mirror_options){.patience_ms = 600000}, &f));
    must(mirror_update(c.m, &c.r, &f));
    assert_true(c.r.behind);
    assert_int_equal(c.r.size, 321);
    copy_close(&c);
    files_stop(&old);
    files_stop(&one);
    peers_close(&x);
}

static void flip_middle(const char *path) {
    struct fail f;
    uint64_t size;
    must(file_size(path, &size, &f));
    scratch_flip(path, (long)(size / 2));
}

/* One bit in each kind of file, at the server and in the copy. */
static void test_flips(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct copy c;
    struct files s;
    char public[100], dir[100], object[100], hex[HASH_HEX_LEN + 1];
    peers_open(&x, false);
    make_log(&x, "log", 299);
    snprintf(public, sizeof public, "%s/log/public", x.root);
    struct hash id = sha256(buf_view(&x.units));
    hash_hex(&id, hex);
    snprintf(object, sizeof object, "objects/%s", hex);
    const struct {
        const char *name;
        err want;
    } server[] = {{"checkpoint", E_SIGNATURE},       {"tile/0/000", E_TILE},
                  {"tile/0/001.p/44", E_TILE},       {"tile/1/000.p/1", E_TILE},
                  {"tile/entries/000", E_TILE},      {"tile/entries/001.p/44", E_TILE},
                  {object, E_OBJECT}};
    for (size_t i = 0; i < sizeof server / sizeof *server; i++) {
        snprintf(dir, sizeof dir, "%s/copy-%zu", x.root, i);
        flip_middle(join(public, server[i].name));
        files_start(&s, public);
        err e = copy_once(&c, &x, s.url, dir, false, &f);
        if (i == 0 ? e == OK : e != server[i].want)
            fail_msg("%s: %s: %s", server[i].name, err_info(e)->name, f.text);
        assert_false(file_exists(join(dir, "checkpoint")));
        files_stop(&s);
        flip_middle(join(public, server[i].name));
        files_start(&s, public); /* mended: the same copy goes on */
        must(copy_once(&c, &x, s.url, dir, false, &f));
        assert_int_equal(c.r.size, 300);
        files_stop(&s);
    }
    /* results are computed, not copied; a difference is said */
    flip_middle(join(public, "results/index.json"));
    files_start(&s, public);
    must(copy_once(&c, &x, s.url, join(x.root, "copy-r"), false, &f));
    assert_true(c.r.results_differ);
    files_stop(&s);
    flip_middle(join(public, "results/index.json"));
    same_file(public, join(x.root, "copy-r"), "results/index.json");
    /* in the copy: noticed at the next start or by a recheck, and repaired */
    files_start(&s, public);
    snprintf(dir, sizeof dir, "%s/copy-0", x.root);
    for (size_t i = 1; i < sizeof server / sizeof *server; i++) {
        flip_middle(join(dir, server[i].name));
        must(copy_once(&c, &x, s.url, dir, true, &f));
        same_file(public, dir, server[i].name);
        flip_middle(join(dir, server[i].name));
        must(copy_once(&c, &x, s.url, dir, false, &f));
        must(copy_once(&c, &x, s.url, dir, true, &f));
        same_file(public, dir, server[i].name);
    }
    flip_middle(join(dir, "checkpoint"));
    err e = copy_once(&c, &x, s.url, dir, false, &f);
    assert_true(e != OK);
    files_stop(&s);
    peers_close(&x);
}

static void test_missing_and_cut(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct copy c;
    struct files s;
    char public[100];
    peers_open(&x, false);
    make_log(&x, "log", 299);
    snprintf(public, sizeof public, "%s/log/public", x.root);
    /* a partial tile that is cut short */
    assert_int_equal(truncate(join(public, "tile/0/001.p/44"), 44 * 32 - 7), 0);
    files_start(&s, public);
    refuses(E_TILE, copy_once(&c, &x, s.url, join(x.root, "a"), false, &f));
    files_stop(&s);
    /* a server that is busy now and then */
    grow_log(&x, "log", 10);
    files_start(&s, public);
    s.refuse = 3;
    must(copy_once(&c, &x, s.url, join(x.root, "a"), false, &f));
    assert_int_equal(c.r.size, 310);
    s.refuse = 1000;
    refuses(E_NETWORK, copy_once(&c, &x, s.url, join(x.root, "a"), false, &f));
    files_stop(&s);
    /* full tiles in place of partial ones: an old checkpoint over a tree that has grown */
    struct buf old;
    buf_init(&old, CHECKPOINT_BYTES_MAX);
    must(file_read(join(public, "checkpoint"), old.max, &old, &f));
    grow_log(&x, "log", 250);
    assert_false(file_exists(join(public, "tile/0/001.p/54")));
    scratch_write(join(public, "checkpoint"), old.p, old.n);
    files_start(&s, public);
    must(copy_once(&c, &x, s.url, join(x.root, "b"), false, &f));
    assert_int_equal(c.r.size, 310);
    same_file(join(x.root, "a"), join(x.root, "b"), "tile/0/001.p/54");
    same_file(join(x.root, "a"), join(x.root, "b"), "tile/entries/001.p/54");
    files_stop(&s);
    buf_release(&old);
    /* nobody there */
    refuses(E_NETWORK, copy_once(&c, &x, "http://127.0.0.1:1/", join(x.root, "c"), false, &f));
    peers_close(&x);
}

static void test_killed(void **state) {
    (void)state;
    struct fail f;
    struct peers x;
    struct files s;
    struct rng rng;
    int killed = 0, whole = 0;
    char dir[100];
    rng_init(&rng, 3);
    peers_open(&x, false);
    make_log(&x, "log", 700);
    snprintf(dir, sizeof dir, "%s/copy", x.root);
    files_start(&s, join(x.root, "log/public"));
    while (killed < KILLS) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct copy c;
            if (copy_once(&c, &x, s.url, dir, false, &f) != OK) _exit(1);
            _exit(0);
        }
        struct timespec t = {0, (long)rng_below(&rng, 60) * 1000000};
        nanosleep(&t, NULL);
        kill(pid, SIGKILL);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            whole++;
            scratch_remove(dir); /* once more from the beginning */
        }
        killed += WIFSIGNALED(status);
    }
    struct copy c;
    must(copy_once(&c, &x, s.url, dir, false, &f));
    assert_int_equal(c.r.size, 701);
    must(copy_once(&c, &x, s.url, dir, true, &f));
    same_file(join(x.root, "log/public"), dir, "tile/entries/002.p/189");
    same_file(join(x.root, "log/public"), dir, "results/index.json");
    files_stop(&s);
    peers_close(&x);
}

int main(void) {
    diag_level_set(DIAG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_and_follow), cmocka_unit_test(test_fork_and_rewind),
        cmocka_unit_test(test_flips),           cmocka_unit_test(test_missing_and_cut),
        cmocka_unit_test(test_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
