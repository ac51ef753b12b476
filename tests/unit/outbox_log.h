/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A log in memory that an outbox can send to: it answers truly, or as it is told. One witness. */
#ifndef TESTS_OUTBOX_LOG_H
#define TESTS_OUTBOX_LOG_H

#include "election/compose.h"
#include "service/outbox.h"
#include "service/submission.h"
#include "tlog/cosignature.h"
#include "tlog/proof.h"

enum { LOG_ENTRIES = 64, LOG_OBJECTS = 16 };

/* What goes wrong with one exchange. */
enum mishap {
    ALL_WELL,
    NO_CONNECTION,   /* nothing reached the log */
    ANSWER_LOST,     /* the log did it, nobody heard */
    ANSWER_CUT,      /* half of the answer, as if it were whole */
    BUSY_503,
    RATE_429,
    NO_CODE_502,     /* a proxy's page */
    PORTAL_PAGE_200, /* a hotel's page */
    MISHAPS
};

struct outbox_log {
    struct note_signer log, witness, officer;
    struct merkle_tree *tree;
    struct buf entry[LOG_ENTRIES];
    struct hash id[LOG_ENTRIES];
    size_t n;
    struct hash object[LOG_OBJECTS];
    bool restricted[LOG_OBJECTS];
    size_t objects;
    bool cosigns;      /* GET /proofs is under a cosigned checkpoint */
    bool wants_object; /* a record is refused before its objects are there */
    err refuses;       /* every record, with this code */
    size_t calls, posts;
    /* at call number `at` (from 1; 0: at every one) */
    enum mishap mishap;
    size_t at;
    /* changes a receipt on its way out; may be NULL */
    void (*twist)(struct outbox_log *l, struct buf *receipt);
};

static inline void log_signer(struct note_signer *s, const char *name, uint8_t type) {
    struct hash seed = sha256(span_text(name));
    struct fail f;
    must(note_signer_make(span_text(name), type, seed.b, s, &f));
}

static inline struct hash log_manifest(void) {
    return sha256(SPAN_LIT("a manifest"));
}

static inline struct outbox_log *log_new(void) {
    struct outbox_log *l = calloc(1, sizeof *l);
    struct fail f;
    log_signer(&l->log, "log.example/test", NOTE_TYPE_ED25519);
    log_signer(&l->witness, "witness.example/w", NOTE_TYPE_COSIGNATURE);
    log_signer(&l->officer, "po/1", NOTE_TYPE_ED25519);
    must(merkle_tree_new(LOG_ENTRIES, &l->tree, &f));
    l->cosigns = true;
    return l;
}

static inline void log_free(struct outbox_log *l) {
    for (size_t i = 0; i < l->n; i++) buf_release(&l->entry[i]);
    merkle_tree_free(l->tree);
    free(l);
}

/* The anchor; without witnesses when `alone`. */
static inline void log_anchor(const struct outbox_log *l, bool alone, struct buf *out) {
    struct buf vkey, policy;
    struct hash manifest = log_manifest();
    buf_init(&vkey, 1024);
    buf_init(&policy, 4096);
    if (!alone) {
        buf_str(&policy, "log ");
        note_vkey_format(&l->log.key, &policy);
        buf_str(&policy, "\nwitness w ");
        note_vkey_format(&l->witness.key, &policy);
        buf_str(&policy, "\nquorum w\n");
    }
    note_vkey_format(&l->log.key, &vkey);
    anchor_format(l->log.key.name, buf_view(&vkey), &manifest, buf_view(&policy), out);
    buf_release(&vkey);
    buf_release(&policy);
}

/* A checkpoint of the first `size` entries, cosigned or not. */
static inline void log_checkpoint(const struct outbox_log *l, const struct note_signer *by,
                                  uint64_t size, bool cosigned, struct buf *out) {
    struct hash root;
    struct fail f;
    must(merkle_tree_root_at(l->tree, size, &root, &f));
    must(checkpoint_sign(by, size, &root, out, &f));
    struct note note;
    must(note_cut(buf_view(out), &note, &f));
    struct buf body;
    buf_init(&body, 4096);
    buf_span(&body, note.text);
    if (cosigned) must(cosignature_sign(&l->witness, buf_view(&body), 1500000000, out, &f));
    buf_release(&body);
}

static inline void log_receipt(const struct outbox_log *l, const struct note_signer *by,
                               uint64_t index, bool cosigned, struct buf *out) {
    struct buf checkpoint;
    struct hash proof[MERKLE_PROOF_MAX];
    size_t n;
    struct fail f;
    buf_init(&checkpoint, 65536);
    log_checkpoint(l, by, l->n, cosigned, &checkpoint);
    must(merkle_tree_inclusion(l->tree, index, l->n, proof, &n, &f));
    receipt_format(out, index, buf_view(&l->entry[index]));
    must(tlog_proof_format((struct span){0}, index, proof, n, buf_view(&checkpoint), out, &f));
    buf_release(&checkpoint);
}

static inline uint64_t log_find(const struct outbox_log *l, const struct hash *id) {
    for (size_t i = 0; i < l->n; i++)
        if (hash_eq(&l->id[i], id)) return i;
    return UINT64_MAX;
}

static inline void log_append(struct outbox_log *l, struct span note) {
    struct fail f;
    static struct record r;
    must(record_parse(note, &r, &f));
    if (log_find(l, &r.id) != UINT64_MAX) return;
    assert_true(l->n < LOG_ENTRIES);
    buf_init(&l->entry[l->n], ENTRY_MAX);
    entry_format(&l->entry[l->n], 1500000000000 + l->n, note);
    struct hash leaf = merkle_leaf(buf_view(&l->entry[l->n]));
    must(merkle_tree_append(l->tree, &leaf, &f));
    l->id[l->n++] = r.id;
}

static inline void log_refuse(struct outbox_answer *a, err code) {
    a->status = err_info(code)->http;
    a->code = fail_set(&a->refusal, code, "refused in a test");
}

static inline bool log_has_object(const struct outbox_log *l, const struct hash *id) {
    for (size_t i = 0; i < l->objects; i++)
        if (hash_eq(&l->object[i], id)) return true;
    return false;
}

static inline void log_post(struct outbox_log *l, struct span note, struct outbox_answer *a) {
    static struct record r;
    struct notes_object need[8];
    size_t n;
    struct fail f;
    l->posts++;
    must(record_parse(note, &r, &f));
    must(notes_objects(&r, need, 8, &n, &f));
    if (l->refuses) {
        log_refuse(a, l->refuses);
        return;
    }
    for (size_t i = 0; l->wants_object && i < n; i++) {
        if (log_has_object(l, &need[i].id)) continue;
        log_refuse(a, E_OBJECT_MISSING);
        return;
    }
    bool known = log_find(l, &r.id) != UINT64_MAX;
    log_append(l, note);
    a->status = known ? 200 : 201;
    log_receipt(l, &l->log, log_find(l, &r.id), false, &a->body);
}

static inline void log_put(struct outbox_log *l, const char *path, struct span body,
                           struct outbox_answer *a) {
    struct hash id, got = sha256(body);
    struct fail f;
    must(hash_from_hex(span_of(path + 9, HASH_HEX_LEN), &id, &f));
    assert_true(hash_eq(&id, &got));
    a->status = 201;
    if (log_has_object(l, &id)) return;
    assert_true(l->objects < LOG_OBJECTS);
    l->restricted[l->objects] = strstr(path, "class=restricted") != NULL;
    l->object[l->objects++] = id;
}

static inline void log_proof(struct outbox_log *l, const char *path, struct outbox_answer *a) {
    struct hash id;
    struct fail f;
    must(hash_from_hex(span_text(path + 8), &id, &f));
    uint64_t index = log_find(l, &id);
    if (index == UINT64_MAX) {
        log_refuse(a, E_NOT_FOUND);
        return;
    }
    a->status = 200;
    log_receipt(l, &l->log, index, l->cosigns, &a->body);
}

/* One exchange, with its mishap. */
static inline err log_call(void *ctx, const struct outbox_request *r, struct outbox_answer *a,
                           struct fail *f) {
    struct outbox_log *l = ctx;
    struct span body = r->body, mapped = {0};
    l->calls++;
    enum mishap m = l->at == 0 || l->at == l->calls ? l->mishap : ALL_WELL;
    if (m == NO_CONNECTION) return fail_set(f, E_NETWORK, "no connection in a test");
    a->code = OK;
    if (m == BUSY_503 || m == RATE_429) {
        log_refuse(a, m == BUSY_503 ? E_BUSY : E_RATE);
        a->retry_after_s = 7;
        return OK;
    }
    if (m == NO_CODE_502) {
        a->status = 502;
        a->code = fail_set(&a->refusal, E_NETWORK, "a proxy's page");
        return OK;
    }
    if (m == PORTAL_PAGE_200) {
        a->status = 200;
        buf_str(&a->body, "<html>Welcome! Accept the terms to go on.</html>");
        return OK;
    }
    if (r->body_file) {
        assert_int_equal(file_map(r->body_file, &mapped, f), OK);
        body = mapped;
    }
    if (strcmp(r->method, "POST") == 0)
        log_post(l, body, a);
    else if (strcmp(r->method, "PUT") == 0)
        log_put(l, r->path, body, a);
    else
        log_proof(l, r->path, a);
    if (mapped.p) file_unmap(mapped);
    if (a->code == OK && a->body.n && l->twist) l->twist(l, &a->body);
    if (m == ANSWER_CUT) a->body.n /= 2;
    if (m == ANSWER_LOST) return fail_set(f, E_NETWORK, "the connection ended in a test");
    return OK;
}

/* Record number k: the revocation of a key that nobody has; signed by the officer. */
static inline void log_record(const struct outbox_log *l, unsigned k, struct buf *note) {
    struct buf text;
    char name[32];
    struct hash election = log_manifest();
    struct fail f;
    buf_init(&text, 4096);
    (void)snprintf(name, sizeof name, "key/%u", k);
    compose_revoke(&text, &election, span_text(name), "lost", UINT64_MAX);
    const struct note_signer *by[] = {&l->officer};
    must(note_sign(by, 1, buf_view(&text), note, &f));
    buf_release(&text);
}

#endif
