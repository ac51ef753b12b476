/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/crops.h"

#include "paper/image.h"
#include "paper/reader.h"
#include "paper/sandbox.h"
#include "paper/sheet.h"

enum { CHOICES = 8, BOXES = 5, SIDE_WANTED = 2200 };
#define EDGES_LEAST 0.85 /* of a row's printed sides: its boxes were found */

static const struct print_choice nobody[CHOICES] = {{"A", ""}, {"B", ""}, {"C", ""}, {"D", ""},
                                                    {"E", ""}, {"F", ""}, {"G", ""}, {"H", ""}};

static double uniform(struct rng *r, double a, double b) {
    return a + (b - a) * rng_double(r);
}

static const struct digit_set *pick_set(const struct crop_options *o, struct rng *r) {
    double at = rng_double(r);
    for (size_t k = 0; k + 1 < o->set_count; k++) {
        if (at < o->share[k]) return o->sets[k];
        at -= o->share[k];
    }
    return o->sets[o->set_count - 1];
}

/* What a box gets; CLASS_BLANK is left out, for the reader asks no network about it. */
static int pick_class(struct rng *r) {
    const double at = rng_double(r);
    return at < 0.66   ? (int)rng_below(r, 10)
           : at < 0.76 ? CLASS_DASH
           : at < 0.92 ? CLASS_STRUCK
                       : CLASS_OTHER;
}

static void write_one(struct rng *r, struct raster *page, const struct synth_hand *hand,
                      struct rect_mm box, int class) {
    if (class == CLASS_STRUCK && rng_below(r, 3)) {
        synth_write_box(r, page, hand, box, (int)rng_below(r, 10));
        synth_strike_box(r, page, hand, box);
    } else {
        synth_write_box(r, page, hand, box, class);
    }
}

static void fill_sheet(const struct crop_options *o, struct rng *r, struct raster *page,
                       const struct layout_page *p, uint8_t label[][2 * FORM_BOXES_MAX]) {
    struct synth_hand hand;
    const struct digit_set *set = pick_set(o, r);
    synth_hand_draw(r, set, &hand);
    hand.writer = 0; /* any hand of the set, so that a training sees many */
    if (rng_below(r, 3) == 0) synth_hand_vary(r, &hand);
    for (unsigned i = 0; i < p->row_count; i++)
        for (unsigned b = 0; b < 2 * BOXES; b++) {
            const struct layout_row *row = &p->rows[i];
            const int class = pick_class(r);
            hand.pen_mm = uniform(r, 0.35, 0.9);
            label[i][b] = (uint8_t) class;
            write_one(r, page, &hand, b < BOXES ? row->figure[b] : row->correction[b - BOXES],
                      class);
        }
}

static err photograph(struct rng *r, const struct raster *page, struct raster *out,
                      struct fail *f) {
    const uint64_t kind = rng_below(r, 8);
    struct raster photo;
    struct buf jpeg;
    int quality;
    double shrink;
    TRY(synth_photo(r, page,
                    kind == 0   ? SYNTH_SCANNER
                    : kind == 1 ? SYNTH_BAD_PHONE
                                : SYNTH_PHONE,
                    &photo, &quality, f));
    buf_init(&jpeg, IMAGE_FILE_MAX);
    err e = image_write_jpeg(&photo, quality, &jpeg, f);
    raster_release(&photo);
    if (e == OK) e = image_decode(buf_view(&jpeg), SIDE_WANTED, out, &shrink, f);
    buf_release(&jpeg);
    return e;
}

static err keep_box(const struct sheet *s, struct rect_mm at, int label, struct digit_set *out,
                    struct fail *f) {
    struct raster ink;
    struct box_reading measures = {0};
    TRY(sheet_cut_box(s, at, &ink, f));
    const err e = reader_views(&ink, SHEET_PPMM, at.h, &out->image[out->n], &measures, f);
    raster_release(&ink);
    if (e != OK || measures.blank) return e;
    out->label[out->n] = out->label[out->n + 1] = (uint8_t)label;
    out->n += 2;
    return OK;
}

static err cut_sheet(const struct raster *image, const struct layout_page *p,
                     uint8_t label[][2 * FORM_BOXES_MAX], struct digit_set *out, struct fail *f) {
    struct registration reg;
    struct row_boxes boxes, *previous = NULL;
    struct sheet s;
    const err found = register_sheet(image, &reg, f);
    if (found == E_NOT_FOUND) return OK; /* too bad a photograph: nothing to learn from */
    if (found != OK) return found;
    TRY(sheet_init(&s, image, &reg, f));
    err e = OK;
    for (unsigned i = 0; e == OK && i < p->row_count; i++) {
        struct row_boxes now;
        e = sheet_align_row(&s, &p->rows[i], BOXES, previous, &now, f);
        if (e != OK || now.edges < EDGES_LEAST) continue;
        boxes = now;
        previous = &boxes;
        for (unsigned b = 0; e == OK && b < 2 * BOXES; b++)
            e = keep_box(&s, b < BOXES ? now.figure[b] : now.correction[b - BOXES], label[i][b],
                         out, f);
    }
    sheet_release(&s);
    return e;
}

err crops_make(const struct crop_options *o, struct digit_set *out, struct fail *f) {
    const struct form_shape shape = {CHOICES, BOXES};
    struct print_form form = {.regulation = "",
                              .contest_en = "",
                              .contest_sw = "",
                              .station = "",
                              .stream = "",
                              .ward = "",
                              .constituency = "",
                              .county = "",
                              .choices = nobody,
                              .anchor = "",
                              .simulated = true,
                              .copy = ""};
    form.code = (struct form_code){.form = "34A",
                                   .station = "1",
                                   .contest = "training",
                                   .contest_number = 1,
                                   .page = 1,
                                   .pages = 2,
                                   .shape = shape};
    struct layout_page p;
    struct raster blank, page;
    TRY(form_layout(shape, 1, &p, f));
    TRY(digit_set_init(out, o->sheets * FORM_ROWS_PER_PAGE * 2 * BOXES * 2, f));
    out->n = 0;
    err e = synth_blank(&form, 1, &blank, f);
    if (e != OK) {
        digit_set_release(out);
        return e;
    }
    e = raster_init(&page, blank.w, blank.h, f);
    for (size_t k = 0; e == OK && k < o->sheets; k++) {
        uint8_t label[FORM_ROWS_PER_PAGE][2 * FORM_BOXES_MAX];
        struct rng r;
        struct raster image;
        rng_init_stream(&r, o->seed, k + 1);
        memcpy(page.p, blank.p, (size_t)blank.w * (size_t)blank.h);
        fill_sheet(o, &r, &page, &p, label);
        e = photograph(&r, &page, &image, f);
        if (e != OK) break;
        e = cut_sheet(&image, &p, label, out, f);
        raster_release(&image);
        if (o->progress) o->progress(o->ctx, k + 1, o->sheets);
    }
    raster_release(&page);
    raster_release(&blank);
    if (e != OK) digit_set_release(out);
    return e;
}

/* ---- boxes that people have confirmed ---- */

struct confirmed {
    struct span file;
    const struct judge_typed *figures;
};

static unsigned digits_of(uint64_t v) {
    unsigned n = 1;
    while (v >= 10) {
        v /= 10;
        n++;
    }
    return n;
}

/* Both views of the row's boxes; inked[i] where there is ink. */
static err look_at(const struct sheet *s, const struct rect_mm *at, unsigned n,
                   uint8_t view[][2][NET_PIXELS], bool *inked, struct fail *f) {
    for (unsigned i = 0; i < n; i++) {
        struct raster ink;
        struct box_reading measures = {0};
        TRY(sheet_cut_box(s, at[i], &ink, f));
        const err e = reader_views(&ink, SHEET_PPMM, at[i].h, view[i], &measures, f);
        raster_release(&ink);
        if (e != OK) return e;
        inked[i] = !measures.blank;
    }
    return OK;
}

static err confirm_row(const struct sheet *s, const struct row_boxes *boxes, unsigned n,
                       uint64_t value, struct digit_set *out, struct fail *f) {
    uint8_t view[FORM_BOXES_MAX][2][NET_PIXELS];
    bool inked[FORM_BOXES_MAX];
    const unsigned digits = digits_of(value);
    if (digits > n) return OK;
    TRY(look_at(s, boxes->correction, n, view, inked, f));
    for (unsigned i = 0; i < n; i++)
        if (inked[i]) return OK; /* which of the two counts is for people to say */
    TRY(look_at(s, boxes->figure, n, view, inked, f));
    for (unsigned i = n - digits; i < n; i++)
        if (!inked[i]) return OK;
    for (unsigned i = n; i-- > n - digits; value /= 10)
        for (int v = 0; v < 2; v++) {
            out->label[out->n] = (uint8_t)(value % 10);
            memcpy(out->image[out->n++], view[i][v], NET_PIXELS);
        }
    return OK;
}

static err confirm_sheet(const struct sheet *s, const struct confirmed *c, struct digit_set *out,
                         struct fail *f) {
    struct form_code code;
    struct layout_page p;
    struct row_boxes boxes, *previous = NULL;
    TRY(sheet_read_strip(s, &code, f));
    TRY(form_layout(code.shape, code.page, &p, f));
    for (unsigned i = 0; i < p.row_count; i++) {
        struct row_boxes now;
        const struct judge_typed *figure = &c->figures[p.rows[i].index];
        TRY(sheet_align_row(s, &p.rows[i], p.shape.boxes, previous, &now, f));
        if (now.edges < EDGES_LEAST) continue;
        boxes = now;
        previous = &boxes;
        if (figure->present) TRY(confirm_row(s, &now, p.shape.boxes, figure->value, out, f));
    }
    return OK;
}

static err confirm_image(void *ctx, struct buf *answer, struct fail *f) {
    const struct confirmed *c = ctx;
    struct raster image;
    struct registration reg;
    struct sheet s;
    struct digit_set out;
    double shrink;
    TRY(image_decode(c->file, SIDE_WANTED, &image, &shrink, f));
    err e = digit_set_init(&out, FORM_ROWS_PER_PAGE * FORM_BOXES_MAX * 2, f);
    if (e == OK) {
        out.n = 0;
        e = register_sheet(&image, &reg, f);
        if (e == OK) e = sheet_init(&s, &image, &reg, f);
        if (e == OK) {
            e = confirm_sheet(&s, c, &out, f);
            sheet_release(&s);
        }
        if (e == OK) e = digit_set_write(&out, answer, f);
        digit_set_release(&out);
    }
    raster_release(&image);
    return e == E_PAPER_CHECK ? fail_set(f, E_NOT_FOUND, "the sheet does not say which it is") : e;
}

err crops_confirmed(struct span file, unsigned page,
                    const struct judge_typed figures[FORM_ROWS_MAX], struct digit_set *out,
                    struct fail *f) {
    static const struct sandbox_limits limits = {(uint64_t)640 << 20, 30, 60000};
    struct confirmed c = {file, figures};
    struct buf pgm, answer;
    *out = (struct digit_set){0};
    buf_init(&pgm, RASTER_PIXELS_MAX + 64);
    buf_init(&answer, (size_t)1 << 20);
    err e = OK;
    if (file.n > IMAGE_FILE_MAX)
        e = fail_set(f, E_TOO_LARGE, "an image file has at most %d bytes", IMAGE_FILE_MAX);
    if (e == OK && picture_kind_of(file) == PICTURE_PDF) {
        e = sandbox_pdf_page(file, page, SIDE_WANTED, &pgm, f);
        c.file = buf_view(&pgm);
    }
    if (e == OK) e = sandbox_run(confirm_image, &c, limits, &answer, NULL, f);
    if (e == OK) e = digit_set_parse(buf_view(&answer), out, f);
    buf_release(&answer);
    buf_release(&pgm);
    return e;
}
