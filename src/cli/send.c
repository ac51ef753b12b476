/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/send.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "cli/folder.h"
#include "http/outbox_http.h"

static volatile sig_atomic_t stop;

static void on_signal(int n) {
    (void)n;
    stop = 1;
}

struct sender {
    const char *command;
    const struct send_options *o;
    struct outbox *box;
    struct http_client *http;
    struct outbox_http transport;
    bool queue_only, wait_witnessed;
    size_t refused, done;
    err worst;
};

/* --- the anchor --- */

/* Without --anchor the server's own word is taken once and held it to from then on. */
static err pin(struct sender *s, struct fail *f) {
    struct buf b;
    buf_init(&b, ANCHOR_BYTES_MAX);
    err e = OK;
    if (s->o->anchor) {
        e = file_read(s->o->anchor, ANCHOR_BYTES_MAX, &b, f);
    } else if (!outbox_anchor(s->box) && s->o->url) {
        struct outbox_transport t = outbox_http_transport(&s->transport);
        struct outbox_answer a = {0};
        buf_init(&a.body, ANCHOR_BYTES_MAX);
        e = t.call(t.ctx, &(struct outbox_request){.method = "GET", .path = "/anchor"}, &a, f);
        if (e == OK && a.code != OK) {
            *f = a.refusal;
            e = a.code;
        }
        if (e == OK) buf_span(&b, buf_view(&a.body));
        buf_release(&a.body);
        if (e == OK)
            fprintf(stderr, "hesabu %s: the anchor was taken from the server itself (self-declared); "
                            "compare it with the gazetted one, or give --anchor FILE\n",
                    s->command);
    }
    if (e == OK && b.n) e = outbox_pin(s->box, buf_view(&b), f);
    buf_release(&b);
    return e;
}

err send_folder(const char *given, char out[PATH_MAX_LEN], struct fail *f) {
    const char *env = getenv("HESABU_OUTBOX"), *home = getenv("HOME");
    if (!given && env && *env) given = env;
    int n = given ? snprintf(out, PATH_MAX_LEN, "%s", given)
            : home ? snprintf(out, PATH_MAX_LEN, "%s/.hesabu/outbox", home)
                   : -1;
    if (n < 0 || n >= PATH_MAX_LEN) return fail_set(f, E_USAGE, "where is the outbox? give --outbox DIR");
    return OK;
}

static err open_sender(struct sender *s, struct fail *f) {
    char dir[PATH_MAX_LEN];
    const char *w = s->o->wait;
    if (w && strcmp(w, "queued") && strcmp(w, "receipt") && strcmp(w, "witnessed"))
        return fail_set(f, E_USAGE, "--wait is queued, receipt or witnessed, not \"%.40s\"", w);
    s->queue_only = (w && !strcmp(w, "queued")) || !s->o->url;
    s->wait_witnessed = !w || !strcmp(w, "witnessed");
    TRY(send_folder(s->o->outbox, dir, f));
    TRY(outbox_open(dir, &s->box, f));
    if (s->o->url) {
        TRY(http_client_new(&(struct http_client_options){.connect_ms = 10000, .total_ms = 60000},
                            &s->http, f));
        TRY(outbox_http_init(&s->transport, s->http, s->o->url, f));
    }
    return OK;
}

/* --- telling --- */

static void json_item(const struct outbox_item *item) {
    struct buf b;
    buf_init(&b, 8192);
    struct json_out j = json_out(&b);
    json_object(&j);
    json_kstr(&j, "id", item->id);
    json_kstr(&j, "state", outbox_state_name(item->state));
    if (item->index != UINT64_MAX) {
        json_ku64(&j, "entry", item->index);
        json_kbool(&j, "witnessed", item->witnessed);
    }
    json_kstr(&j, "folder", item->path);
    if (item->refusal.code) {
        json_kstr(&j, "code", err_info(item->refusal.code)->name);
        json_kstr(&j, "sentence", item->refusal.text);
    }
    json_object_end(&j);
    buf_byte(&b, '\n');
    (void)cli_print(buf_view(&b));
    buf_release(&b);
}

static void changed(void *ctx, const struct outbox_item *item) {
    struct sender *s = ctx;
    if (item->state == OUTBOX_REFUSED) {
        s->refused++;
        s->worst = item->refusal.code;
    }
    if (item->state == OUTBOX_DONE) s->done++;
    if (s->o->json) {
        json_item(item);
        return;
    }
    cli_progress_end();
    if (item->state == OUTBOX_RECEIVED && s->wait_witnessed && outbox_has_witnesses(s->box) &&
        !item->witnessed)
        printf("%.16s: received as entry %llu, not yet witnessed\n", item->id,
               (unsigned long long)item->index);
    if (item->state == OUTBOX_DONE)
        printf("%.16s: entry %llu, %s; proof in %s/receipt\n", item->id,
               (unsigned long long)item->index,
               item->witnessed ? "witnessed" : "durable and sequenced", item->path);
    if (item->state == OUTBOX_DONE && item->not_logged)
        printf("%.16s: the first copy in the log lacks %u of these signature lines; lines that were "
               "sent later stand in a record of their own\n",
               item->id, item->not_logged);
    if (item->state == OUTBOX_REFUSED)
        printf("%.16s: REFUSED: %s (%s); kept in %s\n", item->id, item->refusal.text,
               err_info(item->refusal.code)->name, item->path);
    fflush(stdout);
}

static err add_all(struct sender *s, const struct send_note *notes, size_t n, struct fail *f) {
    for (size_t i = 0; i < n; i++) {
        struct outbox_item item;
        size_t missing = 0;
        TRY(outbox_add(s->box, notes[i].note, notes[i].objects, notes[i].object_count, &item, &missing,
                       f));
        if (missing && item.state == OUTBOX_QUEUED)
            fprintf(stderr, "hesabu %s: the record names %zu objects that no --object FILE holds: the "
                            "server must have them\n",
                    s->command, missing);
        if (item.state == OUTBOX_DONE) changed(s, &item);
        if (n > 20) cli_progress("queueing", i + 1, n);
        if (s->queue_only && !s->o->json)
            printf("%.16s: %s in %s\n", item.id, outbox_state_name(item.state), item.path);
        if (s->queue_only && s->o->json) json_item(&item);
    }
    cli_progress_end();
    return OK;
}

static void pause_ms(uint64_t ms) {
    while (ms && !stop) {
        uint64_t part = ms > 100 ? 100 : ms;
        nanosleep(&(struct timespec){.tv_nsec = (long)part * 1000000}, NULL);
        ms -= part;
    }
}

/* Until nothing is left, time is up, or somebody presses Ctrl-C. */
static err send_all(struct sender *s, struct fail *f) {
    struct outbox_transport t = outbox_http_transport(&s->transport);
    struct outbox_step_options so = {.wait_witnessed = s->wait_witnessed, .changed = changed, .ctx = s};
    struct outbox_progress p;
    uint64_t end = s->o->for_s ? clock_monotonic_ms() + s->o->for_s * 1000 : UINT64_MAX;
    char last[sizeof p.waits.text] = "";
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    for (;;) {
        TRY(outbox_step(s->box, &t, &so, &p, f));
        size_t left = p.queued + p.received;
        if (!left) return OK;
        cli_progress("waiting for proofs", s->done, s->done + left);
        if (p.waits.code && strcmp(last, p.waits.text) != 0) {
            (void)snprintf(last, sizeof last, "%s", p.waits.text);
            fprintf(stderr, "hesabu %s: %s; trying again, nothing is lost\n", s->command, last);
        }
        uint64_t now = clock_monotonic_ms();
        if (stop || now >= end) {
            cli_progress_end();
            return fail_set(f, p.queued ? E_BUSY : E_QUORUM,
                            "%zu records are still queued, %zu are received, not yet witnessed%s%s; 'hesabu "
                            "submit' with the same --outbox and --url goes on from here",
                            p.queued, p.received, p.waits.code ? ": " : "",
                            p.waits.code ? p.waits.text : "");
        }
        pause_ms(end - now < p.again_ms ? end - now : p.again_ms);
    }
}

int send_notes(const char *command, const struct send_options *o, const struct send_note *notes,
               size_t n) {
    struct sender s = {.command = command, .o = o};
    struct fail f = {0};
    err e = open_sender(&s, &f);
    /* what is given is on the disk before the network is touched */
    if (e == OK && o->anchor) e = pin(&s, &f);
    if (e == OK) e = add_all(&s, notes, n, &f);
    bool again = true;
    uint64_t wait = 500, end = o->for_s ? clock_monotonic_ms() + o->for_s * 1000 : UINT64_MAX;
    while (e == OK && !s.queue_only && again) {
        struct fail why = {0};
        err pinned = pin(&s, &why);
        again = pinned == E_NETWORK || pinned == E_TIMEOUT;
        if (!again && pinned != OK) {
            f = why;
            e = pinned;
        }
        if (again && (stop || clock_monotonic_ms() >= end))
            e = fail_set(&f, pinned, "%.300s; what was given is queued", why.text);
        if (again && e == OK) pause_ms(wait);
        wait = wait < 30000 ? wait * 2 : wait;
        signal(SIGINT, on_signal);
    }
    if (e == OK && !s.queue_only) e = send_all(&s, &f);
    cli_progress_end();
    outbox_close(s.box);
    http_client_free(s.http);
    if (e != OK) return cli_fail(command, &f);
    if (s.refused) return err_info(s.worst)->exit;
    return 0;
}

/* --- making a record --- */

err make_signed(const struct make_options *m, struct span bytes, struct buf *out, struct fail *f) {
    enum { KEYS_MAX = 100 };
    struct folder_key keys[KEYS_MAX];
    const struct note_signer *signers[KEYS_MAX];
    size_t n = 0;
    err e = OK;
    if (m->keys.n == 0) {
        buf_span(out, bytes);
        return buf_ok(out, f);
    }
    if (m->keys.n > KEYS_MAX) return fail_set(f, E_USAGE, "more than %d keys", KEYS_MAX);
    for (; e == OK && n < m->keys.n; n++) {
        e = folder_key_open(m->keys.at[n], m->passphrase_file, &keys[n], f);
        if (e != OK) break;
        signers[n] = keys[n].signer;
    }
    if (e == OK) e = notes_sign(bytes, signers, n, out, f);
    for (size_t i = 0; i < n; i++) folder_key_release(&keys[i]);
    return e;
}

int make_finish(const char *command, const struct make_options *m, struct span text) {
    struct buf note;
    struct fail f = {0};
    int code = 0;
    buf_init(&note, ENTRY_MAX);
    err e = m->send.url && m->keys.n == 0
                ? fail_set(&f, E_USAGE, "--send needs --key: nobody has signed this record yet")
                : make_signed(m, text, &note, &f);
    if (e == OK && m->out) e = file_write_durable(m->out, buf_view(&note), 0644, &f);
    if (e != OK) {
        code = cli_fail(command, &f);
    } else if (m->send.url) {
        struct send_note item = {buf_view(&note), m->objects.at, m->objects.n};
        code = send_notes(command, &m->send, &item, 1);
    } else if (!m->out) {
        code = cli_print(buf_view(&note));
    } else {
        fprintf(stderr, "written to %s%s\n", m->out,
                m->keys.n ? "; 'hesabu submit' sends it" : "; 'hesabu sign' comes next");
    }
    buf_release(&note);
    return code;
}
