/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* From what boxes seem to hold to a figure, or to a reason for none. */
#include "test.h"
#include <math.h>
#include "paper/decode.h"
#include "paper/joint.h"
#include "paper/judge.h"

static struct fail f;

/* A box that holds `class` with probability p; the rest is spread evenly, or goes to `second`. */
static struct box_reading box(int class, double p, int second) {
    struct box_reading b = {
        .best = (uint8_t) class, .darkness = 0.7, .width_mm = 0.6, .ink_mm2 = 5};
    for (int i = 0; i < NET_CLASSES; i++) b.lp[i] = log((1 - p) * (second < 0 ? 1.0 / 13 : 1e-6));
    if (second >= 0) b.lp[second] = log((1 - p) * (1 - 1e-5));
    b.lp[class] = log(p);
    return b;
}

/* "-123": digits, '-', 'X', ' ', '?' for something else. */
static void boxes(const char *text, struct box_reading out[4]) {
    for (int i = 0; i < 4; i++)
        out[i] = box(text[i] == '-'   ? CLASS_DASH
                     : text[i] == 'X' ? CLASS_STRUCK
                     : text[i] == ' ' ? CLASS_BLANK
                     : text[i] == '?' ? CLASS_OTHER
                                      : text[i] - '0',
                     0.9995, -1);
}

static struct field_reading read_text(const char *figure, const char *correction) {
    struct box_reading a[4], b[4];
    struct field_reading r;
    boxes(figure, a);
    boxes(correction, b);
    decode_field(a, b, 4, decode_default_rules(), &r);
    return r;
}

static void plain_figures_are_answered(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {{"-123", 123}, {"  45", 45},   {"---0", 0},
                 {"0007", 7},   {"9999", 9999}, {" -88", 88}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct field_reading r = read_text(cases[i].text, "    ");
        if (r.reasons || !r.has_value || r.value != cases[i].value)
            fail_msg("\"%s\": value %llu, reasons %x", cases[i].text, (unsigned long long)r.value,
                     r.reasons);
        assert_string_equal(r.text, cases[i].text);
        assert_true(r.has_other && r.other != r.value && r.margin > 4);
    }
}

static void what_is_no_plain_figure_abstains(void **state) {
    (void)state;
    static const struct {
        const char *figure, *correction;
        unsigned reason;
    } cases[] = {{"    ", "    ", ABSTAIN_EMPTY},       {"----", "    ", ABSTAIN_DASHES},
                 {"12  ", "    ", ABSTAIN_LAYOUT},      {" 1-2", "    ", ABSTAIN_LAYOUT},
                 {"-1?3", "    ", ABSTAIN_OVERWRITTEN}, {"X123", "    ", ABSTAIN_STRUCK},
                 {"XXXX", "    ", ABSTAIN_STRUCK},      {" 123", " 124", ABSTAIN_BOTH},
                 {"X?5X", "    ", ABSTAIN_STRUCK},      {" 123", "---?", ABSTAIN_BOTH},
                 {"X12X", " 124", ABSTAIN_STRUCK},      {"XX2X", "    ", ABSTAIN_STRUCK},
                 {"XX2X", "-1?4", ABSTAIN_STRUCK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct field_reading r = read_text(cases[i].figure, cases[i].correction);
        if (!(r.reasons & cases[i].reason))
            fail_msg("\"%s\" \"%s\": reasons %x", cases[i].figure, cases[i].correction, r.reasons);
    }
}

static void a_struck_figure_gives_way_to_its_correction(void **state) {
    (void)state;
    struct field_reading r = read_text("XXXX", "--58");
    assert_int_equal(r.reasons, 0);
    assert_true(r.corrected && r.value == 58);
    r = read_text("-XXX", "  58");
    assert_true(r.corrected && r.reasons == 0 && r.value == 58);
    r = read_text("XX2X", " 124"); /* the strike hides in one digit */
    assert_true(r.corrected && r.reasons == 0 && r.value == 124);
    r = read_text("XXXX", "-5?8"); /* the correction must itself be readable */
    assert_true(r.corrected && r.reasons != 0);
}

static void doubt_abstains_and_names_the_other_value(void **state) {
    (void)state;
    struct box_reading a[4], none[4];
    struct field_reading r;
    boxes("-123", a);
    boxes("    ", none);
    a[1] = box(1, 0.8, 7);
    decode_field(a, none, 4, decode_default_rules(), &r);
    assert_int_equal(r.reasons, ABSTAIN_MARGIN);
    assert_true(r.value == 123 && r.other == 723);
    assert_true(r.margin > 1 && r.margin < 2); /* ln(0.8 / 0.2) = 1.39 */
    boxes("-123", a);
    a[2].disagree = true;
    decode_field(a, none, 4, decode_default_rules(), &r);
    assert_int_equal(r.reasons, ABSTAIN_DISAGREE);
    boxes("-123", a);
    a[3].width_mm = 1.8; /* written over with another pen */
    decode_field(a, none, 4, decode_default_rules(), &r);
    assert_int_equal(r.reasons, ABSTAIN_INK);
}

static void another_countrys_cross_means_not_used(void **state) {
    (void)state;
    struct box_reading a[4];
    struct field_reading r;
    struct decode_rules rules = decode_default_rules();
    boxes("XX45", a);
    decode_boxes(a, 4, rules, &r);
    assert_true(r.reasons & ABSTAIN_STRUCK);
    rules.cross_is_void = true;
    decode_boxes(a, 4, rules, &r);
    assert_true(r.reasons == 0 && r.value == 45);
    boxes("4X5 ", a); /* not in the middle */
    decode_boxes(a, 4, rules, &r);
    assert_int_not_equal(r.reasons, 0);
}

static void the_image_speaks_for_or_against_what_was_typed(void **state) {
    (void)state;
    struct box_reading a[4];
    const struct decode_rules rules = decode_default_rules();
    boxes("-123", a);
    assert_true(decode_against(a, 4, rules, 123) < -5);
    assert_true(decode_against(a, 4, rules, 128) > 5);
    assert_true(decode_against(a, 4, rules, 1123) > 5);
    assert_true(isinf(decode_against(a, 4, rules, 12345))); /* more digits than boxes */
    assert_true(decode_against(a, 0, rules, 1) > 0);
}

/* A page with these boxes ("-123" and so on) in its rows: `choices` choices, then the counts. */
static struct scan_result page_of(const char *const *text, unsigned choices) {
    struct scan_result r = {.field_count = choices + FORM_COUNT_ROWS};
    r.code.shape = (struct form_shape){choices, 4};
    for (uint32_t i = 0; i < r.field_count; i++) {
        struct box_reading a[4], none[4];
        struct scan_field *k = &r.field[i];
        boxes(text[i], a);
        boxes("    ", none);
        decode_field(a, none, 4, decode_default_rules(), &k->read);
        k->index = i;
        k->boxes = 4;
        for (int b = 0; b < 4; b++)
            for (int c = 0; c < NET_CLASSES; c++) k->lp[b][c] = (float)a[b].lp[c];
    }
    return r;
}

/* One box of a field becomes unsure between two digits. */
static void doubt_box(struct scan_result *r, unsigned row, unsigned box_at, int best, double p,
                      int second) {
    struct scan_field *k = &r->field[row];
    struct box_reading a[4] = {{.best = 0}}, none[4];
    const struct box_reading unsure = box(best, p, second);
    for (int b = 0; b < 4; b++) {
        int most = 0;
        for (int c = 0; c < NET_CLASSES; c++) {
            if ((unsigned)b == box_at) k->lp[b][c] = (float)unsure.lp[c];
            a[b].lp[c] = (double)k->lp[b][c];
            if (a[b].lp[c] > a[b].lp[most]) most = c;
        }
        a[b].best = (uint8_t)most;
        a[b].darkness = 0.7;
        a[b].width_mm = 0.6;
    }
    boxes("    ", none);
    decode_field(a, none, 4, decode_default_rules(), &k->read);
}

/* registered, kit, hand, rejected, objected, disputed, valid: both sums hold */
static const char *const sound[3 + FORM_COUNT_ROWS] = {"-123", "--45", "---2", "-300", "-168",
                                                       "---6", "---4", "---1", "---0", "-170"};

static void read_together(struct scan_result *r, const uint64_t *registered) {
    must(judge_figures(r, registered, decode_default_rules(), &f));
}

static void sums_decide_between_what_the_image_leaves_open(void **state) {
    (void)state;
    struct scan_result r = page_of(sound, 3);
    doubt_box(&r, 0, 2, 2, 0.7, 7); /* 123 or 173? */
    assert_int_equal(r.field[0].read.reasons, ABSTAIN_MARGIN);
    read_together(&r, NULL);
    assert_true(r.field[0].by_sum && r.field[0].read.reasons == 0 && r.field[0].read.value == 123);
    assert_false(r.field[1].by_sum); /* needed no help */
    assert_int_equal(r.broken, 0);
    r = page_of(sound, 3);
    doubt_box(&r, 0, 2, 7, 0.7, 2); /* the image leans to 173, and 123 is what the sum needs */
    read_together(&r, NULL);
    assert_true(r.field[0].by_sum && r.field[0].read.value == 123 && r.field[0].read.other == 173);
    r = page_of(sound, 3);
    doubt_box(&r, 0, 2, 7, 0.95, 2); /* the image says 173: beyond the gate nothing is repaired */
    read_together(&r, NULL);
    assert_false(r.field[0].by_sum);
    assert_int_equal(r.field[0].read.value, 173);
    r = page_of(sound, 3);
    doubt_box(&r, 0, 3, 5, 0.7, 7); /* 125 or 127: the sum holds with neither */
    read_together(&r, NULL);
    assert_int_equal(r.field[0].read.reasons, ABSTAIN_MARGIN);
    r = page_of(sound, 3);
    r.field[1].read.reasons |= ABSTAIN_OVERWRITTEN; /* a sum says nothing of who wrote over it */
    doubt_box(&r, 0, 2, 2, 0.7, 7);
    read_together(&r, NULL);
    assert_int_equal(r.field[0].read.reasons, ABSTAIN_MARGIN);
    assert_true(r.field[1].read.reasons & ABSTAIN_OVERWRITTEN);
}

static void the_register_and_its_bound_are_evidence(void **state) {
    (void)state;
    const uint64_t same = 300, other = 800, small = 170;
    struct scan_result r = page_of(sound, 3);
    doubt_box(&r, 3, 1, 3, 0.7, 8); /* registered voters stand in no sum */
    read_together(&r, NULL);
    assert_int_equal(r.field[3].read.reasons, ABSTAIN_MARGIN);
    read_together(&r, &same);
    assert_true(r.field[3].read.reasons == 0 && r.field[3].by_sum);
    r = page_of(sound, 3);
    doubt_box(&r, 3, 1, 3, 0.95, 8); /* the register says otherwise than the image: no repair */
    read_together(&r, &other);
    assert_true(r.field[3].read.reasons == ABSTAIN_MARGIN && r.field[3].read.value == 300);
    r = page_of(sound, 3);
    read_together(&r, &other); /* and a figure that is read surely is said to break the rule */
    assert_int_equal(r.broken, 1u << JOINT_REGISTER);
    r = page_of(sound, 3);
    read_together(&r, &small); /* nothing is more than the register has voters */
    assert_int_equal(r.broken, 1u << JOINT_REGISTER);
    r.field[9].read.value = 171;
    r.field[6].read.value = 3;
    read_together(&r, &small);
    assert_int_equal(r.broken, 1u << JOINT_VOTES | 1u << JOINT_REGISTER | 1u << JOINT_BOUND);
    r = page_of(sound, 3);
    doubt_box(&r, 7, 3, 8, 0.6, 1); /* 8 objected to of 4 rejected, or 1? */
    assert_int_equal(r.field[7].read.value, 8);
    read_together(&r, NULL);
    assert_true(r.field[7].by_sum && r.field[7].read.value == 1);
    r = page_of(sound, 3);
    r.field[7].read.value = 5;
    read_together(&r, NULL);
    assert_int_equal(r.broken, 1u << JOINT_OBJECTED);
}

static void two_doubts_that_balance_are_not_confirmed(void **state) {
    (void)state;
    struct scan_result r = page_of(sound, 3);
    doubt_box(&r, 0, 3, 3, 0.7, 5);           /* 123 or 125 */
    doubt_box(&r, 9, 3, 0, 0.7, 2);           /* 170 or 172: the votes' sum holds either way */
    r.field[4].read.reasons |= ABSTAIN_PLACE; /* and those identified cannot be used */
    read_together(&r, NULL);
    assert_int_equal(r.field[0].read.reasons, ABSTAIN_MARGIN);
    assert_false(r.field[0].by_sum);
    r = page_of(sound, 3);
    doubt_box(&r, 0, 3, 3, 0.7, 5);
    doubt_box(&r, 9, 3, 0, 0.7, 2);
    read_together(&r, NULL); /* with the second sum there is one answer */
    assert_true(r.field[0].by_sum && r.field[0].read.value == 123);
    assert_true(r.field[9].by_sum && r.field[9].read.value == 170);
}

static void a_form_that_does_not_add_up_stays_so(void **state) {
    (void)state;
    static const char *const wrong[3 + FORM_COUNT_ROWS] = {"-123", "--45", "---2", "-300", "-168",
                                                           "---6", "---4", "---1", "---0", "-180"};
    struct scan_result r = page_of(wrong, 3);
    doubt_box(&r, 0, 2, 2, 0.7, 7);
    read_together(&r, NULL);
    assert_int_equal(r.field[0].read.reasons, ABSTAIN_MARGIN);
    r = page_of(wrong, 3);
    read_together(&r, NULL);
    assert_int_equal(r.broken, 1u << JOINT_VOTES | 1u << JOINT_IDENTIFIED);
    assert_int_equal(r.field[9].read.value, 180);
}

static void near_values_are_all_there(void **state) {
    (void)state;
    struct box_reading b[3];
    struct decode_value near[16];
    struct decode_rules rules = decode_default_rules();
    b[0] = box(CLASS_BLANK, 0.99, 1);
    b[1] = box(2, 0.6, 3);
    b[2] = box(7, 0.6, 1);
    const size_t n = decode_near(b, 3, rules, 2.0, near, 16);
    assert_int_equal(n, 4); /* both digits exchanged, too */
    assert_int_equal(near[0].value, 27);
    assert_int_equal(near[3].value, 31);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(near[i].score - decode_score(b, 3, rules, near[i].value)) < 1e-9);
    assert_int_equal(decode_near(b, 3, rules, 2.0, near, 3), 3);
    assert_int_equal(decode_near(b, 0, rules, 2.0, near, 3), 0);
}

static void type_all(struct judge_typed typed[FORM_ROWS_MAX]) {
    static const uint64_t v[] = {123, 45, 2, 300, 168, 6, 4, 1, 0, 170};
    memset(typed, 0, FORM_ROWS_MAX * sizeof *typed);
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) typed[i] = (struct judge_typed){true, v[i]};
}

static void typed_figures_meet_the_image(void **state) {
    (void)state;
    const struct decode_rules rules = decode_default_rules();
    struct judge_typed typed[FORM_ROWS_MAX];
    struct judge_field out[SCAN_FIELDS_MAX];
    struct scan_result r = page_of(sound, 3);
    type_all(typed);
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_AGREES);
    for (uint32_t i = 0; i < r.field_count; i++) assert_int_equal(out[i].verdict, SCAN_AGREES);
    typed[0].value = 132;
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_DIFFERS);
    assert_true(out[0].verdict == SCAN_DIFFERS && out[0].against > 4);
    assert_int_equal(out[1].verdict, SCAN_AGREES);
    type_all(typed);
    typed[3].present = false; /* written, but not typed */
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_CANNOT_TELL);
    type_all(typed);
    r.field[3].read.reasons = ABSTAIN_PLACE;
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_CANNOT_TELL);
    r.field[3].read.reasons = ABSTAIN_EMPTY;
    typed[3].present = false; /* neither written nor typed */
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_AGREES);
    r.field_count = 0;
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_CANNOT_TELL);
}

static void sums_of_what_was_typed_help_a_doubtful_image(void **state) {
    (void)state;
    const struct decode_rules rules = decode_default_rules();
    struct judge_typed typed[FORM_ROWS_MAX];
    struct judge_field out[SCAN_FIELDS_MAX];
    struct scan_result r = page_of(sound, 3);
    type_all(typed);
    doubt_box(&r, 0, 2, 7, 0.8, 2); /* the image leans to 173 */
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_AGREES);
    assert_true(out[0].by_sum && out[0].against > 1);
    typed[0].value = 173; /* what the image prefers, but the typed sum no longer holds */
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_AGREES);
    assert_false(out[0].by_sum);
    r = page_of(sound, 3);
    doubt_box(&r, 3, 1, 8, 0.8, 3); /* a field in no sum gets no help */
    type_all(typed);
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_CANNOT_TELL);
    const uint64_t registered =
        300; /* but the register may speak for it, and only for its figure */
    assert_int_equal(judge_page(&r, typed, &registered, rules, out), SCAN_AGREES);
    assert_true(out[3].by_sum);
    const uint64_t another = 800;
    assert_int_equal(judge_page(&r, typed, &another, rules, out), SCAN_CANNOT_TELL);
    typed[3].value = 800;
    assert_int_equal(judge_page(&r, typed, &another, rules, out), SCAN_AGREES);
    r = page_of(sound, 3);
    type_all(typed);
    doubt_box(&r, 0, 2, 7, 0.88, 2);
    doubt_box(&r, 4, 2, 0, 0.88, 6);
    doubt_box(&r, 1, 2, 9, 0.88, 4); /* three fields that all lean another way are too much */
    assert_int_equal(judge_page(&r, typed, NULL, rules, out), SCAN_CANNOT_TELL);
    for (uint32_t i = 0; i < r.field_count; i++) assert_int_equal(out[i].verdict, SCAN_AGREES);
}

static void sums_flag_and_never_correct(void **state) {
    (void)state;
    struct scan_result r = {.field_count = 3 + FORM_COUNT_ROWS};
    r.code.shape = (struct form_shape){3, 4};
    for (uint32_t i = 0; i < r.field_count; i++)
        r.field[i] =
            (struct scan_field){.index = i, .read = {.has_value = true, .value = i < 3 ? 10 : 0}};
    struct field_reading *valid = &r.field[r.field_count - 1].read;
    valid->value = 30;
    assert_int_equal(scan_check_sum(&r), SUM_OK);
    valid->value = 31;
    assert_int_equal(scan_check_sum(&r), SUM_DIFFERS);
    assert_int_equal(valid->value, 31);
    r.field[1].read.reasons = ABSTAIN_MARGIN;
    assert_int_equal(scan_check_sum(&r), SUM_UNKNOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_figures_are_answered),
        cmocka_unit_test(what_is_no_plain_figure_abstains),
        cmocka_unit_test(a_struck_figure_gives_way_to_its_correction),
        cmocka_unit_test(doubt_abstains_and_names_the_other_value),
        cmocka_unit_test(another_countrys_cross_means_not_used),
        cmocka_unit_test(the_image_speaks_for_or_against_what_was_typed),
        cmocka_unit_test(sums_decide_between_what_the_image_leaves_open),
        cmocka_unit_test(the_register_and_its_bound_are_evidence),
        cmocka_unit_test(a_form_that_does_not_add_up_stays_so),
        cmocka_unit_test(near_values_are_all_there),
        cmocka_unit_test(two_doubts_that_balance_are_not_confirmed),
        cmocka_unit_test(typed_figures_meet_the_image),
        cmocka_unit_test(sums_of_what_was_typed_help_a_doubtful_image),
        cmocka_unit_test(sums_flag_and_never_correct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
