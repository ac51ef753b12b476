/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/xml_out.h"

#include "base/text.h"

/* Production [2] of XML 1.0. */
static bool is_xml_char(int32_t c) {
    return c == 0x9 || c == 0xa || c == 0xd || (c >= 0x20 && c <= 0xd7ff) ||
           (c >= 0xe000 && c <= 0xfffd) || c >= 0x10000;
}

static void escaped(struct buf *b, struct span s) {
    while (s.n) {
        struct span next = s;
        int32_t c = utf8_next(&next);
        if (c < 0) next = span_from(s, 1);
        switch (c) {
        case '<': buf_str(b, "&lt;"); break;
        case '>': buf_str(b, "&gt;"); break;
        case '&': buf_str(b, "&amp;"); break;
        case '"': buf_str(b, "&quot;"); break;
        case '\'': buf_str(b, "&#39;"); break;
        /* as characters, or an attribute's value would be read with blanks in their place */
        case '\t': buf_str(b, "&#9;"); break;
        case '\n': buf_str(b, "&#10;"); break;
        case '\r': buf_str(b, "&#13;"); break;
        default:
            if (is_xml_char(c))
                buf_add(b, s.p, s.n - next.n);
            else
                buf_str(b, "\xef\xbf\xbd");
        }
        s = next;
    }
}

struct xml_out xml_out(struct buf *b, bool declare) {
    if (declare) buf_str(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    return (struct xml_out){.b = b};
}

static void close_start(struct xml_out *x) {
    if (x->open) buf_byte(x->b, '>');
    x->open = false;
}

void xml_begin(struct xml_out *x, const char *name) {
    close_start(x);
    buf_byte(x->b, '<');
    buf_str(x->b, name);
    x->open = true;
}

void xml_attr(struct xml_out *x, const char *name, struct span value) {
    buf_byte(x->b, ' ');
    buf_str(x->b, name);
    buf_str(x->b, "=\"");
    escaped(x->b, value);
    buf_byte(x->b, '"');
}

void xml_text(struct xml_out *x, struct span text) {
    close_start(x);
    escaped(x->b, text);
}

void xml_u64(struct xml_out *x, uint64_t v) {
    close_start(x);
    buf_u64(x->b, v);
}

void xml_end(struct xml_out *x, const char *name) {
    if (x->open) {
        buf_str(x->b, "/>\n");
        x->open = false;
        return;
    }
    buf_str(x->b, "</");
    buf_str(x->b, name);
    buf_str(x->b, ">\n");
}

void xml_comment(struct xml_out *x, struct span text) {
    close_start(x);
    buf_str(x->b, "<!-- ");
    for (bool dash = false; text.n;) {
        struct span next = text;
        int32_t c = utf8_next(&next);
        if (c < 0) next = span_from(text, 1);
        if (dash && c == '-') buf_byte(x->b, ' ');
        dash = c == '-';
        if (is_xml_char(c))
            buf_add(x->b, text.p, text.n - next.n);
        else
            buf_str(x->b, "\xef\xbf\xbd");
        text = next;
    }
    buf_str(x->b, " -->\n");
}

void xml_element(struct xml_out *x, const char *name, struct span text) {
    xml_begin(x, name);
    xml_text(x, text);
    xml_end(x, name);
}

void xml_element_str(struct xml_out *x, const char *name, const char *text) {
    xml_element(x, name, span_text(text));
}

void xml_element_u64(struct xml_out *x, const char *name, uint64_t v) {
    xml_begin(x, name);
    xml_u64(x, v);
    xml_end(x, name);
}
