/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/text.h"
#include "base/vec.h"
#include "election/results.h"
#include "service/head.h"
#include "service/verify_pool.h"
#include "tlog/cosignature.h"
#include "tlog/policy.h"

enum { LEVELS = 8, AWAY_MS = 60000, INDEX_MAX = 64 << 20, FILE_MAX = 256 << 20 };

struct level {
    struct hash h[TILE_WIDTH];
    unsigned n;
    uint64_t index;
};

struct run {
    const struct tree_source *s;
    const struct verify_options *o;
    struct verify_report *r;
    struct fold *fold;
    struct applied *applied;
    struct verify_pool *pool;
    struct buf scratch, checkpoint_note, object;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    struct checkpoint checkpoint;
    struct merkle_frontier frontier;
    struct level level[LEVELS];
    struct arena arena;
    struct policy policy;
    bool has_policy;
    /* cosigned checkpoints on the way */
    struct buf sizes;
    struct span sizes_rest;
    uint64_t next_size;  /* UINT64_MAX: no more */
    uint64_t not_before; /* ms: entries from here on are not earlier */
    struct vec since;    /* ms of the entries since the last cosigned checkpoint */
    struct budget budget;
    bool blind; /* a consensus object is missing: what is refused afterwards may only lack it */
    struct {
        enum verdict verdict;
        err code;
        char sentence[300];
    } differs; /* published results */
};

static void judge(struct run *x, enum verdict v, err code, uint64_t index, const char *fmt, ...)
    PRINTF(5, 6);
static void judge(struct run *x, enum verdict v, err code, uint64_t index, const char *fmt, ...) {
    struct verify_report *r = x->r;
    if (r->verdict == VERDICT_INVALID || r->verdict == v) return; /* the first reason stays */
    r->verdict = v;
    r->code = code;
    r->index = index;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(r->sentence, sizeof r->sentence, fmt, ap);
    va_end(ap);
}

/* A file that is not there, or cannot be had, leaves the question open; a wrong one answers it. */
static enum verdict verdict_of(err e) {
    return e == E_NOT_FOUND || e == E_NETWORK || e == E_TIMEOUT || e == E_BUSY || e == E_IO ||
                   e == E_OBJECT_MISSING
               ? VERDICT_UNKNOWN
               : VERDICT_INVALID;
}

/* --- the tree --- */

static struct hash subtree(struct hash *h, unsigned n) {
    while (n > 1) {
        for (unsigned i = 0; i < n / 2; i++) h[i] = merkle_node(&h[2 * i], &h[2 * i + 1]);
        n /= 2;
    }
    return h[0];
}

/* The published hash tile says the same as the entries. */
static void compare_tile(struct run *x, unsigned l) {
    struct level *v = &x->level[l];
    struct tile t = {.level = (uint8_t)l, .width = (uint16_t)v->n, .index = v->index};
    struct fail f = {0};
    char path[TILE_PATH_MAX];
    tile_path(t, path);
    buf_clear(&x->scratch);
    err e = tree_source_tile(x->s, t, &x->scratch, &f);
    if (e != OK) {
        judge(x, verdict_of(e), e == E_NOT_FOUND ? E_NOT_FOUND : E_TILE, UINT64_MAX, "%s: %s", path,
              f.text);
        return;
    }
    for (unsigned i = 0; i < v->n; i++) {
        if (x->scratch.n == (size_t)v->n * HASH_BYTES &&
            memcmp(x->scratch.p + (size_t)i * HASH_BYTES, v->h[i].b, HASH_BYTES) == 0)
            continue;
        /* an entry that is not the one that was logged: what is wrong inside it matters less */
        if (l == 0 && x->r->verdict == VERDICT_INVALID &&
            x->r->index >= v->index * TILE_WIDTH + i)
            x->r->verdict = VERDICT_VALID;
        judge(x, VERDICT_INVALID, E_TILE, l == 0 ? v->index * TILE_WIDTH + i : UINT64_MAX,
              l == 0 ? "%s and entry %llu do not agree" : "%s, hash %llu, does not follow from the entries",
              path, (unsigned long long)(l == 0 ? v->index * TILE_WIDTH + i : i));
        return;
    }
}

static void add_hash(struct run *x, unsigned l, const struct hash *h) {
    struct level *v = &x->level[l];
    v->h[v->n++] = *h;
    if (v->n < TILE_WIDTH) return;
    compare_tile(x, l);
    struct hash up = subtree(v->h, TILE_WIDTH);
    v->n = 0;
    v->index++;
    if (l + 1 < LEVELS) add_hash(x, l + 1, &up);
}

/* --- checkpoints and witnesses --- */

/* The policy in force: the reader's, the anchor's, or the manifest's. Known from the first entry on. */
static void find_policy(struct run *x) {
    struct span text = x->o->policy;
    const struct definition *d = fold_definition(x->fold);
    if (text.n == 0 && x->o->anchor) text = x->o->anchor->policy;
    if (text.n == 0 && d) text = d->policy;
    struct fail f;
    if (text.n == 0 || x->has_policy) return;
    err e = policy_parse(text, &x->arena, &x->policy, &f);
    if (e != OK)
        judge(x, VERDICT_INVALID, e, UINT64_MAX, "the witness policy: %s", f.text);
    else
        x->has_policy = true;
}

static void next_witnessed(struct run *x) {
    struct span line;
    x->next_size = UINT64_MAX;
    if (!span_line(&x->sizes_rest, &line)) return;
    if (u64_parse(line, UINT64_MAX - 1, &x->next_size, NULL) != OK) x->next_size = UINT64_MAX;
}

/* Sizes out of order would hide those behind them. */
static void check_index(struct run *x) {
    struct span rest = x->sizes_rest, line;
    uint64_t size, last = 0;
    while (span_line(&rest, &line)) {
        if (u64_parse(line, UINT64_MAX - 1, &size, NULL) == OK && size > last) {
            last = size;
            continue;
        }
        judge(x, VERDICT_INVALID, E_CHECKPOINT, UINT64_MAX,
              "witnessed/index is not a list of ascending sizes");
        x->sizes_rest = (struct span){0};
        return;
    }
}

/* Earliest time of a cosignature that holds, in ms; 0 if there is none. */
static uint64_t cosigned_at(struct run *x, const struct checkpoint *c, const struct note_line *lines,
                            size_t n, size_t *count, struct fail *f, err *e) {
    uint64_t first = 0;
    *count = 0;
    *e = OK;
    for (size_t w = 0; w < x->policy.witness_count; w++) {
        struct cosignature one;
        const struct note_key *key = &x->policy.witnesses[w].key;
        *e = cosignatures_collect(c->body, lines, n, key, 1, &one, f);
        if (*e != OK) return 0;
        if (!one.present) continue;
        (*count)++;
        if (first == 0 || one.time_s * 1000 < first) first = one.time_s * 1000;
    }
    return first;
}

/* A cosigned checkpoint of the size that was just reached: same root, and times that fit. */
static void check_witnessed(struct run *x) {
    struct note note;
    static _Thread_local struct note_line lines[NOTE_LINES_MAX];
    struct checkpoint c;
    struct fail f = {0};
    char path[64];
    struct buf b;
    buf_init(&b, CHECKPOINT_BYTES_MAX);
    (void)snprintf(path, sizeof path, "witnessed/%llu", (unsigned long long)x->next_size);
    err e = x->s->get(x->s->ctx, path, CHECKPOINT_BYTES_MAX, &b, &f);
    if (e == OK) e = note_split(buf_view(&b), &note, lines, NOTE_LINES_MAX, &f);
    if (e == OK) e = checkpoint_parse(note.text, &c, &f);
    struct hash root = merkle_frontier_root(&x->frontier);
    if (e == OK && (c.size != x->next_size || !hash_eq(&root, &c.root)))
        e = fail_set(&f, E_FORK, "it is of another tree than the entries");
    size_t count;
    uint64_t at = 0;
    if (e == OK) at = cosigned_at(x, &c, lines, note.count, &count, &f, &e);
    if (e != OK && e != E_NOT_FOUND)
        judge(x, verdict_of(e), e, UINT64_MAX, "%s: %s", path, f.text);
    if (e == OK) x->r->witnessed_checkpoints++;
    if (e == OK && at) {
        for (size_t i = 0; i < x->since.n; i++)
            if (*(uint64_t *)vec_at(&x->since, i) > at + AWAY_MS) x->r->time_findings++;
        x->since.n = 0;
        if (at > AWAY_MS && at - AWAY_MS > x->not_before) x->not_before = at - AWAY_MS;
    }
    buf_release(&b);
}

static void check_time(struct run *x, uint64_t ms) {
    if (ms < x->not_before) x->r->time_findings++;
    if (x->next_size == UINT64_MAX) return; /* nothing cosigned follows */
    uint64_t *to = vec_push(&x->since);
    if (to) *to = ms;
}

static err read_checkpoint(struct run *x, struct fail *f) {
    TRY(x->s->get(x->s->ctx, "checkpoint", CHECKPOINT_BYTES_MAX, &x->checkpoint_note, f));
    TRY(note_split(buf_view(&x->checkpoint_note), &x->note, x->lines, NOTE_LINES_MAX, f));
    TRY(checkpoint_parse(x->note.text, &x->checkpoint, f));
    x->r->size = x->checkpoint.size;
    x->r->root = x->checkpoint.root;
    struct fail none;
    if (x->s->get(x->s->ctx, "witnessed/index", INDEX_MAX, &x->sizes, &none) == OK)
        x->sizes_rest = buf_view(&x->sizes);
    check_index(x);
    next_witnessed(x);
    return OK;
}

/* The checkpoint's own signature, by the key that the log names (or the anchor, or, at worst, the tree
 * itself), then the quorum. */
static void check_checkpoint(struct run *x) {
    const struct definition *d = fold_definition(x->fold);
    const struct anchor *a = x->o->anchor;
    struct note_key key;
    struct fail f = {0};
    err e = OK;
    struct buf text;
    buf_init(&text, 4096);
    if (d && d->log_vkey.n) { /* a manifest whose objects are missing has named none yet */
        e = note_vkey_parse(d->log_vkey, &key, &f);
    } else if (a) {
        key = a->log;
    } else {
        e = x->s->get(x->s->ctx, "log.vkey", 4096, &text, &f);
        struct span line = buf_view(&text);
        while (line.n && line.p[line.n - 1] == '\n') line.n--;
        if (e == OK) e = note_vkey_parse(line, &key, &f);
    }
    bool found = false;
    for (size_t i = 0; e == OK && i < x->note.count; i++) {
        if (!note_line_is_by(&x->lines[i], &key)) continue;
        e = note_verify(&key, x->note.text, &x->lines[i], &f);
        found = true;
    }
    if (e == OK && !found) e = fail_set(&f, E_UNSIGNED, "it is not signed by the log's key");
    if (e == OK && !span_eq(x->checkpoint.origin, key.name))
        e = fail_set(&f, E_ORIGIN, "its origin is not the log's");
    if (e != OK) judge(x, verdict_of(e), e, UINT64_MAX, "checkpoint: %s", f.text);
    buf_release(&text);
    if (a) {
        struct hash manifest;
        if (!fold_election(x->fold, &manifest))
            judge(x, VERDICT_UNKNOWN, E_ANCHOR, UINT64_MAX, "the log has no manifest yet");
        else if (!hash_eq(&manifest, &a->manifest) || !span_eq(a->origin, x->checkpoint.origin))
            judge(x, VERDICT_INVALID, E_ANCHOR, 0, "the log is not the election that the anchor names");
    }
    find_policy(x);
    if (!x->has_policy) return;
    size_t count;
    (void)cosigned_at(x, &x->checkpoint, x->lines, x->note.count, &count, &f, &e);
    x->r->witnesses = x->policy.witness_count;
    x->r->witnessed_by = count;
    if (e != OK) {
        judge(x, VERDICT_INVALID, e, UINT64_MAX, "checkpoint: %s", f.text);
        return;
    }
    struct cosignature each[POLICY_WITNESSES_MAX];
    e = policy_check(&x->policy, x->checkpoint.body, x->lines, x->note.count, each, &f);
    if (e != OK)
        judge(x, e == E_QUORUM ? VERDICT_UNKNOWN : VERDICT_INVALID, e, UINT64_MAX, "checkpoint: %s",
              f.text);
}

/* --- entries --- */

/* The text of an earlier entry, for lines that were added to it later. */
static err text_of(struct run *x, uint64_t index, struct buf *out, struct span *text,
                   struct fail *f) {
    struct tile t = {.entries = true, .index = index / TILE_WIDTH};
    t.width = (uint16_t)tile_width_at(x->r->size, 0, t.index);
    TRY(tree_source_tile(x->s, t, out, f));
    struct span rest = buf_view(out), entry, note;
    bool more = true;
    for (uint64_t i = 0; i <= index % TILE_WIDTH; i++) TRY(bundle_next(&rest, &entry, &more, f));
    uint64_t ms;
    struct record *rec = malloc(sizeof *rec);
    if (!rec) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = entry_parse(entry, &ms, &note, f);
    if (e == OK) e = record_parse(note, rec, f);
    if (e == OK) *text = rec->text;
    free(rec);
    return e;
}

static void refuse(struct run *x, uint64_t index, err e, const struct fail *f) {
    struct verify_report *r = x->r;
    r->refused_count++;
    if (r->refused_listed < VERIFY_REFUSED_MAX) {
        struct refusal *q = &r->refused[r->refused_listed++];
        q->index = index;
        q->code = e;
        (void)snprintf(q->text, sizeof q->text, "%.190s", f->text);
    }
    judge(x, e == E_OBJECT_MISSING ? VERDICT_UNKNOWN : VERDICT_INVALID, e, index,
          "entry %llu is not admissible: %s", (unsigned long long)index, f->text);
}

static err add_checks(struct run *x, struct pool_work *w, uint64_t index, struct fail *f) {
    const struct applied *a = x->applied;
    for (size_t i = 0; i < a->check_count; i++) {
        const struct sig_check *k = &a->checks[i];
        if (k->message.p) {
            struct pool_check c = {.message = k->message, .index = index, .line = k->line};
            memcpy(c.pub, k->pub, 32);
            memcpy(c.sig, k->sig, 64);
            TRY(pool_work_check(w, &c, f));
            continue;
        }
        struct buf b;
        struct span text;
        buf_init(&b, TILE_BUNDLE_MAX);
        err e = text_of(x, k->of, &b, &text, f);
        bool good = e == OK && ed25519_verify((const struct ed25519_public *)k->pub,
                                              (const struct ed25519_signature *)k->sig, text);
        buf_release(&b);
        if (good) {
            x->r->signatures++;
            continue;
        }
        struct fail why;
        fail_set(&why, E_SIGNATURE, "added line %u does not verify", k->line + 1u);
        refuse(x, index, E_SIGNATURE, &why);
    }
    if (!x->o->skip_objects)
        for (size_t i = 0; i < a->object_count; i++)
            if (!a->objects[i].restricted) TRY(pool_work_object(w, &a->objects[i].ref, f));
    return OK;
}

static err take_entry(struct run *x, struct pool_work *w, struct span entry, struct fail *f) {
    uint64_t index = x->frontier.size;
    if (index == x->next_size) {
        check_witnessed(x);
        next_witnessed(x);
    }
    struct hash leaf = merkle_leaf(entry);
    merkle_frontier_append(&x->frontier, &leaf);
    add_hash(x, 0, &leaf);
    struct fail why = {0};
    err e = fold_apply(x->fold, entry, x->applied, &why);
    if (e == E_MEMORY) {
        *f = why;
        return e;
    }
    if (e != OK) {
        if (!x->blind) refuse(x, index, e, &why);
        x->blind |= e == E_OBJECT_MISSING;
        return fold_skip(x->fold, f);
    }
    if (index == 0) find_policy(x);
    check_time(x, fold_last_ms(x->fold));
    return add_checks(x, w, index, f);
}

static err take_bundles(struct run *x, struct fail *f) {
    uint64_t size = x->r->size;
    for (uint64_t b = 0; b * TILE_WIDTH < size; b++) {
        struct tile t = {.entries = true, .index = b};
        t.width = (uint16_t)tile_width_at(size, 0, b);
        struct pool_work *w = verify_pool_take(x->pool);
        struct span entries[TILE_WIDTH];
        char path[TILE_PATH_MAX];
        tile_path(t, path);
        struct fail why = {0};
        err e = tree_source_tile(x->s, t, &w->bytes, &why);
        if (e == OK) e = bundle_parse(buf_view(&w->bytes), t.width, entries, &why);
        if (e != OK) {
            verify_pool_give(x->pool, w);
            judge(x, verdict_of(e), e == E_NOT_FOUND ? E_NOT_FOUND : E_TILE, b * TILE_WIDTH, "%s: %s",
                  path, why.text);
            return OK;
        }
        for (unsigned i = 0; i < t.width && e == OK; i++) e = take_entry(x, w, entries[i], f);
        verify_pool_give(x->pool, w);
        if (e != OK) return e;
        if (x->o->progress) x->o->progress(x->o->ctx, x->frontier.size, size);
    }
    if (x->frontier.size == x->next_size) check_witnessed(x);
    return OK;
}

static void finish_tree(struct run *x) {
    for (unsigned l = 0; l < LEVELS; l++)
        if (x->level[l].n) compare_tile(x, l);
    struct hash root = merkle_frontier_root(&x->frontier);
    if (x->frontier.size == x->r->size && !hash_eq(&root, &x->r->root))
        judge(x, VERDICT_INVALID, E_TILE, UINT64_MAX,
              "the entries do not give the checkpoint's root hash");
}

/* --- published results --- */

/* The first published file that differs; it counts only if the tree is at rest. */
static void differs(struct run *x, enum verdict v, err code, const char *fmt, ...) PRINTF(4, 5);
static void differs(struct run *x, enum verdict v, err code, const char *fmt, ...) {
    if (x->differs.code != OK) return;
    x->differs.verdict = v;
    x->differs.code = code;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(x->differs.sentence, sizeof x->differs.sentence, fmt, ap);
    va_end(ap);
}

static void compare_file(struct run *x, const char *path, const struct buf *want) {
    struct fail f;
    buf_clear(&x->scratch);
    err e = x->s->get(x->s->ctx, path, FILE_MAX, &x->scratch, &f);
    x->r->results_files++;
    if (e == OK && span_eq(buf_view(&x->scratch), buf_view(want))) return;
    if (e != OK)
        differs(x, verdict_of(e), e, "%s: %s", path, f.text);
    else
        differs(x, VERDICT_INVALID, E_RESULTS,
                "%s is not what the records give: somebody changed the published results", path);
}

/* head.json says at which size the results were made, and repeats what the records give. True when
 * they can be compared. */
static bool check_head(struct run *x) {
    struct fail f = {0};
    struct verify_report *r = x->r;
    uint64_t size = 0;
    buf_clear(&x->scratch);
    err e = x->s->get(x->s->ctx, "head.json", HEAD_MAX, &x->scratch, &f);
    if (e == E_NOT_FOUND) {
        (void)snprintf(r->results_note, sizeof r->results_note, "there is no head.json");
        if (x->s->get(x->s->ctx, "results/index.json", FILE_MAX, &x->scratch, &f) == OK)
            differs(x, VERDICT_UNKNOWN, E_RESULTS,
                    "results are published without a head.json that says of which size they are");
        return false;
    }
    if (e != OK) {
        differs(x, verdict_of(e), e, "head.json: %s", f.text);
        return false;
    }
    if (head_size(buf_view(&x->scratch), &size, &f) != OK) {
        differs(x, VERDICT_INVALID, E_RESULTS, "head.json: %s", f.text);
        return false;
    }
    if (size != r->size) {
        (void)snprintf(r->results_note, sizeof r->results_note,
                       "the published results are of size %llu, the checkpoint is of another",
                       (unsigned long long)size);
        differs(x, VERDICT_UNKNOWN, E_RESULTS, "%s", r->results_note);
        return false;
    }
    struct buf want;
    buf_init(&want, HEAD_MAX);
    (void)head_begin(x->checkpoint.origin, r->size, &r->root, fold_last_ms(x->fold), &want);
    if (!span_starts(buf_view(&x->scratch), buf_view(&want)))
        differs(x, VERDICT_INVALID, E_RESULTS,
                "head.json is not what the records give: somebody changed it");
    buf_release(&want);
    return true;
}

/* A log that goes on being published while it is verified changes under our hands. */
static bool has_moved(struct run *x) {
    struct fail f;
    buf_clear(&x->scratch);
    return x->s->get(x->s->ctx, "checkpoint", CHECKPOINT_BYTES_MAX, &x->scratch, &f) == OK &&
           !span_eq(buf_view(&x->scratch), buf_view(&x->checkpoint_note));
}

static void judge_results(struct run *x) {
    if (x->differs.code == OK) return;
    x->r->results_compared = x->r->results_compared && x->differs.verdict == VERDICT_INVALID;
    if (!has_moved(x)) {
        judge(x, x->differs.verdict, x->differs.code, UINT64_MAX, "%s", x->differs.sentence);
        return;
    }
    x->r->results_compared = false;
    (void)snprintf(x->r->results_note, sizeof x->r->results_note,
                   "the tree went on while it was verified; verify a copy at rest");
}

static err compare_results(struct run *x, struct fail *f) {
    if (x->o->skip_results || x->blind || !fold_definition(x->fold)) return OK;
    if (!check_head(x)) {
        judge_results(x);
        return OK;
    }
    struct results all;
    struct buf want;
    char path[RESULTS_PATH_MAX];
    TRY(results_compute(x->fold, &all, f));
    buf_init(&want, FILE_MAX);
    err e = OK;
    for (size_t c = 0; c < all.n && e == OK; c++) {
        const struct tally *t = &all.tallies[c];
        for (size_t i = 0; i < t->n && e == OK; i++) {
            if (!results_has_file(x->fold, t, i)) continue;
            buf_clear(&want);
            results_unit_path(x->fold, t->contest, t->round, t->rows[i].unit, path);
            e = results_unit(x->fold, t, &all.findings, i, &want, f);
            if (e == OK) compare_file(x, path, &want);
        }
        if (e != OK) break;
        buf_clear(&want);
        results_findings_path(x->fold, t->contest, t->round, path);
        e = results_findings(x->fold, t, &all.findings, &want, f);
        if (e == OK) compare_file(x, path, &want);
    }
    if (e == OK) {
        buf_clear(&want);
        e = results_index(x->fold, all.tallies, all.n, &all.findings, &want, f);
        if (e == OK) compare_file(x, "results/index.json", &want);
    }
    x->r->results_compared = e == OK;
    if (e == OK) judge_results(x);
    buf_release(&want);
    results_release(&all);
    return e;
}

/* --- */

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                      struct fail *f) {
    struct run *x = ctx;
    char path[80], hex[HASH_HEX_LEN + 1];
    hash_hex(id, hex);
    (void)snprintf(path, sizeof path, "objects/%s", hex);
    buf_clear(&x->object);
    if (size > x->object.max) return fail_set(f, E_TOO_LARGE, "the object %s is too large", hex);
    err e = x->s->get(x->s->ctx, path, size, &x->object, f);
    if (e == E_NOT_FOUND) return fail_set(f, E_OBJECT_MISSING, "the object %s is not there", hex);
    if (e == E_TOO_LARGE) return fail_set(f, E_OBJECT, "the object %s has another size", hex);
    *out = buf_view(&x->object);
    return e;
}

static int by_index(const void *a, const void *b) {
    const struct refusal *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void take_pool_result(struct run *x) {
    struct verify_report *r = x->r;
    static _Thread_local struct pool_result result;
    verify_pool_finish(x->pool, &result);
    const struct pool_sums p = result.sums;
    r->signatures += p.signatures;
    r->signature_seconds = p.signature_seconds;
    r->objects_checked = p.objects_checked;
    r->objects_bytes = p.objects_bytes;
    r->objects_absent = p.objects_absent;
    r->objects_damaged = p.objects_damaged;
    r->object_seconds = p.object_seconds;
    if (result.bad_listed) {
        /* a record with a signature that does not hold was never admissible: this comes first */
        if (r->verdict == VERDICT_INVALID && r->index > result.bad[0].index)
            r->verdict = VERDICT_VALID;
        for (size_t i = 0; i < result.bad_listed; i++) {
            struct fail f;
            if (i && result.bad[i].index == result.bad[i - 1].index) continue;
            fail_set(&f, E_SIGNATURE, "signature line %u does not verify", result.bad[i].line + 1u);
            refuse(x, result.bad[i].index, E_SIGNATURE, &f);
        }
        qsort(r->refused, r->refused_listed, sizeof *r->refused, by_index);
    }
    if (p.objects_damaged) {
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&p.damaged, hex);
        judge(x, VERDICT_INVALID, E_OBJECT, UINT64_MAX,
              "%llu objects are not what their names say, objects/%s among them",
              (unsigned long long)p.objects_damaged, hex);
    }
}

static err verify(struct run *x, struct fail *f) {
    struct fail why = {0};
    err e = read_checkpoint(x, &why);
    if (e != OK) {
        judge(x, verdict_of(e), e, UINT64_MAX, "checkpoint: %s", why.text);
        return OK;
    }
    TRY(take_bundles(x, f));
    if (x->frontier.size == x->r->size) {
        finish_tree(x);
        check_checkpoint(x);
        TRY(compare_results(x, f));
    }
    take_pool_result(x);
    return OK;
}

err verify_tree(const struct tree_source *s, const struct verify_options *o,
                struct verify_report *out, struct fail *f) {
    *out = (struct verify_report){.verdict = VERDICT_VALID, .index = UINT64_MAX,
                                  .anchored = o->anchor != NULL};
    struct run *x = calloc(1, sizeof *x);
    if (!x) return fail_set(f, E_MEMORY, "no memory for the verification");
    double from = clock_seconds();
    x->s = s;
    x->o = o;
    x->r = out;
    x->budget.cap = (size_t)1 << 30;
    vec_init(&x->since, &x->budget, sizeof(uint64_t), 12);
    buf_init(&x->scratch, FILE_MAX);
    buf_init(&x->checkpoint_note, CHECKPOINT_BYTES_MAX);
    buf_init(&x->object, 1 << 30);
    buf_init(&x->sizes, INDEX_MAX);
    arena_init(&x->arena, 4 << 20);
    x->applied = malloc(sizeof *x->applied);
    struct fold_options fo = {.objects = {get_object, x}};
    err e = x->applied ? fold_new(&fo, &x->fold, f) : fail_set(f, E_MEMORY, "no memory");
    if (e == OK) e = verify_pool_new(o->threads, s, &x->pool, f);
    if (e == OK) e = verify(x, f);
    verify_pool_free(x->pool);
    out->seconds = clock_seconds() - from;
    if (e == OK && o->keep_fold)
        out->fold = x->fold;
    else
        fold_free(x->fold);
    free(x->applied);
    vec_release(&x->since);
    buf_release(&x->scratch);
    buf_release(&x->checkpoint_note);
    buf_release(&x->object);
    buf_release(&x->sizes);
    arena_release(&x->arena);
    free(x);
    return e;
}
