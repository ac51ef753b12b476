/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/verification.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/text.h"
#include "election/declaration.h"
#include "election/verification_impl.h"
#include "tlog/merkle.h"

enum { INDEX_MAX = 64 << 20 };
#define OBJECT_MAX GIB(1)

const char *verdict_words(enum verdict v) {
    static const char *const words[] = {"valid", "invalid", "could not tell"};
    return words[v];
}

void verification_judge(struct verification *v, enum verdict verdict, err code, uint64_t index,
                        const char *fmt, ...) {
    struct verify_report *r = v->r;
    if (r->verdict == VERDICT_INVALID || r->verdict == verdict) return;
    r->verdict = verdict;
    r->code = code;
    r->index = index;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(r->sentence, sizeof r->sentence, fmt, ap);
    va_end(ap);
}

enum verdict verification_verdict_of(err e) {
    return e == E_NOT_FOUND || e == E_NETWORK || e == E_TIMEOUT || e == E_BUSY || e == E_IO ||
                   e == E_OBJECT_MISSING
               ? VERDICT_UNKNOWN
               : VERDICT_INVALID;
}

err verification_get(struct verification *v, const char *path, size_t max, struct buf *out,
                     struct fail *f) {
    return v->io.get(v->io.ctx, path, max, out, f);
}

/* --- the tree --- */

static struct hash subtree(struct hash *h, unsigned n) {
    while (n > 1) {
        for (unsigned i = 0; i < n / 2; i++) h[i] = merkle_node(&h[2 * i], &h[2 * i + 1]);
        n /= 2;
    }
    return h[0];
}

/* The published hash tile says the same as the entries. E_AGAIN. */
static err compare_tile(struct verification *v, unsigned l) {
    struct verification_level *w = &v->level[l];
    struct tile t = {.level = (uint8_t)l, .width = (uint16_t)w->n, .index = w->index};
    struct fail f = {0};
    char path[TILE_PATH_MAX];
    tile_path(t, path);
    buf_clear(&v->scratch);
    err e = tile_read(v->io.get, v->io.ctx, t, &v->scratch, &f);
    if (e == E_AGAIN) return e;
    if (e != OK) {
        verification_judge(v, verification_verdict_of(e), e == E_NOT_FOUND ? E_NOT_FOUND : E_TILE,
                           UINT64_MAX, "%s: %s", path, f.text);
        return OK;
    }
    for (unsigned i = 0; i < w->n; i++) {
        if (v->scratch.n == (size_t)w->n * HASH_BYTES &&
            memcmp(v->scratch.p + (size_t)i * HASH_BYTES, w->h[i].b, HASH_BYTES) == 0)
            continue;
        uint64_t at = w->index * TILE_WIDTH + i;
        /* an entry that is not the one that was logged: what is wrong inside it matters less */
        if (l == 0 && v->r->verdict == VERDICT_INVALID && v->r->index >= at)
            v->r->verdict = VERDICT_VALID;
        verification_judge(v, VERDICT_INVALID, E_TILE, l == 0 ? at : UINT64_MAX,
                           l == 0 ? "%s and entry %llu do not agree"
                                  : "%s, hash %llu, does not follow from the entries",
                           path, (unsigned long long)(l == 0 ? at : i));
        return OK;
    }
    return OK;
}

/* Full tiles are compared and hashed upward. E_AGAIN. */
static err settle_tiles(struct verification *v) {
    for (unsigned l = 0; l < VERIFICATION_LEVELS; l++) {
        struct verification_level *w = &v->level[l];
        if (w->n < TILE_WIDTH) continue;
        TRY(compare_tile(v, l));
        struct hash up = subtree(w->h, TILE_WIDTH);
        w->n = 0;
        w->index++;
        if (l + 1 < VERIFICATION_LEVELS) v->level[l + 1].h[v->level[l + 1].n++] = up;
    }
    return OK;
}

/* The right edge and the root. E_AGAIN. */
static err finish_tree(struct verification *v) {
    for (unsigned l = 0; l < VERIFICATION_LEVELS; l++) {
        if (v->level[l].n) TRY(compare_tile(v, l));
        v->level[l].n = 0;
    }
    struct hash root = merkle_frontier_root(&v->frontier);
    if (!hash_eq(&root, &v->r->root))
        verification_judge(v, VERDICT_INVALID, E_TILE, UINT64_MAX,
                           "the entries do not give the checkpoint's root hash");
    return OK;
}

/* --- entries --- */

static void refuse(struct verification *v, uint64_t index, err e, const struct fail *f) {
    struct verify_report *r = v->r;
    r->refused_count++;
    if (r->refused_listed < VERIFY_REFUSED_MAX) {
        struct refusal *q = &r->refused[r->refused_listed++];
        q->index = index;
        q->code = e;
        (void)snprintf(q->text, sizeof q->text, "%.190s", f->text);
    }
    verification_judge(v, e == E_OBJECT_MISSING ? VERDICT_UNKNOWN : VERDICT_INVALID, e, index,
                       "entry %llu is not admissible: %s", (unsigned long long)index, f->text);
}

/* The text of an earlier entry, for lines that were added to it later. */
static err text_of(struct verification *v, uint64_t index, struct buf *out, struct span *text,
                   struct fail *f) {
    struct tile t = {.entries = true, .index = index / TILE_WIDTH};
    t.width = (uint16_t)tile_width_at(v->r->size, 0, t.index);
    TRY(tile_read(v->io.get, v->io.ctx, t, out, f));
    struct span rest = buf_view(out), entry, note;
    bool more = true;
    for (uint64_t i = 0; i <= index % TILE_WIDTH && more; i++) TRY(bundle_next(&rest, &entry, &more, f));
    if (!more) return fail_set(f, E_TILE, "the bundle of entry %llu ends before it", (unsigned long long)index);
    uint64_t ms;
    struct record *rec = malloc(sizeof *rec);
    if (!rec) return fail_set(f, E_MEMORY, "no memory for a record");
    err e = entry_parse(entry, &ms, &note, f);
    if (e == OK) e = record_parse(note, rec, f);
    if (e == OK) *text = rec->text;
    free(rec);
    return e;
}

/* A line that a later record added to an earlier one. E_AGAIN. */
static err check_added_line(struct verification *v, const struct sig_check *k, uint64_t index) {
    struct buf b;
    struct span text;
    struct fail why = {0};
    buf_init(&b, TILE_BUNDLE_MAX);
    err e = text_of(v, k->of, &b, &text, &why);
    bool good = e == OK && ed25519_verify((const struct ed25519_public *)k->pub,
                                          (const struct ed25519_signature *)k->sig, text);
    buf_release(&b);
    if (e == E_AGAIN) return e;
    if (good) {
        v->r->signatures++;
        return OK;
    }
    fail_set(&why, E_SIGNATURE, "added line %u does not verify", k->line + 1u);
    refuse(v, index, E_SIGNATURE, &why);
    return OK;
}

static err hand_out(struct verification *v, uint64_t index, struct fail *f) {
    const struct applied *a = v->applied;
    for (; v->check_at < a->check_count; v->check_at++) {
        const struct sig_check *k = &a->checks[v->check_at];
        if (!k->message.p) {
            TRY(check_added_line(v, k, index));
            continue;
        }
        struct verification_check c = {.message = k->message, .index = index, .line = k->line};
        memcpy(c.pub, k->pub, sizeof c.pub);
        memcpy(c.sig, k->sig, sizeof c.sig);
        TRY(v->io.check(v->io.ctx, &c, f));
    }
    for (size_t i = 0; i < a->object_count && v->io.object; i++)
        if (!a->objects[i].restricted) TRY(v->io.object(v->io.ctx, &a->objects[i].ref, f));
    return OK;
}

static void check_time(struct verification *v, uint64_t ms) {
    if (ms < v->not_before) v->r->time_findings++;
    if (v->next_size == UINT64_MAX) return; /* nothing cosigned follows */
    uint64_t *to = vec_push(&v->since);
    if (to) *to = ms;
}

/* The tree that a record binds is the one that its entries give: the fold knows none. */
static err check_bound(struct verification *v, struct fail *f) {
    uint64_t size;
    struct hash bound, root;
    if (v->applied->type == REC_DECLARATION) {
        const struct declaration *d =
            fold_declaration(v->fold, (uint32_t)fold_declaration_count(v->fold) - 1);
        size = d->size;
        bound = d->root;
    } else if (v->applied->type == REC_AMEND && fold_succession_count(v->fold)) {
        const struct succession *n = fold_succession(v->fold, fold_succession_count(v->fold) - 1);
        if (n->index != v->applied->index) return OK;
        size = n->size;
        bound = n->root;
    } else {
        return OK;
    }
    TRY(merkle_tree_root_at(v->tree, size, &root, f));
    if (hash_eq(&root, &bound)) return OK;
    return fail_set(f, E_CHECKPOINT, "it binds a tree of %llu entries that is not this log's",
                    (unsigned long long)size);
}

/* *refused: the fold said no, and passed over it. */
static err apply_entry(struct verification *v, struct span entry, bool *refused, struct fail *f) {
    uint64_t index = v->frontier.size;
    struct fail why = {0};
    *refused = false;
    err e = fold_apply(v->fold, entry, v->applied, &why);
    if (e == E_AGAIN) return e;
    if (e == E_MEMORY) {
        *f = why;
        return e;
    }
    struct hash leaf = merkle_leaf(entry);
    if (e == OK) e = check_bound(v, &why);
    merkle_frontier_append(&v->frontier, &leaf);
    TRY(merkle_tree_append(v->tree, &leaf, f));
    v->level[0].h[v->level[0].n++] = leaf;
    if (e == E_CHECKPOINT && fold_size(v->fold) > index) { /* applied, and bound to another tree */
        refuse(v, index, e, &why);
        e = OK;
    }
    if (e != OK) {
        if (!v->blind) refuse(v, index, e, &why);
        v->blind |= e == E_OBJECT_MISSING;
        *refused = true;
        return fold_skip(v->fold, f);
    }
    if (index == 0) verification_find_policy(v);
    check_time(v, fold_last_ms(v->fold));
    return OK;
}

static err take_entry(struct verification *v, struct span entry, struct fail *f) {
    if (!v->applied_one) {
        bool refused;
        if (v->frontier.size == v->next_size) TRY(verification_check_witnessed(v));
        TRY(apply_entry(v, entry, &refused, f));
        v->applied_one = !refused;
        v->check_at = 0;
        if (refused) return OK;
    }
    TRY(hand_out(v, v->frontier.size - 1, f));
    v->applied_one = false;
    return OK;
}

static err open_bundle(struct verification *v, bool *good, struct fail *f) {
    struct tile t = {.entries = true, .index = v->bundle};
    char path[TILE_PATH_MAX];
    struct fail why = {0};
    t.width = (uint16_t)tile_width_at(v->r->size, 0, v->bundle);
    if (!v->bytes) v->bytes = v->io.bundle(v->io.ctx);
    if (!v->bytes) return fail_set(f, E_MEMORY, "no memory for a bundle of entries");
    tile_path(t, path);
    buf_clear(v->bytes);
    err e = tile_read(v->io.get, v->io.ctx, t, v->bytes, &why);
    if (e == E_AGAIN) return e;
    if (e == OK) e = bundle_parse(buf_view(v->bytes), t.width, v->entries, &why);
    v->width = t.width;
    v->at = 0;
    v->open = *good = e == OK;
    if (e != OK)
        verification_judge(v, verification_verdict_of(e), e == E_NOT_FOUND ? E_NOT_FOUND : E_TILE,
                           v->bundle * TILE_WIDTH, "%s: %s", path, why.text);
    return OK;
}

static void close_bundle(struct verification *v) {
    if (v->bytes) v->io.give(v->io.ctx);
    v->bytes = NULL;
    v->open = false;
}

/* A bundle, or the end of them. */
static err take_bundle(struct verification *v, struct fail *f) {
    if (v->bundle * TILE_WIDTH >= v->r->size) {
        if (v->frontier.size == v->next_size) TRY(verification_check_witnessed(v));
        v->phase = PHASE_TREE;
        return OK;
    }
    bool good = true;
    if (!v->open) TRY(open_bundle(v, &good, f));
    if (!good) { /* the entries that follow cannot be judged; the checkpoint can */
        close_bundle(v);
        v->cut = true;
        v->phase = PHASE_LOG;
        return OK;
    }
    for (; v->at < v->width; v->at++) TRY(take_entry(v, v->entries[v->at], f));
    TRY(settle_tiles(v));
    close_bundle(v);
    v->bundle++;
    return OK;
}

/* --- steps --- */

static err get_object(void *ctx, const struct hash *id, uint64_t size, struct span *out,
                      struct fail *f) {
    struct verification *v = ctx;
    char path[80], hex[HASH_HEX_LEN + 1];
    hash_hex(id, hex);
    (void)snprintf(path, sizeof path, "objects/%s", hex);
    buf_clear(&v->object);
    if (size > v->object.max) return fail_set(f, E_TOO_LARGE, "the object %s is too large", hex);
    err e = verification_get(v, path, (size_t)size, &v->object, f);
    if (e == E_NOT_FOUND) return fail_set(f, E_OBJECT_MISSING, "the object %s is not there", hex);
    if (e == E_TOO_LARGE) return fail_set(f, E_OBJECT, "the object %s has another size", hex);
    *out = buf_view(&v->object);
    return e;
}

err verification_new(const struct verification_io *io, const struct verification_options *o,
                     struct verify_report *r, struct verification **out, struct fail *f) {
    *r = (struct verify_report){.verdict = VERDICT_VALID, .index = UINT64_MAX,
                                .anchored = o->anchor != NULL};
    *out = NULL;
    struct verification *v = calloc(1, sizeof *v);
    if (!v) return fail_set(f, E_MEMORY, "no memory for the verification");
    v->io = *io;
    v->o = o;
    v->r = r;
    v->budget.cap = GIB(1);
    vec_init(&v->since, &v->budget, sizeof(uint64_t), 12);
    buf_init(&v->scratch, VERIFICATION_FILE_MAX);
    buf_init(&v->checkpoint_note, CHECKPOINT_BYTES_MAX);
    buf_init(&v->object, OBJECT_MAX);
    buf_init(&v->sizes, INDEX_MAX);
    arena_init(&v->arena, 4 << 20);
    v->applied = malloc(sizeof *v->applied);
    struct fold_options fo = {.memory_cap = o->memory_cap, .objects = {get_object, v}};
    err e = v->applied ? fold_new(&fo, &v->fold, f) : fail_set(f, E_MEMORY, "no memory");
    if (e == OK) e = merkle_tree_new((uint64_t)1 << 32, &v->tree, f);
    r->fold = v->fold;
    if (e == OK)
        *out = v;
    else
        verification_free(v);
    return e;
}

static err step(struct verification *v, struct fail *f) {
    bool good = true;
    switch (v->phase) {
    case PHASE_CHECKPOINT:
        TRY(verification_read_checkpoint(v, &good));
        fold_set_hash_key(v->fold, v->r->root.b);
        v->phase = good ? PHASE_ENTRIES : PHASE_END;
        return OK;
    case PHASE_ENTRIES: return take_bundle(v, f);
    case PHASE_TREE:
        TRY(finish_tree(v));
        v->phase = PHASE_LOG;
        return OK;
    case PHASE_LOG:
        TRY(verification_check_log(v));
        v->phase = v->cut || v->o->skip_results || v->blind || !fold_definition(v->fold) ? PHASE_END : PHASE_HEAD;
        return OK;
    case PHASE_HEAD: return verification_head(v, f);
    case PHASE_RESULTS: return verification_results(v, f);
    case PHASE_REST: return verification_rest(v);
    case PHASE_END: break;
    }
    return OK;
}

err verification_step(struct verification *v, bool *more, struct fail *f) {
    TRY(step(v, f));
    *more = v->phase != PHASE_END;
    return OK;
}

uint64_t verification_done(const struct verification *v) {
    return v->frontier.size;
}

/* Files of the bundles from the present one on, in the order in which they are asked for. */
static bool entries_ahead(const struct verification *v, size_t k, char *path) {
    uint64_t next = v->next_size;
    struct span rest = v->sizes_rest, line;
    for (uint64_t b = v->bundle; b * TILE_WIDTH < v->r->size; b++) {
        struct tile t = {.entries = true, .index = b};
        t.width = (uint16_t)tile_width_at(v->r->size, 0, b);
        tile_path(t, path);
        if (k-- == 0) return true;
        for (; next < (b + 1) * TILE_WIDTH && next <= v->r->size; ) {
            (void)snprintf(path, RESULTS_PATH_MAX, "witnessed/%llu", (unsigned long long)next);
            if (k-- == 0) return true;
            if (!span_line(&rest, &line) || u64_parse(line, UINT64_MAX - 1, &next, NULL) != OK)
                next = UINT64_MAX;
        }
        t.entries = false;
        tile_path(t, path);
        if (k-- == 0) return true;
    }
    return false;
}

bool verification_ahead(const struct verification *v, size_t k, char *path) {
    if (v->phase == PHASE_ENTRIES) return entries_ahead(v, k, path);
    if (v->phase == PHASE_RESULTS) return verification_results_ahead(v, k, path);
    return false;
}

void verification_bad(struct verification_found *r, uint64_t index, uint8_t line) {
    size_t at = r->bad_listed;
    r->bad_count++;
    while (at && (r->bad[at - 1].index > index ||
                  (r->bad[at - 1].index == index && r->bad[at - 1].line > line)))
        at--;
    /* when there is no more room the last one makes it */
    if (r->bad_listed == VERIFY_BAD_MAX && at < VERIFY_BAD_MAX) r->bad_listed--;
    if (at == VERIFY_BAD_MAX) return;
    memmove(&r->bad[at + 1], &r->bad[at], (r->bad_listed - at) * sizeof *r->bad);
    r->bad[at] = (struct bad_signature){index, line};
    r->bad_listed++;
}

static int by_index(const void *a, const void *b) {
    const struct refusal *x = a, *y = b;
    return x->index < y->index ? -1 : x->index > y->index;
}

void verification_finish(struct verification *v, const struct verification_found *p) {
    struct verify_report *r = v->r;
    r->signatures += p->signatures;
    r->signature_seconds = p->signature_seconds;
    r->objects_checked = p->objects_checked;
    r->objects_bytes = p->objects_bytes;
    r->objects_absent = p->objects_absent;
    r->objects_damaged = p->objects_damaged;
    r->object_seconds = p->object_seconds;
    if (p->bad_listed) {
        /* a record with a signature that does not hold was never admissible: this comes first */
        if (r->verdict == VERDICT_INVALID && r->index > p->bad[0].index) r->verdict = VERDICT_VALID;
        for (size_t i = 0; i < p->bad_listed; i++) {
            struct fail f;
            if (i && p->bad[i].index == p->bad[i - 1].index) continue;
            fail_set(&f, E_SIGNATURE, "signature line %u does not verify", p->bad[i].line + 1u);
            refuse(v, p->bad[i].index, E_SIGNATURE, &f);
        }
        qsort(r->refused, r->refused_listed, sizeof *r->refused, by_index);
    }
    if (p->objects_damaged) {
        char hex[HASH_HEX_LEN + 1];
        hash_hex(&p->damaged, hex);
        verification_judge(v, VERDICT_INVALID, E_OBJECT, UINT64_MAX,
                           "%llu objects are not what their names say, objects/%s among them",
                           (unsigned long long)p->objects_damaged, hex);
    }
}

void verification_free(struct verification *v) {
    if (!v) return;
    if (v->bytes) v->io.give(v->io.ctx);
    if (v->computed) results_release(&v->all);
    free(v->applied);
    merkle_tree_free(v->tree);
    vec_release(&v->since);
    buf_release(&v->scratch);
    buf_release(&v->checkpoint_note);
    buf_release(&v->object);
    buf_release(&v->sizes);
    arena_release(&v->arena);
    free(v);
}
