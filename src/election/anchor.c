/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/anchor.h"

static err line_after(struct span *rest, const char *word, struct span *value, struct fail *f) {
    struct span line, prefix = span_text(word);
    if (!span_line(rest, &line) || !span_starts(line, prefix) || line.n == prefix.n)
        return fail_set(f, E_ANCHOR, "a trust anchor has a line \"%s...\" here", word);
    *value = span_from(line, prefix.n);
    return OK;
}

err anchor_parse(struct span bytes, struct anchor *out, struct fail *f) {
    struct span rest = bytes, head, manifest;
    if (bytes.n > ANCHOR_BYTES_MAX)
        return fail_set(f, E_ANCHOR, "a trust anchor has at most %d bytes", ANCHOR_BYTES_MAX);
    if (!span_line(&rest, &head) || !span_is(head, "hesabu/anchor/v1"))
        return fail_set(f, E_ANCHOR, "not a trust anchor: it begins with \"hesabu/anchor/v1\"");
    TRY(line_after(&rest, "origin ", &out->origin, f));
    TRY(line_after(&rest, "log ", &out->log_vkey, f));
    TRY(line_after(&rest, "manifest ", &manifest, f));
    TRY(note_vkey_parse(out->log_vkey, &out->log, f));
    if (!span_eq(out->log.name, out->origin) || out->log.type != NOTE_TYPE_ED25519)
        return fail_set(f, E_ANCHOR, "the log's key is not an Ed25519 key named as the origin");
    TRY(hash_from_hex(manifest, &out->manifest, f));
    if (rest.n && rest.p[rest.n - 1] != '\n')
        return fail_set(f, E_ANCHOR, "the trust anchor does not end with a line break");
    out->policy = rest;
    return OK;
}

void anchor_format(struct span origin, struct span log_vkey, const struct hash *manifest,
                   struct span policy, struct buf *out) {
    buf_str(out, "hesabu/anchor/v1\norigin ");
    buf_span(out, origin);
    buf_str(out, "\nlog ");
    buf_span(out, log_vkey);
    buf_str(out, "\nmanifest ");
    buf_hex(out, hash_span(manifest));
    buf_byte(out, '\n');
    buf_span(out, policy);
}

struct hash anchor_fingerprint(struct span bytes) {
    return sha256(bytes);
}
