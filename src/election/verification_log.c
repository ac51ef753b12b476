/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The checkpoint, its signatures and witnesses, and the earlier cosigned checkpoints on the way. */
#include "election/verification_impl.h"

#include <stdio.h>
#include "base/text.h"

enum { AWAY_MS = 60000, INDEX_MAX = 64 << 20, VKEY_FILE_MAX = 4096 };

/* The policy in force: the reader's, the anchor's, or the manifest's. Known from the first entry on. */
void verification_find_policy(struct verification *v) {
    struct span text = v->o->policy;
    const struct definition *d = fold_definition(v->fold);
    if (text.n == 0 && v->o->anchor) text = v->o->anchor->policy;
    if (text.n == 0 && d) text = d->policy;
    struct fail f;
    if (text.n == 0 || v->has_policy) return;
    err e = policy_parse(text, &v->arena, &v->policy, &f);
    if (e != OK)
        verification_judge(v, VERDICT_INVALID, e, UINT64_MAX, "the witness policy: %s", f.text);
    else
        v->has_policy = true;
}

static void next_witnessed(struct verification *v) {
    struct span line;
    v->next_size = UINT64_MAX;
    if (!span_line(&v->sizes_rest, &line)) return;
    if (u64_parse(line, UINT64_MAX - 1, &v->next_size, NULL) != OK) v->next_size = UINT64_MAX;
}

/* Sizes out of order would hide those behind them. */
static void check_index(struct verification *v) {
    struct span rest = v->sizes_rest, line;
    uint64_t size, last = 0;
    while (span_line(&rest, &line)) {
        if (u64_parse(line, UINT64_MAX - 1, &size, NULL) == OK && size > last) {
            last = size;
            continue;
        }
        verification_judge(v, VERDICT_INVALID, E_CHECKPOINT, UINT64_MAX,
                           "witnessed/index is not a list of ascending sizes");
        v->sizes_rest = (struct span){0};
        return;
    }
}

/* Earliest time of a cosignature that holds, in ms; 0 if there is none. */
static uint64_t cosigned_at(struct verification *v, const struct checkpoint *c,
                            const struct note_line *lines, size_t n, size_t *count, struct fail *f,
                            err *e) {
    uint64_t first = 0;
    *count = 0;
    *e = OK;
    for (size_t w = 0; w < v->policy.witness_count; w++) {
        struct cosignature one;
        const struct note_key *key = &v->policy.witnesses[w].key;
        *e = cosignatures_collect(c->body, lines, n, key, 1, &one, f);
        if (*e != OK) return 0;
        if (!one.present) continue;
        (*count)++;
        if (first == 0 || one.time_s * 1000 < first) first = one.time_s * 1000;
    }
    return first;
}

/* Times of the entries behind a cosigned checkpoint. */
static void judge_times(struct verification *v, uint64_t at) {
    for (size_t i = 0; i < v->since.n; i++)
        if (*(uint64_t *)vec_at(&v->since, i) > at + AWAY_MS) v->r->time_findings++;
    v->since.n = 0;
    if (at > AWAY_MS && at - AWAY_MS > v->not_before) v->not_before = at - AWAY_MS;
}

err verification_check_witnessed(struct verification *v) {
    struct note note;
    struct checkpoint c;
    struct fail f = {0};
    char path[64];
    struct buf b;
    buf_init(&b, CHECKPOINT_BYTES_MAX);
    (void)snprintf(path, sizeof path, "witnessed/%llu", (unsigned long long)v->next_size);
    err e = verification_get(v, path, CHECKPOINT_BYTES_MAX, &b, &f);
    if (e == E_AGAIN) {
        buf_release(&b);
        return e;
    }
    if (e == OK) e = note_split(buf_view(&b), &note, v->other_lines, NOTE_LINES_MAX, &f);
    if (e == OK) e = checkpoint_parse(note.text, &c, &f);
    struct hash root = merkle_frontier_root(&v->frontier);
    if (e == OK && (c.size != v->next_size || !hash_eq(&root, &c.root)))
        e = fail_set(&f, E_FORK, "it is of another tree than the entries");
    size_t count;
    uint64_t at = 0;
    if (e == OK) at = cosigned_at(v, &c, v->other_lines, note.count, &count, &f, &e);
    if (e != OK && e != E_NOT_FOUND)
        verification_judge(v, verification_verdict_of(e), e, UINT64_MAX, "%s: %s", path, f.text);
    if (e == OK) v->r->witnessed_checkpoints++;
    if (e == OK && at) judge_times(v, at);
    buf_release(&b);
    next_witnessed(v);
    return OK;
}

static err read_checkpoint(struct verification *v, struct fail *f) {
    buf_clear(&v->checkpoint_note);
    TRY(verification_get(v, "checkpoint", CHECKPOINT_BYTES_MAX, &v->checkpoint_note, f));
    TRY(note_split(buf_view(&v->checkpoint_note), &v->note, v->lines, NOTE_LINES_MAX, f));
    TRY(checkpoint_parse(v->note.text, &v->checkpoint, f));
    struct fail none;
    buf_clear(&v->sizes);
    err e = verification_get(v, "witnessed/index", INDEX_MAX, &v->sizes, &none);
    if (e == E_AGAIN) return e;
    if (e != OK) buf_clear(&v->sizes);
    v->sizes_rest = buf_view(&v->sizes);
    v->r->size = v->checkpoint.size;
    v->r->root = v->checkpoint.root;
    check_index(v);
    next_witnessed(v);
    return OK;
}

err verification_read_checkpoint(struct verification *v, bool *good) {
    struct fail why = {0};
    err e = read_checkpoint(v, &why);
    if (e == E_AGAIN) return e;
    *good = e == OK;
    if (e != OK)
        verification_judge(v, verification_verdict_of(e), e, UINT64_MAX, "checkpoint: %s", why.text);
    return OK;
}

/* The key that the log names, or the anchor, or, at worst, the tree itself. */
static err find_key(struct verification *v, struct buf *text, struct note_key *key, struct fail *f) {
    const struct definition *d = fold_definition(v->fold);
    /* a manifest whose objects are missing has named none yet */
    if (d && d->log_vkey.n) return note_vkey_parse(d->log_vkey, key, f);
    if (v->o->anchor) {
        *key = v->o->anchor->log;
        return OK;
    }
    TRY(verification_get(v, "log.vkey", VKEY_FILE_MAX, text, f));
    struct span line = buf_view(text);
    while (line.n && line.p[line.n - 1] == '\n') line.n--;
    return note_vkey_parse(line, key, f);
}

static err check_signature(struct verification *v, const struct note_key *key, struct fail *f) {
    bool found = false;
    for (size_t i = 0; i < v->note.count; i++) {
        if (!note_line_is_by(&v->lines[i], key)) continue;
        TRY(note_verify(key, v->note.text, &v->lines[i], f));
        found = true;
    }
    if (!found) return fail_set(f, E_UNSIGNED, "it is not signed by the log's key");
    if (!span_eq(v->checkpoint.origin, key->name))
        return fail_set(f, E_ORIGIN, "its origin is not the log's");
    return OK;
}

static void check_anchor(struct verification *v) {
    const struct anchor *a = v->o->anchor;
    struct hash manifest;
    if (!fold_election(v->fold, &manifest))
        verification_judge(v, VERDICT_UNKNOWN, E_ANCHOR, UINT64_MAX, "the log has no manifest yet");
    else if (!hash_eq(&manifest, &a->manifest) || !span_eq(a->origin, v->checkpoint.origin))
        verification_judge(v, VERDICT_INVALID, E_ANCHOR, 0,
                           "the log is not the election that the anchor names");
}

static void check_quorum(struct verification *v) {
    struct fail f = {0};
    size_t count;
    err e;
    (void)cosigned_at(v, &v->checkpoint, v->lines, v->note.count, &count, &f, &e);
    v->r->witnesses = v->policy.witness_count;
    v->r->witnessed_by = count;
    if (e != OK) {
        verification_judge(v, VERDICT_INVALID, e, UINT64_MAX, "checkpoint: %s", f.text);
        return;
    }
    struct cosignature each[POLICY_WITNESSES_MAX];
    e = policy_check(&v->policy, v->checkpoint.body, v->lines, v->note.count, each, &f);
    if (e != OK)
        verification_judge(v, e == E_QUORUM ? VERDICT_UNKNOWN : VERDICT_INVALID, e, UINT64_MAX,
                           "checkpoint: %s", f.text);
}

err verification_check_log(struct verification *v) {
    struct note_key key;
    struct fail f = {0};
    struct buf text;
    buf_init(&text, VKEY_FILE_MAX);
    err e = find_key(v, &text, &key, &f);
    if (e == OK) e = check_signature(v, &key, &f);
    buf_release(&text);
    if (e == E_AGAIN) return e;
    if (e != OK)
        verification_judge(v, verification_verdict_of(e), e, UINT64_MAX, "checkpoint: %s", f.text);
    if (v->o->anchor) check_anchor(v);
    verification_find_policy(v);
    if (v->has_policy) check_quorum(v);
    return OK;
}
