/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

int span_cmp(struct span a, struct span b) {
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c) return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool span_line(struct span *rest, struct span *line) {
    const uint8_t *nl = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    if (!nl) return false;
    *line = (struct span){rest->p, (size_t)(nl - rest->p)};
    *rest = span_from(*rest, line->n + 1);
    return true;
}

void buf_init(struct buf *b, size_t max) {
    *b = (struct buf){.max = max};
}

void buf_release(struct buf *b) {
    free(b->p);
    size_t max = b->max;
    *b = (struct buf){.max = max};
}

uint8_t *buf_room(struct buf *b, size_t n) {
    if (b->failed) return NULL;
    if (n > b->max || b->n > b->max - n) {
        b->failed = true;
        return NULL;
    }
    if (n <= b->cap - b->n && b->p) return b->p + b->n;
    /* one byte more than `max` may be kept for the NUL of buf_cstr */
    size_t want = b->n + n + 1, cap = b->cap ? b->cap : 64;
    while (cap < want) cap *= 2;
    if (cap > b->max + 1) cap = b->max + 1;
    uint8_t *p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return b->p + b->n;
}

void buf_add(struct buf *b, const void *p, size_t n) {
    if (n == 0) return;
    uint8_t *to = buf_room(b, n);
    if (!to) return;
    memcpy(to, p, n);
    b->n += n;
}

void buf_span(struct buf *b, struct span s) {
    buf_add(b, s.p, s.n);
}

void buf_str(struct buf *b, const char *s) {
    buf_add(b, s, strlen(s));
}

void buf_byte(struct buf *b, uint8_t c) {
    buf_add(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t v) {
    char t[20], *p = t + sizeof t;
    do *--p = (char)('0' + v % 10);
    while (v /= 10);
    buf_add(b, p, (size_t)(t + sizeof t - p));
}

void buf_u64_grouped(struct buf *b, uint64_t v) {
    char digits[32];
    int n = 0;
    do digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n-- > 0) {
        buf_byte(b, (uint8_t)digits[n]);
        if (n && n % 3 == 0) buf_byte(b, ',');
    }
}

void buf_hex(struct buf *b, struct span s) {
    uint8_t *to = buf_room(b, s.n * 2 + 1);
    if (!to) return;
    hex_encode(s, (char *)to);
    b->n += s.n * 2;
}

void buf_base64(struct buf *b, struct span s) {
    uint8_t *to = buf_room(b, BASE64_LEN(s.n) + 1);
    if (!to) return;
    base64_encode(s, (char *)to);
    b->n += BASE64_LEN(s.n);
}

void buf_printf(struct buf *b, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    uint8_t *to = n < 0 ? NULL : buf_room(b, (size_t)n + 1);
    if (to) {
        (void)vsnprintf((char *)to, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    } else {
        b->failed = true;
    }
    va_end(again);
}

err buf_ok(const struct buf *b, struct fail *f) {
    if (!b->failed) return OK;
    return fail_set(f, E_MEMORY, "what is written here grows past its limit of %zu bytes", b->max);
}

const char *buf_cstr(struct buf *b) {
    if (b->failed) return "";
    if (b->n == b->cap) {
        uint8_t *p = realloc(b->p, b->cap + 1);
        if (!p) return "";
        b->p = p;
        b->cap++;
    }
    b->p[b->n] = 0;
    return (const char *)b->p;
}

void hex_encode(struct span s, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < s.n; i++) {
        out[2 * i] = digits[s.p[i] >> 4];
        out[2 * i + 1] = digits[s.p[i] & 15];
    }
    out[2 * s.n] = 0;
}

static const uint8_t hex_values[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
}; /* value + 1, so that 0 means "no digit" */

err hex_decode(struct span s, uint8_t *out, size_t n, struct fail *f) {
    if (s.n != 2 * n)
        return fail_set(f, E_HEX, "expected %zu lowercase hex digits, found %zu characters", 2 * n,
                        s.n);
    for (size_t i = 0; i < n; i++) {
        unsigned a = hex_values[s.p[2 * i]], b = hex_values[s.p[2 * i + 1]];
        if (a == 0 || b == 0)
            return fail_set(f, E_HEX, "character %zu is not a lowercase hex digit", 2 * i + 1);
        out[i] = (uint8_t)((a - 1) << 4 | (b - 1));
    }
    return OK;
}

void base64_encode(struct span s, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i = 0;
    for (; i + 3 <= s.n; i += 3) {
        uint32_t v = (uint32_t)s.p[i] << 16 | (uint32_t)s.p[i + 1] << 8 | s.p[i + 2];
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = digits[v >> 6 & 63];
        *out++ = digits[v & 63];
    }
    if (i < s.n) {
        bool two = i + 1 < s.n;
        uint32_t v = (uint32_t)s.p[i] << 16 | (two ? (uint32_t)s.p[i + 1] << 8 : 0);
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = two ? digits[v >> 6 & 63] : '=';
        *out++ = '=';
    }
    *out = 0;
}

static const uint8_t base64_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
    ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
    ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
    ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
    ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
    ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
    ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
    ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
    ['/'] = 64}; /* value + 1, so that 0 means "no digit" */

err base64_decode(struct span s, uint8_t *out, size_t max, size_t *n, struct fail *f) {
    if (s.n % 4) return fail_set(f, E_BASE64, "base64 of %zu characters is not padded", s.n);
    size_t pad = 0;
    while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=') pad++;
    size_t len = s.n / 4 * 3 - pad;
    if (len > max) return fail_set(f, E_BASE64, "base64 of %zu bytes where %zu fit", len, max);
    size_t o = 0, i = 0;
    for (; i + 4 < s.n; i += 4) { /* all groups but the last: no padding */
        uint32_t a = base64_values[s.p[i]], b = base64_values[s.p[i + 1]];
        uint32_t c = base64_values[s.p[i + 2]], d = base64_values[s.p[i + 3]];
        if (!(a && b && c && d)) break; /* said below */
        uint32_t v = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
        out[o++] = (uint8_t)(v >> 16);
        out[o++] = (uint8_t)(v >> 8);
        out[o++] = (uint8_t)v;
    }
    for (; i < s.n; i += 4) {
        bool last = i + 4 == s.n;
        uint32_t v = 0;
        for (size_t j = 0; j < 4; j++) {
            bool is_pad = last && j >= 4 - pad;
            int d = is_pad ? 1 : base64_values[s.p[i + j]];
            if (d == 0) return fail_set(f, E_BASE64, "character %zu is not base64", i + j + 1);
            v = v << 6 | (uint32_t)(d - 1);
        }
        size_t bytes = last ? 3 - pad : 3;
        /* unused low bits must be zero: one value, one spelling */
        if (last && pad && (v & (pad == 1 ? 0xffu : 0xffffu)))
            return fail_set(f, E_BASE64, "base64 with stray bits at its end");
        for (size_t j = 0; j < bytes; j++) out[o++] = (uint8_t)(v >> (16 - 8 * j));
    }
    *n = o;
    return OK;
}

bool base64_check(struct span s, size_t *n) {
    uint8_t piece[48];
    *n = 0;
    while (s.n) {
        size_t got = 0, step = s.n > 64 ? 64 : s.n;
        if (base64_decode((struct span){s.p, step}, piece, sizeof piece, &got, NULL) != OK)
            return false;
        if (step < s.n && got != sizeof piece) return false; /* padding inside */
        *n += got;
        s = span_from(s, step);
    }
    return true;
}
