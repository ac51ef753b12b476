/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/form_code.h"

#include <inttypes.h>
#include <stdio.h>
#include "base/text.h"

#define SERIAL_MAX (((uint64_t)1 << 34) - 1)

static bool all_of(const char *s, size_t max, const char *allowed) {
    const size_t n = strlen(s);
    return n >= 1 && n <= max && strspn(s, allowed) == n;
}

err form_code_check(const struct form_code *c, struct fail *f) {
    if (!all_of(c->form, sizeof c->form - 1, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        return fail_set(f, E_FIELD, "a form's code is 1 to 4 capital letters and digits");
    if (!all_of(c->station, sizeof c->station - 1, "0123456789"))
        return fail_set(f, E_FIELD, "a printed form needs a station code of 1 to 18 digits");
    if (c->contest[0]
            ? !all_of(c->contest, sizeof c->contest - 1, "abcdefghijklmnopqrstuvwxyz0123456789._-")
            : c->contest_number == 0)
        return fail_set(f, E_FIELD, "a contest's id is 1 to 24 of a-z 0-9 . _ -");
    if (c->contest_number > 65535)
        return fail_set(f, E_FIELD, "a contest's number is at most 65535");
    if (c->serial > SERIAL_MAX)
        return fail_set(f, E_FIELD, "a serial number is at most %" PRIu64, (uint64_t)SERIAL_MAX);
    if (c->shape.choices < 1 || c->shape.choices > FORM_CHOICES_MAX || c->shape.boxes < 1 ||
        c->shape.boxes > FORM_BOXES_MAX)
        return fail_set(f, E_FIELD, "a form has 1 to %d choices and 1 to %d boxes a figure",
                        FORM_CHOICES_MAX, FORM_BOXES_MAX);
    if (c->pages != form_page_count(c->shape) || c->page < 1 || c->page > c->pages)
        return fail_set(f, E_FIELD, "page %u of %u is none of a form with %u choices", c->page,
                        c->pages, c->shape.choices);
    return OK;
}

/* ISO 7064 MOD 97-10 with the bytes as digits of base 256. */
static unsigned check_digits(struct span s) {
    unsigned m = 0;
    for (size_t i = 0; i < s.n; i++) m = (m * 256 + s.p[i]) % 97;
    return 98 - m * 100 % 97;
}

err form_code_text(const struct form_code *c, char *out, struct fail *f) {
    TRY(form_code_check(c, f));
    if (!c->contest[0]) return fail_set(f, E_FIELD, "the printed code needs the contest's id");
    int n = snprintf(out, CODE_TEXT_MAX, "HESABU/1 %s %s %s %010" PRIu64 " %u/%u %ux%u", c->form,
                     c->station, c->contest, c->serial, c->page, c->pages, c->shape.choices,
                     c->shape.boxes);
    if (n < 0 || n + 4 > CODE_TEXT_MAX) return fail_set(f, E_FIELD, "the printed code is too long");
    (void)snprintf(out + n, (size_t)(CODE_TEXT_MAX - n), " %02u",
                   check_digits(span_of(out, (size_t)n)));
    return OK;
}

/* The next part up to a blank (or the end), at most max - 1 bytes, NUL-terminated. */
static bool take(struct span *rest, char *out, size_t max) {
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ') n++;
    if (n == 0 || n >= max) return false;
    memcpy(out, rest->p, n);
    out[n] = 0;
    *rest = span_from(*rest, n + 1);
    return strlen(out) == n;
}

/* "<a><by><b>" in small numbers without leading zeros. */
static bool take_pair(struct span *rest, char by, unsigned *a, unsigned *b) {
    char t[8];
    if (!take(rest, t, sizeof t)) return false;
    const char *mid = strchr(t, by);
    uint64_t va, vb;
    if (!mid || u64_parse(span_of(t, (size_t)(mid - t)), 999, &va, NULL) != OK ||
        u64_parse(span_text(mid + 1), 999, &vb, NULL) != OK)
        return false;
    *a = (unsigned)va;
    *b = (unsigned)vb;
    return true;
}

err form_code_parse(struct span text, struct form_code *out, struct fail *f) {
    memset(out, 0, sizeof *out);
    if (text.n >= CODE_TEXT_MAX || !span_starts(text, SPAN_LIT("HESABU/1 ")))
        return fail_set(f, E_FIELD, "not the code of a form of this system");
    struct span rest = span_from(text, 9);
    char serial[11];
    if (!take(&rest, out->form, sizeof out->form) ||
        !take(&rest, out->station, sizeof out->station) ||
        !take(&rest, out->contest, sizeof out->contest) || !take(&rest, serial, sizeof serial) ||
        !take_pair(&rest, '/', &out->page, &out->pages) ||
        !take_pair(&rest, 'x', &out->shape.choices, &out->shape.boxes) || strlen(serial) != 10 ||
        !all_of(serial, 10, "0123456789"))
        return fail_set(f, E_FIELD, "the form's code lacks a part: \"%.*s\"", SPAN_ARG(text));
    for (const char *p = serial; *p; p++) out->serial = out->serial * 10 + (uint64_t)(*p - '0');
    TRY(form_code_check(out, f));
    char again[CODE_TEXT_MAX];
    TRY(form_code_text(out, again, f));
    if (!span_eq(span_text(again), text))
        return fail_set(f, E_PAPER_CHECK, "wrong check digits in the form's code \"%.*s\"",
                        SPAN_ARG(text));
    return OK;
}

struct bit_writer {
    uint8_t *p;
    unsigned at;
};

static void put_bits(struct bit_writer *w, uint64_t v, unsigned n) {
    for (unsigned i = n; i-- > 0; w->at++)
        if (v >> i & 1) w->p[w->at / 8] |= (uint8_t)(0x80u >> (w->at % 8));
}

static uint64_t get_bits(const uint8_t *p, unsigned *at, unsigned n) {
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++, (*at)++) v = v << 1 | (p[*at / 8] >> (7 - *at % 8) & 1);
    return v;
}

/* CRC-32 (ISO-HDLC: polynomial 0x04C11DB7 reflected, as in PNG). */
static uint32_t crc32_of(const uint8_t *p, size_t n) {
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
    }
    return ~c;
}

/* 6-bit letters of a form's code; 0 ends it. */
static const char strip_letters[] = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/* Alternating cells at every 8th byte would cost room; instead the payload is whitened, so that
 * long runs of one colour (which hide a slipped column) do not occur. */
static const uint8_t whitening[20] = {0xa5, 0x3c, 0x96, 0x5a, 0xc3, 0x69, 0xb4, 0x4b, 0xd2, 0x2d,
                                      0xe1, 0x1e, 0x5c, 0xa3, 0x93, 0x6c, 0x95, 0x6a, 0xca, 0x35};

err form_strip_pack(const struct form_code *c, uint8_t out[CODE_STRIP_BYTES], struct fail *f) {
    TRY(form_code_check(c, f));
    if (c->contest_number == 0)
        return fail_set(f, E_FIELD, "the code strip needs the contest's number");
    memset(out, 0, CODE_STRIP_BYTES);
    struct bit_writer w = {out, 0};
    uint64_t station = 0;
    for (const char *p = c->station; *p; p++) station = station * 10 + (uint64_t)(*p - '0');
    put_bits(&w, 1, 4);
    const size_t len = strlen(c->form);
    for (size_t i = 0; i < 4; i++)
        put_bits(&w, i < len ? (uint64_t)(strchr(strip_letters, c->form[i]) - strip_letters) : 0,
                 6);
    put_bits(&w, strlen(c->station), 5);
    put_bits(&w, station, 60);
    put_bits(&w, c->contest_number, 16);
    put_bits(&w, c->serial, 34);
    put_bits(&w, c->page, 4);
    put_bits(&w, c->pages, 4);
    put_bits(&w, c->shape.choices, 6);
    put_bits(&w, c->shape.boxes, 3);
    const uint32_t crc = crc32_of(out, sizeof whitening);
    for (size_t i = 0; i < sizeof whitening; i++) out[i] ^= whitening[i];
    put_u32be(out + sizeof whitening, crc);
    return OK;
}

err form_strip_unpack(const uint8_t in[CODE_STRIP_BYTES], struct form_code *out, struct fail *f) {
    uint8_t plain[sizeof whitening];
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < sizeof plain; i++) plain[i] = in[i] ^ whitening[i];
    if (crc32_of(plain, sizeof plain) != get_u32be(in + sizeof plain))
        return fail_set(f, E_PAPER_CHECK, "the code strip cannot be read: its check sum is wrong");
    unsigned at = 0;
    if (get_bits(plain, &at, 4) != 1)
        return fail_set(f, E_FIELD, "the code strip is of another version");
    for (unsigned i = 0; i < 4; i++) {
        const uint64_t v = get_bits(plain, &at, 6);
        if (v >= sizeof strip_letters - 1)
            return fail_set(f, E_FIELD, "the code strip names no form");
        if (v && i && !out->form[i - 1])
            return fail_set(f, E_FIELD, "the code strip's form has a gap");
        out->form[i] = v ? strip_letters[v] : 0;
    }
    const uint64_t digits = get_bits(plain, &at, 5), station = get_bits(plain, &at, 60);
    if (digits < 1 || digits > 18)
        return fail_set(f, E_FIELD, "the code strip's station code has %u digits",
                        (unsigned)digits);
    char text[24];
    (void)snprintf(text, sizeof text, "%0*" PRIu64, (int)digits, station);
    if (strlen(text) != digits) return fail_set(f, E_FIELD, "the code strip's station is damaged");
    memcpy(out->station, text, digits + 1);
    out->contest_number = (unsigned)get_bits(plain, &at, 16);
    out->serial = get_bits(plain, &at, 34);
    out->page = (unsigned)get_bits(plain, &at, 4);
    out->pages = (unsigned)get_bits(plain, &at, 4);
    out->shape.choices = (unsigned)get_bits(plain, &at, 6);
    out->shape.boxes = (unsigned)get_bits(plain, &at, 3);
    return form_code_check(out, f);
}

bool form_code_same(const struct form_code *a, const struct form_code *b) {
    if (a->contest[0] && b->contest[0] && strcmp(a->contest, b->contest) != 0) return false;
    if (a->contest_number && b->contest_number && a->contest_number != b->contest_number)
        return false;
    return strcmp(a->form, b->form) == 0 && strcmp(a->station, b->station) == 0 &&
           a->serial == b->serial && a->page == b->page && a->pages == b->pages &&
           a->shape.choices == b->shape.choices && a->shape.boxes == b->shape.boxes;
}
