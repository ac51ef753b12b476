/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/witness.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"

#define MAGIC      "hesabu/witness/v1\n"
#define TEXT_PLAIN "text/plain; charset=utf-8"

enum { STATE_BYTES_MAX = sizeof MAGIC - 1 + CHECKPOINT_BYTES_MAX };

struct watched {
    struct note_key key;
    char hex[HASH_HEX_LEN + 1]; /* of the origin's hash: the file's name */
    char path[PATH_MAX_LEN];
    pthread_mutex_t lock; /* everything below, and the file */
    struct witness_state state;
    uint64_t time_s;
    struct buf note; /* the last checkpoint cosigned */
    bool failed;
};

struct witness {
    const struct note_signer *key;
    int lock_fd;
    struct watched *logs;
    size_t count;
};

/* --- state --- */

err witness_state_parse(struct span bytes, const struct note_key *log,
                        const struct note_key *witness, struct witness_state *state,
                        uint64_t *time_s, struct fail *f) {
    struct note_line lines[NOTE_LINES_MAX];
    struct note note;
    struct checkpoint c;
    struct cosignature own;
    if (!span_starts(bytes, SPAN_LIT(MAGIC)))
        return fail_set(f, E_DAMAGED, "not a witness's state file");
    struct span text = span_from(bytes, sizeof MAGIC - 1);
    err e = checkpoint_open(text, log, &c, &note, lines, NOTE_LINES_MAX, f);
    if (e == OK) e = cosignatures_collect(c.body, lines, note.count, witness, 1, &own, f);
    if (e == OK && !own.present) e = fail_set(f, E_UNSIGNED, "this witness has not cosigned it");
    if (e != OK) return fail_context(f, E_DAMAGED, "the checkpoint in a witness's state file");
    *state = (struct witness_state){.size = c.size, .root = c.root};
    *time_s = own.time_s;
    return OK;
}

static err load(struct witness *w, struct watched *l, struct fail *f) {
    struct buf b;
    buf_init(&b, STATE_BYTES_MAX);
    err e = file_read(l->path, STATE_BYTES_MAX, &b, f);
    if (e == E_NOT_FOUND) {
        buf_release(&b);
        return OK;
    }
    if (e == OK)
        e = witness_state_parse(buf_view(&b), &l->key, &w->key->key, &l->state, &l->time_s, f);
    if (e == OK) {
        buf_span(&l->note, span_from(buf_view(&b), sizeof MAGIC - 1));
        e = buf_ok(&l->note, f);
    }
    buf_release(&b);
    if (e == E_DAMAGED)
        e = fail_context(f, e, "%s (a witness that has lost its memory begins again in an empty "
                               "folder with a new key)",
                         l->path);
    return e;
}

static err add_log(struct witness *w, const char *dir, const struct note_key *key,
                   struct fail *f) {
    if (!key->known || key->type != NOTE_TYPE_ED25519)
        return fail_set(f, E_VKEY, "a log's key is an Ed25519 key (type 01): \"%.*s\" is not",
                        SPAN_ARG(key->name));
    for (size_t i = 0; i < w->count; i++)
        if (span_eq(w->logs[i].key.name, key->name))
            return fail_set(f, E_CONFIG, "the log \"%.*s\" is given twice", SPAN_ARG(key->name));
    struct watched *l = &w->logs[w->count];
    struct hash id = checkpoint_origin_id(key->name);
    hash_hex(&id, l->hex);
    l->key = *key;
    TRY(path_join(l->path, sizeof l->path, dir, l->hex, f));
    buf_init(&l->note, CHECKPOINT_BYTES_MAX);
    pthread_mutex_init(&l->lock, NULL);
    w->count++;
    return load(w, l, f);
}

err witness_open(const struct witness_options *o, struct witness **out, struct fail *f) {
    char lock[PATH_MAX_LEN];
    if (o->log_count == 0 || o->log_count > WITNESS_LOGS_MAX)
        return fail_set(f, E_CONFIG, "a witness watches 1 to %d logs", WITNESS_LOGS_MAX);
    if (o->key->key.type != NOTE_TYPE_COSIGNATURE)
        return fail_set(f, E_VKEY, "a witness needs a cosigner's key (type 04); make one with "
                                   "'hesabu witness --new NAME --out FILE'");
    struct witness *w = calloc(1, sizeof *w);
    struct watched *logs = calloc(o->log_count, sizeof *logs);
    if (!w || !logs) {
        free(w);
        free(logs);
        return fail_set(f, E_MEMORY, "no memory for a witness");
    }
    w->key = o->key;
    w->logs = logs;
    w->lock_fd = -1;
    err e = path_join(lock, sizeof lock, o->dir, "lock", f);
    if (e == OK) e = file_mkdirs(o->dir, f);
    if (e == OK) e = file_lock(lock, &w->lock_fd, f);
    for (size_t i = 0; e == OK && i < o->log_count; i++) e = add_log(w, o->dir, &o->logs[i], f);
    if (e != OK) {
        witness_close(w);
        return e;
    }
    *out = w;
    return OK;
}

void witness_close(struct witness *w) {
    if (!w) return;
    for (size_t i = 0; i < w->count; i++) {
        buf_release(&w->logs[i].note);
        pthread_mutex_destroy(&w->logs[i].lock);
    }
    if (w->lock_fd >= 0) close(w->lock_fd);
    free(w->logs);
    free(w);
}

/* --- answers --- */

static void reply_text(struct witness_reply *out, int status, const char *type, const char *text) {
    out->status = status;
    out->type = type;
    buf_clear(&out->body);
    buf_str(&out->body, text);
}

/* Signed by the log, cosigned by this witness: the file's bytes. A line that the log's submitter
 * added is not kept. */
static err make_note(const struct witness *w, const struct watched *l, const struct note *note,
                     const struct note_line *lines, struct span body, uint64_t time_s,
                     struct buf *out, size_t *own, struct fail *f) {
    buf_str(out, MAGIC);
    buf_span(out, body);
    buf_byte(out, '\n');
    for (size_t i = 0; i < note->count; i++) {
        if (!note_line_is_by(&lines[i], &l->key)) continue;
        buf_span(out, lines[i].line);
        buf_byte(out, '\n');
        break;
    }
    *own = out->n;
    TRY(cosignature_sign(w->key, body, time_s, out, f));
    return buf_ok(out, f);
}

/* The new state is on the disk before the line leaves. */
static err cosign(struct witness *w, struct watched *l, const struct witness_request *r,
                  const struct witness_state *next, struct buf *line, struct fail *f) {
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    struct buf file;
    uint64_t now_s = clock_wall_ms() / 1000;
    size_t own = 0;
    if (now_s < l->time_s) now_s = l->time_s; /* a clock that went back */
    if (now_s == 0) now_s = 1;
    TRY(note_split(r->note, &note, lines, NOTE_LINES_MAX, f));
    buf_init(&file, STATE_BYTES_MAX);
    err e = make_note(w, l, &note, lines, r->checkpoint.body, now_s, &file, &own, f);
    if (e == OK) {
        e = file_write_durable(l->path, buf_view(&file), 0644, f);
        if (e != OK) l->failed = true;
    }
    if (e == OK) {
        l->state = *next;
        l->time_s = now_s;
        buf_clear(&l->note);
        buf_span(&l->note, span_from(buf_view(&file), sizeof MAGIC - 1));
        buf_span(line, span_from(buf_view(&file), own));
        e = buf_ok(&l->note, f);
        if (e == OK) e = buf_ok(line, f);
    }
    buf_release(&file);
    return e;
}

static struct watched *find(struct witness *w, struct span origin) {
    for (size_t i = 0; i < w->count; i++)
        if (span_eq(w->logs[i].key.name, origin)) return &w->logs[i];
    return NULL;
}

static void decide(struct witness *w, struct watched *l, const struct witness_request *r,
                   struct witness_reply *out) {
    struct witness_answer a;
    struct fail f = {0};
    witness_decide(r, &l->key, &l->state, &a);
    if (a.status != 200) {
        if (a.status == 422)
            diag(DIAG_ERROR, "log %.*s: refused a checkpoint of size %llu after %llu: %.*s",
                 SPAN_ARG(l->key.name), (unsigned long long)r->checkpoint.size,
                 (unsigned long long)l->state.size, (int)strcspn(a.body, "\n"), a.body);
        reply_text(out, a.status, a.type, a.body);
        return;
    }
    out->status = 200;
    out->type = a.type;
    err e = l->failed ? fail_set(&f, E_IO, "an earlier write failed: start the witness again")
                      : cosign(w, l, r, &a.next, &out->body, &f);
    if (e == OK) return;
    diag(DIAG_ERROR, "log %.*s: %s", SPAN_ARG(l->key.name), f.text);
    reply_text(out, 500, TEXT_PLAIN, "the witness could not store its state\n");
}

void witness_add_checkpoint(struct witness *w, struct span body, struct witness_reply *out) {
    struct witness_request r;
    struct fail f = {0};
    buf_init(&out->body, WITNESS_ANSWER_MAX);
    if (witness_request_parse(body, &r, &f) != OK) {
        reply_text(out, 400, TEXT_PLAIN, f.text);
        buf_byte(&out->body, '\n');
        return;
    }
    struct watched *l = find(w, r.checkpoint.origin);
    if (!l) {
        struct witness_answer a;
        witness_decide(&r, NULL, &(struct witness_state){0}, &a);
        reply_text(out, a.status, a.type, a.body);
        return;
    }
    pthread_mutex_lock(&l->lock);
    decide(w, l, &r, out);
    pthread_mutex_unlock(&l->lock);
}

void witness_latest(struct witness *w, struct span origin_hex, struct witness_reply *out) {
    buf_init(&out->body, CHECKPOINT_BYTES_MAX);
    reply_text(out, 404, TEXT_PLAIN, "no checkpoint of such a log was cosigned here\n");
    for (size_t i = 0; i < w->count; i++) {
        struct watched *l = &w->logs[i];
        if (!span_is(origin_hex, l->hex)) continue;
        pthread_mutex_lock(&l->lock);
        if (l->note.n) {
            out->status = 200;
            buf_clear(&out->body);
            buf_span(&out->body, buf_view(&l->note));
        }
        pthread_mutex_unlock(&l->lock);
    }
}

size_t witness_log_count(const struct witness *w) {
    return w->count;
}

void witness_status_of(struct witness *w, size_t i, struct witness_status *out) {
    struct watched *l = &w->logs[i];
    pthread_mutex_lock(&l->lock);
    *out = (struct witness_status){l->key.name, l->state.size, l->time_s, l->failed};
    pthread_mutex_unlock(&l->lock);
}
