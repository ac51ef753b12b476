/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/text.h"

int32_t utf8_next(struct span *s) {
    if (s->n == 0) return -1;
    uint8_t c = s->p[0];
    size_t n;
    int32_t v, least;
    if (c < 0x80) {
        *s = span_from(*s, 1);
        return c;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        n = 2, v = c & 0x1f, least = 0x80;
    } else if (c >= 0xe0 && c <= 0xef) {
        n = 3, v = c & 0x0f, least = 0x800;
    } else if (c >= 0xf0 && c <= 0xf4) {
        n = 4, v = c & 0x07, least = 0x10000;
    } else {
        return -1;
    }
    if (s->n < n) return -1;
    for (size_t i = 1; i < n; i++) {
        if ((s->p[i] & 0xc0) != 0x80) return -1;
        v = v << 6 | (s->p[i] & 0x3f);
    }
    if (v < least || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff)) return -1;
    *s = span_from(*s, n);
    return v;
}

bool utf8_valid(struct span s) {
    while (s.n) {
        uint64_t eight;
        if (s.n >= sizeof eight) { /* most text is ASCII: eight bytes at a time */
            memcpy(&eight, s.p, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                s = span_from(s, sizeof eight);
                continue;
            }
        }
        if (s.p[0] < 0x80) {
            s = span_from(s, 1);
            continue;
        }
        if (utf8_next(&s) < 0) return false;
    }
    return true;
}

bool char_is_plain(int32_t c) {
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return false;
    if (c < 0x600) return true;
    if (c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e)) return false;
    if (c >= 0x2066 && c <= 0x2069) return false;
    if (c == 0xfeff || (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe) return false;
    return true;
}

bool text_is_plain(struct span s) {
    while (s.n) {
        int32_t c = utf8_next(&s);
        if (c < 0 || !char_is_plain(c)) return false;
    }
    return true;
}

bool char_is_space(int32_t c) {
    return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

err u64_parse(struct span s, uint64_t max, uint64_t *out, struct fail *f) {
    if (s.n == 0 || s.n > 20 || (s.n > 1 && s.p[0] == '0'))
        return fail_set(f, E_NUMBER, "\"%.*s\" is not a plain decimal number", SPAN_ARG(s));
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!char_is_digit(s.p[i]))
            return fail_set(f, E_NUMBER, "\"%.*s\" is not a plain decimal number", SPAN_ARG(s));
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return fail_set(f, E_RANGE, "the number %.*s is too large", SPAN_ARG(s));
    }
    if (v > max) return fail_set(f, E_RANGE, "the number %.*s is too large", SPAN_ARG(s));
    *out = v;
    return OK;
}
