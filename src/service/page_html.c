/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/page_html.h"

#include <stdio.h>
#include "base/clock.h"
#include "base/text.h"

void html_raw(struct html *h, const char *markup) {
    buf_str(h->b, markup);
}

void html_printf(struct html *h, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text) h->b->failed = true;
    else buf_add(h->b, text, (size_t)n);
}

void html_escaped(struct html *h, struct span s) {
    while (s.n) {
        struct span rest = s;
        int32_t c = utf8_next(&rest);
        if (c < 0) rest = span_from(s, 1);
        if (c < 0 || !char_is_plain(c)) {
            buf_str(h->b, "\xef\xbf\xbd");
            s = rest;
            continue;
        }
        switch (c) {
        case '<': buf_str(h->b, "&lt;"); break;
        case '>': buf_str(h->b, "&gt;"); break;
        case '&': buf_str(h->b, "&amp;"); break;
        case '"': buf_str(h->b, "&quot;"); break;
        case '\'': buf_str(h->b, "&#39;"); break;
        case '`': buf_str(h->b, "&#96;"); break;
        default: buf_add(h->b, s.p, s.n - rest.n);
        }
        s = rest;
    }
}

void html_lines(struct html *h, struct span s) {
    size_t at = 0;
    for (size_t i = 0; i <= s.n; i++) {
        if (i < s.n && s.p[i] != '\n') continue;
        html_escaped(h, (struct span){s.p + at, i - at - (i > at && s.p[i - 1] == '\r')});
        if (i < s.n) html_raw(h, "\n");
        at = i + 1;
    }
}

void html_name(struct html *h, struct span s) {
    html_raw(h, "<bdi>");
    html_escaped(h, s);
    html_raw(h, "</bdi>");
}

void html_word(struct html *h, enum page_word w) {
    buf_str(h->b, page_word(h->lang, w));
}

void html_plural(struct html *h, enum page_plural w, uint64_t n) {
    buf_str(h->b, page_plural(h->lang, w, n));
}

void html_number(struct html *h, uint64_t v) {
    buf_u64_grouped(h->b, v);
}

void html_share(struct html *h, uint64_t part, uint64_t whole) {
    if (whole == 0) {
        html_raw(h, "&ndash;");
        return;
    }
    uint64_t x = (uint64_t)((unsigned __int128)part * 10000 / whole);
    html_printf(h, "%llu.%02llu%%", (unsigned long long)(x / 100), (unsigned long long)(x % 100));
}

void html_time(struct html *h, uint64_t unix_ms) {
    char when[21];
    clock_format_utc(unix_ms, when);
    if (!when[0]) { /* beyond the year 9999: a witness may sign any time */
        html_raw(h, "&ndash;");
        return;
    }
    unsigned month = (unsigned)(when[5] - '0') * 10 + (unsigned)(when[6] - '0');
    unsigned day = (unsigned)(when[8] - '0') * 10 + (unsigned)(when[9] - '0');
    html_printf(h, "<time datetime=\"%s\">%u %s %.4s, %.5s UTC</time>", when, day,
                page_month(h->lang, month), when, when + 11);
}

void html_clock(struct html *h, uint64_t unix_ms, bool seconds) {
    char when[21];
    clock_format_utc(unix_ms, when);
    if (!when[0])
        html_raw(h, "&ndash;"); /* as above */
    else
        html_printf(h, "%.*s", seconds ? 8 : 5, when + 11);
}

void html_bar(struct html *h, const char *klass, uint64_t part, uint64_t whole) {
    if (part > whole) part = whole;
    uint64_t x = whole ? (uint64_t)((unsigned __int128)part * 10000 / whole) : 0;
    html_printf(h, "<svg class=\"bar\" aria-hidden=\"true\" focusable=\"false\"><rect class=\"%s\" "
                   "width=\"%llu.%02llu%%\" height=\"100%%\"/></svg>",
                klass, (unsigned long long)(x / 100), (unsigned long long)(x % 100));
}

void html_fact(struct html *h, enum page_word w, uint64_t v) {
    html_raw(h, "<div><dt>");
    html_word(h, w);
    html_raw(h, "</dt><dd>");
    html_number(h, v);
    html_raw(h, "</dd></div>\n");
}

void html_cell(struct html *h, uint64_t v) {
    html_raw(h, "<td class=\"n\">");
    html_number(h, v);
    html_raw(h, "</td>");
}
