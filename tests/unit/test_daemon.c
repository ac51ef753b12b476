/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The whole daemon under attack: refusals over HTTP and their incidents, bodies that are no records,
 * floods, retries, uploads. */
#include "daemon_base.h"
#include "service/portal.h"

#include "record_cases.h"
#include "service/incidents.h"
#include "service/setup.h"

/* ---- refusals ---- */

static size_t occurrences(struct span text, const char *what) {
    size_t n = 0;
    struct span rest = text;
    for (const uint8_t *at; rest.n && (at = memmem(rest.p, rest.n, what, strlen(what))); n++)
        rest = span_from(rest, (size_t)(at - rest.p) + strlen(what));
    return n;
}

/* The sum of what the rows with this text in them count. */
static uint64_t counted(struct span record, const char *which) {
    uint64_t sum = 0;
    struct span rest = record;
    for (const uint8_t *at; rest.n && (at = memmem(rest.p, rest.n, "{\"class\":", 9));) {
        rest = span_from(rest, (size_t)(at - rest.p));
        const uint8_t *end = memchr(rest.p, '}', rest.n);
        assert_non_null(end);
        struct span row = span_of(rest.p, (size_t)(end - rest.p));
        rest = span_from(rest, row.n);
        if (!memmem(row.p, row.n, which, strlen(which))) continue;
        const uint8_t *count = memmem(row.p, row.n, "\"count\":", 8);
        assert_non_null(count);
        sum += strtoull((const char *)count + 8, NULL, 10);
    }
    return sum;
}

/* The door asks first for a line by a key that the log knows (its own signs nothing that is sent to
 * it), which must hold; only then the fold is asked. */
static bool at_the_door(const struct record_case *c, struct span note, err got) {
    struct note cut;
    struct note_line lines[NOTE_LINES_MAX];
    struct key_view key;
    if (got == E_SIGNATURE) return strstr(c->pattern, "${fake:") != NULL;
    if (got != E_SIGNER || note_split(note, &cut, lines, NOTE_LINES_MAX, NULL) != OK) return false;
    for (size_t i = 0; i < cut.count; i++)
        if (fold_key(x->fold, lines[i].name, &key)) return false;
    return true;
}

static void every_refusal(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    site_start(&s);
    uint64_t size = sequencer_size(daemon_sequencer(s.d)), refused = 0, no_incident = 0;
    for (unsigned i = 0; i < record_case_count; i++) {
        const struct record_case *c = &record_cases[i];
        if (c->want == OK || c->want == E_DUPLICATE || (c->signers && !c->signers[0]) || c->ms ||
            strcmp(c->name, "not-yet") == 0) /* by now it is */
            continue;
        struct buf note;
        struct reply r;
        struct fail f;
        size_t objects = x->object_count;
        buf_init(&note, 1 << 20);
        if (c->signers)
            site_note(&s, c->signers, c->pattern, &note);
        else
            fx_expand(x, c->pattern, &note);
        for (; objects < x->object_count; objects++) {
            struct span bytes = buf_view(&x->objects[objects].bytes);
            must(objects_add_many(sequencer_objects(daemon_sequencer(s.d)), OBJECT_PUBLIC, &bytes, 1,
                                  NULL, &f));
        }
        if (!site_post(&s, buf_view(&note), &r)) fail_msg("%s: no answer", c->name);
        char code[40] = "";
        if (r.body.n > 10) sscanf((const char *)r.body.p, "{\"code\":\"%39[A-Z0-9_]\"", code);
        err got = err_by_name(code);
        if (got != c->want && !at_the_door(c, buf_view(&note), got))
            fail_msg("%s: wanted %s, got %d %.*s", c->name, err_info(c->want)->name, r.status,
                     SPAN_ARG(r.body));
        site_is(&r, got, c->name);
        refused++;
        no_incident += got == E_OBJECT_MISSING;
        buf_release(&note);
    }
    assert_true(refused > 150);
    assert_true(sequencer_size(daemon_sequencer(s.d)) == size);
    assert_true(incidents_total(sequencer_incidents(daemon_sequencer(s.d))) == refused - no_incident);
    site_stop(&s); /* writes what waits */
    struct buf entry;
    buf_init(&entry, ENTRY_MAX);
    assert_true(site_stored(&s, size, &entry));
    assert_non_null(memmem(entry.p, entry.n, "hesabu/v1 incident\n", 19));
    assert_true(counted(buf_view(&entry), "\"class\":") == refused - no_incident);
    size_t rows = occurrences(buf_view(&entry), "{\"class\":");
    size_t proven = occurrences(buf_view(&entry), "{\"class\":\"proven\"");
    assert_in_range(rows, 30, 256);
    assert_in_range(proven, 20, 255);
    /* a forged line proves nothing; a held one names its key and keeps the note */
    assert_int_equal(counted(buf_view(&entry), "\"class\":\"proven\",\"code\":\"E_SIGNATURE\""), 0);
    assert_true(counted(buf_view(&entry), "\"class\":\"proven\",\"code\":\"E_REVOKED\"") > 0);
    site_is_valid(&s);
    struct verify_report *v = site_judged(&s);
    assert_int_equal(v->objects_absent, 0);
    free(v);
    buf_release(&entry);
    site_end(&s);
}

/* One incident record in ten minutes, whatever happens. */
static void incidents_are_rare(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    uint64_t size = x->entry_count;
    for (int i = 0; i < 3; i++) {
        site_start(&s);
        site_refuses(&s, E_SIGNER, "stranger", site_event("2103", 1));
        site_stop(&s);
        assert_true(site_size(&s) == size + 1);
    }
    clock_wall_shift(600001);
    site_start(&s);
    site_refuses(&s, E_SIGNER, "stranger", site_event("2103", 1));
    site_stop(&s);
    clock_wall_shift(0);
    assert_true(site_size(&s) == size + 2);
    /* the two that had to wait while the daemon was down are told with the last */
    struct buf entry;
    buf_init(&entry, ENTRY_MAX);
    assert_true(site_stored(&s, size + 1, &entry));
    assert_int_equal(counted(buf_view(&entry), "\"class\":"), 3);
    buf_release(&entry);
    site_end(&s);
}

static void incident_rows_are_bounded(void **state) {
    (void)state;
    struct incidents *in;
    struct fail f;
    must(incidents_new(&in, &f));
    uint64_t total = 0, logged = 0;
    for (unsigned i = 0; i < 3000; i++, total++) {
        char name[40];
        snprintf(name, sizeof name, "po/%u", i % 700);
        incidents_add(in, (err)(E_SIGNER + (err)(i % 5)), name, i % 2, REC_RESULT,
                      i % 2 ? SPAN_LIT("a note") : (struct span){0}, 1000 + i);
    }
    for (int turn = 0; turn < 20 && incidents_waiting(in); turn++) {
        struct buf text;
        struct span evidence[256];
        size_t count;
        buf_init(&text, ENTRY_MAX);
        must(incidents_take(in, x->fold, 9000, &text, evidence, 256, &count, &f));
        assert_in_range(occurrences(buf_view(&text), "{\"class\":"), 1, 256);
        assert_true(text.n <= 61440);
        logged += counted(buf_view(&text), "\"class\":");
        /* what comes meanwhile is not lost */
        incidents_add(in, E_SIGNER, "po/1101", false, REC_RESULT, (struct span){0}, 9000);
        total++;
        incidents_written(in, true);
        buf_release(&text);
        if (turn == 10) break;
    }
    assert_true(logged + incidents_waiting(in) == total);
    assert_true(incidents_total(in) == total);
    incidents_free(in);
}

/* What a take would put into the log, and whether it gets there. */
static uint64_t taken(struct incidents *in, uint64_t ms, bool logged) {
    struct buf text;
    struct span evidence[256];
    size_t count;
    struct fail f;
    buf_init(&text, ENTRY_MAX);
    must(incidents_take(in, x->fold, ms, &text, evidence, 256, &count, &f));
    uint64_t n = counted(buf_view(&text), "\"class\":");
    incidents_written(in, logged);
    buf_release(&text);
    return n;
}

static struct incidents *after_a_kill(struct span kept, uint64_t logged_ms) {
    struct incidents *in;
    struct fail f;
    must(incidents_new(&in, &f));
    must(incidents_parse(in, kept, logged_ms, &f));
    return in;
}

/* Killed at any moment, what waits is told once: neither lost nor told twice. */
static void incidents_outlive_the_process(void **state) {
    (void)state;
    struct incidents *in, *next;
    struct fail f;
    struct buf kept, again, text;
    struct span evidence[256];
    size_t count;
    buf_init(&kept, 1 << 20);
    buf_init(&again, 1 << 20);
    buf_init(&text, ENTRY_MAX);
    must(incidents_new(&in, &f));
    for (unsigned i = 0; i < 5; i++)
        incidents_add(in, E_REVOKED, "po/1101", true, REC_RESULT, SPAN_LIT("a refused note\n"), 1000 + i);
    incidents_add(in, E_SIGNER, "", false, REC_COUNT, (struct span){0}, 2000);
    assert_true(incidents_format(in, &kept));
    assert_false(incidents_format(in, &again)); /* nothing changed since */
    assert_true(span_eq(buf_view(&kept), buf_view(&again)));
    next = after_a_kill(buf_view(&kept), 0); /* killed before anything was told */
    assert_int_equal(incidents_waiting(next), 6);
    assert_int_equal(taken(next, 5000, true), 6);
    assert_int_equal(incidents_waiting(next), 0);
    incidents_free(next);
    /* killed while it was being told, at 5,000; one more had come by then */
    must(incidents_take(in, x->fold, 5000, &text, evidence, 256, &count, &f));
    assert_int_equal(count, 1);
    incidents_add(in, E_QUOTA, "po/2103", false, REC_RESULT, (struct span){0}, 5001);
    buf_clear(&kept);
    assert_true(incidents_format(in, &kept));
    next = after_a_kill(buf_view(&kept), 5000); /* the record got into the log */
    assert_int_equal(taken(next, 6000, true), 1);
    incidents_free(next);
    next = after_a_kill(buf_view(&kept), 4000); /* it did not */
    assert_int_equal(taken(next, 6000, true), 7);
    incidents_free(next);
    incidents_written(in, true);
    buf_clear(&kept);
    assert_true(incidents_format(in, &kept));
    next = after_a_kill(buf_view(&kept), 5000);
    assert_int_equal(incidents_waiting(next), 1);
    incidents_free(next);
    incidents_free(in);
    buf_release(&kept);
    buf_release(&again);
    buf_release(&text);
}

static void damaged_incidents_are_put_aside(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "hesabu incidents v2\ntaken 0\n", "hesabu incidents v1\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER claimed - - 1 0 1 1 -",
        "hesabu incidents v1\ntaken 0\nE_NONE claimed - - 1 0 1 1 -\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER heard - - 1 0 1 1 -\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER claimed ballot - 1 0 1 1 -\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER claimed -  1 0 1 1 -\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER claimed - - 0 0 1 1 -\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER claimed - - 1 2 1 1 -\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER claimed - - 1 0 2 1 -\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER claimed - - 1 0 1 1 ====\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER claimed - - 1 0 1 1 - -\n",
        "hesabu incidents v1\ntaken 0\nE_SIGNER claimed - - 1 0 1 1 -\n\n",
    };
    char dir[64], path[128], aside[160];
    struct incidents *in;
    struct fail f;
    scratch_make(dir);
    snprintf(path, sizeof path, "%s/incidents", dir);
    snprintf(aside, sizeof aside, "%s.damaged", path);
    must(incidents_new(&in, &f));
    must(incidents_load(in, path, 0, &f)); /* no file: nothing waits */
    assert_false(file_exists(aside));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refuses(incidents_parse(in, span_text(bad[i]), 0, &f), E_DAMAGED);
        must(file_write_atomic(path, span_text(bad[i]), &f));
        must(incidents_load(in, path, 0, &f));
        assert_true(file_exists(aside) && !file_exists(path));
        assert_int_equal(incidents_waiting(in), 0);
    }
    incidents_add(in, E_SIGNER, "", false, REC_COUNT, (struct span){0}, 2000);
    incidents_save(in, path);
    incidents_free(in);
    must(incidents_new(&in, &f));
    must(incidents_load(in, path, 0, &f));
    assert_int_equal(incidents_waiting(in), 1);
    incidents_free(in);
    scratch_remove(dir);
}

/* ---- bodies that are not records ---- */

static void hostile_bodies(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct reply r;
    site_start(&s);
    /* 4 GiB are refused by their announcement */
    int fd = dial(daemon_port(s.d));
    assert_int_equal(ask_on(fd, "POST /records HTTP/1.1\r\nHost: a\r\nContent-Length: 4294967296\r\n\r\n",
                            &r), 413);
    reply_free(&r);
    close(fd);
    /* nested deeper than anybody may, in as many bytes as are taken */
    struct buf text, note;
    buf_init(&text, 4 << 20);
    buf_init(&note, 4 << 20);
    buf_str(&text, "hesabu/v1 station-event\n");
    for (int i = 0; i < 3000; i++) buf_byte(&text, '[');
    buf_byte(&text, '\n');
    fx_sign(x, "po/2103", buf_view(&text), &note);
    site_refuses_note(&s, E_FIELD, buf_view(&note), "3,000 levels where an object is due");
    buf_clear(&text);
    buf_clear(&note);
    buf_str(&text, "hesabu/v1 amend\n{\"changes\":");
    for (int i = 0; i < 30000; i++) buf_byte(&text, '[');
    buf_byte(&text, '\n');
    fx_sign(x, "com/1,com/2", buf_view(&text), &note);
    site_refuses_note(&s, E_FIELD, buf_view(&note), "30,000 levels of changes");
    buf_clear(&text);
    for (int i = 0; i < 1000000; i++) buf_byte(&text, '[');
    assert_int_equal(site_post(&s, buf_view(&text), &r), 413);
    site_is(&r, E_TOO_LARGE, "a million levels");
    /* nothing, zeros, all bytes */
    site_refuses_note(&s, E_NOTE, (struct span){0}, "nothing");
    uint8_t bytes[256];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    site_refuses_note(&s, E_UTF8, span_of(bytes, sizeof bytes), "all bytes");
    buf_release(&text);
    buf_release(&note);
    (void)site_accepts(&s, "po/2103", site_event("2103", 1));
    site_end(&s);
}

/* Those who send a byte now and then keep nobody waiting, and stopping does not wait for them. */
static void slow_senders(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    site_start(&s);
    int fd[40];
    for (int i = 0; i < 40; i++) {
        fd[i] = dial(daemon_port(s.d));
        assert_true(say(fd[i], i % 2 ? "POST /records HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\nh"
                                     : "POST /rec"));
    }
    for (unsigned i = 0; i < 10; i++) {
        (void)site_accepts(&s, "po/2103", site_event("2103", i));
        for (int k = 0; k < 40; k++) (void)say(fd[k], "e");
    }
    site_stop(&s);
    for (int i = 0; i < 40; i++) close(fd[i]);
    assert_true(site_size(&s) == x->entry_count + 10);
    site_end(&s);
}

/* ---- floods ---- */

static void full_queue(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    s.o.queue_max = 3;
    s.o.batch_max = 2;
    site_start(&s);
    struct sequencer *q = daemon_sequencer(s.d);
    (void)sequencer_fold_lock(q); /* the sequencer waits for us */
    int fd[12];
    unsigned busy = 0, done = 0;
    for (unsigned i = 0; i < 12; i++) {
        struct buf note;
        char head[100];
        buf_init(&note, 65536);
        site_note(&s, "po/2103", site_event("2103", i), &note);
        fd[i] = dial(daemon_port(s.d));
        snprintf(head, sizeof head, "POST /records HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                 note.n);
        assert_true(say(fd[i], head) && say_bytes(fd[i], note.p, note.n));
        buf_release(&note);
    }
    /* at most two are with the sequencer and three wait: at least seven are told to come back */
    struct pollfd p[12];
    for (int turn = 0; busy < 7; turn++) {
        assert_true(turn < PATIENCE_MS);
        for (unsigned i = 0; i < 12; i++) p[i] = (struct pollfd){.fd = fd[i], .events = POLLIN};
        assert_true(poll(p, 12, PATIENCE_MS) > 0);
        for (unsigned i = 0; i < 12; i++) {
            struct reply r;
            if (fd[i] < 0 || !(p[i].revents & POLLIN)) continue;
            assert_true(hear_reply(fd[i], NULL, false, &r));
            site_is(&r, E_BUSY, "a full queue");
            close(fd[i]);
            fd[i] = -1;
            busy++;
        }
    }
    sequencer_fold_unlock(q);
    for (unsigned i = 0; i < 12; i++) {
        struct reply r;
        if (fd[i] < 0) continue;
        assert_true(hear_reply(fd[i], NULL, false, &r));
        close(fd[i]);
        if (r.status == 201) {
            done++;
            reply_free(&r);
        } else { /* the sequencer may have taken fewer than two before it had to wait */
            site_is(&r, E_BUSY, "a full queue");
            busy++;
        }
    }
    assert_true(busy + done == 12 && done >= 3 && done <= 5);
    site_stop(&s);
    assert_true(site_size(&s) == x->entry_count + done); /* being busy is no incident */
    site_end(&s);
}

/* A thousand valid records from one key: its budget at the door, nobody else's. */
static void one_key_floods(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    s.o.key_per_second = 1;
    s.o.key_burst = 20;
    site_start(&s);
    uint64_t from = clock_monotonic_ms();
    unsigned taken = 0, turned_away = 0;
    for (unsigned i = 0; i < 1000; i++) {
        struct buf note;
        struct reply r;
        buf_init(&note, 65536);
        site_note(&s, "po/2103", site_event("2103", i), &note);
        int status = site_post(&s, buf_view(&note), &r);
        if (status == 201) {
            taken++;
            reply_free(&r);
        } else {
            site_is(&r, E_RATE, "a flood");
            turned_away++;
        }
        buf_release(&note);
        if (i % 100 == 50) (void)site_accepts(&s, "po/2102", site_event("2102", i));
    }
    uint64_t seconds = (clock_monotonic_ms() - from) / 1000 + 1;
    assert_true(taken >= 20 && taken <= 20 + seconds);
    assert_true(taken + turned_away == 1000);
    site_stop(&s);
    struct buf entry;
    buf_init(&entry, ENTRY_MAX);
    assert_true(site_size(&s) == x->entry_count + taken + 10 + 1);
    assert_true(site_stored(&s, x->entry_count + taken + 10, &entry));
    assert_true(counted(buf_view(&entry), "\"class\":\"proven\",\"code\":\"E_RATE\"") == turned_away);
    buf_release(&entry);
    site_end(&s);
}

struct answers {
    pthread_mutex_t lock;
    unsigned ok, quota, other;
};

static void answered(void *ctx, struct receipt *r) {
    struct answers *a = ctx;
    pthread_mutex_lock(&a->lock);
    *(r->code == OK ? &a->ok : r->code == E_QUOTA ? &a->quota : &a->other) += 1;
    pthread_mutex_unlock(&a->lock);
}

/* And its quota in the log, however slowly it comes. */
static void one_key_fills(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct fail f;
    s.o.no_http = true;
    site_start(&s);
    struct sequencer *q = daemon_sequencer(s.d);
    struct answers a = {.lock = PTHREAD_MUTEX_INITIALIZER};
    for (unsigned i = 0; i < 1100; i++) {
        struct submission *one;
        struct buf note;
        buf_init(&note, 65536);
        site_note(&s, "po/2103", site_event("2103", i), &note);
        must(submission_new(buf_view(&note), sequencer_keys(q), &one, &f));
        one->done = answered;
        one->ctx = &a;
        must(sequencer_submit(q, one, &f));
        buf_release(&note);
    }
    struct buf note;
    buf_init(&note, 65536);
    site_note(&s, "po/2102", site_event("2102", 1), &note);
    must(setup_submit(q, buf_view(&note), NULL, &f));
    buf_release(&note);
    site_stop(&s);
    assert_int_equal(a.ok, 1000);
    assert_int_equal(a.quota, 100);
    assert_int_equal(a.other, 0);
    site_end(&s);
}

/* ---- the same record again ---- */

static void retries(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    site_start(&s);
    struct sequencer *q = daemon_sequencer(s.d);
    const char *result = "result {'ballots':{'rejected':1,'valid':6},'basis':'station',"
                         "'contest':'president','definition':2,'election':'${e}','round':1,"
                         "'signed_ms':1,'station':'2103','votes':{'ann':1,'bo':2,'cy':3}}";
    struct buf alone, both, forged;
    buf_init(&alone, 65536);
    buf_init(&both, 65536);
    buf_init(&forged, 65536);
    site_note(&s, "po/2103", result, &alone);
    site_note(&s, "po/2103,party/red", result, &forged); /* whose role may not sign it */
    uint64_t index = site_accepts_note(&s, buf_view(&alone), 201), size = sequencer_size(q);
    for (int i = 0; i < 3; i++) assert_true(site_accepts_note(&s, buf_view(&alone), 200) == index);
    assert_true(sequencer_size(q) == size);
    site_refuses_note(&s, E_ROLE, buf_view(&forged), "a retry with a line too many");
    buf_clear(&forged);
    buf_span(&forged, buf_view(&alone));
    fx_expand(x, "${fake:zz/nobody}", &forged);
    site_refuses_note(&s, E_SIGNER, buf_view(&forged), "a retry with a stranger's line");
    /* another line that may stand there is added; without it nothing is taken away */
    fx_grant(x, "agent/red/2103", "agent", "2103", "red", "party/red");
    uint64_t ms;
    struct span grant;
    struct fail f;
    must(entry_parse(buf_view(&x->entries[x->entry_count - 1].bytes), &ms, &grant, &f));
    (void)site_accepts_note(&s, grant, 201);
    site_note(&s, "po/2103,agent/red/2103", result, &both);
    size = sequencer_size(q);
    assert_true(site_accepts_note(&s, buf_view(&both), 200) == index);
    assert_true(sequencer_size(q) == size + 1);
    assert_true(site_accepts_note(&s, buf_view(&alone), 200) == index);
    assert_true(site_accepts_note(&s, buf_view(&both), 200) == index);
    assert_true(sequencer_size(q) == size + 1);
    site_stop(&s);
    struct buf entry;
    buf_init(&entry, ENTRY_MAX);
    assert_true(site_stored(&s, size, &entry));
    assert_non_null(memmem(entry.p, entry.n, "hesabu/v1 signatures\n", 21));
    assert_non_null(memmem(entry.p, entry.n, "agent/red/2103", 14));
    site_is_valid(&s);
    buf_release(&entry);
    buf_release(&alone);
    buf_release(&both);
    buf_release(&forged);
    site_end(&s);
}

/* ---- uploads ---- */

/* PUT /objects/ID with this record in the header (NULL: none). */
static int put(struct site *s, const char *hex, const char *class, const struct buf *record,
               struct span body, struct reply *r) {
    struct buf head;
    buf_init(&head, 1 << 20);
    buf_printf(&head, "PUT /objects/%s%s HTTP/1.1\r\n", hex, class);
    if (record) {
        buf_str(&head, "Hesabu-Record: ");
        buf_base64(&head, buf_view(record));
        buf_str(&head, "\r\n");
    }
    int status = site_request(s, buf_cstr(&head), body, r);
    buf_release(&head);
    return status;
}

static void image_note(struct site *s, const char *original, const char *shown, struct buf *note) {
    char pattern[2000];
    snprintf(pattern, sizeof pattern,
             "image {'contest':'president','election':'${e}','kind':'carbon','masked':[],"
             "'original':${o:%s},'page':1,'public':${o:%s},'round':1,'station':'2103'}",
             original, shown);
    site_note(s, "po/2103", pattern, note);
}

static void uploads(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    site_start(&s);
    struct reply r;
    struct buf image, event, manifest;
    struct span shown = SPAN_LIT("a masked picture"), original = SPAN_LIT("the picture");
    char hex[HASH_HEX_LEN + 1], other[HASH_HEX_LEN + 1];
    struct hash id = sha256(shown), id2 = sha256(original);
    hash_hex(&id, hex);
    hash_hex(&id2, other);
    buf_init(&image, 65536);
    buf_init(&event, 65536);
    buf_init(&manifest, 65536);
    image_note(&s, "the picture", "a masked picture", &image);
    site_note(&s, "po/2103", site_event("2103", 1), &event);
    site_refuses_note(&s, E_OBJECT_MISSING, buf_view(&image), "before the upload");
#define PUT_IS(code, hex_, class, record, body)                                                    \
    do {                                                                                           \
        (void)put(&s, hex_, class, record, body, &r);                                              \
        site_is(&r, code, #code " " class);                                                        \
    } while (0)
    PUT_IS(E_SIGNER, hex, "", NULL, shown);
    PUT_IS(E_REFERENCE, hex, "", &event, shown);
    PUT_IS(E_REFERENCE, hex, "", &image, SPAN_LIT("a masked picture, longer"));
    PUT_IS(E_OBJECT, hex, "", &image, SPAN_LIT("A masked picture"));
    PUT_IS(E_HEX, "abc", "", &image, shown);
    PUT_IS(E_FIELD, hex, "?class=secret", &image, shown);
    /* of nothing, with a record that names it and is signed well */
    struct buf empty;
    char none[HASH_HEX_LEN + 1];
    struct hash of_none = sha256(SPAN_LIT(""));
    hash_hex(&of_none, none);
    buf_init(&empty, 65536);
    image_note(&s, "", "a masked picture", &empty);
    PUT_IS(E_FIELD, none, "", &empty, SPAN_LIT(""));
    buf_release(&empty);
    /* a manifest that anybody can write is no ticket */
    struct span first;
    uint64_t ms;
    struct fail f;
    must(entry_parse(buf_view(&x->entries[0].bytes), &ms, &first, &f));
    buf_str(&manifest, "hesabu/v1 manifest\n");
    buf_printf(&manifest, "{\"units\":{\"sha256\":\"%s\",\"size\":%zu}}\n\n", hex, shown.n);
    fx_expand(x, "${fake:zz/nobody}", &manifest);
    PUT_IS(E_SIGNER, hex, "", &manifest, shown);
    site_refuses_note(&s, E_SIGNER, buf_view(&manifest), "a second manifest");
    /* it is not readable before a record names it, nor ever if it is restricted */
    assert_int_equal(put(&s, hex, "", &image, shown, &r), 201);
    reply_free(&r);
    assert_int_equal(put(&s, other, "?class=restricted", &image, original, &r), 201);
    reply_free(&r);
    char get[200];
    snprintf(get, sizeof get, "GET /objects/%s HTTP/1.1\r\nHost: a\r\n\r\n", hex);
    assert_int_equal(ask_status(daemon_port(s.d), get), 404);
    (void)site_accepts_note(&s, buf_view(&image), 201);
    assert_int_equal(ask_status(daemon_port(s.d), get), 200);
    snprintf(get, sizeof get, "GET /objects/%s HTTP/1.1\r\nHost: a\r\n\r\n", other);
    assert_int_equal(ask_status(daemon_port(s.d), get), 404);
    site_stop(&s);
    site_is_valid(&s);
    struct buf entry;
    buf_init(&entry, ENTRY_MAX);
    assert_true(site_stored(&s, x->entry_count + 1, &entry) || site_stored(&s, site_size(&s) - 1, &entry));
    assert_true(counted(buf_view(&entry), "\"code\":\"E_OBJECT\"") == 1);
    assert_true(counted(buf_view(&entry), "\"class\":\"proven\",\"code\":\"E_REFERENCE\"") == 2);
    buf_release(&entry);
    buf_release(&image);
    buf_release(&event);
    buf_release(&manifest);
    site_end(&s);
}

/* What one key may have waiting is limited; what the log names no longer counts. */
static void pending_uploads(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct reply r;
    struct buf note, big;
    unsigned stored_ok = 0, over = 0;
    site_start(&s);
    buf_init(&note, 65536);
    buf_init(&big, 9 << 20);
    for (unsigned i = 0; i < 10; i++) {
        buf_clear(&big);
        buf_u64(&big, i);
        uint8_t *room = buf_room(&big, 7 << 20);
        assert_non_null(room);
        memset(room, 'x', 7 << 20);
        big.n += 7 << 20;
        char hex[HASH_HEX_LEN + 1], pattern[2000];
        struct hash id = sha256(buf_view(&big));
        hash_hex(&id, hex);
        snprintf(pattern, sizeof pattern,
                 "image {'contest':'president','election':'${e}','kind':'carbon','masked':[],"
                 "'original':${o:o},'page':1,'public':{'sha256':'%s','size':%zu},'round':1,"
                 "'station':'2103'}",
                 hex, big.n);
        buf_clear(&note);
        site_note(&s, "po/2103", pattern, &note);
        int status = put(&s, hex, "", &note, buf_view(&big), &r);
        if (status == 201) {
            stored_ok++;
            reply_free(&r);
        } else {
            site_is(&r, E_QUOTA, "too much waits");
            over++;
        }
    }
    assert_int_equal(stored_ok, 9); /* 64 MiB */
    assert_int_equal(over, 1);
    buf_release(&note);
    buf_release(&big);
    site_end(&s);
}

/* --- what a browser is told beside the bytes --- */

static void page_of(struct site *s, const char *path, struct reply *r) {
    char text[300];
    int status = 0;
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    for (uint64_t until = clock_monotonic_ms() + PATIENCE_MS; clock_monotonic_ms() < until;) {
        status = ask(daemon_port(s->d), text, r);
        if (status == 200) return; /* the first publication may still be under way */
        reply_free(r);
        (void)poll(NULL, 0, 20);
    }
    fail_msg("%s: %d", path, status);
}

static void headers(void **state) {
    (void)state;
    struct site s = site_new(x, base);
    struct reply r;
    char path[300];
    site_start(&s);
    const char *const pages[] = {"/", "/index.html", "/sw/", "/about.html", "/card.html"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        char want[600];
        bool framed = strcmp(pages[i], "/card.html") == 0;
        page_of(&s, pages[i], &r);
        snprintf(want, sizeof want, "%s; frame-ancestors %s", page_policy, framed ? "*" : "'self'");
        assert_string_equal(reply_header(&r, "Content-Security-Policy"), want);
        snprintf(want, sizeof want, "<%s%s>; rel=preload; as=style", strncmp(pages[i], "/sw/", 4) ? "" : "../",
                 portal_style);
        assert_string_equal(reply_header(&r, "Link"), want);
        assert_non_null(strstr(page_policy, "default-src 'none'"));
        assert_null(strstr(page_policy, "unsafe-inline"));
        assert_null(strstr(page_policy, "'unsafe-eval'")); /* the module needs 'wasm-unsafe-eval' */
        assert_string_equal(reply_header(&r, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(reply_header(&r, "Referrer-Policy"), "no-referrer");
        assert_string_equal(reply_header(&r, "Cross-Origin-Opener-Policy"), "same-origin");
        assert_string_equal(reply_header(&r, "Cross-Origin-Resource-Policy"), "cross-origin");
        assert_string_equal(reply_header(&r, "Cache-Control"), "public, max-age=2");
        assert_null(reply_header(&r, "X-Frame-Options")); /* it would forbid the card's frame */
        assert_non_null(memmem(r.body.p, r.body.n, page_policy, strlen(page_policy)));
        reply_free(&r);
    }
    /* assets carry their hash in their path, and what lies in the log never changes */
    for (size_t i = 0; i < portal_asset_count; i++) {
        snprintf(path, sizeof path, "/%s", portal_assets[i].path);
        page_of(&s, path, &r);
        assert_string_equal(reply_header(&r, "Cache-Control"), "public, max-age=31536000, immutable");
        assert_string_equal(reply_header(&r, "X-Content-Type-Options"), "nosniff");
        assert_true(span_eq(r.body, span_of(portal_assets[i].bytes, portal_assets[i].n)));
        reply_free(&r);
    }
    assert_true(portal_asset_count > 0);
    page_of(&s, "/head.json", &r);
    assert_string_equal(reply_header(&r, "Cache-Control"), "public, max-age=1");
    assert_string_equal(reply_header(&r, "Access-Control-Allow-Origin"), "*");
    reply_free(&r);
    site_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_refusal),
        cmocka_unit_test(incidents_are_rare),
        cmocka_unit_test(incident_rows_are_bounded),
        cmocka_unit_test(incidents_outlive_the_process),
        cmocka_unit_test(damaged_incidents_are_put_aside),
        cmocka_unit_test(hostile_bodies),
        cmocka_unit_test(slow_senders),
        cmocka_unit_test(full_queue),
        cmocka_unit_test(one_key_floods),
        cmocka_unit_test(one_key_fills),
        cmocka_unit_test(retries),
        cmocka_unit_test(uploads),
        cmocka_unit_test(pending_uploads),
        cmocka_unit_test(headers),
    };
    return cmocka_run_group_tests_name("daemon", tests, setup, teardown);
}
