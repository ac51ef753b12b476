/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/scan.h"

#include <math.h>
#include "paper/image.h"
#include "paper/joint.h"
#include "paper/judge.h"
#include "paper/marks.h"
#include "paper/sheet.h"
#include "paper/zones.h"

#define SIDE_WANTED 2200 /* pixels of the longer side that are enough for digits and QR */
#define GATE_LEAST  0.6  /* right forms 0.9 and more, wrong ones below 0.4: docs/reading.md */
#define ROW_LEAST   0.8
#define ROW_SURE    0.85
#define PRESENT_MM2 6.0
#define LP_LEAST    -60.0 /* log-probabilities below are as good as never */

static struct scan_rect to_original(const struct sheet *s, struct rect_mm r, double shrink) {
    double x0, y0, x1, y1;
    sheet_bounds(s, r, &x0, &y0, &x1, &y1);
    return (struct scan_rect){(int32_t)floor(x0 * shrink), (int32_t)floor(y0 * shrink),
                              (int32_t)ceil((x1 - x0) * shrink), (int32_t)ceil((y1 - y0) * shrink)};
}

/* ---- who it is ---- */

static bool parse_qr(const struct raster *r, struct form_code *out) {
    struct buf b;
    buf_init(&b, 8192);
    const bool good =
        qr_decode(r, &b, NULL) == OK && form_code_parse(buf_view(&b), out, NULL) == OK;
    buf_release(&b);
    return good;
}

/* The QR's place, straightened: with room for what curling moved, at three scales. */
static err read_qr(const struct sheet *s, bool *read, struct form_code *out, struct fail *f) {
    static const double margin[] = {4, 8, 8}, ppmm[] = {7, 9, 5};
    *read = false;
    for (int i = 0; i < 3 && !*read; i++) {
        struct rect_mm r = form_qr_at();
        struct raster plain;
        r = (struct rect_mm){r.x - margin[i], r.y - margin[i], r.w + 2 * margin[i],
                             r.h + 2 * margin[i]};
        TRY(sheet_cut_plain(s, r, ppmm[i], &plain, f));
        *read = parse_qr(&plain, out);
        raster_release(&plain);
    }
    return OK;
}

static err identify(const struct sheet *s, struct scan_result *out, struct fail *f) {
    struct form_code strip;
    TRY(read_qr(s, &out->qr_read, &out->code, f));
    out->strip_read = sheet_read_strip(s, &strip, NULL) == OK;
    if (out->qr_read && out->strip_read) {
        out->codes_agree = form_code_same(&out->code, &strip);
        out->code.contest_number = strip.contest_number;
    } else if (out->strip_read) {
        out->code = strip;
    }
    return OK;
}

/* ---- figures ---- */

/* A box that the picture cuts off may hide a digit. */
static bool inside(const struct sheet *s, const struct row_boxes *b, unsigned n) {
    for (unsigned i = 0; i < 2 * n; i++) {
        double x0, y0, x1, y1;
        sheet_bounds(s, i < n ? b->figure[i] : b->correction[i - n], &x0, &y0, &x1, &y1);
        if (x0 < 0 || y0 < 0 || x1 > s->image->w || y1 > s->image->h) return false;
    }
    return true;
}

/* Over the figure or over its correction. */
static err find_hidden(const struct sheet *s, const struct row_boxes *boxes, unsigned n,
                       struct scan_field *out, struct fail *f) {
    double a, b;
    bool in_figure, in_correction;
    TRY(marks_hidden(s, boxes->figure, n, &a, &in_figure, f));
    TRY(marks_hidden(s, boxes->correction, n, &b, &in_correction, f));
    out->hidden = in_figure || in_correction;
    out->hidden_mm = fmax(a, b);
    if (out->hidden) out->read.reasons |= ABSTAIN_INK; /* remains beside the fluid mislead */
    return OK;
}

static err read_row(const struct reader *r, const struct sheet *s, const struct layout_row *row,
                    const struct row_boxes *boxes, unsigned n, const struct scan_options *o,
                    double shrink, struct scan_field *out, struct fail *f) {
    struct box_reading reading[2][FORM_BOXES_MAX];
    for (unsigned i = 0; i < 2 * n; i++) {
        const struct rect_mm at = i < n ? boxes->figure[i] : boxes->correction[i - n];
        struct raster ink;
        TRY(sheet_cut_box(s, at, &ink, f));
        const err e = reader_box(r, &ink, SHEET_PPMM, at.h, &reading[i / n][i % n], f);
        raster_release(&ink);
        if (e != OK) return e;
    }
    decode_field(reading[0], reading[1], n, o->rules, &out->read);
    const struct box_reading *used = reading[out->read.corrected];
    out->boxes = n;
    for (unsigned i = 0; i < n; i++)
        for (int c = 0; c < NET_CLASSES; c++) out->lp[i][c] = (float)fmax(used[i].lp[c], LP_LEAST);
    out->index = row->index;
    out->edges = boxes->edges;
    const bool whole = inside(s, boxes, n);
    if (boxes->edges < ROW_LEAST || !whole) out->read.reasons |= ABSTAIN_PLACE;
    if (boxes->edges >= ROW_LEAST && whole) TRY(find_hidden(s, boxes, n, out, f));
    const struct rect_mm *b = out->read.corrected ? boxes->correction : boxes->figure;
    const struct rect_mm all = {b[0].x, b[0].y, b[n - 1].x + b[n - 1].w - b[0].x, b[0].h};
    out->at = to_original(s, all, shrink);
    return OK;
}

static err read_rows(const struct reader *r, const struct sheet *s, const struct layout_page *p,
                     const struct scan_options *o, double shrink, struct scan_result *out,
                     struct fail *f) {
    struct row_boxes boxes[FORM_ROWS_PER_PAGE];
    const struct row_boxes *previous = NULL;
    const unsigned n = p->shape.boxes;
    double sum = 0;
    for (unsigned i = 0; i < p->row_count; i++) {
        TRY(sheet_align_row(s, &p->rows[i], n, previous, &boxes[i], f));
        if (previous && boxes[i].edges < ROW_SURE) { /* lost the thread: look far again */
            struct row_boxes again;
            TRY(sheet_align_row(s, &p->rows[i], n, NULL, &again, f));
            if (again.edges > boxes[i].edges) boxes[i] = again;
        }
        sum += boxes[i].edges;
        /* a row that was not found does not lead the next one astray */
        if (boxes[i].edges >= ROW_SURE) previous = &boxes[i];
    }
    out->gate = p->row_count ? sum / p->row_count : 0;
    out->template_ok = out->gate >= GATE_LEAST;
    if (!out->template_ok) return OK; /* figures of a wrong template would be noise */
    for (unsigned i = 0; i < p->row_count; i++)
        TRY(read_row(r, s, &p->rows[i], &boxes[i], n, o, shrink, &out->field[i], f));
    out->field_count = p->row_count;
    return judge_figures(out, o->has_registered ? &o->registered : NULL, o->rules, f);
}

/* ---- signatures, stamp ---- */

static err read_zones(const struct sheet *s, struct layout_page *p, double shrink,
                      struct scan_result *out, struct fail *f) {
    double sum = 0;
    unsigned framed = 0;
    for (unsigned i = 0; i < p->zone_count; i++) {
        struct layout_zone *z = &p->zones[i];
        if (z->kind <= ZONE_STAMP || (p->row_count == 0 && z->kind == ZONE_AGENT_SIGNATURE)) {
            double edges;
            struct rect_mm found;
            TRY(sheet_align_frame(s, z->at, &found, &edges, f));
            sum += edges;
            framed++;
            if (edges >= 0.75) z->at = found;
        }
        struct scan_zone *o = &out->zone[i];
        *o = (struct scan_zone){.kind = (uint32_t)z->kind, .index = z->index};
        TRY(zone_ink(s, z, &o->ink_mm2, f));
        o->present = o->ink_mm2 >= PRESENT_MM2;
        o->at = to_original(s, z->at, shrink);
        if (z->kind == ZONE_STAMP && o->present) {
            struct ring_signs ring;
            TRY(marks_ring(s, zone_inner(z), &ring, f));
            o->ring = ring.found;
            o->ring_part = ring.part;
            o->ring_radius_mm = ring.radius_mm;
        }
    }
    out->zone_count = p->zone_count;
    if (p->row_count == 0) { /* a page without figures is judged by its frames */
        out->gate = framed ? sum / framed : 0;
        out->template_ok = out->gate >= GATE_LEAST;
    }
    return zone_hash(s, p, out->zone_hash, &out->zone_hash_usable, f);
}

static err read_sheet(const struct reader *r, const struct sheet *s, double shrink,
                      const struct scan_options *o, struct scan_result *out, struct fail *f) {
    struct layout_page page;
    TRY(identify(s, out, f));
    const bool known = out->qr_read || out->strip_read;
    if (!known && !o->has_shape) return OK; /* registered, but nobody says which form it is */
    const struct form_shape shape = known ? out->code.shape : o->shape;
    TRY(form_layout(shape, known ? out->code.page : o->page, &page, f));
    out->code.shape = shape;
    TRY(read_rows(r, s, &page, o, shrink, out, f));
    return read_zones(s, &page, shrink, out, f);
}

/* A slip has no markers: only its QR code. */
static err read_slip(const struct raster *image, struct scan_result *out, struct fail *f) {
    struct buf b;
    buf_init(&b, 8192);
    err e = qr_decode(image, &b, f);
    if (e == OK && b.n > QR_NOTE_BYTES_MAX)
        e = fail_set(f, E_TOO_LARGE, "the QR code holds %zu bytes, more than a slip's %d", b.n,
                     QR_NOTE_BYTES_MAX);
    if (e == OK && form_code_parse(buf_view(&b), &out->code, NULL) == OK) {
        out->qr_read = true; /* a form whose markers are not in the picture */
    } else if (e == OK) {
        memcpy(out->note, b.p, b.n);
        out->note_size = (uint32_t)b.n;
    }
    buf_release(&b);
    return e;
}

err scan_image(const struct reader *r, const struct raster *image, double shrink,
               const struct scan_options *o, struct scan_result *out, struct fail *f) {
    struct registration reg;
    struct fail sheet_missing;
    memset(out, 0, sizeof *out);
    out->width = (uint32_t)lround(image->w * shrink);
    out->height = (uint32_t)lround(image->h * shrink);
    const err missing = register_sheet(image, &reg, &sheet_missing);
    if (missing == E_NOT_FOUND) {
        if (read_slip(image, out, f) == OK) return OK;
        return fail_set(f, missing, "%s", sheet_missing.text);
    }
    if (missing != OK) return fail_set(f, missing, "%s", sheet_missing.text);
    out->has_sheet = true;
    out->markers = reg.markers;
    out->residual_mm = reg.residual_mm;
    out->pixels_per_mm = reg.pixels_per_mm * shrink;
    struct sheet s;
    TRY(sheet_init(&s, image, &reg, f));
    const err e = read_sheet(r, &s, shrink, o, out, f);
    sheet_release(&s);
    return e;
}

/* ---- confined ---- */

struct job {
    const struct reader *reader;
    struct span file;
    const struct scan_options *options;
};

static err work(void *ctx, struct buf *out, struct fail *f) {
    const struct job *j = ctx;
    struct raster image;
    struct scan_result r;
    double shrink;
    TRY(image_decode(j->file, SIDE_WANTED, &image, &shrink, f));
    const err e = scan_image(j->reader, &image, shrink, j->options, &r, f);
    raster_release(&image);
    if (e == OK) buf_add(out, &r, sizeof r);
    return e;
}

static bool finite_in(double v, double low, double high) {
    return isfinite(v) && v >= low && v <= high;
}

static bool ends(const char *s, size_t n) {
    return memchr(s, 0, n) != NULL;
}

static bool is_bool(const bool *b) { /* bytes of a stranger: only 0 and 1 are booleans */
    uint8_t v;
    memcpy(&v, b, 1);
    return v <= 1;
}

static bool rect_good(const struct scan_rect *r) {
    const int32_t most = 1 << 20;
    return r->x > -most && r->x < most && r->y > -most && r->y < most && r->w >= 0 && r->w < most &&
           r->h >= 0 && r->h < most;
}

static bool lp_good(const struct scan_field *k) {
    for (unsigned b = 0; b < FORM_BOXES_MAX; b++)
        for (int c = 0; c < NET_CLASSES; c++)
            if (!finite_in((double)k->lp[b][c], LP_LEAST - 1, 1e-3)) return false;
    return k->boxes <= FORM_BOXES_MAX;
}

static bool field_good(const struct scan_field *k) {
    const struct field_reading *r = &k->read;
    return k->index < FORM_ROWS_MAX && is_bool(&r->has_value) && is_bool(&r->has_other) &&
           is_bool(&r->corrected) && is_bool(&r->struck) && is_bool(&k->by_sum) && is_bool(&k->hidden) &&
           finite_in(k->hidden_mm, 0, 20) && lp_good(k) &&
           r->value <= 99999 && r->other <= 99999 && r->reasons < 1u << ABSTAIN_REASONS &&
           !isnan(r->score) && !isnan(r->margin) && ends(r->text, sizeof r->text) &&
           rect_good(&k->at) && finite_in(k->edges, 0, 1) && (r->has_value || r->reasons);
}

static bool zone_good(const struct scan_zone *z) {
    return z->kind < ZONE_KINDS && z->index < FORM_ZONES_MAX && finite_in(z->ink_mm2, 0, 1e5) &&
           is_bool(&z->present) && is_bool(&z->ring) && finite_in(z->ring_part, 0, 1) &&
           finite_in(z->ring_radius_mm, 0, 30) && rect_good(&z->at);
}

err scan_result_check(const struct scan_result *r, struct fail *f) {
    bool good = is_bool(&r->has_sheet) && is_bool(&r->qr_read) && is_bool(&r->strip_read) &&
                is_bool(&r->codes_agree) && is_bool(&r->template_ok) &&
                is_bool(&r->zone_hash_usable) && r->field_count <= SCAN_FIELDS_MAX &&
                r->zone_count <= FORM_ZONES_MAX && r->note_size <= QR_NOTE_BYTES_MAX &&
                r->broken < 1u << JOINT_RULES && finite_in(r->gate, 0, 1) &&
                finite_in(r->residual_mm, 0, 1e3) && finite_in(r->pixels_per_mm, 0, 1e3) &&
                r->markers <= FORM_MARKERS && r->code.shape.choices <= FORM_CHOICES_MAX &&
                r->code.shape.boxes <= FORM_BOXES_MAX && ends(r->code.form, sizeof r->code.form) &&
                ends(r->code.station, sizeof r->code.station) &&
                ends(r->code.contest, sizeof r->code.contest);
    if (good && (r->qr_read || r->strip_read)) good = form_code_check(&r->code, NULL) == OK;
    for (uint32_t i = 0; good && i < r->field_count; i++) good = field_good(&r->field[i]);
    for (uint32_t i = 0; good && i < r->zone_count; i++) good = zone_good(&r->zone[i]);
    if (!good)
        return fail_set(f, E_IMAGE, "the reader gave no proper answer; the file was refused");
    return OK;
}

err scan_file(const struct reader *r, struct span file, unsigned page, const struct scan_options *o,
              struct scan_result *out, struct sandbox_usage *usage, struct hash *hash,
              struct fail *f) {
    static const struct sandbox_limits limits = {(uint64_t)640 << 20, 30, 60000};
    struct buf pgm, answer;
    *hash = sha256(file);
    buf_init(&pgm, RASTER_PIXELS_MAX + 64);
    buf_init(&answer, sizeof *out);
    struct job j = {r, file, o};
    err e = OK;
    if (file.n > IMAGE_FILE_MAX)
        e = fail_set(f, E_TOO_LARGE, "an image file has at most %d bytes", IMAGE_FILE_MAX);
    if (e == OK && picture_kind_of(file) == PICTURE_PDF) {
        e = sandbox_pdf_page(file, page, SIDE_WANTED, &pgm, f);
        j.file = buf_view(&pgm);
    }
    if (e == OK) e = sandbox_run(work, &j, limits, &answer, usage, f);
    if (e == OK && answer.n != sizeof *out)
        e = fail_set(f, E_IMAGE, "the reader gave no proper answer; the file was refused");
    if (e == OK) {
        memcpy(out, answer.p, sizeof *out);
        e = scan_result_check(out, f);
    }
    buf_release(&answer);
    buf_release(&pgm);
    return e;
}
