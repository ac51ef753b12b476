/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The printed form: its geometry, its codes, its bytes. */
#include "test.h"
#include "base/rng.h"
#include "paper/print.h"
#include "paper/qr.h"

static struct fail f;

static const struct print_choice choices[FORM_CHOICES_MAX] = {
    {"Asha Njeri", "Blue"}, {"Baraka Otieno", "Green"}, {"Chebet Maina", "Red"}};

static struct print_form sample(unsigned n) {
    struct print_form p = {.regulation = "r. 79",
                           .contest_en = "Election",
                           .contest_sw = "Uchaguzi",
                           .station = "Bomu Primary School",
                           .stream = "1 of 2",
                           .ward = "Port Reitz",
                           .constituency = "Changamwe",
                           .county = "Mombasa",
                           .choices = choices,
                           .anchor = "",
                           .simulated = true,
                           .copy = ""};
    p.code = (struct form_code){.form = "34A",
                                .station = "001001000100101",
                                .contest = "president",
                                .contest_number = 1,
                                .serial = 77,
                                .page = 1,
                                .pages = form_page_count((struct form_shape){n, 4}),
                                .shape = {n, 4}};
    return p;
}

static bool overlap(struct rect_mm a, struct rect_mm b) {
    const double e = 1e-9;
    return a.x + a.w > b.x + e && b.x + b.w > a.x + e && a.y + a.h > b.y + e && b.y + b.h > a.y + e;
}

static void layout_keeps_boxes_apart(void **state) {
    (void)state;
    for (unsigned n = 1; n <= FORM_CHOICES_MAX; n += 7)
        for (unsigned boxes = 1; boxes <= FORM_BOXES_MAX; boxes++) {
            const struct form_shape s = {n, boxes};
            unsigned rows = 0;
            for (unsigned page = 1; page <= form_page_count(s); page++) {
                struct layout_page p;
                must(form_layout(s, page, &p, &f));
                struct rect_mm all[400];
                size_t k = 0;
                for (unsigned i = 0; i < p.row_count; i++, rows++) {
                    assert_int_equal(p.rows[i].index, rows);
                    assert_true(p.rows[i].words.w >= 0);
                    for (unsigned b = 0; b < boxes; b++) {
                        all[k++] = p.rows[i].figure[b];
                        all[k++] = p.rows[i].correction[b];
                    }
                }
                for (unsigned i = 0; i < p.zone_count; i++) all[k++] = p.zones[i].at;
                for (unsigned m = 0; m < FORM_MARKERS; m++) all[k++] = form_marker_at(m);
                all[k++] = form_strip_at();
                all[k++] = form_qr_at();
                for (size_t i = 0; i < k; i++) {
                    assert_true(all[i].x >= 5 && all[i].x + all[i].w <= SHEET_W_MM - 5);
                    assert_true(all[i].y >= 5 && all[i].y + all[i].h <= SHEET_H_MM - 5);
                    for (size_t j = 0; j < i; j++)
                        if (overlap(all[i], all[j]))
                            fail_msg("rectangles %zu and %zu overlap", i, j);
                }
            }
            assert_int_equal(rows, n + FORM_COUNT_ROWS);
        }
}

static void layout_refuses_what_no_form_has(void **state) {
    (void)state;
    struct layout_page p;
    refuses(E_RANGE, form_layout((struct form_shape){0, 4}, 1, &p, &f));
    refuses(E_RANGE, form_layout((struct form_shape){FORM_CHOICES_MAX + 1, 4}, 1, &p, &f));
    refuses(E_RANGE, form_layout((struct form_shape){3, 0}, 1, &p, &f));
    refuses(E_RANGE, form_layout((struct form_shape){3, 4}, 0, &p, &f));
    refuses(E_RANGE, form_layout((struct form_shape){3, 4}, 3, &p, &f));
}

static unsigned turned(unsigned b) {
    unsigned v = 0;
    for (unsigned r = 0; r < 4; r++)
        for (unsigned c = 0; c < 4; c++) v = v << 1 | (b >> (15 - ((3 - c) * 4 + r)) & 1);
    return v;
}

static void markers_are_far_apart(void **state) {
    (void)state;
    for (unsigned a = 0; a < FORM_MARKERS; a++)
        for (unsigned b = 0; b < FORM_MARKERS; b++) {
            unsigned v = form_marker_bits(b);
            for (int q = 0; q < 4; q++, v = turned(v)) {
                if (a == b && q == 0) continue;
                assert_true(__builtin_popcount(form_marker_bits(a) ^ v) >= 6);
            }
        }
}

static void code_text_round_trips_and_is_strict(void **state) {
    (void)state;
    const struct form_code code = sample(3).code;
    struct form_code back;
    char text[CODE_TEXT_MAX];
    must(form_code_text(&code, text, &f));
    must(form_code_parse(span_text(text), &back, &f));
    assert_true(form_code_same(&code, &back));
    const size_t n = strlen(text);
    unsigned changed = 0;
    for (size_t i = 0; i < n; i++) /* one digit mistyped anywhere: always noticed */
        for (char d = '0'; d <= '9'; d++) {
            if (text[i] < '0' || text[i] > '9' || text[i] == d) continue;
            char wrong[CODE_TEXT_MAX];
            memcpy(wrong, text, n + 1);
            wrong[i] = d;
            if (form_code_parse(span_text(wrong), &back, &f) == OK)
                fail_msg("accepted \"%s\" for \"%s\"", wrong, text);
            changed++;
        }
    assert_true(changed > 200);
    for (size_t i = 0; i + 1 < n; i++) { /* two neighbours exchanged */
        if (text[i] == text[i + 1]) continue;
        char wrong[CODE_TEXT_MAX];
        memcpy(wrong, text, n + 1);
        wrong[i] = text[i + 1];
        wrong[i + 1] = text[i];
        if (form_code_parse(span_text(wrong), &back, &f) == OK) fail_msg("accepted \"%s\"", wrong);
    }
    for (size_t cut = 0; cut < n; cut++)
        if (form_code_parse(span_of(text, cut), &back, &f) == OK)
            fail_msg("accepted %zu bytes", cut);
    char wrong[CODE_TEXT_MAX];
    memcpy(wrong, text, n + 1);
    wrong[n - 1] = wrong[n - 1] == '9' ? '8' : '9';
    refuses(E_PAPER_CHECK, form_code_parse(span_text(wrong), &back, &f));
}

static void strip_round_trips_and_notices_every_bit(void **state) {
    (void)state;
    const struct form_code code = sample(3).code;
    struct form_code back;
    uint8_t bits[CODE_STRIP_BYTES];
    must(form_strip_pack(&code, bits, &f));
    must(form_strip_unpack(bits, &back, &f));
    assert_true(form_code_same(&code, &back));
    assert_int_equal(back.contest_number, 1);
    for (unsigned i = 0; i < CODE_STRIP_BITS; i++) {
        bits[i / 8] ^= (uint8_t)(1u << i % 8);
        refuses(E_PAPER_CHECK, form_strip_unpack(bits, &back, &f));
        bits[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    struct form_code wrong = code;
    wrong.contest_number = 0;
    refuses(E_FIELD, form_strip_pack(&wrong, bits, &f));
    strcpy(wrong.station, "12a");
    refuses(E_FIELD, form_strip_pack(&wrong, bits, &f));
}

static bool to_buf(void *ctx, struct span piece) {
    buf_span(ctx, piece);
    return !((struct buf *)ctx)->failed;
}

static void pdf_is_the_same_bytes_each_time(void **state) {
    (void)state;
    struct buf b[2];
    for (int i = 0; i < 2; i++) {
        struct canvas *c;
        struct print_form form = sample(20);
        for (size_t k = 0; k < 20; k++) assert_true(k < FORM_CHOICES_MAX);
        struct print_choice many[20];
        for (int k = 0; k < 20; k++) many[k] = choices[k % 3];
        form.choices = many;
        buf_init(&b[i], 1 << 22);
        must(canvas_pdf(to_buf, &b[i], "t", "2017-08-08T00:00:00Z", &c, &f));
        must(print_form(c, &form, &f));
        must(canvas_close(c, NULL, &f));
        assert_true(b[i].n > 5000);
    }
    assert_true(span_eq(buf_view(&b[0]), buf_view(&b[1])));
    buf_release(&b[0]);
    buf_release(&b[1]);
}

static bool full_disk(void *ctx, struct span piece) {
    (void)ctx;
    (void)piece;
    return false;
}

static void a_sink_that_stops_is_an_error(void **state) {
    (void)state;
    struct canvas *c;
    struct print_form form = sample(3);
    must(canvas_pdf(full_disk, NULL, "t", "2017-08-08T00:00:00Z", &c, &f));
    must(print_form(c, &form, &f));
    refuses(E_IO, canvas_close(c, NULL, &f));
}

static void printed_qr_reads_back(void **state) {
    (void)state;
    struct canvas *c;
    struct raster page;
    struct print_form form = sample(3);
    char text[CODE_TEXT_MAX];
    must(form_code_text(&form.code, text, &f));
    must(canvas_image(6, &c, &f));
    must(print_form_page(c, &form, 1, &f));
    must(canvas_close(c, &page, &f));
    assert_int_equal(page.w, 1260);
    struct buf b;
    buf_init(&b, 4096);
    must(qr_decode(&page, &b, &f));
    assert_true(span_is(buf_view(&b), text));
    buf_release(&b);
    raster_release(&page);
}

static void slip_carries_the_note_unchanged(void **state) {
    (void)state;
    struct rng r;
    rng_init(&r, 5);
    for (size_t n = 100; n <= QR_NOTE_BYTES_MAX; n += 175) {
        uint8_t note[QR_NOTE_BYTES_MAX]; /* any bytes, also ones that are no text */
        for (size_t i = 0; i < n; i++) note[i] = (uint8_t)rng_u64(&r);
        struct print_slip s = {.note = span_of(note, n),
                               .id = "00",
                               .contest = "President",
                               .station = "Bomu",
                               .simulated = true};
        struct canvas *c;
        struct raster page;
        must(canvas_image(7, &c, &f));
        must(print_slip(c, &s, &f));
        must(canvas_close(c, &page, &f));
        struct buf b;
        buf_init(&b, 4096);
        must(qr_decode(&page, &b, &f));
        assert_true(span_eq(buf_view(&b), s.note));
        buf_release(&b);
        raster_release(&page);
    }
    uint8_t large[QR_NOTE_BYTES_MAX + 1] = {0};
    struct print_slip s = {
        .note = span_of(large, sizeof large), .id = "", .contest = "", .station = ""};
    struct canvas *c;
    must(canvas_image(2, &c, &f));
    refuses(E_TOO_LARGE, print_slip(c, &s, &f));
    must(canvas_close(c, NULL, &f));
}

static void tables_add_up_or_refuse(void **state) {
    (void)state;
    const char *const columns[] = {"A", "B"};
    const char *const labels[] = {"one", "two"};
    uint64_t figures[] = {1, 2, 3, PRINT_ABSENT};
    struct print_table t = {.form = "34B",
                            .title_en = "t",
                            .title_sw = "t",
                            .place = "p",
                            .code = "x",
                            .columns = columns,
                            .column_count = 2,
                            .labels = labels,
                            .figures = figures,
                            .row_count = 2,
                            .anchor = "",
                            .simulated = true};
    struct canvas *c;
    must(canvas_image(2, &c, &f));
    must(print_table(c, &t, &f));
    figures[2] = PRINT_ABSENT - 1;
    figures[0] = 5;
    refuses(E_OVERFLOW, print_table(c, &t, &f));
    t.column_count = 13;
    refuses(E_RANGE, print_table(c, &t, &f));
    must(canvas_close(c, NULL, &f));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout_keeps_boxes_apart),
        cmocka_unit_test(layout_refuses_what_no_form_has),
        cmocka_unit_test(markers_are_far_apart),
        cmocka_unit_test(code_text_round_trips_and_is_strict),
        cmocka_unit_test(strip_round_trips_and_notices_every_bit),
        cmocka_unit_test(pdf_is_the_same_bytes_each_time),
        cmocka_unit_test(a_sink_that_stops_is_an_error),
        cmocka_unit_test(printed_qr_reads_back),
        cmocka_unit_test(slip_carries_the_note_unchanged),
        cmocka_unit_test(tables_add_up_or_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
