/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Pictures without metadata: what stays, what goes, what is refused. The pictures are made here. */
#include "test.h"

#include "service/metadata.h"

static uint32_t crc(const uint8_t *p, size_t n) {
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < 8; k++) {
            uint32_t bit = (c ^ (uint32_t)(p[i] >> k)) & 1;
            c = c >> 1 ^ (bit ? 0xedb88320u : 0);
        }
    return ~c;
}

static void chunk(struct buf *b, const char *type, const void *p, size_t n) {
    uint8_t word[4];
    put_u32be(word, (uint32_t)n);
    buf_add(b, word, 4);
    size_t from = b->n;
    buf_add(b, type, 4);
    if (n) buf_add(b, p, n);
    put_u32be(word, crc(b->p + from, n + 4));
    buf_add(b, word, 4);
}

static const char exif_turned[] = "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";

static void make_png(struct buf *b, bool with) {
    static const uint8_t head[] = {0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0};
    static const uint8_t data[] = {0x78, 0x9c, 0x63, 0, 0, 0, 2, 0, 1};
    buf_add(b, "\x89PNG\r\n\x1a\n", 8);
    chunk(b, "IHDR", head, sizeof head);
    chunk(b, "pHYs", "\0\0\x0b\x13\0\0\x0b\x13\x01", 9);
    if (with) {
        chunk(b, "tEXt", "Comment\0Nyeri, SECRET", 21);
        chunk(b, "eXIf", exif_turned + 6, 26);
        chunk(b, "iCCP", "SECRET profile", 14);
    }
    chunk(b, "IDAT", data, sizeof data);
    if (with) chunk(b, "tIME", "\x07\xe1\x08\x08\x11\0\0", 7);
    chunk(b, "IEND", NULL, 0);
    if (with) buf_str(b, "SECRET after the end");
}

static void segment(struct buf *b, uint8_t marker, const void *p, size_t n) {
    uint8_t head[4] = {0xff, marker};
    put_u16be(head + 2, (uint16_t)(n + 2));
    buf_add(b, head, 4);
    buf_add(b, p, n);
}

/* Two scans, restart markers and stuffed bytes, as in a progressive file. */
static void make_jpeg(struct buf *b, bool with) {
    buf_add(b, "\xff\xd8", 2);
    segment(b, 0xe0, with ? "JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01SEC" : "JFIF\0\x01\x02\0\0\x01\0\x01\0\0",
            with ? 17 : 14);
    if (with) {
        segment(b, 0xe0, "JFXX\0\x10SECRET preview", 20);
        segment(b, 0xe1, exif_turned, 32);
        segment(b, 0xe1, "http://ns.adobe.com/xap/1.0/\0SECRET", 35);
        segment(b, 0xe2, "MPF\0SECRET", 10);
        segment(b, 0xed, "Photoshop 3.0\0SECRET", 20);
        segment(b, 0xfe, "SECRET", 6);
    }
    segment(b, 0xee, "Adobe\0\x64\0\0\0\0\x01", 12);
    segment(b, 0xdb, "table", 5);
    segment(b, 0xc2, "frame", 5);
    segment(b, 0xda, "scan1", 5);
    buf_add(b, "\x12\xff\x00\x34\xff\xd0\x56", 7);
    if (with) segment(b, 0xfe, "SECRET", 6);
    segment(b, 0xda, "scan2", 5);
    buf_add(b, "\x78", 1);
    buf_add(b, "\xff\xd9", 2);
    if (with) buf_str(b, "SECRET after the end");
}

static void only_the_picture_stays(void **state) {
    (void)state;
    void (*const make[])(struct buf *, bool) = {make_png, make_jpeg};
    for (int i = 0; i < 2; i++) {
        struct buf plain, full, out, again;
        struct metadata_removed gone;
        struct fail f;
        buf_init(&plain, 65536);
        buf_init(&full, 65536);
        buf_init(&out, 65536);
        buf_init(&again, 65536);
        make[i](&plain, false);
        make[i](&full, true);
        assert_int_equal(metadata_format(buf_view(&full)), i ? FORMAT_JPEG : FORMAT_PNG);
        must(metadata_strip(buf_view(&full), &out, &gone, &f));
        assert_true(span_eq(buf_view(&out), buf_view(&plain)));
        assert_null(memmem(out.p, out.n, "SEC", 3));
        assert_int_equal(gone.bytes, full.n - plain.n);
        assert_true(gone.parts >= 5);
        assert_int_equal(gone.turned, 6);
        must(metadata_strip(buf_view(&out), &again, &gone, &f));
        assert_true(span_eq(buf_view(&out), buf_view(&again)));
        assert_int_equal(gone.parts, 0);
        buf_release(&plain);
        buf_release(&full);
        buf_release(&out);
        buf_release(&again);
    }
}

static void damage_is_refused(void **state) {
    (void)state;
    struct buf b, out;
    struct metadata_removed gone;
    struct fail f;
    buf_init(&b, 65536);
    buf_init(&out, 1 << 20);
    make_png(&b, true);
    size_t picture = b.n - strlen("SECRET after the end");
    for (size_t n = 8; n < picture; n++) {
        buf_clear(&out);
        refuses(E_IMAGE, metadata_strip(span_of(b.p, n), &out, &gone, &f));
    }
    b.p[20] ^= 1; /* in the header: its checksum tells */
    refuses(E_IMAGE, metadata_strip(buf_view(&b), &out, &gone, &f));
    buf_clear(&b);
    make_jpeg(&b, true);
    picture = b.n - strlen("SECRET after the end");
    for (size_t n = 3; n < picture; n++) {
        buf_clear(&out);
        refuses(E_IMAGE, metadata_strip(span_of(b.p, n), &out, &gone, &f));
    }
    refuses(E_IMAGE, metadata_strip(SPAN_LIT("\xff\xd8\xff\xd9"), &out, &gone, &f));
    refuses(E_IMAGE, metadata_strip(SPAN_LIT("%PDF-1.7"), &out, &gone, &f));
    refuses(E_IMAGE, metadata_strip(SPAN_LIT("GIF89a"), &out, &gone, &f));
    refuses(E_IMAGE, metadata_strip(SPAN_LIT(""), &out, &gone, &f));
    buf_release(&b);
    buf_release(&out);
}

/* A part that the picture needs and that is not understood is not silently dropped. */
static void an_unknown_needed_part_is_refused(void **state) {
    (void)state;
    static const uint8_t head[] = {0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0};
    struct buf b, out;
    struct metadata_removed gone;
    struct fail f;
    buf_init(&b, 65536);
    buf_init(&out, 65536);
    buf_add(&b, "\x89PNG\r\n\x1a\n", 8);
    chunk(&b, "IHDR", head, sizeof head);
    chunk(&b, "CgBI", "x", 1);
    chunk(&b, "IEND", NULL, 0);
    refuses(E_IMAGE, metadata_strip(buf_view(&b), &out, &gone, &f));
    buf_release(&b);
    buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_picture_stays),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(an_unknown_needed_part_is_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
