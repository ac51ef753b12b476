/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "election/head.h"

#include "base/text.h"

struct json_out head_begin(struct span origin, uint64_t size, const struct hash *root,
                           uint64_t last_ms, struct buf *out) {
    struct json_out j = json_out(out);
    json_object(&j);
    json_kspan(&j, "origin", origin);
    json_ku64(&j, "size", size);
    json_key(&j, "root");
    json_base64(&j, hash_span(root));
    json_ku64(&j, "last_ms", last_ms);
    return j;
}

/* Behind a string that begins at s->p, quotes and escapes included; false when it does not end. */
static bool pass_string(struct span *s) {
    for (size_t i = 1; i < s->n; i++) {
        if (s->p[i] == '"') {
            *s = span_from(*s, i + 1);
            return true;
        }
        if (s->p[i] == '\\') i++;
    }
    return false;
}

err head_size(struct span bytes, uint64_t *size, struct fail *f) {
    struct span head = SPAN_LIT("{\"origin\":"), member = SPAN_LIT(",\"size\":"), rest = bytes;
    bool good = span_starts(rest, head);
    if (good) rest = span_from(rest, head.n);
    good = good && rest.n && rest.p[0] == '"' && pass_string(&rest) && span_starts(rest, member);
    if (!good) return fail_set(f, E_JSON, "it does not begin with the members origin and size");
    rest = span_from(rest, member.n);
    size_t n = 0;
    while (n < rest.n && char_is_digit(rest.p[n])) n++;
    if (n == rest.n || rest.p[n] != ',') return fail_set(f, E_JSON, "its size is not a number");
    return u64_parse(span_of(rest.p, n), UINT64_MAX, size, f);
}
