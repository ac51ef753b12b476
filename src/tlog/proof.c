/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tlog/proof.h"

#include "base/text.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

err tlog_proof_parse(struct span bytes, struct tlog_proof *out, struct fail *f) {
    struct span rest = bytes, line;
    out->has_extra = false;
    out->extra_base64 = (struct span){NULL, 0};
    out->count = 0;
    if (bytes.n > TLOG_PROOF_BYTES_MAX)
        return fail_set(f, E_PROOF, "a proof file of %zu bytes is too large", bytes.n);
    if (!span_line(&rest, &line) || !span_is(line, FIRST_LINE))
        return fail_set(f, E_PROOF, "a proof file begins with %s", FIRST_LINE);
    if (!span_line(&rest, &line)) return fail_set(f, E_PROOF, "the proof file ends too early");
    if (span_starts(line, SPAN_LIT("extra "))) {
        size_t n;
        out->extra_base64 = span_from(line, 6);
        out->has_extra = true;
        if (!base64_check(out->extra_base64, &n) || n == 0)
            return fail_set(f, E_PROOF, "the proof file's extra data is not base64");
        if (!span_line(&rest, &line)) return fail_set(f, E_PROOF, "the proof file ends too early");
    }
    if (!span_starts(line, SPAN_LIT("index ")) ||
        u64_parse(span_from(line, 6), INT64_MAX, &out->index, f) != OK)
        return fail_set(f, E_PROOF, "the proof file lacks the line \"index N\"");
    for (;;) {
        if (!span_line(&rest, &line))
            return fail_set(f, E_PROOF, "the proof file has no checkpoint");
        if (line.n == 0) break;
        if (out->count == TLOG_PROOF_HASHES_MAX)
            return fail_set(f, E_PROOF, "more than %d hashes in a proof", TLOG_PROOF_HASHES_MAX);
        if (hash_from_base64(line, &out->hashes[out->count], f) != OK)
            return fail_set(f, E_PROOF, "hash %zu of the proof is not 44 characters of base64",
                            out->count + 1);
        out->count++;
    }
    out->checkpoint = rest;
    return OK;
}

err tlog_proof_format(struct span extra, uint64_t index, const struct hash *hashes, size_t count,
                      struct span checkpoint, struct buf *out, struct fail *f) {
    if (count > TLOG_PROOF_HASHES_MAX)
        return fail_set(f, E_RANGE, "a proof file holds at most %d hashes", TLOG_PROOF_HASHES_MAX);
    buf_str(out, FIRST_LINE "\n");
    if (extra.p && extra.n) {
        buf_str(out, "extra ");
        buf_base64(out, extra);
        buf_byte(out, '\n');
    }
    buf_str(out, "index ");
    buf_u64(out, index);
    buf_byte(out, '\n');
    for (size_t i = 0; i < count; i++) {
        buf_base64(out, hash_span(&hashes[i]));
        buf_byte(out, '\n');
    }
    buf_byte(out, '\n');
    buf_span(out, checkpoint);
    return buf_ok(out, f);
}

err tlog_proof_verify(const struct tlog_proof *proof, struct span entry, const struct note_key *log,
                      const struct policy *policy, struct checkpoint *checkpoint,
                      struct cosignature *cosignatures, struct fail *f) {
    struct checkpoint c;
    struct note note;
    struct note_line lines[NOTE_LINES_MAX];
    TRY(checkpoint_open(proof->checkpoint, log, &c, &note, lines, NOTE_LINES_MAX, f));
    struct hash leaf = merkle_leaf(entry);
    TRY(merkle_verify_inclusion(&leaf, proof->index, c.size, proof->hashes, proof->count, &c.root,
                                f));
    if (policy) {
        struct cosignature own[POLICY_WITNESSES_MAX];
        TRY(policy_check(policy, c.body, lines, note.count, cosignatures ? cosignatures : own, f));
    }
    if (checkpoint) *checkpoint = c;
    return OK;
}
