/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From an image file to what stands on the form, through the sandboxed child. */
#include "test.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/rng.h"
#include "paper/cell.h"
#include "paper/crops.h"
#include "paper/image.h"
#include "paper/judge.h"
#include "paper/mask.h"
#include "paper/scan.h"
#include "paper/synth.h"
#include "paper/zones.h"

static struct fail f;
static struct reader reader;
static const struct print_choice choices[3] = {{"Asha", "A"}, {"Baraka", "B"}, {"Chebet", "C"}};

static struct print_form sample(void) {
    struct print_form p = {.regulation = "",
                           .contest_en = "Election",
                           .contest_sw = "Uchaguzi",
                           .station = "Bomu",
                           .stream = "1",
                           .ward = "W",
                           .constituency = "C",
                           .county = "K",
                           .choices = choices,
                           .anchor = "",
                           .simulated = true,
                           .copy = ""};
    p.code = (struct form_code){.form = "34A",
                                .station = "001001000100101",
                                .contest = "president",
                                .contest_number = 1,
                                .serial = 9,
                                .page = 1,
                                .pages = 2,
                                .shape = {3, 4}};
    return p;
}

/* What one field says of a typed value, nothing else being typed. */
static enum scan_verdict against_typed(const struct scan_result *s, uint32_t i, bool present,
                                       uint64_t value) {
    struct judge_typed typed[FORM_ROWS_MAX] = {{0}};
    struct judge_field out[SCAN_FIELDS_MAX];
    typed[s->field[i].index] = (struct judge_typed){present, value};
    (void)judge_page(s, typed, NULL, decode_default_rules(), out);
    return out[i].verdict;
}

static void to_jpeg(const struct raster *r, int quality, struct buf *b) {
    buf_init(b, 1 << 24);
    must(image_write_jpeg(r, quality, b, &f));
}

static err scan(struct span file, struct scan_result *s, struct fail *why) {
    const struct scan_options o = {.rules = decode_default_rules()};
    struct hash h;
    struct sandbox_usage u;
    return scan_file(&reader, file, 1, &o, s, &u, &h, why);
}

static void a_blank_form_is_known_in_any_rotation(void **state) {
    (void)state;
    const struct print_form form = sample();
    struct raster page;
    must(synth_blank(&form, 1, &page, &f));
    for (int turn = 0; turn < 4; turn++) {
        struct raster t;
        struct buf b;
        struct scan_result s;
        must(raster_turn(&page, turn, &t, &f));
        to_jpeg(&t, 80, &b);
        must(scan(buf_view(&b), &s, &f));
        assert_true(s.has_sheet && s.qr_read && s.strip_read && s.codes_agree && s.template_ok);
        assert_string_equal(s.code.station, "001001000100101");
        assert_string_equal(s.code.contest, "president");
        assert_int_equal(s.code.serial, 9);
        assert_int_equal(s.markers, FORM_MARKERS);
        assert_int_equal(s.field_count, 3 + FORM_COUNT_ROWS);
        for (uint32_t i = 0; i < s.field_count; i++) {
            assert_int_equal(s.field[i].index, i);
            assert_int_equal(s.field[i].read.reasons, ABSTAIN_EMPTY);
            assert_true(s.field[i].at.w > 0 && s.field[i].at.h > 0);
        }
        for (uint32_t i = 0; i < s.zone_count; i++) assert_false(s.zone[i].present);
        assert_false(s.zone_hash_usable);
        buf_release(&b);
        raster_release(&t);
    }
    raster_release(&page);
}

static void blacken(struct raster *page, struct rect_mm r) {
    for (int y = (int)(r.y * SYNTH_PPMM); y < (int)((r.y + r.h) * SYNTH_PPMM); y++)
        memset(page->p + (size_t)y * (size_t)page->w + (size_t)(r.x * SYNTH_PPMM), 128,
               (size_t)(r.w * SYNTH_PPMM));
}

static void the_strip_stands_in_for_the_qr(void **state) {
    (void)state;
    const struct print_form form = sample();
    struct raster page;
    struct scan_result s;
    struct buf b;
    must(synth_blank(&form, 2, &page, &f));
    blacken(&page, form_qr_at());
    to_jpeg(&page, 75, &b);
    must(scan(buf_view(&b), &s, &f));
    assert_true(!s.qr_read && s.strip_read && s.template_ok);
    assert_int_equal(s.code.page, 2);
    assert_int_equal(s.code.contest_number, 1);
    buf_release(&b);
    blacken(&page, form_strip_at()); /* now nobody says what it is: nothing is read */
    to_jpeg(&page, 75, &b);
    must(scan(buf_view(&b), &s, &f));
    assert_true(s.has_sheet && !s.qr_read && !s.strip_read && !s.template_ok);
    assert_int_equal(s.field_count, 0);
    buf_release(&b);
    raster_release(&page);
}

static void a_wrong_template_does_not_pass_the_gate(void **state) {
    (void)state;
    struct print_form form = sample();
    struct raster page, image;
    struct scan_result s;
    must(synth_blank(&form, 2, &page, &f)); /* the page of agents, read as a page of figures */
    blacken(&page, form_qr_at());
    blacken(&page, form_strip_at());
    const struct scan_options o = {
        .rules = decode_default_rules(), .has_shape = true, .shape = {3, 4}, .page = 1};
    must(scan_image(&reader, &page, 1, &o, &s, &f));
    assert_true(s.has_sheet && !s.template_ok && s.gate < 0.5);
    assert_int_equal(s.field_count, 0);
    raster_release(&page);
    must(synth_blank(&form, 1, &page, &f));
    must(scan_image(&reader, &page, 1, &o, &s, &f));
    assert_true(s.template_ok && s.gate > 0.95);
    raster_release(&page);
    must(raster_init(&image, 900, 900, &f)); /* no sheet at all */
    refuses(E_NOT_FOUND, scan_image(&reader, &image, 1, &o, &s, &f));
    raster_release(&image);
}

/* Marks are drawn, so this needs no public data: dashes, X, both. */
static void marks_are_never_figures(void **state) {
    (void)state;
    const struct print_form form = sample();
    struct layout_page p;
    struct raster page, photo;
    must(form_layout(form.code.shape, 1, &p, &f));
    must(synth_blank(&form, 1, &page, &f));
    struct rng r;
    rng_init(&r, 4);
    const struct digit_set none = {0};
    const struct synth_hand hand = {.digits = &none, .pen_mm = 0.6, .ink = 0.8};
    for (unsigned row = 0; row < 6; row++)
        for (unsigned i = 0; i < 4; i++)
            synth_write_box(&r, &page, &hand, p.rows[row].figure[i],
                            row < 3 ? CLASS_STRUCK : CLASS_DASH);
    int quality;
    struct scan_result s;
    struct buf b;
    must(synth_photo(&r, &page, SYNTH_PHONE, &photo, &quality, &f));
    to_jpeg(&photo, quality, &b);
    must(scan(buf_view(&b), &s, &f));
    assert_true(s.template_ok);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_not_equal(s.field[i].read.reasons, 0);
        assert_int_equal(against_typed(&s, i, true, 0), SCAN_CANNOT_TELL);
        assert_int_equal(strcspn(s.field[i].read.text, "0123456789"), 4);
    }
    buf_release(&b);
    raster_release(&photo);
    raster_release(&page);
}

static void real_digits_are_read_and_compared(void **state) {
    (void)state;
    const char *shared = shared_dir();
    if (!shared) return;
    char dir[4200];
    struct digit_set digits;
    snprintf(dir, sizeof dir, "%s/data/digits", shared);
    must(digit_set_read(dir, DIGITS_MNIST_TEST, &digits, &f));
    unsigned answered = 0, wrong = 0, fields = 0;
    for (uint64_t k = 0; k < 4; k++) {
        const struct print_form form = sample();
        struct layout_page p;
        struct raster page, photo;
        struct synth_hand hand;
        struct synth_row truth[10];
        struct scan_result s;
        struct buf b;
        struct rng r;
        int quality;
        rng_init_stream(&r, 11, k);
        must(form_layout(form.code.shape, 1, &p, &f));
        must(synth_blank(&form, 1, &page, &f));
        synth_hand_draw(&r, &digits, &hand);
        for (unsigned i = 0; i < 10; i++)
            synth_write_row(&r, &page, &hand, &p.rows[i], 4, rng_below(&r, 700), 0, &truth[i]);
        synth_sign(&r, &page, &hand, &p);
        must(synth_photo(&r, &page, k % 2 ? SYNTH_PHONE : SYNTH_SCANNER, &photo, &quality, &f));
        to_jpeg(&photo, quality, &b);
        must(scan(buf_view(&b), &s, &f));
        assert_int_equal(s.field_count, 10);
        for (uint32_t i = 0; i < 10; i++, fields++) {
            const enum scan_verdict v = against_typed(&s, i, true, truth[i].value);
            answered += s.field[i].read.reasons == 0;
            wrong += v == SCAN_DIFFERS;
            if (v == SCAN_AGREES) {
                assert_int_not_equal(against_typed(&s, i, true, truth[i].value + 1), SCAN_AGREES);
                assert_int_equal(against_typed(&s, i, false, 0), SCAN_CANNOT_TELL);
            }
        }
        for (uint32_t i = 0; i < s.zone_count; i++) assert_true(s.zone[i].present);
        assert_true(s.zone_hash_usable);
        buf_release(&b);
        raster_release(&photo);
        raster_release(&page);
    }
    assert_int_equal(fields, 40);
    assert_true(answered >=
                28); /* far below what is measured: this guards against a broken stage */
    assert_true(wrong <= 1);
    digit_set_release(&digits);
}

/* Figures that people confirmed label the boxes; where the form says otherwise nothing is learnt.
 */
static void confirmed_figures_label_boxes(void **state) {
    (void)state;
    const struct print_form form = sample();
    const struct synth_hand hand = {.digits = NULL, .pen_mm = 0.6, .ink = 0.8};
    struct judge_typed figures[FORM_ROWS_MAX] = {{0}};
    struct layout_page p;
    struct raster page;
    struct digit_set boxes;
    struct buf b;
    struct rng r;
    rng_init(&r, 4);
    must(form_layout(form.code.shape, 1, &p, &f));
    must(synth_blank(&form, 1, &page, &f));
    for (unsigned i = 1; i < 4;
         i++) /* row 0: three characters; 1: two, with a correction; 2: four */
        for (unsigned row = 0; row < 3; row++)
            if (row != 1 || i > 1)
                synth_write_box(&r, &page, &hand, p.rows[row].figure[i], CLASS_STRUCK);
    synth_write_box(&r, &page, &hand, p.rows[1].correction[3], CLASS_STRUCK);
    synth_write_box(&r, &page, &hand, p.rows[2].figure[0], CLASS_STRUCK);
    figures[0] = (struct judge_typed){true, 407};
    figures[1] = (struct judge_typed){true, 12};
    figures[2] = (struct judge_typed){true, 99999}; /* more digits than boxes */
    figures[3] = (struct judge_typed){true, 5};     /* nothing is written there */
    to_jpeg(&page, 85, &b);
    must(crops_confirmed(buf_view(&b), 1, figures, &boxes, &f));
    assert_int_equal(boxes.n, 6);
    static const uint8_t want[6] = {7, 7, 0, 0, 4, 4};
    assert_memory_equal(boxes.label, want, 6);
    digit_set_release(&boxes);
    refuses(E_IMAGE, crops_confirmed(SPAN_LIT("GIF89a"), 1, figures, &boxes, &f));
    assert_int_equal(boxes.n, 0);
    buf_release(&b);
    raster_release(&page);
    must(raster_init(&page, 900, 900, &f));
    to_jpeg(&page, 85, &b);
    refuses(E_NOT_FOUND, crops_confirmed(buf_view(&b), 1, figures, &boxes, &f));
    buf_release(&b);
    raster_release(&page);
}

/* Open cells: what is drawn needs no public data; real digits where there are some. */
static void open_cells_are_cut_and_judged(void **state) {
    (void)state;
    const struct decode_rules rules = decode_default_rules();
    const struct rect_mm cell = {4, 4, 60, 11};
    struct raster page;
    struct field_reading v;
    struct rng r;
    rng_init(&r, 9);
    must(raster_init(&page, (int)(68 * SYNTH_PPMM), (int)(19 * SYNTH_PPMM), &f));
    struct raster ink = {0};
    const char *shared = shared_dir();
    for (int kind = 0; kind < 3; kind++) { /* nothing; a rule only; a rule and a dash */
        memset(page.p, 255, (size_t)page.w * (size_t)page.h);
        if (kind) memset(page.p + (size_t)(100 * page.w), 0, (size_t)(2 * page.w));
        if (kind == 2)
            synth_write_box(&r, &page, &(struct synth_hand){.pen_mm = 0.6, .ink = 0.9}, cell,
                            CLASS_DASH);
        must(raster_init(&ink, page.w, page.h, &f));
        for (size_t i = 0; i < (size_t)page.w * (size_t)page.h; i++)
            ink.p[i] = (uint8_t)(255 - page.p[i]);
        must(cell_read(&reader, &ink, SYNTH_PPMM, rules, &v, &f));
        assert_int_equal(v.reasons, kind == 2 ? ABSTAIN_DASHES : ABSTAIN_EMPTY);
        assert_false(v.has_value);
        raster_release(&ink);
    }
    memset(page.p, 255, (size_t)page.w * (size_t)page.h); /* a blot at the edge may hide a digit */
    for (int y = 50; y < 90; y++) memset(page.p + (size_t)(y * page.w + page.w - 40), 0, 40);
    must(raster_init(&ink, page.w, page.h, &f));
    for (size_t i = 0; i < (size_t)page.w * (size_t)page.h; i++)
        ink.p[i] = (uint8_t)(255 - page.p[i]);
    must(cell_read(&reader, &ink, SYNTH_PPMM, rules, &v, &f));
    assert_true(v.reasons & ABSTAIN_PLACE);
    raster_release(&ink);
    unsigned right = 0, silent = 0;
    struct digit_set digits;
    char dir[4200];
    snprintf(dir, sizeof dir, "%s/data/digits", shared ? shared : "");
    if (shared) must(digit_set_read(dir, DIGITS_MNIST_TEST, &digits, &f));
    for (unsigned k = 0; shared && k < 20; k++) {
        struct synth_hand hand;
        const uint64_t value = rng_below(&r, 700);
        synth_hand_draw(&r, &digits, &hand);
        memset(page.p, 255, (size_t)page.w * (size_t)page.h);
        memset(page.p + (size_t)(110 * page.w), 60, (size_t)(2 * page.w));
        synth_write_cell(&r, &page, &hand, cell, value);
        must(raster_init(&ink, page.w, page.h, &f));
        for (size_t i = 0; i < (size_t)page.w * (size_t)page.h; i++)
            ink.p[i] = (uint8_t)(255 - page.p[i]);
        must(cell_read(&reader, &ink, SYNTH_PPMM, rules, &v, &f));
        right += v.has_value && v.value == value;
        silent += v.reasons == 0 && v.value != value;
        raster_release(&ink);
    }
    if (shared) {
        if (right < 14 || silent) fail_msg("%u of 20 right, %u silently wrong", right, silent);
        digit_set_release(&digits);
    }
    raster_release(&page);
}

static void the_same_paper_is_found_again(void **state) {
    (void)state;
    const struct print_form form = sample();
    struct layout_page p;
    struct scan_result s[3];
    const struct digit_set none = {0};
    must(form_layout(form.code.shape, 1, &p, &f));
    for (uint64_t k = 0; k < 3; k++) { /* the first two: one paper, photographed twice */
        const struct synth_hand hand = {
            .digits = &none, .pen_mm = 0.6, .ink = 0.8, .signatures = k == 2 ? 8 : 7};
        struct raster page, photo;
        struct rng r;
        struct buf b;
        int quality;
        rng_init_stream(&r, 21, k);
        must(synth_blank(&form, 1, &page, &f));
        synth_sign(&r, &page, &hand, &p);
        must(synth_photo(&r, &page, SYNTH_PHONE, &photo, &quality, &f));
        to_jpeg(&photo, quality, &b);
        must(scan(buf_view(&b), &s[k], &f));
        assert_true(s[k].zone_hash_usable);
        buf_release(&b);
        raster_release(&photo);
        raster_release(&page);
    }
    const double same = zone_hash_similarity(s[0].zone_hash, s[1].zone_hash);
    const double other = zone_hash_similarity(s[0].zone_hash, s[2].zone_hash);
    if (!(same > 0.6 && other < 0.4)) fail_msg("same %.2f, other %.2f", same, other);
}

static void a_slip_is_read_back(void **state) {
    (void)state;
    static const char note[] = "hesabu/v1 result\n{\"a\":1}\n\n\xe2\x80\x94 key abc\n";
    const struct print_slip slip = {.note = SPAN_LIT(note),
                                    .id = "00",
                                    .contest = "President",
                                    .station = "Bomu",
                                    .simulated = true};
    struct canvas *c;
    struct raster page;
    struct scan_result s;
    struct buf b;
    must(canvas_image(7, &c, &f));
    must(print_slip(c, &slip, &f));
    must(canvas_close(c, &page, &f));
    to_jpeg(&page, 70, &b);
    must(scan(buf_view(&b), &s, &f));
    assert_false(s.has_sheet);
    assert_true(span_eq(span_of(s.note, s.note_size), slip.note));
    buf_release(&b);
    raster_release(&page);
}

/* As an agent's phone sees it: turned, tilted, curled, shadowed, compressed. */
static void a_photographed_slip_is_read_back(void **state) {
    (void)state;
    static uint8_t note[QR_NOTE_BYTES_MAX]; /* the largest that a slip carries */
    for (size_t i = 0; i < sizeof note; i++) note[i] = (uint8_t)(32 + i * 7919 % 95);
    const struct print_slip slip = {.note = span_of(note, sizeof note),
                                    .id = "00",
                                    .contest = "President",
                                    .station = "Bomu",
                                    .simulated = true};
    struct canvas *c;
    struct raster page;
    must(canvas_image(SYNTH_PPMM, &c, &f));
    must(print_slip(c, &slip, &f));
    must(canvas_close(c, &page, &f));
    for (uint64_t k = 0; k < 3; k++) {
        struct raster photo;
        struct scan_result s;
        struct rng r;
        struct buf b;
        int quality;
        rng_init_stream(&r, 77, k);
        must(synth_photo(&r, &page, SYNTH_PHONE, &photo, &quality, &f));
        to_jpeg(&photo, quality, &b);
        must(scan(buf_view(&b), &s, &f));
        assert_true(span_eq(span_of(s.note, s.note_size), slip.note));
        buf_release(&b);
        raster_release(&photo);
    }
    raster_release(&page);
}

/* Correction fluid over a box's lines, and only there; a round stamp, a scrawl and nothing. */
static void hidden_print_and_stamps_are_found(void **state) {
    (void)state;
    const struct print_form form = sample();
    const struct digit_set none = {0};
    struct layout_page p;
    must(form_layout(form.code.shape, 1, &p, &f));
    for (unsigned k = 0; k < 3; k++) {
        struct synth_hand hand = {.digits = &none, .pen_mm = 0.6, .ink = 0.8, .signatures = 40 + k};
        struct raster page, photo;
        struct scan_result s;
        struct rng r;
        struct buf b;
        int quality;
        hand.scrawled_stamp = k == 1;
        hand.no_stamp = k == 2;
        hand.no_deputy = k == 2;
        rng_init_stream(&r, 31, k);
        must(synth_blank(&form, 1, &page, &f));
        synth_paper(&page, 0.97);
        struct rect_mm box = p.rows[2 + k].figure[3];
        box.x += 3; /* over the box's right line */
        synth_fluid(&r, &page, box);
        synth_sign(&r, &page, &hand, &p);
        must(synth_photo(&r, &page, SYNTH_PHONE, &photo, &quality, &f));
        to_jpeg(&photo, quality, &b);
        must(scan(buf_view(&b), &s, &f));
        for (uint32_t i = 0; i < s.field_count; i++) {
            assert_int_equal(s.field[i].hidden, s.field[i].index == 2 + k);
            assert_int_equal((s.field[i].read.reasons & ABSTAIN_INK) != 0, s.field[i].hidden);
        }
        for (uint32_t i = 0; i < s.zone_count; i++) {
            if (s.zone[i].kind == ZONE_SIGNATURE_DEPUTY) assert_int_equal(s.zone[i].present, k != 2);
            if (s.zone[i].kind != ZONE_STAMP) continue;
            assert_int_equal(s.zone[i].present, k != 2);
            assert_int_equal(s.zone[i].ring, k == 0);
        }
        buf_release(&b);
        raster_release(&photo);
        raster_release(&page);
    }
}

static void pdf_pages_are_read(void **state) {
    (void)state;
    if (access("/usr/bin/pdftoppm", X_OK) != 0) return;
    static const char junk[] = "%PDF-1.4\nnothing of the kind";
    struct scan_result s;
    refuses(E_IMAGE, scan(SPAN_LIT(junk), &s, &f));
}

/* ---- hostile files ---- */

static bool is_refusal(err e) {
    return e == OK || e == E_IMAGE || e == E_NOT_FOUND || e == E_TOO_LARGE || e == E_MEMORY;
}

static void mutate(struct rng *r, struct buf *b) {
    const unsigned changes = 1 + (unsigned)rng_below(r, 12);
    for (unsigned k = 0; k < changes && b->n > 2; k++) {
        const size_t at = (size_t)rng_below(r, b->n);
        switch (rng_below(r, 4)) {
        case 0:
            b->p[at] = (uint8_t)rng_u64(r);
            break;
        case 1:
            b->p[at] ^= (uint8_t)(1u << rng_below(r, 8));
            break;
        case 2:
            b->n = at + 1;
            break;
        default: { /* a piece repeated elsewhere */
            const size_t from = (size_t)rng_below(r, b->n), n = b->n - (at > from ? at : from);
            memmove(b->p + at, b->p + from, n < 40 ? n : 40);
        }
        }
    }
}

static void mutated_files_are_refused_or_read(void **state) {
    (void)state;
    struct print_form form = sample();
    struct raster page, small;
    struct buf jpeg, png, pdf = {0};
    must(synth_blank(&form, 1, &page, &f));
    must(raster_halve(&page, 1, &small, &f));
    to_jpeg(&small, 60, &jpeg);
    buf_init(&png, 1 << 24);
    must(image_write_png(&small, &png, &f));
    (void)pdf;
    unsigned refused = 0;
    for (uint64_t k = 0; k < 200; k++) {
        struct rng r;
        struct buf b;
        struct scan_result s;
        struct fail why = {0};
        rng_init_stream(&r, 31, k);
        buf_init(&b, 1 << 24);
        buf_span(&b, buf_view(k % 2 ? &png : &jpeg));
        mutate(&r, &b);
        const err e = scan(buf_view(&b), &s, &why);
        if (!is_refusal(e)) fail_msg("file %u: %s %s", (unsigned)k, err_info(e)->name, why.text);
        if (e != OK) assert_true(why.text[0] != 0);
        refused += e != OK;
        buf_release(&b);
    }
    assert_true(refused > 60);
    buf_release(&jpeg);
    buf_release(&png);
    raster_release(&small);
    raster_release(&page);
}

static void sizes_are_refused_by_the_header(void **state) {
    (void)state;
    struct raster small;
    struct buf b;
    struct scan_result s;
    must(raster_init(&small, 64, 64, &f));
    to_jpeg(&small, 60, &b);
    for (size_t i = 0; i + 9 < b.n; i++)
        if (b.p[i] == 0xff && b.p[i + 1] == 0xc0) { /* the frame header: height, width */
            put_u16be(b.p + i + 5, 60000);
            put_u16be(b.p + i + 7, 60000);
            break;
        }
    refuses(E_TOO_LARGE, scan(buf_view(&b), &s, &f));
    buf_release(&b);
    buf_init(&b, 1 << 20);
    must(image_write_png(&small, &b, &f));
    put_u32be(b.p + 16, 50000); /* IHDR's width; its check sum is now wrong, too: either refuses */
    const err e = scan(buf_view(&b), &s, &f);
    assert_true(e == E_TOO_LARGE || e == E_IMAGE);
    buf_release(&b);
    refuses(E_IMAGE, scan(SPAN_LIT("GIF89a...."), &s, &f));
    refuses(E_IMAGE, scan(span_of(NULL, 0), &s, &f));
    struct raster r;
    refuses(E_TOO_LARGE, raster_init(&r, 20001, 1, &f));
    refuses(E_TOO_LARGE, raster_init(&r, 20000, 20000, &f));
    raster_release(&small);
}

/* ---- the child ---- */

static err try_everything(void *ctx, struct buf *out, struct fail *why) {
    (void)ctx;
    (void)why;
    errno = 0;
    buf_byte(out, open("/etc/passwd", O_RDONLY) < 0 && errno == EPERM);
    buf_byte(out, open("/tmp/hesabu-escape", O_WRONLY | O_CREAT, 0600) < 0 && errno == EPERM);
    buf_byte(out, socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
    buf_byte(out, socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EPERM);
    buf_byte(out, fork() < 0 && errno == EPERM);
    char *const argv[] = {NULL};
    buf_byte(out, execve("/bin/true", argv, argv) < 0 && errno == EPERM);
    buf_byte(out, unlink("/tmp/hesabu-escape") < 0 && errno == EPERM);
    buf_byte(out, kill(getppid(), 0) < 0 && errno == EPERM);
    uint8_t byte;
    buf_byte(out, read(0, &byte, 1) < 0); /* no standard input */
    return OK;
}

static err loop_forever(void *ctx, struct buf *out, struct fail *why) {
    (void)out;
    (void)why;
    for (volatile int *p = ctx; *p >= 0;) *p = (*p + 1) & 1023;
    return OK;
}

static err crash(void *ctx, struct buf *out, struct fail *why) {
    (void)out;
    (void)why;
    (void)ctx;
    abort();
}

static err too_much(void *ctx, struct buf *out, struct fail *why) {
    (void)ctx;
    static const uint8_t piece[4096];
    for (int i = 0; i < 1000; i++) buf_add(out, piece, sizeof piece);
    return buf_ok(out, why);
}

static const struct sandbox_limits short_limits = {(uint64_t)64 << 20, 2, 1500};

static void the_child_reaches_nothing(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 64);
    must(sandbox_run(try_everything, NULL, short_limits, &out, NULL, &f));
    assert_int_equal(out.n, 9);
    for (size_t i = 0; i < out.n; i++)
        if (out.p[i] != 1) fail_msg("attempt %zu was not denied", i);
    buf_release(&out);
}

static void a_child_that_dies_is_a_refusal(void **state) {
    (void)state;
    int counter = 0;
    struct buf out;
    buf_init(&out, 64);
    refuses(E_IMAGE, sandbox_run(loop_forever, &counter, short_limits, &out, NULL, &f));
    assert_int_equal(counter, 0);
    refuses(E_IMAGE, sandbox_run(crash, NULL, short_limits, &out, NULL, &f));
    refuses(E_MEMORY, sandbox_run(too_much, NULL, short_limits, &out, NULL, &f));
    assert_int_equal(out.n, 0);
    buf_release(&out);
}

static void a_lying_child_is_caught(void **state) {
    (void)state;
    struct scan_result s = {0};
    must(scan_result_check(&s, &f));
    struct scan_result t = s;
    t.field_count = SCAN_FIELDS_MAX + 1;
    refuses(E_IMAGE, scan_result_check(&t, &f));
    t = s;
    t.note_size = QR_NOTE_BYTES_MAX + 1;
    refuses(E_IMAGE, scan_result_check(&t, &f));
    t = s;
    memset(t.code.station, 'x', sizeof t.code.station);
    refuses(E_IMAGE, scan_result_check(&t, &f));
    t = s;
    memset(&t.has_sheet, 7, 1);
    refuses(E_IMAGE, scan_result_check(&t, &f));
    t = s;
    t.qr_read = true; /* a code that no form has */
    refuses(E_IMAGE, scan_result_check(&t, &f));
    t = s;
    t.code.shape.choices = 4000000000; /* without a code, too: rows are counted by it */
    refuses(E_IMAGE, scan_result_check(&t, &f));
    t = s;
    t.field_count = 1;
    t.field[0].read.reasons = ABSTAIN_EMPTY;
    must(scan_result_check(&t, &f));
    t.field[0].lp[2][3] = NAN;
    refuses(E_IMAGE, scan_result_check(&t, &f));
    t = s;
    t.field_count = 1; /* an answer without a value */
    refuses(E_IMAGE, scan_result_check(&t, &f));
}

static void personal_data_is_painted_over(void **state) {
    (void)state;
    const struct print_form form = sample();
    struct layout_page p;
    struct raster page;
    struct scan_result s;
    struct mask_result m;
    struct buf file, published;
    struct rng r;
    rng_init(&r, 2);
    const struct digit_set none = {0};
    const struct synth_hand hand = {.digits = &none, .pen_mm = 0.7, .ink = 0.9, .signatures = 3};
    must(form_layout(form.code.shape, 2, &p, &f));
    must(synth_blank(&form, 2, &page, &f));
    synth_sign(&r, &page, &hand, &p);
    to_jpeg(&page, 85, &file);
    must(scan(buf_view(&file), &s, &f));
    const unsigned kinds = 1u << ZONE_AGENT_SIGNATURE | 1u << ZONE_AGENT_ID;
    must(mask_zones(&s, kinds, &m, &f));
    assert_int_equal(m.rect_count, 22);
    buf_init(&published, 1 << 24);
    must(mask_file(buf_view(&file), &m, &published, &f));
    const struct hash h = sha256(buf_view(&published));
    assert_true(hash_eq(&h, &m.published));
    assert_false(hash_eq(&m.original, &m.published));
    struct raster after;
    double shrink;
    must(image_decode(buf_view(&published), 0, &after, &shrink, &f));
    assert_int_equal(after.w, page.w);
    for (size_t i = 0; i < m.rect_count; i++) { /* one even grey: nothing shines through */
        const struct image_rect *q = &m.rect[i];
        for (int y = q->y + 8; y < q->y + q->h - 8; y++)
            for (int x = q->x + 8; x < q->x + q->w - 8; x++)
                assert_in_range(raster_at(&after, x, y), 92, 100);
    }
    s.template_ok = false;
    refuses(E_IMAGE, mask_zones(&s, kinds, &m, &f));
    raster_release(&after);
    buf_release(&file);
    buf_release(&published);
    raster_release(&page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blank_form_is_known_in_any_rotation),
        cmocka_unit_test(the_strip_stands_in_for_the_qr),
        cmocka_unit_test(a_wrong_template_does_not_pass_the_gate),
        cmocka_unit_test(marks_are_never_figures),
        cmocka_unit_test(real_digits_are_read_and_compared),
        cmocka_unit_test(confirmed_figures_label_boxes),
        cmocka_unit_test(open_cells_are_cut_and_judged),
        cmocka_unit_test(the_same_paper_is_found_again),
        cmocka_unit_test(a_slip_is_read_back),
        cmocka_unit_test(a_photographed_slip_is_read_back),
        cmocka_unit_test(hidden_print_and_stamps_are_found),
        cmocka_unit_test(pdf_pages_are_read),
        cmocka_unit_test(mutated_files_are_refused_or_read),
        cmocka_unit_test(sizes_are_refused_by_the_header),
        cmocka_unit_test(the_child_reaches_nothing),
        cmocka_unit_test(a_child_that_dies_is_a_refusal),
        cmocka_unit_test(a_lying_child_is_caught),
        cmocka_unit_test(personal_data_is_painted_over),
    };
    if (reader_init_builtin(&reader, &f) != OK) return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    reader_release(&reader);
    return failed;
}
