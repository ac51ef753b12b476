/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tlog/witness.h"

#include <stdio.h>
#include "base/text.h"

err witness_request_parse(struct span body, struct witness_request *out, struct fail *f) {
    struct span rest = body, line;
    out->count = 0;
    if (body.n > WITNESS_REQUEST_MAX)
        return fail_set(f, E_CHECKPOINT, "a request of %zu bytes is too large", body.n);
    if (!span_line(&rest, &line) || !span_starts(line, SPAN_LIT("old ")))
        return fail_set(f, E_CHECKPOINT, "a request begins with the line \"old SIZE\"");
    TRY(u64_parse(span_from(line, 4), INT64_MAX, &out->old_size, f));
    for (;;) {
        if (!span_line(&rest, &line))
            return fail_set(f, E_CHECKPOINT, "the request has no checkpoint after its proof");
        if (line.n == 0) break;
        if (out->count == WITNESS_PROOF_MAX)
            return fail_set(f, E_CHECKPOINT, "more than %d hashes in a proof", WITNESS_PROOF_MAX);
        TRY(hash_from_base64(line, &out->proof[out->count], f));
        out->count++;
    }
    out->note = rest;
    if (rest.n > CHECKPOINT_BYTES_MAX)
        return fail_set(f, E_CHECKPOINT, "a checkpoint of %zu bytes is too large", rest.n);
    struct note note;
    TRY(note_cut(rest, &note, f));
    return checkpoint_parse(note.text, &out->checkpoint, f);
}

static void answer(struct witness_answer *out, int status, const char *type, const char *text) {
    out->status = status;
    out->type = type;
    (void)snprintf(out->body, sizeof out->body, "%s\n", text);
}

static void answer_text(struct witness_answer *out, int status, const char *text) {
    answer(out, status, "text/plain; charset=utf-8", text);
}

/* 0, or the status to answer with. */
static int signature_check(const struct witness_request *r, const struct note_key *log,
                           struct fail *f) {
    struct checkpoint c;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    err e = checkpoint_open(r->note, log, &c, &note, lines, NOTE_LINES_MAX, f);
    switch (e) {
    case OK:
        return 0;
    case E_SIGNATURE:
    case E_UNSIGNED:
    case E_BASE64: /* a signature in a spelling that nobody makes is no signature */
        return 403;
    case E_ORIGIN:
        return 404;
    default:
        return 400;
    }
}

/* Whether the checkpoint extends what was seen; old = stored size <= new size is settled before. */
static err history_check(const struct witness_request *r, const struct witness_state *state,
                         struct fail *f) {
    const struct checkpoint *c = &r->checkpoint;
    if (c->size == 0) {
        struct hash empty = merkle_empty();
        if (!hash_eq(&c->root, &empty))
            return fail_set(f, E_PROOF, "the root of an empty log is the hash of nothing");
    }
    if (r->old_size == 0 || r->old_size == c->size) {
        if (r->count)
            return fail_set(f, E_PROOF, "the consistency proof must be empty between these sizes");
        if (r->old_size && !hash_eq(&c->root, &state->root))
            return fail_set(f, E_FORK, "another root was seen at this size: the log has forked");
        return OK;
    }
    err e = merkle_verify_consistency(r->old_size, c->size, r->proof, r->count, &state->root,
                                      &c->root, f);
    return e == OK ? OK : fail_context(f, e, "consistency proof");
}

void witness_decide(const struct witness_request *r, const struct note_key *log,
                    const struct witness_state *state, struct witness_answer *out) {
    struct fail f = {0};
    *out = (struct witness_answer){0};
    if (!log) {
        answer_text(out, 404, "unknown log");
        return;
    }
    int status = signature_check(r, log, &f);
    if (status) {
        answer_text(out, status, f.text);
        return;
    }
    if (r->old_size > r->checkpoint.size) {
        answer_text(out, 400, "the old size is larger than the checkpoint's");
        return;
    }
    if (r->old_size != state->size) {
        char size[24];
        (void)snprintf(size, sizeof size, "%llu", (unsigned long long)state->size);
        answer(out, 409, WITNESS_SIZE_TYPE, size);
        return;
    }
    if (history_check(r, state, &f) != OK) {
        answer_text(out, 422, f.text);
        return;
    }
    out->status = 200;
    out->type = "text/plain; charset=utf-8";
    out->next = (struct witness_state){.size = r->checkpoint.size, .root = r->checkpoint.root};
}

err witness_request_format(uint64_t old_size, const struct hash *proof, size_t n, struct span note,
                           struct buf *out, struct fail *f) {
    if (n > WITNESS_PROOF_MAX)
        return fail_set(f, E_RANGE, "a request holds at most %d hashes", WITNESS_PROOF_MAX);
    buf_str(out, "old ");
    buf_u64(out, old_size);
    buf_byte(out, '\n');
    for (size_t i = 0; i < n; i++) {
        buf_base64(out, hash_span(&proof[i]));
        buf_byte(out, '\n');
    }
    buf_byte(out, '\n');
    buf_span(out, note);
    return buf_ok(out, f);
}

err witness_answer_read(struct span text, const struct note_key *witness,
                        struct span checkpoint_body, struct buf *out, uint64_t *time_s,
                        struct fail *f) {
    struct note_line lines[NOTE_LINES_MAX];
    size_t n = 0;
    if (text.n > WITNESS_ANSWER_MAX)
        return fail_set(f, E_NETWORK, "the witness's answer of %zu bytes is too large", text.n);
    if (note_split_lines(text, lines, NOTE_LINES_MAX, &n, f) != OK)
        return fail_context(f, E_NETWORK, "the witness's answer");
    for (size_t i = 0; i < n; i++) {
        if (!note_line_is_by(&lines[i], witness)) continue;
        TRY(cosignature_verify(witness, checkpoint_body, &lines[i], time_s, f));
        buf_span(out, lines[i].line);
        buf_byte(out, '\n');
        return buf_ok(out, f);
    }
    return fail_set(f, E_NETWORK, "the witness's answer has no cosignature of \"%.*s\"",
                    SPAN_ARG(witness->name));
}

err witness_conflict_read(struct span text, uint64_t *size, struct fail *f) {
    struct span line;
    if (!span_line(&text, &line) || text.n || u64_parse(line, INT64_MAX, size, f) != OK)
        return fail_set(f, E_NETWORK, "the witness answered 409 without the size it has seen");
    return OK;
}
