/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Bytes: borrowed spans, growing buffers with a maximum, hexadecimal and base64.
 *
 * A span borrows: it is valid as long as what it points into. A buf owns its memory. Base64 is the
 * standard alphabet with padding (RFC 4648 section 4); only canonical encodings are read. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/err.h"

struct span {
    const uint8_t *p;
    size_t n;
};

/* n GiB; where a size has 32 bits (in a browser), all that it can say. */
#define GIB(n) ((size_t)((uint64_t)(n) << 30 > SIZE_MAX ? SIZE_MAX : (uint64_t)(n) << 30))

#define SPAN_LIT(s) ((struct span){(const uint8_t *)(s), sizeof(s) - 1})
static inline struct span span_of(const void *p, size_t n) {
    return (struct span){(const uint8_t *)p, n};
}
static inline struct span span_text(const char *s) {
    return (struct span){(const uint8_t *)s, strlen(s)};
}
static inline bool span_eq(struct span a, struct span b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool span_is(struct span a, const char *s) {
    return span_eq(a, span_text(s));
}
/* Bytewise order; a prefix comes first. <0, 0, >0. */
int span_cmp(struct span a, struct span b);
static inline bool span_starts(struct span a, struct span prefix) {
    return a.n >= prefix.n && (prefix.n == 0 || memcmp(a.p, prefix.p, prefix.n) == 0);
}
/* The part from `from` (clamped to the end). */
static inline struct span span_from(struct span a, size_t from) {
    if (from > a.n) from = a.n;
    return (struct span){a.n ? a.p + from : a.p, a.n - from};
}
/* Splits at the first '\n': *line gets what stands before it, *rest what follows. False when there
 * is no '\n' left. */
bool span_line(struct span *rest, struct span *line);

/* %.*s for spans in messages: SPAN_ARG(s) cuts at 80 bytes. */
#define SPAN_ARG(s) (int)((s).n > 80 ? 80 : (s).n), (const char *)(s).p

/* A growing buffer that never exceeds `max` bytes. Once an append does not fit, `failed` stays set
 * and further appends do nothing: check once, at the end, with buf_ok. */
struct buf {
    uint8_t *p;
    size_t n, cap, max;
    bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
static inline void buf_clear(struct buf *b) {
    b->n = 0;
    b->failed = false;
}
/* Room for n more bytes at b->p + b->n, or NULL; advance b->n yourself. */
uint8_t *buf_room(struct buf *b, size_t n);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_span(struct buf *b, struct span s);
void buf_str(struct buf *b, const char *s);
void buf_byte(struct buf *b, uint8_t c);
void buf_u64(struct buf *b, uint64_t v); /* decimal */
void buf_u64_grouped(struct buf *b, uint64_t v); /* for people: 1,234,567 */
void buf_hex(struct buf *b, struct span s);
void buf_base64(struct buf *b, struct span s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* OK, or E_MEMORY with a sentence when something did not fit. */
MUST_USE err buf_ok(const struct buf *b, struct fail *f);
static inline struct span buf_view(const struct buf *b) {
    return (struct span){b->p, b->n};
}
/* NUL-terminated view (the NUL is not counted); "" when it failed. Valid until the next append. */
const char *buf_cstr(struct buf *b);

/* `out` has room for 2*n + 1 characters (with the NUL). */
void hex_encode(struct span s, char *out);
/* Exactly `n` bytes from 2*n lowercase digits. */
MUST_USE err hex_decode(struct span s, uint8_t *out, size_t n, struct fail *f);

#define BASE64_LEN(n) (((n) + 2) / 3 * 4)
/* `out` has room for BASE64_LEN(n) + 1 characters (with the NUL). */
void base64_encode(struct span s, char *out);
/* Canonical base64 into out[0..max); *n gets the length. */
MUST_USE err base64_decode(struct span s, uint8_t *out, size_t max, size_t *n, struct fail *f);
/* The same of any length without keeping the bytes: whether it is canonical, and *n how many. */
bool base64_check(struct span s, size_t *n);

static inline void put_u16be(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline uint16_t get_u16be(const uint8_t *p) {
    return (uint16_t)((uint16_t)(p[0] << 8) | p[1]);
}
static inline void put_u32be(uint8_t *p, uint32_t v) {
    put_u16be(p, (uint16_t)(v >> 16));
    put_u16be(p + 2, (uint16_t)v);
}
static inline uint32_t get_u32be(const uint8_t *p) {
    return ((uint32_t)get_u16be(p) << 16) | get_u16be(p + 2);
}
static inline void put_u64be(uint8_t *p, uint64_t v) {
    put_u32be(p, (uint32_t)(v >> 32));
    put_u32be(p + 4, (uint32_t)v);
}
static inline uint64_t get_u64be(const uint8_t *p) {
    return ((uint64_t)get_u32be(p) << 32) | get_u32be(p + 4);
}

#endif
