/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/json_in.h"

#include "base/text.h"

void json_in_init(struct json_in *j, struct span text, struct fail *f) {
    *j = (struct json_in){.all = text, .rest = text, .f = f};
}

void json_in_place(const struct json_in *j, size_t *line, size_t *column) {
    size_t at = j->all.n - j->rest.n;
    *line = *column = 1;
    for (size_t i = 0; i < at; i++) {
        *column = j->all.p[i] == '\n' ? 1 : *column + 1;
        *line += j->all.p[i] == '\n';
    }
}

void json_in_fail(struct json_in *j, const char *what) {
    size_t line, column;
    if (j->code != OK) return;
    json_in_place(j, &line, &column);
    j->code = fail_set(j->f, E_JSON, "line %zu, column %zu: %s", line, column, what);
}

static void blanks(struct json_in *j) {
    size_t i = 0;
    while (i < j->rest.n && (j->rest.p[i] == ' ' || j->rest.p[i] == '\t' || j->rest.p[i] == '\n' ||
                             j->rest.p[i] == '\r'))
        i++;
    j->rest = span_from(j->rest, i);
}

static int peek(const struct json_in *j) {
    return j->rest.n ? j->rest.p[0] : -1;
}

static int hex_digit(uint8_t c) {
    if (char_is_digit(c)) return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits of a \u escape at s, or -1. */
static int32_t unit16(struct span s) {
    int32_t v = 0;
    if (s.n < 4) return -1;
    for (size_t i = 0; i < 4; i++) {
        int d = hex_digit(s.p[i]);
        if (d < 0) return -1;
        v = v << 4 | d;
    }
    return v;
}

/* The escape after a backslash: its length, 0 when it is none; *c the character. */
static size_t escape(struct span s, int32_t *c) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (s.n == 0) return 0;
    const char *at = s.p[0] ? strchr(from, s.p[0]) : NULL;
    if (at) {
        *c = to[at - from];
        return 1;
    }
    if (s.p[0] != 'u' || (*c = unit16(span_from(s, 1))) < 0) return 0;
    if (*c < 0xd800 || *c > 0xdfff) return 5;
    struct span low = span_from(s, 5);
    int32_t second = low.n >= 6 && low.p[0] == '\\' && low.p[1] == 'u' ? unit16(span_from(low, 2)) : -1;
    if (*c > 0xdbff || second < 0xdc00 || second > 0xdfff) return 0;
    *c = 0x10000 + ((*c - 0xd800) << 10) + (second - 0xdc00);
    return 11;
}

static bool string(struct json_in *j, struct span *text) {
    struct span s = span_from(j->rest, 1), from = s;
    while (s.n && s.p[0] != '"') {
        int32_t c;
        if (s.p[0] == '\\') {
            size_t n = escape(span_from(s, 1), &c);
            if (n == 0) break;
            s = span_from(s, 1 + n);
        } else {
            if (s.p[0] < 0x20 || utf8_next(&s) < 0) break;
        }
    }
    j->rest = s;
    if (s.n == 0 || s.p[0] != '"') {
        json_in_fail(j, "a string that does not end, or with a character that may not stand in it");
        return false;
    }
    *text = span_of(from.p, from.n - s.n);
    j->rest = span_from(s, 1);
    return true;
}

static size_t digits(struct span s) {
    size_t n = 0;
    while (n < s.n && char_is_digit(s.p[n])) n++;
    return n;
}

static bool number(struct json_in *j, struct span *text) {
    struct span s = j->rest;
    size_t n = s.p[0] == '-', whole = digits(span_from(s, n));
    bool ok = whole > 0 && (whole == 1 || s.p[n] != '0');
    n += whole;
    if (ok && n < s.n && s.p[n] == '.') {
        size_t more = digits(span_from(s, n + 1));
        ok = more > 0;
        n += 1 + more;
    }
    if (ok && n < s.n && (s.p[n] | 0x20) == 'e') {
        n++;
        if (n < s.n && (s.p[n] == '+' || s.p[n] == '-')) n++;
        size_t more = digits(span_from(s, n));
        ok = more > 0;
        n += more;
    }
    if (!ok) {
        json_in_fail(j, "not a value");
        return false;
    }
    *text = span_of(s.p, n);
    j->rest = span_from(s, n);
    return true;
}

static enum json_token value_over(struct json_in *j, enum json_token t) {
    j->any = true;
    j->value_due = false;
    if (j->depth == 0) j->done = true;
    return t;
}

static enum json_token open_level(struct json_in *j, bool object) {
    if (j->depth == JSON_IN_DEPTH) {
        json_in_fail(j, "too many levels");
        return JT_END;
    }
    j->rest = span_from(j->rest, 1);
    j->object[j->depth++] = object;
    j->any = j->value_due = false;
    return object ? JT_OBJECT : JT_ARRAY;
}

static enum json_token close_level(struct json_in *j) {
    bool object = j->object[j->depth - 1];
    j->rest = span_from(j->rest, 1);
    j->depth--;
    return value_over(j, object ? JT_OBJECT_END : JT_ARRAY_END);
}

static enum json_token literal(struct json_in *j, const char *word, enum json_token t) {
    if (!span_starts(j->rest, span_text(word))) {
        json_in_fail(j, "not a value");
        return JT_END;
    }
    j->rest = span_from(j->rest, strlen(word));
    return value_over(j, t);
}

static enum json_token value(struct json_in *j, struct span *text) {
    switch (peek(j)) {
    case '{': return open_level(j, true);
    case '[': return open_level(j, false);
    case '"': return string(j, text) ? value_over(j, JT_STRING) : JT_END;
    case 't': return literal(j, "true", JT_TRUE);
    case 'f': return literal(j, "false", JT_FALSE);
    case 'n': return literal(j, "null", JT_NULL);
    case -1: json_in_fail(j, "the text ends too early"); return JT_END;
    default: return number(j, text) ? value_over(j, JT_NUMBER) : JT_END;
    }
}

enum json_token json_in_next(struct json_in *j, struct span *text) {
    *text = (struct span){0};
    if (j->code != OK || j->done) return JT_END;
    blanks(j);
    if (j->depth == 0 || j->value_due) return value(j, text);
    bool object = j->object[j->depth - 1];
    if (peek(j) == (object ? '}' : ']')) return close_level(j);
    if (j->any) {
        if (peek(j) != ',') {
            json_in_fail(j, object ? "',' or '}' is missing" : "',' or ']' is missing");
            return JT_END;
        }
        j->rest = span_from(j->rest, 1);
        blanks(j);
    }
    if (!object) return value(j, text);
    if (peek(j) != '"' || !string(j, text)) {
        json_in_fail(j, "a key is missing");
        return JT_END;
    }
    blanks(j);
    if (peek(j) != ':') {
        json_in_fail(j, "':' is missing");
        return JT_END;
    }
    j->rest = span_from(j->rest, 1);
    j->value_due = true;
    return JT_KEY;
}

void json_in_skip(struct json_in *j, enum json_token token) {
    struct span text;
    if (token == JT_KEY) token = json_in_next(j, &text);
    if (token != JT_OBJECT && token != JT_ARRAY) return;
    for (unsigned depth = j->depth; j->depth >= depth && j->code == OK;)
        if (json_in_next(j, &text) == JT_END) break;
}

err json_in_end(struct json_in *j) {
    if (j->code == OK && !j->done) json_in_fail(j, "the text ends too early");
    blanks(j);
    if (j->code == OK && j->rest.n) json_in_fail(j, "something follows the value");
    return j->code;
}

static void put_utf8(int32_t c, struct buf *out) {
    if (c < 0x80) {
        buf_byte(out, (uint8_t)c);
    } else if (c < 0x800) {
        buf_byte(out, (uint8_t)(0xc0 | c >> 6));
        buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_byte(out, (uint8_t)(0xe0 | c >> 12));
        buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        buf_byte(out, (uint8_t)(0xf0 | c >> 18));
        buf_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        buf_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        buf_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

void json_in_text(struct span raw, struct buf *out) {
    while (raw.n) {
        int32_t c;
        size_t n = raw.p[0] == '\\' ? escape(span_from(raw, 1), &c) : 0;
        if (n == 0) {
            buf_byte(out, raw.p[0]);
            raw = span_from(raw, 1);
            continue;
        }
        put_utf8(c, out);
        raw = span_from(raw, 1 + n);
    }
}
