/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/pending.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/diag.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/text.h"
#include "service/submission.h"

#define MAGIC "hesabu/deposit/v1"
/* A record that the log refuses outright is offered again 120 times less often: rules can change (an
 * amendment), but each refusal leaves a trace in the log. */
enum { FORWARD_MS = 30000, ANSWER_MAX = 256 << 10, REFUSED_FACTOR = 120 };

struct item {
    struct hash id;
    uint64_t received_ms, tried_ms; /* tried_ms 0: not yet by this process */
    int status;                     /* of the log's last answer; 0: none */
    enum record_type type;
    bool accepted; /* the log answered that it has it */
};

struct pending {
    struct pending_options o;
    char dir[PATH_MAX_LEN];
    pthread_mutex_t lock; /* items, count, changed, the folder */
    struct item *items;
    size_t count;
    bool changed;
};

/* --- acknowledgements --- */

err pending_ack_parse(struct span bytes, struct hash *id, uint64_t *received_ms, struct fail *f) {
    struct span rest = bytes, line[4];
    bool good = bytes.n <= PENDING_ACK_MAX;
    for (int i = 0; i < 4; i++) good = good && span_line(&rest, &line[i]);
    if (!good || !span_is(line[0], MAGIC) || !span_starts(line[1], SPAN_LIT("log ")) ||
        !span_starts(line[2], SPAN_LIT("record ")) || !span_starts(line[3], SPAN_LIT("received ")) ||
        hash_from_hex(span_from(line[2], 7), id, NULL) != OK ||
        u64_parse(span_from(line[3], 9), (uint64_t)1 << 53, received_ms, NULL) != OK)
        return fail_set(f, E_DAMAGED, "not the acknowledgement of a deposit");
    if (rest.n && rest.p[0] != '\n')
        return fail_set(f, E_DAMAGED, "an acknowledgement has four lines and signatures");
    return OK;
}

static err make_ack(const struct pending *p, const struct hash *id, uint64_t ms, struct buf *out,
                    struct fail *f) {
    struct buf text;
    buf_init(&text, PENDING_ACK_MAX);
    buf_str(&text, MAGIC "\nlog ");
    buf_span(&text, p->o.origin);
    buf_str(&text, "\nrecord ");
    buf_hex(&text, hash_span(id));
    buf_str(&text, "\nreceived ");
    buf_u64(&text, ms);
    buf_byte(&text, '\n');
    err e = buf_ok(&text, f);
    if (e == OK && p->o.key) e = note_sign(&p->o.key, 1, buf_view(&text), out, f);
    if (e == OK && !p->o.key) buf_span(out, buf_view(&text));
    buf_release(&text);
    return e == OK ? buf_ok(out, f) : e;
}

/* --- files --- */

static err item_path(const struct pending *p, const struct hash *id, const char *suffix,
                     char out[PATH_MAX_LEN], struct fail *f) {
    char name[HASH_HEX_LEN + 8];
    hash_hex(id, name);
    (void)snprintf(name + HASH_HEX_LEN, 8, "%s", suffix);
    return path_join(out, PATH_MAX_LEN, p->dir, name, f);
}

static err item_read(const struct pending *p, const struct hash *id, const char *suffix,
                     struct buf *out, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(item_path(p, id, suffix, path, f));
    return file_read(path, out->max, out, f);
}

static err item_write(const struct pending *p, const struct hash *id, const char *suffix,
                      struct span bytes, struct fail *f) {
    char path[PATH_MAX_LEN];
    TRY(item_path(p, id, suffix, path, f));
    return file_write_durable(path, bytes, 0644, f);
}

static struct item *find(const struct pending *p, const struct hash *id) {
    for (size_t i = 0; i < p->count; i++)
        if (hash_eq(&p->items[i].id, id)) return &p->items[i];
    return NULL;
}

/* A note whose acknowledgement was never written was never acknowledged: it is dropped. */
static err load_one(struct pending *p, const char *name, struct fail *f) {
    struct hash id;
    size_t n = strlen(name);
    if (n != HASH_HEX_LEN + 4 || strcmp(name + HASH_HEX_LEN, ".ack") != 0 ||
        hash_from_hex(span_of(name, HASH_HEX_LEN), &id, NULL) != OK)
        return OK;
    struct buf ack, note;
    struct item it = {.type = REC_COUNT};
    buf_init(&ack, PENDING_ACK_MAX);
    buf_init(&note, ENTRY_MAX);
    err e = item_read(p, &id, ".ack", &ack, f);
    if (e == OK) e = pending_ack_parse(buf_view(&ack), &it.id, &it.received_ms, f);
    if (e == OK) e = item_read(p, &id, ".note", &note, f);
    struct record r;
    if (e == OK) e = record_parse(buf_view(&note), &r, f);
    if (e == OK && (!hash_eq(&it.id, &id) || !hash_eq(&r.id, &id)))
        e = fail_set(f, E_DAMAGED, "the record is not the one that it is named after");
    if (e == OK && p->count == PENDING_RECORDS_MAX)
        e = fail_set(f, E_BUSY, "more than %d deposits", PENDING_RECORDS_MAX);
    if (e == OK) {
        it.type = r.type;
        p->items[p->count++] = it;
    } else if (e != E_IO && e != E_MEMORY) {
        diag(DIAG_WARN, "deposit %s is left aside: %s", name, f->text);
        e = OK;
    }
    buf_release(&ack);
    buf_release(&note);
    return e;
}

err pending_open(const struct pending_options *o, struct pending **out, struct fail *f) {
    struct pending *p = calloc(1, sizeof *p);
    struct item *items = calloc(PENDING_RECORDS_MAX, sizeof *items);
    if (!p || !items) {
        free(p);
        free(items);
        return fail_set(f, E_MEMORY, "no memory for deposits");
    }
    p->o = *o;
    if (!p->o.forward_every_ms) p->o.forward_every_ms = FORWARD_MS;
    p->items = items;
    p->changed = true;
    pthread_mutex_init(&p->lock, NULL);
    err e = path_join(p->dir, sizeof p->dir, o->dir, "pending", f);
    if (e == OK) e = file_mkdirs(p->dir, f);
    DIR *d = e == OK ? opendir(p->dir) : NULL;
    if (e == OK && !d) e = file_error(f, errno, "opening", p->dir);
    for (struct dirent *entry; d && e == OK && (entry = readdir(d));)
        e = load_one(p, entry->d_name, f);
    if (d) closedir(d);
    if (e != OK) {
        pending_close(p);
        return e;
    }
    *out = p;
    return OK;
}

void pending_close(struct pending *p) {
    if (!p) return;
    pthread_mutex_destroy(&p->lock);
    free(p->items);
    free(p);
}

size_t pending_count(struct pending *p) {
    pthread_mutex_lock(&p->lock);
    size_t n = p->count;
    pthread_mutex_unlock(&p->lock);
    return n;
}

/* --- deposits --- */

static err add_locked(struct pending *p, const struct submission *s, uint64_t now_ms,
                      struct buf *ack, struct fail *f) {
    if (find(p, &s->id)) return item_read(p, &s->id, ".ack", ack, f);
    if (p->count == PENDING_RECORDS_MAX)
        return fail_set(f, E_BUSY, "this mirror holds %d deposits already; try another",
                        PENDING_RECORDS_MAX);
    TRY(make_ack(p, &s->id, now_ms, ack, f));
    TRY(item_write(p, &s->id, ".note", buf_view(&s->note), f));
    TRY(item_write(p, &s->id, ".ack", buf_view(ack), f));
    p->items[p->count++] = (struct item){.id = s->id, .received_ms = now_ms, .type = s->type};
    p->changed = true;
    return OK;
}

err pending_add(struct pending *p, struct span note, uint64_t now_ms, struct buf *ack,
                struct fail *f) {
    struct submission *s;
    err e = submission_new(note, p->o.keys, &s, f);
    if (e == OK && s->type == REC_MANIFEST)
        e = fail_set(f, E_FIRST, "a manifest begins a log; it is not deposited");
    if (e == OK) {
        pthread_mutex_lock(&p->lock);
        e = add_locked(p, s, now_ms, ack, f);
        pthread_mutex_unlock(&p->lock);
    }
    submission_free(s);
    return e;
}

/* --- forwarding --- */

static err forward(struct pending *p, const struct hash *id, struct fetcher *fetch, int *status,
                   struct fail *f) {
    struct buf note;
    struct fetch_item it = {.path = "records"};
    struct fail why;
    *status = 0;
    buf_init(&note, ENTRY_MAX);
    buf_init(&it.body, ANSWER_MAX);
    err e = item_read(p, id, ".note", &note, f);
    if (e == OK) {
        it.post = buf_view(&note);
        if (fetch->get(fetch->ctx, &it, 1, &why) == OK) *status = it.status;
    }
    buf_release(&note);
    buf_release(&it.body);
    return e;
}

static void drop(struct pending *p, struct item *it) {
    char path[PATH_MAX_LEN];
    struct fail f;
    static const char *const suffixes[] = {".ack", ".note"}; /* without its ack a note is nothing */
    for (int i = 0; i < 2; i++)
        if (item_path(p, &it->id, suffixes[i], path, &f) != OK || file_remove(path, &f) != OK)
            diag(DIAG_WARN, "deposit: %s", f.text);
    *it = p->items[--p->count];
    p->changed = true;
}

static err write_index(struct pending *p, struct fail *f) {
    struct buf b;
    struct json_out j = json_out(&b);
    char path[PATH_MAX_LEN];
    buf_init(&b, 8 << 20);
    json_object(&j);
    json_kspan(&j, "log", p->o.origin);
    json_key(&j, "records");
    json_array(&j);
    for (size_t i = 0; i < p->count; i++) {
        const struct item *it = &p->items[i];
        json_object(&j);
        json_khex(&j, "id", hash_span(&it->id));
        json_ku64(&j, "received_ms", it->received_ms);
        json_kstr(&j, "type", it->type < REC_COUNT ? record_info(it->type)->name : "unknown");
        json_ku64(&j, "log_answered", (uint64_t)it->status);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    buf_byte(&b, '\n');
    err e = buf_ok(&b, f);
    if (e == OK) e = path_join(path, sizeof path, p->dir, "index.json", f);
    if (e == OK) e = file_write_atomic(path, buf_view(&b), f);
    if (e == OK) p->changed = false;
    buf_release(&b);
    return e;
}

/* The next record to forward; false when none is due. */
static bool next_due(struct pending *p, uint64_t now_ms, struct hash *id) {
    for (size_t i = 0; i < p->count; i++) {
        struct item *it = &p->items[i];
        bool refused = it->status >= 400 && it->status < 500 && it->status != 429;
        uint64_t every = p->o.forward_every_ms * (refused ? REFUSED_FACTOR : 1);
        if (it->accepted || (it->tried_ms && now_ms - it->tried_ms < every)) continue;
        it->tried_ms = now_ms ? now_ms : 1;
        *id = it->id;
        return true;
    }
    return false;
}

err pending_step(struct pending *p, struct fetcher *fetch, pending_is_logged *logged, void *ctx,
                 uint64_t now_ms, struct fail *f) {
    struct hash id;
    err e = OK;
    for (bool down = false; e == OK && !down;) {
        pthread_mutex_lock(&p->lock);
        bool due = next_due(p, now_ms, &id);
        pthread_mutex_unlock(&p->lock);
        if (!due) break;
        int status;
        e = forward(p, &id, fetch, &status, f); /* without the lock: it may take long */
        down = status == 0;
        pthread_mutex_lock(&p->lock);
        struct item *it = find(p, &id);
        p->changed = p->changed || it->status != status;
        it->status = status;
        it->accepted = status == 200 || status == 201;
        pthread_mutex_unlock(&p->lock);
    }
    pthread_mutex_lock(&p->lock);
    for (size_t i = p->count; i-- > 0;)
        if (p->items[i].accepted && logged(ctx, &p->items[i].id)) drop(p, &p->items[i]);
    if (e == OK && p->changed) e = write_index(p, f);
    pthread_mutex_unlock(&p->lock);
    return e;
}
