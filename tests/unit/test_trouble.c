/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The whole daemon in trouble: failing disks, other copies of its folder, damaged files, clocks. */
#include "daemon_base.h"

#include "service/setup.h"
#include "tlog/witness.h"

/* ---- failing disks ---- */

struct disk {
    const char *op;
    const char *where; /* NULL: everywhere */
    _Atomic int left;  /* operations that still succeed; negative: not armed */
    _Atomic int failed;
    int errnum;
};

static int disk_before(void *ctx, const char *op, const char *path) {
    struct disk *d = ctx;
    if (strcmp(op, d->op) != 0 || (d->where && !strstr(path, d->where))) return 0;
    if (d->left < 0) return 0;
    if (d->left > 0 && d->left-- > 0) return 0;
    d->failed++;
    return d->errnum;
}

/* The disk fails at the nth operation of a batch and its publication, and at all that follow. */
static bool fails_at(const char *op, int nth, int errnum) {
    struct site s = site_new(x, base);
    struct disk disk = {.op = op, .left = -1, .errnum = errnum};
    s.o.no_data = true; /* exports fail by themselves, and the daemon goes on */
    file_faults_set(&(struct file_faults){disk_before, &disk});
    site_start(&s);
    site_await_published(&s);
    struct buf note;
    struct reply r;
    buf_init(&note, 65536);
    site_note(&s, "po/2103", site_event("2103", 1), &note);
    uint64_t size = sequencer_size(daemon_sequencer(s.d)), index = UINT64_MAX;
    disk.left = nth;
    int status = site_post(&s, buf_view(&note), &r);
    if (status == 201)
        index = site_index(&r);
    else if (status != err_info(errnum == ENOSPC ? E_DISK_FULL : E_IO)->http)
        fail_msg("%s %d: status %d %.*s", op, nth, status, SPAN_ARG(r.body));
    reply_free(&r);
    bool hit = false;
    for (int i = 0; i < PATIENCE_MS / 5; i++) { /* until it is published, or the daemon says that it cannot go on */
        uint64_t shown = 0;
        struct buf b;
        struct fail f;
        buf_init(&b, CHECKPOINT_BYTES_MAX);
        must(publisher_checkpoint(daemon_publisher(s.d), &shown, &b, &f));
        buf_release(&b);
        hit = daemon_failed(s.d);
        if (hit || shown > size) break;
        pause_ms(5);
    }
    if (!hit && disk.failed) fail_msg("%s %d: it failed, and the daemon goes on", op, nth);
    if (status != 201) {
        /* nothing unacknowledged was signed, and nothing more is taken */
        struct buf checkpoint;
        struct fail f;
        uint64_t signed_size;
        buf_init(&checkpoint, CHECKPOINT_BYTES_MAX);
        must(sequencer_checkpoint(daemon_sequencer(s.d), &signed_size, &checkpoint, &f));
        assert_true(signed_size == size);
        buf_release(&checkpoint);
        site_refuses_note(&s, E_BUSY, buf_view(&note), "after the failure");
        assert_int_equal(site_request(&s, "GET /healthz HTTP/1.1\r\n", (struct span){0}, &r), 503);
        assert_non_null(memmem(r.body.p, r.body.n, "the store failed", 16));
        reply_free(&r);
    }
    site_stop(&s);
    disk.left = -1;
    file_faults_set(NULL);
    site_start(&s);
    if (status == 201)
        assert_true(site_accepts_note(&s, buf_view(&note), 200) == index);
    else if (sequencer_size(daemon_sequencer(s.d)) == size)
        (void)site_accepts_note(&s, buf_view(&note), 201);
    else
        (void)site_accepts_note(&s, buf_view(&note), 200);
    site_stop(&s);
    assert_true(site_size(&s) == size + 1);
    site_is_valid(&s);
    buf_release(&note);
    site_end(&s);
    return hit;
}

static void full_disk(void **state) {
    (void)state;
    const char *const ops[] = {"write", "fsync", "rename", "open"};
    int total = 0;
    for (int i = 0; i < 4; i++) {
        int n = 0, step = i == 1 ? 1 : 3;
        while (fails_at(ops[i], n, i == 1 ? EIO : ENOSPC)) {
            n += step;
            total++;
            assert_true(n < 200);
        }
        if (n == 0) fail_msg("no %s ever failed", ops[i]);
    }
    assert_true(total >= 8);
}

static void read_only_folder(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct fail f;
    struct disk disk = {.op = "open", .left = 0, .errnum = EROFS};
    file_faults_set(&(struct file_faults){disk_before, &disk});
    refuses(E_IO, site_try_start(&s, &f));
    file_faults_set(NULL);
    assert_non_null(strstr(f.text, "not permitted"));
    site_start(&s);
    site_end(&s);
    /* a file where the folder should be */
    struct site none = site_new(x, NULL);
    scratch_write(scratch_path(none.dir, "private"), "x", 1);
    memset(&f, 0, sizeof f);
    assert_true(site_try_start(&none, &f) != OK);
    assert_true(f.text[0] != 0);
    scratch_remove(none.dir);
}

/* ---- other copies of the folder ---- */

static void two_daemons(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct fail f;
    site_start(&s);
    struct site second = s;
    refuses(E_LOCKED, site_try_start(&second, &f));
    if (!strstr(f.text, s.dir)) fail_msg("which folder? %s", f.text);
    (void)site_accepts(&s, "po/2103", site_event("2103", 1)); /* the first one goes on */
    site_end(&s);
}

static void restored_copy(void **state) {
    (void)state;
    struct fail f;
    for (int whole = 0; whole < 2; whole++) {
        struct site s = site_new(x, base);
        char guard[300];
        snprintf(guard, sizeof guard, "%s/elsewhere-guard", s.dir);
        site_copy(scratch_path(s.dir, "private"), scratch_path(s.dir, "backup"));
        if (whole) { /* the guard on another disk, the rest restored with the public tree */
            assert_int_equal(rename(scratch_path(s.dir, "private/guard"), guard), 0);
            s.o.guard_path = guard;
        }
        site_start(&s);
        (void)site_accepts(&s, "po/2103", site_event("2103", 1));
        site_stop(&s);
        scratch_remove(scratch_path(s.dir, "private"));
        site_copy(scratch_path(s.dir, "backup"), scratch_path(s.dir, "private"));
        if (whole) scratch_remove(scratch_path(s.dir, "public"));
        if (whole) site_copy(scratch_path(base, "public"), scratch_path(s.dir, "public"));
        refuses(E_ROLLBACK, site_try_start(&s, &f));
        scratch_remove(s.dir);
    }
    /* the guard alone is lost: nothing says what was signed */
    struct site s = site_new(x, base);
    assert_int_equal(unlink(scratch_path(s.dir, "private/guard")), 0);
    refuses(E_ROLLBACK, site_try_start(&s, &f));
    scratch_remove(s.dir);
}

/* ---- damage ---- */

static long find_in(const char *path, const char *what) {
    struct buf b;
    struct fail f;
    buf_init(&b, 64 << 20);
    must(file_read(path, 64 << 20, &b, &f));
    const uint8_t *at = memmem(b.p, b.n, what, strlen(what));
    long n = at ? (long)(at - b.p) : -1;
    buf_release(&b);
    return n;
}

static void changed_database(void **state) {
    (void)state;
    static const struct {
        const char *what; /* bytes that stand in an entry */
    } cases[] = {{"\"ann\":200"}, {"\"votes\":{\"ann\":101"}, {"\"event\":\"form-posted\""}};
    struct fail f;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct site s = site_new(x, base);
        const char *db = scratch_path(s.dir, "private/records.db");
        long at = find_in(db, cases[i].what);
        if (at < 0) fail_msg("%s is not in the database", cases[i].what);
        scratch_flip(db, at + (long)strlen(cases[i].what) - 2);
        refuses(E_DAMAGED, site_try_start(&s, &f));
        scratch_remove(s.dir);
    }
    /* the last page is torn off */
    struct site s = site_new(x, base);
    uint64_t size;
    const char *db = scratch_path(s.dir, "private/records.db");
    must(file_size(db, &size, &f));
    assert_int_equal(truncate(db, (off_t)size - 1000), 0);
    refuses(E_DAMAGED, site_try_start(&s, &f));
    scratch_remove(s.dir);
}

/* Tiles that differ from the log are made again at the next start; until then verify names them. */
static void damaged_tiles(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    site_start(&s);
    static const char *const station[] = {"2101", "2102", "2103", "1102"};
    for (unsigned i = 0; i < 4; i++) {
        char key[40];
        snprintf(key, sizeof key, "po/%s", station[i]);
        for (unsigned n = 0; n < 60; n++) (void)site_accepts(&s, key, site_event(station[i], n));
    }
    assert_true(sequencer_size(daemon_sequencer(s.d)) > TILE_WIDTH + 8);
    site_stop(&s);
    site_is_valid(&s);
    char last[TILE_PATH_MAX], name[200];
    tile_path((struct tile){.entries = true, .index = 1,
                            .width = (uint16_t)(site_size(&s) - TILE_WIDTH)}, last);
    const char *const files[] = {"tile/entries/000", "tile/0/000", last};
    for (size_t i = 0; i < 3; i++) {
        for (int gone = 0; gone < 2; gone++) {
            snprintf(name, sizeof name, "public/%s", files[i]);
            if (gone)
                assert_int_equal(unlink(scratch_path(s.dir, name)), 0);
            else
                scratch_flip(scratch_path(s.dir, name), 700);
            struct verify_report *v = site_judged(&s);
            assert_int_equal(v->verdict, gone ? VERDICT_UNKNOWN : VERDICT_INVALID);
            assert_int_equal(v->code, gone ? E_NOT_FOUND : E_TILE);
            free(v);
            site_start(&s);
            for (int k = 0; !file_exists(scratch_path(s.dir, name)) && k < PATIENCE_MS / 5; k++)
                pause_ms(5);
            pause_ms(50);
            site_stop(&s);
            site_is_valid(&s);
        }
    }
    /* a published checkpoint that is not ours is no authority */
    scratch_write(scratch_path(s.dir, "public/checkpoint"), "nonsense", 8);
    site_start(&s);
    site_stop(&s);
    site_is_valid(&s);
    site_end(&s);
}

/* ---- clocks ---- */

static uint64_t entry_ms(const struct site *s, uint64_t index) {
    struct buf b;
    struct span note;
    struct fail f;
    uint64_t ms;
    buf_init(&b, ENTRY_MAX);
    assert_true(site_stored(s, index, &b));
    must(entry_parse(buf_view(&b), &ms, &note, &f));
    buf_release(&b);
    return ms;
}

/* Back by an hour: time stands still in the log until it is there again. */
static void clock_back(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    site_start(&s);
    uint64_t a = site_accepts(&s, "po/2103", site_event("2103", 1));
    clock_wall_shift(-3600000);
    uint64_t b = site_accepts(&s, "po/2103", site_event("2103", 2));
    site_stop(&s);
    site_start(&s); /* also over a restart */
    uint64_t c = site_accepts(&s, "po/2103", site_event("2103", 3));
    clock_wall_shift(0);
    uint64_t d = site_accepts(&s, "po/2103", site_event("2103", 4));
    site_stop(&s);
    assert_true(entry_ms(&s, b) == entry_ms(&s, a));
    assert_true(entry_ms(&s, c) == entry_ms(&s, a));
    assert_true(entry_ms(&s, d) >= entry_ms(&s, a));
    site_is_valid(&s);
    site_end(&s);
}

/* A witness in this process, whose clock is right; it believes whatever it is shown. */
struct honest {
    struct note_signer signer;
    int64_t ahead_s;
};

static err exchange(void *ctx, const char *url, struct span body, int *status, struct buf *answer,
                    struct fail *f) {
    struct honest *h = ctx;
    (void)url;
    *status = 404;
    if (!body.p) return OK;
    struct witness_request r;
    TRY(witness_request_parse(body, &r, f));
    *status = 200;
    uint64_t now = (uint64_t)time(NULL);
    return cosignature_sign(&h->signer, r.checkpoint.body, now + (uint64_t)h->ahead_s, answer, f);
}

static void clock_year_ahead(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct honest h = {.ahead_s = 0};
    struct fail f;
    uint8_t seed[32] = "a witness";
    must(note_signer_make(SPAN_LIT("wit.example"), NOTE_TYPE_COSIGNATURE, seed, &h.signer, &f));
    struct buf vkey, note, pattern;
    buf_init(&vkey, 1024);
    buf_init(&note, 65536);
    buf_init(&pattern, 65536);
    note_vkey_format(&h.signer.key, &vkey);
    site_start(&s);
    buf_printf(&pattern,
               "amend {'changes':[{'policy':['log ${v:" SITE_ORIGIN "}','witness w %s http://w','quorum w']}],"
               "'definition':3,'election':'${e}'}", buf_cstr(&vkey));
    struct buf text;
    buf_init(&text, 65536);
    fx_expand(x, buf_cstr(&pattern), &text);
    fx_sign(x, "com/1,com/2", buf_view(&text), &note);
    (void)site_accepts_note(&s, buf_view(&note), 201);
    site_stop(&s);
    /* the parts by hand, with our transport */
    struct sequencer *q;
    struct publisher *p;
    struct witnessing *w;
    struct sequencer_options so = {.dir = s.dir, .log = &fx_key(x, SITE_ORIGIN)->signer};
    must(sequencer_open(&so, &q, &f));
    struct publisher_options po = {.public_dir = scratch_path(s.dir, "public")};
    must(publisher_open(&po, q, &p, &f));
    struct transport t = {exchange, &h};
    must(witnessing_open(q, p, &t, NULL, 0, &w, &f));
    assert_int_equal(witnessing_count(w), 1);
    must(witnessing_confirm(w, &f));
    must(sequencer_start(q, &f));
    must(publisher_tick(p, &f));
    must(witnessing_round(w, &f));
    buf_clear(&note);
    site_note(&s, "po/2103", site_event("2103", 1), &note);
    must(setup_submit(q, buf_view(&note), NULL, &f));
    clock_wall_shift(INT64_C(365) * 86400000);
    must(publisher_tick(p, &f));
    must(witnessing_round(w, &f));
    buf_clear(&note);
    site_note(&s, "po/2103", site_event("2103", 2), &note);
    uint64_t size = sequencer_size(q);
    refuses(E_CLOCK, setup_submit(q, buf_view(&note), NULL, &f));
    const char *why;
    assert_false(sequencer_is_up(q, &why)); /* what watches the daemon is told */
    assert_non_null(strstr(why, "clock"));
    assert_true(sequencer_size(q) == size);
    clock_wall_shift(0);
    must(witnessing_round(w, &f)); /* set right again: the next round finds out */
    assert_true(sequencer_is_up(q, &why));
    must(setup_submit(q, buf_view(&note), NULL, &f));
    witnessing_close(w);
    publisher_close(p);
    sequencer_close(q);
    buf_release(&vkey);
    buf_release(&note);
    buf_release(&pattern);
    buf_release(&text);
    scratch_remove(s.dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_disk),
        cmocka_unit_test(read_only_folder),
        cmocka_unit_test(two_daemons),
        cmocka_unit_test(restored_copy),
        cmocka_unit_test(changed_database),
        cmocka_unit_test(damaged_tiles),
        cmocka_unit_test(clock_back),
        cmocka_unit_test(clock_year_ahead),
    };
    return cmocka_run_group_tests_name("trouble", tests, setup, teardown);
}
