/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A witness over real sockets: each status with its content type, several logs, restarts, kill -9 at
 * each step of a write. */
#include <signal.h>
#include <sys/wait.h>
#include "base/rng.h"
#include "http/client.h"
#include "http/witness_routes.h"
#include "http_test.h"
#include "scratch.h"

enum { LEAVES = 400, KILLS = 30 };

static struct note_signer log_key, wrong_key, second_key, witness_key;
static struct merkle_tree *tree, *fork_tree;

struct site {
    char dir[64], url[64];
    struct witness *w;
    struct http_server *s;
    struct http_client *c;
};

static int setup(void **state) {
    (void)state;
    struct fail f;
    uint8_t seed[32] = {11};
    must(note_signer_make(SPAN_LIT("log.example"), NOTE_TYPE_ED25519, seed, &log_key, &f));
    seed[0]++;
    must(note_signer_make(SPAN_LIT("log.example"), NOTE_TYPE_ED25519, seed, &wrong_key, &f));
    seed[0]++;
    must(note_signer_make(SPAN_LIT("second.example"), NOTE_TYPE_ED25519, seed, &second_key, &f));
    seed[0]++;
    must(note_signer_make(SPAN_LIT("w.example"), NOTE_TYPE_COSIGNATURE, seed, &witness_key, &f));
    must(merkle_tree_new(LEAVES, &tree, &f));
    must(merkle_tree_new(LEAVES, &fork_tree, &f));
    for (uint32_t i = 0; i < LEAVES; i++) {
        struct hash leaf = merkle_leaf(span_of(&i, sizeof i));
        must(merkle_tree_append(tree, &leaf, &f));
        if (i == 5) leaf.b[0] ^= 1;
        must(merkle_tree_append(fork_tree, &leaf, &f));
    }
    return 0;
}

static int teardown(void **state) {
    (void)state;
    merkle_tree_free(tree);
    merkle_tree_free(fork_tree);
    return 0;
}

static err open_witness(const char *dir, struct witness **w, struct fail *f) {
    struct note_key logs[2] = {log_key.key, second_key.key};
    struct witness_options o = {dir, &witness_key, logs, 2};
    return witness_open(&o, w, f);
}

static void site_serve(struct site *x) {
    struct fail f;
    must(open_witness(x->dir, &x->w, &f));
    must(http_server_start(&(struct http_options){.threads = 2}, witness_routes,
                           witness_route_count, x->w, &x->s, &f));
    snprintf(x->url, sizeof x->url, "http://127.0.0.1:%u", http_server_port(x->s));
    must(http_client_new(NULL, &x->c, &f));
}

static void site_rest(struct site *x) {
    http_client_free(x->c);
    http_server_stop(x->s, 2000);
    witness_close(x->w);
}

/* A request's body: `old`, then the proof from `proved` to `size` in t, then t's checkpoint. */
static void make_request(const struct note_signer *key, const struct merkle_tree *t, uint64_t size,
                         uint64_t proved, uint64_t old, struct buf *out) {
    struct fail f;
    struct hash root, proof[MERKLE_PROOF_MAX];
    size_t n = 0;
    struct buf note;
    buf_init(&note, CHECKPOINT_BYTES_MAX);
    must(merkle_tree_root_at(t, size, &root, &f));
    if (proved && proved <= size) must(merkle_tree_consistency(t, proved, size, proof, &n, &f));
    must(checkpoint_sign(key, size, &root, &note, &f));
    buf_clear(out);
    must(witness_request_format(old, proof, n, buf_view(&note), out, &f));
    buf_release(&note);
}

static int post(struct site *x, struct span body, struct http_answer *a) {
    struct fail f;
    char url[128];
    snprintf(url, sizeof url, "%s/add-checkpoint", x->url);
    must(http_call(x->c, &(struct http_call){.method = "POST", .url = url, .body = body}, a, &f));
    return a->status;
}

static int get(struct site *x, const char *path, struct http_answer *a) {
    struct fail f;
    char url[256];
    snprintf(url, sizeof url, "%s%s", x->url, path);
    must(http_call(x->c, &(struct http_call){.method = "GET", .url = url}, a, &f));
    return a->status;
}

static void answers(struct site *x, struct span body, int status, const char *type,
                    const char *words) {
    struct http_answer a;
    int got = post(x, body, &a);
    if (got != status)
        fail_msg("%d instead of %d: %.*s", got, status, SPAN_ARG(buf_view(&a.body)));
    assert_string_equal(a.type, type);
    if (words && !strstr(buf_cstr(&a.body), words))
        fail_msg("\"%s\" is not in \"%s\"", words, buf_cstr(&a.body));
    http_answer_release(&a);
}

#define PLAIN "text/plain; charset=utf-8"

static void ask_for(struct site *x, const struct note_signer *key, const struct merkle_tree *t,
                    uint64_t size, uint64_t proved, uint64_t old, int status, const char *words) {
    struct buf b;
    buf_init(&b, WITNESS_REQUEST_MAX);
    make_request(key, t, size, proved, old, &b);
    answers(x, buf_view(&b), status, status == 409 ? "text/x.tlog.size" : PLAIN, words);
    buf_release(&b);
}

static const char *latest_path(const char *origin) {
    static char path[100];
    struct hash id = checkpoint_origin_id(span_text(origin));
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&id, hex);
    snprintf(path, sizeof path, "/%s/checkpoint", hex);
    return path;
}

/* What the witness says it has cosigned last, verified; 0 when it says 404. */
static uint64_t latest(struct site *x, const struct note_signer *log, uint64_t *time_s) {
    struct fail f;
    struct http_answer a;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    struct checkpoint c = {0};
    char origin[100];
    snprintf(origin, sizeof origin, "%.*s", SPAN_ARG(log->key.name));
    int status = get(x, latest_path(origin), &a);
    assert_string_equal(a.type, PLAIN);
    if (status == 200) {
        struct cosignature own;
        must(checkpoint_open(buf_view(&a.body), &log->key, &c, &note, lines, NOTE_LINES_MAX, &f));
        must(cosignatures_collect(c.body, lines, note.count, &witness_key.key, 1, &own, &f));
        assert_true(own.present && own.time_s > 0);
        if (time_s) *time_s = own.time_s;
    } else {
        assert_int_equal(status, 404);
    }
    uint64_t size = c.size;
    http_answer_release(&a);
    return size;
}

static void test_statuses(void **state) {
    (void)state;
    struct site x = {0};
    struct http_answer a;
    scratch_make(x.dir);
    site_serve(&x);
    assert_int_equal(latest(&x, &log_key, NULL), 0);
    /* 400: malformed, and old > size */
    answers(&x, SPAN_LIT("hello\n"), 400, PLAIN, NULL);
    answers(&x, SPAN_LIT("old 01\n\nx\n"), 400, PLAIN, NULL);
    answers(&x, SPAN_LIT("old 0\n\nlog.example\n1\nAAAA\n\n\xe2\x80\x94 a b\n"), 400, PLAIN, NULL);
    ask_for(&x, &log_key, tree, 5, 0, 6, 400, "old size");
    /* 403, 404 */
    ask_for(&x, &wrong_key, tree, 5, 0, 0, 403, NULL);
    struct note_signer stranger = log_key;
    struct fail f;
    uint8_t seed[32] = {90};
    must(note_signer_make(SPAN_LIT("nobody.example"), NOTE_TYPE_ED25519, seed, &stranger, &f));
    ask_for(&x, &stranger, tree, 5, 0, 0, 404, "unknown log");
    /* 200 from nothing; 409 with the stored size; 422 */
    ask_for(&x, &log_key, tree, 7, 0, 0, 200, "\xe2\x80\x94 w.example ");
    assert_int_equal(latest(&x, &log_key, NULL), 7);
    ask_for(&x, &log_key, tree, 9, 3, 3, 409, "7\n");
    ask_for(&x, &log_key, tree, 9, 0, 0, 409, "7\n");
    ask_for(&x, &log_key, tree, 9, 0, 7, 422, "consistency proof");
    ask_for(&x, &log_key, fork_tree, 9, 7, 7, 422, "consistency proof");
    ask_for(&x, &log_key, fork_tree, 7, 0, 7, 422, "forked");
    ask_for(&x, &log_key, tree, 7, 0, 7, 200, NULL); /* the same again */
    ask_for(&x, &log_key, tree, LEAVES, 7, 7, 200, NULL);
    ask_for(&x, &log_key, tree, 9, 3, 3, 409, "400\n"); /* never back */
    /* proofs where there must be none */
    ask_for(&x, &second_key, tree, 9, 3, 0, 422, "must be empty");
    struct buf b;
    buf_init(&b, WITNESS_REQUEST_MAX);
    buf_str(&b, "old 0\n\nsecond.example\n0\n" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
    struct span body = span_from(buf_view(&b), 7);
    struct buf signed_body;
    buf_init(&signed_body, WITNESS_REQUEST_MAX);
    buf_str(&signed_body, "old 0\n\n");
    const struct note_signer *signer = &second_key;
    must(note_sign(&signer, 1, body, &signed_body, &f));
    answers(&x, buf_view(&signed_body), 422, PLAIN, "hash of nothing");
    buf_release(&b);
    buf_release(&signed_body);
    /* each log for itself */
    assert_int_equal(latest(&x, &second_key, NULL), 0);
    ask_for(&x, &second_key, fork_tree, 3, 0, 0, 200, NULL);
    assert_int_equal(latest(&x, &second_key, NULL), 3);
    assert_int_equal(latest(&x, &log_key, NULL), LEAVES);
    /* the rest of the surface */
    assert_int_equal(get(&x, "/add-checkpoint", &a), 405);
    http_answer_release(&a);
    assert_int_equal(get(&x, "/nothing", &a), 404);
    http_answer_release(&a);
    assert_int_equal(get(&x, latest_path("unknown.example"), &a), 404);
    http_answer_release(&a);
    assert_int_equal(get(&x, "/healthz", &a), 200);
    assert_non_null(strstr(buf_cstr(&a.body), "\"origin\":\"log.example\",\"size\":400,"));
    http_answer_release(&a);
    buf_init(&b, 1 << 20);
    while (b.n <= WITNESS_REQUEST_MAX) buf_str(&b, "old 0\n");
    assert_int_equal(post(&x, buf_view(&b), &a), 413);
    http_answer_release(&a);
    buf_release(&b);
    site_rest(&x);
    scratch_remove(x.dir);
}

/* The nine requests of litewitness's script, over HTTP. It answers 403 to an unknown log where the
 * published text says 404; ours follows the text. */
static void test_litewitness(void **state) {
    (void)state;
    if (!shared_dir()) skip();
    static const char origin[] =
        "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562";
    struct fail f;
    struct site x = {0};
    struct buf b;
    struct ed25519_public public;
    struct note_key key;
    char path[PATH_MAX_LEN + 64];
    int done = 0, ok = 0;
    scratch_make(x.dir);
    must(hex_decode(SPAN_LIT("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f"),
                    public.b, sizeof public.b, &f));
    must(note_key_make(SPAN_LIT(origin), NOTE_TYPE_ED25519, &public, &key, &f));
    must(witness_open(&(struct witness_options){x.dir, &witness_key, &key, 1}, &x.w, &f));
    must(http_server_start(&(struct http_options){.threads = 1}, witness_routes,
                           witness_route_count, x.w, &x.s, &f));
    snprintf(x.url, sizeof x.url, "http://127.0.0.1:%u", http_server_port(x.s));
    must(http_client_new(NULL, &x.c, &f));
    buf_init(&b, 1 << 16);
    snprintf(path, sizeof path, "%s/vectors/witness/litewitness.txt", shared_dir());
    must(file_read(path, b.max, &b, &f));
    char *at = (char *)(uintptr_t)buf_cstr(&b);
    while ((at = strstr(at, "```\n")) != NULL) {
        struct http_answer a;
        at += 4;
        char *end = strstr(at, "```\nHTTP ");
        assert_non_null(end);
        int theirs = atoi(end + 9);
        int ours = post(&x, span_of(at, (size_t)(end - at)), &a);
        if (done == 2) assert_int_equal(theirs, 403);
        assert_int_equal(ours, done == 2 ? 404 : theirs);
        ok += ours == 200;
        http_answer_release(&a);
        done++;
        at = end + 9;
    }
    assert_int_equal(done, 9);
    assert_int_equal(ok, 3);
    struct witness_status s;
    witness_status_of(x.w, 0, &s);
    assert_int_equal(s.size, 5);
    buf_release(&b);
    site_rest(&x);
    scratch_remove(x.dir);
}

/* A restart forgets nothing; a clock that goes back does not take the cosignatures' times along. */
static void test_restart_and_clock(void **state) {
    (void)state;
    struct site x = {0};
    uint64_t first = 0, second = 0, third = 0;
    scratch_make(x.dir);
    site_serve(&x);
    ask_for(&x, &log_key, tree, 100, 0, 0, 200, NULL);
    assert_int_equal(latest(&x, &log_key, &first), 100);
    site_rest(&x);
    clock_wall_shift(-3600 * 1000);
    site_serve(&x);
    assert_int_equal(latest(&x, &log_key, NULL), 100);
    ask_for(&x, &log_key, fork_tree, 101, 100, 100, 422, NULL);
    ask_for(&x, &log_key, tree, 101, 100, 100, 200, NULL);
    assert_int_equal(latest(&x, &log_key, &second), 101);
    assert_true(second >= first);
    clock_wall_shift(0);
    clock_wall_shift(-(int64_t)clock_wall_ms()); /* 1970: never the time 0 */
    ask_for(&x, &second_key, tree, 1, 0, 0, 200, NULL);
    assert_int_equal(latest(&x, &second_key, &third), 1);
    assert_true(third >= 1 && third < first);
    clock_wall_shift(0);
    site_rest(&x);
    scratch_remove(x.dir);
}

static const char *state_file(const char *dir) {
    struct hash id = checkpoint_origin_id(SPAN_LIT("log.example"));
    char hex[HASH_HEX_LEN + 1];
    hash_hex(&id, hex);
    return scratch_path(dir, hex);
}

static void test_refusals(void **state) {
    (void)state;
    struct fail f;
    struct site x = {0};
    struct witness *w;
    scratch_make(x.dir);
    site_serve(&x);
    ask_for(&x, &log_key, tree, 100, 0, 0, 200, NULL);
    refuses(E_LOCKED, open_witness(x.dir, &w, &f)); /* two witnesses on one folder */
    /* a disk that fails: nothing is answered 200 from then on, and nothing was signed */
    struct scratch_fault full = {.op = "fsync", .where = x.dir, .from = 1, .errnum = ENOSPC};
    scratch_faults(&full);
    ask_for(&x, &log_key, tree, 101, 100, 100, 500, NULL);
    scratch_faults(NULL);
    ask_for(&x, &log_key, tree, 101, 100, 100, 500, NULL);
    assert_int_equal(latest(&x, &log_key, NULL), 100);
    ask_for(&x, &second_key, tree, 5, 0, 0, 200, NULL); /* another log is not concerned */
    site_rest(&x);
    /* each flipped bit of a state file is noticed */
    uint64_t size;
    must(file_size(state_file(x.dir), &size, &f));
    for (uint64_t i = 0; i < size; i++) {
        scratch_flip(state_file(x.dir), (long)i);
        refuses(E_DAMAGED, open_witness(x.dir, &w, &f));
        scratch_flip(state_file(x.dir), (long)i);
    }
    must(open_witness(x.dir, &w, &f));
    witness_close(w);
    /* keys and lists that make no sense */
    struct note_key twice[2] = {log_key.key, wrong_key.key};
    refuses(E_CONFIG, witness_open(&(struct witness_options){x.dir, &witness_key, twice, 2}, &w, &f));
    refuses(E_CONFIG, witness_open(&(struct witness_options){x.dir, &witness_key, twice, 0}, &w, &f));
    refuses(E_VKEY, witness_open(&(struct witness_options){x.dir, &log_key, twice, 1}, &w, &f));
    refuses(E_VKEY,
            witness_open(&(struct witness_options){x.dir, &witness_key, &witness_key.key, 1}, &w, &f));
    scratch_remove(x.dir);
}

/* --- kill -9 --- */

static int die_before(void *ctx, const char *op, const char *path) {
    int *left = ctx;
    (void)op;
    (void)path;
    if ((*left)-- == 0) (void)kill(getpid(), SIGKILL);
    return 0;
}

/* A process that answers one request and is killed before its `at`th disk operation, or, after all of
 * them, between the write and the reply (at = -1), or not at all (at = 99). The reply, if one came. */
static bool answer_and_die(const char *dir, struct span request, int at, struct buf *reply) {
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct witness *w;
        struct fail f;
        struct witness_reply r;
        int left = at;
        if (open_witness(dir, &w, &f) != OK) _exit(3);
        if (at >= 0) file_faults_set(&(struct file_faults){die_before, &left});
        witness_add_checkpoint(w, request, &r);
        if (at < 0) (void)kill(getpid(), SIGKILL);
        if (r.status != 200) _exit(2);
        if (write(ends[1], r.body.p, r.body.n) != (ssize_t)r.body.n) _exit(4);
        _exit(0);
    }
    close(ends[1]);
    buf_clear(reply);
    uint8_t part[4096];
    for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;) buf_add(reply, part, (size_t)n);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2);
    return reply->n > 0;
}

static void test_killed(void **state) {
    (void)state;
    struct fail f;
    struct rng rng;
    char dir[64];
    struct buf request, reply;
    uint64_t signed_size = 0; /* the largest that ever left the process */
    int killed = 0, replies = 0;
    rng_init(&rng, 7);
    scratch_make(dir);
    buf_init(&request, WITNESS_REQUEST_MAX);
    buf_init(&reply, WITNESS_ANSWER_MAX);
    /* begin beyond the fork, so that the two trees can never both be cosigned */
    make_request(&log_key, tree, 10, 0, 0, &request);
    assert_true(answer_and_die(dir, buf_view(&request), 99, &reply));
    signed_size = 10;
    while (killed < KILLS) {
        struct witness *w;
        struct witness_status s;
        must(open_witness(dir, &w, &f)); /* whatever was interrupted, it opens */
        witness_status_of(w, 0, &s);
        witness_close(w);
        assert_true(s.size >= signed_size); /* what was said is remembered */
        uint64_t size = s.size + 1 + rng_below(&rng, 3);
        bool lie = rng_below(&rng, 3) == 0;
        int at = (int)rng_below(&rng, 7) - 1;
        make_request(&log_key, lie ? fork_tree : tree, size, s.size, s.size, &request);
        bool replied = answer_and_die(dir, buf_view(&request), at, &reply);
        assert_false(replied && lie);
        killed += !replied && !lie;
        replies += replied;
        if (!replied) continue;
        struct buf line;
        uint64_t time_s;
        struct witness_request r;
        buf_init(&line, 4096);
        must(witness_request_parse(buf_view(&request), &r, &f));
        must(witness_answer_read(buf_view(&reply), &witness_key.key, r.checkpoint.body, &line,
                                 &time_s, &f));
        buf_release(&line);
        signed_size = size;
    }
    assert_true(replies > 0);
    buf_release(&request);
    buf_release(&reply);
    scratch_remove(dir);
}

/* --- many at once: compare-and-set --- */

struct racer {
    struct witness *w;
    const struct merkle_tree *tree;
    int ok;
};

static void *race(void *arg) {
    struct racer *r = arg;
    struct buf b;
    buf_init(&b, WITNESS_REQUEST_MAX);
    for (uint64_t size = 6; size < 30; size++) {
        struct witness_reply reply;
        struct witness_status s;
        witness_status_of(r->w, 0, &s);
        make_request(&log_key, r->tree, size, s.size <= size ? s.size : 0, s.size, &b);
        witness_add_checkpoint(r->w, buf_view(&b), &reply);
        r->ok += reply.status == 200;
        buf_release(&reply.body);
    }
    buf_release(&b);
    return NULL;
}

/* Two logs with one key race; only one of them is ever cosigned. */
static void test_race(void **state) {
    (void)state;
    struct fail f;
    char dir[64];
    struct witness *w;
    scratch_make(dir);
    must(open_witness(dir, &w, &f));
    struct racer r[4] = {{w, tree, 0}, {w, fork_tree, 0}, {w, tree, 0}, {w, fork_tree, 0}};
    pthread_t t[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    assert_true((r[0].ok + r[2].ok == 0) != (r[1].ok + r[3].ok == 0));
    witness_close(w);
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses), cmocka_unit_test(test_litewitness),
        cmocka_unit_test(test_restart_and_clock), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_killed), cmocka_unit_test(test_race),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
