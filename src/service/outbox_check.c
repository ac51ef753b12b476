/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the outbox believes: a receipt is looked at as if the server were a liar. */
#include <stdlib.h>
#include "service/outbox.h"
#include "service/submission.h"
#include "tlog/proof.h"

struct work {
    struct record mine, theirs;
    struct receipt_view view;
    struct tlog_proof proof;
    struct checkpoint checkpoint;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    struct span their_note;
    uint64_t ms;
};

/* Is this a receipt at all? Anything cut short or foreign is the network's fault, not a lie. */
static err read_receipt(struct work *w, struct span receipt, struct fail *f) {
    err e = receipt_parse(receipt, &w->view, f);
    if (e == OK) e = entry_parse(w->view.entry, &w->ms, &w->their_note, f);
    if (e == OK) e = tlog_proof_parse(w->view.proof, &w->proof, f);
    if (e == OK) e = record_parse(w->their_note, &w->theirs, f);
    if (e == OK)
        e = note_split(w->proof.checkpoint, &w->note, w->lines, NOTE_LINES_MAX, f);
    if (e == OK) return OK;
    return fail_context(f, E_NETWORK, "the answer is not a whole receipt");
}

static uint32_t lines_lacking(const struct work *w) {
    uint32_t lacking = 0;
    for (size_t i = 0; i < w->mine.split.count; i++) {
        bool found = false;
        for (size_t k = 0; k < w->theirs.split.count && !found; k++)
            found = span_eq(w->mine.lines[i].line, w->theirs.lines[k].line);
        lacking += !found;
    }
    return lacking;
}

static err check(struct work *w, const struct anchor *a, struct span note, struct span receipt,
                 bool *witnessed, struct fail *f) {
    TRY(record_parse(note, &w->mine, f));
    TRY(read_receipt(w, receipt, f));
    if (!span_eq(w->mine.text, w->theirs.text))
        return fail_set(f, E_PROOF, "the receipt is for another record than the one that was sent");
    if (w->view.index != w->proof.index)
        return fail_set(f, E_PROOF, "the receipt says entry %llu, its proof entry %llu",
                        (unsigned long long)w->view.index, (unsigned long long)w->proof.index);
    TRY(tlog_proof_verify(&w->proof, w->view.entry, &a->log, NULL, &w->checkpoint, NULL, f));
    if (w->mine.type == REC_MANIFEST && !hash_eq(&w->mine.id, &a->manifest))
        return fail_set(f, E_ANCHOR, "the log took a manifest that the anchor does not name");
    if (!witnessed) return OK;
    struct arena arena;
    struct policy policy;
    arena_init(&arena, 4 << 20);
    err e = policy_parse(a->policy, &arena, &policy, f);
    struct cosignature *signed_by =
        e == OK ? arena_array(&arena, policy.witness_count + 1, sizeof *signed_by) : NULL;
    if (e == OK && !signed_by) e = fail_set(f, E_MEMORY, "no memory for a witness policy");
    if (e == OK && policy.has_quorum)
        e = policy_check(&policy, w->checkpoint.body, w->lines, w->note.count, signed_by, f);
    *witnessed = e == OK && policy.has_quorum;
    arena_release(&arena);
    return e == E_QUORUM ? OK : e;
}

err outbox_check_receipt(const struct anchor *a, struct span note, struct span receipt,
                         uint64_t *index, bool *witnessed, uint32_t *not_logged, struct fail *f) {
    struct work *w = malloc(sizeof *w);
    if (!w) return fail_set(f, E_MEMORY, "no memory for a receipt");
    bool unused;
    /* an anchor without a policy names no witnesses */
    bool *asked = a->policy.n ? (witnessed ? witnessed : &unused) : NULL;
    if (witnessed) *witnessed = false;
    err e = check(w, a, note, receipt, asked, f);
    if (e == OK) *index = w->view.index;
    if (e == OK && not_logged) *not_logged = lines_lacking(w);
    free(w);
    return e;
}
