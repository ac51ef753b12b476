/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The outbox's side that speaks to the server. Everything that is kept is on the disk before the next
 * step depends on it; everything that is sent may be sent again. */
#include <stdio.h>
#include <stdlib.h>
#include "base/json_out.h"
#include "crypto/secret.h"
#include "service/outbox_impl.h"
#include "service/submission.h"
#include "tlog/proof.h"

enum { BACKOFF_FIRST_MS = 500, BACKOFF_MAX_MS = 60000, POLL_MS = 1000, RETRY_MAX_S = 600,
       REUPLOADS = 2 };

struct sending {
    struct outbox *o;
    const struct outbox_transport *t;
    const struct outbox_step_options *so;
    struct outbox_progress *out;
    struct record rec;
    struct buf note;
    struct outbox_item item;
    uint64_t unwitnessed_from; /* entries from here on are not witnessed yet */
};

/* What became of one attempt. */
enum outcome { WENT_ON, WAITS, GAVE_UP };

static void report(struct sending *s) {
    if (s->so->changed) s->so->changed(s->so->ctx, &s->item);
}

/* The server is away or asks for patience: everything waits, because order matters. */
static enum outcome wait_for(struct sending *s, const struct outbox_answer *a,
                             const struct fail *why) {
    struct outbox *o = s->o;
    uint64_t ms = BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < o->failures && ms < BACKOFF_MAX_MS; i++) ms *= 2;
    if (ms > BACKOFF_MAX_MS) ms = BACKOFF_MAX_MS;
    if (a && a->retry_after_s) {
        uint64_t said = a->retry_after_s > RETRY_MAX_S ? RETRY_MAX_S : a->retry_after_s;
        if (said * 1000 > ms) ms = said * 1000;
    }
    ms += secret_random_below((uint32_t)(ms / 4 + 1)); /* not all desks at once */
    o->failures++;
    s->out->again_ms = ms;
    s->out->waits = *why;
    return WAITS;
}

static bool is_temporary(const struct outbox_answer *a) {
    return a->code == E_RATE || a->code == E_TIMEOUT || err_info(a->code)->http >= 500;
}

/* An answer that does not hold is kept, once, under its own hash. */
static void keep_evidence(struct sending *s, struct span bytes, struct fail *f) {
    char path[PATH_MAX_LEN], name[160], hex[HASH_HEX_LEN + 1], sentence[sizeof f->text];
    struct hash h = sha256(bytes);
    hash_hex(&h, hex);
    (void)snprintf(name, sizeof name, "%s-%.16s.receipt", s->item.id, hex);
    struct fail ignored;
    if (outbox_path(s->o, path, "evidence", name, NULL, &ignored) != OK ||
        file_write_once(path, bytes, &ignored) != OK)
        return;
    memcpy(sentence, f->text, sizeof sentence);
    (void)fail_set(f, f->code, "%.220s; kept as evidence: %.150s", sentence, path);
}

/* --- objects --- */

static err object_path(struct sending *s, const char *hex, const char *mark, char out[PATH_MAX_LEN],
                       struct fail *f) {
    char leaf[100];
    (void)snprintf(leaf, sizeof leaf, "objects/%s%s", hex, mark);
    return outbox_path(s->o, out, "queue", s->item.name, leaf, f);
}

static err put_object(struct sending *s, const struct notes_object *x, const char *file,
                      struct outbox_answer *a, struct fail *f) {
    char hex[HASH_HEX_LEN + 1], path[160];
    struct buf header;
    hash_hex(&x->id, hex);
    (void)snprintf(path, sizeof path, "/objects/%s?class=%s", hex,
                   x->restricted ? "restricted" : "public");
    buf_init(&header, BASE64_LEN(ENTRY_MAX) + 100);
    buf_str(&header, "Hesabu-Record: ");
    buf_base64(&header, buf_view(&s->note));
    const char *headers[] = {buf_cstr(&header), NULL};
    struct outbox_request r = {.method = "PUT", .path = path, .body_file = file, .headers = headers};
    err e = buf_ok(&header, f);
    if (e == OK) e = s->t->call(s->t->ctx, &r, a, f);
    buf_release(&header);
    return e;
}

static enum outcome refused(struct sending *s, const struct fail *why, err *failed, struct fail *f);

/* Uploads what the record names and this item holds. `again`: also what was uploaded before. */
static enum outcome upload(struct sending *s, bool again, err *failed, struct fail *f) {
    struct notes_object objects[OUTBOX_OBJECTS_MAX];
    size_t n;
    *failed = notes_objects(&s->rec, objects, OUTBOX_OBJECTS_MAX, &n, f);
    for (size_t i = 0; i < n && *failed == OK; i++) {
        char hex[HASH_HEX_LEN + 1], file[PATH_MAX_LEN], mark[PATH_MAX_LEN];
        hash_hex(&objects[i].id, hex);
        *failed = object_path(s, hex, "", file, f);
        if (*failed == OK) *failed = object_path(s, hex, ".sent", mark, f);
        if (*failed != OK) return GAVE_UP;
        if (!file_exists(file) || (!again && file_exists(mark))) continue;
        struct outbox_answer a = {0};
        struct fail why = {0};
        buf_init(&a.body, OUTBOX_RECEIPT_MAX);
        err e = put_object(s, &objects[i], file, &a, &why);
        buf_release(&a.body);
        why.code = e;
        if (e != OK) return wait_for(s, NULL, &why);
        if (a.code != OK && (is_temporary(&a) || a.code == E_NOT_FOUND || a.code == E_METHOD))
            return wait_for(s, &a, &a.refusal);
        if (a.code != OK) return refused(s, &a.refusal, failed, f);
        *failed = file_write_atomic(mark, SPAN_LIT(""), f);
    }
    return *failed == OK ? WENT_ON : GAVE_UP;
}

static bool has_all_objects(struct sending *s) {
    struct notes_object objects[OUTBOX_OBJECTS_MAX];
    size_t n = 0;
    if (notes_objects(&s->rec, objects, OUTBOX_OBJECTS_MAX, &n, NULL) != OK) return false;
    for (size_t i = 0; i < n; i++) {
        char hex[HASH_HEX_LEN + 1], file[PATH_MAX_LEN];
        hash_hex(&objects[i].id, hex);
        if (object_path(s, hex, "", file, NULL) != OK || !file_exists(file)) return false;
    }
    return true;
}

/* --- answers --- */

static enum outcome refused(struct sending *s, const struct fail *why, err *failed, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct buf b;
    buf_init(&b, 4096);
    struct json_out j = json_out(&b);
    json_object(&j);
    json_kstr(&j, "code", err_info(why->code)->name);
    json_kstr(&j, "sentence", why->text);
    json_object_end(&j);
    buf_byte(&b, '\n');
    *failed = outbox_path(s->o, path, "queue", s->item.name, "refusal", f);
    if (*failed == OK) *failed = file_write_durable(path, buf_view(&b), 0600, f);
    buf_release(&b);
    if (*failed == OK) *failed = outbox_move(s->o, s->item.name, "queue", "refused", f);
    if (*failed != OK) return GAVE_UP;
    s->item.state = OUTBOX_REFUSED;
    s->item.refusal = *why;
    (void)snprintf(s->item.path, sizeof s->item.path, "%.380s/refused/%s", s->o->dir, s->item.name);
    s->out->refused++;
    report(s);
    return WENT_ON;
}

/* One log, one root a size: the newest checkpoint seen is remembered, and a second root for its size
 * is two histories. */
static err check_head(struct sending *s, struct span receipt, struct fail *f) {
    char path[PATH_MAX_LEN];
    struct buf old;
    struct receipt_view view;
    struct tlog_proof *proof = malloc(sizeof *proof);
    struct note now_note, old_note;
    struct checkpoint now, before;
    buf_init(&old, CHECKPOINT_BYTES_MAX);
    err e = proof ? OK : fail_set(f, E_MEMORY, "no memory for a proof");
    if (e == OK) e = receipt_parse(receipt, &view, f);
    if (e == OK) e = tlog_proof_parse(view.proof, proof, f);
    if (e == OK) e = note_cut(proof->checkpoint, &now_note, f);
    if (e == OK) e = checkpoint_parse(now_note.text, &now, f);
    if (e == OK) e = outbox_path(s->o, path, "head", NULL, NULL, f);
    bool newer = true;
    if (e == OK && file_exists(path) && file_read(path, CHECKPOINT_BYTES_MAX, &old, NULL) == OK &&
        note_cut(buf_view(&old), &old_note, NULL) == OK &&
        checkpoint_parse(old_note.text, &before, NULL) == OK &&
        span_eq(before.origin, s->o->anchor.origin)) {
        newer = now.size > before.size;
        if (now.size == before.size && !hash_eq(&now.root, &before.root))
            e = fail_set(f, E_FORK, "the log signed two different trees of %llu entries: %.150s and "
                                    "this receipt; give both to the witnesses",
                         (unsigned long long)now.size, path);
    }
    if (e == OK && newer) e = file_write_durable(path, proof->checkpoint, 0600, f);
    free(proof);
    buf_release(&old);
    return e;
}

/* A receipt that holds is on the disk before anybody is told. */
static enum outcome take_receipt(struct sending *s, const struct outbox_answer *a, err *failed,
                                 struct fail *f) {
    char path[PATH_MAX_LEN];
    struct fail why = {0};
    uint64_t index;
    bool witnessed;
    uint32_t not_logged;
    err e = outbox_check_receipt(&s->o->anchor, buf_view(&s->note), buf_view(&a->body), &index,
                                 &witnessed, &not_logged, &why);
    if (e == OK) e = check_head(s, buf_view(&a->body), &why);
    why.code = e;
    if (e == E_NETWORK) return wait_for(s, NULL, &why);
    if (e != OK) {
        *f = why;
        if (e != E_MEMORY && e != E_IO && e != E_DISK_FULL) keep_evidence(s, buf_view(&a->body), f);
        *failed = e;
        return GAVE_UP;
    }
    bool news = s->item.state == OUTBOX_QUEUED;
    if (news || witnessed) {
        *failed = outbox_path(s->o, path, "queue", s->item.name, "receipt", f);
        if (*failed == OK) *failed = file_write_durable(path, buf_view(&a->body), 0600, f);
        if (*failed != OK) return GAVE_UP;
    }
    s->item.index = index;
    s->item.witnessed = witnessed;
    s->item.not_logged = not_logged;
    s->item.state = OUTBOX_RECEIVED;
    if (news) report(s);
    return WENT_ON;
}

static enum outcome post(struct sending *s, err *failed, struct fail *f) {
    for (int round = 0;; round++) {
        enum outcome up = upload(s, round > 0, failed, f);
        if (up != WENT_ON || s->item.state == OUTBOX_REFUSED) return up;
        struct outbox_answer a = {0};
        struct outbox_request r = {.method = "POST", .path = "/records", .body = buf_view(&s->note)};
        struct fail why = {0};
        buf_init(&a.body, OUTBOX_RECEIPT_MAX);
        err e = s->t->call(s->t->ctx, &r, &a, &why);
        why.code = e;
        enum outcome went;
        bool again = false;
        if (e != OK)
            went = wait_for(s, NULL, &why);
        else if (a.code == OK)
            went = take_receipt(s, &a, failed, f);
        else if (a.code == E_OBJECT_MISSING && has_all_objects(s)) {
            again = round < REUPLOADS;
            went = again ? WENT_ON : wait_for(s, &a, &a.refusal);
        } else if (is_temporary(&a) || a.code == E_NOT_FOUND || a.code == E_METHOD)
            went = wait_for(s, &a, &a.refusal); /* the last two: not the server we think it is */
        else
            went = refused(s, &a.refusal, failed, f);
        buf_release(&a.body);
        if (!again) return went;
    }
}

/* A receipt is there; the witnesses' word is still missing. */
static enum outcome ask_for_proof(struct sending *s, err *failed, struct fail *f) {
    char path[100];
    struct outbox_answer a = {0};
    struct fail why = {0};
    struct outbox_request r = {.method = "GET", .path = path};
    (void)snprintf(path, sizeof path, "/proofs/%s", s->item.id);
    buf_init(&a.body, OUTBOX_RECEIPT_MAX);
    err e = s->t->call(s->t->ctx, &r, &a, &why);
    why.code = e;
    enum outcome went;
    if (e != OK)
        went = wait_for(s, NULL, &why);
    else if (a.code == OK)
        went = take_receipt(s, &a, failed, f);
    else if (a.code == E_NOT_FOUND) {
        *failed = fail_set(f, E_ROLLBACK, "the log signed a receipt for entry %llu (%.200s/receipt) and "
                                          "now says that it has no such record; keep that file: it "
                                          "proves that it had",
                           (unsigned long long)s->item.index, s->item.path);
        went = GAVE_UP;
    } else
        went = wait_for(s, &a, &a.refusal);
    buf_release(&a.body);
    return went;
}

static enum outcome finish(struct sending *s, err *failed, struct fail *f) {
    *failed = outbox_move(s->o, s->item.name, "queue", "done", f);
    if (*failed != OK) return GAVE_UP;
    s->item.state = OUTBOX_DONE;
    (void)snprintf(s->item.path, sizeof s->item.path, "%.380s/done/%s", s->o->dir, s->item.name);
    s->out->done++;
    report(s);
    return WENT_ON;
}

static enum outcome one(struct sending *s, const char *name, err *failed, struct fail *f) {
    bool wants_witnesses = s->so->wait_witnessed && s->o->has_witnesses;
    buf_clear(&s->note);
    *failed = outbox_item_read(s->o, "queue", name, &s->item, &s->note, f);
    if (*failed == OK) *failed = record_parse(buf_view(&s->note), &s->rec, f);
    if (*failed != OK) {
        fail_context(f, *failed, "queued item %s", name);
        return GAVE_UP;
    }
    enum outcome went = WENT_ON;
    bool fresh = s->item.state == OUTBOX_QUEUED;
    if (fresh) {
        went = post(s, failed, f);
        if (went == WENT_ON) s->o->failures = 0;
    } else if (wants_witnesses && !s->item.witnessed && s->item.index < s->unwitnessed_from) {
        went = ask_for_proof(s, failed, f);
        if (went == WENT_ON) s->o->failures = 0;
    }
    if (went != WENT_ON || s->item.state != OUTBOX_RECEIVED) return went;
    if (s->item.witnessed || !wants_witnesses) return finish(s, failed, f);
    if (!fresh && s->item.index < s->unwitnessed_from) s->unwitnessed_from = s->item.index;
    return WENT_ON;
}

static err count_left(struct outbox *o, struct outbox_progress *out, struct fail *f) {
    struct outbox_names names;
    TRY(outbox_names_read(o, "queue", &names, f));
    out->queued = out->received = 0;
    for (size_t i = 0; i < names.n; i++) {
        char path[PATH_MAX_LEN];
        bool received = outbox_path(o, path, "queue", names.at[i], "receipt", NULL) == OK &&
                        file_exists(path);
        if (received)
            out->received++;
        else
            out->queued++;
    }
    outbox_names_release(&names);
    return OK;
}

err outbox_step(struct outbox *o, const struct outbox_transport *t,
                const struct outbox_step_options *so, struct outbox_progress *out,
                struct fail *f) {
    char lock[PATH_MAX_LEN];
    *out = (struct outbox_progress){0};
    if (!o->pinned)
        return fail_set(f, E_ANCHOR, "no trust anchor is pinned, so no receipt could be checked: give "
                                     "--anchor FILE");
    if (o->sender < 0) {
        TRY(outbox_path(o, lock, "send.lock", NULL, NULL, f));
        TRY(file_lock(lock, &o->sender, f));
    }
    struct outbox_names names;
    TRY(outbox_names_read(o, "queue", &names, f));
    struct sending *s = calloc(1, sizeof *s);
    err e = s ? OK : fail_set(f, E_MEMORY, "no memory for sending");
    if (s) {
        *s = (struct sending){.o = o, .t = t, .so = so, .out = out, .unwitnessed_from = UINT64_MAX};
        buf_init(&s->note, ENTRY_MAX);
        for (size_t i = 0; e == OK && i < names.n; i++)
            if (one(s, names.at[i], &e, f) == WAITS) break;
        buf_release(&s->note);
        free(s);
    }
    outbox_names_release(&names);
    TRY(e);
    TRY(count_left(o, out, f));
    if (!out->again_ms && out->queued + out->received) out->again_ms = POLL_MS;
    return OK;
}
