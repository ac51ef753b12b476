/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A whole daemon in a scratch folder, on the fixture's election: its log is stored beforehand, so that
 * starting it takes no submissions. Tests copy one folder and break the copy. */
#ifndef TESTS_DAEMON_FIXTURE_H
#define TESTS_DAEMON_FIXTURE_H

#include "http_test.h"
#include "scratch.h"

#include "base/diag.h"
#include "base/text.h"
#include "election_fixture.h"
#include "http/daemon.h"
#include "service/verify.h"
#include "store/guard.h"
#include "store/objects.h"
#include "store/sqlite.h"

#define SITE_ORIGIN "example.org/test-election"

static inline void site_copy(const char *from, const char *to) {
    char command[1200];
    snprintf(command, sizeof command, "mkdir -p '%s' && cp -a '%s/.' '%s/'", to, from, to);
    if (system(command) != 0) fail_msg("cannot copy %s", from);
}

/* Stores the fixture's entries, as they are, in DIR/private, with a guard that knows the last size. */
static inline void site_store(struct fixture *x, const char *dir) {
    struct fail f;
    struct store *store;
    struct guard *guard;
    struct objects *objects;
    struct merkle_frontier tree = {0};
    struct span *spans = calloc(x->entry_count + x->object_count, sizeof *spans);
    struct buf body;
    uint64_t term;
    const char *private_dir = scratch_path(dir, "private"), *public_dir = scratch_path(dir, "public");
    must(file_mkdirs(private_dir, &f));
    must(file_mkdirs(public_dir, &f));
    for (size_t i = 0; i < x->entry_count; i++) {
        spans[i] = buf_view(&x->entries[i].bytes);
        struct hash leaf = merkle_leaf(spans[i]);
        merkle_frontier_append(&tree, &leaf);
    }
    struct hash root = merkle_frontier_root(&tree);
    buf_init(&body, STORE_BODY_MAX);
    must(checkpoint_format(SPAN_LIT(SITE_ORIGIN), x->entry_count, &root, (struct span){0}, &body, &f));
    must(sqlite_store_open(private_dir, &(struct sqlite_options){.create = true}, &store, &f));
    must(store_take_term(store, &term, &f));
    must(store_append(store,
                      &(struct store_batch){.term = term, .entries = spans, .count = x->entry_count,
                                            .root = root, .body = buf_view(&body)},
                      &f));
    store_close(store);
    must(guard_create(scratch_path(dir, "private/guard"), SITE_ORIGIN, &f));
    must(guard_open(scratch_path(dir, "private/guard"), SITE_ORIGIN, &guard, &f));
    must(guard_advance(guard, x->entry_count, &root, &f));
    guard_close(guard);
    for (size_t i = 0; i < x->object_count; i++) spans[i] = buf_view(&x->objects[i].bytes);
    must(objects_open(&(struct objects_options){.public_dir = public_dir, .private_dir = private_dir,
                                                .max_object = 1 << 20, .max_pending_per_key = 1 << 20,
                                                .max_pending = 1 << 20, .max_pending_count = 1000},
                      &objects, &f));
    for (int class = OBJECT_PUBLIC; class <= OBJECT_RESTRICTED; class++)
        must(objects_add_many(objects, (enum object_class)class, spans, x->object_count, NULL, &f));
    objects_close(objects);
    free(spans);
    buf_release(&body);
}

struct site {
    char dir[64];
    struct fixture *x; /* borrowed */
    struct daemon_options o;
    struct daemon *d;
};

static const char *const site_exempt[] = {"127.0.0.0/8"};

/* A copy of the folder `from`; not started. */
static inline struct site site_new(struct fixture *x, const char *from) {
    struct site s = {.x = x};
    scratch_make(s.dir);
    if (from) site_copy(from, s.dir);
    return s;
}

static inline err site_try_start(struct site *s, struct fail *f) {
    s->o.dir = s->dir;
    s->o.log = &fx_key(s->x, SITE_ORIGIN)->signer;
    s->o.interval_ms = 20;
    if (!s->o.key_per_second) s->o.key_per_second = s->o.key_burst = 100000;
    s->o.threads = 2;
    s->o.exempt = site_exempt;
    s->o.exempt_count = 1;
    s->d = NULL;
    diag_level_set(DIAG_ERROR);
    return daemon_start(&s->o, &s->d, f);
}

static inline void site_start(struct site *s) {
    struct fail f;
    must(site_try_start(s, &f));
}

static inline void site_stop(struct site *s) {
    daemon_stop(s->d);
    s->d = NULL;
}

static inline void site_end(struct site *s) {
    site_stop(s);
    scratch_remove(s->dir);
}

/* A request with a body; `head` is the request line and further header lines, each with CRLF. */
static inline int site_request(struct site *s, const char *head, struct span body, struct reply *r) {
    int fd = dial(daemon_port(s->d));
    char length[64];
    snprintf(length, sizeof length, "Host: a\r\nContent-Length: %zu\r\n\r\n", body.n);
    (void)(say(fd, head) && say(fd, length) && say_bytes(fd, body.p, body.n));
    int status = hear_reply(fd, NULL, false, r) ? r->status : 0;
    close(fd);
    return status;
}

static inline int site_post(struct site *s, struct span note, struct reply *r) {
    return site_request(s, "POST /records HTTP/1.1\r\n", note, r);
}

/* The answer refuses with this code: its status, its name, a sentence. */
static inline void site_is(struct reply *r, err code, const char *what) {
    char want[64], got[600];
    snprintf(want, sizeof want, "{\"code\":\"%s\",\"sentence\":\"", err_info(code)->name);
    snprintf(got, sizeof got, "%.*s", SPAN_ARG(r->body));
    if (r->status != err_info(code)->http || strncmp(got, want, strlen(want)) != 0)
        fail_msg("%s: wanted %d %s, got %d %s", what, err_info(code)->http, err_info(code)->name,
                 r->status, got);
    size_t words = strlen(got + strlen(want));
    if (words < 15) fail_msg("%s: no sentence in %s", what, got);
    if (code == E_BUSY || code == E_RATE || code == E_CLOCK)
        assert_non_null(reply_header(r, "Retry-After"));
    reply_free(r);
}

/* Signs and sends a pattern of election_fixture.h; the index of its entry. *created tells 201 apart. */
static inline void site_note(struct site *s, const char *signers, const char *pattern,
                             struct buf *note) {
    struct buf text;
    buf_init(&text, 1 << 20);
    fx_expand(s->x, pattern, &text);
    fx_sign(s->x, signers, buf_view(&text), note);
    buf_release(&text);
}

static inline uint64_t site_index(struct reply *r) {
    uint64_t index = 0;
    assert_memory_equal(r->body.p, "hesabu/receipt/v1 ", 18);
    for (size_t i = 18; char_is_digit(r->body.p[i]); i++) index = index * 10 + r->body.p[i] - '0';
    return index;
}

static inline uint64_t site_accepts_note(struct site *s, struct span note, int want) {
    struct reply r;
    int status = site_post(s, note, &r);
    if (status != want) fail_msg("wanted %d, got %d %.*s", want, status, SPAN_ARG(r.body));
    uint64_t index = site_index(&r);
    reply_free(&r);
    return index;
}

static inline uint64_t site_accepts(struct site *s, const char *signers, const char *pattern) {
    struct buf note;
    buf_init(&note, 1 << 20);
    site_note(s, signers, pattern, &note);
    uint64_t index = site_accepts_note(s, buf_view(&note), 201);
    buf_release(&note);
    return index;
}

static inline void site_refuses_note(struct site *s, err code, struct span note, const char *what) {
    struct reply r;
    if (!site_post(s, note, &r)) fail_msg("%s: no answer", what);
    site_is(&r, code, what);
}

static inline void site_refuses(struct site *s, err code, const char *signers, const char *pattern) {
    struct buf note;
    buf_init(&note, 1 << 20);
    site_note(s, signers, pattern, &note);
    site_refuses_note(s, code, buf_view(&note), pattern);
    buf_release(&note);
}

/* "station-event" of a station at a time that nobody else uses. */
static inline const char *site_event(const char *station, unsigned at) {
    static char text[4][300];
    static unsigned turn;
    char *p = text[turn++ % 4];
    snprintf(p, 300,
             "station-event {'at_ms':%u,'election':'${e}','event':'opened','station':'%s'}", at,
             station);
    return p;
}

/* ---- looking at what it left ---- */

/* What verify says of the published tree. */
static inline struct verify_report *site_judged(const struct site *s) {
    struct fail f;
    struct verify_report *r = calloc(1, sizeof *r);
    struct tree_source tree = tree_source_dir(scratch_path(s->dir, "public"));
    must(verify_tree(&tree, &(struct verify_options){.threads = 1}, r, &f));
    return r;
}

static inline void site_is_valid(const struct site *s) {
    struct verify_report *r = site_judged(s);
    if (r->verdict != VERDICT_VALID || !r->results_compared)
        fail_msg("verify: %s %s %s", err_info(r->code)->name, r->sentence, r->results_note);
    free(r);
}

/* An entry as the stopped daemon stored it; false past the end. */
static inline bool site_stored(const struct site *s, uint64_t index, struct buf *out) {
    struct fail f;
    struct store_reader *r;
    struct store_head h;
    must(sqlite_reader_open(scratch_path(s->dir, "private"), &r, &f));
    must(store_reader_head(r, &h, &f));
    if (index < h.size) must(store_entry(r, index, out, &f));
    store_reader_close(r);
    return index < h.size;
}

static inline uint64_t site_size(const struct site *s) {
    struct fail f;
    struct store_reader *r;
    struct store_head h;
    must(sqlite_reader_open(scratch_path(s->dir, "private"), &r, &f));
    must(store_reader_head(r, &h, &f));
    store_reader_close(r);
    return h.size;
}

static inline void site_await_published(struct site *s) {
    struct fail f;
    uint64_t size = 0;
    struct buf b;
    buf_init(&b, CHECKPOINT_BYTES_MAX);
    for (int i = 0; size < sequencer_size(daemon_sequencer(s->d)); i++) {
        if (i > PATIENCE_MS / 5) fail_msg("nothing is published");
        pause_ms(5);
        buf_clear(&b);
        must(publisher_checkpoint(daemon_publisher(s->d), &size, &b, &f));
    }
    buf_release(&b);
}

#endif
