/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/sequencer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/vec.h"
#include "base/wait.h"
#include "crypto/secret.h"
#include "election/declaration.h"
#include "election/definition.h"
#include "service/replay.h"
#include "store/guard.h"
#include "store/place.h"
#include "tlog/checkpoint.h"
#include "tlog/proof.h"

enum { BATCH_LIMIT = 4096, REFS_PER_ENTRY = 2, PROOF_BYTES = 8192, FIRST_INCIDENT_MS = 10000, SAVE_EVERY_MS = 2000,
       STUCK_MS = 30000 };

/* One submission in a batch. `entry` is the place of its entry in the batch, or SIZE_MAX. */
struct job {
    struct submission *s;
    struct receipt receipt;
    size_t entry;
};

struct batch {
    struct job *jobs;
    size_t job_count;
    struct buf *entries; /* kept from batch to batch, so that their memory is */
    struct span *spans;
    size_t n;
    uint64_t first; /* index of entries[0] */
    struct object_ref *refs;
    size_t ref_count, ref_room;
    struct touched *touched;
    size_t touched_count;
};

struct sequencer {
    struct sequencer_options o;
    char *dir;
    struct store *store;
    struct guard *guard;
    struct objects *objects;
    struct replay_objects source;
    struct merkle_tree *tree;
    struct keyring *keys;
    struct incidents *incidents;
    char incidents_path[PATH_MAX_LEN];
    struct store_reader *reader; /* the sequencer thread's own */
    struct applied *applied;
    uint64_t term;

    pthread_mutex_t fold_lock; /* fold; held from the begin to the commit of a batch */
    struct fold *fold;

    pthread_mutex_t queue_lock; /* first, last, queued, stopping, sequencing, dead, pause */
    pthread_cond_t queue_cond;
    struct submission *first, *last;
    size_t queued;
    uint64_t turned_ms; /* when the thread last took what was queued */
    bool running, stopping, dead, paused;
    pthread_t thread;

    pthread_mutex_t head_lock; /* checkpoint, touched */
    struct buf checkpoint;
    uint64_t checkpoint_size;
    struct vec touched;
    struct budget touched_budget;
    _Atomic uint64_t size;

    struct batch batch;
    uint64_t last_incident_ms, last_saved_ms; /* monotonic */
};

/* --- opening --- */

static err open_guard(struct sequencer *q, uint64_t size, struct fail *f) {
    char path[PATH_MAX_LEN], origin[NOTE_NAME_MAX + 1];
    if (q->o.guard_path)
        (void)snprintf(path, sizeof path, "%s", q->o.guard_path);
    else
        (void)snprintf(path, sizeof path, "%s/private/guard", q->dir);
    (void)snprintf(origin, sizeof origin, "%.*s", (int)q->o.log->key.name.n,
                   (const char *)q->o.log->key.name.p);
    if (!file_exists(path)) {
        if (size)
            return fail_set(f, E_ROLLBACK,
                            "the roll-back guard %s is missing, so nothing says what was signed: "
                            "give its place with --guard",
                            path);
        TRY(guard_create(path, origin, f));
    }
    return guard_open(path, origin, &q->guard, f);
}

/* The last batch before a crash may not have kept its objects. */
struct keep_tail {
    struct sequencer *q;
    uint64_t from;
};

static err batch_ref(struct batch *b, const struct applied *a, struct fail *f) {
    for (size_t i = 0; i < a->object_count; i++) {
        if (b->ref_count == b->ref_room) {
            size_t room = b->ref_room ? b->ref_room * 2 : 1024;
            struct object_ref *p = realloc(b->refs, room * sizeof *p);
            if (!p) return fail_set(f, E_MEMORY, "no memory for a batch");
            b->refs = p;
            b->ref_room = room;
        }
        b->refs[b->ref_count++] = (struct object_ref){
            a->objects[i].restricted ? OBJECT_RESTRICTED : OBJECT_PUBLIC, a->objects[i].ref.id};
    }
    return OK;
}

static void visit_tail(void *ctx, const struct applied *a) {
    struct keep_tail *k = ctx;
    if (a->index >= k->from && batch_ref(&k->q->batch, a, NULL) != OK)
        diag(DIAG_WARN, "the objects of entry %llu may not be published yet",
             (unsigned long long)a->index);
}

static err replay_log(struct sequencer *q, const struct store_head *head, struct fail *f) {
    struct keep_tail tail = {q, head->size > BATCH_LIMIT ? head->size - BATCH_LIMIT : 0};
    TRY(replay(q->reader, head->size, q->o.apply_nothing ? NULL : q->fold, q->tree, visit_tail,
               &tail, f));
    struct hash root = merkle_tree_root(q->tree);
    if (head->size && !hash_eq(&root, &head->root))
        return fail_set(f, E_DAMAGED, "the stored entries do not give the stored root: the database "
                                      "was changed behind the log");
    struct guard_state g = guard_state(q->guard);
    struct hash there = root;
    if (!g.empty && g.size <= head->size) TRY(merkle_tree_root_at(q->tree, g.size, &there, f));
    TRY(guard_check(q->guard, head->size, g.size <= head->size ? &there : NULL, f));
    err e = q->batch.ref_count ? objects_keep(q->objects, q->batch.refs, q->batch.ref_count, f) : OK;
    if (e == E_OBJECT_MISSING) {
        diag(DIAG_WARN, "%s", f->text); /* erased by order, or lost: verify lists them */
        e = OK;
    }
    q->batch.ref_count = 0;
    return e;
}

static err open_store(struct sequencer *q, const char *private_dir, struct fail *f) {
    char origin[NOTE_NAME_MAX + 1];
    (void)snprintf(origin, sizeof origin, "%.*s", (int)q->o.log->key.name.n,
                   (const char *)q->o.log->key.name.p);
    struct store_place place = {q->o.store, origin, q->o.take_over};
    return store_place_open(private_dir, &place, &q->store, f);
}

static err open_parts(struct sequencer *q, struct fail *f) {
    char public_dir[PATH_MAX_LEN], private_dir[PATH_MAX_LEN];
    struct store_head head;
    TRY(path_join(public_dir, sizeof public_dir, q->dir, "public", f));
    TRY(path_join(private_dir, sizeof private_dir, q->dir, "private", f));
    TRY(file_mkdirs(public_dir, f));
    TRY(file_mkdirs(private_dir, f));
    TRY(open_store(q, private_dir, f));
    TRY(store_reader_open(q->store, &q->reader, f));
    TRY(store_head(q->store, &head, f));
    TRY(open_guard(q, head.size, f));
    struct objects_options oo = {.public_dir = public_dir,
                                 .private_dir = private_dir,
                                 .max_object = q->o.max_object ? q->o.max_object : OBJECT_BYTES_MAX,
                                 .max_pending_per_key =
                                     q->o.max_pending_per_key ? q->o.max_pending_per_key : 64u << 20,
                                 .max_pending = (uint64_t)4 << 30,
                                 .max_pending_count = 200000};
    TRY(objects_open(&oo, &q->objects, f));
    replay_objects_init(&q->source, q->objects);
    struct fold_options fo = {.objects = replay_object_source(&q->source)};
    uint8_t hash_key[16];
    TRY(fold_new(&fo, &q->fold, f));
    secret_random(hash_key, sizeof hash_key);
    fold_set_hash_key(q->fold, hash_key);
    TRY(merkle_tree_new((uint64_t)1 << 32, &q->tree, f));
    TRY(keyring_new(&q->keys, f));
    TRY(incidents_new(&q->incidents, f));
    TRY(replay_log(q, &head, f));
    TRY(path_join(q->incidents_path, sizeof q->incidents_path, private_dir, "incidents", f));
    TRY(incidents_load(q->incidents, q->incidents_path, fold_last_incident_ms(q->fold), f));
    const struct definition *d = fold_definition(q->fold);
    if (d && !q->o.apply_nothing) {
        struct note_key key;
        TRY(note_vkey_parse(d->log_vkey, &key, f));
        if (key.id != q->o.log->key.id)
            return fail_set(f, E_CONFIG, "the log key given is not the one that the manifest names");
    }
    q->size = head.size;
    return keyring_update(q->keys, q->fold, f);
}

err sequencer_open(const struct sequencer_options *o, struct sequencer **out, struct fail *f) {
    struct sequencer *q = calloc(1, sizeof *q);
    if (!q) return fail_set(f, E_MEMORY, "no memory for the sequencer");
    q->o = *o;
    if (!q->o.queue_max) q->o.queue_max = 4096;
    if (!q->o.batch_max) q->o.batch_max = 1024;
    if (q->o.batch_max > BATCH_LIMIT / 2 - 1) q->o.batch_max = BATCH_LIMIT / 2 - 1;
    if (!q->o.incident_every_ms) q->o.incident_every_ms = 600000;
    q->dir = strdup(o->dir);
    q->applied = malloc(sizeof *q->applied);
    q->batch.jobs = calloc(BATCH_LIMIT, sizeof *q->batch.jobs);
    q->batch.entries = calloc(BATCH_LIMIT, sizeof *q->batch.entries);
    q->batch.spans = calloc(BATCH_LIMIT, sizeof *q->batch.spans);
    q->batch.touched = calloc(BATCH_LIMIT, sizeof *q->batch.touched);
    q->touched_budget.cap = 256u << 20;
    vec_init(&q->touched, &q->touched_budget, sizeof(struct touched), 12);
    buf_init(&q->checkpoint, CHECKPOINT_BYTES_MAX);
    pthread_mutex_init(&q->fold_lock, NULL);
    pthread_mutex_init(&q->queue_lock, NULL);
    pthread_mutex_init(&q->head_lock, NULL);
    pthread_cond_init(&q->queue_cond, NULL);
    bool memory = q->dir && q->applied && q->batch.jobs && q->batch.entries && q->batch.spans &&
                  q->batch.touched;
    for (size_t i = 0; memory && i < BATCH_LIMIT; i++) buf_init(&q->batch.entries[i], ENTRY_MAX);
    err e = memory ? open_parts(q, f) : fail_set(f, E_MEMORY, "no memory for the sequencer");
    if (e != OK) {
        sequencer_close(q);
        return e;
    }
    *out = q;
    return OK;
}

void sequencer_close(struct sequencer *q) {
    if (!q) return;
    sequencer_stop(q);
    store_reader_close(q->reader);
    store_close(q->store);
    guard_close(q->guard);
    replay_objects_release(&q->source);
    objects_close(q->objects);
    fold_free(q->fold);
    merkle_tree_free(q->tree);
    keyring_free(q->keys);
    incidents_free(q->incidents);
    buf_release(&q->checkpoint);
    vec_release(&q->touched);
    for (size_t i = 0; q->batch.entries && i < BATCH_LIMIT; i++) buf_release(&q->batch.entries[i]);
    free(q->batch.jobs);
    free(q->batch.entries);
    free(q->batch.spans);
    free(q->batch.refs);
    free(q->batch.touched);
    free(q->applied);
    free(q->dir);
    pthread_mutex_destroy(&q->fold_lock);
    pthread_mutex_destroy(&q->queue_lock);
    pthread_mutex_destroy(&q->head_lock);
    pthread_cond_destroy(&q->queue_cond);
    free(q);
}

/* --- a batch --- */

static bool checked_before(const struct submission *s, const struct sig_check *k) {
    for (size_t i = 0; i < s->checked_count; i++)
        if (s->checked[i].line == k->line && memcmp(s->checked[i].pub, k->pub, 32) == 0) return true;
    return false;
}

/* Every signature that apply asked for. Those that the receiving thread checked are not repeated. */
static err check_signatures(const struct submission *s, const struct applied *a, struct fail *f) {
    for (size_t i = 0; i < a->check_count; i++) {
        const struct sig_check *k = &a->checks[i];
        if (!k->message.p || checked_before(s, k)) continue;
        if (!ed25519_verify((const struct ed25519_public *)k->pub,
                            (const struct ed25519_signature *)k->sig, k->message))
            return fail_set(f, E_SIGNATURE, "signature line %u does not verify", k->line + 1u);
    }
    return OK;
}

/* All that the record names is here durably. */
static err check_objects(struct sequencer *q, const struct applied *a, struct fail *f) {
    for (size_t i = 0; i < a->object_count; i++) {
        uint64_t size;
        enum object_class class = a->objects[i].restricted ? OBJECT_RESTRICTED : OBJECT_PUBLIC;
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&a->objects[i].ref.id, hex);
        if (!objects_has(q->objects, class, &a->objects[i].ref.id, &size))
            return fail_set(f, E_OBJECT_MISSING, "the %s object %s is not there: upload it first",
                            a->objects[i].restricted ? "restricted" : "public", hex);
        if (size != a->objects[i].ref.size)
            return fail_set(f, E_OBJECT, "the object %s has %llu bytes, not %llu", hex,
                            (unsigned long long)size, (unsigned long long)a->objects[i].ref.size);
    }
    return OK;
}

/* A declaration binds this log's own tree: the fold knows no tree, the sequencer does. */
static err check_root(struct sequencer *q, struct fail *f) {
    if (q->applied->type != REC_DECLARATION) return OK;
    const struct declaration *d = fold_declaration(q->fold, (uint32_t)fold_declaration_count(q->fold) - 1);
    struct hash root;
    if (merkle_tree_root_at(q->tree, d->size, &root, f) != OK || !hash_eq(&root, &d->root))
        return fail_set(f, E_CHECKPOINT, "the declaration binds a tree that is not this log's");
    return OK;
}

static err admit(struct sequencer *q, struct span note, const struct submission *s, uint64_t ms,
                 struct fail *f) {
    struct batch *b = &q->batch;
    struct buf *entry = &b->entries[b->n];
    if (q->o.apply_nothing) {
        buf_clear(entry);
        entry_format(entry, ms, note);
        b->n++;
        return buf_ok(entry, f);
    }
    size_t mark = fold_mark(q->fold);
    err e = fold_admit(q->fold, note, ms, entry, q->applied, f);
    if (e != OK && e != E_DUPLICATE) return e;
    err bad = s ? check_signatures(s, q->applied, f) : OK;
    if (bad == OK && e == OK && s) bad = check_objects(q, q->applied, f);
    if (bad == OK && e == OK) bad = check_root(q, f);
    if (bad == OK && e == OK) bad = batch_ref(b, q->applied, f);
    if (bad != OK) {
        fold_back(q->fold, mark);
        return bad;
    }
    if (e == E_DUPLICATE) return e;
    if (q->applied->station != UINT32_MAX && b->touched_count < BATCH_LIMIT)
        b->touched[b->touched_count++] = (struct touched){q->applied->contest, q->applied->station};
    b->n++;
    return OK;
}

/* A record of the log's own, in the same batch. */
static err admit_own(struct sequencer *q, struct span text, uint64_t ms, struct fail *f) {
    struct buf note;
    buf_init(&note, ENTRY_MAX);
    err e = note_sign(&q->o.log, 1, text, &note, f);
    if (e == OK) e = admit(q, buf_view(&note), NULL, ms, f);
    buf_release(&note);
    return e;
}

static void admit_job(struct sequencer *q, struct job *j, uint64_t ms) {
    struct batch *b = &q->batch;
    struct receipt *r = &j->receipt;
    struct span note = buf_view(&j->s->note);
    j->entry = b->n;
    r->code = admit(q, note, j->s, ms, &r->fail);
    if (r->code == OK) {
        r->index = b->first + j->entry;
        return;
    }
    j->entry = SIZE_MAX;
    if (r->code != E_DUPLICATE) {
        /* of several signers the one at fault: a dead officer's key, not the agent's beside it */
        const struct applied *x = q->applied;
        if (!q->o.apply_nothing && x->signer_known && x->signer.n < sizeof j->s->signer)
            (void)snprintf(j->s->signer, sizeof j->s->signer, "%.*s", (int)x->signer.n,
                           (const char *)x->signer.p);
        sequencer_refused(q, j->s, r->code);
        return;
    }
    r->code = OK;
    r->duplicate = true;
    r->index = q->applied->index;
    struct buf text;
    buf_init(&text, 8192);
    struct fail f = {0};
    if (fold_extra(q->fold, note, &text, &f) == OK && text.n && b->n < BATCH_LIMIT) {
        err e = admit_own(q, buf_view(&text), ms, &f);
        if (e != OK) diag(DIAG_WARN, "added signatures were not logged: %s", f.text);
    }
    buf_release(&text);
}

/* Waiting refusals become a record, when it is time. */
static void admit_incidents(struct sequencer *q, uint64_t ms, bool *taken) {
    struct span evidence[256];
    size_t count = 0;
    struct buf text;
    struct fail f = {0};
    *taken = false;
    buf_init(&text, ENTRY_MAX);
    err e = incidents_take(q->incidents, q->fold, ms, &text, evidence, 256, &count, &f);
    if (e == OK && text.n) {
        *taken = true;
        incidents_save(q->incidents, q->incidents_path); /* who takes over knows what was being told */
        if (count) e = objects_add_many(q->objects, OBJECT_PUBLIC, evidence, count, NULL, &f);
        if (e == OK) e = admit_own(q, buf_view(&text), ms, &f);
        if (e != OK) {
            incidents_written(q->incidents, false);
            incidents_save(q->incidents, q->incidents_path);
            *taken = false;
            if (e != E_QUOTA) diag(DIAG_WARN, "incidents were not logged: %s", f.text);
        }
    }
    buf_release(&text);
}

static void reached(const struct sequencer *q, const char *step) {
    if (q->o.reached) q->o.reached(step);
}

/* Entries and body durably, signature, guard. On failure nothing of it has left the process. */
static err commit(struct sequencer *q, struct buf *checkpoint, struct fail *f) {
    struct batch *b = &q->batch;
    uint64_t size = b->first + b->n;
    for (size_t i = 0; i < b->n; i++) {
        b->spans[i] = buf_view(&b->entries[i]);
        struct hash leaf = merkle_leaf(b->spans[i]);
        TRY(merkle_tree_append(q->tree, &leaf, f));
    }
    struct hash root = merkle_tree_root(q->tree);
    struct buf body;
    buf_init(&body, STORE_BODY_MAX);
    err e = checkpoint_format(q->o.log->key.name, size, &root, (struct span){0}, &body, f);
    if (e == OK) {
        struct store_batch sb = {.term = q->term, .first = b->first, .entries = b->spans,
                                 .count = b->n, .root = root, .body = buf_view(&body)};
        e = store_append(q->store, &sb, f);
    }
    buf_release(&body);
    if (e == OK) reached(q, "committed");
    if (e == OK) e = checkpoint_sign(q->o.log, size, &root, checkpoint, f);
    if (e == OK) reached(q, "signed");
    if (e == OK) e = guard_advance(q->guard, size, &root, f);
    if (e == OK) reached(q, "guarded");
    return e;
}

static void publish_head(struct sequencer *q, struct buf *checkpoint, uint64_t size) {
    struct batch *b = &q->batch;
    pthread_mutex_lock(&q->head_lock);
    buf_clear(&q->checkpoint);
    buf_span(&q->checkpoint, buf_view(checkpoint));
    q->checkpoint_size = size;
    for (size_t i = 0; i < b->touched_count; i++) {
        struct touched *t = vec_push(&q->touched);
        if (t) *t = b->touched[i];
    }
    pthread_mutex_unlock(&q->head_lock);
    q->size = size;
}

static err entry_bytes(struct sequencer *q, struct store_reader *r, uint64_t index, struct buf *out,
                       struct fail *f) {
    const struct batch *b = &q->batch;
    if (r == q->reader && index >= b->first && index < b->first + b->n) {
        buf_span(out, buf_view(&b->entries[index - b->first]));
        return buf_ok(out, f);
    }
    return store_entry(r, index, out, f);
}

static err make_receipt(struct sequencer *q, struct store_reader *r, uint64_t index,
                        struct span checkpoint, uint64_t size, struct buf *out, struct fail *f) {
    struct buf entry;
    buf_init(&entry, ENTRY_MAX);
    struct hash hashes[MERKLE_PROOF_MAX];
    size_t n;
    err e = entry_bytes(q, r, index, &entry, f);
    if (e == OK) e = merkle_tree_inclusion(q->tree, index, size, hashes, &n, f);
    if (e == OK) {
        receipt_format(out, index, buf_view(&entry));
        e = tlog_proof_format((struct span){0}, index, hashes, n, checkpoint, out, f);
    }
    buf_release(&entry);
    return e;
}

static void answer(struct job *j) {
    struct submission *s = j->s;
    s->done(s->ctx, &j->receipt);
    buf_release(&j->receipt.bytes);
    submission_free(s);
    j->s = NULL;
}

static void answer_all(struct sequencer *q, struct span checkpoint, uint64_t size) {
    for (size_t i = 0; i < q->batch.job_count; i++) {
        struct job *j = &q->batch.jobs[i];
        buf_init(&j->receipt.bytes, ENTRY_MAX + CHECKPOINT_BYTES_MAX + PROOF_BYTES);
        if (j->receipt.code == OK)
            j->receipt.code = make_receipt(q, q->reader, j->receipt.index, checkpoint, size,
                                           &j->receipt.bytes, &j->receipt.fail);
        answer(j);
    }
}

/* The store's state is unknown: nothing more is signed by this process. */
static void die(struct sequencer *q, const struct fail *why) {
    diag(DIAG_ERROR, "the sequencer stops: %s", why->text);
    pthread_mutex_lock(&q->queue_lock);
    q->dead = true;
    pthread_mutex_unlock(&q->queue_lock);
    for (size_t i = 0; i < q->batch.job_count; i++) {
        struct job *j = &q->batch.jobs[i];
        j->receipt.code = fail_set(&j->receipt.fail, why->code == E_DISK_FULL ? E_DISK_FULL : E_IO,
                                   "the log could not be written; send the same record again later");
        answer(j);
    }
    if (q->o.failed) q->o.failed(q->o.ctx, why);
}

static void run_batch(struct sequencer *q, bool incidents) {
    struct batch *b = &q->batch;
    struct fail f = {0};
    struct buf checkpoint;
    bool taken = false;
    buf_init(&checkpoint, CHECKPOINT_BYTES_MAX);
    b->n = b->ref_count = b->touched_count = 0;
    b->first = q->size;
    pthread_mutex_lock(&q->fold_lock);
    fold_begin(q->fold);
    uint64_t ms = clock_wall_ms(), last = fold_last_ms(q->fold);
    if (ms < last) ms = last; /* a clock that went back: time stands still until it is there again */
    for (size_t i = 0; i < b->job_count; i++) admit_job(q, &b->jobs[i], ms);
    if (incidents) admit_incidents(q, ms, &taken);
    err e = b->n ? commit(q, &checkpoint, &f) : OK;
    if (e != OK) {
        fold_rollback(q->fold);
        struct fail ignored;
        if (merkle_tree_truncate(q->tree, b->first, &ignored) != OK) f.code = E_INTERNAL;
        pthread_mutex_unlock(&q->fold_lock);
        if (taken) incidents_written(q->incidents, false);
        die(q, &f);
        buf_release(&checkpoint);
        return;
    }
    fold_commit(q->fold);
    if (keyring_update(q->keys, q->fold, &f) != OK) diag(DIAG_WARN, "%s", f.text);
    if (b->n) publish_head(q, &checkpoint, b->first + b->n); /* whoever has the fold has its head */
    pthread_mutex_unlock(&q->fold_lock);
    if (taken) incidents_written(q->incidents, true);
    if (b->n) {
        if (b->ref_count && objects_keep(q->objects, b->refs, b->ref_count, &f) != OK)
            diag(DIAG_WARN, "objects of the last batch: %s", f.text);
        answer_all(q, buf_view(&checkpoint), b->first + b->n);
        reached(q, "answered");
        if (q->o.committed) q->o.committed(q->o.ctx, b->first + b->n);
    } else {
        answer_all(q, buf_view(&q->checkpoint), q->checkpoint_size);
    }
    buf_release(&checkpoint);
}

/* --- the thread --- */

static void take_jobs(struct sequencer *q) {
    struct batch *b = &q->batch;
    b->job_count = 0;
    while (q->first && b->job_count < q->o.batch_max) {
        struct submission *s = q->first;
        q->first = s->next;
        if (!q->first) q->last = NULL;
        q->queued--;
        b->jobs[b->job_count++] = (struct job){.s = s, .entry = SIZE_MAX};
    }
}

static void *run(void *arg) {
    struct sequencer *q = arg;
    pthread_mutex_lock(&q->queue_lock);
    for (;;) {
        if (!q->first && !q->stopping)
            (void)wait_until(&q->queue_cond, &q->queue_lock, clock_monotonic_ms() + 1000);
        bool last = q->stopping && !q->first;
        if (q->dead) break;
        take_jobs(q);
        q->turned_ms = clock_monotonic_ms();
        pthread_mutex_unlock(&q->queue_lock);
        uint64_t now = clock_monotonic_ms();
        bool incidents = incidents_waiting(q->incidents) &&
                         (last || now - q->last_incident_ms >= q->o.incident_every_ms);
        if (incidents) q->last_incident_ms = now;
        if (q->batch.job_count || incidents) run_batch(q, incidents);
        if (last || now - q->last_saved_ms >= SAVE_EVERY_MS) {
            incidents_save(q->incidents, q->incidents_path);
            q->last_saved_ms = now;
        }
        pthread_mutex_lock(&q->queue_lock);
        if (last) break;
    }
    while (q->first) { /* only after a failure */
        take_jobs(q);
        pthread_mutex_unlock(&q->queue_lock);
        for (size_t i = 0; i < q->batch.job_count; i++) {
            struct job *j = &q->batch.jobs[i];
            j->receipt.code = fail_set(&j->receipt.fail, E_BUSY, "the log is stopping; send again");
            answer(j);
        }
        pthread_mutex_lock(&q->queue_lock);
    }
    pthread_mutex_unlock(&q->queue_lock);
    return NULL;
}

err sequencer_start(struct sequencer *q, struct fail *f) {
    TRY(store_take_term(q->store, &q->term, f));
    uint64_t size = q->size;
    if (size) { /* what was committed is signed again: the same bytes give the same signature */
        struct hash root = merkle_tree_root(q->tree);
        TRY(guard_advance(q->guard, size, &root, f));
        pthread_mutex_lock(&q->head_lock);
        buf_clear(&q->checkpoint);
        err e = checkpoint_sign(q->o.log, size, &root, &q->checkpoint, f);
        q->checkpoint_size = size;
        pthread_mutex_unlock(&q->head_lock);
        if (e != OK) return e;
    }
    /* what is tried first is told soon; the rule of the record still holds */
    uint64_t now = clock_monotonic_ms(), soon = q->o.incident_every_ms - (q->o.incident_every_ms < FIRST_INCIDENT_MS ? q->o.incident_every_ms : FIRST_INCIDENT_MS);
    q->last_incident_ms = now > soon ? now - soon : 0;
    if (pthread_create(&q->thread, NULL, run, q))
        return fail_set(f, E_MEMORY, "no thread for the sequencer");
    pthread_mutex_lock(&q->queue_lock);
    q->running = true;
    pthread_mutex_unlock(&q->queue_lock);
    return OK;
}

void sequencer_stop(struct sequencer *q) {
    pthread_mutex_lock(&q->queue_lock);
    bool running = q->running;
    q->stopping = true;
    q->running = false;
    pthread_cond_broadcast(&q->queue_cond);
    pthread_mutex_unlock(&q->queue_lock);
    if (running) pthread_join(q->thread, NULL);
}

err sequencer_submit(struct sequencer *q, struct submission *s, struct fail *f) {
    err e = OK;
    pthread_mutex_lock(&q->queue_lock);
    if (q->dead || q->stopping)
        e = fail_set(f, E_BUSY, "the log is stopping; send the same record again later");
    else if (!q->running)
        e = fail_set(f, E_UNCONFIRMED, "the log waits for its witnesses; send again later");
    else if (q->paused)
        e = fail_set(f, E_CLOCK, "the log's clock is away from its witnesses', or not yet compared; send again later");
    else if (q->queued >= q->o.queue_max)
        e = fail_set(f, E_BUSY, "the queue is full; send the same record again later");
    if (e == OK) {
        s->next = NULL;
        if (q->last)
            q->last->next = s;
        else
            q->first = s;
        q->last = s;
        q->queued++;
        pthread_cond_signal(&q->queue_cond);
    }
    pthread_mutex_unlock(&q->queue_lock);
    return e;
}

void sequencer_refused(struct sequencer *q, const struct submission *s, err code) {
    /* our own trouble, or an object that is still on its way, is nobody's attempt */
    if (code == E_OBJECT_MISSING || code == E_MEMORY || code == E_BUSY || code == E_IO) return;
    bool proven = s->signer[0] && s->checked_count > 0 && code != E_SIGNATURE;
    incidents_add(q->incidents, code, s->signer, proven, s->type,
                  proven ? buf_view(&s->note) : (struct span){0}, clock_wall_ms());
}

void sequencer_pause(struct sequencer *q, bool paused) {
    pthread_mutex_lock(&q->queue_lock);
    q->paused = paused;
    pthread_mutex_unlock(&q->queue_lock);
}

/* --- views --- */

struct keyring *sequencer_keys(struct sequencer *q) {
    return q->keys;
}
struct objects *sequencer_objects(struct sequencer *q) {
    return q->objects;
}
struct incidents *sequencer_incidents(struct sequencer *q) {
    return q->incidents;
}
const struct merkle_tree *sequencer_tree(const struct sequencer *q) {
    return q->tree;
}
uint64_t sequencer_size(struct sequencer *q) {
    return q->size;
}
struct span sequencer_origin(const struct sequencer *q) {
    return q->o.log->key.name;
}

void sequencer_log_vkey(const struct sequencer *q, struct buf *out) {
    note_vkey_format(&q->o.log->key, out);
}

bool sequencer_is_up(struct sequencer *q, const char **why) {
    pthread_mutex_lock(&q->queue_lock);
    *why = q->dead       ? "the store failed: start the daemon again"
           : q->stopping ? "the log is stopping"
           : !q->running ? "nothing is sequenced yet: witnesses have not confirmed the stored log"
           : q->paused   ? "the clock is away from the witnesses', or not yet compared"
           : q->queued && clock_monotonic_ms() - q->turned_ms > STUCK_MS
               ? "records have waited for half a minute: the store does not answer"
               : NULL;
    pthread_mutex_unlock(&q->queue_lock);
    return !*why;
}

size_t sequencer_queued(struct sequencer *q) {
    pthread_mutex_lock(&q->queue_lock);
    size_t n = q->queued;
    pthread_mutex_unlock(&q->queue_lock);
    return n;
}

err sequencer_checkpoint(struct sequencer *q, uint64_t *size, struct buf *out, struct fail *f) {
    pthread_mutex_lock(&q->head_lock);
    *size = q->checkpoint_size;
    buf_span(out, buf_view(&q->checkpoint));
    pthread_mutex_unlock(&q->head_lock);
    return buf_ok(out, f);
}

const struct fold *sequencer_fold_lock(struct sequencer *q) {
    pthread_mutex_lock(&q->fold_lock);
    return q->fold;
}

void sequencer_fold_unlock(struct sequencer *q) {
    pthread_mutex_unlock(&q->fold_lock);
}

err sequencer_reader(struct sequencer *q, struct store_reader **out, struct fail *f) {
    return store_reader_open(q->store, out, f);
}

err sequencer_receipt(struct sequencer *q, struct store_reader *r, uint64_t index, struct buf *out,
                      struct fail *f) {
    struct buf checkpoint;
    uint64_t size;
    buf_init(&checkpoint, CHECKPOINT_BYTES_MAX);
    err e = sequencer_checkpoint(q, &size, &checkpoint, f);
    if (e == OK && index >= size)
        e = fail_set(f, E_NOT_FOUND, "the log has no entry %llu", (unsigned long long)index);
    if (e == OK) e = make_receipt(q, r, index, buf_view(&checkpoint), size, out, f);
    buf_release(&checkpoint);
    return e;
}

err sequencer_receipt_under(struct sequencer *q, struct store_reader *r, uint64_t index,
                            struct span checkpoint, uint64_t size, struct buf *out,
                            struct fail *f) {
    if (index >= size)
        return fail_set(f, E_NOT_FOUND, "the checkpoint of %llu entries does not cover entry %llu",
                        (unsigned long long)size, (unsigned long long)index);
    return make_receipt(q, r, index, checkpoint, size, out, f);
}

uint64_t sequencer_find(struct sequencer *q, const struct hash *id) {
    pthread_mutex_lock(&q->fold_lock);
    uint64_t i = fold_find(q->fold, id);
    pthread_mutex_unlock(&q->fold_lock);
    return i;
}

size_t sequencer_touched(struct sequencer *q, struct touched *out, size_t max) {
    pthread_mutex_lock(&q->head_lock);
    size_t n = q->touched.n < max ? q->touched.n : max;
    for (size_t i = 0; i < n; i++)
        out[i] = *(const struct touched *)vec_at(&q->touched, q->touched.n - n + i);
    q->touched.n -= n;
    pthread_mutex_unlock(&q->head_lock);
    return n;
}
