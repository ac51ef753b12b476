/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The outbox against a server that is away, slow, cut off or lying, a disk that fails, and a process
 * that is killed at every point where it touches the disk or the network. */
#include "test.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/rng.h"
#include "scratch.h"
#include "outbox_log.h"

enum { STEPS_MAX = 60 };

struct bench {
    char dir[64];
    struct outbox *box;
    struct outbox_log *log;
    struct outbox_transport t;
    struct outbox_step_options so;
    size_t told[4]; /* changes by state */
};

static void count_changes(void *ctx, const struct outbox_item *item) {
    ((struct bench *)ctx)->told[item->state]++;
}

/* In memory where there is such a folder: a killed process loses nothing that a disk would not, and a
 * thousand syncs cost nothing. */
static void quick_scratch(char out[64]) {
    strcpy(out, "/dev/shm/hesabu-test-XXXXXX");
    if (!mkdtemp(out)) scratch_make(out);
}

static void bench_open(struct bench *b, bool alone) {
    struct fail f;
    struct buf anchor;
    *b = (struct bench){.log = log_new()};
    quick_scratch(b->dir);
    must(outbox_open(scratch_path(b->dir, "box"), &b->box, &f));
    buf_init(&anchor, 65536);
    log_anchor(b->log, alone, &anchor);
    must(outbox_pin(b->box, buf_view(&anchor), &f));
    buf_release(&anchor);
    b->t = (struct outbox_transport){log_call, b->log};
    b->so = (struct outbox_step_options){.wait_witnessed = true, .changed = count_changes, .ctx = b};
}

static void bench_close(struct bench *b) {
    outbox_close(b->box);
    log_free(b->log);
    scratch_remove(b->dir);
}

static void add_record(struct bench *b, unsigned k, struct outbox_item *item) {
    struct buf note;
    struct fail f;
    size_t missing;
    buf_init(&note, ENTRY_MAX);
    log_record(b->log, k, &note);
    must(outbox_add(b->box, buf_view(&note), NULL, 0, item, &missing, &f));
    buf_release(&note);
}

/* Steps until nothing is left; never waits as long as it is told to. */
static size_t run_down(struct bench *b) {
    struct outbox_progress p;
    struct fail f;
    for (size_t n = 1; n <= STEPS_MAX; n++) {
        must(outbox_step(b->box, &b->t, &b->so, &p, &f));
        if (p.queued + p.received == 0) return n;
        assert_true(p.again_ms > 0);
    }
    fail_msg("the queue does not run down");
    return 0;
}

struct census {
    size_t of[4], witnessed;
};
static void take_census(void *ctx, const struct outbox_item *item) {
    struct census *c = ctx;
    c->of[item->state]++;
    c->witnessed += item->witnessed;
}

static struct census census_of(struct outbox *box) {
    struct census c = {0};
    struct fail f;
    must(outbox_list(box, take_census, &c, &f));
    return c;
}

static void everything_arrives_in_order(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    bench_open(&b, false);
    for (unsigned k = 0; k < 5; k++) {
        add_record(&b, k, &item);
        assert_int_equal(item.state, OUTBOX_QUEUED);
    }
    add_record(&b, 2, &item); /* queued already: not again */
    assert_int_equal(census_of(b.box).of[OUTBOX_QUEUED], 5);
    struct outbox_progress p;
    struct fail f;
    must(outbox_step(b.box, &b.t, &b.so, &p, &f));
    assert_int_equal(p.received, 5); /* received, not yet witnessed */
    assert_int_equal(census_of(b.box).of[OUTBOX_RECEIVED], 5);
    run_down(&b);
    struct census c = census_of(b.box);
    assert_int_equal(c.of[OUTBOX_DONE], 5);
    assert_int_equal(c.witnessed, 5);
    assert_int_equal(b.log->posts, 5);
    for (unsigned k = 0; k < 5; k++) {
        struct buf note;
        static struct record r;
        buf_init(&note, ENTRY_MAX);
        log_record(b.log, k, &note);
        must(record_parse(buf_view(&note), &r, &f));
        assert_int_equal(log_find(b.log, &r.id), k);
        buf_release(&note);
    }
    add_record(&b, 3, &item); /* done: its proof is where it was */
    assert_int_equal(item.state, OUTBOX_DONE);
    assert_int_equal(item.index, 3);
    bench_close(&b);
}

static void without_witnesses_a_receipt_is_all(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    bench_open(&b, true);
    assert_false(outbox_has_witnesses(b.box));
    add_record(&b, 1, &item);
    assert_int_equal(run_down(&b), 1);
    struct census c = census_of(b.box);
    assert_int_equal(c.of[OUTBOX_DONE], 1);
    assert_int_equal(c.witnessed, 0);
    bench_close(&b);
}

static void it_waits_for_the_witnesses(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    struct outbox_progress p;
    struct fail f;
    bench_open(&b, false);
    b.log->cosigns = false;
    add_record(&b, 1, &item);
    for (int i = 0; i < 5; i++) must(outbox_step(b.box, &b.t, &b.so, &p, &f));
    assert_int_equal(p.received, 1);
    assert_int_equal(b.told[OUTBOX_RECEIVED], 1); /* said once */
    b.log->cosigns = true;
    run_down(&b);
    assert_int_equal(census_of(b.box).witnessed, 1);
    bench_close(&b);
}

/* Every mishap at every exchange: the same three records arrive, each once. */
static void every_exchange_may_fail(void **state) {
    (void)state;
    for (int m = NO_CONNECTION; m < MISHAPS; m++) {
        for (size_t at = 1; at <= 8; at++) {
            struct bench b;
            struct outbox_item item;
            bench_open(&b, false);
            b.log->mishap = (enum mishap)m;
            b.log->at = at;
            for (unsigned k = 0; k < 3; k++) add_record(&b, k, &item);
            run_down(&b);
            assert_int_equal(b.log->n, 3);
            struct census c = census_of(b.box);
            assert_int_equal(c.of[OUTBOX_DONE], 3);
            assert_int_equal(c.witnessed, 3);
            bench_close(&b);
        }
    }
}

static void patience_grows_and_is_bounded(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    struct outbox_progress p;
    struct fail f;
    uint64_t last = 0;
    bench_open(&b, false);
    add_record(&b, 1, &item);
    b.log->mishap = NO_CONNECTION;
    for (int i = 0; i < 20; i++) {
        must(outbox_step(b.box, &b.t, &b.so, &p, &f));
        assert_int_equal(p.waits.code, E_NETWORK);
        assert_true(p.again_ms >= 500 && p.again_ms <= 75000);
        if (i == 8) last = p.again_ms;
    }
    assert_true(last >= 60000);
    b.log->mishap = BUSY_503;
    must(outbox_step(b.box, &b.t, &b.so, &p, &f));
    assert_true(p.again_ms >= 7000); /* Retry-After: 7 */
    assert_int_equal(census_of(b.box).of[OUTBOX_QUEUED], 1);
    bench_close(&b);
}

static void what_is_refused_is_kept_with_its_reason(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    bench_open(&b, false);
    b.log->refuses = E_REVOKED;
    add_record(&b, 1, &item);
    run_down(&b);
    assert_int_equal(census_of(b.box).of[OUTBOX_REFUSED], 1);
    assert_int_equal(b.told[OUTBOX_REFUSED], 1);
    b.log->refuses = E_QUOTA; /* 429, and yet for good */
    add_record(&b, 2, &item);
    run_down(&b);
    assert_int_equal(census_of(b.box).of[OUTBOX_REFUSED], 2);
    b.log->refuses = OK;
    add_record(&b, 1, &item); /* the reason is gone: send it again */
    assert_int_equal(item.state, OUTBOX_QUEUED);
    run_down(&b);
    struct census c = census_of(b.box);
    assert_int_equal(c.of[OUTBOX_REFUSED], 1);
    assert_int_equal(c.of[OUTBOX_DONE], 1);
    bench_close(&b);
}

/* --- objects --- */

static void image_note(struct bench *b, const char *original, const char *shown, struct buf *note) {
    struct compose_image m = {.contest = SPAN_LIT("c"), .station = SPAN_LIT("s"), .round = 1, .page = 1};
    struct buf text;
    struct fail f;
    const struct note_signer *by[] = {&b->log->officer};
    m.election = log_manifest();
    m.original = (struct named_object){sha256(span_text(original)), strlen(original)};
    m.shown = (struct named_object){sha256(span_text(shown)), strlen(shown)};
    buf_init(&text, 4096);
    compose_image(&text, &m);
    must(note_sign(by, 1, buf_view(&text), note, &f));
    buf_release(&text);
}

static void objects_go_first(void **state) {
    (void)state;
    for (size_t at = 0; at <= 4; at++) {
        struct bench b;
        struct outbox_item item;
        struct buf note;
        struct fail f;
        size_t missing;
        bench_open(&b, false);
        b.log->wants_object = true;
        b.log->mishap = at ? ANSWER_LOST : ALL_WELL;
        b.log->at = at;
        buf_init(&note, ENTRY_MAX);
        image_note(&b, "the original", "the public one", &note);
        const char *files[] = {scratch_path(b.dir, "a"), scratch_path(b.dir, "b"),
                               scratch_path(b.dir, "c")};
        scratch_write(files[0], "the original", 12);
        scratch_write(files[1], "the public one", 14);
        scratch_write(files[2], "another one", 11);
        refuses(E_OBJECT, outbox_add(b.box, buf_view(&note), files, 3, &item, &missing, &f));
        assert_int_equal(census_of(b.box).of[OUTBOX_QUEUED], 0);
        must(outbox_add(b.box, buf_view(&note), files, 2, &item, &missing, &f));
        assert_int_equal(missing, 0);
        remove(files[0]); /* the outbox has its own copies */
        run_down(&b);
        assert_int_equal(b.log->objects, 2);
        assert_true(b.log->restricted[0] && !b.log->restricted[1]);
        assert_int_equal(census_of(b.box).of[OUTBOX_DONE], 1);
        buf_release(&note);
        bench_close(&b);
    }
}

static void a_lost_object_is_sent_again(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    struct outbox_progress p;
    struct buf note;
    struct fail f;
    size_t missing;
    bench_open(&b, false);
    b.log->wants_object = true;
    b.log->mishap = BUSY_503; /* both objects are there, then the record has to wait */
    b.log->at = 3;
    buf_init(&note, ENTRY_MAX);
    image_note(&b, "x", "y", &note);
    const char *files[] = {scratch_path(b.dir, "x"), scratch_path(b.dir, "y")};
    scratch_write(files[0], "x", 1);
    scratch_write(files[1], "y", 1);
    must(outbox_add(b.box, buf_view(&note), files, 2, &item, &missing, &f));
    must(outbox_step(b.box, &b.t, &b.so, &p, &f));
    assert_int_equal(b.log->objects, 2);
    b.log->objects = 0; /* leftovers expired on the server */
    run_down(&b);
    assert_int_equal(census_of(b.box).of[OUTBOX_DONE], 1);
    /* what nobody has cannot be sent: refused, with the reason */
    buf_clear(&note);
    image_note(&b, "nobody has", "this", &note);
    must(outbox_add(b.box, buf_view(&note), NULL, 0, &item, &missing, &f));
    assert_int_equal(missing, 2);
    run_down(&b);
    assert_int_equal(census_of(b.box).of[OUTBOX_REFUSED], 1);
    buf_release(&note);
    bench_close(&b);
}

/* --- lies --- */

static struct note_signer stranger, impostor;

static void by_another_log(struct outbox_log *l, struct buf *receipt) {
    buf_clear(receipt);
    log_receipt(l, &stranger, l->n - 1, true, receipt);
}
static void by_another_key(struct outbox_log *l, struct buf *receipt) {
    buf_clear(receipt);
    log_receipt(l, &impostor, l->n - 1, true, receipt);
}
static void for_another_record(struct outbox_log *l, struct buf *receipt) {
    struct buf note;
    buf_init(&note, ENTRY_MAX);
    log_record(l, 999, &note);
    log_append(l, buf_view(&note));
    buf_release(&note);
    buf_clear(receipt);
    log_receipt(l, &l->log, l->n - 1, true, receipt);
}
static void with_a_wrong_proof(struct outbox_log *l, struct buf *receipt) {
    struct buf checkpoint, note;
    struct hash proof[1] = {sha256(SPAN_LIT("nothing"))};
    struct fail f;
    buf_init(&checkpoint, 65536);
    buf_init(&note, ENTRY_MAX);
    if (l->n < 2) {
        log_record(l, 998, &note);
        log_append(l, buf_view(&note));
    }
    log_checkpoint(l, &l->log, 2, true, &checkpoint);
    buf_clear(receipt);
    receipt_format(receipt, 0, buf_view(&l->entry[0]));
    must(tlog_proof_format((struct span){0}, 0, proof, 1, buf_view(&checkpoint), receipt, &f));
    buf_release(&checkpoint);
    buf_release(&note);
}

static size_t files_in(const char *dir, const char *part) {
    char path[600];
    size_t n = 0;
    (void)snprintf(path, sizeof path, "ls -A %s/box/%s | wc -l", dir, part);
    FILE *p = popen(path, "r");
    if (!p || fscanf(p, "%zu", &n) != 1) n = SIZE_MAX;
    if (p) pclose(p);
    return n;
}

static void lies_are_refused_and_kept(void **state) {
    (void)state;
    static const struct {
        void (*twist)(struct outbox_log *l, struct buf *receipt);
        err code;
    } lies[] = {{by_another_log, E_ORIGIN},
                {by_another_key, E_UNSIGNED},
                {for_another_record, E_PROOF},
                {with_a_wrong_proof, E_PROOF}};
    struct hash seed = sha256(SPAN_LIT("another seed"));
    struct fail f0 = {0};
    log_signer(&stranger, "log.example/other", NOTE_TYPE_ED25519);
    assert_int_equal(note_signer_make(SPAN_LIT("log.example/test"), NOTE_TYPE_ED25519, seed.b, &impostor,
                                      &f0),
                     OK);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        struct bench b;
        struct outbox_item item;
        struct outbox_progress p;
        struct fail f;
        bench_open(&b, false);
        b.log->twist = lies[i].twist;
        add_record(&b, 1, &item);
        refuses(lies[i].code, outbox_step(b.box, &b.t, &b.so, &p, &f));
        assert_non_null(strstr(f.text, "evidence"));
        refuses(lies[i].code, outbox_step(b.box, &b.t, &b.so, &p, &f));
        assert_true(files_in(b.dir, "evidence") >= 1);
        assert_int_equal(census_of(b.box).of[OUTBOX_QUEUED], 1); /* still to be sent */
        b.log->twist = NULL;
        run_down(&b);
        assert_int_equal(census_of(b.box).of[OUTBOX_DONE], 1);
        bench_close(&b);
    }
}

/* Two histories of one length, each with good signatures. */
static void a_fork_is_seen(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    struct outbox_progress p;
    struct fail f;
    bench_open(&b, true);
    add_record(&b, 1, &item);
    run_down(&b);
    struct outbox_log *other = log_new();
    b.t.ctx = other;
    add_record(&b, 2, &item);
    refuses(E_FORK, outbox_step(b.box, &b.t, &b.so, &p, &f));
    assert_int_equal(files_in(b.dir, "evidence"), 1);
    log_free(other);
    bench_close(&b);
}

static void a_log_that_forgets_is_seen(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    struct outbox_progress p;
    struct fail f;
    bench_open(&b, false);
    b.log->cosigns = false;
    add_record(&b, 1, &item);
    must(outbox_step(b.box, &b.t, &b.so, &p, &f));
    struct outbox_log *empty = log_new();
    b.t.ctx = empty;
    refuses(E_ROLLBACK, outbox_step(b.box, &b.t, &b.so, &p, &f));
    assert_int_equal(census_of(b.box).of[OUTBOX_RECEIVED], 1);
    log_free(empty);
    bench_close(&b);
}

/* A receipt cut at any byte is no lie and no proof; with any bit flipped it is not believed. */
static void a_receipt_is_all_or_nothing(void **state) {
    (void)state;
    struct outbox_log *l = log_new();
    struct buf note, receipt, anchor;
    struct anchor a;
    struct fail f;
    uint64_t index;
    bool witnessed;
    buf_init(&note, ENTRY_MAX);
    buf_init(&receipt, 1 << 20);
    buf_init(&anchor, 65536);
    log_anchor(l, false, &anchor);
    must(anchor_parse(buf_view(&anchor), &a, &f));
    for (unsigned k = 0; k < 3; k++) {
        buf_clear(&note);
        log_record(l, k, &note);
        log_append(l, buf_view(&note));
    }
    log_receipt(l, &l->log, 2, true, &receipt);
    must(outbox_check_receipt(&a, buf_view(&note), buf_view(&receipt), &index, &witnessed, NULL, &f));
    assert_true(witnessed && index == 2);
    for (size_t n = 0; n < receipt.n; n++) {
        err e = outbox_check_receipt(&a, buf_view(&note), span_of(receipt.p, n), &index, &witnessed,
                                     NULL, &f);
        if (e == OK ? witnessed : e != E_NETWORK)
            fail_msg("cut at %zu of %zu: %s", n, receipt.n, err_info(e)->name);
    }
    for (size_t n = 0; n < receipt.n; n++) {
        for (int bit = 0; bit < 8; bit++) {
            receipt.p[n] ^= (uint8_t)(1 << bit);
            err e = outbox_check_receipt(&a, buf_view(&note), buf_view(&receipt), &index, &witnessed,
                                         NULL, &f);
            if (e == OK && witnessed) fail_msg("byte %zu, bit %d is not looked at", n, bit);
            receipt.p[n] ^= (uint8_t)(1 << bit);
        }
    }
    buf_release(&note);
    buf_release(&receipt);
    buf_release(&anchor);
    log_free(l);
}

static void lines_that_the_log_lacks_are_counted(void **state) {
    (void)state;
    struct outbox_log *l = log_new();
    struct note_signer agent;
    struct buf note, both, receipt, anchor;
    struct anchor a;
    struct fail f;
    uint64_t index;
    uint32_t lacking;
    log_signer(&agent, "agent/1", NOTE_TYPE_ED25519);
    buf_init(&note, ENTRY_MAX);
    buf_init(&both, ENTRY_MAX);
    buf_init(&receipt, 1 << 20);
    buf_init(&anchor, 65536);
    log_anchor(l, true, &anchor);
    must(anchor_parse(buf_view(&anchor), &a, &f));
    log_record(l, 1, &note);
    log_append(l, buf_view(&note)); /* the officer's line alone */
    const struct note_signer *more[] = {&agent};
    must(notes_sign(buf_view(&note), more, 1, &both, &f));
    log_receipt(l, &l->log, 0, false, &receipt);
    must(outbox_check_receipt(&a, buf_view(&both), buf_view(&receipt), &index, NULL, &lacking, &f));
    assert_int_equal(lacking, 1);
    must(outbox_check_receipt(&a, buf_view(&note), buf_view(&receipt), &index, NULL, &lacking, &f));
    assert_int_equal(lacking, 0);
    buf_release(&note);
    buf_release(&both);
    buf_release(&receipt);
    buf_release(&anchor);
    log_free(l);
}

/* --- who may, and what belongs here --- */

static void one_sends_at_a_time(void **state) {
    (void)state;
    struct bench b;
    struct outbox *second;
    struct outbox_item item;
    struct outbox_progress p;
    struct fail f;
    bench_open(&b, false);
    must(outbox_step(b.box, &b.t, &b.so, &p, &f));
    must(outbox_open(scratch_path(b.dir, "box"), &second, &f));
    add_record(&b, 1, &item);
    refuses(E_LOCKED, outbox_step(second, &b.t, &b.so, &p, &f));
    struct buf note;
    size_t missing;
    buf_init(&note, ENTRY_MAX);
    log_record(b.log, 2, &note);
    must(outbox_add(second, buf_view(&note), NULL, 0, &item, &missing, &f)); /* adding is possible */
    run_down(&b);
    assert_int_equal(census_of(b.box).of[OUTBOX_DONE], 2);
    buf_release(&note);
    outbox_close(second);
    bench_close(&b);
}

static void what_does_not_belong_is_not_queued(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    struct buf text, note, anchor;
    struct hash other = sha256(SPAN_LIT("another election"));
    struct fail f;
    size_t missing;
    bench_open(&b, false);
    buf_init(&text, 4096);
    buf_init(&note, ENTRY_MAX);
    buf_init(&anchor, 65536);
    compose_revoke(&text, &other, SPAN_LIT("k"), "lost", UINT64_MAX);
    refuses(E_UNSIGNED, outbox_add(b.box, buf_view(&text), NULL, 0, &item, &missing, &f));
    const struct note_signer *by[] = {&b.log->officer};
    must(note_sign(by, 1, buf_view(&text), &note, &f));
    refuses(E_ELECTION, outbox_add(b.box, buf_view(&note), NULL, 0, &item, &missing, &f));
    refuses(E_NOTE, outbox_add(b.box, SPAN_LIT("hello\n"), NULL, 0, &item, &missing, &f));
    log_anchor(b.log, true, &anchor);
    refuses(E_ANCHOR, outbox_pin(b.box, buf_view(&anchor), &f)); /* not the pinned one */
    assert_int_equal(census_of(b.box).of[OUTBOX_QUEUED], 0);
    buf_release(&text);
    buf_release(&note);
    buf_release(&anchor);
    bench_close(&b);
}

/* --- the disk --- */

struct nth {
    size_t at, seen;
};
static int fail_nth(void *ctx, const char *op, const char *path) {
    struct nth *n = ctx;
    (void)op;
    (void)path;
    return ++n->seen == n->at ? ENOSPC : 0;
}

/* Each operation on the disk fails once: the call says so, and nothing is lost or doubled. */
static void the_disk_may_fail_anywhere(void **state) {
    (void)state;
    bool failed = true;
    for (size_t at = 1; failed; at++) {
        struct bench b;
        struct outbox_item item;
        struct outbox_progress p;
        struct buf note;
        struct fail f;
        size_t missing;
        struct nth n = {.at = at};
        bench_open(&b, false);
        buf_init(&note, ENTRY_MAX);
        log_record(b.log, 1, &note);
        file_faults_set(&(struct file_faults){fail_nth, &n});
        err added = outbox_add(b.box, buf_view(&note), NULL, 0, &item, &missing, &f);
        err sent = OK;
        for (int i = 0; i < 4 && sent == OK; i++) sent = outbox_step(b.box, &b.t, &b.so, &p, &f);
        file_faults_set(NULL);
        failed = n.seen >= at;
        if (added != OK) assert_true(added == E_DISK_FULL);
        if (sent != OK) assert_true(sent == E_DISK_FULL);
        if (failed) assert_true(added != OK || sent != OK);
        must(outbox_add(b.box, buf_view(&note), NULL, 0, &item, &missing, &f));
        run_down(&b);
        assert_int_equal(b.log->n, 1);
        assert_int_equal(census_of(b.box).of[OUTBOX_DONE], 1);
        buf_release(&note);
        bench_close(&b);
        assert_true(at < 200);
    }
}

struct order {
    bool queue_synced, note_synced, sent_early;
    struct outbox_log *log;
};
static int watch(void *ctx, const char *op, const char *path) {
    struct order *o = ctx;
    if (strcmp(op, "fsync") == 0 && strstr(path, "/note")) o->note_synced = true;
    if (strcmp(op, "fsync") == 0 && strlen(path) > 6 && strcmp(path + strlen(path) - 6, "/queue") == 0)
        o->queue_synced = true;
    return 0;
}
static err watch_call(void *ctx, const struct outbox_request *r, struct outbox_answer *a,
                      struct fail *f) {
    struct order *o = ctx;
    if (!o->note_synced || !o->queue_synced) o->sent_early = true;
    return log_call(o->log, r, a, f);
}

static void nothing_is_sent_before_it_is_synced(void **state) {
    (void)state;
    struct bench b;
    struct outbox_item item;
    bench_open(&b, false);
    struct order o = {.log = b.log};
    file_faults_set(&(struct file_faults){watch, &o});
    b.t = (struct outbox_transport){watch_call, &o};
    add_record(&b, 1, &item);
    assert_true(o.note_synced && o.queue_synced);
    run_down(&b);
    file_faults_set(NULL);
    assert_false(o.sent_early);
    bench_close(&b);
}

/* --- kill -9: a child sends through a socket to the log, which lives here --- */

struct wire_request {
    char method[8], path[200];
    size_t n;
};
struct wire_answer {
    int status;
    uint32_t retry_after_s;
    err code;
    char sentence[100];
    size_t n;
};
enum { WIRE_MAX = 60000, KILL_ITEMS = 4 };

struct child {
    int socket;
    size_t kill_at, seen; /* the operation at which it dies */
};

static void count_down(struct child *c) {
    if (++c->seen == c->kill_at) kill(getpid(), SIGKILL);
}
static int child_disk(void *ctx, const char *op, const char *path) {
    (void)op;
    (void)path;
    count_down(ctx);
    return 0;
}

static err child_call(void *ctx, const struct outbox_request *r, struct outbox_answer *a,
                      struct fail *f) {
    struct child *c = ctx;
    static uint8_t packet[sizeof(struct wire_request) + WIRE_MAX];
    struct wire_request q = {0};
    struct wire_answer w;
    struct span body = r->body, mapped = {0};
    if (r->body_file && file_map(r->body_file, &mapped, f) == OK) body = mapped;
    (void)snprintf(q.method, sizeof q.method, "%s", r->method);
    (void)snprintf(q.path, sizeof q.path, "%s", r->path);
    q.n = body.n;
    memcpy(packet, &q, sizeof q);
    if (body.n) memcpy(packet + sizeof q, body.p, body.n);
    count_down(c);
    if (send(c->socket, packet, sizeof q + body.n, MSG_NOSIGNAL) < 0) _exit(3);
    count_down(c);
    ssize_t n = recv(c->socket, packet, sizeof packet, 0);
    if (n < (ssize_t)sizeof w) _exit(4);
    count_down(c);
    memcpy(&w, packet, sizeof w);
    a->status = w.status;
    a->code = w.code;
    if (w.code) (void)fail_set(&a->refusal, w.code, "%s", w.sentence);
    buf_add(&a->body, packet + sizeof w, w.n);
    file_unmap(mapped);
    return OK;
}

/* What the child does, again and again: queue what is to be sent, tell when it is durable, send. */
static void child_main(struct bench *b, struct child *c) {
    struct fail f = {0};
    struct outbox *box;
    struct outbox_transport t = {child_call, c};
    struct outbox_step_options so = {.wait_witnessed = true};
    struct outbox_progress p;
    struct buf note;
    const char *files[] = {scratch_path(b->dir, "x"), scratch_path(b->dir, "y")};
    buf_init(&note, ENTRY_MAX);
    file_faults_set(&(struct file_faults){child_disk, c});
    if (outbox_open(scratch_path(b->dir, "box"), &box, &f) != OK) _exit(5);
    for (unsigned k = 0; k < KILL_ITEMS; k++) {
        struct outbox_item item;
        size_t missing;
        buf_clear(&note);
        if (k == 2)
            image_note(b, "x", "y", &note);
        else
            log_record(b->log, k, &note);
        if (outbox_add(box, buf_view(&note), files, k == 2 ? 2 : 0, &item, &missing, &f) != OK) _exit(6);
        struct wire_request q = {.method = "DURABLE"};
        (void)snprintf(q.path, sizeof q.path, "%s", item.id);
        if (send(c->socket, &q, sizeof q, MSG_NOSIGNAL) < 0) _exit(3);
    }
    for (int i = 0; i < STEPS_MAX; i++) {
        if (outbox_step(box, &t, &so, &p, &f) != OK) _exit(7);
        if (p.queued + p.received == 0) _exit(0);
    }
    _exit(8);
}

/* Serves one child until it is gone; its exit code, or -1 when it was killed. */
static int serve_child(struct bench *b, size_t kill_at, char durable[KILL_ITEMS][65], size_t *n) {
    int pair[2], status;
    static uint8_t packet[sizeof(struct wire_request) + WIRE_MAX];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(pair[0]);
        child_main(b, &(struct child){.socket = pair[1], .kill_at = kill_at});
    }
    close(pair[1]);
    for (ssize_t got; (got = recv(pair[0], packet, sizeof packet, 0)) > 0;) {
        struct wire_request q;
        memcpy(&q, packet, sizeof q);
        if (strcmp(q.method, "DURABLE") == 0) {
            bool known = false;
            for (size_t i = 0; i < *n; i++) known = known || strcmp(durable[i], q.path) == 0;
            if (!known) memcpy(durable[(*n)++], q.path, 65);
            continue;
        }
        struct outbox_answer a = {0};
        struct fail f = {0};
        buf_init(&a.body, WIRE_MAX);
        struct span body = span_of(packet + sizeof q, q.n);
        if (strcmp(q.method, "PUT") == 0)
            log_put(b->log, q.path, body, &a);
        else if (strcmp(q.method, "POST") == 0)
            log_post(b->log, body, &a);
        else
            log_proof(b->log, q.path, &a);
        (void)f;
        struct wire_answer w = {.status = a.status, .code = a.code, .n = a.body.n};
        (void)snprintf(w.sentence, sizeof w.sentence, "%.90s", a.refusal.text);
        memcpy(packet, &w, sizeof w);
        if (a.body.n) memcpy(packet + sizeof w, a.body.p, a.body.n);
        (void)send(pair[0], packet, sizeof w + a.body.n, MSG_NOSIGNAL);
        buf_release(&a.body);
    }
    close(pair[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct seen {
    char (*durable)[65];
    size_t n, found;
};
static void look_for_durable(void *ctx, const struct outbox_item *item) {
    struct seen *s = ctx;
    for (size_t i = 0; i < s->n; i++) s->found += strcmp(s->durable[i], item->id) == 0;
}

static void kill_bench(struct bench *b) {
    bench_open(b, false);
    b->log->wants_object = true;
    scratch_write(scratch_path(b->dir, "x"), "x", 1);
    scratch_write(scratch_path(b->dir, "y"), "y", 1);
    outbox_close(b->box); /* the children open it */
    b->box = NULL;
}

/* After each kill: what was durable is there, exactly once. */
static void check_after_kill(struct bench *b, char durable[KILL_ITEMS][65], size_t n) {
    struct outbox *box;
    struct fail f;
    struct seen s = {durable, n, 0};
    must(outbox_open(scratch_path(b->dir, "box"), &box, &f));
    must(outbox_list(box, look_for_durable, &s, &f));
    assert_int_equal(s.found, n);
    outbox_close(box);
}

static void check_at_the_end(struct bench *b) {
    struct fail f;
    must(outbox_open(scratch_path(b->dir, "box"), &b->box, &f));
    struct census c = census_of(b->box);
    assert_int_equal(c.of[OUTBOX_DONE], KILL_ITEMS);
    assert_int_equal(c.of[OUTBOX_QUEUED] + c.of[OUTBOX_RECEIVED] + c.of[OUTBOX_REFUSED], 0);
    assert_int_equal(c.witnessed, KILL_ITEMS);
    assert_int_equal(b->log->n, KILL_ITEMS); /* every record once, under one id */
}

/* Killed at operation 1, then afresh at 2, 3, ...: every point there is. */
static void killed_at_every_point(void **state) {
    (void)state;
    int code = -1;
    size_t at = 0;
    while (code != 0) {
        struct bench b;
        char durable[KILL_ITEMS][65] = {{0}};
        size_t n = 0;
        kill_bench(&b);
        code = serve_child(&b, ++at, durable, &n);
        if (code > 0) fail_msg("the child ended with %d at operation %zu", code, at);
        check_after_kill(&b, durable, n);
        if (code != 0) assert_int_equal(serve_child(&b, 0, durable, &n), 0);
        check_at_the_end(&b);
        bench_close(&b);
        assert_true(at < 2000);
    }
    print_message("%zu points\n", at - 1);
    assert_true(at > 60);
}

/* Killed again and again on the same folder, 100 times at random points. */
static void killed_a_hundred_times(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 20170808);
    for (size_t kills = 0; kills < 100;) {
        struct bench b;
        char durable[KILL_ITEMS][65] = {{0}};
        size_t n = 0;
        int code = -1;
        kill_bench(&b);
        while (code != 0) {
            size_t at = kills < 100 ? 1 + rng_below(&r, 60) : 0;
            code = serve_child(&b, at, durable, &n);
            if (code > 0) fail_msg("the child ended with %d", code);
            kills += code < 0;
            check_after_kill(&b, durable, n);
        }
        check_at_the_end(&b);
        bench_close(&b);
    }
}

/* Two processes add to one folder: each finds what the other added, whoever moved it since. */
static void test_two_add(void **state) {
    (void)state;
    struct bench b;
    struct fail f;
    struct outbox_item mine, theirs;
    struct outbox *other, *first;
    bench_open(&b, true);
    must(outbox_open(scratch_path(b.dir, "box"), &other, &f));
    first = b.box;
    for (unsigned k = 0; k < 40; k++) {
        b.box = k % 2 ? first : other;
        add_record(&b, k, &mine);
        b.box = k % 2 ? other : first;
        add_record(&b, k, &theirs);
        assert_string_equal(mine.name, theirs.name);
        assert_int_equal(strtoull(mine.name, NULL, 10), k + 1);
    }
    /* done or removed meanwhile */
    char from[600], to[600], command[1300];
    b.box = first;
    add_record(&b, 7, &mine);
    snprintf(from, sizeof from, "%s/box/queue/%s", b.dir, mine.name);
    snprintf(to, sizeof to, "%s/box/done/%s", b.dir, mine.name);
    assert_int_equal(rename(from, to), 0);
    add_record(&b, 7, &theirs);
    assert_string_equal(mine.name, theirs.name);
    assert_int_equal(theirs.state, OUTBOX_DONE);
    snprintf(command, sizeof command, "rm -r '%s'", to);
    assert_int_equal(system(command), 0);
    add_record(&b, 7, &theirs);
    assert_int_equal(strtoull(theirs.name, NULL, 10), 41);
    /* a process that died between taking a number and adding: nothing is lost, the folders count */
    scratch_write(scratch_path(b.dir, "box/add.lock"), "\xff\xff\0\0\0\0\0\0", 8);
    b.box = other;
    add_record(&b, 7, &mine);
    assert_string_equal(mine.name, theirs.name);
    add_record(&b, 99, &mine);
    assert_int_equal(strtoull(mine.name, NULL, 10), 42);
    b.box = first;
    add_record(&b, 99, &theirs);
    assert_string_equal(mine.name, theirs.name);
    outbox_close(other);
    bench_close(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_add),
        cmocka_unit_test(everything_arrives_in_order),
        cmocka_unit_test(without_witnesses_a_receipt_is_all),
        cmocka_unit_test(it_waits_for_the_witnesses),
        cmocka_unit_test(every_exchange_may_fail),
        cmocka_unit_test(patience_grows_and_is_bounded),
        cmocka_unit_test(what_is_refused_is_kept_with_its_reason),
        cmocka_unit_test(objects_go_first),
        cmocka_unit_test(a_lost_object_is_sent_again),
        cmocka_unit_test(lies_are_refused_and_kept),
        cmocka_unit_test(a_fork_is_seen),
        cmocka_unit_test(a_log_that_forgets_is_seen),
        cmocka_unit_test(a_receipt_is_all_or_nothing),
        cmocka_unit_test(lines_that_the_log_lacks_are_counted),
        cmocka_unit_test(one_sends_at_a_time),
        cmocka_unit_test(what_does_not_belong_is_not_queued),
        cmocka_unit_test(the_disk_may_fail_anywhere),
        cmocka_unit_test(nothing_is_sent_before_it_is_synced),
        cmocka_unit_test(killed_at_every_point),
        cmocka_unit_test(killed_a_hundred_times),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
