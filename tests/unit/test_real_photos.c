/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Three real photographs of another country's OCR-designed form, read with the template's geometry.
 * Passes without the shared data. What is asked: no silent error, and no X ever read as a digit. */
#include "test.h"
#include "base/file.h"
#include "paper/decode.h"
#include "paper/image.h"
#include "paper/register_marks.h"
#include "paper/sheet.h"

static struct fail f;
static struct reader reader;

/* Places on the blank templates, in their pixels (1,800 x 2,800). */
#define MM (SHEET_W_MM / 1800)

static const double squares_pwp[14][2] = {
    {882, 54},  {918, 54},    {514, 333},  {1081, 333},  {1648, 333},  {69, 1386},  {1732, 1386},
    {69, 1422}, {1732, 1422}, {514, 2235}, {1081, 2235}, {1648, 2235}, {882, 2754}, {918, 2754}};
static const double squares_data[14][2] = {
    {882, 54},  {918, 54},    {919, 760},  {1284, 760},  {1648, 760},  {69, 1386},  {1732, 1386},
    {69, 1422}, {1732, 1422}, {919, 2428}, {1284, 2428}, {1648, 2428}, {882, 2754}, {918, 2754}};

struct group { /* three boxes side by side, what they hold, and the figure (-1: not to be answered)
                */
    int x[3], y, w, h;
    const char *text;
    int value;
};

static struct mark_template template_of(const double squares[14][2]) {
    struct mark_template t = {
        .n = 14, .side_mm = 24.5 * MM, .pair = {{0, 1}, {6, 8}, {12, 13}, {5, 7}}};
    for (size_t i = 0; i < 14; i++)
        t.centre[i] = (struct point){squares[i][0] * MM, squares[i][1] * MM};
    return t;
}

struct tally {
    unsigned fields, answered, silent, crosses, crosses_as_digit;
};

static void read_group(const struct sheet *s, const struct group *g, struct tally *t) {
    struct layout_row row = {0};
    struct row_boxes boxes;
    struct box_reading b[3];
    struct field_reading v;
    for (int k = 0; k < 3; k++)
        row.figure[k] = row.correction[k] =
            (struct rect_mm){(g->x[k] + 1) * MM, (g->y + 1) * MM, (g->w - 2) * MM, (g->h - 2) * MM};
    row.row = (struct rect_mm){g->x[0] * MM, g->y * MM, (g->x[2] + g->w - g->x[0]) * MM, g->h * MM};
    must(sheet_align_row(s, &row, 3, NULL, &boxes, &f));
    for (int k = 0; k < 3; k++) {
        struct raster ink;
        must(sheet_cut_box(s, boxes.figure[k], &ink, &f));
        must(reader_box(&reader, &ink, SHEET_PPMM, boxes.figure[k].h, &b[k], &f));
        raster_release(&ink);
    }
    struct decode_rules rules = decode_default_rules();
    rules.cross_is_void = true; /* this form's convention */
    decode_boxes(b, 3, rules, &v);
    t->fields++;
    for (int k = 0; k < 3; k++)
        if (g->text[k] == 'X') {
            t->crosses++;
            t->crosses_as_digit += b[k].best < 10;
        }
    if (v.reasons) return;
    t->answered++;
    if (g->value < 0 || v.value != (uint64_t)g->value) {
        t->silent++;
        print_message("wrote \"%s\", answered %llu\n", g->text, (unsigned long long)v.value);
    }
}

static void read_photo(const char *name, const double squares[14][2], const struct group *g,
                       size_t n, struct tally *t) {
    char path[4300];
    struct span file;
    struct raster image;
    struct registration reg;
    struct sheet s;
    double shrink;
    snprintf(path, sizeof path, "%s/data/digits/forms/%s", shared_dir(), name);
    must(file_map(path, &file, &f));
    must(image_decode(file, 2400, &image, &shrink, &f));
    const struct mark_template m = template_of(squares);
    must(register_marks(&image, &m, &reg, &f));
    assert_true(reg.markers >= 12 && reg.residual_mm < 1.5);
    must(sheet_init(&s, &image, &reg, &f));
    for (size_t i = 0; i < n; i++) read_group(&s, &g[i], t);
    sheet_release(&s);
    raster_release(&image);
    file_unmap(file);
}

static void figures_of_totals(const char *const text[6], const int value[6], struct group g[6]) {
    static const int y[6] = {443, 766, 1088, 1518, 1739, 2102};
    for (int i = 0; i < 6; i++)
        g[i] = (struct group){{1418, 1496, 1575}, y[i], 70, 83, text[i], value[i]};
}

static void real_photographs_have_no_silent_error(void **state) {
    (void)state;
    if (!shared_dir()) return;
    struct tally t = {0};
    struct group g[42];
    static const char *const first[6] = {"123", "X45", "X67", "235", "X18", "253"};
    static const int first_value[6] = {123, 45, 67, 235, 18, 253};
    figures_of_totals(first, first_value, g);
    read_photo("pwp_sample_01.jpg", squares_pwp, g, 6, &t);
    static const char *const second[6] = {"X98", "X76", "X54", "228", " 10", "238"};
    static const int second_value[6] = {98, 76, 54, 228, 10, 238};
    figures_of_totals(second, second_value, g); /* an older print: its last boxes stand elsewhere */
    read_photo("pwp_sample_02.jpg", squares_pwp, g, 6, &t);
    static const int rows[14] = {929,  1006, 1083, 1160, 1303, 1380, 1457,
                                 1534, 1779, 1855, 1932, 2009, 2245, 2322};
    static const int
        value[14][3] = {{160, 155, 315}, {10, 12, 22}, {4, 2, 6},  {174, 169, 343},
                        {-1, 117, 240},  {3, 7, 10},   {4, 2, 6},  {130, 126, 256},
                        {0, 0, 256},     {0, 0, 2},    {0, 0, 92}, {0, 0, 350},
                        {4, 3, 7},       {2, 1, 3}}; /* -1: its middle digit is overwritten */
    size_t n = 0;
    for (int i = 0; i < 14; i++)
        for (int c = i >= 8 && i < 12 ? 2 : 0; c < 3; c++) {
            const int x = c == 0 ? 924 : c == 1 ? 1175 : 1426;
            g[n++] = (struct group){{x, x + 77, x + 154}, rows[i], 64, 63, "   ", value[i][c]};
        }
    assert_int_equal(n, 34);
    read_photo("data_sample_02.jpg", squares_data, g, n, &t);
    print_message(
        "real photographs: %u fields, %u answered, %u silently wrong, %u of %u X read as a digit\n",
        t.fields, t.answered, t.silent, t.crosses_as_digit, t.crosses);
    assert_int_equal(t.fields, 46);
    assert_int_equal(t.silent, 0);
    assert_int_equal(t.crosses, 6);
    assert_int_equal(t.crosses_as_digit, 0);
    assert_true(t.answered >= 20);
}

static void a_picture_without_squares_is_refused(void **state) {
    (void)state;
    struct raster r;
    struct registration reg;
    const struct mark_template m = template_of(squares_pwp);
    must(raster_init(&r, 600, 800, &f));
    refuses(E_NOT_FOUND, register_marks(&r, &m, &reg, &f));
    raster_release(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_photographs_have_no_silent_error),
        cmocka_unit_test(a_picture_without_squares_is_refused),
    };
    if (reader_init_builtin(&reader, &f) != OK) return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    reader_release(&reader);
    return failed;
}
