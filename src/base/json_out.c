/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/json_out.h"

#include <inttypes.h>
#include <math.h>

static void before_value(struct json_out *j) {
    if (j->comma) buf_byte(j->b, ',');
    j->comma = true;
}

static void quoted(struct buf *b, struct span s) {
    buf_byte(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        buf_add(b, s.p + from, i - from);
        from = i + 1;
        switch (c) {
        case '"': buf_str(b, "\\\""); break;
        case '\\': buf_str(b, "\\\\"); break;
        case '\b': buf_str(b, "\\b"); break;
        case '\f': buf_str(b, "\\f"); break;
        case '\n': buf_str(b, "\\n"); break;
        case '\r': buf_str(b, "\\r"); break;
        case '\t': buf_str(b, "\\t"); break;
        default: buf_printf(b, "\\u%04x", c);
        }
    }
    if (s.n > from) buf_add(b, s.p + from, s.n - from);
    buf_byte(b, '"');
}

void json_object(struct json_out *j) {
    before_value(j);
    buf_byte(j->b, '{');
    j->comma = false;
}

void json_object_end(struct json_out *j) {
    buf_byte(j->b, '}');
    j->comma = true;
}

void json_array(struct json_out *j) {
    before_value(j);
    buf_byte(j->b, '[');
    j->comma = false;
}

void json_array_end(struct json_out *j) {
    buf_byte(j->b, ']');
    j->comma = true;
}

void json_key_span(struct json_out *j, struct span key) {
    before_value(j);
    quoted(j->b, key);
    buf_byte(j->b, ':');
    j->comma = false;
}

void json_key(struct json_out *j, const char *key) {
    json_key_span(j, span_text(key));
}

void json_span(struct json_out *j, struct span s) {
    before_value(j);
    quoted(j->b, s);
}

void json_str(struct json_out *j, const char *s) {
    json_span(j, span_text(s));
}

void json_u64(struct json_out *j, uint64_t v) {
    before_value(j);
    buf_u64(j->b, v);
}

void json_i64(struct json_out *j, int64_t v) {
    before_value(j);
    buf_printf(j->b, "%" PRId64, v);
}

void json_bool(struct json_out *j, bool v) {
    before_value(j);
    buf_str(j->b, v ? "true" : "false");
}

void json_null(struct json_out *j) {
    before_value(j);
    buf_str(j->b, "null");
}

void json_hex(struct json_out *j, struct span bytes) {
    before_value(j);
    buf_byte(j->b, '"');
    buf_hex(j->b, bytes);
    buf_byte(j->b, '"');
}

void json_base64(struct json_out *j, struct span bytes) {
    before_value(j);
    buf_byte(j->b, '"');
    buf_base64(j->b, bytes);
    buf_byte(j->b, '"');
}

void json_double(struct json_out *j, double v) {
    if (!isfinite(v)) {
        json_null(j);
        return;
    }
    before_value(j);
    buf_printf(j->b, "%.15g", v);
}

void json_raw(struct json_out *j, struct span text) {
    before_value(j);
    buf_span(j->b, text);
}

void json_kstr(struct json_out *j, const char *key, const char *s) {
    json_key(j, key);
    json_str(j, s);
}
void json_kspan(struct json_out *j, const char *key, struct span s) {
    json_key(j, key);
    json_span(j, s);
}
void json_ku64(struct json_out *j, const char *key, uint64_t v) {
    json_key(j, key);
    json_u64(j, v);
}
void json_kbool(struct json_out *j, const char *key, bool v) {
    json_key(j, key);
    json_bool(j, v);
}
void json_kdouble(struct json_out *j, const char *key, double v) {
    json_key(j, key);
    json_double(j, v);
}
void json_khex(struct json_out *j, const char *key, struct span bytes) {
    json_key(j, key);
    json_hex(j, bytes);
}
