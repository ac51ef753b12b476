/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/canvas.h"

#include <cairo/cairo-pdf.h>
#include <cairo/cairo.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdlib.h>
#include "paper/qr.h"

#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_CHECKED 1
#endif
#endif
#ifdef LEAKS_CHECKED
/* fontconfig and pango keep their caches until the process ends */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libfontconfig\nleak:libpango\n";
}
#endif

#define POINTS_PER_MM (72 / 25.4)

enum { SHARED_MAX = 16 }; /* drawings kept; the oldest makes room */

struct canvas {
    cairo_surface_t *surface;
    cairo_t *cr;
    PangoLayout *layout;
    canvas_sink *sink;
    void *ctx;
    bool stopped, lying;
    uint64_t pages;
    struct {
        struct hash key;
        cairo_surface_t *drawing;
    } shared[SHARED_MAX];
    size_t shared_count; /* ever made */
    cairo_t *page;       /* while a shared drawing is made: where it goes afterwards */
};

static cairo_status_t write_piece(void *closure, const unsigned char *p, unsigned n) {
    struct canvas *c = closure;
    if (!c->stopped && !c->sink(c->ctx, span_of(p, n))) c->stopped = true;
    return c->stopped ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static err begin(struct canvas *c, double scale, struct canvas **out, struct fail *f) {
    c->cr = cairo_create(c->surface);
    cairo_scale(c->cr, scale, scale);
    c->layout = pango_cairo_create_layout(c->cr);
    if (cairo_status(c->cr) != CAIRO_STATUS_SUCCESS || !c->layout) {
        struct fail ignored;
        if (canvas_close(c, NULL, &ignored) != OK) ignored.code = E_MEMORY;
        return fail_set(f, E_MEMORY, "no memory for a page");
    }
    /* positions must not depend on the device: no hinting, no rounding of advances */
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(pango_layout_get_context(c->layout), o);
    cairo_font_options_destroy(o);
    pango_context_set_round_glyph_positions(pango_layout_get_context(c->layout), FALSE);
    pango_cairo_context_set_resolution(pango_layout_get_context(c->layout), 25.4);
    *out = c;
    return OK;
}

err canvas_pdf(canvas_sink *sink, void *ctx, const char *title, const char *date,
               struct canvas **out, struct fail *f) {
    struct canvas *c = calloc(1, sizeof *c);
    if (!c) return fail_set(f, E_MEMORY, "no memory for a page");
    c->sink = sink;
    c->ctx = ctx;
    c->surface = cairo_pdf_surface_create_for_stream(write_piece, c, SHEET_W_MM * POINTS_PER_MM,
                                                     SHEET_H_MM * POINTS_PER_MM);
    cairo_pdf_surface_set_metadata(c->surface, CAIRO_PDF_METADATA_CREATE_DATE, date);
    cairo_pdf_surface_set_metadata(c->surface, CAIRO_PDF_METADATA_MOD_DATE, date);
    cairo_pdf_surface_set_metadata(c->surface, CAIRO_PDF_METADATA_TITLE, title);
    return begin(c, POINTS_PER_MM, out, f);
}

err canvas_image(double pixels_per_mm, struct canvas **out, struct fail *f) {
    if (!(pixels_per_mm >= 1 && pixels_per_mm <= 24))
        return fail_set(f, E_RANGE, "a page is drawn with 1 to 24 pixels a millimetre");
    struct canvas *c = calloc(1, sizeof *c);
    if (!c) return fail_set(f, E_MEMORY, "no memory for a page");
    c->surface =
        cairo_image_surface_create(CAIRO_FORMAT_A8, (int)lround(SHEET_W_MM * pixels_per_mm),
                                   (int)lround(SHEET_H_MM * pixels_per_mm));
    return begin(c, pixels_per_mm, out, f);
}

void canvas_lie_down(struct canvas *c) {
    c->lying = c->sink != NULL;
    if (c->sink)
        cairo_pdf_surface_set_size(c->surface, SHEET_H_MM * POINTS_PER_MM,
                                   SHEET_W_MM * POINTS_PER_MM);
}

void canvas_page_end(struct canvas *c) {
    c->pages++;
    if (c->sink) cairo_show_page(c->cr);
}

uint64_t canvas_pages(const struct canvas *c) {
    return c->pages;
}

/* ---- drawn once ---- */

static void put_shared(struct canvas *c, cairo_surface_t *drawing) {
    cairo_save(c->cr);
    cairo_identity_matrix(c->cr); /* recorded in points */
    cairo_set_source_surface(c->cr, drawing, 0, 0);
    cairo_paint(c->cr);
    cairo_restore(c->cr);
}

bool canvas_shared_begin(struct canvas *c, const struct hash *key) {
    if (!c->sink || c->page) return true; /* pixels are simply drawn again */
    for (size_t i = 0; i < SHARED_MAX && i < c->shared_count; i++)
        if (hash_eq(&c->shared[i].key, key)) {
            put_shared(c, c->shared[i].drawing);
            return false;
        }
    const cairo_rectangle_t sheet = {0, 0, SHEET_W_MM * POINTS_PER_MM, SHEET_H_MM * POINTS_PER_MM};
    cairo_surface_t *drawing = cairo_recording_surface_create(CAIRO_CONTENT_COLOR_ALPHA, &sheet);
    const size_t slot = c->shared_count++ % SHARED_MAX;
    if (c->shared[slot].drawing) cairo_surface_destroy(c->shared[slot].drawing);
    c->shared[slot].key = *key;
    c->shared[slot].drawing = drawing;
    c->page = c->cr;
    c->cr = cairo_create(drawing);
    cairo_scale(c->cr, POINTS_PER_MM, POINTS_PER_MM);
    return true;
}

void canvas_shared_end(struct canvas *c) {
    if (!c->page) return;
    cairo_destroy(c->cr);
    c->cr = c->page;
    c->page = NULL;
    put_shared(c, c->shared[(c->shared_count - 1) % SHARED_MAX].drawing);
}

/* A8 holds coverage by ink; the raster wants paper = 255. */
static err take_pixels(cairo_surface_t *s, struct raster *image, struct fail *f) {
    cairo_surface_flush(s);
    const int w = cairo_image_surface_get_width(s), h = cairo_image_surface_get_height(s);
    const int stride = cairo_image_surface_get_stride(s);
    const unsigned char *p = cairo_image_surface_get_data(s);
    TRY(raster_init(image, w, h, f));
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            image->p[(size_t)y * (size_t)w + (size_t)x] =
                (uint8_t)(255 - p[(size_t)y * (size_t)stride + (size_t)x]);
    return OK;
}

err canvas_close(struct canvas *c, struct raster *image, struct fail *f) {
    err e = OK;
    if (c->sink) cairo_surface_finish(c->surface);
    const cairo_status_t status =
        c->cr && !c->sink ? cairo_status(c->cr) : cairo_surface_status(c->surface);
    if (c->stopped)
        e = fail_set(f, E_IO, "the PDF cannot be written");
    else if (status != CAIRO_STATUS_SUCCESS)
        e = fail_set(f, E_INTERNAL, "drawing failed: %s", cairo_status_to_string(status));
    else if (image && !c->sink)
        e = take_pixels(c->surface, image, f);
    if (c->layout) g_object_unref(c->layout);
    if (c->cr) cairo_destroy(c->cr);
    cairo_surface_destroy(c->surface);
    for (size_t i = 0; i < SHARED_MAX && i < c->shared_count; i++)
        cairo_surface_destroy(c->shared[i].drawing);
    free(c);
    return e;
}

/* Ink of a grey: on a PDF its colour; on an image its coverage, since A8 knows no colours. White on
 * an image clears. */
static void set_grey(struct canvas *c, double grey) {
    if (c->sink) {
        cairo_set_source_rgb(c->cr, grey, grey, grey);
    } else {
        cairo_set_operator(c->cr, CAIRO_OPERATOR_SOURCE);
        cairo_set_source_rgba(c->cr, 0, 0, 0, 1 - grey);
    }
}

static void end_grey(struct canvas *c) {
    cairo_set_operator(c->cr, CAIRO_OPERATOR_OVER);
}

void canvas_fill(struct canvas *c, struct rect_mm r, double grey) {
    set_grey(c, grey);
    cairo_rectangle(c->cr, r.x, r.y, r.w, r.h);
    cairo_fill(c->cr);
    end_grey(c);
}

/* One bit a cell, enlarged without any smoothing: a tenth of the same cells as rectangles. */
static void put_bits(struct canvas *c, struct rect_mm r, int columns, int rows,
                     const uint8_t *dark) {
    cairo_surface_t *bits = cairo_image_surface_create(CAIRO_FORMAT_A1, columns, rows);
    const int stride = cairo_image_surface_get_stride(bits);
    unsigned char *p = cairo_image_surface_get_data(bits);
    for (int y = 0; p && y < rows; y++)
        for (int x = 0; x < columns; x++)
            if (dark[y * columns + x]) { /* words of 32 pixels in the machine's own order */
                uint32_t word;
                unsigned char *at = p + (size_t)y * (size_t)stride + (size_t)(x / 32) * 4;
                memcpy(&word, at, 4);
                word |= __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 1u << x % 32
                                                                 : 0x80000000u >> x % 32;
                memcpy(at, &word, 4);
            }
    cairo_surface_mark_dirty(bits);
    cairo_save(c->cr);
    cairo_translate(c->cr, r.x, r.y);
    cairo_scale(c->cr, r.w / columns, r.h / rows);
    cairo_pattern_t *mask = cairo_pattern_create_for_surface(bits);
    cairo_pattern_set_filter(mask, CAIRO_FILTER_NEAREST);
    cairo_set_source_rgb(c->cr, 0, 0, 0);
    cairo_mask(c->cr, mask);
    cairo_pattern_destroy(mask);
    cairo_restore(c->cr);
    cairo_surface_destroy(bits);
}

void canvas_cells(struct canvas *c, struct rect_mm r, int columns, int rows, const uint8_t *dark) {
    if (c->sink) {
        put_bits(c, r, columns, rows, dark);
        return;
    }
    const double w = r.w / columns, h = r.h / rows;
    set_grey(c, 0);
    for (int y = 0; y < rows; y++)
        for (int x = 0; x < columns;) {
            int run = 0; /* one rectangle for neighbours: no hairlines between, a smaller file */
            while (x + run < columns && dark[y * columns + x + run]) run++;
            if (run) { /* filled one by one: cairo writes a lone rectangle as "x y w h re" */
                cairo_rectangle(c->cr, r.x + w * x, r.y + h * y, w * run, h);
                cairo_fill(c->cr);
            }
            x += run ? run : 1;
        }
    end_grey(c);
}

void canvas_frame(struct canvas *c, struct rect_mm r, double line_mm, double grey) {
    set_grey(c, grey);
    cairo_set_line_width(c->cr, line_mm);
    cairo_rectangle(c->cr, r.x, r.y, r.w, r.h);
    cairo_stroke(c->cr);
    end_grey(c);
}

void canvas_line(struct canvas *c, double x0, double y0, double x1, double y1, double line_mm,
                 double grey) {
    set_grey(c, grey);
    cairo_set_line_width(c->cr, line_mm);
    cairo_move_to(c->cr, x0, y0);
    cairo_line_to(c->cr, x1, y1);
    cairo_stroke(c->cr);
    end_grey(c);
}

static void set_font(struct canvas *c, double size_pt, unsigned style) {
    PangoFontDescription *d = pango_font_description_new();
    pango_font_description_set_family(d, style & TEXT_MONO ? "DejaVu Sans Mono" : "DejaVu Sans");
    if (style & TEXT_BOLD) pango_font_description_set_weight(d, PANGO_WEIGHT_BOLD);
    pango_font_description_set_absolute_size(d, size_pt * 25.4 / 72 * PANGO_SCALE);
    pango_layout_set_font_description(c->layout, d);
    pango_font_description_free(d);
    pango_layout_set_alignment(c->layout, style & TEXT_CENTRE  ? PANGO_ALIGN_CENTER
                                          : style & TEXT_RIGHT ? PANGO_ALIGN_RIGHT
                                                               : PANGO_ALIGN_LEFT);
}

static void show(struct canvas *c, double x, double y) {
    cairo_set_source_rgba(c->cr, 0, 0, 0, 1);
    cairo_move_to(c->cr, x, y);
    pango_cairo_show_layout(c->cr, c->layout);
}

void canvas_text(struct canvas *c, struct rect_mm at, double size_pt, unsigned style,
                 const char *text) {
    set_font(c, size_pt, style);
    pango_layout_set_single_paragraph_mode(c->layout, TRUE);
    pango_layout_set_width(c->layout, -1);
    pango_layout_set_height(c->layout, -1);
    pango_layout_set_text(c->layout, text, -1);
    int w, h;
    if (style & TEXT_FIT) {
        pango_layout_set_ellipsize(c->layout, PANGO_ELLIPSIZE_NONE);
        pango_layout_get_size(c->layout, &w, NULL);
        const double room = at.w * PANGO_SCALE * 0.995;
        if (w > room) set_font(c, size_pt * fmax(0.5, room / w), style);
    }
    pango_layout_set_ellipsize(c->layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_width(c->layout, (int)(at.w * PANGO_SCALE));
    pango_layout_get_size(c->layout, NULL, &h);
    show(c, at.x, at.y + (at.h - (double)h / PANGO_SCALE) / 2);
}

void canvas_paragraph(struct canvas *c, struct rect_mm at, double size_pt, unsigned style,
                      const char *text) {
    set_font(c, size_pt, style);
    pango_layout_set_single_paragraph_mode(c->layout, FALSE);
    pango_layout_set_width(c->layout, (int)(at.w * PANGO_SCALE));
    pango_layout_set_height(c->layout, (int)(at.h * PANGO_SCALE));
    pango_layout_set_ellipsize(c->layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_wrap(c->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_text(c->layout, text, -1);
    show(c, at.x, at.y);
}

double canvas_paragraph_height(struct canvas *c, double width_mm, double size_pt, unsigned style,
                               const char *text) {
    int h;
    set_font(c, size_pt, style);
    pango_layout_set_single_paragraph_mode(c->layout, FALSE);
    pango_layout_set_width(c->layout, (int)(width_mm * PANGO_SCALE));
    pango_layout_set_height(c->layout, -1);
    pango_layout_set_ellipsize(c->layout, PANGO_ELLIPSIZE_NONE);
    pango_layout_set_wrap(c->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_text(c->layout, text, -1);
    pango_layout_get_size(c->layout, NULL, &h);
    return (double)h / PANGO_SCALE;
}

static void trace(struct canvas *c, const double *xy, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i == 0)
            cairo_move_to(c->cr, xy[0], xy[1]);
        else
            cairo_line_to(c->cr, xy[2 * i], xy[2 * i + 1]);
    }
}

void canvas_polyline(struct canvas *c, const double *xy, size_t n, double line_mm, double grey) {
    set_grey(c, grey);
    cairo_set_line_width(c->cr, line_mm);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    trace(c, xy, n);
    cairo_stroke(c->cr);
    end_grey(c);
}

void canvas_polygon(struct canvas *c, const double *xy, size_t n, double grey) {
    set_grey(c, grey);
    trace(c, xy, n);
    cairo_close_path(c->cr);
    cairo_fill(c->cr);
    end_grey(c);
}

err canvas_qr(struct canvas *c, struct span bytes, struct rect_mm r, struct fail *f) {
    struct qr_code q;
    TRY(qr_encode(bytes, &q, f));
    canvas_cells(c, r, q.side, q.side, q.dark);
    return OK;
}

void canvas_watermark(struct canvas *c, const char *text) {
    set_font(c, 90, TEXT_BOLD);
    pango_layout_set_single_paragraph_mode(c->layout, TRUE);
    pango_layout_set_width(c->layout, -1);
    pango_layout_set_ellipsize(c->layout, PANGO_ELLIPSIZE_NONE);
    pango_layout_set_text(c->layout, text, -1);
    int w, h;
    pango_layout_get_size(c->layout, &w, &h);
    cairo_save(c->cr);
    cairo_translate(c->cr, (c->lying ? SHEET_H_MM : SHEET_W_MM) / 2,
                    (c->lying ? SHEET_W_MM : SHEET_H_MM) / 2);
    cairo_rotate(c->cr, c->lying ? -M_PI / 7 : -M_PI / 3.6);
    if (c->sink)
        cairo_set_source_rgb(c->cr, 0.93, 0.93, 0.93);
    else
        cairo_set_source_rgba(c->cr, 0, 0, 0, 0.07);
    cairo_move_to(c->cr, -(double)w / PANGO_SCALE / 2, -(double)h / PANGO_SCALE / 2);
    pango_cairo_show_layout(c->cr, c->layout);
    cairo_restore(c->cr);
}
