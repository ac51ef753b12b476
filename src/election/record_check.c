/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/record_check.h"

#include <stdio.h>
#include <stdlib.h>
#include "election/receipt.h"
#include "election/record_check_impl.h"
#include "election/verification_impl.h"
#include "tlog/proof.h"

enum { RECEIPT_MAX = 256 << 10 };
#define PROOF_MAGIC "c2sp.org/tlog-proof@v1\n"
#define NOTE_MAGIC  "hesabu/v1 "

/* The given file, taken apart. */
struct given {
    struct tlog_proof *proof;
    struct span entry;   /* of a receipt */
    struct record *note; /* of a note */
};

/* The first reason stays, but a wrong answer weighs more than an open question before it. */
static void judge(struct record_report *r, err e, const struct fail *f) {
    enum verdict v = e == E_QUORUM ? VERDICT_UNKNOWN : verification_verdict_of(e);
    if (r->verdict == VERDICT_INVALID || r->verdict == v) return;
    r->verdict = v;
    r->code = e;
    (void)snprintf(r->sentence, sizeof r->sentence, "%.390s", f->text);
}

/* Not about the record: our own failure, or a file that is still on its way. */
static bool ends(err e) {
    return e == E_AGAIN || e == E_MEMORY;
}

/* --- the log --- */

static err view_get(void *ctx, struct tile t, bool again, struct buf *out, struct fail *f) {
    struct record_work *w = ctx;
    if (again) return fail_set(f, E_TILE, "a tile is not the one under the checkpoint");
    return tile_read(w->get, w->ctx, t, out, f);
}

err record_entry_at(struct record_work *w, uint64_t index, struct span *entry, struct fail *f) {
    struct tile t = {.entries = true, .index = index / TILE_WIDTH};
    struct span entries[TILE_WIDTH];
    const struct hash *hashes;
    if (index >= w->view.size)
        return fail_set(f, E_NOT_FOUND, "the log has no entry %llu yet", (unsigned long long)index);
    t.width = (uint16_t)tile_width_at(w->view.size, 0, t.index);
    TRY(tile_view_tile(&w->view, 0, t.index, &hashes, f));
    struct hash want = hashes[index % TILE_WIDTH];
    buf_clear(&w->bundle);
    TRY(tile_read(w->get, w->ctx, t, &w->bundle, f));
    TRY(bundle_parse(buf_view(&w->bundle), t.width, entries, f));
    struct hash leaf = merkle_leaf(entries[index % TILE_WIDTH]);
    if (!hash_eq(&leaf, &want))
        return fail_set(f, E_TILE, "entry %llu is not the one that the checkpoint stands for",
                        (unsigned long long)index);
    *entry = arena_copy(&w->arena, entries[index % TILE_WIDTH]);
    return entry->p ? OK : fail_set(f, E_MEMORY, "no memory for an entry");
}

err record_of_entry(struct span entry, uint64_t *ms, struct record *rec, struct fail *f) {
    struct span note;
    TRY(entry_parse(entry, ms, &note, f));
    return record_parse(note, rec, f);
}

static err open_log(struct record_work *w, struct fail *f) {
    TRY(w->get(w->ctx, "checkpoint", CHECKPOINT_BYTES_MAX, &w->checkpoint_note, f));
    TRY(note_split(buf_view(&w->checkpoint_note), &w->note, w->lines, NOTE_LINES_MAX, f));
    TRY(checkpoint_parse(w->note.text, &w->checkpoint, f));
    w->r->size = w->view.size = w->checkpoint.size;
    w->r->root = w->view.root = w->checkpoint.root;
    w->view.get = view_get;
    w->view.ctx = w;
    if (w->view.size == 0) return fail_set(f, E_NOT_FOUND, "the log is empty");
    return tile_view_open(&w->view, f);
}

static err read_policy(struct record_work *w, struct fail *f) {
    struct span text = w->o->policy;
    if (text.n == 0 && w->o->anchor) text = w->o->anchor->policy;
    if (text.n == 0) text = w->policy_text;
    if (text.n == 0) return OK;
    TRY(policy_parse(text, &w->arena, &w->policy, f));
    w->has_policy = true;
    w->r->witnesses = w->policy.witness_count;
    return OK;
}

/* The log's signature on a checkpoint, then its cosignatures. *quorum: enough of them; *count may be
 * NULL. */
static err check_signed(struct record_work *w, const struct checkpoint *c, struct span text,
                        const struct note_line *lines, size_t n, bool *quorum, size_t *count,
                        struct fail *f) {
    const struct note_key *log = w->o->anchor ? &w->o->anchor->log : &w->log;
    bool found = false;
    *quorum = false;
    for (size_t i = 0; i < n; i++) {
        if (!note_line_is_by(&lines[i], log)) continue;
        TRY(note_verify(log, text, &lines[i], f));
        found = true;
    }
    for (size_t i = 0; i < n && !found; i++)
        if (span_eq(lines[i].name, log->name) && lines[i].id != log->id)
            return fail_set(f, E_NOT_FOUND, "the checkpoint is signed by a later key of this log: only the "
                                            "whole log shows by which amendment");
    if (!found) return fail_set(f, E_UNSIGNED, "the checkpoint is not signed by the log's key");
    if (!span_eq(c->origin, log->name)) return fail_set(f, E_ORIGIN, "the checkpoint is of another log");
    if (!w->has_policy) return OK;
    struct cosignature each[POLICY_WITNESSES_MAX] = {0};
    err e = policy_check(&w->policy, c->body, lines, n, each, f);
    *quorum = e == OK && w->policy.has_quorum;
    if (count)
        for (size_t i = 0; i < w->policy.witness_count; i++) *count += each[i].present;
    return e;
}

/* --- signers --- */

static void name_signer(struct checked_signer *s, const struct note_line *l) {
    (void)snprintf(s->name, sizeof s->name, "%.*s", (int)(l->name.n < sizeof s->name ? l->name.n : 0),
                   (const char *)l->name.p);
    s->state = SIGNER_UNKNOWN;
    s->role = ROLE_COUNT;
    s->key_index = UINT64_MAX;
}

static err check_rights(const struct checked_key *k, const struct record *rec, uint64_t ms, struct fail *f) {
    if (k->is_log)
        return log_may_sign(rec->type) ? OK : fail_set(f, E_ROLE, "the log's own key may not sign this");
    if (rec->type == REC_MANIFEST && k->role == ROLE_COMMISSIONER) return OK;
    if (!role_may_sign(k->role, rec->type))
        return fail_set(f, E_ROLE, "a %s may not sign a record of type %s", role_name(k->role),
                        record_info(rec->type)->name);
    if (ms < k->not_before_ms || ms > k->not_after_ms)
        return fail_set(f, E_EXPIRED, "the key %.*s was not valid at the record's time", SPAN_ARG(k->name));
    return OK;
}

static err check_signer(struct record_work *w, const struct record *rec, size_t i,
                        const struct checked_key *introduced, struct fail *f) {
    struct record_report *r = w->r;
    struct checked_signer *s = &r->signers[i];
    const struct note_line *l = &rec->lines[i];
    const struct checked_key *k = introduced;
    bool own = k && k->id == l->id && span_eq(k->name, l->name);
    if (!own) TRY(record_find_key(w, l, r->index ? r->index : 1, 0, &k, f));
    s->role = k->role;
    s->is_log = k->is_log;
    s->key_index = k->index;
    s->state = SIGNER_FAILS;
    TRY(record_line_holds(k, rec, i, f));
    s->state = SIGNER_HOLDS;
    return own ? OK : check_rights(k, rec, r->ms, f);
}

static err check_signers(struct record_work *w, const struct record *rec, struct fail *f) {
    struct record_report *r = w->r;
    struct checked_key introduced;
    bool is_key = rec->type == REC_KEY;
    if (is_key) TRY(record_read_key(w, rec, r->index, &introduced, f));
    r->signer_count = rec->split.count;
    for (size_t i = 0; i < rec->split.count; i++) name_signer(&r->signers[i], &rec->lines[i]);
    for (size_t i = 0; i < rec->split.count; i++) {
        err e = check_signer(w, rec, i, is_key ? &introduced : NULL, f);
        if (ends(e)) return e;
        if (e != OK) judge(r, e, f);
    }
    return OK;
}

static err check_entry(struct record_work *w, struct record *rec, struct fail *f) {
    struct record_report *r = w->r;
    struct span entry;
    TRY(record_entry_at(w, r->index, &entry, f));
    r->in_log = true;
    buf_span(&r->entry, entry);
    TRY(buf_ok(&r->entry, f));
    TRY(record_of_entry(buf_view(&r->entry), &r->ms, rec, f));
    r->type = rec->type;
    r->id = rec->id;
    r->json = rec->json;
    return check_signers(w, rec, f);
}

/* --- the given file --- */

static err take_given(struct record_work *w, struct given *g, struct fail *f) {
    struct span bytes = w->o->given, proof = {0};
    struct record_report *r = w->r;
    if (bytes.n > RECORD_CHECK_GIVEN_MAX) return fail_set(f, E_TOO_LARGE, "the file is too large for a receipt");
    if (span_starts(bytes, SPAN_LIT("hesabu/receipt/v1 "))) {
        struct receipt_view v;
        TRY(receipt_parse(bytes, &v, f));
        r->given = GIVEN_RECEIPT;
        g->entry = v.entry;
        proof = v.proof;
        r->index = v.index;
    } else if (span_starts(bytes, SPAN_LIT(PROOF_MAGIC))) {
        r->given = GIVEN_PROOF;
        proof = bytes;
    } else if (span_starts(bytes, SPAN_LIT(NOTE_MAGIC))) {
        r->given = GIVEN_NOTE;
        return record_parse(bytes, g->note, f);
    } else {
        return fail_set(f, E_FIELD, "the file is no receipt, no proof and no signed slip");
    }
    TRY(tlog_proof_parse(proof, g->proof, f));
    if (r->given == GIVEN_RECEIPT && g->proof->index != r->index)
        return fail_set(f, E_PROOF, "the receipt's proof is of another entry");
    r->index = g->proof->index;
    return OK;
}

/* Which entry a slip's note is, by the server's word; the note is compared with it later. */
static err find_note(struct record_work *w, const struct given *g, struct fail *f) {
    char path[100] = "proofs/";
    struct buf b;
    struct receipt_view v;
    hash_hex(&g->note->id, path + strlen(path));
    buf_init(&b, RECEIPT_MAX);
    err e = w->get(w->ctx, path, RECEIPT_MAX, &b, f);
    if (e == E_NOT_FOUND) fail_set(f, e, "the log does not have this record yet, or the server hides it: keep the slip");
    if (e == OK && receipt_parse(buf_view(&b), &v, f) != OK)
        e = fail_set(f, E_NETWORK, "the server's answer about this record is not a receipt");
    if (e == OK) w->r->index = v.index;
    buf_release(&b);
    return e;
}

/* A receipt by itself: inclusion under a checkpoint that the log has signed. */
static err check_proof(struct record_work *w, const struct given *g, struct span entry,
                       struct checkpoint *c, struct fail *f) {
    struct note note;
    struct note_line *lines = w->lines;
    struct hash leaf = merkle_leaf(entry);
    TRY(note_split(g->proof->checkpoint, &note, lines, NOTE_LINES_MAX, f));
    TRY(checkpoint_parse(note.text, c, f));
    TRY(merkle_verify_inclusion(&leaf, g->proof->index, c->size, g->proof->hashes, g->proof->count,
                                &c->root, f));
    w->r->given_size = c->size;
    err e = check_signed(w, c, note.text, lines, note.count, &w->r->given_quorum, NULL, f);
    return e == E_QUORUM ? OK : e;
}

/* What the reader holds against what the log shows now. */
static err check_given(struct record_work *w, const struct given *g, const struct record *rec,
                       struct fail *f) {
    struct record_report *r = w->r;
    struct checkpoint c;
    struct hash root;
    if (r->given == GIVEN_NOTHING) return OK;
    if (r->given == GIVEN_NOTE) {
        if (!hash_eq(&rec->id, &g->note->id))
            return fail_set(f, E_FORK, "entry %llu is another record than the one in your hand",
                            (unsigned long long)r->index);
        for (size_t i = 0; i < g->note->split.count; i++) {
            const struct checked_key *k;
            TRY(record_find_key(w, &g->note->lines[i], r->index ? r->index : 1, 0, &k, f));
            TRY(record_line_holds(k, g->note, i, f));
        }
        r->given_holds = r->given_consistent = true;
        return OK;
    }
    struct span logged = buf_view(&r->entry);
    TRY(check_proof(w, g, r->given == GIVEN_RECEIPT ? g->entry : logged, &c, f));
    r->given_holds = true;
    if (r->given == GIVEN_RECEIPT && !span_eq(g->entry, logged))
        return fail_set(f, E_FORK, "the server shows another record at entry %llu than the log has signed: "
                                   "keep this file, it proves that", (unsigned long long)r->index);
    if (c.size > w->view.size)
        return fail_set(f, E_REWIND, "the server shows fewer entries than the log has signed: keep this file, "
                                     "it proves that");
    TRY(tile_view_root_at(&w->view, c.size, &root, f));
    if (!hash_eq(&root, &c.root))
        return fail_set(f, E_FORK, "the server shows another log than the one of this file: keep it, it proves that");
    r->given_consistent = true;
    return OK;
}

/* The log cannot be asked, or shows too little: the file may still hold by itself, under the anchor. */
static void check_alone(struct record_work *w, const struct given *g) {
    struct fail f;
    struct checkpoint c;
    if (w->r->given != GIVEN_RECEIPT || w->r->given_holds || !w->o->anchor) return;
    if (!w->has_policy && read_policy(w, &f) != OK) return;
    w->r->given_holds = check_proof(w, g, g->entry, &c, &f) == OK;
}

/* --- in order --- */

static err check_all(struct record_work *w, struct given *g, struct record *rec, struct fail *f) {
    struct record_report *r = w->r;
    TRY(open_log(w, f));
    TRY(record_read_manifest(w, f));
    TRY(read_policy(w, f));
    err e = check_signed(w, &w->checkpoint, w->note.text, w->lines, w->note.count, &r->quorum,
                         &r->witnessed_by, f);
    if (e == E_QUORUM) judge(r, e, f);
    if (e != OK && e != E_QUORUM) return e;
    if (r->given == GIVEN_NOTE) TRY(find_note(w, g, f));
    if (r->given_size == 0 && r->given != GIVEN_NOTHING && r->index >= w->view.size)
        return fail_set(f, E_REWIND, "the server shows %llu entries, and the log has signed more: keep this "
                                     "file", (unsigned long long)w->view.size);
    TRY(check_entry(w, rec, f));
    return check_given(w, g, rec, f);
}

static err run(struct record_work *w, struct given *g, struct record *rec, struct fail *f) {
    struct fail why = {0};
    err e = w->o->given.n ? take_given(w, g, &why) : OK;
    if (e == OK) {
        e = check_all(w, g, rec, &why);
        if (e != OK && !ends(e)) check_alone(w, g);
    }
    if (ends(e)) {
        *f = why;
        return e;
    }
    if (e != OK) judge(w->r, e, &why);
    return OK;
}

err record_check(tile_get *get, void *ctx, const struct record_check_options *o,
                 struct record_report *r, struct fail *f) {
    record_report_release(r);
    *r = (struct record_report){.verdict = VERDICT_VALID, .index = o->index, .type = REC_COUNT,
                                .anchored = o->anchor != NULL};
    buf_init(&r->entry, ENTRY_MAX);
    struct record_work *w = calloc(1, sizeof *w);
    struct record *rec = calloc(2, sizeof *rec);
    struct given g = {.proof = calloc(1, sizeof *g.proof), .note = rec ? rec + 1 : NULL};
    err e = w && rec && g.proof ? OK : fail_set(f, E_MEMORY, "no memory to check a record");
    if (e == OK) {
        w->get = get;
        w->ctx = ctx;
        w->o = o;
        w->r = r;
        arena_init(&w->arena, 64 << 20);
        buf_init(&w->checkpoint_note, CHECKPOINT_BYTES_MAX);
        buf_init(&w->bundle, TILE_BUNDLE_MAX);
        e = run(w, &g, rec, f);
        arena_release(&w->arena);
        buf_release(&w->checkpoint_note);
        buf_release(&w->bundle);
    }
    free(w);
    free(rec);
    free(g.proof);
    return e;
}

void record_report_release(struct record_report *r) {
    buf_release(&r->entry);
}
