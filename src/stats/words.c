/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "stats/words.h"

#include <inttypes.h>
#include <stdio.h>

err lang_parse(const char *s, enum lang *out, struct fail *f) {
    if (strcmp(s, "en") == 0)
        *out = LANG_EN;
    else if (strcmp(s, "sw") == 0)
        *out = LANG_SW;
    else
        return fail_set(f, E_USAGE, "the languages are \"en\" and \"sw\", not \"%s\"", s);
    return OK;
}

const char *words_u64(uint64_t v, char out[32]) {
    char t[24];
    int n = snprintf(t, sizeof t, "%" PRIu64, v), o = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0) out[o++] = ',';
        out[o++] = t[i];
    }
    out[o] = 0;
    return out;
}

const char *words_i64(int64_t v, char out[32]) {
    if (v >= 0) return words_u64((uint64_t)v, out);
    char t[32];
    words_u64((uint64_t)0 - (uint64_t)v, t);
    snprintf(out, 32, "-%.28s", t);
    return out;
}

const char *words_p(double p, char out[24]) {
    if (p <= 1e-300)
        snprintf(out, 24, "< 1e-300");
    else if (p < 1e-3)
        snprintf(out, 24, "%.1e", p);
    else
        snprintf(out, 24, "%.3f", p);
    return out;
}

void words_html(struct buf *b, struct span s) {
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&': buf_str(b, "&amp;"); break;
        case '<': buf_str(b, "&lt;"); break;
        case '>': buf_str(b, "&gt;"); break;
        case '"': buf_str(b, "&quot;"); break;
        default: buf_byte(b, s.p[i]);
        }
    }
}
