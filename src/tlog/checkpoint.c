/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tlog/checkpoint.h"

#include "base/text.h"

err checkpoint_parse(struct span body, struct checkpoint *out, struct fail *f) {
    struct span rest = body, size, root;
    if (!span_line(&rest, &out->origin) || out->origin.n == 0)
        return fail_set(f, E_CHECKPOINT, "a checkpoint's first line is the log's origin");
    if (!span_line(&rest, &size) || u64_parse(size, INT64_MAX, &out->size, f) != OK)
        return fail_set(f, E_CHECKPOINT, "a checkpoint's second line is the log's size in decimal");
    if (!span_line(&rest, &root) || hash_from_base64(root, &out->root, f) != OK)
        return fail_set(f, E_CHECKPOINT,
                        "a checkpoint's third line is the root hash, 44 characters of base64");
    out->body = body;
    out->extensions = rest;
    while (rest.n) {
        struct span line;
        if (!span_line(&rest, &line) || line.n == 0)
            return fail_set(f, E_CHECKPOINT, "a checkpoint's further lines are not empty, and end");
    }
    return OK;
}

err checkpoint_format(struct span origin, uint64_t size, const struct hash *root,
                      struct span extensions, struct buf *out, struct fail *f) {
    size_t from = out->n;
    buf_span(out, origin);
    buf_byte(out, '\n');
    buf_u64(out, size);
    buf_byte(out, '\n');
    buf_base64(out, hash_span(root));
    buf_byte(out, '\n');
    buf_span(out, extensions);
    TRY(buf_ok(out, f));
    struct checkpoint c;
    TRY(checkpoint_parse(span_of(out->p + from, out->n - from), &c, f));
    if (!span_eq(c.origin, origin) || !span_eq(c.extensions, extensions))
        return fail_set(f, E_CHECKPOINT, "a checkpoint's origin is one line");
    return OK;
}

err checkpoint_sign(const struct note_signer *log, uint64_t size, const struct hash *root,
                    struct buf *out, struct fail *f) {
    struct buf body;
    buf_init(&body, NOTE_NAME_MAX + 128);
    err e = checkpoint_format(log->key.name, size, root, span_of(NULL, 0), &body, f);
    if (e == OK) e = note_sign(&log, 1, buf_view(&body), out, f);
    buf_release(&body);
    return e;
}

err checkpoint_open(struct span bytes, const struct note_key *log, struct checkpoint *out,
                    struct note *note, struct note_line *lines, size_t max, struct fail *f) {
    if (bytes.n > CHECKPOINT_BYTES_MAX)
        return fail_set(f, E_CHECKPOINT, "a checkpoint of %zu bytes is too large", bytes.n);
    TRY(note_split(bytes, note, lines, max, f));
    TRY(checkpoint_parse(note->text, out, f));
    if (!span_eq(out->origin, log->name))
        return fail_set(f, E_ORIGIN, "this is a checkpoint of \"%.*s\", not of \"%.*s\"",
                        SPAN_ARG(out->origin), SPAN_ARG(log->name));
    bool signed_by_log = false;
    for (size_t i = 0; i < note->count; i++) {
        if (!note_line_is_by(&lines[i], log)) continue;
        TRY(note_verify(log, note->text, &lines[i], f));
        signed_by_log = true;
    }
    if (!signed_by_log)
        return fail_set(f, E_UNSIGNED, "the checkpoint is not signed by its log \"%.*s\"",
                        SPAN_ARG(log->name));
    return OK;
}

struct hash checkpoint_origin_id(struct span origin) {
    return sha256(origin);
}
