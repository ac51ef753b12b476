/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <jpeglib.h>
#include <jerror.h>
#include "paper/image.h"

/* The library reports errors by a callback that must not return. */
struct trap {
    struct jpeg_error_mgr mgr;
    jmp_buf back;
    char text[JMSG_LENGTH_MAX];
    int scans;
};

static void on_error(j_common_ptr c) {
    struct trap *t = (struct trap *)(void *)c->err;
    c->err->format_message(c, t->text);
    longjmp(t->back, 1);
}

/* Warnings: stray bytes between markers are common and harmless; anything else means that pixels
 * are missing or guessed, and a guessed digit is worse than none. */
static void on_message(j_common_ptr c, int level) {
    if (level >= 0 || c->err->msg_code == JWRN_EXTRANEOUS_DATA ||
        c->err->msg_code == JWRN_ADOBE_XFORM)
        return;
    on_error(c);
}

static void on_progress(j_common_ptr c) {
    const j_decompress_ptr d = (j_decompress_ptr)c;
    if (d->input_scan_number > 100) { /* a progressive file may ask for any number of passes */
        struct trap *t = (struct trap *)(void *)c->err;
        snprintf(t->text, sizeof t->text, "more than 100 scans");
        longjmp(t->back, 1);
    }
}

static err failed(const struct trap *t, struct fail *f) {
    return fail_set(f, E_IMAGE, "the JPEG is damaged (%.150s): photograph or scan the form again",
                    t->text);
}

static void trap_set(struct jpeg_error_mgr **where, struct trap *t) {
    *where = jpeg_std_error(&t->mgr);
    t->mgr.error_exit = on_error;
    t->mgr.emit_message = on_message;
}

/* Reads the header and checks the size it announces. */
static err open_file(struct jpeg_decompress_struct *d, struct jpeg_progress_mgr *p,
                     struct span file, struct fail *f) {
    jpeg_create_decompress(d);
    p->progress_monitor = on_progress;
    d->progress = p;
    jpeg_mem_src(d, file.p, (unsigned long)file.n);
    (void)jpeg_read_header(d, TRUE);
    const uint64_t pixels = (uint64_t)d->image_width * d->image_height;
    const uint64_t most = d->progressive_mode ? RASTER_PIXELS_MAX / 2 : RASTER_PIXELS_MAX;
    if (d->image_width > RASTER_SIDE_MAX || d->image_height > RASTER_SIDE_MAX || pixels > most)
        return fail_set(f, E_TOO_LARGE, "a JPEG of %u x %u pixels is refused: at most %d a side",
                        d->image_width, d->image_height, RASTER_SIDE_MAX);
    return OK;
}

static void choose_scale(struct jpeg_decompress_struct *d, int side_wanted) {
    const unsigned longer = d->image_width > d->image_height ? d->image_width : d->image_height;
    d->scale_num = d->scale_denom = 8;
    while (side_wanted > 0 && d->scale_num > 1 &&
           (uint64_t)longer * (d->scale_num - 1) / 8 >= (uint64_t)side_wanted)
        d->scale_num--;
}

err jpeg_decode(struct span file, int side_wanted, struct raster *out, double *shrink,
                struct fail *f) {
    struct jpeg_decompress_struct d;
    struct jpeg_progress_mgr p = {0};
    struct trap t = {0};
    struct raster *volatile r = out;
    *out = (struct raster){0};
    memset(&d, 0, sizeof d);
    trap_set(&d.err, &t);
    if (setjmp(t.back)) {
        jpeg_destroy_decompress(&d);
        raster_release(r);
        return failed(&t, f);
    }
    err e = open_file(&d, &p, file, f);
    if (e == OK) {
        choose_scale(&d, side_wanted);
        if (d.jpeg_color_space == JCS_CMYK || d.jpeg_color_space == JCS_YCCK) {
            jpeg_destroy_decompress(&d);
            return fail_set(f, E_IMAGE, "a JPEG in printing colours (CMYK) is not read");
        }
        d.out_color_space = JCS_GRAYSCALE;
        d.dct_method = JDCT_ISLOW;
        (void)jpeg_start_decompress(&d);
        e = raster_init(r, (int)d.output_width, (int)d.output_height, f);
        *shrink = (double)d.image_width / d.output_width;
        while (e == OK && d.output_scanline < d.output_height) {
            JSAMPROW row = r->p + (size_t)d.output_scanline * (size_t)r->w;
            (void)jpeg_read_scanlines(&d, &row, 1);
        }
        if (e == OK) (void)jpeg_finish_decompress(&d);
    }
    jpeg_destroy_decompress(&d);
    return e;
}

/* libjpeg's own memory destination grows without a bound of ours: the pieces go into the buf. */
struct destination {
    struct jpeg_destination_mgr mgr;
    struct buf *out;
    uint8_t piece[1 << 14];
};

static void dest_begin(j_compress_ptr c) {
    struct destination *d = (struct destination *)(void *)c->dest;
    d->mgr.next_output_byte = d->piece;
    d->mgr.free_in_buffer = sizeof d->piece;
}

static boolean dest_full(j_compress_ptr c) {
    struct destination *d = (struct destination *)(void *)c->dest;
    buf_add(d->out, d->piece, sizeof d->piece);
    dest_begin(c);
    return TRUE;
}

static void dest_end(j_compress_ptr c) {
    struct destination *d = (struct destination *)(void *)c->dest;
    buf_add(d->out, d->piece, sizeof d->piece - d->mgr.free_in_buffer);
}

static void begin_writing(struct jpeg_compress_struct *c, struct destination *d, int w, int h,
                          int channels, int quality) {
    jpeg_create_compress(c);
    d->mgr.init_destination = dest_begin;
    d->mgr.empty_output_buffer = dest_full;
    d->mgr.term_destination = dest_end;
    c->dest = &d->mgr;
    c->image_width = (JDIMENSION)w;
    c->image_height = (JDIMENSION)h;
    c->input_components = channels;
    c->in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(c);
    jpeg_set_quality(c, quality, TRUE);
    jpeg_start_compress(c, TRUE);
}

err jpeg_write(const uint8_t *pixels, int w, int h, int channels, int quality, struct buf *out,
               struct fail *f) {
    struct jpeg_compress_struct c;
    struct destination *d = malloc(sizeof *d);
    struct trap t = {0};
    if (!d) return fail_set(f, E_MEMORY, "no memory for a JPEG");
    d->out = out;
    memset(&c, 0, sizeof c);
    trap_set(&c.err, &t);
    if (setjmp(t.back)) {
        jpeg_destroy_compress(&c);
        free(d);
        return fail_set(f, E_INTERNAL, "a JPEG cannot be written: %.150s", t.text);
    }
    begin_writing(&c, d, w, h, channels, quality);
    while (c.next_scanline < c.image_height) {
        JSAMPROW row =
            (JSAMPROW)(uintptr_t)(pixels + (size_t)c.next_scanline * (size_t)w * (size_t)channels);
        (void)jpeg_write_scanlines(&c, &row, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    free(d);
    return buf_ok(out, f);
}

static void mask_row(uint8_t *row, int y, int w, const struct image_rect *rects, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct image_rect *r = &rects[i];
        if (y < r->y || (int64_t)y >= (int64_t)r->y + r->h) continue;
        for (int64_t x = r->x < 0 ? 0 : r->x; x < w && x < (int64_t)r->x + r->w; x++)
            memset(row + 3 * x, 96, 3);
    }
}

err jpeg_mask(struct span file, const struct image_rect *rects, size_t n, struct buf *out,
              struct fail *f) {
    struct jpeg_decompress_struct d;
    struct jpeg_compress_struct c;
    struct jpeg_progress_mgr p = {0};
    struct trap t = {0};
    struct destination *dest = malloc(sizeof *dest);
    uint8_t *volatile row = NULL;
    if (!dest) return fail_set(f, E_MEMORY, "no memory for a JPEG");
    dest->out = out;
    memset(&d, 0, sizeof d);
    memset(&c, 0, sizeof c);
    trap_set(&d.err, &t);
    c.err = d.err;
    if (setjmp(t.back)) {
        jpeg_destroy_decompress(&d);
        jpeg_destroy_compress(&c);
        free(row);
        free(dest);
        return failed(&t, f);
    }
    err e = open_file(&d, &p, file, f);
    if (e == OK) e = image_rects_check(rects, n, (int)d.image_width, (int)d.image_height, f);
    if (e == OK) {
        d.out_color_space = JCS_RGB;
        (void)jpeg_start_decompress(&d);
        row = malloc((size_t)d.output_width * 3);
        if (!row) e = fail_set(f, E_MEMORY, "no memory for a row");
    }
    if (e == OK) {
        begin_writing(&c, dest, (int)d.output_width, (int)d.output_height, 3, 90);
        while (d.output_scanline < d.output_height) {
            JSAMPROW at = row;
            const int y = (int)d.output_scanline;
            (void)jpeg_read_scanlines(&d, &at, 1);
            mask_row(row, y, (int)d.output_width, rects, n);
            (void)jpeg_write_scanlines(&c, &at, 1);
        }
        (void)jpeg_finish_decompress(&d);
        jpeg_finish_compress(&c);
        e = buf_ok(out, f);
    }
    jpeg_destroy_decompress(&d);
    jpeg_destroy_compress(&c);
    free(row);
    free(dest);
    return e;
}
