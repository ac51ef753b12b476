/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "service/metadata.h"

static const uint8_t PNG_MAGIC[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

enum image_format metadata_format(struct span b) {
    if (b.n >= 8 && memcmp(b.p, PNG_MAGIC, 8) == 0) return FORMAT_PNG;
    if (b.n >= 3 && b.p[0] == 0xff && b.p[1] == 0xd8 && b.p[2] == 0xff) return FORMAT_JPEG;
    if (span_starts(b, SPAN_LIT("%PDF-"))) return FORMAT_PDF;
    return FORMAT_UNKNOWN;
}

static void drop(struct metadata_removed *r, size_t n) {
    r->parts++;
    r->bytes += n;
}

/* --- TIFF inside: the one value that changes what people see --- */

static unsigned get16(struct span t, size_t at, bool little) {
    if (at + 2 > t.n) return 0;
    return little ? (unsigned)(t.p[at] | t.p[at + 1] << 8) : get_u16be(t.p + at);
}

static size_t get32(struct span t, size_t at, bool little) {
    unsigned a = get16(t, at, little), b = get16(t, at + 2, little);
    return little ? (size_t)b << 16 | a : (size_t)a << 16 | b;
}

/* Tag 0x0112 of the first directory (TIFF 6.0, section 8; EXIF 2.3, 4.6.4). */
static unsigned orientation(struct span tiff) {
    bool little = tiff.n > 8 && tiff.p[0] == 'I';
    size_t dir = get32(tiff, 4, little);
    if (tiff.n < 14 || dir > tiff.n - 2) return 0;
    unsigned entries = get16(tiff, dir, little);
    for (unsigned i = 0; i < entries; i++) {
        size_t at = dir + 2 + (size_t)i * 12;
        if (at + 12 > tiff.n) return 0;
        if (get16(tiff, at, little) != 0x0112) continue;
        unsigned v = get16(tiff, at + 8, little);
        return v >= 2 && v <= 8 ? v : 0;
    }
    return 0;
}

/* --- PNG --- */

static uint32_t crc32_of(struct span s) {
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < s.n; i++) {
        c ^= s.p[i];
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (0xedb88320u & (0u - (c & 1)));
    }
    return ~c;
}

/* What draws the picture, and nothing that could carry words. */
static bool png_keeps(const uint8_t *type, size_t length) {
    static const struct {
        const char *type;
        size_t most;
    } kept[] = {{"IHDR", 13}, {"PLTE", 768}, {"IDAT", SIZE_MAX}, {"IEND", 0}, {"tRNS", 256},
                {"gAMA", 4},  {"cHRM", 32},  {"sRGB", 1},        {"sBIT", 4}, {"pHYs", 9}};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (memcmp(type, kept[i].type, 4) == 0) return length <= kept[i].most;
    return false;
}

static err strip_png(struct span in, struct buf *out, struct metadata_removed *r, struct fail *f) {
    size_t at = 8;
    bool first = true;
    buf_add(out, PNG_MAGIC, 8);
    for (;;) {
        if (in.n - at < 12) return fail_set(f, E_IMAGE, "the PNG file is cut short");
        size_t length = get_u32be(in.p + at);
        const uint8_t *type = in.p + at + 4;
        if (length > in.n - at - 12) return fail_set(f, E_IMAGE, "the PNG file is cut short");
        struct span chunk = span_of(in.p + at, length + 12);
        if (get_u32be(chunk.p + length + 8) != crc32_of(span_of(type, length + 4)))
            return fail_set(f, E_IMAGE, "the PNG file is damaged: a chunk's checksum is wrong");
        if (first != (memcmp(type, "IHDR", 4) == 0))
            return fail_set(f, E_IMAGE, "a PNG file begins with one header");
        first = false;
        bool keep = png_keeps(type, length);
        if (!keep && (type[0] & 0x20) == 0)
            return fail_set(f, E_IMAGE, "the PNG file needs a part (%.4s) that is not understood here; "
                                        "save it as a plain PNG",
                            (const char *)type);
        if (memcmp(type, "eXIf", 4) == 0) r->turned = orientation(span_of(type + 4, length));
        if (keep)
            buf_span(out, chunk);
        else
            drop(r, chunk.n);
        at += chunk.n;
        if (memcmp(type, "IEND", 4) == 0) break;
    }
    if (at < in.n) drop(r, in.n - at); /* bytes after the end */
    return buf_ok(out, f);
}

/* --- JPEG --- */

/* JFIF without its preview: version, density, no thumbnail. Adobe's segment tells the colours. */
static void jpeg_application(uint8_t marker, struct span seg, struct buf *out,
                             struct metadata_removed *r) {
    static const uint8_t jfif[] = {'J', 'F', 'I', 'F', 0}, exif[] = {'E', 'x', 'i', 'f', 0, 0};
    struct span data = span_from(seg, 4);
    if (marker == 0xe0 && data.n >= 14 && memcmp(data.p, jfif, 5) == 0) {
        static const uint8_t head[] = {0xff, 0xe0, 0, 16};
        buf_add(out, head, 4);
        buf_add(out, data.p, 12);
        buf_add(out, "\0\0", 2);
        if (data.n > 14 || data.p[12] || data.p[13]) drop(r, data.n - 14);
        return;
    }
    if (marker == 0xee && data.n >= 12 && memcmp(data.p, "Adobe", 5) == 0) {
        static const uint8_t head[] = {0xff, 0xee, 0, 14};
        buf_add(out, head, 4);
        buf_add(out, data.p, 12);
        if (data.n > 12) drop(r, data.n - 12);
        return;
    }
    if (marker == 0xe1 && data.n > 6 && memcmp(data.p, exif, 6) == 0)
        r->turned = orientation(span_from(data, 6));
    drop(r, seg.n);
}

/* Entropy-coded data up to the next marker that is not a restart or a stuffed byte. */
static size_t jpeg_scan(struct span in, size_t at) {
    for (; at + 1 < in.n; at++) {
        uint8_t next = in.p[at + 1];
        if (in.p[at] == 0xff && next != 0 && !(next >= 0xd0 && next <= 0xd7) && next != 0xff) return at;
    }
    return in.n;
}

static err strip_jpeg(struct span in, struct buf *out, struct metadata_removed *r, struct fail *f) {
    static const uint8_t start[] = {0xff, 0xd8};
    size_t at = 2;
    bool scanned = false;
    buf_add(out, start, 2);
    for (;;) {
        size_t fill = at;
        while (at + 1 < in.n && in.p[at] == 0xff && in.p[at + 1] == 0xff) at++;
        if (at > fill) drop(r, at - fill);
        if (in.n < 2 || at > in.n - 2 || in.p[at] != 0xff)
            return fail_set(f, E_IMAGE, "the JPEG file is cut short or damaged at byte %zu", at);
        uint8_t marker = in.p[at + 1];
        if (marker == 0xd9) break;
        if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd8))
            return fail_set(f, E_IMAGE, "the JPEG file is damaged at byte %zu", at);
        size_t length = in.n - at >= 4 ? get_u16be(in.p + at + 2) : 0;
        if (length < 2 || length > in.n - at - 2)
            return fail_set(f, E_IMAGE, "the JPEG file is cut short at byte %zu", at);
        struct span seg = span_of(in.p + at, length + 2);
        at += seg.n;
        if (marker >= 0xe0 && marker <= 0xef)
            jpeg_application(marker, seg, out, r);
        else if (marker == 0xfe || marker >= 0xf0) /* comments; codes without a meaning */
            drop(r, seg.n);
        else
            buf_span(out, seg);
        if (marker != 0xda) continue;
        size_t end = jpeg_scan(in, at);
        buf_add(out, in.p + at, end - at);
        at = end;
        scanned = true;
    }
    if (!scanned) return fail_set(f, E_IMAGE, "the JPEG file holds no picture");
    buf_add(out, in.p + at, 2);
    if (in.n - at > 2) drop(r, in.n - at - 2); /* bytes after the end: often a second picture */
    return buf_ok(out, f);
}

err metadata_strip(struct span bytes, struct buf *out, struct metadata_removed *removed,
                   struct fail *f) {
    *removed = (struct metadata_removed){0};
    switch (metadata_format(bytes)) {
    case FORMAT_PNG: return strip_png(bytes, out, removed, f);
    case FORMAT_JPEG: return strip_jpeg(bytes, out, removed, f);
    case FORMAT_PDF:
        return fail_set(f, E_IMAGE, "a PDF keeps metadata in many places; give a masked PNG or JPEG as "
                                    "--public");
    case FORMAT_UNKNOWN: break;
    }
    return fail_set(f, E_IMAGE, "neither a PNG nor a JPEG file");
}
