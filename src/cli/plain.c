/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli/plain.h"

#include "base/text.h"

void cli_plain(struct buf *b, struct span s) {
    while (s.n) {
        struct span rest = s;
        int32_t c = utf8_next(&rest);
        size_t n = c >= 0 ? s.n - rest.n : 1;
        buf_span(b, c >= 0 && char_is_plain(c) ? span_of(s.p, n) : SPAN_LIT("?"));
        s = span_from(s, n);
    }
}
